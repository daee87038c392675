//! What was heard on the LAN, as the live view shows it. No I/O: the time is an argument.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::browser::{Heard, Observer, Overheard, Slot};
use mailslot::slot::SlotName;
use mailslot::wire::Decode;
use mailslot::wire::browser::BrowserFrame;
use mailslot::wire::name::NetbiosName;

use super::log::Log;
use super::rates::Series;

/// What is kept at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Computers, workgroups, and messages of each sender.
    pub(super) limits: Limits,
    /// Slots that are told apart.
    pub(super) slots: usize,
    /// Elections and masters.
    pub(super) log: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { limits: Limits::default(), slots: 256, log: 1000 }
    }
}

/// A slot that is silent so long makes room for another one.
const SILENT: Duration = Duration::from_secs(60);

/// One mailslot message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) slot: &'a SlotName,
    pub(super) source: NetbiosName,
    pub(super) destination: NetbiosName,
    pub(super) peer: Ipv4Addr,
    pub(super) data: &'a [u8],
}

/// What came for one slot.
#[derive(Debug, Clone)]
pub(super) struct SlotCount {
    pub(super) series: Series,
    pub(super) heard: Duration,
    /// The names of the last message.
    pub(super) source: NetbiosName,
    pub(super) destination: NetbiosName,
}

/// All that the view shows.
#[derive(Debug)]
pub(super) struct Model {
    bounds: Bounds,
    pub(super) started: Duration,
    pub(super) observer: Observer,
    pub(super) log: Log,
    pub(super) slots: BTreeMap<SlotName, SlotCount>,
    /// Messages for slots that are not told apart.
    pub(super) other_slots: Series,
    pub(super) all: Series,
    /// Computers that said goodbye.
    pub(super) left: u64,
    /// Messages that came too fast to be looked at.
    pub(super) missed: u64,
}

impl Model {
    pub(super) fn new(started: Duration, bounds: Bounds) -> Self {
        Self {
            bounds,
            started,
            observer: Observer::new(bounds.limits),
            log: Log::new(bounds.log),
            slots: BTreeMap::new(),
            other_slots: Series::default(),
            all: Series::default(),
            left: 0,
            missed: 0,
        }
    }

    /// Takes a message in.
    pub(super) fn hear(&mut self, now: Duration, message: Message<'_>) {
        self.all.count(now, message.data.len());
        self.count(now, message);
        let Some(slot) = browser_slot(message.slot) else { return };
        let Message { source, destination, peer, data, .. } = message;
        let overheard = Overheard { slot, source, destination, peer: Some(peer), data };
        // What it does not take it counts.
        let Ok(heard) = self.observer.hear(now, overheard) else { return };
        if let Heard::Goodbye { workgroup, name } = heard {
            self.left += 1;
            self.log.goodbye(now, workgroup, name);
        }
        if let (Slot::Browse, Ok(frame)) = (slot, BrowserFrame::decode(data)) {
            self.log.frame(now, &source, &destination, &frame);
        }
    }

    fn count(&mut self, now: Duration, message: Message<'_>) {
        let Message { source, destination, data, .. } = message;
        if !self.slots.contains_key(message.slot) && self.slots.len() >= self.bounds.slots {
            let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.heard);
            let silent = oldest.filter(|(_, slot)| now.saturating_sub(slot.heard) >= SILENT);
            let Some(name) = silent.map(|(name, _)| name.clone()) else {
                return self.other_slots.count(now, data.len());
            };
            if let Some(gone) = self.slots.remove(&name) {
                self.other_slots.messages += gone.series.messages;
                self.other_slots.bytes += gone.series.bytes;
            }
        }
        let new = || SlotCount { series: Series::default(), heard: now, source, destination };
        let slot = self.slots.entry(message.slot.clone()).or_insert_with(new);
        slot.series.count(now, data.len());
        (slot.heard, slot.source, slot.destination) = (now, source, destination);
    }

    /// Messages that were not looked at or not taken, by reason.
    pub(super) fn dropped(&self) -> Vec<(&'static str, u64)> {
        let mut dropped: Vec<_> =
            self.observer.dropped().iter().map(|(reason, count)| (reason.name(), *count)).collect();
        if self.missed > 0 {
            dropped.push(("too_fast", self.missed));
        }
        dropped
    }
}

fn browser_slot(name: &SlotName) -> Option<Slot> {
    Slot::from_name(name.to_string().as_bytes())
}
