//! Why the node of this machine cannot be used.

use std::io;
use std::path::PathBuf;

use crate::node::SendError;
use crate::slot::{MailslotError, Win32Error};
use crate::wire::DecodeError;

/// Why a process has no handle of the machine's node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The node refused the call.
    #[error(transparent)]
    Mailslot(#[from] MailslotError),
    /// No node runs, and the call starts none.
    #[error("no node runs: neither the service at {} nor one of this user", .service.display())]
    NoNode {
        /// The service's socket.
        service: PathBuf,
    },
    /// A socket that was asked for by name cannot be connected.
    #[error("cannot connect to the node at {}: {source}{}", .path.display(), advice(.source))]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A directory or socket that another user could have put there.
    #[error("{} is not safe to use: {reason}; remove it, or set XDG_RUNTIME_DIR", .path.display())]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of the node cannot be made.
    #[error("cannot {operation} {}: {source}", .path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The node could not be started.
    #[error("cannot start a node with {}: {reason}; MAILSLOT_PROGRAM names the program", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The node went away while it was being asked.
    #[error("the node at {} ends each connection: {source}", .path.display())]
    Handshake {
        /// The socket.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The node speaks another version of the protocol.
    #[error(
        "the node speaks version {theirs} of the local protocol, this program {ours}; use the same release"
    )]
    Version {
        /// The node's version.
        theirs: u16,
        /// The version here.
        ours: u16,
    },
    /// The node is of an older release, which has no such request.
    #[error(
        "the node of this machine is of an older release, which cannot {what}; restart it with this release"
    )]
    Older {
        /// What was asked of it.
        what: &'static str,
    },
    /// The node sent what no node sends.
    #[error("the node's answer is wrong: {0}")]
    Answer(#[from] DecodeError),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "\nOnly members of the service's group may use it: see `ls -l` of the socket."
        }
        _ => "",
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
        /// Why, in the words of its [`SendError`].
        reason: String,
        /// The code of that error.
        win32: Win32Error,
    },
}

/// Why the node of this machine gave no answer about the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// There is no node, or it refused the call.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The node went away, or its answer makes no sense.
    #[error("the node of this machine is gone: {reason}")]
    Gone {
        /// What is known about its end.
        reason: String,
    },
    /// The node is one user's own, which has no network.
    #[error("the node of this machine is one user's own, which is not on a LAN; that of `mailslot serve` is")]
    NotOnLan,
    /// The node has asked, and this came of it: what a node of one's own would say, too.
    #[error(transparent)]
    Node(#[from] SendError),
}

impl From<MailslotError> for AskError {
    fn from(error: MailslotError) -> Self {
        match error {
            MailslotError::NodeGone { reason } => Self::Gone { reason },
            error => LocalError::from(error).into(),
        }
    }
}
