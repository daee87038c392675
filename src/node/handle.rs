//! A running node, as programs see it.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::driver::{Command, Driver, NodeStatus, OwnName, OwnState, QueryAnswer, lock};
use super::stats::{DatagramStats, InterfaceStats, NameStats, NodeStats, SendStats};
use super::udp::{self, Port, Service};
use super::{
    Builder, Clock, Ingest, Interface, LoopbackLan, NodeError, OwnNames, SendError, Shared, SlotReader,
    interface,
};
use crate::service::datagram::{Addressing, Sender};
use crate::service::names::{Config, NameKind, NameService, NodeType, QueryTarget, Resolution, ResolveError};
use crate::slot::route::{self, Alignment, Destination};
use crate::slot::{
    CreateOptions, Incoming, MailslotError, OpenOptions, Origin, Profile, Registry, Route, SlotName,
    SlotPath, Target,
};
use crate::wire::name::{NetbiosName, Suffix};
use crate::wire::smb::HeaderLayout;

/// How often the interfaces are looked at.
const INTERFACES_LOOKED_AT: Duration = Duration::from_secs(5);

/// A computer on the LAN: it has NetBIOS names, writes mailslot messages to others and receives theirs in its slots.
///
/// A clone is the same node. When the last clone is dropped the node gives its names up in the background;
/// [`Self::shutdown`] waits for it.
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
/// assert_eq!(soda.info().message_count, 0);
/// assert_eq!(office.stats().slots.read, 1);
/// office.shutdown().await?;
/// vending.shutdown().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Builder,
    node_type: NodeType,
    registry: Registry,
    clock: Clock,
    computer: NetbiosName,
    workgroup: NetbiosName,
    /// What is claimed on every interface.
    names: Mutex<Vec<(NetbiosName, NameKind)>>,
    shared: Arc<Shared>,
    links: RwLock<Vec<Arc<Link>>>,
    last_link: AtomicU64,
    sent: Mutex<SendStats>,
    watcher: Mutex<Option<JoinHandle<()>>>,
    stopped: AtomicBool,
}

/// The node on one interface, from outside its task.
#[derive(Debug)]
struct Link {
    id: u64,
    interface: Interface,
    commands: mpsc::UnboundedSender<Command>,
    ports: Arc<Vec<Port>>,
    sender: Mutex<Sender>,
    stats: Arc<Mutex<InterfaceStats>>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Sent {
    /// The way it went.
    pub way: Way,
    /// The name it went to; `None` for a local path.
    pub destination: Option<NetbiosName>,
    /// Where datagrams were sent to.
    pub addresses: Vec<SocketAddrV4>,
    /// Bytes of the message that went.
    pub bytes: usize,
    /// Whether it was cut to that (profile `nt4`).
    pub truncated: bool,
    /// Whether a slot of this node itself has it.
    pub local: bool,
}

/// The way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Way {
    /// Into this node's own slot, and nowhere else.
    Local,
    /// One datagram to one computer.
    Unique,
    /// Datagrams to a group, one on each interface.
    Group,
}

impl Way {
    /// The way in one word, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Unique => "unique",
            Self::Group => "group",
        }
    }
}

/// A path that is open for writing. Nothing is checked before the first write, as on Windows (KB Q131493), unless the
/// path is local.
#[derive(Debug, Clone)]
pub struct MailslotSender {
    node: Node,
    path: SlotPath,
}

impl MailslotSender {
    /// The path.
    pub const fn path(&self) -> &SlotPath {
        &self.path
    }

    /// Writes one message, as [`Node::write`] does.
    ///
    /// # Errors
    /// Those of [`Node::write`].
    pub async fn write(&self, data: &[u8]) -> Result<Sent, SendError> {
        self.node.write(&self.path, data).await
    }
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
        let inner = Arc::new(Inner {
            node_type: settings.node_type.unwrap_or(default_type),
            shared: Arc::new(Shared::new(settings.suppress_duplicates)),
            registry,
            clock: Clock::start(),
            computer,
            workgroup,
            names: Mutex::new(names),
            links: RwLock::default(),
            last_link: AtomicU64::new(0),
            sent: Mutex::default(),
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
    /// [`NodeError::NameRefused`] if a name is another's; the node goes on with the names that it has.
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

    /// The local name tables of all interfaces.
    pub fn names(&self) -> Vec<OwnName> {
        self.inner.shared.names()
    }

    /// Counters since the start.
    pub fn stats(&self) -> NodeStats {
        NodeStats {
            interfaces: self.inner.links().iter().map(|link| lock(&link.stats).clone()).collect(),
            slots: self.inner.registry.stats(),
            sent: *lock(&self.inner.sent),
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
            self.inner.registry.open(&path, OpenOptions::default())?;
        }
        Ok(MailslotSender { node: self.clone(), path })
    }

    /// Writes one message (Win32 `WriteFile`).
    ///
    /// - `\\.\`: into the slot of this node.
    /// - `\\NAME\`: a computer or a domain, as whoever answers for `NAME<00>` says. `\\NAME*\` is the domain controllers
    ///   of a domain, `NAME<1c>`; an IPv4 address is the computer there.
    /// - `\\*\`: the node's own workgroup.
    ///
    /// A message to this node's own name or group reaches its own slots, too, and once.
    ///
    /// # Errors
    /// [`SendError`], with the Win32 code of each. Nothing was sent then.
    pub async fn write(&self, path: &SlotPath, data: &[u8]) -> Result<Sent, SendError> {
        if self.is_shut_down() {
            return Err(SendError::ShutDown);
        }
        let text = match &path.target {
            Target::Local => return self.write_local(path, data),
            Target::Everyone => return self.write_group(path, self.inner.workgroup, &[], data).await,
            Target::Named(text) => text,
        };
        // What nothing carries anywhere is not asked about.
        self.plan(path, Destination::Computer, data)?;
        if let Ok(address) = text.parse() {
            let name = self.name_at(address).await?;
            return self.write_unique(path, name, address, None, data).await;
        }
        let bad = |source| SendError::BadName { name: text.clone(), source };
        let name = match text.strip_suffix('*') {
            Some(domain) => NetbiosName::new(domain, Suffix::DOMAIN_CONTROLLERS),
            None => NetbiosName::new(text, Suffix::WORKSTATION),
        }
        .map_err(bad)?;
        match self.inner.shared.owns(&name) {
            Some(NameKind::Unique) => return self.write_to_self(path, name, data),
            Some(NameKind::Group) => return self.write_group(path, name, &[], data).await,
            None => {}
        }
        let (driver, resolution) = self.resolve(name, QueryTarget::Default).await?;
        if resolution.kind == NameKind::Group {
            return self.write_group(path, name, &resolution.addresses, data).await;
        }
        let links = self.inner.links();
        let on_link = |address: &&Ipv4Addr| links.iter().any(|link| link.interface.is_on_link(**address));
        let addresses = &resolution.addresses;
        match addresses.iter().find(on_link).or_else(|| addresses.first()) {
            Some(address) => self.write_unique(path, name, *address, Some(driver), data).await,
            None => Err(SendError::NameNotFound { name, source: ResolveError::NotFound }),
        }
    }

    /// Asks who has `name`, on all interfaces; the first that finds it says.
    ///
    /// # Errors
    /// [`SendError::NameNotFound`], [`SendError::NoNetwork`], [`SendError::ShutDown`].
    pub async fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, SendError> {
        self.resolve(name, target).await.map(|(_, resolution)| resolution)
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
        lock(&self.inner.names).push((name, kind));
        let result = self.claim(name, kind).await;
        if result.is_err() {
            lock(&self.inner.names).retain(|(known, _)| *known != name);
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

    /// Forgets where `name` was found, so that the next write asks again.
    ///
    /// # Errors
    /// [`NodeError::ShutDown`].
    pub fn forget(&self, name: NetbiosName) -> Result<(), NodeError> {
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
        let mut ends = Vec::new();
        for link in self.inner.links() {
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

/// The ways of a write.
impl Node {
    fn plan(&self, path: &SlotPath, to: Destination, data: &[u8]) -> Result<Route, MailslotError> {
        route::plan(&path.name, to, data.len(), self.inner.settings.profile, Alignment::Aligned)
    }

    fn write_local(&self, path: &SlotPath, data: &[u8]) -> Result<Sent, SendError> {
        let bytes = self.inner.registry.open(path, OpenOptions::default())?.write(data)?;
        lock(&self.inner.sent).local += 1;
        let (way, addresses) = (Way::Local, Vec::new());
        Ok(Sent { way, destination: None, addresses, bytes, truncated: false, local: true })
    }

    fn write_to_self(&self, path: &SlotPath, name: NetbiosName, data: &[u8]) -> Result<Sent, SendError> {
        let (source, destination) = (*self.inner.computer.as_bytes(), *name.as_bytes());
        let (bytes, truncated, origin) = match self.plan(path, Destination::Computer, data)? {
            Route::Datagram { bytes, truncated, .. } => {
                (bytes, truncated, Origin::Datagram { source, destination })
            }
            // No wire: what a session would carry is simply there.
            _ => (data.len(), false, Origin::Session { source, destination }),
        };
        let local = self.deliver(path, origin, data.get(..bytes).unwrap_or(data));
        let (way, destination, addresses) = (Way::Local, Some(name), Vec::new());
        Ok(Sent { way, destination, addresses, bytes, truncated, local })
    }

    async fn write_unique(
        &self,
        path: &SlotPath,
        name: NetbiosName,
        address: Ipv4Addr,
        driver: Option<u64>,
        data: &[u8],
    ) -> Result<Sent, SendError> {
        let Route::Datagram { bytes, truncated, .. } = self.plan(path, Destination::Computer, data)? else {
            return Err(SendError::NeedsSession { name, size: data.len() });
        };
        let data = data.get(..bytes).unwrap_or(data);
        let link = self.inner.link_to(address, driver)?;
        let address = SocketAddrV4::new(address, self.inner.settings.peer_datagram_port);
        self.send(&link, name, false, address, path, data).await?;
        let mut sent = lock(&self.inner.sent);
        sent.truncated += u64::from(truncated);
        drop(sent);
        let (way, destination, addresses) = (Way::Unique, Some(name), vec![address]);
        Ok(Sent { way, destination, addresses, bytes, truncated, local: false })
    }

    /// To a group: by broadcast on every interface, and to the members that no broadcast reaches.
    async fn write_group(
        &self,
        path: &SlotPath,
        name: NetbiosName,
        members: &[Ipv4Addr],
        data: &[u8],
    ) -> Result<Sent, SendError> {
        self.plan(path, Destination::Group, data)?;
        let links = self.inner.links();
        let mut places: Vec<(&Arc<Link>, Ipv4Addr)> = Vec::new();
        // A P node sends no broadcasts; if it knows no member there is nobody else it could send to.
        if self.inner.node_type != NodeType::P || members.iter().all(|member| member.is_broadcast()) {
            places.extend(links.iter().map(|link| (link, link.interface.broadcast)));
        }
        for member in members.iter().filter(|member| !member.is_broadcast()) {
            let reached = |(link, to): &(&Arc<Link>, Ipv4Addr)| {
                *to == link.interface.broadcast && link.interface.is_on_link(*member)
            };
            let near = links.iter().find(|link| link.interface.is_on_link(*member));
            if !places.iter().any(reached)
                && !self.inner.shared.is_own(*member)
                && let Some(link) = near.or_else(|| links.first())
            {
                places.push((link, *member));
            }
        }
        let mut addresses = Vec::new();
        let mut failed = None;
        for (link, address) in places {
            let address = SocketAddrV4::new(address, self.inner.settings.peer_datagram_port);
            match self.send(link, name, true, address, path, data).await {
                Ok(()) => addresses.push(address),
                Err(error) => failed = Some(error),
            }
        }
        let own = self.inner.shared.owns(&name).is_some() || name == self.inner.workgroup;
        if addresses.is_empty() {
            // On no network a message to everybody still is one to oneself.
            match failed {
                Some(error) => return Err(error),
                None if !own => return Err(SendError::NoNetwork),
                None => {}
            }
        }
        let (source, destination) = (*self.inner.computer.as_bytes(), *name.as_bytes());
        let local = own && self.deliver(path, Origin::Datagram { source, destination }, data);
        let (way, destination, bytes) = (Way::Group, Some(name), data.len());
        Ok(Sent { way, destination, addresses, bytes, truncated: false, local })
    }

    /// Puts a message that is for this node, too, into its own slot; whether there is one.
    fn deliver(&self, path: &SlotPath, origin: Origin, data: &[u8]) -> bool {
        let incoming = Incoming { data: Bytes::copy_from_slice(data), origin, at: self.inner.clock.now() };
        let delivered = self.inner.registry.deliver(&self.slot_name(path), incoming).is_ok();
        lock(&self.inner.sent).local += u64::from(delivered);
        delivered
    }

    fn slot_name(&self, path: &SlotPath) -> SlotName {
        match self.inner.settings.profile {
            Profile::Win9x => path.name.cut_to_8_3(),
            Profile::Nt | Profile::Nt4 => path.name.clone(),
        }
    }

    async fn send(
        &self,
        link: &Link,
        destination: NetbiosName,
        group: bool,
        address: SocketAddrV4,
        path: &SlotPath,
        data: &[u8],
    ) -> Result<(), SendError> {
        let slot = self.slot_name(path).to_wire()?;
        let addressing = Addressing { source: self.inner.computer, destination, group };
        let made = lock(&link.sender).mailslot_write(addressing, HeaderLayout::Redirector, &slot, data);
        let bytes = made.map_err(|_| MailslotError::BadName {
            name: path.name.to_string(),
            reason: "it holds a control character or is too long for the wire",
        })?;
        let Some(port) = link.ports.iter().find(|port| port.service == Service::Datagrams) else {
            return Err(SendError::NoNetwork);
        };
        match port.socket.send_to(&bytes, address).await {
            Ok(_) => {
                let mut sent = lock(&self.inner.sent);
                sent.datagrams += 1;
                sent.bytes += u64::try_from(data.len()).unwrap_or(0);
                Ok(())
            }
            Err(source) => {
                lock(&self.inner.sent).send_errors += 1;
                Err(SendError::Network { address, source })
            }
        }
    }

    async fn resolve(&self, name: NetbiosName, target: QueryTarget) -> Result<(u64, Resolution), SendError> {
        if self.is_shut_down() {
            return Err(SendError::ShutDown);
        }
        let (answer, mut answers) = mpsc::unbounded_channel();
        let links = self.inner.links();
        if links.is_empty() {
            return Err(SendError::NoNetwork);
        }
        for link in &links {
            link.command(Command::Query(name, target, answer.clone()))?;
        }
        drop(answer);
        let mut failed = None;
        while let Some(QueryAnswer { driver, result }) = answers.recv().await {
            match result {
                Ok(resolution) => return Ok((driver, resolution)),
                // That somebody denies the name says more than that nobody answers.
                Err(error) if failed.is_none() || error == ResolveError::NotFound => failed = Some(error),
                Err(_) => {}
            }
        }
        match failed {
            Some(source) => Err(SendError::NameNotFound { name, source }),
            None => Err(SendError::ShutDown),
        }
    }

    /// The name, with suffix 00, of the computer at `address`.
    async fn name_at(&self, address: Ipv4Addr) -> Result<NetbiosName, SendError> {
        let status = self.node_status(address).await?;
        let is_computer = |entry: &&crate::wire::nbns::NameEntry| {
            entry.name.suffix() == Suffix::WORKSTATION
                && !entry.flags.contains(crate::wire::nbns::NameFlags::GROUP)
        };
        let entry = status.names.iter().find(is_computer);
        let not_found =
            || SendError::NameNotFound { name: NetbiosName::WILDCARD, source: ResolveError::NotFound };
        entry.map(|entry| entry.name).ok_or_else(not_found)
    }
}

impl Link {
    fn command(&self, command: Command) -> Result<(), SendError> {
        self.commands.send(command).map_err(|_| SendError::ShutDown)
    }
}

impl Inner {
    fn links(&self) -> Vec<Arc<Link>> {
        self.links.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_links(&self, links: Vec<Arc<Link>>) {
        let addresses = links.iter().map(|link| link.interface.address).chain(self.settings.advertise);
        self.shared.set_addresses(addresses.collect());
        *self.links.write().unwrap_or_else(PoisonError::into_inner) = links;
        self.shared.wake();
    }

    /// The link that `driver` runs, else the one on whose subnet `address` is, else any.
    fn link_to(&self, address: Ipv4Addr, driver: Option<u64>) -> Result<Arc<Link>, SendError> {
        let links = self.links();
        let near = links.iter().find(|link| link.interface.is_on_link(address));
        let asked = || links.iter().find(|link| Some(link.id) == driver);
        let link = near.or_else(asked).or_else(|| links.first());
        link.cloned().ok_or(SendError::NoNetwork)
    }

    /// Whether all of `wanted` are this node's on all interfaces.
    fn have_all(&self, wanted: &[NetbiosName]) -> Result<bool, NodeError> {
        let links = self.links();
        let mut all = !links.is_empty();
        for link in &links {
            for name in wanted {
                match self.shared.name_on(link.id, name) {
                    Some(OwnName { state: OwnState::Active, .. }) => {}
                    Some(OwnName {
                        state: OwnState::Refused | OwnState::Conflict,
                        refusal: Some(refusal),
                        ..
                    }) => {
                        let interface = link.interface.address;
                        return Err(NodeError::NameRefused { name: *name, interface, refusal });
                    }
                    _ => all = false,
                }
            }
        }
        Ok(all)
    }

    /// Takes the ports of an interface, starts its driver and claims the names.
    fn link(&self, interface: &Interface, all: &[Interface]) -> Result<Arc<Link>, NodeError> {
        let settings = &self.settings;
        let mut ports = udp::bind(Service::Names, interface, settings.name_port)?;
        let datagrams = udp::bind(Service::Datagrams, interface, settings.datagram_port)?;
        let bound = datagrams.first().and_then(|port| port.socket.local_addr().ok());
        let datagram_port = bound.map_or(settings.datagram_port, |address| address.port());
        ports.extend(datagrams);

        let shown = settings.advertise.unwrap_or(interface.address);
        let mut config = Config::new(interface.address, interface.prefix);
        config.node_type = self.node_type;
        config.address = shown;
        config.broadcast = interface.broadcast;
        config.own_addresses = all.iter().map(|other| other.address).collect();
        config.wins.clone_from(&settings.wins);
        config.name_port = settings.peer_name_port;
        config.unit_id = interface.mac();
        config.timers = settings.timers;
        let bad_scope = |source| NodeError::BadName { what: "scope", text: settings.scope.clone(), source };
        config.set_scope(&settings.scope).map_err(bad_scope)?;

        let random = random()?;
        let [first, second, ..] = random.to_le_bytes();
        let mut sender =
            Sender::new(self.node_type, shown, datagram_port, u16::from_le_bytes([first, second]));
        sender.set_scope(&settings.scope).map_err(bad_scope)?;
        let none = OwnNames::Only(Vec::new());
        let mut ingest = Ingest::new(self.registry.clone(), none, settings.limits);
        ingest.set_scope(config.scope());
        let mut names = NameService::new(config, settings.limits, self::random()?);
        names.set_lmhosts(settings.lmhosts.clone());
        let now = self.clock.now();
        for (name, kind) in lock(&self.names).iter().copied() {
            names.register(now, name, kind).map_err(|source| NodeError::Register { name, source })?;
        }

        let id = self.last_link.fetch_add(1, Ordering::Relaxed);
        let ports = Arc::new(ports);
        let stats = Arc::new(Mutex::new(InterfaceStats {
            interface: interface.name.clone(),
            address: interface.address,
            names: NameStats::default(),
            datagrams: DatagramStats::default(),
            receive_errors: 0,
        }));
        let driver = Driver {
            id,
            interface: interface.clone(),
            clock: self.clock,
            node_type: self.node_type,
            shared: Arc::clone(&self.shared),
            names,
            ingest,
            ports: Arc::clone(&ports),
            stats: Arc::clone(&stats),
            refusals: HashMap::new(),
            queries: HashMap::new(),
            statuses: HashMap::new(),
            done: None,
            ending: false,
        };
        let (commands, orders) = mpsc::unbounded_channel();
        tokio::spawn(driver.run(orders));
        tracing::debug!(%interface, "on the LAN");
        let (interface, sender) = (interface.clone(), Mutex::new(sender));
        Ok(Arc::new(Link { id, interface, commands, ports, sender, stats }))
    }

    /// Takes up interfaces that came and leaves those that went.
    fn look_at_interfaces(&self) {
        let now = match interface::choose(&self.settings.interfaces) {
            Ok(now) => now,
            Err(error) => return tracing::debug!(%error, "the interfaces"),
        };
        let mut links = self.links();
        let before = links.len();
        links.retain(|link| now.contains(&link.interface));
        let mut changed = links.len() != before;
        for interface in &now {
            if links.iter().any(|link| link.interface == *interface) {
                continue;
            }
            match self.link(interface, &now) {
                Ok(link) => {
                    links.push(link);
                    changed = true;
                }
                Err(error) => tracing::warn!(%interface, %error, "cannot use the interface"),
            }
        }
        if changed {
            self.set_links(links);
        }
    }
}

async fn watch_interfaces(node: Weak<Inner>) {
    let mut ticks = tokio::time::interval(INTERFACES_LOOKED_AT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(node) = node.upgrade() else { return };
        if node.stopped.load(Ordering::Acquire) {
            return;
        }
        node.look_at_interfaces();
    }
}

fn random() -> Result<u64, NodeError> {
    getrandom::u64().map_err(|error| NodeError::Random { reason: error.to_string() })
}
