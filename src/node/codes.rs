//! The Win32 code of every error of the node's API, in this one place; `codes.md` beside it is the same as a table, which
//! `tests/node/codes.rs` holds against it.

use std::io;

#[cfg(unix)]
use super::local::{AskError, LocalError, RemoteSendError};
use super::{NodeError, SendError, ServerEnumError};
use crate::service::browser::EnumError;
use crate::service::names::RegisterError;
use crate::service::session::{SessionError, Status, Step};
use crate::slot::Win32Error;
use crate::wire::smb::{DosError, NtStatus};

impl NodeError {
    /// The Win32 error code, as `GetLastError` would give it. [All of them](crate::node#win32-codes).
    pub fn win32(&self) -> Win32Error {
        match self {
            Self::Interfaces { .. } => Win32Error::ERROR_UNEXP_NET_ERR,
            Self::NoSuchInterface { .. } => Win32Error::ERROR_DEV_NOT_EXIST,
            Self::BadName { what: "computer name", .. } => Win32Error::ERROR_INVALID_COMPUTERNAME,
            Self::BadName { what: "workgroup", .. } => Win32Error::ERROR_INVALID_DOMAINNAME,
            Self::BadName { .. } => Win32Error::ERROR_INVALID_NAME,
            Self::Bind { source, .. } | Self::BindSession { source, .. } | Self::Socket { source, .. } => {
                socket_code(source)
            }
            Self::Register { source, .. } => match source {
                RegisterError::Exists(_) => Win32Error::ERROR_DUP_NAME,
                RegisterError::Wildcard(_) => Win32Error::ERROR_INVALID_NAME,
                RegisterError::TooMany { .. } => Win32Error::ERROR_TOO_MANY_NAMES,
                RegisterError::NoNameServer => Win32Error::ERROR_INVALID_PARAMETER,
            },
            Self::NameRefused { .. } => Win32Error::ERROR_DUP_NAME,
            Self::WellKnownSlot { source } => source.win32(),
            Self::Random { .. } | Self::Runtime { .. } => Win32Error::ERROR_NO_SYSTEM_RESOURCES,
            Self::ShutDown => Win32Error::ERROR_INVALID_HANDLE,
        }
    }
}

/// What a call on a socket gives.
fn socket_code(error: &io::Error) -> Win32Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Win32Error::ERROR_ACCESS_DENIED,
        io::ErrorKind::AddrInUse => Win32Error::WSAEADDRINUSE,
        io::ErrorKind::AddrNotAvailable => Win32Error::WSAEADDRNOTAVAIL,
        _ => Win32Error::ERROR_UNEXP_NET_ERR,
    }
}

impl SendError {
    /// The Win32 error code, as `GetLastError` would give it after `WriteFile`. [All of them](crate::node#win32-codes).
    pub const fn win32(&self) -> Win32Error {
        match self {
            Self::Mailslot(error) => error.win32(),
            Self::Session { source, .. } => session_code(source),
            Self::BadName { .. }
            | Self::NameNotFound { .. }
            | Self::NoNetwork
            | Self::NoSubnet { .. }
            | Self::Network { .. } => Win32Error::ERROR_BAD_NETPATH,
            Self::ShutDown => Win32Error::ERROR_INVALID_HANDLE,
        }
    }
}

impl ServerEnumError {
    /// The Win32 error code, as `NetServerEnum` would give it. [All of them](crate::node#win32-codes).
    pub const fn win32(&self) -> Win32Error {
        match self {
            Self::NotFound(error) => error.win32(),
            Self::Session { source, .. } => session_code(source),
            Self::List { source: EnumError::Status(status), .. } => Win32Error::new(status.0 as u32),
            Self::List { .. } => Win32Error::ERROR_UNEXP_NET_ERR,
            Self::Timeout { .. } => Win32Error::ERROR_SEM_TIMEOUT,
        }
    }
}

#[cfg(unix)]
impl LocalError {
    /// The Win32 error code, as `GetLastError` would give it. [All of them](crate::node#win32-codes).
    pub fn win32(&self) -> Win32Error {
        match self {
            Self::Mailslot(error) => error.win32(),
            Self::NoNode { .. } => Win32Error::ERROR_FILE_NOT_FOUND,
            Self::Connect { source, .. }
                if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                Win32Error::ERROR_FILE_NOT_FOUND
            }
            Self::Connect { .. } | Self::Unsafe { .. } | Self::File { .. } => Win32Error::ERROR_ACCESS_DENIED,
            Self::Start { .. } | Self::Handshake { .. } => Win32Error::ERROR_NO_SYSTEM_RESOURCES,
            Self::Version { .. } | Self::Older { .. } | Self::Answer(_) => Win32Error::ERROR_NOT_SUPPORTED,
        }
    }
}

#[cfg(unix)]
impl RemoteSendError {
    /// The Win32 error code, as `GetLastError` would give it after `WriteFile`. [All of them](crate::node#win32-codes).
    pub fn win32(&self) -> Win32Error {
        match self {
            Self::Local(error) => error.win32(),
            Self::NoNetwork => SendError::NoNetwork.win32(),
            Self::Refused { win32, .. } => *win32,
        }
    }
}

#[cfg(unix)]
impl AskError {
    /// The Win32 error code, as `GetLastError` would give it. [All of them](crate::node#win32-codes).
    pub fn win32(&self) -> Win32Error {
        match self {
            Self::Local(error) => error.win32(),
            Self::Gone { .. } => Win32Error::ERROR_BROKEN_PIPE,
            Self::NotOnLan => SendError::NoNetwork.win32(),
            Self::Node(error) => error.win32(),
        }
    }
}

/// What `WriteFile` gives for a session that went wrong.
pub(super) const fn session_code(error: &SessionError) -> Win32Error {
    match error {
        SessionError::NoTarget
        | SessionError::Closed { .. }
        | SessionError::Unreachable { .. }
        | SessionError::Negative { .. }
        | SessionError::Retarget { .. }
        | SessionError::Disconnected { step: Step::Connect | Step::Call, .. } => {
            Win32Error::ERROR_BAD_NETPATH
        }
        SessionError::Timeout { .. } => Win32Error::ERROR_SEM_TIMEOUT,
        SessionError::NoSmb1 { .. } => Win32Error::ERROR_NOT_SUPPORTED,
        SessionError::Refused { status, .. } => status_code(*status),
        SessionError::BadMessage { .. } => Win32Error::ERROR_INVALID_PARAMETER,
        SessionError::Disconnected { .. }
        | SessionError::Damaged { .. }
        | SessionError::Unexpected { .. } => Win32Error::ERROR_UNEXP_NET_ERR,
    }
}

const fn status_code(status: Status) -> Win32Error {
    match status {
        // As a refusal, not as what `RtlNtStatusToDosError` makes of them: 1 and 1326.
        Status::Nt(NtStatus::NOT_IMPLEMENTED) => Win32Error::ERROR_NOT_SUPPORTED,
        Status::Nt(NtStatus::LOGON_FAILURE) => Win32Error::ERROR_ACCESS_DENIED,
        // A status that is no error is none that a peer refuses with.
        Status::Nt(status) if status.is_error() => match Win32Error::from_ntstatus(status.0) {
            Some(code) => code,
            None => Win32Error::ERROR_UNEXP_NET_ERR,
        },
        Status::Dos(DosError { class: DosError::ERRDOS, code, .. }) => Win32Error::new(code as u32),
        _ => Win32Error::ERROR_UNEXP_NET_ERR,
    }
}
