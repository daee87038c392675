//! Every message to a NETLOGON slot, and to MESSNGR, in the captures beside the project.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use mailslot::capture::{Defragmenter, Packet as Frame, Reader};
use mailslot::wire::messenger::{MESSNGR, MessengerMessage};
use mailslot::wire::nbdgm::Datagram;
use mailslot::wire::netlogon::{NetlogonMessage, is_netlogon_slot};
use mailslot::wire::smb::MailslotWrite;
use mailslot::wire::{Decode, Encode};

/// Messages by opcode; each must decode and come back byte for byte.
fn count(below: &str) -> Option<BTreeMap<&'static str, u64>> {
    let root = env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = root.join(below);
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", folder.display());
        return None;
    }
    let mut counts = BTreeMap::new();
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    for path in paths {
        let mut reader = Reader::new(fs::File::open(&path).unwrap()).unwrap();
        let mut defragmenter = Defragmenter::default();
        while let Some(frame) = reader.next_frame().unwrap() {
            let whole;
            let udp = match frame.packet() {
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
            let Ok(datagram) = Datagram::decode(udp.payload) else { continue };
            let Some(content) = datagram.content() else { continue };
            let Ok(write) = MailslotWrite::decode(content.user_data) else { continue };
            let bytes = write.data();
            let kind = if is_netlogon_slot(write.slot()) {
                let message = NetlogonMessage::decode(bytes)
                    .unwrap_or_else(|error| panic!("{}: {error}: {}", path.display(), hex::encode(bytes)));
                assert_eq!(hex::encode(message.to_bytes()), hex::encode(bytes));
                message.opcode().name().unwrap()
            } else if write.slot().eq_ignore_ascii_case(MESSNGR) {
                assert_eq!(MessengerMessage::decode(bytes).unwrap().to_bytes(), bytes);
                "Messenger"
            } else {
                continue;
            };
            *counts.entry(kind).or_default() += 1;
        }
    }
    Some(counts)
}

/// The numbers were checked with tshark.
#[test]
fn third_parties_captures() {
    let Some(counts) = count("captures/pcap") else { return };
    let expected = [
        ("LOGON_PRIMARY_QUERY", 48),
        ("LOGON_SAM_LOGON_REQUEST", 229),
        ("LOGON_SAM_LOGON_RESPONSE_EX", 75),
        ("LOGON_SAM_PAUSE_RESPONSE_EX", 52),
    ];
    assert_eq!(counts, expected.into());
}
