//! The bodies of frames as bytes, and back.

use bytes::BufMut;

use super::fields::{self, Admittance, AnswerOrigin, AskTarget, Failure, Role, TargetKind, Way};
use super::lists::{Interfaces, Messages, Names, NodeNames, Slots};
use super::{Body, HEADER, MAGIC, MAX_DATA, MAX_FRAME, MAX_TEXT};
use crate::wire::error::{DecodeErrorKind, ValueError};
use crate::wire::read::{self, Parsed};

impl<'a> Body<'a> {
    pub(super) const fn kind(&self) -> u8 {
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
            Self::GetHandle => 0x12,
            Self::GetNames => 0x13,
            Self::GetInterfaces => 0x14,
            Self::Resolve { .. } => 0x15,
            Self::GetStatus { .. } => 0x16,
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
            Self::Names(_) => 0x8d,
            Self::Interfaces(_) => 0x8e,
            Self::Resolved { .. } => 0x8f,
            Self::Status { .. } => 0x90,
            Self::Failed(_) => 0xff,
            Self::Other { kind, .. } => *kind,
        }
    }

    pub(super) fn read(kind: u8, input: &'a [u8]) -> Parsed<'a, Self> {
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
            0x12 => (input, Self::GetHandle),
            0x13 => (input, Self::GetNames),
            0x14 => (input, Self::GetInterfaces),
            0x15 => {
                let (input, target) = read::u8("target", input)?;
                let (input, address) = read::array("address", input)?;
                let (input, name) = read::array("name", input)?;
                (input, Self::Resolve { target: AskTarget(target), address, name })
            }
            0x16 => {
                let (input, address) = read::array("address", input)?;
                (input, Self::GetStatus { address })
            }
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
                let (input, addresses) = fields::sockets(input)?;
                (input, Self::Sent { way: Way(way), truncated, local, bytes, destination, addresses })
            }
            0x8d => Names::read(input).map(|(rest, list)| (rest, Self::Names(list)))?,
            0x8e => Interfaces::read(input).map(|(rest, list)| (rest, Self::Interfaces(list)))?,
            0x8f => {
                let (input, group) = fields::flag("group", input)?;
                let (input, origin) = read::u8("origin", input)?;
                let (input, by) = read::array("by", input)?;
                let (input, name) = read::array("name", input)?;
                let (input, addresses) = fields::addresses(input)?;
                (input, Self::Resolved { group, origin: AnswerOrigin(origin), by, name, addresses })
            }
            0x90 => {
                let (input, peer) = read::array("peer", input)?;
                let (input, partial) = fields::flag("partial", input)?;
                let (input, unit_id) = fields::unit_id(input)?;
                let (input, names) = NodeNames::read(input)?;
                (input, Self::Status { peer, partial, unit_id, names })
            }
            0xff => Failure::read(input).map(|(rest, failure)| (rest, Self::Failed(failure)))?,
            kind => (&[], Self::Other { kind, bytes: input }),
        })
    }

    pub(super) fn check(&self) -> Result<(), ValueError> {
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
            Self::Sent { addresses, .. } => fields::check_sockets(addresses),
            Self::Resolved { addresses, .. } => fields::check_addresses(addresses),
            Self::Flushed { first: failure, .. } | Self::Failed(failure) => {
                fields::check("text", failure.text.len(), MAX_TEXT)
            }
            Self::Other { kind, bytes } => {
                fields::check("bytes", bytes.len(), MAX_FRAME - HEADER)?;
                fields::check_other(
                    matches!(kind, 0x01..=0x10 | 0x12..=0x16 | 0x81..=0x8b | 0x8d..=0x90 | 0xff),
                )
            }
            _ => Ok(()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Hello { .. } => 6,
            Self::Create { name, .. } => 17 + 2 + name.len(),
            Self::Open { name, .. } => 12 + 2 + name.len(),
            Self::Attach { token } | Self::Duplicated { token } => token.len(),
            Self::Read { .. } => 13,
            Self::Cancel { .. } => 5,
            Self::Write { data } | Self::Post { data } => 4 + data.len(),
            Self::Flush
            | Self::GetInfo
            | Self::GetStats
            | Self::GetHandle
            | Self::GetNames
            | Self::GetInterfaces
            | Self::Done => 0,
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
            Self::Interfaces(list) => list.len(),
            Self::Resolve { .. } => 1 + 4 + 16,
            Self::GetStatus { address } => address.len(),
            Self::Resolved { addresses, .. } => 2 + 4 + 16 + 2 + addresses.len(),
            Self::Status { names, .. } => 6 + 1 + 7 + names.len(),
            Self::Failed(failure) => failure.len(),
            Self::Other { bytes, .. } => bytes.len(),
        }
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
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
            Self::Flush
            | Self::GetInfo
            | Self::GetStats
            | Self::GetHandle
            | Self::GetNames
            | Self::GetInterfaces
            | Self::Done => {}
            Self::Resolve { target, address, name } => {
                out.put_u8(target.0);
                out.put_slice(address);
                out.put_slice(name);
            }
            Self::GetStatus { address } => out.put_slice(address),
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
                fields::put_sockets(out, addresses);
            }
            Self::Names(list) => list.write(out),
            Self::Interfaces(list) => list.write(out),
            Self::Resolved { group, origin, by, name, addresses } => {
                out.put_slice(&[u8::from(*group), origin.0]);
                out.put_slice(by);
                out.put_slice(name);
                fields::put_addresses(out, addresses);
            }
            Self::Status { peer, partial, unit_id, names } => {
                out.put_slice(peer);
                out.put_u8(u8::from(*partial));
                fields::put_unit_id(out, *unit_id);
                names.write(out);
            }
            Self::Failed(failure) => failure.write(out),
            Self::Other { bytes, .. } => out.put_slice(bytes),
        }
    }
}
