//! Strings of SMB messages: OEM bytes or UTF-16LE, as Flags2 says (MS-CIFS 2.2.1.1).

use core::fmt;

use crate::wire::error::{Layer, ValueError, ValueErrorReason};
use crate::wire::oem::CodePage;

/// A string without its terminator, in one of the two forms.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SmbStr<'a> {
    bytes: &'a [u8],
    unicode: bool,
}

impl<'a> SmbStr<'a> {
    /// A string of OEM bytes.
    ///
    /// # Errors
    /// It holds a NUL.
    pub fn oem(bytes: &'a [u8]) -> Result<Self, ValueError> {
        match memchr::memchr(0, bytes) {
            None => Ok(Self { bytes, unicode: false }),
            Some(position) => {
                Err(ValueError::new(Layer::Smb, "string", ValueErrorReason::BadCharacter { position }))
            }
        }
    }

    /// A string of UTF-16LE code units; [`utf16`] makes them from text.
    ///
    /// # Errors
    /// An odd number of bytes, or a NUL.
    pub fn utf16(bytes: &'a [u8]) -> Result<Self, ValueError> {
        let bad = |reason| Err(ValueError::new(Layer::Smb, "string", reason));
        match terminator(bytes, true) {
            Some(position) => bad(ValueErrorReason::BadCharacter { position }),
            None if !bytes.len().is_multiple_of(2) => bad(ValueErrorReason::BadForm("whole 16-bit units")),
            None => Ok(Self { bytes, unicode: true }),
        }
    }

    /// The empty string in one of the forms.
    pub const fn empty(unicode: bool) -> Self {
        Self { bytes: &[], unicode }
    }

    pub(super) const fn raw(bytes: &'a [u8], unicode: bool) -> Self {
        Self { bytes, unicode }
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the bytes are UTF-16LE.
    pub const fn is_unicode(self) -> bool {
        self.unicode
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether this is `ascii` in any case.
    pub fn eq_ignore_ascii_case(self, ascii: &[u8]) -> bool {
        self.strip_prefix_ignore_ascii_case(ascii).is_some_and(Self::is_empty)
    }

    /// What follows `ascii` at the beginning, in any case.
    pub fn strip_prefix_ignore_ascii_case(self, ascii: &[u8]) -> Option<Self> {
        let width = if self.unicode { 2 } else { 1 };
        let (head, bytes) = self.bytes.split_at_checked(ascii.len().checked_mul(width)?)?;
        let same = if self.unicode {
            let units = head.chunks_exact(2);
            units.zip(ascii).all(|(unit, letter)| match unit {
                [low, 0] => low.eq_ignore_ascii_case(letter),
                _ => false,
            })
        } else {
            head.eq_ignore_ascii_case(ascii)
        };
        same.then_some(Self { bytes, unicode: self.unicode })
    }

    /// The text; OEM bytes are read in `page`, unpaired surrogates become U+FFFD.
    pub fn decode(self, page: CodePage) -> String {
        if self.unicode { self.utf16_chars().collect() } else { page.decode(self.bytes) }
    }

    fn utf16_chars(self) -> impl Iterator<Item = char> + 'a {
        let units = self.bytes.chunks_exact(2).map(|unit| match *unit {
            [low, high] => u16::from_le_bytes([low, high]),
            _ => 0,
        });
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

/// The UTF-16LE code units of `text`, for [`SmbStr::utf16`].
pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Where the terminator of the string at the beginning of `bytes` stands.
pub(super) fn terminator(bytes: &[u8], unicode: bool) -> Option<usize> {
    if unicode {
        bytes.chunks_exact(2).position(|unit| unit == [0, 0]).map(|units| units * 2)
    } else {
        memchr::memchr(0, bytes)
    }
}

impl fmt::Debug for SmbStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unicode {
            write!(f, "u\"")?;
            self.utf16_chars().try_for_each(|char| write!(f, "{}", char.escape_debug()))?;
            write!(f, "\"")
        } else {
            write!(f, "\"{}\"", self.bytes.escape_ascii())
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SmbStr<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.decode(CodePage::default()))
    }
}
