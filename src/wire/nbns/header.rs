//! The first 12 bytes: transaction, flags word, counts (RFC 1002 §4.2.1.1).

use core::fmt;

use bitflags::bitflags;
use bytes::BufMut;

/// OPCODE, four bits. Unknown values are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Opcode(pub u8);

impl Opcode {
    /// Query, also for node status.
    pub const QUERY: Self = Self(0);
    /// Registration, overwrite, and what answers them.
    pub const REGISTRATION: Self = Self(5);
    /// Release.
    pub const RELEASE: Self = Self(6);
    /// Wait for acknowledgement.
    pub const WACK: Self = Self(7);
    /// Refresh: what all senders write, and the table of RFC 1002 §4.2.1.1.
    pub const REFRESH: Self = Self(8);
    /// Refresh, as figure 4.2.4 of RFC 1002 prints it. Read, never written.
    pub const REFRESH_ALTERNATE: Self = Self(9);
    /// Registration of one address among several (MS-NBTE 2.2.2).
    pub const MULTIHOMED_REGISTRATION: Self = Self(15);

    /// The opcode's name in snake_case, as in the JSON key `nbns.opcode`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::QUERY => "query",
            Self::REGISTRATION => "registration",
            Self::RELEASE => "release",
            Self::WACK => "wack",
            Self::REFRESH => "refresh",
            Self::REFRESH_ALTERNATE => "refresh_alternate",
            Self::MULTIHOMED_REGISTRATION => "multihomed_registration",
            _ => return None,
        })
    }

    /// Whether a request of this opcode says something about the sender's own name: a registration, refresh
    /// or release, which all have one layout.
    pub(super) const fn is_claim(self) -> bool {
        matches!(self.0, 5 | 6 | 8 | 9 | 15)
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:x}", self.0),
        }
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

bitflags! {
    /// NM_FLAGS, at their places in the flags word. Reserved bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct NmFlags: u16 {
        /// AA, authoritative answer: set in responses of a name's owner and of a name server.
        const AA = 0x0400;
        /// TC: the packet was truncated, the name list is not whole.
        const TC = 0x0200;
        /// RD, recursion desired: set in queries and registrations. Clear in a registration: overwrite.
        const RD = 0x0100;
        /// RA, recursion available: the responder is a name server. Clear in a registration response: the
        /// claimant must challenge the owner itself.
        const RA = 0x0080;
        /// B: the packet was broadcast.
        const B = 0x0010;
        const _ = 0x07f0;
    }
}

/// RCODE, four bits. Unknown values are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Rcode(pub u8);

impl Rcode {
    /// No error: the response is positive.
    pub const NONE: Self = Self(0);
    /// FMT_ERR: the request was invalidly formatted.
    pub const FMT_ERR: Self = Self(1);
    /// SRV_ERR: the name server cannot process names.
    pub const SRV_ERR: Self = Self(2);
    /// NAM_ERR: the name does not exist.
    pub const NAM_ERR: Self = Self(3);
    /// IMP_ERR: unsupported request.
    pub const IMP_ERR: Self = Self(4);
    /// RFS_ERR: the server will not register this name for this node.
    pub const RFS_ERR: Self = Self(5);
    /// ACT_ERR: the name is owned by another node.
    pub const ACT_ERR: Self = Self(6);
    /// CFT_ERR: a unique name is owned by more than one node.
    pub const CFT_ERR: Self = Self(7);

    /// The code's name in RFC 1002, in lower case.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::FMT_ERR => "fmt_err",
            Self::SRV_ERR => "srv_err",
            Self::NAM_ERR => "nam_err",
            Self::IMP_ERR => "imp_err",
            Self::RFS_ERR => "rfs_err",
            Self::ACT_ERR => "act_err",
            Self::CFT_ERR => "cft_err",
            _ => return None,
        })
    }

    /// The code in words.
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "no error",
            Self::FMT_ERR => "invalid format",
            Self::SRV_ERR => "name server failure",
            Self::NAM_ERR => "name does not exist",
            Self::IMP_ERR => "unsupported request",
            Self::RFS_ERR => "refused by policy",
            Self::ACT_ERR => "name is owned by another node",
            Self::CFT_ERR => "name is in conflict",
            _ => return None,
        })
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:x}", self.0),
        }
    }
}

impl fmt::Debug for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rcode({self})")
    }
}

/// The flags word: R (0x8000), OPCODE (0x7800), NM_FLAGS (0x07F0), RCODE (0x000F). Every word is legal.
///
/// The constants are the words of RFC 1002 §4.2 for each packet kind, without B. Real senders differ in
/// NM_FLAGS: dispatch on [`Self::is_response`], [`Self::opcode`] and [`Self::rcode`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Flags(pub u16);

impl Flags {
    /// Name query request (§4.2.12).
    pub const QUERY: Self = Self(0x0100);
    /// Node status request (§4.2.17).
    pub const NODE_STATUS: Self = Self(0x0000);
    /// Name registration request (§4.2.2).
    pub const REGISTRATION: Self = Self(0x2900);
    /// Name overwrite request and demand (§4.2.3).
    pub const OVERWRITE: Self = Self(0x2800);
    /// Name refresh request, opcode 8 (§4.2.4).
    pub const REFRESH: Self = Self(0x4000);
    /// Name release request and demand (§4.2.9).
    pub const RELEASE: Self = Self(0x3000);
    /// Multihomed name registration request (MS-NBTE 2.2.2).
    pub const MULTIHOMED_REGISTRATION: Self = Self(0x7900);
    /// Name query response of an end node (§4.2.13). A name server adds [`NmFlags::RA`].
    pub const QUERY_RESPONSE: Self = Self(0x8500);
    /// Redirect name query response (§4.2.15).
    pub const REDIRECT: Self = Self(0x8100);
    /// Node status response (§4.2.18).
    pub const NODE_STATUS_RESPONSE: Self = Self(0x8400);
    /// Name registration response (§4.2.5, §4.2.6).
    pub const REGISTRATION_RESPONSE: Self = Self(0xad80);
    /// End-node challenge registration response (§4.2.7).
    pub const END_NODE_CHALLENGE: Self = Self(0xad00);
    /// Name conflict demand (§4.2.8).
    pub const NAME_CONFLICT_DEMAND: Self = Self(0xad87);
    /// Name release response (§4.2.10, §4.2.11).
    pub const RELEASE_RESPONSE: Self = Self(0xb400);
    /// Wait for acknowledgement response (§4.2.16).
    pub const WACK: Self = Self(0xbc00);

    /// R: whether this is a response. A response is never answered.
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// OPCODE.
    pub const fn opcode(self) -> Opcode {
        let [high, _] = self.0.to_be_bytes();
        Opcode(high >> 3 & 15)
    }

    /// NM_FLAGS with reserved bits.
    pub const fn nm_flags(self) -> NmFlags {
        NmFlags::from_bits_truncate(self.0)
    }

    /// RCODE.
    pub const fn rcode(self) -> Rcode {
        let [_, low] = self.0.to_be_bytes();
        Rcode(low & 15)
    }

    /// Whether this is the word of a WACK, whatever its NM_FLAGS.
    pub(crate) const fn is_wack(self) -> bool {
        self.is_response() && self.opcode().0 == Opcode::WACK.0
    }

    /// The word with `flags` set too.
    #[must_use]
    pub const fn with(self, flags: NmFlags) -> Self {
        Self(self.0 | flags.bits() & NmFlags::all().bits())
    }

    /// The word with the lower four bits of `rcode` as RCODE.
    #[must_use]
    pub const fn with_rcode(self, rcode: Rcode) -> Self {
        Self(self.0 & !15 | (rcode.0 & 15) as u16)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags(0x{:04x})", self.0)
    }
}

/// What every packet of the name service begins with, without the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Header {
    /// NAME_TRN_ID: a response repeats that of its request.
    pub name_trn_id: u16,
    /// The flags word.
    pub flags: Flags,
}

/// How many questions and records a packet announces, as the four counts stand on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Counts {
    /// QDCOUNT, questions.
    pub qdcount: u16,
    /// ANCOUNT, answer records. 0 in negative query responses of WINS, although one follows.
    pub ancount: u16,
    /// NSCOUNT, authority records.
    pub nscount: u16,
    /// ARCOUNT, additional records.
    pub arcount: u16,
}

/// Offset of the question: behind header and counts, whose length this is, in bytes.
pub(super) const QUESTION_AT: u16 = 12;
pub(super) const HEADER_LEN: usize = QUESTION_AT as usize;

pub(super) const fn read(bytes: [u8; HEADER_LEN]) -> (Header, Counts) {
    let [id0, id1, flags0, flags1, qd0, qd1, an0, an1, ns0, ns1, ar0, ar1] = bytes;
    let header = Header {
        name_trn_id: u16::from_be_bytes([id0, id1]),
        flags: Flags(u16::from_be_bytes([flags0, flags1])),
    };
    let counts = Counts {
        qdcount: u16::from_be_bytes([qd0, qd1]),
        ancount: u16::from_be_bytes([an0, an1]),
        nscount: u16::from_be_bytes([ns0, ns1]),
        arcount: u16::from_be_bytes([ar0, ar1]),
    };
    (header, counts)
}

pub(super) fn write(header: Header, counts: Counts, out: &mut impl BufMut) {
    out.put_u16(header.name_trn_id);
    out.put_u16(header.flags.0);
    out.put_u16(counts.qdcount);
    out.put_u16(counts.ancount);
    out.put_u16(counts.nscount);
    out.put_u16(counts.arcount);
}
