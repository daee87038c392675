//! Name service packets, in a few words.

use std::fmt::Write;

use mailslot::wire::nbns::{NbFlags, NodeStatus, Packet, PacketKind, Rcode, Rdata, ResourceRecord};
use mailslot::wire::oem::CodePage;

use crate::text;

pub(super) fn write(line: &mut String, packet: &Packet<'_>, page: CodePage) {
    let flags = packet.header().flags;
    _ = match packet.kind() {
        PacketKind::Other => {
            let direction = if flags.is_response() { "response" } else { "request" };
            write!(line, " {} {direction}", flags.opcode())
        }
        kind => write!(line, " {kind}"),
    };
    if let Some(name) = packet.name() {
        _ = write!(line, " {}", text::scoped_name(name, page));
    }
    for record in [packet.answer(), packet.authority(), packet.additional()].into_iter().flatten() {
        rdata(line, record, page);
    }
    if flags.rcode() != Rcode::NONE {
        _ = match flags.rcode().meaning() {
            Some(meaning) => write!(line, ": {meaning}"),
            None => write!(line, ": rcode {}", flags.rcode().0),
        };
    }
}

fn rdata(line: &mut String, record: &ResourceRecord<'_>, page: CodePage) {
    match record.rdata() {
        Rdata::Nb(entries) => {
            for entry in entries.iter() {
                let group = if entry.flags.contains(NbFlags::GROUP) { " (group)" } else { "" };
                _ = write!(line, " {}{group}", entry.address);
            }
            _ = write!(line, ", ttl {} s", record.ttl());
        }
        Rdata::NodeStatus(status) => node_status(line, status, page),
        Rdata::A(address) => _ = write!(line, " {address}"),
        Rdata::Ns(name) => _ = write!(line, " {}", text::scoped_name(name.name(), page)),
        Rdata::Wack(_) => _ = write!(line, " {} s", record.ttl()),
        Rdata::Other(bytes) => _ = write!(line, " {} {} bytes", record.rr_type(), bytes.len()),
        _ => {}
    }
}

fn node_status(line: &mut String, status: &NodeStatus<'_>, page: CodePage) {
    for (index, entry) in status.names().enumerate() {
        let group =
            if entry.flags.contains(mailslot::wire::nbns::NameFlags::GROUP) { " (group)" } else { "" };
        let comma = if index == 0 { ':' } else { ',' };
        _ = write!(line, "{comma} {}{group}", text::name(&entry.name, page));
    }
    if let Some([a, b, c, d, e, f]) = status.unit_id() {
        _ = write!(line, ", MAC {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
    }
}
