//! A record as a JSON object. The keys are documented in the README and stay.

use mailslot::wire::DecodeError;
use mailslot::wire::browser::{
    Announcement, BrowserFrame, ElectionRoles, LanmanFrame, RequestElection, ServerType,
};
use mailslot::wire::nbdgm::{Body, Header};
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::MailslotWrite;

use super::record::{Decoded, Message, Record};
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
    let decoded = &record.decoded;
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
    nbdgm(&mut json, decoded);
    if let Some(write) = &decoded.mailslot {
        mailslot(&mut json, write);
    }
    match &decoded.message {
        Message::Raw => {}
        Message::Browser(frame) => browser(&mut json, frame),
        Message::Lanman(frame) => lanman(&mut json, frame),
    }
    if decoded.has_notes() {
        json.raw(",\"notes\":[");
        json.list(decoded.notes(), |json, note| json.word(note));
        json.raw("]");
    }
    if let Some(problem) = &decoded.error {
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

fn browser(json: &mut Json<'_>, frame: &BrowserFrame<'_>) {
    json.raw(",\"browser\":{\"command\":\"");
    match frame.opcode().name() {
        Some(name) => json.raw(name),
        None => json.raw(&frame.opcode().to_string()),
    }
    json.raw("\"");
    match frame {
        BrowserFrame::HostAnnouncement(frame) | BrowserFrame::LocalMasterAnnouncement(frame) => {
            announcement(json, frame, HOST);
        }
        BrowserFrame::DomainAnnouncement(frame) => announcement(json, frame, DOMAIN),
        BrowserFrame::RequestElection(frame) => election(json, frame),
        BrowserFrame::AnnouncementRequest(frame) => {
            json.field(",\"reserved\":", frame.reserved);
            json.raw(",\"response_name\":");
            json.oem(frame.response_name());
        }
        BrowserFrame::GetBackupListRequest(frame) => {
            json.field(",\"requested_count\":", frame.requested_count);
            json.field(",\"token\":", frame.token);
        }
        BrowserFrame::GetBackupListResponse(frame) => {
            json.field(",\"backup_server_count\":", frame.backup_server_count);
            json.field(",\"token\":", frame.token);
            json.raw(",\"backup_server_list\":[");
            json.list(frame.backup_servers.iter(), |json, name| json.oem(name));
            json.raw("]");
        }
        BrowserFrame::BecomeBackup(frame) => {
            json.raw(",\"browser_to_promote\":");
            json.oem(frame.name.text());
        }
        BrowserFrame::MasterAnnouncement(frame) => {
            json.raw(",\"master_browser_server_name\":");
            json.oem(frame.name.text());
        }
        BrowserFrame::ResetStateRequest(frame) => json.field(",\"options\":", frame.options.bits()),
        // The bytes stand in `mailslot.data`.
        _ => {}
    }
    json.raw("}");
}

/// The keys that differ between the announcements: MS-BRWS names them differently (2.2.1, 2.2.7).
struct AnnouncementKeys {
    name: &'static str,
    os_major: &'static str,
    os_minor: &'static str,
    comment: &'static str,
}

const HOST: AnnouncementKeys = AnnouncementKeys {
    name: ",\"server_name\":",
    os_major: ",\"os_version_major\":",
    os_minor: ",\"os_version_minor\":",
    comment: ",\"comment\":",
};

const DOMAIN: AnnouncementKeys = AnnouncementKeys {
    name: ",\"machine_group\":",
    os_major: ",\"browser_config_version_major\":",
    os_minor: ",\"browser_config_version_minor\":",
    comment: ",\"local_master_browser_name\":",
};

#[inline]
fn announcement(json: &mut Json<'_>, frame: &Announcement<'_>, keys: AnnouncementKeys) {
    json.field(",\"update_count\":", frame.update_count);
    json.field(",\"periodicity\":", frame.periodicity);
    json.raw(keys.name);
    json.oem(frame.server_name.text());
    json.field(keys.os_major, frame.os_version.major);
    json.field(keys.os_minor, frame.os_version.minor);
    server_type(json, frame.server_type);
    json.field(",\"browser_version_major\":", frame.browser_version.major);
    json.field(",\"browser_version_minor\":", frame.browser_version.minor);
    json.field(",\"signature\":", frame.signature);
    json.raw(keys.comment);
    json.oem(frame.comment.text());
}

#[inline]
fn server_type(json: &mut Json<'_>, server_type: ServerType) {
    json.field(",\"server_type\":", server_type.bits());
    json.raw(",\"server_types\":[");
    json.list(server_type.iter_names(), |json, (name, _)| json.word(name));
    json.raw("]");
}

fn election(json: &mut Json<'_>, frame: &RequestElection<'_>) {
    let version = frame.criteria.browser_version();
    json.field(",\"version\":", frame.version);
    json.field(",\"criteria\":", frame.criteria.0);
    json.field(",\"criteria_os\":", frame.criteria.os().0);
    json.field(",\"criteria_browser_version_major\":", version.major);
    json.field(",\"criteria_browser_version_minor\":", version.minor);
    json.field(",\"criteria_roles\":", frame.criteria.roles().bits());
    json.raw(",\"criteria_role_names\":[");
    json.list(role_names(frame.criteria.roles()), |json, name| json.word(name));
    json.field("],\"uptime\":", frame.uptime);
    json.raw(",\"server_name\":");
    json.oem(frame.server_name().text());
}

pub(super) fn role_names(roles: ElectionRoles) -> impl Iterator<Item = &'static str> {
    roles.iter_names().map(|(name, _)| name)
}

fn lanman(json: &mut Json<'_>, frame: &LanmanFrame<'_>) {
    json.raw(",\"lanman\":{\"command\":\"");
    match frame.name() {
        Some(name) => json.raw(name),
        None => json.raw(&format!("0x{:04x}", frame.frame_type())),
    }
    json.raw("\"");
    match frame {
        LanmanFrame::Announcement(frame) => {
            server_type(json, frame.server_type);
            json.field(",\"os_version_major\":", frame.os_version.major);
            json.field(",\"os_version_minor\":", frame.os_version.minor);
            json.field(",\"interval\":", frame.interval);
            json.raw(",\"server_name\":");
            json.oem(frame.server_name());
            if let Some(comment) = frame.comment() {
                json.raw(",\"comment\":");
                json.oem(comment.text());
            }
        }
        LanmanFrame::Request(name) => {
            json.raw(",\"response_name\":");
            json.oem(name.text());
        }
        LanmanFrame::HostAnnouncement { frame, .. } => announcement(json, frame, HOST),
        _ => {}
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
