//! One direction of a TCP stream: which of its bytes are there.

use std::collections::VecDeque;

use super::tcp::{TcpCounters, TcpEndReason, TcpGapReason, TcpLimits, TcpStart};

/// The bytes of one direction, from the first that was not consumed on.
///
/// Positions count the bytes of the direction from its first; sequence numbers are these, shifted and cut to
/// 32 bits.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Set with the first segment that has a place in the stream.
    pub(super) start: Option<TcpStart>,
    /// Sequence number of the first byte.
    pub(super) first: u32,
    /// Sequence number of the byte at `position`.
    pub(super) next: u32,
    /// The first position that is not there yet.
    pub(super) position: u64,
    /// Where the FIN is.
    pub(super) fin: Option<u64>,
    /// Bytes to come that the consumer does not want.
    pub(super) skip: u64,
    /// From `read` on, what is before `position` and not consumed.
    buffer: Vec<u8>,
    read: usize,
    /// What is behind a hole at `position`: disjoint, in order, none empty.
    pieces: VecDeque<Piece>,
    piece_bytes: usize,
    /// Where a segment outside of the window ended.
    pub(super) stray: Option<u32>,
    /// Nothing more will come.
    pub(super) closing: Option<TcpEndReason>,
    /// The end was told.
    pub(super) ended: bool,
    /// There are bytes that the consumer has not seen.
    pub(super) news: bool,
    /// All that is kept must go.
    pub(super) lose: bool,
    /// It is in the queue of those to look at.
    pub(super) queued: bool,
    /// What it counts in the sum of all.
    pub(super) charged: usize,
}

#[derive(Debug)]
struct Piece {
    at: u64,
    len: u64,
    /// Empty where the capture cut the bytes off: they will never come.
    bytes: Box<[u8]>,
}

impl Piece {
    const fn end(&self) -> u64 {
        self.at.saturating_add(self.len)
    }

    const fn is_cut(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What is to be told next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Data,
    Gap { bytes: u64, reason: TcpGapReason },
    End(TcpEndReason),
}

impl Half {
    /// The bytes that are there and not consumed.
    pub(super) fn kept(&self) -> &[u8] {
        self.buffer.get(self.read..).unwrap_or_default()
    }

    /// Begins with the byte of sequence number `sequence`.
    pub(super) const fn begin(&mut self, start: TcpStart, sequence: u32) {
        self.start = Some(start);
        (self.first, self.next) = (sequence, sequence);
    }

    /// What [`TcpLimits::bytes`] counts.
    pub(super) fn cost(&self) -> usize {
        let buffer = match self.buffer.capacity() {
            0 => 0,
            capacity => capacity + TcpLimits::PIECE_COST,
        };
        buffer + self.piece_bytes + self.pieces.len() * TcpLimits::PIECE_COST
    }

    /// Position of the byte with the sequence number `sequence`, at most 2^31 away from [`Self::position`].
    pub(super) const fn distance(&self, sequence: u32) -> i32 {
        sequence.wrapping_sub(self.next).cast_signed()
    }

    /// Where the last byte that is known to exist ends.
    fn reach(&self) -> u64 {
        self.pieces.back().map_or(self.position, Piece::end).max(self.fin.unwrap_or(self.position))
    }

    /// Takes in `payload`, whose first byte is `distance` behind [`Self::position`], and `cut` bytes after it
    /// that the capture does not have. Gives the part that comes next in the stream if it does not have to be
    /// kept, and how many bytes are cut off before it.
    ///
    /// Bytes that came before in the same place stay.
    pub(super) fn insert<'a>(
        &mut self,
        distance: i32,
        payload: &'a [u8],
        cut: usize,
        fin: bool,
        counters: &mut TcpCounters,
    ) -> (&'a [u8], usize) {
        let old = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
        let old = if distance < 0 { old.min(payload.len()) } else { 0 };
        let (before, payload) = payload.split_at_checked(old).unwrap_or_default();
        self.compare_kept(distance, before, counters);
        let total = i64::from(distance) + payload.len() as i64 + old as i64 + cut as i64;
        // Still negative if the payload ended before.
        let at = i64::from(distance) + old as i64;
        let (at, cut) = match u64::try_from(at) {
            Ok(at) => (self.position.saturating_add(at), cut as u64),
            Err(_) => (self.position, (cut as u64).saturating_sub(at.unsigned_abs())),
        };
        let end = at.saturating_add(payload.len() as u64);
        let whole = end.saturating_add(cut);
        // The first FIN counts, unless something is behind it.
        if fin && self.fin.is_none() && total >= 0 && whole >= self.reach() {
            self.fin = Some(whole);
        }
        let room = self.fin.map_or(u64::MAX, |fin| fin.saturating_sub(at));
        let within = payload.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(payload);
        counters.after_end_bytes += (payload.len() - within.len()) as u64;
        let fresh = self.place(at, within, counters);
        if cut > 0 && within.len() == payload.len() {
            self.place_cut(end, self.fin.unwrap_or(u64::MAX).min(whole));
        }
        (fresh, old + (within.len() - fresh.len()))
    }

    /// Compares a repeated stretch with what is kept of it.
    fn compare_kept(&self, distance: i32, repeated: &[u8], counters: &mut TcpCounters) {
        counters.retransmitted_bytes += repeated.len() as u64;
        let kept = self.kept();
        // Both end at `position` when as much is left out at their ends.
        let behind = (distance.unsigned_abs() as usize).saturating_sub(repeated.len());
        let kept = kept.get(..kept.len().saturating_sub(behind)).unwrap_or_default();
        let differing =
            kept.iter().rev().zip(repeated.iter().rev()).filter(|(kept, new)| kept != new).count();
        counters.conflicting_bytes += differing as u64;
    }

    /// Takes in bytes from `at` on, which is not before [`Self::position`].
    fn place<'a>(&mut self, at: u64, bytes: &'a [u8], counters: &mut TcpCounters) -> &'a [u8] {
        if bytes.is_empty() {
            return bytes;
        }
        let end = at.saturating_add(bytes.len() as u64);
        let next_piece = self.pieces.front().map_or(u64::MAX, |piece| piece.at);
        if at > self.position || next_piece < end {
            self.place_pieces(at, bytes, counters);
            self.absorb();
            return &[];
        }
        let bytes = self.step_over(bytes);
        self.news |= !bytes.is_empty();
        if self.kept().is_empty() && next_piece != end {
            return bytes;
        }
        self.append(bytes);
        self.absorb();
        &[]
    }

    /// Goes on behind `bytes`; gives those of them that the consumer wants.
    fn step_over<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        self.go_on(bytes.len() as u64);
        let unwanted = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= unwanted as u64;
        bytes.get(unwanted..).unwrap_or_default()
    }

    const fn go_on(&mut self, count: u64) {
        self.position = self.position.saturating_add(count);
        // Sequence numbers are positions modulo 2^32.
        #[allow(clippy::cast_possible_truncation)]
        let low = count as u32;
        self.next = self.next.wrapping_add(low);
    }

    /// Keeps what the consumer left of bytes that were lent to it.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read.min(self.buffer.len()));
            self.read = 0;
        }
        if self.buffer.is_empty() {
            // Most messages that are not complete become so with the next segment; no slack until then.
            self.buffer.reserve_exact(bytes.len());
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes `count` bytes away, those that are to come included.
    pub(super) fn consume(&mut self, count: u64) {
        let here = usize::try_from(count).unwrap_or(usize::MAX).min(self.kept().len());
        self.read += here;
        self.skip = self.skip.saturating_add(count - here as u64);
        if self.kept().is_empty() {
            self.forget_kept();
        } else if self.buffer.capacity() > 2 * self.kept().len() + 64 {
            self.buffer = self.kept().to_vec();
            self.read = 0;
        }
    }

    fn forget_kept(&mut self) {
        self.buffer = Vec::new();
        self.read = 0;
    }

    /// Keeps the parts of `bytes` that are not there yet.
    fn place_pieces(&mut self, at: u64, bytes: &[u8], counters: &mut TcpCounters) {
        let mut index = self.pieces.partition_point(|piece| piece.end() <= at);
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let split = |rest: &'_ [u8], to: u64| {
                usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX).min(rest.len())
            };
            let here = match self.pieces.get(index) {
                Some(piece) if piece.at <= at => {
                    let here = split(rest, piece.end());
                    let skipped = usize::try_from(at - piece.at).unwrap_or(usize::MAX);
                    let earlier = piece.bytes.get(skipped..).unwrap_or_default();
                    let differing = earlier.iter().zip(rest).take(here).filter(|(old, new)| old != new);
                    counters.conflicting_bytes += differing.count() as u64;
                    counters.retransmitted_bytes += here as u64;
                    here
                }
                next => {
                    let here = next.map_or(rest.len(), |piece| split(rest, piece.at));
                    let bytes = Box::<[u8]>::from(rest.get(..here).unwrap_or_default());
                    self.piece_bytes += bytes.len();
                    self.pieces.insert(index, Piece { at, len: here as u64, bytes });
                    here
                }
            };
            index += 1;
            at = at.saturating_add(here as u64);
            rest = rest.get(here..).unwrap_or_default();
        }
    }

    /// Notes that the capture does not have what is between `at` and `end`, where nothing else is there.
    fn place_cut(&mut self, at: u64, end: u64) {
        let mut index = self.pieces.partition_point(|piece| piece.end() <= at);
        let mut at = at.max(self.position);
        while at < end {
            match self.pieces.get(index) {
                Some(piece) if piece.at <= at => at = piece.end(),
                next => {
                    let to = next.map_or(end, |piece| piece.at.min(end));
                    self.pieces.insert(index, Piece { at, len: to - at, bytes: Box::default() });
                    at = to;
                }
            }
            index += 1;
        }
    }

    /// Moves the pieces that have come next into the buffer.
    fn absorb(&mut self) {
        while self.pieces.front().is_some_and(|piece| piece.at == self.position && !piece.is_cut()) {
            let Some(piece) = self.pieces.pop_front() else { return };
            self.piece_bytes -= piece.bytes.len();
            let wanted = self.step_over(&piece.bytes);
            if !wanted.is_empty() {
                self.append(wanted);
                self.news = true;
            }
        }
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
        }
    }

    /// What is to be told next, if anything.
    pub(super) fn step(&mut self, limits: &TcpLimits) -> Option<Step> {
        if self.ended {
            return None;
        }
        if self.news {
            self.news = false;
            return Some(Step::Data);
        }
        // A hole ends where the next piece begins, or at the FIN; a cut piece is one.
        let next =
            self.pieces.front().map(|piece| if piece.at == self.position { piece.end() } else { piece.at });
        let hole = next.or(self.fin).map_or(0, |end| end.saturating_sub(self.position));
        let gap = |reason| Some(Step::Gap { bytes: hole, reason });
        if self.lose {
            let bytes = self.pieces.back().map_or(0, |piece| piece.end().saturating_sub(self.position));
            return Some(Step::Gap { bytes, reason: TcpGapReason::MemoryLimit });
        }
        if self.pieces.front().is_some_and(|piece| piece.at == self.position) {
            return gap(TcpGapReason::Cut);
        }
        if self.fin == Some(self.position) {
            return Some(Step::End(TcpEndReason::Fin));
        }
        if self.reach() - self.position > u64::from(limits.window) {
            return gap(TcpGapReason::Window);
        }
        let pieces = self.piece_bytes + self.pieces.len() * TcpLimits::PIECE_COST;
        if self.kept().len() + pieces > limits.direction {
            return gap(TcpGapReason::DirectionLimit);
        }
        match self.closing {
            Some(_) if hole > 0 => gap(TcpGapReason::End),
            Some(reason) => Some(Step::End(reason)),
            None => None,
        }
    }

    /// Bytes of a gap that the consumer did not want anyway.
    pub(super) fn unwanted(&self, gap: u64) -> u64 {
        gap.min(self.skip)
    }

    /// Goes on behind a gap that was told. Returns how many bytes were there and are given up.
    pub(super) fn pass(&mut self, bytes: u64) -> u64 {
        let mut given_up = self.kept().len();
        self.forget_kept();
        self.skip -= self.unwanted(bytes);
        self.go_on(bytes);
        self.lose = false;
        while self.pieces.front().is_some_and(|piece| piece.at < self.position) {
            if let Some(piece) = self.pieces.pop_front() {
                self.piece_bytes -= piece.bytes.len();
                given_up += piece.bytes.len();
            }
        }
        self.absorb();
        given_up as u64
    }

    /// Remembers only where it ended.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.closing = None;
        self.news = false;
        self.lose = false;
        self.forget_kept();
        self.pieces = VecDeque::new();
        self.piece_bytes = 0;
    }
}
