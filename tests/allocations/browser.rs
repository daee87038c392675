//! What the lists of the browser service take, as counted by the allocator.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::hint::black_box;

use allocation_counter::measure;
use mailslot::service::browser::{
    Browser, Config, Controller, DropReason, Event, Input, Maintain, Observer, Overheard, Role, Slot,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Encode;
use mailslot::wire::browser::{
    Announcement, AnnouncementRequest, BrowserFrame, GetBackupListRequest, LanmanAnnouncement, LanmanFrame,
    NameFrame, ServerType, Version,
};
use mailslot::wire::name::NetbiosName;

const SECOND: Duration = Duration::from_secs(1);
const PLAIN: ServerType = ServerType::WORKSTATION.union(ServerType::SERVER).union(ServerType::NT);
/// The longest that an announcement has room for.
const COMMENT: &[u8; 42] = b"forty-two bytes of comment, which is most.";
/// Memory for each server in a list.
const PER_SERVER: u64 = 300;

fn name(text: &str) -> NetbiosName {
    text.parse().expect("a name")
}

fn announcement(name: &str) -> Announcement<'_> {
    let frame = Announcement::new(name.as_bytes(), Version::new(10, 0), PLAIN, 720_000, COMMENT);
    frame.expect("15 bytes and 42")
}

/// A domain master, and when it is one; every name that it claims is its own.
fn master(limits: Limits) -> (Browser, Duration) {
    let mut config = Config::new(&name("OURS"), &name("WORKGROUP"));
    (config.maintain, config.controller) = (Maintain::Auto, Controller::Primary);
    let mut browser = Browser::new(config, limits, 7);
    browser.start(Duration::ZERO);
    let mut now = Duration::ZERO;
    while browser.role() != Role::DomainMaster {
        obey(&mut browser, now);
        now = browser.poll_timeout().expect("an election is under way");
        browser.handle_timeout(now);
    }
    obey(&mut browser, now);
    (browser, now)
}

/// Names are had, lists are not.
fn obey(browser: &mut Browser, now: Duration) {
    while let Some(event) = browser.poll_event() {
        if let Event::Claim { name, .. } = event {
            browser.handle_input(now, Input::Name { name, is_ours: true });
        }
    }
}

/// Everybody has an address; whoever makes up a name makes up an address, too.
fn address(source: &NetbiosName) -> Ipv4Addr {
    let sum = |sum: u32, byte: &u8| sum.wrapping_mul(31).wrapping_add(u32::from(*byte));
    Ipv4Addr::from_bits(source.base().iter().fold(0, sum))
}

fn tell(
    browser: &mut Browser,
    now: Duration,
    slot: Slot,
    source: &NetbiosName,
    to: &NetbiosName,
    data: &[u8],
) {
    browser.handle_input(
        now,
        Input::Message { slot, source: *source, destination: *to, peer: Some(address(source)), data },
    );
    obey(browser, now);
}

/// A list of 10,000 servers takes at most 300 bytes for each, in whatever order they come, names and comments as long as
/// they can be.
#[test]
fn ten_thousand_servers_are_small() {
    const SERVERS: u64 = 10_000;
    let to = name("WORKGROUP<1d>");
    // Sorted, backwards, and mixed up: 7919 and 10,000 have no common divisor.
    let orders: [fn(u64) -> u64; 3] =
        [|number| number, |number| SERVERS - number, |number| number * 7919 % SERVERS];
    for order in orders {
        let (mut browser, start) = master(Limits::default());
        let counted = measure(|| {
            for number in 0..SERVERS {
                let host = format!("HOST{:011}", order(number));
                let frame = BrowserFrame::HostAnnouncement(announcement(&host)).to_bytes();
                let now = start + Duration::from_millis(number);
                tell(&mut browser, now, Slot::Browse, &name(&host), &to, &frame);
            }
        });
        assert_eq!(browser.servers().len(), 10_001);
        let each = u64::try_from(counted.bytes_current).expect("more than before") / SERVERS;
        println!("{each} bytes for each, {} at most", counted.bytes_max / SERVERS);
        assert!(each > 42, "they are held at all");
        assert!(counted.bytes_max <= PER_SERVER * SERVERS, "{} bytes for each", counted.bytes_max / SERVERS);
    }
}

/// A million messages of computers that are not there: each with another name, source and workgroup, 10,000 a second, on
/// both slots; announcements of hosts, of workgroups, of LAN Manager's and of masters, requests, and noise. What the
/// service holds stays within its limits, each message is counted for what became of it, and who was in the list before
/// is in it still.
#[test]
fn bid_1261_a_million_forged_hosts_stay_within_the_limits() {
    const FORGED: u32 = 1_000_000;
    const REAL: usize = 200;
    let mut limits = Limits::default();
    limits.browse_entries = 5_000;
    let real: Vec<String> = (0..REAL).map(|number| format!("REAL{number:03}")).collect();
    let (mut browser, start) = master(limits);
    let announce = |browser: &mut Browser, now: Duration| {
        for host in &real {
            let mut frame = announcement(host);
            frame.periodicity = 60_000;
            let frame = BrowserFrame::HostAnnouncement(frame).to_bytes();
            tell(browser, now, Slot::Browse, &name(host), &name("WORKGROUP<1d>"), &frame);
        }
    };
    announce(&mut browser, start);
    let before = browser.stats();
    let (own, far) = (name("WORKGROUP<1d>"), name("WORKGROUP<1b>"));
    let group = name("WORKGROUP<00>");
    let (mut forged_hosts, mut forged_domains) = (0_u64, 0_u64);
    let counted = measure(|| {
        for number in 0..FORGED {
            let now = start + SECOND + number * Duration::from_micros(100);
            // The real ones go on announcing themselves, once a minute.
            if number % 590_000 == 589_999 {
                announce(&mut browser, now);
            }
            let forged = format!("F{number:07}");
            let source = name(&forged);
            let (slot, to, data) = match number % 8 {
                0 | 1 => {
                    forged_hosts += 1;
                    (Slot::Browse, own, BrowserFrame::HostAnnouncement(announcement(&forged)).to_bytes())
                }
                2 => {
                    // Of a workgroup of its own.
                    let other = name(&format!("W{number:07}<1d>"));
                    (Slot::Browse, other, BrowserFrame::HostAnnouncement(announcement(&forged)).to_bytes())
                }
                3 => {
                    forged_domains += 1;
                    let frame = BrowserFrame::DomainAnnouncement(announcement(&forged)).to_bytes();
                    (Slot::Browse, NetbiosName::MSBROWSE, frame)
                }
                4 => {
                    forged_hosts += 1;
                    let frame =
                        LanmanAnnouncement::new(forged.as_bytes(), Version::new(4, 0), PLAIN, 720, COMMENT);
                    (Slot::Lanman, group, LanmanFrame::Announcement(frame.expect("short")).to_bytes())
                }
                5 => {
                    let frame = NameFrame::new(forged.as_bytes()).expect("short");
                    (Slot::Browse, far, BrowserFrame::MasterAnnouncement(frame).to_bytes())
                }
                6 => {
                    let frame = GetBackupListRequest::new(255, number);
                    (Slot::Browse, own, BrowserFrame::GetBackupListRequest(frame).to_bytes())
                }
                _ => {
                    let frame = AnnouncementRequest::new(forged.as_bytes()).expect("short");
                    let mut frame = BrowserFrame::AnnouncementRequest(frame).to_bytes();
                    // Of which half is cut to nothing.
                    frame.truncate(if number % 16 == 7 { 0 } else { frame.len() });
                    (Slot::Browse, own, frame)
                }
            };
            tell(&mut browser, now, slot, &source, &to, &data);
        }
    });
    let now = start + SECOND + FORGED * Duration::from_micros(100);
    for host in &real {
        let host = mailslot::service::browser::ServerName::from_wire(host.as_bytes()).expect("a name");
        assert!(browser.servers().get(now, &host).is_some(), "{host} is listed still");
    }
    assert_eq!(
        (browser.servers().len(), browser.domains().len()),
        (limits.browse_entries, limits.browse_entries)
    );
    // Two full lists, the sources that are told apart, the local masters, and a little.
    let entries = 2 * u64::try_from(limits.browse_entries).expect("small");
    let others = u64::try_from(limits.browse_sources + limits.browse_masters).expect("small");
    let bound = (entries + others) * PER_SERVER;
    println!("{} bytes at most, of {bound}", counted.bytes_max);
    assert!(counted.bytes_max <= bound, "{} bytes, more than {bound}", counted.bytes_max);

    let stats = browser.stats();
    let by = |reason| stats.dropped(reason) - before.dropped(reason);
    let real_again = u64::from(FORGED / 590_000) * u64::try_from(REAL).expect("small");
    assert_eq!(stats.received - before.received, u64::from(FORGED) + real_again);
    assert_eq!(stats.received, stats.accepted + stats.drops().map(|(_, count)| count).sum::<u64>());
    let room = u64::try_from(limits.browse_entries - REAL - 1).expect("small");
    let full =
        forged_hosts - room + forged_domains - (u64::try_from(limits.browse_entries).expect("small") - 1);
    let eighth = u64::from(FORGED) / 8;
    assert_eq!(by(DropReason::OtherGroup), eighth, "other workgroups");
    assert_eq!(by(DropReason::Damaged), eighth / 2, "cut to nothing");
    assert_eq!(by(DropReason::RateLimited), 0, "10,000 a second are within the limit");
    // Of the masters 512 are remembered; none is forgotten within these 100 s.
    let masters = u64::try_from(limits.browse_masters).expect("small");
    assert_eq!(by(DropReason::ListFull), full + eighth - masters);
    // 1,250 a second ask for backups, and are answered as often as the limit allows; 625 a second for announcements,
    // which are given once.
    let seconds = 100..=101;
    let answered = eighth + eighth / 2 - by(DropReason::AnswersLimited);
    let each = u64::from(limits.browse_answers) + 1;
    assert!((seconds.start() * each..=seconds.end() * each).contains(&answered), "{answered} answers");
    let others =
        [DropReason::OtherGroup, DropReason::Damaged, DropReason::ListFull, DropReason::AnswersLimited];
    let rest: u64 = DropReason::ALL.into_iter().filter(|reason| !others.contains(reason)).map(by).sum();
    assert_eq!(rest, 0, "no other reason");
}

/// A hundred thousand, for who only listens and takes all workgroups.
#[test]
fn forged_hosts_overheard_stay_within_the_limits() {
    const FORGED: u32 = 100_000;
    let mut limits = Limits::default();
    limits.browse_entries = 5_000;
    let mut observer = Observer::new(limits);
    let hear = |observer: &mut Observer, now, host: &str, group: &NetbiosName| {
        let data = BrowserFrame::HostAnnouncement(announcement(host)).to_bytes();
        let (slot, source, peer) = (Slot::Browse, name(host), Some(address(&name(host))));
        let _ =
            black_box(observer.hear(now, Overheard { slot, source, destination: *group, peer, data: &data }));
    };
    hear(&mut observer, Duration::ZERO, "REAL", &name("WORKGROUP<1d>"));
    let counted = measure(|| {
        for number in 0..FORGED {
            let now = SECOND + number * Duration::from_micros(100);
            hear(&mut observer, now, &format!("F{number:07}"), &name(&format!("W{:06}<1d>", number / 3)));
        }
    });
    let end = SECOND + FORGED * Duration::from_micros(100);
    assert_eq!(observer.computers(end).count(), limits.browse_entries);
    assert!(observer.workgroups(end).count() <= limits.browse_entries);
    assert!(observer.computers(end).any(|computer| computer.name.as_bytes() == b"REAL"));
    let bound = u64::try_from(2 * limits.browse_entries + limits.browse_sources).expect("small") * PER_SERVER;
    assert!(counted.bytes_max <= bound, "{} bytes, more than {bound}", counted.bytes_max);
    assert_eq!(observer.received(), u64::from(FORGED) + 1);
    assert_eq!(observer.dropped()[&DropReason::ListFull], u64::from(FORGED) + 1 - observer.announcements());
    assert_eq!(observer.announcements(), u64::try_from(limits.browse_entries).expect("small"));
}
