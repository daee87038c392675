//! A few browsers on one made-up subnet, one case each: who notices what, and when. Crowds of all kinds are in
//! `browser_trouble`.

use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::browser::timers::ELECTION_WATCH;
use mailslot::service::browser::{Candidate, Config, Controller, DomainMaster, Event, Maintain, Role};
use mailslot::wire::Encode;
use mailslot::wire::browser::{Announcement, BrowserFrame, Criteria, RequestElection, ServerType, Version};
use mailslot::wire::name::NetbiosName;

use super::browsers::Neighbourhood;
use super::lan::Weather;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn name(text: &str) -> NetbiosName {
    text.parse().unwrap()
}

fn config(name: &str, maintain: Maintain) -> Config {
    let (computer, workgroup): (NetbiosName, NetbiosName) =
        (name.parse().unwrap(), "WORKGROUP".parse().unwrap());
    let mut config = Config::new(&computer, &workgroup);
    config.maintain = maintain;
    config
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

/// Until a master that did not come is looked for, and there is another one: FindMaster 3 x 1.5 s, delay of a potential
/// browser up to 3 s, four rounds of 1 s, the name.
fn looked_for_again() -> Duration {
    ELECTION_WATCH + Duration::from_millis(4500 + 3000 + 4000 + 750)
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
    let frame = RequestElection::new(Criteria(u32::MAX), 1, b"NOBODY").unwrap();
    let frame = BrowserFrame::RequestElection(frame).to_bytes();
    net.forge(first, &name("NOBODY<00>"), &name("WORKGROUP<1e>"), &frame);
    net.lan.run_for(SECOND);
    assert_eq!(net.masters(), []);
    net.lan.run_for(looked_for_again());
    only_master(&net);
}

/// What says that it is master and a domain controller has every other master give up (MS-BRWS 3.3.5.2). If it is a lie,
/// it does not last: not for the master that gave up, even if nobody else is there, nor for those that believe it, whatever
/// period it names.
#[test]
fn a_made_up_domain_controller_does_not_stay_master() {
    let types = ServerType::SERVER | ServerType::DOMAIN_CTRL | ServerType::MASTER_BROWSER;
    let lie = Announcement::new(b"NOBODY", Version::new(10, 0), types, 3_600_000, b"").unwrap();
    for (computers, frame, to) in [
        (1, BrowserFrame::LocalMasterAnnouncement(lie), "WORKGROUP<1e>"),
        (1, BrowserFrame::HostAnnouncement(lie), "WORKGROUP<1d>"),
        (3, BrowserFrame::LocalMasterAnnouncement(lie), "WORKGROUP<1e>"),
    ] {
        let mut net = Neighbourhood::new(Weather::CALM, 11);
        for number in 0..computers {
            let which = net.add(config(&format!("PC{number}"), Maintain::Auto), Limits::default());
            net.start(which);
        }
        net.lan.run_for(5 * MINUTE);
        let first = only_master(&net);
        net.forge(first, &name("NOBODY<00>"), &name(to), &frame.to_bytes());
        net.lan.run_for(SECOND);
        assert_eq!(net.masters(), [], "it gives up");
        net.lan.run_for(looked_for_again());
        only_master(&net);
    }
    // One that hears it first of all has no other master for three of the longest periods that masters have.
    let mut net = Neighbourhood::new(Weather::CALM, 12);
    let only = net.add(config("PC", Maintain::Auto), Limits::default());
    net.start(only);
    net.lan.run_for(SECOND);
    let frame = BrowserFrame::LocalMasterAnnouncement(lie).to_bytes();
    net.forge(only, &name("NOBODY<00>"), &name("WORKGROUP<1e>"), &frame);
    net.lan.run_for(36 * MINUTE);
    assert_eq!(net.masters(), []);
    net.lan.run_for(15 * SECOND);
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
