//! How many messages, and how many each second.

use std::time::Duration;

/// Seconds that are remembered.
pub(super) const REMEMBERED: usize = 60;

/// Seconds that a rate is of.
const WINDOW: u64 = 10;

/// A count, and the last minute of it by seconds.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Messages.
    pub(super) messages: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    seconds: [u32; REMEMBERED],
    /// The second of the last count.
    last: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self { messages: 0, bytes: 0, seconds: [0; REMEMBERED], last: 0 }
    }
}

impl Series {
    pub(super) fn count(&mut self, now: Duration, bytes: usize) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let second = now.as_secs().max(self.last);
        // The seconds in which nothing came.
        for empty in (self.last + 1..=second).rev().take(REMEMBERED) {
            if let Some(place) = self.seconds.get_mut(index(empty)) {
                *place = 0;
            }
        }
        self.last = second;
        if let Some(place) = self.seconds.get_mut(index(second)) {
            *place = place.saturating_add(1);
        }
    }

    /// Messages in one second, of those remembered.
    fn at(&self, second: u64) -> u32 {
        let known = second <= self.last && self.last - second < REMEMBERED as u64;
        if known { self.seconds.get(index(second)).copied().unwrap_or(0) } else { 0 }
    }

    /// Messages per second in the last ten whole seconds, or in as many as there were since `started`.
    pub(super) fn per_second(&self, now: Duration, started: Duration) -> f64 {
        let end = now.as_secs();
        let first = end.saturating_sub(WINDOW).max(started.as_secs());
        let seconds = u32::try_from(end.saturating_sub(first)).unwrap_or(u32::MAX).max(1);
        let sum: u64 = (first..end).map(|second| u64::from(self.at(second))).sum();
        u32::try_from(sum).map_or(f64::INFINITY, f64::from) / f64::from(seconds)
    }

    /// Messages in each of the last `count` whole seconds, the oldest first.
    pub(super) fn history(&self, now: Duration, count: usize) -> Vec<u32> {
        let end = now.as_secs();
        let first = end.saturating_sub(count.min(REMEMBERED) as u64);
        (first..end).map(|second| self.at(second)).collect()
    }
}

fn index(second: u64) -> usize {
    usize::try_from(second % REMEMBERED as u64).unwrap_or(0)
}
