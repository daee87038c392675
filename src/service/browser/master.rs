//! The local master and the domain master: how a computer becomes one, what it does, how it ceases (MS-BRWS 3.3).

use core::net::Ipv4Addr;
use core::time::Duration;

use super::conflict::Conflict;
use super::election::{Candidate, Step};
use super::timers::{self, LIST_EXCHANGE};
use super::{
    Browser, Change, DomainMaster, DropReason, Event, FetchFailure, FoundServer, NameKind, Purpose, Role,
    Server, ServerName, Slot, Source, Target,
};
use crate::wire::Encode;
use crate::wire::browser::{
    Announcement, BrowserFrame, Criteria, GetBackupListRequest, GetBackupListResponse, NameFrame,
    RequestElection, ServerType, Version,
};
use crate::wire::name::{NetbiosName, Suffix};

/// So many names fit a message of 424 bytes, the most that a datagram carries everywhere.
const BACKUP_LIST_MAX: usize = 26;

impl Browser {
    /// Begins an election, unless one is running.
    pub(super) fn start_election(&mut self) {
        let timers = &self.config.timers;
        let delay = match self.role {
            Role::NonBrowser => return,
            Role::Potential => timers.election_potential,
            Role::Backup => timers.election_backup,
            Role::LocalMaster | Role::DomainMaster => [timers.election_master; 2],
        };
        let [least, most] = delay;
        let first = self.now.saturating_add(self.random_time(least, most));
        if self.election.start(first) {
            self.find = None;
            self.stats.elections += 1;
            self.events.push_back(Event::Election { criteria: self.config.criteria(self.role()) });
        }
    }

    pub(super) fn election_due(&mut self) {
        while let Some(step) = self.election.step(self.now, self.config.timers.election_round) {
            match step {
                Step::Send => {
                    let criteria = self.config.criteria(self.role());
                    let uptime = self.election_uptime();
                    self.request_election(criteria, uptime);
                }
                Step::Won => {
                    self.stats.elections_won += 1;
                    self.election_won();
                }
                Step::Lost => {
                    self.stats.elections_lost += 1;
                    self.lose_mastership();
                    // Whatever it is that nobody answers to: it is not asked again soon.
                    self.watch = Some(self.now.saturating_add(self.config.timers.list_exchange));
                }
            }
        }
    }

    pub(super) fn request_election(&mut self, criteria: Criteria, uptime: u32) {
        let Ok(frame) = RequestElection::new(criteria, uptime, self.config.computer.as_bytes()) else {
            return;
        };
        let frame = BrowserFrame::RequestElection(frame).to_bytes();
        self.see_election();
        self.write_group(Suffix::BROWSER_ELECTIONS, frame);
    }

    /// A RequestElection was heard or is sent; one that comes after a while of quiet is a new election's.
    pub(super) fn see_election(&mut self) {
        let quiet = |last: Duration| self.now >= last.saturating_add(timers::ELECTION_QUIET);
        self.stats.elections_seen += u64::from(self.election_heard.is_none_or(quiet));
        self.election_heard = Some(self.now);
    }

    /// A RequestElection: whoever is stronger answers with one of its own, whoever is weaker gives up.
    pub(super) fn election_requested(&mut self, frame: &RequestElection<'_>) -> Result<(), DropReason> {
        if self.role == Role::NonBrowser {
            return Err(DropReason::NotBrowser);
        }
        let theirs = Candidate::from(frame);
        let own = self.config.computer;
        let uptime = self.election_uptime();
        let own = Candidate { criteria: self.config.criteria(self.role()), uptime, name: own.as_bytes() };
        if own >= theirs {
            self.start_election();
            return Ok(());
        }
        self.lose_mastership();
        self.master = None;
        self.watch = Some(self.now.saturating_add(self.config.timers.election_watch));
        Ok(())
    }

    fn election_won(&mut self) {
        if self.role.is_master() {
            self.election.settle();
            // The others have to know who stayed.
            self.announce.start(self.now);
        } else if !self.claiming {
            self.claiming = true;
            self.claim(Suffix::LOCAL_MASTER_BROWSER, NameKind::Unique);
        }
    }

    /// The claim of the name 1d has its result.
    pub(super) fn local_master_claimed(&mut self, is_ours: bool) {
        if !core::mem::take(&mut self.claiming) {
            return;
        }
        if !is_ours {
            // Another one has it still, or again (MS-BRWS 3.3.5.8).
            self.start_election();
            return;
        }
        self.election.settle();
        self.events.push_back(Event::Claim { name: NetbiosName::MSBROWSE, kind: NameKind::Group });
        self.master = None;
        self.watch = None;
        self.find = None;
        self.fetches.clear();
        self.set_role(Role::LocalMaster);
        if self.servers.len() <= 1 {
            self.request_announcements(Suffix::WORKSTATION);
        }
        self.exchange = Some(self.now);
        self.promote_soon();
    }

    /// Whatever it is that ends an election before it is won.
    pub(super) fn lose_election(&mut self) {
        self.stats.elections_lost += u64::from(self.election.is_running());
        self.election.lose();
    }

    /// Ceases to be master, or to want to be.
    pub(super) fn lose_mastership(&mut self) {
        self.lose_election();
        self.find = None;
        if self.claiming || self.role.is_master() {
            self.claiming = false;
            self.events.push_back(Event::Release { name: self.config.group(Suffix::LOCAL_MASTER_BROWSER) });
        }
        if self.role.is_master() {
            self.events.push_back(Event::Release { name: NetbiosName::MSBROWSE });
            self.promote = None;
            self.fetches.clear();
            self.set_role(self.config.role());
        }
    }

    /// A HostAnnouncement, which a local master alone listens to.
    pub(super) fn host_announced(
        &mut self,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        frame: &Announcement<'_>,
    ) -> Result<(), DropReason> {
        if *destination != self.config.group(Suffix::LOCAL_MASTER_BROWSER) {
            return Err(DropReason::OtherGroup);
        }
        let server = read_server(frame)?;
        self.take_server(server, peer, Duration::from_millis(frame.periodicity.into()))
    }

    /// A server of the workgroup says that it is there, or that it leaves.
    pub(super) fn take_server(
        &mut self,
        server: Server<'_>,
        peer: Option<Ipv4Addr>,
        period: Duration,
    ) -> Result<(), DropReason> {
        if !self.role.is_master() {
            return Err(DropReason::NotMaster);
        }
        if server.name == self.config.computer {
            return Err(DropReason::Own);
        }
        if server.server_type.contains(ServerType::MASTER_BROWSER) {
            self.meet_master(server.server_type);
            if !self.role.is_master() {
                return Ok(());
            }
        }
        let before = self.servers.len();
        if server.server_type.is_empty() {
            self.servers.remove(&server.name);
        } else if self.servers.hear_from(self.now, server, peer, period) == Change::Full {
            return Err(DropReason::ListFull);
        }
        // Also a known one may have become, or ceased to be, a backup.
        if before != self.servers.len() || server.server_type.contains(ServerType::POTENTIAL_BROWSER) {
            self.promote_soon();
        }
        Ok(())
    }

    /// There is another master.
    pub(super) fn meet_master(&mut self, server_type: ServerType) {
        let conflict = Conflict::decide(self.config.controller, server_type);
        self.stats.conflict(conflict);
        self.events.push_back(Event::Conflict(conflict));
        match conflict {
            Conflict::StayAndElect | Conflict::Elect => self.start_election(),
            Conflict::GiveUp => {
                self.lose_mastership();
                // Anybody can say that it is a domain controller.
                self.watch = Some(self.now.saturating_add(self.config.timers.election_watch));
            }
        }
    }

    /// Another workgroup's master names itself.
    pub(super) fn domain_announced(
        &mut self,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        frame: &Announcement<'_>,
    ) -> Result<(), DropReason> {
        if *destination != NetbiosName::MSBROWSE {
            return Err(DropReason::OtherGroup);
        }
        if !self.role.is_master() {
            return Err(DropReason::NotMaster);
        }
        let domain = read_server(frame)?;
        if domain.name == self.config.workgroup {
            // Of another master of the same workgroup the LocalMasterAnnouncement decides.
            return Err(DropReason::Already);
        }
        let period = Duration::from_millis(frame.periodicity.into());
        match self.domains.hear_from(self.now, domain, peer, period) {
            Change::Full => Err(DropReason::ListFull),
            _ => Ok(()),
        }
    }

    /// Own entries never expire and say what this computer is now.
    pub(super) fn keep_own_entry(&mut self) {
        if !self.role.keeps_list() {
            self.servers.clear();
            self.domains.clear();
            return;
        }
        let own = Server::new(
            self.config.computer,
            self.config.os_version,
            self.config.server_type(self.role()),
            self.config.comment(),
        );
        self.servers.keep(self.now, own);
        if self.role.is_master() {
            let version = Version::new(3, 10);
            let server_type = ServerType::DOMAIN_ENUM | (self.config.server_type & ServerType::NT);
            let master = self.config.computer;
            let domain = Server::new(self.config.workgroup, version, server_type, master.as_bytes());
            self.domains.keep(self.now, domain);
        } else {
            self.domains.remove(&self.config.workgroup);
        }
    }

    pub(super) fn promote_soon(&mut self) {
        let at = self.now.saturating_add(self.config.timers.role_monitor);
        self.promote.get_or_insert(at);
    }

    /// Asks servers to become backups, as many as the list is long for.
    pub(super) fn promotions_due(&mut self) {
        if self.promote.is_none_or(|at| at > self.now) {
            return;
        }
        self.promote = None;
        if !self.role.is_master() {
            return;
        }
        let backups = self.backups().count();
        let own = self.config.computer;
        for _ in backups..timers::backups_wanted(self.servers.iter(self.now).count()) {
            let Some(name) = self.servers.backup_candidate(self.now, &own) else { return };
            let Ok(frame) = NameFrame::new(name.as_bytes()) else { continue };
            self.stats.promotions += 1;
            let frame = BrowserFrame::BecomeBackup(frame).to_bytes();
            self.write_group(Suffix::BROWSER_ELECTIONS, frame);
        }
    }

    fn backups(&self) -> impl Iterator<Item = Server<'_>> {
        let is_backup = |server: &Server<'_>| server.server_type.contains(ServerType::BACKUP_BROWSER);
        self.servers.iter(self.now).filter(is_backup)
    }

    /// GetBackupListRequest: the backups, to spare the master, and then the master itself.
    pub(super) fn backups_asked(
        &mut self,
        source: &NetbiosName,
        destination: &NetbiosName,
        request: &GetBackupListRequest<'_>,
    ) -> Result<(), DropReason> {
        let of_local = *destination == self.config.group(Suffix::LOCAL_MASTER_BROWSER);
        let of_domain = *destination == self.config.group(Suffix::DOMAIN_MASTER_BROWSER);
        if !of_local && !of_domain {
            return Err(DropReason::OtherGroup);
        }
        if !self.role.is_master() {
            return Err(DropReason::NotMaster);
        }
        if of_domain && !self.domain_master {
            return Err(DropReason::NotDomainMaster);
        }
        if !self.rates.answer(self.now, &self.limits) {
            return Err(DropReason::AnswersLimited);
        }
        let own = self.config.computer;
        let names: Vec<ServerName> = self.backups().map(|server| server.name).chain([own]).collect();
        let wanted = usize::from(request.requested_count).clamp(1, BACKUP_LIST_MAX);
        let names = names.iter().take(wanted).map(ServerName::as_bytes);
        let Ok(answer) = GetBackupListResponse::new(request.token, names) else {
            return Err(DropReason::Unsupported);
        };
        let target = Target::Computer(source.with_suffix(Suffix::WORKSTATION));
        self.write(target, Slot::Browse, BrowserFrame::GetBackupListResponse(answer).to_bytes());
        Ok(())
    }

    /// A local master tells the domain master of itself.
    pub(super) fn master_announced(
        &mut self,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        name: &[u8],
    ) -> Result<(), DropReason> {
        let own = self.config.computer;
        let is_ours = *destination == own.netbios(Suffix::WORKSTATION)
            || *destination == self.config.group(Suffix::DOMAIN_MASTER_BROWSER);
        if !is_ours {
            return Err(DropReason::OtherGroup);
        }
        if !self.domain_master {
            return Err(DropReason::NotDomainMaster);
        }
        let name = ServerName::from_wire(name).ok_or(DropReason::NoName)?;
        if name == own {
            return Err(DropReason::Own);
        }
        let now = self.now;
        // A stranger's frame must not make this computer call another one at will.
        let soon = |at: &Duration| now < at.saturating_add(Duration::from_secs(60));
        if self.local_masters.get(&name).is_some_and(soon) {
            return Err(DropReason::Already);
        }
        self.local_masters.retain(|_, at| now < at.saturating_add(3 * LIST_EXCHANGE));
        if self.local_masters.len() >= self.limits.browse_masters {
            return Err(DropReason::ListFull);
        }
        self.local_masters.insert(name, now);
        // It is on another subnet, where a broadcast does not find it.
        let name = name.netbios(Suffix::SERVER);
        let from = peer.map_or(Target::Computer(name), |peer| Target::Announced(name, peer));
        self.fetch(Purpose::LocalMaster, from, ServerType::DOMAIN_ENUM | ServerType::LOCAL_LIST_ONLY);
        self.fetch(Purpose::LocalMaster, from, ServerType::LOCAL_LIST_ONLY);
        Ok(())
    }

    /// Every 12 minutes: a local master with the domain master.
    pub(super) fn exchange_with_domain_master(&mut self) {
        let target = match self.config.domain_master {
            DomainMaster::None => return,
            _ if self.domain_master => return,
            DomainMaster::Registered => Target::OwnerOf(self.config.group(Suffix::DOMAIN_MASTER_BROWSER)),
            DomainMaster::Name(name) => Target::Computer(name.with_suffix(Suffix::WORKSTATION)),
            DomainMaster::Address(address) => Target::Address(address),
        };
        let Ok(frame) = NameFrame::new(self.config.computer.as_bytes()) else { return };
        self.write(target, Slot::Browse, BrowserFrame::MasterAnnouncement(frame).to_bytes());
        self.fetch(Purpose::DomainMaster, target, ServerType::DOMAIN_ENUM);
        self.fetch(Purpose::DomainMaster, target, ServerType::all());
    }

    /// A fetched list goes into the own one. One of the master, or of the domain master, takes the place of the one
    /// before it; those of local masters are of different subnets.
    fn merge(&mut self, purpose: Purpose, domains: bool, list: &[FoundServer]) {
        let list_of = if domains { &mut self.domains } else { &mut self.servers };
        if purpose != Purpose::LocalMaster {
            list_of.forget_others(purpose == Purpose::Backup);
        }
        for found in list {
            let own = if domains { self.config.workgroup } else { self.config.computer };
            if found.name == own && self.role.keeps_list() && (!domains || self.role.is_master()) {
                continue;
            }
            if list_of.hear(self.now, found.server(), Source::Fetched, LIST_EXCHANGE) == Change::Full {
                self.stats.fetched_full += 1;
            }
        }
    }

    pub(super) fn fetched(&mut self, id: u64, result: Result<Vec<FoundServer>, FetchFailure>) {
        let Some(index) = self.fetches.iter().position(|fetch| fetch.id == id) else { return };
        let fetch = self.fetches.swap_remove(index);
        match result {
            Ok(list) => {
                self.stats.fetched += 1;
                self.merge(fetch.purpose, fetch.domains, &list);
            }
            Err(_) => {
                self.stats.fetches_failed += 1;
                // A backup that does not get the list from its master has none (MS-BRWS 3.3.2).
                if fetch.purpose == Purpose::Backup && self.role == Role::Backup {
                    self.master = None;
                    self.find_master();
                }
            }
        }
    }
}

/// The server that an announcement is of.
pub(super) fn read_server<'a>(frame: &'a Announcement<'a>) -> Result<Server<'a>, DropReason> {
    let name = ServerName::from_wire(frame.server_name.text()).ok_or(DropReason::NoName)?;
    Ok(Server::new(name, frame.os_version, frame.server_type, frame.comment.text()))
}
