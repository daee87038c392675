//! What a frame carries: IPv4 (RFC 791), UDP (RFC 768) and TCP (RFC 9293) headers.

use core::net::{Ipv4Addr, SocketAddrV4};

use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;

use super::frame::LinkType;
use crate::wire::{DecodeError, DecodeErrorKind, Layer};

/// A frame, seen from its transport layer.
///
/// Checksums are not verified: captures on the sending host often have none filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// A whole UDP datagram over IPv4.
    Udp(UdpDatagram<'a>),
    /// A part of a UDP datagram, for [`super::Defragmenter`].
    Fragment(Ipv4Fragment<'a>),
    /// A TCP segment over IPv4, for [`super::TcpReassembler`].
    Tcp(TcpSegment<'a>),
    /// Anything else.
    Other(OtherKind),
}

/// What a frame carries that is neither UDP nor TCP over IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtherKind {
    /// An IPv4 fragment of a TCP segment. TCP avoids them; they are not put together.
    Tcp,
    /// ICMP over IPv4, or a fragment of it. Datagrams quoted in it are not looked at.
    Icmp,
    /// Another protocol over IPv4, by its number, or a fragment of it.
    Ipv4Protocol(u8),
    /// IPv6, whatever it carries.
    Ipv6,
    /// ARP.
    Arp,
    /// An 802.3 frame with a length in place of the type: LLC, for example NetBIOS frames (NBF).
    Llc,
    /// Another type of Ethernet's list.
    EtherType(u16),
    /// Another address family of a BSD loopback frame.
    AddressFamily(u32),
    /// An 802.11 frame that is encrypted, a fragment, an aggregate, or no data frame.
    Ieee80211,
    /// A link layer that is not read, for example USB.
    LinkType(LinkType),
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UdpDatagram<'a> {
    /// Sender's address and port.
    pub source: SocketAddrV4,
    /// Receiver's address and port.
    pub destination: SocketAddrV4,
    /// The data, as far as captured.
    pub payload: &'a [u8],
    /// Offset of `payload` in the captured frame (in the reassembled IP payload for
    /// [`super::Reassembled::udp`]), in bytes: what to add to the offsets of errors in it.
    pub payload_offset: usize,
    /// Bytes that the UDP length promises beyond `payload`: cut by the capture or not in the IP packet.
    pub missing: usize,
}

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpSegment<'a> {
    /// Sender's address and port.
    pub source: SocketAddrV4,
    /// Receiver's address and port.
    pub destination: SocketAddrV4,
    /// Sequence number: that of the first byte of `payload`, or of the SYN before it.
    pub sequence: u32,
    /// The sequence number that the sender expects next; without meaning if [`TcpFlags::ACK`] is not set.
    pub acknowledgment: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The data, as far as captured.
    pub payload: &'a [u8],
    /// Offset of `payload` in the captured frame, in bytes.
    pub payload_offset: usize,
    /// Bytes that the IP total length promises beyond `payload`.
    pub missing: usize,
}

bitflags::bitflags! {
    /// The control bits of a TCP header (RFC 9293 section 3.1).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct TcpFlags: u8 {
        /// The sender has no more data.
        const FIN = 0x01;
        /// The sequence number is the initial one.
        const SYN = 0x02;
        /// The connection is at its end, whatever is under way.
        const RST = 0x04;
        /// The data should be given to the receiver now.
        const PSH = 0x08;
        /// The acknowledgment number has a meaning.
        const ACK = 0x10;
        /// The urgent pointer has a meaning.
        const URG = 0x20;
        /// Congestion was met (RFC 3168).
        const ECE = 0x40;
        /// The sending rate was lowered (RFC 3168).
        const CWR = 0x80;
    }
}

/// An IPv4 fragment of a UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ipv4Fragment<'a> {
    /// Sender's address.
    pub source: Ipv4Addr,
    /// Receiver's address.
    pub destination: Ipv4Addr,
    /// The identification that all fragments of a datagram share.
    pub identification: u16,
    /// The protocol number, 17 (UDP).
    pub protocol: u8,
    /// Where the payload belongs in the whole, in bytes (a multiple of 8, at most 65,528).
    pub offset: u16,
    /// Whether other fragments follow behind it.
    pub more: bool,
    /// The payload, as far as captured.
    pub payload: &'a [u8],
    /// Offset of `payload` in the captured frame, in bytes.
    pub payload_offset: usize,
    /// Bytes that the IP total length promises beyond `payload`.
    pub missing: usize,
}

impl<'a> Packet<'a> {
    /// Walks from the link layer to the transport layer of a captured frame.
    ///
    /// Ethernet II with up to [`super::MAX_VLAN_TAGS`] VLAN tags, Linux cooked (both versions), BSD loopback
    /// (both), raw IP and 802.11 (with radiotap or bare) are read; other link types are [`OtherKind::LinkType`].
    ///
    /// * Bytes behind the IP total length (Ethernet's padding) are cut off; a total length of 0, which
    ///   captures on a host with segmentation offload show, means all that was captured.
    /// * A UDP length smaller than the IP payload cuts it; if it is larger, the payload is what there is and
    ///   [`UdpDatagram::missing`] says how much is not.
    ///
    /// # Errors
    ///
    /// A damaged header, with [`Layer::Link`], [`Layer::Ipv4`], [`Layer::Udp`] or [`Layer::Tcp`] and an offset
    /// from the start of the frame.
    #[inline]
    pub fn parse(link: LinkType, frame: &'a [u8]) -> Result<Self, DecodeError> {
        super::link::parse(link, frame)
    }
}

impl<'a> UdpDatagram<'a> {
    /// Reads a UDP header and its payload from a whole IP payload that is at `offset` in its frame.
    ///
    /// # Errors
    ///
    /// [`Layer::Udp`]: fewer than the 8 bytes of the header, or a length below 8.
    #[inline]
    pub fn parse(
        source: Ipv4Addr,
        destination: Ipv4Addr,
        ip_payload: &'a [u8],
        offset: usize,
    ) -> Result<Self, DecodeError> {
        let Some(header) = UdpPacket::new(ip_payload) else {
            return Err(truncated(Layer::Udp, "header", offset, UDP_HEADER, ip_payload.len()));
        };
        let length = header.get_length();
        let Some(promised) = usize::from(length).checked_sub(UDP_HEADER) else {
            let kind = DecodeErrorKind::BadValue { value: length.into(), expected: "8 or more" };
            return Err(DecodeError::new(Layer::Udp, "length", offset.saturating_add(4), kind));
        };
        let rest = ip_payload.get(UDP_HEADER..).unwrap_or_default();
        let payload = rest.get(..promised).unwrap_or(rest);
        Ok(Self {
            source: SocketAddrV4::new(source, header.get_source()),
            destination: SocketAddrV4::new(destination, header.get_destination()),
            payload,
            payload_offset: offset.saturating_add(UDP_HEADER),
            missing: promised.saturating_sub(payload.len()),
        })
    }
}

impl<'a> TcpSegment<'a> {
    /// A segment as a program makes it, without `payload_offset` and `missing`.
    pub const fn new(
        source: SocketAddrV4,
        destination: SocketAddrV4,
        sequence: u32,
        flags: TcpFlags,
        payload: &'a [u8],
    ) -> Self {
        let (acknowledgment, payload_offset, missing) = (0, 0, 0);
        Self { source, destination, sequence, acknowledgment, flags, payload, payload_offset, missing }
    }

    /// Reads a TCP header and its payload from a whole IP payload that is at `offset` in its frame and was
    /// `promised` bytes long on the wire.
    ///
    /// Options are passed over, and so is the urgent pointer: urgent data stays where it is in the payload.
    ///
    /// # Errors
    ///
    /// [`Layer::Tcp`]: fewer than the 20 bytes of the header or than its options, or a data offset below 5
    /// words.
    #[inline(never)]
    pub fn parse(
        source: Ipv4Addr,
        destination: Ipv4Addr,
        ip_payload: &'a [u8],
        promised: usize,
        offset: usize,
    ) -> Result<Self, DecodeError> {
        let Some(header) = TcpPacket::new(ip_payload) else {
            return Err(truncated(Layer::Tcp, "header", offset, TCP_HEADER, ip_payload.len()));
        };
        let header_len = usize::from(header.get_data_offset()) * 4;
        if header_len < TCP_HEADER {
            let value = header.get_data_offset().into();
            let kind = DecodeErrorKind::BadValue { value, expected: "5 to 15 words" };
            return Err(DecodeError::new(Layer::Tcp, "data_offset", offset.saturating_add(12), kind));
        }
        let Some(payload) = ip_payload.get(header_len..) else {
            return Err(truncated(Layer::Tcp, "options", offset, header_len, ip_payload.len()));
        };
        Ok(Self {
            source: SocketAddrV4::new(source, header.get_source()),
            destination: SocketAddrV4::new(destination, header.get_destination()),
            sequence: header.get_sequence(),
            acknowledgment: header.get_acknowledgement(),
            flags: TcpFlags::from_bits_retain(header.get_flags()),
            payload,
            payload_offset: offset.saturating_add(header_len),
            missing: promised.saturating_sub(ip_payload.len()),
        })
    }
}

const UDP_HEADER: usize = 8;
const TCP_HEADER: usize = 20;
const IPV4_HEADER: usize = 20;

/// Reads the IPv4 packet that begins at `at` and goes on to the end of `frame` at most.
#[inline]
pub(super) fn ipv4(frame: &[u8], at: usize) -> Result<Packet<'_>, DecodeError> {
    let bytes = frame.get(at..).unwrap_or_default();
    let Some(header) = Ipv4Packet::new(bytes) else {
        return Err(truncated(Layer::Ipv4, "header", at, IPV4_HEADER, bytes.len()));
    };
    let bad = |field, offset, value, expected| {
        let kind = DecodeErrorKind::BadValue { value, expected };
        Err(DecodeError::new(Layer::Ipv4, field, at.saturating_add(offset), kind))
    };
    if header.get_version() != 4 {
        return bad("version", 0, header.get_version().into(), "4");
    }
    let header_len = usize::from(header.get_header_length()) * 4;
    if header_len < IPV4_HEADER {
        return bad("header_length", 0, header.get_header_length().into(), "5 to 15 words");
    }
    let Some(rest) = bytes.get(header_len..) else {
        return Err(truncated(Layer::Ipv4, "options", at, header_len, bytes.len()));
    };
    let total = match usize::from(header.get_total_length()) {
        0 => bytes.len(),
        total => total,
    };
    let Some(promised) = total.checked_sub(header_len) else {
        let value = header.get_total_length().into();
        return bad("total_length", 2, value, "0 or no less than the header's length");
    };
    let payload = rest.get(..promised).unwrap_or(rest);
    let protocol = header.get_next_level_protocol();
    let (source, destination) = addresses(bytes);
    let payload_offset = at.saturating_add(header_len);
    let more = header.get_flags() & MORE_FRAGMENTS != 0;
    let fragment = more || header.get_fragment_offset() != 0;
    if protocol != IpNextHeaderProtocols::Udp {
        return Ok(Packet::Other(match protocol {
            IpNextHeaderProtocols::Tcp if !fragment => {
                return TcpSegment::parse(source, destination, payload, promised, payload_offset)
                    .map(Packet::Tcp);
            }
            IpNextHeaderProtocols::Tcp => OtherKind::Tcp,
            IpNextHeaderProtocols::Icmp => OtherKind::Icmp,
            other => OtherKind::Ipv4Protocol(other.0),
        }));
    }
    if fragment {
        return Ok(Packet::Fragment(Ipv4Fragment {
            source,
            destination,
            identification: header.get_identification(),
            protocol: protocol.0,
            // 13 bits times 8 fit.
            offset: header.get_fragment_offset() << 3,
            more,
            payload,
            payload_offset,
            missing: promised - payload.len(),
        }));
    }
    UdpDatagram::parse(source, destination, payload, payload_offset).map(Packet::Udp)
}

/// The addresses of a whole header; pnet reads them one byte at a time.
#[inline]
fn addresses(header: &[u8]) -> (Ipv4Addr, Ipv4Addr) {
    match header.get(12..20) {
        Some(&[a, b, c, d, e, f, g, h]) => (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h)),
        _ => (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED),
    }
}

const MORE_FRAGMENTS: u8 = pnet_packet::ipv4::Ipv4Flags::MoreFragments;

/// An error about a field of `needed` bytes at `offset`, of which `have` are there.
pub(super) const fn truncated(
    layer: Layer,
    field: &'static str,
    offset: usize,
    needed: usize,
    have: usize,
) -> DecodeError {
    DecodeError::new(layer, field, offset, DecodeErrorKind::Truncated { needed, have })
}
