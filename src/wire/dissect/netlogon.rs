//! The messages of the domain controller locator (MS-ADTS 6.3.1, MS-NRPC 2.2.1.5.1).

use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::netlogon::{
    DbIndex, DcFlags, NetlogonMessage, NtVersion, Opcode, SamResponse, Tokens, sid_padding, version_padding,
};

/// Length of a database's entry in a DB_CHANGE.
const DATABASE_LEN: usize = 20;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Netlogon,
        |bytes| NetlogonMessage::decode(bytes).err(),
        |f| {
            let opcode = Opcode(f.hex_u16_le("opcode"));
            f.mean(opcode.name());
            if f.offset() > 0 {
                f.title(&opcode.to_string());
            }
            match opcode {
                Opcode::LM_LOGON_REQUEST => {
                    f.oem_to_nul("computer_name");
                    f.oem_to_nul("user_name");
                    f.oem_to_nul("mailslot_name");
                    f.u8("request_count");
                    tokens(f);
                }
                Opcode::LM20_LOGON_RESPONSE => {
                    f.oem_to_nul("logon_server_name");
                    tokens(f);
                }
                Opcode::PRIMARY_QUERY => primary_query(f),
                Opcode::PRIMARY_RESPONSE => {
                    f.oem_to_nul("primary_dc_name");
                    even(f);
                    f.utf16_to_nul("unicode_primary_dc_name");
                    f.utf16_to_nul("unicode_domain_name");
                    if version_padding(f.layer_bytes(), f.peek()).1 {
                        f.bytes("padding", 2);
                    }
                    ending(f);
                }
                Opcode::DB_CHANGE => db_change(f),
                Opcode::SAM_LOGON_REQUEST => {
                    f.u16_le("request_count");
                    f.utf16_to_nul("unicode_computer_name");
                    f.utf16_to_nul("unicode_user_name");
                    f.oem_to_nul("mailslot_name");
                    f.hex_u32_le("allowable_account_control_bits");
                    sid(f, 4);
                    ending(f);
                }
                Opcode::SAM_LOGON_RESPONSE | Opcode::SAM_PAUSE_RESPONSE | Opcode::SAM_USER_UNKNOWN => {
                    f.utf16_to_nul("unicode_logon_server");
                    f.utf16_to_nul("unicode_user_name");
                    f.utf16_to_nul("unicode_domain_name");
                    if SamResponse::has_directory(f.peek()) {
                        directory(f);
                    }
                    ending(f);
                }
                Opcode::SAM_LOGON_RESPONSE_EX
                | Opcode::SAM_PAUSE_RESPONSE_EX
                | Opcode::SAM_USER_UNKNOWN_EX => response_ex(f),
                _ => f.rest("data"),
            }
        },
    );
}

fn primary_query(f: &mut Fields<'_>) {
    f.oem_to_nul("computer_name");
    f.oem_to_nul("mailslot_name");
    even(f);
    // No name begins with U+FFFF: the form of LAN Manager 2.0 ends here.
    if f.peek().starts_with(&[0xff, 0xff]) {
        return tokens(f);
    }
    f.utf16_to_nul("unicode_computer_name");
    ending(f);
}

/// The zero before a UTF-16 string that would begin at an odd offset.
fn even(f: &mut Fields<'_>) {
    if !f.offset().is_multiple_of(2) && f.peek().first() == Some(&0) {
        f.bytes("padding", 1);
    }
}

/// DomainSidSize, padding and DomainSid, which `behind` bytes must follow.
fn sid(f: &mut Fields<'_>, behind: usize) {
    let size = usize::try_from(f.u32_le("domain_sid_size")).unwrap_or(usize::MAX);
    if size > 0 && size <= f.left() {
        let padding = sid_padding(f.offset(), f.peek(), size, behind);
        if padding > 0 {
            f.bytes("padding", padding);
        }
    }
    if size > 0 {
        f.sid("domain_sid", size);
    }
}

fn flags(f: &mut Fields<'_>) {
    let flags = DcFlags::from_bits_retain(f.hex_u32_le("flags"));
    f.flags_of(&flags);
}

fn directory(f: &mut Fields<'_>) {
    f.guid("domain_guid");
    f.guid("null_guid");
    let names_at = f.offset();
    for name in ["dns_forest_name", "dns_domain_name", "dns_host_name"] {
        f.compressed_name(name, names_at);
    }
    f.ipv4("dc_ip_address");
    flags(f);
}

fn response_ex(f: &mut Fields<'_>) {
    f.u16_le("sbz");
    flags(f);
    f.guid("domain_guid");
    let names_at = f.offset();
    for name in [
        "dns_forest_name",
        "dns_domain_name",
        "dns_host_name",
        "netbios_domain_name",
        "netbios_computer_name",
        "user_name",
        "dc_site_name",
        "client_site_name",
    ] {
        f.compressed_name(name, names_at);
    }
    let is_ending = |rest: &[u8]| rest.len() <= 8 || Tokens::follow(rest);
    if !is_ending(f.peek()) && f.peek().starts_with(&[16, 2, 0]) {
        if f.left() < 17 {
            f.bytes("dc_sock_addr", 17);
            return;
        }
        f.u8("dc_sock_addr_size");
        f.group("dc_sock_addr", |f| {
            f.u16_le("family");
            f.u16_be("port");
            f.ipv4("address");
            f.bytes("zero", 8);
        });
    }
    if !is_ending(f.peek()) {
        f.compressed_name("next_closest_site_name", names_at);
    }
    ending(f);
}

fn db_change(f: &mut Fields<'_>) {
    f.u32_le("low_serial");
    f.u32_le("date_and_time");
    f.mean(Some("s since 1970"));
    f.u32_le("pulse");
    f.mean(Some("s"));
    f.u32_le("random");
    f.mean(Some("s"));
    f.oem_to_nul("primary_dc_name");
    f.oem_to_nul("domain_name");
    even(f);
    f.utf16_to_nul("unicode_primary_dc_name");
    f.utf16_to_nul("unicode_domain_name");
    let mut databases = f.u32_le("db_count");
    while databases > 0 && f.left() >= DATABASE_LEN && f.more() {
        databases -= 1;
        f.group("database", |f| {
            let index = DbIndex(f.u32_le("db_index"));
            f.mean(index.name());
            f.u64_le("serial");
            f.u64_le("time");
            f.mean(Some("100 ns since 1601"));
        });
    }
    sid(f, 8);
    f.u32_le("message_format_version");
    f.hex_u32_le("message_token");
}

/// NtVersion and the tokens.
fn ending(f: &mut Fields<'_>) {
    let version = NtVersion::from_bits_retain(f.hex_u32_le("nt_version"));
    f.flags_of(&version);
    tokens(f);
}

fn tokens(f: &mut Fields<'_>) {
    if f.left() >= 4 {
        f.hex_u16_le("lm_nt_token");
    }
    if f.left() >= 2 {
        f.hex_u16_le("lm20_token");
    }
}
