//! The browser service: a computer makes itself known, elects masters with the others, and keeps the list of servers
//! and workgroups, or finds who does (MS-BRWS).
//!
//! One [`Browser`] is one computer in one workgroup. It takes the messages of the slots `\MAILSLOT\BROWSE` and
//! `\MAILSLOT\LANMAN`, and gives out [`Event`]s: messages to write, names to claim, lists to fetch, and reports.
//!
//! | role | keeps a list | names besides the computer's and the workgroup's |
//! |---|---|---|
//! | non-browser | – | – |
//! | potential browser | – | group 1e |
//! | backup browser | fetched from the master every 12 minutes | group 1e |
//! | local master browser | of all that announce themselves | group 1e, name 1d, group MSBROWSE |
//! | domain master browser | merged with those of all local masters | the same and the name 1b |
//!
//! Nothing of it is authenticated: whoever is on the LAN may win an election with made-up criteria, or announce servers
//! that are not there. What a stranger can do beyond that is bounded: lists, messages, and answers by [`Limits`],
//! strangers' wishes to reset this computer are refused, and a winner that does not show up is replaced.

mod announcer;
mod backup;
mod backup_client;
mod config;
mod conflict;
mod election;
mod enumerate;
mod event;
mod master;
mod observer;
mod rates;
mod server_list;
mod shares;
mod stats;
pub mod timers;

use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

pub use backup_client::BackupListClient;
pub use config::{Config, Controller, DomainMaster, LanmanAnnounce, Maintain};
pub use conflict::Conflict;
pub use election::Candidate;
pub use enumerate::{EnumError, FoundServer, Page, ServerEnumClient};
pub use event::{Event, FetchFailure, Input, Slot, Target};
pub use observer::{Heard, HeardComputer, HeardWorkgroup, Observer, Overheard};
pub use server_list::{Change, Server, ServerList, ServerName, Source};
pub use stats::{DropReason, Stats};

use super::ids::Ids;
use super::names::NameKind;
use super::{Limits, Machine};
use crate::wire::Decode;
use crate::wire::browser::{BrowserFrame, Criteria, LanmanFrame, Opcode, ServerType};
use crate::wire::name::{NetbiosName, Suffix};
use announcer::Schedule;
use backup::{BackupQuery, Find, KnownMaster};
use election::Election;
use rates::{Rates, Sender};

/// What a browser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// It announces itself, and that is all.
    NonBrowser,
    /// It takes part in elections.
    Potential,
    /// It has a copy of the list.
    Backup,
    /// It has the list of its subnet.
    LocalMaster,
    /// The same, and it merges the lists of all subnets.
    DomainMaster,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] =
        [Self::NonBrowser, Self::Potential, Self::Backup, Self::LocalMaster, Self::DomainMaster];

    /// The role in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonBrowser => "non_browser",
            Self::Potential => "potential_browser",
            Self::Backup => "backup_browser",
            Self::LocalMaster => "local_master",
            Self::DomainMaster => "domain_master",
        }
    }

    /// Whether it is the master of its subnet.
    pub const fn is_master(self) -> bool {
        matches!(self, Self::LocalMaster | Self::DomainMaster)
    }

    /// Whether it has a list that others may ask for.
    pub const fn keeps_list(self) -> bool {
        !matches!(self, Self::NonBrowser | Self::Potential)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a list is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A backup from its master.
    Backup,
    /// A local master from the domain master.
    DomainMaster,
    /// The domain master from a local master.
    LocalMaster,
}

#[derive(Debug)]
struct Fetch {
    id: u64,
    purpose: Purpose,
    domains: bool,
    deadline: Duration,
}

/// The browser service of one computer.
#[derive(Debug)]
pub struct Browser {
    config: Config,
    limits: Limits,
    random: Ids,
    started: Option<Duration>,
    now: Duration,
    role: Role,
    /// The name 1d is being claimed.
    claiming: bool,
    /// The name 1b is this computer's.
    domain_master: bool,
    /// BecomeBackup came while the master was not known.
    wanted_as_backup: bool,
    lanman_heard: bool,
    master: Option<KnownMaster>,
    election: Election,
    find: Option<Find>,
    /// By when the winner of a lost election must have been heard of.
    watch: Option<Duration>,
    announce: Schedule,
    announce_domain: Schedule,
    announce_lanman: Schedule,
    /// When the last RequestElection of the workgroup was heard or sent.
    election_heard: Option<Duration>,
    /// When an AnnouncementRequest was answered as master.
    master_answered: Option<Duration>,
    exchange: Option<Duration>,
    /// When a backup asked its master last.
    exchanged: Option<Duration>,
    promote: Option<Duration>,
    backup_query: Option<BackupQuery>,
    fetches: Vec<Fetch>,
    last_fetch: u64,
    local_masters: BTreeMap<ServerName, Duration>,
    servers: ServerList,
    domains: ServerList,
    rates: Rates,
    call_rates: Rates,
    events: VecDeque<Event>,
    stats: Stats,
}

impl Browser {
    /// A browser that does nothing yet. `seed` must be hard to guess: tokens follow from it.
    pub fn new(config: Config, limits: Limits, seed: u64) -> Self {
        Self {
            role: config.role(),
            config,
            random: Ids::new(seed),
            started: None,
            now: Duration::ZERO,
            claiming: false,
            domain_master: false,
            wanted_as_backup: false,
            lanman_heard: false,
            master: None,
            election: Election::default(),
            find: None,
            watch: None,
            announce: Schedule::default(),
            announce_domain: Schedule::default(),
            announce_lanman: Schedule::default(),
            election_heard: None,
            master_answered: None,
            exchange: None,
            exchanged: None,
            promote: None,
            backup_query: None,
            fetches: Vec::new(),
            last_fetch: 0,
            local_masters: BTreeMap::new(),
            servers: ServerList::bounded(&limits),
            domains: ServerList::bounded(&limits),
            rates: Rates::default(),
            call_rates: Rates::default(),
            events: VecDeque::new(),
            stats: Stats::default(),
            limits,
        }
    }

    /// Takes part: announces itself, claims names, looks for the master.
    pub fn start(&mut self, now: Duration) {
        self.tick(now);
        if self.started.is_some() {
            return;
        }
        self.started = Some(self.now);
        self.announce_anew();
        self.announce_lanman.start(self.now);
        if self.role == Role::NonBrowser {
            return;
        }
        self.claim(Suffix::BROWSER_ELECTIONS, NameKind::Group);
        if self.config.controller == Controller::Primary {
            self.claim(Suffix::DOMAIN_MASTER_BROWSER, NameKind::Unique);
        }
        if self.config.insists() {
            self.start_election();
        } else {
            self.find_master();
        }
    }

    /// Leaves: says goodbye, has the others elect a new master if this was it, and gives all names up.
    pub fn stop(&mut self, now: Duration) {
        self.tick(now);
        if self.started.take().is_none() {
            return;
        }
        self.say_goodbye();
        let was_master = self.role.is_master();
        if was_master || self.claiming {
            self.events.push_back(Event::Release { name: self.config.group(Suffix::LOCAL_MASTER_BROWSER) });
        }
        if was_master {
            self.events.push_back(Event::Release { name: NetbiosName::MSBROWSE });
            self.request_election(Criteria(0), 0);
        }
        if self.config.controller == Controller::Primary {
            self.events.push_back(Event::Release { name: self.config.group(Suffix::DOMAIN_MASTER_BROWSER) });
        }
        if self.role != Role::NonBrowser {
            self.events.push_back(Event::Release { name: self.config.group(Suffix::BROWSER_ELECTIONS) });
        }
        self.role = self.config.role();
        self.claiming = false;
        self.domain_master = false;
        self.wanted_as_backup = false;
        self.master = None;
        self.lose_election();
        self.election = Election::default();
        self.find = None;
        self.watch = None;
        for schedule in [&mut self.announce, &mut self.announce_domain, &mut self.announce_lanman] {
            schedule.stop();
        }
        self.exchange = None;
        self.promote = None;
        self.backup_query = None;
        self.fetches.clear();
        self.local_masters.clear();
        self.servers.clear();
        self.domains.clear();
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What it is now.
    pub const fn role(&self) -> Role {
        match self.role {
            Role::LocalMaster if self.domain_master => Role::DomainMaster,
            role => role,
        }
    }

    /// The local master, as far as it is known.
    pub fn local_master(&self) -> Option<ServerName> {
        if self.role.is_master() {
            return Some(self.config.computer);
        }
        self.master.map(|master| master.name)
    }

    /// Whether it stands in an election.
    pub const fn is_electing(&self) -> bool {
        self.election.is_running() || self.claiming
    }

    /// The servers of the workgroup; empty unless [`Role::keeps_list`].
    pub const fn servers(&self) -> &ServerList {
        &self.servers
    }

    /// The workgroups, each with its master as the comment; empty unless [`Role::keeps_list`].
    pub const fn domains(&self) -> &ServerList {
        &self.domains
    }

    /// Counters since the start.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    /// Milliseconds that the computer is up, as this election counts them.
    fn election_uptime(&mut self) -> u32 {
        let running = self.now.saturating_sub(self.started.unwrap_or(self.now));
        let running = u32::try_from(running.as_millis()).unwrap_or(u32::MAX);
        self.election.uptime(self.now, self.config.uptime.saturating_add(running))
    }

    fn random_time(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX);
        let random = self.random.next_u64() % span.saturating_add(1);
        least.saturating_add(Duration::from_micros(random))
    }

    fn write(&mut self, target: Target, slot: Slot, data: Vec<u8>) {
        self.stats.written += 1;
        self.events.push_back(Event::Write { target, slot, data });
    }

    fn claim(&mut self, suffix: Suffix, kind: NameKind) {
        self.events.push_back(Event::Claim { name: self.config.group(suffix), kind });
    }

    fn fetch(&mut self, purpose: Purpose, from: Target, server_type: ServerType) {
        if self.fetches.len() >= self.limits.browse_fetches {
            self.stats.fetches_limited += 1;
            return;
        }
        self.last_fetch += 1;
        let (id, deadline) = (self.last_fetch, self.now.saturating_add(self.config.timers.fetch));
        let domains = server_type.contains(ServerType::DOMAIN_ENUM) && server_type != ServerType::all();
        self.fetches.push(Fetch { id, purpose, domains, deadline });
        self.events.push_back(Event::Fetch { id, from, server_type });
    }

    fn fetches_due(&mut self) {
        while let Some(late) = self.fetches.iter().find(|fetch| fetch.deadline <= self.now) {
            self.fetched(late.id, Err(FetchFailure::Unreachable));
        }
    }

    /// The one place where the role changes.
    fn set_role(&mut self, role: Role) {
        if self.role == role {
            return;
        }
        self.role = role;
        self.wanted_as_backup = false;
        self.events.push_back(Event::Role(self.role()));
        self.announce_anew();
    }

    fn expire(&mut self) {
        let servers = self.servers.expire(self.now);
        let domains = self.domains.expire(self.now);
        self.stats.expired += u64::try_from(servers + domains).unwrap_or(0);
        if servers > 0 && self.role.is_master() {
            self.promote_soon();
        }
    }

    fn named(&mut self, name: &NetbiosName, is_ours: bool) {
        if *name == self.config.group(Suffix::LOCAL_MASTER_BROWSER) {
            if !is_ours && self.role.is_master() {
                // Taken away: somebody else is master, or thinks so.
                self.lose_mastership();
                self.start_election();
            } else {
                self.local_master_claimed(is_ours);
            }
        } else if *name == self.config.group(Suffix::DOMAIN_MASTER_BROWSER)
            && self.config.controller == Controller::Primary
            && self.domain_master != is_ours
        {
            self.domain_master = is_ours;
            if self.role.is_master() {
                self.events.push_back(Event::Role(self.role()));
                self.announce_anew();
            }
        }
    }

    fn read(
        &mut self,
        slot: Slot,
        source: &NetbiosName,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        data: &[u8],
    ) -> Result<(), DropReason> {
        let name = ServerName::from(source);
        let from = Sender::new(peer, name);
        if !self.rates.take(self.now, from, is_election(slot, data), &self.limits) {
            return Err(DropReason::RateLimited);
        }
        if self.started.is_none() {
            return Err(DropReason::Stopped);
        }
        if name == self.config.computer {
            return Err(DropReason::Own);
        }
        match slot {
            Slot::Browse => self.read_browse(source, destination, peer, data),
            Slot::Lanman => self.read_lanman(destination, peer, data),
        }
    }

    fn read_browse(
        &mut self,
        source: &NetbiosName,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        data: &[u8],
    ) -> Result<(), DropReason> {
        match BrowserFrame::decode(data).map_err(|_| DropReason::Damaged)? {
            BrowserFrame::HostAnnouncement(frame) => {
                let outcome = self.host_announced(destination, peer, &frame);
                self.stats.announcement(outcome)
            }
            BrowserFrame::AnnouncementRequest(_) => self.announcement_requested(destination),
            BrowserFrame::RequestElection(frame) => {
                if *destination != self.config.group(Suffix::BROWSER_ELECTIONS) {
                    return Err(DropReason::OtherGroup);
                }
                self.see_election();
                self.election_requested(&frame)
            }
            BrowserFrame::GetBackupListRequest(frame) => self.backups_asked(source, destination, &frame),
            BrowserFrame::GetBackupListResponse(frame) => self.backups_told(&frame),
            BrowserFrame::BecomeBackup(frame) => self.become_backup(destination, frame.name.text()),
            BrowserFrame::DomainAnnouncement(frame) => {
                let outcome = self.domain_announced(destination, peer, &frame);
                self.stats.announcement(outcome)
            }
            BrowserFrame::MasterAnnouncement(frame) => {
                self.master_announced(destination, peer, frame.name.text())
            }
            BrowserFrame::ResetStateRequest(_) => Err(DropReason::Untrusted),
            BrowserFrame::LocalMasterAnnouncement(frame) => {
                let outcome = self.local_master_announced(destination, &frame);
                self.stats.announcement(outcome)
            }
            BrowserFrame::Unknown { .. } => Err(DropReason::Unsupported),
        }
    }

    fn read_lanman(
        &mut self,
        destination: &NetbiosName,
        peer: Option<Ipv4Addr>,
        data: &[u8],
    ) -> Result<(), DropReason> {
        let frame = LanmanFrame::decode(data).map_err(|_| DropReason::Damaged)?;
        if let LanmanFrame::HostAnnouncement { frame } = &frame {
            let outcome = self.host_announced(destination, peer, frame);
            return self.stats.announcement(outcome);
        }
        if *destination != self.config.group(Suffix::WORKSTATION) {
            return Err(DropReason::OtherGroup);
        }
        match frame {
            LanmanFrame::Announcement(frame) => {
                self.hear_lanman();
                let name = ServerName::from_wire(frame.server_name()).ok_or(DropReason::NoName)?;
                let comment = frame.comment().map(|comment| comment.text()).unwrap_or_default();
                let server = Server::new(name, frame.os_version, frame.server_type, comment);
                let outcome = self.take_server(server, peer, Duration::from_secs(frame.interval.into()));
                self.stats.announcement(outcome)
            }
            LanmanFrame::Request(_) => {
                self.hear_lanman();
                let most = self.config.timers.announcement_request;
                let at = self.now.saturating_add(self.random_time(Duration::ZERO, most));
                self.announce_lanman.hasten(at);
                Ok(())
            }
            _ => Err(DropReason::Unsupported),
        }
    }
}

/// Whether it is a RequestElection, as far as its first byte tells.
fn is_election(slot: Slot, data: &[u8]) -> bool {
    slot == Slot::Browse && data.first() == Some(&Opcode::REQUEST_ELECTION.0)
}

impl Machine for Browser {
    type Input<'a> = Input<'a>;
    type Event = Event;

    fn handle_input(&mut self, now: Duration, input: Input<'_>) {
        self.handle_timeout(now);
        match input {
            Input::Message { slot, source, destination, peer, data } => {
                self.stats.received += 1;
                let outcome = self.read(slot, &source, &destination, peer, data);
                self.stats.count(outcome);
            }
            Input::Name { name, is_ours } => {
                if self.started.is_some() {
                    self.named(&name, is_ours);
                }
            }
            Input::Fetched { id, result } => self.fetched(id, result),
        }
        self.handle_timeout(now);
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.tick(now);
        self.expire();
        self.fetches_due();
        self.backup_query_due();
        self.master_due();
        self.find_due();
        self.election_due();
        self.promotions_due();
        self.exchange_due();
        self.announcements_due();
    }

    fn poll_timeout(&self) -> Option<Duration> {
        [
            self.servers.next_expiry(),
            self.domains.next_expiry(),
            self.fetches.iter().map(|fetch| fetch.deadline).min(),
            self.backup_query.as_ref().map(|query| query.due),
            self.master.map(|master| master.expires),
            self.watch,
            self.find.as_ref().map(|find| find.due),
            self.election.due(),
            self.promote,
            self.exchange,
            self.announcements_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
