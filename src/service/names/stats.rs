//! What became of every packet.

/// Why a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// No bytes (CVE-2020-14303).
    Empty,
    /// It does not decode.
    Damaged,
    /// It decodes, but is no packet kind of the name service, or one for name servers only.
    Unsupported,
    /// A request from outside the subnet (TA14-017A).
    OffLink,
    /// A broadcast to a P node (RFC 1002 §5.1.2).
    Broadcast,
    /// Another scope.
    OtherScope,
    /// About a name that this node does not have, or does not have yet.
    NotOurs,
    /// A claim of this machine itself, heard again.
    OwnClaim,
    /// A claim that this node need not object to: a group joined, or a name that it is still asking for itself.
    Tolerated,
    /// A demand that nothing was asked for: a release (CVE-2000-0673).
    Demand,
    /// A response without an open request of that transaction (also a conflict demand, CVE-2000-0673).
    Unsolicited,
    /// A response to an open request, about another name.
    WrongName,
    /// A response to an open request, from another than was asked.
    WrongSource,
    /// A response to an open request, of a kind that does not answer it, or with addresses that no computer has.
    WrongKind,
    /// A response that says again what another one said.
    Duplicate,
    /// A response that names another owner than the first one did.
    OtherOwner,
    /// The request would be answered, but too many were.
    RateLimited,
    /// The request would be answered, but too many packets wait to be sent.
    Backlog,
}

impl DropReason {
    /// All reasons, in the order of [`Stats::dropped`].
    pub const ALL: [Self; 18] = [
        Self::Empty,
        Self::Damaged,
        Self::Unsupported,
        Self::OffLink,
        Self::Broadcast,
        Self::OtherScope,
        Self::NotOurs,
        Self::OwnClaim,
        Self::Tolerated,
        Self::Demand,
        Self::Unsolicited,
        Self::WrongName,
        Self::WrongSource,
        Self::WrongKind,
        Self::Duplicate,
        Self::OtherOwner,
        Self::RateLimited,
        Self::Backlog,
    ];

    /// The reason in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Damaged => "damaged",
            Self::Unsupported => "unsupported",
            Self::OffLink => "off_link",
            Self::Broadcast => "broadcast",
            Self::OtherScope => "other_scope",
            Self::NotOurs => "not_ours",
            Self::OwnClaim => "own_claim",
            Self::Tolerated => "tolerated",
            Self::Demand => "demand",
            Self::Unsolicited => "unsolicited",
            Self::WrongName => "wrong_name",
            Self::WrongSource => "wrong_source",
            Self::WrongKind => "wrong_kind",
            Self::Duplicate => "duplicate",
            Self::OtherOwner => "other_owner",
            Self::RateLimited => "rate_limited",
            Self::Backlog => "backlog",
        }
    }
}

/// Counters since the start. Each packet received is counted once more, as what it led to:
/// [`Self::received`] is the sum of [`Self::answered_queries`], [`Self::answered_statuses`],
/// [`Self::defended`], [`Self::yielded`], [`Self::accepted`] and all of [`Self::dropped`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Packets taken in.
    pub received: u64,
    /// Name queries answered.
    pub answered_queries: u64,
    /// Node status requests answered.
    pub answered_statuses: u64,
    /// Claims of others to a name of this node, answered with a refusal.
    pub defended: u64,
    /// Claims of others that made this node give up its own to the same name.
    pub yielded: u64,
    /// Responses that answered an open request, WACKs included.
    pub accepted: u64,
    dropped: [u64; DropReason::ALL.len()],
    /// Node status answers that left names out to stay within 576 bytes. Part of [`Self::answered_statuses`].
    pub truncated_statuses: u64,
    /// Requests and demands sent, repetitions included.
    pub requests: u64,
}

impl Stats {
    /// Packets dropped for `reason`.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// Packets dropped, by reason.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.dropped)
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::AnsweredQuery => &mut self.answered_queries,
            Outcome::AnsweredStatus => &mut self.answered_statuses,
            Outcome::Defended => &mut self.defended,
            Outcome::Yielded => &mut self.yielded,
            Outcome::Accepted => &mut self.accepted,
            Outcome::Dropped(reason) => match self.dropped.get_mut(reason as usize) {
                Some(counter) => counter,
                None => return,
            },
        };
        *counter += 1;
    }
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    AnsweredQuery,
    AnsweredStatus,
    Defended,
    Yielded,
    Accepted,
    Dropped(DropReason),
}

impl From<DropReason> for Outcome {
    fn from(reason: DropReason) -> Self {
        Self::Dropped(reason)
    }
}
