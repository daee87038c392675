//! The domain controller locator (MS-ADTS 6.3.1, MS-NRPC 2.2.1.5.1).

use super::fields::Fields;
use super::text;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::netlogon::{
    DbIndex, DcFlags, Guid, NetlogonMessage, NtVersion, Opcode, SamResponse, Sid, Tokens, sid_padding,
    version_padding,
};

/// The compressed names of an extended answer in their order; a directory has the first three.
const NAMES: [&str; 9] = [
    "dns_forest_name",
    "dns_domain_name",
    "dns_host_name",
    "netbios_domain_name",
    "netbios_computer_name",
    "user_name",
    "dc_site_name",
    "client_site_name",
    NEXT_CLOSEST,
];

const NEXT_CLOSEST: &str = "next_closest_site_name";

/// Length of DcSockAddrSize and DcSockAddr, in bytes.
const SOCK_ADDR_LEN: usize = 17;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Netlogon,
        |bytes| NetlogonMessage::decode(bytes).err(),
        |f| {
            // What is wrong with a name may stand where its pointer leads.
            f.reads_past(&NAMES);
            let opcode = Opcode(f.hex_u16_le("opcode"));
            f.mean(opcode.name());
            f.title(&opcode.to_string());
            match opcode {
                Opcode::LM_LOGON_REQUEST => {
                    f.oem_nul("computer_name");
                    f.oem_nul("user_name");
                    f.oem_nul("mailslot_name");
                    f.u8("request_count");
                    tokens(f);
                }
                Opcode::LM20_LOGON_RESPONSE => {
                    f.oem_nul("logon_server_name");
                    tokens(f);
                }
                Opcode::PRIMARY_QUERY => primary_query(f),
                Opcode::PRIMARY_RESPONSE => {
                    f.oem_nul("primary_dc_name");
                    f.even_padding();
                    f.utf16_nul("unicode_primary_dc_name");
                    f.utf16_nul("unicode_domain_name");
                    if version_padding(f.offset(), f.peek()).1 {
                        f.bytes("padding", 2);
                    }
                    ending(f);
                }
                Opcode::DB_CHANGE => db_change(f),
                Opcode::SAM_LOGON_REQUEST => sam_logon_request(f),
                Opcode::SAM_LOGON_RESPONSE | Opcode::SAM_PAUSE_RESPONSE | Opcode::SAM_USER_UNKNOWN => {
                    sam_response(f);
                }
                Opcode::SAM_LOGON_RESPONSE_EX
                | Opcode::SAM_PAUSE_RESPONSE_EX
                | Opcode::SAM_USER_UNKNOWN_EX => sam_response_ex(f),
                _ => f.rest("data"),
            }
        },
    );
}

fn primary_query(f: &mut Fields<'_>) {
    f.oem_nul("computer_name");
    f.oem_nul("mailslot_name");
    f.even_padding();
    // The form of LAN Manager 2.0 has a token where the name would begin.
    if f.peek().starts_with(&[0xff, 0xff]) {
        return tokens(f);
    }
    f.utf16_nul("unicode_computer_name");
    ending(f);
}

fn sam_logon_request(f: &mut Fields<'_>) {
    f.u16_le("request_count");
    f.utf16_nul("unicode_computer_name");
    f.utf16_nul("unicode_user_name");
    f.oem_nul("mailslot_name");
    let bits = f.hex_u32_le("allowable_account_control_bits");
    // The bits of accounts in MS-SAMR 2.2.1.12 that a client asks for.
    f.flags(
        bits.into(),
        [
            ("USER_NORMAL_ACCOUNT", 0x10),
            ("USER_INTERDOMAIN_TRUST_ACCOUNT", 0x40),
            ("USER_WORKSTATION_TRUST_ACCOUNT", 0x80),
            ("USER_SERVER_TRUST_ACCOUNT", 0x100),
        ],
    );
    sid(f, 4);
    ending(f);
}

fn sam_response(f: &mut Fields<'_>) {
    f.utf16_nul("unicode_logon_server");
    f.utf16_nul("unicode_user_name");
    f.utf16_nul("unicode_domain_name");
    if SamResponse::has_directory(f.peek()) {
        f.group("directory", |f| {
            guid(f, "domain_guid");
            guid(f, "null_guid");
            let base = f.offset();
            for name in NAMES.into_iter().take(3) {
                f.compressed_name(name, base);
            }
            f.ipv4("dc_ip_address");
            dc_flags(f);
        });
    }
    ending(f);
}

fn sam_response_ex(f: &mut Fields<'_>) {
    f.u16_le("sbz");
    dc_flags(f);
    guid(f, "domain_guid");
    let base = f.offset();
    for name in NAMES.into_iter().take(8) {
        f.compressed_name(name, base);
    }
    let is_ending = |rest: &[u8]| rest.len() <= 8 || Tokens::follow(rest);
    if !is_ending(f.peek()) && f.peek().starts_with(&[16, 2, 0]) {
        if f.left() < SOCK_ADDR_LEN {
            f.bytes("dc_sock_addr", SOCK_ADDR_LEN);
            return;
        }
        f.u8("dc_sock_addr_size");
        f.group("dc_sock_addr", |f| {
            f.u16_le("sin_family");
            f.mean(Some("AF_INET"));
            f.u16_be("sin_port");
            f.ipv4("sin_addr");
            f.bytes("sin_zero", 8);
        });
    }
    if !is_ending(f.peek()) {
        f.compressed_name(NEXT_CLOSEST, base);
    }
    ending(f);
}

fn db_change(f: &mut Fields<'_>) {
    f.u32_le("low_serial");
    let time = f.u32_le("date_and_time");
    f.mean((time != 0).then(|| text::unix_time(time.into())));
    for field in ["pulse", "random"] {
        let length = f.u32_le(field);
        f.mean(Some(text::seconds_of(length)));
    }
    f.oem_nul("primary_dc_name");
    f.oem_nul("domain_name");
    f.even_padding();
    f.utf16_nul("unicode_primary_dc_name");
    f.utf16_nul("unicode_domain_name");
    let count = f.u32_le("db_count");
    for _ in 0..count {
        if !f.more() {
            break;
        }
        f.group("db_change_info", |f| {
            let index = DbIndex(f.u32_le("db_index"));
            f.mean(index.name());
            f.u64_le("large_serial_number");
            let time = f.u64_le("date_and_time");
            f.mean((time != 0).then(|| text::filetime(time)));
        });
    }
    sid(f, 8);
    f.u32_le("message_format_version");
    f.hex_u32_le("message_token");
}

/// DomainSidSize, the padding and DomainSid, where `behind` bytes must follow.
fn sid(f: &mut Fields<'_>, behind: usize) {
    let size = usize::try_from(f.u32_le("domain_sid_size")).unwrap_or(usize::MAX);
    if size == 0 {
        return;
    }
    if size <= f.left() {
        f.up_to("padding", sid_padding(f.offset(), f.peek(), size, behind));
    }
    let bytes = f.bytes("domain_sid", size);
    if let Some(sid) = Sid::from_bytes(bytes) {
        f.show(|| sid.to_string());
        f.mean((!sid.is_valid()).then_some("no SID"));
    }
}

fn guid(f: &mut Fields<'_>, field: &'static str) {
    if let Some(bytes) = f.bytes(field, 16).first_chunk() {
        f.show(|| Guid(*bytes).to_string());
    }
}

fn dc_flags(f: &mut Fields<'_>) {
    let flags = DcFlags::from_bits_retain(f.hex_u32_le("flags"));
    f.flags_of(&flags);
}

/// NtVersion and the tokens.
fn ending(f: &mut Fields<'_>) {
    let version = NtVersion::from_bits_retain(f.hex_u32_le("nt_version"));
    f.flags_of(&version);
    tokens(f);
}

/// LmNtToken and Lm20Token, the last alone, or none.
fn tokens(f: &mut Fields<'_>) {
    if f.left() >= 4 {
        f.hex_u16_le("lm_nt_token");
    }
    if f.left() >= 2 {
        f.hex_u16_le("lm20_token");
    }
}
