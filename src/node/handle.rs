//! A running node, as programs see it.

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::driver::{Command, NodeStatus, OwnName, lock};
use super::known::Computers;
use super::links::{Link, watch_interfaces};
use super::session::{Administration, Context, Pool};
use super::shared::Changes;
use super::stats::{LocalStats, NodeStats, SendStats};
use super::{
    Builder, Clock, Interface, LoopbackLan, MailslotSender, NodeError, SendError, Shared, SlotReader,
    interface,
};
use crate::service::names::{NameKind, NodeType, Origin, QueryTarget, RegisterError, Resolution};
use crate::service::session::Gate;
use crate::slot::{CreateOptions, MailslotError, OpenOptions, Registry, SlotPath};
use crate::wire::name::NetbiosName;

/// A computer on the LAN: it has NetBIOS names, writes mailslot messages to others and receives theirs in its slots.
///
/// A clone is the same node. When the last clone is dropped the node gives its names up in the background;
/// [`Self::shutdown`] waits for it.
///
/// A datagram is taken as soon as it is there. Only where more than 5,000 come in a second are they taken together, and
/// wait for one or two milliseconds; and never where the receive buffer (`net.core.rmem_max`) is too small for that.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use core::time::Duration;
/// use mailslot::node::{LoopbackLan, Node};
/// use mailslot::slot::{CreateOptions, SlotPath};
///
/// // Two computers on a LAN inside this machine; without `loopback` they would be on the real one.
/// let lan = LoopbackLan::of_this_process();
/// let office = Node::builder().name("OFFICE").loopback(lan).start().await?;
/// let vending = Node::builder().name("VENDING").loopback(lan).start().await?;
/// office.ready().await?;
/// vending.ready().await?;
///
/// let soda = office.create(&SlotPath::parse(r"\\.\mailslot\soda")?, CreateOptions::default())?;
/// let sent = vending.write(&SlotPath::parse(r"\\*\mailslot\soda")?, b"12 left").await?;
/// assert_eq!(sent.bytes, 7);
/// let message = soda.recv_timeout(Duration::from_secs(10)).await?;
/// assert_eq!(&message.data[..], b"12 left");
/// assert_eq!(soda.info()?.message_count, 0);
/// assert_eq!(office.stats().slots.read, 1);
/// office.shutdown().await?;
/// vending.shutdown().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Node {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: Builder,
    pub(super) node_type: NodeType,
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) computer: NetbiosName,
    pub(super) workgroup: NetbiosName,
    /// What is claimed on every interface.
    pub(super) names: Mutex<Vec<(NetbiosName, NameKind)>>,
    pub(super) shared: Arc<Shared>,
    pub(super) links: RwLock<Vec<Arc<Link>>>,
    pub(super) last_link: AtomicU64,
    pub(super) sent: Mutex<SendStats>,
    /// Counted by the server of the node's socket.
    pub(super) local: Arc<Mutex<LocalStats>>,
    pub(super) incoming: Arc<Context>,
    pub(super) outgoing: Arc<Pool>,
    pub(super) computers: Mutex<Computers>,
    /// The browser service, while there is one.
    pub(super) browser: Mutex<Weak<super::browser::Shared>>,
    /// Interfaces that were of no use when last looked at, and why.
    pub(super) unusable: Mutex<Vec<(Interface, String)>>,
    pub(super) watcher: Mutex<Option<JoinHandle<()>>>,
    pub(super) stopped: AtomicBool,
}

impl Node {
    /// The settings of a new node.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn start(
        settings: Builder,
        registry: Registry,
        computer: NetbiosName,
        workgroup: NetbiosName,
        names: Vec<(NetbiosName, NameKind)>,
    ) -> Result<Self, NodeError> {
        let default_type = if settings.wins.is_empty() { NodeType::B } else { NodeType::H };
        let clock = Clock::start();
        let limits = settings.limits;
        let shared =
            Arc::new(Shared::new(settings.suppress_duplicates, settings.tap.clone(), settings.ear.clone()));
        let incoming = Arc::new(Context {
            shared: Arc::clone(&shared),
            registry: registry.clone(),
            clock,
            computer,
            domain: String::from_utf8_lossy(workgroup.base()).into_owned(),
            limits,
            gate: Gate::new(limits),
            administration: Administration::default(),
        });
        let inner = Arc::new(Inner {
            incoming,
            outgoing: Arc::new(Pool::new(clock, limits)),
            node_type: settings.node_type.unwrap_or(default_type),
            shared,
            registry,
            clock,
            computer,
            workgroup,
            names: Mutex::new(names),
            links: RwLock::default(),
            last_link: AtomicU64::new(0),
            sent: Mutex::default(),
            local: Arc::default(),
            computers: Mutex::default(),
            browser: Mutex::default(),
            unusable: Mutex::default(),
            watcher: Mutex::default(),
            stopped: AtomicBool::new(false),
            settings,
        });
        let interfaces = match inner.settings.loopback {
            Some(lan) => {
                let address = match lan.address {
                    Some(address) => address,
                    None => LoopbackLan::random_address(random()?),
                };
                let broadcast = LoopbackLan::BROADCAST;
                vec![Interface { name: "lo".to_owned(), index: 1, address, prefix: 8, broadcast }]
            }
            None => interface::choose(&inner.settings.interfaces)?,
        };
        let links = interfaces.iter().map(|interface| inner.link(interface, &interfaces));
        inner.set_links(links.collect::<Result<_, _>>()?);
        if inner.settings.loopback.is_none() {
            let watcher = tokio::spawn(watch_interfaces(Arc::downgrade(&inner)));
            *lock(&inner.watcher) = Some(watcher);
        }
        Ok(Self { inner })
    }

    /// Waits until all names are this node's on all its interfaces. Without an interface it waits for one.
    ///
    /// # Errors
    /// [`NodeError::NameRefused`] if a name is another's; the node goes on with the names that it has, and claims the
    /// others again once a minute ([`RECLAIM`](crate::service::names::timers::RECLAIM)).
    pub async fn ready(&self) -> Result<(), NodeError> {
        let wanted: Vec<NetbiosName> = lock(&self.inner.names).iter().map(|(name, _)| *name).collect();
        self.wait_for(&wanted).await
    }

    async fn wait_for(&self, wanted: &[NetbiosName]) -> Result<(), NodeError> {
        let mut changes = self.inner.shared.watch();
        loop {
            changes.borrow_and_update();
            if self.is_shut_down() {
                return Err(NodeError::ShutDown);
            }
            if self.inner.have_all(wanted)? {
                return Ok(());
            }
            if changes.changed().await.is_err() {
                return Err(NodeError::ShutDown);
            }
        }
    }

    /// The computer name, with suffix 00.
    pub fn name(&self) -> NetbiosName {
        self.inner.computer
    }

    /// The workgroup's name, with suffix 00.
    pub fn workgroup(&self) -> NetbiosName {
        self.inner.workgroup
    }

    /// How names are claimed and found.
    pub fn node_type(&self) -> NodeType {
        self.inner.node_type
    }

    /// The registry of the node's slots.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The clock that all reads of the node's slots go by.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// The interfaces that the node is on now.
    pub fn interfaces(&self) -> Vec<Interface> {
        self.inner.links().iter().map(|link| link.interface.clone()).collect()
    }

    /// Ports for sessions that are not to be had ([`NodeError::BindSession`]). Without them the node runs with datagrams
    /// alone, and what is too long for one does not reach it.
    pub fn session_faults(&self) -> Vec<Arc<NodeError>> {
        self.inner.links().iter().flat_map(|link| link.session_faults.clone()).collect()
    }

    /// Tells when the names ([`Self::names`]) or the interfaces ([`Self::interfaces`]) change.
    pub fn changes(&self) -> Changes {
        self.inner.shared.changes()
    }

    /// The local name tables of all interfaces.
    pub fn names(&self) -> Vec<OwnName> {
        self.inner.shared.names()
    }

    /// Counters since the start.
    pub fn stats(&self) -> NodeStats {
        NodeStats {
            interfaces: self.inner.links().iter().map(|link| lock(&link.stats).clone()).collect(),
            gone: self.inner.shared.gone(),
            slots: self.inner.registry.stats(),
            sent: *lock(&self.inner.sent),
            sessions: self.inner.incoming.gate.stats(),
            local: lock(&self.inner.local).clone(),
            browser: lock(&self.inner.browser).upgrade().map(|browser| browser.stats(self.inner.clock.now())),
        }
    }

    /// Creates a mailslot (Win32 `CreateMailslot`).
    ///
    /// # Errors
    /// Those of [`Registry::create`].
    pub fn create(&self, path: &SlotPath, options: CreateOptions) -> Result<SlotReader, MailslotError> {
        let mailslot = self.inner.registry.create(path, options)?;
        Ok(SlotReader::new(mailslot, self.inner.clock))
    }

    /// Opens a path for writing (Win32 `CreateFile`).
    ///
    /// # Errors
    /// For a local path those of [`Registry::open`]; a remote path always opens.
    pub fn open(&self, path: SlotPath) -> Result<MailslotSender, MailslotError> {
        if path.is_local() {
            let writer = self.inner.registry.open(&path, OpenOptions::default())?;
            return Ok(MailslotSender::here(self.clone(), writer, path));
        }
        Ok(MailslotSender::on_lan(self.clone(), path))
    }

    /// Asks who has `name`, on all interfaces; the first that finds it says. Who else is in a group that this node is in,
    /// too, is asked of the subnets, but by a P node.
    ///
    /// # Errors
    /// [`SendError::NameNotFound`], [`SendError::NoNetwork`], [`SendError::ShutDown`].
    pub async fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, SendError> {
        let (_, found) = self.resolve(name, target).await?;
        let is_own_group = found.kind == NameKind::Group && found.origin == Origin::Local;
        if is_own_group && self.inner.node_type != NodeType::P {
            // The node hears itself, too. Where nobody answers, it is still in the group.
            let all = self.resolve(name, QueryTarget::Broadcast).await;
            return Ok(all.map_or(found, |(_, all)| all));
        }
        Ok(found)
    }

    /// Asks who has `name` by broadcast on the subnet with this broadcast address, and nobody else.
    ///
    /// # Errors
    /// [`SendError::NoSubnet`], [`SendError::NameNotFound`], [`SendError::ShutDown`].
    pub async fn lookup_on_subnet(
        &self,
        name: NetbiosName,
        broadcast: Ipv4Addr,
    ) -> Result<Resolution, SendError> {
        let links = self.inner.links();
        let (on, others): (Vec<_>, Vec<_>) =
            links.into_iter().partition(|link| link.interface.broadcast == broadcast);
        if on.is_empty() {
            let known = others.iter().map(|link| &link.interface);
            let known: Vec<_> = known.map(|on| format!("{} ({})", on.broadcast, on.name)).collect();
            return Err(SendError::NoSubnet { broadcast, available: known.join(", ") });
        }
        self.resolve_on(&on, name, QueryTarget::Broadcast).await.map(|(_, resolution)| resolution)
    }

    /// Asks the computer at `address` for its names (`nbtstat -A`).
    ///
    /// # Errors
    /// [`SendError::NameNotFound`] if it does not answer, [`SendError::NoNetwork`], [`SendError::ShutDown`].
    pub async fn node_status(&self, address: Ipv4Addr) -> Result<NodeStatus, SendError> {
        let name = NetbiosName::WILDCARD;
        let link = self.inner.link_to(address, None)?;
        let (answer, status) = oneshot::channel();
        link.command(Command::Status(address, name, answer))?;
        let status = status.await.map_err(|_| SendError::ShutDown)?;
        status.map_err(|source| SendError::NameNotFound { name, source })
    }

    /// Claims a further name on all interfaces, and waits for it.
    ///
    /// # Errors
    /// [`NodeError::Register`], [`NodeError::NameRefused`], [`NodeError::ShutDown`].
    pub async fn register(&self, name: NetbiosName, kind: NameKind) -> Result<(), NodeError> {
        {
            let mut names = lock(&self.inner.names);
            if names.iter().any(|(known, _)| *known == name) {
                return Err(NodeError::Register { name, source: RegisterError::Exists(name) });
            }
            names.push((name, kind));
        }
        let result = self.claim(name, kind).await;
        if result.is_err() {
            // Nor is it wanted on the interfaces where it is to be had.
            self.release(name)?;
        }
        result
    }

    async fn claim(&self, name: NetbiosName, kind: NameKind) -> Result<(), NodeError> {
        for link in self.inner.links() {
            let (answer, result) = oneshot::channel();
            link.command(Command::Register(name, kind, answer)).map_err(|_| NodeError::ShutDown)?;
            let result = result.await.map_err(|_| NodeError::ShutDown)?;
            result.map_err(|source| NodeError::Register { name, source })?;
        }
        self.wait_for(&[name]).await
    }

    /// Gives a name up on all interfaces, in the background.
    ///
    /// # Errors
    /// [`NodeError::ShutDown`].
    pub fn release(&self, name: NetbiosName) -> Result<(), NodeError> {
        lock(&self.inner.names).retain(|(known, _)| *known != name);
        for link in self.inner.links() {
            link.command(Command::Release(name)).map_err(|_| NodeError::ShutDown)?;
        }
        Ok(())
    }

    /// Forgets where `name` was found, and at which address, so that the next write asks again.
    ///
    /// # Errors
    /// [`NodeError::ShutDown`].
    pub fn forget(&self, name: NetbiosName) -> Result<(), NodeError> {
        lock(&self.inner.computers).forget(name);
        for link in self.inner.links() {
            link.command(Command::Forget(name)).map_err(|_| NodeError::ShutDown)?;
        }
        Ok(())
    }

    /// Gives all names up and ends the node, for all its clones. Slots stay and can be read.
    ///
    /// # Errors
    /// [`NodeError::ShutDown`] if it was shut down before.
    pub async fn shutdown(&self) -> Result<(), NodeError> {
        if self.inner.stopped.swap(true, Ordering::AcqRel) {
            return Err(NodeError::ShutDown);
        }
        if let Some(watcher) = lock(&self.inner.watcher).take() {
            watcher.abort();
        }
        self.inner.outgoing.shutdown();
        let mut ends = Vec::new();
        for link in self.inner.links() {
            drop(lock(&link.listening).take());
            let (done, end) = oneshot::channel();
            if link.command(Command::Shutdown(done)).is_ok() {
                ends.push(end);
            }
        }
        self.inner.shared.wake();
        for end in ends {
            // A driver that is gone has ended.
            let _ = end.await;
        }
        Ok(())
    }

    /// Whether the node was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.inner.stopped.load(Ordering::Acquire)
    }
}

pub(super) fn random() -> Result<u64, NodeError> {
    getrandom::u64().map_err(|error| NodeError::Random { reason: error.to_string() })
}
