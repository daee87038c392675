//! The local protocol: how processes of one machine share one registry's slots, over a Unix stream socket.
//!
//! It is this project's own, as each Windows has its own between kernel and program. All numbers are little-endian.
//! Both sides send frames:
//!
//! ```text
//! length u32 (of what follows), id u32, kind u8, body
//! ```
//!
//! The process asks, the node answers with the request's `id`; answers may come in another order, and a
//! [`Body::Post`] has none. The first frame is [`Body::Hello`], and the node refuses another version than
//! [`VERSION`]. The second makes the connection a handle: [`Body::Create`] and [`Body::Attach`] a server handle,
//! [`Body::Open`] a client handle; without one the process can only look around and send. The handle closes with the
//! connection. Each `Body` says what answers it; every request may be answered by [`Body::Failed`].
//!
//! A frame has at most [`MAX_FRAME`] bytes. Kinds that are not known here are kept as [`Body::Other`].

mod fields;
mod lists;

use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use super::read::{self, Parsed};

pub use fields::{Admittance, Failure, FailureCode, Role, TargetKind, Way};
pub use lists::{
    ListedMessage, ListedName, ListedSlot, MessageFlags, Messages, MessagesBuilder, NameFlags, Names,
    OriginKind, Slots, names_list, slots_list,
};

/// The protocol's version.
pub const VERSION: u16 = 1;
/// What a [`Body::Hello`] begins with.
pub const MAGIC: [u8; 4] = *b"MSLT";
/// Largest message, in bytes.
pub const MAX_DATA: usize = 16 << 20;
/// Largest mailslot name, in bytes of UTF-16.
pub const MAX_NAME: usize = 65_534;
/// Largest computer or domain name and largest text of a failure, in bytes.
pub const MAX_TEXT: usize = 255;
/// Largest frame, in bytes, with its length: a message of [`MAX_DATA`] and what can stand beside it.
pub const MAX_FRAME: usize = MAX_DATA + (128 << 10);
/// Bytes before the body.
pub const HEADER: usize = 9;
/// `next_size` when there is no message (Win32 `MAILSLOT_NO_MESSAGE`).
pub const NO_MESSAGE: u32 = u32::MAX;

/// Which handle a passed or duplicated one is made from: valid once, and for a short time.
pub type Token = [u8; 16];

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    id: u32,
    body: Body<'a>,
}

/// What a frame asks or answers. Names are bytes of UTF-16.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// The first request. Answered by [`Self::Welcome`].
    Hello {
        /// The version that the process speaks.
        version: u16,
    },
    /// Creates a slot (Win32 `CreateMailslot`). Answered by [`Self::Opened`].
    Create {
        /// Largest message, in bytes; 0 for any.
        max_message_size: u32,
        /// How long reads wait, in milliseconds; 0xFFFFFFFF for ever.
        read_timeout: u32,
        /// The handle's Win32 access mask.
        access: u32,
        /// Who may open the slot.
        admittance: Admittance,
        /// The name.
        name: &'a [u8],
    },
    /// Opens a slot for writing (Win32 `CreateFile`). Answered by [`Self::Opened`].
    Open {
        /// The handle's Win32 access mask.
        access: u32,
        /// The Win32 share mode.
        share: u32,
        /// The Win32 creation disposition.
        disposition: u32,
        /// The name.
        name: &'a [u8],
    },
    /// Takes up a handle that another one was duplicated to. Answered by [`Self::Opened`].
    Attach {
        /// From [`Self::Duplicated`].
        token: Token,
    },
    /// Reads (Win32 `ReadFile`). Answered by [`Self::Messages`] once there is one, or the time is over.
    Read {
        /// How long to wait, in milliseconds; `None` as long as the slot says.
        timeout: Option<u32>,
        /// Largest message that is taken, in bytes.
        capacity: u32,
        /// Most messages that are taken.
        count: u32,
    },
    /// Ends reads that wait (Win32 `CancelIoEx`); they fail with [`FailureCode::ABORTED`]. Answered by [`Self::Done`].
    Cancel {
        /// The id of the read; `None` for all of this handle.
        read: Option<u32>,
    },
    /// Writes one message (Win32 `WriteFile`). Answered by [`Self::Written`].
    Write {
        /// The message.
        data: &'a [u8],
    },
    /// Writes one message. Not answered; [`Self::Flush`] tells what was refused.
    Post {
        /// The message.
        data: &'a [u8],
    },
    /// Asks about all earlier posts. Answered by [`Self::Flushed`].
    Flush,
    /// Asks for the slot's state (Win32 `GetMailslotInfo`). Answered by [`Self::Info`].
    GetInfo,
    /// Sets how long later reads wait (Win32 `SetMailslotInfo`). Answered by [`Self::Done`].
    SetInfo {
        /// In milliseconds; 0xFFFFFFFF for ever.
        read_timeout: u32,
    },
    /// Asks for the slot's counters. Answered by [`Self::Stats`].
    GetStats,
    /// Prepares another handle to the same slot (Win32 `DuplicateHandle`). Answered by [`Self::Duplicated`].
    Duplicate {
        /// The new handle's Win32 access mask.
        access: u32,
    },
    /// Asks for slots in the order of their names. Answered by [`Self::Slots`].
    List {
        /// Only those after this name; empty for the first.
        after: &'a [u8],
    },
    /// Asks for one slot. Answered by [`Self::Slots`] with one.
    Find {
        /// The name.
        name: &'a [u8],
    },
    /// Writes one message to any path, through the node's network. Answered by [`Self::Sent`].
    Send {
        /// Whose slot.
        target: TargetKind,
        /// The computer or domain; empty unless `target` is [`TargetKind::NAMED`].
        host: &'a [u8],
        /// The slot's name.
        name: &'a [u8],
        /// The message.
        data: &'a [u8],
    },
    /// Asks for the node's NetBIOS names. Answered by [`Self::Names`].
    GetNames,
    /// Asks what handle the connection is, for a process that was passed its descriptor. Answered by
    /// [`Self::Opened`].
    GetHandle,

    /// The node's answer to [`Self::Hello`].
    Welcome {
        /// The version that the node speaks.
        version: u16,
        /// Whose node it is.
        role: Role,
        /// The node's process.
        pid: u32,
        /// The computer name, in wire form; zeros without a LAN.
        computer: [u8; 16],
        /// The workgroup, in wire form; zeros without a LAN.
        workgroup: [u8; 16],
    },
    /// The connection is a handle now.
    Opened {
        /// Largest message that the slot takes, in bytes; 0 for any.
        max_message_size: u32,
        /// The handle's Win32 access mask.
        access: u32,
        /// The name, as the slot was created.
        name: &'a [u8],
    },
    /// What was read: at least one message.
    Messages(Messages<'a>),
    /// The message is in the slot.
    Written {
        /// Its bytes.
        bytes: u32,
    },
    /// What became of the posts since the last flush.
    Flushed {
        /// Messages that were refused; none of them was queued.
        refused: u64,
        /// Why the first was; [`FailureCode::NONE`] if none was.
        first: Failure<'a>,
    },
    /// A slot's state.
    Info {
        /// Largest message, in bytes; 0 for any.
        max_message_size: u32,
        /// Bytes of the oldest message; [`NO_MESSAGE`] if there is none.
        next_size: u32,
        /// Messages in the queue.
        message_count: u32,
        /// How long reads wait, in milliseconds.
        read_timeout: u32,
    },
    /// It is done.
    Done,
    /// Another handle waits to be taken up with [`Self::Attach`].
    Duplicated {
        /// What to attach with.
        token: Token,
    },
    /// Slots; none at all after the last.
    Slots(Slots<'a>),
    /// A slot's counters, in the order of [`crate::wire::local`]'s `Stats`: accepted, accepted bytes, read, read
    /// bytes, truncated, then the drops: no slot, over the largest size, queue full of messages, of bytes, session not
    /// supported, written after the close, unread at the close, over the bytes of its owner's slots, of all slots.
    Stats {
        /// The counters.
        counters: [u64; 14],
    },
    /// The message went.
    Sent {
        /// The way it went.
        way: Way,
        /// Whether it was cut.
        truncated: bool,
        /// Whether a slot of the node itself has it.
        local: bool,
        /// Bytes that went.
        bytes: u32,
        /// The name it went to, in wire form; zeros for a local path.
        destination: [u8; 16],
        /// Where to: IPv4 addresses with ports, each 6 bytes, in network order.
        addresses: &'a [u8],
    },
    /// The node's NetBIOS names.
    Names(Names<'a>),
    /// It was refused.
    Failed(Failure<'a>),
    /// Another kind.
    Other {
        /// The kind.
        kind: u8,
        /// What follows it.
        bytes: &'a [u8],
    },
}

impl<'a> Frame<'a> {
    /// A frame.
    ///
    /// # Errors
    /// A name, text or message that is too long; an [`Body::Other`] of a known kind.
    pub fn new(id: u32, body: Body<'a>) -> Result<Self, ValueError> {
        body.check()?;
        Ok(Self { id, body })
    }

    /// The request's number, chosen by the process.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it asks or answers.
    pub const fn body(&self) -> &Body<'a> {
        &self.body
    }

    /// What it asks or answers, by value.
    pub fn into_body(self) -> Body<'a> {
        self.body
    }
}

/// How many bytes the frame at the beginning of `stream` has, with its length; `None` if that cannot be told yet.
///
/// # Errors
/// A length that no frame has.
pub fn frame_length(stream: &[u8]) -> Result<Option<usize>, DecodeError> {
    let Some(length) = stream.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length);
    let bad = |expected| {
        let kind = DecodeErrorKind::BadValue { value: length, expected };
        DecodeError::new(Layer::Local, "length", 0, kind)
    };
    match usize::try_from(length) {
        Ok(length) if length + 4 < HEADER => Err(bad("at least 5")),
        Ok(length) if length + 4 <= MAX_FRAME => Ok(Some(length + 4)),
        _ => Err(bad("at most MAX_FRAME")),
    }
}

impl<'a> Decode<'a> for Frame<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let whole = frame_length(bytes)?.unwrap_or(HEADER);
        let fields = |input| {
            let (input, _) = read::u32_le("length", input)?;
            let (input, id) = read::u32_le("id", input)?;
            let (input, kind) = read::u8("kind", input)?;
            // The length is sound, so there are at least these bytes, or too few for it.
            let (rest, body) = read::bytes("body", whole.saturating_sub(HEADER), input)?;
            fields::end("length", rest)?;
            let (rest, body) = Body::read(kind, body)?;
            fields::end("body", rest)?;
            Ok((rest, Self { id, body }))
        };
        read::finish(fields(bytes), bytes, Layer::Local).map(|(_, frame)| frame)
    }
}

impl Encode for Frame<'_> {
    fn encoded_len(&self) -> usize {
        HEADER + self.body.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        // Checked by the constructor to be far below the largest number.
        out.put_u32_le(u32::try_from(self.body.len() + HEADER - 4).unwrap_or(u32::MAX));
        out.put_u32_le(self.id);
        out.put_u8(self.body.kind());
        self.body.write(out);
    }
}

impl<'a> Body<'a> {
    const fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 0x01,
            Self::Create { .. } => 0x02,
            Self::Open { .. } => 0x03,
            Self::Attach { .. } => 0x04,
            Self::Read { .. } => 0x05,
            Self::Cancel { .. } => 0x06,
            Self::Write { .. } => 0x07,
            Self::Post { .. } => 0x08,
            Self::Flush => 0x09,
            Self::GetInfo => 0x0a,
            Self::SetInfo { .. } => 0x0b,
            Self::GetStats => 0x0c,
            Self::Duplicate { .. } => 0x0d,
            Self::List { .. } => 0x0e,
            Self::Find { .. } => 0x0f,
            Self::Send { .. } => 0x10,
            Self::GetNames => 0x11,
            Self::GetHandle => 0x12,
            Self::Welcome { .. } => 0x81,
            Self::Opened { .. } => 0x82,
            Self::Messages(_) => 0x83,
            Self::Written { .. } => 0x84,
            Self::Flushed { .. } => 0x85,
            Self::Info { .. } => 0x86,
            Self::Done => 0x87,
            Self::Duplicated { .. } => 0x88,
            Self::Slots(_) => 0x89,
            Self::Stats { .. } => 0x8a,
            Self::Sent { .. } => 0x8b,
            Self::Names(_) => 0x8c,
            Self::Failed(_) => 0xff,
            Self::Other { kind, .. } => *kind,
        }
    }

    fn read(kind: u8, input: &'a [u8]) -> Parsed<'a, Self> {
        Ok(match kind {
            0x01 => {
                let (at, magic) = read::array("magic", input)?;
                if magic != MAGIC {
                    let value = u32::from_le_bytes(magic);
                    return read::fail(input, "magic", DecodeErrorKind::BadValue { value, expected: "MSLT" });
                }
                let (at, version) = read::u16_le("version", at)?;
                (at, Self::Hello { version })
            }
            0x02 => {
                let (input, max_message_size) = read::u32_le("max_message_size", input)?;
                let (input, read_timeout) = read::u32_le("read_timeout", input)?;
                let (input, access) = read::u32_le("access", input)?;
                let (input, admittance) = Admittance::read(input)?;
                let (input, name) = fields::name("name", input)?;
                (input, Self::Create { max_message_size, read_timeout, access, admittance, name })
            }
            0x03 => {
                let (input, access) = read::u32_le("access", input)?;
                let (input, share) = read::u32_le("share", input)?;
                let (input, disposition) = read::u32_le("disposition", input)?;
                let (input, name) = fields::name("name", input)?;
                (input, Self::Open { access, share, disposition, name })
            }
            0x04 => {
                let (input, token) = read::array("token", input)?;
                (input, Self::Attach { token })
            }
            0x05 => {
                let (input, timeout) = fields::optional("timeout", input)?;
                let (input, capacity) = read::u32_le("capacity", input)?;
                let (input, count) = read::u32_le("count", input)?;
                (input, Self::Read { timeout, capacity, count })
            }
            0x06 => {
                let (input, read) = fields::optional("read", input)?;
                (input, Self::Cancel { read })
            }
            0x07 => fields::data(input).map(|(rest, data)| (rest, Self::Write { data }))?,
            0x08 => fields::data(input).map(|(rest, data)| (rest, Self::Post { data }))?,
            0x09 => (input, Self::Flush),
            0x0a => (input, Self::GetInfo),
            0x0b => {
                let (input, read_timeout) = read::u32_le("read_timeout", input)?;
                (input, Self::SetInfo { read_timeout })
            }
            0x0c => (input, Self::GetStats),
            0x0d => {
                let (input, access) = read::u32_le("access", input)?;
                (input, Self::Duplicate { access })
            }
            0x0e => {
                let (input, after) = fields::name("after", input)?;
                (input, Self::List { after })
            }
            0x0f => {
                let (input, name) = fields::name("name", input)?;
                (input, Self::Find { name })
            }
            0x10 => {
                let (input, target) = read::u8("target", input)?;
                let (input, host) = fields::text("host", input)?;
                let (input, name) = fields::name("name", input)?;
                let (input, data) = fields::data(input)?;
                (input, Self::Send { target: TargetKind(target), host, name, data })
            }
            0x11 => (input, Self::GetNames),
            0x12 => (input, Self::GetHandle),
            _ => return Self::read_answer(kind, input),
        })
    }

    fn read_answer(kind: u8, input: &'a [u8]) -> Parsed<'a, Self> {
        Ok(match kind {
            0x81 => {
                let (input, version) = read::u16_le("version", input)?;
                let (input, role) = read::u8("role", input)?;
                let (input, pid) = read::u32_le("pid", input)?;
                let (input, computer) = read::array("computer", input)?;
                let (input, workgroup) = read::array("workgroup", input)?;
                (input, Self::Welcome { version, role: Role(role), pid, computer, workgroup })
            }
            0x82 => {
                let (input, max_message_size) = read::u32_le("max_message_size", input)?;
                let (input, access) = read::u32_le("access", input)?;
                let (input, name) = fields::name("name", input)?;
                (input, Self::Opened { max_message_size, access, name })
            }
            0x83 => Messages::read(input).map(|(rest, list)| (rest, Self::Messages(list)))?,
            0x84 => {
                let (input, bytes) = read::u32_le("bytes", input)?;
                (input, Self::Written { bytes })
            }
            0x85 => {
                let (input, refused) = fields::u64_le("refused", input)?;
                let (input, first) = Failure::read(input)?;
                (input, Self::Flushed { refused, first })
            }
            0x86 => {
                let (input, max_message_size) = read::u32_le("max_message_size", input)?;
                let (input, next_size) = read::u32_le("next_size", input)?;
                let (input, message_count) = read::u32_le("message_count", input)?;
                let (input, read_timeout) = read::u32_le("read_timeout", input)?;
                (input, Self::Info { max_message_size, next_size, message_count, read_timeout })
            }
            0x87 => (input, Self::Done),
            0x88 => {
                let (input, token) = read::array("token", input)?;
                (input, Self::Duplicated { token })
            }
            0x89 => Slots::read(input).map(|(rest, list)| (rest, Self::Slots(list)))?,
            0x8a => {
                let (mut input, mut counters) = (input, [0; 14]);
                for counter in &mut counters {
                    (input, *counter) = fields::u64_le("counters", input)?;
                }
                (input, Self::Stats { counters })
            }
            0x8b => {
                let (input, way) = read::u8("way", input)?;
                let (input, truncated) = fields::flag("truncated", input)?;
                let (input, local) = fields::flag("local", input)?;
                let (input, bytes) = read::u32_le("bytes", input)?;
                let (input, destination) = read::array("destination", input)?;
                let (input, addresses) = fields::addresses(input)?;
                (input, Self::Sent { way: Way(way), truncated, local, bytes, destination, addresses })
            }
            0x8c => Names::read(input).map(|(rest, list)| (rest, Self::Names(list)))?,
            0xff => Failure::read(input).map(|(rest, failure)| (rest, Self::Failed(failure)))?,
            kind => (&[], Self::Other { kind, bytes: input }),
        })
    }

    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Create { name, .. }
            | Self::Open { name, .. }
            | Self::Find { name }
            | Self::Opened { name, .. } => fields::check_name(name),
            Self::List { after } => fields::check_name(after),
            Self::Write { data } | Self::Post { data } => fields::check("data", data.len(), MAX_DATA),
            Self::Send { host, name, data, .. } => {
                fields::check("host", host.len(), MAX_TEXT)?;
                fields::check_name(name)?;
                fields::check("data", data.len(), MAX_DATA)
            }
            Self::Sent { addresses, .. } => fields::check_addresses(addresses),
            Self::Flushed { first: failure, .. } | Self::Failed(failure) => {
                fields::check("text", failure.text.len(), MAX_TEXT)
            }
            Self::Other { kind, bytes } => {
                fields::check("bytes", bytes.len(), MAX_FRAME - HEADER)?;
                fields::check_other(matches!(kind, 0x01..=0x12 | 0x81..=0x8c | 0xff))
            }
            _ => Ok(()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Hello { .. } => 6,
            Self::Create { name, .. } => 17 + 2 + name.len(),
            Self::Open { name, .. } => 12 + 2 + name.len(),
            Self::Attach { token } | Self::Duplicated { token } => token.len(),
            Self::Read { .. } => 13,
            Self::Cancel { .. } => 5,
            Self::Write { data } | Self::Post { data } => 4 + data.len(),
            Self::Flush | Self::GetInfo | Self::GetStats | Self::GetNames | Self::GetHandle | Self::Done => 0,
            Self::SetInfo { .. } | Self::Duplicate { .. } | Self::Written { .. } => 4,
            Self::List { after: name } | Self::Find { name } => 2 + name.len(),
            Self::Send { host, name, data, .. } => 1 + 1 + host.len() + 2 + name.len() + 4 + data.len(),
            Self::Welcome { .. } => 7 + 32,
            Self::Opened { name, .. } => 8 + 2 + name.len(),
            Self::Messages(list) => list.len(),
            Self::Flushed { first, .. } => 8 + first.len(),
            Self::Info { .. } => 16,
            Self::Slots(list) => list.len(),
            Self::Stats { counters } => 8 * counters.len(),
            Self::Sent { addresses, .. } => 7 + 16 + 1 + addresses.len(),
            Self::Names(list) => list.len(),
            Self::Failed(failure) => failure.len(),
            Self::Other { bytes, .. } => bytes.len(),
        }
    }

    fn write(&self, out: &mut impl BufMut) {
        match self {
            Self::Hello { version } => {
                out.put_slice(&MAGIC);
                out.put_u16_le(*version);
            }
            Self::Create { max_message_size, read_timeout, access, admittance, name } => {
                fields::put_u32s(out, &[*max_message_size, *read_timeout, *access]);
                admittance.write(out);
                fields::put_name(out, name);
            }
            Self::Open { access, share, disposition, name } => {
                fields::put_u32s(out, &[*access, *share, *disposition]);
                fields::put_name(out, name);
            }
            Self::Attach { token } | Self::Duplicated { token } => out.put_slice(token),
            Self::Read { timeout, capacity, count } => {
                fields::put_optional(out, *timeout);
                fields::put_u32s(out, &[*capacity, *count]);
            }
            Self::Cancel { read } => fields::put_optional(out, *read),
            Self::Write { data } | Self::Post { data } => fields::put_data(out, data),
            Self::Flush | Self::GetInfo | Self::GetStats | Self::GetNames | Self::GetHandle | Self::Done => {}
            Self::SetInfo { read_timeout: number }
            | Self::Duplicate { access: number }
            | Self::Written { bytes: number } => out.put_u32_le(*number),
            Self::List { after: name } | Self::Find { name } => fields::put_name(out, name),
            Self::Send { target, host, name, data } => {
                out.put_u8(target.0);
                fields::put_text(out, host);
                fields::put_name(out, name);
                fields::put_data(out, data);
            }
            Self::Welcome { version, role, pid, computer, workgroup } => {
                out.put_u16_le(*version);
                out.put_u8(role.0);
                out.put_u32_le(*pid);
                out.put_slice(computer);
                out.put_slice(workgroup);
            }
            Self::Opened { max_message_size, access, name } => {
                fields::put_u32s(out, &[*max_message_size, *access]);
                fields::put_name(out, name);
            }
            Self::Messages(list) => list.write(out),
            Self::Flushed { refused, first } => {
                out.put_u64_le(*refused);
                first.write(out);
            }
            Self::Info { max_message_size, next_size, message_count, read_timeout } => {
                fields::put_u32s(out, &[*max_message_size, *next_size, *message_count, *read_timeout]);
            }
            Self::Slots(list) => list.write(out),
            Self::Stats { counters } => counters.iter().for_each(|counter| out.put_u64_le(*counter)),
            Self::Sent { way, truncated, local, bytes, destination, addresses } => {
                out.put_slice(&[way.0, u8::from(*truncated), u8::from(*local)]);
                out.put_u32_le(*bytes);
                out.put_slice(destination);
                fields::put_addresses(out, addresses);
            }
            Self::Names(list) => list.write(out),
            Self::Failed(failure) => failure.write(out),
            Self::Other { bytes, .. } => out.put_slice(bytes),
        }
    }
}
