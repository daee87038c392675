//! Every UDP 137 payload of the captures beside the project: how many are read, what is refused and why.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use mailslot::capture::{Defragmenter, Packet as Frame, Reader};
use mailslot::wire::nbns::{PORT, Packet};
use mailslot::wire::{Decode, DecodeError, DecodeErrorKind, Encode, Layer};

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    payloads: u64,
    kinds: BTreeMap<&'static str, u64>,
    uncounted: u64,
    trailing: u64,
    /// By layer, field, offset and kind.
    refused: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, payload: &[u8]) {
        self.payloads += 1;
        match Packet::decode(payload) {
            Ok(packet) => {
                assert_eq!(hex::encode(packet.to_bytes()), hex::encode(payload));
                *self.kinds.entry(packet.kind().name()).or_default() += 1;
                self.uncounted += u64::from(packet.is_uncounted());
                self.trailing += u64::from(!packet.trailing().is_empty());
            }
            Err(error) => *self.refused.entry(error.to_string()).or_default() += 1,
        }
    }
}

fn count(below: &str) -> Option<Counts> {
    let root = env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = root.join(below);
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", folder.display());
        return None;
    }
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    let mut counts = Counts::default();
    for path in paths {
        let mut reader = Reader::new(fs::File::open(&path).unwrap()).unwrap();
        let mut defragmenter = Defragmenter::default();
        while let Some(frame) = reader.next_frame().unwrap() {
            let whole;
            let datagram = match frame.packet() {
                Ok(Frame::Udp(datagram)) => datagram,
                Ok(Frame::Fragment(fragment)) => match defragmenter.insert(frame.time, &fragment) {
                    Some(reassembled) => {
                        whole = reassembled;
                        whole.udp().unwrap()
                    }
                    None => continue,
                },
                _ => continue,
            };
            if [datagram.source.port(), datagram.destination.port()].contains(&PORT) {
                counts.add(datagram.payload);
            }
        }
    }
    Some(counts)
}

/// The numbers were checked with tshark.
#[test]
fn third_parties_captures() {
    let Some(counts) = count("captures/pcap") else { return };
    assert_eq!(counts.payloads, 7119);
    let kinds = [
        ("negative_registration_response", 1),
        ("node_status_request", 811),
        ("node_status_response", 735),
        // Fifty zeros, from one host.
        ("other", 6),
        ("overwrite_request", 267),
        ("positive_query_response", 133),
        ("query_request", 4228),
        ("refresh_request", 54),
        ("registration_request", 839),
        ("release_request", 40),
    ];
    assert_eq!(counts.kinds, BTreeMap::from(kinds));
    // 18 node status responses of Windows, and the zeros.
    assert_eq!((counts.trailing, counts.uncounted), (24, 0));
    let refused = |layer, field, offset, needed, have| {
        DecodeError::new(layer, field, offset, DecodeErrorKind::Truncated { needed, have }).to_string()
    };
    // Empty packets of port scanners; a frame cut in its name by the capture (`nbns-valgrind.pcap`).
    let refusals = [
        (refused(Layer::Nbns, "name_trn_id", 0, 2, 0), 4),
        (refused(Layer::NetbiosName, "question_name", 13, 32, 13), 1),
    ];
    assert_eq!(counts.refused, BTreeMap::from(refusals));
}

#[test]
fn lab_captures() {
    let Some(counts) = count("lab/pcaps") else { return };
    assert_eq!(counts.payloads, 912);
    let kinds = [
        ("multihomed_registration_request", 38),
        ("negative_query_response", 61),
        ("negative_registration_response", 16),
        ("negative_release_response", 14),
        ("node_status_request", 4),
        ("node_status_response", 4),
        ("overwrite_request", 41),
        ("positive_query_response", 74),
        ("positive_registration_response", 81),
        ("positive_release_response", 63),
        ("query_request", 170),
        ("refresh_request", 32),
        ("registration_request", 218),
        ("release_request", 81),
        ("wack", 10),
    ];
    assert_eq!(counts.kinds, BTreeMap::from(kinds));
    assert_eq!((counts.trailing, counts.uncounted), (0, 0));
    // Names whose scope is too long for Samba's servers too: SRV_ERR from one, silence from the other
    // (`ad-wins-torture.pcap` frames 348 to 351, `nmbd-wins-torture.pcap` frame 33).
    let refused = |field| {
        let kind = DecodeErrorKind::TooLong { have: 273, max: 272 };
        DecodeError::new(Layer::NetbiosName, field, 284, kind).to_string()
    };
    assert_eq!(counts.refused, BTreeMap::from([(refused("question_name"), 3), (refused("rr_name"), 2)]));
}
