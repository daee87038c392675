//! RequestElection (MS-BRWS 2.2.3).
//!
//! ```text
//!  0  opcode   1  version   2  criteria (4)   6  uptime ms (4)   10  unused (4)   14  server_name, NUL-terminated
//! ```

use core::fmt;

use bitflags::bitflags;
use bytes::BufMut;

use super::announcement::Version;
use crate::wire::codec::Encode;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::oem::OemZ;
use crate::wire::read;

/// The election criteria: one number, of which the greater wins (MS-BRWS 3.3.5.8).
///
/// ```text
/// byte 3  operating system   bytes 2–1  browser version   byte 0  roles
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Criteria(pub u32);

impl Criteria {
    /// Criteria of these parts.
    pub const fn new(os: ElectionOs, browser_version: Version, roles: ElectionRoles) -> Self {
        Self(u32::from_be_bytes([os.0, browser_version.minor, browser_version.major, roles.bits()]))
    }

    /// The operating system.
    pub const fn os(self) -> ElectionOs {
        let [os, ..] = self.0.to_be_bytes();
        ElectionOs(os)
    }

    /// The browser version: 15.1, written 0x010F.
    pub const fn browser_version(self) -> Version {
        let [_, minor, major, _] = self.0.to_be_bytes();
        Version::new(major, minor)
    }

    /// The roles.
    pub const fn roles(self) -> ElectionRoles {
        let [.., roles] = self.0.to_be_bytes();
        ElectionRoles::from_bits_retain(roles)
    }
}

impl fmt::Debug for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Criteria(0x{:08x})", self.0)
    }
}

/// The operating system byte of the criteria. Samba puts its `os level` here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ElectionOs(pub u8);

impl ElectionOs {
    /// Windows for Workgroups, Windows 9x.
    pub const WFW: Self = Self(0x01);
    /// Windows NT and later, client.
    pub const WORKSTATION: Self = Self(0x10);
    /// Windows NT and later, server.
    pub const SERVER: Self = Self(0x20);

    /// The value in words.
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::WFW => "Windows for Workgroups or 9x",
            Self::WORKSTATION => "Windows client",
            Self::SERVER => "Windows server",
            _ => return None,
        })
    }
}

impl fmt::Debug for ElectionOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ElectionOs(0x{:02x})", self.0)
    }
}

bitflags! {
    /// The role byte of the criteria. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct ElectionRoles: u8 {
        /// Running backup browser.
        const BACKUP = 0x01;
        /// Domain controller (MS-BRWS), standby (older texts).
        const DOMAIN_CONTROLLER = 0x02;
        /// Running local master browser.
        const MASTER = 0x04;
        /// Preferred master (`IsDomainMaster`, `preferred master`).
        const PREFERRED = 0x08;
        /// Uses a name server (WINS).
        const NBNS = 0x20;
        /// Primary domain controller.
        const PDC = 0x80;
        const _ = !0;
    }
}

/// An election frame, without its opcode.
///
/// Accepted and kept: any version (nmbd's forced election writes 0); an empty server name. Refused: a server
/// name of more than 16 bytes (CVE-2011-0654).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RequestElection<'a> {
    /// Version: 1.
    pub version: u8,
    /// Criteria. 0 with an uptime of 0: the sender wants an election, but cannot win one.
    pub criteria: Criteria,
    /// Uptime in milliseconds, 0xFFFFFFFF at most (MS-BRWS says seconds; all senders write milliseconds).
    pub uptime: u32,
    /// Unused: 0.
    pub unused: u32,
    server_name: OemZ<'a>,
}

impl<'a> RequestElection<'a> {
    /// An election frame of version 1; `uptime` in milliseconds.
    ///
    /// # Errors
    /// A name of more than 15 bytes, or with a NUL.
    pub fn new(criteria: Criteria, uptime: u32, server_name: &'a [u8]) -> Result<Self, ValueError> {
        let server_name = OemZ::new(Layer::Browser, "server_name", server_name, 15)?;
        Ok(Self { version: 1, criteria, uptime, unused: 0, server_name })
    }

    /// ServerName: at most 16 bytes.
    pub const fn server_name(&self) -> OemZ<'a> {
        self.server_name
    }

    /// Reads what follows the opcode; offsets count from there.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, version) = read::u8("version", input)?;
            let (input, criteria) = read::u32_le("criteria", input)?;
            let (input, uptime) = read::u32_le("uptime", input)?;
            let (input, unused) = read::u32_le("unused", input)?;
            let server_name = OemZ::split(input);
            if server_name.text().len() > 16 {
                let kind = DecodeErrorKind::TooLong { have: server_name.text().len(), max: 16 };
                return read::fail(input, "server_name", kind);
            }
            Ok((input, Self { version, criteria: Criteria(criteria), uptime, unused, server_name }))
        };
        read::finish(fields(bytes), bytes, Layer::Browser).map(|(_, frame)| frame)
    }
}

impl Encode for RequestElection<'_> {
    fn encoded_len(&self) -> usize {
        13 + self.server_name.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.version);
        out.put_u32_le(self.criteria.0);
        out.put_u32_le(self.uptime);
        out.put_u32_le(self.unused);
        self.server_name.encode(out);
    }
}
