//! The name service (RFC 1002 §4.2).

use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::nbns::{Flags, NameFlags, NbFlags, NodeType, Packet, RrType, Statistics};

/// Length of a name and its flags in a node status.
const ENTRY_LEN: usize = 18;
/// Length of NB_FLAGS and an address.
const ADDR_ENTRY_LEN: usize = 6;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Nbns,
        |bytes| Packet::decode(bytes).err(),
        |f| {
            let packet = Packet::decode(f.peek()).ok();
            if let Some(packet) = &packet {
                f.title(packet.kind().name());
            }
            f.hex_u16_be("name_trn_id");
            let flags = flags(f, "flags");
            let counts = ["qdcount", "ancount", "nscount", "arcount"].map(|count| f.u16_be(count));
            let [question, mut answer, authority, additional] = counts.map(|count| count > 0);
            if packet.is_some_and(|packet| packet.is_uncounted()) {
                answer = true;
            }
            if question {
                f.group("question", |f| {
                    f.name_in_packet("question_name");
                    rr_type(f, "question_type");
                    f.u16_be("question_class");
                });
            }
            for (there, part) in [(answer, "answer"), (authority, "authority"), (additional, "additional")] {
                if there {
                    f.group(part, |f| record(f, flags));
                }
            }
        },
    );
}

fn flags(f: &mut Fields<'_>, field: &'static str) -> Flags {
    let flags = Flags(f.hex_u16_be(field));
    let direction = if flags.is_response() { "response" } else { "request" };
    f.mean(Some(format!("{} {direction}", flags.opcode())));
    f.part("response", 0..1, u8::from(flags.is_response()).to_string(), None);
    f.part("opcode", 0..1, flags.opcode().0.to_string(), flags.opcode().name());
    f.flags_of(&flags.nm_flags());
    f.part("rcode", 1..2, flags.rcode().0.to_string(), flags.rcode().meaning());
    flags
}

fn rr_type(f: &mut Fields<'_>, field: &'static str) -> RrType {
    let rr_type = RrType(f.hex_u16_be(field));
    f.mean(rr_type.name());
    rr_type
}

fn record(f: &mut Fields<'_>, packet: Flags) {
    f.name_in_packet("rr_name");
    let rr_type = rr_type(f, "rr_type");
    f.u16_be("rr_class");
    let ttl = f.u32_be("ttl");
    f.mean(Some(if ttl == 0 { "for ever" } else { "s" }));
    let length = usize::from(f.u16_be("rdlength"));
    f.within(length, |f| match (rr_type, length) {
        (RrType::NB | RrType::NULL, 2) if packet.is_wack() => _ = flags(f, "request_flags"),
        (RrType::NB, _) => {
            while f.left() >= ADDR_ENTRY_LEN && f.more() {
                f.group("addr_entry", |f| {
                    let flags = NbFlags::from_bits_retain(f.hex_u16_be("nb_flags"));
                    f.mean(Some(node_type(flags.node_type(), flags.contains(NbFlags::GROUP))));
                    f.flags_of(&flags);
                    f.ipv4("nb_address");
                });
            }
        }
        (RrType::NBSTAT, _) => node_status(f),
        (RrType::A, 4) => _ = f.ipv4("address"),
        _ => f.rest("rdata"),
    });
}

fn node_status(f: &mut Fields<'_>) {
    let names = f.u8("num_names");
    let mut left = usize::from(names);
    while left > 0 && f.left() >= ENTRY_LEN && f.more() {
        left -= 1;
        f.group("node_name", |f| {
            f.raw_name("name");
            let flags = NameFlags::from_bits_retain(f.hex_u16_be("name_flags"));
            f.mean(Some(node_type(flags.node_type(), flags.contains(NameFlags::GROUP))));
            f.flags_of(&flags);
        });
    }
    if left > 0 {
        f.rest("name");
        f.mean(Some(format!("the list ends {left} names early")));
        return;
    }
    if f.left() < Statistics::LEN {
        return f.rest("statistics");
    }
    f.group("statistics", |f| {
        f.bytes("unit_id", 6);
        f.u8("jumpers");
        f.u8("test_result");
        for field in [
            "version_number",
            "period_of_statistics",
            "number_of_crcs",
            "number_alignment_errors",
            "number_of_collisions",
            "number_send_aborts",
        ] {
            f.u16_be(field);
        }
        f.u32_be("number_good_sends");
        f.u32_be("number_good_receives");
        for field in [
            "number_retransmits",
            "number_no_resource_conditions",
            "number_free_command_blocks",
            "total_number_command_blocks",
            "max_total_number_command_blocks",
            "number_pending_sessions",
            "max_number_pending_sessions",
            "max_total_sessions_possible",
            "session_data_packet_size",
        ] {
            f.u16_be(field);
        }
    });
}

const fn node_type(node_type: NodeType, group: bool) -> &'static str {
    match (node_type, group) {
        (NodeType::B, false) => "unique, B node",
        (NodeType::P, false) => "unique, P node",
        (NodeType::M, false) => "unique, M node",
        (NodeType::H, false) => "unique, H node",
        (NodeType::B, true) => "group, B node",
        (NodeType::P, true) => "group, P node",
        (NodeType::M, true) => "group, M node",
        (NodeType::H, true) => "group, H node",
    }
}
