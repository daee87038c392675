//! `SMB_COM_TRANSACTION` and `SMB_COM_TRANSACTION_SECONDARY` (MS-CIFS 2.2.4.33, 2.2.4.34). Little-endian.
//!
//! Offsets from the SMB signature, of a request:
//!
//! ```text
//! 32  word_count  33  total_parameter_count (2)  35  total_data_count (2)  37  max_parameter_count (2)
//! 39  max_data_count (2)   41  max_setup_count   42  reserved1             43  flags (2)
//! 45  timeout (4)          49  reserved2 (2)     51  parameter_count (2)   53  parameter_offset (2)
//! 55  data_count (2)       57  data_offset (2)   59  setup_count           60  reserved3    61  setup words
//! ```
//!
//! and then ByteCount, the name and its NUL, and the parameters and the data where their offsets say. Answers
//! and secondary requests, offsets from the first word:
//!
//! ```text
//! 0  total_parameter_count (2)   2  total_data_count (2)   4  reserved1 (2, answers only)
//!    parameter_count (2)  parameter_offset (2)  parameter_displacement (2)
//!    data_count (2)  data_offset (2)  data_displacement (2)
//!    setup_count  reserved2  setup words (answers only)
//! ```

use std::borrow::Cow;

use bitflags::bitflags;
use bytes::BufMut;

use super::block::{Area, Block, Builder, Place, word};
use super::mailslot::{Class, MAILSLOT_PREFIX, TRANS_MAILSLOT_WRITE};
use super::text::SmbStr;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read;

/// Offset of WordCount from the SMB signature, in bytes.
const WORD_COUNT_AT: usize = 32;

/// WordCount and the 14 fixed words, in bytes.
const WORDS_LEN: usize = 29;

bitflags! {
    /// Flags of a transaction request. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct TransactionFlags: u16 {
        /// DISCONNECT_TID: disconnect the tree afterwards.
        const DISCONNECT_TID = 0x0001;
        /// NO_RESPONSE: the server must not answer.
        const NO_RESPONSE = 0x0002;
        const _ = !0;
    }
}

/// The fixed words of a transaction request, as they stand on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Words {
    /// WordCount: 14 and the setup words.
    pub word_count: u8,
    /// TotalParameterCount.
    pub total_parameter_count: u16,
    /// TotalDataCount.
    pub total_data_count: u16,
    /// MaxParameterCount.
    pub max_parameter_count: u16,
    /// MaxDataCount.
    pub max_data_count: u16,
    /// MaxSetupCount.
    pub max_setup_count: u8,
    /// Reserved1.
    pub reserved1: u8,
    /// Flags.
    pub flags: TransactionFlags,
    /// Timeout, in milliseconds.
    pub timeout: u32,
    /// Reserved2.
    pub reserved2: u16,
    /// ParameterCount.
    pub parameter_count: u16,
    /// ParameterOffset, in bytes from the SMB signature.
    pub parameter_offset: u16,
    /// DataCount, in bytes.
    pub data_count: u16,
    /// DataOffset, in bytes from the SMB signature.
    pub data_offset: u16,
    /// SetupCount, in words.
    pub setup_count: u8,
    /// Reserved3.
    pub reserved3: u8,
}

impl Words {
    /// Words of a request with three setup words, all else zero.
    pub(super) const ZERO: Self = Self {
        word_count: 17,
        total_parameter_count: 0,
        total_data_count: 0,
        max_parameter_count: 0,
        max_data_count: 0,
        max_setup_count: 0,
        reserved1: 0,
        flags: TransactionFlags::empty(),
        timeout: 0,
        reserved2: 0,
        parameter_count: 0,
        parameter_offset: 0,
        data_count: 0,
        data_offset: 0,
        setup_count: 3,
        reserved3: 0,
    };

    /// Reads WordCount and the fixed words at the beginning of `bytes` (what follows the SMB header), and
    /// returns the setup words and what follows them. Offsets in errors count from the SMB signature.
    #[inline]
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let Some((head, rest)) = bytes.split_first_chunk::<WORDS_LEN>() else { return Err(truncated(bytes)) };
        #[rustfmt::skip]
        let [
            word_count, tp0, tp1, td0, td1, mp0, mp1, md0, md1, max_setup_count, reserved1, f0, f1,
            t0, t1, t2, t3, r0, r1, pc0, pc1, po0, po1, dc0, dc1, do0, do1, setup_count, reserved3,
        ] = *head;
        let words = Self {
            word_count,
            total_parameter_count: u16::from_le_bytes([tp0, tp1]),
            total_data_count: u16::from_le_bytes([td0, td1]),
            max_parameter_count: u16::from_le_bytes([mp0, mp1]),
            max_data_count: u16::from_le_bytes([md0, md1]),
            max_setup_count,
            reserved1,
            flags: TransactionFlags::from_bits_retain(u16::from_le_bytes([f0, f1])),
            timeout: u32::from_le_bytes([t0, t1, t2, t3]),
            reserved2: u16::from_le_bytes([r0, r1]),
            parameter_count: u16::from_le_bytes([pc0, pc1]),
            parameter_offset: u16::from_le_bytes([po0, po1]),
            data_count: u16::from_le_bytes([dc0, dc1]),
            data_offset: u16::from_le_bytes([do0, do1]),
            setup_count,
            reserved3,
        };
        Ok((words, rest))
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        out.put_u8(self.word_count);
        self.write_fixed(out);
    }

    /// Writes all but WordCount.
    fn write_fixed(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.total_parameter_count);
        out.put_u16_le(self.total_data_count);
        out.put_u16_le(self.max_parameter_count);
        out.put_u16_le(self.max_data_count);
        out.put_u8(self.max_setup_count);
        out.put_u8(self.reserved1);
        out.put_u16_le(self.flags.bits());
        out.put_u32_le(self.timeout);
        out.put_u16_le(self.reserved2);
        out.put_u16_le(self.parameter_count);
        out.put_u16_le(self.parameter_offset);
        out.put_u16_le(self.data_count);
        out.put_u16_le(self.data_offset);
        out.put_u8(self.setup_count);
        out.put_u8(self.reserved3);
    }
}

#[cold]
fn truncated(bytes: &[u8]) -> DecodeError {
    const FIELDS: [(&str, usize); 16] = [
        ("word_count", 1),
        ("total_parameter_count", 2),
        ("total_data_count", 2),
        ("max_parameter_count", 2),
        ("max_data_count", 2),
        ("max_setup_count", 1),
        ("reserved1", 1),
        ("flags", 2),
        ("timeout", 4),
        ("reserved2", 2),
        ("parameter_count", 2),
        ("parameter_offset", 2),
        ("data_count", 2),
        ("data_offset", 2),
        ("setup_count", 1),
        ("reserved3", 1),
    ];
    let mut at = 0;
    for (field, needed) in FIELDS {
        if at + needed > bytes.len() {
            let kind = DecodeErrorKind::Truncated { needed, have: bytes.len() - at };
            return DecodeError::new(Layer::Transaction, field, WORD_COUNT_AT + at, kind);
        }
        at += needed;
    }
    let kind = DecodeErrorKind::Truncated { needed: WORDS_LEN, have: bytes.len() };
    DecodeError::new(Layer::Transaction, "word_count", WORD_COUNT_AT, kind)
}

/// The name of the pipe that answers remote administration requests.
pub const PIPE_LANMAN: &[u8] = b"\\PIPE\\LANMAN";

/// Words of a request without its setup words.
const REQUEST_WORDS: u8 = 14;
/// Words of an answer without its setup words.
const RESPONSE_WORDS: u8 = 10;
const SECONDARY_WORDS: u8 = 8;

/// Parameters or data to be sent, in this message or in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece<'a> {
    /// Length of the whole, in bytes.
    pub total: usize,
    /// Where the bytes stand in the whole.
    pub displacement: usize,
    /// The bytes in this message.
    pub bytes: &'a [u8],
}

impl<'a> Piece<'a> {
    /// Nothing.
    pub const EMPTY: Self = Self::whole(&[]);

    /// All of it.
    pub const fn whole(bytes: &'a [u8]) -> Self {
        Self { total: bytes.len(), displacement: 0, bytes }
    }

    /// At most `length` bytes of `whole` from `displacement` on.
    pub fn of(whole: &'a [u8], displacement: usize, length: usize) -> Self {
        let displacement = displacement.min(whole.len());
        let rest = whole.get(displacement..).unwrap_or_default();
        Self { total: whole.len(), displacement, bytes: rest.get(..length).unwrap_or(rest) }
    }

    /// Appends the bytes, on a multiple of 4 if there are any.
    fn build(self, field: &'static str, builder: &mut Builder) -> Result<Part, ValueError> {
        if !self.bytes.is_empty() {
            builder.align(4);
        }
        let part = Part {
            total: word(field, self.total)?,
            count: word(field, self.bytes.len())?,
            offset: word(field, builder.offset())?,
            displacement: word(field, self.displacement)?,
        };
        let end = self.displacement.saturating_add(self.bytes.len());
        if end > self.total {
            return Err(ValueError::too_long(Layer::Transaction, field, end, self.total));
        }
        builder.put(self.bytes);
        Ok(part)
    }
}

/// What a message says of its parameters or its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Part {
    /// TotalParameterCount or TotalDataCount: the length of the whole, in bytes.
    pub total: u16,
    /// ParameterCount or DataCount: bytes in this message.
    pub count: u16,
    /// ParameterOffset or DataOffset, in bytes from the SMB signature. Of no meaning without bytes.
    pub offset: u16,
    /// ParameterDisplacement or DataDisplacement: where the bytes stand in the whole.
    pub displacement: u16,
}

impl Part {
    /// Whether the message holds the whole.
    pub const fn is_whole(self) -> bool {
        self.count == self.total
    }
}

/// Where the three fields of a [`Part`] stand, from the SMB signature, and what they are called.
struct Fields {
    count: (&'static str, usize),
    offset: (&'static str, usize),
    displacement: (&'static str, usize),
}

impl Fields {
    const fn parameters(count: usize) -> Self {
        Self {
            count: ("parameter_count", count),
            offset: ("parameter_offset", count + 2),
            displacement: ("parameter_displacement", count + 4),
        }
    }

    const fn data(count: usize) -> Self {
        Self {
            count: ("data_count", count),
            offset: ("data_offset", count + 2),
            displacement: ("data_displacement", count + 4),
        }
    }

    /// The bytes must stand at `from` or behind it, inside the message, and inside the whole they are part of.
    fn check(&self, part: Part, area: &Area<'_>, from: usize) -> Result<(), DecodeError> {
        let bounds = |(field, at), needed, have| {
            Err(DecodeError::new(
                Layer::Transaction,
                field,
                at,
                DecodeErrorKind::OutOfBounds { needed, have },
            ))
        };
        let count = usize::from(part.count);
        if part.count > part.total {
            return bounds(self.count, count, part.total.into());
        }
        if part.count == 0 {
            return Ok(());
        }
        let offset = usize::from(part.offset);
        if offset < from {
            let (field, at) = self.offset;
            let kind = DecodeErrorKind::BadValue {
                value: part.offset.into(),
                expected: "an offset behind the name and the words",
            };
            return Err(DecodeError::new(Layer::Transaction, field, at, kind));
        }
        let end = area.base + area.bytes.len();
        if offset > end {
            return bounds(self.offset, offset, end);
        }
        if offset + count > end {
            return bounds(self.count, offset + count, end);
        }
        let reach = usize::from(part.displacement) + count;
        if reach > part.total.into() {
            return bounds(self.displacement, reach, part.total.into());
        }
        Ok(())
    }
}

/// A transaction: a mailslot write of class 1, a RAP call, a call through a named pipe.
///
/// Accepted and kept: a wrong ByteCount, which counts for nothing here (as in MS-MAIL note <11>); paddings of
/// any length and content, in any order; setup words beyond SetupCount; offsets of parts without bytes.
///
/// Refused: a name without terminator (CVE-2006-3942); parameters or data that reach into the words or the
/// name, or out of the message; more bytes than their total.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransactionRequest<'a> {
    words: Words,
    setup: Cow<'a, [u8]>,
    pub(super) area: Area<'a>,
}

impl<'a> TransactionRequest<'a> {
    /// A transaction on `name` with these setup words; parameters and data aligned to 4.
    ///
    /// # Errors
    /// More than 241 setup words; a first piece with a displacement; the whole is longer than its 16-bit fields
    /// can say.
    pub fn new(
        name: SmbStr<'_>,
        setup: &[u16],
        parameters: Piece<'_>,
        data: Piece<'_>,
    ) -> Result<Self, ValueError> {
        let (setup_count, setup, word_count) = setup_words(setup, REQUEST_WORDS)?;
        let mut builder = Builder::new(word_count, name.is_unicode());
        builder.string("name", name)?;
        for (field, piece) in [("parameter_displacement", parameters), ("data_displacement", data)] {
            if piece.displacement != 0 {
                let reason = ValueErrorReason::BadForm("0 in a first request");
                return Err(ValueError::new(Layer::Transaction, field, reason));
            }
        }
        let parameters = parameters.build("parameters", &mut builder)?;
        let data = data.build("data", &mut builder)?;
        let words = Words {
            word_count,
            total_parameter_count: parameters.total,
            total_data_count: data.total,
            parameter_count: parameters.count,
            parameter_offset: parameters.offset,
            data_count: data.count,
            data_offset: data.offset,
            setup_count,
            ..Words::ZERO
        };
        Ok(Self { words, setup, area: builder.finish()? })
    }

    /// A message of class 1 to the slot `name` (`\\MAILSLOT\\…`), one way. What does not fit this message goes
    /// into [`TransactionSecondary`].
    ///
    /// # Errors
    /// The name is not below `\\MAILSLOT\\` or nothing more than that; as for [`Self::new`].
    pub fn mailslot_write(name: SmbStr<'_>, priority: u16, data: Piece<'_>) -> Result<Self, ValueError> {
        if name.strip_prefix_ignore_ascii_case(MAILSLOT_PREFIX).is_none_or(SmbStr::is_empty) {
            let reason = ValueErrorReason::BadForm("below \\MAILSLOT\\");
            return Err(ValueError::new(Layer::Mailslot, "name", reason));
        }
        let setup = [TRANS_MAILSLOT_WRITE, priority, Class::RELIABLE.0];
        Ok(Self::new(name, &setup, Piece::EMPTY, data)?.with_flags(TransactionFlags::NO_RESPONSE))
    }

    /// A remote administration request with this parameter block; the answer's data has at most
    /// `receive_buffer` bytes.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn rap(unicode: bool, parameters: &[u8], receive_buffer: u16) -> Result<Self, ValueError> {
        let wide: [u8; PIPE_LANMAN.len() * 2] = wide(PIPE_LANMAN);
        let name = if unicode { SmbStr::utf16(&wide)? } else { SmbStr::oem(PIPE_LANMAN)? };
        let request = Self::new(name, &[], Piece::whole(parameters), Piece::EMPTY)?;
        Ok(request.with_max_counts(8, receive_buffer, 0))
    }

    /// The same request with these flags.
    #[must_use]
    pub const fn with_flags(mut self, flags: TransactionFlags) -> Self {
        self.words.flags = flags;
        self
    }

    /// The same request with this time-out, in milliseconds.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: u32) -> Self {
        self.words.timeout = timeout;
        self
    }

    /// The same request with these bounds for the answer: bytes of parameters, bytes of data, setup words.
    #[must_use]
    pub const fn with_max_counts(mut self, parameters: u16, data: u16, setup: u8) -> Self {
        self.words.max_parameter_count = parameters;
        self.words.max_data_count = data;
        self.words.max_setup_count = setup;
        self
    }

    /// The fixed words.
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The setup words that SetupCount counts.
    pub fn setup(&self) -> impl Iterator<Item = u16> + '_ {
        setup_iter(&self.setup, self.words.setup_count)
    }

    /// The name: `\\PIPE\\LANMAN`, `\\MAILSLOT\\…`.
    pub fn name(&self) -> SmbStr<'_> {
        self.name_and_next().map_or_else(|| SmbStr::empty(self.area.unicode), |(name, _)| name)
    }

    /// What the words say of the parameters.
    pub const fn parameter_part(&self) -> Part {
        let Words { total_parameter_count: total, parameter_count: count, parameter_offset: offset, .. } =
            self.words;
        Part { total, count, offset, displacement: 0 }
    }

    /// What the words say of the data.
    pub const fn data_part(&self) -> Part {
        let Words { total_data_count: total, data_count: count, data_offset: offset, .. } = self.words;
        Part { total, count, offset, displacement: 0 }
    }

    /// The parameters in this message.
    pub fn parameters(&self) -> &[u8] {
        part_bytes(&self.area, self.parameter_part())
    }

    /// The data in this message.
    pub fn data(&self) -> &[u8] {
        part_bytes(&self.area, self.data_part())
    }

    /// The request as a mailslot write, if its first setup word is TRANS_MAILSLOT_WRITE and its name below
    /// `\\MAILSLOT\\`. Missing setup words count as 0.
    pub fn as_mailslot_write(&self) -> Option<SessionWrite<'_>> {
        let name = self.name();
        let slot = name.strip_prefix_ignore_ascii_case(MAILSLOT_PREFIX).filter(|slot| !slot.is_empty())?;
        let mut setup = self.setup();
        if setup.next()? != TRANS_MAILSLOT_WRITE {
            return None;
        }
        let priority = setup.next().unwrap_or_default();
        let class = Class(setup.next().unwrap_or_default());
        let total = self.words.total_data_count;
        Some(SessionWrite { name, slot, priority, class, data: self.data(), total })
    }

    fn name_and_next(&self) -> Option<(SmbStr<'_>, usize)> {
        self.area.terminated(&self.area.bytes, 0)
    }

    pub(super) fn read(bytes: &'a [u8], place: Place) -> Result<Self, DecodeError> {
        let block = Block::split(bytes, place)?;
        if block.word_count < REQUEST_WORDS {
            return Err(block.bad_word_count("14 and the setup words"));
        }
        let (words, _) = Words::split(bytes).map_err(|error| error.at(place.at - WORD_COUNT_AT))?;
        let (_, setup) = block.words.split_at_checked(usize::from(REQUEST_WORDS) * 2).unwrap_or_default();
        check_setup(words.setup_count, setup, place.at + 27)?;
        let request = Self { words, setup: Cow::Borrowed(setup), area: block.area };
        let Some((_, next)) = request.name_and_next() else {
            let kind = DecodeErrorKind::Unterminated;
            return Err(DecodeError::new(Layer::Transaction, "name", request.area.base, kind));
        };
        let from = request.area.base + next;
        Fields::parameters(place.at + 19).check(request.parameter_part(), &request.area, from)?;
        Fields::data(place.at + 23).check(request.data_part(), &request.area, from)?;
        Ok(request)
    }

    pub(super) const fn word_count(&self) -> u8 {
        self.words.word_count
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        self.words.write_fixed(out);
        out.put_slice(&self.setup);
    }
}

/// A mailslot write seen in a transaction: what a session carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionWrite<'a> {
    /// The slot's full name as it came: `\\MAILSLOT\\foo`.
    pub name: SmbStr<'a>,
    /// The slot's name without `\\MAILSLOT\\`.
    pub slot: SmbStr<'a>,
    /// The priority: 0 to 9.
    pub priority: u16,
    /// The class.
    pub class: Class,
    /// The message, or its beginning.
    pub data: &'a [u8],
    /// Length of the whole message, in bytes; more than `data` when secondary requests follow.
    pub total: u16,
}

/// The answer to a transaction, or a part of it. An interim answer, which asks for the secondary requests, has no
/// words and is [`super::Body::Empty`].
///
/// Accepted and kept: as for [`TransactionRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransactionResponse<'a> {
    parameters: Part,
    data: Part,
    reserved1: u16,
    setup_count: u8,
    reserved2: u8,
    setup: Cow<'a, [u8]>,
    pub(super) area: Area<'a>,
}

impl<'a> TransactionResponse<'a> {
    /// An answer with these setup words; parameters and data aligned to 4.
    ///
    /// # Errors
    /// More than 245 setup words; a piece that reaches beyond its total; the whole is longer than its 16-bit
    /// fields can say.
    pub fn new(setup: &[u16], parameters: Piece<'_>, data: Piece<'_>) -> Result<Self, ValueError> {
        let (setup_count, setup, word_count) = setup_words(setup, RESPONSE_WORDS)?;
        let mut builder = Builder::new(word_count, false);
        let parameters = parameters.build("parameters", &mut builder)?;
        let data = data.build("data", &mut builder)?;
        let area = builder.finish()?;
        Ok(Self { parameters, data, reserved1: 0, setup_count, reserved2: 0, setup, area })
    }

    /// The setup words that SetupCount counts.
    pub fn setup(&self) -> impl Iterator<Item = u16> + '_ {
        setup_iter(&self.setup, self.setup_count)
    }

    /// What the words say of the parameters.
    pub const fn parameter_part(&self) -> Part {
        self.parameters
    }

    /// What the words say of the data.
    pub const fn data_part(&self) -> Part {
        self.data
    }

    /// The parameters in this message.
    pub fn parameters(&self) -> &[u8] {
        part_bytes(&self.area, self.parameters)
    }

    /// The data in this message.
    pub fn data(&self) -> &[u8] {
        part_bytes(&self.area, self.data)
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        if block.word_count < RESPONSE_WORDS {
            return Err(block.bad_word_count("0, or 10 and the setup words"));
        }
        let (total_parameters, total_data, reserved1, parameters, data, setup_count, reserved2, setup) =
            block.fields(|input| {
                let (input, total_parameters) = read::u16_le("total_parameter_count", input)?;
                let (input, total_data) = read::u16_le("total_data_count", input)?;
                let (input, reserved1) = read::u16_le("reserved1", input)?;
                let (input, parameters) = span("parameter", input)?;
                let (input, data) = span("data", input)?;
                let (input, setup_count) = read::u8("setup_count", input)?;
                let (input, reserved2) = read::u8("reserved2", input)?;
                let fields = (
                    total_parameters,
                    total_data,
                    reserved1,
                    parameters,
                    data,
                    setup_count,
                    reserved2,
                    input,
                );
                Ok((&[], fields))
            })?;
        check_setup(setup_count, setup, block.words_at + 18)?;
        let (parameters, data) = (parameters.of(total_parameters), data.of(total_data));
        let at = block.words_at + 6;
        let setup = Cow::Borrowed(setup);
        let area = block.area;
        Fields::parameters(at).check(parameters, &area, area.base)?;
        Fields::data(at + 6).check(data, &area, area.base)?;
        Ok(Self { parameters, data, reserved1, setup_count, reserved2, setup, area })
    }

    pub(super) fn word_count(&self) -> u8 {
        // What was read had a WordCount, and what is built has at most 255 words.
        u8::try_from(usize::from(RESPONSE_WORDS) + self.setup.len() / 2).unwrap_or(u8::MAX)
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.parameters.total);
        out.put_u16_le(self.data.total);
        out.put_u16_le(self.reserved1);
        write_span(self.parameters, out);
        write_span(self.data, out);
        out.put_u8(self.setup_count);
        out.put_u8(self.reserved2);
        out.put_slice(&self.setup);
    }
}

/// A further part of a transaction that did not fit one message.
///
/// Accepted and kept: as for [`TransactionRequest`]. Refused: a part that reaches beyond its total.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransactionSecondary<'a> {
    parameters: Part,
    data: Part,
    pub(super) area: Area<'a>,
}

impl<'a> TransactionSecondary<'a> {
    /// A further part; parameters and data aligned to 4.
    ///
    /// # Errors
    /// A piece that reaches beyond its total; the whole is longer than its 16-bit fields can say.
    pub fn new(parameters: Piece<'_>, data: Piece<'_>) -> Result<Self, ValueError> {
        let mut builder = Builder::new(SECONDARY_WORDS, false);
        let parameters = parameters.build("parameters", &mut builder)?;
        let data = data.build("data", &mut builder)?;
        Ok(Self { parameters, data, area: builder.finish()? })
    }

    /// What the words say of the parameters.
    pub const fn parameter_part(&self) -> Part {
        self.parameters
    }

    /// What the words say of the data.
    pub const fn data_part(&self) -> Part {
        self.data
    }

    /// The parameters in this message.
    pub fn parameters(&self) -> &[u8] {
        part_bytes(&self.area, self.parameters)
    }

    /// The data in this message.
    pub fn data(&self) -> &[u8] {
        part_bytes(&self.area, self.data)
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        if block.word_count != SECONDARY_WORDS {
            return Err(block.bad_word_count("8"));
        }
        let (parameters, data) = block.fields(|input| {
            let (input, total_parameters) = read::u16_le("total_parameter_count", input)?;
            let (input, total_data) = read::u16_le("total_data_count", input)?;
            let (input, parameters) = span("parameter", input)?;
            let (input, data) = span("data", input)?;
            Ok((input, (parameters.of(total_parameters), data.of(total_data))))
        })?;
        let at = block.words_at + 4;
        let area = block.area;
        Fields::parameters(at).check(parameters, &area, area.base)?;
        Fields::data(at + 6).check(data, &area, area.base)?;
        Ok(Self { parameters, data, area })
    }

    pub(super) const fn word_count() -> u8 {
        SECONDARY_WORDS
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.parameters.total);
        out.put_u16_le(self.data.total);
        write_span(self.parameters, out);
        write_span(self.data, out);
    }
}

/// Count, offset and displacement, in their order on the wire.
#[derive(Clone, Copy)]
struct Span([u16; 3]);

impl Span {
    const fn of(self, total: u16) -> Part {
        let [count, offset, displacement] = self.0;
        Part { total, count, offset, displacement }
    }
}

fn span<'a>(field: &'static str, input: &'a [u8]) -> read::Parsed<'a, Span> {
    let (input, count) = read::u16_le(field, input)?;
    let (input, offset) = read::u16_le(field, input)?;
    let (input, displacement) = read::u16_le(field, input)?;
    Ok((input, Span([count, offset, displacement])))
}

fn write_span(part: Part, out: &mut impl BufMut) {
    out.put_u16_le(part.count);
    out.put_u16_le(part.offset);
    out.put_u16_le(part.displacement);
}

fn part_bytes<'b>(area: &'b Area<'_>, part: Part) -> &'b [u8] {
    area.at_offset(part.offset, part.count).unwrap_or_default()
}

/// SetupCount, the setup words' bytes, and WordCount with them.
fn setup_words(setup: &[u16], fixed: u8) -> Result<(u8, Cow<'static, [u8]>, u8), ValueError> {
    let max = u8::MAX - fixed;
    match u8::try_from(setup.len()) {
        Ok(count) if count <= max => {
            let bytes = setup.iter().copied().flat_map(u16::to_le_bytes).collect();
            Ok((count, Cow::Owned(bytes), fixed + count))
        }
        _ => Err(ValueError::too_long(Layer::Transaction, "setup", setup.len(), max.into())),
    }
}

fn setup_iter(setup: &[u8], count: u8) -> impl Iterator<Item = u16> + '_ {
    let words = setup.chunks_exact(2).map(|word| match *word {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    });
    words.take(count.into())
}

const fn check_setup(count: u8, setup: &[u8], at: usize) -> Result<(), DecodeError> {
    let (needed, have) = (count as usize, setup.len() / 2);
    if needed <= have {
        return Ok(());
    }
    let kind = DecodeErrorKind::OutOfBounds { needed, have };
    Err(DecodeError::new(Layer::Transaction, "setup_count", at, kind))
}

/// ASCII as UTF-16LE; `M` is twice `ascii`'s length.
fn wide<const M: usize>(ascii: &[u8]) -> [u8; M] {
    let mut units = [0; M];
    for (unit, &letter) in units.iter_mut().step_by(2).zip(ascii) {
        *unit = letter;
    }
    units
}
