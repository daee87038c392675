//! How much of a list is one address's.

use core::net::Ipv4Addr;
use std::collections::HashMap;

/// Entries by the address whose message brought them in, as long as they are there. Whoever announces computers that are
/// not there fills its part of a list, and no more; what came from no known address is not counted.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    max: u32,
    /// None of them is 0, so that there are no more of them than entries.
    of: HashMap<Ipv4Addr, u32>,
}

impl Shares {
    pub(super) fn new(max: usize) -> Self {
        Self { max: u32::try_from(max).unwrap_or(u32::MAX), of: HashMap::new() }
    }

    /// One more entry from `address`; whether there is room for it.
    pub(super) fn take(&mut self, address: Option<Ipv4Addr>) -> bool {
        let Some(address) = address else { return true };
        if self.max == 0 {
            return false;
        }
        let share = self.of.entry(address).or_default();
        let has_room = *share < self.max;
        *share += u32::from(has_room);
        has_room
    }

    /// An entry that is there, of `known`, was brought in once more from `address`: it is its from now on. Where there is
    /// no room for it, it stays the one's that had it.
    pub(super) fn pass_on(&mut self, known: &mut Option<Ipv4Addr>, address: Option<Ipv4Addr>) {
        if *known != address && self.take(address) {
            self.give_back(core::mem::replace(known, address));
        }
    }

    /// An entry from `address` is not there any more.
    pub(super) fn give_back(&mut self, address: Option<Ipv4Addr>) {
        let Some(address) = address else { return };
        if let Some(share) = self.of.get_mut(&address) {
            *share = share.saturating_sub(1);
            if *share == 0 {
                self.of.remove(&address);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.of.clear();
    }
}
