//! How many messages may still be taken and answered.

use core::time::Duration;
use std::collections::HashMap;

use super::ServerName;
use crate::service::Limits;

/// Counts in periods of one second.
#[derive(Debug, Default)]
pub(super) struct Rates {
    period: u64,
    elections: u32,
    others: u32,
    answers: u32,
    /// At most [`Limits::browse_sources`].
    sources: HashMap<ServerName, u32>,
}

impl Rates {
    fn turn(&mut self, now: Duration) {
        if now.as_secs() != self.period {
            self.period = now.as_secs();
            self.elections = 0;
            self.others = 0;
            self.answers = 0;
            self.sources.clear();
        }
    }

    /// Whether one more message from `source` is to be taken. A source name is what its sender says it is: the bound
    /// for all is the one that holds. Of it a quarter is for elections, and for nothing else: their frames come a second
    /// apart, as the periods here do, so that a flood of other messages would drown all frames of one candidate.
    pub(super) fn take(
        &mut self,
        now: Duration,
        source: ServerName,
        is_election: bool,
        limits: &Limits,
    ) -> bool {
        self.turn(now);
        let for_elections = limits.browse_messages.div_ceil(4);
        let (taken, most) = if is_election {
            (&mut self.elections, for_elections)
        } else {
            (&mut self.others, limits.browse_messages - for_elections)
        };
        if *taken >= most {
            return false;
        }
        *taken += 1;
        if self.sources.len() >= limits.browse_sources && !self.sources.contains_key(&source) {
            return true;
        }
        let spent = self.sources.entry(source).or_default();
        *spent = spent.saturating_add(1);
        *spent <= limits.browse_messages_per_source
    }

    /// Whether one more message is to be answered.
    pub(super) fn answer(&mut self, now: Duration, limits: &Limits) -> bool {
        self.turn(now);
        self.answers = self.answers.saturating_add(1);
        self.answers <= limits.browse_answers
    }
}
