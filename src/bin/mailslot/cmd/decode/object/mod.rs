//! A record as a JSON object. The keys are documented in the README and stay.

mod browser;
mod datagram;
mod messenger;
mod nbns;
mod netlogon;
mod session;

use mailslot::wire::DecodeError;
use mailslot::wire::oem::CodePage;

pub(super) use self::browser::role_names;
use super::record::{Body, Record};
use super::verify::Verdict;
use crate::json::Json;
use crate::text::Clock;

pub(super) fn write(
    record: &Record<'_>,
    verdict: Option<&Verdict>,
    clock: &mut Clock,
    page: CodePage,
    out: &mut Vec<u8>,
) {
    let mut json = Json { out, page };
    json.field("{\"frame\":", record.place.frame);
    json.raw(",\"time\":\"");
    clock.write(record.place.time, json.out);
    json.raw("\"");
    if let Some((source, destination)) = record.ends {
        json.raw(",\"src\":\"");
        json.address(source);
        json.raw("\",\"dst\":\"");
        json.address(destination);
        json.raw("\"");
    }
    match &record.body {
        Body::Datagram(decoded) => datagram::write(&mut json, decoded),
        Body::NameService(decoded) => {
            if let Some(packet) = decoded.packet() {
                nbns::write(&mut json, packet);
            }
        }
        Body::Session(session) => session::write(&mut json, session),
        Body::Damaged(_) => {}
    }
    let notes = record.notes();
    if !notes.is_empty() {
        json.raw(",\"notes\":[");
        json.list(notes.iter(), |json, note| json.word(note));
        json.raw("]");
    }
    if let Some(problem) = record.error() {
        error(&mut json, problem);
    }
    match verdict {
        None => {}
        Some(Verdict::Same(layout)) => {
            json.raw(",\"verify\":\"same\"");
            if let Some(layout) = layout {
                json.raw(",\"layout\":");
                json.word(layout.name());
            }
        }
        Some(Verdict::Differs(bytes)) => {
            json.raw(",\"verify\":\"differs\",\"reencoded\":");
            json.hex(bytes);
        }
        Some(Verdict::NotEncoded(reason)) => {
            json.raw(",\"verify\":\"not_encoded\",\"reason\":");
            json.string(reason);
        }
    }
    json.raw("}");
}

#[cold]
fn error(json: &mut Json<'_>, error: &DecodeError) {
    json.raw(",\"error\":{\"layer\":\"");
    json.raw(error.layer.name());
    json.raw("\",\"field\":");
    json.word(error.field);
    json.field(",\"offset\":", error.offset);
    json.raw(",\"kind\":\"");
    json.raw(error.kind.name());
    json.raw("\",\"message\":");
    json.string(&error.to_string());
    json.raw("}");
}
