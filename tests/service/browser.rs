//! One browser through its public interface: what it announces, whom it answers, what its lists hold.

use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot::service::browser::{
    Browser, Change, Config, Conflict, Controller, DropReason, EnumError, Event, FetchFailure, FoundServer,
    Input, LanmanAnnounce, Maintain, Page, Role, Server, ServerEnumClient, ServerList, ServerName, Slot,
    Source, Target, timers,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::browser::{
    Announcement, AnnouncementRequest, BrowserFrame, Criteria, GetBackupListRequest, LanmanAnnouncement,
    LanmanFrame, NameFrame, RequestElection, ServerType, Version,
};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::smb::rap::{Request, ServerEnum, ShareEnum, Status, shares};
use mailslot::wire::{Decode, Encode};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn name(text: &str) -> NetbiosName {
    text.parse().unwrap()
}

fn server_name(text: &str) -> ServerName {
    ServerName::from_wire(text.as_bytes()).unwrap()
}

fn config(maintain: Maintain) -> Config {
    let mut config = Config::new(&name("OURS"), &name("WORKGROUP"));
    config.maintain = maintain;
    config.set_comment(b"a comment").unwrap();
    config
}

fn events(browser: &mut Browser) -> Vec<Event> {
    std::iter::from_fn(|| browser.poll_event()).collect()
}

/// The frames in the events, each with its target.
fn frames(events: &[Event]) -> Vec<(Target, Slot, Vec<u8>)> {
    let writes = events.iter().filter_map(|event| match event {
        Event::Write { target, slot, data } => Some((*target, *slot, data.clone())),
        _ => None,
    });
    writes.collect()
}

fn tell(browser: &mut Browser, now: Duration, from: &str, to: &str, frame: &BrowserFrame<'_>) -> Vec<Event> {
    let data = frame.to_bytes();
    let (source, destination) = (name(from), name(to));
    browser.handle_input(
        now,
        Input::Message { slot: Slot::Browse, source, destination, peer: None, data: &data },
    );
    events(browser)
}

/// Runs until `end`, and says what came at what time.
fn run(browser: &mut Browser, end: Duration) -> Vec<(Duration, Event)> {
    let mut seen = Vec::new();
    while let Some(at) = browser.poll_timeout().filter(|at| *at <= end) {
        browser.handle_timeout(at);
        seen.extend(events(browser).into_iter().map(|event| (at, event)));
    }
    browser.handle_timeout(end);
    seen
}

fn host(text: &str, server_type: ServerType, period: Duration) -> Announcement<'_> {
    let period = u32::try_from(period.as_millis()).unwrap();
    Announcement::new(text.as_bytes(), Version::new(5, 1), server_type, period, b"hi").unwrap()
}

const PLAIN: ServerType = ServerType::WORKSTATION.union(ServerType::SERVER).union(ServerType::NT);

/// A local master, and the time at which it became one.
fn master_of(config: Config, limits: Limits) -> (Browser, Duration) {
    let mut browser = Browser::new(config, limits, 7);
    browser.start(Duration::ZERO);
    let mut now = Duration::ZERO;
    while !browser.role().is_master() {
        now = browser.poll_timeout().expect("an election is under way");
        browser.handle_timeout(now);
        for event in events(&mut browser) {
            if let Event::Claim { name, .. } = event {
                browser.handle_input(now, Input::Name { name, is_ours: true });
            }
        }
    }
    // What the new master says first.
    browser.handle_timeout(now + SECOND);
    events(&mut browser);
    (browser, now + SECOND)
}

fn master() -> (Browser, Duration) {
    master_of(config(Maintain::Auto), Limits::default())
}

#[test]
fn a_host_announces_itself_by_the_schedule_and_says_goodbye() {
    let mut browser = Browser::new(config(Maintain::No), Limits::default(), 1);
    browser.start(Duration::ZERO);
    let seen = run(&mut browser, 60 * MINUTE);
    let told: Vec<(u64, u32)> = seen
        .iter()
        .map(|(at, event)| {
            let Event::Write { target, slot: Slot::Browse, data } = event else { panic!("{event:?}") };
            assert_eq!(*target, Target::Group(name("WORKGROUP<1d>")));
            let BrowserFrame::HostAnnouncement(frame) = BrowserFrame::decode(data).unwrap() else { panic!() };
            assert_eq!(frame.server_name.text(), b"OURS");
            assert_eq!(frame.comment.text(), b"a comment");
            assert_eq!(frame.server_type, PLAIN | ServerType::XENIX);
            (at.as_secs() / 60, frame.periodicity / 60_000)
        })
        .collect();
    assert_eq!(told, [(0, 1), (1, 1), (2, 2), (4, 4), (8, 8), (16, 12), (28, 12), (40, 12), (52, 12)]);
    browser.stop(60 * MINUTE);
    let seen = events(&mut browser);
    let [(_, Slot::Browse, data)] = &frames(&seen)[..] else { panic!("{seen:?}") };
    let BrowserFrame::HostAnnouncement(frame) = BrowserFrame::decode(data).unwrap() else { panic!() };
    assert_eq!(frame.server_type, ServerType::empty());
    assert_eq!(browser.poll_timeout(), None);
}

#[test]
fn an_announcement_request_is_answered_within_30_seconds() {
    let mut delays = Vec::new();
    for seed in 0..20 {
        let mut browser = Browser::new(config(Maintain::No), Limits::default(), seed);
        browser.start(Duration::ZERO);
        run(&mut browser, 30 * MINUTE);
        let request = BrowserFrame::AnnouncementRequest(AnnouncementRequest::new(b"PC").unwrap());
        assert_eq!(tell(&mut browser, 30 * MINUTE, "PC", "WORKGROUP", &request), []);
        let seen = run(&mut browser, 30 * MINUTE + 30 * SECOND);
        assert_eq!(seen.len(), 1, "{seen:?}");
        delays.push(seen[0].0 - 30 * MINUTE);
        tell(&mut browser, 31 * MINUTE, "PC", "OTHERS", &request);
        assert_eq!(browser.stats().dropped(DropReason::OtherGroup), 1);
    }
    assert!(delays.iter().max().unwrap() > &(20 * SECOND) && delays.iter().min().unwrap() < &(10 * SECOND));
}

#[test]
fn lan_manager_is_spoken_when_it_is_heard() {
    let mut browser = Browser::new(config(Maintain::No), Limits::default(), 1);
    browser.start(Duration::ZERO);
    let lanman = |events: &[(Duration, Event)]| {
        let events: Vec<Event> = events.iter().map(|(_, event)| event.clone()).collect();
        frames(&events).into_iter().filter(|(_, slot, _)| *slot == Slot::Lanman).collect::<Vec<_>>()
    };
    assert_eq!(lanman(&run(&mut browser, 10 * MINUTE)), []);
    let peer = LanmanAnnouncement::new(b"OS2", Version::new(2, 1), PLAIN, 60, b"old").unwrap();
    let data = LanmanFrame::Announcement(peer).to_bytes();
    let (source, destination) = (name("OS2"), name("WORKGROUP"));
    let input = Input::Message { slot: Slot::Lanman, source, destination, peer: None, data: &data };
    browser.handle_input(10 * MINUTE, input);
    let seen = frames(&events(&mut browser));
    let [(Target::Group(to), Slot::Lanman, data)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(*to, name("WORKGROUP"));
    let LanmanFrame::Announcement(frame) = LanmanFrame::decode(data).unwrap() else { panic!() };
    assert_eq!((frame.server_name(), frame.interval), (&b"OURS"[..], 60));
    // It is no master: the peer is in no list.
    assert_eq!(browser.stats().dropped(DropReason::NotMaster), 1);
    assert_eq!(lanman(&run(&mut browser, 15 * MINUTE)).len(), 5);

    let mut config = config(Maintain::No);
    config.lanman = LanmanAnnounce::No;
    let mut silent = Browser::new(config, Limits::default(), 1);
    silent.start(Duration::ZERO);
    silent.handle_input(SECOND, Input::Message { slot: Slot::Lanman, source, destination, peer: None, data });
    assert_eq!(lanman(&run(&mut silent, 10 * MINUTE)), []);
}

#[test]
fn a_master_lists_who_announces_itself_until_three_periods_are_over_or_it_leaves() {
    let (mut browser, now) = master();
    for (text, period) in [("PC1", 4 * MINUTE), ("PC2", 12 * MINUTE), ("PC3", Duration::ZERO)] {
        let frame = BrowserFrame::HostAnnouncement(host(text, PLAIN, period));
        tell(&mut browser, now, text, "WORKGROUP<1d>", &frame);
    }
    let list = |browser: &Browser, now| {
        browser.servers().iter(now).map(|server| server.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(&browser, now), ["OURS", "PC1", "PC2", "PC3"]);
    let pc1 = browser.servers().get(now, &server_name("pc1")).unwrap();
    assert_eq!((pc1.version, pc1.server_type, pc1.comment), (Version::new(5, 1), PLAIN, &b"hi"[..]));
    run(&mut browser, now + 12 * MINUTE + SECOND);
    assert_eq!(list(&browser, now + 12 * MINUTE + SECOND), ["OURS", "PC2", "PC3"]);
    assert_eq!(browser.stats().expired, 1);
    let goodbye = BrowserFrame::HostAnnouncement(host("PC2", ServerType::empty(), Duration::ZERO));
    tell(&mut browser, now + 13 * MINUTE, "PC2", "WORKGROUP<1d>", &goodbye);
    assert_eq!(list(&browser, now + 13 * MINUTE), ["OURS", "PC3"]);
    // Workgroups, at the name of all masters and nowhere else.
    let domain =
        Announcement::new(b"SALES", Version::new(3, 10), ServerType::DOMAIN_ENUM, 60_000, b"BOSS").unwrap();
    let domain = BrowserFrame::DomainAnnouncement(domain);
    tell(&mut browser, now + 14 * MINUTE, "BOSS", "WORKGROUP<1d>", &domain);
    assert_eq!(browser.domains().len(), 1);
    let msbrowse = r"\x01\x02__MSBROWSE__\x02<01>";
    tell(&mut browser, now + 14 * MINUTE, "BOSS", msbrowse, &domain);
    let sales = browser.domains().get(now + 14 * MINUTE, &server_name("SALES")).unwrap();
    assert_eq!(sales.comment, b"BOSS");
}

#[test]
fn backups_are_asked_for_by_the_length_of_the_list() {
    for (hosts, wanted) in [(1, 0), (2, 1), (31, 1), (32, 2), (63, 2), (64, 3), (200, 3)] {
        assert_eq!(timers::backups_wanted(hosts), wanted, "{hosts} servers");
    }
    let (mut browser, now) = master();
    let can = PLAIN | ServerType::POTENTIAL_BROWSER;
    for number in 1..40 {
        let text = format!("PC{number}");
        let frame =
            BrowserFrame::HostAnnouncement(host(&text, if number < 4 { can } else { PLAIN }, MINUTE * 12));
        tell(&mut browser, now, &text, "WORKGROUP<1d>", &frame);
    }
    let asked = |events: &[(Duration, Event)]| -> Vec<String> {
        let events: Vec<Event> = events.iter().map(|(_, event)| event.clone()).collect();
        let name = |(target, _, data): &(Target, Slot, Vec<u8>)| match BrowserFrame::decode(data).unwrap() {
            BrowserFrame::BecomeBackup(frame) => {
                assert_eq!(*target, Target::Group(name("WORKGROUP<1e>")));
                Some(String::from_utf8(frame.name.text().to_vec()).unwrap())
            }
            _ => None,
        };
        frames(&events).iter().filter_map(name).collect()
    };
    assert_eq!(asked(&run(&mut browser, now + 2 * SECOND)), ["PC1", "PC2"], "40 servers: two");
    // They do; nobody else is asked.
    for text in ["PC1", "PC2"] {
        let frame = BrowserFrame::HostAnnouncement(host(text, can | ServerType::BACKUP_BROWSER, MINUTE));
        tell(&mut browser, now + 3 * SECOND, text, "WORKGROUP<1d>", &frame);
    }
    assert_eq!(asked(&run(&mut browser, now + 2 * MINUTE)), Vec::<String>::new());
    // When one of them is gone, the next one is.
    assert_eq!(asked(&run(&mut browser, now + 4 * MINUTE)).len(), 1);
}

#[test]
fn backup_lists_name_the_backups_and_the_master() {
    let (mut browser, now) = master();
    let request = BrowserFrame::GetBackupListRequest(GetBackupListRequest::new(4, 0xdead_beef));
    let answer = |events: &[Event]| {
        let frames = frames(events);
        let [(target, Slot::Browse, data)] = &frames[..] else { panic!("{events:?}") };
        assert_eq!(*target, Target::Computer(name("CLIENT")));
        let BrowserFrame::GetBackupListResponse(frame) = BrowserFrame::decode(data).unwrap() else {
            panic!()
        };
        assert_eq!(frame.token, 0xdead_beef);
        frame.backup_servers.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(answer(&tell(&mut browser, now, "CLIENT<20>", "WORKGROUP<1d>", &request)), ["OURS"]);
    let backup = host("PC1", PLAIN | ServerType::BACKUP_BROWSER, MINUTE);
    tell(&mut browser, now, "PC1", "WORKGROUP<1d>", &BrowserFrame::HostAnnouncement(backup));
    assert_eq!(answer(&tell(&mut browser, now, "CLIENT", "WORKGROUP<1d>", &request)), ["PC1", "OURS"]);
    // Not for the domain master's name, which it does not have.
    assert_eq!(tell(&mut browser, now, "CLIENT", "WORKGROUP<1b>", &request), []);
    assert_eq!(browser.stats().dropped(DropReason::NotDomainMaster), 1);
}

#[test]
fn a_client_asks_three_times_and_then_has_a_master_elected() {
    let mut browser = Browser::new(config(Maintain::No), Limits::default(), 1);
    browser.start(Duration::ZERO);
    run(&mut browser, SECOND);
    browser.get_backup_list(SECOND);
    let mut seen = events(&mut browser);
    seen.extend(run(&mut browser, 10 * SECOND).into_iter().map(|(_, event)| event));
    let kinds: Vec<u8> = frames(&seen).iter().map(|(_, _, data)| data[0]).collect();
    assert_eq!(kinds, [9, 9, 9, 8]);
    assert!(seen.contains(&Event::Backups(Vec::new())));
    // An answer counts with its token only.
    browser.get_backup_list(20 * SECOND);
    let asked = frames(&events(&mut browser));
    let mut answer = asked[0].2.clone();
    answer[0] = 10;
    answer.extend(b"PC1\0PC2\0");
    let mut forged = answer.clone();
    forged[2] ^= 1;
    for (data, count) in [(&forged, 0), (&answer, 2), (&answer, 0)] {
        let (source, destination) = (name("MASTER"), name("OURS"));
        let input = Input::Message { slot: Slot::Browse, source, destination, peer: None, data };
        browser.handle_input(21 * SECOND, input);
        let names = events(&mut browser).into_iter().find_map(|event| match event {
            Event::Backups(names) => Some(names),
            _ => None,
        });
        assert_eq!(names.unwrap_or_default().len(), count);
    }
    assert_eq!(browser.stats().dropped(DropReason::Unsolicited), 2);
}

#[test]
fn two_masters_are_one_too_many() {
    use Conflict::{Elect, GiveUp, StayAndElect};
    let controller = PLAIN | ServerType::DOMAIN_BAKCTRL | ServerType::MASTER_BROWSER;
    let plain = PLAIN | ServerType::MASTER_BROWSER;
    for (own, other, conflict, stays) in [
        (Controller::None, plain, Elect, true),
        (Controller::None, controller, GiveUp, false),
        (Controller::Backup, controller, GiveUp, false),
        (Controller::Primary, controller, StayAndElect, true),
        (Controller::Primary, plain, StayAndElect, true),
    ] {
        for op in [BrowserFrame::HostAnnouncement, BrowserFrame::LocalMasterAnnouncement] {
            let mut config = config(Maintain::Auto);
            config.controller = own;
            let (mut browser, now) = master_of(config, Limits::default());
            let frame = op(host("RIVAL", other, MINUTE));
            let to = if matches!(frame, BrowserFrame::HostAnnouncement(_)) {
                "WORKGROUP<1d>"
            } else {
                "WORKGROUP<1e>"
            };
            let seen = tell(&mut browser, now, "RIVAL", to, &frame);
            assert!(seen.contains(&Event::Conflict(conflict)), "{own:?} {seen:?}");
            assert_eq!(browser.role().is_master(), stays);
            assert_eq!(browser.is_electing(), stays);
            let release = Event::Release { name: name("WORKGROUP<1d>") };
            assert_eq!(seen.contains(&release), !stays);
        }
    }
}

#[test]
fn a_stronger_candidate_takes_the_mastership_and_a_weaker_one_does_not() {
    let (mut browser, now) = master();
    let weak = RequestElection::new(Criteria(0x0104_1500), u32::MAX, b"A").unwrap();
    let seen = tell(&mut browser, now, "A", "WORKGROUP<1e>", &BrowserFrame::RequestElection(weak));
    assert!(matches!(seen[..], [Event::Election { .. }]), "{seen:?}");
    // 0.1 s, then four rounds a second apart: the answer, and the master stays.
    let seen = run(&mut browser, now + 5 * SECOND);
    let at: Vec<u128> = seen
        .iter()
        .filter(|(_, event)| matches!(event, Event::Write { data, .. } if data[0] == 8))
        .map(|(at, _)| (*at - now).as_millis())
        .collect();
    assert_eq!(at, [100, 1100, 2100, 3100]);
    assert!(browser.role().is_master());
    let strong = RequestElection::new(Criteria(0x2001_0f20), 0, b"Z").unwrap();
    let now = now + 6 * SECOND;
    let seen = tell(&mut browser, now, "Z", "WORKGROUP<1e>", &BrowserFrame::RequestElection(strong));
    assert!(seen.contains(&Event::Role(Role::Potential)), "{seen:?}");
    assert!(seen.contains(&Event::Release { name: NetbiosName::MSBROWSE }));
    assert!(browser.servers().is_empty());
}

#[test]
fn a_name_that_cannot_be_had_means_another_election_and_not_for_ever() {
    let mut browser = Browser::new(config(Maintain::Auto), Limits::default(), 3);
    browser.start(Duration::ZERO);
    let mut requests = 0;
    let mut now = Duration::ZERO;
    while now < 10 * MINUTE {
        now = browser.poll_timeout().unwrap();
        browser.handle_timeout(now);
        for event in events(&mut browser) {
            match event {
                Event::Claim { name, .. } if name.to_string() == "WORKGROUP<1d>" => {
                    browser.handle_input(now, Input::Name { name, is_ours: false });
                }
                Event::Write { data, .. } if data[0] == 8 => requests += 1,
                _ => {}
            }
        }
    }
    assert_eq!(requests, 30, "more than 30 are a loss");
    assert_eq!(browser.role(), Role::Potential);
}

#[test]
fn strangers_cannot_reset_it_nor_make_it_call_at_will() {
    let mut config = config(Maintain::Auto);
    config.controller = Controller::Primary;
    let (mut browser, now) = master_of(config, Limits::default());
    let reset = BrowserFrame::decode(&[14, 7]).unwrap();
    assert_eq!(tell(&mut browser, now, "EVIL", "OURS", &reset), []);
    assert_eq!(browser.stats().dropped(DropReason::Untrusted), 1);
    assert_eq!(browser.role(), Role::DomainMaster);
    let announce = BrowserFrame::MasterAnnouncement(NameFrame::new(b"FAR").unwrap());
    let mut fetches = 0;
    for tick in 0..100 {
        let seen = tell(&mut browser, now + tick * SECOND / 10, "EVIL", "OURS", &announce);
        fetches += seen.iter().filter(|event| matches!(event, Event::Fetch { .. })).count();
    }
    assert_eq!(fetches, 2, "servers and workgroups, once a minute");
    let list =
        vec![FoundServer::from(Server::new(server_name("FARPC"), Version::new(4, 0), PLAIN, b"far away"))];
    browser.handle_input(now + 11 * SECOND, Input::Fetched { id: 2, result: Ok(list) });
    let found = browser.servers().get(now + 11 * SECOND, &server_name("FARPC")).unwrap();
    assert_eq!((found.source, found.comment), (Source::Fetched, &b"far away"[..]));
    browser.handle_input(now + 12 * SECOND, Input::Fetched { id: 1, result: Err(FetchFailure::Refused) });
    assert_eq!((browser.stats().fetched, browser.stats().fetches_failed), (1, 1));
}

#[test]
fn one_source_is_not_listened_to_for_ever() {
    let (mut browser, now) = master();
    let frame = BrowserFrame::HostAnnouncement(host("LOUD", PLAIN, MINUTE));
    for _ in 0..80 {
        tell(&mut browser, now, "LOUD", "WORKGROUP<1d>", &frame);
    }
    assert_eq!(browser.stats().dropped(DropReason::RateLimited), 30);
    tell(
        &mut browser,
        now,
        "QUIET",
        "WORKGROUP<1d>",
        &BrowserFrame::HostAnnouncement(host("QUIET", PLAIN, MINUTE)),
    );
    assert!(browser.servers().get(now, &server_name("QUIET")).is_some());
}

/// Whoever is at the same address is one source, whatever it says its name is; and its elections are counted apart, so that
/// nobody silences a candidate by speaking in its name.
#[test]
fn one_address_is_not_listened_to_for_ever_but_its_elections_are() {
    let (mut browser, now) = master();
    let (one, other) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let from = |browser: &mut Browser, peer, text: &str, to: &str, frame: &BrowserFrame<'_>| {
        let (source, destination, data) = (name(text), name(to), frame.to_bytes());
        let (slot, peer) = (Slot::Browse, Some(peer));
        browser.handle_input(now, Input::Message { slot, source, destination, peer, data: &data });
    };
    for number in 0..80 {
        let text = format!("HOST{number}");
        let frame = BrowserFrame::HostAnnouncement(host(&text, PLAIN, MINUTE));
        from(&mut browser, one, &text, "WORKGROUP<1d>", &frame);
    }
    assert_eq!(browser.stats().dropped(DropReason::RateLimited), 30);
    let frame = BrowserFrame::HostAnnouncement(host("HOST0", PLAIN, MINUTE));
    from(&mut browser, other, "HOST0", "WORKGROUP<1d>", &frame);
    assert_eq!(browser.stats().dropped(DropReason::RateLimited), 30, "another one of that name");
    assert_eq!(browser.role(), Role::LocalMaster);
    let frame = RequestElection::new(Criteria(u32::MAX), 0, b"HOST0").unwrap();
    from(&mut browser, one, "HOST0", "WORKGROUP<1e>", &BrowserFrame::RequestElection(frame));
    assert_eq!(browser.role(), Role::Potential, "it was heard, and it is stronger");
}

/// A hundred places, of which one address may have 25.
#[test]
fn one_address_does_not_fill_the_list() {
    let mut limits = Limits::default();
    (limits.browse_entries, limits.browse_entries_per_address) = (100, 25);
    let (mut browser, start) = master_of(config(Maintain::Auto), limits);
    let announce = |browser: &mut Browser, now, last, text: &str, server_type| {
        let (source, destination) = (name(text), name("WORKGROUP<1d>"));
        let (slot, peer) = (Slot::Browse, Some(Ipv4Addr::new(10, 0, 0, last)));
        let data = BrowserFrame::HostAnnouncement(host(text, server_type, MINUTE)).to_bytes();
        browser.handle_input(now, Input::Message { slot, source, destination, peer, data: &data });
    };
    for number in 0..40 {
        let now = start + number * SECOND / 10;
        announce(&mut browser, now, 200, &format!("FAKE{number}"), PLAIN);
    }
    let now = start + 4 * SECOND;
    assert_eq!((browser.servers().len(), browser.stats().dropped(DropReason::ListFull)), (26, 15));
    for number in 0..74 {
        announce(&mut browser, now, number, &format!("REAL{number}"), PLAIN);
    }
    assert_eq!((browser.servers().len(), browser.stats().dropped(DropReason::ListFull)), (100, 15));
    // Who says it is one of the others does not get a place by it, nor take theirs: they are at home there again.
    for number in 0..74 {
        announce(&mut browser, now + SECOND, 200, &format!("REAL{number}"), PLAIN);
        announce(&mut browser, now + SECOND, number, &format!("REAL{number}"), PLAIN);
    }
    // A goodbye, and what is forgotten, give the place back.
    announce(&mut browser, now + 2 * SECOND, 200, "FAKE0", ServerType::empty());
    announce(&mut browser, now + 2 * SECOND, 200, "MORE0", PLAIN);
    announce(&mut browser, now + 2 * SECOND, 200, "MORE1", PLAIN);
    assert_eq!(browser.stats().dropped(DropReason::ListFull), 16);
    let later = now + 4 * MINUTE;
    browser.handle_timeout(later);
    assert_eq!(browser.servers().len(), 1);
    for number in 0..40 {
        announce(&mut browser, later + number * SECOND / 10, 200, &format!("FAKE{number}"), PLAIN);
    }
    assert_eq!((browser.servers().len(), browser.stats().dropped(DropReason::ListFull)), (26, 16 + 15));
}

fn crowd(hosts: u32) -> (Browser, Duration) {
    let (mut browser, now) = master();
    for number in 0..hosts {
        let text = format!("HOST{number:05}");
        let frame = BrowserFrame::HostAnnouncement(host(&text, PLAIN, 12 * MINUTE));
        tell(&mut browser, now + Duration::from_millis(number.into()), &text, "WORKGROUP<1d>", &frame);
    }
    (browser, now + Duration::from_millis(hosts.into()))
}

fn fetch_all(browser: &Browser, now: Duration, mut client: ServerEnumClient) -> (Vec<FoundServer>, usize) {
    for pages in 1.. {
        let answer = browser.answer(now, &client.request());
        match client.take(&answer.parameters.to_bytes(), &answer.data).unwrap() {
            Page::More => {}
            Page::Last => return (client.into_servers(), pages),
        }
    }
    unreachable!()
}

#[test]
fn ten_thousand_servers_come_in_pages() {
    let (browser, now) = crowd(10_000);
    for domain in [None, Some(server_name("WORKGROUP"))] {
        let client = ServerEnumClient::new(ServerType::all(), domain, 20_000);
        let (servers, pages) = fetch_all(&browser, now, client);
        assert_eq!(servers.len(), 10_001);
        assert!((4..20).contains(&pages), "{pages} pages");
        let ours = servers.iter().find(|server| server.name == server_name("OURS")).unwrap();
        assert_eq!(ours.comment, b"a comment");
        assert!(ours.server_type.contains(ServerType::MASTER_BROWSER));
    }
    // By type: the master alone.
    let (servers, _) = fetch_all(&browser, now, ServerEnumClient::new(ServerType::MASTER_BROWSER, None, 9));
    assert_eq!(servers.len(), 1);
    let (domains, _) = fetch_all(&browser, now, ServerEnumClient::new(ServerType::DOMAIN_ENUM, None, 9));
    assert_eq!((domains[0].name, &domains[0].comment[..]), (server_name("WORKGROUP"), &b"OURS"[..]));
}

#[test]
fn lists_are_not_given_more_often_than_the_limits_say() {
    let mut limits = Limits::default();
    (limits.browse_messages_per_source, limits.browse_answers) = (3, 5);
    let (mut browser, now) = master_of(config(Maintain::Auto), limits);
    let request = ServerEnumClient::new(ServerType::all(), None, 9).request();
    let (one, other) = (server_name("10.0.0.1"), server_name("10.0.0.2"));
    let mut ask = |at, source| browser.answer_to(at, source, &request, u16::MAX).is_some();
    assert_eq!([(); 4].map(|()| ask(now, one)), [true, true, true, false]);
    assert_eq!([(); 3].map(|()| ask(now, other)), [true, true, false]);
    assert!(ask(now + SECOND, one));
    let stats = browser.stats();
    assert_eq!((stats.calls, stats.calls_limited), (6, 2));
    // Nor longer than the transaction has room for.
    let (mut browser, now) = crowd(100);
    let answer = browser.answer_to(now, one, &request, 1_000).expect("within the limits");
    assert!(answer.data.len() <= 1_000 && answer.parameters.status() == Status::MORE_DATA);
}

#[test]
fn a_master_that_gives_no_list_is_not_asked_again_at_once() {
    let mut browser = Browser::new(config(Maintain::Yes), Limits::default(), 7);
    browser.start(Duration::ZERO);
    let master = PLAIN | ServerType::MASTER_BROWSER;
    let frame = BrowserFrame::LocalMasterAnnouncement(host("BOSS", master, MINUTE));
    let fetches = |events: &[Event]| -> Vec<u64> {
        let ids = events.iter().filter_map(|event| match event {
            Event::Fetch { id, .. } => Some(*id),
            _ => None,
        });
        ids.collect()
    };
    let first = fetches(&tell(&mut browser, SECOND, "BOSS", "WORKGROUP<1e>", &frame));
    assert_eq!(first.len(), 2);
    // It fails, the master is looked for, answers, and so on: without a bound that would go on as fast as it can.
    for id in first {
        browser.handle_input(SECOND, Input::Fetched { id, result: Err(FetchFailure::Refused) });
    }
    for second in 2..50 {
        let told = tell(&mut browser, SECOND * second, "BOSS", "WORKGROUP<1e>", &frame);
        assert_eq!(fetches(&told), [], "after {second} s");
    }
    let later: Vec<Event> =
        run(&mut browser, MINUTE + 2 * SECOND).into_iter().map(|(_, event)| event).collect();
    assert_eq!(fetches(&later).len(), 2);
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_the_code_of_the_specification() {
    let (browser, now) = master();
    let ask = |browser: &Browser, server_type, domain: Option<&[u8]>| {
        let request = Request::ServerEnum(ServerEnum::new(1, 60_000, server_type, domain).unwrap());
        browser.answer(now, &request.to_bytes()).parameters.status()
    };
    let all = ServerType::all();
    assert_eq!(ask(&browser, all, Some(b"")), Status::SUCCESS);
    assert_eq!(ask(&browser, all, Some(b"workgroup")), Status::SUCCESS);
    assert_eq!(ask(&browser, all, Some(b"ELSEWHERE")), Status::NO_BROWSER_SERVERS);
    assert_eq!(ask(&browser, ServerType::DOMAIN_ENUM | ServerType::NT, None), Status::INVALID_FUNCTION);
    assert_eq!(ask(&browser, ServerType::DOMAIN_ENUM | ServerType::LOCAL_LIST_ONLY, None), Status::SUCCESS);
    assert_eq!(ask(&browser, ServerType::ALTERNATE_XPORT, None), Status::INVALID_PARAMETER);
    let potential = Browser::new(config(Maintain::Auto), Limits::default(), 1);
    assert_eq!(ask(&potential, all, None), Status::REQ_NOT_ACCEP);
    assert_eq!(browser.answer(now, &[1, 2]).parameters.status(), Status::INVALID_FUNCTION);
    assert_eq!(browser.answer(now, &[0x68, 0]).parameters.status(), Status::INVALID_PARAMETER);
    let request = Request::ShareEnum(ShareEnum::new(1, 1000).unwrap()).to_bytes();
    let answer = browser.answer(now, &request);
    let shares: Vec<_> = shares(1, &answer.parameters, &answer.data).unwrap().map(Result::unwrap).collect();
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0].text(), b"IPC$");
}

#[test]
fn a_client_does_not_ask_for_ever() {
    let (browser, now) = crowd(3000);
    let mut client = ServerEnumClient::new(ServerType::all(), None, 20_000);
    let first = browser.answer(now, &client.request());
    let (parameters, data) = (first.parameters.to_bytes(), first.data);
    assert_eq!(client.take(&parameters, &data), Ok(Page::More));
    assert_eq!(client.take(&parameters, &data), Err(EnumError::NoProgress));
    let mut client = ServerEnumClient::new(ServerType::all(), None, 5);
    assert_eq!(client.take(&parameters, &data), Err(EnumError::TooLong { max: 5 }));
    assert_eq!(client.into_servers().len(), 5);
    let mut client = ServerEnumClient::new(ServerType::all(), None, 5);
    assert_eq!(client.take(&[0x47, 0, 0, 0], &[]), Err(EnumError::Status(Status::REQ_NOT_ACCEP)));
    assert!(matches!(client.take(&[1], &[]), Err(EnumError::Damaged(_))));
}

/// What the list is to be, plainly: names with the times when they are over.
#[derive(Debug, Default)]
struct Model(std::collections::BTreeMap<u8, (Source, Duration)>);

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order of candidates is total, and the same from both sides.
    #[test]
    fn of_two_candidates_exactly_one_wins(
        criteria in prop::collection::vec(0..4_u32, 3),
        uptime in prop::collection::vec(0..3_u32, 3),
        names in prop::collection::vec("[a-cA-C]{1,2}", 3),
    ) {
        use mailslot::service::browser::Candidate;
        let candidate = |at: usize| Candidate {
            criteria: Criteria(criteria[at]), uptime: uptime[at], name: names[at].as_bytes(),
        };
        let [a, b, c] = [candidate(0), candidate(1), candidate(2)];
        let same = criteria[0] == criteria[1] && uptime[0] == uptime[1] && names[0].eq_ignore_ascii_case(&names[1]);
        prop_assert_eq!(u8::from(a > b) + u8::from(b > a), u8::from(!same));
        prop_assert_eq!(a > b, b < a);
        if a > b && b > c {
            prop_assert!(a > c);
        }
        if criteria[0] != criteria[1] {
            prop_assert_eq!(a > b, criteria[0] > criteria[1]);
        } else if uptime[0] != uptime[1] {
            prop_assert_eq!(a > b, uptime[0] > uptime[1]);
        }
    }

    /// The list says what a plain map of times says, whenever it is asked and whether or not it was swept.
    #[test]
    fn the_list_forgets_when_the_time_is_over(
        steps in prop::collection::vec((0..6_u8, 0..12_u8, 0..900_u64, any::<bool>()), 1..80),
    ) {
        const MAX: usize = 8;
        let mut list = ServerList::new(MAX);
        let mut model = Model::default();
        let mut now = Duration::ZERO;
        for (what, which, time, sweep) in steps {
            now += Duration::from_millis(time * 997);
            if sweep {
                list.expire(now);
                model.0.retain(|_, (_, over)| *over > now);
            }
            let name = ServerName::from_wire(&[b'A' + which]).unwrap();
            if what == 5 {
                list.remove(&name);
                model.0.remove(&which);
            } else {
                let source = if what == 4 { Source::Fetched } else { Source::Heard };
                let period = Duration::from_secs(time);
                let server = Server::new(name, Version::new(1, 2), PLAIN, b"x");
                let change = list.hear(now, server, source, period);
                let period = if time == 0 { 12 * MINUTE } else { period };
                let over = Duration::from_secs((now + 3 * period).as_millis().div_ceil(1000).try_into().unwrap());
                let known = model.0.get(&which).copied();
                let alive = known.is_some_and(|(_, over)| over > now);
                let expected = match known {
                    Some((Source::Heard, _)) if alive && source == Source::Fetched => Change::Kept,
                    None if model.0.len() >= MAX => Change::Full,
                    _ if alive => Change::Refreshed,
                    _ => Change::New,
                };
                prop_assert_eq!(change, expected);
                if matches!(expected, Change::New | Change::Refreshed) {
                    model.0.insert(which, (source, over));
                }
            }
            let shown: Vec<u8> = list.iter(now).map(|server| server.name.as_bytes()[0] - b'A').collect();
            let alive: Vec<u8> = model.0.iter().filter(|(_, (_, over))| *over > now).map(|(which, _)| *which).collect();
            prop_assert_eq!(shown, alive);
            prop_assert!(list.len() <= MAX);
        }
    }
}
