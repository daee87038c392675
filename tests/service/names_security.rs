//! The rules that old holes have taught, for names (`wire.md` §11). Each test bears the hole's name.

use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot::service::names::{DropReason, Event, NameKind, NodeType, QueryTarget, Subnet, timers};
use mailslot::service::{Limits, Machine};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbns::{AddrEntries, Cast, Packet};
use mailslot::wire::{Decode, Encode};

use crate::names::{FAR, LOWER, Node, OTHER, OWN, SECOND_WINS, SUBNET_BROADCAST, WINS, at, entry, name};

const UNIQUE: NameKind = NameKind::Unique;
const GROUP: NameKind = NameKind::Group;

/// CVE-2000-0673: nobody can talk a node out of its names.
#[test]
fn cve_2000_0673_demands_that_nothing_was_asked_for_do_nothing() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    for trn in 0..=u16::MAX {
        node.unicast(OTHER, &Packet::name_conflict_demand(trn, name("HOST<20>")));
    }
    assert_eq!(node.dropped(DropReason::Unsolicited), 65_536);
    for cast in [Cast::Unicast, Cast::Broadcast] {
        node.broadcast(OTHER, &Packet::release(1, name("HOST<20>"), entry(UNIQUE, OTHER), cast));
        node.unicast(OTHER, &Packet::release(1, name("HOST<20>"), entry(UNIQUE, OWN), cast));
    }
    assert_eq!(node.dropped(DropReason::Demand), 4);
    node.unicast(OTHER, &Packet::positive_query_response(1, name("PC<00>"), 9, entry(UNIQUE, OTHER)));
    assert!(node.machine.owns(&name("HOST<20>")));
    assert_eq!(node.machine.cache().count(), 0, "nothing is learnt from what was not asked for");
    assert_eq!(node.flags(), []);
    assert_eq!(node.event(), None);
    node.assert_counted();
}

#[test]
fn ta14_017a_nothing_off_link_is_answered() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    let query = Packet::query(1, name("HOST<20>"), Cast::Unicast).to_bytes();
    let status = Packet::node_status(1, NetbiosName::WILDCARD, Cast::Unicast).to_bytes();
    let claim = Packet::registration(1, name("HOST<20>"), entry(UNIQUE, FAR), 0, Cast::Unicast).to_bytes();
    // The last ones would make us answer everybody.
    let sources = [
        at(FAR),
        at(Ipv4Addr::new(10, 0, 1, 1)),
        at(SUBNET_BROADCAST),
        at(Ipv4Addr::UNSPECIFIED),
        at(Ipv4Addr::BROADCAST),
        at(Ipv4Addr::new(224, 0, 0, 1)),
        SocketAddrV4::new(OTHER, 0),
    ];
    for source in sources {
        for request in [&query, &status, &claim] {
            node.hear(source, false, request);
        }
    }
    assert_eq!(node.flags(), []);
    assert_eq!(node.dropped(DropReason::OffLink), 3 * sources.len() as u64);
    // A name server may ask from anywhere: it challenges owners.
    let mut node = Node::with(NodeType::B, Limits::default(), |config| config.wins = vec![WINS]);
    node.register("HOST<20>", UNIQUE);
    node.pass(5000);
    node.flags();
    node.hear(at(WINS), false, &query);
    assert_eq!(node.flags(), [(0x8500, WINS)]);
    // And so may subnets that are named, but not their broadcast addresses.
    let far = Subnet::new(FAR, 24);
    let mut node = Node::with(NodeType::B, Limits::default(), |config| config.answered = vec![far]);
    node.register("HOST<20>", UNIQUE);
    node.pass(5000);
    node.flags();
    node.hear(at(FAR), false, &query);
    assert_eq!(node.flags(), [(0x8500, FAR)]);
    node.hear(at(far.broadcast()), false, &query);
    node.hear(at(Ipv4Addr::UNSPECIFIED), false, &query);
    assert_eq!(node.flags(), []);
    // Nor one that has the own subnet in it the own broadcast address.
    let all = Subnet::new(OWN, 8);
    let mut node = Node::with(NodeType::B, Limits::default(), |config| config.answered = vec![all]);
    node.register("HOST<20>", UNIQUE);
    node.pass(5000);
    node.flags();
    node.hear(at(Ipv4Addr::new(10, 77, 0, 1)), false, &query);
    assert_eq!(node.flags(), [(0x8500, Ipv4Addr::new(10, 77, 0, 1))]);
    for many in [SUBNET_BROADCAST, all.broadcast()] {
        node.hear(at(many), false, &query);
    }
    assert_eq!(node.flags(), []);
}

/// BadTunnel: guessing does not help who is not asked.
#[test]
fn cve_2016_3213_a_name_server_is_believed_only_at_its_address_and_port() {
    let mut node = Node::new(NodeType::P);
    node.machine.query(node.time(), name("WPAD<00>"), QueryTarget::Default);
    let trn = node.trn();
    let lie = Packet::positive_query_response(trn, name("WPAD<00>"), 300, entry(UNIQUE, OTHER));
    node.unicast(OTHER, &lie);
    node.unicast(SECOND_WINS, &lie);
    node.hear(SocketAddrV4::new(WINS, 1137), false, &lie.to_bytes());
    assert_eq!(node.dropped(DropReason::WrongSource), 3);
    assert_eq!(node.event(), None);
}

/// Samba's DNS answered answers, and two such servers each other for ever.
#[test]
fn cve_2014_0239_an_answer_is_never_answered() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    for flags in 0x80..=0xff {
        let mut query = Packet::query(1, name("HOST<20>"), Cast::Unicast).to_bytes();
        query[2] = flags;
        node.hear(at(OTHER), false, &query);
    }
    assert_eq!(node.dropped(DropReason::Unsolicited), 128);
    assert_eq!(node.flags(), []);
    node.assert_counted();
}

/// A packet of no bytes made a name server spin.
#[test]
fn cve_2020_14303_no_bytes_are_nothing() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    let before = node.machine.poll_timeout();
    node.hear(at(OTHER), false, &[]);
    assert_eq!(node.dropped(DropReason::Empty), 1);
    assert_eq!((node.machine.poll_timeout(), node.event()), (before, None));
    assert_eq!(node.flags(), []);
    node.assert_counted();
}

/// What had been claimed at nmbd made its answer to a later query longer than the buffer for it: an answer grew by what
/// others had said. Ours has our own address, and no more, whatever is claimed.
#[test]
fn cve_2007_5398_an_answer_does_not_grow_by_what_others_claim() {
    let mut node = Node::owning(&[("LAB<00>", GROUP)]);
    let query = Packet::query(1, name("LAB<00>"), Cast::Broadcast);
    let status = Packet::node_status(2, NetbiosName::WILDCARD, Cast::Unicast);
    let ask = |node: &mut Node| {
        node.pass(1000);
        node.broadcast(LOWER, &query);
        node.unicast(LOWER, &status);
        let answers: Vec<_> = std::iter::from_fn(|| node.sent()).map(|sent| sent.bytes).collect();
        assert_eq!(answers.len(), 2);
        answers
    };
    let before = ask(&mut node);
    for host in 10..=250 {
        let member = Ipv4Addr::new(10, 0, 0, host);
        for packet in [
            Packet::registration(host.into(), name("LAB<00>"), entry(GROUP, member), 0, Cast::Broadcast),
            Packet::overwrite(host.into(), name("LAB<00>"), entry(GROUP, member), 0, Cast::Broadcast),
            Packet::refresh(host.into(), name("LAB<00>"), entry(GROUP, member), 0, Cast::Unicast),
            Packet::multihomed_registration(host.into(), name("LAB<00>"), entry(GROUP, member), 0),
        ] {
            node.broadcast(member, &packet);
        }
    }
    assert_eq!(node.flags(), []);
    assert_eq!(ask(&mut node), before);
    assert!(before.iter().all(|answer| answer.len() <= timers::MAX_DATAGRAM_LENGTH));
    let answer = Packet::decode(&before[0]).unwrap();
    assert_eq!(answer.addr_entries().unwrap().iter().collect::<Vec<_>>(), [entry(GROUP, OWN)]);
    node.assert_counted();
}

/// The other end of the same: an answer of a name server with all the addresses that a packet has room for.
#[test]
fn cve_2007_5398_addresses_of_an_answer_are_bounded() {
    // What RDLENGTH can say.
    let most = usize::from(u16::MAX) / 6;
    for many in [25, 26, 1000, most] {
        let mut node = Node::new(NodeType::P);
        node.machine.query(node.time(), name("LAB<1c>"), QueryTarget::Default);
        let trn = node.trn();
        let entries =
            (1..=u32::try_from(many).unwrap()).map(|host| entry(GROUP, Ipv4Addr::from(0x0a00_0000 + host)));
        let entries = AddrEntries::new(entries).unwrap();
        node.unicast(WINS, &Packet::positive_query_response(trn, name("LAB<1c>"), 9, entries));
        let Some(Event::Resolved { resolution, .. }) = node.event() else { panic!("{many}") };
        assert_eq!(resolution.addresses.len(), Limits::default().name_addresses);
        let (_, remembered) = node.machine.cache().next().expect("it is remembered");
        assert_eq!(remembered.addresses.len(), Limits::default().name_addresses);
        node.assert_counted();
    }
}
