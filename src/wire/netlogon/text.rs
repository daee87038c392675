//! NUL-terminated strings, OEM and UTF-16LE, and the paddings around them.

use core::fmt;

use bytes::BufMut;

use super::MAX_REPLY_SLOT;
use crate::wire::error::{DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

/// A string of UTF-16LE code units, without its terminator, as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Utf16Str<'a>(&'a [u8]);

impl<'a> Utf16Str<'a> {
    /// A string of these code units, which [`crate::wire::smb::utf16`] makes from text.
    ///
    /// # Errors
    /// An odd number of bytes, or a NUL.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ValueError> {
        let bad = |reason| Err(ValueError::new(Layer::Netlogon, "string", reason));
        match terminator(bytes) {
            Some(position) => bad(ValueErrorReason::BadCharacter { position }),
            None if !bytes.len().is_multiple_of(2) => bad(ValueErrorReason::BadForm("whole 16-bit units")),
            None => Ok(Self(bytes)),
        }
    }

    /// The bytes, without terminator.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The text; unpaired surrogates become U+FFFD.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let units = self.0.as_chunks::<2>().0.iter().map(|&unit| u16::from_le_bytes(unit));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Reads a string and its terminator.
    pub(super) fn read(field: &'static str, input: &'a [u8]) -> Parsed<'a, Self> {
        let Some(end) = terminator(input) else {
            return read::fail(input, field, DecodeErrorKind::Unterminated);
        };
        let (text, rest) = input.split_at_checked(end).unwrap_or((input, &[]));
        Ok((rest.get(2..).unwrap_or_default(), Self(text)))
    }

    /// Length with the terminator, in bytes.
    pub(super) const fn encoded_len(self) -> usize {
        self.0.len() + 2
    }

    pub(super) fn write(self, out: &mut impl BufMut) {
        out.put_slice(self.0);
        out.put_slice(&[0, 0]);
    }
}

fn terminator(bytes: &[u8]) -> Option<usize> {
    bytes.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0]).map(|units| units * 2)
}

impl fmt::Display for Utf16Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|char| write!(f, "{char}"))
    }
}

impl fmt::Debug for Utf16Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u\"")?;
        self.chars().try_for_each(|char| write!(f, "{}", char.escape_debug()))?;
        write!(f, "\"")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Utf16Str<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads an OEM string and its NUL; gives the string.
pub(super) fn asciiz<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    match memchr::memchr(0, input).and_then(|end| input.split_at_checked(end)) {
        Some((text, rest)) => Ok((rest.get(1..).unwrap_or_default(), text)),
        None => read::fail(input, field, DecodeErrorKind::Unterminated),
    }
}

/// Reads a MailslotName.
pub(super) fn mailslot_name(input: &[u8]) -> Parsed<'_, &[u8]> {
    const FIELD: &str = "mailslot_name";
    let max = super::MAX_MAILSLOT_NAME;
    match asciiz(FIELD, input)? {
        (_, name) if name.len() > max => {
            read::fail(input, FIELD, DecodeErrorKind::TooLong { have: name.len(), max })
        }
        read => Ok(read),
    }
}

pub(super) fn write_asciiz(text: &[u8], out: &mut impl BufMut) {
    out.put_slice(text);
    out.put_u8(0);
}

/// `text`, if it can stand before a NUL.
pub(super) fn checked<'a>(field: &'static str, text: &'a [u8]) -> Result<&'a [u8], ValueError> {
    match memchr::memchr(0, text) {
        Some(position) => {
            Err(ValueError::new(Layer::Netlogon, field, ValueErrorReason::BadCharacter { position }))
        }
        None => Ok(text),
    }
}

/// `name`, if it is short enough to be answered to.
pub(super) fn checked_mailslot_name(name: &[u8]) -> Result<&[u8], ValueError> {
    const FIELD: &str = "mailslot_name";
    if name.len() > MAX_REPLY_SLOT {
        return Err(ValueError::too_long(Layer::Netlogon, FIELD, name.len(), MAX_REPLY_SLOT));
    }
    checked(FIELD, name)
}

/// How far into `whole` its end `input` begins.
pub(super) const fn offset(whole: &[u8], input: &[u8]) -> usize {
    whole.len().saturating_sub(input.len())
}

/// The zero that some senders put before a UTF-16 string which would begin at an odd offset of `whole`.
pub(super) fn even_padding<'a>(whole: &'a [u8], input: &'a [u8]) -> (&'a [u8], bool) {
    match input {
        [0, rest @ ..] if !offset(whole, input).is_multiple_of(2) => (rest, true),
        _ => (input, false),
    }
}
