//! The NetBIOS session service, TCP 139 (RFC 1002 §4.3), and the length prefix of TCP 445 (MS-SMB 2.1).
//! Big-endian.
//!
//! ```text
//! 0  type   1  flags   2  length (2)   4  length bytes
//!                                         0x00 message  0x81 request: called_name (34+) calling_name (34+)
//!                                         0x82 positive 0x83 negative: error_code (1)
//!                                         0x84 retarget: ip (4) port (2)               0x85 keepalive
//! ```
//!
//! Bit 0 of the flags is bit 16 of the length. On port 445 the first byte is 0 and the other three are the length,
//! which gives the same bytes as a message of port 139. On both a packet has at most 0x1FFFF bytes behind the header.

use core::fmt;
use core::net::Ipv4Addr;

use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use super::name::{self, ScopedName};
use super::read;

/// The TCP port of the session service.
pub const PORT: u16 = 139;

/// The TCP port of SMB without NetBIOS.
pub const DIRECT_PORT: u16 = 445;

/// Length of the header, in bytes.
pub const HEADER_LEN: usize = 4;

/// The most bytes that follow a header.
pub const MAX_LEN: usize = 0x1_ffff;

/// TYPE of a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PacketType(pub u8);

impl PacketType {
    /// SESSION MESSAGE.
    pub const MESSAGE: Self = Self(0x00);
    /// SESSION REQUEST.
    pub const REQUEST: Self = Self(0x81);
    /// POSITIVE SESSION RESPONSE.
    pub const POSITIVE_RESPONSE: Self = Self(0x82);
    /// NEGATIVE SESSION RESPONSE.
    pub const NEGATIVE_RESPONSE: Self = Self(0x83);
    /// RETARGET SESSION RESPONSE.
    pub const RETARGET_RESPONSE: Self = Self(0x84);
    /// SESSION KEEP ALIVE.
    pub const KEEPALIVE: Self = Self(0x85);

    /// The type's name in snake_case.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::MESSAGE => "message",
            Self::REQUEST => "request",
            Self::POSITIVE_RESPONSE => "positive_response",
            Self::NEGATIVE_RESPONSE => "negative_response",
            Self::RETARGET_RESPONSE => "retarget_response",
            Self::KEEPALIVE => "keepalive",
            _ => return None,
        })
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketType({self})")
    }
}

/// ERROR_CODE of a negative response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NegativeCode(pub u8);

impl NegativeCode {
    /// Not listening on called name.
    pub const NOT_LISTENING_ON_CALLED: Self = Self(0x80);
    /// Not listening for calling name.
    pub const NOT_LISTENING_FOR_CALLING: Self = Self(0x81);
    /// Called name not present.
    pub const CALLED_NOT_PRESENT: Self = Self(0x82);
    /// Called name present, but insufficient resources.
    pub const INSUFFICIENT_RESOURCES: Self = Self(0x83);
    /// Unspecified error.
    pub const UNSPECIFIED: Self = Self(0x8f);

    /// The code in words.
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::NOT_LISTENING_ON_CALLED => "not listening on called name",
            Self::NOT_LISTENING_FOR_CALLING => "not listening for calling name",
            Self::CALLED_NOT_PRESENT => "called name not present",
            Self::INSUFFICIENT_RESOURCES => "insufficient resources",
            Self::UNSPECIFIED => "unspecified error",
            _ => return None,
        })
    }
}

impl fmt::Debug for NegativeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NegativeCode(0x{:02x})", self.0)
    }
}

/// Which of the two framings a TCP stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two ports")]
pub enum Framing {
    /// Port 139: all packet types.
    Session,
    /// Port 445: a zero and a length of 24 bits.
    Direct,
}

/// What a stream holds next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is there or it is not")]
pub enum Next {
    /// A whole packet of this length, in bytes, its header included; always at least 4.
    Packet(usize),
    /// Too little. At least this many bytes, counted from the packet's beginning, are needed; never more than
    /// [`HEADER_LEN`] and [`MAX_LEN`].
    Needs(usize),
}

/// Says where the packet ends that `stream` begins with. Reserves nothing and looks at the header only.
///
/// # Errors
/// A length above [`MAX_LEN`] (reserved flags on port 139); on port 445, a first byte other than 0. The stream
/// cannot be followed further then.
pub fn next_packet(framing: Framing, stream: &[u8]) -> Result<Next, DecodeError> {
    let bad = |field, offset, kind| Err(DecodeError::new(Layer::Nbss, field, offset, kind));
    if let (Framing::Direct, Some(&first @ 1..)) = (framing, stream.first()) {
        return bad("type", 0, DecodeErrorKind::BadValue { value: first.into(), expected: "0" });
    }
    let Some(&[_, flags, length0, length1]) = stream.first_chunk::<HEADER_LEN>() else {
        return Ok(Next::Needs(HEADER_LEN));
    };
    let length = body_len(flags, [length0, length1]);
    if flags > 1 {
        return match framing {
            Framing::Session => bad("flags", 1, bad_flags(flags)),
            Framing::Direct => bad("length", 1, DecodeErrorKind::TooLong { have: length, max: MAX_LEN }),
        };
    }
    let length = HEADER_LEN + length;
    Ok(if stream.len() < length { Next::Needs(length) } else { Next::Packet(length) })
}

/// The header of a message of `length` bytes, on both ports.
///
/// # Errors
/// More than [`MAX_LEN`].
pub fn message_header(length: usize) -> Result<[u8; HEADER_LEN], ValueError> {
    match u32::try_from(length) {
        Ok(word) if length <= MAX_LEN => Ok(word.to_be_bytes()),
        _ => Err(ValueError::too_long(Layer::Nbss, "length", length, MAX_LEN)),
    }
}

const fn body_len(flags: u8, [high, low]: [u8; 2]) -> usize {
    u32::from_be_bytes([0, flags, high, low]) as usize
}

const fn bad_flags(flags: u8) -> DecodeErrorKind {
    DecodeErrorKind::BadValue { value: flags as u32, expected: "0 or 1" }
}

/// What a packet says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// Bytes of the session: one SMB message.
    Message(&'a [u8]),
    /// Asks for a session with a name.
    #[non_exhaustive]
    Request {
        /// CALLED_NAME: the server's.
        called: ScopedName<'a>,
        /// CALLING_NAME: the client's.
        calling: ScopedName<'a>,
    },
    /// The session is made.
    Positive,
    /// The session is refused.
    Negative(NegativeCode),
    /// The session is to be had elsewhere.
    #[non_exhaustive]
    Retarget {
        /// RETARGET_IP_ADDRESS.
        ip: Ipv4Addr,
        /// PORT.
        port: u16,
    },
    /// Nothing; shows that the sender lives.
    Keepalive,
    /// A packet of another type.
    #[non_exhaustive]
    Unknown {
        /// TYPE.
        packet_type: PacketType,
        /// What follows the header.
        bytes: &'a [u8],
    },
}

/// A packet of the session service, or a message of port 445.
///
/// Accepted and kept: packets of unknown type; bytes that LENGTH counts behind what the type asks for
/// ([`Self::extra`]); bytes behind the packet ([`Self::trailing`]). Refused: flags other than bit 0, as they would
/// make the packet longer than either port allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Packet<'a> {
    body: Body<'a>,
    extra: &'a [u8],
    trailing: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A message.
    ///
    /// # Errors
    /// More than [`MAX_LEN`] bytes.
    pub fn message(bytes: &'a [u8]) -> Result<Self, ValueError> {
        message_header(bytes.len())?;
        Ok(Self::of(Body::Message(bytes)))
    }

    /// A request for a session.
    pub const fn request(called: ScopedName<'a>, calling: ScopedName<'a>) -> Self {
        Self::of(Body::Request { called, calling })
    }

    /// The answer that makes the session.
    pub const fn positive() -> Self {
        Self::of(Body::Positive)
    }

    /// The answer that refuses it.
    pub const fn negative(code: NegativeCode) -> Self {
        Self::of(Body::Negative(code))
    }

    /// The answer that sends the client elsewhere.
    pub const fn retarget(ip: Ipv4Addr, port: u16) -> Self {
        Self::of(Body::Retarget { ip, port })
    }

    /// A sign of life.
    pub const fn keepalive() -> Self {
        Self::of(Body::Keepalive)
    }

    const fn of(body: Body<'a>) -> Self {
        Self { body, extra: &[], trailing: &[] }
    }

    /// What the packet says.
    pub const fn body(&self) -> &Body<'a> {
        &self.body
    }

    /// TYPE.
    pub const fn packet_type(&self) -> PacketType {
        match &self.body {
            Body::Message(_) => PacketType::MESSAGE,
            Body::Request { .. } => PacketType::REQUEST,
            Body::Positive => PacketType::POSITIVE_RESPONSE,
            Body::Negative(_) => PacketType::NEGATIVE_RESPONSE,
            Body::Retarget { .. } => PacketType::RETARGET_RESPONSE,
            Body::Keepalive => PacketType::KEEPALIVE,
            Body::Unknown { packet_type, .. } => *packet_type,
        }
    }

    /// Bytes that LENGTH counts and the type does not ask for.
    pub const fn extra(&self) -> &'a [u8] {
        self.extra
    }

    /// Bytes behind the packet: in a stream, the next one.
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    /// LENGTH with its 17th bit: bytes behind the header that belong to the packet.
    pub fn length(&self) -> usize {
        let body = match &self.body {
            Body::Message(bytes) | Body::Unknown { bytes, .. } => bytes.len(),
            Body::Request { called, calling } => called.encoded_len() + calling.encoded_len(),
            Body::Positive | Body::Keepalive => 0,
            Body::Negative(_) => 1,
            Body::Retarget { .. } => 6,
        };
        body + self.extra.len()
    }
}

impl<'a> Decode<'a> for Packet<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, packet_type) = read::u8("type", input)?;
            let (after, [flags]) = read::array("flags", input)?;
            if flags > 1 {
                return read::fail(input, "flags", bad_flags(flags));
            }
            let (after, length) = read::array("length", after)?;
            Ok((after, (PacketType(packet_type), body_len(flags, length))))
        };
        let (rest, (packet_type, length)) = read::finish(fields(bytes), bytes, Layer::Nbss)?;
        let Some((counted, trailing)) = rest.split_at_checked(length) else {
            let kind = DecodeErrorKind::OutOfBounds { needed: length, have: rest.len() };
            return Err(DecodeError::new(Layer::Nbss, "length", 2, kind));
        };
        let (body, extra) = read_body(packet_type, counted).map_err(|error| error.at(HEADER_LEN))?;
        Ok(Self { body, extra, trailing })
    }
}

fn read_body(packet_type: PacketType, counted: &[u8]) -> Result<(Body<'_>, &[u8]), DecodeError> {
    Ok(match packet_type {
        PacketType::MESSAGE => (Body::Message(counted), &[]),
        PacketType::REQUEST => {
            let names = |input| {
                let (input, called) = name::scoped_name("called_name", input)?;
                let (input, calling) = name::scoped_name("calling_name", input)?;
                Ok((input, Body::Request { called, calling }))
            };
            let (extra, body) = read::finish(names(counted), counted, Layer::NetbiosName)?;
            (body, extra)
        }
        PacketType::POSITIVE_RESPONSE => (Body::Positive, counted),
        PacketType::NEGATIVE_RESPONSE => {
            let code = read::u8("error_code", counted);
            let (extra, code) = read::finish(code, counted, Layer::Nbss)?;
            (Body::Negative(NegativeCode(code)), extra)
        }
        PacketType::RETARGET_RESPONSE => {
            let fields = |input| {
                let (input, ip) = read::array::<4>("retarget_ip_address", input)?;
                let (input, port) = read::array("port", input)?;
                Ok((input, Body::Retarget { ip: Ipv4Addr::from(ip), port: u16::from_be_bytes(port) }))
            };
            let (extra, body) = read::finish(fields(counted), counted, Layer::Nbss)?;
            (body, extra)
        }
        PacketType::KEEPALIVE => (Body::Keepalive, counted),
        packet_type => (Body::Unknown { packet_type, bytes: counted }, &[]),
    })
}

impl Encode for Packet<'_> {
    fn encoded_len(&self) -> usize {
        HEADER_LEN + self.length() + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        // No packet can be built that is longer than 17 bits say.
        let [_, flags, high, low] = u32::try_from(self.length()).unwrap_or(u32::MAX).to_be_bytes();
        out.put_slice(&[self.packet_type().0, flags, high, low]);
        match &self.body {
            Body::Message(bytes) | Body::Unknown { bytes, .. } => out.put_slice(bytes),
            Body::Request { called, calling } => {
                called.encode(out);
                calling.encode(out);
            }
            Body::Positive | Body::Keepalive => {}
            Body::Negative(code) => out.put_u8(code.0),
            Body::Retarget { ip, port } => {
                out.put_slice(&ip.octets());
                out.put_u16(*port);
            }
        }
        out.put_slice(self.extra);
        out.put_slice(self.trailing);
    }
}
