//! The name service: own names claimed and defended, names of others found (RFC 1002 §5.1, MS-NBTE 3.1).
//!
//! One [`NameService`] is one node on one interface. It believes only what it asked for: an answer counts when its
//! transaction, its name and its sender are those of an open request; releases, conflict demands and answers that
//! nothing asked for change nothing (CVE-2000-0673, BadTunnel). It answers its subnet and its name servers, nobody
//! else, with at most one packet of at most 576 bytes, and only so many in a second (TA14-017A).
//!
//! | node | registers | finds | releases | refreshes |
//! |---|---|---|---|---|
//! | B | by broadcast | by broadcast | by broadcast | – |
//! | P | with the name server | from the name server | with the name server | yes |
//! | M | by broadcast, then with the name server | in that order | both | yes |
//! | H | with the name server; if it is silent by broadcast | in that order, also if it knows no such name | with the name server; else by broadcast | yes |
//!
//! A claim by broadcast is three requests, and, if nobody objects, the demand that makes the name the node's own.
//! RFC 1002 leaves open what happens when several nodes claim one name at the same moment; here
//!
//! - a node that is still asking never objects; it yields to a request from a lower address, and to any demand;
//! - a node that has sent its demand objects to all other claims. For [`timers::CONFLICT_TIMER`] objections to its
//!   own still count, and it yields to a demand from a lower address.
//!
//! So of any number of such nodes that hear each other exactly one has the name in the end.

mod answer;
mod budget;
mod cache;
mod claim;
mod config;
mod lmhosts;
mod resolve;
mod stats;
pub mod timers;

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;
use std::collections::VecDeque;

pub use cache::CacheEntry;
pub use config::{Config, Subnet};
pub use lmhosts::{Lmhosts, LmhostsEntry, LmhostsError, LmhostsErrorKind};
pub use resolve::{Origin, QueryId, QueryTarget, Resolution, ResolveError};
pub use stats::{DropReason, Stats};

pub use crate::wire::nbns::NodeType;

use super::ids::Ids;
use super::{Limits, Machine, Transmit};
use crate::wire::Decode;
use crate::wire::name::{NetbiosName, ScopedName};
use crate::wire::nbns::{NameEntry, NbFlags, Packet, Rcode};
use budget::Budget;
use cache::Cache;
use claim::{Local, Refused};
use resolve::Query;
use stats::Outcome;

/// One packet, as it arrived.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the three things a socket tells")]
pub struct Input<'a> {
    /// The UDP source.
    pub peer: SocketAddrV4,
    /// Whether it was sent to a broadcast address.
    pub broadcast: bool,
    /// The UDP payload.
    pub bytes: &'a [u8],
}

/// Whether one node or many have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the G bit")]
pub enum NameKind {
    /// One node.
    Unique,
    /// Any number of nodes.
    Group,
}

impl NameKind {
    /// The kind that the G bit of `flags` tells.
    pub const fn from_flags(flags: NbFlags) -> Self {
        if flags.contains(NbFlags::GROUP) { Self::Group } else { Self::Unique }
    }

    /// `unique` or `group`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a local name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameState {
    /// It is being claimed. Neither answered for nor defended.
    Registering,
    /// It is this node's.
    Active,
    /// Another node has it too. Neither answered for nor defended; only releasing it ends this.
    Conflict,
    /// It is being given up.
    Releasing,
}

impl NameState {
    /// The state in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registering => "registering",
            Self::Active => "active",
            Self::Conflict => "conflict",
            Self::Releasing => "releasing",
        }
    }
}

impl fmt::Display for NameState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name in the local name table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalName {
    /// The name.
    pub name: NetbiosName,
    /// Unique or group.
    pub kind: NameKind,
    /// How far it is.
    pub state: NameState,
    /// The name server that took it.
    pub server: Option<Ipv4Addr>,
}

/// Why a name cannot be claimed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// It is in the local name table.
    #[error("the name {0} is this node's already")]
    Exists(NetbiosName),
    /// `*` belongs to everybody.
    #[error("the name {0} belongs to every node")]
    Wildcard(NetbiosName),
    /// [`Limits::local_names`].
    #[error("this node has {max} names, which is the limit")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// A P node without a name server.
    #[error("a P node needs a name server (WINS)")]
    NoNameServer,
}

/// Why a claimed name is not this node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A node on the subnet has it.
    Owner(Ipv4Addr),
    /// Another node claims it at the same time and goes first.
    Rival(Ipv4Addr),
    /// The name server says no.
    Server {
        /// The name server.
        server: Ipv4Addr,
        /// Its reason.
        rcode: Rcode,
    },
}

/// What the machine reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A claimed name is this node's now.
    Registered {
        /// The name.
        name: NetbiosName,
        /// Unique or group.
        kind: NameKind,
    },
    /// A claimed name is not to be had now; it is out of the table. It is claimed again after
    /// [`timers::RECLAIM`], and so on, until it is this node's or [`NameService::release`] withdraws it.
    Refused {
        /// The name.
        name: NetbiosName,
        /// Why.
        refusal: Refusal,
    },
    /// A name that was this node's is in conflict.
    Conflict {
        /// The name.
        name: NetbiosName,
        /// Who says so.
        refusal: Refusal,
    },
    /// A name is given up and out of the table.
    Released {
        /// The name.
        name: NetbiosName,
    },
    /// No name server answered a registration or refresh; it is tried again later.
    NameServerSilent {
        /// The name.
        name: NetbiosName,
    },
    /// A query has its answer.
    Resolved {
        /// The query.
        query: QueryId,
        /// The answer.
        resolution: Resolution,
    },
    /// A query or node status request has none.
    Unresolved {
        /// The query.
        query: QueryId,
        /// The name that was asked for.
        name: NetbiosName,
        /// Why.
        error: ResolveError,
    },
    /// A second node answers to a unique name that was just resolved.
    OtherOwner {
        /// The query.
        query: QueryId,
        /// The name.
        name: NetbiosName,
        /// The address that the second answer names.
        address: Ipv4Addr,
    },
    /// A node status request has its answer.
    NodeStatus {
        /// The request.
        query: QueryId,
        /// Who answered.
        peer: SocketAddrV4,
        /// The node's names.
        names: Vec<NameEntry>,
        /// UNIT_ID, its MAC address; zeros from Samba.
        unit_id: Option<[u8; 6]>,
        /// Whether names are missing: TC is set, or the list ends early.
        partial: bool,
    },
}

/// The name service of one node on one interface.
///
/// Bounded by [`Limits`]: what peers send makes nothing grow but the cache, by answers to own queries.
#[derive(Debug)]
pub struct NameService {
    config: Config,
    limits: Limits,
    ids: Ids,
    now: Duration,
    names: Vec<Local>,
    /// What another has, and when it is claimed again.
    refused: Vec<Refused>,
    queries: Vec<Query>,
    last_query: u64,
    cache: Cache,
    lmhosts: Lmhosts,
    budget: Budget,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    stats: Stats,
}

impl NameService {
    /// A node without names. `seed` must be hard to guess: transaction ids follow from it.
    pub fn new(config: Config, limits: Limits, seed: u64) -> Self {
        Self {
            config,
            limits,
            ids: Ids::new(seed),
            now: Duration::ZERO,
            names: Vec::new(),
            refused: Vec::new(),
            queries: Vec::new(),
            last_query: 0,
            cache: Cache::default(),
            lmhosts: Lmhosts::default(),
            budget: Budget::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Replaces [`Config::own_addresses`]: an interface of this machine came or went.
    pub fn set_own_addresses(&mut self, addresses: Vec<Ipv4Addr>) {
        self.config.own_addresses = addresses;
    }

    /// Counters since the start.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The local name table, in the order of registration.
    pub fn names(&self) -> impl ExactSizeIterator<Item = LocalName> {
        self.names.iter().map(Local::shown)
    }

    /// Whether `name` is in the table and [`NameState::Active`].
    pub fn owns(&self, name: &NetbiosName) -> bool {
        self.names.iter().any(|local| local.name == *name && local.state == NameState::Active)
    }

    /// Whether this node is an active member of the group `name`.
    pub fn is_group(&self, name: &NetbiosName) -> bool {
        let group = |local: &Local| local.kind == NameKind::Group && local.state == NameState::Active;
        self.names.iter().any(|local| local.name == *name && group(local))
    }

    /// Whether no name is in the table, as after [`Self::release_all`] when all has been sent.
    pub fn all_released(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether nothing is under way: no claim, no release, no query, nothing to send or report.
    pub fn is_idle(&self) -> bool {
        self.queries.is_empty()
            && self.transmits.is_empty()
            && self.events.is_empty()
            && self.names.iter().all(Local::is_settled)
    }

    /// Queries and node status requests without an answer yet.
    pub fn open_queries(&self) -> usize {
        self.queries.iter().filter(|query| !query.is_answered()).count()
    }

    /// What the cache holds now, LMHOSTS entries with `#PRE` first.
    pub fn cache(&self) -> impl Iterator<Item = (NetbiosName, &CacheEntry)> {
        self.cache.iter().filter(|(_, entry)| entry.expires.is_none_or(|at| at > self.now))
    }

    /// What the cache says of `name` at `now`.
    pub fn cached(&self, now: Duration, name: &NetbiosName) -> Option<&CacheEntry> {
        self.cache.get(now.max(self.now), name)
    }

    /// Forgets what was learnt of `name`, and says whether there was anything.
    pub fn forget(&mut self, name: &NetbiosName) -> bool {
        self.cache.forget(name)
    }

    /// Forgets all that was learnt. LMHOSTS entries stay.
    pub fn clear_cache(&mut self) {
        self.cache.clear();
    }

    /// Replaces the LMHOSTS entries: those with `#PRE` are asked before the network, the others after it.
    pub fn set_lmhosts(&mut self, lmhosts: Lmhosts) {
        self.cache.preload(lmhosts.preloaded(self.limits.name_addresses));
        self.lmhosts = lmhosts;
    }

    fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    fn after(&self, time: Duration) -> Duration {
        self.now.saturating_add(time)
    }

    /// An id that no open request has.
    fn fresh_id(&mut self) -> u16 {
        loop {
            let id = self.ids.next();
            let taken = self.names.iter().any(|local| local.trn() == Some(id))
                || self.queries.iter().any(|query| query.trn == id);
            if !taken {
                return id;
            }
        }
    }

    const fn broadcast(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.config.broadcast, self.config.name_port)
    }

    const fn server(&self, address: Ipv4Addr) -> SocketAddrV4 {
        SocketAddrV4::new(address, self.config.name_port)
    }

    fn send_request(&mut self, destination: SocketAddrV4, bytes: Vec<u8>) {
        self.stats.requests += 1;
        self.transmits.push_back(Transmit { destination, bytes });
    }

    fn is_in_scope(&self, name: &ScopedName<'_>) -> bool {
        self.config.scope().matches(name.scope)
    }
}

impl Machine for NameService {
    type Input<'a> = Input<'a>;
    type Event = Event;

    fn handle_input(&mut self, now: Duration, input: Input<'_>) {
        self.handle_timeout(now);
        self.stats.received += 1;
        let outcome = self.read(input);
        self.stats.count(outcome);
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.tick(now);
        self.claims_due();
        self.refused_due();
        self.queries_due();
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let claims = self.names.iter().filter_map(Local::due);
        let again = self.refused.iter().map(|refused| refused.again);
        claims.chain(again).chain(self.queries.iter().map(|query| query.deadline)).min()
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

impl NameService {
    fn read(&mut self, input: Input<'_>) -> Outcome {
        if input.bytes.is_empty() {
            return DropReason::Empty.into();
        }
        let Ok(packet) = Packet::decode(input.bytes) else { return DropReason::Damaged.into() };
        if packet.header().flags.is_response() {
            self.read_response(input.peer, &packet)
        } else {
            self.read_request(input, &packet)
        }
    }

    /// A response belongs to whatever open request has its transaction.
    fn read_response(&mut self, peer: SocketAddrV4, packet: &Packet<'_>) -> Outcome {
        let id = packet.header().name_trn_id;
        let Some(name) = packet.name() else { return DropReason::Unsupported.into() };
        if let Some(index) = self.names.iter().position(|local| local.trn() == Some(id)) {
            return self.claim_answered(index, peer, name, packet);
        }
        if let Some(index) = self.queries.iter().position(|query| query.trn == id) {
            return self.query_answered(index, peer, name, packet);
        }
        DropReason::Unsolicited.into()
    }
}
