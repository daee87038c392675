//! How many answers may still be given.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::HashMap;

use crate::service::Limits;

/// Counts answers in periods of one second.
#[derive(Debug, Default)]
pub(super) struct Budget {
    period: u64,
    all: Spent,
    /// At most [`Limits::name_sources`].
    sources: HashMap<Ipv4Addr, Spent>,
    /// All sources that found no place in `sources`.
    others: Spent,
}

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    answers: u32,
    amplified: u32,
}

impl Spent {
    const fn allows(self, amplified: bool, answers_max: u32, amplified_max: u32) -> bool {
        self.answers < answers_max && (!amplified || self.amplified < amplified_max)
    }

    fn take(&mut self, amplified: bool) {
        self.answers = self.answers.saturating_add(1);
        self.amplified = self.amplified.saturating_add(amplified.into());
    }
}

impl Budget {
    /// Takes one answer to `source` out of the budget; `false` if there is none left.
    pub(super) fn take(&mut self, now: Duration, source: Ipv4Addr, amplified: bool, limits: &Limits) -> bool {
        if now.as_secs() != self.period {
            self.period = now.as_secs();
            self.all = Spent::default();
            self.others = Spent::default();
            self.sources.clear();
        }
        if !self.all.allows(amplified, limits.name_answers, limits.name_amplified) {
            return false;
        }
        let spent = if self.sources.len() < limits.name_sources {
            self.sources.entry(source).or_default()
        } else {
            self.sources.get_mut(&source).unwrap_or(&mut self.others)
        };
        if !spent.allows(amplified, limits.name_answers_per_source, limits.name_amplified_per_source) {
            return false;
        }
        spent.take(amplified);
        self.all.take(amplified);
        true
    }
}
