//! NETLOGON_DB_CHANGE (MS-NRPC 2.2.1.5.1).
//!
//! ```text
//!  2  low_serial (4)   6  date_and_time (4)   10  pulse (4)   14  random (4)
//! 18  primary_dc_name NUL, domain_name NUL, padding to an even offset, unicode_primary_dc_name NUL,
//! unicode_domain_name NUL, db_count (4), db_count × [db_index (4), serial (8), time (8)],
//! domain_sid_size (4), domain_sid, message_format_version (4), message_token (4)
//! ```

use std::borrow::Cow;

use core::fmt;

use bytes::BufMut;

use super::BODY_AT;
use super::text::{Utf16Str, asciiz, checked, even_padding, write_asciiz};
use super::values::{Sid, sid_len, write_sid};
use crate::wire::codec::Encode;
use crate::wire::error::{DecodeErrorKind, Layer, ValueError};
use crate::wire::read::{self, Parsed};

/// Which database: DBIndex. Unknown values are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DbIndex(pub u32);

impl DbIndex {
    /// The accounts.
    pub const SAM: Self = Self(0);
    /// The built-in groups.
    pub const BUILTIN: Self = Self(1);
    /// The local security authority.
    pub const LSA: Self = Self(2);

    /// The database's name.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SAM => "SAM",
            Self::BUILTIN => "BUILTIN",
            Self::LSA => "LSA",
            _ => return None,
        })
    }
}

impl fmt::Display for DbIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:x}", self.0),
        }
    }
}

impl fmt::Debug for DbIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbIndex({self})")
    }
}

/// The state of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DbChangeInfo {
    /// Which database.
    pub db_index: DbIndex,
    /// LargeSerialNumber.
    pub serial: u64,
    /// When the database was made: a FILETIME, 100 ns since 1601.
    pub time: u64,
}

/// Length of a [`DbChangeInfo`], in bytes.
const INFO_LEN: usize = 20;

impl DbChangeInfo {
    const fn from_bytes(bytes: &[u8; INFO_LEN]) -> Self {
        let [i0, i1, i2, i3, s0, s1, s2, s3, s4, s5, s6, s7, t0, t1, t2, t3, t4, t5, t6, t7] = *bytes;
        Self {
            db_index: DbIndex(u32::from_le_bytes([i0, i1, i2, i3])),
            serial: u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]),
            time: u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
        }
    }
}

/// The primary domain controller tells the others what has changed; without its opcode.
///
/// A hint and no more: anyone can send it.
///
/// Accepted and kept: no padding before the UTF-16 names; a SID that is padded to a multiple of 4 from the message's
/// start (the specification shows no padding, and none is written), or that is no SID; any version and token,
/// and bytes behind them. Refused: a string without NUL, more databases than there are bytes, a DomainSidSize above
/// 68.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DbChange<'a> {
    /// LowSerialNumber of the accounts.
    pub low_serial: u32,
    /// DateAndTime, in seconds since 1970.
    pub date_and_time: u32,
    /// Pulse: how often this is sent, in seconds.
    pub pulse: u32,
    /// Random: over how many seconds a receiver should spread its answer.
    pub random: u32,
    primary_dc_name: &'a [u8],
    domain_name: &'a [u8],
    padded: bool,
    unicode_primary_dc_name: Utf16Str<'a>,
    unicode_domain_name: Utf16Str<'a>,
    db_count: u32,
    databases: Cow<'a, [u8]>,
    padding: &'a [u8],
    domain_sid: Option<Sid>,
    /// MessageFormatVersion: 1.
    pub message_format_version: u32,
    /// MessageToken: 0xFFFFFFFF.
    pub message_token: u32,
    trailing: &'a [u8],
}

impl<'a> DbChange<'a> {
    /// A message of the controller and domain with these names, in OEM bytes and in UTF-16. The numbers before
    /// the names are 0.
    ///
    /// # Errors
    /// A NUL in a name, more than 2^32 databases.
    pub fn new(
        [primary_dc_name, domain_name]: [&'a [u8]; 2],
        [unicode_primary_dc_name, unicode_domain_name]: [Utf16Str<'a>; 2],
        databases: &[DbChangeInfo],
        domain_sid: Option<Sid>,
    ) -> Result<Self, ValueError> {
        let db_count = u32::try_from(databases.len())
            .map_err(|_| ValueError::too_long(Layer::Netlogon, "db_count", databases.len(), usize::MAX))?;
        let mut bytes = Vec::with_capacity(databases.len() * INFO_LEN);
        for database in databases {
            bytes.put_u32_le(database.db_index.0);
            bytes.put_u64_le(database.serial);
            bytes.put_u64_le(database.time);
        }
        Ok(Self {
            low_serial: 0,
            date_and_time: 0,
            pulse: 0,
            random: 0,
            primary_dc_name: checked("primary_dc_name", primary_dc_name)?,
            domain_name: checked("domain_name", domain_name)?,
            padded: (BODY_AT + primary_dc_name.len() + domain_name.len()) % 2 == 1,
            unicode_primary_dc_name,
            unicode_domain_name,
            db_count,
            databases: Cow::Owned(bytes),
            padding: &[],
            domain_sid,
            message_format_version: 1,
            message_token: u32::MAX,
            trailing: &[],
        })
    }

    /// The controller's name, in OEM bytes.
    pub const fn primary_dc_name(&self) -> &'a [u8] {
        self.primary_dc_name
    }

    /// The domain's NetBIOS name, in OEM bytes.
    pub const fn domain_name(&self) -> &'a [u8] {
        self.domain_name
    }

    /// Whether a zero stands before the UTF-16 names.
    pub const fn is_padded(&self) -> bool {
        self.padded
    }

    /// The controller's name once more.
    pub const fn unicode_primary_dc_name(&self) -> Utf16Str<'a> {
        self.unicode_primary_dc_name
    }

    /// The domain's name once more.
    pub const fn unicode_domain_name(&self) -> Utf16Str<'a> {
        self.unicode_domain_name
    }

    /// The state of each database.
    pub fn databases(&self) -> impl ExactSizeIterator<Item = DbChangeInfo> {
        self.databases.as_chunks::<INFO_LEN>().0.iter().map(DbChangeInfo::from_bytes)
    }

    /// The bytes between DomainSidSize and DomainSid.
    pub const fn sid_padding(&self) -> &'a [u8] {
        self.padding
    }

    /// The domain's SID.
    pub const fn domain_sid(&self) -> Option<&Sid> {
        self.domain_sid.as_ref()
    }

    /// What stands behind the message.
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, low_serial) = read::u32_le("low_serial", input)?;
        let (input, date_and_time) = read::u32_le("date_and_time", input)?;
        let (input, pulse) = read::u32_le("pulse", input)?;
        let (input, random) = read::u32_le("random", input)?;
        let (input, primary_dc_name) = asciiz("primary_dc_name", input)?;
        let (input, domain_name) = asciiz("domain_name", input)?;
        let (input, padded) = even_padding(whole, input);
        let (input, unicode_primary_dc_name) = Utf16Str::read("unicode_primary_dc_name", input)?;
        let (input, unicode_domain_name) = Utf16Str::read("unicode_domain_name", input)?;
        let (rest, db_count) = read::u32_le("db_count", input)?;
        let needed = usize::try_from(db_count).ok().and_then(|count| count.checked_mul(INFO_LEN));
        let Some((databases, rest)) = needed.and_then(|needed| rest.split_at_checked(needed)) else {
            let needed = needed.unwrap_or(usize::MAX);
            return read::fail(input, "db_count", DecodeErrorKind::OutOfBounds { needed, have: rest.len() });
        };
        let (input, (padding, domain_sid)) = Sid::read_sized(whole, rest, 8)?;
        let (input, message_format_version) = read::u32_le("message_format_version", input)?;
        let (trailing, message_token) = read::u32_le("message_token", input)?;
        let message = Self {
            low_serial,
            date_and_time,
            pulse,
            random,
            primary_dc_name,
            domain_name,
            padded,
            unicode_primary_dc_name,
            unicode_domain_name,
            db_count,
            databases: Cow::Borrowed(databases),
            padding,
            domain_sid,
            message_format_version,
            message_token,
            trailing,
        };
        Ok((&[], message))
    }
}

impl Encode for DbChange<'_> {
    fn encoded_len(&self) -> usize {
        let oem = self.primary_dc_name.len() + self.domain_name.len() + 2 + usize::from(self.padded);
        let unicode = self.unicode_primary_dc_name.encoded_len() + self.unicode_domain_name.encoded_len();
        let sid = sid_len(self.domain_sid.as_ref(), self.padding);
        16 + oem + unicode + 4 + self.databases.len() + sid + 8 + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u32_le(self.low_serial);
        out.put_u32_le(self.date_and_time);
        out.put_u32_le(self.pulse);
        out.put_u32_le(self.random);
        write_asciiz(self.primary_dc_name, out);
        write_asciiz(self.domain_name, out);
        out.put_bytes(0, self.padded.into());
        self.unicode_primary_dc_name.write(out);
        self.unicode_domain_name.write(out);
        out.put_u32_le(self.db_count);
        out.put_slice(&self.databases);
        write_sid(self.domain_sid.as_ref(), self.padding, out);
        out.put_u32_le(self.message_format_version);
        out.put_u32_le(self.message_token);
        out.put_slice(self.trailing);
    }
}
