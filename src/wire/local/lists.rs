//! Answers that are lists: messages, slots, NetBIOS names, interfaces. A list is checked when it is decoded and read on demand.

use bytes::{BufMut, BytesMut};

use super::fields::{self, Admittance, NameState, RefusedBy};
use super::{MAX_DATA, MAX_FRAME, MAX_NAME, MAX_TEXT};
use crate::wire::error::{DecodeErrorKind, ValueError};
use crate::wire::read::{self, Parsed};

bitflags::bitflags! {
    /// What else there is to say about a message.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct MessageFlags: u8 {
        /// The receiver cut it.
        const TRUNCATED = 1;

        const _ = !0;
    }
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginKind(pub u8);

impl OriginKind {
    /// From nowhere: there was none.
    pub const NONE: Self = Self(0);
    /// A writer on this machine.
    pub const LOCAL: Self = Self(1);
    /// A NetBIOS datagram.
    pub const DATAGRAM: Self = Self(2);
    /// An SMB session by the rules of port 139.
    pub const SESSION_139: Self = Self(3);
    /// An SMB session by the rules of port 445.
    pub const SESSION_445: Self = Self(4);
}

macro_rules! lists {
    ($(#[$doc:meta] $list:ident of $item:ident;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $list<'a> {
            count: u32,
            bytes: &'a [u8],
        }

        impl<'a> $list<'a> {
            /// How many there are.
            pub const fn count(&self) -> u32 {
                self.count
            }

            /// One after another.
            pub fn iter(&self) -> impl Iterator<Item = $item<'a>> + use<'a> {
                let mut rest = self.bytes;
                core::iter::from_fn(move || {
                    let (after, item) = $item::read(rest).ok()?;
                    rest = after;
                    Some(item)
                })
            }

            pub(super) fn read(input: &'a [u8]) -> Parsed<'a, Self> {
                let (bytes, count) = read::u32_le("count", input)?;
                let mut rest = bytes;
                let mut have = 0_u32;
                while !rest.is_empty() {
                    (rest, _) = $item::read(rest)?;
                    have = have.saturating_add(1);
                }
                if have != count {
                    let kind = DecodeErrorKind::BadValue { value: count, expected: "the number of items" };
                    return read::fail(input, "count", kind);
                }
                Ok((rest, Self { count, bytes }))
            }

            pub(super) const fn len(&self) -> usize {
                4 + self.bytes.len()
            }

            pub(super) fn write(&self, out: &mut impl BufMut) {
                out.put_u32_le(self.count);
                out.put_slice(self.bytes);
            }
        }
    )*};
}

lists! {
    /// Messages, oldest first.
    Messages of ListedMessage;
    /// Slots.
    Slots of ListedSlot;
    /// NetBIOS names of the node.
    Names of ListedName;
    /// Interfaces of the node.
    Interfaces of ListedInterface;
    /// NetBIOS names of another computer.
    NodeNames of ListedNodeName;
}

/// A message that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedMessage<'a> {
    /// Where it came from: [`OriginKind::LOCAL`], or one from the network.
    pub origin: OriginKind,
    /// What else there is to say.
    pub flags: MessageFlags,
    /// How long ago it came from the network, in nanoseconds; 0 for a local one.
    pub age: u64,
    /// The network address it came from, IPv4 and port, in network order; zeros if it is not known.
    pub peer: [u8; 6],
    /// The sender's name, in wire form; zeros for a local one.
    pub source: [u8; 16],
    /// The name it was sent to, in wire form; zeros for a local one.
    pub destination: [u8; 16],
    /// What was written.
    pub data: &'a [u8],
}

impl<'a> ListedMessage<'a> {
    /// A message of a writer on this machine.
    pub const fn local(data: &'a [u8]) -> Self {
        let (origin, flags) = (OriginKind::LOCAL, MessageFlags::empty());
        Self { origin, flags, age: 0, peer: [0; 6], source: [0; 16], destination: [0; 16], data }
    }

    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (at, origin) = read::u8("origin", input)?;
        let (mut at, flags) = read::u8("flags", at)?;
        let (mut age, mut peer, mut source, mut destination) = (0, [0; 6], [0; 16], [0; 16]);
        match OriginKind(origin) {
            OriginKind::LOCAL => {}
            OriginKind::DATAGRAM | OriginKind::SESSION_139 | OriginKind::SESSION_445 => {
                (at, age) = fields::u64_le("age", at)?;
                (at, peer) = read::array("peer", at)?;
                (at, source) = read::array("source", at)?;
                (at, destination) = read::array("destination", at)?;
            }
            OriginKind(value) => {
                let kind = DecodeErrorKind::BadValue { value: value.into(), expected: "1 to 4" };
                return read::fail(input, "origin", kind);
            }
        }
        let (rest, data) = fields::data(at)?;
        let flags = MessageFlags::from_bits_retain(flags);
        Ok((rest, Self { origin: OriginKind(origin), flags, age, peer, source, destination, data }))
    }

    /// Bytes that it takes in a list.
    pub const fn len(&self) -> usize {
        let names = if self.origin.0 == OriginKind::LOCAL.0 { 0 } else { 46 };
        2 + names + 4 + self.data.len()
    }

    /// Whether the message is empty; its place in a list never is.
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// Collects messages for one answer, up to what a frame holds.
#[derive(Debug, Default)]
pub struct MessagesBuilder {
    count: u32,
    bytes: BytesMut,
}

impl MessagesBuilder {
    /// Adds a message.
    ///
    /// # Errors
    /// One of a kind that no message has, or too long for what is left.
    pub fn push(&mut self, message: &ListedMessage<'_>) -> Result<(), ValueError> {
        fields::check("data", message.data.len(), MAX_DATA)?;
        fields::check("messages", self.bytes.len() + message.len(), MAX_FRAME - 64)?;
        fields::check_origin(matches!(message.origin.0, 1..=4))?;
        let out = &mut self.bytes;
        out.put_slice(&[message.origin.0, message.flags.bits()]);
        if message.origin != OriginKind::LOCAL {
            out.put_u64_le(message.age);
            out.put_slice(&message.peer);
            out.put_slice(&message.source);
            out.put_slice(&message.destination);
        }
        fields::put_data(out, message.data);
        self.count += 1;
        Ok(())
    }

    /// How many there are.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The list.
    pub fn list(&self) -> Messages<'_> {
        Messages { count: self.count, bytes: &self.bytes }
    }

    /// Forgets them, keeping the memory.
    pub fn clear(&mut self) {
        self.count = 0;
        self.bytes.clear();
    }
}

/// A slot, as anyone on the machine sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedSlot<'a> {
    /// The name, in UTF-16.
    pub name: &'a [u8],
    /// The user who owns it, by number.
    pub owner: u32,
    /// The process that created it.
    pub pid: u32,
    /// Who may write to it.
    pub admittance: Admittance,
    /// Largest message, in bytes; 0 for any.
    pub max_message_size: u32,
    /// How long reads wait, in milliseconds.
    pub read_timeout: u32,
    /// Bytes of the oldest message; [`super::NO_MESSAGE`] if there is none.
    pub next_size: u32,
    /// Messages in the queue.
    pub message_count: u32,
    /// Server handles.
    pub servers: u32,
    /// Messages that were queued since the slot was created.
    pub accepted: u64,
    /// Messages that were read.
    pub read: u64,
    /// Messages that were lost.
    pub dropped: u64,
    /// Where the last message came from.
    pub last_origin: OriginKind,
    /// Its sender's name, in wire form, if it came from the network.
    pub last_source: [u8; 16],
    /// The user who wrote it, by number, if it is local.
    pub last_user: u32,
    /// The process that wrote it, if it is local.
    pub last_pid: u32,
}

impl<'a> ListedSlot<'a> {
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, name) = fields::name("name", input)?;
        let (input, owner) = read::u32_le("owner", input)?;
        let (input, pid) = read::u32_le("pid", input)?;
        let (input, admittance) = Admittance::read(input)?;
        let (input, max_message_size) = read::u32_le("max_message_size", input)?;
        let (input, read_timeout) = read::u32_le("read_timeout", input)?;
        let (input, next_size) = read::u32_le("next_size", input)?;
        let (input, message_count) = read::u32_le("message_count", input)?;
        let (input, servers) = read::u32_le("servers", input)?;
        let (input, accepted) = fields::u64_le("accepted", input)?;
        let (input, read) = fields::u64_le("read", input)?;
        let (input, dropped) = fields::u64_le("dropped", input)?;
        let (input, last_origin) = read::u8("last_origin", input)?;
        let (input, last_source) = read::array("last_source", input)?;
        let (input, last_user) = read::u32_le("last_user", input)?;
        let (input, last_pid) = read::u32_le("last_pid", input)?;
        let slot = Self {
            name,
            owner,
            pid,
            admittance,
            max_message_size,
            read_timeout,
            next_size,
            message_count,
            servers,
            accepted,
            read,
            dropped,
            last_origin: OriginKind(last_origin),
            last_source,
            last_user,
            last_pid,
        };
        Ok((input, slot))
    }

    fn write(&self, out: &mut impl BufMut) {
        fields::put_name(out, self.name);
        fields::put_u32s(out, &[self.owner, self.pid]);
        self.admittance.write(out);
        fields::put_u32s(out, &[self.max_message_size, self.read_timeout]);
        fields::put_u32s(out, &[self.next_size, self.message_count, self.servers]);
        [self.accepted, self.read, self.dropped].into_iter().for_each(|count| out.put_u64_le(count));
        out.put_u8(self.last_origin.0);
        out.put_slice(&self.last_source);
        fields::put_u32s(out, &[self.last_user, self.last_pid]);
    }
}

/// A NetBIOS name of the node on one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedName<'a> {
    /// The name, in wire form.
    pub name: &'a [u8; 16],
    /// The node's address on the interface, in network order.
    pub address: [u8; 4],
    /// Whether it is a group's.
    pub group: bool,
    /// How far it is.
    pub state: NameState,
    /// Who keeps it from the node.
    pub refused_by: RefusedBy,
    /// Where they are, in network order; zeros if it is nobody.
    pub refuser: [u8; 4],
    /// The RCODE of the name server's answer; 0 if it is none.
    pub rcode: u8,
}

impl<'a> ListedName<'a> {
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, name) = name16(input)?;
        let (input, address) = read::array("address", input)?;
        let (input, group) = fields::flag("group", input)?;
        let (input, state) = read::u8("state", input)?;
        let (input, refused_by) = read::u8("refused_by", input)?;
        let (input, refuser) = read::array("refuser", input)?;
        let (input, rcode) = read::u8("rcode", input)?;
        let (state, refused_by) = (NameState(state), RefusedBy(refused_by));
        Ok((input, Self { name, address, group, state, refused_by, refuser, rcode }))
    }
}

/// An interface of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedInterface<'a> {
    /// The operating system's name for it, at most [`MAX_TEXT`] bytes.
    pub name: &'a [u8],
    /// The operating system's number for it.
    pub index: u32,
    /// The node's address on it, in network order.
    pub address: [u8; 4],
    /// How many bits of the address are the network's.
    pub prefix: u8,
    /// The broadcast address, in network order.
    pub broadcast: [u8; 4],
}

impl<'a> ListedInterface<'a> {
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, name) = fields::text("name", input)?;
        let (input, index) = read::u32_le("index", input)?;
        let (input, address) = read::array("address", input)?;
        let (input, prefix) = read::u8("prefix", input)?;
        let (input, broadcast) = read::array("broadcast", input)?;
        Ok((input, Self { name, index, address, prefix, broadcast }))
    }
}

/// A NetBIOS name of another computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedNodeName<'a> {
    /// The name, in wire form.
    pub name: &'a [u8; 16],
    /// NAME_FLAGS (RFC 1002 §4.2.18).
    pub flags: u16,
}

impl<'a> ListedNodeName<'a> {
    fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, name) = name16(input)?;
        let (input, flags) = read::u16_le("flags", input)?;
        Ok((input, Self { name, flags }))
    }
}

fn name16(input: &[u8]) -> Parsed<'_, &[u8; 16]> {
    match input.split_first_chunk::<16>() {
        Some((name, rest)) => Ok((rest, name)),
        None => read::fail(input, "name", DecodeErrorKind::Truncated { needed: 16, have: input.len() }),
    }
}

/// Writes as many of `slots` into `out` as an answer may hold, at least one, and gives the list.
///
/// # Errors
/// A name that is no name.
pub fn slots_list<'b>(
    slots: &[ListedSlot<'_>],
    most_bytes: usize,
    out: &'b mut Vec<u8>,
) -> Result<Slots<'b>, ValueError> {
    out.clear();
    let mut count = 0;
    for slot in slots {
        fields::check_name(slot.name)?;
        if count > 0 && out.len() + slot.name.len() > most_bytes.min(MAX_FRAME - 2 * MAX_NAME) {
            break;
        }
        slot.write(out);
        count += 1;
    }
    Ok(Slots { count, bytes: out })
}

/// Writes `names` into `out` and gives the list.
///
/// # Errors
/// More names than an answer holds.
pub fn names_list<'b>(names: &[ListedName<'_>], out: &'b mut Vec<u8>) -> Result<Names<'b>, ValueError> {
    out.clear();
    for own in names {
        out.put_slice(own.name);
        out.put_slice(&own.address);
        out.put_slice(&[u8::from(own.group), own.state.0, own.refused_by.0]);
        out.put_slice(&own.refuser);
        out.put_u8(own.rcode);
    }
    Ok(Names { count: count("names", names.len(), out)?, bytes: out })
}

/// Writes `interfaces` into `out` and gives the list.
///
/// # Errors
/// A name that is too long, or more interfaces than an answer holds.
pub fn interfaces_list<'b>(
    interfaces: &[ListedInterface<'_>],
    out: &'b mut Vec<u8>,
) -> Result<Interfaces<'b>, ValueError> {
    out.clear();
    for interface in interfaces {
        fields::check("name", interface.name.len(), MAX_TEXT)?;
        fields::put_text(out, interface.name);
        out.put_u32_le(interface.index);
        out.put_slice(&interface.address);
        out.put_u8(interface.prefix);
        out.put_slice(&interface.broadcast);
    }
    Ok(Interfaces { count: count("interfaces", interfaces.len(), out)?, bytes: out })
}

/// Writes `names` into `out` and gives the list.
///
/// # Errors
/// More names than an answer holds.
pub fn node_names_list<'b>(
    names: &[ListedNodeName<'_>],
    out: &'b mut Vec<u8>,
) -> Result<NodeNames<'b>, ValueError> {
    out.clear();
    for name in names {
        out.put_slice(name.name);
        out.put_u16_le(name.flags);
    }
    Ok(NodeNames { count: count("names", names.len(), out)?, bytes: out })
}

/// How many items a list has that takes these bytes, if a frame holds it.
fn count(field: &'static str, items: usize, bytes: &[u8]) -> Result<u32, ValueError> {
    fields::check(field, bytes.len(), MAX_FRAME - 64)?;
    // Each takes some bytes, so there are no more of them.
    Ok(u32::try_from(items).unwrap_or(u32::MAX))
}
