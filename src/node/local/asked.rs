//! A connection that is no handle yet: the first words with a node, and one request after another.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::handle::Remote;
use super::info::NodeInfo;
use super::{LocalError, convert};
use crate::slot::{MailslotError, SlotName};
use crate::wire::local::{Body, Failure, FailureCode, Frame, HEADER, Role, VERSION, frame_length};
use crate::wire::name::NetbiosName;
use crate::wire::{Decode, Encode};

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

    pub(super) fn greet((stream, socket): (UnixStream, PathBuf)) -> Result<Self, LocalError> {
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

    pub(super) fn call(&mut self, body: Body<'_>) -> Result<Vec<u8>, LocalError> {
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

    pub(super) fn into_handle(self, (name, access): Opened) -> Result<Remote, LocalError> {
        Remote::new(self.stream, self.node.socket, name, access)
    }

    pub(super) fn into_parts(self) -> (UnixStream, NodeInfo) {
        (self.stream, self.node)
    }

    pub(super) fn into_node(self) -> NodeInfo {
        self.node
    }

    pub(super) fn unexpected(&self) -> LocalError {
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

pub(super) fn decode(answer: &[u8]) -> Result<Body<'_>, LocalError> {
    Ok(Frame::decode(answer)?.into_body())
}
