//! Messages over a session: class-1 mailslot writes in SMB transactions (RFC 1002 §4.3, MS-CIFS, MS-MAIL).
//!
//! "Class-1 transaction; unverified against a live NT 4": no capture of one is known. A [`Client`] writes to one
//! computer, a [`Server`] is one connection of somebody who writes to us:
//!
//! ```text
//! TCP 139   NBSS request HOST<20>, else *SMBSERVER<20>  →  positive (one retarget inside the subnet is followed)
//! or 445    NEGOTIATE "NT LM 0.12"  →  SESSION_SETUP_ANDX, anonymous, plain or NTLMSSP  →  TREE_CONNECT_ANDX IPC$
//!           →  TRANSACTION {1, priority, 1}, TRANSACTION_SECONDARY …, many at a time;
//!              TRANSACTION on \PIPE\LANMAN, which asks for a browse list  →  TREE_DISCONNECT, LOGOFF_ANDX
//! ```
//!
//! Sessions are anonymous at both ends: no password and no hash is asked for, sent, looked at or kept. An authenticated
//! session would go where the server's `log_on` is, and where the client's `set_up` is.
//!
//! Both are machines without I/O. What they have to send is taken with `take_output`; a connection that has to be
//! opened or closed is an event.

mod assembly;
mod client;
mod error;
mod gate;
mod inbox;
mod ntlmssp;
mod server;
mod writes;

use bytes::BufMut;

pub use assembly::{Assembly, AssemblyError};
pub use client::{Blocks, CallId, Client, ClientConfig, Event as ClientEvent, Target};
pub use error::{ConnectFailure, SessionError, Status, Step};
pub use gate::{Admission, CloseReason, Gate, Refused, ServerStats};
pub use server::{Call, Event as ServerEvent, RequestId, Server, ServerConfig, Write};
pub use writes::{Outgoing, WriteId};

use crate::wire::name::{NetbiosName, Suffix};
use crate::wire::{Encode, nbss};

/// What the two ends say their system is, in ASCII.
const NATIVE_OS: &str = "Unix";
const NATIVE_LAN_MAN: &str = "mailslot";

/// The name by which every server on port 139 can be called (MS-NBTE note <4>).
pub fn any_server() -> NetbiosName {
    // Ten letters and a star: this is a name.
    NetbiosName::from_oem(b"*SMBSERVER", Suffix::SERVER).unwrap_or(NetbiosName::WILDCARD)
}

/// Appends an SMB message with its header of the session service.
fn put_message(out: &mut Vec<u8>, message: &[u8]) {
    // What is built here has one block of 16-bit lengths, or a short chain: it fits 17 bits.
    if let Ok(header) = nbss::message_header(message.len()) {
        out.put_slice(&header);
        out.put_slice(message);
    }
}

fn put_packet(out: &mut Vec<u8>, packet: &nbss::Packet<'_>) {
    packet.encode(out);
}
