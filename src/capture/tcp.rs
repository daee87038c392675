//! TCP streams put together again (RFC 9293), bounded in every direction.

use core::{net::SocketAddrV4, time::Duration};
use std::collections::{BTreeMap, VecDeque};

use super::frame::Timestamp;
use super::half::{Half, Step};
use super::order::Order;
use super::packet::{TcpFlags, TcpSegment};

/// Bounds of a [`TcpReassembler`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpLimits {
    /// Most streams that are remembered. A closed one gives way, or that which was silent longest; each takes
    /// about 350 bytes beside what [`Self::bytes`] counts and the consumer's own state.
    pub streams: usize,
    /// Most bytes kept for one direction: what the consumer has not taken, and what is behind a hole, each
    /// piece of it with a surcharge of [`Self::PIECE_COST`]. If there are more, the first hole is given up, or
    /// what the consumer left.
    pub direction: usize,
    /// Most bytes kept for all directions, with a surcharge of [`Self::PIECE_COST`] for each allocation. If
    /// there are more, the direction that has waited longest loses what is kept for it.
    pub bytes: usize,
    /// How far apart, in bytes, the first hole and the last byte behind it may be; if farther, the hole is
    /// given up. Segments that begin farther before the expected byte are not of the stream.
    pub window: u32,
    /// How long a stream may be silent, in capture time.
    pub idle: Duration,
    /// How long a closed stream is remembered, in capture time, so that late copies of its segments do not
    /// begin another one.
    pub linger: Duration,
}

impl TcpLimits {
    /// Bytes that an allocation counts beyond its size.
    pub const PIECE_COST: usize = 64;
}

impl Default for TcpLimits {
    /// 16,384 streams, 256 KiB for a direction (the longest NetBIOS session packet has 128), 4 MiB for all, a
    /// window of 16 MiB, one hour of silence, one minute after the end.
    fn default() -> Self {
        Self {
            streams: 16_384,
            direction: 256 * 1024,
            bytes: 4 * 1024 * 1024,
            window: 16 * 1024 * 1024,
            idle: Duration::from_secs(3600),
            linger: Duration::from_secs(60),
        }
    }
}

/// What a [`TcpReassembler`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TcpCounters {
    /// Segments pushed.
    pub segments: u64,
    /// Streams begun.
    pub streams: u64,
    /// Directions of streams that begin without a SYN.
    pub headless: u64,
    /// Segments that came before one in front of them.
    pub out_of_order: u64,
    /// Bytes that were there before, or were given up before. They are ignored.
    pub retransmitted_bytes: u64,
    /// Bytes among them that differ from those that came first, as far as these are still kept. The first
    /// stay.
    pub conflicting_bytes: u64,
    /// Segments that only ask whether the peer is there: a byte before the expected one, or none.
    pub keepalives: u64,
    /// Segments with urgent data, which is left in its place.
    pub urgent: u64,
    /// Segments with data, or a RST, outside of the window. They are ignored.
    pub out_of_window: u64,
    /// Bytes behind the end of their direction. They are ignored.
    pub after_end_bytes: u64,
    /// Gaps told.
    pub gaps: u64,
    /// Bytes missing in them: neither captured nor expected any more.
    pub gap_bytes: u64,
    /// Gaps because a direction kept more than [`TcpLimits::direction`].
    pub direction_limit: u64,
    /// Gaps because all directions kept more than [`TcpLimits::bytes`].
    pub memory_limit: u64,
    /// Gaps because the data behind a hole went beyond [`TcpLimits::window`].
    pub window: u64,
    /// Bytes that were there and were given up, at gaps and ends.
    pub given_up_bytes: u64,
    /// Streams ended because there were more than [`TcpLimits::streams`].
    pub evicted: u64,
    /// Streams ended because they were silent for [`TcpLimits::idle`].
    pub idle: u64,
    /// Streams ended because their ports were used for another one.
    pub reused: u64,
    /// Streams ended by a RST.
    pub reset: u64,
}

/// Puts TCP streams together again, each direction for itself.
///
/// [`Self::push`] takes one segment after the other and gives what it brings about, as events of directions:
/// bytes that come next ([`TcpData`]), bytes that never will ([`TcpGap`]), the end ([`TcpEnd`]). The consumer
/// looks at the bytes with [`TcpData::peek`] and takes those it understands with [`TcpData::consume`]; the rest
/// is kept and shown again when there are more. A segment that comes in its order is lent, not copied; copied
/// is only what the consumer leaves, and what comes too early.
///
/// * Segments may come in any order and more than once. **Where they overlap, the bytes that came first stay**;
///   later ones with other values are counted in [`TcpCounters::conflicting_bytes`].
/// * A hole is waited for. It becomes a [`TcpGap`] once the data behind it exceeds a limit, or the stream or
///   the capture ends. Bytes that a frame had but its capture does not (snapshot length) are a gap at once.
/// * A direction whose SYN is not in the capture begins with the first data seen, and says so
///   ([`TcpStart::Middle`]); what belongs before it is ignored.
/// * FIN ends its direction, RST both. A SYN with another sequence number on the same ports ends the stream and
///   begins the next; so do two segments that follow each other far away from the expected ones.
/// * Keepalives are recognised: a segment of one byte, or none, that begins one byte before what is expected.
///   The urgent pointer is ignored: the bytes stay where their sequence numbers put them, and a record with
///   URG set in the middle of a session (WinNuke) is data like any other.
/// * Checksums are not verified, acknowledgments not used.
///
/// All bounds are in [`TcpLimits`]. Time is the frames' own.
///
/// `S` is a state of the consumer that lives and ends with each stream: where it stands in each direction, for
/// example. It is lent with every event.
///
/// ```
/// use std::net::SocketAddrV4;
///
/// use mailslot::capture::{TcpEvent, TcpFlags, TcpReassembler, TcpSegment, Timestamp};
///
/// let mut tcp = TcpReassembler::<()>::default();
/// let (client, server) = (SocketAddrV4::new([10, 0, 0, 1].into(), 1025), SocketAddrV4::new([10, 0, 0, 2].into(), 139));
/// let mut messages = Vec::new();
/// // Messages of four bytes, in segments of three.
/// for (sequence, payload) in [(100, b"abc"), (103, b"def"), (106, b"ghi")] {
///     let segment = TcpSegment::new(client, server, sequence, TcpFlags::ACK, payload);
///     let mut arrivals = tcp.push(Timestamp::EPOCH, &segment);
///     while let Some(event) = arrivals.next_event() {
///         match event {
///             TcpEvent::Data(mut data) => {
///                 while let Some(message) = data.peek().first_chunk::<4>() {
///                     messages.push(*message);
///                     data.consume(4);
///                 }
///             }
///             TcpEvent::Gap(gap) => println!("{} bytes are missing", gap.bytes),
///             TcpEvent::End(end) => println!("{} bytes are left", end.rest.len()),
///             _ => {}
///         }
///     }
/// }
/// assert_eq!(messages, [*b"abcd", *b"efgh"]);
/// ```
#[derive(Debug)]
pub struct TcpReassembler<S = ()> {
    limits: TcpLimits,
    counters: TcpCounters,
    /// The streams by their ends, in `slots`.
    by_ends: BTreeMap<Ends, u32>,
    slots: Vec<Option<Box<Stream<S>>>>,
    free: Vec<u32>,
    /// The streams by their last segment, the longest silent first.
    open: Order,
    /// The same of those that are remembered only.
    closed: Order,
    /// The directions for which something is kept, by [`half_number`], the longest waiting first.
    waiting: Order,
    /// The directions that have something to tell.
    queue: VecDeque<Place>,
    bytes: usize,
}

/// One direction of the stream in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    slot: u32,
    side: Side,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The smaller of the two addresses.
    Low,
    High,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// The addresses and ports of a stream, the smaller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ends(SocketAddrV4, SocketAddrV4);

#[derive(Debug)]
struct Stream<S> {
    ends: Ends,
    number: u64,
    last: Timestamp,
    low: Half,
    high: Half,
    /// Not to be remembered when both directions have ended.
    gone: bool,
    state: S,
}

impl<S> Stream<S> {
    const fn half(&self, side: Side) -> &Half {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    const fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        }
    }

    const fn is_over(&self) -> bool {
        self.low.ended && self.high.ended
    }

    fn direction(&self, side: Side) -> TcpDirection {
        let Ends(low, high) = self.ends;
        let (source, destination) = if side == Side::Low { (low, high) } else { (high, low) };
        let start = self.half(side).start.unwrap_or(TcpStart::Middle);
        TcpDirection { stream: self.number, source, destination, start }
    }
}

/// The number of a direction in [`TcpReassembler::waiting`].
const fn half_number(place: Place) -> u32 {
    place.slot.saturating_mul(2).saturating_add(matches!(place.side, Side::High) as u32)
}

/// One direction of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TcpDirection {
    /// Number of the stream, from 1 on in the order of the capture. Both directions have it.
    pub stream: u64,
    /// Sender's address and port.
    pub source: SocketAddrV4,
    /// Receiver's address and port.
    pub destination: SocketAddrV4,
    /// Whether its first byte is known.
    pub start: TcpStart,
}

/// Where a direction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TcpStart {
    /// Behind a SYN: offset 0 is the first byte that was sent.
    Syn,
    /// With the first segment seen: the beginning is not in the capture.
    Middle,
}

/// What happens to a direction.
#[derive(Debug)]
#[non_exhaustive]
pub enum TcpEvent<'d, S = ()> {
    /// More bytes are there.
    Data(TcpData<'d, S>),
    /// Bytes are missing.
    Gap(TcpGap<'d, S>),
    /// The direction is over: the last event of it. Every direction that began ends once.
    End(TcpEnd<'d, S>),
}

/// Bytes that come next in a direction.
#[derive(Debug)]
pub struct TcpData<'d, S = ()> {
    direction: TcpDirection,
    offset: u64,
    frame_offset: Option<usize>,
    bytes: &'d [u8],
    taken: &'d mut u64,
    state: &'d mut S,
}

impl<'d, S> TcpData<'d, S> {
    /// The direction.
    pub const fn direction(&self) -> &TcpDirection {
        &self.direction
    }

    /// Offset of the first byte of [`Self::peek`] in its direction, in bytes from the first one seen.
    pub const fn offset(&self) -> u64 {
        self.offset.saturating_add(*self.taken)
    }

    /// Offset of the first byte of [`Self::peek`] in the captured frame, in bytes, if all of them are in the
    /// frame whose segment was pushed last.
    pub fn frame_offset(&self) -> Option<usize> {
        self.frame_offset?.checked_add(usize::try_from(*self.taken).ok()?)
    }

    /// All bytes that are there and not consumed.
    pub fn peek(&self) -> &'d [u8] {
        usize::try_from(*self.taken).ok().and_then(|taken| self.bytes.get(taken..)).unwrap_or_default()
    }

    /// Takes the next `count` bytes. If there are fewer, the others are passed over when they come.
    pub const fn consume(&mut self, count: u64) {
        *self.taken = self.taken.saturating_add(count);
    }

    /// The consumer's state of the stream.
    pub const fn state(&mut self) -> &mut S {
        self.state
    }
}

/// Bytes that will not come.
#[derive(Debug)]
#[non_exhaustive]
pub struct TcpGap<'d, S = ()> {
    /// The direction.
    pub direction: TcpDirection,
    /// Offset of the first missing byte in its direction, in bytes from the first one seen.
    pub offset: u64,
    /// How many are missing. 0 if only [`Self::rest`] is given up.
    pub bytes: u64,
    /// How many of them, from the first on, the consumer had passed over before ([`TcpData::consume`]). If all,
    /// it loses nothing.
    pub passed_over: u64,
    /// Why they are not waited for.
    pub reason: TcpGapReason,
    /// What is there before the gap and was not consumed. It is given up now.
    pub rest: &'d [u8],
    /// The consumer's state of the stream.
    pub state: &'d mut S,
}

/// Why a hole is not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TcpGapReason {
    /// The capture does not have all bytes of the frame.
    Cut,
    /// [`TcpLimits::window`].
    Window,
    /// [`TcpLimits::direction`]. Without missing bytes: the consumer left more than that.
    DirectionLimit,
    /// [`TcpLimits::bytes`]. What was there behind the hole is lost, too.
    MemoryLimit,
    /// The direction or the capture ends.
    End,
}

/// The end of a direction.
#[derive(Debug)]
#[non_exhaustive]
pub struct TcpEnd<'d, S = ()> {
    /// The direction.
    pub direction: TcpDirection,
    /// How many bytes it had, missing ones included.
    pub offset: u64,
    /// Why it is over.
    pub reason: TcpEndReason,
    /// What is there at its end and was not consumed. It is given up now.
    pub rest: &'d [u8],
    /// The consumer's state of the stream.
    pub state: &'d mut S,
}

/// Why a direction is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TcpEndReason {
    /// The sender said so.
    Fin,
    /// One side reset the connection.
    Reset,
    /// The same ports are used for another connection.
    Reused,
    /// Nothing came for [`TcpLimits::idle`].
    Idle,
    /// [`TcpLimits::streams`].
    Evicted,
    /// The capture is over ([`TcpReassembler::finish`]).
    CaptureEnd,
}

/// What a segment brings about; see [`TcpReassembler::push`]. When it is dropped, events not asked for are gone,
/// but no bytes are lost by that.
#[derive(Debug)]
#[must_use = "the events have to be asked for"]
pub struct TcpArrivals<'r, 'a, S: Default = ()> {
    tcp: &'r mut TcpReassembler<S>,
    lent: Lent<'a>,
}

/// What the consumer has at the moment.
#[derive(Debug, Default)]
struct Lent<'a> {
    fresh: Option<Fresh<'a>>,
    given: Option<(Place, Step)>,
    taken: u64,
}

/// Bytes of the pushed segment that come next in their direction.
#[derive(Debug, Clone, Copy)]
struct Fresh<'a> {
    place: Place,
    bytes: &'a [u8],
    /// Where they are in the frame.
    offset: usize,
}

impl<S: Default> TcpArrivals<'_, '_, S> {
    /// The next event. The one before is over with this: what was not consumed of its bytes is kept.
    pub fn next_event(&mut self) -> Option<TcpEvent<'_, S>> {
        self.tcp.next_event(&mut self.lent)
    }
}

impl<S: Default> Drop for TcpArrivals<'_, '_, S> {
    fn drop(&mut self) {
        while self.tcp.next_step(&mut self.lent).is_some() {}
    }
}

impl<S: Default> Default for TcpReassembler<S> {
    fn default() -> Self {
        Self::new(TcpLimits::default())
    }
}

impl<S: Default> TcpReassembler<S> {
    /// A reassembler without streams.
    pub fn new(limits: TcpLimits) -> Self {
        Self {
            limits,
            counters: TcpCounters::default(),
            by_ends: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            open: Order::default(),
            closed: Order::default(),
            waiting: Order::default(),
            queue: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Takes a segment of a frame captured at `now`; gives what happens then.
    pub fn push<'r, 'a>(&'r mut self, now: Timestamp, segment: &TcpSegment<'a>) -> TcpArrivals<'r, 'a, S> {
        self.settle_queue();
        self.counters.segments += 1;
        self.expire(now);
        let fresh = self.take_in(now, segment);
        TcpArrivals { tcp: self, lent: Lent { fresh, ..Lent::default() } }
    }

    /// Ends all streams, since nothing more comes.
    pub fn finish(&mut self) -> TcpArrivals<'_, 'static, S> {
        self.settle_queue();
        while let Some(slot) = self.closed.first() {
            self.release(slot);
        }
        while let Some(slot) = self.open.first() {
            self.close(slot, TcpEndReason::CaptureEnd);
        }
        TcpArrivals { tcp: self, lent: Lent::default() }
    }

    /// What was done so far.
    pub const fn counters(&self) -> &TcpCounters {
        &self.counters
    }

    /// Number of streams remembered, closed ones included.
    pub fn streams(&self) -> usize {
        self.by_ends.len()
    }

    /// Bytes kept, as [`TcpLimits::bytes`] counts.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Finds the segment's stream or begins it, and takes in what it brings. Gives the bytes that come next.
    fn take_in<'a>(&mut self, now: Timestamp, segment: &TcpSegment<'a>) -> Option<Fresh<'a>> {
        let flags = segment.flags;
        let (syn, fin, rst) =
            (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::FIN), flags.contains(TcpFlags::RST));
        let (ends, side) = if segment.source <= segment.destination {
            (Ends(segment.source, segment.destination), Side::Low)
        } else {
            (Ends(segment.destination, segment.source), Side::High)
        };
        let payload = if rst { &[] } else { segment.payload };
        let missing = if rst { 0 } else { segment.missing };
        let has_data = !payload.is_empty() || missing > 0;
        // A SYN takes a sequence number.
        let sequence = segment.sequence.wrapping_add(u32::from(syn));
        let mut known = self.by_ends.get(&ends).copied();
        if let Some(slot) = known
            && syn
            && !rst
            && self.is_another(slot, side, sequence, flags.contains(TcpFlags::ACK))
        {
            self.counters.reused += 1;
            self.close(slot, TcpEndReason::Reused);
            known = None;
        }
        // The probe of a keepalive has a byte that is not of the stream.
        let probe = payload.len() == 1
            && missing == 0
            && !flags.intersects(TcpFlags::PSH | TcpFlags::URG)
            && !syn
            && !fin;
        let slot = match known {
            Some(slot) => slot,
            None if rst || !(syn || has_data) => return None,
            None if probe => {
                self.counters.keepalives += 1;
                return None;
            }
            None => self.begin(ends, now),
        };
        let place = Place { slot, side };
        let stream = self.slots.get_mut(slot as usize)?.as_deref_mut()?;
        if !stream.is_over() {
            stream.last = now;
            self.open.push(slot);
        }
        let half = stream.half_mut(side);
        if half.start.is_none() && (syn || fin || has_data) && !rst && !probe {
            half.begin(if syn { TcpStart::Syn } else { TcpStart::Middle }, sequence);
            self.counters.headless += u64::from(!syn);
        } else if syn && half.first == sequence {
            // The SYN came late.
            half.start = Some(TcpStart::Syn);
        }
        if half.start.is_none() {
            self.counters.keepalives += u64::from(probe);
            if rst {
                self.reset(slot);
            }
            return None;
        }
        let distance = half.distance(sequence);
        let farthest = if distance < 0 { self.limits.window } else { MAX_WINDOW };
        if distance.unsigned_abs() > farthest {
            self.counters.out_of_window += u64::from(has_data || rst);
            if !has_data {
                return None;
            }
            let behind = sequence.wrapping_add(low_bits(payload.len().saturating_add(missing)));
            if half.stray.replace(behind) != Some(sequence) {
                return None;
            }
            // Two that follow each other: the ports are another connection's by now.
            self.counters.reused += 1;
            self.close(slot, TcpEndReason::Reused);
            let place = Place { slot: self.begin(ends, now), side };
            self.half_mut(place)?.begin(TcpStart::Middle, sequence);
            self.counters.headless += 1;
            return self.insert(place, 0, segment);
        }
        if rst {
            self.reset(slot);
            return None;
        }
        if half.ended {
            let old = i64::from(distance) + payload.len() as i64 <= 0;
            let count =
                if old { &mut self.counters.retransmitted_bytes } else { &mut self.counters.after_end_bytes };
            *count += payload.len() as u64;
            return None;
        }
        if distance == -1 && !syn && !fin && (probe || !has_data) {
            self.counters.keepalives += 1;
            return None;
        }
        if !has_data && !fin {
            return None;
        }
        half.stray = None;
        self.counters.out_of_order += u64::from(distance > 0 && has_data);
        self.counters.urgent += u64::from(flags.contains(TcpFlags::URG));
        self.insert(place, distance, segment)
    }

    /// Takes in the data and the FIN of a segment that has its place.
    fn insert<'a>(&mut self, place: Place, distance: i32, segment: &TcpSegment<'a>) -> Option<Fresh<'a>> {
        let stream = self.slots.get_mut(place.slot as usize)?.as_deref_mut()?;
        let fin = segment.flags.contains(TcpFlags::FIN);
        let half = stream.half_mut(place.side);
        let (bytes, skipped) =
            half.insert(distance, segment.payload, segment.missing, fin, &mut self.counters);
        self.enqueue(place);
        self.recharge(place, false);
        let offset = segment.payload_offset.saturating_add(skipped);
        (!bytes.is_empty()).then_some(Fresh { place, bytes, offset })
    }

    /// Whether a SYN before the byte `sequence` belongs to another connection than the stream in `slot`.
    fn is_another(&self, slot: u32, side: Side, sequence: u32, ack: bool) -> bool {
        let Some(stream) = self.stream(slot) else { return false };
        let (half, other) = (stream.half(side), stream.half(side.other()));
        match half.start {
            Some(_) => half.first != sequence,
            // A stream that was only seen from its middle, or is over, does not begin now.
            None => stream.is_over() || !ack && other.start == Some(TcpStart::Middle),
        }
    }

    /// A new stream, in place of an old one if there are too many.
    fn begin(&mut self, ends: Ends, now: Timestamp) -> u32 {
        if self.by_ends.len() >= self.limits.streams.max(1) {
            if let Some(slot) = self.closed.first() {
                self.release(slot);
            } else if let Some(slot) = self.open.first() {
                self.counters.evicted += 1;
                self.close(slot, TcpEndReason::Evicted);
            }
        }
        self.counters.streams += 1;
        let stream = Stream {
            ends,
            number: self.counters.streams,
            last: now,
            low: Half::default(),
            high: Half::default(),
            gone: false,
            state: S::default(),
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            low_bits(self.slots.len()).saturating_sub(1)
        });
        if let Some(space) = self.slots.get_mut(slot as usize) {
            *space = Some(Box::new(stream));
        }
        self.by_ends.insert(ends, slot);
        self.open.push(slot);
        slot
    }

    /// Ends the streams that were silent too long, and forgets those that ended long ago.
    fn expire(&mut self, now: Timestamp) {
        while let Some(slot) = self.open.first() {
            if self.stream(slot).is_some_and(|stream| now.since(stream.last) < self.limits.idle) {
                break;
            }
            self.counters.idle += 1;
            self.close(slot, TcpEndReason::Idle);
        }
        while let Some(slot) = self.closed.first() {
            if self.stream(slot).is_some_and(|stream| now.since(stream.last) < self.limits.linger) {
                break;
            }
            self.release(slot);
        }
    }

    fn reset(&mut self, slot: u32) {
        if self.stream(slot).is_some_and(|stream| !stream.is_over()) {
            self.counters.reset += 1;
            self.close(slot, TcpEndReason::Reset);
        }
    }

    /// Ends both directions of a stream. If another connection may have its ports, it is not found any more.
    fn close(&mut self, slot: u32, reason: TcpEndReason) {
        self.open.remove(slot);
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        if reason != TcpEndReason::Reset {
            stream.gone = true;
            self.by_ends.remove(&stream.ends);
        }
        for half in [&mut stream.low, &mut stream.high] {
            if half.start.is_none() {
                half.ended = true;
            } else if !half.ended {
                half.closing = Some(reason);
            }
        }
        if stream.is_over() {
            self.retire(slot);
            return;
        }
        [Side::Low, Side::High].into_iter().for_each(|side| self.enqueue(Place { slot, side }));
    }

    /// Both directions are over.
    fn retire(&mut self, slot: u32) {
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::as_deref_mut) else { return };
        stream.state = S::default();
        if stream.gone {
            self.release(slot);
        } else {
            self.open.remove(slot);
            self.closed.push(slot);
        }
    }

    /// Forgets a stream that is over.
    fn release(&mut self, slot: u32) {
        self.open.remove(slot);
        self.closed.remove(slot);
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        if self.by_ends.get(&stream.ends) == Some(&slot) {
            self.by_ends.remove(&stream.ends);
        }
        self.free.push(slot);
    }

    fn stream(&self, slot: u32) -> Option<&Stream<S>> {
        self.slots.get(slot as usize)?.as_deref()
    }

    fn half_mut(&mut self, place: Place) -> Option<&mut Half> {
        Some(self.slots.get_mut(place.slot as usize)?.as_deref_mut()?.half_mut(place.side))
    }

    fn enqueue(&mut self, place: Place) {
        if let Some(half) = self.half_mut(place)
            && !half.queued
        {
            half.queued = true;
            self.queue.push_back(place);
        }
    }

    /// Brings the sum of kept bytes up to date; `moved` if the consumer took some.
    fn recharge(&mut self, place: Place, moved: bool) {
        let Some(half) = self.half_mut(place) else { return };
        let cost = half.cost();
        let before = core::mem::replace(&mut half.charged, cost);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(cost);
        let number = half_number(place);
        if cost == 0 {
            self.waiting.remove(number);
        } else if moved || !self.waiting.contains(number) {
            self.waiting.push(number);
        }
    }

    /// Does what a consumer left undone that never dropped its arrivals.
    fn settle_queue(&mut self) {
        let mut lent = Lent::default();
        while !self.queue.is_empty() && self.next_step(&mut lent).is_some() {}
    }

    /// Ends what was given last: keeps what the consumer left, goes on behind a gap.
    fn settle(&mut self, lent: &mut Lent<'_>) {
        let Some((place, step)) = lent.given.take() else { return };
        let taken = core::mem::take(&mut lent.taken);
        let Some(half) = self.half_mut(place) else { return };
        match step {
            Step::Data => match lent.fresh.take_if(|fresh| fresh.place == place) {
                Some(Fresh { bytes, .. }) => {
                    let left = usize::try_from(taken).ok().and_then(|taken| bytes.get(taken..));
                    match left {
                        Some(left) if !left.is_empty() => half.keep(left),
                        _ => half.skip = half.skip.saturating_add(taken.saturating_sub(bytes.len() as u64)),
                    }
                }
                None => half.consume(taken),
            },
            Step::Gap { bytes, .. } => {
                let given_up = half.pass(bytes);
                self.counters.given_up_bytes += given_up;
            }
            Step::End(_) => {
                let given_up = half.kept().len() as u64;
                half.end();
                self.counters.given_up_bytes += given_up;
            }
        }
        self.recharge(place, taken > 0);
        if self.stream(place.slot).is_some_and(Stream::is_over) {
            self.retire(place.slot);
        }
    }

    /// What is to be told next, after the last event was dealt with.
    fn next_step(&mut self, lent: &mut Lent<'_>) -> Option<(Place, Step)> {
        self.settle(lent);
        loop {
            let Some(place) = self.queue.front().copied() else {
                // Only the sum of all can still be too large.
                let number = self.waiting.first().filter(|_| self.bytes > self.limits.bytes)?;
                let side = if number % 2 == 0 { Side::Low } else { Side::High };
                let place = Place { slot: number / 2, side };
                self.half_mut(place)?.lose = true;
                self.enqueue(place);
                continue;
            };
            let limits = self.limits;
            if let Some(step) = self.half_mut(place).and_then(|half| half.step(&limits)) {
                lent.given = Some((place, step));
                lent.taken = 0;
                self.count(step);
                return Some((place, step));
            }
            self.queue.pop_front();
            if let Some(half) = self.half_mut(place) {
                half.queued = false;
            }
        }
    }

    fn count(&mut self, step: Step) {
        let Step::Gap { bytes, reason } = step else { return };
        let counters = &mut self.counters;
        counters.gaps += 1;
        counters.gap_bytes += bytes;
        match reason {
            TcpGapReason::DirectionLimit => counters.direction_limit += 1,
            TcpGapReason::MemoryLimit => counters.memory_limit += 1,
            TcpGapReason::Window => counters.window += 1,
            TcpGapReason::Cut | TcpGapReason::End => {}
        }
    }

    fn next_event<'s>(&'s mut self, lent: &'s mut Lent<'_>) -> Option<TcpEvent<'s, S>> {
        let (place, step) = self.next_step(lent)?;
        let stream = self.slots.get_mut(place.slot as usize)?.as_deref_mut()?;
        let direction = stream.direction(place.side);
        let Stream { low, high, state, .. } = stream;
        let half = if place.side == Side::Low { low } else { high };
        let kept = half.kept();
        Some(match step {
            Step::Data => {
                let fresh = lent.fresh.filter(|fresh| fresh.place == place);
                let (bytes, frame_offset) = fresh.map_or((kept, None), |f| (f.bytes, Some(f.offset)));
                let offset = half.position.saturating_sub(bytes.len() as u64);
                TcpEvent::Data(TcpData {
                    direction,
                    offset,
                    frame_offset,
                    bytes,
                    taken: &mut lent.taken,
                    state,
                })
            }
            Step::Gap { bytes, reason } => TcpEvent::Gap(TcpGap {
                direction,
                offset: half.position,
                bytes,
                passed_over: half.unwanted(bytes),
                reason,
                rest: kept,
                state,
            }),
            Step::End(reason) => {
                TcpEvent::End(TcpEnd { direction, offset: half.position, reason, rest: kept, state })
            }
        })
    }
}

/// The largest window of TCP, 2^30 bytes (RFC 7323 section 2.3).
const MAX_WINDOW: u32 = 1 << 30;

/// Sequence numbers count modulo 2^32.
#[allow(clippy::cast_possible_truncation)]
const fn low_bits(count: usize) -> u32 {
    count as u32
}
