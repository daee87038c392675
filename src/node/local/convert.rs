//! Values of the registry as values of the protocol, and back.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;

use bytes::Bytes;

use crate::node::{Sent, Way};
use crate::slot::{DropCounts, Info, MailslotError, Message, Origin, ReadTimeout, SlotName, Stats};
use crate::wire::local::{
    Body, Failure, FailureCode, ListedMessage, MessageFlags, NO_MESSAGE, OriginKind, Way as WireWay,
};
use crate::wire::name::NetbiosName;
use crate::wire::nbss::Framing;

pub(super) fn name_bytes(name: &SlotName) -> Vec<u8> {
    name.units().iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

pub(super) fn slot_name(bytes: &[u8]) -> Result<SlotName, MailslotError> {
    let pairs = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>());
    SlotName::from_units(&pairs.map(|pair| u16::from_le_bytes(*pair)).collect::<Vec<_>>())
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

pub(super) fn address_bytes(address: SocketAddrV4) -> [u8; 6] {
    let [a, b, c, d] = address.ip().octets();
    let [e, f] = address.port().to_be_bytes();
    [a, b, c, d, e, f]
}

pub(super) fn address([a, b, c, d, e, f]: [u8; 6]) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([e, f]))
}

/// What [`FailureCode::QUEUE_FULL`] says of the limit, as its number.
const QUEUE_LIMITS: [&str; 4] = ["messages_per_slot", "bytes_per_slot", "bytes_per_owner", "bytes"];

fn queue_limit(limit: &str) -> u64 {
    let at = QUEUE_LIMITS.iter().position(|known| *known == limit);
    at.and_then(|at| u64::try_from(at).ok()).unwrap_or(0)
}

/// A refusal, for the wire. What only the caller can have done wrong never comes here.
pub(super) fn failure(error: &MailslotError) -> Failure<'static> {
    use FailureCode as Code;
    let long = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let (code, a, b) = match error {
        MailslotError::NotAdmitted { .. } => (Code::NOT_ADMITTED, 0, 0),
        MailslotError::AlreadyExists { .. } => (Code::ALREADY_EXISTS, 0, 0),
        MailslotError::NotFound { .. } => (Code::NOT_FOUND, 0, 0),
        MailslotError::NameTooLong { units, max } => (Code::NAME_TOO_LONG, long(*units), long(*max)),
        MailslotError::SharingViolation { .. } => (Code::SHARING_VIOLATION, 0, 0),
        MailslotError::InvalidArgument { .. } => (Code::INVALID_ARGUMENT, 0, 0),
        MailslotError::AccessDenied { access } => (Code::ACCESS_DENIED, u64::from(*access == "write"), 0),
        MailslotError::WrongEnd => (Code::WRONG_END, 0, 0),
        MailslotError::NotTheServer => (Code::NOT_THE_SERVER, 0, 0),
        MailslotError::Gone { .. } => (Code::GONE, 0, 0),
        MailslotError::Timeout => (Code::TIMEOUT, 0, 0),
        MailslotError::BufferTooSmall { needed, have } => {
            (Code::BUFFER_TOO_SMALL, long(*needed), long(*have))
        }
        MailslotError::Aborted => (Code::ABORTED, 0, 0),
        MailslotError::NothingPending => (Code::NOTHING_PENDING, 0, 0),
        MailslotError::OverMaxMessageSize { size, max } => {
            (Code::OVER_MAX_MESSAGE_SIZE, long(*size), long(*max))
        }
        MailslotError::QueueFull { limit } => (Code::QUEUE_FULL, queue_limit(limit), 0),
        MailslotError::LimitReached { max, .. } => (Code::LIMIT_REACHED, long(*max), 0),
        other => (Code::SEND, u64::from(other.win32().code()), 0),
    };
    Failure::new(code, a, b)
}

/// A refusal that came over the wire, about the slot `name`.
pub(super) fn error(failure: &Failure<'_>, name: &SlotName) -> MailslotError {
    use FailureCode as Code;
    let name = || name.to_string();
    let (a, b) = (size(failure.a), size(failure.b));
    match failure.code {
        Code::NOT_ADMITTED => MailslotError::NotAdmitted { name: name() },
        Code::ALREADY_EXISTS => MailslotError::AlreadyExists { name: name() },
        Code::NOT_FOUND => MailslotError::NotFound { name: name() },
        Code::NAME_TOO_LONG => MailslotError::NameTooLong { units: a, max: b },
        Code::SHARING_VIOLATION => MailslotError::SharingViolation { name: name() },
        Code::INVALID_ARGUMENT => MailslotError::InvalidArgument { what: "an argument of the call" },
        Code::ACCESS_DENIED if a == 0 => MailslotError::AccessDenied { access: "read" },
        Code::ACCESS_DENIED => MailslotError::AccessDenied { access: "write" },
        Code::WRONG_END => MailslotError::WrongEnd,
        Code::NOT_THE_SERVER => MailslotError::NotTheServer,
        Code::GONE => MailslotError::Gone { name: name() },
        Code::TIMEOUT => MailslotError::Timeout,
        Code::BUFFER_TOO_SMALL => MailslotError::BufferTooSmall { needed: a, have: b },
        Code::ABORTED => MailslotError::Aborted,
        Code::NOTHING_PENDING => MailslotError::NothingPending,
        Code::OVER_MAX_MESSAGE_SIZE => MailslotError::OverMaxMessageSize { size: a, max: b },
        Code::QUEUE_FULL => {
            let limit = QUEUE_LIMITS.get(a).or(QUEUE_LIMITS.first()).copied().unwrap_or_default();
            MailslotError::QueueFull { limit }
        }
        Code::LIMIT_REACHED => {
            MailslotError::LimitReached { what: "handles, mailslots, reads or messages under way", max: a }
        }
        FailureCode(code) => MailslotError::NodeGone { reason: format!("it refuses the call (code {code})") },
    }
}

pub(super) const fn session(framing: Framing) -> OriginKind {
    match framing {
        Framing::Session => OriginKind::SESSION_139,
        Framing::Direct => OriginKind::SESSION_445,
    }
}

pub(super) fn listed(message: &Message, now: Duration) -> ListedMessage<'_> {
    let mut listed = ListedMessage::local(&message.data);
    listed.flags.set(MessageFlags::TRUNCATED, message.truncated);
    let (kind, source, destination) = match message.origin {
        Origin::Local => return listed,
        Origin::Datagram { source, destination } => (OriginKind::DATAGRAM, source, destination),
        Origin::Session { framing, source, destination } => (session(framing), source, destination),
    };
    let age = message.at.map_or(Duration::ZERO, |at| now.saturating_sub(at));
    if let Some(peer) = message.peer {
        listed.peer = address_bytes(peer);
    }
    listed.age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    (listed.origin, listed.source, listed.destination) = (kind, source, destination);
    listed
}

/// A message that came over the wire at `now`; its bytes lie in `frame`.
pub(super) fn message(listed: &ListedMessage<'_>, frame: &Bytes, now: Duration) -> Message {
    let (source, destination) = (listed.source, listed.destination);
    let origin = match listed.origin {
        OriginKind::DATAGRAM => Origin::Datagram { source, destination },
        OriginKind::SESSION_139 => Origin::Session { framing: Framing::Session, source, destination },
        OriginKind::SESSION_445 => Origin::Session { framing: Framing::Direct, source, destination },
        _ => Origin::Local,
    };
    let at = (origin != Origin::Local).then(|| now.saturating_sub(Duration::from_nanos(listed.age)));
    let peer = (listed.peer != [0; 6]).then(|| address(listed.peer));
    let truncated = listed.flags.contains(MessageFlags::TRUNCATED);
    // An empty slice may lie anywhere.
    let data = if listed.data.is_empty() { Bytes::new() } else { frame.slice_ref(listed.data) };
    Message { data, origin, at, peer, truncated }
}

pub(super) fn info_body(info: &Info) -> Body<'static> {
    Body::Info {
        max_message_size: info.max_message_size,
        next_size: info.next_size.map_or(NO_MESSAGE, number),
        message_count: number(info.message_count),
        read_timeout: info.read_timeout.as_millis(),
    }
}

pub(super) fn info(max_message_size: u32, next_size: u32, message_count: u32, read_timeout: u32) -> Info {
    Info {
        max_message_size,
        next_size: (next_size != NO_MESSAGE).then(|| size(next_size.into())),
        message_count: size(message_count.into()),
        read_timeout: ReadTimeout::from_millis(read_timeout),
    }
}

pub(super) const fn counters(stats: &Stats) -> [u64; 14] {
    let drops = &stats.drops;
    [
        stats.accepted,
        stats.accepted_bytes,
        stats.read,
        stats.read_bytes,
        stats.truncated,
        drops.no_slot,
        drops.over_max_message_size,
        drops.queue_messages,
        drops.queue_bytes,
        drops.session_not_supported,
        drops.write_after_close,
        drops.unread_at_close,
        drops.owner_bytes,
        drops.total_bytes,
    ]
}

pub(super) const fn stats(counters: [u64; 14]) -> Stats {
    let [accepted, accepted_bytes, read, read_bytes, truncated, drops @ ..] = counters;
    let [
        no_slot,
        over_max_message_size,
        queue_messages,
        queue_bytes,
        session_not_supported,
        write_after_close,
        unread_at_close,
        owner_bytes,
        total_bytes,
    ] = drops;
    let drops = DropCounts {
        no_slot,
        over_max_message_size,
        queue_messages,
        queue_bytes,
        owner_bytes,
        total_bytes,
        session_not_supported,
        write_after_close,
        unread_at_close,
    };
    Stats { accepted, accepted_bytes, read, read_bytes, truncated, drops }
}

/// What became of a write.
pub(super) fn sent(
    way: WireWay,
    truncated: bool,
    local: bool,
    bytes: u32,
    destination: [u8; 16],
    addresses: &[u8],
) -> Sent {
    let way = match way {
        WireWay::UNIQUE => Way::Unique,
        WireWay::GROUP => Way::Group,
        WireWay::SESSION_139 => Way::Session139,
        WireWay::SESSION_445 => Way::Session445,
        _ => Way::Local,
    };
    let addresses = addresses.chunks_exact(6).filter_map(|bytes| bytes.first_chunk::<6>());
    let addresses = addresses.map(|bytes| address(*bytes));
    Sent {
        way,
        destination: (destination != [0; 16]).then(|| NetbiosName::from_bytes(destination)),
        addresses: addresses.collect(),
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        truncated,
        local,
    }
}
