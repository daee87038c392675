//! Names that others own, as answers said.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeMap;

use super::NameKind;
use crate::wire::name::NetbiosName;

/// A name in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// Unique or group.
    pub kind: NameKind,
    /// The owners' addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// When the entry is forgotten; `None`: never, it is from LMHOSTS with `#PRE`.
    pub expires: Option<Duration>,
}

/// What was learnt from answers, and from LMHOSTS what has `#PRE`.
#[derive(Debug, Default)]
pub(super) struct Cache {
    learnt: BTreeMap<NetbiosName, CacheEntry>,
    preloaded: BTreeMap<NetbiosName, CacheEntry>,
}

impl Cache {
    pub(super) fn get(&self, now: Duration, name: &NetbiosName) -> Option<&CacheEntry> {
        let learnt = || self.learnt.get(name).filter(|entry| entry.expires.is_none_or(|at| at > now));
        self.preloaded.get(name).or_else(learnt)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NetbiosName, &CacheEntry)> {
        self.preloaded.iter().chain(&self.learnt).map(|(name, entry)| (*name, entry))
    }

    /// Remembers an answer; of the entries beyond `max`, those are forgotten that would expire soonest.
    pub(super) fn learn(&mut self, name: NetbiosName, entry: CacheEntry, max: usize) {
        self.learnt.insert(name, entry);
        while self.learnt.len() > max {
            let soonest = self.learnt.iter().min_by_key(|(_, entry)| entry.expires).map(|(name, _)| *name);
            match soonest {
                Some(name) => self.learnt.remove(&name),
                None => break,
            };
        }
    }

    pub(super) fn preload(&mut self, entries: BTreeMap<NetbiosName, CacheEntry>) {
        self.preloaded = entries;
    }

    pub(super) fn forget(&mut self, name: &NetbiosName) -> bool {
        self.learnt.remove(name).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.learnt.clear();
    }
}
