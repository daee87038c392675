//! What is shown of what was heard, on terminals of several sizes.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;
use mailslot::service::browser::ServerName;
use mailslot::slot::SlotName;
use mailslot::wire::Encode;
use mailslot::wire::browser::{
    Announcement, BrowserFrame, Criteria, LanmanAnnouncement, LanmanFrame, NameFrame, RequestElection,
    ServerType, Version,
};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::draw::{Scene, draw};
use super::log::What;
use super::model::{Bounds, Message, Model};
use super::state::{Next, State};
use crate::cmd::browse::words::{
    ROLES, clean, fit, legend, number, role_letters, roles, short_system, span, system, width, wrap,
};

const SERVER: ServerType = ServerType::SERVER.union(ServerType::NT).union(ServerType::POTENTIAL_BROWSER);
const MASTER: ServerType = SERVER.union(ServerType::MASTER_BROWSER);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Lan {
    model: Model,
    state: State,
    only: Option<ServerName>,
}

impl Lan {
    fn new() -> Self {
        Self::bounded(Bounds::default())
    }

    fn bounded(bounds: Bounds) -> Self {
        Self { model: Model::new(Duration::ZERO, bounds), state: State::new(), only: None }
    }

    fn hear(&mut self, now: Duration, slot: &str, source: &str, destination: NetbiosName, data: &[u8]) {
        let (slot, source) = (SlotName::new(slot).unwrap(), source.parse().unwrap());
        let peer = Ipv4Addr::new(10, 99, 0, 11);
        self.model.hear(now, Message { slot: &slot, source, destination, peer, data });
    }

    fn frame(&mut self, now: Duration, destination: &str, frame: BrowserFrame<'_>) {
        let destination = match destination {
            "MSBROWSE" => NetbiosName::MSBROWSE,
            name => name.parse().unwrap(),
        };
        self.hear(now, r"BROWSE", "SENDER<00>", destination, &frame.to_bytes());
    }

    fn host(&mut self, now: Duration, group: &str, name: &[u8], server_type: ServerType, comment: &[u8]) {
        let frame = announcement(name, server_type, comment);
        self.frame(now, &format!("{group}<1d>"), BrowserFrame::HostAnnouncement(frame));
    }

    fn master(&mut self, now: Duration, group: &str, name: &[u8]) {
        let frame = announcement(name, MASTER, b"");
        self.frame(now, &format!("{group}<1e>"), BrowserFrame::LocalMasterAnnouncement(frame));
    }

    fn election(&mut self, now: Duration, group: &str, name: &[u8], criteria: u32, uptime: u32) {
        let frame = RequestElection::new(Criteria(criteria), uptime, name).unwrap();
        self.frame(now, &format!("{group}<1e>"), BrowserFrame::RequestElection(frame));
    }

    fn keys(&mut self, codes: &[KeyCode]) -> Next {
        let press = |code: &KeyCode| self.state.key(KeyEvent::new(*code, KeyModifiers::NONE));
        codes.iter().map(press).last().unwrap_or(Next::GoOn)
    }

    /// The screen's lines, without the spaces at their ends.
    fn screen(&mut self, now: Duration, columns: u16, lines: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
        let epoch: Zoned = "2026-11-24T12:00:00Z".parse::<jiff::Timestamp>().unwrap().to_zoned(TimeZone::UTC);
        let scene = Scene {
            model: &self.model,
            now,
            epoch: &epoch,
            place: "on eth0 10.99.0.13/24",
            page: CodePage::default(),
            only: self.only,
        };
        terminal.draw(|frame| draw(frame.buffer_mut(), &scene, &mut self.state)).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| {
            let mut line = String::new();
            let mut x = 0;
            while x < columns {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                // What a character of two columns covers is not shown.
                x += u16::try_from(width(symbol)).unwrap().max(1);
            }
            line.trim_end().to_owned()
        };
        (0..lines).map(line).collect()
    }
}

fn announcement<'a>(name: &'a [u8], server_type: ServerType, comment: &'a [u8]) -> Announcement<'a> {
    Announcement::new(name, Version::new(6, 1), server_type, 60_000, comment).unwrap()
}

/// Two workgroups, an election, a slot.
fn busy() -> Lan {
    let mut lan = Lan::new();
    lan.host(s(1), "SALES", b"PC7", SERVER, b"by the window");
    lan.host(s(2), "SALES", b"PRINTER", SERVER | ServerType::PRINTQ, b"");
    lan.election(s(3), "SALES", b"BOSS", 0x2001_0f28, 90_000);
    lan.election(s(4), "SALES", b"BOSS", 0x2001_0f28, 91_000);
    lan.election(s(4), "SALES", b"PC7", 0x1001_0f00, 5_000);
    lan.master(s(6), "SALES", b"BOSS");
    let domain = announcement(b"FAR", ServerType::DOMAIN_ENUM, b"CHIEF");
    lan.frame(s(7), "MSBROWSE", BrowserFrame::DomainAnnouncement(domain));
    let old = LanmanAnnouncement::new(b"OS2", Version::new(2, 1), ServerType::SERVER, 60, b"warp").unwrap();
    let old = LanmanFrame::Announcement(old).to_bytes();
    lan.hear(s(8), "lanman", "OS2<00>", "WAREHOUSE<00>".parse().unwrap(), &old);
    for second in 0..10 {
        lan.hear(s(second), "app/soda", "VENDING<00>", "SALES<00>".parse().unwrap(), b"12 left");
    }
    lan
}

fn assert_shows(screen: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(screen.iter().any(|line| line.contains(wanted)), "no '{wanted}' in\n{}", screen.join("\n"));
    }
}

#[test]
fn all_is_on_one_screen_of_80_by_24() {
    let screen = busy().screen(s(10), 80, 24);
    assert_eq!(screen.join("\n"), include_str!("screen_80x24.txt").trim_end_matches('\n'));
    assert!(screen.iter().all(|line| width(line) <= 80));
}

/// Names as long as they get, all roles that there are, and elections of many words: nothing but comments is cut.
#[test]
fn what_matters_is_not_cut_on_80_by_24() {
    let mut lan = Lan::new();
    let all = ServerType::all() - ServerType::DOMAIN_ENUM - ServerType::WINDOWS - ServerType::WFW;
    let all = all - (ServerType::XENIX | ServerType::OSF | ServerType::VMS | ServerType::NOVELL);
    let group = "A-LONG-WORKGRP1";
    lan.master(s(1), group, b"A-LONG-SERVER-B");
    for second in 2..8 {
        lan.election(s(second), group, b"A-LONG-COMPUTER", 0x2001_0fff, 1_000_000);
    }
    lan.election(s(8), group, b"A-LONG-SERVER-B", 0, 0);
    lan.master(s(9), group, b"A-LONG-COMPUTER");
    lan.host(s(10), group, b"A-LONG-COMPUTER", all, b"a comment");
    lan.host(s(11), group, b"A-LONG-SERVER-B", MASTER | ServerType::SERVER_NT, &[b'c'; 42]);
    let screen = lan.screen(s(50), 80, 24);
    let computers = &screen[3..5];
    assert_eq!(computers[0], "A-LONG-COMPUTER A-LONG-WORKGRP1 S2008R2 40s  2m  DMBCcmrSTdtfau a comment");
    assert_eq!(
        computers[1],
        "A-LONG-SERVER-B A-LONG-WORKGRP1 S2008R2 39s  2m  M              ccccccccccccccc…"
    );
    let rest: Vec<&String> =
        screen.iter().enumerate().filter(|(at, _)| *at != 4).map(|(_, line)| line).collect();
    assert!(!rest.iter().any(|line| line.contains('…')), "{}", screen.join("\n"));
    assert_shows(
        &screen,
        &[
            "12:00:09 A-LONG-WORKGRP1 A-LONG-COMPUTER is master after A-LONG-SERVER-B",
            "12:00:08 A-LONG-WORKGRP1 A-LONG-SERVER-B wants an election and does not stand",
            "12:00:02 A-LONG-WORKGRP1 A-LONG-COMPUTER stands 6 times in 5s: up 16m, os 32,",
            "                         backup DC master preferred WINS PDC",
        ],
    );
    assert_shows(&screen, &["A-LONG-WORKGRP1 A-LONG-SERVER-B     2  39s"]);
}

/// Every letter is explained: on the last line as far as there is room, and in the help.
#[test]
fn roles_that_are_letters_are_explained() {
    let mut lan = busy();
    let screen = lan.screen(s(10), 80, 24);
    assert!(screen[23].ends_with("M master  p potential  r print"), "{}", screen[23]);
    lan.keys(&[KeyCode::Char('?')]);
    let help = lan.screen(s(10), 80, 24).join("\n");
    assert!(!help.contains('…'), "{help}");
    for (letter, word) in ROLES.map(|(_, letter, word)| (letter, word)) {
        assert!(help.contains(&format!("{letter} {word}")), "{letter} {word} in\n{help}");
    }
    let mut letters = ROLES.map(|(_, letter, _)| letter);
    letters.sort_unstable();
    assert!(letters.windows(2).all(|pair| pair[0] != pair[1]));
    // In words where there is room: no letters, no legend.
    let screen = busy().screen(s(10), 200, 60);
    assert_shows(&screen, &["potential print"]);
    assert!(!screen[59].contains("p potential"), "{}", screen[59]);
    assert_eq!(legend(MASTER, 8), "M master");
    assert_eq!(legend(MASTER, 7), "");
}

#[test]
fn text_is_wrapped_at_spaces() {
    let lines = |text: &str, columns| wrap(text, columns);
    assert_eq!(lines("one two three", 7), ["one two", "three"]);
    assert_eq!(lines("one two three", 13), ["one two three"]);
    assert_eq!(lines("onetwothree and", 5), ["onetw", "othre", "e and"]);
    assert_eq!(lines("日本語", 5), ["日本", "語"]);
    assert_eq!(lines("日", 1), ["日"]);
    assert_eq!(lines("", 5), [""]);
    assert_eq!(lines("ab", 0), ["a", "b"]);
}

#[test]
fn a_large_screen_has_more_columns() {
    let screen = busy().screen(s(10), 200, 60);
    let columns = ["VERSION", "ADDRESS", "10.99.0.11", "BYTES", "LAST MINUTE", "VENDING<00> > SALES<00>"];
    assert_shows(&screen, &columns);
    assert_shows(&screen, &["os 32 (Windows server), version 15.1, preferred WINS"]);
    assert!(screen.iter().all(|line| width(line) <= 200));
    assert!(!screen.iter().any(|line| line.contains('…')), "{}", screen.join("\n"));
}

#[test]
fn no_size_is_too_small() {
    for (columns, lines) in
        [(20, 5), (1, 1), (2, 2), (3, 40), (300, 3), (40, 10), (59, 24), (80, 15), (60, 16)]
    {
        for key in [KeyCode::Null, KeyCode::Tab, KeyCode::Enter, KeyCode::Char('?'), KeyCode::Char('/')] {
            let mut lan = busy();
            lan.model.missed = 12;
            lan.keys(&[key]);
            let screen = lan.screen(s(10), columns, lines);
            assert_eq!(screen.len(), usize::from(lines));
        }
    }
    let screen = busy().screen(s(10), 20, 5);
    assert_shows(&screen, &["Comp", "1-2 of 4", "BOSS", "PC7"]);
}

#[test]
fn an_entry_lives_three_periods_and_is_marked_when_one_is_overdue() {
    let mut lan = Lan::new();
    lan.host(s(0), "SALES", b"PC7", SERVER, b"");
    let row = |lan: &mut Lan, now| lan.screen(now, 80, 24)[3].clone();
    assert!(row(&mut lan, s(60)).contains(" 60s  2m  "), "{}", row(&mut lan, s(60)));
    assert!(row(&mut lan, s(61)).contains(" 61s  1m! "), "{}", row(&mut lan, s(61)));
    assert!(row(&mut lan, s(179)).contains("PC7"));
    assert_shows(&lan.screen(s(180), 80, 24), &["None has announced itself yet"]);
    lan.host(s(200), "SALES", b"PC7", SERVER, b"");
    lan.host(s(201), "SALES", b"PC7", ServerType::empty(), b"");
    assert_shows(
        &lan.screen(s(202), 80, 24),
        &["None has announced itself yet", "Computers, by workgroup, 1 left"],
    );
}

#[test]
fn what_a_candidate_says_again_is_one_line_until_a_master_is_there() {
    let mut lan = Lan::new();
    lan.master(s(0), "SALES", b"OLD");
    lan.master(s(1), "SALES", b"OLD");
    for second in 2..6 {
        lan.election(s(second), "SALES", b"NEW", 0x2001_0f00, u32::try_from(second).unwrap());
        lan.election(s(second), "OTHER", b"NEW", 0x2001_0f00, 1);
    }
    lan.election(s(6), "SALES", b"OLD", 0, 0);
    lan.master(s(8), "SALES", b"NEW");
    lan.election(s(9), "SALES", b"NEW", 0x2001_0f04, 7);
    lan.master(s(10), "SALES", b"NEW");
    let sales = ServerName::from_wire(b"SALES").unwrap();
    let entries = lan.model.log.entries().filter(|entry| entry.workgroup == sales);
    let mut entries: Vec<_> = entries.map(|entry| (entry.at.as_secs(), entry.count, entry.what)).collect();
    entries.reverse();
    let (old, new) = (ServerName::from_wire(b"OLD"), ServerName::from_wire(b"NEW"));
    let stands = |criteria, uptime| What::Candidate { name: new, criteria: Criteria(criteria), uptime };
    let master = |name: Option<ServerName>, before| What::Master { name: name.unwrap(), before };
    assert_eq!(
        entries,
        [
            (0, 1, master(old, None)),
            (2, 4, stands(0x2001_0f00, 5)),
            (6, 1, What::Called { name: old }),
            (8, 1, master(new, old)),
            (9, 1, stands(0x2001_0f04, 7)),
            (10, 1, master(new, new)),
        ]
    );
    let screen = lan.screen(s(12), 80, 40);
    assert_shows(&screen, &["NEW stands 4 times in 3s", "NEW is local master, in place of OLD"]);
    let screen = lan.screen(s(12), 200, 60);
    assert_shows(&screen, &["NEW stands for election 4 times in 3s", "NEW is local master, in place of OLD"]);
    assert_shows(&screen, &["OLD wants an election and does not stand", "NEW stays local master"]);
}

#[test]
fn a_master_that_leaves_backups_and_resets_are_in_the_log() {
    let mut lan = Lan::new();
    lan.master(s(0), "SALES", b"OLD");
    let name = NameFrame::new(b"PC7").unwrap();
    lan.frame(s(1), "SALES<1e>", BrowserFrame::BecomeBackup(name));
    lan.host(s(2), "SALES", b"OLD", ServerType::empty(), b"");
    let screen = lan.screen(s(3), 80, 24);
    assert_shows(&screen, &["PC7 is to be a backup browser", "OLD leaves, there is no local master"]);
}

#[test]
fn a_rate_is_the_mean_of_the_last_ten_whole_seconds() {
    let mut lan = Lan::new();
    let to: NetbiosName = "SALES<00>".parse().unwrap();
    for second in 0..4 {
        for _ in 0..30 {
            lan.hear(s(second), "app", "PC7<00>", to, b"x");
        }
    }
    let per_second = |lan: &Lan, now| lan.model.all.per_second(now, Duration::ZERO);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(per_second(&lan, Duration::from_millis(3_999)), 30.0));
    assert!(close(per_second(&lan, s(4)), 30.0));
    assert!(close(per_second(&lan, s(10)), 12.0));
    assert!(close(per_second(&lan, s(12)), 6.0));
    assert!(close(per_second(&lan, s(14)), 0.0));
    assert_eq!(lan.model.all.history(s(4), 5), [30, 30, 30, 30]);
    // A minute later the same places are used again.
    lan.hear(s(62), "app", "PC7<00>", to, b"x");
    assert!(close(per_second(&lan, s(64)), 0.1));
    assert_eq!(lan.model.all.messages, 121);
}

#[test]
fn floods_stay_within_bounds_and_are_counted() {
    let mut bounds = Bounds { slots: 8, log: 16, ..Bounds::default() };
    bounds.limits.browse_entries = 10;
    bounds.limits.browse_messages = u32::MAX;
    bounds.limits.browse_messages_per_source = u32::MAX;
    let mut lan = Lan::bounded(bounds);
    for number in 0..1000_u32 {
        let name = format!("PC{number}");
        lan.host(s(1), "SALES", name.as_bytes(), SERVER, b"");
        lan.election(s(1), "SALES", name.as_bytes(), number + 1, 1);
        lan.hear(s(1), &name, "PC7<00>", "SALES<00>".parse().unwrap(), b"x");
        let group = format!("G{number}");
        lan.master(s(1), &group, b"M");
    }
    assert_eq!(lan.model.observer.computers(s(1)).count(), 10);
    assert_eq!(lan.model.slots.len(), 8);
    // BROWSE and seven others are told apart.
    assert_eq!(lan.model.other_slots.messages, 993);
    assert_eq!(lan.model.log.entries().count(), 16);
    assert!(lan.model.log.forgotten > 900);
    let dropped = lan.model.dropped();
    assert!(dropped.iter().any(|(reason, count)| *reason == "list_full" && *count > 900), "{dropped:?}");
    let screen = lan.screen(s(2), 80, 60);
    assert_shows(&screen, &["not taken: ", "(others)"]);
    // A slot that is silent makes room.
    lan.hear(s(100), "late", "PC7<00>", "SALES<00>".parse().unwrap(), b"x");
    assert!(lan.model.slots.contains_key(&SlotName::new("late").unwrap()));
    let all: u64 = lan.model.slots.values().map(|slot| slot.series.messages).sum();
    assert_eq!(all + lan.model.other_slots.messages, lan.model.all.messages);
}

#[test]
fn text_from_the_network_does_nothing_to_the_terminal() {
    let mut lan = Lan::new();
    // Code page 874 has Thai letters that take no room of their own; 0x9b is a control character of C1 elsewhere.
    lan.host(s(0), "SA\x1b[2J", b"P\x07\x1b]0;x", SERVER, b"\x1b[31m\x9b2J");
    lan.hear(s(0), "\u{202e}evil\u{200b}\u{7f}", "PC7<00>", "SALES<00>".parse().unwrap(), b"x");
    lan.hear(s(0), "日本日本日本日本日本日本日本日本日本日本", "PC7<00>", "SALES<00>".parse().unwrap(), b"x");
    for (columns, lines) in [(80, 24), (200, 60), (33, 9)] {
        let screen = lan.screen(s(1), columns, lines);
        for line in &screen {
            assert!(width(line) <= usize::from(columns), "{line}");
            assert!(!line.chars().any(|c| c.is_control() || "\u{202e}\u{200b}".contains(c)), "{line:?}");
        }
    }
    let screen = lan.screen(s(1), 200, 60);
    assert_shows(&screen, &[r"P\x07\x1b]0;X", r"\x1b[31m", r"\u{202e}evil\u{200b}"]);
    assert_eq!(clean("e\u{301}"), r"e\u{301}");
}

#[test]
fn what_does_not_fit_is_cut_with_a_sign() {
    assert_eq!(fit("twelve", 6), "twelve");
    assert_eq!(fit("twelve", 5), "twel…");
    assert_eq!(fit("twelve", 1), "…");
    assert_eq!(fit("twelve", 0), "");
    // Characters of two columns.
    assert_eq!(fit("日本語", 6), "日本語");
    assert_eq!(fit("日本語", 5), "日本…");
    assert_eq!(fit("日本語", 4), "日…");
    let mut lan = Lan::new();
    for number in 0..20 {
        lan.host(s(0), "SALES", format!("PC{number:02}").as_bytes(), SERVER, &[b'c'; 42]);
    }
    let screen = lan.screen(s(1), 80, 24);
    assert_shows(&screen, &["1-8 of 20", "ccc…"]);
}

#[test]
fn keys_scroll_sort_filter_and_end() {
    let mut lan = Lan::new();
    for number in 0..30_u64 {
        let name = format!("PC{:02}", 29 - number);
        lan.host(s(number), "SALES", name.as_bytes(), SERVER, if number == 3 { b"the one" } else { b"" });
    }
    lan.screen(s(31), 80, 24);
    let first = |lan: &mut Lan| lan.screen(s(31), 80, 24)[3][..4].to_owned();
    let page = 8;
    assert_eq!(first(&mut lan), "PC00");
    lan.keys(&[KeyCode::Down]);
    assert_eq!(first(&mut lan), "PC01");
    lan.keys(&[KeyCode::PageDown]);
    assert_eq!(first(&mut lan), format!("PC{:02}", 1 + page));
    lan.keys(&[KeyCode::End, KeyCode::Down]);
    assert_eq!(first(&mut lan), format!("PC{}", 30 - page));
    lan.keys(&[KeyCode::PageUp, KeyCode::Up]);
    assert_eq!(first(&mut lan), format!("PC{}", 30 - 2 * page - 1));
    lan.keys(&[KeyCode::Home]);
    // By name, by age: the youngest first; by expiry: what goes first.
    lan.keys(&[KeyCode::Char('s'), KeyCode::Char('s')]);
    assert_shows(&lan.screen(s(31), 80, 24), &["Computers, by age"]);
    assert_eq!(first(&mut lan), "PC00");
    lan.keys(&[KeyCode::Char('s')]);
    assert_eq!(first(&mut lan), "PC29");
    // Only what holds the text.
    lan.keys(&[KeyCode::Char('/')]);
    let typed: Vec<KeyCode> = "THE Onq".chars().map(KeyCode::Char).collect();
    assert_eq!(lan.keys(&typed), Next::GoOn);
    lan.keys(&[KeyCode::Backspace, KeyCode::Enter]);
    let screen = lan.screen(s(31), 80, 24);
    assert_shows(&screen, &["filter: THE On", "PC26"]);
    assert!(!screen.iter().any(|line| line.contains("PC25")));
    // Esc ends the filter, the list alone, and the program, in this order.
    lan.keys(&[KeyCode::Tab, KeyCode::Enter]);
    assert_eq!(lan.keys(&[KeyCode::Esc]), Next::GoOn);
    let screen = lan.screen(s(31), 80, 24);
    assert_shows(&screen, &["Workgroups"]);
    assert!(!screen.iter().any(|line| line.contains("Computers")));
    assert_eq!(lan.keys(&[KeyCode::Esc]), Next::GoOn);
    assert_shows(&lan.screen(s(31), 80, 24), &["Computers"]);
    assert_eq!(lan.keys(&[KeyCode::Esc]), Next::Quit);
    assert_eq!(lan.keys(&[KeyCode::Char('?')]), Next::GoOn);
    assert_shows(
        &lan.screen(s(31), 80, 24),
        &["mean of the last ten seconds", "Nothing of it is authenticated"],
    );
    assert_eq!(lan.keys(&[KeyCode::Char('x')]), Next::GoOn);
    assert_eq!(lan.keys(&[KeyCode::Char('q')]), Next::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for keys in [&[][..], &[KeyCode::Char('/')], &[KeyCode::Char('?')]] {
        let mut lan = Lan::new();
        lan.keys(keys);
        assert_eq!(lan.state.key(interrupt), Next::Quit);
    }
}

#[test]
fn one_workgroup_alone() {
    let mut lan = busy();
    lan.only = ServerName::from_wire(b"WAREHOUSE");
    let screen = lan.screen(s(10), 80, 24);
    assert_shows(&screen, &["only WAREHOUSE", "OS2", "None was heard."]);
    assert!(!screen.iter().any(|line| line.contains("PC7")));
}

#[test]
fn systems_and_roles_are_what_announcements_claim() {
    let nt = ServerType::NT;
    for (version, server_type, shown) in [
        ((10, 0), nt, "Windows 10/11"),
        ((10, 0), nt | ServerType::SERVER_NT, "Server 2016+"),
        ((6, 1), nt | ServerType::DOMAIN_CTRL, "Server 2008 R2"),
        ((4, 0), nt, "Windows NT 4.0"),
        ((4, 0), nt | ServerType::DOMAIN_BAKCTRL, "NT Server 4.0"),
        ((4, 0), ServerType::WINDOWS | ServerType::WFW, "Windows 9x 4.0"),
        ((3, 11), ServerType::WFW, "WfW 3.11"),
        ((6, 1), nt | ServerType::SERVER_NT | ServerType::XENIX, "Unix 6.1"),
        ((2, 1), ServerType::SERVER, "LAN Man 2.1"),
    ] {
        let version = Version::new(version.0, version.1);
        assert_eq!(system(version, server_type), shown);
        assert!(short_system(version, server_type).len() <= 8, "{}", short_system(version, server_type));
    }
    assert_eq!(short_system(Version::new(5, 1), nt), "Win XP");
    assert_eq!(short_system(Version::new(6, 3), nt | ServerType::SERVER_NT), "S2012R2");
    assert_eq!(roles(MASTER | ServerType::DOMAIN_CTRL | ServerType::PRINTQ), "master PDC print");
    assert_eq!(roles(SERVER), "potential");
    assert_eq!(role_letters(MASTER | ServerType::DOMAIN_CTRL | ServerType::PRINTQ), "MCr");
    assert_eq!(role_letters(SERVER), "p");
    let times = [0, 99, 100, 5999, 6000, 172_799, 172_800].map(|seconds| span(s(seconds)));
    assert_eq!(times, ["0s", "99s", "1m", "99m", "1h", "47h", "2d"]);
    assert_eq!([99_999, 100_000, 1_234_567, u64::MAX].map(number)[..3], ["99999", "100k", "1.2M"]);
}
