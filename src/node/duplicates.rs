//! One message that arrives more than once.

use core::hash::BuildHasher;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::hash::RandomState;

use super::Arrived;

/// How long a message is remembered: MailslotDuplicateTimeout of NETLOGON, 2 s.
pub(super) const REMEMBERED: Duration = Duration::from_secs(2);

/// Messages remembered at a time; the oldest makes room for a new one.
const MESSAGES: usize = 4096;

/// Ways and datagrams remembered of one message; what comes beyond is delivered.
const WAYS: usize = 8;

/// Tells copies of a message from its repetitions.
///
/// A sender with several interfaces, and a receiver with several, make several copies of one message. Two arrivals
/// with the same source name, slot and data are copies of each other if they came by different ways (our interface,
/// the sender's address), or by one way with one DGM_ID. A sender that writes the same again makes as many copies
/// again on each way: so the n-th arrival by one way is the n-th message.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    hasher: RandomState,
    seen: HashMap<u64, Seen>,
    /// By age.
    order: VecDeque<(Duration, u64)>,
}

#[derive(Debug)]
struct Seen {
    at: Duration,
    /// How many messages these were.
    delivered: u32,
    ways: Vec<Way>,
}

#[derive(Debug)]
struct Way {
    interface: u64,
    peer: Ipv4Addr,
    arrived: u32,
    ids: VecDeque<u16>,
}

impl Duplicates {
    /// Whether what arrived on `interface` from `peer` is a copy of a message that was there before.
    pub(super) fn is_copy(&mut self, arrived: &Arrived, interface: u64, peer: Ipv4Addr) -> bool {
        let now = arrived.at;
        self.forget(now);
        let key = self.hasher.hash_one((arrived.source.as_bytes(), &arrived.slot, &arrived.data));
        let Some(seen) = self.seen.get_mut(&key) else {
            let way = Way { interface, peer, arrived: 1, ids: VecDeque::from([arrived.dgm_id]) };
            self.seen.insert(key, Seen { at: now, delivered: 1, ways: vec![way] });
            self.order.push_back((now, key));
            return false;
        };
        let ways = seen.ways.len();
        let known = seen.ways.iter_mut().find(|way| (way.interface, way.peer) == (interface, peer));
        let count = match known {
            Some(way) if way.ids.contains(&arrived.dgm_id) => return true,
            Some(way) => {
                if way.ids.len() >= WAYS {
                    way.ids.pop_front();
                }
                way.ids.push_back(arrived.dgm_id);
                way.arrived = way.arrived.saturating_add(1);
                way.arrived
            }
            None if ways < WAYS => {
                let ids = VecDeque::from([arrived.dgm_id]);
                seen.ways.push(Way { interface, peer, arrived: 1, ids });
                1
            }
            None => return false,
        };
        if count <= seen.delivered {
            return true;
        }
        seen.delivered = count;
        false
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, key)) = self.order.front().copied() {
            if at.saturating_add(REMEMBERED) > now && self.order.len() < MESSAGES {
                return;
            }
            self.order.pop_front();
            if self.seen.get(&key).is_some_and(|seen| seen.at == at) {
                self.seen.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use core::net::SocketAddrV4;

    use super::*;
    use crate::slot::SlotName;
    use crate::wire::name::{NetbiosName, Suffix};
    use crate::wire::smb::Class;

    fn arrived(at: u64, dgm_id: u16, data: &'static [u8]) -> Arrived {
        let source = NetbiosName::new("PC5", Suffix::WORKSTATION).expect("a name");
        let slot = SlotName::new("app").expect("a name");
        let at = Duration::from_millis(at);
        let class = Class::UNRELIABLE;
        let peer = SocketAddrV4::new(A, 138);
        Arrived { slot, source, destination: source, class, data: data.into(), at, dgm_id, peer }
    }

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 5);

    #[test]
    fn copies_by_other_ways_are_told_from_repetitions() {
        let mut duplicates = Duplicates::default();
        let mut is_copy =
            |at, id, interface, peer| duplicates.is_copy(&arrived(at, id, b"x"), interface, peer);
        assert!(!is_copy(0, 1, 1, A));
        assert!(is_copy(1, 1, 1, A), "the same datagram again");
        assert!(is_copy(2, 7, 2, B), "over another interface");
        assert!(!is_copy(10, 2, 1, A), "written again");
        assert!(is_copy(11, 8, 2, B), "and its copy");
        assert!(is_copy(12, 1, 2, A), "a third way");
        assert!(!is_copy(2000, 7, 2, B), "after two seconds");
    }

    #[test]
    fn other_data_is_another_message_and_memory_is_bounded() {
        let mut duplicates = Duplicates::default();
        assert!(!duplicates.is_copy(&arrived(0, 1, b"x"), 1, A));
        assert!(!duplicates.is_copy(&arrived(0, 1, b"y"), 1, A));
        for id in 0..10_000_u32 {
            let mut message = arrived(1, 1, b"");
            message.data = id.to_be_bytes().to_vec().into();
            assert!(!duplicates.is_copy(&message, 1, A));
        }
        assert!(duplicates.seen.len() <= MESSAGES && duplicates.order.len() <= MESSAGES);
    }
}
