//! The datagram service (RFC 1002 §4.4).

use super::fields::Fields;
use super::smb;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::nbdgm::{Datagram, ErrorCode, Flags, MsgType};

/// Length of the header that an odd DGM_LENGTH counts, in bytes.
const HEADER_LEN: usize = 14;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Nbdgm,
        |bytes| Datagram::decode(bytes).err(),
        |f| {
            // A datagram that was cut, or says a wrong length, still has names and the beginning of its data.
            f.reads_past(&["dgm_length"]);
            let msg_type = MsgType(f.hex_u8("msg_type"));
            f.mean(msg_type.name());
            let flags = Flags::from_bits_retain(f.hex_u8("flags"));
            f.mean(Some(node_type(flags)));
            f.flags_of(&flags);
            f.u16_be("dgm_id");
            f.ipv4("source_ip");
            f.u16_be("source_port");
            match msg_type {
                MsgType::DIRECT_UNIQUE | MsgType::DIRECT_GROUP | MsgType::BROADCAST => direct(f, flags),
                MsgType::ERROR => {
                    let code = ErrorCode(f.hex_u8("error_code"));
                    f.mean(code.meaning());
                }
                MsgType::QUERY_REQUEST
                | MsgType::POSITIVE_QUERY_RESPONSE
                | MsgType::NEGATIVE_QUERY_RESPONSE => f.name("destination_name"),
                _ => f.stop(),
            }
        },
    );
}

fn direct(f: &mut Fields<'_>, flags: Flags) {
    let length = usize::from(f.u16_be("dgm_length"));
    // PACKET_OFFSET is not counted.
    let counted = f.left().saturating_sub(2);
    if length == counted.saturating_add(HEADER_LEN) {
        f.mean(Some("counts the header too"));
    }
    let offset = f.u16_be("packet_offset");
    f.within(length, |f| {
        if offset == 0 {
            f.name("source_name");
            f.name("destination_name");
            if flags.contains(Flags::MORE) {
                f.rest("user_data");
                f.mean(Some("the first fragment"));
            } else {
                user_data(f);
            }
        } else {
            f.rest("user_data");
            f.mean(Some(format!("a fragment that belongs at {offset}")));
        }
    });
}

/// The user data of a whole datagram.
pub(super) fn user_data(f: &mut Fields<'_>) {
    const SIGNATURE: &[u8] = b"\xffSMB";
    // As `decode` does: what begins like an SMB is to be one.
    let data = f.peek();
    let start = data.get(..SIGNATURE.len()).unwrap_or(data);
    if !start.is_empty() && SIGNATURE.starts_with(start) {
        smb::fields(f);
    } else {
        f.rest("user_data");
    }
}

/// SNT: two bits, one number.
const fn node_type(flags: Flags) -> &'static str {
    match (flags.contains(Flags::M_NODE), flags.contains(Flags::P_NODE)) {
        (false, false) => "B node",
        (false, true) => "P node",
        (true, false) => "M node",
        (true, true) => "H node or distribution server",
    }
}
