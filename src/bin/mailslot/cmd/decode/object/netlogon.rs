//! Locator messages: the key `netlogon`, with the fields of MS-ADTS 6.3.1 and MS-NRPC 2.2.1.5.1.

use mailslot::wire::netlogon::{
    CompressedName, DbChange, DcFlags, NetlogonMessage, NtVersion, SamLogonRequest, SamResponse,
    SamResponseEx, Sid, Tokens, Utf16Str,
};

use crate::json::Json;

pub(super) fn netlogon(json: &mut Json<'_>, message: &NetlogonMessage<'_>) {
    json.raw(",\"netlogon\":{\"command\":");
    json.string(&message.opcode().to_string());
    json.field(",\"opcode\":", message.opcode().0);
    match message {
        NetlogonMessage::LogonRequest(request) => {
            oem(json, ",\"computer_name\":", request.computer_name());
            oem(json, ",\"user_name\":", request.user_name());
            oem(json, ",\"mailslot_name\":", request.mailslot_name());
            json.field(",\"request_count\":", request.request_count);
            tokens(json, request.tokens());
        }
        NetlogonMessage::Lm20Response(response) => {
            oem(json, ",\"logon_server_name\":", response.logon_server_name());
            tokens(json, response.tokens());
        }
        NetlogonMessage::PrimaryQuery(query) => {
            oem(json, ",\"computer_name\":", query.computer_name());
            oem(json, ",\"mailslot_name\":", query.mailslot_name());
            if let Some((name, version)) = query.unicode_computer_name().zip(query.nt_version()) {
                utf16(json, ",\"unicode_computer_name\":", name);
                nt_version(json, version);
            }
            tokens(json, query.tokens());
        }
        NetlogonMessage::PrimaryResponse(response) => {
            oem(json, ",\"primary_dc_name\":", response.primary_dc_name());
            utf16(json, ",\"unicode_primary_dc_name\":", response.unicode_primary_dc_name());
            utf16(json, ",\"unicode_domain_name\":", response.unicode_domain_name());
            nt_version(json, response.nt_version);
            tokens(json, response.tokens());
        }
        NetlogonMessage::DbChange(message) => db_change(json, message),
        NetlogonMessage::SamLogonRequest(request) => sam_logon_request(json, request),
        NetlogonMessage::SamLogonResponse(response)
        | NetlogonMessage::SamPauseResponse(response)
        | NetlogonMessage::SamUserUnknown(response) => sam_response(json, response),
        NetlogonMessage::SamLogonResponseEx(response)
        | NetlogonMessage::SamPauseResponseEx(response)
        | NetlogonMessage::SamUserUnknownEx(response) => sam_response_ex(json, response),
        // The bytes stand in `mailslot.data`.
        _ => {}
    }
    json.raw("}");
}

fn db_change(json: &mut Json<'_>, message: &DbChange<'_>) {
    json.field(",\"low_serial\":", message.low_serial);
    json.field(",\"date_and_time\":", message.date_and_time);
    json.field(",\"pulse\":", message.pulse);
    json.field(",\"random\":", message.random);
    oem(json, ",\"primary_dc_name\":", message.primary_dc_name());
    oem(json, ",\"domain_name\":", message.domain_name());
    utf16(json, ",\"unicode_primary_dc_name\":", message.unicode_primary_dc_name());
    utf16(json, ",\"unicode_domain_name\":", message.unicode_domain_name());
    json.raw(",\"databases\":[");
    json.list(message.databases(), |json, database| {
        json.field("{\"db_index\":", database.db_index.0);
        json.field(",\"serial\":", database.serial);
        json.field(",\"time\":", database.time);
        json.raw("}");
    });
    json.raw("]");
    sid(json, message.domain_sid());
    json.field(",\"message_format_version\":", message.message_format_version);
    json.field(",\"message_token\":", message.message_token);
}

fn sam_logon_request(json: &mut Json<'_>, request: &SamLogonRequest<'_>) {
    json.field(",\"request_count\":", request.request_count);
    utf16(json, ",\"unicode_computer_name\":", request.unicode_computer_name());
    utf16(json, ",\"unicode_user_name\":", request.unicode_user_name());
    oem(json, ",\"mailslot_name\":", request.mailslot_name());
    json.field(",\"allowable_account_control_bits\":", request.allowable_account_control_bits);
    sid(json, request.domain_sid());
    nt_version(json, request.nt_version);
    tokens(json, request.tokens());
}

fn sam_response(json: &mut Json<'_>, response: &SamResponse<'_>) {
    utf16(json, ",\"unicode_logon_server\":", response.unicode_logon_server());
    utf16(json, ",\"unicode_user_name\":", response.unicode_user_name());
    utf16(json, ",\"unicode_domain_name\":", response.unicode_domain_name());
    if let Some(directory) = response.directory() {
        text(json, ",\"domain_guid\":", &directory.domain_guid());
        text(json, ",\"null_guid\":", &directory.null_guid());
        name(json, ",\"dns_forest_name\":", directory.dns_forest_name());
        name(json, ",\"dns_domain_name\":", directory.dns_domain_name());
        name(json, ",\"dns_host_name\":", directory.dns_host_name());
        text(json, ",\"dc_ip_address\":", &directory.dc_ip_address());
        flags(json, directory.flags());
    }
    nt_version(json, response.nt_version());
    tokens(json, response.tokens());
}

fn sam_response_ex(json: &mut Json<'_>, response: &SamResponseEx<'_>) {
    flags(json, response.flags);
    text(json, ",\"domain_guid\":", &response.domain_guid);
    name(json, ",\"dns_forest_name\":", response.dns_forest_name());
    name(json, ",\"dns_domain_name\":", response.dns_domain_name());
    name(json, ",\"dns_host_name\":", response.dns_host_name());
    name(json, ",\"netbios_domain_name\":", response.netbios_domain_name());
    name(json, ",\"netbios_computer_name\":", response.netbios_computer_name());
    name(json, ",\"user_name\":", response.user_name());
    name(json, ",\"dc_site_name\":", response.dc_site_name());
    name(json, ",\"client_site_name\":", response.client_site_name());
    if let Some(address) = response.dc_sock_addr() {
        json.field(",\"dc_sock_addr\":{\"family\":", address.family);
        json.field(",\"port\":", address.port);
        text(json, ",\"ip\":", &address.address);
        json.raw("}");
    }
    if let Some(site) = response.next_closest_site_name() {
        name(json, ",\"next_closest_site_name\":", site);
    }
    nt_version(json, response.nt_version());
    tokens(json, response.tokens());
}

fn oem(json: &mut Json<'_>, key: &str, text: &[u8]) {
    json.raw(key);
    json.oem(text);
}

fn utf16(json: &mut Json<'_>, key: &str, value: Utf16Str<'_>) {
    text(json, key, &value);
}

fn name(json: &mut Json<'_>, key: &str, value: CompressedName<'_>) {
    text(json, key, &value);
}

fn text(json: &mut Json<'_>, key: &str, value: &impl ToString) {
    json.raw(key);
    json.string(&value.to_string());
}

fn sid(json: &mut Json<'_>, sid: Option<&Sid>) {
    if let Some(sid) = sid {
        text(json, ",\"domain_sid\":", sid);
    }
}

fn flags(json: &mut Json<'_>, flags: DcFlags) {
    json.field(",\"dc_flags\":", flags.bits());
    json.raw(",\"dc_flag_names\":[");
    json.list(flags.iter_names(), |json, (name, _)| json.string(name));
    json.raw("]");
}

fn nt_version(json: &mut Json<'_>, version: NtVersion) {
    json.field(",\"nt_version\":", version.bits());
    json.raw(",\"nt_version_names\":[");
    json.list(version.iter_names(), |json, (name, _)| json.string(name));
    json.raw("]");
}

fn tokens(json: &mut Json<'_>, tokens: Tokens<'_>) {
    if let Some(token) = tokens.lm_nt_token() {
        json.field(",\"lm_nt_token\":", token);
    }
    if let Some(token) = tokens.lm20_token() {
        json.field(",\"lm20_token\":", token);
    }
}
