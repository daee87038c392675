//! What a node tells about itself and its slots.

use std::path::PathBuf;

use super::access::Admit;
use super::convert;
use crate::slot::{Info, MailslotError, SlotName};
use crate::wire::local::{ListedSlot, OriginKind};
use crate::wire::name::NetbiosName;

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

pub(super) fn slot_info(slot: &ListedSlot<'_>) -> Result<SlotInfo, MailslotError> {
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
