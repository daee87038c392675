//! Sessions: the keys `tcp`, `nbss`, `smb`, `rap`, `messenger`, and `mailslot` for messages written over a
//! session.

use std::net::SocketAddrV4;

use mailslot::wire::nbss;
use mailslot::wire::smb::rap::{self, Request, ResponseParameters, ServerEntry, ShareEntry};
use mailslot::wire::smb::{
    Body, NegotiateResponse, SessionSetupRequest, SessionSetupResponse, SmbMessage, SmbStr,
    TransactionRequest, TransactionResponse, TreeConnectRequest, TreeConnectResponse,
};
use mailslot::wire::{Decode, browser::ServerType};

use super::browser::server_type;
use super::datagram::message;
use super::messenger;
use crate::cmd::decode::session::{Packet, Session, What, is_rap, session_message};
use crate::json::Json;

pub(super) fn write(json: &mut Json<'_>, session: &Session<'_>) {
    json.field(",\"tcp\":{\"stream\":", session.stream);
    match &session.what {
        What::Packet(packet) => {
            json.raw("}");
            write_packet(json, packet);
            return;
        }
        What::Gap { bytes } => json.field(",\"missing\":", *bytes),
        What::Cut { have, needed } => {
            json.field(",\"have\":", *have);
            json.field(",\"needed\":", *needed);
        }
        What::Skipped(what) => {
            json.raw(",\"skipped\":");
            json.string(what);
        }
    }
    json.raw("}");
}

fn write_packet(json: &mut Json<'_>, packet: &Packet<'_>) {
    if let Some(nbss) = &packet.nbss {
        write_nbss(json, nbss);
    }
    let Some(smb) = &packet.smb else { return };
    write_smb(json, smb);
    match smb.body() {
        Body::TransactionRequest(request) => {
            if let Some(write) = request.as_mailslot_write() {
                json.raw(",\"mailslot\":{\"name\":");
                text(json, write.name);
                json.field(",\"class\":", write.class.0);
                json.field(",\"priority\":", write.priority);
                json.field(",\"size\":", write.total);
                json.raw(",\"data\":");
                json.hex(write.data);
                json.raw("}");
                if let Ok(known) = session_message(&write) {
                    message(json, &known);
                }
            } else if is_rap(request.name())
                && let Ok(call) = Request::decode(request.parameters())
            {
                rap_request(json, &call);
            }
        }
        Body::TransactionResponse(response) => {
            if let Some((function, level)) = packet.answers {
                rap_response(json, function, level, response);
            }
        }
        body => messenger::command(json, body),
    }
}

fn write_nbss(json: &mut Json<'_>, packet: &nbss::Packet<'_>) {
    json.raw(",\"nbss\":{\"type\":");
    json.string(&packet.packet_type().to_string());
    json.field(",\"length\":", packet.length());
    match packet.body() {
        nbss::Body::Request { called, calling, .. } => {
            json.raw(",\"called_name\":");
            json.scoped_name(called);
            json.raw(",\"calling_name\":");
            json.scoped_name(calling);
        }
        nbss::Body::Negative(code) => json.field(",\"error_code\":", code.0),
        nbss::Body::Retarget { ip, port, .. } => {
            json.raw(",\"retarget\":\"");
            json.address(SocketAddrV4::new(*ip, *port));
            json.raw("\"");
        }
        _ => {}
    }
    json.raw("}");
}

fn write_smb(json: &mut Json<'_>, smb: &SmbMessage<'_>) {
    let header = smb.header();
    json.raw(",\"smb\":{\"command\":");
    json.string(&header.command.to_string());
    json.boolean(",\"response\":", header.is_reply());
    json.field(",\"status\":", header.status.0);
    if header.is_reply() {
        json.raw(",\"status_text\":");
        json.string(&Packet::status(smb));
    }
    json.field(",\"flags\":", header.flags.bits());
    json.field(",\"flags2\":", header.flags2.bits());
    json.field(",\"tid\":", header.tid);
    json.field(",\"pid\":", u32::from(header.pid_high) << 16 | u32::from(header.pid_low));
    json.field(",\"uid\":", header.uid);
    json.field(",\"mid\":", header.mid);
    body(json, smb.body());
    let mut chained = smb.chained().peekable();
    if chained.peek().is_some() {
        json.raw(",\"chained\":[");
        json.list(chained, |json, next| {
            json.raw("{\"command\":");
            json.string(&next.command().to_string());
            body(json, &next);
            json.raw("}");
        });
        json.raw("]");
    }
    json.raw("}");
}

fn body(json: &mut Json<'_>, body: &Body<'_>) {
    match body {
        Body::NegotiateRequest(request) => {
            json.raw(",\"dialects\":[");
            json.list(request.dialects(), |json, dialect| json.oem(dialect));
            json.raw("]");
        }
        Body::NegotiateResponse(response) => negotiate_response(json, response),
        Body::SessionSetupRequest(request) => session_setup_request(json, request),
        Body::SessionSetupResponse(response) => session_setup_response(json, response),
        Body::TreeConnectRequest(request) => tree_connect_request(json, request),
        Body::TreeConnectResponse(response) => tree_connect_response(json, response),
        Body::TransactionRequest(request) => transaction_request(json, request),
        Body::TransactionResponse(response) => {
            setup(json, response.setup());
            part(
                json,
                ["total_parameter_count", "parameters"],
                response.parameter_part().total,
                response.parameters(),
            );
            part(json, ["total_data_count", "data"], response.data_part().total, response.data());
        }
        Body::TransactionSecondary(secondary) => {
            json.field(",\"parameter_displacement\":", secondary.parameter_part().displacement);
            json.field(",\"data_displacement\":", secondary.data_part().displacement);
            part(
                json,
                ["total_parameter_count", "parameters"],
                secondary.parameter_part().total,
                secondary.parameters(),
            );
            part(json, ["total_data_count", "data"], secondary.data_part().total, secondary.data());
        }
        _ => {}
    }
}

fn negotiate_response(json: &mut Json<'_>, response: &NegotiateResponse<'_>) {
    json.field(",\"dialect_index\":", response.dialect_index());
    match response {
        NegotiateResponse::Lanman(lanman) => {
            json.field(",\"security_mode\":", lanman.words().security_mode);
            json.field(",\"max_buffer_size\":", lanman.words().max_buffer_size);
            json.raw(",\"primary_domain\":");
            json.oem(lanman.primary_domain());
        }
        NegotiateResponse::Nt(nt) => {
            let words = nt.words();
            json.field(",\"security_mode\":", words.security_mode.bits());
            json.field(",\"max_mpx_count\":", words.max_mpx_count);
            json.field(",\"max_buffer_size\":", words.max_buffer_size);
            json.field(",\"session_key\":", words.session_key);
            json.field(",\"capabilities\":", words.capabilities.bits());
            json.field(",\"system_time\":", words.system_time);
            json.field(",\"server_time_zone\":", words.server_time_zone);
            blob(json, ",\"challenge\":", nt.challenge());
            string(json, ",\"domain\":", nt.domain());
            blob(json, ",\"server_guid\":", nt.server_guid().as_ref().map(<[u8; 16]>::as_slice));
            blob(json, ",\"security_blob\":", nt.security_blob());
        }
        _ => {}
    }
}

fn session_setup_request(json: &mut Json<'_>, request: &SessionSetupRequest<'_>) {
    json.field(",\"max_buffer_size\":", request.words().max_buffer_size);
    json.field(",\"max_mpx_count\":", request.words().max_mpx_count);
    json.field(",\"vc_number\":", request.words().vc_number);
    if let Some(capabilities) = request.capabilities() {
        json.field(",\"capabilities\":", capabilities.bits());
    }
    blob(json, ",\"security_blob\":", request.security_blob());
    blob(json, ",\"oem_password\":", request.oem_password());
    blob(json, ",\"unicode_password\":", request.unicode_password());
    string(json, ",\"account_name\":", request.account_name());
    string(json, ",\"primary_domain\":", request.primary_domain());
    string(json, ",\"native_os\":", Some(request.native_os()));
    string(json, ",\"native_lan_man\":", Some(request.native_lan_man()));
}

fn session_setup_response(json: &mut Json<'_>, response: &SessionSetupResponse<'_>) {
    json.field(",\"action\":", response.action().bits());
    blob(json, ",\"security_blob\":", response.security_blob());
    string(json, ",\"native_os\":", Some(response.native_os()));
    string(json, ",\"native_lan_man\":", Some(response.native_lan_man()));
    string(json, ",\"primary_domain\":", Some(response.primary_domain()));
}

fn tree_connect_request(json: &mut Json<'_>, request: &TreeConnectRequest<'_>) {
    json.field(",\"tree_flags\":", request.flags().bits());
    json.raw(",\"path\":");
    text(json, request.path());
    json.raw(",\"service\":");
    json.oem(request.service());
}

fn tree_connect_response(json: &mut Json<'_>, response: &TreeConnectResponse<'_>) {
    if let Some(support) = response.optional_support() {
        json.field(",\"optional_support\":", support);
    }
    json.raw(",\"service\":");
    json.oem(response.service());
    string(json, ",\"native_file_system\":", Some(response.native_file_system()));
}

fn transaction_request(json: &mut Json<'_>, request: &TransactionRequest<'_>) {
    json.raw(",\"name\":");
    text(json, request.name());
    setup(json, request.setup());
    json.field(",\"transaction_flags\":", request.words().flags.bits());
    json.field(",\"timeout\":", request.words().timeout);
    json.field(",\"max_parameter_count\":", request.words().max_parameter_count);
    json.field(",\"max_data_count\":", request.words().max_data_count);
    part(json, ["total_parameter_count", "parameters"], request.parameter_part().total, request.parameters());
    part(json, ["total_data_count", "data"], request.data_part().total, request.data());
}

fn setup(json: &mut Json<'_>, words: impl Iterator<Item = u16>) {
    json.raw(",\"setup\":[");
    json.list(words, |json, word| json.number(word));
    json.raw("]");
}

/// The length of the whole and the bytes in this message.
fn part(json: &mut Json<'_>, [total_key, key]: [&str; 2], total: u16, bytes: &[u8]) {
    json.raw(",\"");
    json.raw(total_key);
    json.field("\":", total);
    if !bytes.is_empty() {
        json.raw(",\"");
        json.raw(key);
        json.raw("\":");
        json.hex(bytes);
    }
}

fn blob(json: &mut Json<'_>, key: &str, bytes: Option<&[u8]>) {
    if let Some(bytes) = bytes {
        json.raw(key);
        json.hex(bytes);
    }
}

fn string(json: &mut Json<'_>, key: &str, value: Option<SmbStr<'_>>) {
    if let Some(value) = value {
        json.raw(key);
        text(json, value);
    }
}

fn text(json: &mut Json<'_>, value: SmbStr<'_>) {
    json.string(&value.decode(json.page));
}

/// The object's beginning; the caller ends it.
fn rap_head(json: &mut Json<'_>, function: rap::Function, response: bool) {
    json.raw(",\"rap\":{\"function\":");
    json.string(&function.to_string());
    json.boolean(",\"response\":", response);
}

fn rap_request(json: &mut Json<'_>, call: &Request<'_>) {
    rap_head(json, call.function(), false);
    match call {
        Request::ServerEnum(call) => {
            json.raw(",\"param_desc\":");
            json.oem(call.param_desc());
            json.raw(",\"data_desc\":");
            json.oem(call.data_desc());
            json.field(",\"level\":", call.level());
            json.field(",\"receive_buffer_size\":", call.receive_buffer_size());
            server_type(json, call.server_type());
            if let Some(domain) = call.domain() {
                json.raw(",\"domain\":");
                json.oem(domain);
            }
            if let Some(first) = call.first_name() {
                json.raw(",\"first_name_to_return\":");
                json.oem(first);
            }
        }
        Request::ShareEnum(call) => {
            json.raw(",\"data_desc\":");
            json.oem(call.data_desc());
            json.field(",\"level\":", call.level());
            json.field(",\"receive_buffer_size\":", call.receive_buffer_size());
        }
        Request::Unknown(call) => {
            if let Some((param_desc, data_desc)) = call.descriptors() {
                json.raw(",\"param_desc\":");
                json.oem(param_desc);
                json.raw(",\"data_desc\":");
                json.oem(data_desc);
            }
        }
        _ => {}
    }
    json.raw("}");
}

fn rap_response(
    json: &mut Json<'_>,
    function: rap::Function,
    level: u16,
    response: &TransactionResponse<'_>,
) {
    let Ok(parameters) = ResponseParameters::decode(response.parameters()) else { return };
    rap_head(json, function, true);
    json.field(",\"status\":", parameters.status().0);
    json.field(",\"converter\":", parameters.converter());
    json.field(",\"entry_count\":", parameters.entries());
    json.field(",\"available\":", parameters.available());
    match function {
        rap::Function::NET_SERVER_ENUM2 | rap::Function::NET_SERVER_ENUM3 => {
            if let Ok(servers) = rap::servers(level, &parameters, response.data()) {
                json.raw(",\"servers\":[");
                json.list(servers.filter_map(Result::ok), |json, entry| server(json, &entry));
                json.raw("]");
            }
        }
        rap::Function::NET_SHARE_ENUM => {
            if let Ok(shares) = rap::shares(level, &parameters, response.data()) {
                json.raw(",\"shares\":[");
                json.list(shares.filter_map(Result::ok), |json, entry| share(json, &entry));
                json.raw("]");
            }
        }
        _ => {}
    }
    json.raw("}");
}

fn server(json: &mut Json<'_>, entry: &ServerEntry<'_>) {
    json.raw("{\"name\":");
    json.oem(entry.name.text());
    if let Some(details) = &entry.details {
        json.field(",\"version_major\":", details.version.major);
        json.field(",\"version_minor\":", details.version.minor);
        server_type(json, ServerType::from_bits_retain(details.server_type.bits()));
        json.raw(",\"comment\":");
        json.oem(details.comment);
    }
    json.raw("}");
}

fn share(json: &mut Json<'_>, entry: &ShareEntry<'_>) {
    json.raw("{\"name\":");
    json.oem(entry.text());
    if let Some(details) = &entry.details {
        json.field(",\"type\":", details.share_type.0);
        json.raw(",\"remark\":");
        json.oem(details.remark);
    }
    json.raw("}");
}
