//! Messages and what is counted about them.

use core::net::SocketAddrV4;
use core::time::Duration;

use bytes::Bytes;

use crate::wire::name::NetbiosName;
use crate::wire::nbss::Framing;

/// A NetBIOS name as it is on the wire: fifteen characters and the suffix.
pub type RawName = [u8; 16];

/// One message of a mailslot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// What was written. May be empty: an empty message is a message.
    pub data: Bytes,
    /// Where it came from.
    pub origin: Origin,
    /// When it was delivered from the network; `None` for a local write, which has no clock.
    pub at: Option<Duration>,
    /// The network address it came from; `None` for a local write.
    pub peer: Option<SocketAddrV4>,
    /// Whether the receiver cut it (profile `nt4`, datagrams over 424 bytes).
    pub truncated: bool,
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A writer on this machine.
    Local,
    /// A NetBIOS datagram (class 2).
    Datagram {
        /// The sender's name.
        source: RawName,
        /// The name it was sent to.
        destination: RawName,
    },
    /// An SMB session (class 1).
    Session {
        /// By the rules of which port.
        framing: Framing,
        /// The caller's name; its address where the rules of port 445 have no names.
        source: RawName,
        /// The name that was called.
        destination: RawName,
    },
}

impl Origin {
    /// The way it came: `local`, `datagram`, `session 139` or `session 445`.
    pub const fn way(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Datagram { .. } => "datagram",
            Self::Session { framing: Framing::Session, .. } => "session 139",
            Self::Session { framing: Framing::Direct, .. } => "session 445",
        }
    }

    /// Who sent it, as the sender calls itself; `None` for a writer on this machine.
    pub const fn source(&self) -> Option<NetbiosName> {
        match self {
            Self::Local => None,
            Self::Datagram { source, .. } | Self::Session { source, .. } => {
                Some(NetbiosName::from_bytes(*source))
            }
        }
    }

    /// The name it was sent to; `None` for a writer on this machine.
    pub const fn destination(&self) -> Option<NetbiosName> {
        match self {
            Self::Local => None,
            Self::Datagram { destination, .. } | Self::Session { destination, .. } => {
                Some(NetbiosName::from_bytes(*destination))
            }
        }
    }
}

/// A message that comes in from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The message. Give bytes that pin no more memory than they show: the slot's bounds count their length.
    pub data: Bytes,
    /// Where it came from.
    pub origin: Origin,
    /// When, since the caller's origin of time.
    pub at: Duration,
    /// The network address it came from, if it came over a network.
    pub peer: Option<SocketAddrV4>,
}

/// A message from the network has reached its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// Bytes of the message that were kept.
    pub bytes: usize,
    /// Whether it was cut to that.
    pub truncated: bool,
}

/// Why a message was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DropReason {
    /// There is no such slot (MS-MAIL 3.2.5.1: discarded without a word).
    #[error("there is no such mailslot")]
    NoSlot,
    /// It is over the slot's `max_message_size`.
    #[error("the message has {size} bytes, the mailslot takes at most {max}")]
    OverMaxMessageSize {
        /// Bytes of the message.
        size: usize,
        /// The slot's `max_message_size`, in bytes.
        max: usize,
    },
    /// The slot holds as many messages as `Limits::messages_per_slot` allows.
    #[error("the mailslot holds {max} messages already")]
    QueueMessages {
        /// The limit.
        max: usize,
    },
    /// The slot's messages would pass `Limits::bytes_per_slot`.
    #[error("the mailslot may hold {max} bytes")]
    QueueBytes {
        /// The limit, in bytes.
        max: usize,
    },
    /// The messages of all slots of its owner would pass the owner's [`Account`](super::Account).
    #[error("the mailslots of its owner may hold {max} bytes together")]
    OwnerBytes {
        /// The limit, in bytes.
        max: usize,
    },
    /// The messages of all slots would pass `Limits::bytes`.
    #[error("all mailslots may hold {max} bytes together")]
    TotalBytes {
        /// The limit, in bytes.
        max: usize,
    },
    /// It came by session to a Windows 9x profile (book chapter, Table 19-1).
    #[error("Windows 9x takes no mailslot message over a session")]
    SessionNotSupported,
}

impl DropReason {
    /// The reason in snake_case, as the field of [`DropCounts`] is called.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoSlot => "no_slot",
            Self::OverMaxMessageSize { .. } => "over_max_message_size",
            Self::QueueMessages { .. } => "queue_messages",
            Self::QueueBytes { .. } => "queue_bytes",
            Self::OwnerBytes { .. } => "owner_bytes",
            Self::TotalBytes { .. } => "total_bytes",
            Self::SessionNotSupported => "session_not_supported",
        }
    }
}

/// Messages that did not reach a reader, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DropCounts {
    /// From the network, for a slot that is not there.
    pub no_slot: u64,
    /// Over the slot's `max_message_size`.
    pub over_max_message_size: u64,
    /// Over `Limits::messages_per_slot`.
    pub queue_messages: u64,
    /// Over `Limits::bytes_per_slot`.
    pub queue_bytes: u64,
    /// Over what all slots of its owner may hold ([`Account`](super::Account)).
    pub owner_bytes: u64,
    /// Over `Limits::bytes`.
    pub total_bytes: u64,
    /// By session to a Windows 9x profile.
    pub session_not_supported: u64,
    /// Written through a handle whose slot is gone.
    pub write_after_close: u64,
    /// Unread when the last server handle closed.
    pub unread_at_close: u64,
}

/// What has happened, on one slot or on all of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// Messages that were queued.
    pub accepted: u64,
    /// Their bytes.
    pub accepted_bytes: u64,
    /// Messages that were handed to readers.
    pub read: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Messages of `accepted` that the receiver cut.
    pub truncated: u64,
    /// Messages lost, by reason.
    pub drops: DropCounts,
}

impl DropCounts {
    /// All of them together.
    pub const fn total(&self) -> u64 {
        self.no_slot
            + self.over_max_message_size
            + self.queue_messages
            + self.queue_bytes
            + self.owner_bytes
            + self.total_bytes
            + self.session_not_supported
            + self.write_after_close
            + self.unread_at_close
    }

    pub(crate) const fn count(&mut self, reason: DropReason) {
        match reason {
            DropReason::NoSlot => self.no_slot += 1,
            DropReason::OverMaxMessageSize { .. } => self.over_max_message_size += 1,
            DropReason::QueueMessages { .. } => self.queue_messages += 1,
            DropReason::QueueBytes { .. } => self.queue_bytes += 1,
            DropReason::OwnerBytes { .. } => self.owner_bytes += 1,
            DropReason::TotalBytes { .. } => self.total_bytes += 1,
            DropReason::SessionNotSupported => self.session_not_supported += 1,
        }
    }
}

impl Stats {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.accepted_bytes += other.accepted_bytes;
        self.read += other.read;
        self.read_bytes += other.read_bytes;
        self.truncated += other.truncated;
        self.drops.no_slot += other.drops.no_slot;
        self.drops.over_max_message_size += other.drops.over_max_message_size;
        self.drops.queue_messages += other.drops.queue_messages;
        self.drops.queue_bytes += other.drops.queue_bytes;
        self.drops.owner_bytes += other.drops.owner_bytes;
        self.drops.total_bytes += other.drops.total_bytes;
        self.drops.session_not_supported += other.drops.session_not_supported;
        self.drops.write_after_close += other.drops.write_after_close;
        self.drops.unread_at_close += other.drops.unread_at_close;
    }
}
