//! Builders of frames and capture files, and a reader that collects everything.

use mailslot::capture::{CaptureError, LinkType, Reader, Timestamp};

/// A frame as the reader gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u64,
    pub(crate) time: Timestamp,
    pub(crate) link: LinkType,
    pub(crate) interface: u32,
    pub(crate) original_len: u32,
    pub(crate) bytes: Vec<u8>,
}

/// All frames of a file, and all errors met on the way.
pub(crate) fn read_all(file: &[u8]) -> (Vec<Seen>, Vec<CaptureError>) {
    let mut reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push(Seen {
                number: frame.number,
                time: frame.time,
                link: frame.link,
                interface: frame.interface,
                original_len: frame.original_len,
                bytes: frame.bytes.to_vec(),
            }),
            Ok(None) => break,
            Err(error) => errors.push(error),
        }
    }
    assert!(matches!(reader.next_frame(), Ok(None)), "the end is final");
    (frames, errors)
}

/// The bytes of the frames of a file without errors.
pub(crate) fn frames(file: &[u8]) -> Vec<Seen> {
    let (frames, errors) = read_all(file);
    assert!(errors.is_empty(), "{errors:?}");
    frames
}

/// Byte order of a built file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn u64(self, value: u64) -> [u8; 8] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }
}

fn u32_of(len: usize) -> u32 {
    u32::try_from(len).unwrap()
}

/// Classic file header.
pub(crate) fn pcap(order: Order, magic: u32, minor: u16, link: u32) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend(order.u16(2));
    file.extend(order.u16(minor));
    [0, 0, 65535, link].iter().for_each(|field| file.extend(order.u32(*field)));
    file
}

/// Classic record; the original length is the frame's.
pub(crate) fn record(order: Order, seconds: u32, fraction: u32, frame: &[u8]) -> Vec<u8> {
    let len = u32_of(frame.len());
    let mut out: Vec<u8> = [seconds, fraction, len, len].iter().flat_map(|f| order.u32(*f)).collect();
    out.extend(frame);
    out
}

/// pcapng block; `body` is padded.
pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let len = order.u32(u32_of(padded + 12));
    let mut out = order.u32(kind).to_vec();
    out.extend(len);
    out.extend(body);
    out.resize(8 + padded, 0);
    out.extend(len);
    out
}

pub(crate) fn section(order: Order) -> Vec<u8> {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend(order.u16(1));
    body.extend(order.u16(0));
    body.extend(order.u64(u64::MAX));
    block(order, 0x0a0d_0d0a, &body)
}

/// Interface description; options by code and value.
pub(crate) fn interface(order: Order, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = order.u16(link).to_vec();
    body.extend([0, 0]);
    body.extend(order.u32(snaplen));
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(u16::try_from(value.len()).unwrap()));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    if !options.is_empty() {
        body.extend([0; 4]);
    }
    block(order, 1, &body)
}

/// Enhanced packet block.
pub(crate) fn enhanced(order: Order, interface: u32, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let [high, low] = halves(ticks);
    let len = u32_of(frame.len());
    let mut body: Vec<u8> =
        [interface, high, low, len, len].iter().flat_map(|field| order.u32(*field)).collect();
    body.extend(frame);
    block(order, 6, &body)
}

/// Obsolete packet block.
pub(crate) fn obsolete(order: Order, interface: u16, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let [high, low] = halves(ticks);
    let len = u32_of(frame.len());
    let mut body = order.u16(interface).to_vec();
    body.extend([0, 0]);
    [high, low, len, len].iter().for_each(|field| body.extend(order.u32(*field)));
    body.extend(frame);
    block(order, 2, &body)
}

/// Simple packet block of a frame that was `original` bytes long.
pub(crate) fn simple(order: Order, original: u32, frame: &[u8]) -> Vec<u8> {
    let mut body = order.u32(original).to_vec();
    body.extend(frame);
    block(order, 3, &body)
}

fn halves(ticks: u64) -> [u32; 2] {
    [u32::try_from(ticks >> 32).unwrap(), u32::try_from(ticks & 0xffff_ffff).unwrap()]
}

pub(crate) const SOURCE: [u8; 4] = [10, 0, 0, 1];
pub(crate) const DESTINATION: [u8; 4] = [10, 0, 0, 255];

/// UDP header (138 to 138) and payload.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 138, 0, 138];
    out.extend(u16::try_from(payload.len() + 8).unwrap().to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// IPv4 header and payload; `fragment` is the 16 bits of flags and offset.
pub(crate) fn ipv4(protocol: u8, identification: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend(u16::try_from(payload.len() + 20).unwrap().to_be_bytes());
    out.extend(identification.to_be_bytes());
    out.extend(fragment.to_be_bytes());
    out.extend([64, protocol, 0, 0]);
    out.extend(SOURCE);
    out.extend(DESTINATION);
    out.extend(payload);
    out
}

/// A whole UDP datagram in IPv4.
pub(crate) fn datagram(payload: &[u8]) -> Vec<u8> {
    ipv4(17, 7, 0, &udp(payload))
}

/// Ethernet II header and payload.
pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 6];
    out.extend([2, 0, 0, 0, 0, 1]);
    out.extend(ether_type.to_be_bytes());
    out.extend(payload);
    out
}

/// A TCP header (139 to 1025) with `options` words of options, and payload.
pub(crate) fn tcp(sequence: u32, flags: u8, options: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 139, 4, 1];
    out.extend(sequence.to_be_bytes());
    out.extend([0, 0, 0, 9]);
    out.extend([(5 + options) << 4, flags, 1, 0, 0, 0, 0, 0]);
    out.extend([1, 1, 1, 1].repeat(options.into()));
    out.extend(payload);
    out
}
