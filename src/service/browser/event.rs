//! What goes into a browser, and what it gives out.

use core::net::Ipv4Addr;

use super::{Conflict, FoundServer, Role, ServerName};
use crate::service::names::NameKind;
use crate::wire::browser::{BROWSE, Criteria, LANMAN, ServerType};
use crate::wire::name::NetbiosName;

/// A well-known slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the two slots of the browser service")]
pub enum Slot {
    /// `\MAILSLOT\BROWSE`.
    Browse,
    /// `\MAILSLOT\LANMAN`.
    Lanman,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Browse, Self::Lanman];

    /// The slot of this name, without `\MAILSLOT\` and in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name().eq_ignore_ascii_case(name))
    }

    /// The path that its reader creates.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Browse => r"\\.\mailslot\BROWSE",
            Self::Lanman => r"\\.\mailslot\LANMAN",
        }
    }

    /// The name, without `\MAILSLOT\`.
    pub const fn name(self) -> &'static [u8] {
        match self {
            Self::Browse => BROWSE,
            Self::Lanman => LANMAN,
        }
    }
}

/// What a browser takes in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A mailslot message.
    Message {
        /// The slot it came to.
        slot: Slot,
        /// Who sent it, by name.
        source: NetbiosName,
        /// The name it was sent to.
        destination: NetbiosName,
        /// Where it came from, if that is known: who counts as one source, and where a local master is looked for whose
        /// name nobody knows ([`Target::Announced`]). Nothing else is learnt from it.
        peer: Option<Ipv4Addr>,
        /// The message.
        data: &'a [u8],
    },
    /// A claimed name is this computer's, or is not to be had, or was taken away.
    Name {
        /// The name.
        name: NetbiosName,
        /// Whether it is this computer's.
        is_ours: bool,
    },
    /// The result of an [`Event::Fetch`].
    Fetched {
        /// Its number.
        id: u64,
        /// The list.
        result: Result<Vec<FoundServer>, FetchFailure>,
    },
}

/// Why a list could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchFailure {
    /// The computer was not found, or did not answer.
    Unreachable,
    /// It answered, but not with its list.
    Refused,
}

/// Whom a message goes to, or whom a list is fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// All on the subnet that have this name: a broadcast.
    Group(NetbiosName),
    /// The computer with this name.
    Computer(NetbiosName),
    /// The computer that has this name, under its own: `NAME<00>`.
    OwnerOf(NetbiosName),
    /// The computer at this address, under its own name.
    Address(Ipv4Addr),
    /// The computer with this name; if that is not found, the one at the address that a message with the name came from.
    /// Anybody can send it from anywhere: the address counts only on a subnet whose requests are answered.
    Announced(NetbiosName, Ipv4Addr),
}

/// What the driver has to do, in this order, and what there is to report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message is to be written.
    Write {
        /// Whom to.
        target: Target,
        /// The slot there.
        slot: Slot,
        /// The message.
        data: Vec<u8>,
    },
    /// A name is to be claimed; [`Input::Name`] is the answer.
    Claim {
        /// The name.
        name: NetbiosName,
        /// Unique or group.
        kind: NameKind,
    },
    /// A name is to be released, or its claim given up.
    Release {
        /// The name.
        name: NetbiosName,
    },
    /// A list is to be fetched by NetServerEnum2; [`Input::Fetched`] is the answer.
    Fetch {
        /// The number.
        id: u64,
        /// From whom.
        from: Target,
        /// Which servers.
        server_type: ServerType,
    },
    /// The role has changed.
    Role(Role),
    /// Another computer has become the local master, or none is known.
    Master(Option<ServerName>),
    /// An election begins, in which this computer stands with these criteria.
    Election {
        /// The criteria.
        criteria: Criteria,
    },
    /// There is another master.
    Conflict(Conflict),
    /// What [`super::Browser::get_backup_list`] asked for; empty if nobody answered.
    Backups(Vec<ServerName>),
}
