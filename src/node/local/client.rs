//! How a process comes to handles: which node to ask, and what can be asked without a handle.

use core::net::Ipv4Addr;
use std::path::PathBuf;

use super::access::Admit;
use super::asked::{Asked, decode};
use super::info::{self, NodeInfo, SlotInfo};
use super::lan::{self, Lan};
use super::place::{self, Places};
use super::{AskError, LocalError, RemoteSendError, convert};
use crate::node::{Interface, MailslotSender, NodeStatus, OwnName, Sent, SlotReader};
use crate::service::names::{QueryTarget, Resolution};
use crate::slot::{CreateOptions, MailslotError, OpenOptions, SlotName, SlotPath, Target, Win32Error};
use crate::wire::local::{Body, Failure, FailureCode, TargetKind};
use crate::wire::name::NetbiosName;

/// Nodes that end at the moment they are asked, before it is given up.
const TRIES: usize = 10;

/// The machine's slots, for a process that is not the node itself.
///
/// It has no connection of its own: every handle has one. All calls are made on the calling thread, and wait no longer
/// than the node takes to answer; [`Self::create`] also starts a node where there is none, which takes as long as
/// starting a program.
///
/// ```no_run
/// use mailslot::node::local::{Admit, Client};
/// use mailslot::node::blocking::{MailslotSender, SlotReader};
/// use mailslot::slot::{CreateOptions, OpenOptions, SlotPath};
///
/// let machine = Client::new();
/// let path = SlotPath::parse(r"\\.\mailslot\soda")?;
/// let soda = SlotReader::from(machine.create(&path, CreateOptions::default(), Admit::Default)?);
/// // In another process:
/// let writer = Client::new().open(&path, OpenOptions::default())?;
/// let writer = MailslotSender::try_from(writer).expect("a slot of another process");
/// writer.write(b"12 left")?;
/// assert_eq!(&soda.recv()?.data[..], b"12 left");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    places: Places,
    program: PathBuf,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// The machine's slots, as the environment says where they are ([`Places::from_environment`]).
    pub fn new() -> Self {
        Self::at(Places::from_environment())
    }

    /// The slots at these places.
    pub fn at(places: Places) -> Self {
        Self { places, program: place::program() }
    }

    /// Starts a user's node with this program, as `PROGRAM node --directory DIRECTORY`. Default: what
    /// `MAILSLOT_PROGRAM` says, else `mailslot`.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// The node that answers; it is not started.
    ///
    /// # Errors
    /// [`LocalError::NoNode`], and what is wrong with its socket.
    pub fn node(&self) -> Result<NodeInfo, LocalError> {
        self.first().map(Asked::into_node)
    }

    /// Creates a mailslot (Win32 `CreateMailslot`), on a user's node that is started for it if there is no other.
    ///
    /// # Errors
    /// [`LocalError::Mailslot`] with those of [`Registry::create`](crate::slot::Registry::create); what is wrong with
    /// the node.
    pub fn create(
        &self,
        path: &SlotPath,
        options: CreateOptions,
        admit: Admit,
    ) -> Result<SlotReader, LocalError> {
        if !path.is_local() {
            return Err(MailslotError::RemoteCreate { path: path.to_string() }.into());
        }
        let name = convert::name_bytes(&path.name);
        let body = Body::Create {
            max_message_size: options.max_message_size,
            read_timeout: options.read_timeout.as_millis(),
            access: options.access.bits(),
            admittance: admit.to_wire(),
            name: &name,
        };
        let mut asked = self.retry(|| match self.places.connect().next() {
            Some(found) => found.and_then(Asked::greet),
            None if self.places.starts() => {
                self.places.connect_or_start(&self.program).and_then(Asked::greet)
            }
            None => Err(self.places.none()),
        })?;
        let opened = asked.open(body, &path.name)?;
        asked.into_handle(opened).map(SlotReader::remote)
    }

    /// Opens a mailslot of this machine for writing (Win32 `CreateFile`). With the service and a user's node running,
    /// the service's slots come first.
    ///
    /// # Errors
    /// [`LocalError::Mailslot`] with those of [`Registry::open`](crate::slot::Registry::open) and
    /// [`MailslotError::NotAdmitted`]; what is wrong with the node. Without a node there is no slot.
    pub fn open(&self, path: &SlotPath, options: OpenOptions) -> Result<MailslotSender, LocalError> {
        if !path.is_local() {
            return Err(MailslotError::RemoteOpen { path: path.to_string() }.into());
        }
        let name = convert::name_bytes(&path.name);
        self.each(&path.name, |mut asked| {
            let body = Body::Open {
                access: options.access.bits(),
                share: options.share.bits(),
                disposition: options.disposition.number(),
                name: &name,
            };
            let opened = asked.open(body, &path.name)?;
            asked.into_handle(opened).map(|handle| MailslotSender::remote(handle, path.clone()))
        })
    }

    /// Writes one message to any path, through the network of the node where the path asks for one.
    ///
    /// # Errors
    /// [`LocalError::Mailslot`], [`SendError`](crate::node::SendError) as the node has it.
    pub fn send(&self, path: &SlotPath, data: &[u8]) -> Result<Sent, RemoteSendError> {
        let name = convert::name_bytes(&path.name);
        let (target, host) = match &path.target {
            Target::Local => (TargetKind::LOCAL, ""),
            Target::Named(host) => (TargetKind::NAMED, host.as_str()),
            Target::Everyone => (TargetKind::EVERYONE, ""),
        };
        let sent = self.each(&path.name, |mut asked| {
            let body = Body::Send { target, host: host.as_bytes(), name: &name, data };
            let answer = asked.call(body)?;
            Ok(match decode(&answer)? {
                Body::Failed(failure) if failure.code == FailureCode::SEND => {
                    let reason = String::from_utf8_lossy(failure.text).into_owned();
                    let code = u32::try_from(failure.a).unwrap_or(u32::MAX);
                    Err(RemoteSendError::Refused { reason, win32: Win32Error::new(code) })
                }
                Body::Failed(Failure { code: FailureCode::NO_NETWORK, .. }) => {
                    Err(RemoteSendError::NoNetwork)
                }
                Body::Failed(failure) => return Err(convert::error(&failure, &path.name).into()),
                Body::Sent { way, truncated, local, bytes, destination, addresses } => {
                    Ok(convert::sent(way, truncated, local, bytes, destination, addresses))
                }
                _ => return Err(asked.unexpected()),
            })
        });
        sent?
    }

    /// All slots of the machine that this process can see, by name; those of the service and of the user's own node.
    ///
    /// # Errors
    /// [`LocalError::NoNode`]; what is wrong with the node.
    pub fn slots(&self) -> Result<Vec<SlotInfo>, LocalError> {
        let mut slots: Vec<SlotInfo> = Vec::new();
        let mut found = false;
        for asked in self.places.connect() {
            let mut asked = match asked.and_then(Asked::greet) {
                Ok(asked) => asked,
                Err(LocalError::Handshake { .. }) => continue,
                Err(error) => return Err(error),
            };
            found = true;
            let mut after = Vec::new();
            loop {
                let answer = asked.call(Body::List { after: &after })?;
                let Body::Slots(list) = decode(&answer)? else { return Err(asked.unexpected()) };
                let Some(last) = list.iter().last() else { break };
                after = last.name.to_vec();
                for slot in list.iter() {
                    slots.push(info::slot_info(&slot)?);
                }
            }
        }
        if !found {
            return Err(self.places.none());
        }
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(slots)
    }

    /// One slot, by name.
    ///
    /// # Errors
    /// [`MailslotError::NotFound`]; what is wrong with the node.
    pub fn slot(&self, name: &SlotName) -> Result<SlotInfo, LocalError> {
        let bytes = convert::name_bytes(name);
        self.each(name, |mut asked| {
            let answer = asked.call(Body::Find { name: &bytes })?;
            match decode(&answer)? {
                Body::Slots(list) => match list.iter().next() {
                    Some(slot) => Ok(info::slot_info(&slot)?),
                    // It went between the question and the answer.
                    None => Err(MailslotError::NotFound { name: name.to_string() }.into()),
                },
                Body::Failed(failure) => Err(convert::error(&failure, name).into()),
                _ => Err(asked.unexpected()),
            }
        })
    }

    /// The network of the node, to be asked by any number of tasks.
    ///
    /// # Errors
    /// [`LocalError::NoNode`]; what is wrong with the node.
    pub fn lan(&self) -> Result<Lan, LocalError> {
        self.first().and_then(Lan::new)
    }

    /// The node's own NetBIOS names, on all its interfaces.
    ///
    /// # Errors
    /// Those of [`Lan::names`], and of [`Self::lan`].
    pub fn names(&self) -> Result<Vec<OwnName>, AskError> {
        self.lan()?.ask_blocking(lan::names())
    }

    /// The interfaces that the node is on.
    ///
    /// # Errors
    /// Those of [`Lan::interfaces`], and of [`Self::lan`].
    pub fn interfaces(&self) -> Result<Vec<Interface>, AskError> {
        self.lan()?.ask_blocking(lan::interfaces())
    }

    /// Who has `name`, as the node finds out.
    ///
    /// # Errors
    /// Those of [`Lan::lookup`], and of [`Self::lan`].
    pub fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, AskError> {
        self.lan()?.ask_blocking(lan::lookup(name, target))
    }

    /// Who has `name` on the subnet with this broadcast address.
    ///
    /// # Errors
    /// Those of [`Lan::lookup_on_subnet`], and of [`Self::lan`].
    pub fn lookup_on_subnet(&self, name: NetbiosName, broadcast: Ipv4Addr) -> Result<Resolution, AskError> {
        self.lan()?.ask_blocking(lan::lookup_on_subnet(name, broadcast))
    }

    /// The names of the computer at `address`.
    ///
    /// # Errors
    /// Those of [`Lan::node_status`], and of [`Self::lan`].
    pub fn node_status(&self, address: Ipv4Addr) -> Result<NodeStatus, AskError> {
        self.lan()?.ask_blocking(lan::node_status(address))
    }

    /// A connection to the node that is asked first.
    fn first(&self) -> Result<Asked, LocalError> {
        self.retry(|| match self.places.connect().next() {
            Some(found) => found.and_then(Asked::greet),
            None => Err(self.places.none()),
        })
    }

    /// Asks one node after another until one has the slot.
    fn each<T>(
        &self,
        name: &SlotName,
        ask: impl Fn(Asked) -> Result<T, LocalError>,
    ) -> Result<T, LocalError> {
        self.retry(|| {
            let mut missing = MailslotError::NotFound { name: name.to_string() };
            for found in self.places.connect() {
                match found.and_then(Asked::greet).and_then(&ask) {
                    Err(LocalError::Mailslot(error @ MailslotError::NotFound { .. })) => missing = error,
                    result => return result,
                }
            }
            Err(missing.into())
        })
    }

    /// A node may end just when it is asked: then there is none, or another one.
    fn retry<T>(&self, mut attempt: impl FnMut() -> Result<T, LocalError>) -> Result<T, LocalError> {
        let mut tries = 1;
        loop {
            match attempt() {
                Err(LocalError::Handshake { .. }) if tries < TRIES => tries += 1,
                result => return result,
            }
        }
    }
}
