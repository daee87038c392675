//! Whatever comes, in whatever order: nothing panics, everything is counted, nothing grows beyond its limit.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use mailslot::service::names::{Config, Input, NameKind, NameService, NodeType, QueryTarget};
use mailslot::service::{Limits, Machine};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbns::{
    AddrEntries, AddrEntry, Cast, NbFlags, NmFlags, NodeStatus, Packet, Rcode, Statistics,
};
use mailslot::wire::{Decode, Encode};
use proptest::prelude::*;

use super::names::name;

const NAMES: [&str; 4] = ["HOST<20>", "LAB<1e>", "PC<00>", "*"];

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Register(usize, bool),
    Release(usize),
    Query(usize, u8),
    Status(u8),
    /// A packet of this kind; its transaction is that of a request sent before, if there was one.
    Packet {
        kind: u8,
        recent: usize,
        name: usize,
        group: bool,
        ttl: u32,
        peer: u8,
        broadcast: bool,
    },
    Bytes {
        peer: u8,
        bytes: Vec<u8>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..20_000_u64).prop_map(Step::Pass),
        2 => (0..4_usize, any::<bool>()).prop_map(|(name, group)| Step::Register(name, group)),
        1 => (0..4_usize).prop_map(Step::Release),
        2 => (0..4_usize, 0..3_u8).prop_map(|(name, target)| Step::Query(name, target)),
        1 => any::<u8>().prop_map(Step::Status),
        12 => (0..16_u8, 0..6_usize, 0..4_usize, any::<bool>(), any::<u32>(), 0..6_u8, any::<bool>()).prop_map(
            |(kind, recent, name, group, ttl, peer, broadcast)| Step::Packet {
                kind, recent, name, group, ttl, peer, broadcast
            }
        ),
        1 => (0..6_u8, prop::collection::vec(any::<u8>(), 0..120))
            .prop_map(|(peer, bytes)| Step::Bytes { peer, bytes }),
    ]
}

/// Name server, hosts of the subnet, the broadcast address, and one from elsewhere.
fn peer(which: u8) -> SocketAddrV4 {
    let address = match which {
        0 => [172, 16, 0, 1],
        1 => [10, 0, 0, 255],
        2 => [192, 0, 2, 1],
        host => [10, 0, 0, host + 5],
    };
    SocketAddrV4::new(Ipv4Addr::from(address), 137)
}

fn packet(kind: u8, trn: u16, name: NetbiosName, group: bool, ttl: u32, address: Ipv4Addr) -> Vec<u8> {
    let entry = AddrEntry::new(NbFlags::new(NodeType::B, group), address);
    let several = AddrEntries::new([entry, entry]).unwrap();
    let status = NodeStatus::new([], &Statistics::default()).unwrap();
    match kind {
        0 => Packet::query(trn, name, Cast::Broadcast),
        1 => Packet::node_status(trn, name, Cast::Unicast),
        2 => Packet::registration(trn, name, entry, ttl, Cast::Broadcast),
        3 => Packet::overwrite(trn, name, entry, ttl, Cast::Broadcast),
        4 => Packet::refresh(trn, name, entry, ttl, Cast::Unicast),
        5 => Packet::release(trn, name, entry, Cast::Broadcast),
        6 => Packet::positive_query_response(trn, name, ttl, several),
        7 => Packet::negative_query_response(trn, name, Rcode::NAM_ERR).unwrap(),
        8 => Packet::node_status_response(trn, name, status),
        9 => Packet::positive_registration_response(trn, name, ttl, entry),
        10 => Packet::negative_registration_response(trn, name, Rcode::ACT_ERR, entry).unwrap(),
        11 => Packet::end_node_challenge(trn, name, ttl, entry),
        12 => Packet::name_conflict_demand(trn, name),
        13 => Packet::positive_release_response(trn, name, entry),
        14 => Packet::redirect(trn, name, ttl, name, address),
        _ => Packet::wack(trn, name, ttl, mailslot::wire::nbns::Flags::REGISTRATION),
    }
    .to_bytes()
}

proptest! {
    #[test]
    fn bounded_and_counted(node_type in 0..4_u8, steps in prop::collection::vec(step(), 1..120)) {
        let mut limits = Limits::default();
        limits.local_names = 3;
        limits.name_queries = 4;
        limits.name_cache_entries = 2;
        limits.name_addresses = 2;
        limits.name_answers_per_source = 5;
        limits.name_answers = 7;
        let mut config = Config::new(Ipv4Addr::new(10, 0, 0, 9), 24);
        config.node_type = [NodeType::B, NodeType::P, NodeType::M, NodeType::H][usize::from(node_type)];
        config.wins = vec![*peer(0).ip()];
        let mut machine = NameService::new(config, limits, 3);
        let mut now = Duration::ZERO;
        let mut recent: Vec<u16> = Vec::new();
        let mut second = (0, 0);
        for step in steps {
            match step {
                Step::Pass(millis) => {
                    now += Duration::from_millis(millis);
                    machine.handle_timeout(now);
                }
                Step::Register(which, group) => {
                    let kind = if group { NameKind::Group } else { NameKind::Unique };
                    let _ = machine.register(now, name(NAMES[which]), kind);
                }
                Step::Release(which) => {
                    machine.release(now, &name(NAMES[which]));
                }
                Step::Query(which, target) => {
                    let target = match target {
                        0 => QueryTarget::Default,
                        1 => QueryTarget::Broadcast,
                        _ => QueryTarget::Server(*peer(3).ip()),
                    };
                    machine.query(now, name(NAMES[which]), target);
                }
                Step::Status(host) => {
                    machine.node_status(now, *peer(host % 6).ip(), NetbiosName::WILDCARD);
                }
                Step::Packet { kind, recent: back, name: which, group, ttl, peer: from, broadcast } => {
                    let trn = recent.iter().rev().nth(back).copied().unwrap_or(9);
                    let bytes = packet(kind, trn, name(NAMES[which]), group, ttl, *peer(from).ip());
                    machine.handle_input(now, Input { peer: peer(from), broadcast, bytes: &bytes });
                }
                Step::Bytes { peer: from, bytes } => {
                    machine.handle_input(now, Input { peer: peer(from), broadcast: false, bytes: &bytes });
                }
            }
            while let Some(sent) = machine.poll_transmit() {
                let packet = Packet::decode(&sent.bytes).expect("what is sent decodes");
                prop_assert!(sent.bytes.len() <= 576);
                if packet.header().flags.is_response() {
                    prop_assert_ne!(*sent.destination.ip(), Ipv4Addr::new(192, 0, 2, 1));
                    prop_assert_ne!(*sent.destination.ip(), Ipv4Addr::new(10, 0, 0, 255));
                    prop_assert!(!packet.header().flags.nm_flags().contains(NmFlags::B));
                    second = if second.0 == now.as_secs() { (second.0, second.1 + 1) } else { (now.as_secs(), 1) };
                    prop_assert!(second.1 <= 7);
                } else {
                    recent.push(packet.header().name_trn_id);
                }
            }
            let mut events = 0;
            while machine.poll_event().is_some() {
                events += 1;
            }
            prop_assert!(events <= 8, "{} events at once", events);
            prop_assert!(machine.names().len() <= 3);
            prop_assert!(machine.open_queries() <= 4);
            prop_assert!(machine.cache().count() <= 2);
            prop_assert!(machine.cache().all(|(_, entry)| entry.addresses.len() <= 2));
            prop_assert!(machine.poll_timeout().is_none_or(|due| due >= now));
            let stats = machine.stats();
            let outcomes = stats.answered_queries + stats.answered_statuses + stats.defended + stats.yielded
                + stats.accepted + stats.drops().map(|(_, count)| count).sum::<u64>();
            prop_assert_eq!(stats.received, outcomes);
        }
        // It comes to rest by itself, without peers.
        machine.release_all(now);
        for _ in 0..200 {
            let Some(due) = machine.poll_timeout() else { break };
            machine.handle_timeout(due);
        }
        prop_assert!(machine.all_released());
        prop_assert_eq!(machine.open_queries(), 0);
        prop_assert_eq!(machine.poll_timeout(), None);
    }
}
