//! `TRANS_MAILSLOT_WRITE`: a message to a slot (MS-MAIL 2.2.1, MS-CIFS 2.2.5.12). Little-endian.
//!
//! ```text
//!  0  SMB header (32)   32  transaction words (29)   61  opcode = 1   63  priority   65  class   67  byte_count
//! 69  slot name, NUL    padding    data_offset: data (data_count)
//! ```

use core::fmt;

use bytes::BufMut;

use super::header::{Command, Flags, Flags2, Header};
use super::transaction::{TransactionFlags, Words};
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};

/// What every slot name on the wire begins with, in any case.
pub const MAILSLOT_PREFIX: &[u8] = b"\\MAILSLOT\\";

/// Offset of the slot name from the SMB signature, in bytes: header 32, words 29, setup 6, ByteCount 2.
pub const NAME_OFFSET: usize = 69;

const SETUP_AT: usize = 61;
pub(super) const TRANS_MAILSLOT_WRITE: u16 = 1;

/// Which sender's way of filling the header and padding the data a new message follows.
///
/// Measured over real captures; Microsoft's documents describe only [`Self::Redirector`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HeaderLayout {
    /// The kernel's browser driver, Windows NT to 11: all browser frames and most NETLOGON pings. Header zero,
    /// time-out 1000 ms, no padding.
    Bowser,
    /// The redirector, for an application's WriteFile (MS-MAIL 4): flags 0x18, flags2 4, PID 0xFEFF,
    /// MaxParameterCount 2, NO_RESPONSE, data aligned to 4 with zeros.
    #[default]
    Redirector,
    /// Samba's nmbd: as [`Self::Bowser`], time-out 0.
    Samba,
    /// Windows 98: as [`Self::Samba`], data aligned to 2 with 0x42.
    Win9x,
}

impl HeaderLayout {
    /// All layouts, the most frequent first.
    pub const ALL: [Self; 4] = [Self::Bowser, Self::Samba, Self::Redirector, Self::Win9x];

    /// The layout's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bowser => "bowser",
            Self::Redirector => "redirector",
            Self::Samba => "samba",
            Self::Win9x => "win9x",
        }
    }

    /// The padding that follows a slot name's NUL when that ends at `offset`.
    const fn padding(self, offset: usize) -> &'static [u8] {
        match self {
            Self::Bowser | Self::Samba => &[],
            Self::Redirector => match offset % 4 {
                0 => &[],
                1 => &[0; 3],
                2 => &[0; 2],
                _ => &[0; 1],
            },
            Self::Win9x => match offset % 2 {
                0 => &[],
                _ => &[0x42],
            },
        }
    }
}

/// DataOffset of a message to a slot whose full name (`\MAILSLOT\…`, without the NUL) has `name_len` bytes,
/// in bytes from the SMB signature.
pub const fn data_offset(layout: HeaderLayout, name_len: usize) -> usize {
    let end = NAME_OFFSET + name_len + 1;
    end + layout.padding(end).len()
}

/// The class of a mailslot write: how it travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Class(pub u16);

impl Class {
    /// First class: reliable, over a session, to one computer.
    pub const RELIABLE: Self = Self(1);
    /// Second class: by datagram, best effort.
    pub const UNRELIABLE: Self = Self(2);
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Class({})", self.0)
    }
}

/// A message to a slot.
///
/// Accepted beyond MS-MAIL, and kept: any header fields; a wrong ByteCount (Windows ignores it, MS-MAIL note
/// <11>); any padding, of any length and content; a SetupCount other than 3, as long as there are 17 words;
/// slot names in any case; empty messages (which Samba drops); class 1 in a datagram; bytes behind the data.
///
/// Refused: WordCount other than 17, no TRANS_MAILSLOT_WRITE, a name without NUL or not below `\MAILSLOT\`,
/// data outside the message, TotalDataCount other than DataCount (a message is one packet).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MailslotWrite<'a> {
    header: Header,
    words: Words,
    priority: u16,
    class: Class,
    byte_count: u16,
    name: &'a [u8],
    padding: &'a [u8],
    data: &'a [u8],
    trailing: &'a [u8],
}

impl<'a> MailslotWrite<'a> {
    /// A message of class 2 and priority 0 to the slot `name` (`\MAILSLOT\…`, in OEM bytes).
    ///
    /// # Errors
    /// The name is not below `\MAILSLOT\`, is nothing more than that, or holds a control character; the whole
    /// is longer than its 16-bit fields can say.
    pub fn new(layout: HeaderLayout, name: &'a [u8], data: &'a [u8]) -> Result<Self, ValueError> {
        let bad = |reason| Err(ValueError::new(Layer::Mailslot, "name", reason));
        match strip_prefix(name) {
            None => return bad(ValueErrorReason::BadForm("below \\MAILSLOT\\")),
            Some([]) => return bad(ValueErrorReason::Empty),
            Some(_) => {}
        }
        if let Some(position) = name.iter().position(u8::is_ascii_control) {
            return bad(ValueErrorReason::BadCharacter { position });
        }
        let mut header = Header::new(Command::TRANSACTION);
        let mut words = Words::ZERO;
        match layout {
            HeaderLayout::Bowser => words.timeout = 1000,
            HeaderLayout::Samba | HeaderLayout::Win9x => {}
            HeaderLayout::Redirector => {
                header.flags = Flags::CASE_INSENSITIVE.union(Flags::CANONICALIZED_PATHS);
                header.flags2 = Flags2::SMB_SECURITY_SIGNATURE;
                header.pid_low = 0xfeff;
                words.max_parameter_count = 2;
                words.flags = TransactionFlags::NO_RESPONSE;
            }
        }
        let end = NAME_OFFSET + name.len() + 1;
        let padding = layout.padding(end);
        let mut write = Self {
            header,
            words,
            priority: 0,
            class: Class::UNRELIABLE,
            byte_count: 0,
            name,
            padding,
            data: &[],
            trailing: &[],
        };
        write.set_data(data)?;
        if layout == HeaderLayout::Redirector {
            write.words.parameter_offset = write.words.data_offset;
        }
        Ok(write)
    }

    fn set_data(&mut self, data: &'a [u8]) -> Result<(), ValueError> {
        let offset = NAME_OFFSET + self.name.len() + 1 + self.padding.len();
        let word = |field, value| {
            let max = usize::from(u16::MAX);
            u16::try_from(value).map_err(|_| ValueError::too_long(Layer::Mailslot, field, value, max))
        };
        self.words.data_offset = word("data_offset", offset)?;
        self.words.data_count = word("data", data.len())?;
        self.byte_count = word("byte_count", offset + data.len() - NAME_OFFSET)?;
        self.words.total_data_count = self.words.data_count;
        self.data = data;
        Ok(())
    }

    /// The same message with other data; counts and offsets follow.
    ///
    /// # Errors
    /// The whole is longer than its 16-bit fields can say.
    pub fn with_data<'b>(&self, data: &'b [u8]) -> Result<MailslotWrite<'b>, ValueError>
    where
        'a: 'b,
    {
        let mut write: MailslotWrite<'b> = *self;
        if data.len() == self.data.len() {
            // ByteCount stays as it came, even if it is wrong.
            write.data = data;
        } else {
            write.set_data(data)?;
        }
        Ok(write)
    }

    /// The same message with this priority (0 to 9; ignored by Windows).
    #[must_use]
    pub const fn with_priority(mut self, priority: u16) -> Self {
        self.priority = priority;
        self
    }

    /// The same message with this class.
    #[must_use]
    pub const fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The SMB header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The transaction words.
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The priority: 0 to 9.
    pub const fn priority(&self) -> u16 {
        self.priority
    }

    /// The class.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// ByteCount as it stands on the wire. Not to be trusted.
    pub const fn byte_count(&self) -> u16 {
        self.byte_count
    }

    /// The slot's name as it came: `\MAILSLOT\BROWSE`, in the sender's OEM bytes, without the NUL.
    pub const fn name(&self) -> &'a [u8] {
        self.name
    }

    /// The slot's name without `\MAILSLOT\`.
    #[inline]
    pub fn slot(&self) -> &'a [u8] {
        self.name.get(MAILSLOT_PREFIX.len()..).unwrap_or_default()
    }

    /// Whether this is the slot `slot` (without `\MAILSLOT\`); case does not matter (MS-MAIL 2.2.1).
    #[inline]
    pub fn is_slot(&self, slot: &[u8]) -> bool {
        self.slot() == slot || self.slot().eq_ignore_ascii_case(slot)
    }

    /// What stands between the name's NUL and the data.
    pub const fn padding(&self) -> &'a [u8] {
        self.padding
    }

    /// The message.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Bytes behind the data; not part of the message.
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    /// The layout that gives exactly this message when it is made anew, if there is one.
    pub fn layout(&self) -> Option<HeaderLayout> {
        HeaderLayout::ALL.into_iter().find(|&layout| {
            Self::new(layout, self.name, self.data)
                .is_ok_and(|new| new.with_priority(self.priority).with_class(self.class) == *self)
        })
    }
}

/// `name` without `\MAILSLOT\`.
#[inline]
fn strip_prefix(name: &[u8]) -> Option<&[u8]> {
    let (prefix, slot) = name.split_at_checked(MAILSLOT_PREFIX.len())?;
    (prefix == MAILSLOT_PREFIX || prefix.eq_ignore_ascii_case(MAILSLOT_PREFIX)).then_some(slot)
}

impl<'a> Decode<'a> for MailslotWrite<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let error = |layer, field, offset, kind| Err(DecodeError::new(layer, field, offset, kind));
        let (header, rest) = Header::split(bytes)?;
        if header.command != Command::TRANSACTION {
            let kind = DecodeErrorKind::BadValue { value: header.command.0.into(), expected: "0x25" };
            return error(Layer::Smb, "command", 4, kind);
        }
        let (words, rest) = Words::split(rest)?;
        if words.word_count != 17 {
            let kind = DecodeErrorKind::BadValue { value: words.word_count.into(), expected: "17" };
            return error(Layer::Transaction, "word_count", 32, kind);
        }
        if words.setup_count == 0 {
            let kind = DecodeErrorKind::BadValue { value: 0, expected: "3" };
            return error(Layer::Transaction, "setup_count", 59, kind);
        }
        let Some((&[op0, op1, pr0, pr1, cl0, cl1, bc0, bc1], rest)) = rest.split_first_chunk::<8>() else {
            return Err(truncated_setup(rest));
        };
        let opcode = u16::from_le_bytes([op0, op1]);
        if opcode != TRANS_MAILSLOT_WRITE {
            let kind =
                DecodeErrorKind::BadValue { value: opcode.into(), expected: "TRANS_MAILSLOT_WRITE (1)" };
            return error(Layer::Mailslot, "opcode", SETUP_AT, kind);
        }
        let Some(name_len) = memchr::memchr(0, rest) else {
            return error(Layer::Mailslot, "name", NAME_OFFSET, DecodeErrorKind::Unterminated);
        };
        let name = rest.get(..name_len).unwrap_or_default();
        if strip_prefix(name).is_none_or(<[u8]>::is_empty) {
            return error(Layer::Mailslot, "name", NAME_OFFSET, DecodeErrorKind::NotAMailslot);
        }
        if words.total_data_count != words.data_count {
            let (needed, have) = (words.total_data_count.into(), words.data_count.into());
            return error(
                Layer::Transaction,
                "total_data_count",
                35,
                DecodeErrorKind::OutOfBounds { needed, have },
            );
        }
        let after_name = NAME_OFFSET + name_len + 1;
        let data_offset = usize::from(words.data_offset);
        let Some(padding) = bytes.get(after_name..data_offset) else {
            let kind = if data_offset < after_name {
                DecodeErrorKind::BadValue {
                    value: words.data_offset.into(),
                    expected: "an offset behind the slot name",
                }
            } else {
                DecodeErrorKind::OutOfBounds { needed: data_offset, have: bytes.len() }
            };
            return error(Layer::Transaction, "data_offset", 57, kind);
        };
        let data_and_rest = bytes.get(data_offset..).unwrap_or_default();
        let Some((data, trailing)) = data_and_rest.split_at_checked(words.data_count.into()) else {
            let kind = DecodeErrorKind::OutOfBounds {
                needed: data_offset + usize::from(words.data_count),
                have: bytes.len(),
            };
            return error(Layer::Transaction, "data_count", 55, kind);
        };
        Ok(Self {
            header,
            words,
            priority: u16::from_le_bytes([pr0, pr1]),
            class: Class(u16::from_le_bytes([cl0, cl1])),
            byte_count: u16::from_le_bytes([bc0, bc1]),
            name,
            padding,
            data,
            trailing,
        })
    }
}

#[cold]
fn truncated_setup(rest: &[u8]) -> DecodeError {
    let (layer, field, at) = match rest.len() {
        0..2 => (Layer::Mailslot, "opcode", 0),
        2..4 => (Layer::Mailslot, "priority", 2),
        4..6 => (Layer::Mailslot, "class", 4),
        _ => (Layer::Transaction, "byte_count", 6),
    };
    let kind = DecodeErrorKind::Truncated { needed: 2, have: rest.len().saturating_sub(at) };
    DecodeError::new(layer, field, SETUP_AT + at, kind)
}

impl Encode for MailslotWrite<'_> {
    fn encoded_len(&self) -> usize {
        NAME_OFFSET + self.name.len() + 1 + self.padding.len() + self.data.len() + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.header.encode(out);
        self.words.write(out);
        out.put_u16_le(TRANS_MAILSLOT_WRITE);
        out.put_u16_le(self.priority);
        out.put_u16_le(self.class.0);
        out.put_u16_le(self.byte_count);
        out.put_slice(self.name);
        out.put_u8(0);
        out.put_slice(self.padding);
        out.put_slice(self.data);
        out.put_slice(self.trailing);
    }
}

impl fmt::Debug for MailslotWrite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailslotWrite")
            .field("name", &format_args!("\"{}\"", self.name.escape_ascii()))
            .field("class", &self.class)
            .field("priority", &self.priority)
            .field("header", &self.header)
            .field("words", &self.words)
            .field("byte_count", &self.byte_count)
            .field("padding", &self.padding)
            .field("data", &format_args!("{:02x?}", self.data))
            .field("trailing", &self.trailing)
            .finish()
    }
}
