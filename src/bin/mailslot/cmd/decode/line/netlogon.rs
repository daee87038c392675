//! Locator messages, in a few words.

use std::fmt::Write;

use mailslot::wire::netlogon::{NetlogonMessage, SamResponse, SamResponseEx};
use mailslot::wire::oem::CodePage;

use crate::text::{self, safe};

pub(super) fn netlogon(line: &mut String, message: &NetlogonMessage<'_>, page: CodePage) {
    _ = write!(line, " {}", message.opcode());
    match message {
        NetlogonMessage::LogonRequest(request) => {
            let user = text::oem(request.user_name(), page);
            _ = write!(line, " {user} from {}", text::oem(request.computer_name(), page));
            answer_to(line, request.mailslot_name(), page);
        }
        NetlogonMessage::Lm20Response(response) => {
            _ = write!(line, " {}", text::oem(response.logon_server_name(), page));
        }
        NetlogonMessage::PrimaryQuery(query) => {
            _ = write!(line, " from {}", text::oem(query.computer_name(), page));
            answer_to(line, query.mailslot_name(), page);
        }
        NetlogonMessage::PrimaryResponse(response) => {
            let domain = safe(&response.unicode_domain_name().to_string());
            _ = write!(line, " {} for {domain}", text::oem(response.primary_dc_name(), page));
        }
        NetlogonMessage::DbChange(message) => {
            let domain = text::oem(message.domain_name(), page);
            _ = write!(line, " {} for {domain}", text::oem(message.primary_dc_name(), page));
            for database in message.databases() {
                _ = write!(line, ", {} {}", database.db_index, database.serial);
            }
        }
        NetlogonMessage::SamLogonRequest(request) => {
            if !request.unicode_user_name().is_empty() {
                _ = write!(line, " {}", safe(&request.unicode_user_name().to_string()));
            }
            _ = write!(line, " from {}", safe(&request.unicode_computer_name().to_string()));
            answer_to(line, request.mailslot_name(), page);
            if let Some(sid) = request.domain_sid() {
                _ = write!(line, ", domain {sid}");
            }
        }
        NetlogonMessage::SamLogonResponse(response)
        | NetlogonMessage::SamPauseResponse(response)
        | NetlogonMessage::SamUserUnknown(response) => sam_response(line, response),
        NetlogonMessage::SamLogonResponseEx(response)
        | NetlogonMessage::SamPauseResponseEx(response)
        | NetlogonMessage::SamUserUnknownEx(response) => sam_response_ex(line, response),
        _ => {}
    }
}

fn answer_to(line: &mut String, mailslot_name: &[u8], page: CodePage) {
    _ = write!(line, ", answer to {}", text::oem(mailslot_name, page));
}

fn sam_response(line: &mut String, response: &SamResponse<'_>) {
    let domain = safe(&response.unicode_domain_name().to_string());
    _ = write!(line, " {} for {domain}", safe(&response.unicode_logon_server().to_string()));
    if !response.unicode_user_name().is_empty() {
        _ = write!(line, ", user {}", safe(&response.unicode_user_name().to_string()));
    }
    if let Some(directory) = response.directory() {
        let host = safe(&directory.dns_host_name().to_string());
        _ = write!(line, ", {host} at {}", directory.dc_ip_address());
    }
}

fn sam_response_ex(line: &mut String, response: &SamResponseEx<'_>) {
    let domain = safe(&response.dns_domain_name().to_string());
    _ = write!(line, " {} for {domain}", safe(&response.dns_host_name().to_string()));
    if let Some(address) = response.dc_sock_addr() {
        _ = write!(line, " at {}", address.address);
    }
    if !response.user_name().is_empty() {
        _ = write!(line, ", user {}", safe(&response.user_name().to_string()));
    }
    if !response.dc_site_name().is_empty() {
        _ = write!(line, ", site {}", safe(&response.dc_site_name().to_string()));
    }
}
