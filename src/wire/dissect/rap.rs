//! Remote administration (MS-RAP 2.5): the parameter block of a request, and both blocks of an answer.

use super::browser::server_type;
use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::smb::rap::{Function, Request, ResponseParameters, Status};

pub(super) fn request(f: &mut Fields<'_>) {
    f.layer(
        Layer::Rap,
        |bytes| Request::decode(bytes).err(),
        |f| {
            let is_unknown = matches!(Request::decode(f.peek()), Ok(Request::Unknown(_)));
            let function = Function(f.hex_u16_le("opcode"));
            f.mean(function.name());
            f.title(&function.to_string());
            if is_unknown {
                return f.rest("parameters");
            }
            let parameters = f.oem_to_nul("param_desc");
            f.oem_to_nul("data_desc");
            f.u16_le("level");
            f.u16_le("receive_buffer_size");
            if function == Function::NET_SHARE_ENUM {
                return;
            }
            server_type(f);
            // The descriptor says what follows: no pointer, the domain, or the domain and a name.
            match parameters.iter().filter(|&&letter| letter == b'z').count() {
                0 => {}
                1 => _ = f.oem_z("domain"),
                _ => {
                    f.oem_to_nul("domain");
                    f.oem_z("first_name_to_return");
                }
            }
        },
    );
}

pub(super) fn response_parameters(f: &mut Fields<'_>) {
    f.layer(
        Layer::Rap,
        |bytes| ResponseParameters::decode(bytes).err(),
        |f| {
            let status = Status(f.u16_le("status"));
            f.mean(status.name());
            f.hex_u16_le("converter");
            if f.more() {
                f.u16_le("entry_count");
                f.u16_le("available");
            }
        },
    );
}
