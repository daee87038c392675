//! Names of others: queries and node status requests (RFC 1002 §5.1.1.3, §5.1.2.3, MS-NBTE 3.1.4.2).

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;
use std::collections::VecDeque;

use super::claim::put_off;
use super::stats::Outcome;
use super::{CacheEntry, DropReason, Event, NameKind, NameService, NameState, NodeType};
use crate::wire::Encode;
use crate::wire::name::{NetbiosName, ScopedName};
use crate::wire::nbns::{AddrEntries, Cast, NmFlags, Packet, PacketKind, Rdata};

/// Names a query or node status request, until its event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(u64);

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryTarget {
    /// What the node's type says; before that its own names, the cache and LMHOSTS `#PRE`, after it LMHOSTS.
    Default,
    /// The subnet, and nothing else.
    Broadcast,
    /// This node or name server, and nothing else.
    Server(Ipv4Addr),
}

/// A name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolution {
    /// The name.
    pub name: NetbiosName,
    /// Unique or group.
    pub kind: NameKind,
    /// The owners' addresses; 255.255.255.255 where a name server says that the name is a group's.
    pub addresses: Vec<Ipv4Addr>,
    /// Who says so.
    pub origin: Origin,
}

/// Where a resolution is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The local name table.
    Local,
    /// The cache.
    Cache,
    /// LMHOSTS, with `#PRE` or without.
    Lmhosts,
    /// A broadcast; the first that answered.
    Broadcast(Ipv4Addr),
    /// The node or name server that was asked.
    Server(Ipv4Addr),
}

impl Origin {
    /// The kind of origin in one word, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Cache => "cache",
            Self::Lmhosts => "lmhosts",
            Self::Broadcast(_) => "broadcast",
            Self::Server(_) => "server",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broadcast(address) | Self::Server(address) => write!(f, "{} {address}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

/// Why a query has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Whoever was asked says that there is no such name.
    #[error("there is no such name")]
    NotFound,
    /// Nobody answered.
    #[error("nobody answered")]
    NoAnswer,
    /// A P node without a name server has nobody to ask.
    #[error("a P node needs a name server (WINS)")]
    NoNameServer,
    /// [`crate::service::Limits::name_queries`].
    #[error("too many queries are open")]
    TooMany,
}

/// A query or node status request, and for a while after its answer what is left of it.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) trn: u16,
    pub(super) deadline: Duration,
    id: QueryId,
    name: NetbiosName,
    ask: Ask,
    step: Step,
    /// Asked when `step` has no answer.
    rest: VecDeque<Step>,
    /// Whether LMHOSTS is read in the end.
    lmhosts: bool,
    sent: u32,
    waited: Duration,
    /// A name server said that there is no such name.
    denied: bool,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Name,
    Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Broadcast,
    Server(Ipv4Addr),
}

#[derive(Debug)]
enum Found {
    Nothing,
    /// Members of a group so far, or of `*`.
    Members(Resolution),
    /// The answer was reported; it had these addresses.
    Reported {
        addresses: Vec<Ipv4Addr>,
        kind: NameKind,
        other_owner: bool,
    },
}

impl Query {
    pub(super) const fn is_answered(&self) -> bool {
        matches!(self.found, Found::Reported { .. })
    }
}

/// Names of others.
impl NameService {
    /// Asks who has `name`. [`Event::Resolved`] or [`Event::Unresolved`] tells how it ends.
    ///
    /// A unique name is resolved by the first answer. Owners of a group name, and of `*`, are gathered for
    /// [`super::timers::BCAST_REQ_RETRY_TIMEOUT`] after the first.
    pub fn query(&mut self, now: Duration, name: NetbiosName, target: QueryTarget) -> QueryId {
        self.tick(now);
        let id = self.next_query_id();
        let mut steps = VecDeque::new();
        let lmhosts = target == QueryTarget::Default;
        match target {
            QueryTarget::Default => {
                if let Some(resolution) = self.known(&name) {
                    self.events.push_back(Event::Resolved { query: id, resolution });
                    return id;
                }
                let servers = self.config.wins.iter().copied().map(Step::Server);
                let broadcast = [Step::Broadcast];
                match self.config.node_type {
                    NodeType::B => steps.extend(broadcast),
                    NodeType::P => steps.extend(servers),
                    NodeType::M => steps.extend(broadcast.into_iter().chain(servers)),
                    NodeType::H => steps.extend(servers.chain(broadcast)),
                }
            }
            QueryTarget::Broadcast => steps.push_back(Step::Broadcast),
            QueryTarget::Server(address) => steps.push_back(Step::Server(address)),
        }
        self.start_query(id, name, Ask::Name, steps, lmhosts);
        id
    }

    /// Asks the node at `address` for its names, of which `name` must be one; [`NetbiosName::WILDCARD`] always is.
    /// [`Event::NodeStatus`] or [`Event::Unresolved`] tells how it ends.
    pub fn node_status(&mut self, now: Duration, address: Ipv4Addr, name: NetbiosName) -> QueryId {
        self.tick(now);
        let id = self.next_query_id();
        self.start_query(id, name, Ask::Status, VecDeque::from([Step::Server(address)]), false);
        id
    }

    /// Ends a query or node status request without an event, and says whether it was open.
    pub fn cancel(&mut self, query: QueryId) -> bool {
        let open = self.queries.iter().any(|known| known.id == query && !known.is_answered());
        self.queries.retain(|known| known.id != query);
        open
    }

    const fn next_query_id(&mut self) -> QueryId {
        self.last_query = self.last_query.wrapping_add(1);
        QueryId(self.last_query)
    }

    /// What is known of a name without asking.
    fn known(&self, name: &NetbiosName) -> Option<Resolution> {
        let own = |local: &&super::Local| local.name == *name && local.state == NameState::Active;
        if let Some(local) = self.names.iter().find(own) {
            let addresses = vec![self.config.address];
            return Some(Resolution { name: *name, kind: local.kind, addresses, origin: Origin::Local });
        }
        let entry = self.cache.get(self.now, name)?;
        let origin = if entry.expires.is_some() { Origin::Cache } else { Origin::Lmhosts };
        Some(Resolution { name: *name, kind: entry.kind, addresses: entry.addresses.clone(), origin })
    }

    fn start_query(
        &mut self,
        id: QueryId,
        name: NetbiosName,
        ask: Ask,
        mut steps: VecDeque<Step>,
        lmhosts: bool,
    ) {
        let max = self.limits.name_queries.min(usize::from(u16::MAX / 4));
        if self.queries.len() >= max {
            // One that is answered only waits for others to contradict.
            match self.queries.iter().position(Query::is_answered) {
                Some(answered) => drop(self.queries.remove(answered)),
                None => {
                    let error = ResolveError::TooMany;
                    self.events.push_back(Event::Unresolved { query: id, name, error });
                    return;
                }
            }
        }
        let step = steps.pop_front();
        let mut query = Query {
            trn: self.fresh_id(),
            deadline: self.now,
            id,
            name,
            ask,
            step: step.unwrap_or(Step::Broadcast),
            rest: steps,
            lmhosts,
            sent: 0,
            waited: Duration::ZERO,
            denied: false,
            found: Found::Nothing,
        };
        if step.is_some() {
            self.send_query(&mut query);
            self.queries.push(query);
        } else {
            self.unresolved(&query, ResolveError::NoNameServer);
        }
    }

    fn send_query(&mut self, query: &mut Query) {
        let name = ScopedName::new(query.name, self.config.scope());
        let cast = if query.step == Step::Broadcast { Cast::Broadcast } else { Cast::Unicast };
        let packet = match query.ask {
            Ask::Name => Packet::query(query.trn, name, cast),
            Ask::Status => Packet::node_status(query.trn, name, cast),
        };
        let bytes = packet.to_bytes();
        let (destination, timeout) = match query.step {
            Step::Broadcast => (self.broadcast(), self.config.timers.broadcast_timeout),
            Step::Server(address) => (self.server(address), self.config.timers.unicast_timeout),
        };
        self.send_request(destination, bytes);
        query.sent = query.sent.saturating_add(1);
        query.deadline = self.after(timeout);
    }

    pub(super) fn queries_due(&mut self) {
        let mut index = 0;
        while let Some(query) = self.queries.get(index) {
            if query.deadline > self.now {
                index += 1;
                continue;
            }
            let query = self.queries.remove(index);
            if let Some(query) = self.query_due(query) {
                self.queries.insert(index, query);
                index += 1;
            }
        }
    }

    /// A query whose time is over; it is kept if it is to go on.
    fn query_due(&mut self, mut query: Query) -> Option<Query> {
        match query.found {
            Found::Reported { .. } => return None,
            Found::Members(resolution) => {
                self.events.push_back(Event::Resolved { query: query.id, resolution });
                return None;
            }
            Found::Nothing => {}
        }
        let asks = match query.step {
            Step::Broadcast => self.config.timers.broadcast_count,
            Step::Server(_) => self.config.timers.unicast_count,
        };
        if query.sent < asks {
            self.send_query(&mut query);
            return Some(query);
        }
        self.next_step(query)
    }

    /// Whoever was asked does not know the name, or does not answer: the next one is asked, if there is one.
    fn next_step(&mut self, mut query: Query) -> Option<Query> {
        // What one name server denies, the others need not be asked.
        let denied = query.denied;
        let more = |step: &Step| !denied || *step == Step::Broadcast;
        if let Some(step) = core::iter::from_fn(|| query.rest.pop_front()).find(more) {
            query.step = step;
            query.trn = self.fresh_id();
            (query.sent, query.waited) = (0, Duration::ZERO);
            self.send_query(&mut query);
            return Some(query);
        }
        let error = if query.denied { ResolveError::NotFound } else { ResolveError::NoAnswer };
        self.unresolved(&query, error);
        None
    }

    fn unresolved(&mut self, query: &Query, error: ResolveError) {
        let (id, name) = (query.id, query.name);
        let listed = query.lmhosts.then(|| self.lmhosts.lookup(&name, self.limits.name_addresses)).flatten();
        self.events.push_back(match listed {
            Some((kind, addresses)) => {
                let resolution = Resolution { name, kind, addresses, origin: Origin::Lmhosts };
                Event::Resolved { query: id, resolution }
            }
            None => Event::Unresolved { query: id, name, error },
        });
    }

    /// A response with the transaction of this query.
    pub(super) fn query_answered(
        &mut self,
        index: usize,
        peer: SocketAddrV4,
        name: &ScopedName<'_>,
        packet: &Packet<'_>,
    ) -> Outcome {
        let Some(query) = self.queries.get(index) else { return DropReason::Unsolicited.into() };
        if query.name != name.name || !self.is_in_scope(name) {
            return DropReason::WrongName.into();
        }
        let from_asked = match query.step {
            Step::Broadcast => self.config.subnet.contains(*peer.ip()),
            Step::Server(address) => peer == self.server(address),
        };
        if !from_asked {
            return DropReason::WrongSource.into();
        }
        match (query.ask, query.step, packet.kind()) {
            (Ask::Name, _, PacketKind::PositiveQueryResponse) => {
                match packet.answer().map(|record| (record.ttl(), record.rdata())) {
                    Some((ttl, Rdata::Nb(entries))) => self.name_answered(index, peer, ttl, entries),
                    _ => DropReason::WrongKind.into(),
                }
            }
            (Ask::Status, Step::Server(_), PacketKind::NodeStatusResponse) => {
                self.status_answered(index, peer, packet)
            }
            (_, Step::Server(_), PacketKind::NegativeQueryResponse) if !query.is_answered() => {
                let mut query = self.queries.remove(index);
                query.denied = true;
                if let Some(query) = self.next_step(query) {
                    self.queries.insert(index, query);
                }
                Outcome::Accepted
            }
            (_, Step::Server(_), PacketKind::Wack) if !query.is_answered() => {
                let (now, max) = (self.now, self.config.timers.max_wack);
                if let Some(query) = self.queries.get_mut(index) {
                    put_off(now, max, packet, &mut query.deadline, &mut query.waited);
                }
                Outcome::Accepted
            }
            _ => DropReason::WrongKind.into(),
        }
    }

    fn name_answered(
        &mut self,
        index: usize,
        peer: SocketAddrV4,
        ttl: u32,
        entries: &AddrEntries<'_>,
    ) -> Outcome {
        let (now, timers, max) = (self.now, self.config.timers, self.limits.name_addresses.max(1));
        let Some(query) = self.queries.get_mut(index) else { return DropReason::Unsolicited.into() };
        let (id, name) = (query.id, query.name);
        let mut kind =
            entries.iter().next().map_or(NameKind::Unique, |entry| NameKind::from_flags(entry.flags));
        // Everybody has `*`, each by itself.
        if name.is_wildcard() {
            kind = NameKind::Group;
        }
        match &mut query.found {
            Found::Reported { addresses, kind: known, other_owner } => {
                let new = entries.iter().find(|entry| !addresses.contains(&entry.address));
                let Some(new) = new else { return DropReason::Duplicate.into() };
                if *known == NameKind::Unique && !*other_owner {
                    *other_owner = true;
                    self.events.push_back(Event::OtherOwner { query: id, name, address: new.address });
                }
                return DropReason::OtherOwner.into();
            }
            Found::Members(resolution) => {
                if kind != NameKind::Group {
                    return DropReason::OtherOwner.into();
                }
                let before = resolution.addresses.len();
                add_addresses(&mut resolution.addresses, entries, max);
                if resolution.addresses.len() == before {
                    return DropReason::Duplicate.into();
                }
            }
            Found::Nothing => {
                let mut addresses = Vec::new();
                add_addresses(&mut addresses, entries, max);
                if addresses.is_empty() && entries.iter().next().is_some() {
                    return DropReason::WrongKind.into();
                }
                let origin = match query.step {
                    Step::Broadcast => Origin::Broadcast(*peer.ip()),
                    Step::Server(address) => Origin::Server(address),
                };
                let resolution = Resolution { name, kind, addresses: addresses.clone(), origin };
                if kind == NameKind::Group && query.step == Step::Broadcast {
                    query.found = Found::Members(resolution);
                    query.deadline = now.saturating_add(timers.broadcast_timeout);
                } else {
                    query.found = Found::Reported { addresses, kind, other_owner: false };
                    query.deadline = now.saturating_add(timers.conflict);
                    self.events.push_back(Event::Resolved { query: id, resolution });
                }
            }
        }
        if !name.is_wildcard() {
            let addresses = match &query.found {
                Found::Members(Resolution { addresses, .. }) | Found::Reported { addresses, .. } => {
                    addresses.clone()
                }
                Found::Nothing => Vec::new(),
            };
            let expires = Some(now.saturating_add(timers.remember(ttl)));
            let entry = CacheEntry { kind, addresses, expires };
            self.cache.learn(name, entry, self.limits.name_cache_entries);
        }
        Outcome::Accepted
    }

    fn status_answered(&mut self, index: usize, peer: SocketAddrV4, packet: &Packet<'_>) -> Outcome {
        let expires = self.after(self.config.timers.conflict);
        let Some(query) = self.queries.get_mut(index) else { return DropReason::Unsolicited.into() };
        if query.is_answered() {
            return DropReason::Duplicate.into();
        }
        let Some(Rdata::NodeStatus(status)) = packet.answer().map(|record| record.rdata()) else {
            return DropReason::WrongKind.into();
        };
        query.found = Found::Reported { addresses: Vec::new(), kind: NameKind::Unique, other_owner: false };
        query.deadline = expires;
        self.events.push_back(Event::NodeStatus {
            query: query.id,
            peer,
            names: status.names().collect(),
            unit_id: status.unit_id(),
            partial: status.is_partial() || packet.header().flags.nm_flags().contains(NmFlags::TC),
        });
        Outcome::Accepted
    }
}

/// Adds the addresses that are not there yet, up to `max`. Those that no computer can have are left out.
///
/// A name server says of an ordinary group that it is everybody: with 255.255.255.255, or with 0.0.0.0 if it is Samba's
/// nmbd (4.17, seen in the lab).
fn add_addresses(addresses: &mut Vec<Ipv4Addr>, entries: &AddrEntries<'_>, max: usize) {
    for entry in entries.iter() {
        if addresses.len() >= max {
            return;
        }
        let address = match NameKind::from_flags(entry.flags) {
            NameKind::Group if entry.address.is_unspecified() => Ipv4Addr::BROADCAST,
            NameKind::Unique if super::answer::is_no_host(entry.address) => continue,
            _ => entry.address,
        };
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
}
