//! Browser frames (MS-BRWS 2.2).

use super::fields::Fields;
use super::text;
use crate::wire::browser::{BrowserFrame, Criteria, Opcode, ResetOptions, SIGNATURE, ServerType};
use crate::wire::codec::Decode;
use crate::wire::error::Layer;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Browser,
        |bytes| BrowserFrame::decode(bytes).err(),
        |f| {
            let opcode = Opcode(f.hex_u8("opcode"));
            f.mean(opcode.name());
            if f.offset() > 0 {
                f.title(&opcode.to_string());
            }
            match opcode {
                Opcode::HOST_ANNOUNCEMENT | Opcode::LOCAL_MASTER_ANNOUNCEMENT => announcement(f, "comment"),
                Opcode::DOMAIN_ANNOUNCEMENT => announcement(f, "local_master_browser_name"),
                Opcode::ANNOUNCEMENT_REQUEST => announcement_request(f),
                Opcode::REQUEST_ELECTION => election(f),
                Opcode::GET_BACKUP_LIST_REQUEST => {
                    f.u8("requested_count");
                    f.hex_u32_le("token");
                }
                Opcode::GET_BACKUP_LIST_RESPONSE => {
                    f.u8("backup_server_count");
                    f.hex_u32_le("token");
                    // Up to the first empty name; the count is not trusted.
                    while f.more() && f.peek().first() != Some(&0) {
                        f.oem_z("backup_server");
                    }
                }
                Opcode::BECOME_BACKUP | Opcode::MASTER_ANNOUNCEMENT => _ = f.oem_z("name"),
                Opcode::RESET_STATE_REQUEST => {
                    let options = ResetOptions::from_bits_retain(f.hex_u8("options"));
                    f.flags_of(&options);
                }
                _ => f.rest("data"),
            }
        },
    );
}

/// What follows the opcode of an announcement; `last` is its last field.
pub(super) fn announcement(f: &mut Fields<'_>, last: &'static str) {
    f.u8("update_count");
    let periodicity = f.u32_le("periodicity");
    f.mean(Some(text::milliseconds(periodicity)));
    f.oem_fixed("server_name", 16);
    f.u8("os_version_major");
    f.u8("os_version_minor");
    server_type(f);
    f.u8("browser_version_major");
    f.u8("browser_version_minor");
    let signature = f.hex_u16_le("signature");
    f.mean((signature != SIGNATURE).then_some("not 0xaa55"));
    f.oem_z(last);
}

/// The server type bits of an announcement.
pub(super) fn server_type(f: &mut Fields<'_>) {
    type_bits(f, Some("leaves"));
}

/// The server type bits; `none` is what it means that there are none.
pub(super) fn type_bits(f: &mut Fields<'_>, none: Option<&str>) {
    let server_type = ServerType::from_bits_retain(f.hex_u32_le("server_type"));
    f.mean(none.filter(|_| server_type.is_empty()));
    f.flags_of(&server_type);
}

fn announcement_request(f: &mut Fields<'_>) {
    f.u8("reserved");
    // Samba and HP printers: a NUL stands before the name.
    if let [0, _, ..] = f.peek() {
        f.bytes("padding", 1);
    }
    f.oem_z("response_name");
}

fn election(f: &mut Fields<'_>) {
    f.u8("version");
    let criteria = Criteria(f.hex_u32_le("criteria"));
    let (os, roles) = (criteria.os(), criteria.roles());
    let mut names: Vec<_> = roles.iter_names().map(|(name, _)| name.to_owned()).collect();
    let unknown = roles.iter_names().fold(roles.bits(), |bits, (_, role)| bits & !role.bits());
    if unknown != 0 {
        names.push(format!("0x{unknown:x}"));
    }
    let meaning = (!names.is_empty()).then(|| names.join(" | "));
    f.part("roles", 0..1, format!("0x{:02x}", roles.bits()), meaning.as_deref());
    f.part("browser_version", 1..3, criteria.browser_version().to_string(), None);
    f.part("os", 3..4, format!("0x{:02x}", os.0), os.meaning());
    let uptime = f.u32_le("uptime");
    f.mean(Some(text::milliseconds(uptime)));
    f.u32_le("unused");
    f.oem_z("server_name");
}
