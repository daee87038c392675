//! Session packets, in a few words.

use std::fmt::Write;

use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::rap::{self, Request, ResponseParameters};
use mailslot::wire::smb::{Body, NegotiateResponse, SmbMessage, TransactionRequest, TransactionResponse};
use mailslot::wire::{Decode, nbss};

use super::datagram::message;
use super::messenger;
use crate::cmd::decode::session::{Packet, Session, What, is_rap, session_message};
use crate::text;

pub(super) fn write(line: &mut String, session: &Session<'_>, page: CodePage) {
    match &session.what {
        What::Packet(packet) => write_packet(line, packet, page),
        What::Gap { bytes } => _ = write!(line, " {bytes} bytes of the stream are missing"),
        What::Cut { have, needed } => {
            _ = write!(line, " the stream ends inside a packet, {have} of {needed} bytes");
        }
        What::Skipped(what) => _ = write!(line, " {what}, not read"),
    }
}

fn write_packet(line: &mut String, packet: &Packet<'_>, page: CodePage) {
    let Some(nbss) = &packet.nbss else { return };
    match nbss.body() {
        nbss::Body::Message(bytes) => match &packet.smb {
            Some(smb) => write_smb(line, smb, packet, page),
            None if packet.error().is_some() => line.push_str(" SMB"),
            None => _ = write!(line, " session message, {} bytes", bytes.len()),
        },
        nbss::Body::Request { called, calling, .. } => {
            let calling = text::scoped_name(calling, page);
            _ = write!(line, " session request {calling} > {}", text::scoped_name(called, page));
        }
        nbss::Body::Negative(code) => {
            _ = match code.meaning() {
                Some(meaning) => write!(line, " session refused: {meaning}"),
                None => write!(line, " session refused: 0x{:02x}", code.0),
            };
        }
        nbss::Body::Retarget { ip, port, .. } => _ = write!(line, " session retargeted to {ip}:{port}"),
        _ => _ = write!(line, " session {}", nbss.packet_type()),
    }
}

fn write_smb(line: &mut String, smb: &SmbMessage<'_>, packet: &Packet<'_>, page: CodePage) {
    let direction = if smb.header().is_reply() { "response" } else { "request" };
    _ = write!(line, " {} {direction}", smb.header().command);
    if smb.header().is_reply() && smb.header().status.0 != 0 {
        _ = write!(line, " {}", Packet::status(smb));
    }
    body(line, smb.body(), packet, page);
    for next in smb.chained() {
        _ = write!(line, " + {}", next.command());
        body(line, &next, packet, page);
    }
}

fn body(line: &mut String, body: &Body<'_>, packet: &Packet<'_>, page: CodePage) {
    match body {
        Body::NegotiateRequest(request) => {
            let dialects: Vec<_> = request.dialects().map(|dialect| text::oem(dialect, page)).collect();
            _ = write!(line, " {}", dialects.join(", "));
        }
        Body::NegotiateResponse(response) => {
            _ = write!(line, " dialect {}", response.dialect_index());
            if let NegotiateResponse::Nt(nt) = response {
                _ = write!(line, ", buffer {}", nt.words().max_buffer_size);
            }
        }
        Body::SessionSetupRequest(request) => {
            match request.account_name() {
                Some(account) if account.is_empty() => line.push_str(" anonymous"),
                Some(account) => _ = write!(line, " {}", text::safe(&account.decode(page))),
                None => {}
            }
            if let Some(blob) = request.security_blob() {
                _ = write!(line, " security blob, {} bytes", blob.len());
            }
        }
        Body::SessionSetupResponse(response) => {
            _ = write!(line, " {}", text::safe(&response.native_os().decode(page)));
        }
        Body::TreeConnectRequest(request) => {
            let service = text::oem(request.service(), page);
            _ = write!(line, " {} as {service}", text::safe(&request.path().decode(page)));
        }
        Body::TreeConnectResponse(response) => {
            _ = write!(line, " {}", text::oem(response.service(), page));
        }
        Body::TransactionRequest(request) => transaction(line, request, page),
        Body::TransactionResponse(response) => match packet.answers {
            Some((function, level)) => rap_response(line, function, level, response, page),
            None => _ = write!(line, " {} bytes", response.data().len()),
        },
        Body::TransactionSecondary(secondary) => {
            let part = secondary.data_part();
            let end = usize::from(part.displacement) + secondary.data().len();
            _ = write!(line, " bytes {} to {end} of {}", part.displacement, part.total);
        }
        body => messenger::command(line, body, page),
    }
}

fn transaction(line: &mut String, request: &TransactionRequest<'_>, page: CodePage) {
    _ = write!(line, " {}", text::safe(&request.name().decode(page)));
    if let Some(write) = request.as_mailslot_write() {
        _ = write!(line, " {} bytes", write.total);
        if let Ok(known) = session_message(&write) {
            message(line, &known, write.data, page);
        }
    } else if is_rap(request.name())
        && let Ok(call) = Request::decode(request.parameters())
    {
        rap_request(line, &call, page);
    } else {
        _ = write!(line, " {} bytes", request.data_part().total);
    }
}

fn rap_request(line: &mut String, call: &Request<'_>, page: CodePage) {
    _ = write!(line, " {}", call.function());
    match call {
        Request::ServerEnum(call) => {
            _ = write!(line, " level {} types 0x{:08x}", call.level(), call.server_type().bits());
            if let Some(domain) = call.domain().filter(|domain| !domain.is_empty()) {
                _ = write!(line, " in {}", text::oem(domain, page));
            }
            if let Some(first) = call.first_name() {
                _ = write!(line, " from {}", text::oem(first, page));
            }
        }
        Request::ShareEnum(call) => _ = write!(line, " level {}", call.level()),
        _ => {}
    }
}

fn rap_response(
    line: &mut String,
    function: rap::Function,
    level: u16,
    response: &TransactionResponse<'_>,
    page: CodePage,
) {
    let Ok(parameters) = ResponseParameters::decode(response.parameters()) else { return };
    let (entries, available) = (parameters.entries(), parameters.available());
    _ = write!(line, " {function} {}: {entries} of {available}", parameters.status());
    let names: Vec<String> = match function {
        rap::Function::NET_SHARE_ENUM => rap::shares(level, &parameters, response.data())
            .map(|shares| shares.flatten().map(|share| text::oem(share.text(), page)).collect()),
        rap::Function::NET_SERVER_ENUM2 | rap::Function::NET_SERVER_ENUM3 => {
            rap::servers(level, &parameters, response.data())
                .map(|servers| servers.flatten().map(|server| text::oem(server.name.text(), page)).collect())
        }
        _ => return,
    }
    .unwrap_or_default();
    const MOST: usize = 8;
    for name in names.iter().take(MOST) {
        _ = write!(line, " {name}");
    }
    if names.len() > MOST {
        line.push_str(" …");
    }
}
