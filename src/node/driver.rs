//! One interface of a node: its sockets, its name service, its datagrams. One task.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::Poll;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::moderation::Moderation;
use super::stats::InterfaceStats;
use super::udp::{BATCH, Port, Receiver, Service};
use super::{Accepted, Clock, Ingest, Ingress, Interface, OwnNames, Shared};
use crate::service::names::{
    Event, Input, LocalName, NameKind, NameService, NameState, NodeType, QueryId, QueryTarget, Refusal,
    RegisterError, Resolution, ResolveError, Stats as NameCounters,
};
use crate::service::{Machine, Transmit};
use crate::wire::name::NetbiosName;
use crate::wire::nbdgm::MsgType;
use crate::wire::nbns::NameEntry;

/// Batches taken off one socket before the others are looked at.
const BATCHES: usize = 4;

/// What came off a socket.
#[derive(Debug, Default)]
struct Taken {
    count: usize,
    bytes: usize,
    /// The socket is empty now.
    empty: bool,
}

/// What a node's handles ask of a driver.
#[derive(Debug)]
pub(super) enum Command {
    Query(NetbiosName, QueryTarget, mpsc::UnboundedSender<QueryAnswer>),
    Status(Ipv4Addr, NetbiosName, oneshot::Sender<Result<NodeStatus, ResolveError>>),
    Register(NetbiosName, NameKind, oneshot::Sender<Result<(), RegisterError>>),
    Release(NetbiosName),
    Forget(NetbiosName),
    /// The addresses of the node are these now.
    Addresses(Vec<Ipv4Addr>),
    /// The interface is gone: ends at once, there is nobody left to tell.
    Gone,
    /// Gives all names up, then ends.
    Shutdown(oneshot::Sender<()>),
}

/// An answer, and the driver it is from.
#[derive(Debug)]
pub(super) struct QueryAnswer {
    pub(super) driver: u64,
    pub(super) result: Result<Resolution, ResolveError>,
}

/// The names of another node, as it told them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Who answered.
    pub peer: SocketAddrV4,
    /// Its names.
    pub names: Vec<NameEntry>,
    /// Its MAC address (UNIT_ID); zeros from Samba.
    pub unit_id: Option<[u8; 6]>,
    /// Whether names are missing.
    pub partial: bool,
}

/// A name of this node on one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OwnName {
    /// The name.
    pub name: NetbiosName,
    /// The node's address on the interface.
    pub address: Ipv4Addr,
    /// Whether it is a group's.
    pub group: bool,
    /// How far it is.
    pub state: OwnState,
    /// Who has it, if it is not this node's.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub refusal: Option<Refusal>,
}

/// How far a name of this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum OwnState {
    /// It is being claimed.
    Registering,
    /// It is this node's.
    Active,
    /// It was this node's; another one has it too.
    Conflict,
    /// It was claimed and is another's.
    Refused,
    /// It is being given up.
    Releasing,
}

impl OwnState {
    /// The state in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registering => "registering",
            Self::Active => "active",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Releasing => "releasing",
        }
    }
}

pub(super) struct Driver {
    pub(super) id: u64,
    pub(super) interface: Interface,
    pub(super) clock: Clock,
    pub(super) node_type: NodeType,
    /// Datagrams to any name are taken.
    pub(super) hear_all: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) names: NameService,
    pub(super) ingest: Ingest,
    /// All sockets, the one that the name service sends from first.
    pub(super) ports: Arc<Vec<Port>>,
    /// What arrives on them.
    pub(super) receivers: Vec<Receiver>,
    pub(super) moderation: Moderation,
    /// A socket could not be watched last time, which has been said.
    pub(super) unwatched: bool,
    pub(super) stats: Arc<Mutex<InterfaceStats>>,
    /// The name service's counters, as `stats` has them.
    pub(super) counted: NameCounters,
    /// What became of names that are not this node's.
    pub(super) refusals: HashMap<NetbiosName, (NameKind, Refusal)>,
    pub(super) queries: HashMap<QueryId, mpsc::UnboundedSender<QueryAnswer>>,
    pub(super) statuses: HashMap<QueryId, oneshot::Sender<Result<NodeStatus, ResolveError>>>,
    pub(super) done: Option<oneshot::Sender<()>>,
    pub(super) ending: bool,
    /// The interface is gone.
    pub(super) gone: bool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Runs until all handles are gone or one says so, and all names are given up.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut receivers = core::mem::take(&mut self.receivers);
        let mut first = 0;
        self.publish_names();
        loop {
            self.settle().await;
            // Open queries end with the driver.
            if self.gone || self.ending && self.names.all_released() {
                break;
            }
            let deadlines = [self.names.poll_timeout(), self.ingest.poll_timeout(), self.moderation.rest()];
            let deadline = deadlines.into_iter().flatten().min();
            let alarm = deadline.and_then(|at| self.clock.instant(at)).map(tokio::time::Instant::from_std);
            let ready = core::future::poll_fn(|cx| {
                let order = (first..receivers.len()).chain(0..first);
                for index in order {
                    if receivers.get(index).is_some_and(|receiver| receiver.poll_ready(cx).is_ready()) {
                        return Poll::Ready(index);
                    }
                }
                Poll::Pending
            });
            tokio::select! {
                index = ready => {
                    first = (index + 1) % receivers.len().max(1);
                    match receivers.get(index) {
                        Some(receiver) if receiver.service == Service::Names => {
                            self.receive(receiver);
                        }
                        _ => self.receive_datagrams(&mut receivers),
                    }
                }
                command = commands.recv(), if !self.ending => match command {
                    Some(command) => self.obey(command),
                    None => self.end(),
                },
                () = sleep_until(alarm) => {
                    let now = self.clock.now();
                    self.names.handle_timeout(now);
                    self.ingest.handle_timeout(now);
                    if self.moderation.handle_timeout(now) {
                        self.receive_datagrams(&mut receivers);
                    }
                }
            }
        }
        if self.gone {
            self.shared.add_gone(&lock(&self.stats));
        }
        // Wakes those who wait for either.
        self.shared.forget_driver(self.id);
        if let Some(done) = self.done.take() {
            // Whoever asked may have gone meanwhile.
            let _ = done.send(());
        }
    }

    fn end(&mut self) {
        self.ending = true;
        self.names.release_all(self.clock.now());
    }

    fn obey(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Query(name, target, answer) => {
                self.cancel_unheard();
                let id = self.names.query(now, name, target);
                self.queries.insert(id, answer);
            }
            Command::Status(address, name, answer) => {
                self.cancel_unheard();
                let id = self.names.node_status(now, address, name);
                self.statuses.insert(id, answer);
            }
            Command::Register(name, kind, answer) => {
                self.refusals.remove(&name);
                let result = self.names.register(now, name, kind);
                self.publish_names();
                let _ = answer.send(result);
            }
            Command::Release(name) => {
                self.refusals.remove(&name);
                self.names.release(now, &name);
                self.publish_names();
            }
            Command::Forget(name) => {
                self.names.forget(&name);
            }
            Command::Addresses(addresses) => self.names.set_own_addresses(addresses),
            Command::Gone => self.gone = true,
            Command::Shutdown(done) => {
                self.done = Some(done);
                self.end();
            }
        }
    }

    /// Ends the questions whose answers nobody waits for any more, before they take the place of others.
    fn cancel_unheard(&mut self) {
        let queries = self.queries.extract_if(|_, answer| answer.is_closed()).map(|(id, _)| id);
        let statuses = self.statuses.extract_if(|_, answer| answer.is_closed()).map(|(id, _)| id);
        for id in queries.chain(statuses) {
            self.names.cancel(id);
        }
    }

    /// Sends what is to be sent and reports what there is to report.
    async fn settle(&mut self) {
        let ports = Arc::clone(&self.ports);
        let Some(port) = ports.first() else { return };
        loop {
            let batch: Vec<Transmit> =
                core::iter::from_fn(|| self.names.poll_transmit()).take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let mut rest = batch.as_slice();
            while let Some(first) = rest.first() {
                let result = port.send_some(rest).await;
                let count = result.as_ref().map_or(1, |count| *count).max(1);
                let (tried, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                rest = others;
                if let Err(error) = result {
                    lock(&self.stats).names.send_errors += 1;
                    tracing::debug!(destination = %first.destination, %error, "a packet was not sent");
                    continue;
                }
                lock(&self.stats).names.sent += u64::try_from(tried.len()).unwrap_or(0);
                for transmit in tried {
                    self.shared.was_sent(port, transmit.destination, &transmit.bytes);
                }
            }
        }
        let mut names_changed = false;
        while let Some(event) = self.names.poll_event() {
            names_changed |= self.report(event);
        }
        if names_changed {
            self.publish_names();
        }
        let mut stats = lock(&self.stats);
        let counted = self.names.stats();
        if counted != self.counted {
            self.counted = counted;
            stats.names.copy(counted);
        }
        for reason in self.ingest.given_up() {
            stats.datagrams.give_up(reason);
        }
    }

    /// Says whether the event is about an own name.
    fn report(&mut self, event: Event) -> bool {
        let address = self.interface.address;
        match event {
            Event::Registered { name, kind } => {
                tracing::info!(%name, %kind, %address, "registered");
                self.refusals.remove(&name);
                return true;
            }
            Event::Refused { name, refusal } => {
                let kind = self.shared.kind_of(self.id, &name);
                match self.refusals.insert(name, (kind, refusal)) {
                    None => tracing::warn!(%name, %address, ?refusal, "the name is another's"),
                    Some(_) => tracing::debug!(%name, %address, ?refusal, "the name is another's still"),
                }
                return true;
            }
            Event::Conflict { name, refusal } => {
                tracing::warn!(%name, %address, ?refusal, "another node has the name too");
                self.refusals.insert(name, (NameKind::Unique, refusal));
                return true;
            }
            Event::Released { name } => {
                tracing::debug!(%name, %address, "released");
                return true;
            }
            Event::NameServerSilent { name } => tracing::warn!(%name, %address, "no name server answers"),
            Event::Resolved { query, resolution } => {
                if let Some(answer) = self.queries.remove(&query) {
                    let _ = answer.send(QueryAnswer { driver: self.id, result: Ok(resolution) });
                }
            }
            Event::Unresolved { query, error, .. } => {
                if let Some(answer) = self.queries.remove(&query) {
                    let _ = answer.send(QueryAnswer { driver: self.id, result: Err(error) });
                }
                if let Some(answer) = self.statuses.remove(&query) {
                    let _ = answer.send(Err(error));
                }
            }
            Event::OtherOwner { name, address: other, .. } => {
                tracing::warn!(%name, %other, "a second node answers to the name");
            }
            Event::NodeStatus { query, peer, names, unit_id, partial } => {
                if let Some(answer) = self.statuses.remove(&query) {
                    let _ = answer.send(Ok(NodeStatus { peer, names, unit_id, partial }));
                }
            }
        }
        false
    }

    /// Tells the datagram filter and all who wait which names this node has.
    fn publish_names(&mut self) {
        let address = self.interface.address;
        let shown = |local: LocalName| {
            let state = match local.state {
                NameState::Registering => OwnState::Registering,
                NameState::Active => OwnState::Active,
                NameState::Conflict => OwnState::Conflict,
                NameState::Releasing => OwnState::Releasing,
            };
            let refusal = self.refusals.get(&local.name).map(|(_, refusal)| *refusal);
            OwnName { name: local.name, address, group: local.kind == NameKind::Group, state, refusal }
        };
        let mut table: Vec<OwnName> = self.names.names().map(shown).collect();
        let active = table.iter().filter(|own| own.state == OwnState::Active);
        self.ingest.set_names(if self.hear_all {
            OwnNames::Any
        } else {
            OwnNames::Only(active.map(|own| (own.name, false)).collect())
        });
        for (name, (kind, refusal)) in &self.refusals {
            if !table.iter().any(|own| own.name == *name) {
                let (group, state) = (*kind == NameKind::Group, OwnState::Refused);
                table.push(OwnName { name: *name, address, group, state, refusal: Some(*refusal) });
            }
        }
        self.shared.set_names(self.id, table);
    }

    /// Takes what the sockets for datagrams hold, and leaves them alone for a while if that saves wake-ups.
    fn receive_datagrams(&mut self, receivers: &mut [Receiver]) {
        let datagrams = |receiver: &&mut Receiver| receiver.service == Service::Datagrams;
        let mut taken = Taken { empty: true, ..Taken::default() };
        for receiver in receivers.iter_mut().filter(datagrams) {
            let more = self.receive(receiver);
            taken.count += more.count;
            taken.bytes += more.bytes;
            taken.empty &= more.empty;
        }
        let now = self.clock.now();
        if taken.empty {
            self.moderation.took(now, taken.count, taken.bytes);
        }
        let mut is_watched = true;
        for receiver in receivers.iter_mut().filter(datagrams) {
            if self.moderation.rest().is_some() {
                receiver.rest();
            } else if let Err(error) = receiver.wake() {
                is_watched = false;
                lock(&self.stats).receive_errors += 1;
                if !self.unwatched {
                    tracing::warn!(interface = %self.interface, %error, "a socket cannot be watched");
                }
                // After which it is looked at all the same.
                self.moderation.rest_from(now);
            }
        }
        self.unwatched = !is_watched;
    }

    fn receive(&mut self, receiver: &Receiver) -> Taken {
        let mut taken = Taken::default();
        let stats = Arc::clone(&self.stats);
        for _ in 0..BATCHES {
            let mut stats = lock(&stats);
            let now = self.clock.now();
            let result = receiver.receive(|peer, bytes| {
                taken.count += 1;
                taken.bytes += bytes.len();
                let broadcast = receiver.broadcast;
                match receiver.service {
                    Service::Names => self.names.handle_input(now, Input { peer, broadcast, bytes }),
                    Service::Datagrams => self.take_datagram(now, broadcast, peer, bytes, &mut stats),
                }
            });
            match result {
                Ok(count) if count >= BATCH => {}
                Ok(_) => {
                    taken.empty = true;
                    break;
                }
                Err(error) => {
                    stats.receive_errors += 1;
                    tracing::debug!(interface = %self.interface, %error, "receiving failed");
                    break;
                }
            }
        }
        taken
    }

    fn take_datagram(
        &mut self,
        now: Duration,
        broadcast: bool,
        peer: SocketAddrV4,
        bytes: &[u8],
        stats: &mut InterfaceStats,
    ) {
        let stats = &mut stats.datagrams;
        stats.received += 1;
        if broadcast && self.node_type == NodeType::P && !self.hear_all {
            stats.broadcasts_to_p += 1;
            return;
        }
        let accepted = self.ingest.accept(Ingress::new(now, peer, bytes));
        let arrived = match accepted {
            Ok(Accepted::Message(arrived)) => arrived,
            Ok(Accepted::Held) => {
                stats.fragments += 1;
                return;
            }
            Err(super::IngressDrop::NoUserData) => {
                if bytes.first() == Some(&MsgType::ERROR.0) {
                    stats.errors += 1;
                } else {
                    stats.queries += 1;
                }
                return;
            }
            Err(reason) => return stats.drop(reason),
        };
        if broadcast && self.names.owns(&arrived.source) && self.shared.has_broadcast(bytes) {
            stats.own += 1;
            return;
        }
        if self.shared.is_copy(&arrived, self.id, *peer.ip()) {
            stats.duplicates += 1;
            return;
        }
        if let Some(ear) = &self.shared.ear {
            ear.hear(&arrived);
        }
        match self.ingest.deliver(&arrived) {
            Ok(delivered) => {
                stats.delivered += 1;
                stats.delivered_bytes += u64::try_from(delivered.bytes).unwrap_or(0);
            }
            Err(reason) => stats.drop(reason),
        }
    }
}

pub(super) async fn sleep_until(alarm: Option<tokio::time::Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at).await,
        None => core::future::pending().await,
    }
}
