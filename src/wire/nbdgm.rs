//! The NetBIOS datagram service, UDP 138 (RFC 1002 §4.4). Big-endian.
//!
//! ```text
//!  0  msg_type   1  flags   2  dgm_id (2)   4  source_ip (4)   8  source_port (2)
//! 10  dgm_length (2)  12  packet_offset (2)  14  source_name (34+)  destination_name (34+)  user_data     0x10–0x12
//! 10  error_code (1)                                                                                      0x13
//! 10  destination_name (34+)                                                                              0x14–0x16
//! ```

use core::fmt;
use core::net::Ipv4Addr;

use bitflags::bitflags;
use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use super::name::{self, ScopedName};
use super::read;

/// The UDP port of the datagram service.
pub const PORT: u16 = 138;

/// The largest user data that RFC 1001 §17.1.2 allows, in bytes. Received datagrams may hold more (Windows 9x).
pub const MAX_USER_DATA: usize = 512;

/// Length of the header in front of the part that DGM_LENGTH counts, in bytes.
const HEADER_LEN: usize = 14;

/// Length of the header that all message types share, in bytes.
const SHORT_HEADER_LEN: usize = 10;

/// MSG_TYPE. Unknown values cannot be read further: their layout is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MsgType(pub u8);

impl MsgType {
    /// DIRECT_UNIQUE DATAGRAM.
    pub const DIRECT_UNIQUE: Self = Self(0x10);
    /// DIRECT_GROUP DATAGRAM: what Windows uses for every group and for `*`.
    pub const DIRECT_GROUP: Self = Self(0x11);
    /// BROADCAST DATAGRAM.
    pub const BROADCAST: Self = Self(0x12);
    /// DATAGRAM ERROR.
    pub const ERROR: Self = Self(0x13);
    /// DATAGRAM QUERY REQUEST, to a datagram distribution server.
    pub const QUERY_REQUEST: Self = Self(0x14);
    /// DATAGRAM POSITIVE QUERY RESPONSE.
    pub const POSITIVE_QUERY_RESPONSE: Self = Self(0x15);
    /// DATAGRAM NEGATIVE QUERY RESPONSE.
    pub const NEGATIVE_QUERY_RESPONSE: Self = Self(0x16);

    /// The type's name in snake_case, as in the JSON key `nbdgm.msg_type`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::DIRECT_UNIQUE => "direct_unique",
            Self::DIRECT_GROUP => "direct_group",
            Self::BROADCAST => "broadcast",
            Self::ERROR => "error",
            Self::QUERY_REQUEST => "query_request",
            Self::POSITIVE_QUERY_RESPONSE => "positive_query_response",
            Self::NEGATIVE_QUERY_RESPONSE => "negative_query_response",
            _ => return None,
        })
    }

    const fn is_direct(self) -> bool {
        matches!(self.0, 0x10..=0x12)
    }

    const fn is_query(self) -> bool {
        matches!(self.0, 0x14..=0x16)
    }
}

impl fmt::Display for MsgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for MsgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgType({self})")
    }
}

bitflags! {
    /// FLAGS. Reserved bits are kept and ignored: NT 4-era hosts set 0x10 (`solaris.snoop`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct Flags: u8 {
        /// MORE: another fragment follows.
        const MORE = 0x01;
        /// FIRST: this is the first (or only) fragment.
        const FIRST = 0x02;
        /// SNT, source node type: P node.
        const P_NODE = 0x04;
        /// SNT, source node type: M node. With [`Self::P_NODE`]: H node (Windows), or a distribution server.
        const M_NODE = 0x08;
        const _ = !0;
    }
}

/// The 10 bytes that every message of the datagram service begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Header {
    /// MSG_TYPE.
    pub msg_type: MsgType,
    /// FLAGS.
    pub flags: Flags,
    /// DGM_ID: with the source address, the key of a datagram's fragments.
    pub dgm_id: u16,
    /// SOURCE_IP, as the sender wrote it. Not to be trusted: answer the UDP source.
    pub source_ip: Ipv4Addr,
    /// SOURCE_PORT, as the sender wrote it: 138; Mac hosts write 0, address translators other numbers.
    pub source_port: u16,
}

impl Header {
    #[inline]
    const fn read(bytes: [u8; SHORT_HEADER_LEN]) -> Self {
        let [msg_type, flags, id0, id1, a, b, c, d, port0, port1] = bytes;
        Self {
            msg_type: MsgType(msg_type),
            flags: Flags::from_bits_retain(flags),
            dgm_id: u16::from_be_bytes([id0, id1]),
            source_ip: Ipv4Addr::new(a, b, c, d),
            source_port: u16::from_be_bytes([port0, port1]),
        }
    }

    fn write(&self, out: &mut impl BufMut) {
        out.put_u8(self.msg_type.0);
        out.put_u8(self.flags.bits());
        out.put_u16(self.dgm_id);
        out.put_slice(&self.source_ip.octets());
        out.put_u16(self.source_port);
    }
}

/// What DGM_LENGTH counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum LengthForm {
    /// The bytes behind the 14-byte header: names and user data, as RFC 1002 §4.4.2 says.
    #[default]
    Exact,
    /// The header too: 14 more. OKI printers and Snap servers (`b6300a.cap`).
    CountsHeader,
}

/// Whom a direct datagram or its first fragment is from and to, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Content<'a> {
    /// SOURCE_NAME.
    pub source_name: ScopedName<'a>,
    /// DESTINATION_NAME.
    pub destination_name: ScopedName<'a>,
    /// USER_DATA: for a mailslot message, the SMB from its signature on.
    pub user_data: &'a [u8],
}

impl<'a> Content<'a> {
    /// Reads names and user data; offsets count from `bytes`.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let names = |input| {
            let (input, source_name) = name::scoped_name("source_name", input)?;
            let (input, destination_name) = name::scoped_name("destination_name", input)?;
            Ok((input, (source_name, destination_name)))
        };
        let (user_data, (source_name, destination_name)) =
            read::finish(names(bytes), bytes, Layer::NetbiosName)?;
        Ok(Self { source_name, destination_name, user_data })
    }

    /// Length of both names as encoded, in bytes.
    pub fn names_len(&self) -> usize {
        self.source_name.encoded_len() + self.destination_name.encoded_len()
    }
}

impl Encode for Content<'_> {
    fn encoded_len(&self) -> usize {
        self.names_len() + self.user_data.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.source_name.encode(out);
        self.destination_name.encode(out);
        out.put_slice(self.user_data);
    }
}

/// What stands behind the shared header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// A direct or broadcast datagram with PACKET_OFFSET 0: whole, or the first fragment.
    Direct {
        /// How DGM_LENGTH was counted.
        length_form: LengthForm,
        /// Names and user data.
        content: Content<'a>,
    },
    /// A later fragment (PACKET_OFFSET not 0): bytes without a meaning of their own.
    Fragment {
        /// How DGM_LENGTH was counted.
        length_form: LengthForm,
        /// PACKET_OFFSET: where the fragment belongs, in bytes.
        packet_offset: u16,
        /// The fragment's bytes.
        bytes: &'a [u8],
    },
    /// An error packet.
    Error(ErrorCode),
    /// A query to a distribution server, or its answer: the name asked for.
    Query(ScopedName<'a>),
}

/// ERROR_CODE of a DATAGRAM ERROR packet (RFC 1002 §4.4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ErrorCode(pub u8);

impl ErrorCode {
    /// DESTINATION NAME NOT PRESENT.
    pub const DESTINATION_NAME_NOT_PRESENT: Self = Self(0x82);
    /// INVALID SOURCE NAME FORMAT.
    pub const INVALID_SOURCE_NAME_FORMAT: Self = Self(0x83);
    /// INVALID DESTINATION NAME FORMAT.
    pub const INVALID_DESTINATION_NAME_FORMAT: Self = Self(0x84);

    /// The code in words.
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::DESTINATION_NAME_NOT_PRESENT => "destination name not present",
            Self::INVALID_SOURCE_NAME_FORMAT => "invalid source name format",
            Self::INVALID_DESTINATION_NAME_FORMAT => "invalid destination name format",
            _ => return None,
        })
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorCode(0x{:02x})", self.0)
    }
}

/// One message of the datagram service: a UDP payload on port 138.
///
/// Accepted beyond RFC 1002, and kept: reserved flag bits; a DGM_LENGTH that counts the header
/// ([`LengthForm::CountsHeader`]); bytes behind the end that DGM_LENGTH gives ([`Self::trailing`]); user data
/// of more than 512 bytes. Refused: any other DGM_LENGTH beyond the bytes that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Datagram<'a> {
    header: Header,
    body: Body<'a>,
    trailing: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// A message of `header.msg_type`'s kind.
    ///
    /// # Errors
    /// The body does not belong to the message type; a later fragment has offset 0; DGM_LENGTH would not fit
    /// its 16 bits.
    pub fn new(header: Header, body: Body<'a>) -> Result<Self, ValueError> {
        let bad = |what| Err(ValueError::new(Layer::Nbdgm, "msg_type", ValueErrorReason::BadForm(what)));
        let (length_form, length) = match &body {
            Body::Direct { .. } | Body::Fragment { .. } if !header.msg_type.is_direct() => {
                return bad("0x10 to 0x12 for a direct datagram");
            }
            Body::Error(_) if header.msg_type != MsgType::ERROR => return bad("0x13 for an error packet"),
            Body::Query(_) if !header.msg_type.is_query() => return bad("0x14 to 0x16 for a query"),
            Body::Fragment { packet_offset: 0, .. } => {
                let reason = ValueErrorReason::BadForm("above 0 for a later fragment");
                return Err(ValueError::new(Layer::Nbdgm, "packet_offset", reason));
            }
            Body::Direct { length_form, content } => (*length_form, content.encoded_len()),
            Body::Fragment { length_form, bytes, .. } => (*length_form, bytes.len()),
            Body::Error(_) | Body::Query(_) => (LengthForm::Exact, 0),
        };
        let max = match length_form {
            LengthForm::Exact => usize::from(u16::MAX),
            LengthForm::CountsHeader => usize::from(u16::MAX) - HEADER_LEN,
        };
        if length > max {
            return Err(ValueError::too_long(Layer::Nbdgm, "dgm_length", length, max));
        }
        Ok(Self { header, body, trailing: &[] })
    }

    /// The shared header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What stands behind the header.
    pub const fn body(&self) -> &Body<'a> {
        &self.body
    }

    /// Bytes behind the message's end; not part of it, kept so that the payload can be written again.
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    /// DGM_LENGTH as it stands on the wire; `None` for errors and queries, which have none.
    pub fn dgm_length(&self) -> Option<u16> {
        let (form, length) = match &self.body {
            Body::Direct { length_form, content } => (length_form, content.encoded_len()),
            Body::Fragment { length_form, bytes, .. } => (length_form, bytes.len()),
            Body::Error(_) | Body::Query(_) => return None,
        };
        let extra = match form {
            LengthForm::Exact => 0,
            LengthForm::CountsHeader => HEADER_LEN,
        };
        u16::try_from(length + extra).ok()
    }

    /// PACKET_OFFSET; `None` for errors and queries, which have none.
    pub const fn packet_offset(&self) -> Option<u16> {
        match &self.body {
            Body::Direct { .. } => Some(0),
            Body::Fragment { packet_offset, .. } => Some(*packet_offset),
            Body::Error(_) | Body::Query(_) => None,
        }
    }

    /// Names and user data of a direct datagram or first fragment.
    pub const fn content(&self) -> Option<&Content<'a>> {
        match &self.body {
            Body::Direct { content, .. } => Some(content),
            _ => None,
        }
    }

    /// Whether more bytes of this datagram stand in other packets.
    pub const fn is_fragment(&self) -> bool {
        match &self.body {
            Body::Direct { .. } => self.header.flags.contains(Flags::MORE),
            Body::Fragment { .. } => true,
            Body::Error(_) | Body::Query(_) => false,
        }
    }
}

impl<'a> Decode<'a> for Datagram<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((short, rest)) = bytes.split_first_chunk::<SHORT_HEADER_LEN>() else {
            return Err(truncated_header(bytes));
        };
        let header = Header::read(*short);
        if header.msg_type.is_direct() {
            return direct(header, bytes, rest);
        }
        let (body, trailing) = match header.msg_type {
            MsgType::ERROR => match rest.split_first() {
                Some((&code, rest)) => (Body::Error(ErrorCode(code)), rest),
                None => return Err(truncated("error_code", SHORT_HEADER_LEN, 1, 0)),
            },
            msg_type if msg_type.is_query() => {
                let (rest, name) =
                    read::finish(name::scoped_name("destination_name", rest), rest, Layer::NetbiosName)
                        .map_err(|error| error.at(SHORT_HEADER_LEN))?;
                (Body::Query(name), rest)
            }
            MsgType(value) => {
                let kind = DecodeErrorKind::BadValue { value: value.into(), expected: "0x10 to 0x16" };
                return Err(DecodeError::new(Layer::Nbdgm, "msg_type", 0, kind));
            }
        };
        Ok(Self { header, body, trailing })
    }
}

#[inline]
fn direct<'a>(header: Header, bytes: &'a [u8], rest: &'a [u8]) -> Result<Datagram<'a>, DecodeError> {
    let Some((&[length0, length1, offset0, offset1], rest)) = rest.split_first_chunk::<4>() else {
        return Err(truncated_header(bytes));
    };
    let dgm_length = usize::from(u16::from_be_bytes([length0, length1]));
    let packet_offset = u16::from_be_bytes([offset0, offset1]);
    let (length_form, counted, trailing) = match rest.split_at_checked(dgm_length) {
        Some((counted, trailing)) => (LengthForm::Exact, counted, trailing),
        None if dgm_length == rest.len() + HEADER_LEN => (LengthForm::CountsHeader, rest, &[][..]),
        None => {
            let kind = DecodeErrorKind::OutOfBounds { needed: dgm_length, have: rest.len() };
            return Err(DecodeError::new(Layer::Nbdgm, "dgm_length", 10, kind));
        }
    };
    let body = if packet_offset == 0 {
        let content = Content::read(counted).map_err(|error| error.at(HEADER_LEN))?;
        Body::Direct { length_form, content }
    } else {
        Body::Fragment { length_form, packet_offset, bytes: counted }
    };
    Ok(Datagram { header, body, trailing })
}

#[cold]
fn truncated_header(bytes: &[u8]) -> DecodeError {
    let (field, at, needed) = match bytes.len() {
        0 => ("msg_type", 0, 1),
        1 => ("flags", 1, 1),
        2..4 => ("dgm_id", 2, 2),
        4..8 => ("source_ip", 4, 4),
        8..10 => ("source_port", 8, 2),
        10..12 => ("dgm_length", 10, 2),
        _ => ("packet_offset", 12, 2),
    };
    truncated(field, at, needed, bytes.len() - at)
}

const fn truncated(field: &'static str, at: usize, needed: usize, have: usize) -> DecodeError {
    DecodeError::new(Layer::Nbdgm, field, at, DecodeErrorKind::Truncated { needed, have })
}

impl Encode for Datagram<'_> {
    fn encoded_len(&self) -> usize {
        self.trailing.len()
            + match &self.body {
                Body::Direct { content, .. } => HEADER_LEN + content.encoded_len(),
                Body::Fragment { bytes, .. } => HEADER_LEN + bytes.len(),
                Body::Error(_) => SHORT_HEADER_LEN + 1,
                Body::Query(name) => SHORT_HEADER_LEN + name.encoded_len(),
            }
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.header.write(out);
        if let (Some(length), Some(offset)) = (self.dgm_length(), self.packet_offset()) {
            out.put_u16(length);
            out.put_u16(offset);
        }
        match &self.body {
            Body::Direct { content, .. } => content.encode(out),
            Body::Fragment { bytes, .. } => out.put_slice(bytes),
            Body::Error(code) => out.put_u8(code.0),
            Body::Query(name) => name.encode(out),
        }
        out.put_slice(self.trailing);
    }
}

/// What can be read of a message that [`Datagram::decode`] refuses: the fields before the damage, for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvage<'a> {
    /// The shared header.
    pub header: Header,
    /// DGM_LENGTH and PACKET_OFFSET as they stand there.
    pub length_and_offset: Option<(u16, u16)>,
    /// SOURCE_NAME, if it is whole and sound.
    pub source_name: Option<ScopedName<'a>>,
    /// DESTINATION_NAME, if both names are whole and sound.
    pub destination_name: Option<ScopedName<'a>>,
}

impl<'a> Salvage<'a> {
    /// Reads as far as the bytes are sound; `None` when even the shared header is cut.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (short, rest) = bytes.split_first_chunk::<SHORT_HEADER_LEN>()?;
        let header = Header::read(*short);
        let mut salvage = Self { header, length_and_offset: None, source_name: None, destination_name: None };
        if !header.msg_type.is_direct() {
            return Some(salvage);
        }
        if let Some((&[length0, length1, offset0, offset1], rest)) = rest.split_first_chunk::<4>() {
            let offset = u16::from_be_bytes([offset0, offset1]);
            salvage.length_and_offset = Some((u16::from_be_bytes([length0, length1]), offset));
            if offset == 0
                && let Ok((rest, source)) = name::scoped_name("source_name", rest)
            {
                salvage.source_name = Some(source);
                salvage.destination_name =
                    name::scoped_name("destination_name", rest).ok().map(|(_, destination)| destination);
            }
        }
        Some(salvage)
    }
}
