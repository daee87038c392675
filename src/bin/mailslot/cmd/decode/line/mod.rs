//! A record as a line for people.

mod browser;
mod datagram;
mod messenger;
mod nbns;
mod netlogon;
mod session;

use std::fmt::Write;

use mailslot::wire::oem::CodePage;

use super::datagram::Message;
use super::record::{Body, Record};
use super::verify::Verdict;
use crate::text::Clock;

pub(super) fn write(
    record: &Record<'_>,
    verdict: Option<&Verdict>,
    clock: &mut Clock,
    page: CodePage,
    out: &mut Vec<u8>,
) {
    let mut line = format!("{:>6} ", record.place.frame);
    out.extend_from_slice(line.as_bytes());
    clock.write(record.place.time, out);
    line.clear();
    if let Some((source, destination)) = record.ends {
        _ = write!(line, " {source} > {destination}");
    }
    match &record.body {
        Body::Datagram(decoded) => datagram::write(&mut line, decoded, page),
        Body::NameService(decoded) => {
            if let Some(packet) = decoded.packet() {
                nbns::write(&mut line, packet, page);
            }
        }
        Body::Session(session) => session::write(&mut line, session, page),
        Body::Damaged(_) => {}
    }
    let notes = record.notes();
    if !notes.is_empty() {
        _ = write!(line, " [{}]", notes.join(", "));
    }
    if let Some(error) = record.error() {
        _ = write!(line, " ERROR {error}");
    }
    match verdict {
        None => {}
        Some(Verdict::Same(Some(layout))) => _ = write!(line, " same ({})", layout.name()),
        Some(Verdict::Same(None)) => line.push_str(" same"),
        Some(Verdict::Differs(bytes)) => _ = write!(line, " DIFFERS {}", hex::encode(bytes)),
        Some(Verdict::NotEncoded(_)) => line.push_str(" not encoded"),
    }
    out.extend_from_slice(line.as_bytes());
}

/// What a message to `slot` (without `\MAILSLOT\`) says, in a few words.
pub(crate) fn message(slot: &[u8], data: &[u8], page: CodePage) -> String {
    let mut line = String::new();
    let message = Message::read(slot, data).unwrap_or(Message::Raw);
    datagram::message(&mut line, &message, data, page);
    line
}

/// The same for a message of a service whose messages are known; `None` for any other.
pub(crate) fn known_message(slot: &[u8], data: &[u8], page: CodePage) -> Option<String> {
    match Message::read(slot, data) {
        Ok(Message::Raw) | Err(_) => None,
        Ok(_) => Some(message(slot, data, page)),
    }
}
