//! OEM strings: bytes of some code page, ended by a NUL.
//!
//! The wire does not say which code page was meant, so the bytes are kept and compared as they are, and a
//! [`CodePage`] is chosen where they are shown.

use core::fmt;

use bytes::BufMut;
use oem_cp::code_table::{DECODING_TABLE_CP_MAP, ENCODING_TABLE_CP_MAP};

use super::codec::Encode;
use super::error::{Layer, ValueError, ValueErrorReason};

/// A NUL-terminated string that is the last field of its frame.
///
/// Accepted: no NUL at all (Samba's AnnouncementRequest), and bytes behind the NUL, which are kept in
/// [`Self::tail`] so that the frame can be written again as it came.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OemZ<'a> {
    text: &'a [u8],
    /// Empty, or the NUL and what stands behind it.
    tail: &'a [u8],
}

impl<'a> OemZ<'a> {
    /// `text` and a NUL.
    ///
    /// # Errors
    /// `text` holds a NUL, or is longer than `max` bytes without it.
    pub fn new(layer: Layer, field: &'static str, text: &'a [u8], max: usize) -> Result<Self, ValueError> {
        if let Some(position) = text.iter().position(|&byte| byte == 0) {
            return Err(ValueError::new(layer, field, ValueErrorReason::BadCharacter { position }));
        }
        if text.len() > max {
            return Err(ValueError::too_long(layer, field, text.len(), max));
        }
        Ok(Self { text, tail: b"\0" })
    }

    /// All of `bytes`: the text up to the first NUL, the rest as the tail.
    #[inline]
    pub(crate) fn split(bytes: &'a [u8]) -> Self {
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        let (text, tail) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        Self { text, tail }
    }

    /// The text, without the NUL.
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What stands behind the text: nothing, or the NUL and whatever follows it.
    pub const fn tail(&self) -> &'a [u8] {
        self.tail
    }
}

impl Encode for OemZ<'_> {
    fn encoded_len(&self) -> usize {
        self.text.len() + self.tail.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_slice(self.text);
        out.put_slice(self.tail);
    }
}

impl fmt::Debug for OemZ<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.text.escape_ascii())?;
        if self.tail != b"\0" {
            write!(f, " + {:02x?}", self.tail)?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for OemZ<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&CodePage::default().decode(self.text))
    }
}

/// A name in a field of 16 bytes: ended by the first NUL, or 16 bytes long.
///
/// Accepted and kept: anything behind the NUL. Windows leaves old memory there in DomainAnnouncements and, in
/// XP and Server 2003, in HostAnnouncements; an encoder that is to give the same bytes needs it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FixedName([u8; 16]);

impl FixedName {
    /// A name of at most 15 bytes, the rest filled with NULs.
    ///
    /// # Errors
    /// `text` holds a NUL or is longer than 15 bytes.
    pub fn new(layer: Layer, field: &'static str, text: &[u8]) -> Result<Self, ValueError> {
        OemZ::new(layer, field, text, 15)?;
        let mut bytes = [0; 16];
        for (place, &byte) in bytes.iter_mut().zip(text) {
            *place = byte;
        }
        Ok(Self(bytes))
    }

    /// The field with exactly these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// All 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The name, up to the first NUL.
    #[inline]
    pub fn text(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// What stands behind the first NUL; all zero where the sender cleared the field.
    pub fn tail(&self) -> &[u8] {
        self.0.get(self.text().len() + 1..).unwrap_or_default()
    }
}

impl fmt::Debug for FixedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.text().escape_ascii())?;
        if self.tail().iter().any(|&byte| byte != 0) {
            write!(f, " + {:02x?}", self.tail())?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FixedName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&CodePage::default().decode(self.text()))
    }
}

/// An OEM code page, by its number (437, 720, 737, 775, 850, 852, 855, 857, 858, 860 to 866, 869, 874).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodePage(u16);

impl CodePage {
    /// The code page `number`, if it is known.
    pub fn new(number: u16) -> Option<Self> {
        DECODING_TABLE_CP_MAP.contains_key(&number).then_some(Self(number))
    }

    /// The code page's number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The text that `bytes` stand for; a byte the page does not define becomes U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        match DECODING_TABLE_CP_MAP.get(&self.0) {
            Some(table) => table.decode_string_lossy(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The bytes that stand for `text`.
    ///
    /// # Errors
    /// A character that the page does not have.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, ValueError> {
        let table = ENCODING_TABLE_CP_MAP.get(&self.0);
        table.and_then(|table| oem_cp::encode_string_checked(text, table)).ok_or_else(|| {
            let position = text.bytes().position(|byte| !byte.is_ascii()).unwrap_or(0);
            ValueError::new(Layer::NetbiosName, "text", ValueErrorReason::BadCharacter { position })
        })
    }
}

/// 437, the page of an American Windows and of most devices.
impl Default for CodePage {
    fn default() -> Self {
        Self(437)
    }
}
