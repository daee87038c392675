//! The node's side: takes connections and keeps what they share.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::access::{Owner, Peer};
use super::connection::{self, End};
use super::place::{self, Seat, ServicePlace};
use super::{LocalError, convert};
use crate::node::driver::lock;
use crate::node::{Clock, LocalStats, Node};
use crate::slot::{Account, CreateOptions, Mailslot, MailslotError, Origin, Registry, SlotName, SlotPath};
use crate::wire::local::{
    Body, Failure, FailureCode, Frame, ListedSlot, NO_MESSAGE, OriginKind, Role, Token,
};
use crate::wire::{Encode, ValueError};

/// How long a duplicated handle waits to be taken up.
const DUPLICATES_WAIT: Duration = Duration::from_secs(10);
/// How long a user's node without handles stays.
const GRACE: Duration = Duration::from_secs(1);
/// How long one that is out of descriptors or memory waits for them.
const DESCRIPTORS_WAIT: Duration = Duration::from_secs(1);
/// How often the user's node looks whether its socket is still there.
const SOCKET_LOOKED_AT: Duration = Duration::from_secs(5);

/// What the processes of one machine can make a node hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections, each of which is a handle. Default 960, below the descriptors that a process usually may have.
    pub connections: usize,
    /// Connections of one user to the service, so that none can keep the others out; a user's node has one user.
    /// Default 480.
    pub connections_per_user: usize,
    /// Bytes of requests that are not whole yet, over all connections of one user. Default 64 MiB.
    pub unread_bytes_per_user: usize,
    /// Bytes of answers that the processes of one user have not taken, of connections with more than 256 KiB of them; one
    /// that would pass it ends. Default 256 MiB.
    pub untaken_bytes_per_user: usize,
    /// Slots of one user on the service; a user's node has one user, and the registry's
    /// [`Limits`](crate::slot::Limits). One more is refused with
    /// [`MailslotError::LimitReached`](crate::slot::MailslotError::LimitReached). Default 256.
    pub slots_per_user: usize,
    /// Bytes in the queues of all slots that one user has on the service: the messages' data, and
    /// [`MESSAGE_COST`](crate::slot::MESSAGE_COST) for each. What does not fit is refused, or dropped where it comes
    /// from the network, as where a slot is full. Default 64 MiB.
    pub slot_bytes_per_user: usize,
    /// Duplicated handles that nobody has taken up yet. Default 256.
    pub duplicates: usize,
    /// Those of one user. Default 64.
    pub duplicates_per_user: usize,
    /// Questions to the network, and messages to it, that are under way for one user: each message may be a question for
    /// its name. Half of the questions that a node has open at most
    /// ([`Limits::name_queries`](crate::service::Limits::name_queries)). Default 256.
    pub questions_per_user: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 960,
            connections_per_user: 480,
            unread_bytes_per_user: 64 << 20,
            untaken_bytes_per_user: 256 << 20,
            slots_per_user: 256,
            slot_bytes_per_user: 64 << 20,
            duplicates: 256,
            duplicates_per_user: 64,
            questions_per_user: 256,
        }
    }
}

/// Lets other processes of this machine use a registry.
///
/// A clone is the same server.
#[derive(Debug, Clone)]
pub struct Server {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) role: Role,
    pub(super) node: Option<Node>,
    limits: ServerLimits,
    owners: Mutex<HashMap<SlotName, Weak<Owner>>>,
    duplicates: Mutex<HashMap<Token, Duplicate>>,
    users: Mutex<HashMap<u32, Use>>,
    connections: watch::Sender<usize>,
    /// Those of the node, if there is one.
    stats: Arc<Mutex<LocalStats>>,
}

/// What one user has of the node.
#[derive(Debug, Default)]
struct Use {
    connections: usize,
    unread_bytes: usize,
    untaken_bytes: usize,
    questions: usize,
    /// Of its slots, once it has had one.
    account: Option<Account>,
}

/// A handle that waits to be taken up.
#[derive(Debug)]
struct Duplicate {
    end: End,
    user: u32,
    expiry: AbortHandle,
}

impl Server {
    /// A server of the machine's service: the node's slots, its names and its network. Whoever may connect to the
    /// socket may open slots that do not say otherwise.
    pub fn of_service(node: Node, limits: ServerLimits) -> Self {
        let (registry, clock) = (node.registry().clone(), node.clock());
        Self::new(registry, clock, Role::SERVICE, Some(node), limits)
    }

    /// A server of one user's own slots, without a network.
    pub fn of_user(registry: Registry, limits: ServerLimits) -> Self {
        Self::new(registry, Clock::start(), Role::USER, None, limits)
    }

    fn new(registry: Registry, clock: Clock, role: Role, node: Option<Node>, limits: ServerLimits) -> Self {
        let (owners, duplicates, users) = (Mutex::default(), Mutex::default(), Mutex::default());
        let connections = watch::Sender::new(0);
        let stats = node.as_ref().map(|node| Arc::clone(&node.inner.local)).unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                registry,
                clock,
                role,
                node,
                limits,
                owners,
                duplicates,
                users,
                connections,
                stats,
            }),
        }
    }

    /// Counters since the start; of a service they are also in [`NodeStats::local`](crate::node::NodeStats::local).
    pub fn stats(&self) -> LocalStats {
        lock(&self.shared.stats).clone()
    }

    /// Takes the service's place, as [`ServicePlace::take`] does, and serves there as [`Self::listen_at`] does.
    ///
    /// # Errors
    /// Those of [`ServicePlace::take`].
    pub fn listen(
        &self,
        socket: &Path,
        mode: u32,
    ) -> Result<impl Future<Output = io::Error> + Send + use<>, LocalError> {
        Ok(self.listen_at(ServicePlace::take(socket, mode)?))
    }

    /// Serves at the service's place until the future is dropped, which takes the socket away.
    pub fn listen_at(&self, place: ServicePlace) -> impl Future<Output = io::Error> + Send + use<> {
        let server = self.clone();
        let ServicePlace { listener, kept } = place;
        async move {
            let _kept = kept;
            server.serve(listener).await
        }
    }

    /// Serves a socket that listens already, from the service manager for one, until it fails. Needs a tokio runtime.
    pub async fn serve(self, listener: std::os::unix::net::UnixListener) -> io::Error {
        let listener = match listener.set_nonblocking(true).and_then(|()| UnixListener::from_std(listener)) {
            Ok(listener) => listener,
            Err(error) => return error,
        };
        tokio::select! {
            error = self.accept(&listener) => error,
            never = self.shared.expire_reads() => match never {},
        }
    }

    /// Serves a user's node until no handle is left, and for a second longer. Needs a tokio runtime.
    ///
    /// # Errors
    /// What the operating system says about the socket.
    pub async fn serve_user(self, mut seat: Seat) -> Result<(), LocalError> {
        loop {
            let failed =
                |operation, source| LocalError::File { operation, path: seat.socket.clone(), source };
            let listener = seat.listener.try_clone().and_then(UnixListener::from_std);
            let listener = listener.map_err(|source| failed("use", source))?;
            tokio::select! {
                error = self.accept(&listener) => return Err(failed("take connections at", error)),
                never = self.shared.expire_reads() => match never {},
                () = self.idle() => break,
                () = vanished(&seat.socket) => {}
            }
            // Someone has cleaned up around a living node. The seat is still its own.
            seat.listener = place::bind(&seat.socket)?;
        }
        seat.leave();
        Ok(())
    }

    /// Ends once there has been no connection for a while.
    async fn idle(&self) {
        let mut connections = self.shared.connections.subscribe();
        loop {
            // The sender lives in `self`.
            let _ = connections.wait_for(|count| *count == 0).await;
            if tokio::time::timeout(GRACE, connections.wait_for(|count| *count > 0)).await.is_err() {
                return;
            }
        }
    }

    async fn accept(&self, listener: &UnixListener) -> io::Error {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.shared.welcome(stream),
                // Out of descriptors or memory: until a connection ends, or something else gives some back.
                Err(error) if matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS | ENOMEM)) => {
                    let mut connections = self.shared.connections.subscribe();
                    // It ends with the time, or with a connection; the sender lives in `self`.
                    let _ = tokio::time::timeout(DESCRIPTORS_WAIT, connections.changed()).await;
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return error,
            }
        }
    }
}

const EMFILE: i32 = nix::errno::Errno::EMFILE as i32;
const ENFILE: i32 = nix::errno::Errno::ENFILE as i32;
const ENOBUFS: i32 = nix::errno::Errno::ENOBUFS as i32;
const ENOMEM: i32 = nix::errno::Errno::ENOMEM as i32;

/// Ends once there is nothing at `socket`.
async fn vanished(socket: &Path) {
    let mut ticks = tokio::time::interval(SOCKET_LOOKED_AT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while socket.symlink_metadata().is_ok() {
        ticks.tick().await;
    }
}

/// Counts a connection, what it has not sent whole and what it has not taken, as long as it lives.
#[derive(Debug)]
pub(super) struct Counted {
    shared: Arc<Shared>,
    user: u32,
    unread: usize,
    untaken: usize,
}

impl Counted {
    fn new(shared: &Arc<Shared>, user: u32) -> Self {
        lock(&shared.users).entry(user).or_default().connections += 1;
        shared.connections.send_modify(|count| *count += 1);
        let mut stats = lock(&shared.stats);
        stats.open += 1;
        stats.accepted += 1;
        drop(stats);
        Self { shared: Arc::clone(shared), user, unread: 0, untaken: 0 }
    }

    /// Counts a question or a message to the network as long as it is under way, if the user may have one more.
    pub(super) fn begin_question(&self) -> Result<AskCount, Failure<'static>> {
        let max = self.shared.limits.questions_per_user;
        let mut users = lock(&self.shared.users);
        let all = users.entry(self.user).or_default();
        if all.questions >= max {
            return Err(limit(max));
        }
        all.questions += 1;
        Ok(AskCount { shared: Arc::clone(&self.shared), user: self.user })
    }

    /// Sets how much of a request lies there, and says whether the user may have so much.
    pub(super) fn set_unread(&mut self, bytes: usize) -> bool {
        if bytes == self.unread {
            return true;
        }
        let mut users = lock(&self.shared.users);
        let all = users.entry(self.user).or_default();
        all.unread_bytes = all.unread_bytes.saturating_sub(self.unread).saturating_add(bytes);
        self.unread = bytes;
        all.unread_bytes <= self.shared.limits.unread_bytes_per_user
    }

    /// Sets how much of answers lies there, and says whether the user may leave so much.
    pub(super) fn set_untaken(&mut self, bytes: usize) -> bool {
        if bytes == self.untaken {
            return true;
        }
        let mut users = lock(&self.shared.users);
        let all = users.entry(self.user).or_default();
        all.untaken_bytes = all.untaken_bytes.saturating_sub(self.untaken).saturating_add(bytes);
        let is_more = bytes > self.untaken;
        self.untaken = bytes;
        // Whoever takes some is not the one that leaves too much.
        !is_more || all.untaken_bytes <= self.shared.limits.untaken_bytes_per_user
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut users = lock(&self.shared.users);
        if let Some(all) = users.get_mut(&self.user) {
            all.unread_bytes = all.unread_bytes.saturating_sub(self.unread);
            all.untaken_bytes = all.untaken_bytes.saturating_sub(self.untaken);
            all.connections = all.connections.saturating_sub(1);
        }
        drop(users);
        lock(&self.shared.stats).open -= 1;
        self.shared.forget_user(self.user);
        self.shared.connections.send_modify(|count| *count -= 1);
    }
}

/// A question or a message of a user that is under way. It ends before its connection's [`Counted`] does.
#[derive(Debug)]
pub(super) struct AskCount {
    shared: Arc<Shared>,
    user: u32,
}

impl Drop for AskCount {
    fn drop(&mut self) {
        if let Some(all) = lock(&self.shared.users).get_mut(&self.user) {
            all.questions = all.questions.saturating_sub(1);
        }
    }
}

impl Shared {
    fn welcome(self: &Arc<Self>, stream: UnixStream) {
        let peer = match stream.peer_cred() {
            Ok(cred) => {
                let pid = cred.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
                Peer { user: cred.uid(), group: cred.gid(), pid }
            }
            Err(error) => {
                self.count_refusal("no_credentials");
                return tracing::warn!(%error, "a connection without credentials");
            }
        };
        let own = nix::unistd::geteuid().as_raw();
        if self.role == Role::USER && peer.user != own && peer.user != 0 {
            self.count_refusal("other_user");
            tracing::warn!(peer.user, peer.pid, "another user's process is refused");
            return refuse(&stream, Failure::new(FailureCode::NOT_ADMITTED, 0, 0));
        }
        let max = self.limits.connections;
        if *self.connections.borrow() >= max {
            self.count_refusal("connections");
            tracing::warn!(peer.user, peer.pid, max, "too many connections");
            return refuse(&stream, limit(max));
        }
        let max = self.limits.connections_per_user;
        let of_user = lock(&self.users).get(&peer.user).map_or(0, |all| all.connections);
        if self.role == Role::SERVICE && of_user >= max {
            self.count_refusal("connections_per_user");
            tracing::warn!(peer.user, peer.pid, max, "too many connections of this user");
            return refuse(&stream, limit(max));
        }
        let counted = Counted::new(self, peer.user);
        tokio::spawn(connection::run(stream, peer, Arc::clone(self), counted));
    }

    /// A connection that is not let in.
    fn count_refusal(&self, reason: &'static str) {
        *lock(&self.stats).refused.entry(reason).or_default() += 1;
    }

    /// A connection that is ended for what came over it.
    pub(super) fn count_end(&self, reason: &'static str) {
        *lock(&self.stats).ended.entry(reason).or_default() += 1;
    }

    pub(super) fn count_question(&self, kind: &'static str) {
        *lock(&self.stats).asked.entry(kind).or_default() += 1;
    }

    pub(super) fn count_failure(&self, code: FailureCode) {
        *lock(&self.stats).failed.entry(code.name()).or_default() += 1;
    }

    /// Ends reads at their deadlines.
    async fn expire_reads(&self) -> core::convert::Infallible {
        loop {
            let due = self.registry.poll_timeout();
            let far = || tokio::time::Instant::now() + Duration::from_secs(86_400);
            let at = due.and_then(|due| self.clock.instant(due)).map_or_else(far, Into::into);
            let mut alarm = pin!(tokio::time::sleep_until(at));
            poll_fn(|cx| {
                self.registry.watch_timeout(cx.waker());
                match self.registry.poll_timeout() {
                    Some(earlier) if due.is_none_or(|due| earlier < due) => Poll::Ready(()),
                    _ => alarm.as_mut().poll(cx),
                }
            })
            .await;
            self.registry.handle_timeout(self.clock.now());
        }
    }

    pub(super) fn owner(&self, name: &SlotName) -> Option<Arc<Owner>> {
        lock(&self.owners).get(name)?.upgrade()
    }

    /// Creates a slot of `owner`.
    pub(super) fn create(
        &self,
        path: &SlotPath,
        options: CreateOptions,
        owner: &Arc<Owner>,
    ) -> Result<Mailslot, MailslotError> {
        let account = self.account(owner.user);
        // Nobody sees the slot without its owner: whoever opens it asks whose it is.
        let mut owners = lock(&self.owners);
        let slot = match account {
            Some(account) => self.registry.create_for(path, options, &account),
            None => self.registry.create(path, options),
        }?;
        owners.insert(slot.name().clone(), Arc::downgrade(owner));
        Ok(slot)
    }

    /// Closes a handle, and forgets whose its slot was with the last one, and that user if nothing else is left.
    pub(super) fn close(&self, end: End) {
        let (name, owner) = (end.name().clone(), end.owner().map(Arc::downgrade));
        let user = end.owner().map(|owner| owner.user);
        drop(end);
        if let Some(owner) = owner {
            let mut owners = lock(&self.owners);
            // A slot of the same name may be another's by now, or the node's own.
            let is_its = owners.get(&name).is_some_and(|known| known.ptr_eq(&owner));
            if is_its && (owner.strong_count() == 0 || !self.registry.contains(&name)) {
                owners.remove(&name);
            }
        }
        if let Some(user) = user {
            self.forget_user(user);
        }
    }

    /// With what the slots of a user are counted; a user's node has only one.
    pub(super) fn account(&self, user: u32) -> Option<Account> {
        if self.role != Role::SERVICE {
            return None;
        }
        let new = || Account::new(self.limits.slots_per_user, self.limits.slot_bytes_per_user);
        Some(lock(&self.users).entry(user).or_default().account.get_or_insert_with(new).clone())
    }

    /// Forgets a user who has neither connections nor slots.
    fn forget_user(&self, user: u32) {
        let mut users = lock(&self.users);
        let gone = |all: &Use| {
            all.connections == 0 && all.account.as_ref().is_none_or(|account| account.slots() == 0)
        };
        if users.get(&user).is_some_and(gone) {
            users.remove(&user);
        }
    }

    /// Keeps a duplicated handle of this user until it is taken up.
    pub(super) fn keep_duplicate(self: &Arc<Self>, end: End, user: u32) -> Result<Token, Failure<'static>> {
        let mut token = Token::default();
        if getrandom::fill(&mut token).is_err() {
            return Err(Failure::new(FailureCode::BAD_REQUEST, 0, 0));
        }
        let mut duplicates = lock(&self.duplicates);
        if duplicates.len() >= self.limits.duplicates {
            return Err(limit(self.limits.duplicates));
        }
        if duplicates.values().filter(|kept| kept.user == user).count() >= self.limits.duplicates_per_user {
            return Err(limit(self.limits.duplicates_per_user));
        }
        let shared = Arc::downgrade(self);
        let expiry = tokio::spawn(async move {
            tokio::time::sleep(DUPLICATES_WAIT).await;
            if let Some(shared) = shared.upgrade()
                && let Some(end) = shared.take_duplicate(&token)
            {
                shared.close(end);
            }
        });
        duplicates.insert(token, Duplicate { end, user, expiry: expiry.abort_handle() });
        drop(duplicates);
        Ok(token)
    }

    pub(super) fn take_duplicate(&self, token: &Token) -> Option<End> {
        let Duplicate { end, expiry, .. } = lock(&self.duplicates).remove(token)?;
        // Else one that takes up and duplicates without end would pile up waits.
        expiry.abort();
        Some(end)
    }

    /// One slot, as anyone sees it; `bytes` is its name.
    pub(super) fn listed<'a>(&self, name: &SlotName, bytes: &'a [u8]) -> Option<ListedSlot<'a>> {
        let seen = self.registry.overview(name)?;
        let owner = self.owner(name);
        let (last_origin, last_source) = match seen.last_origin {
            None => (OriginKind::NONE, [0; 16]),
            Some(Origin::Local) => (OriginKind::LOCAL, [0; 16]),
            Some(Origin::Datagram { source, .. }) => (OriginKind::DATAGRAM, source),
            Some(Origin::Session { framing, source, .. }) => (convert::session(framing), source),
        };
        let is_local = last_origin == OriginKind::LOCAL;
        let (last_user, last_pid) = match &owner {
            Some(owner) if is_local => owner.last_writer(),
            _ => (0, 0),
        };
        Some(ListedSlot {
            name: bytes,
            // A slot of the node's own.
            owner: owner.as_ref().map_or_else(|| nix::unistd::geteuid().as_raw(), |owner| owner.user),
            pid: owner.as_ref().map_or_else(std::process::id, |owner| owner.pid),
            admittance: owner.map_or_else(Default::default, |owner| owner.admit).to_wire(),
            max_message_size: seen.info.max_message_size,
            read_timeout: seen.info.read_timeout.as_millis(),
            next_size: seen.info.next_size.map_or(NO_MESSAGE, convert::number),
            message_count: convert::number(seen.info.message_count),
            servers: convert::number(seen.servers),
            accepted: seen.stats.accepted,
            read: seen.stats.read,
            dropped: seen.stats.drops.total(),
            last_origin,
            last_source,
            last_user,
            last_pid,
        })
    }
}

pub(super) fn limit(max: usize) -> Failure<'static> {
    Failure::new(FailureCode::LIMIT_REACHED, u64::from(convert::number(max)), 0)
}

/// Says why, as far as the socket takes it at once, and ends the connection.
fn refuse(stream: &UnixStream, failure: Failure<'_>) {
    let frame: Result<Frame<'_>, ValueError> = Frame::new(0, Body::Failed(failure));
    if let Ok(frame) = frame {
        // A fresh socket has room; if not, the end of the connection says it too.
        let _ = stream.try_write(&frame.to_bytes());
    }
}
