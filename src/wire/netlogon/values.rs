//! What several messages have in common: versions, flags, tokens, GUIDs, SIDs.

use core::fmt;

use bitflags::bitflags;
use bytes::BufMut;

use super::text::offset;
use crate::wire::error::{DecodeErrorKind, Layer, ValueError};
use crate::wire::read::{self, Parsed};

bitflags! {
    /// NtVersion: what a client understands, and which form an answer has (MS-ADTS 6.3.1.1). Unknown bits are
    /// kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct NtVersion: u32 {
        /// NETLOGON_NT_VERSION_1: always set.
        const V1 = 0x0000_0001;
        /// NETLOGON_NT_VERSION_5: answers with a GUID and DNS names.
        const V5 = 0x0000_0002;
        /// NETLOGON_NT_VERSION_5EX: extended answers.
        const V5EX = 0x0000_0004;
        /// NETLOGON_NT_VERSION_5EX_WITH_IP: extended answers with the server's address.
        const V5EX_WITH_IP = 0x0000_0008;
        /// NETLOGON_NT_VERSION_WITH_CLOSEST_SITE: extended answers with the next closest site.
        const CLOSEST_SITE = 0x0000_0010;
        /// NETLOGON_NT_VERSION_AVOID_NT4EMUL: no answers as NT 4 gave them.
        const AVOID_NT4EMUL = 0x0100_0000;
        /// NETLOGON_NT_VERSION_PDC: asks for the primary domain controller.
        const PDC = 0x1000_0000;
        /// NETLOGON_NT_VERSION_IP: obsolete.
        const IP = 0x2000_0000;
        /// NETLOGON_NT_VERSION_LOCAL: the client is the server.
        const LOCAL = 0x4000_0000;
        /// NETLOGON_NT_VERSION_GC: asks for a global catalog.
        const GC = 0x8000_0000;
        const _ = !0;
    }
}

bitflags! {
    /// What a domain controller is and offers: `DS_*_FLAG` (MS-ADTS 6.3.1.2). Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct DcFlags: u32 {
        /// The primary domain controller.
        const PDC = 0x0000_0001;
        /// A global catalog.
        const GC = 0x0000_0004;
        /// An LDAP server.
        const LDAP = 0x0000_0008;
        /// A directory service.
        const DS = 0x0000_0010;
        /// A Kerberos key distribution centre.
        const KDC = 0x0000_0020;
        /// A time service.
        const TIMESERV = 0x0000_0040;
        /// In the client's site.
        const CLOSEST = 0x0000_0080;
        /// Its directory can be written.
        const WRITABLE = 0x0000_0100;
        /// A reliable time service.
        const GOOD_TIMESERV = 0x0000_0200;
        /// The name is that of a non-domain naming context.
        const NDNC = 0x0000_0400;
        /// A read-only controller, which holds some secrets.
        const SELECT_SECRET = 0x0000_0800;
        /// A controller of Windows Server 2008 or later that can be written.
        const FULL_SECRET = 0x0000_1000;
        /// The Active Directory web service.
        const WS = 0x0000_2000;
        /// Windows Server 2012 or later.
        const DS_8 = 0x0000_4000;
        /// Windows Server 2012 R2 or later.
        const DS_9 = 0x0000_8000;
        /// Its name is a DNS name.
        const DNS_CONTROLLER = 0x2000_0000;
        /// The domain's name is a DNS name.
        const DNS_DOMAIN = 0x4000_0000;
        /// The forest's name is a DNS name.
        const DNS_FOREST = 0x8000_0000;
        const _ = !0;
    }
}

/// LmNtToken and Lm20Token, the end of a message: both 0xFFFF.
///
/// Accepted and kept: one token or none (LAN Manager clients), any values, and bytes behind them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tokens<'a>(&'a [u8]);

impl<'a> Tokens<'a> {
    /// Both tokens.
    pub const BOTH: Self = Self(&[0xff; 4]);
    /// Only Lm20Token stands there.
    pub(super) const ONE: Self = Self(&[0xff; 2]);

    /// All of `bytes`.
    pub(super) const fn read(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// LmNtToken, if both tokens are there.
    pub const fn lm_nt_token(self) -> Option<u16> {
        match self.0 {
            [a, b, _, _, ..] => Some(u16::from_le_bytes([*a, *b])),
            _ => None,
        }
    }

    /// Lm20Token, the last.
    pub const fn lm20_token(self) -> Option<u16> {
        match self.0 {
            [_, _, a, b, ..] | [a, b, ..] => Some(u16::from_le_bytes([*a, *b])),
            _ => None,
        }
    }

    /// What stands behind the tokens: as a rule nothing.
    pub const fn trailing(self) -> &'a [u8] {
        match self.0 {
            [_, _, _, _, rest @ ..] | [_, _, rest @ ..] | rest => rest,
        }
    }

    /// Whether `rest` is an NtVersion that both tokens follow.
    pub(crate) const fn follow(rest: &[u8]) -> bool {
        matches!(rest, [_, _, _, _, 0xff, 0xff, 0xff, 0xff, ..])
    }

    pub(super) const fn encoded_len(self) -> usize {
        self.0.len()
    }

    pub(super) fn write(self, out: &mut impl BufMut) {
        out.put_slice(self.0);
    }
}

impl fmt::Debug for Tokens<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({:02x?})", self.0)
    }
}

/// Reads NtVersion and the tokens: all of `input`.
pub(super) fn read_ending(input: &[u8]) -> Parsed<'_, (NtVersion, Tokens<'_>)> {
    let (input, nt_version) = read::u32_le("nt_version", input)?;
    Ok((&[], (NtVersion::from_bits_retain(nt_version), Tokens::read(input))))
}

/// A GUID, its bytes as they stand on the wire: the first three parts are little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, e @ ..] = self.0;
        write!(f, "{a0:02x}{a1:02x}{a2:02x}{a3:02x}-{b0:02x}{b1:02x}-{c0:02x}{c1:02x}-{d0:02x}{d1:02x}-")?;
        e.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Guid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The longest SID: 15 sub-authorities.
const MAX_SID: usize = 68;

/// A security identifier (MS-DTYP 2.4.2.2): revision (1), count (1), authority (6, big-endian), sub-authorities
/// (4 each).
///
/// Accepted and kept: up to 68 bytes that are no SID (smbtorture sends zeros).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid {
    length: usize,
    bytes: [u8; MAX_SID],
}

impl Sid {
    /// The SID of revision 1 with this authority (its lower 48 bits) and these sub-authorities.
    ///
    /// # Errors
    /// More than 15 sub-authorities.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Result<Self, ValueError> {
        const MAX: usize = 15;
        let too_long =
            || ValueError::too_long(Layer::Netlogon, "domain_sid", 8 + 4 * sub_authorities.len(), MAX_SID);
        if sub_authorities.len() > MAX {
            return Err(too_long());
        }
        let count = u8::try_from(sub_authorities.len()).map_err(|_| too_long())?;
        let [_, _, a, b, c, d, e, f] = authority.to_be_bytes();
        let head = [1, count, a, b, c, d, e, f];
        let all = head.into_iter().chain(sub_authorities.iter().flat_map(|part| part.to_le_bytes()));
        let mut bytes = [0; MAX_SID];
        for (place, byte) in bytes.iter_mut().zip(all) {
            *place = byte;
        }
        Ok(Self { length: 8 + 4 * sub_authorities.len(), bytes })
    }

    /// A SID of these bytes, at most 68.
    pub(crate) fn from_bytes(input: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_SID];
        bytes.get_mut(..input.len())?.copy_from_slice(input);
        Some(Self { length: input.len(), bytes })
    }

    /// The bytes as they stand on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }

    /// Whether these bytes are a SID: revision 1, and as many sub-authorities as the count says.
    pub fn is_valid(&self) -> bool {
        let [revision, count, ..] = self.bytes;
        revision == 1 && self.length == 8 + 4 * usize::from(count)
    }

    /// The authority: 5 for Windows.
    pub const fn authority(&self) -> u64 {
        let [_, _, a, b, c, d, e, f, ..] = self.bytes;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The sub-authorities.
    pub fn sub_authorities(&self) -> impl Iterator<Item = u32> {
        let parts = self.as_bytes().get(8..).unwrap_or_default();
        parts.as_chunks::<4>().0.iter().map(|&part| u32::from_le_bytes(part))
    }

    /// Reads DomainSidSize, the padding to 4 from the message's start, if it is there, and DomainSid, where `behind`
    /// bytes must follow.
    pub(super) fn read_sized<'a>(
        whole: &'a [u8],
        input: &'a [u8],
        behind: usize,
    ) -> Parsed<'a, (&'a [u8], Option<Self>)> {
        let (rest, size) = read::u32_le("domain_sid_size", input)?;
        if size == 0 {
            return Ok((rest, (&[], None)));
        }
        let size = match usize::try_from(size) {
            Ok(size) if size <= MAX_SID => size,
            _ => {
                let kind = DecodeErrorKind::BadValue { value: size, expected: "at most 68" };
                return read::fail(input, "domain_sid_size", kind);
            }
        };
        let padding = sid_padding(offset(whole, rest), rest, size, behind);
        let (rest, padding) = read::bytes("padding", padding, rest)?;
        let (rest, bytes) = read::bytes("domain_sid", size, rest)?;
        Ok((rest, (padding, Self::from_bytes(bytes))))
    }
}

/// Length of the padding in front of a SID of `size` bytes: `rest` begins at `at` of the message, and `behind` bytes
/// must follow the SID.
pub(crate) fn sid_padding(at: usize, rest: &[u8], size: usize, behind: usize) -> usize {
    let to_4 = at.next_multiple_of(4) - at;
    // A SID begins with its revision, a padding with zero. Zeros of both kinds: padded, if there is room.
    let unpadded = rest.first() == Some(&1) || rest.len() < to_4 + size + behind;
    if unpadded { 0 } else { to_4 }
}

/// `S-1-5-21-1-2-3`; bytes that are no SID in hexadecimal.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_valid() {
            return self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"));
        }
        match self.authority() {
            authority if authority < 1 << 32 => write!(f, "S-1-{authority}")?,
            authority => write!(f, "S-1-0x{authority:012x}")?,
        }
        self.sub_authorities().try_for_each(|part| write!(f, "-{part}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Sid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// DomainSidSize of `sid`.
pub(super) fn sid_size(sid: Option<&Sid>) -> u32 {
    // At most 68.
    sid.map_or(0, |sid| u32::try_from(sid.length).unwrap_or(0))
}

pub(super) fn write_sid(sid: Option<&Sid>, padding: &[u8], out: &mut impl BufMut) {
    out.put_u32_le(sid_size(sid));
    if let Some(sid) = sid {
        out.put_slice(padding);
        out.put_slice(sid.as_bytes());
    }
}

/// Length of DomainSidSize, padding and SID.
pub(super) fn sid_len(sid: Option<&Sid>, padding: &[u8]) -> usize {
    4 + sid.map_or(0, |sid| padding.len() + sid.as_bytes().len())
}
