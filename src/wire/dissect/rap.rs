//! Remote administration (MS-RAP 2.5).

use std::collections::BTreeSet;

use super::browser;
use super::fields::Fields;
use crate::wire::browser::ServerType;
use crate::wire::codec::Decode;
use crate::wire::error::{DecodeError, Layer};
use crate::wire::oem::OemZ;
use crate::wire::smb::rap::{self, Function, Request, ResponseParameters, ShareType, Status};

/// A request: the parameter block.
pub(super) fn request(f: &mut Fields<'_>) {
    f.layer(
        Layer::Rap,
        |bytes| Request::decode(bytes).err(),
        |f| {
            // Only the codec tells which descriptors belong to a function.
            let unknown = match Request::decode(f.peek()) {
                Ok(Request::Unknown(request)) => Some(request.descriptors().is_some()),
                _ => None,
            };
            let function = Function(f.hex_u16_le("opcode"));
            f.mean(function.name());
            f.title(&function.to_string());
            if let Some(has_descriptors) = unknown {
                if has_descriptors {
                    f.oem_z("param_desc");
                    f.oem_z("data_desc");
                }
                return f.rest("parameters");
            }
            let param_desc = f.oem_nul("param_desc");
            f.oem_nul("data_desc");
            f.u16_le("level");
            f.u16_le("receive_buffer_size");
            if function == Function::NET_SHARE_ENUM {
                return;
            }
            let server_type = ServerType::from_bits_retain(f.hex_u32_le("server_type"));
            if server_type.bits() == u32::MAX {
                f.mean(Some("all servers"));
            } else {
                f.flags_of(&server_type);
            }
            // Each `z` is a string, `O` a null pointer.
            if param_desc.ends_with(b"zz") {
                f.oem_nul("domain");
                f.oem_z("first_name_to_return");
            } else if param_desc.ends_with(b"z") {
                f.oem_z("domain");
            }
        },
    );
}

/// The parameter block of an answer to `function`.
pub(super) fn parameters(function: Option<Function>, f: &mut Fields<'_>) {
    f.layer(
        Layer::Rap,
        |bytes| ResponseParameters::decode(bytes).err(),
        |f| {
            f.title(&function.map_or_else(|| "answer".to_owned(), |function| format!("{function} answer")));
            let status = Status(f.u16_le("status"));
            f.mean(status.name());
            f.u16_le("converter");
            if f.more() {
                f.u16_le("entry_count");
                f.u16_le("available");
            }
        },
    );
}

/// The data block of an answer to `function` at `level`.
pub(super) fn data(function: Function, level: u16, parameters: &ResponseParameters<'_>, f: &mut Fields<'_>) {
    let bytes = f.peek();
    // What the codec says of each entry.
    let verdicts: Option<Vec<Option<DecodeError>>> = match function {
        Function::NET_SHARE_ENUM => {
            rap::shares(level, parameters, bytes).ok().map(|entries| entries.map(Result::err).collect())
        }
        Function::NET_SERVER_ENUM2 | Function::NET_SERVER_ENUM3 => {
            rap::servers(level, parameters, bytes).ok().map(|entries| entries.map(Result::err).collect())
        }
        _ => None,
    };
    let Some(verdicts) = verdicts else {
        f.rest("data");
        f.mean(Some(format!("the answer to {function} at level {level}")));
        return;
    };
    f.layer(
        Layer::Rap,
        |_| None,
        |f| {
            f.title(&format!("{} entries", verdicts.len()));
            let mut heap = Heap { bytes, converter: parameters.converter(), strings: BTreeSet::new() };
            for verdict in &verdicts {
                match function {
                    Function::NET_SHARE_ENUM => f.group("share", |f| share(f, level, &mut heap, verdict)),
                    _ => f.group("server", |f| server(f, level, &mut heap, verdict)),
                }
            }
            heap.show(f);
        },
    );
}

fn server(f: &mut Fields<'_>, level: u16, heap: &mut Heap<'_>, verdict: &Option<DecodeError>) {
    f.oem_fixed("name", 16);
    if level == 0 {
        return;
    }
    f.u8("version_major");
    f.u8("version_minor");
    browser::type_bits(f, None);
    heap.pointer(f, "comment", verdict);
}

fn share(f: &mut Fields<'_>, level: u16, heap: &mut Heap<'_>, verdict: &Option<DecodeError>) {
    f.oem_fixed("name", 13);
    if level == 0 {
        return;
    }
    f.u8("pad");
    let share_type = ShareType(f.u16_le("type"));
    f.mean(match share_type {
        ShareType::DISK => Some("directory"),
        ShareType::PRINT_QUEUE => Some("printer queue"),
        ShareType::DEVICE => Some("device"),
        ShareType::IPC => Some("IPC"),
        _ => None,
    });
    heap.pointer(f, "remark", verdict);
}

/// The strings that the entries point at. Several may share one, or its end: the pointers tell their texts, and
/// the bytes are shown once.
struct Heap<'a> {
    bytes: &'a [u8],
    converter: u16,
    /// Offsets at which strings begin.
    strings: BTreeSet<usize>,
}

impl Heap<'_> {
    /// The pointer to an entry's string.
    fn pointer(&mut self, f: &mut Fields<'_>, field: &'static str, verdict: &Option<DecodeError>) {
        let [low, high, ..] = f.hex_u32_le(field).to_le_bytes();
        if let Some(error) = verdict {
            return f.mark(error);
        }
        let offset = usize::from(u16::from_le_bytes([low, high]).wrapping_sub(self.converter));
        let text = OemZ::split(self.bytes.get(offset..).unwrap_or_default()).text();
        let shown = format!("\"{}\"", f.oem_text(text));
        f.part("text", 0..4, shown, Some(&format!("at {offset} of the data")));
        self.strings.insert(offset);
    }

    /// What follows the entries.
    fn show(&self, f: &mut Fields<'_>) {
        for &start in &self.strings {
            // One that begins in an entry, or within another string, was shown.
            if let Some(unused) = start.checked_sub(f.offset()) {
                f.up_to("unused", unused);
                f.oem_z("text");
            }
        }
    }
}
