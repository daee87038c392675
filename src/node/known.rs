//! What a node remembers of its writes: who is at an address, and which datagrams are its own.

use core::hash::BuildHasher;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::RandomState;

use crate::wire::name::NetbiosName;

/// The computer names that node status answers told, by address. The rules are the name cache's: only what was asked
/// for comes in, for as long as a name is remembered; what would be forgotten soonest makes room.
#[derive(Debug, Default)]
pub(super) struct Computers {
    known: BTreeMap<Ipv4Addr, (Duration, NetbiosName)>,
}

impl Computers {
    pub(super) fn get(&self, now: Duration, address: Ipv4Addr) -> Option<NetbiosName> {
        self.known.get(&address).filter(|(expires, _)| *expires > now).map(|(_, name)| *name)
    }

    pub(super) fn learn(&mut self, address: Ipv4Addr, name: NetbiosName, expires: Duration, max: usize) {
        self.known.insert(address, (expires, name));
        while self.known.len() > max {
            let soonest = self.known.iter().min_by_key(|(_, (expires, _))| *expires);
            let Some(address) = soonest.map(|(address, _)| *address) else { return };
            self.known.remove(&address);
        }
    }

    pub(super) fn forget(&mut self, name: NetbiosName) {
        self.known.retain(|_, (_, known)| *known != name);
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// Broadcasts remembered at a time: as many as there are DGM_IDs.
const BROADCASTS: usize = 1 << 16;

/// The broadcasts that this node sent, to know them when they are heard again.
///
/// Source name and address do not tell it: another program on this machine may have both, as a `send` beside a
/// `listen`, and is to be heard.
#[derive(Debug, Default)]
pub(super) struct Broadcasts {
    hasher: RandomState,
    sent: HashSet<u64>,
    /// By age.
    order: VecDeque<u64>,
}

impl Broadcasts {
    pub(super) fn remember(&mut self, datagram: &[u8]) {
        let key = self.hasher.hash_one(datagram);
        if self.sent.insert(key) {
            self.order.push_back(key);
        }
        if self.order.len() > BROADCASTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.sent.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, datagram: &[u8]) -> bool {
        !self.sent.is_empty() && self.sent.contains(&self.hasher.hash_one(datagram))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computers_are_forgotten_in_time_by_name_and_for_want_of_room() {
        let name = |text: &str| text.parse::<NetbiosName>().expect("a name");
        let [a, b, c] = [1, 2, 3].map(|host| Ipv4Addr::new(10, 0, 0, host));
        let at = Duration::from_secs;
        let mut computers = Computers::default();
        computers.learn(a, name("A<00>"), at(10), 2);
        computers.learn(b, name("B<00>"), at(20), 2);
        assert_eq!(computers.get(at(9), a), Some(name("A<00>")));
        assert_eq!(computers.get(at(10), a), None);
        computers.learn(c, name("C<00>"), at(30), 2);
        assert_eq!(computers.get(at(0), a), None, "the soonest made room");
        computers.forget(name("B<00>"));
        assert_eq!((computers.get(at(0), b), computers.get(at(0), c)), (None, Some(name("C<00>"))));
        computers.clear();
        assert_eq!(computers.get(at(0), c), None);
    }

    #[test]
    fn broadcasts_are_remembered_up_to_a_bound() {
        let mut broadcasts = Broadcasts::default();
        for count in 0..BROADCASTS + 100 {
            broadcasts.remember(&count.to_be_bytes());
        }
        assert!(!broadcasts.contains(&0_usize.to_be_bytes()));
        assert!(broadcasts.contains(&(BROADCASTS + 99).to_be_bytes()));
        assert_eq!((broadcasts.sent.len(), broadcasts.order.len()), (BROADCASTS, BROADCASTS));
    }
}
