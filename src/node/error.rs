//! What the operating system, or the LAN, does not let a node do; and why a message was not sent.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};
use std::io;

use super::codes::session_code;
use crate::service::names::{Refusal, RegisterError, ResolveError};
use crate::service::session::{SessionError, Status, Step};
use crate::slot::{MailslotError, Win32Error};
use crate::wire::ValueError;
use crate::wire::name::NetbiosName;
use crate::wire::smb::NtStatus;

/// Why a node does not run, or does not have its names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The list of interfaces is not to be had.
    #[error("cannot list the network interfaces: {source}")]
    Interfaces {
        /// What the operating system says.
        source: io::Error,
    },
    /// A chosen interface is not there.
    #[error("there is no interface '{wanted}'; there are: {available}")]
    NoSuchInterface {
        /// As it was chosen.
        wanted: String,
        /// The interfaces that are there.
        available: String,
    },
    /// A name or the scope cannot be one.
    #[error("'{text}' cannot be the {what}: {source}")]
    BadName {
        /// Which name.
        what: &'static str,
        /// As it was given.
        text: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A socket is not to be had.
    #[error("cannot listen on UDP {address} for the {service}: {source}{}", Advice(*.address, .source, .holder))]
    Bind {
        /// `name service` or `datagram service`.
        service: &'static str,
        /// The address and port.
        address: SocketAddrV4,
        /// Who has the port, as far as can be seen.
        holder: Option<String>,
        /// What the operating system says.
        source: io::Error,
    },
    /// A port for sessions is not to be had. The node runs without it.
    #[error("cannot listen on TCP {address} for sessions: {source}{}", SessionAdvice(*.address, .source))]
    BindSession {
        /// The address and port.
        address: SocketAddrV4,
        /// What the operating system says.
        source: io::Error,
    },
    /// A socket does not take a setting.
    #[error("cannot set up the socket of UDP {address} ({operation}): {source}")]
    Socket {
        /// Which setting.
        operation: &'static str,
        /// The address and port.
        address: SocketAddrV4,
        /// What the operating system says.
        source: io::Error,
    },
    /// A name cannot be claimed.
    #[error("cannot claim the name {name}: {source}")]
    Register {
        /// The name.
        name: NetbiosName,
        /// Why.
        source: RegisterError,
    },
    /// A name is another's.
    #[error("the name {name} is not to be had on {interface}: {}; choose another with --name", Because(.refusal))]
    NameRefused {
        /// The name.
        name: NetbiosName,
        /// The address of this node on the interface.
        interface: Ipv4Addr,
        /// Who says so.
        refusal: Refusal,
    },
    /// A well-known slot of the browser service is not to be had.
    #[error("the browser service cannot have its slot: {source}")]
    WellKnownSlot {
        /// Why.
        source: MailslotError,
    },
    /// No randomness is to be had.
    #[error("the operating system gives no random numbers: {reason}")]
    Random {
        /// What it says.
        reason: String,
    },
    /// A runtime cannot be started.
    #[error("cannot start the runtime of a blocking node: {source}")]
    Runtime {
        /// What the operating system says.
        source: io::Error,
    },
    /// The node was shut down.
    #[error("the node was shut down")]
    ShutDown,
}

/// What to do about a port.
struct Advice<'a>(SocketAddrV4, &'a io::Error, &'a Option<String>);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(address, error, holder) = self;
        match error.kind() {
            io::ErrorKind::PermissionDenied if address.port() < 1024 => f.write_str(
                "\nPorts below 1024 are not for everybody. Give the program the right to them once:\n    \
                 sudo setcap cap_net_bind_service+ep $(readlink -f $(command -v mailslot))\n\
                 or use other ports: --name-port 10137 --datagram-port 10138",
            ),
            io::ErrorKind::AddrInUse => {
                match holder {
                    Some(holder) => write!(f, "\nThe port is held by {holder}.")?,
                    None => f.write_str("\nAnother program holds the port without sharing it.")?,
                }
                f.write_str(
                    " Stop it, use another address (--interface), or use other ports: \
                     --name-port and --datagram-port",
                )
            }
            io::ErrorKind::AddrNotAvailable => {
                f.write_str("\nNo interface of this machine has that address now.")
            }
            _ => Ok(()),
        }
    }
}

/// What to do about a port for sessions.
struct SessionAdvice<'a>(SocketAddrV4, &'a io::Error);

impl fmt::Display for SessionAdvice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(address, error) = self;
        f.write_str("\nDatagrams come in all the same; messages that are longer do not.")?;
        match error.kind() {
            io::ErrorKind::PermissionDenied if address.port() < 1024 => f.write_str(
                " Ports below 1024 are not for everybody. Give the program the right to them once:\n    \
                 sudo setcap cap_net_bind_service+ep $(readlink -f $(command -v mailslot))",
            ),
            io::ErrorKind::AddrInUse => f.write_str(" Another program, such as smbd, has the port."),
            _ => Ok(()),
        }
    }
}

/// A refusal in words.
pub(super) struct Because<'a>(pub(super) &'a Refusal);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Refusal::Owner(address) => write!(f, "{address} has it"),
            Refusal::Rival(address) => write!(f, "{address} claimed it at the same time"),
            Refusal::Server { server, rcode } => write!(f, "the name server {server} says {rcode}"),
        }
    }
}

/// Why a message was not sent, with the Win32 code of the write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The caller's mistake, or a local slot's.
    #[error(transparent)]
    Mailslot(#[from] MailslotError),
    /// The name cannot be one of a computer or domain.
    #[error("'{name}' cannot be the name of a computer or domain: {source}")]
    BadName {
        /// As it was given.
        name: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// Nobody has the name.
    #[error("no computer or domain {name} was found: {source}")]
    NameNotFound {
        /// The name that was asked for.
        name: NetbiosName,
        /// How asking ended.
        source: ResolveError,
    },
    /// The message is too long for a datagram, and no session brought it to its slot.
    #[error("a message of {size} bytes to {name} goes by SMB session only: {source}{}", Instead(.source))]
    Session {
        /// The computer.
        name: NetbiosName,
        /// Bytes of the message.
        size: usize,
        /// What is wrong with the session, or what the other end says of the write.
        source: SessionError,
    },
    /// The node is on no network now.
    #[error("no network interface is up")]
    NoNetwork,
    /// No interface of the node has this broadcast address.
    #[error("{broadcast} is the broadcast address of no interface; there are: {}", none_if_empty(.available))]
    NoSubnet {
        /// The broadcast address that was given.
        broadcast: Ipv4Addr,
        /// Those of the interfaces.
        available: String,
    },
    /// The operating system did not send it.
    #[error("cannot send to {address}: {source}")]
    Network {
        /// Where to.
        address: SocketAddrV4,
        /// What the operating system says.
        source: io::Error,
    },
    /// The node was shut down.
    #[error("the node was shut down")]
    ShutDown,
}

const fn none_if_empty(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// What would go where a session does not.
struct Instead<'a>(&'a SessionError);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let SessionError::Refused { step: Step::Write, status: Status::Nt(status), .. } = self.0 {
            match *status {
                NtStatus::OBJECT_NAME_NOT_FOUND => return f.write_str("\nIt has no mailslot of that name."),
                NtStatus::INSUFF_SERVER_RESOURCES => {
                    return f.write_str(
                        "\nThe message is larger than its mailslot takes, or the mailslot is full.",
                    );
                }
                NtStatus::NOT_SUPPORTED | NtStatus::NOT_IMPLEMENTED => {
                    f.write_str("\nIts server takes no mailslot messages; that of Samba never does.")?;
                }
                _ => {}
            }
        }
        match session_code(self.0) {
            Win32Error::ERROR_NOT_SUPPORTED
            | Win32Error::ERROR_BAD_NETPATH
            | Win32Error::ERROR_SEM_TIMEOUT => f.write_str(
                "\nUp to 424 bytes go by datagram, which needs no session; with --profile win9x longer \
                     messages do too, to receivers that take them.",
            ),
            _ => Ok(()),
        }
    }
}
