//! The name service (RFC 1002 §4.2, MS-NBTE 2.2).

use super::fields::Fields;
use super::text;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::name::PacketName;
use crate::wire::nbns::{
    AddrEntry, Flags, NameFlags, NbFlags, NmFlags, NodeType, Packet, RrClass, RrType, Statistics,
};

/// Length of a name and its flags in a node status, in bytes.
const NAME_LEN: usize = 18;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Nbns,
        |bytes| Packet::decode(bytes).err(),
        |f| {
            // All four counts are shown, and names even if what they point at is damaged.
            f.reads_past(&[
                "qdcount",
                "ancount",
                "nscount",
                "arcount",
                "question_name",
                "rr_name",
                "rdlength",
            ]);
            let packet = Packet::decode(f.peek()).ok();
            if let Some(packet) = &packet {
                f.title(packet.kind().name());
            }
            f.hex_u16_be("name_trn_id");
            let flags = flags(f, "flags");
            let question = f.u16_be("qdcount") > 0;
            let answer = f.u16_be("ancount") > 0;
            let authority = f.u16_be("nscount") > 0;
            let additional = f.u16_be("arcount") > 0;
            if f.is_damaged() {
                return f.stop();
            }
            if question {
                f.group("question", |f| {
                    f.name_in_packet("question_name");
                    rr_type(f, "question_type");
                    rr_class(f, "question_class");
                });
            }
            // WINS says that there is no record in its negative answers, and writes one.
            let uncounted = packet.is_some_and(|packet| packet.is_uncounted());
            for (there, name) in
                [(answer || uncounted, "answer"), (authority, "authority"), (additional, "additional")]
            {
                if there {
                    f.group(name, |f| record(f, flags));
                    f.mean((uncounted && name == "answer").then_some("not counted"));
                }
                if f.is_damaged() {
                    return f.stop();
                }
            }
        },
    );
}

fn flags(f: &mut Fields<'_>, field: &'static str) -> Flags {
    let flags = Flags(f.hex_u16_be(field));
    f.mean(Some(if flags.is_response() { "response" } else { "request" }));
    let opcode = flags.opcode();
    f.part("opcode", 0..1, format!("0x{:x}", opcode.0), opcode.name());
    let nm_flags = flags.nm_flags();
    for (name, flag) in nm_flags.iter_names() {
        f.part(name, 0..2, format!("0x{:x}", flag.bits()), nm_flag(flag));
    }
    let rcode = flags.rcode();
    if flags.is_response() || rcode.0 != 0 {
        f.part("rcode", 1..2, format!("0x{:x}", rcode.0), rcode.meaning());
    }
    flags
}

const fn nm_flag(flag: NmFlags) -> Option<&'static str> {
    Some(match flag {
        NmFlags::AA => "authoritative answer",
        NmFlags::TC => "truncated",
        NmFlags::RD => "recursion desired",
        NmFlags::RA => "recursion available",
        NmFlags::B => "broadcast",
        _ => return None,
    })
}

fn rr_type(f: &mut Fields<'_>, field: &'static str) -> RrType {
    let rr_type = RrType(f.hex_u16_be(field));
    f.mean(rr_type.name());
    rr_type
}

fn rr_class(f: &mut Fields<'_>, field: &'static str) {
    let class = RrClass(f.hex_u16_be(field));
    f.mean((class == RrClass::IN).then_some("Internet"));
}

fn record(f: &mut Fields<'_>, flags: Flags) {
    f.name_in_packet("rr_name");
    let rr_type = rr_type(f, "rr_type");
    rr_class(f, "rr_class");
    let ttl = f.u32_be("ttl");
    let wack = flags.is_wack();
    f.mean(Some(match ttl {
        0 if wack => "s".to_owned(),
        0 => "for ever".to_owned(),
        ttl => text::seconds_of(ttl),
    }));
    let length = f.u16_be("rdlength").into();
    f.within(length, |f| match (rr_type, length) {
        (RrType::NB | RrType::NULL, 2) if wack => {
            self::flags(f, "request_flags");
        }
        (RrType::NB, _) => {
            while f.left() >= AddrEntry::LEN && f.more() {
                f.group("addr_entry", |f| {
                    let flags = NbFlags::from_bits_retain(f.hex_u16_be("nb_flags"));
                    f.mean(Some(owner(flags.contains(NbFlags::GROUP), flags.node_type())));
                    f.flags_of(&flags);
                    f.ipv4("nb_address");
                });
            }
        }
        (RrType::NBSTAT, _) => node_status(f),
        (RrType::A, 4) => {
            f.ipv4("nsd_ip_addr");
        }
        (RrType::NS, _) if f.names_end_here() => f.name_in_packet("nsd_name"),
        _ => f.rest("rdata"),
    });
}

fn node_status(f: &mut Fields<'_>) {
    let count = f.u8("num_names");
    for _ in 0..count {
        if f.left() < NAME_LEN {
            f.rest("name");
            f.mean(Some("the list ends before its last name"));
            return;
        }
        f.group("node_name", |f| {
            f.name_bytes("name");
            let flags = NameFlags::from_bits_retain(f.hex_u16_be("name_flags"));
            f.mean(Some(owner(flags.contains(NameFlags::GROUP), flags.node_type())));
            f.flags_of(&flags);
        });
    }
    if f.left() == 0 {
        return;
    }
    f.group("statistics", |f| {
        if f.left() < 6 {
            return f.rest("unit_id");
        }
        unit_id(f);
        if f.left().saturating_add(6) < Statistics::LEN {
            return f.rest("counters");
        }
        for &(field, length) in Statistics::FIELDS {
            match length {
                1 => _ = f.u8(field),
                2 => _ = f.u16_be(field),
                _ => _ = f.u32_be(field),
            }
        }
    });
}

fn unit_id(f: &mut Fields<'_>) {
    let bytes = f.bytes("unit_id", 6);
    f.show(|| text::hex(bytes, ":"));
}

fn owner(group: bool, node_type: NodeType) -> String {
    let node = match node_type {
        NodeType::B => "B node",
        NodeType::P => "P node",
        NodeType::M => "M node",
        NodeType::H => "H node",
    };
    format!("{} name, {node}", if group { "group" } else { "unique" })
}

impl Fields<'_> {
    /// Whether the bytes that are left are one name.
    fn names_end_here(&self) -> bool {
        let end = self.offset().saturating_add(self.left());
        let mut at = self.offset();
        let packet = self.slice(0, end).unwrap_or_default();
        PacketName::read(packet, &mut at, "rdata").is_ok() && at == end
    }
}
