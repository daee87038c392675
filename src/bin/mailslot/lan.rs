//! Being on a LAN: the options of all commands that are, and the node that they make.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueHint};
use mailslot::node::{Builder, InterfaceChoice, LoopbackLan, Node};
use mailslot::service::names::timers::Timers;
use mailslot::service::names::{Lmhosts, NodeType, Subnet};
use mailslot::slot::{MailslotError, Profile, SlotName, SlotPath};
use mailslot::wire::{nbdgm, nbns, nbss};

use crate::output::note;
use crate::text;

/// How long one node or name server is waited for before it is asked again: the time of Windows (MS-NBTE), not the 5 s of
/// RFC 1002. Somebody may wait before the terminal, by the service, too.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How this computer is on the LAN.
#[derive(Debug, Args)]
#[command(next_help_heading = "LAN options")]
pub(crate) struct LanArgs {
    /// The computer name, at most 15 characters [default: the host's name]
    #[arg(long, value_name = "NAME", env = "MAILSLOT_NAME", hide_env_values = true)]
    pub(crate) name: Option<String>,

    /// The workgroup or domain, at most 15 characters
    #[arg(long, value_name = "NAME", default_value = "WORKGROUP", env = "MAILSLOT_WORKGROUP")]
    #[arg(hide_env_values = true)]
    pub(crate) workgroup: String,

    /// Be on this interface only, given by its name or its address; may be repeated [default: all that are up]
    #[arg(long, value_name = "INTERFACE", env = "MAILSLOT_INTERFACE", value_delimiter = ',')]
    #[arg(hide_env_values = true)]
    interface: Vec<InterfaceChoice>,

    /// Be on a LAN inside this machine, which needs no right: at ADDR, 127.x.y.z, or at a random one
    ///
    /// All programs of this machine with the same ports are on one LAN: 10137 and 10138, or what --name-port and
    /// --datagram-port say. Sessions have the two ports behind these.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    #[arg(default_value = "off", hide_default_value = true, value_parser = loopback)]
    #[arg(env = "MAILSLOT_LOOPBACK", hide_env_values = true)]
    loopback: Loopback,

    /// How names are claimed and found: b by broadcast, p by name server, m and h by both [default: h with --wins,
    /// else b]
    #[arg(long, value_name = "TYPE", env = "MAILSLOT_NODE_TYPE", value_parser = node_type)]
    #[arg(hide_env_values = true)]
    node_type: Option<NodeType>,

    /// A name server (WINS); may be repeated
    #[arg(long, value_name = "ADDR", env = "MAILSLOT_WINS", value_delimiter = ',', hide_env_values = true)]
    wins: Vec<Ipv4Addr>,

    /// Another subnet whose name queries are answered, such as 192.0.2.0/24: of local masters that a domain master
    /// serves; may be repeated [default: only the own subnet's]
    #[arg(
        long,
        value_name = "SUBNET",
        env = "MAILSLOT_ANSWER",
        value_delimiter = ',',
        hide_env_values = true
    )]
    #[arg(value_parser = subnet)]
    answer: Vec<Subnet>,

    /// The NetBIOS scope; only computers of the same scope hear each other
    #[arg(long, value_name = "SCOPE", default_value = "", hide_default_value = true)]
    #[arg(env = "MAILSLOT_SCOPE", hide_env_values = true)]
    scope: String,

    /// Behave like this Windows: nt, nt4 or win9x
    #[arg(long, value_name = "PROFILE", default_value_t, env = "MAILSLOT_PROFILE", hide_env_values = true)]
    profile: Profile,

    /// The UDP port of the name service here [default: 137; any free one in a command that only sends or asks]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_NAME_PORT", hide_env_values = true)]
    name_port: Option<u16>,

    /// The UDP port of the datagram service here [default: 138; any free one in a command that only sends or asks]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_DATAGRAM_PORT", hide_env_values = true)]
    datagram_port: Option<u16>,

    /// The UDP port of the others' name service [default: 137]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_PEER_NAME_PORT", hide_env_values = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    peer_name_port: Option<u16>,

    /// The UDP port of the others' datagram service [default: 138]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_PEER_DATAGRAM_PORT", hide_env_values = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    peer_datagram_port: Option<u16>,

    /// The TCP port of sessions by the rules of port 139, here and at the others; off for none [default: 139]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_SESSION_PORT", hide_env_values = true)]
    #[arg(value_parser = session_port)]
    session_port: Option<SessionPort>,

    /// The TCP port of sessions by the rules of port 445, here and at the others; off for none [default: 445]
    #[arg(long, value_name = "PORT", env = "MAILSLOT_DIRECT_PORT", hide_env_values = true)]
    #[arg(value_parser = session_port)]
    direct_port: Option<SessionPort>,

    /// Tell others this address where it is not the interface's own (containers, NAT)
    #[arg(long, value_name = "ADDR", env = "MAILSLOT_ADVERTISE", hide_env_values = true)]
    advertise: Option<Ipv4Addr>,

    /// Names from an LMHOSTS file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "MAILSLOT_LMHOSTS")]
    #[arg(hide_env_values = true)]
    lmhosts: Option<PathBuf>,

    #[arg(skip)]
    pub(crate) given: Given,
}

/// Whether any LAN option was given. One on the command line makes the command a computer of its own on the LAN, whatever
/// node this machine has; one of the environment does so where the LAN is meant anyway.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given {
    pub(crate) on_command_line: bool,
    pub(crate) by_environment: bool,
}

impl Given {
    pub(crate) const fn any(self) -> bool {
        self.on_command_line || self.by_environment
    }
}

/// Whether the node is on a loopback LAN, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loopback {
    Off,
    Anywhere,
    At(Ipv4Addr),
}

fn loopback(text: &str) -> Result<Loopback, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "off" | "0" | "no" | "false" => Ok(Loopback::Off),
        "on" | "1" | "yes" | "true" => Ok(Loopback::Anywhere),
        text => match text.parse::<Ipv4Addr>() {
            Ok(address) if address.is_loopback() && address != LoopbackLan::BROADCAST => {
                Ok(Loopback::At(address))
            }
            _ => Err("an address that begins with 127, or on or off".to_owned()),
        },
    }
}

/// A TCP port of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionPort {
    Off,
    At(u16),
}

impl SessionPort {
    /// The port, if there is one; `usual` if nobody says.
    const fn or(this: Option<Self>, usual: u16) -> Option<u16> {
        match this {
            None => Some(usual),
            Some(Self::At(port)) => Some(port),
            Some(Self::Off) => None,
        }
    }
}

fn session_port(text: &str) -> Result<SessionPort, &'static str> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(SessionPort::At(port)),
        _ if text.eq_ignore_ascii_case("off") => Ok(SessionPort::Off),
        _ => Err("a port from 1 to 65535, or off"),
    }
}

/// `192.0.2.0/24`, or one address.
fn subnet(text: &str) -> Result<Subnet, &'static str> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32);
    let address = address.parse::<Ipv4Addr>().ok();
    address
        .zip(prefix)
        .map(|(address, prefix)| Subnet::new(address, prefix))
        .ok_or("a subnet such as 192.0.2.0/24")
}

fn node_type(text: &str) -> Result<NodeType, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "b" => Ok(NodeType::B),
        "p" => Ok(NodeType::P),
        "m" => Ok(NodeType::M),
        "h" => Ok(NodeType::H),
        _ => Err("the node types are b, p, m and h"),
    }
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has names of its own and the usual ports.
    Member,
    /// It only sends and asks: it claims no names and takes any free ports, so it needs no right, is there at once and
    /// disturbs no other program of this machine.
    Guest,
    /// It listens to everybody: it claims no names, and has the datagram service's port, but not the name service's.
    Listener,
}

impl LanArgs {
    /// Remembers which of the options were given, and how.
    pub(crate) fn note_sources(&mut self, matches: &ArgMatches) {
        let options = Self::augment_args(clap::Command::new("lan"));
        for option in options.get_arguments() {
            match matches.value_source(option.get_id().as_str()) {
                Some(ValueSource::CommandLine) => self.given.on_command_line = true,
                Some(ValueSource::EnvVariable) => self.given.by_environment = true,
                _ => {}
            }
        }
    }

    /// The node's settings.
    pub(crate) fn builder(&self, role: Role) -> anyhow::Result<Builder> {
        let mut builder = Node::builder().workgroup(&self.workgroup).scope(&self.scope).profile(self.profile);
        if let Some(name) = &self.name {
            builder = builder.name(name);
        }
        let (peers, sessions) = match self.loopback_lan()? {
            Some(mut lan) => {
                anyhow::ensure!(
                    self.interface.is_empty(),
                    "--loopback and --interface: a node on the loopback LAN is on no other interface"
                );
                if role == Role::Guest && lan.address.is_none() {
                    // One address for all, so that what is sent twice is not taken for copies of one message that came
                    // from two interfaces.
                    lan = lan.at(Ipv4Addr::LOCALHOST);
                }
                builder = builder.loopback(lan);
                if role != Role::Member {
                    builder = builder.name_port(0);
                }
                if role == Role::Guest {
                    builder = builder.datagram_port(0);
                }
                ((lan.name_port, lan.datagram_port), (lan.session_port, lan.direct_port))
            }
            None => {
                let names = if role == Role::Member { nbns::PORT } else { 0 };
                let datagrams = if role == Role::Guest { 0 } else { nbdgm::PORT };
                builder = builder
                    .name_port(self.name_port.unwrap_or(names))
                    .datagram_port(self.datagram_port.unwrap_or(datagrams));
                ((nbns::PORT, nbdgm::PORT), (nbss::PORT, nbss::DIRECT_PORT))
            }
        };
        let session = SessionPort::or(self.session_port, sessions.0);
        let direct = SessionPort::or(self.direct_port, sessions.1);
        builder = builder
            .session_ports(session, direct)
            .peer_session_ports(session, direct)
            .peer_ports(self.peer_name_port.unwrap_or(peers.0), self.peer_datagram_port.unwrap_or(peers.1));
        for interface in &self.interface {
            builder = builder.interface(interface.clone());
        }
        for server in &self.wins {
            builder = builder.wins(*server);
        }
        for subnet in &self.answer {
            builder = builder.answer_subnet(*subnet);
        }
        if let Some(node_type) = self.node_type {
            builder = builder.node_type(node_type);
        }
        if let Some(address) = self.advertise {
            builder = builder.advertise(address);
        }
        if let Some(file) = &self.lmhosts {
            builder = builder.lmhosts(lmhosts(file)?);
        }
        if role != Role::Member {
            builder = builder.claim_names(false).session_ports(None, None);
        }
        let mut timers = Timers::default();
        timers.unicast_timeout = PATIENCE;
        builder = builder.timers(timers);
        builder = builder.hear_all(role == Role::Listener);
        Ok(builder)
    }

    /// Whether there is a name server.
    pub(crate) const fn uses_name_server(&self) -> bool {
        !self.wins.is_empty()
    }

    /// The loopback LAN, if the node is on one.
    fn loopback_lan(&self) -> anyhow::Result<Option<LoopbackLan>> {
        let usual = LoopbackLan::default();
        let (names, datagrams) =
            (self.name_port.unwrap_or(usual.name_port), self.datagram_port.unwrap_or(usual.datagram_port));
        let lan = LoopbackLan::new(names, datagrams);
        let lan = match self.loopback {
            Loopback::Off => return Ok(None),
            Loopback::Anywhere => lan,
            Loopback::At(address) => lan.at(address),
        };
        anyhow::ensure!(
            names != 0 && datagrams != 0,
            "on a loopback LAN --name-port and --datagram-port are everybody's ports, which cannot be 0"
        );
        anyhow::ensure!(names != datagrams, "--name-port and --datagram-port must differ");
        Ok(Some(lan))
    }
}

/// An LMHOSTS file and those it includes. Lines that say nothing usable are reported.
fn lmhosts(file: &Path) -> anyhow::Result<Lmhosts> {
    let read = |file: &Path| -> std::io::Result<String> {
        // Names are in an OEM code page; only ASCII ones can be used.
        Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
    };
    let text = read(file).with_context(|| file.display().to_string())?;
    let directory = file.parent().unwrap_or_else(|| Path::new(""));
    let lmhosts = Lmhosts::parse(&text, |included| read(&directory.join(included)).ok());
    for error in lmhosts.errors() {
        note(format_args!("{}", text::safe(&format!("{}: {error}", file.display()))));
    }
    Ok(lmhosts)
}

/// Where a command that talks to the LAN runs.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // The node goes on while the command waits for standard output.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().context("cannot start the runtime")
}

/// Waits until the program is asked to end: Ctrl-C, or SIGTERM.
#[cfg(unix)]
pub(crate) struct Interrupt(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Interrupt {
    pub(crate) fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Waits until the program is asked to end: Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct Interrupt;

#[cfg(not(unix))]
impl Interrupt {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            core::future::pending().await
        }
    }
}

/// `eth0 192.0.2.7/24, eth1 198.51.100.7/24`
pub(crate) fn interfaces(node: &Node) -> String {
    let interfaces: Vec<_> = node.interfaces().iter().map(|interface| interface.to_string()).collect();
    interfaces.join(", ")
}

/// A time in seconds, such as 2 or 0.5.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse::<f64>().map_err(|_| "a number of seconds, such as 2 or 0.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "a number of seconds, such as 2 or 0.5")
}

/// A slot of this computer, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnSlot {
    pub(crate) path: SlotPath,
    /// Whether by its path `\\.\mailslot\soda`; else by its name alone.
    pub(crate) by_path: bool,
}

/// A slot of this computer: `soda`, `\\.\mailslot\soda` or `//./mailslot/soda`.
pub(crate) fn local_slot(text: &str) -> Result<OwnSlot, MailslotError> {
    let (path, by_path) = match SlotPath::parse(text) {
        Ok(path) => (path, true),
        // A plain name, or a path that lost something on its way here.
        Err(MailslotError::NotAMailslot { .. }) if !text.starts_with(['\\', '/']) => {
            (SlotPath::local(SlotName::new(text)?), false)
        }
        Err(error) => return Err(error),
    };
    if path.is_local() {
        Ok(OwnSlot { path, by_path })
    } else {
        Err(MailslotError::RemoteCreate { path: text.to_owned() })
    }
}
