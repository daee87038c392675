//! Many nodes on one made-up subnet: names contested, packets lost, late, doubled and out of order, name servers
//! in every humour.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot::service::names::{
    Config, Event, NameKind, NameService, NameState, NodeType, Origin, QueryTarget, Refusal, ResolveError,
};
use mailslot::service::{Limits, Machine, Transmit};
use mailslot::wire::Decode;
use mailslot::wire::nbns::{Packet, PacketKind};

use super::lan::{Arrival, Lan, Station, Weather};
use super::names::{SUBNET_BROADCAST, name};
use super::wins::{Humour, Wins, port_137};

/// What can be on the LAN.
#[expect(clippy::large_enum_variant, reason = "few of them")]
enum Host {
    Node(NameService),
    Wins(Wins),
}

impl Station for Host {
    fn receive(&mut self, now: Duration, arrival: Arrival<'_>) {
        match self {
            Self::Node(node) => node.receive(now, arrival),
            Self::Wins(wins) => wins.receive(now, arrival),
        }
    }

    fn timeout(&mut self, now: Duration) {
        match self {
            Self::Node(node) => node.timeout(now),
            Self::Wins(wins) => wins.timeout(now),
        }
    }

    fn due(&self) -> Option<Duration> {
        match self {
            Self::Node(node) => node.due(),
            Self::Wins(wins) => wins.due(),
        }
    }

    fn transmit(&mut self) -> Option<Transmit> {
        match self {
            Self::Node(node) => node.transmit(),
            Self::Wins(wins) => wins.transmit(),
        }
    }
}

impl Host {
    fn node(&mut self) -> &mut NameService {
        match self {
            Self::Node(node) => node,
            Self::Wins(_) => panic!("a name server"),
        }
    }

    fn owns(&self, text: &str) -> bool {
        matches!(self, Self::Node(node) if node.owns(&name(text)))
    }

    fn wins(&self) -> &Wins {
        match self {
            Self::Wins(wins) => wins,
            Self::Node(_) => panic!("a node"),
        }
    }
}

const WINS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 250);

fn address(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, host)
}

fn lan(weather: Weather, seed: u64) -> Lan<Host> {
    Lan::new(SUBNET_BROADCAST, weather, seed)
}

fn add(lan: &mut Lan<Host>, host: u8, node_type: NodeType) -> usize {
    let mut config = Config::new(address(host), 24);
    config.node_type = node_type;
    if node_type != NodeType::B {
        config.wins = vec![WINS];
    }
    let seed = lan.roll();
    lan.add(port_137(address(host)), Host::Node(NameService::new(config, Limits::default(), seed)))
}

fn register(lan: &mut Lan<Host>, which: usize, text: &str, kind: NameKind) {
    lan.with(which, |now, host| host.node().register(now, name(text), kind).unwrap());
}

fn query(lan: &mut Lan<Host>, which: usize, text: &str) {
    lan.with(which, |now, host| host.node().query(now, name(text), QueryTarget::Default));
}

fn events(lan: &mut Lan<Host>, which: usize) -> Vec<Event> {
    lan.with(which, |_, host| std::iter::from_fn(|| host.node().poll_event()).collect())
}

fn owners(lan: &Lan<Host>, text: &str) -> Vec<Ipv4Addr> {
    (0..lan.len())
        .filter(|which| lan.station(*which).owns(text))
        .map(|which| *lan.socket(which).ip())
        .collect()
}

/// `hosts` nodes claim one name within `spread`; afterwards one more asks who has it.
fn contest(hosts: u8, spread: Duration, weather: Weather, seed: u64) -> (Vec<Ipv4Addr>, Lan<Host>) {
    let mut lan = lan(weather, seed);
    let mut starts = BTreeMap::new();
    for host in 1..=hosts {
        let which = add(&mut lan, host, NodeType::B);
        let micros = u64::try_from(spread.as_micros()).unwrap();
        starts.insert((Duration::from_micros(lan.roll() % (micros + 1)), which), ());
    }
    for (start, which) in starts.into_keys() {
        lan.run_until(start);
        register(&mut lan, which, "PRIZE<20>", NameKind::Unique);
    }
    lan.run_for(Duration::from_secs(5));
    let found = owners(&lan, "PRIZE<20>");
    (found, lan)
}

/// All that asks for the name hear of the same owner, and nobody else answers.
fn assert_agreed(lan: &mut Lan<Host>, owner: Ipv4Addr, seed: u64) {
    lan.weather = Weather::CALM;
    for which in 0..lan.len() {
        events(lan, which);
        query(lan, which, "PRIZE<20>");
    }
    lan.run_for(Duration::from_secs(3));
    for which in 0..lan.len() {
        let events = events(lan, which);
        let [Event::Resolved { resolution, .. }] = &events[..] else { panic!("seed {seed}: {events:?}") };
        assert_eq!(resolution.addresses, [owner], "seed {seed}");
    }
}

#[test]
fn a_name_claimed_by_two_three_or_fifty_has_one_owner() {
    for hosts in [2, 3, 50] {
        for spread in [0, 100, 1000, 3000] {
            for seed in 0..if hosts == 50 { 4 } else { 40 } {
                let spread = Duration::from_millis(spread);
                let weather = Weather { delay: (Duration::ZERO, Duration::from_millis(30)), ..Weather::CALM };
                let (owners, mut lan) = contest(hosts, spread, weather, seed);
                assert_eq!(owners.len(), 1, "{hosts} hosts within {spread:?}, seed {seed}: {owners:?}");
                assert_agreed(&mut lan, owners[0], seed);
            }
        }
    }
}

#[test]
fn who_claims_at_the_very_same_moment_loses_to_the_lowest_address() {
    let (owners, mut lan) = contest(50, Duration::ZERO, Weather::CALM, 1);
    assert_eq!(owners, [address(1)]);
    for which in 1..50 {
        let events = events(&mut lan, which);
        assert!(matches!(events[..], [Event::Refused { refusal: Refusal::Rival(_), .. }]), "{events:?}");
    }
}

#[test]
fn who_was_first_keeps_the_name() {
    let mut lan = lan(Weather::CALM, 1);
    let first = add(&mut lan, 200, NodeType::B);
    let second = add(&mut lan, 1, NodeType::B);
    register(&mut lan, first, "PRIZE<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(2));
    register(&mut lan, second, "PRIZE<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(2));
    assert_eq!(owners(&lan, "PRIZE<20>"), [address(200)]);
    let refusal = Refusal::Owner(address(200));
    assert_eq!(events(&mut lan, second), [Event::Refused { name: name("PRIZE<20>"), refusal }]);
}

/// One in ten packets lost, one in ten doubled, up to 120 ms late and out of order. That a claim passes unheard
/// takes four losses, so of these seeds none makes two owners.
#[test]
fn a_name_has_one_owner_in_a_storm() {
    for hosts in [2, 3, 50] {
        for seed in 0..if hosts == 50 { 6 } else { 60 } {
            let (owners, mut lan) = contest(hosts, Duration::from_millis(600), Weather::STORM, seed);
            assert_eq!(owners.len(), 1, "{hosts} hosts, seed {seed}: {owners:?}");
            assert_agreed(&mut lan, owners[0], seed);
        }
    }
}

#[test]
fn a_group_has_all_its_members() {
    let mut lan = lan(Weather::STORM, 5);
    for host in 1..=20 {
        let which = add(&mut lan, host, NodeType::B);
        register(&mut lan, which, "LAB<1e>", NameKind::Group);
    }
    lan.run_for(Duration::from_secs(3));
    assert_eq!(owners(&lan, "LAB<1e>").len(), 20);
    let intruder = add(&mut lan, 100, NodeType::B);
    lan.weather = Weather::CALM;
    register(&mut lan, intruder, "LAB<1e>", NameKind::Unique);
    lan.run_for(Duration::from_secs(3));
    assert_eq!(owners(&lan, "LAB<1e>").len(), 20, "not to be had for one alone");
    query(&mut lan, intruder, "LAB<1e>");
    lan.run_for(Duration::from_secs(1));
    let events = events(&mut lan, intruder);
    let Some(Event::Resolved { resolution, .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!((resolution.kind, resolution.addresses.len()), (NameKind::Group, 20));
}

/// Two halves of a network that were apart may both own a name. Nobody can be talked out of it from afar; but who
/// asks hears of it.
#[test]
fn after_a_partition_two_owners_are_noticed() {
    let mut lan = lan(Weather::CALM, 1);
    let [a, b, c] = [1, 2, 3].map(|host| add(&mut lan, host, NodeType::B));
    lan.partition(b, 1);
    register(&mut lan, a, "PRIZE<20>", NameKind::Unique);
    register(&mut lan, b, "PRIZE<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(3));
    assert_eq!(owners(&lan, "PRIZE<20>").len(), 2);
    lan.partition(b, 0);
    query(&mut lan, c, "PRIZE<20>");
    lan.run_for(Duration::from_secs(2));
    let events = events(&mut lan, c);
    assert!(matches!(&events[..], [Event::Resolved { .. }, Event::OtherOwner { .. }]), "{events:?}");
}

#[test]
fn a_query_survives_losses() {
    let mut found = 0;
    for seed in 0..50 {
        let mut lan = lan(Weather::CALM, seed);
        let [owner, asker] = [1, 2].map(|host| add(&mut lan, host, NodeType::B));
        register(&mut lan, owner, "PC<20>", NameKind::Unique);
        lan.run_for(Duration::from_secs(2));
        lan.weather = Weather { loss: 300, ..Weather::STORM };
        query(&mut lan, asker, "PC<20>");
        lan.run_for(Duration::from_secs(2));
        let events = events(&mut lan, asker);
        assert!(events.len() == 1, "one event per query, however often it is answered: {events:?}");
        found += usize::from(matches!(events[0], Event::Resolved { .. }));
    }
    // Each of the three requests and its answer arrive with 0.7 * 0.7: 87 in 100.
    assert!(found >= 38, "{found} of 50");
}

#[test]
fn a_node_that_goes_leaves_nothing_behind() {
    for node_type in [NodeType::B, NodeType::P, NodeType::M, NodeType::H] {
        let mut lan = lan(Weather::CALM, 1);
        let node = add(&mut lan, 1, node_type);
        let wins = lan.add(port_137(WINS), Host::Wins(Wins::new(Humour::Good)));
        register(&mut lan, node, "PC<20>", NameKind::Unique);
        register(&mut lan, node, "LAB<00>", NameKind::Group);
        lan.run_for(Duration::from_secs(3));
        assert!(lan.station(node).owns("PC<20>") && lan.station(node).owns("LAB<00>"), "{node_type:?}");
        let known = if node_type == NodeType::B { vec![] } else { vec![address(1)] };
        assert_eq!(lan.station(wins).wins().owners(&name("PC<20>")), known, "{node_type:?}");
        lan.with(node, |now, host| host.node().release_all(now));
        lan.run_for(Duration::from_secs(2));
        lan.with(node, |_, host| assert!(host.node().all_released(), "{node_type:?}"));
        assert!(lan.station(wins).wins().owners(&name("PC<20>")).is_empty());
        assert!(lan.station(wins).wins().owners(&name("LAB<00>")).is_empty());
    }
}

#[test]
fn a_challenged_owner_keeps_its_name_and_a_dead_one_loses_it() {
    for alive in [true, false] {
        let mut lan = lan(Weather::CALM, 1);
        let claimant = add(&mut lan, 1, NodeType::P);
        let mut wins = Wins::new(Humour::Good);
        wins.record(name("PC<20>"), address(2));
        let wins = lan.add(port_137(WINS), Host::Wins(wins));
        if alive {
            let owner = add(&mut lan, 2, NodeType::P);
            register(&mut lan, owner, "PC<20>", NameKind::Unique);
            lan.run_for(Duration::from_secs(1));
        }
        register(&mut lan, claimant, "PC<20>", NameKind::Unique);
        lan.run_for(Duration::from_secs(20));
        let winner = if alive { address(2) } else { address(1) };
        assert_eq!(owners(&lan, "PC<20>"), [winner]);
        assert_eq!(lan.station(wins).wins().owners(&name("PC<20>")), [winner]);
    }
}

#[test]
fn a_strict_name_server_refuses() {
    let mut lan = lan(Weather::CALM, 1);
    let claimant = add(&mut lan, 1, NodeType::H);
    let mut wins = Wins::new(Humour::Strict);
    wins.record(name("PC<20>"), address(2));
    lan.add(port_137(WINS), Host::Wins(wins));
    register(&mut lan, claimant, "PC<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(3));
    let events = events(&mut lan, claimant);
    let refused = matches!(&events[..], [Event::Refused { refusal: Refusal::Server { server, .. }, .. }] if *server == WINS);
    assert!(refused, "{events:?}");
    assert!(lan.trace.iter().all(|sent| sent.to != port_137(SUBNET_BROADCAST)), "the subnet is not asked");
}

#[test]
fn a_silent_or_wrong_name_server_is_as_none() {
    for humour in [Humour::Silent, Humour::WrongId, Humour::WrongName] {
        for node_type in [NodeType::P, NodeType::M, NodeType::H] {
            let mut lan = lan(Weather::CALM, 1);
            let node = add(&mut lan, 1, node_type);
            let other = add(&mut lan, 2, node_type);
            let wins = lan.add(port_137(WINS), Host::Wins(Wins::new(humour)));
            register(&mut lan, node, "PC<20>", NameKind::Unique);
            lan.run_for(Duration::from_secs(17));
            let context = format!("{humour:?} {node_type:?}");
            assert_eq!(lan.station(node).owns("PC<20>"), node_type != NodeType::P, "{context}");
            let silent = Event::NameServerSilent { name: name("PC<20>") };
            assert!(events(&mut lan, node).contains(&silent), "{context}");
            query(&mut lan, other, "PC<20>");
            lan.run_for(Duration::from_secs(17));
            match (&events(&mut lan, other)[..], node_type) {
                ([Event::Unresolved { error, .. }], NodeType::P) => {
                    assert_eq!(*error, ResolveError::NoAnswer)
                }
                ([Event::Resolved { resolution, .. }], NodeType::M | NodeType::H) => {
                    assert_eq!(resolution.origin, Origin::Broadcast(address(1)), "{context}");
                }
                (events, _) => panic!("{context}: {events:?}"),
            }
            // When it comes to its senses, all is made up for.
            let asked = lan.station(wins).wins().seen.len();
            lan.with(wins, |_, host| {
                let Host::Wins(wins) = host else { panic!() };
                wins.humour = Humour::Good;
            });
            lan.run_for(Duration::from_secs(301));
            assert!(lan.station(wins).wins().seen.len() > asked, "{context}");
            assert!(lan.station(node).owns("PC<20>"), "{context}");
            assert_eq!(lan.station(wins).wins().owners(&name("PC<20>")), [address(1)], "{context}");
        }
    }
}

#[test]
fn a_slow_name_server_is_waited_for() {
    let mut lan = lan(Weather::CALM, 1);
    let node = add(&mut lan, 1, NodeType::P);
    let humour = Humour::Slow { wack: 30, answer: Duration::from_secs(25) };
    let wins = lan.add(port_137(WINS), Host::Wins(Wins::new(humour)));
    register(&mut lan, node, "PC<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(24));
    assert!(!lan.station(node).owns("PC<20>"));
    lan.run_for(Duration::from_secs(2));
    assert!(lan.station(node).owns("PC<20>"));
    assert_eq!(lan.station(wins).wins().seen, [PacketKind::RegistrationRequest], "asked once");
}

#[test]
fn names_are_refreshed_for_as_long_as_the_node_is_there() {
    let mut lan = lan(Weather::CALM, 1);
    let node = add(&mut lan, 1, NodeType::H);
    let wins = lan.add(port_137(WINS), Host::Wins(Wins::new(Humour::Good)));
    register(&mut lan, node, "PC<20>", NameKind::Unique);
    // The server grants 6 hours; half of that is 3.
    lan.run_for(Duration::from_secs(24 * 3600));
    let seen = &lan.station(wins).wins().seen;
    assert_eq!(seen.iter().filter(|kind| **kind == PacketKind::RefreshRequest).count(), 7);
    assert_eq!(seen.len(), 8);
}

#[test]
fn all_node_types_live_on_one_subnet() {
    let mut lan = lan(Weather::STORM, 9);
    let types = [NodeType::B, NodeType::M, NodeType::H, NodeType::B];
    for (host, node_type) in (1..).zip(types) {
        let which = add(&mut lan, host, node_type);
        register(&mut lan, which, &format!("PC{host}<20>"), NameKind::Unique);
        register(&mut lan, which, "LAB<00>", NameKind::Group);
    }
    lan.add(port_137(WINS), Host::Wins(Wins::new(Humour::Good)));
    lan.run_for(Duration::from_secs(40));
    lan.weather = Weather::CALM;
    for asker in 0..types.len() {
        for host in 1..=4_u8 {
            events(&mut lan, asker);
            query(&mut lan, asker, &format!("PC{host}<20>"));
            lan.run_for(Duration::from_secs(2));
            let events = events(&mut lan, asker);
            let Some(Event::Resolved { resolution, .. }) = events.first() else {
                panic!("{asker} asks for PC{host}: {events:?}")
            };
            assert_eq!(resolution.addresses, [address(host)]);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_a_capture_shows_it() {
    let (_, first) = contest(5, Duration::from_millis(300), Weather::STORM, 77);
    let (_, again) = contest(5, Duration::from_millis(300), Weather::STORM, 77);
    assert_eq!(first.trace, again.trace);
    let (_, other) = contest(5, Duration::from_millis(300), Weather::STORM, 78);
    assert_ne!(first.trace, other.trace);
    assert!(first.trace.iter().all(|sent| Packet::decode(&sent.bytes).is_ok()));
    let pcap = first.pcap();
    let packets: usize = first.trace.iter().map(|sent| 16 + 28 + sent.bytes.len()).sum();
    assert_eq!(pcap.len(), 24 + packets);
    // With SAVE_PCAP=FILE, for a look with other eyes.
    if let Ok(path) = std::env::var("SAVE_PCAP") {
        std::fs::write(path, pcap).unwrap();
    }
}

/// A flood of forged packets: answers stay within their bounds, and names stay where they are.
#[test]
fn a_flood_changes_nothing() {
    let mut lan = lan(Weather::CALM, 1);
    let node = add(&mut lan, 1, NodeType::B);
    register(&mut lan, node, "PC<20>", NameKind::Unique);
    lan.run_for(Duration::from_secs(3));
    events(&mut lan, node);
    let before = lan.trace.len();
    for number in 0..5000_u16 {
        let from = port_137(address(2 + u8::try_from(number % 200).unwrap()));
        let trn = number;
        let forged = [
            Packet::name_conflict_demand(trn, name("PC<20>")),
            Packet::node_status(trn, name("*"), mailslot::wire::nbns::Cast::Broadcast),
        ];
        for packet in forged {
            let bytes = mailslot::wire::Encode::to_bytes(&packet);
            lan.inject(node, from, port_137(address(1)), &bytes);
        }
    }
    lan.run_for(Duration::from_millis(500));
    assert!(lan.station(node).owns("PC<20>"));
    assert_eq!(events(&mut lan, node), []);
    let answers = lan.trace[before..].iter().filter(|sent| sent.from == port_137(address(1))).count();
    assert_eq!(answers, 1000, "as many as one second allows");
    lan.with(node, |_, host| {
        let node = host.node();
        assert_eq!(node.names().map(|local| local.state).collect::<Vec<_>>(), [NameState::Active]);
    });
}
