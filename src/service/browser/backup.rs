//! Potential browsers and backups, and clients: how they find the master, and what they do without one
//! (MS-BRWS 3.1, 3.3.5.1).

use core::time::Duration;

use super::timers::{self, FIND_MASTER_COUNT, GET_BACKUP_LIST_COUNT, expiry};
use super::{Browser, DropReason, Event, Purpose, Role, ServerName, Target};
use crate::wire::Encode;
use crate::wire::browser::{
    Announcement, BrowserFrame, Criteria, GetBackupListRequest, GetBackupListResponse, ServerType,
};
use crate::wire::name::{NetbiosName, Suffix};

/// FindMaster: AnnouncementRequests to the name 1d until its owner is heard.
#[derive(Debug)]
pub(super) struct Find {
    pub(super) due: Duration,
    sent: u32,
}

/// A client's question for backups.
#[derive(Debug)]
pub(super) struct BackupQuery {
    pub(super) due: Duration,
    sent: u32,
    token: u32,
}

/// The local master, as it announced itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownMaster {
    pub(super) name: ServerName,
    pub(super) expires: Duration,
}

/// The names in a GetBackupListResponse: no more than 32, none of more than 16 bytes.
pub(super) fn names(frame: &GetBackupListResponse<'_>) -> Vec<ServerName> {
    let names = frame.backup_servers.iter().filter(|name| name.len() <= 16);
    names.filter_map(ServerName::from_wire).take(32).collect()
}

impl Browser {
    /// Looks for the master; if there is none, there is an election.
    pub(super) fn find_master(&mut self) {
        if self.role == Role::NonBrowser
            || self.role.is_master()
            || self.election.is_running()
            || self.claiming
        {
            return;
        }
        self.find.get_or_insert(Find { due: self.now, sent: 0 });
    }

    pub(super) fn find_due(&mut self) {
        let Some(find) = self.find.as_mut().filter(|find| find.due <= self.now) else { return };
        if find.sent >= FIND_MASTER_COUNT {
            self.find = None;
            self.start_election();
            return;
        }
        find.sent += 1;
        find.due = self.now.saturating_add(self.config.timers.find_master);
        self.request_announcements(Suffix::LOCAL_MASTER_BROWSER);
    }

    /// Whoever is no master learns who it is. A master meets another one.
    pub(super) fn local_master_announced(
        &mut self,
        destination: &NetbiosName,
        frame: &Announcement<'_>,
    ) -> Result<(), DropReason> {
        if *destination != self.config.group(Suffix::BROWSER_ELECTIONS) {
            return Err(DropReason::OtherGroup);
        }
        let server = super::master::read_server(frame)?;
        if server.name == self.config.computer {
            return Err(DropReason::Own);
        }
        let period = Duration::from_millis(frame.periodicity.into());
        if server.server_type.is_empty() {
            return self.master_leaves(server.name);
        }
        if self.role.is_master() {
            self.meet_master(server.server_type);
            return Ok(());
        }
        if self.role == Role::NonBrowser {
            return Err(DropReason::NotBrowser);
        }
        self.find = None;
        self.watch = None;
        let known = self.master.map(|master| master.name);
        // Of masters there is no longer period, whatever this one says: nobody else is master until it is over.
        let period =
            period.min(timers::LOCAL_MASTER_ANNOUNCEMENTS[timers::LOCAL_MASTER_ANNOUNCEMENTS.len() - 1]);
        self.master = Some(KnownMaster { name: server.name, expires: expiry(self.now, period) });
        if known != Some(server.name) {
            self.events.push_back(Event::Master(Some(server.name)));
            if core::mem::take(&mut self.wanted_as_backup) {
                self.set_role(Role::Backup);
            }
            if self.role == Role::Backup {
                // One that does not give its list is found again at once: it is not asked again at once.
                let soonest = self.exchanged.map(|at| at.saturating_add(timers::FETCH));
                self.exchange = Some(soonest.unwrap_or(self.now).max(self.now));
            }
        }
        Ok(())
    }

    fn master_leaves(&mut self, name: ServerName) -> Result<(), DropReason> {
        self.servers.remove(&name);
        if self.role.is_master() {
            return Ok(());
        }
        if self.role == Role::NonBrowser {
            return Err(DropReason::NotBrowser);
        }
        if self.master.is_none_or(|master| master.name != name) {
            return Err(DropReason::Already);
        }
        self.forget_master();
        self.start_election();
        Ok(())
    }

    fn forget_master(&mut self) {
        self.master = None;
        self.events.push_back(Event::Master(None));
    }

    /// A master that is silent for three of its periods is gone, and so is the winner of an election that never came.
    pub(super) fn master_due(&mut self) {
        if self.master.is_some_and(|master| master.expires <= self.now) {
            self.forget_master();
            self.find_master();
        }
        if self.watch.is_some_and(|at| at <= self.now) {
            self.watch = None;
            self.find_master();
        }
    }

    /// BecomeBackup: a potential browser takes the role, once it knows the master (MS-BRWS 3.3.5.1).
    pub(super) fn become_backup(&mut self, destination: &NetbiosName, name: &[u8]) -> Result<(), DropReason> {
        let own = self.config.computer;
        if *destination != self.config.group(Suffix::BROWSER_ELECTIONS)
            && *destination != own.netbios(Suffix::WORKSTATION)
        {
            return Err(DropReason::OtherGroup);
        }
        let name = ServerName::from_wire(name).ok_or(DropReason::NoName)?;
        match self.role {
            Role::NonBrowser => return Err(DropReason::NotBrowser),
            _ if name != own => return Err(DropReason::OtherComputer),
            Role::Backup | Role::LocalMaster | Role::DomainMaster => return Err(DropReason::Already),
            Role::Potential => {}
        }
        if self.master.is_some() {
            self.set_role(Role::Backup);
            self.exchange = Some(self.now);
        } else {
            self.wanted_as_backup = true;
            self.find_master();
        }
        Ok(())
    }

    /// Every 12 minutes: a backup with its master.
    pub(super) fn exchange_with_master(&mut self) {
        match self.master {
            Some(master) => {
                self.exchanged = Some(self.now);
                let from = Target::Computer(master.name.netbios(Suffix::SERVER));
                self.fetch(Purpose::Backup, from, ServerType::DOMAIN_ENUM);
                self.fetch(Purpose::Backup, from, ServerType::all());
            }
            None => self.find_master(),
        }
    }

    pub(super) fn exchange_due(&mut self) {
        if self.exchange.is_none_or(|at| at > self.now) {
            return;
        }
        self.exchange = Some(self.now.saturating_add(self.config.timers.list_exchange));
        match self.role {
            Role::LocalMaster | Role::DomainMaster => self.exchange_with_domain_master(),
            Role::Backup => self.exchange_with_master(),
            Role::Potential | Role::NonBrowser => self.exchange = None,
        }
    }

    /// Asks the local master for up to 4 backups, as Windows does; [`Event::Backups`] is the answer. No answer to three
    /// requests, and there is an election, as a client forces it (MS-BRWS 3.1.6).
    pub fn get_backup_list(&mut self, now: Duration) {
        self.tick(now);
        if self.backup_query.is_none() {
            let [a, b, c, d, ..] = self.random.next_u64().to_le_bytes();
            let token = u32::from_le_bytes([a, b, c, d]);
            self.backup_query = Some(BackupQuery { due: self.now, sent: 0, token });
            self.backup_query_due();
        }
    }

    pub(super) fn backup_query_due(&mut self) {
        let Some(query) = self.backup_query.as_mut().filter(|query| query.due <= self.now) else { return };
        if query.sent >= GET_BACKUP_LIST_COUNT {
            self.backup_query = None;
            self.events.push_back(Event::Backups(Vec::new()));
            self.force_election(self.now);
            return;
        }
        query.sent += 1;
        query.due = self.now.saturating_add(self.config.timers.get_backup_list);
        let frame = BrowserFrame::GetBackupListRequest(GetBackupListRequest::new(4, query.token));
        self.write_group(Suffix::LOCAL_MASTER_BROWSER, frame.to_bytes());
    }

    pub(super) fn backups_told(&mut self, frame: &GetBackupListResponse<'_>) -> Result<(), DropReason> {
        if self.backup_query.as_ref().is_none_or(|query| query.token != frame.token) {
            return Err(DropReason::Unsolicited);
        }
        let names = names(frame);
        if names.is_empty() {
            // The request stays open: another answer may have names.
            return Err(DropReason::NoName);
        }
        self.backup_query = None;
        self.events.push_back(Event::Backups(names));
        Ok(())
    }

    /// Has the workgroup elect its master anew (`browstat elect`): a RequestElection that everybody beats.
    pub fn force_election(&mut self, now: Duration) {
        self.tick(now);
        self.request_election(Criteria(0), 0);
        self.start_election();
    }
}
