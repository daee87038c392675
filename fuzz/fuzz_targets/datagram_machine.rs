//! Fragments in any order and number: bounded, never a panic, and every one accounted for.

#![no_main]

use core::net::Ipv4Addr;
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailslot::service::datagram::{Event, Input, Reassembler};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Decode;
use mailslot::wire::nbdgm::Datagram;

// Input: packets of (peer, milliseconds that pass, length (2 bytes), datagram).
fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let mut reassembler = Reassembler::new(limits);
    let mut now = Duration::ZERO;
    let mut rest = data;
    let (mut complete, mut dropped) = (0, 0);
    while let Some((&[peer, passed, high, low], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([high & 7, low])).min(after.len());
        let (packet, next) = after.split_at(length);
        rest = next;
        now += Duration::from_millis(u64::from(passed) * 8);
        let Ok(datagram) = Datagram::decode(packet) else { continue };
        if !datagram.is_fragment() {
            continue;
        }
        reassembler.handle_input(now, Input { peer: Ipv4Addr::new(10, 0, 0, peer & 3), datagram });
        assert!(reassembler.len() <= limits.reassembly_entries);
        while let Some(event) = reassembler.poll_event() {
            match event {
                Event::Complete(whole) => {
                    complete += 1;
                    let content = whole.content().expect("the names were read before");
                    assert_eq!(content.user_data, whole.user_data());
                    assert!(content.names_len() + content.user_data.len() <= limits.reassembly_bytes);
                }
                Event::Dropped { .. } => dropped += 1,
                _ => {}
            }
        }
        assert!(reassembler.poll_timeout().is_none_or(|due| due <= now + limits.reassembly_timeout));
    }
    reassembler.handle_timeout(Duration::MAX);
    assert!(reassembler.is_empty());
    let stats = reassembler.stats();
    assert_eq!(stats.complete, complete);
    let given_up =
        stats.timeout + stats.too_many_datagrams + stats.too_long + stats.too_many_fragments + stats.conflict;
    let mut later = 0;
    while reassembler.poll_event().is_some() {
        later += 1;
    }
    assert_eq!(given_up, dropped + later);
});
