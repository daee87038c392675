//! Messenger texts over a session: `SMB_COM_SEND_MESSAGE` and the three commands of longer texts (MS-MSRP 2.2.3).
//! Little-endian.
//!
//! ```text
//! 0xD0  0 words                      bytes: 04 from NUL, 04 to NUL, 01 text_length (2) text
//! 0xD5  0 words                      bytes: 04 from NUL, 04 to NUL        answer: 1 word, message_group_id (2)
//! 0xD7  1 word  message_group_id     bytes: 01 text_length (2) text
//! 0xD6  1 word  message_group_id     no bytes
//! ```
//!
//! Strings are OEM, whatever Flags2 says. The other answers have no words: [`Body::Empty`](super::Body::Empty).
//! Several servers (Samba) answer 0xD5 so too; their group is 0.

use bytes::BufMut;

use super::block::{Area, Block, Builder};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

/// The longest text of one command, in bytes.
pub const MAX_SEND_TEXT: usize = 128;

const STRING: u8 = 4;
const DATA: u8 = 1;

/// Reads a buffer format byte.
fn format<'a>(field: &'static str, expected: u8, input: &'a [u8]) -> Parsed<'a, ()> {
    match read::u8(field, input)? {
        (rest, found) if found == expected => Ok((rest, ())),
        (_, found) => {
            let expected = if expected == STRING { "4, a string" } else { "1, a data block" };
            read::fail(input, field, DecodeErrorKind::BadValue { value: found.into(), expected })
        }
    }
}

fn string<'a>(prefix: &'static str, field: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let (input, ()) = format(prefix, STRING, input)?;
    match memchr::memchr(0, input).and_then(|end| input.split_at_checked(end)) {
        Some((text, rest)) => Ok((rest.get(1..).unwrap_or_default(), text)),
        None => read::fail(input, field, DecodeErrorKind::Unterminated),
    }
}

fn names(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let (input, from) = string("from_buffer_format", "from", input)?;
    let (input, to) = string("to_buffer_format", "to", input)?;
    Ok((input, (from, to)))
}

fn text(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (input, ()) = format("text_buffer_format", DATA, input)?;
    let (rest, length) = read::u16_le("text_length", input)?;
    match rest.split_at_checked(length.into()) {
        Some((text, rest)) => Ok((rest, text)),
        None => {
            let kind = DecodeErrorKind::OutOfBounds { needed: length.into(), have: rest.len() };
            read::fail(input, "text_length", kind)
        }
    }
}

/// What `parser` finds in the bytes: never nothing, for the decoder has looked and a builder put it there.
fn parsed<'b, T>(area: &'b Area<'_>, parser: impl FnOnce(&'b [u8]) -> Parsed<'b, T>) -> Option<T> {
    parser(area.own()).ok().map(|(_, value)| value)
}

/// Whether the bytes hold what `parser` asks for.
fn check<'b, T>(
    area: &'b Area<'_>,
    parser: impl FnOnce(&'b [u8]) -> Parsed<'b, T>,
) -> Result<(), DecodeError> {
    let own = area.own();
    let result = read::finish(parser(own), own, Layer::Messenger);
    result.map(drop).map_err(|error| error.at(area.base))
}

fn words<'a>(block: Block<'a>, expected: u8) -> Result<Block<'a>, DecodeError> {
    let block = block.counted()?;
    if block.word_count == expected {
        return Ok(block);
    }
    Err(block.bad_word_count(if expected == 0 { "0" } else { "1" }))
}

fn group_id(block: &Block<'_>) -> Result<u16, DecodeError> {
    block.fields(|input| read::u16_le("message_group_id", input))
}

fn put_names(builder: &mut Builder, from: &[u8], to: &[u8]) -> Result<(), ValueError> {
    for (field, name) in [("from", from), ("to", to)] {
        if let Some(position) = memchr::memchr(0, name) {
            let reason = ValueErrorReason::BadCharacter { position };
            return Err(ValueError::new(Layer::Messenger, field, reason));
        }
        builder.put(&[STRING]);
        builder.put(name);
        builder.put(&[0]);
    }
    Ok(())
}

fn put_text(builder: &mut Builder, text: &[u8]) -> Result<(), ValueError> {
    let too_long = || ValueError::too_long(Layer::Messenger, "text", text.len(), MAX_SEND_TEXT);
    if text.len() > MAX_SEND_TEXT {
        return Err(too_long());
    }
    builder.put(&[DATA]);
    builder.put(&u16::try_from(text.len()).map_err(|_| too_long())?.to_le_bytes());
    builder.put(text);
    Ok(())
}

/// SMB_COM_SEND_MESSAGE: a whole text of one block.
///
/// Accepted: a text of any length, bytes behind it. Refused: another buffer format, a name without NUL, a text
/// longer than the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendMessageRequest<'a> {
    pub(super) area: Area<'a>,
}

impl<'a> SendMessageRequest<'a> {
    /// A text of at most [`MAX_SEND_TEXT`] bytes; [`fold_line_breaks`](crate::wire::messenger::fold_line_breaks)
    /// makes it.
    ///
    /// # Errors
    /// A longer text, a NUL in a name, more than 65,535 bytes in all.
    pub fn new(from: &[u8], to: &[u8], text: &[u8]) -> Result<Self, ValueError> {
        let mut builder = Builder::new(0, false);
        put_names(&mut builder, from, to)?;
        put_text(&mut builder, text)?;
        Ok(Self { area: builder.finish()? })
    }

    /// From, in OEM bytes.
    pub fn from(&self) -> &[u8] {
        parsed(&self.area, names).unwrap_or_default().0
    }

    /// To, in OEM bytes.
    pub fn to(&self) -> &[u8] {
        parsed(&self.area, names).unwrap_or_default().1
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        parsed(&self.area, Self::fields).unwrap_or_default()
    }

    fn fields(input: &[u8]) -> Parsed<'_, &[u8]> {
        let (input, _) = names(input)?;
        text(input)
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = words(block, 0)?;
        check(&block.area, Self::fields)?;
        Ok(Self { area: block.area })
    }
}

/// SMB_COM_SEND_START_MB_MESSAGE: a text of several blocks begins.
///
/// Accepted: bytes behind the names. Refused: another buffer format, a name without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendStartRequest<'a> {
    pub(super) area: Area<'a>,
}

impl<'a> SendStartRequest<'a> {
    /// The beginning of a text between these names, in OEM bytes.
    ///
    /// # Errors
    /// A NUL in a name, more than 65,535 bytes in all.
    pub fn new(from: &[u8], to: &[u8]) -> Result<Self, ValueError> {
        let mut builder = Builder::new(0, false);
        put_names(&mut builder, from, to)?;
        Ok(Self { area: builder.finish()? })
    }

    /// From, in OEM bytes.
    pub fn from(&self) -> &[u8] {
        parsed(&self.area, names).unwrap_or_default().0
    }

    /// To, in OEM bytes.
    pub fn to(&self) -> &[u8] {
        parsed(&self.area, names).unwrap_or_default().1
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = words(block, 0)?;
        check(&block.area, names)?;
        Ok(Self { area: block.area })
    }
}

/// The answer to [`SendStartRequest`] that names the text's group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendStartResponse<'a> {
    message_group_id: u16,
    pub(super) area: Area<'a>,
}

impl<'a> SendStartResponse<'a> {
    /// An answer.
    pub const fn new(message_group_id: u16) -> Self {
        Self { message_group_id, area: Area::empty(1) }
    }

    /// MessageGroupId: what the blocks and the end of the text must repeat.
    pub const fn message_group_id(&self) -> u16 {
        self.message_group_id
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = words(block, 1)?;
        Ok(Self { message_group_id: group_id(&block)?, area: block.area })
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.message_group_id);
    }
}

/// SMB_COM_SEND_TEXT_MB_MESSAGE: one block of a text.
///
/// Accepted: a text of any length, bytes behind it. Refused: another buffer format, a text longer than the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendTextRequest<'a> {
    message_group_id: u16,
    pub(super) area: Area<'a>,
}

impl<'a> SendTextRequest<'a> {
    /// A block of at most [`MAX_SEND_TEXT`] bytes.
    ///
    /// # Errors
    /// A longer one.
    pub fn new(message_group_id: u16, text: &[u8]) -> Result<Self, ValueError> {
        let mut builder = Builder::new(1, false);
        put_text(&mut builder, text)?;
        Ok(Self { message_group_id, area: builder.finish()? })
    }

    /// MessageGroupId of the answer to the beginning.
    pub const fn message_group_id(&self) -> u16 {
        self.message_group_id
    }

    /// The block.
    pub fn text(&self) -> &[u8] {
        parsed(&self.area, text).unwrap_or_default()
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = words(block, 1)?;
        check(&block.area, text)?;
        Ok(Self { message_group_id: group_id(&block)?, area: block.area })
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.message_group_id);
    }
}

/// SMB_COM_SEND_END_MB_MESSAGE: the text is whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendEndRequest<'a> {
    message_group_id: u16,
    pub(super) area: Area<'a>,
}

impl<'a> SendEndRequest<'a> {
    /// The end of a text.
    pub const fn new(message_group_id: u16) -> Self {
        Self { message_group_id, area: Area::empty(1) }
    }

    /// MessageGroupId of the answer to the beginning.
    pub const fn message_group_id(&self) -> u16 {
        self.message_group_id
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = words(block, 1)?;
        Ok(Self { message_group_id: group_id(&block)?, area: block.area })
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.message_group_id);
    }
}
