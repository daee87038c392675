//! The refill buffer below the reader: one allocation, whatever the input.

use std::io::{self, Read};

/// Bytes asked from the source at once. Small enough to stay in the second-level cache until they are used.
const READ_LEN: usize = 128 * 1024;

/// A window on the source's bytes.
#[derive(Debug)]
pub(super) struct Input<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Offset of `buffer[0]` in the source.
    base: u64,
}

impl<R: Read> Input<R> {
    /// A window of at most `window` bytes.
    pub(super) fn new(source: R, window: usize) -> Self {
        Self { source, buffer: vec![0; window + READ_LEN].into_boxed_slice(), start: 0, end: 0, base: 0 }
    }

    /// The bytes read and not consumed.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset of the first byte of [`Self::data`] in the source.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Consumes `count` bytes of [`Self::data`] and returns them.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.end);
        self.buffer.get(from..self.start).unwrap_or_default()
    }

    /// Reads until [`Self::data`] has `needed` bytes, at most the window; false if the source ends before.
    pub(super) fn fill(&mut self, needed: usize) -> io::Result<bool> {
        if self.end - self.start >= needed {
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        while self.end < needed {
            let until = self.end.saturating_add(READ_LEN).min(self.buffer.len());
            let space = self.buffer.get_mut(self.end..until).unwrap_or_default();
            match self.source.read(space) {
                Ok(0) => return Ok(false),
                // A source that claims more than it was given is not believed.
                Ok(count) => self.end = self.end.saturating_add(count).min(until),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Consumes up to `count` bytes without keeping them; returns how many there were.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        loop {
            let here = (self.end - self.start).min(usize::try_from(left).unwrap_or(usize::MAX));
            self.start += here;
            left -= here as u64;
            if left == 0 || !self.fill(1)? {
                return Ok(count - left);
            }
        }
    }
}
