//! What a capture holds: frames, their times and link types.

use core::{fmt, time::Duration};

use super::packet::Packet;
use crate::wire::DecodeError;

/// One captured frame, of a file or an interface. Its bytes stay in the reader's buffer until the next one is
/// asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// Number of the record in the file, from 1 on. Records that the reader had to skip are counted.
    pub number: u64,
    /// When the frame was captured; [`Timestamp::EPOCH`] if the file does not say (pcapng simple packets).
    pub time: Timestamp,
    /// What the first byte belongs to.
    pub link: LinkType,
    /// Number of the pcapng interface in its section; 0 in classic pcap.
    pub interface: u32,
    /// Length of the frame on the wire, in bytes; `bytes` is shorter if the capture was cut.
    pub original_len: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A whole frame that comes from no file: without a number, on interface 0.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn new(time: Timestamp, link: LinkType, bytes: &'a [u8]) -> Self {
        // No link layer has frames of 4 GiB.
        Self { number: 0, time, link, interface: 0, original_len: bytes.len() as u32, bytes }
    }

    /// Walks to the transport layer: [`Packet::parse`] of [`Self::link`] and [`Self::bytes`].
    ///
    /// # Errors
    ///
    /// As [`Packet::parse`].
    #[inline]
    pub fn packet(&self) -> Result<Packet<'a>, DecodeError> {
        Packet::parse(self.link, self.bytes)
    }
}

/// A point in time: seconds since 1970-01-01 00:00:00 UTC, and nanoseconds of the next second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// 1970-01-01 00:00:00 UTC.
    pub const EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// The time `nanoseconds` after `seconds`; whole seconds among the nanoseconds are carried.
    #[inline]
    pub const fn new(seconds: i64, nanoseconds: u32) -> Self {
        if nanoseconds < 1_000_000_000 {
            Self { seconds, nanoseconds }
        } else {
            let carry = (nanoseconds / 1_000_000_000) as i64;
            Self { seconds: seconds.saturating_add(carry), nanoseconds: nanoseconds % 1_000_000_000 }
        }
    }

    /// Whole seconds since the Unix epoch, rounded down; negative before 1970.
    #[inline]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`Self::seconds`], below 1,000,000,000.
    #[inline]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Time since the Unix epoch; zero before 1970.
    pub const fn since_epoch(self) -> Duration {
        self.since(Self::EPOCH)
    }

    /// Time since `earlier`; zero if `earlier` is later (frames of a file need not be in order).
    pub const fn since(self, earlier: Self) -> Duration {
        let seconds = self.seconds as i128 - earlier.seconds as i128;
        let total = seconds * 1_000_000_000 + self.nanoseconds as i128 - earlier.nanoseconds as i128;
        if total <= 0 {
            return Duration::ZERO;
        }
        // At most 2^64 seconds: the quotient fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Duration::new((total / 1_000_000_000) as u64, (total % 1_000_000_000) as u32)
    }
}

/// The link-layer type of a frame: a number of the tcpdump group's list
/// (<https://www.tcpdump.org/linktypes.html>). Unknown ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: the address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, as some systems number it in files (`DLT_RAW` of most BSDs).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP, as OpenBSD numbers it in files.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, version 4 or 6.
    pub const RAW: Self = Self(101);
    /// 802.11, without a header in front of it.
    pub const IEEE802_11: Self = Self(105);
    /// 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1 (SLL).
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2 (SLL2).
    pub const LINUX_SLL2: Self = Self(276);

    /// The list's name without `LINKTYPE_`, if this is one of the constants.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NULL => "NULL",
            Self::ETHERNET => "ETHERNET",
            Self::RAW_BSD | Self::RAW_OPENBSD | Self::RAW => "RAW",
            Self::LOOP => "LOOP",
            Self::IEEE802_11 => "IEEE802_11",
            Self::IEEE802_11_RADIOTAP => "IEEE802_11_RADIOTAP",
            Self::LINUX_SLL => "LINUX_SLL",
            Self::IPV4 => "IPV4",
            Self::IPV6 => "IPV6",
            Self::LINUX_SLL2 => "LINUX_SLL2",
            _ => return None,
        })
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "link type {}", self.0),
        }
    }
}
