//! A browser to which anything is said: never a panic, everything bounded and counted, everything it says decodes.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailslot::service::browser::{
    Browser, Config, Controller, DomainMaster, Event, FetchFailure, Input, Maintain, Slot,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Decode;
use mailslot::wire::browser::{BrowserFrame, LanmanFrame};
use mailslot::wire::name::{NetbiosName, Suffix};

// Input: kind of browser, then messages of (what, destination and slot, 256 ms units that pass, length, data).
fuzz_target!(|data: &[u8]| {
    let Some((&first, mut rest)) = data.split_first() else { return };
    let mut limits = Limits::default();
    limits.browse_entries = 8;
    limits.browse_entries_per_address = 3;
    limits.browse_masters = 2;
    limits.browse_fetches = 2;
    limits.browse_sources = 2;
    let computer: NetbiosName = "OURS".parse().expect("a name");
    let group: NetbiosName = "LAB".parse().expect("a name");
    let mut config = Config::new(&computer, &group);
    config.maintain = [Maintain::No, Maintain::Auto, Maintain::Yes, Maintain::Auto][usize::from(first & 3)];
    config.controller = if first & 4 == 0 { Controller::None } else { Controller::Primary };
    config.domain_master = if first & 8 == 0 { DomainMaster::None } else { DomainMaster::Registered };
    let mut browser = Browser::new(config, limits, 1);
    let mut now = Duration::ZERO;
    browser.start(now);
    while let Some((&[what, to, passed, length], after)) = rest.split_first_chunk::<4>() {
        let (message, next) = after.split_at(usize::from(length).min(after.len()));
        rest = next;
        let until = now + Duration::from_millis(u64::from(passed) * 256);
        while let Some(at) = browser.poll_timeout().filter(|at| *at <= until) {
            // What was due is done: a machine that wants the same moment for ever would never end.
            browser.handle_timeout(at);
            assert!(browser.poll_timeout().is_none_or(|next| next > at));
            drain(&mut browser, at, what & 0x80 == 0);
        }
        now = until;
        let suffixes = [0x00, 0x1d, 0x1e, 0x1b, 0x20];
        let destination = match usize::from(to & 7) {
            at if at < 5 => group.with_suffix(Suffix(suffixes[at])),
            5 => NetbiosName::MSBROWSE,
            _ => computer,
        };
        let source: NetbiosName = format!("PC{}", to >> 4).parse().expect("a name");
        let peer = (what & 32 != 0).then(|| core::net::Ipv4Addr::new(10, 0, 0, to >> 6));
        let slot = if to & 8 == 0 { Slot::Browse } else { Slot::Lanman };
        match what & 15 {
            0 => browser.stop(now),
            1 => browser.start(now),
            2 => browser.get_backup_list(now),
            3 => browser.force_election(now),
            4 => browser.handle_input(now, Input::Name { name: destination, is_ours: what & 16 != 0 }),
            5 => {
                let answer = browser.answer(now, message);
                assert!(answer.data.len() <= 65_535);
            }
            _ => browser.handle_input(now, Input::Message { slot, source, destination, peer, data: message }),
        }
        drain(&mut browser, now, what & 0x80 == 0);
        assert!(browser.servers().len() <= 8 && browser.domains().len() <= 8);
        let stats = browser.stats();
        assert_eq!(stats.received, stats.accepted + stats.drops().map(|(_, count)| count).sum::<u64>());
    }
});

fn drain(browser: &mut Browser, now: Duration, is_ours: bool) {
    while let Some(event) = browser.poll_event() {
        match event {
            Event::Write { slot: Slot::Browse, data, .. } => {
                assert!(data.len() <= 424);
                assert!(BrowserFrame::decode(&data).is_ok());
            }
            Event::Write { slot: Slot::Lanman, data, .. } => assert!(LanmanFrame::decode(&data).is_ok()),
            Event::Claim { name, .. } => browser.handle_input(now, Input::Name { name, is_ours }),
            Event::Fetch { id, .. } => {
                let result = Err(FetchFailure::Unreachable);
                browser.handle_input(now, Input::Fetched { id, result });
            }
            _ => {}
        }
    }
}
