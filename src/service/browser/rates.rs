//! How many messages may still be taken and answered.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::HashMap;

use super::ServerName;
use crate::service::Limits;

/// What counts as one source: an address. The name is what its sender says it is; it counts where no address is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    Address(Ipv4Addr),
    Name(ServerName),
}

impl Sender {
    pub(super) fn new(peer: Option<Ipv4Addr>, name: ServerName) -> Self {
        peer.map_or(Self::Name(name), Self::Address)
    }
}

/// Counts in periods of one second.
#[derive(Debug, Default)]
pub(super) struct Rates {
    period: u64,
    elections: u32,
    others: u32,
    answers: u32,
    /// At most [`Limits::browse_sources`].
    sources: HashMap<Sender, Spent>,
}

/// What one source has had.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    elections: u32,
    others: u32,
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

    /// Whether one more message from `source` is to be taken. Whoever makes up its source has another one each time: the
    /// bound for all is the one that holds. Of it a quarter is for elections, and for nothing else: their frames come a
    /// second apart, as the periods here do, so that a flood of other messages would drown all frames of one candidate.
    /// For the same reason those of one source count apart from its others, which somebody else may send in its name.
    pub(super) fn take(&mut self, now: Duration, source: Sender, is_election: bool, limits: &Limits) -> bool {
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
        let spent = if is_election { &mut spent.elections } else { &mut spent.others };
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
