//! What can be learned by listening alone: the workgroups and computers that announce themselves.

use core::net::Ipv4Addr;
use core::ops::Bound;
use core::time::Duration;
use std::collections::BTreeMap;

use super::rates::{Rates, Sender};
use super::shares::Shares;
use super::timers::expiry;
use super::{DropReason, Server, ServerName, Slot, master};
use crate::service::Limits;
use crate::wire::Decode;
use crate::wire::browser::{Announcement, BrowserFrame, LanmanFrame, ServerType, Version};
use crate::wire::name::{NetbiosName, Suffix};

/// A computer that announced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeardComputer {
    /// Its workgroup or domain.
    pub workgroup: ServerName,
    /// Its name.
    pub name: ServerName,
    /// Where its last announcement came from, if that is known.
    pub address: Option<Ipv4Addr>,
    /// The operating system's version.
    pub version: Version,
    /// Roles and services.
    pub server_type: ServerType,
    /// The comment, of at most 48 bytes in the computer's code page.
    pub comment: Vec<u8>,
    /// When it was heard last.
    pub heard: Duration,
    /// When it is forgotten unless it is heard again: after three of the periods that it names.
    pub expires: Duration,
    /// Whose part of the list it is in.
    from: Option<Ipv4Addr>,
}

/// A workgroup or domain that was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeardWorkgroup {
    /// Its name.
    pub name: ServerName,
    /// Its local master, if one announced itself, or the workgroup.
    pub master: Option<ServerName>,
    /// When it was heard of last.
    pub heard: Duration,
    /// When it is forgotten unless it is heard of again.
    pub expires: Duration,
    /// Whose part of the list it is in.
    from: Option<Ipv4Addr>,
}

/// What an announcement told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// Of a computer, by itself.
    Computer {
        /// The workgroup.
        workgroup: ServerName,
        /// The computer.
        name: ServerName,
    },
    /// A computer said goodbye.
    Goodbye {
        /// The workgroup.
        workgroup: ServerName,
        /// The computer.
        name: ServerName,
    },
    /// Of a workgroup, by its master.
    Workgroup(ServerName),
    /// Nothing: it is no announcement.
    Nothing,
}

/// One message, as it was heard.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "what is known of a message")]
pub struct Overheard<'a> {
    /// The slot it was sent to.
    pub slot: Slot,
    /// The name it was sent to, which tells the workgroup.
    pub destination: NetbiosName,
    /// Who sent it, by name.
    pub source: NetbiosName,
    /// Where it came from.
    pub peer: Option<Ipv4Addr>,
    /// The message.
    pub data: &'a [u8],
}

/// Listens to announcements of all workgroups, says nothing, and keeps the list of what it heard.
///
/// It is bounded: [`Limits::browse_entries`] computers and as many workgroups, and of both
/// [`Limits::browse_entries_per_address`] from one address; messages by the same rates as a
/// [`Browser`](super::Browser) takes.
///
/// ```
/// use core::time::Duration;
/// use mailslot::service::Limits;
/// use mailslot::service::browser::{Heard, Observer, Overheard, Slot};
/// use mailslot::wire::Encode;
/// use mailslot::wire::browser::{Announcement, BrowserFrame, ServerType, Version};
///
/// let mut observer = Observer::new(Limits::default());
/// let frame = Announcement::new(b"PC7", Version::new(10, 0), ServerType::SERVER, 60_000, b"by the window")?;
/// let data = BrowserFrame::HostAnnouncement(frame).to_bytes();
/// let (slot, source, destination) = (Slot::Browse, "PC7<00>".parse()?, "SALES<1d>".parse()?);
/// let overheard = Overheard { slot, source, destination, peer: None, data: &data };
/// observer.hear(Duration::ZERO, overheard).expect("it is taken");
/// let pc7 = observer.computers(Duration::from_secs(179)).next().expect("three minutes are not over");
/// assert_eq!((pc7.workgroup.as_bytes(), &pc7.comment[..]), (&b"SALES"[..], &b"by the window"[..]));
/// assert_eq!(observer.computers(Duration::from_secs(180)).count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Observer {
    limits: Limits,
    /// By workgroup and name.
    computers: BTreeMap<(ServerName, ServerName), HeardComputer>,
    workgroups: BTreeMap<ServerName, HeardWorkgroup>,
    computer_shares: Shares,
    workgroup_shares: Shares,
    rates: Rates,
    received: u64,
    announcements: u64,
    dropped: BTreeMap<DropReason, u64>,
}

impl Observer {
    /// One that has heard nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            computers: BTreeMap::new(),
            workgroups: BTreeMap::new(),
            computer_shares: Shares::new(limits.browse_entries_per_address),
            workgroup_shares: Shares::new(limits.browse_entries_per_address),
            rates: Rates::default(),
            received: 0,
            announcements: 0,
            dropped: BTreeMap::new(),
        }
    }

    /// Takes a message in at `now`, and says what it told.
    ///
    /// # Errors
    /// Why it was not taken; it is counted.
    pub fn hear(&mut self, now: Duration, message: Overheard<'_>) -> Result<Heard, DropReason> {
        self.received += 1;
        let result = self.take(now, message);
        match result {
            Ok(Heard::Nothing) => {}
            Ok(_) => self.announcements += 1,
            Err(reason) => *self.dropped.entry(reason).or_default() += 1,
        }
        result
    }

    fn take(&mut self, now: Duration, message: Overheard<'_>) -> Result<Heard, DropReason> {
        let from = Sender::new(message.peer, ServerName::from(&message.source));
        let is_election = super::is_election(message.slot, message.data);
        if !self.rates.take(now, from, is_election, &self.limits) {
            return Err(DropReason::RateLimited);
        }
        match message.slot {
            Slot::Browse => match BrowserFrame::decode(message.data).map_err(|_| DropReason::Damaged)? {
                BrowserFrame::HostAnnouncement(frame) => self.computer(now, &message, &frame, false),
                BrowserFrame::LocalMasterAnnouncement(frame) => self.computer(now, &message, &frame, true),
                BrowserFrame::DomainAnnouncement(frame) => {
                    let name = ServerName::from_wire(frame.server_name.text()).ok_or(DropReason::NoName)?;
                    let master = ServerName::from_wire(frame.comment.text());
                    self.workgroup(now, name, master, message.peer, period(&frame))?;
                    Ok(Heard::Workgroup(name))
                }
                _ => Ok(Heard::Nothing),
            },
            Slot::Lanman => match LanmanFrame::decode(message.data).map_err(|_| DropReason::Damaged)? {
                LanmanFrame::HostAnnouncement { frame } => self.computer(now, &message, &frame, false),
                LanmanFrame::Announcement(frame) => {
                    let name = ServerName::from_wire(frame.server_name()).ok_or(DropReason::NoName)?;
                    let comment = frame.comment().map(|comment| comment.text()).unwrap_or_default();
                    let server = Server::new(name, frame.os_version, frame.server_type, comment);
                    let period = Duration::from_secs(frame.interval.into());
                    self.server(now, &message, &server, period, false)
                }
                _ => Ok(Heard::Nothing),
            },
        }
    }

    fn computer(
        &mut self,
        now: Duration,
        message: &Overheard<'_>,
        frame: &Announcement<'_>,
        is_master: bool,
    ) -> Result<Heard, DropReason> {
        self.server(now, message, &master::read_server(frame)?, period(frame), is_master)
    }

    fn server(
        &mut self,
        now: Duration,
        message: &Overheard<'_>,
        server: &Server<'_>,
        period: Duration,
        is_master: bool,
    ) -> Result<Heard, DropReason> {
        let suffixes = [Suffix::WORKSTATION, Suffix::LOCAL_MASTER_BROWSER, Suffix::BROWSER_ELECTIONS];
        if !suffixes.contains(&message.destination.suffix()) {
            return Err(DropReason::OtherGroup);
        }
        let (workgroup, name) = (ServerName::from(&message.destination), server.name);
        if server.server_type.is_empty() {
            if let Some(gone) = self.computers.remove(&(workgroup, name)) {
                self.computer_shares.give_back(gone.from);
            }
            if let Some(group) = self.workgroups.get_mut(&workgroup)
                && group.master == Some(name)
            {
                group.master = None;
            }
            return Ok(Heard::Goodbye { workgroup, name });
        }
        let is_master = is_master || server.server_type.contains(ServerType::MASTER_BROWSER);
        self.workgroup(now, workgroup, is_master.then_some(name), message.peer, period)?;
        let key = (workgroup, name);
        let from = match self.computers.get_mut(&key) {
            Some(known) => {
                self.computer_shares.pass_on(&mut known.from, message.peer);
                known.from
            }
            None => {
                if !self.has_place_for_computer(now, message.peer) {
                    return Err(DropReason::ListFull);
                }
                message.peer
            }
        };
        let heard = HeardComputer {
            workgroup,
            name,
            address: message.peer,
            version: server.version,
            server_type: server.server_type,
            comment: server.comment.to_vec(),
            heard: now,
            expires: expiry(now, period),
            from,
        };
        self.computers.insert(key, heard);
        Ok(Heard::Computer { workgroup, name })
    }

    /// Takes a place for one more computer from `peer`; first those are forgotten whose time is over, if that is needed.
    fn has_place_for_computer(&mut self, now: Duration, peer: Option<Ipv4Addr>) -> bool {
        let most = self.limits.browse_entries;
        if self.computers.len() < most && self.computer_shares.take(peer) {
            return true;
        }
        self.computers.retain(|_, known| {
            let alive = known.expires > now;
            if !alive {
                self.computer_shares.give_back(known.from);
            }
            alive
        });
        self.computers.len() < most && self.computer_shares.take(peer)
    }

    /// The same for a workgroup.
    fn has_place_for_workgroup(&mut self, now: Duration, peer: Option<Ipv4Addr>) -> bool {
        let most = self.limits.browse_entries;
        if self.workgroups.len() < most && self.workgroup_shares.take(peer) {
            return true;
        }
        self.workgroups.retain(|_, known| {
            let alive = known.expires > now;
            if !alive {
                self.workgroup_shares.give_back(known.from);
            }
            alive
        });
        self.workgroups.len() < most && self.workgroup_shares.take(peer)
    }

    fn workgroup(
        &mut self,
        now: Duration,
        name: ServerName,
        master: Option<ServerName>,
        peer: Option<Ipv4Addr>,
        period: Duration,
    ) -> Result<(), DropReason> {
        let expires = expiry(now, period);
        if let Some(known) = self.workgroups.get_mut(&name) {
            known.master = master.or_else(|| known.master.filter(|_| known.expires > now));
            (known.heard, known.expires) = (now, known.expires.max(expires));
            self.workgroup_shares.pass_on(&mut known.from, peer);
            return Ok(());
        }
        if !self.has_place_for_workgroup(now, peer) {
            return Err(DropReason::ListFull);
        }
        self.workgroups.insert(name, HeardWorkgroup { name, master, heard: now, expires, from: peer });
        Ok(())
    }

    /// The computers that are known at `now`, by workgroup and name.
    pub fn computers(&self, now: Duration) -> impl Iterator<Item = &HeardComputer> {
        self.computers.values().filter(move |known| known.expires > now)
    }

    /// Those of `workgroup`, by name.
    pub fn computers_of(&self, now: Duration, workgroup: ServerName) -> impl Iterator<Item = &HeardComputer> {
        let from = (workgroup, ServerName::LEAST);
        let rest = self.computers.range((Bound::Included(from), Bound::Unbounded));
        rest.map(|(_, known)| known)
            .take_while(move |known| known.workgroup == workgroup)
            .filter(move |known| known.expires > now)
    }

    /// The workgroups that are known at `now`, by name.
    pub fn workgroups(&self, now: Duration) -> impl Iterator<Item = &HeardWorkgroup> {
        self.workgroups.values().filter(move |known| known.expires > now)
    }

    /// Messages taken in.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Of these, announcements.
    pub const fn announcements(&self) -> u64 {
        self.announcements
    }

    /// Messages that were not taken, by reason.
    pub const fn dropped(&self) -> &BTreeMap<DropReason, u64> {
        &self.dropped
    }
}

fn period(frame: &Announcement<'_>) -> Duration {
    Duration::from_millis(frame.periodicity.into())
}
