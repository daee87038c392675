//! The list of servers, and the list of workgroups: bounded, sorted by name, and forgetful.

use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeMap;

use super::shares::Shares;
use super::timers;
use crate::service::Limits;
use crate::wire::browser::{ServerType, Version};
use crate::wire::name::{NetbiosName, Suffix};

/// The longest comment that is kept, in bytes (MS-RAP 2.5.5.2.1).
const COMMENT_LEN: usize = 48;

/// The name of a server or workgroup: 1 to 15 bytes in the sender's code page, ASCII letters in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName([u8; 15]);

impl ServerName {
    pub(super) const LEAST: Self = Self([0; 15]);

    /// The name in a frame: up to a NUL, at most 15 bytes, without trailing spaces. `None` if nothing is left.
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let mut name = [0; 15];
        for (place, byte) in name.iter_mut().zip(bytes) {
            *place = byte.to_ascii_uppercase();
        }
        while let Some(last) = name.iter_mut().rev().find(|byte| **byte != 0).filter(|byte| **byte == b' ') {
            *last = 0;
        }
        (name != [0; 15]).then_some(Self(name))
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// The NetBIOS name with `suffix`.
    pub fn netbios(&self, suffix: Suffix) -> NetbiosName {
        let mut bytes = [b' '; 16];
        for (place, byte) in bytes.iter_mut().zip(self.as_bytes()) {
            *place = *byte;
        }
        NetbiosName::from_bytes(bytes).with_suffix(suffix)
    }
}

/// The name without its suffix.
impl From<&NetbiosName> for ServerName {
    fn from(name: &NetbiosName) -> Self {
        // A name of nothing but padding is kept apart from all others.
        Self::from_wire(name.base()).unwrap_or(Self([b' '; 15]))
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerName({self})")
    }
}

/// From whom the list has an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// It announced itself on this subnet.
    Heard,
    /// It is in the list of another browser.
    Fetched,
}

/// One server, or one workgroup with its master as the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server<'a> {
    /// The name.
    pub name: ServerName,
    /// The operating system's version.
    pub version: Version,
    /// Roles and services.
    pub server_type: ServerType,
    /// The comment, of at most 48 bytes; of a workgroup its master's name.
    pub comment: &'a [u8],
    /// From whom the list has it.
    pub source: Source,
    /// When it was heard or fetched last.
    pub heard: Duration,
    /// When it is forgotten unless it is heard of again; `None` for the browser itself.
    pub expires: Option<Duration>,
}

impl<'a> Server<'a> {
    /// A server that was just heard. What is behind a NUL in `comment`, or beyond its 48 bytes, is left out.
    pub fn new(name: ServerName, version: Version, server_type: ServerType, comment: &'a [u8]) -> Self {
        let comment = comment.split(|&byte| byte == 0).next().unwrap_or_default();
        let comment = comment.get(..COMMENT_LEN).unwrap_or(comment);
        let (source, heard, expires) = (Source::Heard, Duration::ZERO, None);
        Self { name, version, server_type, comment, source, heard, expires }
    }
}

/// What hearing of a server did to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is new.
    New,
    /// It was known.
    Refreshed,
    /// It was known from a better source, which stays.
    Kept,
    /// The list is full, or the part of it that one address may fill.
    Full,
}

/// An entry, small: there may be tens of thousands. Times in whole seconds; `u32::MAX` is never.
#[derive(Debug, Clone)]
struct Entry {
    heard: u32,
    expires: u32,
    server_type: ServerType,
    version: Version,
    source: Source,
    /// Was asked to become a backup since it announced itself last.
    asked: bool,
    /// Where it announced itself from, if that is known.
    from: Option<Ipv4Addr>,
    comment: Box<[u8]>,
}

/// Servers by name. No entry outlives its time, no list its bound.
#[derive(Debug, Clone)]
pub struct ServerList {
    entries: BTreeMap<ServerName, Entry>,
    max: usize,
    shares: Shares,
    /// No entry expires sooner.
    next_expiry: u32,
}

fn seconds_up(time: Duration) -> u32 {
    let up = u64::from(time.subsec_nanos() > 0);
    u32::try_from(time.as_secs().saturating_add(up)).unwrap_or(u32::MAX)
}

impl ServerList {
    /// An empty list of at most `max` entries.
    pub fn new(max: usize) -> Self {
        Self { entries: BTreeMap::new(), max, shares: Shares::new(max), next_expiry: u32::MAX }
    }

    pub(super) fn bounded(limits: &Limits) -> Self {
        Self { shares: Shares::new(limits.browse_entries_per_address), ..Self::new(limits.browse_entries) }
    }

    /// How many entries there are, those included whose time is over since the last [`Self::expire`].
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes `server` in, which says that it announces itself every `period`: for three periods. What was heard on the
    /// subnet is not replaced by what another browser says.
    pub fn hear(&mut self, now: Duration, server: Server<'_>, source: Source, period: Duration) -> Change {
        self.put(now, server, source, None, seconds_up(timers::expiry(now, period)))
    }

    /// The same of a server that announced itself from the address `from`, if that is known.
    pub(super) fn hear_from(
        &mut self,
        now: Duration,
        server: Server<'_>,
        from: Option<Ipv4Addr>,
        period: Duration,
    ) -> Change {
        self.put(now, server, Source::Heard, from, seconds_up(timers::expiry(now, period)))
    }

    /// Takes `server` in for ever.
    pub(super) fn keep(&mut self, now: Duration, server: Server<'_>) -> Change {
        self.put(now, server, Source::Heard, None, u32::MAX)
    }

    fn put(
        &mut self,
        now: Duration,
        server: Server<'_>,
        source: Source,
        from: Option<Ipv4Addr>,
        expires: u32,
    ) -> Change {
        let heard = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let Server { name, version, server_type, comment, .. } = server;
        let comment = comment.get(..COMMENT_LEN).unwrap_or(comment);
        if let Some(known) = self.entries.get_mut(&name) {
            let alive = known.expires > heard;
            if source == Source::Fetched && known.source == Source::Heard && alive {
                return Change::Kept;
            }
            if *known.comment != *comment {
                known.comment = comment.into();
            }
            (known.heard, known.expires, known.asked) = (heard, expires, false);
            (known.server_type, known.version, known.source) = (server_type, version, source);
            self.next_expiry = self.next_expiry.min(expires);
            self.shares.pass_on(&mut known.from, from);
            return if alive { Change::Refreshed } else { Change::New };
        }
        if self.entries.len() >= self.max || !self.shares.take(from) {
            return Change::Full;
        }
        let comment = comment.into();
        let entry = Entry { heard, expires, server_type, version, source, asked: false, from, comment };
        self.entries.insert(name, entry);
        self.next_expiry = self.next_expiry.min(expires);
        Change::New
    }

    /// Forgets `name`; whether it was there.
    pub fn remove(&mut self, name: &ServerName) -> bool {
        let Some(entry) = self.entries.remove(name) else { return false };
        self.shares.give_back(entry.from);
        true
    }

    /// Forgets what other browsers said, and with `all` also what was heard; not what is for ever.
    pub(super) fn forget_others(&mut self, all: bool) {
        self.keep_only(|entry| entry.expires == u32::MAX || (!all && entry.source == Source::Heard));
    }

    fn keep_only(&mut self, mut wanted: impl FnMut(&Entry) -> bool) {
        self.entries.retain(|_, entry| {
            let stays = wanted(entry);
            if !stays {
                self.shares.give_back(entry.from);
            }
            stays
        });
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.shares.clear();
        self.next_expiry = u32::MAX;
    }

    /// When [`Self::expire`] may find something.
    pub fn next_expiry(&self) -> Option<Duration> {
        (self.next_expiry != u32::MAX).then(|| Duration::from_secs(self.next_expiry.into()))
    }

    /// Forgets all whose time is over at `now`, and says how many.
    pub fn expire(&mut self, now: Duration) -> usize {
        if self.next_expiry().is_none_or(|at| at > now) {
            return 0;
        }
        let before = self.entries.len();
        let mut next = u32::MAX;
        self.keep_only(|entry| {
            let alive = is_alive(entry, now);
            if alive {
                next = next.min(entry.expires);
            }
            alive
        });
        self.next_expiry = next;
        before - self.entries.len()
    }

    /// What is known of `name` at `now`.
    pub fn get(&self, now: Duration, name: &ServerName) -> Option<Server<'_>> {
        let (name, entry) = self.entries.get_key_value(name)?;
        is_alive(entry, now).then(|| shown(name, entry))
    }

    /// The entries at `now`, sorted by name.
    pub fn iter(&self, now: Duration) -> impl Iterator<Item = Server<'_>> {
        self.entries
            .iter()
            .filter(move |(_, entry)| is_alive(entry, now))
            .map(|(name, entry)| shown(name, entry))
    }

    /// The entries at `now` from `first` on, sorted by name.
    pub fn from(&self, now: Duration, first: ServerName) -> impl Iterator<Item = Server<'_>> {
        let entries = self.entries.range(first..);
        entries.filter(move |(_, entry)| is_alive(entry, now)).map(|(name, entry)| shown(name, entry))
    }

    /// The best server to be made a backup: of those that can be one and were not asked since they announced
    /// themselves, Windows NT before others, the later version before the earlier.
    pub(super) fn backup_candidate(&mut self, now: Duration, own: &ServerName) -> Option<ServerName> {
        let roles = ServerType::BACKUP_BROWSER | ServerType::MASTER_BROWSER | ServerType::DOMAIN_MASTER;
        let fits = |(name, entry): &(&ServerName, &mut Entry)| {
            *name != own
                && is_alive(entry, now)
                && !entry.asked
                && entry.source == Source::Heard
                && entry.server_type.contains(ServerType::POTENTIAL_BROWSER)
                && !entry.server_type.intersects(roles)
        };
        let rank = |(name, entry): &(&ServerName, &mut Entry)| {
            let nt = entry.server_type.contains(ServerType::NT);
            (nt, entry.version, core::cmp::Reverse(**name))
        };
        let (name, entry) = self.entries.iter_mut().filter(fits).max_by_key(rank)?;
        entry.asked = true;
        Some(*name)
    }
}

fn is_alive(entry: &Entry, now: Duration) -> bool {
    Duration::from_secs(entry.expires.into()) > now
}

fn shown<'a>(name: &ServerName, entry: &'a Entry) -> Server<'a> {
    Server {
        name: *name,
        version: entry.version,
        server_type: entry.server_type,
        comment: &entry.comment,
        source: entry.source,
        heard: Duration::from_secs(entry.heard.into()),
        expires: (entry.expires != u32::MAX).then(|| Duration::from_secs(entry.expires.into())),
    }
}
