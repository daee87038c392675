//! One node: what it registers, defends and releases, what it answers, and what it does not.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use mailslot::service::names::{
    Config, DropReason, Event, Input, NameKind, NameService, NameState, NodeType, Refusal, RegisterError,
    Subnet, timers,
};
use mailslot::service::{Limits, Machine, Transmit};
use mailslot::wire::name::{NetbiosName, Scope, ScopedName, scope_labels};
use mailslot::wire::nbns::{
    AddrEntry, Cast, Flags, NameFlags, NbFlags, NmFlags, NodeStatus, Opcode, Packet, PacketKind, Rcode, Rdata,
};
use mailslot::wire::{Decode, Encode};

pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
pub(crate) const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 20);
pub(crate) const LOWER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
pub(crate) const SUBNET_BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 255);
pub(crate) const WINS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);
pub(crate) const SECOND_WINS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 2);

pub(crate) fn name(text: &str) -> NetbiosName {
    text.parse().unwrap()
}

pub(crate) const fn at(address: Ipv4Addr) -> SocketAddrV4 {
    SocketAddrV4::new(address, 137)
}

pub(crate) fn entry(kind: NameKind, address: Ipv4Addr) -> AddrEntry {
    AddrEntry::new(NbFlags::new(NodeType::B, kind == NameKind::Group), address)
}

/// A node and its time, in milliseconds.
pub(crate) struct Node {
    pub(crate) machine: NameService,
    pub(crate) now: u64,
}

impl Node {
    pub(crate) fn new(node_type: NodeType) -> Self {
        Self::with(node_type, Limits::default(), |_| {})
    }

    pub(crate) fn with(node_type: NodeType, limits: Limits, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(OWN, 24);
        config.node_type = node_type;
        if node_type != NodeType::B {
            config.wins = vec![WINS];
        }
        change(&mut config);
        Self { machine: NameService::new(config, limits, 7), now: 0 }
    }

    /// A B node that has these names.
    pub(crate) fn owning(names: &[(&str, NameKind)]) -> Self {
        let mut node = Self::new(NodeType::B);
        for (text, kind) in names {
            node.register(text, *kind);
        }
        node.pass(5000);
        while node.machine.poll_transmit().is_some() {}
        while node.event().is_some() {}
        node
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_millis(self.now)
    }

    pub(crate) fn register(&mut self, text: &str, kind: NameKind) {
        self.machine.register(self.time(), name(text), kind).unwrap();
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.time() + Duration::from_millis(millis);
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.machine.handle_timeout(due);
        }
        self.now += millis;
        self.machine.handle_timeout(self.time());
    }

    pub(crate) fn hear(&mut self, peer: SocketAddrV4, broadcast: bool, bytes: &[u8]) {
        let now = self.time();
        self.machine.handle_input(now, Input { peer, broadcast, bytes });
    }

    /// A packet from the name service of `peer`, sent to this node alone.
    pub(crate) fn unicast(&mut self, peer: Ipv4Addr, packet: &Packet<'_>) {
        self.hear(at(peer), false, &packet.to_bytes());
    }

    pub(crate) fn broadcast(&mut self, peer: Ipv4Addr, packet: &Packet<'_>) {
        self.hear(at(peer), true, &packet.to_bytes());
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.machine.poll_event()
    }

    pub(crate) fn sent(&mut self) -> Option<Transmit> {
        self.machine.poll_transmit()
    }

    /// The flags words and destinations of all that is to be sent.
    pub(crate) fn flags(&mut self) -> Vec<(u16, Ipv4Addr)> {
        std::iter::from_fn(|| self.sent())
            .map(|sent| (Packet::decode(&sent.bytes).unwrap().header().flags.0, *sent.destination.ip()))
            .collect()
    }

    /// The transaction of the one packet that is to be sent.
    pub(crate) fn trn(&mut self) -> u16 {
        let sent = self.sent().expect("a packet to send");
        let trn = Packet::decode(&sent.bytes).unwrap().header().name_trn_id;
        assert_eq!(self.sent(), None);
        trn
    }

    pub(crate) fn state(&self, text: &str) -> Option<NameState> {
        let wanted = name(text);
        self.machine.names().find(|local| local.name == wanted).map(|local| local.state)
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.machine.stats().dropped(reason)
    }

    /// Every packet is accounted for.
    pub(crate) fn assert_counted(&self) {
        let stats = self.machine.stats();
        let outcomes = stats.answered_queries
            + stats.answered_statuses
            + stats.defended
            + stats.yielded
            + stats.accepted
            + stats.drops().map(|(_, count)| count).sum::<u64>();
        assert_eq!(stats.received, outcomes);
    }
}

const UNIQUE: NameKind = NameKind::Unique;
const GROUP: NameKind = NameKind::Group;

#[test]
fn b_node_asks_three_times_then_demands_and_has_the_name() {
    let mut node = Node::new(NodeType::B);
    node.register("HOST<20>", UNIQUE);
    let mut seen = Vec::new();
    let mut ids = Vec::new();
    for millis in [0, 250, 250, 250] {
        node.pass(millis);
        let sent = node.sent().expect("one packet each time");
        assert_eq!(node.sent(), None);
        let packet = Packet::decode(&sent.bytes).unwrap();
        assert_eq!(sent.destination, at(SUBNET_BROADCAST));
        assert_eq!(packet.name().unwrap().name, name("HOST<20>"));
        assert_eq!(packet.additional().unwrap().ttl(), 300_000);
        assert_eq!(packet.addr_entries().unwrap().iter().next(), Some(entry(UNIQUE, OWN)));
        ids.push(packet.header().name_trn_id);
        seen.push(packet.header().flags.0);
    }
    assert_eq!(seen, [0x2910, 0x2910, 0x2910, 0x2810]);
    assert!(ids.iter().all(|id| *id == ids[0]), "one transaction: {ids:?}");
    assert_eq!(node.event(), Some(Event::Registered { name: name("HOST<20>"), kind: UNIQUE }));
    assert!(node.machine.owns(&name("HOST<20>")));
    assert!(!node.machine.is_idle(), "objections still count");
    node.pass(1000);
    assert!(node.machine.is_idle());
    assert_eq!(node.machine.poll_timeout(), None, "a B node refreshes nothing");
    assert_eq!(node.flags(), []);
}

#[test]
fn a_name_that_is_being_claimed_is_not_answered_for() {
    let mut node = Node::new(NodeType::B);
    node.register("HOST<20>", UNIQUE);
    node.flags();
    node.broadcast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Broadcast));
    assert_eq!(node.sent(), None);
    assert_eq!(node.dropped(DropReason::NotOurs), 1);
}

#[test]
fn an_objection_ends_the_claim() {
    for (rcode, peer) in [(Rcode::ACT_ERR, OTHER), (Rcode::CFT_ERR, LOWER)] {
        let mut node = Node::new(NodeType::B);
        node.register("HOST<20>", UNIQUE);
        let trn = node.trn();
        let owner = entry(UNIQUE, peer);
        let no = Packet::negative_registration_response(trn, name("HOST<20>"), rcode, owner).unwrap();
        node.unicast(peer, &no);
        let refusal = Refusal::Owner(peer);
        assert_eq!(node.event(), Some(Event::Refused { name: name("HOST<20>"), refusal }));
        assert!(node.machine.all_released());
        node.pass(5000);
        assert_eq!(node.flags(), []);
        // The name may be claimed again.
        node.register("HOST<20>", UNIQUE);
    }
}

/// A B node whose claim was refused, at time 0.
fn refused() -> Node {
    let mut node = Node::new(NodeType::B);
    node.register("HOST<20>", UNIQUE);
    let trn = node.trn();
    let owner = entry(UNIQUE, OTHER);
    let no = Packet::negative_registration_response(trn, name("HOST<20>"), Rcode::ACT_ERR, owner).unwrap();
    node.unicast(OTHER, &no);
    assert!(matches!(node.event(), Some(Event::Refused { .. })));
    node
}

#[test]
fn a_refused_name_is_claimed_again_after_a_minute() {
    let mut node = refused();
    node.pass(59_999);
    assert_eq!((node.flags(), node.state("HOST<20>")), (vec![], None));
    node.pass(1);
    assert_eq!(node.flags(), [(0x2910, SUBNET_BROADCAST)]);
    assert_eq!(node.state("HOST<20>"), Some(NameState::Registering));
    node.pass(2000);
    assert_eq!(node.event(), Some(Event::Registered { name: name("HOST<20>"), kind: UNIQUE }));
    node.flags();
    node.pass(600_000);
    assert_eq!(node.flags(), [], "it is not claimed once more");
}

#[test]
fn a_refused_name_that_is_withdrawn_is_not_claimed_again() {
    let (mut withdrawn, mut ended) = (refused(), refused());
    assert!(!withdrawn.machine.release(Duration::ZERO, &name("HOST<20>")), "it is not in the table");
    ended.machine.release_all(Duration::ZERO);
    for node in [&mut withdrawn, &mut ended] {
        node.pass(600_000);
        assert_eq!(node.flags(), []);
        assert!(node.machine.all_released());
    }
}

#[test]
fn refused_names_are_bounded_with_the_others() {
    let mut node = refused();
    let mut limits = Limits::default();
    limits.local_names = 2;
    let mut small = Node::with(NodeType::B, limits, |_| {});
    small.register("A<00>", UNIQUE);
    let trn = small.trn();
    let owner = entry(UNIQUE, OTHER);
    let no = Packet::negative_registration_response(trn, name("A<00>"), Rcode::ACT_ERR, owner).unwrap();
    small.unicast(OTHER, &no);
    small.register("B<00>", UNIQUE);
    let full = small.machine.register(small.time(), name("C<00>"), UNIQUE);
    assert_eq!(full, Err(RegisterError::TooMany { max: 2 }));
    // Claiming the same name at once is no second one.
    node.register("HOST<20>", UNIQUE);
    node.pass(600_000);
    assert_eq!(node.machine.names().len(), 1);
}

#[test]
fn an_objection_to_the_demand_is_a_conflict_for_one_second() {
    for (late, state) in [(900, NameState::Conflict), (1100, NameState::Active)] {
        let mut node = Node::new(NodeType::B);
        node.register("HOST<20>", UNIQUE);
        let trn = node.trn();
        node.pass(750);
        node.flags();
        node.pass(late);
        node.unicast(OTHER, &Packet::name_conflict_demand(trn, name("HOST<20>")));
        assert_eq!(node.state("HOST<20>"), Some(state));
        assert_eq!(node.dropped(DropReason::Unsolicited), u64::from(state == NameState::Active));
        // A name in conflict is neither answered for nor defended, and shown as such.
        node.broadcast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Broadcast));
        let claim = Packet::registration(2, name("HOST<20>"), entry(UNIQUE, OTHER), 0, Cast::Broadcast);
        node.broadcast(OTHER, &claim);
        let answers = if state == NameState::Active { 2 } else { 0 };
        assert_eq!(node.flags().len(), answers);
        assert!(node.machine.release(node.time(), &name("HOST<20>")));
        let releases = node.flags().len();
        assert_eq!(releases, usize::from(state == NameState::Active), "another node's name is not released");
    }
}

#[test]
fn objections_count_only_with_transaction_name_and_a_source_on_the_subnet() {
    let mut node = Node::new(NodeType::B);
    node.register("HOST<20>", UNIQUE);
    let trn = node.trn();
    let no = |trn, text, rcode| {
        Packet::negative_registration_response(trn, name(text), rcode, entry(UNIQUE, OTHER)).unwrap()
    };
    node.unicast(OTHER, &no(trn ^ 1, "HOST<20>", Rcode::ACT_ERR));
    node.unicast(OTHER, &no(trn, "HOST<00>", Rcode::ACT_ERR));
    node.unicast(FAR, &no(trn, "HOST<20>", Rcode::CFT_ERR));
    node.unicast(
        OTHER,
        &Packet::positive_registration_response(trn, name("HOST<20>"), 9, entry(UNIQUE, OTHER)),
    );
    node.unicast(OTHER, &Packet::wack(trn, name("HOST<20>"), 9, Flags::REGISTRATION));
    for (reason, count) in [
        (DropReason::Unsolicited, 1),
        (DropReason::WrongName, 1),
        (DropReason::WrongSource, 1),
        (DropReason::WrongKind, 2),
    ] {
        assert_eq!(node.dropped(reason), count, "{}", reason.name());
    }
    node.pass(750);
    assert!(node.machine.owns(&name("HOST<20>")));
    node.assert_counted();
}

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

/// smbtorture nbt.register: register_own sends 2810 and 2910, refresh_own 4000, all unicast.
#[test]
fn claims_to_an_own_unique_name_are_refused() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    let scoped = name("HOST<20>");
    let theirs = entry(UNIQUE, OTHER);
    let requests = [
        Packet::overwrite(0x1111, scoped, theirs, 1234, Cast::Unicast),
        Packet::registration(0x2222, scoped, theirs, 1234, Cast::Unicast),
        Packet::refresh(0x3333, scoped, theirs, 1234, Cast::Unicast),
        Packet::multihomed_registration(0x4444, scoped, theirs, 1234),
        Packet::registration(0x5555, scoped, entry(GROUP, OTHER), 1234, Cast::Broadcast),
    ];
    for request in &requests {
        let source = SocketAddrV4::new(OTHER, 40_000);
        node.hear(source, request.header().flags.nm_flags().contains(NmFlags::B), &request.to_bytes());
        let sent = node.sent().expect("a refusal");
        assert_eq!(sent.destination, source, "to the port of the request");
        let answer = Packet::decode(&sent.bytes).unwrap();
        assert_eq!(answer.header().name_trn_id, request.header().name_trn_id);
        assert_eq!(answer.header().flags.0, 0xad86);
        assert_eq!(answer.header().flags.opcode(), Opcode::REGISTRATION);
        assert_eq!(answer.name().unwrap().name, scoped);
        assert_eq!(answer.addr_entries().unwrap().iter().collect::<Vec<_>>(), [entry(UNIQUE, OWN)]);
    }
    assert_eq!(node.machine.stats().defended, 5);
    assert!(node.machine.owns(&scoped));
}

#[test]
fn groups_are_shared_but_not_given_to_one() {
    let mut node = Node::owning(&[("LAB<1e>", GROUP)]);
    let claim = |kind| Packet::registration(1, name("LAB<1e>"), entry(kind, OTHER), 0, Cast::Broadcast);
    node.broadcast(OTHER, &claim(GROUP));
    assert_eq!(node.flags(), []);
    assert_eq!(node.dropped(DropReason::Tolerated), 1);
    node.broadcast(OTHER, &claim(UNIQUE));
    assert_eq!(node.flags(), [(0xad86, OTHER)]);
    assert!(node.machine.is_group(&name("LAB<1e>")));
}

#[test]
fn own_claims_heard_again_and_claims_to_the_wildcard_are_not_refused() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    let claim = Packet::registration(1, name("HOST<20>"), entry(UNIQUE, OWN), 0, Cast::Broadcast);
    node.broadcast(OWN, &claim);
    assert_eq!(node.dropped(DropReason::OwnClaim), 1);
    let claim = Packet::registration(1, NetbiosName::WILDCARD, entry(UNIQUE, OTHER), 0, Cast::Broadcast);
    node.broadcast(OTHER, &claim);
    assert_eq!(node.dropped(DropReason::Tolerated), 1);
    let claim = Packet::registration(1, name("PC<00>"), entry(UNIQUE, OTHER), 0, Cast::Broadcast);
    node.broadcast(OTHER, &claim);
    assert_eq!(node.dropped(DropReason::NotOurs), 1);
    assert_eq!(node.flags(), []);
}

#[test]
fn claims_of_an_interface_that_came_later_are_own() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    let claim = Packet::registration(1, name("HOST<20>"), entry(UNIQUE, OTHER), 0, Cast::Broadcast);
    node.machine.set_own_addresses(vec![OTHER]);
    node.broadcast(OTHER, &claim);
    assert_eq!((node.dropped(DropReason::OwnClaim), node.flags()), (1, vec![]));
    // And when it is gone, its address may be another computer's.
    node.machine.set_own_addresses(Vec::new());
    node.broadcast(OTHER, &claim);
    assert_eq!((node.dropped(DropReason::OwnClaim), node.flags().len()), (1, 1));
}

#[test]
fn of_two_that_claim_at_once_the_lower_address_goes_first() {
    let claim = |peer| Packet::registration(1, name("HOST<20>"), entry(UNIQUE, peer), 0, Cast::Broadcast);
    let demand = |peer| Packet::overwrite(1, name("HOST<20>"), entry(UNIQUE, peer), 0, Cast::Broadcast);
    // (rival, its packet, how long after the own first request, whether this node yields)
    for (rival, packet, late, yields) in [
        (OTHER, claim(OTHER), 100, false),
        (LOWER, claim(LOWER), 100, true),
        (OTHER, demand(OTHER), 100, true),
        (OTHER, demand(OTHER), 800, false),
        (LOWER, demand(LOWER), 800, true),
        (LOWER, claim(LOWER), 800, false),
        (LOWER, demand(LOWER), 2000, false),
    ] {
        let mut node = Node::new(NodeType::B);
        node.register("HOST<20>", UNIQUE);
        node.pass(late);
        node.flags();
        node.broadcast(rival, &packet);
        assert_eq!(node.machine.stats().yielded, u64::from(yields), "{rival} {late}");
        assert_eq!(node.machine.owns(&name("HOST<20>")), late > 750 && !yields);
        let refused = late > 750 && !yields;
        assert_eq!(node.flags().len(), usize::from(refused), "only an owner objects");
    }
}

#[test]
fn queries_for_own_names_are_answered() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE), ("LAB<00>", GROUP)]);
    let source = SocketAddrV4::new(OTHER, 50_123);
    for (text, kind) in [("HOST<20>", UNIQUE), ("LAB<00>", GROUP), ("*", UNIQUE)] {
        for cast in [Cast::Unicast, Cast::Broadcast] {
            let query = Packet::query(0xbeef, name(text), cast).to_bytes();
            node.hear(source, cast == Cast::Broadcast, &query);
            let sent = node.sent().expect("an answer");
            assert_eq!(sent.destination, source);
            let packet = Packet::decode(&sent.bytes).unwrap();
            assert_eq!((packet.header().name_trn_id, packet.header().flags.0), (0xbeef, 0x8500));
            assert_eq!(packet.kind(), PacketKind::PositiveQueryResponse);
            assert_eq!(packet.answer().unwrap().ttl(), 300_000);
            assert_eq!(packet.addr_entries().unwrap().iter().collect::<Vec<_>>(), [entry(kind, OWN)]);
        }
    }
    node.unicast(OTHER, &Packet::query(1, name("HOST<00>"), Cast::Unicast));
    assert_eq!(node.flags(), [], "a node that does not have the name says nothing");
    assert_eq!(node.dropped(DropReason::NotOurs), 1);
}

#[test]
fn node_status_is_answered_with_the_table() {
    let mut node = Node::with(NodeType::M, Limits::default(), |config| {
        config.wins = Vec::new();
        config.unit_id = [2, 0, 0, 1, 2, 3];
        config.permanent = Some(name("HOST<00>"));
    });
    node.register("HOST<00>", UNIQUE);
    node.register("LAB<00>", GROUP);
    node.pass(5000);
    node.register("NEW<03>", UNIQUE);
    node.flags();
    for asked in [NetbiosName::WILDCARD, name("LAB<00>")] {
        node.unicast(OTHER, &Packet::node_status(5, asked, Cast::Unicast));
        let sent = node.sent().expect("an answer");
        let packet = Packet::decode(&sent.bytes).unwrap();
        assert_eq!(packet.header().flags.0, 0x8400);
        assert_eq!(packet.name().unwrap().name, asked);
        let Some(Rdata::NodeStatus(status)) = packet.answer().map(|record| record.rdata()) else {
            panic!("{packet:?}");
        };
        let names: Vec<_> =
            status.names().map(|entry| (entry.name.to_string(), entry.flags.bits())).collect();
        assert_eq!(names, [("HOST<00>".to_owned(), 0x4600), ("LAB<00>".to_owned(), 0xc400)]);
        assert_eq!(status.unit_id(), Some([2, 0, 0, 1, 2, 3]));
        assert_eq!(status.statistics_bytes().len(), 46);
    }
    node.unicast(OTHER, &Packet::node_status(5, name("PC<00>"), Cast::Unicast));
    assert_eq!(node.sent(), None);
}

#[test]
fn node_status_shows_conflict_and_release() {
    let mut node = Node::owning(&[("A<00>", UNIQUE), ("B<00>", UNIQUE)]);
    assert!(node.machine.set_conflict(&name("A<00>")));
    assert!(node.machine.release(node.time(), &name("B<00>")));
    node.flags();
    node.unicast(OTHER, &Packet::node_status(5, NetbiosName::WILDCARD, Cast::Unicast));
    let sent = node.sent().unwrap();
    let packet = Packet::decode(&sent.bytes).unwrap();
    let Some(Rdata::NodeStatus(status)) = packet.answer().map(|record| record.rdata()) else {
        panic!("{packet:?}");
    };
    let flags: Vec<_> = status.names().map(|entry| entry.flags).collect();
    let active = NameFlags::ACTIVE;
    assert_eq!(flags, [active | NameFlags::CONFLICT, active | NameFlags::DEREGISTER]);
}

#[test]
fn answers_have_at_most_576_bytes() {
    for (scope, most) in [("", NodeStatus::MAX_NAMES_IN_576), ("lab.example.com", 25)] {
        let mut node = Node::with(NodeType::B, Limits::default(), |config| config.set_scope(scope).unwrap());
        for number in 0..60 {
            node.register(&format!("NAME{number}<00>"), UNIQUE);
        }
        node.pass(5000);
        node.flags();
        let labels = scope_labels(scope).unwrap();
        let asked = ScopedName::new(NetbiosName::WILDCARD, Scope::from_labels(&labels).unwrap());
        node.unicast(OTHER, &Packet::node_status(5, asked, Cast::Unicast));
        let sent = node.sent().unwrap();
        assert!(sent.bytes.len() <= timers::MAX_DATAGRAM_LENGTH, "{}", sent.bytes.len());
        assert!(sent.bytes.len() > timers::MAX_DATAGRAM_LENGTH - 18, "no room is wasted");
        let packet = Packet::decode(&sent.bytes).unwrap();
        assert!(packet.header().flags.nm_flags().contains(NmFlags::TC));
        let Some(Rdata::NodeStatus(status)) = packet.answer().map(|record| record.rdata()) else {
            panic!("{packet:?}");
        };
        assert_eq!((status.names().count(), status.is_partial()), (most, false));
        assert_eq!(node.machine.stats().truncated_statuses, 1);
    }
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
}

#[test]
fn responses_empty_and_damaged_packets_are_never_answered() {
    let mut node = Node::owning(&[("HOST<20>", UNIQUE)]);
    node.hear(at(OTHER), false, &[]);
    assert_eq!(node.dropped(DropReason::Empty), 1);
    for length in 1..50 {
        let query = Packet::query(1, name("HOST<20>"), Cast::Unicast).to_bytes();
        node.hear(at(OTHER), false, &query[..length]);
    }
    assert_eq!(node.dropped(DropReason::Damaged), 49);
    for flags in 0x80..=0xff {
        let mut query = Packet::query(1, name("HOST<20>"), Cast::Unicast).to_bytes();
        query[2] = flags;
        node.hear(at(OTHER), false, &query);
    }
    assert_eq!(node.dropped(DropReason::Unsolicited), 128);
    for opcode in [1_u8, 2, 3, 4, 7, 10, 11, 12, 13, 14] {
        let mut query = Packet::query(1, name("HOST<20>"), Cast::Unicast).to_bytes();
        query[2] = opcode << 3;
        node.hear(at(OTHER), false, &query);
    }
    assert_eq!(node.dropped(DropReason::Unsupported), 10);
    assert_eq!(node.flags(), []);
    node.assert_counted();
}

#[test]
fn other_scopes_are_other_networks() {
    let mut node =
        Node::with(NodeType::B, Limits::default(), |config| config.set_scope("lab.corpx").unwrap());
    node.register("HOST<20>", UNIQUE);
    let sent = node.sent().unwrap();
    assert_eq!(Packet::decode(&sent.bytes).unwrap().name().unwrap().to_string(), "HOST<20>.lab.corpx");
    node.pass(5000);
    node.flags();
    node.unicast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Unicast));
    node.unicast(OTHER, &Packet::node_status(1, NetbiosName::WILDCARD, Cast::Unicast));
    assert_eq!(node.dropped(DropReason::OtherScope), 2);
    assert_eq!(node.flags(), []);
    let labels = scope_labels("LAB.corpX").unwrap();
    let scoped = ScopedName::new(name("HOST<20>"), Scope::from_labels(&labels).unwrap());
    node.unicast(OTHER, &Packet::query(1, scoped, Cast::Unicast));
    assert_eq!(node.flags(), [(0x8500, OTHER)]);
}

#[test]
fn answers_per_second_are_bounded_by_source_and_in_all() {
    let mut limits = Limits::default();
    limits.name_answers_per_source = 10;
    limits.name_amplified_per_source = 3;
    limits.name_amplified = 5;
    limits.name_answers = 25;
    let mut node = Node::with(NodeType::B, limits, |_| {});
    node.register("HOST<20>", UNIQUE);
    node.pass(5000);
    node.flags();
    let status = Packet::node_status(1, NetbiosName::WILDCARD, Cast::Unicast);
    let query = Packet::query(1, name("HOST<20>"), Cast::Unicast);
    for _ in 0..20 {
        node.unicast(OTHER, &status);
        node.unicast(LOWER, &status);
    }
    assert_eq!(node.flags().len(), 5, "3 to one source, the other 2");
    for _ in 0..20 {
        node.unicast(OTHER, &query);
    }
    assert_eq!(node.flags().len(), 10 - 3);
    for host in 100..200 {
        node.unicast(Ipv4Addr::new(10, 0, 0, host), &query);
    }
    assert_eq!(node.flags().len(), 25 - 5 - 7);
    assert_eq!(node.dropped(DropReason::RateLimited), 35 + 13 + 87);
    node.pass(1000);
    node.unicast(OTHER, &status);
    assert_eq!(node.flags().len(), 1, "another second");
    node.assert_counted();
}

#[test]
fn answers_that_nobody_fetches_are_bounded() {
    let mut limits = Limits::default();
    limits.name_transmits = 4;
    let mut node = Node::with(NodeType::B, limits, |_| {});
    node.register("HOST<20>", UNIQUE);
    node.pass(5000);
    node.flags();
    for _ in 0..9 {
        node.unicast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Unicast));
    }
    assert_eq!(node.flags().len(), 4);
    assert_eq!(node.dropped(DropReason::Backlog), 5);
}

#[test]
fn what_cannot_be_registered() {
    let mut limits = Limits::default();
    limits.local_names = 2;
    let mut node = Node::with(NodeType::B, limits, |_| {});
    let mut register = |text| node.machine.register(Duration::ZERO, name(text), UNIQUE);
    assert_eq!(register("*"), Err(RegisterError::Wildcard(NetbiosName::WILDCARD)));
    assert_eq!(register("A<00>"), Ok(()));
    assert_eq!(register("A<00>"), Err(RegisterError::Exists(name("A<00>"))));
    assert_eq!(register("A<20>"), Ok(()));
    assert_eq!(register("A<03>"), Err(RegisterError::TooMany { max: 2 }));
    let mut node = Node::with(NodeType::P, Limits::default(), |config| config.wins.clear());
    let result = node.machine.register(Duration::ZERO, name("A<00>"), UNIQUE);
    assert_eq!(result, Err(RegisterError::NoNameServer));
}

#[test]
fn release_is_broadcast_three_times() {
    let mut node = Node::owning(&[("A<00>", UNIQUE), ("LAB<00>", GROUP)]);
    node.machine.release_all(node.time());
    assert!(!node.machine.all_released());
    assert_eq!(node.state("A<00>"), Some(NameState::Releasing));
    for _ in 0..3 {
        assert_eq!(node.flags(), [(0x3010, SUBNET_BROADCAST); 2]);
        node.broadcast(OTHER, &Packet::query(1, name("A<00>"), Cast::Broadcast));
        node.pass(250);
    }
    assert_eq!(node.flags(), []);
    assert!(node.machine.all_released());
    assert_eq!(node.event(), Some(Event::Released { name: name("A<00>") }));
    assert_eq!(node.event(), Some(Event::Released { name: name("LAB<00>") }));
    assert!(node.machine.is_idle());
    assert!(!node.machine.release(node.time(), &name("A<00>")));
}

#[test]
fn p_node_ignores_broadcasts() {
    let mut node = Node::new(NodeType::P);
    node.register("HOST<20>", UNIQUE);
    let trn = node.trn();
    let yes = Packet::positive_registration_response(trn, name("HOST<20>"), 21_600, entry(UNIQUE, OWN));
    node.unicast(WINS, &yes);
    assert!(node.machine.owns(&name("HOST<20>")));
    node.broadcast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Broadcast));
    assert_eq!(node.dropped(DropReason::Broadcast), 1);
    assert_eq!(node.flags(), []);
    node.unicast(OTHER, &Packet::query(1, name("HOST<20>"), Cast::Unicast));
    assert_eq!(node.flags(), [(0x8500, OTHER)]);
}

#[test]
fn p_node_registers_refreshes_and_releases_with_the_name_server() {
    let mut node = Node::new(NodeType::P);
    node.register("HOST<20>", UNIQUE);
    let sent = node.sent().unwrap();
    assert_eq!(sent.destination, at(WINS));
    let packet = Packet::decode(&sent.bytes).unwrap();
    assert_eq!(packet.header().flags.0, 0x2900);
    assert_eq!(packet.addr_entries().unwrap().iter().next().unwrap().flags.bits(), 0x2000);
    let trn = packet.header().name_trn_id;
    // Only the name server can say yes, from its port.
    let yes = |trn| Packet::positive_registration_response(trn, name("HOST<20>"), 3600, entry(UNIQUE, OWN));
    node.unicast(OTHER, &yes(trn));
    node.hear(SocketAddrV4::new(WINS, 138), false, &yes(trn).to_bytes());
    assert_eq!(node.dropped(DropReason::WrongSource), 2);
    assert_eq!(node.state("HOST<20>"), Some(NameState::Registering));
    node.unicast(WINS, &yes(trn));
    assert_eq!(node.event(), Some(Event::Registered { name: name("HOST<20>"), kind: UNIQUE }));
    assert!(node.machine.is_idle());
    // Half of the TTL.
    assert_eq!(node.machine.poll_timeout(), Some(Duration::from_secs(1800)));
    node.pass(1_800_000);
    let sent = node.sent().unwrap();
    let packet = Packet::decode(&sent.bytes).unwrap();
    assert_eq!(packet.header().flags.0, 0x4000);
    assert_ne!(packet.header().name_trn_id, trn);
    node.unicast(WINS, &yes(packet.header().name_trn_id));
    assert_eq!(node.machine.poll_timeout(), Some(Duration::from_secs(3600)));
    node.machine.release(node.time(), &name("HOST<20>"));
    let sent = node.sent().unwrap();
    let packet = Packet::decode(&sent.bytes).unwrap();
    assert_eq!((packet.header().flags.0, sent.destination), (0x3000, at(WINS)));
    let trn = packet.header().name_trn_id;
    node.unicast(WINS, &Packet::positive_release_response(trn, name("HOST<20>"), entry(UNIQUE, OWN)));
    assert!(node.machine.all_released());
}

#[test]
fn a_refused_refresh_is_a_conflict() {
    let mut node = Node::new(NodeType::P);
    node.register("HOST<20>", UNIQUE);
    let trn = node.trn();
    let yes = Packet::positive_registration_response(trn, name("HOST<20>"), 0, entry(UNIQUE, OWN));
    node.unicast(WINS, &yes);
    // TTL 0 is for ever; it is refreshed all the same, as Windows does.
    assert_eq!(node.machine.poll_timeout(), Some(timers::INITIAL_REFRESH));
    node.pass(960_000);
    let trn = node.trn();
    let owner = entry(UNIQUE, OTHER);
    let no = Packet::negative_registration_response(trn, name("HOST<20>"), Rcode::ACT_ERR, owner).unwrap();
    node.unicast(WINS, &no);
    assert_eq!(node.state("HOST<20>"), Some(NameState::Conflict));
    assert_eq!(node.machine.poll_timeout(), None);
    node.machine.release(node.time(), &name("HOST<20>"));
    assert_eq!(node.flags(), [], "it is another node's there");
}

#[test]
fn a_name_server_is_asked_three_times_in_fifteen_seconds_then_the_next() {
    let mut node = Node::with(NodeType::P, Limits::default(), |config| config.wins.push(SECOND_WINS));
    node.register("HOST<20>", UNIQUE);
    let mut asked = Vec::new();
    for second in 0..31 {
        asked.extend(node.flags().into_iter().map(|(flags, server)| (second, flags, server)));
        node.pass(1000);
    }
    let expected =
        [(0, WINS), (5, WINS), (10, WINS), (15, SECOND_WINS), (20, SECOND_WINS), (25, SECOND_WINS)];
    assert_eq!(asked, expected.map(|(second, server)| (second, 0x2900, server)));
    assert_eq!(node.event(), Some(Event::NameServerSilent { name: name("HOST<20>") }));
    assert_eq!(node.state("HOST<20>"), Some(NameState::Registering), "a P node waits");
    node.pass(300_000);
    assert_eq!(node.flags(), [(0x2900, WINS)], "and tries again");
}

#[test]
fn a_wack_puts_the_answer_off_but_not_for_ever() {
    let mut node = Node::new(NodeType::P);
    node.register("HOST<20>", UNIQUE);
    let trn = node.trn();
    let wack = |ttl| Packet::wack(trn, name("HOST<20>"), ttl, Flags::REGISTRATION);
    node.unicast(WINS, &wack(20));
    node.pass(19_000);
    assert_eq!(node.flags(), []);
    node.unicast(WINS, &wack(u32::MAX));
    assert_eq!(node.machine.poll_timeout(), Some(Duration::from_secs(19 + 40)), "60 s in all");
    node.unicast(WINS, &wack(1000));
    node.pass(40_000);
    assert_eq!(node.flags(), [(0x2900, WINS)], "it is asked again");
    node.unicast(WINS, &wack(1000));
    node.pass(5_000);
    assert_eq!(node.flags(), [(0x2900, WINS)], "and has no more to grant");
    assert_eq!(node.machine.stats().accepted, 4);
}

#[test]
fn an_end_node_challenge_is_put_to_the_owner() {
    let challenge = |node: &mut Node, owner| {
        node.register("HOST<20>", UNIQUE);
        let trn = node.trn();
        node.unicast(WINS, &Packet::end_node_challenge(trn, name("HOST<20>"), 9, entry(UNIQUE, owner)));
    };
    // The owner still has it.
    let mut node = Node::new(NodeType::P);
    challenge(&mut node, FAR);
    let sent = node.sent().unwrap();
    let query = Packet::decode(&sent.bytes).unwrap();
    assert_eq!((query.header().flags.0, sent.destination), (0x0100, at(FAR)));
    let trn = query.header().name_trn_id;
    let mine = Packet::positive_query_response(trn, name("HOST<20>"), 9, entry(UNIQUE, FAR));
    node.unicast(WINS, &mine);
    assert_eq!(node.dropped(DropReason::WrongSource), 1);
    node.unicast(FAR, &mine);
    let refusal = Refusal::Owner(FAR);
    assert_eq!(node.event(), Some(Event::Refused { name: name("HOST<20>"), refusal }));

    // It does not, or does not answer.
    for answers in [true, false] {
        let mut node = Node::new(NodeType::P);
        challenge(&mut node, FAR);
        if answers {
            let trn = node.trn();
            let no = Packet::negative_query_response(trn, name("HOST<20>"), Rcode::NAM_ERR).unwrap();
            node.unicast(FAR, &no);
        } else {
            node.pass(14_999);
            assert_eq!(node.flags(), [(0x0100, FAR); 3]);
            node.pass(1);
        }
        let sent = node.sent().unwrap();
        let demand = Packet::decode(&sent.bytes).unwrap();
        assert_eq!((demand.header().flags.0, sent.destination), (0x2800, at(WINS)));
        let trn = demand.header().name_trn_id;
        let yes = Packet::positive_registration_response(trn, name("HOST<20>"), 9, entry(UNIQUE, OWN));
        node.unicast(WINS, &yes);
        assert!(node.machine.owns(&name("HOST<20>")));
    }

    // An owner that is nobody, everybody or this node is not asked.
    for owner in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, SUBNET_BROADCAST, OWN] {
        let mut node = Node::new(NodeType::P);
        challenge(&mut node, owner);
        assert_eq!(node.flags(), [(0x2800, WINS)], "{owner}");
    }
}

#[test]
fn m_node_asks_the_subnet_then_the_name_server() {
    let mut node = Node::new(NodeType::M);
    node.register("HOST<20>", UNIQUE);
    node.pass(749);
    assert_eq!(node.flags(), [(0x2910, SUBNET_BROADCAST); 3]);
    node.pass(1);
    assert!(!node.machine.owns(&name("HOST<20>")));
    let trn = node.trn();
    let yes = Packet::positive_registration_response(trn, name("HOST<20>"), 3600, entry(UNIQUE, OWN));
    node.unicast(WINS, &yes);
    assert_eq!(node.flags(), [(0x2810, SUBNET_BROADCAST)]);
    assert!(node.machine.owns(&name("HOST<20>")));
    assert_eq!(node.machine.names().next().unwrap().server, Some(WINS));
    node.pass(1000);
    node.machine.release(node.time(), &name("HOST<20>"));
    let trn = node.trn();
    node.unicast(WINS, &Packet::positive_release_response(trn, name("HOST<20>"), entry(UNIQUE, OWN)));
    assert_eq!(node.flags(), [(0x3010, SUBNET_BROADCAST)], "both");
}

#[test]
fn h_node_asks_the_name_server_and_the_subnet_if_it_is_silent() {
    let mut node = Node::new(NodeType::H);
    node.register("HOST<20>", UNIQUE);
    node.pass(15_000);
    assert_eq!(node.flags(), [(0x2900, WINS), (0x2900, WINS), (0x2900, WINS), (0x2910, SUBNET_BROADCAST)]);
    assert_eq!(node.event(), Some(Event::NameServerSilent { name: name("HOST<20>") }));
    node.pass(750);
    assert!(node.machine.owns(&name("HOST<20>")));
    node.flags();
    // The name server is asked again, and may then be there.
    node.pass(300_000);
    let trn = node.trn();
    let yes = Packet::positive_registration_response(trn, name("HOST<20>"), 3600, entry(UNIQUE, OWN));
    node.unicast(WINS, &yes);
    assert_eq!(node.machine.names().next().unwrap().server, Some(WINS));
}

#[test]
fn transaction_ids_follow_from_the_seed_and_look_random() {
    let ids = |seed| {
        let config = Config::new(OWN, 24);
        let mut machine = NameService::new(config, Limits::default(), seed);
        let mut ids = Vec::new();
        for number in 0..100 {
            machine.register(Duration::ZERO, name(&format!("N{number}")), UNIQUE).unwrap();
            let sent = machine.poll_transmit().unwrap();
            ids.push(Packet::decode(&sent.bytes).unwrap().header().name_trn_id);
        }
        ids
    };
    let first = ids(1);
    assert_eq!(first, ids(1));
    assert_ne!(first, ids(2));
    let steps = first.windows(2).filter(|pair| pair[0].wrapping_add(1) == pair[1]).count();
    assert!(steps < 3, "no counter: {first:?}");
    let mut distinct = first.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 100, "open requests have ids of their own");
}
