//! The answers to SAM_LOGON_REQUEST, in three forms (MS-ADTS 6.3.1.7, 6.3.1.8, 6.3.1.9).
//!
//! ```text
//! 0x13–0x15  unicode_logon_server NUL, unicode_user_name NUL, unicode_domain_name NUL,
//!            NT5 only: domain_guid (16), null_guid (16), 3 compressed names, dc_ip_address (4), flags (4)
//!            nt_version (4), tokens (4)
//! 0x17–0x19   2  sbz (2)   4  flags (4)   8  domain_guid (16)   24  8 compressed names,
//!            dc_sock_addr_size (1), dc_sock_addr (16), next_closest_site_name: each there or not,
//!            nt_version (4), tokens (4)
//! ```

use std::borrow::Cow;

use core::net::Ipv4Addr;

use bytes::BufMut;

use super::BODY_AT;
use super::names::{self, Block, Builder, CompressedName};
use super::text::{Utf16Str, offset};
use super::values::{DcFlags, Guid, NtVersion, Tokens, read_ending};
use crate::wire::codec::Encode;
use crate::wire::error::ValueError;
use crate::wire::read::{self, Parsed};

/// The DNS names of an answer, for its constructor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DnsNames<'n> {
    /// DnsForestName.
    pub forest: &'n str,
    /// DnsDomainName.
    pub domain: &'n str,
    /// DnsHostName.
    pub host: &'n str,
}

/// What an NT5 answer has between the strings and NtVersion.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Directory<'a> {
    domain_guid: Guid,
    null_guid: Guid,
    names: Block<'a>,
    /// Where each name begins in the block.
    starts: [usize; 3],
    dc_ip_address: [u8; 4],
    flags: DcFlags,
}

const DIRECTORY_NAMES: [&str; 3] = ["dns_forest_name", "dns_domain_name", "dns_host_name"];

impl<'a> Directory<'a> {
    /// The shortest: two GUIDs, three empty names, address, flags.
    const MIN_LEN: usize = 16 + 16 + 3 + 4 + 4;

    /// DomainGuid.
    pub const fn domain_guid(&self) -> Guid {
        self.domain_guid
    }

    /// NullGuid: 0.
    pub const fn null_guid(&self) -> Guid {
        self.null_guid
    }

    /// DnsForestName.
    pub fn dns_forest_name(&self) -> CompressedName<'_> {
        let [start, _, _] = self.starts;
        self.names.name(start)
    }

    /// DnsDomainName.
    pub fn dns_domain_name(&self) -> CompressedName<'_> {
        let [_, start, _] = self.starts;
        self.names.name(start)
    }

    /// DnsHostName.
    pub fn dns_host_name(&self) -> CompressedName<'_> {
        let [_, _, start] = self.starts;
        self.names.name(start)
    }

    /// DcIpAddress: what the sender says, in network order on the wire.
    pub const fn dc_ip_address(&self) -> Ipv4Addr {
        let [a, b, c, d] = self.dc_ip_address;
        Ipv4Addr::new(a, b, c, d)
    }

    /// Flags.
    pub const fn flags(&self) -> DcFlags {
        self.flags
    }

    fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, domain_guid) = read::array("domain_guid", input)?;
        let (block, null_guid) = read::array("null_guid", input)?;
        let base = offset(whole, block);
        let mut starts = [0; 3];
        let (mut input, mut end) = (block, 0);
        for (start, field) in starts.iter_mut().zip(DIRECTORY_NAMES) {
            *start = end;
            (input, end) = names::read(field, block, base, end)?;
        }
        let names = Block::new(base, Cow::Borrowed(block.get(..end).unwrap_or_default()));
        let (input, dc_ip_address) = read::array("dc_ip_address", input)?;
        let (input, flags) = read::u32_le("flags", input)?;
        let directory = Self {
            domain_guid: Guid(domain_guid),
            null_guid: Guid(null_guid),
            names,
            starts,
            dc_ip_address,
            flags: DcFlags::from_bits_retain(flags),
        };
        Ok((input, directory))
    }

    fn encoded_len(&self) -> usize {
        16 + 16 + self.names.bytes().len() + 4 + 4
    }

    fn write(&self, out: &mut impl BufMut) {
        out.put_slice(&self.domain_guid.0);
        out.put_slice(&self.null_guid.0);
        out.put_slice(self.names.bytes());
        out.put_slice(&self.dc_ip_address);
        out.put_u32_le(self.flags.bits());
    }
}

/// An answer of opcode 0x13, 0x14 or 0x15, without its opcode: as NT 4 gives it, or with a [`Directory`].
///
/// No field says which form it is. Behind the strings, an answer is one of NT 4 if there is no room for more than
/// NtVersion and tokens, or if FF FF FF FF follows NtVersion; but it is one of NT 5 if it is long enough and ends
/// with an NtVersion that has [`NtVersion::V5`] and FF FF FF FF.
///
/// Accepted and kept: tokens that are missing, and bytes behind them. Refused: a string without NUL; a name with
/// a pointer that points into no name before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SamResponse<'a> {
    unicode_logon_server: Utf16Str<'a>,
    unicode_user_name: Utf16Str<'a>,
    unicode_domain_name: Utf16Str<'a>,
    directory: Option<Directory<'a>>,
    nt_version: NtVersion,
    tokens: Tokens<'a>,
}

impl<'a> SamResponse<'a> {
    /// The answer that NT 4 gives: the server's name with its backslashes (none from a server that is paused),
    /// the user's name of the request, the domain.
    pub const fn nt40(
        unicode_logon_server: Utf16Str<'a>,
        unicode_user_name: Utf16Str<'a>,
        unicode_domain_name: Utf16Str<'a>,
    ) -> Self {
        Self {
            unicode_logon_server,
            unicode_user_name,
            unicode_domain_name,
            directory: None,
            nt_version: NtVersion::V1,
            tokens: Tokens::BOTH,
        }
    }

    /// The same answer as NT 5 gives it, with the server's address.
    ///
    /// # Errors
    /// A name of more than 253 bytes, with labels that are empty or of more than 63 bytes, or with a NUL.
    pub fn with_directory(
        self,
        domain_guid: Guid,
        dns: DnsNames<'_>,
        dc_ip_address: Ipv4Addr,
        flags: DcFlags,
    ) -> Result<Self, ValueError> {
        let mut builder = Builder::new(BODY_AT + self.strings_len() + 16 + 16);
        let [forest, domain, host] = DIRECTORY_NAMES;
        let starts = [
            builder.name(forest, dns.forest)?,
            builder.name(domain, dns.domain)?,
            builder.name(host, dns.host)?,
        ];
        let directory = Directory {
            domain_guid,
            null_guid: Guid::default(),
            names: builder.finish(),
            starts,
            dc_ip_address: dc_ip_address.octets(),
            flags,
        };
        let nt_version = NtVersion::V1.union(NtVersion::V5);
        Ok(Self { directory: Some(directory), nt_version, tokens: Tokens::BOTH, ..self })
    }

    /// The server's name, as a rule with two backslashes.
    pub const fn unicode_logon_server(&self) -> Utf16Str<'a> {
        self.unicode_logon_server
    }

    /// The user's name of the request.
    pub const fn unicode_user_name(&self) -> Utf16Str<'a> {
        self.unicode_user_name
    }

    /// The domain's NetBIOS name.
    pub const fn unicode_domain_name(&self) -> Utf16Str<'a> {
        self.unicode_domain_name
    }

    /// What an answer of NT 5 has besides.
    pub const fn directory(&self) -> Option<&Directory<'a>> {
        self.directory.as_ref()
    }

    /// NtVersion: 1, or 3 with a directory.
    pub const fn nt_version(&self) -> NtVersion {
        self.nt_version
    }

    /// The tokens.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    const fn strings_len(&self) -> usize {
        self.unicode_logon_server.encoded_len()
            + self.unicode_user_name.encoded_len()
            + self.unicode_domain_name.encoded_len()
    }

    /// Whether what stands behind the strings is of the NT5 form.
    pub(crate) fn has_directory(rest: &[u8]) -> bool {
        let ends_as_nt5 = rest.len() >= Directory::MIN_LEN + 8
            && rest.last_chunk::<8>().is_some_and(|end| {
                let [v0, v1, v2, v3, ..] = *end;
                let version = NtVersion::from_bits_retain(u32::from_le_bytes([v0, v1, v2, v3]));
                Tokens::follow(end) && version.contains(NtVersion::V5)
            });
        ends_as_nt5 || (rest.len() > 8 && !Tokens::follow(rest))
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, unicode_logon_server) = Utf16Str::read("unicode_logon_server", input)?;
        let (input, unicode_user_name) = Utf16Str::read("unicode_user_name", input)?;
        let (input, unicode_domain_name) = Utf16Str::read("unicode_domain_name", input)?;
        let (input, directory) = if Self::has_directory(input) {
            let (input, directory) = Directory::read(whole, input)?;
            (input, Some(directory))
        } else {
            (input, None)
        };
        let (input, (nt_version, tokens)) = read_ending(input)?;
        let response = Self {
            unicode_logon_server,
            unicode_user_name,
            unicode_domain_name,
            directory,
            nt_version,
            tokens,
        };
        Ok((input, response))
    }
}

impl Encode for SamResponse<'_> {
    fn encoded_len(&self) -> usize {
        let directory = self.directory.as_ref().map_or(0, Directory::encoded_len);
        self.strings_len() + directory + 4 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.unicode_logon_server.write(out);
        self.unicode_user_name.write(out);
        self.unicode_domain_name.write(out);
        if let Some(directory) = &self.directory {
            directory.write(out);
        }
        out.put_u32_le(self.nt_version.bits());
        self.tokens.write(out);
    }
}

/// DcSockAddr: the server's address as a `sockaddr_in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DcSockAddr {
    /// The address family, little-endian on the wire: 2.
    pub family: u16,
    /// The port, in network order on the wire: 0.
    pub port: u16,
    /// The address, in network order on the wire.
    pub address: Ipv4Addr,
    /// Zeros.
    pub zero: [u8; 8],
}

/// Length of DcSockAddr, in bytes; DcSockAddrSize says it.
const SOCK_ADDR_LEN: u8 = 16;

impl DcSockAddr {
    const fn from_bytes(bytes: [u8; SOCK_ADDR_LEN as usize]) -> Self {
        let [f0, f1, p0, p1, a, b, c, d, z0, z1, z2, z3, z4, z5, z6, z7] = bytes;
        Self {
            family: u16::from_le_bytes([f0, f1]),
            port: u16::from_be_bytes([p0, p1]),
            address: Ipv4Addr::new(a, b, c, d),
            zero: [z0, z1, z2, z3, z4, z5, z6, z7],
        }
    }
}

/// The names of an extended answer besides the DNS names, for its constructor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SiteNames<'n> {
    /// NetbiosDomainName.
    pub netbios_domain: &'n str,
    /// NetbiosComputerName: the server's, without backslashes.
    pub netbios_computer: &'n str,
    /// UserName of the request.
    pub user: &'n str,
    /// DcSiteName: the server's site.
    pub dc_site: &'n str,
    /// ClientSiteName: the client's site.
    pub client_site: &'n str,
    /// NextClosestSiteName, for a client that asked with [`NtVersion::CLOSEST_SITE`].
    pub next_closest_site: Option<&'n str>,
}

/// The fields of the names, in their order.
const EX_NAMES: [&str; 8] = [
    "dns_forest_name",
    "dns_domain_name",
    "dns_host_name",
    "netbios_domain_name",
    "netbios_computer_name",
    "user_name",
    "dc_site_name",
    "client_site_name",
];

/// An answer of opcode 0x17, 0x18 or 0x19, without its opcode: with flags, names and sites.
///
/// No field says whether DcSockAddr and NextClosestSiteName are there. Behind the eight names, neither is where
/// FF FF FF FF follows an NtVersion, or where there is room for no more; else a DcSockAddr is what begins with its
/// size and family, 10 02 00, and what is left before NtVersion and tokens is NextClosestSiteName.
///
/// Accepted and kept: names compressed in any way or not; tokens that are missing, and bytes behind them. Refused:
/// a name with a pointer that points into no name before it, one that more than 20 pointers lead through, and
/// one of more than 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SamResponseEx<'a> {
    /// Sbz: 0.
    pub sbz: u16,
    /// Flags.
    pub flags: DcFlags,
    /// DomainGuid.
    pub domain_guid: Guid,
    /// The names, and all between them and NtVersion.
    block: Block<'a>,
    /// Where each name begins in the block.
    starts: [usize; EX_NAMES.len()],
    /// Where DcSockAddr begins in the block.
    sock_addr: Option<usize>,
    next_closest_site: Option<usize>,
    nt_version: NtVersion,
    tokens: Tokens<'a>,
}

impl<'a> SamResponseEx<'a> {
    const NAMES_AT: usize = BODY_AT + 2 + 4 + 16;

    /// An extended answer; with the server's address for a client that asked with [`NtVersion::V5EX_WITH_IP`].
    /// NtVersion says what is there.
    ///
    /// # Errors
    /// A name of more than 253 bytes, with labels that are empty or of more than 63 bytes, or with a NUL.
    pub fn new(
        flags: DcFlags,
        domain_guid: Guid,
        dns: DnsNames<'_>,
        names: SiteNames<'_>,
        dc_address: Option<Ipv4Addr>,
    ) -> Result<Self, ValueError> {
        let mut builder = Builder::new(Self::NAMES_AT);
        let texts = [
            dns.forest,
            dns.domain,
            dns.host,
            names.netbios_domain,
            names.netbios_computer,
            names.user,
            names.dc_site,
            names.client_site,
        ];
        let mut starts = [0; EX_NAMES.len()];
        for ((start, field), text) in starts.iter_mut().zip(EX_NAMES).zip(texts) {
            *start = builder.name(field, text)?;
        }
        let mut nt_version = NtVersion::V1.union(NtVersion::V5EX);
        let sock_addr = dc_address.map(|address| {
            nt_version.insert(NtVersion::V5EX_WITH_IP);
            builder.put(&[SOCK_ADDR_LEN]);
            let start = builder.len();
            builder.put(&[2, 0, 0, 0]);
            builder.put(&address.octets());
            builder.put(&[0; 8]);
            start
        });
        let next_closest_site = match names.next_closest_site {
            None => None,
            Some(site) => {
                nt_version.insert(NtVersion::CLOSEST_SITE);
                Some(builder.name("next_closest_site_name", site)?)
            }
        };
        Ok(Self {
            sbz: 0,
            flags,
            domain_guid,
            block: builder.finish(),
            starts,
            sock_addr,
            next_closest_site,
            nt_version,
            tokens: Tokens::BOTH,
        })
    }

    /// DnsForestName.
    pub fn dns_forest_name(&self) -> CompressedName<'_> {
        let [start, ..] = self.starts;
        self.block.name(start)
    }

    /// DnsDomainName.
    pub fn dns_domain_name(&self) -> CompressedName<'_> {
        let [_, start, ..] = self.starts;
        self.block.name(start)
    }

    /// DnsHostName.
    pub fn dns_host_name(&self) -> CompressedName<'_> {
        let [_, _, start, ..] = self.starts;
        self.block.name(start)
    }

    /// NetbiosDomainName.
    pub fn netbios_domain_name(&self) -> CompressedName<'_> {
        let [_, _, _, start, ..] = self.starts;
        self.block.name(start)
    }

    /// NetbiosComputerName.
    pub fn netbios_computer_name(&self) -> CompressedName<'_> {
        let [_, _, _, _, start, ..] = self.starts;
        self.block.name(start)
    }

    /// UserName of the request.
    pub fn user_name(&self) -> CompressedName<'_> {
        let [.., start, _, _] = self.starts;
        self.block.name(start)
    }

    /// DcSiteName.
    pub fn dc_site_name(&self) -> CompressedName<'_> {
        let [.., start, _] = self.starts;
        self.block.name(start)
    }

    /// ClientSiteName.
    pub fn client_site_name(&self) -> CompressedName<'_> {
        let [.., start] = self.starts;
        self.block.name(start)
    }

    /// DcSockAddr: what the sender says.
    pub fn dc_sock_addr(&self) -> Option<DcSockAddr> {
        let bytes = self.block.bytes().get(self.sock_addr?..)?.first_chunk()?;
        Some(DcSockAddr::from_bytes(*bytes))
    }

    /// NextClosestSiteName.
    pub fn next_closest_site_name(&self) -> Option<CompressedName<'_>> {
        self.next_closest_site.map(|start| self.block.name(start))
    }

    /// NtVersion: 5, and the bits of what is there.
    pub const fn nt_version(&self) -> NtVersion {
        self.nt_version
    }

    /// The tokens.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, sbz) = read::u16_le("sbz", input)?;
        let (input, flags) = read::u32_le("flags", input)?;
        let (block, domain_guid) = read::array("domain_guid", input)?;
        let base = offset(whole, block);
        let mut starts = [0; EX_NAMES.len()];
        let (mut input, mut end) = (block, 0);
        for (start, field) in starts.iter_mut().zip(EX_NAMES) {
            *start = end;
            (input, end) = names::read(field, block, base, end)?;
        }
        let is_ending = |rest: &[u8]| rest.len() <= 8 || Tokens::follow(rest);
        let mut sock_addr = None;
        if !is_ending(input)
            && let [SOCK_ADDR_LEN, 2, 0, ..] = input
        {
            let (behind, _) = read::bytes("dc_sock_addr", 1 + usize::from(SOCK_ADDR_LEN), input)?;
            sock_addr = Some(end + 1);
            (input, end) = (behind, end + 1 + usize::from(SOCK_ADDR_LEN));
        }
        let mut next_closest_site = None;
        if !is_ending(input) {
            next_closest_site = Some(end);
            (input, end) = names::read("next_closest_site_name", block, base, end)?;
        }
        let block = Block::new(base, Cow::Borrowed(block.get(..end).unwrap_or_default()));
        let (input, (nt_version, tokens)) = read_ending(input)?;
        let response = Self {
            sbz,
            flags: DcFlags::from_bits_retain(flags),
            domain_guid: Guid(domain_guid),
            block,
            starts,
            sock_addr,
            next_closest_site,
            nt_version,
            tokens,
        };
        Ok((input, response))
    }
}

impl Encode for SamResponseEx<'_> {
    fn encoded_len(&self) -> usize {
        2 + 4 + 16 + self.block.bytes().len() + 4 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.sbz);
        out.put_u32_le(self.flags.bits());
        out.put_slice(&self.domain_guid.0);
        out.put_slice(self.block.bytes());
        out.put_u32_le(self.nt_version.bits());
        self.tokens.write(out);
    }
}
