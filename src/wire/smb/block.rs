//! The shape that all commands share: WordCount words, ByteCount bytes (MS-CIFS 2.2.3.2, 2.2.3.3).
//!
//! ```text
//! 0  word_count   1  words (2 × word_count)   byte_count (2)   bytes (byte_count)   whatever follows
//! ```
//!
//! The words become fields; the bytes are kept as one piece, paddings, gaps and all, and looked into where
//! they are asked for. So every message can be written again as it came, whatever its offsets point at.

use std::borrow::Cow;

use core::fmt;

use bytes::BufMut;

use super::header::HEADER_LEN;
use super::text::{self, SmbStr};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

/// Where the block's parts stand, and which form its strings have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset of WordCount from the SMB signature, in bytes.
    pub(super) at: usize,
    pub(super) unicode: bool,
}

/// One block as it stands there.
pub(super) struct Block<'a> {
    pub(super) word_count: u8,
    pub(super) words: &'a [u8],
    pub(super) words_at: usize,
    pub(super) area: Area<'a>,
}

impl<'a> Block<'a> {
    /// Reads the block at the beginning of `bytes`, which end with the message. ByteCount is kept unchecked.
    pub(super) fn split(bytes: &'a [u8], place: Place) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, word_count) = read::u8("word_count", input)?;
            let (input, words) = read::bytes("words", usize::from(word_count) * 2, input)?;
            let (input, byte_count) = read::u16_le("byte_count", input)?;
            Ok((input, (word_count, words, byte_count)))
        };
        let (area, (word_count, words, byte_count)) =
            read::finish(fields(bytes), bytes, Layer::Smb).map_err(|error| error.at(place.at))?;
        let base = place.at + (bytes.len() - area.len());
        let area = Area { base, unicode: place.unicode, byte_count, bytes: Cow::Borrowed(area) };
        Ok(Self { word_count, words, words_at: place.at + 1, area })
    }

    /// The block with its ByteCount held against the bytes that are there.
    pub(super) fn counted(self) -> Result<Self, DecodeError> {
        let (needed, have) = (usize::from(self.area.byte_count), self.area.bytes.len());
        if needed <= have {
            return Ok(self);
        }
        let kind = DecodeErrorKind::OutOfBounds { needed, have };
        Err(DecodeError::new(Layer::Smb, "byte_count", self.area.base - 2, kind))
    }

    /// The words as fields.
    pub(super) fn fields<T>(&self, fields: impl FnOnce(&'a [u8]) -> Parsed<'a, T>) -> Result<T, DecodeError> {
        let result = read::finish(fields(self.words), self.words, Layer::Smb);
        result.map(|(_, fields)| fields).map_err(|error| error.at(self.words_at))
    }

    /// The error of a form that the command does not have.
    pub(super) fn bad_word_count(&self, expected: &'static str) -> DecodeError {
        let kind = DecodeErrorKind::BadValue { value: self.word_count.into(), expected };
        DecodeError::new(Layer::Smb, "word_count", self.words_at - 1, kind)
    }
}

/// The bytes of a block and what follows them in the message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Area<'a> {
    /// Offset of the first byte from the SMB signature.
    pub(super) base: usize,
    pub(super) unicode: bool,
    pub(super) byte_count: u16,
    /// All up to the message's end; ByteCount may say less.
    pub(super) bytes: Cow<'a, [u8]>,
}

impl Area<'_> {
    /// No bytes, in the first block of a message with `word_count` words.
    pub(super) const fn empty(word_count: u8) -> Self {
        let base = first_base(word_count);
        Self { base, unicode: false, byte_count: 0, bytes: Cow::Borrowed(&[]) }
    }

    /// The bytes that ByteCount counts.
    pub(super) fn own(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.byte_count)).unwrap_or(&self.bytes)
    }

    /// What follows them.
    pub(super) fn trailing(&self) -> &[u8] {
        self.bytes.get(usize::from(self.byte_count)..).unwrap_or_default()
    }

    /// The first `length` bytes; the decoder has checked that they are there.
    pub(super) fn head(&self, length: u16) -> &[u8] {
        self.own().get(..usize::from(length)).unwrap_or_default()
    }

    /// `length` bytes at `offset` from the SMB signature, in the whole message's rest.
    pub(super) fn at_offset(&self, offset: u16, length: u16) -> Option<&[u8]> {
        let start = usize::from(offset).checked_sub(self.base)?;
        self.bytes.get(start..start.checked_add(usize::from(length))?)
    }

    /// The strings from byte `from` on, aligned to 2 where they are Unicode.
    pub(super) fn strings(&self, from: usize) -> Strings<'_> {
        Strings { bytes: self.own(), base: self.base, unicode: self.unicode, at: from }
    }

    /// The string at `from`, if it has a terminator, and where the next thing begins; `bytes` are [`Self::own`]
    /// or all.
    pub(super) fn terminated<'b>(&self, bytes: &'b [u8], from: usize) -> Option<(SmbStr<'b>, usize)> {
        let from = aligned(self.base, from, self.unicode);
        let rest = bytes.get(from..)?;
        let end = text::terminator(rest, self.unicode)?;
        let width = if self.unicode { 2 } else { 1 };
        Some((SmbStr::raw(rest.get(..end)?, self.unicode), from + end + width))
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.byte_count);
        out.put_slice(&self.bytes);
    }

    /// Length of ByteCount and all that follows.
    pub(super) fn encoded_len(&self) -> usize {
        2 + self.bytes.len()
    }
}

impl fmt::Debug for Area<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {}: {:02x?}", self.byte_count, self.base, self.own())?;
        if !self.trailing().is_empty() {
            write!(f, " + {:02x?}", self.trailing())?;
        }
        Ok(())
    }
}

/// Where the bytes of a message's first block begin, from the SMB signature.
pub(super) const fn first_base(word_count: u8) -> usize {
    HEADER_LEN + 1 + word_count as usize * 2 + 2
}

const fn aligned(base: usize, at: usize, unicode: bool) -> usize {
    if unicode { at + (base + at) % 2 } else { at }
}

/// Strings one behind the other. A last one without terminator reaches to the end: several systems leave out
/// the last NUL, or half of it.
pub(super) struct Strings<'a> {
    bytes: &'a [u8],
    base: usize,
    unicode: bool,
    at: usize,
}

impl<'a> Strings<'a> {
    /// The next string; empty when there is none left.
    pub(super) fn next(&mut self) -> SmbStr<'a> {
        self.at = aligned(self.base, self.at, self.unicode);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let width = if self.unicode { 2 } else { 1 };
        let end = text::terminator(rest, self.unicode).unwrap_or(rest.len() - rest.len() % width);
        self.at += end + width;
        SmbStr::raw(rest.get(..end).unwrap_or_default(), self.unicode)
    }
}

/// Puts the bytes of a new block together.
pub(super) struct Builder {
    base: usize,
    unicode: bool,
    bytes: Vec<u8>,
}

impl Builder {
    /// For the first block of a message, with `word_count` words.
    pub(super) fn new(word_count: u8, unicode: bool) -> Self {
        Self { base: first_base(word_count), unicode, bytes: Vec::new() }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Zeros up to a multiple of `to` from the SMB signature.
    pub(super) fn align(&mut self, to: usize) {
        while !self.offset().is_multiple_of(to) {
            self.bytes.push(0);
        }
    }

    /// The next byte's offset from the SMB signature.
    pub(super) const fn offset(&self) -> usize {
        self.base + self.bytes.len()
    }

    /// A string and its terminator, aligned.
    pub(super) fn string(&mut self, field: &'static str, text: SmbStr<'_>) -> Result<(), ValueError> {
        if text.is_unicode() != self.unicode {
            let reason = ValueErrorReason::BadForm("in the same form, OEM or UTF-16, as the other strings");
            return Err(ValueError::new(Layer::Smb, field, reason));
        }
        if self.unicode {
            self.align(2);
        }
        self.put(text.as_bytes());
        self.put(if self.unicode { &[0, 0] } else { &[0] });
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Area<'static>, ValueError> {
        let byte_count = u16::try_from(self.bytes.len()).map_err(|_| {
            ValueError::too_long(Layer::Smb, "byte_count", self.bytes.len(), usize::from(u16::MAX))
        })?;
        Ok(Area { base: self.base, unicode: self.unicode, byte_count, bytes: Cow::Owned(self.bytes) })
    }
}

/// `value` as a 16-bit length.
pub(super) fn word(field: &'static str, value: usize) -> Result<u16, ValueError> {
    u16::try_from(value).map_err(|_| ValueError::too_long(Layer::Smb, field, value, usize::from(u16::MAX)))
}
