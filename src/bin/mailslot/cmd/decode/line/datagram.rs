//! Datagrams and mailslot writes.

use std::fmt::Write;

use mailslot::wire::nbdgm::Body;
use mailslot::wire::oem::CodePage;

use super::browser::{browser, lanman};
use super::messenger::messenger;
use super::netlogon::netlogon;
use crate::cmd::decode::datagram::{Decoded, Message};
use crate::text;

pub(super) fn write(line: &mut String, decoded: &Decoded<'_>, page: CodePage) {
    names(line, decoded, page);
    what(line, decoded, page);
}

/// What a message says.
pub(super) fn message(line: &mut String, message: &Message<'_>, data: &[u8], page: CodePage) {
    match message {
        Message::Browser(frame) => browser(line, frame, page),
        Message::Lanman(frame) => lanman(line, frame, page),
        Message::Netlogon(message) => netlogon(line, message, page),
        Message::Messenger(message) => messenger(line, message, page),
        Message::Raw => _ = write!(line, " {}", text::preview(data, page)),
    }
}

fn names(line: &mut String, decoded: &Decoded<'_>, page: CodePage) {
    if let Some(content) = &decoded.content {
        let source = text::scoped_name(&content.source_name, page);
        _ = write!(line, " {source} > {}", text::scoped_name(&content.destination_name, page));
    } else if let Some(salvage) = &decoded.salvage {
        for name in [&salvage.source_name, &salvage.destination_name].into_iter().flatten() {
            _ = write!(line, " {}", text::scoped_name(name, page));
        }
    }
}

fn what(line: &mut String, decoded: &Decoded<'_>, page: CodePage) {
    let Some(datagram) = &decoded.datagram else { return };
    if let Some(write) = &decoded.mailslot {
        _ = write!(line, " {} {} bytes", text::oem(write.name(), page), write.data().len());
        if decoded.error.is_none() {
            message(line, &decoded.message, write.data(), page);
        }
        return;
    }
    match datagram.body() {
        Body::Error(code) => {
            _ = write!(line, " error 0x{:02x}: {}", code.0, code.meaning().unwrap_or("unknown"));
        }
        Body::Query(name) => {
            _ = write!(line, " {} {}", datagram.header().msg_type, text::scoped_name(name, page));
        }
        Body::Fragment { packet_offset, bytes, .. } => {
            _ = write!(line, " {} bytes at {packet_offset}", bytes.len());
        }
        _ => {
            if let Some(user_data) = decoded.other_user_data() {
                _ = write!(line, " not SMB, {} bytes {}", user_data.len(), text::preview(user_data, page));
            }
        }
    }
}
