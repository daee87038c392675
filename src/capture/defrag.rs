//! Reassembly of IPv4 fragments (RFC 791, RFC 815), bounded in every direction.

use core::{net::Ipv4Addr, time::Duration};
use std::collections::BTreeMap;

use super::frame::Timestamp;
use super::packet::{Ipv4Fragment, UdpDatagram};
use crate::wire::DecodeError;

/// Bounds of a [`Defragmenter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefragLimits {
    /// Most datagrams that wait for fragments; the oldest gives way.
    pub datagrams: usize,
    /// Most bytes kept for them all, each fragment with a surcharge of [`Self::FRAGMENT_COST`]; the oldest
    /// datagram gives way.
    pub bytes: usize,
    /// How long a datagram waits after its first fragment, in capture time.
    pub timeout: Duration,
}

impl DefragLimits {
    /// Bytes that a kept fragment counts beyond its payload.
    pub const FRAGMENT_COST: usize = 64;
    /// Most payload bytes of one datagram.
    pub const DATAGRAM_BYTES: usize = 65_535;
}

impl Default for DefragLimits {
    /// 1,024 datagrams, 4 MiB, 30 seconds.
    fn default() -> Self {
        Self { datagrams: 1024, bytes: 4 * 1024 * 1024, timeout: Duration::from_secs(30) }
    }
}

/// What a [`Defragmenter`] did. The first three count datagrams, the others fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DefragCounters {
    /// Datagrams completed.
    pub reassembled: u64,
    /// Datagrams dropped because fragments were missing when their time was over.
    pub timed_out: u64,
    /// Datagrams dropped because there were too many, or too many bytes.
    pub evicted: u64,
    /// Fragments kept.
    pub kept: u64,
    /// Fragments that brought nothing new.
    pub duplicates: u64,
    /// Fragments with other bytes than those that arrived before in the same place (the earlier ones stay), or
    /// that end the datagram elsewhere (ignored).
    pub conflicts: u64,
    /// Fragments ignored because they reach beyond [`DefragLimits::DATAGRAM_BYTES`].
    pub oversized: u64,
    /// Fragments ignored because they are empty, or not the last and shorter than 8 bytes.
    pub empty: u64,
    /// Fragments ignored because the capture does not have all their bytes.
    pub cut: u64,
}

/// Puts fragmented datagrams together again.
///
/// Fragments belong together by source, destination, identification and protocol, and may come in any order.
/// **Where fragments overlap, the bytes that arrived first stay** (the BSD rule); what a later one adds beside
/// them is used. A later fragment with other bytes in the same place is counted in
/// [`DefragCounters::conflicts`].
///
/// All bounds are in [`DefragLimits`]. Time is the frames' own: a datagram whose first fragment is older than
/// [`DefragLimits::timeout`] is dropped when the next fragment arrives.
#[derive(Debug, Default)]
pub struct Defragmenter {
    limits: DefragLimits,
    counters: DefragCounters,
    waiting: BTreeMap<Key, Partial>,
    /// The waiting datagrams by arrival, oldest first.
    arrivals: BTreeMap<u64, Key>,
    arrived: u64,
    bytes: usize,
    /// The last datagram completed; reused.
    whole: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    identification: u16,
    protocol: u8,
}

/// A datagram that waits for fragments.
#[derive(Debug)]
struct Partial {
    arrival: u64,
    since: Timestamp,
    /// Length of the whole, once the last fragment is there.
    total: Option<usize>,
    /// Bytes in `pieces`.
    have: usize,
    /// Disjoint parts by their offset.
    pieces: BTreeMap<usize, Box<[u8]>>,
    fragments: u32,
}

/// A datagram put together from fragments. Its bytes stay until the next fragment is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reassembled<'a> {
    /// Sender's address.
    pub source: Ipv4Addr,
    /// Receiver's address.
    pub destination: Ipv4Addr,
    /// The identification that the fragments shared.
    pub identification: u16,
    /// The protocol number, 17 (UDP).
    pub protocol: u8,
    /// Number of fragments it was made from, duplicates left out.
    pub fragments: u32,
    /// The IP payload: UDP header and data.
    pub bytes: &'a [u8],
}

impl<'a> Reassembled<'a> {
    /// The UDP datagram; offsets count from the start of [`Self::bytes`].
    ///
    /// # Errors
    ///
    /// As [`UdpDatagram::parse`].
    pub fn udp(&self) -> Result<UdpDatagram<'a>, DecodeError> {
        UdpDatagram::parse(self.source, self.destination, self.bytes, 0)
    }
}

impl Defragmenter {
    /// A defragmenter with other limits than the default ones.
    pub fn new(limits: DefragLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a fragment of a frame captured at `now`; gives the datagram that it completes.
    pub fn insert(&mut self, now: Timestamp, fragment: &Ipv4Fragment<'_>) -> Option<Reassembled<'_>> {
        self.expire(now);
        let (start, payload) = self.admit(fragment)?;
        let end = start + payload.len();
        let key = Key {
            source: fragment.source,
            destination: fragment.destination,
            identification: fragment.identification,
            protocol: fragment.protocol,
        };
        // Frames may be out of order, so the oldest arrival need not be the first to expire.
        if self.waiting.get(&key).is_some_and(|partial| now.since(partial.since) >= self.limits.timeout) {
            self.remove(&key);
            self.counters.timed_out += 1;
        }
        let partial = match self.waiting.entry(key) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                self.arrived += 1;
                self.arrivals.insert(self.arrived, key);
                entry.insert(Partial::new(self.arrived, now))
            }
        };
        if !partial.agrees(end, fragment.more) {
            self.counters.conflicts += 1;
            return None;
        }
        let added = partial.add(start, payload);
        let complete = partial.total == Some(partial.have);
        self.counters.conflicts += u64::from(added.conflict);
        if added.bytes == 0 {
            self.counters.duplicates += u64::from(!added.conflict);
        } else {
            self.counters.kept += 1;
        }
        self.bytes += added.bytes + added.pieces * DefragLimits::FRAGMENT_COST;
        if !complete {
            self.evict();
            return None;
        }
        let partial = self.remove(&key)?;
        self.counters.reassembled += 1;
        self.whole.clear();
        partial.pieces.values().for_each(|piece| self.whole.extend_from_slice(piece));
        Some(Reassembled {
            source: key.source,
            destination: key.destination,
            identification: key.identification,
            protocol: key.protocol,
            fragments: partial.fragments,
            bytes: &self.whole,
        })
    }

    /// What was done so far.
    pub const fn counters(&self) -> &DefragCounters {
        &self.counters
    }

    /// Number of datagrams that wait for fragments.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes kept for them, as [`DefragLimits::bytes`] counts.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the datagrams whose time is over at `now`, oldest arrival first, up to the first that may wait
    /// on. [`Self::insert`] does so by itself.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.arrivals.first_key_value() {
            let key = *key;
            let old = self.waiting.get(&key).is_none_or(|p| now.since(p.since) >= self.limits.timeout);
            if !old {
                return;
            }
            self.remove(&key);
            self.counters.timed_out += 1;
        }
    }

    /// Where a fragment's bytes belong, and which of them count; `None` if it is of no use.
    fn admit<'a>(&mut self, fragment: &Ipv4Fragment<'a>) -> Option<(usize, &'a [u8])> {
        let (start, mut payload) = (usize::from(fragment.offset), fragment.payload);
        if fragment.missing > 0 {
            self.counters.cut += 1;
            return None;
        }
        if fragment.more {
            // All but the last end at a multiple of 8; what is behind it has no place.
            payload = payload.get(..payload.len() & !7).unwrap_or_default();
        }
        if payload.is_empty() {
            self.counters.empty += 1;
            return None;
        }
        if start + payload.len() > DefragLimits::DATAGRAM_BYTES {
            self.counters.oversized += 1;
            return None;
        }
        Some((start, payload))
    }

    /// Drops the oldest datagrams until the limits hold.
    fn evict(&mut self) {
        while self.waiting.len() > self.limits.datagrams || self.bytes > self.limits.bytes {
            let Some((_, key)) = self.arrivals.first_key_value() else { return };
            let key = *key;
            self.remove(&key);
            self.counters.evicted += 1;
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Partial> {
        let partial = self.waiting.remove(key)?;
        self.arrivals.remove(&partial.arrival);
        self.bytes -= partial.have + partial.pieces.len() * DefragLimits::FRAGMENT_COST;
        Some(partial)
    }
}

/// What a fragment brought.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    bytes: usize,
    pieces: usize,
    conflict: bool,
}

impl Partial {
    const fn new(arrival: u64, since: Timestamp) -> Self {
        Self { arrival, since, total: None, have: 0, pieces: BTreeMap::new(), fragments: 0 }
    }

    /// Whether a fragment that ends at `end` fits to what is known of the datagram's end; remembers that end.
    fn agrees(&mut self, end: usize, more: bool) -> bool {
        let reach = self.pieces.last_key_value().map_or(0, |(start, piece)| start + piece.len());
        match (self.total, more) {
            (Some(total), true) => end <= total,
            (Some(total), false) => end == total,
            (None, true) => true,
            (None, false) if end < reach => false,
            (None, false) => {
                self.total = Some(end);
                true
            }
        }
    }

    /// Adds the parts of `payload` that are not there yet.
    fn add(&mut self, start: usize, payload: &[u8]) -> Added {
        let end = start + payload.len();
        let slice = |from: usize, to: usize| payload.get(from - start..to - start).unwrap_or_default();
        let mut added = Added::default();
        let mut at = start;
        while at < end {
            // The piece that holds `at`, or the next one behind it.
            let before =
                self.pieces.range(..=at).next_back().filter(|(from, piece)| *from + piece.len() > at);
            if let Some((from, piece)) = before {
                let to = end.min(from + piece.len());
                added.conflict |= piece.get(at - from..to - from) != Some(slice(at, to));
                at = to;
                continue;
            }
            let to = self.pieces.range(at..end).next().map_or(end, |(from, _)| *from);
            self.pieces.insert(at, slice(at, to).into());
            added.bytes += to - at;
            added.pieces += 1;
            at = to;
        }
        self.have += added.bytes;
        self.fragments += u32::from(added.bytes > 0);
        added
    }
}
