//! How a process comes to handles: which node to ask, and what can be asked without a handle.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::access::Admit;
use super::handle::Remote;
use super::place::{self, Places};
use super::{LocalError, convert};
use crate::node::{MailslotSender, Sent, SlotReader, Way};
use crate::slot::{CreateOptions, Info, MailslotError, OpenOptions, SlotName, SlotPath, Target, Win32Error};
use crate::wire::local::{
    Body, Failure, FailureCode, Frame, HEADER, ListedSlot, NameFlags, OriginKind, Role, TargetKind, VERSION,
    Way as WireWay, frame_length,
};
use crate::wire::name::NetbiosName;
use crate::wire::{Decode, Encode};

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

/// The node that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Whether it is the machine's service; else it is one user's.
    pub is_service: bool,
    /// Its process.
    pub pid: u32,
    /// Its socket.
    pub socket: PathBuf,
    /// Its computer name; `None` without a network.
    pub computer: Option<NetbiosName>,
    /// Its workgroup; `None` without a network.
    pub workgroup: Option<NetbiosName>,
}

/// A slot of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its name.
    pub name: SlotName,
    /// The user who owns it, by number.
    pub owner: u32,
    /// The process that created it.
    pub pid: u32,
    /// Who may open it.
    pub admit: Admit,
    /// Its state.
    pub info: Info,
    /// Server handles.
    pub servers: u32,
    /// Messages that were queued since it was created.
    pub accepted: u64,
    /// Messages that were read.
    pub read: u64,
    /// Messages that were lost.
    pub dropped: u64,
    /// Where the last message came from.
    pub last_sender: Option<LastSender>,
}

/// Where a slot's last message came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastSender {
    /// A process of this machine; zeros if it is the node's own.
    Local {
        /// Its user, by number.
        user: u32,
        /// Its id.
        pid: u32,
    },
    /// A computer of the network, by its name.
    Network(NetbiosName),
}

/// A NetBIOS name of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalName {
    /// The name.
    pub name: NetbiosName,
    /// Whether it is a group's.
    pub group: bool,
    /// Whether it is the node's; else it is being claimed, or another's.
    pub active: bool,
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
        self.first(|asked| Ok(asked.node.clone()))
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
                    Ok(sent(way, truncated, local, bytes, destination, addresses))
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
                    slots.push(slot_info(&slot)?);
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
                    Some(slot) => slot_info(&slot),
                    // It went between the question and the answer.
                    None => Err(MailslotError::NotFound { name: name.to_string() }.into()),
                },
                Body::Failed(failure) => Err(convert::error(&failure, name).into()),
                _ => Err(asked.unexpected()),
            }
        })
    }

    /// The node's NetBIOS names, once for each interface; none without a network.
    ///
    /// # Errors
    /// [`LocalError::NoNode`]; what is wrong with the node.
    pub fn names(&self) -> Result<Vec<LocalName>, LocalError> {
        self.first(|asked| {
            let answer = asked.call(Body::GetNames)?;
            let Body::Names(list) = decode(&answer)? else { return Err(asked.unexpected()) };
            let name = |listed: crate::wire::local::ListedName<'_>| LocalName {
                name: NetbiosName::from_bytes(*listed.name),
                group: listed.flags.contains(NameFlags::GROUP),
                active: listed.flags.contains(NameFlags::ACTIVE),
            };
            Ok(list.iter().map(name).collect())
        })
    }

    fn first<T>(&self, ask: impl Fn(&mut Asked) -> Result<T, LocalError>) -> Result<T, LocalError> {
        let mut asked = self.retry(|| match self.places.connect().next() {
            Some(found) => found.and_then(Asked::greet),
            None => Err(self.places.none()),
        })?;
        ask(&mut asked)
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

/// Why a message was not sent through the node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteSendError {
    /// There is no node, or it refused the call.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The node has no network.
    #[error("the node of this machine has no network")]
    NoNetwork,
    /// The node could not send it.
    #[error("{reason}")]
    Refused {
        /// Why, in the words of its [`SendError`](crate::node::SendError).
        reason: String,
        /// The code of that error.
        win32: Win32Error,
    },
}

/// A connection that is no handle yet, used by one thread.
#[derive(Debug)]
pub(super) struct Asked {
    stream: UnixStream,
    node: NodeInfo,
    next_id: u32,
}

/// What [`Body::Opened`] says: the name and the access mask.
pub(super) type Opened = (SlotName, u32);

impl Asked {
    pub(super) fn at(socket: &Path) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Connect { path: socket.to_owned(), source };
        Self::greet((UnixStream::connect(socket).map_err(failed)?, socket.to_owned()))
    }

    fn greet((stream, socket): (UnixStream, PathBuf)) -> Result<Self, LocalError> {
        let node = NodeInfo { is_service: false, pid: 0, socket, computer: None, workgroup: None };
        let mut asked = Self { stream, node, next_id: 1 };
        let answer = asked.exchange(Body::Hello { version: VERSION });
        // Until it has answered, a node may be one that is ending.
        let answer =
            answer.map_err(|source| LocalError::Handshake { path: asked.node.socket.clone(), source })?;
        match decode(&answer)? {
            Body::Welcome { version, role, pid, computer, workgroup } => {
                if version != VERSION {
                    return Err(LocalError::Version { theirs: version, ours: VERSION });
                }
                let name = |bytes: [u8; 16]| (bytes != [0; 16]).then(|| NetbiosName::from_bytes(bytes));
                let (is_service, socket) = (role == Role::SERVICE, asked.node.socket);
                let (computer, workgroup) = (name(computer), name(workgroup));
                asked.node = NodeInfo { is_service, pid, socket, computer, workgroup };
                Ok(asked)
            }
            Body::Failed(failure) if failure.code == FailureCode::VERSION => {
                let theirs = u16::try_from(failure.a).unwrap_or(u16::MAX);
                Err(LocalError::Version { theirs, ours: VERSION })
            }
            Body::Failed(Failure { code: FailureCode::NOT_ADMITTED, .. }) => {
                let reason = "it is another user's".to_owned();
                Err(MailslotError::NodeGone { reason }.into())
            }
            Body::Failed(Failure { code: FailureCode::LIMIT_REACHED, a, .. }) => {
                let max = usize::try_from(a).unwrap_or(usize::MAX);
                Err(MailslotError::LimitReached { what: "handles of the node", max }.into())
            }
            _ => Err(asked.unexpected()),
        }
    }

    pub(super) fn open(&mut self, body: Body<'_>, name: &SlotName) -> Result<Opened, LocalError> {
        let answer = self.call(body)?;
        match decode(&answer)? {
            Body::Opened { access, name, .. } => Ok((convert::slot_name(name)?, access)),
            Body::Failed(failure) => Err(convert::error(&failure, name).into()),
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, body: Body<'_>) -> Result<Vec<u8>, LocalError> {
        self.exchange(body).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                MailslotError::InvalidArgument { what: "the message's length" }.into()
            }
            _ => LocalError::Mailslot(MailslotError::NodeGone { reason: error.to_string() }),
        })
    }

    fn exchange(&mut self, body: Body<'_>) -> io::Result<Vec<u8>> {
        let frame = Frame::new(self.next_id, body);
        let frame = frame.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.next_id += 1;
        self.stream.write_all(&frame.to_bytes()).or_else(|error| {
            // What a node that ends the connection has said counts; reading tells.
            if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
        })?;
        let mut answer = vec![0; HEADER];
        self.stream.read_exact(&mut answer)?;
        let length =
            frame_length(&answer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let rest = length.unwrap_or(HEADER).saturating_sub(HEADER);
        let rest = u64::try_from(rest).unwrap_or(u64::MAX);
        if (&self.stream).take(rest).read_to_end(&mut answer)? as u64 != rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }

    fn into_handle(self, (name, access): Opened) -> Result<Remote, LocalError> {
        Remote::new(self.stream, self.node.socket, name, access)
    }

    pub(super) fn into_parts(self) -> (UnixStream, PathBuf) {
        (self.stream, self.node.socket)
    }

    fn unexpected(&self) -> LocalError {
        let reason = "its answer does not belong to the request".to_owned();
        MailslotError::NodeGone { reason }.into()
    }
}

/// Takes up a handle whose descriptor another process has passed.
pub(in crate::node) fn adopt(fd: OwnedFd) -> Result<Remote, LocalError> {
    let stream = UnixStream::from(fd);
    let unknown = || PathBuf::from("a passed descriptor");
    let failed = |source| LocalError::File { operation: "use", path: unknown(), source };
    stream.set_nonblocking(false).map_err(failed)?;
    let peer = stream.peer_addr().map_err(failed)?;
    let socket = peer.as_pathname().map_or_else(unknown, Path::to_owned);
    let node = NodeInfo { is_service: false, pid: 0, socket, computer: None, workgroup: None };
    // Ids begin again: nothing is under way on a descriptor that was given away.
    let mut asked = Asked { stream, node, next_id: 1 };
    let nameless = SlotName::new("?")?;
    let opened = asked.open(Body::GetHandle, &nameless)?;
    asked.into_handle(opened)
}

fn decode(answer: &[u8]) -> Result<Body<'_>, LocalError> {
    Ok(Frame::decode(answer)?.into_body())
}

fn slot_info(slot: &ListedSlot<'_>) -> Result<SlotInfo, LocalError> {
    let last_sender = match slot.last_origin {
        OriginKind::NONE => None,
        OriginKind::LOCAL => Some(LastSender::Local { user: slot.last_user, pid: slot.last_pid }),
        _ => Some(LastSender::Network(NetbiosName::from_bytes(slot.last_source))),
    };
    Ok(SlotInfo {
        name: convert::slot_name(slot.name)?,
        owner: slot.owner,
        pid: slot.pid,
        admit: Admit::from_wire(slot.admittance),
        info: convert::info(slot.max_message_size, slot.next_size, slot.message_count, slot.read_timeout),
        servers: slot.servers,
        accepted: slot.accepted,
        read: slot.read,
        dropped: slot.dropped,
        last_sender,
    })
}

fn sent(
    way: WireWay,
    truncated: bool,
    local: bool,
    bytes: u32,
    destination: [u8; 16],
    addresses: &[u8],
) -> Sent {
    let way = match way {
        WireWay::UNIQUE => Way::Unique,
        WireWay::GROUP => Way::Group,
        WireWay::SESSION_139 => Way::Session139,
        WireWay::SESSION_445 => Way::Session445,
        _ => Way::Local,
    };
    let addresses = addresses.chunks_exact(6).filter_map(|bytes| bytes.first_chunk::<6>());
    let addresses = addresses.map(|bytes| convert::address(*bytes));
    Sent {
        way,
        destination: (destination != [0; 16]).then(|| NetbiosName::from_bytes(destination)),
        addresses: addresses.collect(),
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        truncated,
        local,
    }
}
