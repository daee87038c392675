//! `SMB_COM_NEGOTIATE` (MS-CIFS 2.2.4.52, MS-SMB 2.2.4.5). Little-endian.
//!
//! ```text
//! request            bytes: (02 dialect NUL)*
//! response, 1 word   dialect_index
//! response, 13       dialect_index (2) security_mode (2) max_buffer_size (2) max_mpx_count (2) max_number_vcs (2)
//!                    raw_mode (2) session_key (4) server_time (2) server_date (2) server_time_zone (2)
//!                    challenge_length (2) reserved (2)                    bytes: challenge, primary domain NUL
//! response, 17       dialect_index (2) security_mode max_mpx_count (2) max_number_vcs (2) max_buffer_size (4)
//!                    max_raw_size (4) session_key (4) capabilities (4) system_time (8) server_time_zone (2)
//!                    challenge_length                                     bytes: challenge, domain NUL
//!                                                       or, extended security: server_guid (16), security blob
//! ```

use bitflags::bitflags;
use bytes::BufMut;

use super::block::{Area, Block, Builder};
use super::text::SmbStr;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::read;

/// The dialect that this crate speaks.
pub const NT_LM_012: &[u8] = b"NT LM 0.12";

/// DialectIndex of an answer that accepts none of the dialects.
pub const NO_DIALECT: u16 = 0xffff;

const BUFFER_FORMAT_DIALECT: u8 = 2;
const NT_WORDS: u8 = 17;
const LANMAN_WORDS: u8 = 13;
const GUID_LEN: usize = 16;

bitflags! {
    /// SecurityMode of a server. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct SecurityMode: u8 {
        /// User level security (else share level).
        const USER_SECURITY = 0x01;
        /// Passwords are sent as answers to a challenge.
        const ENCRYPT_PASSWORDS = 0x02;
        /// Signatures can be used.
        const SECURITY_SIGNATURES_ENABLED = 0x04;
        /// Signatures must be used.
        const SECURITY_SIGNATURES_REQUIRED = 0x08;
        const _ = !0;
    }
}

bitflags! {
    /// Capabilities of a client or server. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct Capabilities: u32 {
        /// CAP_RAW_MODE.
        const RAW_MODE = 0x0000_0001;
        /// CAP_MPX_MODE.
        const MPX_MODE = 0x0000_0002;
        /// CAP_UNICODE.
        const UNICODE = 0x0000_0004;
        /// CAP_LARGE_FILES.
        const LARGE_FILES = 0x0000_0008;
        /// CAP_NT_SMBS.
        const NT_SMBS = 0x0000_0010;
        /// CAP_RPC_REMOTE_APIS.
        const RPC_REMOTE_APIS = 0x0000_0020;
        /// CAP_STATUS32.
        const STATUS32 = 0x0000_0040;
        /// CAP_LEVEL_II_OPLOCKS.
        const LEVEL_II_OPLOCKS = 0x0000_0080;
        /// CAP_LOCK_AND_READ.
        const LOCK_AND_READ = 0x0000_0100;
        /// CAP_NT_FIND.
        const NT_FIND = 0x0000_0200;
        /// CAP_DFS.
        const DFS = 0x0000_1000;
        /// CAP_INFOLEVEL_PASSTHRU.
        const INFOLEVEL_PASSTHRU = 0x0000_2000;
        /// CAP_LARGE_READX.
        const LARGE_READX = 0x0000_4000;
        /// CAP_LARGE_WRITEX.
        const LARGE_WRITEX = 0x0000_8000;
        /// CAP_LWIO.
        const LWIO = 0x0001_0000;
        /// CAP_UNIX.
        const UNIX = 0x0080_0000;
        /// CAP_DYNAMIC_REAUTH.
        const DYNAMIC_REAUTH = 0x2000_0000;
        /// CAP_EXTENDED_SECURITY.
        const EXTENDED_SECURITY = 0x8000_0000;
        const _ = !0;
    }
}

/// A list of dialects.
///
/// Refused: an entry that does not begin with 02, or has no NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NegotiateRequest<'a> {
    pub(super) area: Area<'a>,
}

impl<'a> NegotiateRequest<'a> {
    /// A request for one of `dialects`, the best last.
    ///
    /// # Errors
    /// A dialect with a NUL; more than 65,535 bytes in all.
    pub fn new(dialects: &[&[u8]]) -> Result<Self, ValueError> {
        let mut builder = Builder::new(0, false);
        for dialect in dialects {
            builder.put(&[BUFFER_FORMAT_DIALECT]);
            builder.string("dialect", SmbStr::oem(dialect)?)?;
        }
        Ok(Self { area: builder.finish()? })
    }

    /// The dialects in their order.
    pub fn dialects(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.area.own();
        core::iter::from_fn(move || {
            let (_, after) = rest.split_first()?;
            let end = memchr::memchr(0, after)?;
            let (dialect, after) = after.split_at_checked(end)?;
            rest = after.get(1..)?;
            Some(dialect)
        })
    }

    /// The place of `dialect` in the list: the answer's DialectIndex.
    pub fn index_of(&self, dialect: &[u8]) -> Option<u16> {
        self.dialects().position(|offered| offered == dialect).and_then(|index| u16::try_from(index).ok())
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        if block.word_count != 0 {
            return Err(block.bad_word_count("0"));
        }
        let own = block.area.own();
        let error = |field, rest: &[u8], kind| {
            Err(DecodeError::new(Layer::Smb, field, block.area.base + own.len() - rest.len(), kind))
        };
        let mut rest = own;
        while let Some((&format, after)) = rest.split_first() {
            if format != BUFFER_FORMAT_DIALECT {
                let kind = DecodeErrorKind::BadValue { value: format.into(), expected: "2" };
                return error("buffer_format", rest, kind);
            }
            let Some(end) = memchr::memchr(0, after) else {
                return error("dialect", after, DecodeErrorKind::Unterminated);
            };
            rest = after.get(end + 1..).unwrap_or_default();
        }
        Ok(Self { area: block.area })
    }
}

/// The answer to a negotiation, in the form of the dialect it chooses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NegotiateResponse<'a> {
    /// One word: a core dialect, or [`NO_DIALECT`].
    Core(NegotiateCore<'a>),
    /// 13 words: a LAN Manager dialect.
    Lanman(NegotiateLanman<'a>),
    /// 17 words: `NT LM 0.12`.
    Nt(NegotiateNt<'a>),
}

impl<'a> NegotiateResponse<'a> {
    /// DialectIndex.
    pub const fn dialect_index(&self) -> u16 {
        match self {
            Self::Core(core) => core.dialect_index,
            Self::Lanman(lanman) => lanman.words.dialect_index,
            Self::Nt(nt) => nt.words.dialect_index,
        }
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        match block.word_count {
            1 => {
                let dialect_index = block.fields(|input| read::u16_le("dialect_index", input))?;
                Ok(Self::Core(NegotiateCore { dialect_index, area: block.area }))
            }
            LANMAN_WORDS => NegotiateLanman::read(block).map(Self::Lanman),
            NT_WORDS => NegotiateNt::read(block).map(Self::Nt),
            _ => Err(block.bad_word_count("1, 13 or 17")),
        }
    }

    pub(super) const fn block(&self) -> (u8, &Area<'a>) {
        match self {
            Self::Core(core) => (1, &core.area),
            Self::Lanman(lanman) => (LANMAN_WORDS, &lanman.area),
            Self::Nt(nt) => (NT_WORDS, &nt.area),
        }
    }

    pub(super) const fn area_mut(&mut self) -> &mut Area<'a> {
        match self {
            Self::Core(core) => &mut core.area,
            Self::Lanman(lanman) => &mut lanman.area,
            Self::Nt(nt) => &mut nt.area,
        }
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        match self {
            Self::Core(core) => out.put_u16_le(core.dialect_index),
            Self::Lanman(lanman) => lanman.write_words(out),
            Self::Nt(nt) => nt.write_words(out),
        }
    }
}

/// The answer of one word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NegotiateCore<'a> {
    dialect_index: u16,
    area: Area<'a>,
}

impl NegotiateCore<'_> {
    /// The answer that chooses this dialect, or none ([`NO_DIALECT`]).
    pub const fn new(dialect_index: u16) -> Self {
        Self { dialect_index, area: Area::empty(1) }
    }

    /// DialectIndex.
    pub const fn dialect_index(&self) -> u16 {
        self.dialect_index
    }
}

/// The words of a LAN Manager answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(clippy::exhaustive_structs, reason = "the wire form is closed")]
pub struct LanmanWords {
    /// DialectIndex.
    pub dialect_index: u16,
    /// SecurityMode, of which only the low byte is used.
    pub security_mode: u16,
    /// MaxBufferSize, in bytes.
    pub max_buffer_size: u16,
    /// MaxMpxCount: requests in flight.
    pub max_mpx_count: u16,
    /// MaxNumberVcs.
    pub max_number_vcs: u16,
    /// RawMode.
    pub raw_mode: u16,
    /// SessionKey.
    pub session_key: u32,
    /// ServerTime, an SMB_TIME.
    pub server_time: u16,
    /// ServerDate, an SMB_DATE.
    pub server_date: u16,
    /// ServerTimeZone: minutes from UTC, positive to the west.
    pub server_time_zone: i16,
    /// Reserved: 0.
    pub reserved: u16,
}

/// The answer of a LAN Manager dialect.
///
/// Accepted: no domain. Refused: a challenge longer than the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NegotiateLanman<'a> {
    words: LanmanWords,
    challenge_length: u16,
    area: Area<'a>,
}

impl<'a> NegotiateLanman<'a> {
    /// The words, but for ChallengeLength.
    pub const fn words(&self) -> &LanmanWords {
        &self.words
    }

    /// The challenge.
    pub fn challenge(&self) -> &[u8] {
        self.area.head(self.challenge_length)
    }

    /// PrimaryDomain, in OEM bytes; empty where there is none.
    pub fn primary_domain(&self) -> &[u8] {
        let rest = self.area.own().get(usize::from(self.challenge_length)..).unwrap_or_default();
        rest.get(..memchr::memchr(0, rest).unwrap_or(rest.len())).unwrap_or_default()
    }

    fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let (words, challenge_length) = block.fields(|input| {
            let (input, dialect_index) = read::u16_le("dialect_index", input)?;
            let (input, security_mode) = read::u16_le("security_mode", input)?;
            let (input, max_buffer_size) = read::u16_le("max_buffer_size", input)?;
            let (input, max_mpx_count) = read::u16_le("max_mpx_count", input)?;
            let (input, max_number_vcs) = read::u16_le("max_number_vcs", input)?;
            let (input, raw_mode) = read::u16_le("raw_mode", input)?;
            let (input, session_key) = read::u32_le("session_key", input)?;
            let (input, server_time) = read::u16_le("server_time", input)?;
            let (input, server_date) = read::u16_le("server_date", input)?;
            let (input, time_zone) = read::array("server_time_zone", input)?;
            let (input, challenge_length) = read::u16_le("challenge_length", input)?;
            let (input, reserved) = read::u16_le("reserved", input)?;
            let words = LanmanWords {
                dialect_index,
                security_mode,
                max_buffer_size,
                max_mpx_count,
                max_number_vcs,
                raw_mode,
                session_key,
                server_time,
                server_date,
                server_time_zone: i16::from_le_bytes(time_zone),
                reserved,
            };
            Ok((input, (words, challenge_length)))
        })?;
        within("challenge_length", block.words_at + 22, challenge_length.into(), block.area.own().len())?;
        Ok(Self { words, challenge_length, area: block.area })
    }

    fn write_words(&self, out: &mut impl BufMut) {
        let words = &self.words;
        out.put_u16_le(words.dialect_index);
        out.put_u16_le(words.security_mode);
        out.put_u16_le(words.max_buffer_size);
        out.put_u16_le(words.max_mpx_count);
        out.put_u16_le(words.max_number_vcs);
        out.put_u16_le(words.raw_mode);
        out.put_u32_le(words.session_key);
        out.put_u16_le(words.server_time);
        out.put_u16_le(words.server_date);
        out.put_i16_le(words.server_time_zone);
        out.put_u16_le(self.challenge_length);
        out.put_u16_le(words.reserved);
    }
}

/// The words of an `NT LM 0.12` answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(clippy::exhaustive_structs, reason = "the wire form is closed")]
pub struct NtWords {
    /// DialectIndex.
    pub dialect_index: u16,
    /// SecurityMode.
    pub security_mode: SecurityMode,
    /// MaxMpxCount: requests in flight.
    pub max_mpx_count: u16,
    /// MaxNumberVcs.
    pub max_number_vcs: u16,
    /// MaxBufferSize: the largest message the server takes, in bytes.
    pub max_buffer_size: u32,
    /// MaxRawSize, in bytes.
    pub max_raw_size: u32,
    /// SessionKey.
    pub session_key: u32,
    /// Capabilities. CAP_EXTENDED_SECURITY tells the answer's form; the constructors set it.
    pub capabilities: Capabilities,
    /// SystemTime: 100 ns since 1601-01-01 UTC.
    pub system_time: u64,
    /// ServerTimeZone: minutes from UTC, positive to the west.
    pub server_time_zone: i16,
}

/// The answer of `NT LM 0.12`: a challenge and a domain, or (CAP_EXTENDED_SECURITY) a GUID and a security blob.
///
/// Accepted: no domain; any ChallengeLength with extended security. Refused: a challenge longer than the
/// bytes; extended security with less than a GUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NegotiateNt<'a> {
    words: NtWords,
    challenge_length: u8,
    area: Area<'a>,
}

impl<'a> NegotiateNt<'a> {
    /// An answer with a challenge; `domain` in the form, OEM or UTF-16, that the message is to have.
    ///
    /// # Errors
    /// A challenge of more than 255 bytes, or more than 65,535 bytes in all.
    pub fn plain(mut words: NtWords, challenge: &[u8], domain: SmbStr<'_>) -> Result<Self, ValueError> {
        words.capabilities.remove(Capabilities::EXTENDED_SECURITY);
        let challenge_length = u8::try_from(challenge.len()).map_err(|_| {
            ValueError::too_long(Layer::Smb, "challenge", challenge.len(), usize::from(u8::MAX))
        })?;
        let mut builder = Builder::new(NT_WORDS, domain.is_unicode());
        builder.put(challenge);
        builder.put(domain.as_bytes());
        builder.put(if domain.is_unicode() { &[0, 0] } else { &[0] });
        Ok(Self { words, challenge_length, area: builder.finish()? })
    }

    /// An answer with extended security.
    ///
    /// # Errors
    /// A blob of more than 65,519 bytes.
    pub fn extended(
        mut words: NtWords,
        server_guid: [u8; GUID_LEN],
        blob: &[u8],
    ) -> Result<Self, ValueError> {
        words.capabilities.insert(Capabilities::EXTENDED_SECURITY);
        let mut builder = Builder::new(NT_WORDS, false);
        builder.put(&server_guid);
        builder.put(blob);
        Ok(Self { words, challenge_length: 0, area: builder.finish()? })
    }

    /// The words, but for ChallengeLength.
    pub const fn words(&self) -> &NtWords {
        &self.words
    }

    /// Whether a GUID and a security blob stand in the place of challenge and domain.
    pub const fn is_extended(&self) -> bool {
        self.words.capabilities.contains(Capabilities::EXTENDED_SECURITY)
    }

    /// The challenge; `None` with extended security.
    pub fn challenge(&self) -> Option<&[u8]> {
        (!self.is_extended()).then(|| self.area.head(self.challenge_length.into()))
    }

    /// The domain; `None` with extended security. It follows the challenge at once, aligned or not.
    pub fn domain(&self) -> Option<SmbStr<'_>> {
        if self.is_extended() {
            return None;
        }
        let rest = self.area.own().get(usize::from(self.challenge_length)..).unwrap_or_default();
        let unicode = self.area.unicode;
        let whole = if unicode { rest.len() - rest.len() % 2 } else { rest.len() };
        let end = super::text::terminator(rest, unicode).unwrap_or(whole);
        Some(SmbStr::raw(rest.get(..end).unwrap_or_default(), unicode))
    }

    /// ServerGUID; `None` without extended security.
    pub fn server_guid(&self) -> Option<[u8; GUID_LEN]> {
        if self.is_extended() { self.area.own().first_chunk().copied() } else { None }
    }

    /// The security blob (SPNEGO), possibly empty; `None` without extended security.
    pub fn security_blob(&self) -> Option<&[u8]> {
        if self.is_extended() { self.area.own().get(GUID_LEN..) } else { None }
    }

    fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let (words, challenge_length) = block.fields(|input| {
            let (input, dialect_index) = read::u16_le("dialect_index", input)?;
            let (input, security_mode) = read::u8("security_mode", input)?;
            let (input, max_mpx_count) = read::u16_le("max_mpx_count", input)?;
            let (input, max_number_vcs) = read::u16_le("max_number_vcs", input)?;
            let (input, max_buffer_size) = read::u32_le("max_buffer_size", input)?;
            let (input, max_raw_size) = read::u32_le("max_raw_size", input)?;
            let (input, session_key) = read::u32_le("session_key", input)?;
            let (input, capabilities) = read::u32_le("capabilities", input)?;
            let (input, system_time) = read::array("system_time", input)?;
            let (input, time_zone) = read::array("server_time_zone", input)?;
            let (input, challenge_length) = read::u8("challenge_length", input)?;
            let words = NtWords {
                dialect_index,
                security_mode: SecurityMode::from_bits_retain(security_mode),
                max_mpx_count,
                max_number_vcs,
                max_buffer_size,
                max_raw_size,
                session_key,
                capabilities: Capabilities::from_bits_retain(capabilities),
                system_time: u64::from_le_bytes(system_time),
                server_time_zone: i16::from_le_bytes(time_zone),
            };
            Ok((input, (words, challenge_length)))
        })?;
        let have = block.area.own().len();
        if words.capabilities.contains(Capabilities::EXTENDED_SECURITY) {
            if have < GUID_LEN {
                let kind = DecodeErrorKind::Truncated { needed: GUID_LEN, have };
                return Err(DecodeError::new(Layer::Smb, "server_guid", block.area.base, kind));
            }
        } else {
            within("challenge_length", block.words_at + 33, challenge_length.into(), have)?;
        }
        Ok(Self { words, challenge_length, area: block.area })
    }

    fn write_words(&self, out: &mut impl BufMut) {
        let words = &self.words;
        out.put_u16_le(words.dialect_index);
        out.put_u8(words.security_mode.bits());
        out.put_u16_le(words.max_mpx_count);
        out.put_u16_le(words.max_number_vcs);
        out.put_u32_le(words.max_buffer_size);
        out.put_u32_le(words.max_raw_size);
        out.put_u32_le(words.session_key);
        out.put_u32_le(words.capabilities.bits());
        out.put_u64_le(words.system_time);
        out.put_i16_le(words.server_time_zone);
        out.put_u8(self.challenge_length);
    }
}

/// Holds a length against its bound.
pub(super) const fn within(
    field: &'static str,
    at: usize,
    needed: usize,
    have: usize,
) -> Result<(), DecodeError> {
    if needed <= have {
        return Ok(());
    }
    Err(DecodeError::new(Layer::Smb, field, at, DecodeErrorKind::OutOfBounds { needed, have }))
}
