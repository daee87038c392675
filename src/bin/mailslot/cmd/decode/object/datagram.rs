//! Datagrams and mailslot writes: the keys `nbdgm` and `mailslot`.

use mailslot::wire::nbdgm::{Body, Header};
use mailslot::wire::smb::MailslotWrite;

use super::browser::{browser, lanman};
use super::messenger::messenger;
use super::netlogon::netlogon;
use crate::cmd::decode::datagram::{Decoded, Message};
use crate::json::Json;

#[inline]
pub(super) fn write(json: &mut Json<'_>, decoded: &Decoded<'_>) {
    nbdgm(json, decoded);
    if let Some(write) = &decoded.mailslot {
        mailslot(json, write);
    }
    message(json, &decoded.message);
}

/// What a message says; the bytes of others stand in `mailslot.data`.
#[inline]
pub(super) fn message(json: &mut Json<'_>, message: &Message<'_>) {
    match message {
        Message::Raw => {}
        Message::Browser(frame) => browser(json, frame),
        Message::Lanman(frame) => lanman(json, frame),
        Message::Netlogon(message) => netlogon(json, message),
        Message::Messenger(message) => messenger(json, message),
    }
}

fn nbdgm(json: &mut Json<'_>, decoded: &Decoded<'_>) {
    if let Some(datagram) = &decoded.datagram {
        header(json, datagram.header());
        if let Some((length, offset)) = datagram.dgm_length().zip(datagram.packet_offset()) {
            json.field(",\"dgm_length\":", length);
            json.field(",\"packet_offset\":", offset);
        }
        match datagram.body() {
            Body::Error(code) => json.field(",\"error_code\":", code.0),
            Body::Query(name) => {
                json.raw(",\"destination_name\":");
                json.scoped_name(name);
            }
            _ => {}
        }
        if let Some(content) = &decoded.content {
            json.raw(",\"source_name\":");
            json.scoped_name(&content.source_name);
            json.raw(",\"destination_name\":");
            json.scoped_name(&content.destination_name);
        }
        if let Some(user_data) = decoded.other_user_data() {
            json.raw(",\"user_data\":");
            json.hex(user_data);
        }
        if decoded.fragments > 0 {
            json.field(",\"fragments\":", decoded.fragments);
        }
        json.raw("}");
    } else if let Some(salvage) = &decoded.salvage {
        header(json, &salvage.header);
        if let Some((length, offset)) = salvage.length_and_offset {
            json.field(",\"dgm_length\":", length);
            json.field(",\"packet_offset\":", offset);
        }
        if let Some(name) = &salvage.source_name {
            json.raw(",\"source_name\":");
            json.scoped_name(name);
        }
        if let Some(name) = &salvage.destination_name {
            json.raw(",\"destination_name\":");
            json.scoped_name(name);
        }
        json.raw("}");
    }
}

/// The object's beginning; the caller ends it.
#[inline]
fn header(json: &mut Json<'_>, header: &Header) {
    json.raw(",\"nbdgm\":{\"msg_type\":\"");
    match header.msg_type.name() {
        Some(name) => json.raw(name),
        None => json.raw(&header.msg_type.to_string()),
    }
    json.field("\",\"flags\":", header.flags.bits());
    json.field(",\"dgm_id\":", header.dgm_id);
    json.raw(",\"source_ip\":\"");
    json.ip(header.source_ip);
    json.field("\",\"source_port\":", header.source_port);
}

#[inline]
fn mailslot(json: &mut Json<'_>, write: &MailslotWrite<'_>) {
    json.raw(",\"mailslot\":{\"name\":");
    json.slot(write.name());
    json.field(",\"class\":", write.class().0);
    json.field(",\"priority\":", write.priority());
    json.field(",\"size\":", write.data().len());
    json.raw(",\"data\":");
    json.hex(write.data());
    json.raw("}");
}
