//! Who a process is, and whom a slot admits.

use core::sync::atomic::{AtomicU64, Ordering};

use nix::unistd::{Uid, User};

use crate::wire::local::{Admittance, Role};

/// Who may open a slot for writing, besides its owner and the superuser: the place of the security descriptor.
///
/// It is about the programs of this machine. A node on a network takes what comes from there for any of its slots: on
/// these ports nobody is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Admit {
    /// As the node has it: nobody else on a user's node, whoever may connect (its group) on the service's.
    #[default]
    Default,
    /// Nobody else.
    Owner,
    /// The members of this group, by number.
    Group(u32),
    /// Whoever may connect to the node.
    All,
}

impl Admit {
    pub(super) const fn to_wire(self) -> Admittance {
        let (rule, group) = match self {
            Self::Default => (Admittance::DEFAULT, 0),
            Self::Owner => (Admittance::OWNER, 0),
            Self::Group(group) => (Admittance::GROUP, group),
            Self::All => (Admittance::ALL, 0),
        };
        Admittance { rule, group }
    }

    /// A rule that is not known admits nobody else.
    pub(super) const fn from_wire(admittance: Admittance) -> Self {
        match admittance.rule {
            Admittance::DEFAULT => Self::Default,
            Admittance::GROUP => Self::Group(admittance.group),
            Admittance::ALL => Self::All,
            _ => Self::Owner,
        }
    }
}

/// The process at the other end of a connection, as the kernel knows it (`SO_PEERCRED`): when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) pid: u32,
}

impl Peer {
    /// Whether its user is in the group: as its own, or by the system's list of groups.
    fn is_in(self, group: u32) -> bool {
        if self.group == group {
            return true;
        }
        let Ok(Some(user)) = User::from_uid(Uid::from_raw(self.user)) else { return false };
        is_member(user, group)
    }
}

#[cfg(not(target_vendor = "apple"))]
fn is_member(user: User, group: u32) -> bool {
    let Ok(name) = std::ffi::CString::new(user.name) else { return false };
    nix::unistd::getgrouplist(&name, user.gid)
        .is_ok_and(|groups| groups.iter().any(|gid| gid.as_raw() == group))
}

/// nix has no `getgrouplist` there: what the group itself says of its members.
#[cfg(target_vendor = "apple")]
fn is_member(user: User, group: u32) -> bool {
    let gid = nix::unistd::Gid::from_raw(group);
    let listed = nix::unistd::Group::from_gid(gid).ok().flatten();
    user.gid == gid || listed.is_some_and(|listed| listed.mem.contains(&user.name))
}

/// What is known about a slot besides what the registry knows.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) pid: u32,
    pub(super) admit: Admit,
    /// The user and process that last wrote to it.
    last: AtomicU64,
}

impl Owner {
    pub(super) const fn new(peer: Peer, admit: Admit) -> Self {
        Self { user: peer.user, pid: peer.pid, admit, last: AtomicU64::new(0) }
    }

    pub(super) fn admits(&self, peer: Peer, role: Role) -> bool {
        peer.user == 0
            || peer.user == self.user
            || match self.admit {
                Admit::Default => role == Role::SERVICE,
                Admit::Owner => false,
                Admit::Group(group) => peer.is_in(group),
                Admit::All => true,
            }
    }

    pub(super) fn wrote(&self, peer: Peer) {
        self.last.store(u64::from(peer.user) << 32 | u64::from(peer.pid), Ordering::Relaxed);
    }

    /// The user and process that last wrote to it; zeros if none did.
    pub(super) fn last_writer(&self) -> (u32, u32) {
        let last = self.last.load(Ordering::Relaxed).to_be_bytes();
        let [a, b, c, d, e, f, g, h] = last;
        (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
    }
}
