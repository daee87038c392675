//! A node's way in: names and scope are filtered, fragments put together and given up, and each datagram comes to
//! exactly one end.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailslot::node::{Accepted, Ingest, Ingress, IngressDrop, OwnNames};
use mailslot::service::Limits;
use mailslot::slot::{CreateOptions, Registry, SlotPath};
use mailslot::wire::name::{NetbiosName, Scope, Suffix};

// Input: packets of (milliseconds since the last one / 16 (1 byte), sender (1 byte), length (2 bytes), datagram).
fuzz_target!(|data: &[u8]| {
    let registry = Registry::default();
    let path = SlotPath::parse(r"\\.\mailslot\app").expect("a path");
    let slot = registry.create(&path, CreateOptions::default()).expect("a new slot");
    let own = NetbiosName::new("PC7", Suffix::WORKSTATION).expect("a name");
    let mut ingest = Ingest::new(registry, OwnNames::Only(vec![(own, false)]), Limits::default());
    ingest.set_scope(Scope::NONE);
    let mut rest = data;
    let mut at = Duration::ZERO;
    let (mut packets, mut ends, mut delivered) = (0, 0, 0);
    while let Some((&[wait, sender, high, low], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([high & 7, low])).min(after.len());
        let (packet, next) = after.split_at(length);
        rest = next;
        at += Duration::from_millis(u64::from(wait) * 16);
        if ingest.poll_timeout().is_some_and(|due| due <= at) {
            ingest.handle_timeout(at);
            assert!(ingest.poll_timeout().is_none_or(|due| due > at));
        }
        let peer = core::net::SocketAddrV4::new([10, 0, 0, sender].into(), 138);
        packets += 1;
        match ingest.accept(Ingress::new(at, peer, packet)) {
            Ok(Accepted::Message(arrived)) => {
                assert!(arrived.destination == own || arrived.destination.is_wildcard());
                match ingest.deliver(&arrived) {
                    Ok(_) => {
                        delivered += 1;
                        assert_eq!(slot.try_read().expect("just delivered").data, arrived.data);
                    }
                    Err(reason) => assert!(matches!(reason, IngressDrop::Slot(_))),
                }
                ends += 1;
            }
            Ok(_) => ends += 1,
            Err(reason) => {
                assert!(!reason.name().is_empty());
                ends += 1;
            }
        }
        assert!(ingest.given_up().all(|reason| matches!(reason, IngressDrop::Fragments(_))));
    }
    assert_eq!(packets, ends);
    assert_eq!(slot.stats().read, delivered);
});
