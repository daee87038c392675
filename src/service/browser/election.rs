//! Elections: who is stronger, and how far an own candidacy is (MS-BRWS 3.3.5.8).

use core::cmp::Ordering;
use core::time::Duration;

use super::timers::{ELECTION_COUNT, ELECTION_LIMIT, ELECTION_QUIET};
use crate::wire::browser::{Criteria, RequestElection};

/// What an election is decided by. The greater one wins: by its criteria, then by its uptime, then by its name, of
/// which the alphabetically lower wins. The frame's version is not compared (MS-BRWS has no such rule).
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the three things that MS-BRWS compares")]
pub struct Candidate<'a> {
    /// The criteria.
    pub criteria: Criteria,
    /// How long the computer is up, in milliseconds.
    pub uptime: u32,
    /// Its name, in any case.
    pub name: &'a [u8],
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let names = || {
            let [own, others] = [self.name, other.name].map(|name| name.iter().map(u8::to_ascii_uppercase));
            others.cmp(own)
        };
        self.criteria.cmp(&other.criteria).then(self.uptime.cmp(&other.uptime)).then_with(names)
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate<'_> {}

impl<'a> From<&RequestElection<'a>> for Candidate<'a> {
    fn from(frame: &RequestElection<'a>) -> Self {
        Self { criteria: frame.criteria, uptime: frame.uptime, name: frame.server_name().text() }
    }
}

/// An own candidacy.
#[derive(Debug, Default)]
pub(super) struct Election {
    running: Option<Round>,
    /// RequestElections since the last result.
    sent: u32,
    uptime: Option<Uptime>,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    due: Duration,
    /// RequestElections of this round.
    count: u32,
}

/// The uptime that this computer stands with, from the first frame of an election until it has been quiet for a while.
/// All frames of one election carry the same, as those of Windows do. If every candidacy began with the uptime of its
/// moment, whoever begins last would beat those of the same age that began before, and no election would end.
#[derive(Debug, Clone, Copy)]
struct Uptime {
    millis: u32,
    used: Duration,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Send a RequestElection.
    Send,
    /// The election is won.
    Won,
    /// The election has no end and counts as lost.
    Lost,
}

impl Election {
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.running.map(|round| round.due)
    }

    /// The uptime to stand with at `now`, when the computer is up for `millis` milliseconds.
    pub(super) fn uptime(&mut self, now: Duration, millis: u32) -> u32 {
        let last = self.uptime.filter(|last| now < last.used.saturating_add(ELECTION_QUIET));
        let millis = last.map_or(millis, |last| last.millis);
        self.uptime = Some(Uptime { millis, used: now });
        millis
    }

    /// Begins at `first`, unless one is running.
    pub(super) fn start(&mut self, first: Duration) -> bool {
        let new = self.running.is_none();
        self.running.get_or_insert(Round { due: first, count: 0 });
        new
    }

    /// Ends it: somebody else is stronger.
    pub(super) fn lose(&mut self) {
        self.running = None;
        self.sent = 0;
    }

    /// The winner is master: the count begins anew.
    pub(super) const fn settle(&mut self) {
        self.sent = 0;
    }

    /// What is due at `now`; `round` is the time between requests.
    pub(super) fn step(&mut self, now: Duration, round: Duration) -> Option<Step> {
        let running = self.running.as_mut().filter(|running| running.due <= now)?;
        if running.count >= ELECTION_COUNT {
            self.running = None;
            return Some(Step::Won);
        }
        if self.sent >= ELECTION_LIMIT {
            self.lose();
            return Some(Step::Lost);
        }
        running.count += 1;
        running.due = now.saturating_add(round);
        self.sent += 1;
        Some(Step::Send)
    }
}
