//! Link layers: from a frame's first byte to its network layer.

use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::sll::SLLPacket;
use pnet_packet::sll2::SLL2Packet;
use pnet_packet::vlan::VlanPacket;

use super::frame::LinkType;
use super::packet::{OtherKind, Packet, ipv4, truncated};
use crate::wire::{DecodeError, DecodeErrorKind, Layer};

/// Most VLAN tags of one frame that are read.
pub const MAX_VLAN_TAGS: usize = 4;

const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
const SLL_HEADER: usize = 16;
const SLL2_HEADER: usize = 20;
const LOOPBACK_HEADER: usize = 4;

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and what was used before the latter.
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Smaller numbers are lengths (802.3) or, in cooked captures, frames without an Ethernet type.
const LEAST_ETHER_TYPE: u16 = 0x0600;

const AF_INET: u32 = 2;
/// IPv6 on NetBSD and OpenBSD, FreeBSD, macOS, Linux.
const AF_INET6: [u32; 4] = [24, 28, 30, 10];

/// See [`Packet::parse`].
#[inline]
pub(super) fn parse(link: LinkType, frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    if link == LinkType::ETHERNET {
        let Some(header) = EthernetPacket::new(frame) else {
            return Err(truncated(Layer::Link, "ethernet_header", 0, ETHERNET_HEADER, frame.len()));
        };
        let ether_type = header.get_ethertype().0;
        return if ether_type == IPV4 {
            ipv4(frame, ETHERNET_HEADER)
        } else {
            network(frame, ETHERNET_HEADER, ether_type)
        };
    }
    rarer(link, frame)
}

fn rarer(link: LinkType, frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    match link {
        // pnet's views ask for fewer bytes than the two headers have.
        LinkType::LINUX_SLL => match SLLPacket::new(frame).filter(|_| frame.len() >= SLL_HEADER) {
            Some(header) => network(frame, SLL_HEADER, header.get_protocol().0),
            None => Err(truncated(Layer::Link, "sll_header", 0, SLL_HEADER, frame.len())),
        },
        LinkType::LINUX_SLL2 => match SLL2Packet::new(frame).filter(|_| frame.len() >= SLL2_HEADER) {
            Some(header) => network(frame, SLL2_HEADER, header.get_protocol_type().0),
            None => Err(truncated(Layer::Link, "sll2_header", 0, SLL2_HEADER, frame.len())),
        },
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => match frame.first() {
            Some(first) if first >> 4 == 6 => Ok(Packet::Other(OtherKind::Ipv6)),
            _ => ipv4(frame, 0),
        },
        LinkType::IPV4 => ipv4(frame, 0),
        LinkType::IPV6 => Ok(Packet::Other(OtherKind::Ipv6)),
        LinkType::NULL | LinkType::LOOP => loopback(frame),
        LinkType::IEEE802_11 => super::wifi::ieee802_11(frame, 0, false),
        LinkType::IEEE802_11_RADIOTAP => super::wifi::radiotap(frame),
        other => Ok(Packet::Other(OtherKind::LinkType(other))),
    }
}

/// What begins at `at` is of type `ether_type`.
pub(super) fn network(frame: &[u8], mut at: usize, mut ether_type: u16) -> Result<Packet<'_>, DecodeError> {
    let mut tags = 0;
    while VLAN.contains(&ether_type) {
        if tags == MAX_VLAN_TAGS {
            let kind =
                DecodeErrorKind::BadValue { value: ether_type.into(), expected: "at most 4 VLAN tags" };
            return Err(DecodeError::new(Layer::Link, "ether_type", at.saturating_sub(2), kind));
        }
        tags += 1;
        let rest = frame.get(at..).unwrap_or_default();
        let Some(tag) = VlanPacket::new(rest) else {
            return Err(truncated(Layer::Link, "vlan_tag", at, VLAN_TAG, rest.len()));
        };
        ether_type = tag.get_ethertype().0;
        at += VLAN_TAG;
    }
    match ether_type {
        IPV4 => ipv4(frame, at),
        IPV6 => Ok(Packet::Other(OtherKind::Ipv6)),
        ARP => Ok(Packet::Other(OtherKind::Arp)),
        length if length < LEAST_ETHER_TYPE => Ok(Packet::Other(OtherKind::Llc)),
        other => Ok(Packet::Other(OtherKind::EtherType(other))),
    }
}

/// BSD loopback. The address family of link type 0 is in the capturing host's byte order, which the file does
/// not say; both are tried, also for link type 108, as small numbers are unmistakable.
fn loopback(frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    let Some(family) = frame.first_chunk::<LOOPBACK_HEADER>() else {
        return Err(truncated(Layer::Link, "loopback_header", 0, LOOPBACK_HEADER, frame.len()));
    };
    let family = u32::from_be_bytes(*family);
    let family = family.min(family.swap_bytes());
    match family {
        AF_INET => ipv4(frame, LOOPBACK_HEADER),
        v6 if AF_INET6.contains(&v6) => Ok(Packet::Other(OtherKind::Ipv6)),
        other => Ok(Packet::Other(OtherKind::AddressFamily(other))),
    }
}
