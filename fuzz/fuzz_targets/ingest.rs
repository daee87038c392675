//! Bytes of the wire to slots: what is accepted reaches the slot byte for byte, what is not has a reason.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailslot::node::{Accepted, Ingest, Ingress, OwnNames};
use mailslot::service::Limits;
use mailslot::slot::{CreateOptions, Registry, SlotPath};

// Input: packets of (length (2 bytes), datagram).
fuzz_target!(|data: &[u8]| {
    let registry = Registry::default();
    let mut ingest = Ingest::new(registry.clone(), OwnNames::Any, Limits::default());
    let peer = "10.0.0.5:138".parse().expect("an address");
    let mut slots = Vec::new();
    let mut rest = data;
    let mut at = Duration::ZERO;
    while let Some((&[high, low], after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes([high & 7, low])).min(after.len());
        let (packet, next) = after.split_at(length);
        rest = next;
        at += Duration::from_millis(100);
        let accepted = ingest.accept(Ingress::new(at, peer, packet));
        for drop in ingest.given_up() {
            assert!(!drop.name().is_empty());
        }
        let arrived = match accepted {
            Ok(Accepted::Message(arrived)) => arrived,
            Ok(_) => continue,
            Err(drop) => {
                assert!(!drop.to_string().is_empty());
                continue;
            }
        };
        if let Ok(slot) = registry.create(&SlotPath::local(arrived.slot.clone()), CreateOptions::default()) {
            slots.push(slot);
        }
        let slot =
            slots.iter().find(|slot| *slot.name() == arrived.slot).expect("made when it was first named");
        let delivered = ingest.deliver(&arrived).expect("the slot is there and empty");
        assert_eq!(delivered.bytes, arrived.data.len());
        let message = slot.try_read().expect("just delivered");
        assert_eq!(message.data, arrived.data);
        assert_eq!(message.at, Some(at));
    }
});
