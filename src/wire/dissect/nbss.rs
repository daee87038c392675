//! The session service and the length prefix of port 445 (RFC 1002 §4.3, MS-SMB 2.1).

use super::command::{self, Answers};
use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::nbss::{NegativeCode, Packet, PacketType};
use crate::wire::smb::Protocol;

/// A packet; `answers` is what the answer to a transaction in it answers.
pub(super) fn fields(answers: Answers, f: &mut Fields<'_>) {
    f.layer(
        Layer::Nbss,
        |bytes| Packet::decode(bytes).err(),
        |f| {
            // A message that was cut still has its beginning.
            f.reads_past(&["length"]);
            let packet_type = PacketType(f.hex_u8("type"));
            f.mean(packet_type.name());
            let flags = f.hex_u8("flags");
            f.mean((flags == 1).then_some("65536 bytes more"));
            let low = f.u16_be("length");
            let length = usize::from(low).saturating_add(usize::from(flags) << 16);
            f.within(length, |f| match packet_type {
                PacketType::MESSAGE => message(answers, f),
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

fn message(answers: Answers, f: &mut Fields<'_>) {
    match Protocol::of(f.peek()) {
        Some(Protocol::Smb1) => command::fields(answers, f),
        other => {
            f.rest("message");
            f.mean(match other {
                Some(Protocol::Smb2) => Some("SMB2"),
                Some(Protocol::Smb3Transform) => Some("encrypted SMB3"),
                _ => None,
            });
        }
    }
}
