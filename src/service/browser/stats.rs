//! What became of every message.

use super::conflict::Conflict;

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// It does not decode.
    Damaged,
    /// Its opcode is unknown, or it is a frame that no rule lets in.
    Unsupported,
    /// Sent by this computer itself, heard again.
    Own,
    /// Sent to another workgroup, or to a name that this kind of frame is not sent to.
    OtherGroup,
    /// Its server name is empty.
    NoName,
    /// Too many messages came from its source, or in all.
    RateLimited,
    /// It would be answered, but too many were.
    AnswersLimited,
    /// The browser is not running.
    Stopped,
    /// For a browser, which this computer is not.
    NotBrowser,
    /// For a local master, which this computer is not.
    NotMaster,
    /// For a domain master, which this computer is not.
    NotDomainMaster,
    /// For another computer.
    OtherComputer,
    /// Asks for what is so already.
    Already,
    /// A list is full, or the part of it that one address may fill.
    ListFull,
    /// An answer to nothing that was asked.
    Unsolicited,
    /// A ResetStateRequest: anybody could send it (wire reference §6.3).
    Untrusted,
}

impl DropReason {
    /// All reasons, in the order of [`Stats::drops`].
    pub const ALL: [Self; 16] = [
        Self::Damaged,
        Self::Unsupported,
        Self::Own,
        Self::OtherGroup,
        Self::NoName,
        Self::RateLimited,
        Self::AnswersLimited,
        Self::Stopped,
        Self::NotBrowser,
        Self::NotMaster,
        Self::NotDomainMaster,
        Self::OtherComputer,
        Self::Already,
        Self::ListFull,
        Self::Unsolicited,
        Self::Untrusted,
    ];

    /// The reason in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Unsupported => "unsupported",
            Self::Own => "own",
            Self::OtherGroup => "other_group",
            Self::NoName => "no_name",
            Self::RateLimited => "rate_limited",
            Self::AnswersLimited => "answers_limited",
            Self::Stopped => "stopped",
            Self::NotBrowser => "not_browser",
            Self::NotMaster => "not_master",
            Self::NotDomainMaster => "not_domain_master",
            Self::OtherComputer => "other_computer",
            Self::Already => "already",
            Self::ListFull => "list_full",
            Self::Unsolicited => "unsolicited",
            Self::Untrusted => "untrusted",
        }
    }
}

/// Counters since the start. [`Self::received`] is the sum of [`Self::accepted`] and all of [`Self::drops`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Messages taken in.
    pub received: u64,
    /// Messages that told or asked something.
    pub accepted: u64,
    /// Of these, announcements.
    pub announcements: u64,
    dropped: [u64; DropReason::ALL.len()],
    /// Messages given out to be written.
    pub written: u64,
    /// Of these, announcements.
    pub announced: u64,
    /// Servers and workgroups forgotten because they were not heard of any more.
    pub expired: u64,
    /// Elections in this computer's workgroup, whoever stood in them.
    pub elections_seen: u64,
    /// Elections that this computer stood in.
    pub elections: u64,
    /// Of these, won.
    pub elections_won: u64,
    /// Of these, lost: to a stronger one, to a domain controller, without an end, or because this computer left.
    pub elections_lost: u64,
    /// Servers that were asked to become backups.
    pub promotions: u64,
    /// Lists that were fetched.
    pub fetched: u64,
    /// Lists that could not be fetched.
    pub fetches_failed: u64,
    /// Fetches not begun because too many were under way.
    pub fetches_limited: u64,
    /// Servers of fetched lists that did not find a place.
    pub fetched_full: u64,
    /// Requests for lists that were answered.
    pub calls: u64,
    /// Requests for lists that were not, because too many came.
    pub calls_limited: u64,
    conflicts: [u64; Conflict::ALL.len()],
}

impl Stats {
    /// Messages dropped for `reason`.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// Messages dropped, by reason.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.dropped)
    }

    /// How often two masters were one too many, by what was done about it.
    pub fn conflicts(&self) -> impl Iterator<Item = (Conflict, u64)> {
        Conflict::ALL.into_iter().zip(self.conflicts)
    }

    pub(super) fn count(&mut self, outcome: Result<(), DropReason>) {
        match outcome {
            Ok(()) => self.accepted += 1,
            Err(reason) => {
                if let Some(counter) = self.dropped.get_mut(reason as usize) {
                    *counter += 1;
                }
            }
        }
    }

    /// What became of an announcement, passed on.
    pub(super) fn announcement(&mut self, outcome: Result<(), DropReason>) -> Result<(), DropReason> {
        self.announcements += u64::from(outcome.is_ok());
        outcome
    }

    pub(super) fn conflict(&mut self, conflict: Conflict) {
        if let Some(counter) = self.conflicts.get_mut(conflict as usize) {
            *counter += 1;
        }
    }
}
