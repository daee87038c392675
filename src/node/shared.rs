//! What the drivers of one node share.

use core::net::{Ipv4Addr, SocketAddrV4};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};

use tokio::sync::watch;

use super::driver::{OwnName, lock};
use super::duplicates::Duplicates;
use super::known::Broadcasts;
use super::stats::{GoneStats, InterfaceStats};
use super::tap::{Ear, Tap};
use super::udp::{Port, Service};
use super::{Arrived, OwnState, SentFrame};
use crate::service::names::NameKind;
use crate::wire::name::NetbiosName;

#[derive(Debug)]
pub(super) struct Shared {
    tap: Option<Tap>,
    pub(super) ear: Option<Ear>,
    /// The name tables, by driver.
    tables: Mutex<BTreeMap<u64, Vec<OwnName>>>,
    /// Changes with the tables and the interfaces.
    changed: watch::Sender<u64>,
    duplicates: Option<Mutex<Duplicates>>,
    /// All addresses of the node.
    addresses: RwLock<Vec<Ipv4Addr>>,
    broadcasts: Mutex<Broadcasts>,
    gone: Mutex<GoneStats>,
}

/// Tells when a node's names or interfaces change; made by [`Node::changes`](super::Node::changes).
#[derive(Debug)]
pub struct Changes(watch::Receiver<u64>);

impl Changes {
    /// Waits for a change since this was made or last returned; several may have come together. `false`: the node is
    /// gone and nothing will change. Dropping the future loses nothing.
    pub async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

impl Shared {
    pub(super) fn changes(&self) -> Changes {
        Changes(self.watch())
    }

    pub(super) fn new(suppress_duplicates: bool, tap: Option<Tap>, ear: Option<Ear>) -> Self {
        Self {
            tap,
            ear,
            tables: Mutex::default(),
            changed: watch::Sender::new(0),
            duplicates: suppress_duplicates.then(Mutex::default),
            addresses: RwLock::default(),
            broadcasts: Mutex::default(),
            gone: Mutex::default(),
        }
    }

    /// Shows the tap what was sent.
    pub(super) fn was_sent(&self, port: &Port, destination: SocketAddrV4, bytes: &[u8]) {
        if let Some(tap) = &self.tap
            && let Some(source) = port.local_addr()
        {
            tap.see(SentFrame { source, destination, name_service: port.service == Service::Names, bytes });
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn wake(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn set_names(&self, driver: u64, table: Vec<OwnName>) {
        lock(&self.tables).insert(driver, table);
        self.wake();
    }

    pub(super) fn forget_driver(&self, driver: u64) {
        lock(&self.tables).remove(&driver);
        self.wake();
    }

    /// All names on all interfaces.
    pub(super) fn names(&self) -> Vec<OwnName> {
        lock(&self.tables).values().flatten().copied().collect()
    }

    /// The name's entry on one interface.
    pub(super) fn name_on(&self, driver: u64, name: &NetbiosName) -> Option<OwnName> {
        lock(&self.tables).get(&driver)?.iter().find(|own| own.name == *name).copied()
    }

    /// What kind of name a driver last said that it claims.
    pub(super) fn kind_of(&self, driver: u64, name: &NetbiosName) -> NameKind {
        match self.name_on(driver, name) {
            Some(OwnName { group: true, .. }) => NameKind::Group,
            _ => NameKind::Unique,
        }
    }

    /// Whether this node has the name on any interface, and as what.
    pub(super) fn owns(&self, name: &NetbiosName) -> Option<NameKind> {
        let tables = lock(&self.tables);
        let own = tables.values().flatten().find(|own| own.name == *name && own.state == OwnState::Active)?;
        Some(if own.group { NameKind::Group } else { NameKind::Unique })
    }

    /// The names that are this node's alone, on any interface.
    pub(super) fn unique_names(&self) -> Vec<NetbiosName> {
        let is_ours = |own: &&OwnName| !own.group && own.state == OwnState::Active;
        lock(&self.tables).values().flatten().filter(is_ours).map(|own| own.name).collect()
    }

    pub(super) fn set_addresses(&self, addresses: Vec<Ipv4Addr>) {
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    pub(super) fn is_own(&self, address: Ipv4Addr) -> bool {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }

    /// Remembers a broadcast that is about to be sent.
    pub(super) fn broadcast(&self, datagram: &[u8]) {
        lock(&self.broadcasts).remember(datagram);
    }

    /// Whether this node itself broadcast the datagram.
    pub(super) fn has_broadcast(&self, datagram: &[u8]) -> bool {
        lock(&self.broadcasts).contains(datagram)
    }

    /// Keeps the counters of an interface that went.
    pub(super) fn add_gone(&self, stats: &InterfaceStats) {
        lock(&self.gone).add(stats);
    }

    pub(super) fn gone(&self) -> GoneStats {
        lock(&self.gone).clone()
    }

    pub(super) fn is_copy(&self, arrived: &Arrived, interface: u64, peer: Ipv4Addr) -> bool {
        self.duplicates.as_ref().is_some_and(|known| lock(known).is_copy(arrived, interface, peer))
    }
}
