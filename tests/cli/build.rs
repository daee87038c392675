//! Captures for the tests, made with the crate's own encoders.

use std::io::Write;
use std::net::Ipv4Addr;

use mailslot::wire::Encode;
use mailslot::wire::browser::{Announcement, BrowserFrame, ServerType, Version};
use mailslot::wire::name::{NetbiosName, Scope, ScopedName};
use mailslot::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
use mailslot::wire::smb::{HeaderLayout, MailslotWrite};

pub(crate) const SENDER: [u8; 4] = [10, 0, 0, 5];
const RECEIVER: [u8; 4] = [10, 0, 0, 255];

/// A UDP payload: `data` written to the slot `slot` (`\MAILSLOT\…`), from one name to another.
pub(crate) fn message(from: &str, to: &str, slot: &[u8], data: &[u8]) -> Vec<u8> {
    message_between(from.parse().unwrap(), to.parse().unwrap(), slot, data)
}

pub(crate) fn message_between(from: NetbiosName, to: NetbiosName, slot: &[u8], data: &[u8]) -> Vec<u8> {
    let user_data = MailslotWrite::new(HeaderLayout::Bowser, slot, data).unwrap().to_bytes();
    direct(from, to, &user_data)
}

/// A UDP payload: any user data, from one name to another.
pub(crate) fn direct(from: NetbiosName, to: NetbiosName, user_data: &[u8]) -> Vec<u8> {
    scoped(ScopedName::new(from, Scope::default()), ScopedName::new(to, Scope::default()), user_data)
}

pub(crate) fn scoped(
    source_name: ScopedName<'_>,
    destination_name: ScopedName<'_>,
    user_data: &[u8],
) -> Vec<u8> {
    let content = Content { source_name, destination_name, user_data };
    let body = Body::Direct { length_form: LengthForm::Exact, content };
    Datagram::new(header(Flags::FIRST), body).unwrap().to_bytes()
}

/// The two UDP payloads of a message in two fragments.
pub(crate) fn fragments(from: &str, to: &str, slot: &[u8], data: &[u8]) -> [Vec<u8>; 2] {
    let user_data = MailslotWrite::new(HeaderLayout::Bowser, slot, data).unwrap().to_bytes();
    let (first, second) = user_data.split_at(user_data.len() / 2);
    let name = |text: &str| ScopedName::new(text.parse().unwrap(), Scope::default());
    let content = Content { source_name: name(from), destination_name: name(to), user_data: first };
    let packet_offset = u16::try_from(content.encoded_len()).unwrap();
    let start = Body::Direct { length_form: LengthForm::Exact, content };
    let rest = Body::Fragment { length_form: LengthForm::Exact, packet_offset, bytes: second };
    [
        Datagram::new(header(Flags::FIRST | Flags::MORE), start).unwrap().to_bytes(),
        Datagram::new(header(Flags::empty()), rest).unwrap().to_bytes(),
    ]
}

fn header(flags: Flags) -> Header {
    let source_ip = Ipv4Addr::from(SENDER);
    Header { msg_type: MsgType::DIRECT_GROUP, flags, dgm_id: 7, source_ip, source_port: 138 }
}

/// A HostAnnouncement of `name`.
pub(crate) fn announcement(name: &[u8], comment: &[u8]) -> Vec<u8> {
    let server_type = ServerType::WORKSTATION | ServerType::SERVER;
    let frame = Announcement::new(name, Version::new(10, 0), server_type, 60_000, comment).unwrap();
    BrowserFrame::HostAnnouncement(frame).to_bytes()
}

/// A classic capture of Ethernet frames with these UDP payloads, one second apart from 2023-11-14T22:13:20Z on.
pub(crate) fn pcap(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut file = pcap_header();
    for (payload, seconds) in payloads.iter().zip(1_700_000_000..) {
        record(&mut file, seconds, &frame(payload));
    }
    file
}

pub(crate) fn pcap_header() -> Vec<u8> {
    words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1])
}

pub(crate) fn record(file: &mut Vec<u8>, seconds: u32, frame: &[u8]) {
    file.extend(words(&[seconds, 0, length(frame), length(frame)]));
    file.extend(frame);
}

/// The same frames as pcapng, on the same clock.
pub(crate) fn pcapng(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut file = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    file.extend(block(1, &words(&[1, 65_535])));
    for (payload, seconds) in payloads.iter().zip(1_700_000_000_u64..) {
        let micros = seconds * 1_000_000;
        let high = u32::try_from(micros >> 32).unwrap();
        let low = u32::try_from(micros & 0xffff_ffff).unwrap();
        let frame = frame(payload);
        let mut body = words(&[0, high, low, length(&frame), length(&frame)]);
        body.extend(frame);
        file.extend(block(6, &body));
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let whole = u32::try_from(padded + 12).unwrap();
    let mut out = words(&[kind, whole]);
    out.extend(body);
    out.resize(8 + padded, 0);
    out.extend(words(&[whole]));
    out
}

/// Ethernet, IPv4 and UDP headers (138 to 138) and a payload.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let udp = 8 + u16::try_from(payload.len()).unwrap();
    let mut out = vec![0xff; 6];
    out.extend([2, 0, 0, 0, 0, 5, 8, 0, 0x45, 0]);
    out.extend((20 + udp).to_be_bytes());
    out.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    out.extend(SENDER);
    out.extend(RECEIVER);
    out.extend([0, 138, 0, 138]);
    out.extend(udp.to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// A client's side of a TCP connection to `port`: its SYN, and a segment for each of `parts`, a second apart.
pub(crate) fn tcp_client(port: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut file = pcap_header();
    let mut sequence = 1000_u32;
    let mut add = |sequence: u32, flags: u8, payload: &[u8], seconds: u32| {
        let mut out = vec![2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 5, 8, 0, 0x45, 0];
        out.extend(u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
        out.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        out.extend(SENDER);
        out.extend(RECEIVER);
        out.extend([0x04, 0x44]);
        out.extend(port.to_be_bytes());
        out.extend(sequence.to_be_bytes());
        out.extend([0, 0, 0, 1, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
        out.extend(payload);
        record(&mut file, 1_700_000_000 + seconds, &out);
    };
    add(sequence, 0x02, b"", 0);
    sequence += 1;
    for (part, seconds) in parts.iter().zip(1..) {
        add(sequence, 0x18, part, seconds);
        sequence += length(part);
    }
    file
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}
