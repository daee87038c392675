//! A record as a line for people.

use std::fmt::Write;

use mailslot::wire::browser::{Announcement, BrowserFrame, LanmanFrame, ServerType};
use mailslot::wire::nbdgm::Body;
use mailslot::wire::oem::CodePage;

use super::object::role_names;
use super::record::{Decoded, Message, Record};
use super::verify::Verdict;
use crate::text::{self, Clock};

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
    names(&mut line, &record.decoded, page);
    what(&mut line, &record.decoded, page);
    if record.decoded.has_notes() {
        let notes: Vec<_> = record.decoded.notes().collect();
        _ = write!(line, " [{}]", notes.join(", "));
    }
    if let Some(error) = &record.decoded.error {
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
        match &decoded.message {
            Message::Browser(frame) => browser(line, frame, page),
            Message::Lanman(frame) => lanman(line, frame, page),
            Message::Raw if decoded.error.is_some() => {}
            Message::Raw => _ = write!(line, " {}", text::preview(write.data(), page)),
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

fn browser(line: &mut String, frame: &BrowserFrame<'_>, page: CodePage) {
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

fn lanman(line: &mut String, frame: &LanmanFrame<'_>, page: CodePage) {
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
