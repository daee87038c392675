//! What a browser is told about itself and its workgroup.

use core::net::Ipv4Addr;

use super::timers::Timers;
use super::{Role, ServerName};
use crate::wire::ValueError;
use crate::wire::browser::{Announcement, Criteria, ElectionOs, ElectionRoles, ServerType, Version};
use crate::wire::name::{NetbiosName, Suffix};

/// What a computer does for the browse list: `MaintainServerList` of Windows, and the domain controllers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Maintain {
    /// It announces itself and keeps no list.
    #[default]
    No,
    /// It is a potential browser, and becomes what it is asked or elected to be.
    Auto,
    /// It is a backup at least.
    Yes,
}

/// The domain controller that a computer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Controller {
    /// None.
    #[default]
    None,
    /// A backup domain controller.
    Backup,
    /// The primary domain controller, and so the domain master.
    Primary,
}

/// Where the domain master is found, with which a local master exchanges lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DomainMaster {
    /// There is none: a workgroup.
    #[default]
    None,
    /// Whoever has the workgroup's name with suffix 1b.
    Registered,
    /// The computer of this name.
    Name(NetbiosName),
    /// The computer at this address.
    Address(Ipv4Addr),
}

/// Whether there are announcements on `\MAILSLOT\LANMAN`, for LAN Manager and OS/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LanmanAnnounce {
    /// None.
    No,
    /// From when a LAN Manager frame of another computer is heard on.
    #[default]
    Auto,
    /// Always.
    Yes,
}

/// The settings of one [`super::Browser`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    pub(super) computer: ServerName,
    pub(super) workgroup: ServerName,
    comment: Vec<u8>,
    /// What it does for the browse list.
    pub maintain: Maintain,
    /// The domain controller that it is.
    pub controller: Controller,
    /// Preferred master (`IsDomainMaster`): it forces an election when it starts.
    pub preferred: bool,
    /// The operating system's version in announcements. 6.1, as Samba says.
    pub os_version: Version,
    /// What it is and offers; the browser roles are added. WORKSTATION, SERVER, XENIX (Unix) and NT, without which
    /// Windows does not show it.
    pub server_type: ServerType,
    /// The operating system in election criteria; `None`: [`ElectionOs::SERVER`] for the primary domain controller,
    /// else [`ElectionOs::WORKSTATION`].
    pub election_os: Option<ElectionOs>,
    /// Whether it uses a name server (WINS), which counts in elections.
    pub uses_nbns: bool,
    /// How long the computer was up when the machine was started, in milliseconds.
    pub uptime: u32,
    /// Where the domain master is.
    pub domain_master: DomainMaster,
    /// Whether there are LAN Manager announcements.
    pub lanman: LanmanAnnounce,
    /// Times and counts.
    pub timers: Timers,
}

impl Config {
    /// A computer in a workgroup that keeps no list.
    pub fn new(computer: &NetbiosName, workgroup: &NetbiosName) -> Self {
        Self {
            computer: computer.into(),
            workgroup: workgroup.into(),
            comment: Vec::new(),
            maintain: Maintain::No,
            controller: Controller::None,
            preferred: false,
            os_version: Version::new(6, 1),
            server_type: ServerType::WORKSTATION | ServerType::SERVER | ServerType::XENIX | ServerType::NT,
            election_os: None,
            uses_nbns: false,
            uptime: 0,
            domain_master: DomainMaster::None,
            lanman: LanmanAnnounce::Auto,
            timers: Timers::DEFAULT,
        }
    }

    /// The comment, in the computer's code page; none at first.
    pub fn comment(&self) -> &[u8] {
        &self.comment
    }

    /// Sets the comment.
    ///
    /// # Errors
    /// More than 42 bytes, or a NUL.
    pub fn set_comment(&mut self, comment: &[u8]) -> Result<(), ValueError> {
        Announcement::new(b"", self.os_version, self.server_type, 0, comment)?;
        self.comment = comment.to_vec();
        Ok(())
    }

    /// The computer name.
    pub const fn computer(&self) -> ServerName {
        self.computer
    }

    /// The workgroup.
    pub const fn workgroup(&self) -> ServerName {
        self.workgroup
    }

    pub(super) fn group(&self, suffix: Suffix) -> NetbiosName {
        self.workgroup.netbios(suffix)
    }

    /// What it is when it is not master.
    pub(super) const fn role(&self) -> Role {
        match (self.controller, self.maintain) {
            (Controller::Primary | Controller::Backup, _) | (_, Maintain::Yes) => Role::Backup,
            (_, Maintain::Auto) => Role::Potential,
            (_, Maintain::No) => Role::NonBrowser,
        }
    }

    /// Whether it forces an election when it starts.
    pub(super) const fn insists(&self) -> bool {
        self.preferred || matches!(self.controller, Controller::Primary)
    }

    /// The criteria in `role`.
    pub(super) fn criteria(&self, role: Role) -> Criteria {
        let os = match (self.election_os, self.controller) {
            (Some(os), _) => os,
            (None, Controller::Primary) => ElectionOs::SERVER,
            (None, _) => ElectionOs::WORKSTATION,
        };
        let mut roles = ElectionRoles::empty();
        roles.set(ElectionRoles::PDC, self.controller == Controller::Primary);
        roles.set(ElectionRoles::DOMAIN_CONTROLLER, self.controller == Controller::Backup);
        roles.set(ElectionRoles::NBNS, self.uses_nbns);
        roles.set(ElectionRoles::PREFERRED, self.preferred);
        roles.set(ElectionRoles::MASTER, role.is_master());
        roles.set(ElectionRoles::BACKUP, role == Role::Backup);
        Criteria::new(os, Version::new(15, 1), roles)
    }

    /// The server type in `role`.
    pub(super) fn server_type(&self, role: Role) -> ServerType {
        let mut bits = self.server_type;
        bits.set(ServerType::POTENTIAL_BROWSER, role != Role::NonBrowser);
        bits.set(ServerType::BACKUP_BROWSER, role == Role::Backup);
        bits.set(ServerType::MASTER_BROWSER, role.is_master());
        bits.set(ServerType::DOMAIN_MASTER, role == Role::DomainMaster);
        bits.set(ServerType::DOMAIN_CTRL, self.controller == Controller::Primary);
        bits.set(ServerType::DOMAIN_BAKCTRL, self.controller == Controller::Backup);
        bits
    }

    /// An announcement of `name`.
    pub(super) fn announcement<'a>(
        &self,
        name: ServerName,
        version: Version,
        server_type: ServerType,
        period: core::time::Duration,
        comment: &'a [u8],
    ) -> Result<Announcement<'a>, ValueError> {
        let periodicity = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
        Announcement::new(name.as_bytes(), version, server_type, periodicity, comment)
    }
}
