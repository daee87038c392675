//! Link layers, IPv4 and UDP headers.

use mailslot::capture::{LinkType, MAX_VLAN_TAGS, OtherKind, Packet, TcpFlags, UdpDatagram};
use mailslot::wire::{DecodeError, DecodeErrorKind, Layer};

use crate::build::{datagram, ethernet, ipv4, tcp, udp};

fn whole(link: LinkType, frame: &[u8]) -> UdpDatagram<'_> {
    match Packet::parse(link, frame) {
        Ok(Packet::Udp(datagram)) => datagram,
        other => panic!("{other:?}"),
    }
}

fn other(link: LinkType, frame: &[u8]) -> OtherKind {
    match Packet::parse(link, frame) {
        Ok(Packet::Other(kind)) => kind,
        other => panic!("{other:?}"),
    }
}

fn refused(link: LinkType, frame: &[u8]) -> DecodeError {
    Packet::parse(link, frame).unwrap_err()
}

fn prefixed(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    [prefix, rest].concat()
}

#[track_caller]
fn carries(link: LinkType, header: &[u8]) {
    let frame = prefixed(header, &datagram(b"hello"));
    let seen = whole(link, &frame);
    assert_eq!(seen.source.to_string(), "10.0.0.1:138");
    assert_eq!(seen.destination.to_string(), "10.0.0.255:138");
    assert_eq!((seen.payload, seen.payload_offset, seen.missing), (&b"hello"[..], header.len() + 28, 0));
    // A cut anywhere in the headers is refused with its place, a cut in the data is counted.
    for cut in 0..frame.len() {
        match Packet::parse(link, &frame[..cut]) {
            Ok(Packet::Udp(seen)) => {
                assert!(cut >= header.len() + 28);
                assert_eq!((seen.payload.len() + seen.missing, seen.missing), (5, frame.len() - cut));
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                let DecodeErrorKind::Truncated { needed, have } = error.kind else { panic!("{error}") };
                assert!(have < needed && error.offset + have == cut, "{error}");
                let layer = match cut.checked_sub(header.len()) {
                    None => Layer::Link,
                    Some(0..20) => Layer::Ipv4,
                    Some(_) => Layer::Udp,
                };
                assert_eq!(error.layer, layer);
            }
        }
    }
}

#[test]
fn ethernet_and_vlan() {
    carries(LinkType::ETHERNET, &ethernet(0x0800, &[]));
    carries(LinkType::ETHERNET, &ethernet(0x8100, &[0, 5, 8, 0]));
    carries(LinkType::ETHERNET, &ethernet(0x88a8, &[0, 5, 0x81, 0, 0, 6, 8, 0]));
    carries(
        LinkType::ETHERNET,
        &ethernet(0x9100, &[0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 6, 0x81, 0, 0, 6, 8, 0]),
    );
    let tags = [0, 1, 0x81, 0].repeat(MAX_VLAN_TAGS + 1);
    let error = refused(LinkType::ETHERNET, &ethernet(0x8100, &tags));
    assert_eq!((error.layer, error.field, error.offset), (Layer::Link, "ether_type", 28));
}

#[test]
fn cooked() {
    let mut sll = vec![0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
    carries(LinkType::LINUX_SLL, &sll);
    sll[14..].copy_from_slice(&[0, 4]);
    assert_eq!(other(LinkType::LINUX_SLL, &sll), OtherKind::Llc);
    let sll2 = [8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 1, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    carries(LinkType::LINUX_SLL2, &sll2);
    // The tag of a VLAN stays in the cooked frame.
    let tagged = [0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 9, 8, 0];
    carries(LinkType::LINUX_SLL, &tagged);
}

#[test]
fn raw() {
    for link in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD, LinkType::IPV4] {
        carries(link, &[]);
    }
    assert_eq!(other(LinkType::RAW, &[0x60, 0]), OtherKind::Ipv6);
    assert_eq!(other(LinkType::IPV6, &[]), OtherKind::Ipv6);
    assert_eq!(refused(LinkType::IPV4, &[0x60; 40]).field, "version");
}

#[test]
fn loopback() {
    for link in [LinkType::NULL, LinkType::LOOP] {
        carries(link, &[2, 0, 0, 0]);
        carries(link, &[0, 0, 0, 2]);
        for family in [24, 28, 30, 10] {
            assert_eq!(other(link, &[family, 0, 0, 0]), OtherKind::Ipv6);
        }
        assert_eq!(other(link, &[0, 0, 0, 7]), OtherKind::AddressFamily(7));
    }
}

/// An 802.11 data frame's header, up to the Ethernet type of IPv4.
fn wifi(control: [u8; 2], qos: Option<[u8; 2]>) -> Vec<u8> {
    let mut header = control.to_vec();
    header.extend([0; 22]);
    if control[1] & 3 == 3 {
        header.extend([0; 6]);
    }
    header.extend(qos.into_iter().flatten());
    header.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    header
}

#[test]
fn wireless() {
    let bare = LinkType::IEEE802_11;
    carries(bare, &wifi([0x08, 0x01], None));
    carries(bare, &wifi([0x08, 0x03], None));
    carries(bare, &wifi([0x88, 0x02], Some([0, 0])));
    // Encrypted, a later fragment, more fragments, an aggregate, no data, a beacon.
    for (control, qos) in [
        ([0x08, 0x41], None),
        ([0x08, 0x05], None),
        ([0x88, 1], Some([0x80, 0])),
        ([0x48, 1], None),
        ([0x80, 0], None),
    ] {
        assert_eq!(other(bare, &wifi(control, qos)), OtherKind::Ieee80211, "{control:?}");
    }
    let mut fragment = wifi([0x08, 0x01], None);
    fragment[22] = 1;
    assert_eq!(other(bare, &fragment), OtherKind::Ieee80211);
    assert_eq!(refused(bare, &[0x08]).field, "frame_control");
    assert_eq!(refused(bare, &[0x08, 0x01, 0]).field, "ieee802_11_header");
}

#[test]
fn radiotap() {
    let link = LinkType::IEEE802_11_RADIOTAP;
    let behind = |header: &[u8], mut wifi: Vec<u8>| {
        wifi.splice(0..0, header.iter().copied());
        wifi
    };
    carries(link, &behind(&[0, 0, 8, 0, 0, 0, 0, 0], wifi([0x08, 0x01], None)));
    // Two words of presence, a time of 8 bytes on a multiple of 8, flags: the header is padded.
    let mut header = vec![0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0];
    header.extend([0; 12]);
    header.push(0x20);
    let mut padded = wifi([0x88, 0x01], Some([0, 0]));
    padded.splice(26..26, [0, 0]);
    carries(link, &behind(&header, padded));
    assert_eq!(refused(link, &[0; 7]).field, "radiotap_header");
    assert_eq!(refused(link, &[0, 0, 9, 0, 0, 0, 0, 0]).field, "radiotap_header");
}

#[test]
fn other_kinds() {
    let over_ip = |protocol, fragment| ethernet(0x0800, &ipv4(protocol, 0, fragment, &[0; 8]));
    let kind = |frame: Vec<u8>| other(LinkType::ETHERNET, &frame);
    assert_eq!(kind(ethernet(0x0806, &[])), OtherKind::Arp);
    assert_eq!(kind(ethernet(0x86dd, &[])), OtherKind::Ipv6);
    assert_eq!(kind(ethernet(3, &[0xf0, 0xf0, 3])), OtherKind::Llc);
    assert_eq!(kind(ethernet(0x8863, &[])), OtherKind::EtherType(0x8863));
    assert_eq!(kind(over_ip(6, 0x2000)), OtherKind::Tcp);
    assert_eq!(kind(over_ip(1, 0)), OtherKind::Icmp);
    assert_eq!(kind(over_ip(47, 3)), OtherKind::Ipv4Protocol(47));
    assert_eq!(other(LinkType(189), b""), OtherKind::LinkType(LinkType(189)));
}

#[test]
fn lengths() {
    let link = LinkType::IPV4;
    // Ethernet's padding.
    let padded = prefixed(&datagram(b"hi"), &[0xee; 16]);
    assert_eq!((whole(link, &padded).payload, whole(link, &padded).missing), (&b"hi"[..], 0));
    // Total length 0: segmentation offload.
    let mut offload = datagram(b"hi");
    offload[2..4].fill(0);
    assert_eq!(whole(link, &offload).payload, b"hi");
    // A UDP length smaller and larger than the IP payload.
    let mut short = datagram(b"hello");
    short[25] = 8 + 2;
    assert_eq!((whole(link, &short).payload, whole(link, &short).missing), (&b"he"[..], 0));
    short[25] = 8 + 9;
    assert_eq!((whole(link, &short).payload, whole(link, &short).missing), (&b"hello"[..], 4));
    // Options.
    let mut options = ipv4(17, 0, 0, &prefixed(&[1, 1, 1, 1], &udp(b"x")));
    options[0] = 0x46;
    assert_eq!((whole(link, &options).payload, whole(link, &options).payload_offset), (&b"x"[..], 32));
}

#[test]
fn damaged_headers() {
    let base = 14;
    let damaged = |at: usize, value: u8| {
        let mut ip = datagram(b"hello");
        ip[at] = value;
        let error = refused(LinkType::ETHERNET, &ethernet(0x0800, &ip));
        (error.layer, error.field, error.offset - base)
    };
    assert_eq!(damaged(0, 0x55), (Layer::Ipv4, "version", 0));
    assert_eq!(damaged(0, 0x44), (Layer::Ipv4, "header_length", 0));
    assert_eq!(damaged(0, 0x4f), (Layer::Ipv4, "options", 0));
    assert_eq!(damaged(3, 19), (Layer::Ipv4, "total_length", 2));
    assert_eq!(damaged(3, 27), (Layer::Udp, "header", 20));
    assert_eq!(damaged(25, 7), (Layer::Udp, "length", 24));
    assert_eq!(
        refused(LinkType::ETHERNET, &[0; 5]).to_string(),
        "link: ethernet_header at offset 0 needs 14 bytes, has 5"
    );
}

#[test]
fn fragments_are_given_as_such() {
    let frame = ethernet(0x0800, &ipv4(17, 0x1234, 0x2000 | 3, &[7; 16]));
    let Ok(Packet::Fragment(seen)) = Packet::parse(LinkType::ETHERNET, &frame) else { panic!() };
    assert_eq!((seen.identification, seen.protocol, seen.offset, seen.more), (0x1234, 17, 24, true));
    assert_eq!((seen.payload.len(), seen.payload_offset, seen.missing), (16, 34, 0));
    let Ok(Packet::Fragment(cut)) = Packet::parse(LinkType::ETHERNET, &frame[..frame.len() - 5]) else {
        panic!()
    };
    assert_eq!((cut.payload.len(), cut.missing), (11, 5));
}

#[test]
fn tcp_segments() {
    for options in [0, 1, 10] {
        let header = 14 + 20 + 20 + 4 * usize::from(options);
        let mut frame = ethernet(0x0800, &ipv4(6, 0, 0, &tcp(0xffff_fff0, 0x1a, options, b"hello")));
        let whole = frame.len();
        frame.extend([0xee; 3]);
        let Ok(Packet::Tcp(seen)) = Packet::parse(LinkType::ETHERNET, &frame) else { panic!() };
        assert_eq!((seen.source.to_string(), seen.destination.port()), ("10.0.0.1:139".to_owned(), 1025));
        assert_eq!((seen.sequence, seen.acknowledgment), (0xffff_fff0, 9));
        assert_eq!(seen.flags, TcpFlags::SYN | TcpFlags::PSH | TcpFlags::ACK);
        assert_eq!((seen.payload, seen.payload_offset, seen.missing), (&b"hello"[..], header, 0));
        for cut in 34..whole {
            match Packet::parse(LinkType::ETHERNET, &frame[..cut]) {
                Ok(Packet::Tcp(seen)) => {
                    assert!(cut >= header);
                    assert_eq!((seen.payload.len(), seen.missing), (cut - header, whole - cut));
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    let DecodeErrorKind::Truncated { needed, have } = error.kind else { panic!("{error}") };
                    assert!(cut < header && have < needed, "{error}");
                    assert_eq!((error.layer, error.offset + have), (Layer::Tcp, cut));
                    assert_eq!(error.field, if cut < 54 { "header" } else { "options" });
                }
            }
        }
    }
    let mut short = tcp(0, 0, 0, b"");
    short[12] = 0x40;
    let error = refused(LinkType::IPV4, &ipv4(6, 0, 0, &short));
    assert_eq!(error.to_string(), "tcp: data_offset at offset 32 is 0x4, expected 5 to 15 words");
    let segment = |fragment| ipv4(6, 0, fragment, &tcp(0, 0, 0, b"hello"));
    assert_eq!(other(LinkType::IPV4, &segment(0x2000)), OtherKind::Tcp);
    assert_eq!(other(LinkType::IPV4, &segment(3)), OtherKind::Tcp);
}
