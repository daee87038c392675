//! Real captures: those of the lab, and third parties' ones, which are read in place.

use std::{env, fs, path::PathBuf};

use mailslot::capture::{Defragmenter, Format, OtherKind, Packet, Reader};

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    frames: u64,
    udp: u64,
    port_138: u64,
    fragments: u64,
    reassembled: u64,
    missing: u64,
    tcp: u64,
    other: u64,
    refused: u64,
}

impl Counts {
    fn add(&mut self, path: &PathBuf) {
        let mut reader = Reader::new(fs::File::open(path).unwrap()).unwrap();
        assert_eq!(reader.format(), Format::Pcap);
        let mut defragmenter = Defragmenter::default();
        while let Some(frame) = reader.next_frame().unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            self.frames += 1;
            match frame.packet() {
                Ok(Packet::Udp(datagram)) => {
                    self.udp += 1;
                    self.port_138 += u64::from(datagram.destination.port() == 138);
                    self.missing += u64::from(datagram.missing > 0);
                    let end = datagram.payload_offset + datagram.payload.len();
                    assert_eq!(&frame.bytes[datagram.payload_offset..end], datagram.payload);
                }
                Ok(Packet::Fragment(fragment)) => {
                    self.fragments += 1;
                    if let Some(whole) = defragmenter.insert(frame.time, &fragment) {
                        let datagram = whole.udp().unwrap();
                        assert_eq!(datagram.missing, 0);
                        self.port_138 += u64::from(datagram.destination.port() == 138);
                        self.reassembled += 1;
                    }
                }
                Ok(Packet::Tcp(segment)) => {
                    self.tcp += 1;
                    let end = segment.payload_offset + segment.payload.len();
                    assert_eq!(&frame.bytes[segment.payload_offset..end], segment.payload);
                }
                Ok(_) => self.other += 1,
                Err(_) => self.refused += 1,
            }
        }
        assert_eq!(reader.skipped(), 0);
        assert_eq!(reader.position(), fs::metadata(path).unwrap().len());
    }
}

fn shared(below: &str) -> Option<PathBuf> {
    let root = env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(below);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", path.display());
    None
}

fn captures(folder: &PathBuf) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    paths
}

#[test]
fn copied_lab_captures() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/pcap");
    let count = |name: &str| {
        let mut counts = Counts::default();
        counts.add(&folder.join(name));
        counts
    };
    assert_eq!(count("ad-netlogon.pcap"), Counts { frames: 4, udp: 4, port_138: 2, ..Counts::default() });
    let browse = Counts { frames: 29, udp: 29, port_138: 25, ..Counts::default() };
    assert_eq!(count("browse-client.pcap"), browse);
    let app = Counts { frames: 26, udp: 21, port_138: 23, fragments: 5, reassembled: 2, ..Counts::default() };
    assert_eq!(count("app-mailslots.pcap"), app);
}

#[test]
fn lab_captures_have_the_frames_their_table_says() {
    let Some(folder) = shared("lab/pcaps") else { return };
    let table = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut seen = 0;
    for path in captures(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let row = table.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        let frames: u64 = row.split('|').nth(2).unwrap().trim().parse().unwrap();
        let mut counts = Counts::default();
        counts.add(&path);
        assert_eq!((name, counts.frames), (name, frames));
        assert_eq!((name, counts.refused, counts.missing), (name, 0, 0));
        seen += 1;
    }
    assert_eq!(seen, 24);
}

/// The numbers were checked with capinfos and tshark.
#[test]
fn third_parties_captures_are_read_to_the_end() {
    let Some(folder) = shared("captures/pcap") else { return };
    let paths = captures(&folder);
    let mut counts = Counts::default();
    paths.iter().for_each(|path| counts.add(path));
    assert_eq!((paths.len(), counts.frames), (171, 10_056));
    // One file of random bytes has 1,000 headers with a UDP length of 0.
    assert_eq!((counts.udp, counts.refused, counts.fragments), (8192, 1000, 3));
    // ICMP.
    assert_eq!((counts.tcp, counts.other), (796, 65));
}

#[test]
fn other_kinds_are_named() {
    let Some(folder) = shared("captures/pcap") else { return };
    let mut icmp = 0;
    for path in captures(&folder) {
        let mut reader = Reader::new(fs::File::open(path).unwrap()).unwrap();
        while let Some(frame) = reader.next_frame().unwrap() {
            icmp += u64::from(frame.packet() == Ok(Packet::Other(OtherKind::Icmp)));
        }
    }
    assert_eq!(icmp, 65);
}
