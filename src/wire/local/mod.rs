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
//!
//! A later release may know more kinds within one version: a node answers a request whose kind it does not know with
//! [`FailureCode::BAD_REQUEST`] and goes on. No number is used again for another body; 0x11 and 0x8c were names without
//! their addresses.

mod body;
mod fields;
mod lists;

use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use super::read;

pub use fields::{
    Admittance, AnswerOrigin, AskTarget, Failure, FailureCode, NameState, RefusedBy, Role, TargetKind, Way,
};
pub use lists::{
    Interfaces, ListedInterface, ListedMessage, ListedName, ListedNodeName, ListedSlot, MessageFlags,
    Messages, MessagesBuilder, Names, NodeNames, OriginKind, Slots, interfaces_list, names_list,
    node_names_list, slots_list,
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
/// Most owners of a name that one answer names.
pub const MAX_ADDRESSES: usize = 65_535;
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
    /// Asks what handle the connection is, for a process that was passed its descriptor. Answered by
    /// [`Self::Opened`].
    GetHandle,
    /// Asks for the node's NetBIOS names, on all its interfaces. Answered by [`Self::Names`].
    GetNames,
    /// Asks for the interfaces that the node is on. Answered by [`Self::Interfaces`].
    GetInterfaces,
    /// Asks the node to find out who has a NetBIOS name. Answered by [`Self::Resolved`], or with
    /// [`FailureCode::NAME_NOT_FOUND`].
    Resolve {
        /// Whom the node asks.
        target: AskTarget,
        /// The server's address or the subnet's broadcast address, in network order; zeros for the other targets.
        address: [u8; 4],
        /// The name, in wire form.
        name: [u8; 16],
    },
    /// Asks the node to ask a computer for its names (a node status request). Answered by [`Self::Status`], or with
    /// [`FailureCode::NAME_NOT_FOUND`].
    GetStatus {
        /// The computer, an IPv4 address in network order.
        address: [u8; 4],
    },

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
    /// The interfaces that the node is on.
    Interfaces(Interfaces<'a>),
    /// A name was found.
    Resolved {
        /// Whether it is a group's.
        group: bool,
        /// Where the answer is from.
        origin: AnswerOrigin,
        /// Who gave it, an IPv4 address in network order; zeros unless somebody on the network did.
        by: [u8; 4],
        /// The name, in wire form.
        name: [u8; 16],
        /// Its owners: IPv4 addresses, each 4 bytes, in network order.
        addresses: &'a [u8],
    },
    /// The names of a computer, as it told them.
    Status {
        /// Who answered: IPv4 address and port, in network order.
        peer: [u8; 6],
        /// Whether it has more names than it told.
        partial: bool,
        /// Its MAC address, if it told one.
        unit_id: Option<[u8; 6]>,
        /// Its names.
        names: NodeNames<'a>,
    },
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
