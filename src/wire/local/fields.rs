//! Fields that several frames have, and their values.

use bytes::BufMut;

use super::{MAX_ADDRESSES, MAX_DATA, MAX_NAME};
use crate::wire::error::{DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

macro_rules! values {
    ($(#[$doc:meta] $name:ident($inner:ty) { $($(#[$value_doc:meta])+ $value:ident = $number:literal;)* })*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            $($(#[$value_doc])+ pub const $value: Self = Self($number);)*
        }
    )*};
}

values! {
    /// Whose node answers.
    Role(u8) {
        /// One user's, started on demand; without a network.
        USER = 1;
        /// The machine's service.
        SERVICE = 2;
    }
    /// Whose slot a message is for.
    TargetKind(u8) {
        /// This machine's (`\\.\`).
        LOCAL = 0;
        /// A computer's or a domain's (`\\NAME\`).
        NAMED = 1;
        /// Everybody's (`\\*\`).
        EVERYONE = 2;
    }
    /// The way a message went.
    Way(u8) {
        /// Into a slot of the node.
        LOCAL = 0;
        /// One datagram to one computer.
        UNIQUE = 1;
        /// Datagrams to a group.
        GROUP = 2;
        /// A session with one computer, by the rules of port 139.
        SESSION_139 = 3;
        /// A session with one computer, by the rules of port 445.
        SESSION_445 = 4;
    }
    /// Whom a node asks for a name.
    AskTarget(u8) {
        /// Whoever the node usually does: its own table and cache first, then broadcast or name server.
        DEFAULT = 0;
        /// All subnets of the node, by broadcast.
        BROADCAST = 1;
        /// One subnet of the node, by its broadcast address.
        SUBNET = 2;
        /// One computer or name server.
        SERVER = 3;
    }
    /// Where the answer to a name is from.
    AnswerOrigin(u8) {
        /// The node's own table.
        LOCAL = 0;
        /// Its cache.
        CACHE = 1;
        /// Its LMHOSTS file.
        LMHOSTS = 2;
        /// A computer that heard the broadcast.
        BROADCAST = 3;
        /// The computer or name server that was asked.
        SERVER = 4;
    }
    /// How far a name of the node is.
    NameState(u8) {
        /// It is being claimed.
        REGISTERING = 0;
        /// It is the node's.
        ACTIVE = 1;
        /// It was the node's; another one has it, too.
        CONFLICT = 2;
        /// It is another's.
        REFUSED = 3;
        /// It is being given up.
        RELEASING = 4;
    }
    /// Who keeps a name from the node.
    RefusedBy(u8) {
        /// Nobody.
        NOBODY = 0;
        /// A node that has it.
        OWNER = 1;
        /// A node that claimed it at the same time.
        RIVAL = 2;
        /// A name server.
        SERVER = 3;
    }
    /// Why a request was refused. `a` and `b` are the numbers of the [`Failure`].
    FailureCode(u16) {
        /// Nothing failed.
        NONE = 0;
        /// The request is not known, or not possible on this connection.
        BAD_REQUEST = 1;
        /// The node speaks only version `a`.
        VERSION = 2;
        /// The slot is another's, and its owner admits no others.
        NOT_ADMITTED = 3;
        /// The name is in use.
        ALREADY_EXISTS = 4;
        /// There is no such slot.
        NOT_FOUND = 5;
        /// The name has `a` UTF-16 units, at most `b` are possible.
        NAME_TOO_LONG = 6;
        /// The share modes clash.
        SHARING_VIOLATION = 7;
        /// An argument is outside its range.
        INVALID_ARGUMENT = 8;
        /// The handle has no read access (`a` 0) or write access (`a` 1).
        ACCESS_DENIED = 9;
        /// It is the slot's other end.
        WRONG_END = 10;
        /// It needs a server handle.
        NOT_THE_SERVER = 11;
        /// The slot is gone.
        GONE = 12;
        /// No message came in time.
        TIMEOUT = 13;
        /// The next message has `a` bytes, the buffer `b`.
        BUFFER_TOO_SMALL = 14;
        /// The read was ended.
        ABORTED = 15;
        /// Nothing waits.
        NOTHING_PENDING = 16;
        /// The message has `a` bytes, the slot takes at most `b`.
        OVER_MAX_MESSAGE_SIZE = 17;
        /// There is no room: in the slot for messages (`a` 0), for bytes (1), in its owner's slots (2), in all slots (3).
        QUEUE_FULL = 18;
        /// A limit of the node is reached; at most `a`.
        LIMIT_REACHED = 19;
        /// The node has no network.
        NO_NETWORK = 20;
        /// The message could not be sent; `a` is the Win32 code, the text says why.
        SEND = 21;
        /// Nobody has the name, or no computer is at the address. `a` is how asking ended: 1 it was denied, 2 nobody
        /// answered, 3 there is no name server to ask, 4 too many questions are open.
        NAME_NOT_FOUND = 22;
        /// None of the node's interfaces has this broadcast address; the text names those that there are.
        NO_SUBNET = 23;
        /// None of the node's interfaces is up.
        NO_INTERFACE = 24;
        /// The node is ending.
        ENDING = 25;
    }
}

impl FailureCode {
    /// The code in snake_case, as reports print it; `other` if it is not known.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NONE => "none",
            Self::BAD_REQUEST => "bad_request",
            Self::VERSION => "version",
            Self::NOT_ADMITTED => "not_admitted",
            Self::ALREADY_EXISTS => "already_exists",
            Self::NOT_FOUND => "not_found",
            Self::NAME_TOO_LONG => "name_too_long",
            Self::SHARING_VIOLATION => "sharing_violation",
            Self::INVALID_ARGUMENT => "invalid_argument",
            Self::ACCESS_DENIED => "access_denied",
            Self::WRONG_END => "wrong_end",
            Self::NOT_THE_SERVER => "not_the_server",
            Self::GONE => "gone",
            Self::TIMEOUT => "timeout",
            Self::BUFFER_TOO_SMALL => "buffer_too_small",
            Self::ABORTED => "aborted",
            Self::NOTHING_PENDING => "nothing_pending",
            Self::OVER_MAX_MESSAGE_SIZE => "over_max_message_size",
            Self::QUEUE_FULL => "queue_full",
            Self::LIMIT_REACHED => "limit_reached",
            Self::NO_NETWORK => "no_network",
            Self::SEND => "send",
            Self::NAME_NOT_FOUND => "name_not_found",
            Self::NO_SUBNET => "no_subnet",
            Self::NO_INTERFACE => "no_interface",
            Self::ENDING => "ending",
            _ => "other",
        }
    }
}

/// Who may open a slot for writing, besides its owner and the superuser: the place of the security descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Admittance {
    /// Which rule; see the constants.
    pub rule: u8,
    /// The group of [`Self::GROUP`].
    pub group: u32,
}

impl Admittance {
    /// As the node has it: the owner on a user's node, whoever may connect on the service's.
    pub const DEFAULT: u8 = 0;
    /// Only the owner.
    pub const OWNER: u8 = 1;
    /// The members of a group.
    pub const GROUP: u8 = 2;
    /// Whoever may connect.
    pub const ALL: u8 = 3;

    pub(super) fn read(input: &[u8]) -> Parsed<'_, Self> {
        let (input, rule) = read::u8("admittance", input)?;
        let (input, group) = read::u32_le("group", input)?;
        Ok((input, Self { rule, group }))
    }

    pub(super) fn write(self, out: &mut impl BufMut) {
        out.put_u8(self.rule);
        out.put_u32_le(self.group);
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Failure<'a> {
    /// What is wrong.
    pub code: FailureCode,
    /// Its first number.
    pub a: u64,
    /// Its second number.
    pub b: u64,
    /// What cannot be said by numbers; UTF-8 and at most [`MAX_TEXT`](super::MAX_TEXT) bytes.
    pub text: &'a [u8],
}

impl<'a> Failure<'a> {
    /// A failure without a text.
    pub const fn new(code: FailureCode, a: u64, b: u64) -> Self {
        Self { code, a, b, text: &[] }
    }

    pub(super) fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, code) = read::u16_le("code", input)?;
        let (input, a) = u64_le("a", input)?;
        let (input, b) = u64_le("b", input)?;
        let (input, text) = text("text", input)?;
        Ok((input, Self { code: FailureCode(code), a, b, text }))
    }

    pub(super) const fn len(&self) -> usize {
        18 + 1 + self.text.len()
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.code.0);
        out.put_u64_le(self.a);
        out.put_u64_le(self.b);
        put_text(out, self.text);
    }
}

/// Refuses bytes where the frame should have ended.
pub(super) fn end<'a>(field: &'static str, rest: &'a [u8]) -> Result<(), nom::Err<read::At<'a>>> {
    if rest.is_empty() {
        return Ok(());
    }
    read::fail::<()>(rest, field, DecodeErrorKind::TooLong { have: rest.len(), max: 0 }).map(|_| ())
}

pub(super) fn u64_le<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, u64> {
    read::array(field, input).map(|(rest, bytes)| (rest, u64::from_le_bytes(bytes)))
}

/// A byte that is 0 or 1.
pub(super) fn flag<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, bool> {
    match read::u8(field, input)? {
        (rest, 0) => Ok((rest, false)),
        (rest, 1) => Ok((rest, true)),
        (_, value) => {
            read::fail(input, field, DecodeErrorKind::BadValue { value: value.into(), expected: "0 or 1" })
        }
    }
}

/// A flag and a number, which is 0 without the flag.
pub(super) fn optional<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, Option<u32>> {
    let (at, is_there) = flag(field, input)?;
    let (rest, value) = read::u32_le(field, at)?;
    match (is_there, value) {
        (true, value) => Ok((rest, Some(value))),
        (false, 0) => Ok((rest, None)),
        (false, value) => read::fail(at, field, DecodeErrorKind::BadValue { value, expected: "0" }),
    }
}

pub(super) fn put_optional(out: &mut impl BufMut, value: Option<u32>) {
    out.put_u8(u8::from(value.is_some()));
    out.put_u32_le(value.unwrap_or(0));
}

/// UTF-16 behind its length in bytes, which is even.
pub(super) fn name<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let (at, length) = read::u16_le(field, input)?;
    if length % 2 != 0 {
        let kind = DecodeErrorKind::BadValue { value: length.into(), expected: "an even length" };
        return read::fail(input, field, kind);
    }
    read::bytes(field, length.into(), at)
}

pub(super) fn put_name(out: &mut impl BufMut, name: &[u8]) {
    out.put_u16_le(u16::try_from(name.len()).unwrap_or(u16::MAX));
    out.put_slice(name);
}

pub(super) fn text<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let (input, length) = read::u8(field, input)?;
    read::bytes(field, length.into(), input)
}

pub(super) fn put_text(out: &mut impl BufMut, text: &[u8]) {
    out.put_u8(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.put_slice(text);
}

pub(super) fn data(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (at, length) = read::u32_le("data", input)?;
    let have = usize::try_from(length).unwrap_or(usize::MAX);
    if have > MAX_DATA {
        return read::fail(input, "data", DecodeErrorKind::TooLong { have, max: MAX_DATA });
    }
    read::bytes("data", have, at)
}

pub(super) fn put_data(out: &mut impl BufMut, data: &[u8]) {
    out.put_u32_le(u32::try_from(data.len()).unwrap_or(u32::MAX));
    out.put_slice(data);
}

/// IPv4 addresses with ports, behind their number.
pub(super) fn sockets(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (input, count) = read::u8("addresses", input)?;
    read::bytes("addresses", usize::from(count) * 6, input)
}

pub(super) fn put_sockets(out: &mut impl BufMut, addresses: &[u8]) {
    out.put_u8(u8::try_from(addresses.len() / 6).unwrap_or(u8::MAX));
    out.put_slice(addresses);
}

/// IPv4 addresses behind their number.
pub(super) fn addresses(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (input, count) = read::u16_le("addresses", input)?;
    read::bytes("addresses", usize::from(count) * 4, input)
}

pub(super) fn put_addresses(out: &mut impl BufMut, addresses: &[u8]) {
    out.put_u16_le(u16::try_from(addresses.len() / 4).unwrap_or(u16::MAX));
    out.put_slice(addresses);
}

/// A flag and a MAC address, which is zeros without the flag.
pub(super) fn unit_id(input: &[u8]) -> Parsed<'_, Option<[u8; 6]>> {
    let (at, is_there) = flag("unit_id", input)?;
    let (rest, mac) = read::array::<6>("unit_id", at)?;
    match (is_there, mac) {
        (true, mac) => Ok((rest, Some(mac))),
        (false, [0, 0, 0, 0, 0, 0]) => Ok((rest, None)),
        (false, [value, ..]) => {
            read::fail(at, "unit_id", DecodeErrorKind::BadValue { value: value.into(), expected: "zeros" })
        }
    }
}

pub(super) fn put_unit_id(out: &mut impl BufMut, unit_id: Option<[u8; 6]>) {
    out.put_u8(u8::from(unit_id.is_some()));
    out.put_slice(&unit_id.unwrap_or_default());
}

pub(super) fn put_u32s(out: &mut impl BufMut, numbers: &[u32]) {
    numbers.iter().for_each(|number| out.put_u32_le(*number));
}

pub(super) const fn check(field: &'static str, have: usize, max: usize) -> Result<(), ValueError> {
    if have > max { Err(ValueError::too_long(Layer::Local, field, have, max)) } else { Ok(()) }
}

pub(super) fn check_name(name: &[u8]) -> Result<(), ValueError> {
    check("name", name.len(), MAX_NAME)?;
    form("name", name.len().is_multiple_of(2), "UTF-16")
}

pub(super) fn check_sockets(addresses: &[u8]) -> Result<(), ValueError> {
    check("addresses", addresses.len(), 255 * 6)?;
    form("addresses", addresses.len().is_multiple_of(6), "addresses of 6 bytes")
}

pub(super) fn check_addresses(addresses: &[u8]) -> Result<(), ValueError> {
    check("addresses", addresses.len(), MAX_ADDRESSES * 4)?;
    form("addresses", addresses.len().is_multiple_of(4), "addresses of 4 bytes")
}

pub(super) const fn check_other(is_known: bool) -> Result<(), ValueError> {
    form("kind", !is_known, "a kind that is not known")
}

pub(super) const fn check_origin(is_known: bool) -> Result<(), ValueError> {
    form("origin", is_known, "local, datagram or session")
}

const fn form(field: &'static str, is_right: bool, expected: &'static str) -> Result<(), ValueError> {
    if is_right {
        Ok(())
    } else {
        Err(ValueError::new(Layer::Local, field, ValueErrorReason::BadForm(expected)))
    }
}
