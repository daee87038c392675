//! Browser frames and LAN Manager announcements, in a few words.

use std::fmt::Write;

use mailslot::wire::browser::{Announcement, BrowserFrame, LanmanFrame, ServerType};
use mailslot::wire::oem::CodePage;

use crate::cmd::decode::object::role_names;
use crate::text;

pub(super) fn browser(line: &mut String, frame: &BrowserFrame<'_>, page: CodePage) {
    _ = write!(line, " {}", frame.opcode());
    match frame {
        BrowserFrame::HostAnnouncement(frame) | BrowserFrame::LocalMasterAnnouncement(frame) => {
            announcement(line, frame, page);
        }
        BrowserFrame::DomainAnnouncement(frame) => {
            let group = text::oem(frame.server_name.text(), page);
            let master = text::oem(frame.comment.text(), page);
            _ = write!(line, " {group}, master {master}");
        }
        BrowserFrame::RequestElection(frame) => {
            let roles: Vec<_> = role_names(frame.criteria.roles()).collect();
            let name = text::oem(frame.server_name().text(), page);
            _ = write!(line, " {name}, criteria 0x{:08x}", frame.criteria.0);
            if !roles.is_empty() {
                _ = write!(line, " ({})", roles.join(" "));
            }
            _ = write!(line, ", up {} s", frame.uptime / 1000);
        }
        BrowserFrame::AnnouncementRequest(frame) => {
            _ = write!(line, " from {}", text::oem(frame.response_name(), page));
        }
        BrowserFrame::GetBackupListRequest(frame) => {
            _ = write!(line, " for {}, token {}", frame.requested_count, frame.token);
        }
        BrowserFrame::GetBackupListResponse(frame) => {
            let names: Vec<_> = frame.backup_servers.iter().map(|name| text::oem(name, page)).collect();
            _ = write!(line, " token {}: {}", frame.token, names.join(" "));
        }
        BrowserFrame::BecomeBackup(frame) | BrowserFrame::MasterAnnouncement(frame) => {
            _ = write!(line, " {}", text::oem(frame.name.text(), page));
        }
        BrowserFrame::ResetStateRequest(frame) => {
            _ = write!(line, " options 0x{:02x}", frame.options.bits());
        }
        _ => {}
    }
}

fn announcement(line: &mut String, frame: &Announcement<'_>, page: CodePage) {
    let name = text::oem(frame.server_name.text(), page);
    _ = write!(line, " {name}, version {}", frame.os_version);
    comment(line, frame.comment.text(), page);
    server_type(line, frame.server_type);
    _ = write!(line, ", every {} s", frame.periodicity / 1000);
}

fn comment(line: &mut String, comment: &[u8], page: CodePage) {
    if !comment.is_empty() {
        _ = write!(line, ", \"{}\"", text::oem(comment, page));
    }
}

fn server_type(line: &mut String, server_type: ServerType) {
    if server_type.is_empty() {
        line.push_str(", leaves");
        return;
    }
    let names: Vec<_> = server_type.iter_names().map(|(name, _)| name).collect();
    _ = write!(line, ", {}", names.join(" "));
}

pub(super) fn lanman(line: &mut String, frame: &LanmanFrame<'_>, page: CodePage) {
    match frame {
        LanmanFrame::Announcement(frame) => {
            let name = text::oem(frame.server_name(), page);
            _ = write!(line, " HostAnnouncement (LAN Manager) {name}, version {}", frame.os_version);
            comment(line, frame.comment().map_or(&[], |comment| comment.text()), page);
            server_type(line, frame.server_type);
            _ = write!(line, ", every {} s", frame.interval);
        }
        LanmanFrame::Request(name) => {
            _ = write!(line, " AnnouncementRequest (LAN Manager) from {}", text::oem(name.text(), page));
        }
        LanmanFrame::HostAnnouncement { frame, .. } => {
            line.push_str(" HostAnnouncement");
            announcement(line, frame, page);
        }
        frame => _ = write!(line, " 0x{:04x}", frame.frame_type()),
    }
}
