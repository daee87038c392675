//! Every SMB1 message of real sessions that one TCP segment holds whole: read, and written again byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use mailslot::capture::Reader;
use mailslot::wire::nbss::{Body as PacketBody, Framing, Next, Packet, PacketType, next_packet};
use mailslot::wire::smb::rap::{Request, ResponseParameters};
use mailslot::wire::smb::{Body, Protocol, SmbMessage};
use mailslot::wire::{Decode, Encode};

/// What the sessions of a folder hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// SMB1 messages whole in one segment.
    smb1: usize,
    /// Of these, of commands that are kept as they are.
    raw: usize,
    /// Packets of the session service that are no messages.
    nbss: usize,
    smb2: usize,
    /// RAP requests, and answers.
    rap: (usize, usize),
    mailslot_writes: usize,
    errors: Vec<String>,
    by_command: BTreeMap<(u8, bool), usize>,
}

/// The TCP payload of an Ethernet frame with IPv4, of port 139 or 445, and that port.
fn payload(frame: &[u8]) -> Option<(u16, &[u8])> {
    let word = |bytes: &[u8], at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if word(frame, 12)? != 0x0800 {
        return None;
    }
    let ip = frame.get(14..)?;
    let header = usize::from(ip[0] & 15) * 4;
    if *ip.get(9)? != 6 {
        return None;
    }
    let tcp = ip.get(header..usize::from(word(ip, 2)?))?;
    let port = [word(tcp, 0)?, word(tcp, 2)?].into_iter().find(|port| matches!(port, 139 | 445))?;
    Some((port, tcp.get(usize::from(*tcp.get(12)? >> 4) * 4..)?))
}

impl Counts {
    fn segment(&mut self, place: &str, port: u16, mut stream: &[u8]) {
        let framing = if port == 139 { Framing::Session } else { Framing::Direct };
        while let Ok(Next::Packet(length)) = next_packet(framing, stream) {
            let (bytes, rest) = stream.split_at(length);
            stream = rest;
            let Ok(packet) = Packet::decode(bytes) else { continue };
            assert!(packet.to_bytes() == bytes, "{place}");
            let PacketBody::Message(message) = packet.body() else {
                // The middle of a stream looks like anything.
                self.nbss += usize::from((0x81..=0x85).contains(&packet.packet_type().0));
                continue;
            };
            assert_eq!(packet.packet_type(), PacketType::MESSAGE);
            match Protocol::of(message) {
                Some(Protocol::Smb1) => self.message(place, message),
                Some(_) => self.smb2 += 1,
                None => {}
            }
        }
    }

    fn message(&mut self, place: &str, bytes: &[u8]) {
        self.smb1 += 1;
        let message = match SmbMessage::decode(bytes) {
            Ok(message) => message,
            Err(error) => return self.errors.push(format!("{place}: {error}")),
        };
        assert!(message.to_bytes() == bytes, "{place}");
        let header = message.header();
        *self.by_command.entry((header.command.0, header.is_reply())).or_default() += 1;
        match message.body() {
            Body::Raw(_) => self.raw += 1,
            Body::TransactionRequest(request) => {
                self.mailslot_writes += usize::from(request.as_mailslot_write().is_some());
                if request.name().eq_ignore_ascii_case(br"\PIPE\LANMAN") && !request.parameters().is_empty() {
                    self.rap.0 += 1;
                    canonical!(Request<'_>, request.parameters());
                }
            }
            Body::TransactionResponse(response) if response.parameters().len() == 8 => {
                self.rap.1 += 1;
                canonical!(ResponseParameters<'_>, response.parameters());
            }
            _ => {}
        }
    }
}

fn count(folder: &str) -> Option<Counts> {
    let folder = std::env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", folder.display());
        return None;
    };
    let mut counts = Counts::default();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "pcap"));
    paths.sort();
    for path in paths {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut reader = Reader::new(fs::File::open(&path).unwrap()).unwrap();
        let mut number = 0;
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    number += 1;
                    if let Some((port, stream)) = payload(frame.bytes) {
                        counts.segment(&format!("{file} #{number}"), port, stream);
                    }
                }
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
    Some(counts)
}

/// How often each command was said as a request and as an answer.
fn said(counts: &Counts, command: u8) -> (usize, usize) {
    let count = |reply| counts.by_command.get(&(command, reply)).copied().unwrap_or_default();
    (count(false), count(true))
}

/// The numbers were counted with tshark and a script on the payloads it gives.
#[test]
fn lab_sessions_come_back_byte_for_byte() {
    let Some(counts) = count("lab/pcaps") else { return };
    assert!(counts.errors.is_empty(), "{:#?}", counts.errors);
    assert_eq!((counts.smb1, counts.raw, counts.nbss, counts.smb2), (474, 21, 48, 0));
    assert_eq!((counts.rap, counts.mailslot_writes), ((8, 8), 18));
    assert_eq!(
        [0x72, 0x73, 0x75, 0x25].map(|command| said(&counts, command)),
        [(42, 42), (84, 84), (42, 42), (38, 38)]
    );
}

/// tshark puts together IP fragments and has 454; the three of `smb_frags` are not looked for here.
#[test]
fn third_parties_sessions_come_back_byte_for_byte() {
    let Some(counts) = count("captures/pcap") else { return };
    assert!(counts.errors.is_empty(), "{:#?}", counts.errors);
    assert_eq!((counts.smb1, counts.raw, counts.nbss, counts.smb2), (451, 56, 39, 0));
    assert_eq!((counts.rap, counts.mailslot_writes), ((30, 29), 0));
    let said = [0x72, 0x73, 0x74, 0x75, 0x71, 0x25].map(|command| said(&counts, command));
    assert_eq!(said, [(33, 33), (53, 53), (28, 28), (19, 19), (18, 18), (37, 37)]);
}
