//! The session service (RFC 1002 §4.3), and the messages of port 445.

use super::fields::Fields;
use super::session;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::nbss::{NegativeCode, Packet, PacketType};
use crate::wire::smb::Protocol;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Nbss,
        |bytes| Packet::decode(bytes).err(),
        |f| {
            // A packet that was cut still has its beginning.
            f.reads_past(&["length"]);
            let packet_type = PacketType(f.hex_u8("type"));
            f.title(&packet_type.to_string());
            f.mean(packet_type.name());
            let flags = f.hex_u8("flags");
            let length = f.u16_be("length");
            let length = usize::from(flags) << 16 | usize::from(length);
            f.mean((flags > 0).then(|| format!("{length} with the flag")));
            f.within(length, |f| match packet_type {
                PacketType::MESSAGE => message(f),
                PacketType::REQUEST => {
                    f.name("called_name");
                    f.name("calling_name");
                }
                PacketType::NEGATIVE_RESPONSE => {
                    let code = NegativeCode(f.hex_u8("error_code"));
                    f.mean(code.meaning());
                }
                PacketType::RETARGET_RESPONSE => {
                    f.ipv4("retarget_ip_address");
                    f.u16_be("port");
                }
                _ => {}
            });
        },
    );
}

fn message(f: &mut Fields<'_>) {
    match Protocol::of(f.peek()) {
        Some(Protocol::Smb1) => session::fields(f),
        other => {
            f.rest("message");
            f.mean(other.map(|protocol| match protocol {
                Protocol::Smb2 => "SMB2",
                _ => "encrypted SMB3",
            }));
        }
    }
}
