//! Bytes as a name service packet: what decodes comes back byte for byte, and its kind promises its parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::nbns::{Packet, PacketKind, Rdata, ResourceRecord};
use mailslot::wire::{Decode, Encode, Layer};

fuzz_target!(|bytes: &[u8]| {
    let packet = match Packet::decode(bytes) {
        Ok(packet) => packet,
        Err(error) => {
            assert!(matches!(error.layer, Layer::Nbns | Layer::NetbiosName), "{error}");
            assert!(error.offset <= bytes.len(), "{error}");
            return;
        }
    };
    assert_eq!(packet.to_bytes(), bytes);
    assert_eq!(packet.encoded_len(), bytes.len());
    assert!(bytes.ends_with(packet.trailing()));
    for record in [packet.answer(), packet.authority(), packet.additional()].into_iter().flatten() {
        check(record);
    }
    match packet.kind() {
        PacketKind::Other | PacketKind::NegativeQueryResponse => {}
        PacketKind::QueryRequest | PacketKind::NodeStatusRequest => assert!(packet.question().is_some()),
        PacketKind::NodeStatusResponse | PacketKind::Wack => assert!(packet.answer().is_some()),
        PacketKind::Redirect => assert!(packet.authority().is_some() && packet.additional().is_some()),
        // A claim, or the answer to one: it names an owner.
        _ => assert!(packet.name().is_some() && packet.addr_entries().is_some()),
    }
});

fn check(record: &ResourceRecord<'_>) {
    match record.rdata() {
        Rdata::Nb(entries) => assert!(entries.iter().count() * 6 == record.rdata().encoded_len()),
        Rdata::NodeStatus(status) => {
            let names = status.names().count();
            assert_eq!(names < usize::from(status.num_names()), status.is_partial());
            if !status.is_partial() {
                assert_eq!(1 + 18 * names + status.statistics_bytes().len(), status.encoded_len());
            }
            assert!(status.statistics().is_none() || status.unit_id().is_some());
        }
        _ => {}
    }
}
