//! Name service packets: the key `nbns`.

use mailslot::wire::Encode;
use mailslot::wire::nbns::{
    AddrEntry, NameEntry, NmFlags, NodeStatus, NodeType, Packet, Question, Rcode, Rdata, ResourceRecord,
};

use crate::json::Json;

pub(super) fn write(json: &mut Json<'_>, packet: &Packet<'_>) {
    let flags = packet.header().flags;
    json.raw(",\"nbns\":{\"kind\":");
    json.string(packet.kind().name());
    json.field(",\"name_trn_id\":", packet.header().name_trn_id);
    json.field(",\"flags\":", flags.0);
    json.boolean(",\"response\":", flags.is_response());
    json.raw(",\"opcode\":");
    json.string(&flags.opcode().to_string());
    json.raw(",\"nm_flags\":[");
    json.list(nm_flags(flags.nm_flags()), |json, name| json.string(name));
    json.raw("],\"rcode\":");
    json.string(&rcode(flags.rcode()));
    let counts = packet.counts();
    json.field(",\"qdcount\":", counts.qdcount);
    json.field(",\"ancount\":", counts.ancount);
    json.field(",\"nscount\":", counts.nscount);
    json.field(",\"arcount\":", counts.arcount);
    if let Some(asked) = packet.question() {
        question(json, asked);
    }
    for (key, part) in [
        (",\"answer\":", packet.answer()),
        (",\"authority\":", packet.authority()),
        (",\"additional\":", packet.additional()),
    ] {
        if let Some(part) = part {
            json.raw(key);
            record(json, part);
        }
    }
    if !packet.trailing().is_empty() {
        json.raw(",\"trailing\":");
        json.hex(packet.trailing());
    }
    json.raw("}");
}

fn nm_flags(flags: NmFlags) -> impl Iterator<Item = &'static str> {
    flags.iter_names().map(|(name, _)| name)
}

/// The code's name in RFC 1002, or its number.
pub(crate) fn rcode(rcode: Rcode) -> String {
    rcode.name().map_or_else(|| format!("0x{:x}", rcode.0), str::to_owned)
}

/// The node's letter.
pub(crate) const fn node_type(node_type: NodeType) -> &'static str {
    match node_type {
        NodeType::B => "b",
        NodeType::P => "p",
        NodeType::M => "m",
        NodeType::H => "h",
    }
}

fn question(json: &mut Json<'_>, question: &Question<'_>) {
    json.raw(",\"question\":{\"question_name\":");
    json.scoped_name(question.name().name());
    json.raw(",\"question_type\":");
    json.string(&question.question_type().to_string());
    json.field(",\"question_class\":", question.question_class().0);
    json.raw("}");
}

fn record(json: &mut Json<'_>, record: &ResourceRecord<'_>) {
    json.raw("{\"rr_name\":");
    json.scoped_name(record.name().name());
    json.raw(",\"rr_type\":");
    json.string(&record.rr_type().to_string());
    json.field(",\"rr_class\":", record.rr_class().0);
    json.field(",\"ttl\":", record.ttl());
    json.field(",\"rdlength\":", record.rdata().encoded_len());
    match record.rdata() {
        Rdata::Nb(entries) => {
            json.raw(",\"addr_entries\":[");
            json.list(entries.iter(), addr_entry);
            json.raw("]");
        }
        Rdata::NodeStatus(status) => node_status(json, status),
        Rdata::Null => {}
        Rdata::A(address) => {
            json.raw(",\"address\":\"");
            json.ip(*address);
            json.raw("\"");
        }
        Rdata::Ns(name) => {
            json.raw(",\"name\":");
            json.scoped_name(name.name());
        }
        Rdata::Wack(flags) => json.field(",\"request_flags\":", flags.0),
        Rdata::Other(bytes) => {
            json.raw(",\"rdata\":");
            json.hex(bytes);
        }
        _ => {}
    }
    json.raw("}");
}

fn addr_entry(json: &mut Json<'_>, entry: AddrEntry) {
    json.field("{\"nb_flags\":", entry.flags.bits());
    json.boolean(",\"group\":", entry.flags.contains(mailslot::wire::nbns::NbFlags::GROUP));
    json.raw(",\"node_type\":");
    json.string(node_type(entry.flags.node_type()));
    json.raw(",\"nb_address\":\"");
    json.ip(entry.address);
    json.raw("\"}");
}

fn node_status(json: &mut Json<'_>, status: &NodeStatus<'_>) {
    json.field(",\"num_names\":", status.num_names());
    json.raw(",\"names\":[");
    json.list(status.names(), name_entry);
    json.raw("]");
    if let Some(unit_id) = status.unit_id() {
        json.raw(",\"unit_id\":");
        json.hex(&unit_id);
    }
    json.raw(",\"statistics\":");
    json.hex(status.statistics_bytes());
}

fn name_entry(json: &mut Json<'_>, entry: NameEntry) {
    json.raw("{\"name\":");
    json.scoped_name(&entry.name.into());
    json.field(",\"name_flags\":", entry.flags.bits());
    json.raw(",\"node_type\":");
    json.string(node_type(entry.flags.node_type()));
    json.raw(",\"name_flag_names\":[");
    json.list(entry.flags.iter_names(), |json, (name, _)| json.word(name));
    json.raw("]}");
}
