//! The pcapng blocks that matter, as plain functions over one whole block (draft-ietf-opsawg-pcapng).
//!
//! Packet blocks are read here and not with pcap-parser: it collects the options of each block in a vector and
//! does not know the obsolete packet block. Interface descriptions go through it.

use pcap_parser::OptionCode;
use pcap_parser::pcapng::{parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le};

use super::frame::{LinkType, Timestamp};

/// Section header block; the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// Interface description block.
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete packet block.
pub(super) const PACKET: u32 = 2;
/// Simple packet block.
pub(super) const SIMPLE_PACKET: u32 = 3;
/// Enhanced packet block.
pub(super) const ENHANCED_PACKET: u32 = 6;

/// Byte order of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order that a section header's byte-order magic (offset 8) shows.
    pub(super) fn of_section(block: &[u8]) -> Option<Self> {
        match Self::Little.u32(block, 8)? {
            0x1a2b_3c4d => Some(Self::Little),
            0x4d3c_2b1a => Some(Self::Big),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }

    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        })
    }

    fn i64(self, bytes: &[u8]) -> Option<i64> {
        let raw = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => i64::from_le_bytes(raw),
            Self::Big => i64::from_be_bytes(raw),
        })
    }
}

/// What an interface description says about the packets of its interface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    link: LinkType,
    /// Largest captured length, in bytes; 0 is no limit.
    snaplen: u32,
    clock: Clock,
}

impl Interface {
    /// Reads a whole interface description block.
    pub(super) fn parse(block: &[u8], order: ByteOrder) -> Option<Self> {
        let (_, parsed) = match order {
            ByteOrder::Little => parse_interfacedescriptionblock_le(block),
            ByteOrder::Big => parse_interfacedescriptionblock_be(block),
        }
        .ok()?;
        let mut clock = Clock { ticks: Ticks::Micro, offset: 0 };
        // pcap-parser's own values of these two know neither binary resolutions nor big-endian offsets.
        for option in &parsed.options {
            let value = option.as_bytes().unwrap_or_default();
            match option.code {
                OptionCode::EndOfOpt => break,
                OptionCode::IfTsresol => {
                    clock.ticks = value.first().map_or(clock.ticks, |resolution| Ticks::new(*resolution));
                }
                OptionCode::IfTsoffset => clock.offset = order.i64(value).unwrap_or(clock.offset),
                _ => {}
            }
        }
        let link = order.u16(block, 8)?;
        Some(Self { link: LinkType(link.into()), snaplen: parsed.snaplen, clock })
    }
}

/// The clock of an interface: `if_tsresol` and `if_tsoffset`.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ticks: Ticks,
    /// Seconds to add.
    offset: i64,
}

impl Clock {
    #[inline]
    fn time(self, high: u32, low: u32) -> Timestamp {
        let ticks = u64::from(high) << 32 | u64::from(low);
        let (seconds, nanoseconds) = match self.ticks {
            Ticks::Micro => (ticks / 1_000_000, ticks % 1_000_000 * 1000),
            Ticks::Nano => (ticks / 1_000_000_000, ticks % 1_000_000_000),
            Ticks::Other(per_second) => {
                let part = u128::from(ticks) % per_second;
                // Both quotients fit: the first is at most `ticks`, the second below 10^9.
                #[allow(clippy::cast_possible_truncation)]
                let split = (
                    (u128::from(ticks) / per_second) as u64,
                    (part.saturating_mul(1_000_000_000) / per_second) as u64,
                );
                split
            }
        };
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(self.offset);
        Timestamp::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    }
}

/// Ticks per second.
#[derive(Debug, Clone, Copy)]
enum Ticks {
    Micro,
    Nano,
    /// Never 0.
    Other(u128),
}

impl Ticks {
    /// `if_tsresol`: a negative power of 10, or with the highest bit of 2.
    fn new(resolution: u8) -> Self {
        match (resolution & 0x80, u32::from(resolution & 0x7f)) {
            (0, 6) => Self::Micro,
            (0, 9) => Self::Nano,
            // Beyond 10^38 the ticks of 64 bits are less than a nanosecond together.
            (0, power) => Self::Other(10_u128.checked_pow(power).unwrap_or(u128::MAX)),
            (_, power) => Self::Other(1_u128 << power),
        }
    }
}

/// Where a packet's bytes are in its block, and what the block says about them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
    pub(super) interface: u32,
    pub(super) original_len: u32,
    /// Offset of the captured bytes in the block.
    pub(super) at: usize,
    /// Their number.
    pub(super) len: usize,
}

/// Why a packet block gives no record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flaw {
    /// Shorter than its fixed fields.
    Short,
    UnknownInterface(u32),
    /// More captured bytes than the block has space for.
    Len {
        len: u32,
        max: usize,
    },
}

/// Reads a whole packet block of type `kind`.
#[inline]
pub(super) fn packet(
    kind: u32,
    block: &[u8],
    order: ByteOrder,
    interfaces: &[Interface],
) -> Result<Record, Flaw> {
    let word = |at| order.u32(block, at).ok_or(Flaw::Short);
    let described = |id: u32| {
        usize::try_from(id).ok().and_then(|id| interfaces.get(id)).ok_or(Flaw::UnknownInterface(id))
    };
    if kind == SIMPLE_PACKET {
        let interface = described(0)?;
        let max = block.len().checked_sub(16).ok_or(Flaw::Short)?;
        let original_len = word(8)?;
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let len = original_len.min(snaplen);
        return Ok(Record {
            time: Timestamp::EPOCH,
            link: interface.link,
            interface: 0,
            original_len,
            at: 12,
            len: usize::try_from(len).map_or(max, |len| len.min(max)),
        });
    }
    let max = block.len().checked_sub(32).ok_or(Flaw::Short)?;
    let id = if kind == PACKET { order.u16(block, 8).ok_or(Flaw::Short)?.into() } else { word(8)? };
    let interface = described(id)?;
    let captured = word(20)?;
    let len =
        usize::try_from(captured).ok().filter(|len| *len <= max).ok_or(Flaw::Len { len: captured, max })?;
    Ok(Record {
        time: interface.clock.time(word(12)?, word(16)?),
        link: interface.link,
        interface: id,
        original_len: word(24)?,
        at: 28,
        len,
    })
}
