//! Answers as they are read: the parameter block, and the entries of the data block.

use bytes::BufMut;

use super::Status;
use crate::wire::browser::{ServerType, Version};
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::oem::{FixedName, OemZ};
use crate::wire::read;

/// The parameter block of an answer.
///
/// Accepted and kept: no counts (the answer to a function that the server does not have); bytes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponseParameters<'a> {
    status: Status,
    converter: u16,
    /// EntryCount, TotalEntriesAvailable.
    counts: Option<(u16, u16)>,
    trailing: &'a [u8],
}

impl ResponseParameters<'_> {
    /// Parameters of an answer with `entries` of `available` entries.
    pub const fn new(status: Status, converter: u16, entries: u16, available: u16) -> Self {
        Self { status, converter, counts: Some((entries, available)), trailing: &[] }
    }

    /// Parameters of an answer that has nothing but a status.
    pub const fn error(status: Status) -> Self {
        Self::new(status, 0, 0, 0)
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Converter: what pointers are too large by.
    pub const fn converter(&self) -> u16 {
        self.converter
    }

    /// EntryCount: entries in the data, as the server says; 0 where it does not.
    pub const fn entries(&self) -> u16 {
        match self.counts {
            Some((entries, _)) => entries,
            None => 0,
        }
    }

    /// TotalEntriesAvailable; 0 where the server does not say.
    pub const fn available(&self) -> u16 {
        match self.counts {
            Some((_, available)) => available,
            None => 0,
        }
    }
}

impl<'a> Decode<'a> for ResponseParameters<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, status) = read::u16_le("status", input)?;
            let (input, converter) = read::u16_le("converter", input)?;
            let (trailing, counts) = match input {
                [] => (input, None),
                _ => {
                    let (input, entries) = read::u16_le("entry_count", input)?;
                    let (input, available) = read::u16_le("available", input)?;
                    (input, Some((entries, available)))
                }
            };
            Ok((&[][..], Self { status: Status(status), converter, counts, trailing }))
        };
        read::finish(fields(bytes), bytes, Layer::Rap).map(|(_, parameters)| parameters)
    }
}

impl Encode for ResponseParameters<'_> {
    fn encoded_len(&self) -> usize {
        if self.counts.is_some() { 8 + self.trailing.len() } else { 4 }
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.status.0);
        out.put_u16_le(self.converter);
        if let Some((entries, available)) = self.counts {
            out.put_u16_le(entries);
            out.put_u16_le(available);
            out.put_slice(self.trailing);
        }
    }
}

/// One server of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerEntry<'a> {
    /// The name: 15 bytes and NUL.
    pub name: FixedName,
    /// What level 1 says of it.
    pub details: Option<ServerDetails<'a>>,
}

impl<'a> ServerEntry<'a> {
    /// An entry of level 0.
    pub const fn new(name: FixedName) -> Self {
        Self { name, details: None }
    }

    /// The same entry with what level 1 says.
    #[must_use]
    pub const fn with_details(
        mut self,
        version: Version,
        server_type: ServerType,
        comment: &'a [u8],
    ) -> Self {
        self.details = Some(ServerDetails { version, server_type, comment });
        self
    }
}

/// What level 1 says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerDetails<'a> {
    /// The operating system's version.
    pub version: Version,
    /// Roles and services.
    pub server_type: ServerType,
    /// The comment; of a domain, its master's name.
    pub comment: &'a [u8],
}

/// The type of a share (MS-RAP 2.5.6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ShareType(pub u16);

impl ShareType {
    /// A directory.
    pub const DISK: Self = Self(0);
    /// A printer queue.
    pub const PRINT_QUEUE: Self = Self(1);
    /// A communication device.
    pub const DEVICE: Self = Self(2);
    /// IPC$.
    pub const IPC: Self = Self(3);
}

/// One share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShareEntry<'a> {
    /// The name's field: the name, NUL, and whatever follows it.
    pub name: [u8; 13],
    /// What level 1 says of it.
    pub details: Option<ShareDetails<'a>>,
}

impl<'a> ShareEntry<'a> {
    /// An entry of level 0.
    ///
    /// # Errors
    /// A name of more than 12 bytes, or with a NUL.
    pub fn new(name: &[u8]) -> Result<Self, ValueError> {
        OemZ::new(Layer::Rap, "name", name, 12)?;
        let mut field = [0; 13];
        for (place, &byte) in field.iter_mut().zip(name) {
            *place = byte;
        }
        Ok(Self { name: field, details: None })
    }

    /// The same entry with what level 1 says.
    #[must_use]
    pub const fn with_details(mut self, share_type: ShareType, remark: &'a [u8]) -> Self {
        self.details = Some(ShareDetails { pad: 0, share_type, remark });
        self
    }

    /// The name, up to the first NUL.
    pub fn text(&self) -> &[u8] {
        let end = memchr::memchr(0, &self.name).unwrap_or(self.name.len());
        self.name.get(..end).unwrap_or_default()
    }
}

/// What level 1 says of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShareDetails<'a> {
    /// The byte between name and type: 0.
    pub pad: u8,
    /// The type.
    pub share_type: ShareType,
    /// The remark.
    pub remark: &'a [u8],
}

/// The data block of an answer: entries of one size, and the strings they point at.
///
/// Accepted: a count beyond what the data hold (it stops at the last whole entry); strings without NUL (they
/// reach to the data's end); anything in the high half of a pointer; bytes that nothing points at. A pointer out
/// of the data is an error of its entry alone.
#[derive(Debug, Clone, Copy)]
struct Entries<'a> {
    data: &'a [u8],
    converter: u16,
    size: usize,
    count: usize,
}

impl<'a> Entries<'a> {
    fn new(
        sizes: &[usize],
        level: u16,
        parameters: &ResponseParameters<'_>,
        data: &'a [u8],
    ) -> Result<Self, DecodeError> {
        let Some(&size) = sizes.get(usize::from(level)) else {
            let kind = DecodeErrorKind::BadValue { value: level.into(), expected: "0 or 1" };
            return Err(DecodeError::new(Layer::Rap, "level", 0, kind));
        };
        let count = usize::from(parameters.entries()).min(data.len() / size);
        Ok(Self { data, converter: parameters.converter(), size, count })
    }

    /// The entries' bytes and places.
    fn iter(self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let places = (0_usize..).step_by(self.size);
        places.zip(self.data.chunks_exact(self.size)).take(self.count)
    }

    /// The string that `pointer`, which stands at `at`, points at.
    fn string(self, field: &'static str, at: usize, pointer: u32) -> Result<&'a [u8], DecodeError> {
        let [low, high, ..] = pointer.to_le_bytes();
        let offset = usize::from(u16::from_le_bytes([low, high]).wrapping_sub(self.converter));
        match self.data.get(offset..) {
            Some(text @ [_, ..]) => Ok(OemZ::split(text).text()),
            _ => {
                let kind = DecodeErrorKind::OutOfBounds { needed: offset, have: self.data.len() };
                Err(DecodeError::new(Layer::Rap, field, at, kind))
            }
        }
    }
}

const SERVER_SIZES: [usize; 2] = [16, 26];
const SHARE_SIZES: [usize; 2] = [13, 20];

/// The servers in an answer's data block, at level 0 or 1. A count beyond the data stops at the last whole entry.
///
/// Offsets in errors count from the beginning of the data block. A pointer out of the data is an error of its
/// entry alone.
///
/// # Errors
/// Another level.
pub fn servers<'a>(
    level: u16,
    parameters: &ResponseParameters<'_>,
    data: &'a [u8],
) -> Result<impl Iterator<Item = Result<ServerEntry<'a>, DecodeError>>, DecodeError> {
    let entries = Entries::new(&SERVER_SIZES, level, parameters, data)?;
    Ok(entries.iter().map(move |(at, bytes)| {
        let fields = |input| {
            let (input, name) = read::array("name", input)?;
            let entry = ServerEntry::new(FixedName::from_bytes(name));
            if level == 0 {
                return Ok((input, (entry, None)));
            }
            let (input, [major, minor]) = read::array("version", input)?;
            let (input, server_type) = read::u32_le("server_type", input)?;
            let (input, pointer) = read::u32_le("comment", input)?;
            let details = (Version::new(major, minor), ServerType::from_bits_retain(server_type), pointer);
            Ok((input, (entry, Some(details))))
        };
        let (_, (entry, details)) =
            read::finish(fields(bytes), bytes, Layer::Rap).map_err(|error| error.at(at))?;
        let Some((version, server_type, pointer)) = details else { return Ok(entry) };
        let comment = entries.string("comment", at + 22, pointer)?;
        Ok(entry.with_details(version, server_type, comment))
    }))
}

/// The shares in an answer's data block, at level 0 or 1; as [`servers`].
///
/// # Errors
/// Another level. The entries of level 2 are not read.
pub fn shares<'a>(
    level: u16,
    parameters: &ResponseParameters<'_>,
    data: &'a [u8],
) -> Result<impl Iterator<Item = Result<ShareEntry<'a>, DecodeError>>, DecodeError> {
    let entries = Entries::new(&SHARE_SIZES, level, parameters, data)?;
    Ok(entries.iter().map(move |(at, bytes)| {
        let fields = |input| {
            let (input, name) = read::array("name", input)?;
            if level == 0 {
                return Ok((input, (name, None)));
            }
            let (input, pad) = read::u8("pad", input)?;
            let (input, share_type) = read::u16_le("type", input)?;
            let (input, pointer) = read::u32_le("remark", input)?;
            Ok((input, (name, Some((pad, ShareType(share_type), pointer)))))
        };
        let (_, (name, details)) =
            read::finish(fields(bytes), bytes, Layer::Rap).map_err(|error| error.at(at))?;
        let Some((pad, share_type, pointer)) = details else { return Ok(ShareEntry { name, details: None }) };
        let remark = entries.string("remark", at + 16, pointer)?;
        Ok(ShareEntry { name, details: Some(ShareDetails { pad, share_type, remark }) })
    }))
}
