//! Browser frames and LAN Manager announcements: the keys `browser` and `lanman`.

use mailslot::wire::browser::{
    Announcement, BrowserFrame, ElectionRoles, LanmanFrame, RequestElection, ServerType,
};

use crate::json::Json;

pub(super) fn browser(json: &mut Json<'_>, frame: &BrowserFrame<'_>) {
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
pub(super) fn server_type(json: &mut Json<'_>, server_type: ServerType) {
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

pub(crate) fn role_names(roles: ElectionRoles) -> impl Iterator<Item = &'static str> {
    roles.iter_names().map(|(name, _)| name)
}

pub(super) fn lanman(json: &mut Json<'_>, frame: &LanmanFrame<'_>) {
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
