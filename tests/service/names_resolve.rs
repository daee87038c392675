//! Names of others: who is asked, which answers count, what is remembered.

use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::Machine;
use mailslot::service::names::{
    DropReason, Event, Lmhosts, NameKind, NodeType, Origin, QueryTarget, ResolveError, timers,
};
use mailslot::wire::Decode;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbns::{
    AddrEntries, Cast, Flags, NameEntry, NameFlags, NmFlags, NodeStatus, Packet, Rcode, Statistics,
};

use super::names::{FAR, LOWER, Node, OTHER, OWN, SECOND_WINS, SUBNET_BROADCAST, WINS, at, entry, name};

const UNIQUE: NameKind = NameKind::Unique;
const GROUP: NameKind = NameKind::Group;

fn yes(trn: u16, text: &str, kind: NameKind, address: Ipv4Addr) -> Packet<'static> {
    Packet::positive_query_response(trn, name(text), 300, entry(kind, address))
}

/// The one event there is, which must be a resolution.
fn resolved(node: &mut Node) -> (NameKind, Vec<Ipv4Addr>, Origin) {
    let Some(Event::Resolved { resolution, .. }) = node.event() else { panic!("no resolution") };
    assert_eq!(node.event(), None);
    (resolution.kind, resolution.addresses, resolution.origin)
}

fn unresolved(node: &mut Node) -> ResolveError {
    let Some(Event::Unresolved { error, .. }) = node.event() else { panic!("no refusal") };
    assert_eq!(node.event(), None);
    error
}

#[test]
fn b_node_asks_the_subnet_three_times() {
    let mut node = Node::new(NodeType::B);
    let query = node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    for millis in [250, 250, 249] {
        assert_eq!(node.flags(), [(0x0110, SUBNET_BROADCAST)]);
        node.pass(millis);
    }
    assert_eq!(node.event(), None);
    node.pass(1);
    assert_eq!(node.flags(), []);
    let error = ResolveError::NoAnswer;
    assert_eq!(node.event(), Some(Event::Unresolved { query, name: name("PC<20>"), error }));
    assert!(node.machine.is_idle());
}

#[test]
fn the_first_answer_wins_and_others_are_counted() {
    let mut node = Node::new(NodeType::B);
    let query = node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    let trn = node.trn();
    node.unicast(OTHER, &yes(trn, "PC<20>", UNIQUE, OTHER));
    assert_eq!(resolved(&mut node), (UNIQUE, vec![OTHER], Origin::Broadcast(OTHER)));
    node.unicast(OTHER, &yes(trn, "PC<20>", UNIQUE, OTHER));
    assert_eq!(node.dropped(DropReason::Duplicate), 1);
    for _ in 0..3 {
        node.unicast(LOWER, &yes(trn, "PC<20>", UNIQUE, LOWER));
    }
    assert_eq!(node.dropped(DropReason::OtherOwner), 3);
    let other = Event::OtherOwner { query, name: name("PC<20>"), address: LOWER };
    assert_eq!((node.event(), node.event()), (Some(other), None));
    assert_eq!(node.machine.cached(node.time(), &name("PC<20>")).unwrap().addresses, [OTHER]);
    node.pass(1000);
    node.unicast(LOWER, &yes(trn, "PC<20>", UNIQUE, LOWER));
    assert_eq!(node.dropped(DropReason::Unsolicited), 1, "the transaction is over");
    assert_eq!(node.flags(), [], "no conflict demand: nobody should believe one");
    node.assert_counted();
}

#[test]
fn answers_need_transaction_name_and_source() {
    let mut node = Node::new(NodeType::B);
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    let trn = node.trn();
    node.unicast(OTHER, &yes(trn ^ 0x8000, "PC<20>", UNIQUE, OTHER));
    node.unicast(OTHER, &yes(trn, "PC<00>", UNIQUE, OTHER));
    node.unicast(FAR, &yes(trn, "PC<20>", UNIQUE, OTHER));
    let no = Packet::negative_query_response(trn, name("PC<20>"), Rcode::NAM_ERR).unwrap();
    node.unicast(OTHER, &no);
    let redirect = Packet::redirect(trn, name("PC<20>"), 9, name("WINS<20>"), OTHER);
    node.unicast(OTHER, &redirect);
    for (reason, count) in [
        (DropReason::Unsolicited, 1),
        (DropReason::WrongName, 1),
        (DropReason::WrongSource, 1),
        (DropReason::WrongKind, 2),
    ] {
        assert_eq!(node.dropped(reason), count, "{}", reason.name());
    }
    assert_eq!(node.machine.cache().count(), 0);
    node.unicast(OTHER, &yes(trn, "PC<20>", UNIQUE, OTHER));
    assert_eq!(resolved(&mut node).1, [OTHER]);
}

#[test]
fn members_of_a_group_are_gathered() {
    let mut node = Node::new(NodeType::B);
    node.machine.query(node.time(), name("LAB<1e>"), QueryTarget::Default);
    let trn = node.trn();
    for address in [OTHER, LOWER, OTHER] {
        node.pass(50);
        node.unicast(address, &yes(trn, "LAB<1e>", GROUP, address));
    }
    assert_eq!(node.event(), None);
    node.pass(150);
    assert_eq!(resolved(&mut node), (GROUP, vec![OTHER, LOWER], Origin::Broadcast(OTHER)));
    assert_eq!(node.flags(), [], "not asked again");
    assert_eq!(node.dropped(DropReason::Duplicate), 1);
    assert!(node.machine.is_idle());
}

#[test]
fn a_group_of_a_name_server_is_everybody() {
    // A name server's way to say it, and that of Samba's nmbd.
    for said in [Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED] {
        let mut node = Node::new(NodeType::P);
        node.machine.query(node.time(), name("LAB<00>"), QueryTarget::Default);
        let trn = node.trn();
        node.unicast(WINS, &yes(trn, "LAB<00>", GROUP, said));
        assert_eq!(resolved(&mut node), (GROUP, vec![Ipv4Addr::BROADCAST], Origin::Server(WINS)));
    }
}

#[test]
fn no_computer_is_where_none_can_be() {
    let mut node = Node::new(NodeType::P);
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    let trn = node.trn();
    for nowhere in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        node.unicast(WINS, &yes(trn, "PC<20>", UNIQUE, nowhere));
    }
    assert_eq!(node.event(), None);
    assert_eq!(node.dropped(DropReason::WrongKind), 3);
    let entries = [Ipv4Addr::UNSPECIFIED, OTHER].map(|address| entry(UNIQUE, address));
    let answer = Packet::positive_query_response(trn, name("PC<20>"), 9, AddrEntries::new(entries).unwrap());
    node.unicast(WINS, &answer);
    assert_eq!(resolved(&mut node), (UNIQUE, vec![OTHER], Origin::Server(WINS)));
}

#[test]
fn everybody_answers_to_the_wildcard() {
    let mut node = Node::new(NodeType::B);
    node.machine.query(node.time(), NetbiosName::WILDCARD, QueryTarget::Broadcast);
    let trn = node.trn();
    for address in [OTHER, LOWER] {
        let answer = Packet::positive_query_response(trn, NetbiosName::WILDCARD, 9, entry(UNIQUE, address));
        node.unicast(address, &answer);
    }
    node.pass(250);
    assert_eq!(resolved(&mut node).1, [OTHER, LOWER]);
    assert_eq!(node.machine.cache().count(), 0);
}

#[test]
fn addresses_of_one_name_are_bounded() {
    let mut node = Node::new(NodeType::P);
    node.machine.query(node.time(), name("LAB<1c>"), QueryTarget::Default);
    let trn = node.trn();
    let many = (0..90).map(|host| entry(GROUP, Ipv4Addr::new(10, 0, 7, host)));
    let answer = Packet::positive_query_response(trn, name("LAB<1c>"), 9, AddrEntries::new(many).unwrap());
    node.unicast(WINS, &answer);
    let (kind, addresses, origin) = resolved(&mut node);
    assert_eq!((kind, addresses.len(), origin), (GROUP, 25, Origin::Server(WINS)));

    let mut node = Node::new(NodeType::B);
    node.machine.query(node.time(), name("LAB<1c>"), QueryTarget::Default);
    let trn = node.trn();
    for host in 100..200 {
        let address = Ipv4Addr::new(10, 0, 0, host);
        node.unicast(address, &yes(trn, "LAB<1c>", GROUP, address));
    }
    node.pass(250);
    assert_eq!(resolved(&mut node).1.len(), 25);
}

#[test]
fn m_and_h_nodes_ask_both_in_their_order() {
    let mut node = Node::new(NodeType::M);
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    node.pass(750);
    let b = (0x0110, SUBNET_BROADCAST);
    assert_eq!(node.flags(), [b, b, b, (0x0100, WINS)]);

    let mut node = Node::new(NodeType::H);
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    let trn = node.trn();
    let no = Packet::negative_query_response(trn, name("PC<20>"), Rcode::NAM_ERR).unwrap();
    // The form of WINS: ANCOUNT 0 although a record follows.
    node.unicast(WINS, &no.with(NmFlags::RA).with_ancount_0());
    node.pass(749);
    assert_eq!(node.flags(), [b, b, b]);
    node.pass(1);
    assert_eq!(unresolved(&mut node), ResolveError::NotFound);
}

#[test]
fn p_node_asks_the_second_name_server_when_the_first_is_silent_not_when_it_says_no() {
    for silent in [true, false] {
        let mut node = Node::with(NodeType::P, Limits::default(), |config| config.wins.push(SECOND_WINS));
        node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
        if silent {
            node.pass(15_000);
            assert_eq!(node.flags(), [WINS, WINS, WINS, SECOND_WINS].map(|server| (0x0100, server)));
        } else {
            let trn = node.trn();
            let no = Packet::negative_query_response(trn, name("PC<20>"), Rcode::NAM_ERR).unwrap();
            node.unicast(WINS, &no);
            assert_eq!(unresolved(&mut node), ResolveError::NotFound);
            assert_eq!(node.flags(), []);
        }
    }
    let mut node = Node::with(NodeType::P, Limits::default(), |config| config.wins.clear());
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    assert_eq!(unresolved(&mut node), ResolveError::NoNameServer);
}

#[test]
fn a_wack_to_a_query_puts_the_time_off() {
    let mut node = Node::new(NodeType::P);
    node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
    let trn = node.trn();
    node.unicast(WINS, &Packet::wack(trn, name("PC<20>"), 30, Flags::QUERY));
    node.pass(29_000);
    assert_eq!(node.flags(), []);
    node.unicast(WINS, &yes(trn, "PC<20>", UNIQUE, FAR));
    assert_eq!(resolved(&mut node), (UNIQUE, vec![FAR], Origin::Server(WINS)));
}

#[test]
fn own_names_are_known() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE), ("LAB<00>", GROUP)]);
    for (text, kind) in [("HOST<20>", UNIQUE), ("LAB<00>", GROUP)] {
        node.machine.query(node.time(), name(text), QueryTarget::Default);
        assert_eq!(resolved(&mut node), (kind, vec![OWN], Origin::Local));
        assert_eq!(node.flags(), []);
    }
    node.machine.query(node.time(), name("LAB<00>"), QueryTarget::Broadcast);
    assert_eq!(node.flags(), [(0x0110, SUBNET_BROADCAST)], "unless somebody in particular is asked");
}

#[test]
fn answers_are_remembered_as_long_as_they_say_at_most_ten_minutes() {
    for (ttl, seconds) in [(300, 300), (300_000, 600), (timers::INFINITE_TTL, 600)] {
        let mut node = Node::new(NodeType::B);
        node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
        let trn = node.trn();
        node.unicast(OTHER, &Packet::positive_query_response(trn, name("PC<20>"), ttl, entry(UNIQUE, OTHER)));
        resolved(&mut node);
        node.pass(seconds * 1000 - 1);
        node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
        assert_eq!(resolved(&mut node), (UNIQUE, vec![OTHER], Origin::Cache));
        assert_eq!(node.flags(), []);
        node.pass(1);
        assert_eq!(node.machine.cached(node.time(), &name("PC<20>")), None);
        node.machine.query(node.time(), name("PC<20>"), QueryTarget::Default);
        assert_eq!(node.flags().len(), 1);
    }
}

#[test]
fn the_cache_is_bounded_and_can_be_emptied() {
    let mut limits = Limits::default();
    limits.name_cache_entries = 3;
    let mut node = Node::with(NodeType::B, limits, |_| {});
    let learn = |node: &mut Node, text: &str, ttl| {
        node.machine.query(node.time(), name(text), QueryTarget::Default);
        let trn = node.trn();
        node.unicast(OTHER, &Packet::positive_query_response(trn, name(text), ttl, entry(UNIQUE, OTHER)));
        resolved(node);
    };
    for (text, ttl) in [("A", 400), ("B", 100), ("C", 300), ("D", 200)] {
        learn(&mut node, text, ttl);
    }
    let known = |node: &Node| node.machine.cache().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(known(&node), ["A<00>", "C<00>", "D<00>"], "what would be forgotten soonest went");
    assert!(node.machine.forget(&name("C")));
    assert!(!node.machine.forget(&name("C")));
    assert_eq!(known(&node), ["A<00>", "D<00>"]);
    node.machine.clear_cache();
    assert!(known(&node).is_empty());
}

#[test]
fn lmhosts_entries_are_asked_before_and_after_the_network() {
    let mut node = Node::new(NodeType::B);
    let text = "192.0.2.7 FIRST #PRE #DOM:LAB\n192.0.2.8 LAST\n";
    node.machine.set_lmhosts(Lmhosts::parse(text, |_| None));
    for text in ["FIRST<00>", "FIRST<03>", "FIRST<20>"] {
        node.machine.query(node.time(), name(text), QueryTarget::Default);
        assert_eq!(resolved(&mut node), (UNIQUE, vec![FAR], Origin::Lmhosts));
    }
    node.machine.query(node.time(), name("LAB<1c>"), QueryTarget::Default);
    assert_eq!(resolved(&mut node), (GROUP, vec![FAR], Origin::Lmhosts));
    assert_eq!(node.flags(), []);
    node.machine.clear_cache();
    assert_eq!(node.machine.cache().count(), 4, "they are no answers");

    node.machine.query(node.time(), name("LAST<20>"), QueryTarget::Default);
    node.pass(750);
    assert_eq!(node.flags().len(), 3);
    assert_eq!(resolved(&mut node), (UNIQUE, vec![Ipv4Addr::new(192, 0, 2, 8)], Origin::Lmhosts));
    node.machine.query(node.time(), name("LAST<20>"), QueryTarget::Broadcast);
    node.pass(750);
    assert_eq!(unresolved(&mut node), ResolveError::NoAnswer);
}

#[test]
fn node_status_is_asked_and_read() {
    let mut node = Node::new(NodeType::B);
    let query = node.machine.node_status(node.time(), FAR, NetbiosName::WILDCARD);
    let sent = node.sent().unwrap();
    assert_eq!(sent.destination, at(FAR), "off-link hosts may be asked");
    let packet = Packet::decode(&sent.bytes).unwrap();
    let trn = packet.header().name_trn_id;
    assert_eq!(packet, Packet::node_status(trn, NetbiosName::WILDCARD, Cast::Unicast));
    let names = [
        NameEntry { name: name("PC<00>"), flags: NameFlags::ACTIVE },
        NameEntry { name: name("LAB<00>"), flags: NameFlags::ACTIVE | NameFlags::GROUP },
    ];
    let statistics = Statistics { unit_id: [1, 2, 3, 4, 5, 6], ..Statistics::default() };
    let status = NodeStatus::new(names, &statistics).unwrap();
    let answer = Packet::node_status_response(trn, NetbiosName::WILDCARD, status);
    node.unicast(OTHER, &answer);
    assert_eq!(node.dropped(DropReason::WrongSource), 1);
    node.unicast(FAR, &answer);
    let unit_id = Some([1, 2, 3, 4, 5, 6]);
    let expected = Event::NodeStatus { query, peer: at(FAR), names: names.to_vec(), unit_id, partial: false };
    assert_eq!(node.event(), Some(expected));
    node.unicast(FAR, &answer);
    assert_eq!(node.dropped(DropReason::Duplicate), 1);

    node.machine.node_status(node.time(), OTHER, NetbiosName::WILDCARD);
    node.pass(15_000);
    assert_eq!(node.flags(), [(0, OTHER); 3]);
    assert_eq!(unresolved(&mut node), ResolveError::NoAnswer);
    assert!(node.machine.is_idle());
}

#[test]
fn a_node_status_with_names_left_out_is_partial() {
    let mut node = Node::new(NodeType::B);
    node.machine.node_status(node.time(), OTHER, NetbiosName::WILDCARD);
    let trn = node.trn();
    let status = NodeStatus::new([], &Statistics::default()).unwrap();
    let answer = Packet::node_status_response(trn, NetbiosName::WILDCARD, status).with(NmFlags::TC);
    node.unicast(OTHER, &answer);
    assert!(matches!(node.event(), Some(Event::NodeStatus { partial: true, .. })));
}

#[test]
fn open_queries_are_bounded_and_can_be_cancelled() {
    let mut limits = Limits::default();
    limits.name_queries = 2;
    let mut node = Node::with(NodeType::B, limits, |_| {});
    let first = node.machine.query(node.time(), name("A"), QueryTarget::Default);
    let trn = node.trn();
    node.machine.query(node.time(), name("B"), QueryTarget::Default);
    node.machine.query(node.time(), name("C"), QueryTarget::Default);
    assert_eq!(unresolved(&mut node), ResolveError::TooMany);
    assert_eq!(node.machine.open_queries(), 2);
    assert!(node.machine.cancel(first));
    assert!(!node.machine.cancel(first));
    node.unicast(OTHER, &yes(trn, "A", UNIQUE, OTHER));
    assert_eq!(node.dropped(DropReason::Unsolicited), 1);
    // One that has its answer makes room.
    node.flags();
    node.machine.query(node.time(), name("D"), QueryTarget::Default);
    let trn = node.trn();
    node.unicast(OTHER, &yes(trn, "D", UNIQUE, OTHER));
    resolved(&mut node);
    node.machine.query(node.time(), name("E"), QueryTarget::Default);
    assert_eq!(node.event(), None);
    assert_eq!(node.machine.open_queries(), 2);
    assert!(node.machine.poll_timeout().unwrap() <= node.time() + Duration::from_millis(250));
}
