//! Elections among crowds, and what can befall their masters: whoever MS-BRWS names is master, alone, in the times of
//! MS-BRWS, and afterwards all lists say the same.
//!
//! Everything follows from the seed, which is printed on failure. `LAN_SEEDS=50` tries 50 seeds for each size.

use std::collections::BTreeMap;
use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::browser::{Controller, DropReason, Role, ServerName, timers};
use mailslot::wire::Encode;
use mailslot::wire::browser::{
    Announcement, AnnouncementRequest, BrowserFrame, Criteria, GetBackupListRequest, RequestElection,
    ServerType, Version,
};
use mailslot::wire::name::{NetbiosName, Suffix};

use super::browser_crowd::{Crowd, Place};
use super::browsers::Frost;
use super::lan::Weather;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Three of a hundred packets are lost, as many doubled, and up to 120 ms late.
const BAD: Weather = Weather { loss: 30, doubling: 30, delay: (Duration::ZERO, Duration::from_millis(120)) };

/// Sizes, and how many seeds of each are tried.
const SIZES: [(usize, u64); 6] = [(2, 8), (3, 8), (5, 6), (10, 5), (50, 1), (200, 1)];

/// Calls `test` with crowds of all sizes up to `largest`.
fn crowds(largest: usize, weather: Weather, test: impl Fn(&mut Crowd)) {
    crowds_within(largest, weather, Limits::default(), test);
}

fn crowds_within(largest: usize, weather: Weather, limits: Limits, test: impl Fn(&mut Crowd)) {
    let wanted = std::env::var("LAN_SEEDS").ok().map(|text| text.parse().expect("LAN_SEEDS is a number"));
    for (machines, seeds) in SIZES.into_iter().filter(|(machines, _)| *machines <= largest) {
        for seed in 0..wanted.unwrap_or(seeds) {
            test(&mut Crowd::new(machines, seed, weather, limits));
        }
    }
}

/// Has everything come to rest: one master, and its list with all backups.
fn settle(crowd: &mut Crowd) {
    crowd.run_for(crowd.times.start() + crowd.times.lists());
}

/// A master's backups.
fn has_backup(crowd: &Crowd, master: usize) -> bool {
    let net = &crowd.net;
    let workgroup = |which: usize| net.browser(which).config().workgroup();
    (0..net.lan.len()).any(|which| {
        let is_near = net.part(which) == net.part(master) && workgroup(which) == workgroup(master);
        is_near && net.lan.station(which).is_awake() && net.browser(which).role() == Role::Backup
    })
}

fn wins_and_stays_where_it_is(weather: Weather) {
    crowds(200, weather, |crowd| {
        let expected = crowd.strongest();
        crowd.run_for(crowd.times.start());
        crowd.assert_masters(&expected, "at the start");
        // Whoever asks for an election, and however often.
        for _ in 0..3 {
            let expected = crowd.strongest();
            for place in expected.values() {
                let asks = crowd.roll(crowd.net.lan.len());
                let workgroup = |which: usize| crowd.net.browser(which).config().workgroup();
                let asks = if workgroup(asks) == workgroup(*place) { asks } else { *place };
                crowd.net.with(asks, |now, browser| browser.force_election(now));
            }
            crowd.run_for(crowd.times.election());
            crowd.assert_masters(&expected, "after an election");
        }
        let masters = crowd.one_master_each();
        crowd.net.lan.weather = Weather::CALM;
        crowd.run_for(crowd.times.lists());
        crowd.assert_masters(&masters, "half an hour later");
        crowd.assert_lists();
    });
}

#[test]
fn the_strongest_is_master_in_the_time_of_one_election() {
    wins_and_stays_where_it_is(Weather::CALM);
}

#[test]
fn packets_lost_late_and_doubled_do_not_keep_the_strongest_from_it() {
    wins_and_stays_where_it_is(BAD);
}

#[test]
fn a_master_that_leaves_is_replaced_in_the_time_of_one_election() {
    crowds(50, Weather::CALM, |crowd| {
        settle(crowd);
        for master in crowd.one_master_each().into_values() {
            crowd.net.with(master, |now, browser| browser.stop(now));
            crowd.net.kill(master);
        }
        let expected = crowd.strongest();
        crowd.run_for(crowd.times.election());
        crowd.assert_masters(&expected, "after the goodbye");
        // Who said goodbye is in no list; the copies of the old one are not kept.
        crowd.run_for(crowd.times.lists());
        crowd.assert_masters(&expected, "half an hour later");
        crowd.assert_lists();
    });
}

/// Without a goodbye.
fn killed(weather: Weather) {
    crowds(50, weather, |crowd| {
        settle(crowd);
        let more = MINUTE * u32::try_from(crowd.roll(13)).unwrap();
        crowd.run_for(more);
        let masters = crowd.one_master_each();
        let alone = masters.values().any(|master| !has_backup(crowd, *master));
        for master in masters.values() {
            crowd.net.kill(*master);
        }
        let expected = crowd.strongest();
        let times = crowd.times;
        crowd.run_for(if alone { times.missed_by_all() } else { times.missed_by_a_backup(Duration::ZERO) });
        crowd.assert_masters(&expected, "after the death");
        crowd.net.lan.weather = Weather::CALM;
        crowd.run_for(times.forgotten());
        crowd.assert_masters(&expected, "after the burial");
        crowd.assert_lists();
    });
}

#[test]
fn a_master_that_is_killed_is_missed_in_time() {
    killed(Weather::CALM);
}

#[test]
fn a_master_that_is_killed_is_missed_in_bad_weather_too() {
    killed(BAD);
}

/// Two masters of a place, and who of them and of all others may be left: the strongest, unless one gives way to a
/// domain controller at once (MS-BRWS 3.3.5.2).
fn assert_left(crowd: &Crowd, rivals: &BTreeMap<Place, Vec<usize>>, strongest: &BTreeMap<Place, usize>) {
    let is_controller = |which: &&usize| crowd.net.browser(**which).config().controller != Controller::None;
    for (place, left) in crowd.one_master_each() {
        let mut may = vec![strongest[&place]];
        may.extend(rivals.get(&place).into_iter().flatten().filter(is_controller));
        assert!(may.contains(&left), "in {place:?} {left}, not one of {may:?}");
    }
}

fn frozen(weather: Weather, frost: Frost) {
    crowds(50, weather, |crowd| {
        settle(crowd);
        let masters = crowd.one_master_each();
        let alone = masters.values().any(|master| !has_backup(crowd, *master));
        for master in masters.values() {
            crowd.net.lan.with(*master, |_, host| host.freeze(frost));
        }
        let expected = crowd.strongest();
        let times = crowd.times;
        crowd.run_for(if alone { times.missed_by_all() } else { times.missed_by_a_backup(timers::FETCH) });
        crowd.assert_masters(&expected, "while the first is frozen");
        let more = SECOND * u32::try_from(crowd.roll(3600)).unwrap();
        crowd.run_for(more);
        for master in masters.values() {
            crowd.net.lan.with(*master, |now, host| host.thaw(now));
        }
        let (rivals, strongest) = (crowd.masters(), crowd.strongest());
        crowd.run_for(times.two_masters());
        assert_left(crowd, &rivals, &strongest);
        crowd.net.lan.weather = Weather::CALM;
        crowd.run_for(times.lists());
        crowd.assert_lists();
    });
}

#[test]
fn a_master_that_was_suspended_and_its_successor_do_not_stay_both() {
    frozen(Weather::CALM, Frost::Suspended);
}

#[test]
fn a_master_that_was_stopped_and_its_successor_do_not_stay_both() {
    frozen(Weather::CALM, Frost::Stopped);
}

#[test]
fn two_masters_do_not_stay_in_bad_weather_either() {
    frozen(BAD, Frost::Suspended);
}

fn split(weather: Weather) {
    crowds(50, weather, |crowd| {
        settle(crowd);
        let machines = crowd.net.lan.len();
        let before = crowd.one_master_each();
        let parts = 2 + crowd.roll(2);
        for which in 0..machines {
            let part = u32::try_from(crowd.roll(parts)).unwrap();
            crowd.net.partition(which, part);
        }
        // Where the master is it stays, though a stronger one may have kept still; elsewhere the strongest is it.
        let mut expected = crowd.strongest();
        for master in before.values() {
            let place = (crowd.net.part(*master), crowd.net.browser(*master).config().workgroup());
            expected.insert(place, *master);
        }
        crowd.run_for(crowd.times.missed_by_all());
        crowd.assert_masters(&expected, "each part has its own");
        crowd.run_for(crowd.times.forgotten());
        if weather.loss == 0 {
            crowd.assert_lists();
        }
        for which in 0..machines {
            crowd.net.partition(which, 0);
        }
        let (rivals, strongest) = (crowd.masters(), crowd.strongest());
        crowd.run_for(crowd.times.two_masters());
        assert_left(crowd, &rivals, &strongest);
        let masters = crowd.one_master_each();
        crowd.net.lan.weather = Weather::CALM;
        crowd.run_for(crowd.times.lists());
        crowd.assert_masters(&masters, "after healing");
        crowd.assert_lists();
    });
}

#[test]
fn every_part_of_a_split_subnet_has_its_master_and_a_healed_one_has_one() {
    split(Weather::CALM);
}

#[test]
fn a_subnet_is_split_and_healed_in_bad_weather_too() {
    split(BAD);
}

/// What somebody makes up who is on the LAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forgery {
    /// What no browser understands, to all of them.
    Noise,
    /// Announcements of hosts and workgroups, requests for lists and announcements, noise: nothing of it is about who is
    /// master.
    Announcements,
    /// The same, and elections with criteria that everybody beats.
    Weaker,
    /// The same, with any criteria, of which most beat everybody; and masters that are domain controllers.
    Lies,
}

/// A made-up message: whom it is to, and what it says. `number` is in the made-up names.
fn forged(kind: Forgery, number: u64, dice: u64, workgroup: ServerName) -> (NetbiosName, Vec<u8>) {
    let who = format!("FAKE{number}");
    let announcement = |server_type| {
        Announcement::new(who.as_bytes(), Version::new(4, 0), server_type, 720_000, b"made up").unwrap()
    };
    let plain = ServerType::SERVER | ServerType::NT | ServerType::POTENTIAL_BROWSER;
    let master = ServerType::MASTER_BROWSER | ServerType::DOMAIN_CTRL;
    let [roll, a, b, c, d, e, ..] = dice.to_be_bytes();
    let to = |suffix| workgroup.netbios(suffix);
    let (masters, browsers) = (Suffix::LOCAL_MASTER_BROWSER, Suffix::BROWSER_ELECTIONS);
    let election = |criteria, uptime| {
        let frame = RequestElection::new(Criteria(criteria), uptime, who.as_bytes()).unwrap();
        (to(browsers), BrowserFrame::RequestElection(frame).to_bytes())
    };
    match roll % 10 {
        _ if kind == Forgery::Noise => (to(browsers), vec![0x7f, a, b, c, d]),
        0..=2 => (to(masters), BrowserFrame::HostAnnouncement(announcement(plain)).to_bytes()),
        3 => (NetbiosName::MSBROWSE, BrowserFrame::DomainAnnouncement(announcement(plain)).to_bytes()),
        4 => {
            let frame = BrowserFrame::GetBackupListRequest(GetBackupListRequest::new(a, u32::from(b)));
            (to(masters), frame.to_bytes())
        }
        5 => {
            let frame = AnnouncementRequest::new(who.as_bytes()).unwrap();
            (to(Suffix::WORKSTATION), BrowserFrame::AnnouncementRequest(frame).to_bytes())
        }
        6 => (to(browsers), vec![a, b, c, d, e]),
        7 | 8 if kind == Forgery::Weaker => election(u32::from(a), u32::from(b)),
        7 if kind == Forgery::Lies => election(u32::from_be_bytes([a, b, c, d]), u32::from(e)),
        8 if kind == Forgery::Lies => {
            (to(browsers), BrowserFrame::LocalMasterAnnouncement(announcement(plain | master)).to_bytes())
        }
        9 if kind == Forgery::Lies => {
            (to(masters), BrowserFrame::HostAnnouncement(announcement(plain | master)).to_bytes())
        }
        _ => (to(masters), BrowserFrame::HostAnnouncement(announcement(plain)).to_bytes()),
    }
}

/// `each_second` made-up messages come, for `time`, one after the other.
fn flood(crowd: &mut Crowd, kind: Forgery, each_second: u64, time: Duration) {
    let times = u64::try_from(time.as_millis()).unwrap() * each_second / 1000;
    for number in 0..times {
        let some = crowd.roll(crowd.net.lan.len());
        let workgroup = crowd.net.browser(some).config().workgroup();
        // Not the opcode of an election, which begins the noise once in a while.
        let (to, data) = forged(kind, number, crowd.net.lan.roll(), workgroup);
        let is_election = data.first() == Some(&8);
        if kind != Forgery::Announcements || !is_election {
            crowd.net.forge(some, &format!("FAKE{number}<00>").parse().unwrap(), &to, &data);
        }
        crowd.run_for(SECOND / u32::try_from(each_second).unwrap());
    }
}

/// All are switched on while a flood comes, and later an election is called for; neither lasts longer than without, and the
/// results are the same.
fn elections_in_a_flood(kind: Forgery, each_second: u64, limits: Limits) {
    crowds_within(10, Weather::CALM, limits, |crowd| {
        let expected = crowd.strongest();
        flood(crowd, kind, each_second, crowd.times.start());
        crowd.assert_masters(&expected, "at the start, in the flood");
        let expected = crowd.strongest();
        for which in expected.values() {
            crowd.net.with(*which, |now, browser| browser.force_election(now));
        }
        flood(crowd, kind, each_second, crowd.times.election());
        crowd.assert_masters(&expected, "after an election in the flood");
        let masters = crowd.one_master_each();
        // What was made up is forgotten like all that is not heard of any more.
        crowd.run_for(crowd.times.forgotten());
        crowd.assert_masters(&masters, "after the flood");
        crowd.assert_lists();
    });
}

#[test]
fn a_flood_of_announcements_does_not_decide_an_election() {
    elections_in_a_flood(Forgery::Announcements, 200, Limits::default());
}

#[test]
fn a_flood_of_elections_that_all_beat_does_not_decide_an_election() {
    elections_in_a_flood(Forgery::Weaker, 200, Limits::default());
}

/// Four times as many messages as are taken: what is beyond the limit is dropped, but not the elections.
#[test]
fn a_flood_beyond_the_limit_does_not_drown_an_election() {
    let mut limits = Limits::default();
    limits.browse_messages = 100;
    elections_in_a_flood(Forgery::Noise, 400, limits);
    // And it is beyond.
    let mut crowd = Crowd::new(2, 1, Weather::CALM, limits);
    flood(&mut crowd, Forgery::Noise, 400, 2 * SECOND);
    assert!(crowd.dropped(DropReason::RateLimited) > 2 * 2 * 250);
}

/// Somebody floods in the name of the strongest, and from its address: its elections are heard all the same.
#[test]
fn nobody_is_silenced_by_a_flood_in_its_name() {
    crowds(10, Weather::CALM, |crowd| {
        let expected = crowd.strongest();
        let times = crowd.times.start().as_millis() / 5;
        for number in 0..times {
            for ((_, workgroup), which) in &expected {
                let source = crowd.net.browser(*which).config().computer().netbios(Suffix::WORKSTATION);
                let (from, to) =
                    (*crowd.net.lan.socket(*which).ip(), workgroup.netbios(Suffix::BROWSER_ELECTIONS));
                crowd.net.forge_from(
                    from,
                    *which,
                    &source,
                    &to,
                    &[0x7f, u8::try_from(number % 256).unwrap()],
                );
            }
            crowd.run_for(Duration::from_millis(5));
        }
        assert!(crowd.dropped(DropReason::RateLimited) > 0, "it is a flood");
        crowd.assert_masters(&expected, "at the start, in the flood");
    });
}

/// Whoever is on the LAN can win elections with made-up criteria, and no master is there while they come. When they do
/// not come any more there is one.
#[test]
fn a_flood_of_lies_has_an_end() {
    crowds(10, Weather::CALM, |crowd| {
        crowd.run_for(crowd.times.start() + 3 * MINUTE);
        crowd.one_master_each();
        for which in crowd.one_master_each().into_values() {
            crowd.net.with(which, |now, browser| browser.force_election(now));
        }
        flood(crowd, Forgery::Lies, 50, 20 * SECOND);
        crowd.dropped(DropReason::RateLimited);
        crowd.run_for(crowd.times.lie());
        let masters = crowd.one_master_each();
        crowd.run_for(crowd.times.forgotten());
        crowd.assert_masters(&masters, "after the lies");
        crowd.assert_lists();
    });
}
