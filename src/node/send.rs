//! Writing: which way a message goes, and to whom.

use core::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::driver::{Command, QueryAnswer, lock};
use super::links::Link;
use super::udp::Service;
use super::{Interface, Node, SendError};
use crate::service::datagram::Addressing;
use crate::service::names::{NameKind, NodeType, QueryTarget, Resolution, ResolveError, Subnet};
use crate::service::session::{self, ClientConfig, Outgoing};
use crate::slot::route::{self, Alignment, Destination};
use crate::slot::{
    Incoming, MailslotError, OpenOptions, Origin, Profile, Route, SlotName, SlotPath, Target, Via,
};
use crate::wire::name::{NetbiosName, Suffix};
use crate::wire::nbns::{NameEntry, NameFlags};
use crate::wire::nbss::Framing;
use crate::wire::smb::HeaderLayout;

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Sent {
    /// The way it went.
    pub way: Way,
    /// The name it went to; `None` for a local path.
    pub destination: Option<NetbiosName>,
    /// Where datagrams were sent to, or the other end of the session.
    pub addresses: Vec<SocketAddrV4>,
    /// Bytes of the message that went.
    pub bytes: usize,
    /// Whether it was cut to that (profile `nt4`).
    pub truncated: bool,
    /// Whether a slot of this node itself has it.
    pub local: bool,
}

impl Sent {
    /// Into a slot of this machine, and nowhere else.
    pub(super) fn local(bytes: usize) -> Self {
        let (way, destination, addresses) = (Way::Local, None, Vec::new());
        Self { way, destination, addresses, bytes, truncated: false, local: true }
    }
}

/// The way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Way {
    /// Into this node's own slot, and nowhere else.
    Local,
    /// One datagram to one computer.
    #[cfg_attr(feature = "serde", serde(rename = "datagram"))]
    Unique,
    /// Datagrams to a group, one on each interface.
    #[cfg_attr(feature = "serde", serde(rename = "datagram"))]
    Group,
    /// Over a session by the rules of port 139.
    #[cfg_attr(feature = "serde", serde(rename = "session 139"))]
    Session139,
    /// Over a session by the rules of port 445.
    #[cfg_attr(feature = "serde", serde(rename = "session 445"))]
    Session445,
}

impl Way {
    /// The way as reports print it: `local`, `datagram`, `session 139` or `session 445`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Unique | Self::Group => "datagram",
            Self::Session139 => "session 139",
            Self::Session445 => "session 445",
        }
    }
}

impl Node {
    /// Writes one message (Win32 `WriteFile`).
    ///
    /// - `\\.\`: into the slot of this node.
    /// - `\\NAME\`: a computer or a domain, as whoever answers for `NAME<00>` says. `\\NAME*\` is the domain controllers
    ///   of a domain, `NAME<1c>`; an IPv4 address is the computer there.
    /// - `\\*\`: the node's own workgroup; its name means the same, and nobody is asked for it.
    ///
    /// What is too long for a group is refused with nothing on the wire where the group is known: the node's own, and
    /// one that an answer of the last ten minutes, or LMHOSTS, has told of. For any other name there is no telling a
    /// computer, to which long messages go by session, from a group without a name query; that is then all that is sent.
    ///
    /// Where a name was found is remembered for ten minutes, [`Self::forget`] ends that. That it was not found is not:
    /// neither RFC 1002 nor Windows remembers it, so every write to a name that nobody has asks again, on a B node for
    /// 750 ms.
    ///
    /// A message to this node's own name or group reaches its own slots, too, and once.
    ///
    /// # Errors
    /// [`SendError`], with the Win32 code of each. Nothing was sent then, unless a session ended while its answer was
    /// waited for.
    pub async fn write(&self, path: &SlotPath, data: &[u8]) -> Result<Sent, SendError> {
        self.write_via(path, data, Via::Any).await
    }

    /// Writes one message as [`Self::write`] does, by no way but `via`. To this node's own name nothing crosses a wire;
    /// there the way only bounds what can be written.
    ///
    /// # Errors
    /// Those of [`Self::write`], and those of [`route::plan_via`] where the way is not open.
    pub async fn write_via(&self, path: &SlotPath, data: &[u8], via: Via) -> Result<Sent, SendError> {
        if self.is_shut_down() {
            return Err(SendError::ShutDown);
        }
        let writing = Writing { path, data, via };
        let text = match &path.target {
            Target::Local => return self.write_local(writing),
            Target::Everyone => return self.write_group(writing, self.inner.workgroup, &[]).await,
            Target::Named(text) => text,
        };
        // What nothing carries anywhere is not asked about.
        self.plan(writing, Destination::Computer)?;
        if let Ok(address) = text.parse() {
            let name = self.name_at(address).await?;
            return self.write_unique(writing, name, address, None).await;
        }
        let bad = |source| SendError::BadName { name: text.clone(), source };
        let name = match text.strip_suffix('*') {
            Some(domain) => NetbiosName::new(domain, Suffix::DOMAIN_CONTROLLERS),
            None => NetbiosName::new(text, Suffix::WORKSTATION),
        }
        .map_err(bad)?;
        match self.inner.shared.owns(&name) {
            Some(NameKind::Unique) => return self.write_to_self(writing, name),
            Some(NameKind::Group) => return self.write_group(writing, name, &[]).await,
            // A guest has no names, and still a workgroup.
            None if name == self.inner.workgroup => return self.write_group(writing, name, &[]).await,
            None => {}
        }
        let (driver, resolution) = self.resolve(name, QueryTarget::Default).await?;
        if resolution.kind == NameKind::Group {
            return self.write_group(writing, name, &resolution.addresses).await;
        }
        let links = self.inner.links();
        let on_link = |address: &&Ipv4Addr| links.iter().any(|link| link.interface.is_on_link(**address));
        let addresses = &resolution.addresses;
        match addresses.iter().find(on_link).or_else(|| addresses.first()) {
            Some(address) => self.write_unique(writing, name, *address, Some(driver)).await,
            None => Err(SendError::NameNotFound { name, source: ResolveError::NotFound }),
        }
    }
}

/// What is written, and which ways it may go.
#[derive(Clone, Copy)]
struct Writing<'a> {
    path: &'a SlotPath,
    data: &'a [u8],
    via: Via,
}

/// Writes of services, such as the browser's: to names of any suffix.
impl Node {
    /// Writes one message to all on the subnets that have `name`, by broadcast. The path's target does not matter.
    ///
    /// # Errors
    /// Those of [`Self::write`]; a message that is too long for a datagram among them.
    pub async fn write_to_group(
        &self,
        path: &SlotPath,
        name: NetbiosName,
        data: &[u8],
    ) -> Result<Sent, SendError> {
        self.write_group(Writing { path, data, via: Via::Any }, name, &[]).await
    }

    /// Writes one message to the computer that has `name`. The path's target does not matter.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub async fn write_to_computer(
        &self,
        path: &SlotPath,
        name: NetbiosName,
        data: &[u8],
    ) -> Result<Sent, SendError> {
        let writing = Writing { path, data, via: Via::Any };
        if self.inner.shared.owns(&name).is_some() {
            return self.write_to_self(writing, name);
        }
        let (driver, resolution) = self.resolve(name, QueryTarget::Default).await?;
        match resolution.addresses.first() {
            Some(address) => self.write_unique(writing, name, *address, Some(driver)).await,
            None => Err(SendError::NameNotFound { name, source: ResolveError::NotFound }),
        }
    }
}

/// The ways of a write.
impl Node {
    /// To the computer that has `name`, where its own message came from.
    pub(super) async fn write_back(
        &self,
        path: &SlotPath,
        name: NetbiosName,
        peer: SocketAddrV4,
        data: &[u8],
    ) -> Result<(), SendError> {
        let link = self.inner.link_to(*peer.ip(), None)?;
        self.send(&link, name, false, peer, path, data).await
    }

    fn plan(&self, writing: Writing<'_>, to: Destination) -> Result<Route, MailslotError> {
        let Writing { path, data, via } = writing;
        route::plan_via(&path.name, to, data.len(), self.inner.settings.profile, Alignment::Aligned, via)
    }

    fn write_local(&self, writing: Writing<'_>) -> Result<Sent, SendError> {
        self.plan(writing, Destination::Local)?;
        let Writing { path, data, .. } = writing;
        let bytes = self.inner.registry.open(path, OpenOptions::default())?.write(data)?;
        self.count_local_write();
        Ok(Sent::local(bytes))
    }

    pub(super) fn count_local_write(&self) {
        lock(&self.inner.sent).local += 1;
    }

    fn write_to_self(&self, writing: Writing<'_>, name: NetbiosName) -> Result<Sent, SendError> {
        let Writing { path, data, .. } = writing;
        let (source, destination) = (*self.inner.computer.as_bytes(), *name.as_bytes());
        let (bytes, truncated, origin) = match self.plan(writing, Destination::Computer)? {
            Route::Datagram { bytes, truncated, .. } => {
                (bytes, truncated, Origin::Datagram { source, destination })
            }
            // No wire: what a session would carry is simply there.
            _ => (data.len(), false, Origin::Session { framing: Framing::Session, source, destination }),
        };
        let local = self.deliver(path, origin, data.get(..bytes).unwrap_or(data));
        let (way, destination, addresses) = (Way::Local, Some(name), Vec::new());
        Ok(Sent { way, destination, addresses, bytes, truncated, local })
    }

    async fn write_unique(
        &self,
        writing: Writing<'_>,
        name: NetbiosName,
        address: Ipv4Addr,
        driver: Option<u64>,
    ) -> Result<Sent, SendError> {
        let Route::Datagram { bytes, truncated, .. } = self.plan(writing, Destination::Computer)? else {
            return self.write_session(writing, name, address, driver).await;
        };
        let Writing { path, data, .. } = writing;
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

    async fn write_session(
        &self,
        writing: Writing<'_>,
        name: NetbiosName,
        address: Ipv4Addr,
        driver: Option<u64>,
    ) -> Result<Sent, SendError> {
        let Writing { path, data, .. } = writing;
        let interface = &self.inner.link_to(address, driver)?.interface;
        let (called, host) = (name.with_suffix(Suffix::SERVER), String::from_utf8_lossy(name.base()));
        let config = self.session_config(called, &host, address, interface);
        let message = Outgoing {
            name: self.slot_name(path).to_wire()?,
            data: Bytes::copy_from_slice(data),
            priority: 0,
            // The answer says whether the slot has it.
            one_way: false,
        };
        let size = data.len();
        let result = self.inner.outgoing.write(address, interface.address, config, message).await;
        let mut sent = lock(&self.inner.sent);
        match result {
            Ok(target) => {
                sent.sessions += 1;
                sent.session_bytes += u64::try_from(size).unwrap_or(0);
                let way = match target.framing {
                    Framing::Session => Way::Session139,
                    Framing::Direct => Way::Session445,
                };
                let (destination, addresses) = (Some(name), vec![target.address]);
                Ok(Sent { way, destination, addresses, bytes: size, truncated: false, local: false })
            }
            Err(source) => {
                sent.session_errors += 1;
                Err(SendError::Session { name, size, source })
            }
        }
    }

    /// A session with the computer `host` at `address`.
    pub(super) fn session_config(
        &self,
        called: NetbiosName,
        host: &str,
        address: Ipv4Addr,
        interface: &Interface,
    ) -> ClientConfig {
        let settings = &self.inner.settings;
        let ports =
            [(settings.peer_session_port, Framing::Session), (settings.peer_direct_port, Framing::Direct)];
        let targets = ports.into_iter().filter_map(|(port, framing)| {
            Some(session::Target { address: SocketAddrV4::new(address, port?), framing })
        });
        ClientConfig {
            host: host.to_owned(),
            called,
            calling: self.inner.computer,
            targets: targets.collect(),
            subnet: Some(Subnet::new(interface.address, interface.prefix)),
            extended_security: true,
        }
    }

    /// To a group: by broadcast on every interface, and to the members that no broadcast reaches.
    async fn write_group(
        &self,
        writing: Writing<'_>,
        name: NetbiosName,
        members: &[Ipv4Addr],
    ) -> Result<Sent, SendError> {
        self.plan(writing, Destination::Group)?;
        let Writing { path, data, .. } = writing;
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
        let data = Bytes::copy_from_slice(data);
        let incoming = Incoming { data, origin, at: self.inner.clock.now(), peer: None };
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
        if group {
            self.inner.shared.broadcast(&bytes);
        }
        match port.send_to(&bytes, address).await {
            Ok(_) => {
                let mut sent = lock(&self.inner.sent);
                sent.datagrams += 1;
                sent.bytes += u64::try_from(data.len()).unwrap_or(0);
                drop(sent);
                self.inner.shared.was_sent(port, address, &bytes);
                Ok(())
            }
            Err(source) => {
                lock(&self.inner.sent).send_errors += 1;
                Err(SendError::Network { address, source })
            }
        }
    }

    pub(super) async fn resolve(
        &self,
        name: NetbiosName,
        target: QueryTarget,
    ) -> Result<(u64, Resolution), SendError> {
        self.resolve_on(&self.inner.links(), name, target).await
    }

    pub(super) async fn resolve_on(
        &self,
        links: &[Arc<Link>],
        name: NetbiosName,
        target: QueryTarget,
    ) -> Result<(u64, Resolution), SendError> {
        if self.is_shut_down() {
            return Err(SendError::ShutDown);
        }
        if links.is_empty() {
            return Err(SendError::NoNetwork);
        }
        let (answer, mut answers) = mpsc::unbounded_channel();
        for link in links {
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
        let now = self.inner.clock.now();
        if let Some(name) = lock(&self.inner.computers).get(now, address) {
            return Ok(name);
        }
        let status = self.node_status(address).await?;
        let is_computer = |entry: &&NameEntry| {
            entry.name.suffix() == Suffix::WORKSTATION && !entry.flags.contains(NameFlags::GROUP)
        };
        let entry = status.names.iter().find(is_computer);
        let not_found =
            || SendError::NameNotFound { name: NetbiosName::WILDCARD, source: ResolveError::NotFound };
        let name = entry.map(|entry| entry.name).ok_or_else(not_found)?;
        let settings = &self.inner.settings;
        let expires = self.inner.clock.now().saturating_add(settings.timers.cache);
        lock(&self.inner.computers).learn(address, name, expires, settings.limits.name_cache_entries);
        Ok(name)
    }
}
