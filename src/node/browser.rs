//! The browser service on a node: it reads and writes the well-known slots as any program does.

use core::net::SocketAddrV4;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};

use super::driver::{OwnState, lock, sleep_until};
use super::handle::random;
use super::{BrowserStats, Node, NodeError, SendError, ServerEnumError, SlotReader};
use crate::service::browser::{
    Browser, Config, Event, FetchFailure, FoundServer, Input, Role, ServerName, Slot, Stats, Target,
};
use crate::service::names::{NameKind, QueryTarget};
use crate::service::session::Step;
use crate::service::{Limits, Machine};
use crate::slot::{CreateOptions, Message, Origin, SlotPath};
use crate::wire::browser::ServerType;
use crate::wire::name::NetbiosName;
use crate::wire::smb::NtStatus;
use crate::wire::smb::rap::Answer;

/// Messages to single computers that are being sent at a time; one more is not sent.
const UNICASTS: usize = 64;

/// What a browser is, and what it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrowserStatus {
    /// Its role.
    pub role: Role,
    /// The local master, as far as it is known.
    pub local_master: Option<ServerName>,
    /// Whether it stands in an election.
    pub electing: bool,
    /// The servers of the workgroup, sorted by name; empty unless [`Role::keeps_list`].
    pub servers: Vec<FoundServer>,
    /// The workgroups, each with its master as the comment; empty unless [`Role::keeps_list`].
    pub domains: Vec<FoundServer>,
    /// The machine's counters.
    pub stats: Stats,
    /// Messages that could not be sent, or found too many on their way.
    pub unsent: u64,
}

/// The browser service, as the node and its tasks share it.
#[derive(Debug)]
pub(super) struct Shared {
    browser: Mutex<Browser>,
    unsent: Mutex<u64>,
    /// Messages of programs of this computer.
    local: AtomicU64,
    /// Something was asked of the machine from outside.
    wake: Notify,
    changed: watch::Sender<()>,
    stopping: Mutex<bool>,
}

/// The browser service of a running node.
///
/// Dropping it ends it as [`Self::stop`] does, in the background.
#[derive(Debug)]
pub struct NodeBrowser {
    node: Node,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts the browser service on this node, which takes the slots `\\.\mailslot\BROWSE` and `\\.\mailslot\LANMAN`.
    /// The configuration is one of this node's name and workgroup; what it does follows from its roles.
    ///
    /// It begins when the node has its names ([`Self::ready`]); its list is asked for on the node's session ports. As a backup
    /// or domain master it fetches lists by [`Self::server_enum`].
    ///
    /// # Errors
    /// [`NodeError::WellKnownSlot`] if a program has one of the slots; [`NodeError::Random`];
    /// [`NodeError::ShutDown`].
    pub fn start_browser(&self, config: Config) -> Result<NodeBrowser, NodeError> {
        if self.is_shut_down() {
            return Err(NodeError::ShutDown);
        }
        let slots = Slot::ALL.map(|slot| {
            let reader = self.create(&local(slot), CreateOptions::default());
            reader.map_err(|source| NodeError::WellKnownSlot { source })
        });
        let [browse, lanman] = slots;
        let (browse, lanman) = (browse?, lanman?);
        let limits: Limits = self.inner.settings.limits;
        let browser = Browser::new(config, limits, random()?);
        let shared = Arc::new(Shared {
            browser: Mutex::new(browser),
            unsent: Mutex::new(0),
            local: AtomicU64::new(0),
            wake: Notify::new(),
            changed: watch::Sender::new(()),
            stopping: Mutex::new(false),
        });
        let (asked, clock) = (Arc::downgrade(&shared), self.clock());
        *lock(&self.inner.browser) = Arc::downgrade(&shared);
        self.inner.incoming.administration.set(Some(Arc::new(move |source, request: &[u8], max_data| {
            let shared = asked.upgrade().ok_or(NtStatus::NOT_SUPPORTED)?;
            let source = ServerName::from(&source);
            let answer = lock(&shared.browser).answer_to(clock.now(), source, request, max_data);
            answer.ok_or(NtStatus::INSUFF_SERVER_RESOURCES)
        })));
        let (results, inputs) = mpsc::unbounded_channel();
        let task = Task {
            node: self.clone(),
            shared: Arc::clone(&shared),
            claims: HashMap::new(),
            held: HashMap::new(),
            results,
            unicasts: Arc::new(Semaphore::new(UNICASTS)),
            asker: None,
        };
        let task = Some(tokio::spawn(task.run([browse, lanman], inputs)));
        Ok(NodeBrowser { node: self.clone(), shared, task })
    }
}

impl NodeBrowser {
    /// What it is and knows now.
    pub fn status(&self) -> BrowserStatus {
        let now = self.node.clock().now();
        let browser = lock(&self.shared.browser);
        BrowserStatus {
            role: browser.role(),
            local_master: browser.local_master(),
            electing: browser.is_electing(),
            servers: browser.servers().iter(now).map(FoundServer::from).collect(),
            domains: browser.domains().iter(now).map(FoundServer::from).collect(),
            stats: browser.stats(),
            unsent: *lock(&self.shared.unsent),
        }
    }

    /// Waits until `wanted` is so. It is looked at whenever something happened.
    pub async fn wait_for(&self, mut wanted: impl FnMut(&BrowserStatus) -> bool) -> BrowserStatus {
        let mut changes = self.shared.changed.subscribe();
        loop {
            changes.borrow_and_update();
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            // The sender is in `self`.
            let _ = changes.changed().await;
        }
    }

    /// Has the workgroup elect its master anew.
    pub fn force_election(&self) {
        let now = self.node.clock().now();
        lock(&self.shared.browser).force_election(now);
        self.shared.wake.notify_one();
    }

    /// Answers a transaction on `\PIPE\LANMAN`, as [`Browser::answer`] does.
    pub fn answer(&self, request: &[u8]) -> Answer {
        lock(&self.shared.browser).answer(self.node.clock().now(), request)
    }

    fn begin_to_stop(&self) {
        let now = self.node.clock().now();
        *lock(&self.shared.stopping) = true;
        lock(&self.shared.browser).stop(now);
        self.shared.wake.notify_one();
    }

    /// Says goodbye, gives the names up and frees the slots.
    pub async fn stop(mut self) {
        self.begin_to_stop();
        if let Some(task) = self.task.take() {
            // A task that is gone has ended.
            let _ = task.await;
        }
    }
}

impl Drop for NodeBrowser {
    fn drop(&mut self) {
        if self.task.is_some() {
            self.begin_to_stop();
        }
    }
}

fn local(slot: Slot) -> SlotPath {
    slot.path().parse().unwrap_or_else(|_| unreachable!("a constant path"))
}

struct Task {
    node: Node,
    shared: Arc<Shared>,
    /// Claims under way.
    claims: HashMap<NetbiosName, AbortHandle>,
    /// Names that are this node's.
    held: HashMap<NetbiosName, NameKind>,
    results: mpsc::UnboundedSender<Input<'static>>,
    unicasts: Arc<Semaphore>,
    /// Who sent the message that is being worked on, and from where.
    asker: Option<(NetbiosName, SocketAddrV4)>,
}

impl Task {
    async fn run(
        mut self,
        [browse, lanman]: [SlotReader; 2],
        mut inputs: mpsc::UnboundedReceiver<Input<'static>>,
    ) {
        let clock = self.node.clock();
        let mut names = self.node.inner.shared.watch();
        let stopped = async {
            while !*lock(&self.shared.stopping) {
                self.shared.wake.notified().await;
            }
        };
        tokio::select! {
            is_on = self.has_names() => if !is_on { return },
            () = stopped => return,
        }
        lock(&self.shared.browser).start(clock.now());
        loop {
            self.perform().await;
            self.asker = None;
            self.shared.changed.send_replace(());
            if self.node.is_shut_down() || *lock(&self.shared.stopping) {
                break;
            }
            let due = lock(&self.shared.browser).poll_timeout();
            let alarm = due.and_then(|at| clock.instant(at)).map(tokio::time::Instant::from_std);
            tokio::select! {
                message = browse.recv_timeout(Duration::MAX) => match message {
                    Ok(message) => self.take(Slot::Browse, &message),
                    Err(_) => break,
                },
                message = lanman.recv_timeout(Duration::MAX) => match message {
                    Ok(message) => self.take(Slot::Lanman, &message),
                    Err(_) => break,
                },
                input = inputs.recv() => if let Some(input) = input {
                    self.take_result(input);
                },
                changed = names.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.look_at_names();
                },
                () = self.shared.wake.notified() => {}
                () = sleep_until(alarm) => lock(&self.shared.browser).handle_timeout(clock.now()),
            }
        }
        self.node.inner.incoming.administration.set(None);
        for (_, claim) in self.claims {
            claim.abort();
        }
    }

    /// Waits until the names are this node's, however often they are refused before; `false` if it was shut down.
    async fn has_names(&self) -> bool {
        let mut names = self.node.inner.shared.watch();
        loop {
            names.borrow_and_update();
            match self.node.ready().await {
                Ok(()) => return true,
                Err(NodeError::ShutDown) => return false,
                Err(_) => {
                    if names.changed().await.is_err() {
                        return false;
                    }
                }
            }
        }
    }

    fn take(&mut self, slot: Slot, message: &Message) {
        let (Origin::Datagram { source, destination } | Origin::Session { source, destination, .. }) =
            message.origin
        else {
            // A program of this computer wrote into the slot: no browser is there.
            self.shared.local.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let (source, destination) = (NetbiosName::from_bytes(source), NetbiosName::from_bytes(destination));
        // Nobody listens at the port that a session came from.
        let by_datagram = matches!(message.origin, Origin::Datagram { .. });
        self.asker = message.peer.filter(|_| by_datagram).map(|peer| (source, peer));
        let peer = message.peer.map(|peer| *peer.ip());
        let input = Input::Message { slot, source, destination, peer, data: &message.data };
        lock(&self.shared.browser).handle_input(self.node.clock().now(), input);
    }

    fn take_result(&mut self, input: Input<'static>) {
        if let Input::Name { name, is_ours } = &input {
            self.claims.remove(name);
            if !is_ours {
                self.held.remove(name);
            }
        }
        lock(&self.shared.browser).handle_input(self.node.clock().now(), input);
    }

    /// A name that was this node's may be in conflict.
    fn look_at_names(&mut self) {
        let lost = |own: &super::OwnName| {
            matches!(own.state, OwnState::Conflict | OwnState::Refused) && self.held.contains_key(&own.name)
        };
        let lost: Vec<NetbiosName> =
            self.node.names().iter().filter(|own| lost(own)).map(|own| own.name).collect();
        for name in lost {
            if !self.claims.contains_key(&name) {
                // Only releasing it ends the conflict.
                let _ = self.node.release(name);
                self.take_result(Input::Name { name, is_ours: false });
            }
        }
    }

    /// Does what the machine asks for.
    async fn perform(&mut self) {
        loop {
            let Some(event) = lock(&self.shared.browser).poll_event() else { return };
            match event {
                Event::Write { target, slot, data } => self.write(target, slot, data).await,
                Event::Claim { name, kind } => self.claim(name, kind),
                Event::Release { name } => {
                    if let Some(claim) = self.claims.remove(&name) {
                        claim.abort();
                    }
                    self.held.remove(&name);
                    // A node that is shut down has released all.
                    let _ = self.node.release(name);
                }
                Event::Fetch { id, from, server_type } => self.fetch(id, from, server_type),
                Event::Role(role) => tracing::info!(%role, "the browser's role"),
                Event::Master(master) => tracing::info!(?master, "the local master"),
                Event::Election { criteria } => tracing::info!(?criteria, "an election"),
                Event::Conflict(conflict) => tracing::warn!(conflict = conflict.name(), "two masters"),
                Event::Backups(names) => tracing::debug!(?names, "the backups"),
            }
        }
    }

    fn claim(&mut self, name: NetbiosName, kind: NameKind) {
        let (node, results) = (self.node.clone(), self.results.clone());
        let claim = tokio::spawn(async move {
            let result = node.register(name, kind).await;
            if let Err(error) = &result {
                tracing::info!(%name, %error, "the name is not to be had");
            }
            // Nobody waits for it any more when the browser has stopped.
            let _ = results.send(Input::Name { name, is_ours: result.is_ok() });
        });
        self.held.insert(name, kind);
        self.claims.insert(name, claim.abort_handle());
    }

    fn fetch(&self, id: u64, from: Target, server_type: ServerType) {
        let (node, results) = (self.node.clone(), self.results.clone());
        tokio::spawn(async move {
            let result = match node.fetch(from, server_type).await {
                Ok(list) => {
                    tracing::debug!(?from, entries = list.servers.len(), damaged = list.damaged, "a list");
                    Ok(list.servers)
                }
                Err(error) => {
                    tracing::info!(?from, %error, "a list is not to be had");
                    Err(failure(&error))
                }
            };
            // Nobody waits for it any more when the browser has stopped.
            let _ = results.send(Input::Fetched { id, result });
        });
    }

    /// A broadcast goes out in its turn. What needs a name found goes beside, so that nothing waits for it.
    async fn write(&self, target: Target, slot: Slot, data: Vec<u8>) {
        let path = local(slot);
        if let Target::Group(name) = target {
            let result = self.node.write_to_group(&path, name, &data).await;
            return self.shared.count(result.map(drop));
        }
        if let (Target::Computer(name), Some((asker, peer))) = (target, self.asker)
            && name.base() == asker.base()
            && self.node.inner.is_on_link(*peer.ip())
        {
            // Whoever asks need not have claimed its name, and may not have the usual port.
            return self.shared.count(self.node.write_back(&path, name, peer, &data).await);
        }
        let Ok(permit) = Arc::clone(&self.unicasts).try_acquire_owned() else {
            *lock(&self.shared.unsent) += 1;
            return tracing::debug!(?target, "a browser message was not sent: too many are on their way");
        };
        let (node, shared) = (self.node.clone(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            let result = write_to_one(&node, target, &path, &data).await;
            shared.count(result);
            drop(permit);
        });
    }
}

impl Shared {
    pub(super) fn stats(&self, now: Duration) -> BrowserStats {
        let (local, unsent) = (self.local.load(Ordering::Relaxed), *lock(&self.unsent));
        BrowserStats::of(&lock(&self.browser), now, local, unsent)
    }

    fn count(&self, result: Result<(), SendError>) {
        if let Err(error) = result {
            *lock(&self.unsent) += 1;
            tracing::debug!(%error, "a browser message was not sent");
        }
    }
}

fn failure(error: &ServerEnumError) -> FetchFailure {
    match error {
        ServerEnumError::List { .. } => FetchFailure::Refused,
        ServerEnumError::Session { source, .. } if source.step() > Step::Negotiate => FetchFailure::Refused,
        _ => FetchFailure::Unreachable,
    }
}

async fn write_to_one(node: &Node, target: Target, path: &SlotPath, data: &[u8]) -> Result<(), SendError> {
    let address = match target {
        Target::Group(name) | Target::Computer(name) | Target::Announced(name, _) => {
            return node.write_to_computer(path, name, data).await.map(drop);
        }
        Target::Address(address) => address,
        Target::OwnerOf(name) => {
            let resolution = node.lookup(name, QueryTarget::Default).await?;
            let first = resolution.addresses.first().copied();
            let source = crate::service::names::ResolveError::NotFound;
            first.ok_or(SendError::NameNotFound { name, source })?
        }
    };
    let mut to = path.clone();
    to.target = crate::slot::Target::Named(address.to_string());
    node.write(&to, data).await.map(drop)
}
