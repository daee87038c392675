//! Questions and resource records (RFC 1002 §4.2.1.2, §4.2.1.3).
//!
//! ```text
//! question   question_name (34+)   question_type (2)   question_class (2)
//! record     rr_name (2 or 34+)   rr_type (2)   rr_class (2)   ttl (4)   rdlength (2)   rdata
//! ```

use core::fmt;
use core::net::Ipv4Addr;
use std::borrow::Cow;

use bitflags::bitflags;
use bytes::BufMut;

use super::header::Flags;
use super::node_status::NodeStatus;
use crate::wire::codec::Encode;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::name::PacketName;

/// QUESTION_TYPE and RR_TYPE. Unknown values are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RrType(pub u16);

impl RrType {
    /// An IPv4 address: a name server's, in a redirect.
    pub const A: Self = Self(0x0001);
    /// A name server's name, in a redirect.
    pub const NS: Self = Self(0x0002);
    /// NULL: nothing, in negative query responses.
    pub const NULL: Self = Self(0x000a);
    /// NB: NetBIOS names and their addresses.
    pub const NB: Self = Self(0x0020);
    /// NBSTAT: node status.
    pub const NBSTAT: Self = Self(0x0021);

    /// The type's name in RFC 1002, in lower case.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::A => "a",
            Self::NS => "ns",
            Self::NULL => "null",
            Self::NB => "nb",
            Self::NBSTAT => "nbstat",
            _ => return None,
        })
    }
}

impl fmt::Display for RrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for RrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RrType({self})")
    }
}

/// QUESTION_CLASS and RR_CLASS. Always [`Self::IN`]; other values are kept and ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RrClass(pub u16);

impl RrClass {
    /// Internet.
    pub const IN: Self = Self(1);
}

impl fmt::Debug for RrClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RrClass(0x{:04x})", self.0)
    }
}

/// How a node registers and resolves names: ONT, the owner node type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "two bits, four values")]
pub enum NodeType {
    /// Broadcast.
    B,
    /// Point to point: a name server only.
    P,
    /// Mixed: broadcast first.
    M,
    /// Hybrid: a name server first. Reserved in RFC 1002, what Windows calls its own (MS-NBTE 1.1).
    H,
}

impl NodeType {
    pub(super) const fn from_ont(flags: u16) -> Self {
        match flags >> 13 & 3 {
            0 => Self::B,
            1 => Self::P,
            2 => Self::M,
            _ => Self::H,
        }
    }
}

bitflags! {
    /// NB_FLAGS. The lower 13 bits are kept and ignored: Samba's AD DC sets 0x0400.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct NbFlags: u16 {
        /// G: a group name.
        const GROUP = 0x8000;
        /// ONT: M node. With [`Self::P_NODE`]: H node.
        const M_NODE = 0x4000;
        /// ONT: P node.
        const P_NODE = 0x2000;
        const _ = !0;
    }
}

impl NbFlags {
    /// The flags of a unique (or group) name of a node of this type.
    pub const fn new(node_type: NodeType, group: bool) -> Self {
        let ont = match node_type {
            NodeType::B => Self::empty(),
            NodeType::P => Self::P_NODE,
            NodeType::M => Self::M_NODE,
            NodeType::H => Self::M_NODE.union(Self::P_NODE),
        };
        if group { ont.union(Self::GROUP) } else { ont }
    }

    /// ONT, the owner's node type.
    pub const fn node_type(self) -> NodeType {
        NodeType::from_ont(self.bits())
    }
}

/// ADDR_ENTRY: an owner of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AddrEntry {
    /// NB_FLAGS.
    pub flags: NbFlags,
    /// NB_ADDRESS, as the sender wrote it.
    pub address: Ipv4Addr,
}

impl AddrEntry {
    /// Length, in bytes.
    pub const LEN: usize = 6;

    /// An owner.
    pub const fn new(flags: NbFlags, address: Ipv4Addr) -> Self {
        Self { flags, address }
    }
}

/// RDATA of a record of type NB: one owner, or the several of a group or multihomed name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AddrEntries<'a>(Cow<'a, [u8]>);

impl<'a> AddrEntries<'a> {
    /// The owners `entries`.
    ///
    /// # Errors
    /// None, or more than the 10,922 that RDLENGTH can count.
    pub fn new(entries: impl IntoIterator<Item = AddrEntry>) -> Result<AddrEntries<'static>, ValueError> {
        let mut rdata = Vec::new();
        for entry in entries {
            rdata.put_u16(entry.flags.bits());
            rdata.put_slice(&entry.address.octets());
        }
        if rdata.is_empty() {
            return Err(ValueError::new(Layer::Nbns, "addr_entry", ValueErrorReason::Empty));
        }
        if rdata.len() > usize::from(u16::MAX) {
            return Err(ValueError::too_long(Layer::Nbns, "rdlength", rdata.len(), u16::MAX.into()));
        }
        Ok(AddrEntries(rdata.into()))
    }

    /// The owners, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = AddrEntry> {
        self.0.as_chunks::<{ AddrEntry::LEN }>().0.iter().map(|&[flags0, flags1, a, b, c, d]| AddrEntry {
            flags: NbFlags::from_bits_retain(u16::from_be_bytes([flags0, flags1])),
            address: Ipv4Addr::new(a, b, c, d),
        })
    }

    fn read(rdata: &'a [u8], rdlength_at: usize) -> Result<Self, DecodeError> {
        if rdata.is_empty() || !rdata.len().is_multiple_of(AddrEntry::LEN) {
            // At most 65,535: it was read from 16 bits.
            let value = u32::try_from(rdata.len()).unwrap_or(u32::MAX);
            let kind = DecodeErrorKind::BadValue { value, expected: "a multiple of 6, above 0" };
            return Err(DecodeError::new(Layer::Nbns, "rdlength", rdlength_at, kind));
        }
        Ok(Self(rdata.into()))
    }
}

impl From<AddrEntry> for AddrEntries<'_> {
    fn from(entry: AddrEntry) -> Self {
        let [flags0, flags1] = entry.flags.bits().to_be_bytes();
        let [a, b, c, d] = entry.address.octets();
        Self(vec![flags0, flags1, a, b, c, d].into())
    }
}

impl fmt::Debug for AddrEntries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question<'a> {
    name: PacketName<'a>,
    question_type: RrType,
    question_class: RrClass,
}

impl<'a> Question<'a> {
    pub(super) const fn new(name: PacketName<'a>, question_type: RrType) -> Self {
        Self { name, question_type, question_class: RrClass::IN }
    }

    /// QUESTION_NAME.
    pub const fn name(&self) -> &PacketName<'a> {
        &self.name
    }

    /// QUESTION_TYPE.
    pub const fn question_type(&self) -> RrType {
        self.question_type
    }

    /// QUESTION_CLASS.
    pub const fn question_class(&self) -> RrClass {
        self.question_class
    }

    /// Reads the question that begins at `at` and moves `at` behind it.
    pub(super) fn read(packet: &'a [u8], at: &mut usize) -> Result<Self, DecodeError> {
        let name = PacketName::read(packet, at, "question_name")?;
        let question_type = RrType(u16::from_be_bytes(take(packet, at, "question_type")?));
        let question_class = RrClass(u16::from_be_bytes(take(packet, at, "question_class")?));
        Ok(Self { name, question_type, question_class })
    }
}

impl Encode for Question<'_> {
    fn encoded_len(&self) -> usize {
        self.name.encoded_len() + 4
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.name.encode(out);
        out.put_u16(self.question_type.0);
        out.put_u16(self.question_class.0);
    }
}

/// What a record carries, by its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rdata<'a> {
    /// NB: owners of the name.
    Nb(AddrEntries<'a>),
    /// NBSTAT: names and statistics of a node.
    NodeStatus(NodeStatus<'a>),
    /// NULL: nothing.
    Null,
    /// A: an address.
    A(Ipv4Addr),
    /// NS: the name of a name server, in NetBIOS form.
    Ns(PacketName<'a>),
    /// NB or NULL in a WACK: the flags word of the request that is to wait.
    Wack(Flags),
    /// Another type, or one of A, NS and NULL in another form.
    Other(&'a [u8]),
}

impl Encode for Rdata<'_> {
    fn encoded_len(&self) -> usize {
        match self {
            Self::Nb(entries) => entries.0.len(),
            Self::NodeStatus(status) => status.encoded_len(),
            Self::Null => 0,
            Self::A(_) => 4,
            Self::Ns(name) => name.encoded_len(),
            Self::Wack(_) => 2,
            Self::Other(bytes) => bytes.len(),
        }
    }

    fn encode(&self, out: &mut impl BufMut) {
        match self {
            Self::Nb(entries) => out.put_slice(&entries.0),
            Self::NodeStatus(status) => status.encode(out),
            Self::Null => {}
            Self::A(address) => out.put_slice(&address.octets()),
            Self::Ns(name) => name.encode(out),
            Self::Wack(flags) => out.put_u16(flags.0),
            Self::Other(bytes) => out.put_slice(bytes),
        }
    }
}

/// A resource record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceRecord<'a> {
    name: PacketName<'a>,
    rr_type: RrType,
    rr_class: RrClass,
    ttl: u32,
    rdata: Rdata<'a>,
}

impl<'a> ResourceRecord<'a> {
    /// `rdata` must be one that [`Rdata::read`] gives for `rr_type`, of at most 65,535 bytes.
    pub(super) const fn new(name: PacketName<'a>, rr_type: RrType, ttl: u32, rdata: Rdata<'a>) -> Self {
        Self { name, rr_type, rr_class: RrClass::IN, ttl, rdata }
    }

    /// RR_NAME.
    pub const fn name(&self) -> &PacketName<'a> {
        &self.name
    }

    /// RR_TYPE.
    pub const fn rr_type(&self) -> RrType {
        self.rr_type
    }

    /// RR_CLASS.
    pub const fn rr_class(&self) -> RrClass {
        self.rr_class
    }

    /// TTL in seconds; 0 is for ever (RFC 1002 §6, INFINITE_TTL). In a WACK: how much longer to wait.
    pub const fn ttl(&self) -> u32 {
        self.ttl
    }

    /// RDATA.
    pub const fn rdata(&self) -> &Rdata<'a> {
        &self.rdata
    }

    /// Reads the record that begins at `at` and moves `at` behind it. `flags` are those of the packet: a WACK
    /// carries other data under the same types.
    pub(super) fn read(packet: &'a [u8], at: &mut usize, flags: Flags) -> Result<Self, DecodeError> {
        let name = PacketName::read(packet, at, "rr_name")?;
        let rr_type = RrType(u16::from_be_bytes(take(packet, at, "rr_type")?));
        let rr_class = RrClass(u16::from_be_bytes(take(packet, at, "rr_class")?));
        let ttl = u32::from_be_bytes(take(packet, at, "ttl")?);
        let rdlength_at = *at;
        let rdlength = usize::from(u16::from_be_bytes(take(packet, at, "rdlength")?));
        let start = *at;
        let have = packet.len().saturating_sub(start);
        let end = start.saturating_add(rdlength);
        let (Some(rdata), Some(so_far)) = (packet.get(start..end), packet.get(..end)) else {
            let kind = DecodeErrorKind::OutOfBounds { needed: rdlength, have };
            return Err(DecodeError::new(Layer::Nbns, "rdlength", rdlength_at, kind));
        };
        *at = end;
        let rdata = match (rr_type, rdata) {
            (RrType::NB | RrType::NULL, &[high, low]) if flags.is_wack() => {
                Rdata::Wack(Flags(u16::from_be_bytes([high, low])))
            }
            (RrType::NB, _) => Rdata::Nb(AddrEntries::read(rdata, rdlength_at)?),
            (RrType::NBSTAT, _) => match NodeStatus::from_rdata(rdata) {
                Some(status) => Rdata::NodeStatus(status),
                None => return Err(truncated("num_names", start, 1, 0)),
            },
            (RrType::NULL, []) => Rdata::Null,
            (RrType::A, &[a, b, c, d]) => Rdata::A(Ipv4Addr::new(a, b, c, d)),
            (RrType::NS, _) => {
                let mut name_end = start;
                match PacketName::read(so_far, &mut name_end, "rdata") {
                    Ok(name) if name_end == end => Rdata::Ns(name),
                    _ => Rdata::Other(rdata),
                }
            }
            _ => Rdata::Other(rdata),
        };
        Ok(Self { name, rr_type, rr_class, ttl, rdata })
    }
}

impl Encode for ResourceRecord<'_> {
    fn encoded_len(&self) -> usize {
        self.name.encoded_len() + 10 + self.rdata.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.name.encode(out);
        out.put_u16(self.rr_type.0);
        out.put_u16(self.rr_class.0);
        out.put_u32(self.ttl);
        // Read from 16 bits, or held to them by the constructors.
        out.put_u16(u16::try_from(self.rdata.encoded_len()).unwrap_or(u16::MAX));
        self.rdata.encode(out);
    }
}

/// The `N` bytes at `at`, which moves behind them.
fn take<const N: usize>(packet: &[u8], at: &mut usize, field: &'static str) -> Result<[u8; N], DecodeError> {
    let rest = packet.get(*at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => {
            *at += N;
            Ok(*bytes)
        }
        None => Err(truncated(field, *at, N, rest.len())),
    }
}

const fn truncated(field: &'static str, at: usize, needed: usize, have: usize) -> DecodeError {
    DecodeError::new(Layer::Nbns, field, at, DecodeErrorKind::Truncated { needed, have })
}
