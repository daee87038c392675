//! How a node is set up.

use core::net::Ipv4Addr;
use std::net::UdpSocket;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::tap::{Ear, Tap};
use super::{Arrived, InterfaceChoice, Node, NodeError, SentFrame};
use crate::service::Limits;
use crate::service::names::timers::Timers;
use crate::service::names::{Lmhosts, NameKind, NodeType, Subnet};
use crate::slot::{Profile, Registry, RegistryConfig};
use crate::wire::name::{NetbiosName, Suffix, scope_labels};
use crate::wire::{nbdgm, nbns, nbss};

/// A LAN inside this machine: every node has an address 127.x.y.z of its own, and broadcasts go to 127.255.255.255,
/// the broadcast address of 127.0.0.0/8, which Linux hands to every socket bound to it, in one process or in several.
///
/// Nodes with the same ports are on one LAN; other ports are another LAN. Needs no right and no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoopbackLan {
    /// The node's address; a random one at first.
    pub address: Option<Ipv4Addr>,
    /// The port of the name service.
    pub name_port: u16,
    /// The port of the datagram service.
    pub datagram_port: u16,
    /// The TCP port of sessions by the rules of port 139.
    pub session_port: u16,
    /// The TCP port of sessions by the rules of port 445.
    pub direct_port: u16,
}

impl LoopbackLan {
    /// Where loopback broadcasts go.
    pub const BROADCAST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

    /// The LAN of these ports. Sessions have the two ports behind the datagram service's.
    pub const fn new(name_port: u16, datagram_port: u16) -> Self {
        let session_port = datagram_port.saturating_add(1);
        let direct_port = datagram_port.saturating_add(2);
        Self { address: None, name_port, datagram_port, session_port, direct_port }
    }

    /// The LAN of this process: the same one at every call, and no other process's.
    pub fn of_this_process() -> Self {
        static LAN: OnceLock<LoopbackLan> = OnceLock::new();
        *LAN.get_or_init(Self::unshared)
    }

    /// A LAN that no other call of this function returns, in this process or another, for as long as this process runs.
    ///
    /// Each holds two sockets: who has both ports at an address where no node is has the LAN.
    pub fn unshared() -> Self {
        static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
        let hold = |port| UdpSocket::bind((Self::HELD_AT, port));
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        // Another place to begin for each process, so that few are tried.
        let first = std::process::id() % Self::UNSHARED;
        let places = (0..Self::UNSHARED).map(|step| (first + step) % Self::UNSHARED);
        for place in places.filter_map(|place| u16::try_from(place).ok()) {
            let port = 11_000 + 2 * place;
            if let (Ok(names), Ok(datagrams)) = (hold(port), hold(port + 1)) {
                held.extend([names, datagrams]);
                return Self::new(port, port + 1);
            }
        }
        // No such addresses on this system: no node will find one either, and say so.
        Self::default()
    }

    /// Where the ports of [`Self::unshared`] are held.
    const HELD_AT: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 254);

    /// How many LANs [`Self::unshared`] has to give, all below the ports that Linux gives to sockets without one.
    const UNSHARED: u32 = 10_000;

    /// The same LAN, for a node at `address`, which must begin with 127.
    #[must_use]
    pub const fn at(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// An address that is probably no other node's: one of some 16 million.
    pub(super) const fn random_address(random: u64) -> Ipv4Addr {
        let [a, b, c, ..] = random.to_le_bytes();
        // Neither 127.0.x.y, where others have theirs, nor the broadcast address.
        Ipv4Addr::new(127, a % 254 + 1, b, c % 254 + 1)
    }
}

/// The LAN of ports 10137 and 10138.
impl Default for LoopbackLan {
    fn default() -> Self {
        Self::new(10_137, 10_138)
    }
}

/// Settings of a node that is to be started.
///
/// Without any, the node is a B node with the host's name in the workgroup `WORKGROUP`, on all interfaces, on the ports
/// 137 and 138.
#[derive(Debug, Clone)]
#[must_use = "a node runs once it is started"]
pub struct Builder {
    name: Option<String>,
    workgroup: String,
    extra_names: Vec<(NetbiosName, NameKind)>,
    pub(super) node_type: Option<NodeType>,
    pub(super) wins: Vec<Ipv4Addr>,
    pub(super) scope: String,
    pub(super) profile: Profile,
    pub(super) interfaces: Vec<InterfaceChoice>,
    pub(super) loopback: Option<LoopbackLan>,
    pub(super) name_port: u16,
    pub(super) datagram_port: u16,
    pub(super) peer_name_port: u16,
    pub(super) peer_datagram_port: u16,
    pub(super) session_port: Option<u16>,
    pub(super) direct_port: Option<u16>,
    pub(super) peer_session_port: Option<u16>,
    pub(super) peer_direct_port: Option<u16>,
    pub(super) answered: Vec<Subnet>,
    pub(super) advertise: Option<Ipv4Addr>,
    pub(super) lmhosts: Lmhosts,
    pub(super) limits: Limits,
    pub(super) timers: Timers,
    pub(super) suppress_duplicates: bool,
    claim_names: bool,
    pub(super) hear_all: bool,
    pub(super) tap: Option<Tap>,
    pub(super) ear: Option<Ear>,
    registry: Option<Registry>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            name: None,
            workgroup: "WORKGROUP".to_owned(),
            extra_names: Vec::new(),
            node_type: None,
            wins: Vec::new(),
            scope: String::new(),
            profile: Profile::default(),
            interfaces: Vec::new(),
            loopback: None,
            name_port: nbns::PORT,
            datagram_port: nbdgm::PORT,
            peer_name_port: nbns::PORT,
            peer_datagram_port: nbdgm::PORT,
            session_port: Some(nbss::PORT),
            direct_port: Some(nbss::DIRECT_PORT),
            peer_session_port: Some(nbss::PORT),
            peer_direct_port: Some(nbss::DIRECT_PORT),
            answered: Vec::new(),
            advertise: None,
            lmhosts: Lmhosts::default(),
            limits: Limits::default(),
            timers: Timers::default(),
            suppress_duplicates: true,
            claim_names: true,
            hear_all: false,
            tap: None,
            ear: None,
            registry: None,
        }
    }
}

impl Builder {
    /// The computer name, at most 15 ASCII characters. Default: the host's name up to its first dot, cut to 15.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The workgroup or domain, at most 15 ASCII characters.
    pub fn workgroup(mut self, workgroup: impl Into<String>) -> Self {
        self.workgroup = workgroup.into();
        self
    }

    /// A further name to claim, besides the computer name with the suffixes 00, 03 and 20 and the workgroup's group 00.
    pub fn extra_name(mut self, name: NetbiosName, kind: NameKind) -> Self {
        self.extra_names.push((name, kind));
        self
    }

    /// How names are claimed and found. Default: H with a name server, B without.
    pub const fn node_type(mut self, node_type: NodeType) -> Self {
        self.node_type = Some(node_type);
        self
    }

    /// A name server (WINS); call it again for a second one.
    pub fn wins(mut self, server: Ipv4Addr) -> Self {
        self.wins.push(server);
        self
    }

    /// Another subnet whose name queries and node status requests are answered, too, as a domain master has to for the local
    /// masters there; call it again for a second one. Without it only the node's own subnets and name servers are.
    pub fn answer_subnet(mut self, subnet: Subnet) -> Self {
        self.answered.push(subnet);
        self
    }

    /// The NetBIOS scope, in dotted form. Default: none, as everywhere.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Which Windows the sender behaves like, and the registry if none is given.
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// An interface to be on; call it again for a second one. Default: all that are up, no loopback, and have a
    /// broadcast address; they may come and go.
    pub fn interface(mut self, choice: InterfaceChoice) -> Self {
        self.interfaces.push(choice);
        self
    }

    /// Puts the node on a LAN inside this machine; sets all ports.
    pub const fn loopback(mut self, lan: LoopbackLan) -> Self {
        self.loopback = Some(lan);
        self.name_port = lan.name_port;
        self.peer_name_port = lan.name_port;
        self.datagram_port = lan.datagram_port;
        self.peer_datagram_port = lan.datagram_port;
        self.session_port = Some(lan.session_port);
        self.direct_port = Some(lan.direct_port);
        self.peer_session_port = Some(lan.session_port);
        self.peer_direct_port = Some(lan.direct_port);
        self
    }

    /// The UDP port on which the name service listens; 0 for any. Default 137, which needs a right.
    pub const fn name_port(mut self, port: u16) -> Self {
        self.name_port = port;
        self
    }

    /// The UDP port on which the datagram service listens; 0 for any. Default 138, which needs a right.
    pub const fn datagram_port(mut self, port: u16) -> Self {
        self.datagram_port = port;
        self
    }

    /// The ports of the others, to which packets of the name and the datagram service are sent. Default 137 and 138.
    pub const fn peer_ports(mut self, names: u16, datagrams: u16) -> Self {
        self.peer_name_port = names;
        self.peer_datagram_port = datagrams;
        self
    }

    /// The TCP ports on which messages come in that are too long for a datagram: the one with the rules of port 139, and
    /// the one with those of port 445. `None` is off; default 139 and 445, which need a right. A port that is not to be
    /// had does not keep the node from running, with datagrams alone: see [`Node::session_faults`]. With the profile
    /// `win9x` no session comes in, and no port is opened.
    pub const fn session_ports(mut self, session: Option<u16>, direct: Option<u16>) -> Self {
        self.session_port = session;
        self.direct_port = direct;
        self
    }

    /// The TCP ports of the others, in whose place `None` is not tried. Default 139, and then 445.
    pub const fn peer_session_ports(mut self, session: Option<u16>, direct: Option<u16>) -> Self {
        self.peer_session_port = session;
        self.peer_direct_port = direct;
        self
    }

    /// The address that others are told, where it is not the interface's (containers, NAT).
    pub const fn advertise(mut self, address: Ipv4Addr) -> Self {
        self.advertise = Some(address);
        self
    }

    /// Names from an LMHOSTS file.
    pub fn lmhosts(mut self, lmhosts: Lmhosts) -> Self {
        self.lmhosts = lmhosts;
        self
    }

    /// The bounds of what peers can make grow.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Times and counts of the name service.
    pub const fn timers(mut self, timers: Timers) -> Self {
        self.timers = timers;
        self
    }

    /// Whether a message that comes by several ways within 2 s is delivered once. On at first.
    pub const fn suppress_duplicates(mut self, on: bool) -> Self {
        self.suppress_duplicates = on;
        self
    }

    /// Whether the node claims its computer name and its workgroup. On at first. Without them it sends, in its name, and
    /// asks, at once and beside a node that has the name; it receives only what is sent to `*` and to its extra names.
    pub const fn claim_names(mut self, on: bool) -> Self {
        self.claim_names = on;
        self
    }

    /// Whether the node takes what is sent to any name, not only to its own: it listens to what others say to each other,
    /// as far as it comes by, which is what is broadcast. Off at first. It answers for no name more than without.
    pub const fn hear_all(mut self, on: bool) -> Self {
        self.hear_all = on;
        self
    }

    /// Shows `see` every UDP payload that the node has sent, from the task that sent it; it must not block.
    pub fn observe(mut self, see: impl Fn(SentFrame<'_>) + Send + Sync + 'static) -> Self {
        self.tap = Some(Tap::new(see));
        self
    }

    /// Shows `hear` every mailslot message that comes in datagrams to one of the node's names, or with [`Self::hear_all`] to
    /// any name, once, whether there is a slot for it or not; from the task that received it, so it must neither block nor
    /// ask for the node's [`stats`](Node::stats), which are being written. A program that wants messages has slots; this is
    /// for one that watches which there are.
    pub fn overhear(mut self, hear: impl Fn(&Arrived) + Send + Sync + 'static) -> Self {
        self.ear = Some(Ear::new(hear));
        self
    }

    /// The registry of the node's slots, for programs that have one already.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Starts the node: takes the ports and begins to claim the names; [`Node::ready`] tells when they are its own.
    /// Needs a tokio runtime with I/O and time enabled.
    ///
    /// With no interface up, the node waits for one.
    ///
    /// # Errors
    /// A name that cannot be one; an interface that is not there; a port that is not to be had.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and may come to wait for one of its steps")]
    pub async fn start(self) -> Result<Node, NodeError> {
        let registry = self.registry.clone().unwrap_or_else(|| {
            Registry::with_config(RegistryConfig { profile: self.profile, ..RegistryConfig::default() })
        });
        let name = self.name.clone().unwrap_or_else(host_name);
        let computer = netbios("computer name", &name)?;
        let workgroup = netbios("workgroup", &self.workgroup)?;
        scope_labels(&self.scope).map_err(|source| NodeError::BadName {
            what: "scope",
            text: self.scope.clone(),
            source,
        })?;
        let own = [
            (computer, NameKind::Unique),
            (workgroup, NameKind::Group),
            (computer.with_suffix(Suffix::MESSENGER), NameKind::Unique),
            (computer.with_suffix(Suffix::SERVER), NameKind::Unique),
        ];
        let mut names = if self.claim_names { own.to_vec() } else { Vec::new() };
        names.extend(
            self.extra_names.iter().copied().filter(|extra| !names.contains(extra)).collect::<Vec<_>>(),
        );
        Node::start(self, registry, computer, workgroup, names)
    }
}

fn netbios(what: &'static str, text: &str) -> Result<NetbiosName, NodeError> {
    NetbiosName::new(text, Suffix::WORKSTATION).map_err(|source| NodeError::BadName {
        what,
        text: text.to_owned(),
        source,
    })
}

/// Whether `name` is this machine's own.
#[cfg(unix)]
pub(super) fn is_this_host(name: &str) -> bool {
    name.eq_ignore_ascii_case(&host_name())
}

/// The host's name up to its first dot, as far as it can be a computer name.
fn host_name() -> String {
    #[cfg(unix)]
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").ok();
    let host = host.unwrap_or_default();
    let label = host.split('.').next().unwrap_or_default();
    let name: String = label.chars().filter(char::is_ascii_graphic).take(15).collect();
    if name.is_empty() { "MAILSLOT".to_owned() } else { name }
}
