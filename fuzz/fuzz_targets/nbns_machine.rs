//! A node that claims, asks and answers while anything comes in: never a panic, everything bounded and counted.

#![no_main]

use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailslot::service::names::{Config, Input, NameKind, NameService, NodeType, QueryTarget};
use mailslot::service::{Limits, Machine};
use mailslot::wire::name::NetbiosName;

// Input: node type, then packets of (peer and broadcast bit, 64 ms units that pass, length, payload). A payload's
// first two bytes may be taken from the last request, so that answers are matched.
fuzz_target!(|data: &[u8]| {
    let Some((&first, mut rest)) = data.split_first() else { return };
    let mut limits = Limits::default();
    limits.local_names = 4;
    limits.name_queries = 4;
    limits.name_cache_entries = 2;
    let mut config = Config::new(Ipv4Addr::new(10, 0, 0, 9), 24);
    config.node_type = [NodeType::B, NodeType::P, NodeType::M, NodeType::H][usize::from(first & 3)];
    config.wins = vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
    let mut node = NameService::new(config, limits, 1);
    let mut now = Duration::ZERO;
    let host: NetbiosName = "HOST<20>".parse().expect("a name");
    let group: NetbiosName = "LAB<1e>".parse().expect("a name");
    let mut trn = [0, 0];
    while let Some((&[peer, passed, length], after)) = rest.split_first_chunk::<3>() {
        let (payload, next) = after.split_at(usize::from(length).min(after.len()));
        rest = next;
        now += Duration::from_millis(u64::from(passed) * 64);
        let _ = node.register(now, host, NameKind::Unique);
        let _ = node.register(now, group, NameKind::Group);
        if passed & 1 == 1 {
            node.query(now, host.with_suffix(mailslot::wire::name::Suffix(0)), QueryTarget::Default);
        }
        let mut bytes = payload.to_vec();
        if peer & 0x40 != 0 {
            bytes.iter_mut().zip(trn).for_each(|(byte, id)| *byte = id);
        }
        let source = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, peer & 15), 137);
        node.handle_input(now, Input { peer: source, broadcast: peer & 0x80 != 0, bytes: &bytes });
        while let Some(sent) = node.poll_transmit() {
            assert!(sent.bytes.len() <= 576);
            if let [high, low, 0..=0x7f, ..] = sent.bytes[..] {
                trn = [high, low];
            }
        }
        while node.poll_event().is_some() {}
        assert!(node.names().len() <= 4 && node.open_queries() <= 4 && node.cache().count() <= 2);
        let stats = node.stats();
        let outcomes = stats.answered_queries
            + stats.answered_statuses
            + stats.defended
            + stats.yielded
            + stats.accepted
            + stats.drops().map(|(_, count)| count).sum::<u64>();
        assert_eq!(stats.received, outcomes);
    }
});
