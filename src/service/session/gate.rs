//! What all sessions of a server share: how many there are, what they hold, what they did.

use core::net::Ipv4Addr;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::service::Limits;
use crate::wire::smb::NtStatus;

/// The door through which connections come in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    by_address: HashMap<Ipv4Addr, Share>,
    stats: ServerStats,
}

/// What one address has.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    open: usize,
    held: usize,
}

/// Counters of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerStats {
    /// Connections that are open now.
    pub open: usize,
    /// Bytes that are held for them now: packets and transactions that are not whole, answers that are not sent.
    pub held: usize,
    /// Connections that were let in.
    pub accepted: u64,
    /// Connections that were not, by limit.
    pub refused: BTreeMap<&'static str, u64>,
    /// Connections that ended, by reason.
    pub closed: BTreeMap<&'static str, u64>,
    /// Messages that were put into slots.
    pub writes: u64,
    /// Their bytes.
    pub write_bytes: u64,
    /// Remote administration requests that were answered.
    pub calls: u64,
    /// Requests that were refused, by the status that they were or (one way) were not told.
    pub statuses: BTreeMap<&'static str, u64>,
    /// Transactions that were given up before they were whole.
    pub unfinished: u64,
    /// Messages that say they are answers; nothing was asked.
    pub answers: u64,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// `Limits::sessions` are open.
    #[error("{max} sessions are open already")]
    Sessions {
        /// The limit.
        max: usize,
    },
    /// `Limits::sessions_per_address` are open with the address.
    #[error("{max} sessions are open with this address already")]
    SessionsPerAddress {
        /// The limit.
        max: usize,
    },
}

impl Refused {
    /// The reason in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sessions { .. } => "sessions",
            Self::SessionsPerAddress { .. } => "sessions_per_address",
        }
    }
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed it.
    Peer,
    /// The node ends.
    Shutdown,
    /// Not a byte came in `Limits::session_first_byte`.
    Silent,
    /// A packet, a transaction or all that comes before a session was not whole in `Limits::session_packet`, or answers
    /// were not taken in that time.
    Slow,
    /// Nothing but keepalives came in `Limits::session_idle`.
    Idle,
    /// `Limits::session_bytes` are held for all sessions, or `Limits::session_bytes_per_address` for those with this
    /// address.
    Bytes,
    /// The called name is not ours.
    NotOurName,
    /// The stream cannot be followed.
    Framing,
    /// A packet of the session service that has no place there.
    Unexpected,
    /// It is no SMB1.
    NotSmb1,
}

impl CloseReason {
    /// The reason in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Shutdown => "shutdown",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Idle => "idle",
            Self::Bytes => "bytes",
            Self::NotOurName => "not_our_name",
            Self::Framing => "framing",
            Self::Unexpected => "unexpected",
            Self::NotSmb1 => "not_smb1",
        }
    }
}

impl Gate {
    /// A door with these limits.
    pub fn new(limits: Limits) -> Self {
        let state = State { limits, by_address: HashMap::new(), stats: ServerStats::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Lets a connection from `peer` in. It counts until what is returned is dropped.
    ///
    /// # Errors
    /// The limit that is reached; it is counted.
    pub fn admit(&self, peer: Ipv4Addr) -> Result<Admission, Refused> {
        let mut state = self.lock();
        let Limits { sessions, sessions_per_address, .. } = state.limits;
        let here = state.by_address.get(&peer).map_or(0, |share| share.open);
        let refused = if state.stats.open >= sessions {
            Some(Refused::Sessions { max: sessions })
        } else if here >= sessions_per_address {
            Some(Refused::SessionsPerAddress { max: sessions_per_address })
        } else {
            None
        };
        if let Some(refused) = refused {
            *state.stats.refused.entry(refused.name()).or_default() += 1;
            return Err(refused);
        }
        state.by_address.entry(peer).or_default().open += 1;
        state.stats.open += 1;
        state.stats.accepted += 1;
        Ok(Admission { gate: self.clone(), peer, held: 0 })
    }

    /// The counters.
    pub fn stats(&self) -> ServerStats {
        self.lock().stats.clone()
    }

    pub(super) fn limits(&self) -> Limits {
        self.lock().limits
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that was let in.
#[derive(Debug)]
#[must_use = "the connection counts as long as this lives"]
pub struct Admission {
    gate: Gate,
    peer: Ipv4Addr,
    held: usize,
}

impl Admission {
    pub(super) const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The peer's address.
    pub const fn peer(&self) -> Ipv4Addr {
        self.peer
    }

    /// Says what this connection holds now, and whether all together may, and all of its address.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        if bytes == self.held {
            return true;
        }
        let mut state = self.gate.lock();
        let before = std::mem::replace(&mut self.held, bytes);
        state.stats.held = state.stats.held - before + bytes;
        let here = state.by_address.entry(self.peer).or_default();
        here.held = here.held - before + bytes;
        here.held <= state.limits.session_bytes_per_address && state.stats.held <= state.limits.session_bytes
    }

    pub(super) fn wrote(&self, bytes: usize) {
        let mut state = self.gate.lock();
        state.stats.writes += 1;
        state.stats.write_bytes += u64::try_from(bytes).unwrap_or(0);
    }

    pub(super) fn called(&self) {
        self.gate.lock().stats.calls += 1;
    }

    pub(super) fn refused(&self, status: NtStatus) {
        *self.gate.lock().stats.statuses.entry(status.name().unwrap_or("other")).or_default() += 1;
    }

    pub(super) fn answer_came(&self) {
        self.gate.lock().stats.answers += 1;
    }

    pub(super) fn closed(&self, reason: CloseReason) {
        *self.gate.lock().stats.closed.entry(reason.name()).or_default() += 1;
    }

    /// Says that transactions were given up before they were whole.
    pub(super) fn gave_up(&self, transactions: usize) {
        if transactions > 0 {
            self.gate.lock().stats.unfinished += u64::try_from(transactions).unwrap_or(0);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.stats.held -= self.held;
        state.stats.open -= 1;
        if let std::collections::hash_map::Entry::Occupied(mut here) = state.by_address.entry(self.peer) {
            here.get_mut().open -= 1;
            here.get_mut().held -= self.held;
            if here.get().open == 0 {
                here.remove();
            }
        }
    }
}
