//! Many browsers on one made-up subnet: elections, deaths, splits, and what the lists say afterwards.

use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::browser::{Candidate, Config, Controller, DomainMaster, Event, Maintain, Role};
use mailslot::wire::browser::{Criteria, ElectionOs, ElectionRoles, Version};
use mailslot::wire::name::NetbiosName;

use super::browsers::Neighbourhood;
use super::lan::Weather;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn config(name: &str, maintain: Maintain) -> Config {
    let (computer, workgroup): (NetbiosName, NetbiosName) =
        (name.parse().unwrap(), "WORKGROUP".parse().unwrap());
    let mut config = Config::new(&computer, &workgroup);
    config.maintain = maintain;
    config
}

/// Computers of all kinds: Windows 9x and NT, servers, Samba with an os level, backups by choice, non-browsers.
fn mixed(net: &mut Neighbourhood, number: usize) -> usize {
    let roll = net.lan.roll();
    let maintain = match roll % 5 {
        0 => Maintain::Yes,
        1 => Maintain::No,
        _ => Maintain::Auto,
    };
    let mut config = config(&format!("PC{number}"), if number < 2 { Maintain::Auto } else { maintain });
    let [a, b, c, d, ..] = roll.to_be_bytes();
    config.election_os = Some(match a % 4 {
        0 => ElectionOs::WFW,
        1 => ElectionOs::WORKSTATION,
        2 => ElectionOs::SERVER,
        _ => ElectionOs(b),
    });
    config.os_version = Version::new(c % 11, 0);
    config.uptime = u32::from(d) * 1000;
    config.uses_nbns = c & 1 == 1;
    net.add(config, Limits::default())
}

/// Who wins by the criteria, as they are written in MS-BRWS 2.2.3 and 3.3.5.8.
fn strongest(net: &Neighbourhood) -> usize {
    let key = |which: &usize| {
        let browser = net.browser(*which);
        let (config, role) = (browser.config(), browser.role());
        let mut roles = ElectionRoles::empty();
        roles.set(ElectionRoles::PDC, config.controller == Controller::Primary);
        roles.set(ElectionRoles::NBNS, config.uses_nbns);
        roles.set(ElectionRoles::PREFERRED, config.preferred);
        roles.set(ElectionRoles::MASTER, role.is_master());
        roles.set(ElectionRoles::BACKUP, role == Role::Backup);
        let criteria = Criteria::new(config.election_os.unwrap(), Version::new(15, 1), roles);
        let name = config.computer();
        (criteria, config.uptime, core::cmp::Reverse(name.as_bytes().to_vec()))
    };
    let alive = (0..net.lan.len())
        .filter(|which| !net.lan.station(*which).dead && net.browser(*which).role() != Role::NonBrowser);
    alive.max_by_key(key).unwrap()
}

fn all_names(net: &Neighbourhood) -> Vec<String> {
    let alive = (0..net.lan.len()).filter(|which| !net.lan.station(*which).dead);
    let mut names: Vec<String> =
        alive.map(|which| net.browser(which).config().computer().to_string()).collect();
    names.sort();
    names
}

/// All that keep a list keep the same one, and it is complete.
fn assert_lists(net: &Neighbourhood) {
    let names = all_names(net);
    for which in 0..net.lan.len() {
        if !net.lan.station(which).dead && net.browser(which).role().keeps_list() {
            let (list, role) = (net.list(which), net.browser(which).role());
            assert_eq!(list, names, "{role} {}", net.browser(which).config().computer());
        }
    }
}

#[track_caller]
fn only_master(net: &Neighbourhood) -> usize {
    let masters = net.masters();
    let [master] = masters[..] else { panic!("masters: {masters:?}") };
    master
}

#[test]
fn on_an_empty_net_a_machine_is_master_in_the_shortest_time() {
    for seed in 0..20 {
        let mut net = Neighbourhood::new(Weather::CALM, seed);
        let alone = net.add(config("ALONE", Maintain::Auto), Limits::default());
        net.start(alone);
        // FindMaster 3 x 1.5 s, delay of a potential browser 0.8 to 3 s, four rounds of 1 s, the name.
        net.lan.run_for(Duration::from_millis(4500 + 800 + 4000));
        assert_eq!(net.browser(alone).role(), Role::Potential);
        net.lan.run_for(Duration::from_millis(2200 + 750));
        assert_eq!(net.browser(alone).role(), Role::LocalMaster);
        assert_eq!(net.list(alone), ["ALONE"]);
    }
}

#[test]
fn whoever_the_criteria_name_wins() {
    for (machines, seed) in [(2, 1), (3, 2), (5, 3), (10, 4), (20, 5), (50, 6), (100, 7), (200, 8)] {
        let mut net = Neighbourhood::new(Weather::CALM, seed);
        for number in 0..machines {
            let which = mixed(&mut net, number);
            net.start(which);
        }
        net.lan.run_for(MINUTE);
        only_master(&net);
        // However often it is asked, and by whom.
        for _ in 0..3 {
            let expected = strongest(&net);
            let asks = usize::try_from(net.lan.roll()).unwrap() % machines;
            net.with(asks, |now, browser| browser.force_election(now));
            net.lan.run_for(20 * SECOND);
            assert_eq!(only_master(&net), expected, "{machines} machines");
        }
        // Everyone announces itself within 12 minutes; backups fetch the list within 12 more.
        net.lan.run_for(25 * MINUTE);
        only_master(&net);
        assert_lists(&net);
    }
}

#[test]
fn in_bad_weather_too_one_is_master_and_its_list_is_complete() {
    let weather = Weather { loss: 50, doubling: 50, delay: (Duration::ZERO, Duration::from_millis(120)) };
    for seed in 0..10 {
        let mut net = Neighbourhood::new(weather, seed);
        for number in 0..12 {
            let which = mixed(&mut net, number);
            net.start(which);
        }
        net.lan.run_for(80 * MINUTE);
        let master = only_master(&net);
        assert_eq!(net.list(master), all_names(&net), "seed {seed}");
    }
}

#[test]
fn a_master_that_leaves_is_replaced_at_once() {
    let mut net = Neighbourhood::new(Weather::CALM, 3);
    for number in 0..8 {
        let which = net.add(config(&format!("PC{number}"), Maintain::Auto), Limits::default());
        net.start(which);
    }
    net.lan.run_for(10 * MINUTE);
    let first = only_master(&net);
    net.with(first, |now, browser| browser.stop(now));
    net.kill(first);
    net.lan.run_for(15 * SECOND);
    let second = only_master(&net);
    assert_ne!(first, second);
    net.lan.run_for(25 * MINUTE);
    assert_eq!(only_master(&net), second);
    assert_lists(&net);
}

#[test]
fn a_master_that_dies_is_missed_by_its_backup() {
    let mut net = Neighbourhood::new(Weather::CALM, 4);
    for number in 0..8 {
        let which = net.add(config(&format!("PC{number}"), Maintain::Auto), Limits::default());
        net.start(which);
    }
    net.lan.run_for(30 * MINUTE);
    let first = only_master(&net);
    let backups: Vec<usize> = (0..8).filter(|which| net.browser(*which).role() == Role::Backup).collect();
    assert_eq!(backups.len(), 1, "one backup for 2 to 31 machines");
    net.kill(first);
    // The next fetch fails: 12 minutes, FindMaster, election.
    net.lan.run_for(13 * MINUTE + 15 * SECOND);
    assert_eq!(only_master(&net), backups[0]);
    net.lan.run_for(40 * MINUTE);
    assert_lists(&net);
}

/// Without a backup the others notice when three of the master's periods are over.
#[test]
fn a_master_that_dies_without_a_backup_is_missed() {
    let mut net = Neighbourhood::new(Weather::CALM, 5);
    let master = net.add(config("FIRST", Maintain::Auto), Limits::default());
    let other = net.add(config("SECOND", Maintain::Auto), Limits::default());
    net.start(master);
    net.start(other);
    net.lan.run_for(13 * SECOND);
    let first = only_master(&net);
    net.kill(first);
    // Killed before it asked for a backup: it had announced itself for 2 minutes.
    net.lan.run_for(6 * MINUTE + 15 * SECOND);
    assert_ne!(only_master(&net), first);
}

#[test]
fn a_split_subnet_has_two_masters_and_a_healed_one_has_one() {
    for seed in 0..6 {
        let mut net = Neighbourhood::new(Weather::CALM, seed);
        for number in 0..16 {
            let which = mixed(&mut net, number);
            net.start(which);
        }
        net.lan.run_for(5 * MINUTE);
        only_master(&net);
        // PC0 and PC1 are browsers and land on two sides.
        for which in (1..16).step_by(2) {
            net.partition(which, 1);
        }
        net.lan.run_for(60 * MINUTE);
        assert_eq!(net.masters().len(), 2, "seed {seed}");
        for which in 0..16 {
            net.partition(which, 0);
        }
        // A LocalMasterAnnouncement comes every 12 minutes; then one election.
        net.lan.run_for(12 * MINUTE + 10 * SECOND);
        let master = only_master(&net);
        net.lan.run_for(25 * MINUTE);
        assert_eq!(only_master(&net), master);
        assert_lists(&net);
    }
}

/// An election frame of a stranger beats everybody, and nobody becomes master. The others do not wait for it for ever.
#[test]
fn a_winner_that_never_comes_is_replaced() {
    let mut net = Neighbourhood::new(Weather::CALM, 9);
    for number in 0..4 {
        let which = net.add(config(&format!("PC{number}"), Maintain::Auto), Limits::default());
        net.start(which);
    }
    net.lan.run_for(5 * MINUTE);
    let first = only_master(&net);
    let frame = [&[8, 1, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0][..], b"NOBODY\0"].concat();
    let mut bytes = vec![0, 0];
    bytes.extend("NOBODY<00>".parse::<NetbiosName>().unwrap().as_bytes());
    bytes.extend("WORKGROUP<1e>".parse::<NetbiosName>().unwrap().as_bytes());
    bytes.extend(frame);
    net.lan.inject(first, "10.0.9.9:138".parse().unwrap(), "10.0.255.255:138".parse().unwrap(), &bytes);
    net.lan.run_for(SECOND);
    assert_eq!(net.masters(), []);
    net.lan.run_for(75 * SECOND);
    only_master(&net);
}

#[test]
fn the_primary_domain_controller_is_master_of_all_and_merges_the_subnets() {
    let mut net = Neighbourhood::new(Weather::CALM, 10);
    let mut pdc = config("PDC", Maintain::Auto);
    pdc.controller = Controller::Primary;
    let near = net.add(config("NEAR", Maintain::Auto), Limits::default());
    net.start(near);
    net.lan.run_for(MINUTE);
    assert_eq!(only_master(&net), near);
    let pdc = net.add(pdc, Limits::default());
    net.start(pdc);
    net.lan.run_for(MINUTE);
    assert_eq!(only_master(&net), pdc);
    assert_eq!(net.browser(pdc).role(), Role::DomainMaster);
    // Another subnet: its master is told the domain master's name. Broadcasts do not pass, what is sent to one
    // computer does; the made-up LAN has no router, so the two sit on one subnet while they talk.
    let mut far = config("FAR", Maintain::Auto);
    far.domain_master = DomainMaster::Name("PDC".parse().unwrap());
    let far = net.add(far, Limits::default());
    net.partition(far, 1);
    net.start(far);
    net.lan.run_for(MINUTE);
    assert_eq!(net.browser(far).role(), Role::LocalMaster);
    assert_eq!(net.list(far), ["FAR"]);
    let asked = |net: &Neighbourhood| {
        let events = net.lan.station(far).events.iter();
        events.filter(|(_, event)| matches!(event, Event::Fetch { .. })).count()
    };
    assert_eq!(asked(&net), 2, "once on becoming master, for workgroups and for servers");
    net.lan.run_for(12 * MINUTE);
    assert_eq!(asked(&net), 4, "every 12 minutes");
}

#[test]
fn the_order_is_that_of_candidates() {
    let weak = Candidate { criteria: Criteria(0x0104_1500), uptime: u32::MAX, name: b"A" };
    let strong = Candidate { criteria: Criteria(0x1001_0f20), uptime: 0, name: b"Z" };
    assert!(strong > weak);
    assert!(Candidate { uptime: 1, ..strong } > strong);
    assert!(Candidate { name: b"y", ..strong } > strong);
    assert_eq!(Candidate { name: b"z", ..strong }, strong);
}
