//! The datagram service: datagrams made (RFC 1002 §5.3.1), fragments put together (§5.3.3).
//!
//! Windows and Samba never send fragments, and neither does this crate; they are read.

mod sender;

pub use sender::{Addressing, Sender};

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::VecDeque;

use super::{Limits, Machine};
use crate::wire::Encode;
use crate::wire::nbdgm::{Body, Content, Datagram, Flags, Header};

/// Puts the fragments of datagrams together.
///
/// Only datagrams of which [`Datagram::is_fragment`] says so are to be given; a whole one needs no machine.
///
/// - The key is the UDP source address, SOURCE_IP and DGM_ID.
/// - Fragments may come in any order.
/// - Two forms of later fragment are read: bytes of the stream "names, user data" at PACKET_OFFSET; and, as some
///   senders do, both names again and bytes of the user data, of which PACKET_OFFSET then counts.
/// - Bytes that arrive twice must be the same; where they differ, the whole datagram is dropped. So the result
///   never depends on the order of arrival.
/// - Bounds: [`Limits`]. Every datagram that is given up is reported and counted.
#[derive(Debug)]
pub struct Reassembler {
    limits: Limits,
    /// The oldest first.
    entries: VecDeque<Entry>,
    events: VecDeque<Event>,
    stats: Stats,
    now: Duration,
}

/// One fragment, as it arrived.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the two things a fragment is known by")]
pub struct Input<'a> {
    /// The UDP source address.
    pub peer: Ipv4Addr,
    /// The fragment.
    pub datagram: Datagram<'a>,
}

/// What the reassembler reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// All fragments are there.
    Complete(Reassembled),
    /// A datagram in reassembly was given up.
    Dropped {
        /// Why.
        reason: DropReason,
        /// The UDP source address of its fragments.
        peer: Ipv4Addr,
        /// DGM_ID.
        dgm_id: u16,
        /// How many of its fragments had arrived.
        fragments: usize,
    },
}

/// Why a datagram was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A fragment was missing when the time was over.
    Timeout,
    /// A newer datagram needed the place.
    TooManyDatagrams,
    /// More bytes than one datagram may have.
    TooLong,
    /// More fragments than one datagram may have.
    TooManyFragments,
    /// Two fragments say different things about the same bytes, or about the datagram's end.
    Conflict,
}

impl DropReason {
    /// The reason in snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "fragment_timeout",
            Self::TooManyDatagrams => "too_many_fragmented_datagrams",
            Self::TooLong => "fragments_too_long",
            Self::TooManyFragments => "too_many_fragments",
            Self::Conflict => "fragment_conflict",
        }
    }
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Fragments taken in.
    pub fragments: u64,
    /// Datagrams put together.
    pub complete: u64,
    /// Datagrams given up: [`DropReason::Timeout`].
    pub timeout: u64,
    /// Datagrams given up: [`DropReason::TooManyDatagrams`].
    pub too_many_datagrams: u64,
    /// Datagrams given up: [`DropReason::TooLong`].
    pub too_long: u64,
    /// Datagrams given up: [`DropReason::TooManyFragments`].
    pub too_many_fragments: u64,
    /// Datagrams given up: [`DropReason::Conflict`].
    pub conflict: u64,
}

/// A datagram put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassembled {
    header: Header,
    stream: Vec<u8>,
    names_len: usize,
    fragments: usize,
}

impl Reassembled {
    /// The first fragment's header, with MORE cleared.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Names and user data.
    pub fn content(&self) -> Option<Content<'_>> {
        // The names were read from the first fragment, so this gives them again.
        Content::read(&self.stream).ok()
    }

    /// The user data.
    pub fn user_data(&self) -> &[u8] {
        self.stream.get(self.names_len..).unwrap_or_default()
    }

    /// How many fragments it came in.
    pub const fn fragments(&self) -> usize {
        self.fragments
    }
}

type Key = (Ipv4Addr, Ipv4Addr, u16);

#[derive(Debug)]
struct Entry {
    key: Key,
    deadline: Duration,
    first: Option<First>,
    later: Vec<Later>,
    bytes: usize,
}

/// The fragment with the names.
#[derive(Debug)]
struct First {
    header: Header,
    stream: Vec<u8>,
    names_len: usize,
}

#[derive(Debug)]
struct Later {
    offset: usize,
    bytes: Vec<u8>,
    more: bool,
}

impl Reassembler {
    /// A reassembler with these bounds.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats {
                fragments: 0,
                complete: 0,
                timeout: 0,
                too_many_datagrams: 0,
                too_long: 0,
                too_many_fragments: 0,
                conflict: 0,
            },
            now: Duration::ZERO,
        }
    }

    /// Counters since the start.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Datagrams of which fragments are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no fragment is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn drop_entry(&mut self, entry: &Entry, reason: DropReason) {
        *match reason {
            DropReason::Timeout => &mut self.stats.timeout,
            DropReason::TooManyDatagrams => &mut self.stats.too_many_datagrams,
            DropReason::TooLong => &mut self.stats.too_long,
            DropReason::TooManyFragments => &mut self.stats.too_many_fragments,
            DropReason::Conflict => &mut self.stats.conflict,
        } += 1;
        let (peer, _, dgm_id) = entry.key;
        let fragments = entry.fragments();
        self.events.push_back(Event::Dropped { reason, peer, dgm_id, fragments });
    }
}

impl Machine for Reassembler {
    type Input<'a> = Input<'a>;
    type Event = Event;

    fn handle_input(&mut self, now: Duration, input: Input<'_>) {
        self.handle_timeout(now);
        let Input { peer, datagram } = input;
        let header = *datagram.header();
        let key = (peer, header.source_ip, header.dgm_id);
        let found = self.entries.iter().position(|entry| entry.key == key);
        let mut entry = match found.and_then(|at| self.entries.remove(at)) {
            Some(entry) => entry,
            None => {
                while self.entries.len() >= self.limits.reassembly_entries.max(1) {
                    let Some(oldest) = self.entries.pop_front() else { break };
                    self.drop_entry(&oldest, DropReason::TooManyDatagrams);
                }
                let deadline = self.now.saturating_add(self.limits.reassembly_timeout);
                Entry { key, deadline, first: None, later: Vec::new(), bytes: 0 }
            }
        };
        self.stats.fragments += 1;
        match entry.add(&datagram, &self.limits).and_then(|()| entry.complete(&self.limits)) {
            Ok(Some(reassembled)) => {
                self.stats.complete += 1;
                self.events.push_back(Event::Complete(reassembled));
            }
            // Back to its place: entries stay in the order of their deadlines.
            Ok(None) => {
                self.entries.insert(found.unwrap_or(self.entries.len()).min(self.entries.len()), entry)
            }
            Err(reason) => self.drop_entry(&entry, reason),
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        while self.entries.front().is_some_and(|entry| entry.deadline <= self.now) {
            let Some(entry) = self.entries.pop_front() else { break };
            self.drop_entry(&entry, DropReason::Timeout);
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.entries.front().map(|entry| entry.deadline)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

impl Entry {
    fn fragments(&self) -> usize {
        usize::from(self.first.is_some()) + self.later.len()
    }

    fn add(&mut self, datagram: &Datagram<'_>, limits: &Limits) -> Result<(), DropReason> {
        match datagram.body() {
            Body::Direct { content, .. } => {
                let first = First {
                    header: *datagram.header(),
                    stream: content.to_bytes(),
                    names_len: content.names_len(),
                };
                match &self.first {
                    Some(known)
                        if known.stream == first.stream && known.header.flags == first.header.flags =>
                    {
                        return Ok(());
                    }
                    Some(_) => return Err(DropReason::Conflict),
                    None => self.bytes += first.stream.len(),
                }
                self.first = Some(first);
            }
            Body::Fragment { packet_offset, bytes, .. } => {
                let offset = usize::from(*packet_offset);
                let more = datagram.header().flags.contains(Flags::MORE);
                let same =
                    |known: &Later| known.offset == offset && known.bytes == *bytes && known.more == more;
                if self.later.iter().any(same) {
                    return Ok(());
                }
                self.bytes += bytes.len();
                self.later.push(Later { offset, bytes: bytes.to_vec(), more });
            }
            Body::Error(_) | Body::Query(_) => return Ok(()),
        }
        if self.fragments() > limits.reassembly_fragments {
            return Err(DropReason::TooManyFragments);
        }
        // Names that are repeated in each fragment count only once in the end; bytes that come twice may be as many
        // as those that come once.
        let repeated = self.first.as_ref().map_or(2 * 255, |first| first.names_len) * self.later.len();
        if self.bytes > limits.reassembly_bytes.saturating_mul(2).saturating_add(repeated) {
            return Err(DropReason::TooLong);
        }
        Ok(())
    }

    /// The whole datagram, if every byte of it is there.
    fn complete(&self, limits: &Limits) -> Result<Option<Reassembled>, DropReason> {
        let Some(first) = &self.first else { return Ok(None) };
        if first.stream.len() > limits.reassembly_bytes {
            return Err(DropReason::TooLong);
        }
        let names = first.stream.get(..first.names_len).unwrap_or_default();
        let mut end = (!first.header.flags.contains(Flags::MORE)).then_some(first.stream.len());
        let mut pieces = vec![(0, first.stream.as_slice())];
        for later in &self.later {
            let (start, bytes) = match later.bytes.strip_prefix(names) {
                Some(user_data) => (first.names_len + later.offset, user_data),
                None => (later.offset, later.bytes.as_slice()),
            };
            let piece_end = start + bytes.len();
            if piece_end > limits.reassembly_bytes {
                return Err(DropReason::TooLong);
            }
            if !later.more && *end.get_or_insert(piece_end) != piece_end {
                return Err(DropReason::Conflict);
            }
            pieces.push((start, bytes));
        }
        pieces.sort_by_key(|(start, _)| *start);
        let mut stream: Vec<u8> = Vec::with_capacity(self.bytes);
        for (start, bytes) in pieces {
            let Some(known) = stream.get(start..) else { return Ok(None) };
            let overlap = known.len().min(bytes.len());
            if known.get(..overlap) != bytes.get(..overlap) {
                return Err(DropReason::Conflict);
            }
            stream.extend_from_slice(bytes.get(overlap..).unwrap_or_default());
        }
        match end {
            Some(end) if end < stream.len() => Err(DropReason::Conflict),
            Some(end) if end == stream.len() => {
                let mut header = first.header;
                header.flags.remove(Flags::MORE);
                let fragments = self.fragments();
                Ok(Some(Reassembled { header, stream, names_len: first.names_len, fragments }))
            }
            _ => Ok(None),
        }
    }
}
