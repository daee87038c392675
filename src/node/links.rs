//! The interfaces of a node: which it is on, and what it has on each.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::mpsc;

use super::driver::{Command, Driver, lock};
use super::handle::{Inner, random};
use super::moderation::Moderation;
use super::session::Listening;
use super::stats::{DatagramStats, InterfaceStats, NameStats};
use super::udp::{self, Port, Receiver, Service};
use super::{Builder, Ingest, Interface, NodeError, OwnName, OwnNames, OwnState, SendError, interface};
use crate::service::datagram::Sender;
use crate::service::names::{Config, NameService, Stats as NameCounters, Subnet};
use crate::wire::name::NetbiosName;
use crate::wire::nbss::Framing;

/// How often the interfaces are looked at.
const INTERFACES_LOOKED_AT: Duration = Duration::from_secs(5);

/// The node on one interface, from outside its task.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) interface: Interface,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) ports: Arc<Vec<Port>>,
    pub(super) sender: Mutex<Sender>,
    pub(super) stats: Arc<Mutex<InterfaceStats>>,
    /// The ports for sessions, until the node ends.
    pub(super) listening: Mutex<Option<Listening>>,
    /// Why some of them are not there.
    pub(super) session_faults: Vec<Arc<NodeError>>,
}

impl Link {
    pub(super) fn command(&self, command: Command) -> Result<(), SendError> {
        self.commands.send(command).map_err(|_| SendError::ShutDown)
    }
}

impl Inner {
    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.links.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_links(&self, links: Vec<Arc<Link>>) {
        let addresses = links.iter().map(|link| link.interface.address).chain(self.settings.advertise);
        self.shared.set_addresses(addresses.collect());
        let own: Vec<Ipv4Addr> = links.iter().map(|link| link.interface.address).collect();
        for link in &links {
            // A driver that is ending needs no addresses.
            let _ = link.command(Command::Addresses(own.clone()));
        }
        *self.links.write().unwrap_or_else(PoisonError::into_inner) = links;
        self.shared.wake();
        self.shared.wake();
    }

    /// Whether an address is on the subnet of one of the interfaces.
    pub(super) fn is_on_link(&self, address: Ipv4Addr) -> bool {
        self.links().iter().any(|link| link.interface.is_on_link(address))
    }

    /// Whether requests from an address are answered: it is one of a host on the subnet of an interface, or on another one
    /// that was named.
    pub(super) fn is_answered(&self, address: Ipv4Addr) -> bool {
        let is_host = |subnet: &Subnet| {
            subnet.contains(address) && (subnet.prefix() >= 31 || subnet.broadcast() != address)
        };
        self.is_on_link(address) || self.settings.answered.iter().any(is_host)
    }

    /// The link that `driver` runs, else the one on whose subnet `address` is, else any.
    pub(super) fn link_to(&self, address: Ipv4Addr, driver: Option<u64>) -> Result<Arc<Link>, SendError> {
        let links = self.links();
        let near = links.iter().find(|link| link.interface.is_on_link(address));
        let asked = || links.iter().find(|link| Some(link.id) == driver);
        let link = near.or_else(asked).or_else(|| links.first());
        link.cloned().ok_or(SendError::NoNetwork)
    }

    /// Whether all of `wanted` are this node's on all interfaces.
    pub(super) fn have_all(&self, wanted: &[NetbiosName]) -> Result<bool, NodeError> {
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
    pub(super) fn link(&self, interface: &Interface, all: &[Interface]) -> Result<Arc<Link>, NodeError> {
        let settings = &self.settings;
        let mut ports = udp::bind(Service::Names, interface, settings.name_port)?;
        let datagrams = udp::bind(Service::Datagrams, interface, settings.datagram_port)?;
        let bound = datagrams.first().and_then(Port::local_addr);
        let datagram_port = bound.map_or(settings.datagram_port, |address| address.port());
        ports.extend(datagrams);

        let shown = settings.advertise.unwrap_or(interface.address);
        let mut config = Config::new(interface.address, interface.prefix);
        config.node_type = self.node_type;
        config.address = shown;
        config.broadcast = interface.broadcast;
        config.own_addresses = all.iter().map(|other| other.address).collect();
        config.wins.clone_from(&settings.wins);
        config.answered.clone_from(&settings.answered);
        config.name_port = settings.peer_name_port;
        config.unit_id = interface.mac();
        config.timers = settings.timers;
        let bad_scope = |source| NodeError::BadName { what: "scope", text: settings.scope.clone(), source };
        config.set_scope(&settings.scope).map_err(bad_scope)?;

        let [first, second, ..] = random()?.to_le_bytes();
        let mut sender =
            Sender::new(self.node_type, shown, datagram_port, u16::from_le_bytes([first, second]));
        sender.set_scope(&settings.scope).map_err(bad_scope)?;
        let none = OwnNames::Only(Vec::new());
        let mut ingest = Ingest::new(self.registry.clone(), none, settings.limits);
        ingest.set_scope(config.scope());
        let mut names = NameService::new(config, settings.limits, random()?);
        names.set_lmhosts(settings.lmhosts.clone());
        let now = self.clock.now();
        for (name, kind) in lock(&self.names).iter().copied() {
            names.register(now, name, kind).map_err(|source| NodeError::Register { name, source })?;
        }

        let id = self.last_link.fetch_add(1, Ordering::Relaxed);
        let receivers = ports.iter().map(Receiver::new).collect::<Result<_, _>>().map_err(|source| {
            let address = SocketAddrV4::new(interface.address, datagram_port);
            NodeError::Socket { operation: "registration with tokio", address, source }
        })?;
        let ports = Arc::new(ports);
        let receive_buffer = ports.iter().map(|port| port.receive_buffer).min().unwrap_or(0);
        let stats = Arc::new(Mutex::new(InterfaceStats {
            interface: interface.name.clone(),
            address: interface.address,
            names: NameStats::default(),
            datagrams: DatagramStats::default(),
            receive_errors: 0,
            receive_buffer,
        }));
        let driver = Driver {
            id,
            interface: interface.clone(),
            clock: self.clock,
            node_type: self.node_type,
            hear_all: settings.hear_all,
            shared: Arc::clone(&self.shared),
            names,
            ingest,
            ports: Arc::clone(&ports),
            receivers,
            moderation: Moderation::new(receive_buffer),
            unwatched: false,
            stats: Arc::clone(&stats),
            counted: NameCounters::default(),
            refusals: HashMap::new(),
            queries: HashMap::new(),
            statuses: HashMap::new(),
            done: None,
            ending: false,
            gone: false,
        };
        let (commands, orders) = mpsc::unbounded_channel();
        tokio::spawn(driver.run(orders));
        tracing::debug!(%interface, "on the LAN");
        let (interface, sender) = (interface.clone(), Mutex::new(sender));
        let (listening, session_faults) = self.listen(interface.address);
        let listening = Mutex::new(Some(listening));
        Ok(Arc::new(Link { id, interface, commands, ports, sender, stats, listening, session_faults }))
    }

    /// Opens the ports for sessions, as far as they are to be had.
    fn listen(&self, address: Ipv4Addr) -> (Listening, Vec<Arc<NodeError>>) {
        let (mut listening, mut faults) = (Listening::default(), Vec::new());
        let Builder { session_port, direct_port, profile, .. } = &self.settings;
        let ports = [(*session_port, Framing::Session), (*direct_port, Framing::Direct)];
        for (port, framing) in ports {
            let Some(port) = port.filter(|_| profile.receives_sessions()) else { continue };
            if let Err(fault) = listening.listen(&self.incoming, SocketAddrV4::new(address, port), framing) {
                tracing::warn!(%fault, "no sessions come in on a port");
                faults.push(Arc::new(fault));
            }
        }
        (listening, faults)
    }

    /// Takes up interfaces that came and leaves those that went.
    fn look_at_interfaces(&self) {
        let now = match interface::choose(&self.settings.interfaces) {
            Ok(now) => now,
            Err(error) => return tracing::debug!(%error, "the interfaces"),
        };
        let (mut links, mut unusable) = (self.links(), Vec::new());
        let gone: Vec<_> = links.extract_if(.., |link| !now.contains(&link.interface)).collect();
        let mut changed = !gone.is_empty();
        for link in gone {
            tracing::info!(interface = %link.interface, "the interface is gone");
            // One that ended by itself is gone, too.
            let _ = link.command(Command::Gone);
            lock(&self.computers).clear();
        }
        for interface in &now {
            if links.iter().any(|link| link.interface == *interface) {
                continue;
            }
            match self.link(interface, &now) {
                Ok(link) => {
                    tracing::info!(%interface, "a new interface");
                    links.push(link);
                    changed = true;
                }
                Err(error) => unusable.push((interface.clone(), error.to_string())),
            }
        }
        let mut known = lock(&self.unusable);
        for (interface, error) in unusable.iter().filter(|found| !known.contains(found)) {
            tracing::warn!(%interface, %error, "cannot use the interface");
        }
        *known = unusable;
        drop(known);
        if changed {
            self.set_links(links);
        }
    }
}

pub(super) async fn watch_interfaces(node: Weak<Inner>) {
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
