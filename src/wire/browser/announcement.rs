//! HostAnnouncement, DomainAnnouncement, LocalMasterAnnouncement (MS-BRWS 2.2.1, 2.2.7, 2.2.10): one layout.
//!
//! ```text
//!  0  opcode   1  update_count   2  periodicity ms (4)   6  server_name (16)   22  OS major  23  OS minor
//! 24  server_type (4)            28  browser version major  29  minor           30  signature 55 AA
//! 32  comment, NUL-terminated; in a DomainAnnouncement the local master's name
//! ```

use core::fmt;

use bytes::BufMut;

use super::server_type::ServerType;
use crate::wire::codec::Encode;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::oem::{FixedName, OemZ};

/// The signature of announcements: `55 AA` on the wire.
pub const SIGNATURE: u16 = 0xaa55;

/// The OS version in every DomainAnnouncement of Windows: 3.10 (MS-BRWS 2.2.7).
pub const DOMAIN_OS_VERSION: Version = Version { major: 3, minor: 10 };

/// Length of the fields between opcode and comment, in bytes.
const FIXED_LEN: usize = 31;

/// A version of two bytes: major, then minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(clippy::exhaustive_structs, reason = "a version has two numbers")]
pub struct Version {
    /// Major number.
    pub major: u8,
    /// Minor number.
    pub minor: u8,
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }
}

/// `6.1`
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The last field of an announcement: a comment, or the local master's name.
pub type Comment<'a> = OemZ<'a>;

/// An announcement, without its opcode.
///
/// Accepted and kept: any update count (Windows 9x and Samba count up); any periodicity; bytes behind the
/// name's NUL, and in DomainAnnouncements of Windows NT to 11 a browser version and signature that are old
/// memory; comments of any length, without a NUL, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Announcement<'a> {
    /// UpdateCount: 0, or counted up.
    pub update_count: u8,
    /// Periodicity: how often the sender announces itself, in milliseconds.
    pub periodicity: u32,
    /// ServerName, or MachineGroup in a DomainAnnouncement.
    pub server_name: FixedName,
    /// OSVersionMajor and OSVersionMinor.
    pub os_version: Version,
    /// ServerType. 0 says that the server leaves.
    pub server_type: ServerType,
    /// BrowserVersionMajor and BrowserVersionMinor: 15.1; 21.4 from Windows 98.
    pub browser_version: Version,
    /// Signature: 0xAA55.
    pub signature: u16,
    /// Comment, or LocalMasterBrowserName in a DomainAnnouncement.
    pub comment: Comment<'a>,
}

impl<'a> Announcement<'a> {
    /// An announcement of browser version 15.1 with no update count; the other fields are public.
    ///
    /// # Errors
    /// A name of more than 15 bytes, a comment of more than 42, or a NUL in either.
    pub fn new(
        server_name: &[u8],
        os_version: Version,
        server_type: ServerType,
        periodicity: u32,
        comment: &'a [u8],
    ) -> Result<Self, ValueError> {
        Ok(Self {
            update_count: 0,
            periodicity,
            server_name: FixedName::new(Layer::Browser, "server_name", server_name)?,
            os_version,
            server_type,
            browser_version: Version::new(15, 1),
            signature: SIGNATURE,
            comment: OemZ::new(Layer::Browser, "comment", comment, 42)?,
        })
    }

    /// Reads what follows the opcode; offsets count from there.
    #[inline]
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((head, comment)) = bytes.split_first_chunk::<FIXED_LEN>() else {
            return Err(truncated(bytes));
        };
        #[rustfmt::skip]
        let [
            update_count, p0, p1, p2, p3, name @ .., os_major, os_minor, t0, t1, t2, t3,
            browser_major, browser_minor, s0, s1,
        ] = *head;
        Ok(Self {
            update_count,
            periodicity: u32::from_le_bytes([p0, p1, p2, p3]),
            server_name: FixedName::from_bytes(name),
            os_version: Version::new(os_major, os_minor),
            server_type: ServerType::from_bits_retain(u32::from_le_bytes([t0, t1, t2, t3])),
            browser_version: Version::new(browser_major, browser_minor),
            signature: u16::from_le_bytes([s0, s1]),
            comment: OemZ::split(comment),
        })
    }
}

#[cold]
fn truncated(bytes: &[u8]) -> DecodeError {
    let (field, at, needed) = match bytes.len() {
        0 => ("update_count", 0, 1),
        1..5 => ("periodicity", 1, 4),
        5..21 => ("server_name", 5, 16),
        21 => ("os_version_major", 21, 1),
        22 => ("os_version_minor", 22, 1),
        23..27 => ("server_type", 23, 4),
        27 => ("browser_version_major", 27, 1),
        28 => ("browser_version_minor", 28, 1),
        _ => ("signature", 29, 2),
    };
    let kind = DecodeErrorKind::Truncated { needed, have: bytes.len().saturating_sub(at) };
    DecodeError::new(Layer::Browser, field, at, kind)
}

impl Encode for Announcement<'_> {
    fn encoded_len(&self) -> usize {
        FIXED_LEN + self.comment.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.update_count);
        out.put_u32_le(self.periodicity);
        out.put_slice(self.server_name.as_bytes());
        out.put_u8(self.os_version.major);
        out.put_u8(self.os_version.minor);
        out.put_u32_le(self.server_type.bits());
        out.put_u8(self.browser_version.major);
        out.put_u8(self.browser_version.minor);
        out.put_u16_le(self.signature);
        self.comment.encode(out);
    }
}
