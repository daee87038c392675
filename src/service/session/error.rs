//! How a session goes wrong.

use core::fmt;
use core::net::SocketAddrV4;

use crate::wire::DecodeError;
use crate::wire::nbss::NegativeCode;
use crate::wire::smb::{DosError, NtStatus};

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The TCP connection.
    Connect,
    /// The NetBIOS session request.
    Call,
    /// NEGOTIATE.
    Negotiate,
    /// SESSION_SETUP_ANDX.
    SessionSetup,
    /// TREE_CONNECT_ANDX.
    TreeConnect,
    /// TRANSACTION, and TRANSACTION_SECONDARY.
    Write,
    /// A remote administration request on `\PIPE\LANMAN`.
    Administration,
    /// TREE_DISCONNECT and LOGOFF_ANDX.
    Close,
}

impl Step {
    /// The step in a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "the TCP connection",
            Self::Call => "the NetBIOS session request",
            Self::Negotiate => "NEGOTIATE",
            Self::SessionSetup => "the anonymous SESSION_SETUP",
            Self::TreeConnect => "TREE_CONNECT to IPC$",
            Self::Write => "the write",
            Self::Administration => "the request for the list",
            Self::Close => "the end of the session",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A status in one of the two forms that Flags2 tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two forms")]
pub enum Status {
    /// An NTSTATUS.
    Nt(NtStatus),
    /// A DOS error.
    Dos(DosError),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nt(status) => status.fmt(f),
            Self::Dos(error) => error.fmt(f),
        }
    }
}

/// Why a TCP connection did not come about, as the driver says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// Nobody listens on the port.
    Refused,
    /// Anything else, in the operating system's words.
    Other(String),
}

/// Why a session, or a write over it, did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is nowhere to connect to.
    #[error("there is no port to connect to")]
    NoTarget,
    /// Nobody listens there.
    #[error("nobody listens on TCP {address}")]
    Closed {
        /// The address and port.
        address: SocketAddrV4,
    },
    /// The TCP connection did not come about.
    #[error("TCP {address} cannot be reached: {reason}")]
    Unreachable {
        /// The address and port.
        address: SocketAddrV4,
        /// What the operating system says.
        reason: String,
    },
    /// No answer in time.
    #[error("TCP {address} did not answer in time ({step})")]
    Timeout {
        /// The address and port.
        address: SocketAddrV4,
        /// What was not answered.
        step: Step,
    },
    /// The peer refuses the NetBIOS session.
    #[error(
        "TCP {address} refuses the NetBIOS session: {}",
        .code.meaning().unwrap_or("an error code that RFC 1002 does not have")
    )]
    Negative {
        /// The address and port.
        address: SocketAddrV4,
        /// Its code.
        code: NegativeCode,
    },
    /// The peer sends us where we do not go.
    #[error("TCP {address} sends the session on to {to}, which is not followed")]
    Retarget {
        /// The address and port.
        address: SocketAddrV4,
        /// Where it sends us: a second time, or out of the subnet.
        to: SocketAddrV4,
    },
    /// The peer speaks no SMB1 with the dialect `NT LM 0.12`.
    #[error("TCP {address} does not speak SMB1, without which there are no mailslots over a session")]
    NoSmb1 {
        /// The address and port.
        address: SocketAddrV4,
    },
    /// The peer refuses.
    #[error("TCP {address} refuses {step}: {status}")]
    Refused {
        /// The address and port.
        address: SocketAddrV4,
        /// What it refuses.
        step: Step,
        /// With which status.
        status: Status,
    },
    /// The peer closed the connection. What was written and not answered may have arrived.
    #[error("TCP {address} closed the connection ({step})")]
    Disconnected {
        /// The address and port.
        address: SocketAddrV4,
        /// During what.
        step: Step,
    },
    /// The peer's bytes are wrong.
    #[error("TCP {address} answered {step} with wrong bytes: {source}")]
    Damaged {
        /// The address and port.
        address: SocketAddrV4,
        /// What it answered.
        step: Step,
        /// What is wrong with them.
        source: DecodeError,
    },
    /// The peer's answer is sound and does not belong there.
    #[error("TCP {address} answered {step} with something else")]
    Unexpected {
        /// The address and port.
        address: SocketAddrV4,
        /// What it answered.
        step: Step,
    },
    /// The message cannot be written: a name that no message has room for, or more than 65,535 bytes.
    #[error("the message cannot be written: {source}")]
    BadMessage {
        /// What is wrong with it.
        source: crate::wire::ValueError,
    },
}

impl SessionError {
    /// During what it went wrong.
    pub const fn step(&self) -> Step {
        match self {
            Self::NoTarget | Self::Closed { .. } | Self::Unreachable { .. } => Step::Connect,
            Self::Negative { .. } | Self::Retarget { .. } => Step::Call,
            Self::NoSmb1 { .. } => Step::Negotiate,
            Self::BadMessage { .. } => Step::Write,
            Self::Timeout { step, .. }
            | Self::Refused { step, .. }
            | Self::Disconnected { step, .. }
            | Self::Damaged { step, .. }
            | Self::Unexpected { step, .. } => *step,
        }
    }

    /// Whether another port of the same computer may do better: it was not the SMB server that said no.
    pub(super) const fn is_of_the_port(&self) -> bool {
        matches!(
            self,
            Self::Closed { .. }
                | Self::Unreachable { .. }
                | Self::Negative { .. }
                | Self::Retarget { .. }
                | Self::Timeout { step: Step::Connect | Step::Call, .. }
                | Self::Disconnected { step: Step::Call, .. }
                | Self::Damaged { step: Step::Call, .. }
                | Self::Unexpected { step: Step::Call, .. }
        )
    }
}
