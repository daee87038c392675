//! Every frame of `testdata/frames` against the fields in its `.json`, its own bytes, and damage.
//!
//! A new layer is a folder of frames, a line in [`goldens!`], and a function that shows a decoded value as JSON.

use mailslot::wire::browser::{Announcement, BrowserFrame, LanmanFrame};
use mailslot::wire::local::Frame;
use mailslot::wire::messenger::MessengerMessage;
use mailslot::wire::name::ScopedName;
use mailslot::wire::nbdgm::{Body, Datagram, LengthForm};
use mailslot::wire::netlogon::NetlogonMessage;
use mailslot::wire::oem::OemZ;
use mailslot::wire::smb::rap::{Request, ResponseParameters};
use mailslot::wire::smb::{MailslotWrite, SmbMessage};
use mailslot::wire::{nbns, nbss};
use serde_json::{Value, json};

use crate::frames::cases;
use crate::local::show_frame;
use crate::messenger::show_messenger;
use crate::netlogon::show_netlogon;
use crate::rap::{show_parameters, show_request};
use crate::smb_session::show_message;

/// For each `folder: Type, show, law`: a test that walks the folder. `law` is what damaged frames keep: `lossless`,
/// or `law` for a type that reads more forms than it writes.
macro_rules! goldens {
    ($($folder:ident: $type:ty, $show:expr, $law:ident;)*) => {$(
        #[test]
        fn $folder() {
            for case in cases(stringify!($folder)) {
                let shown = $show(&canonical!($type, &case.bytes));
                assert_eq!(shown, case.decoded, "{}/{}", stringify!($folder), case.name);
                damaged!($type, &case.bytes, $law);
            }
        }
    )*};
}

goldens! {
    name: ScopedName<'_>, show_displayed_name, lossless;
    nbdgm: Datagram<'_>, show_datagram, lossless;
    nbns: nbns::Packet<'_>, crate::nbns::show_packet, lossless;
    smb: MailslotWrite<'_>, show_mailslot_write, lossless;
    browser: BrowserFrame<'_>, show_browser_frame, lossless;
    lanman: LanmanFrame<'_>, show_lanman_frame, lossless;
    netlogon: NetlogonMessage<'_>, show_netlogon, lossless;
    messenger: MessengerMessage<'_>, show_messenger, lossless;
    local: Frame<'_>, show_frame, lossless;
    nbss: nbss::Packet<'_>, crate::nbss::show_packet, lossless;
    smb_session: SmbMessage<'_>, show_message, lossless;
    rap: Request<'_>, show_request, lossless;
    rap_parameters: ResponseParameters<'_>, show_parameters, lossless;
}

/// Bytes as text in which each character is one byte.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// `a` with the members of `b`.
fn join(mut a: Value, mut b: Value) -> Value {
    a.as_object_mut().expect("an object").append(b.as_object_mut().expect("an object"));
    a
}

fn show_name(name: &ScopedName<'_>) -> Value {
    json!({
        "bytes": hex::encode(name.name.as_bytes()),
        "suffix": name.name.suffix().0,
        "scope": name.scope.labels().map(text).collect::<Vec<_>>(),
    })
}

fn show_displayed_name(name: &ScopedName<'_>) -> Value {
    join(show_name(name), json!({ "display": name.to_string() }))
}

fn show_datagram(datagram: &Datagram<'_>) -> Value {
    let header = datagram.header();
    let common = json!({
        "msg_type": header.msg_type.0,
        "flags": header.flags.bits(),
        "dgm_id": header.dgm_id,
        "source_ip": header.source_ip.to_string(),
        "source_port": header.source_port,
        "trailing": hex::encode(datagram.trailing()),
    });
    let form = |form: &LengthForm| match form {
        LengthForm::Exact => "exact",
        LengthForm::CountsHeader => "counts_header",
        _ => "another form",
    };
    let length = json!({ "dgm_length": datagram.dgm_length(), "packet_offset": datagram.packet_offset() });
    let body = match datagram.body() {
        Body::Direct { length_form, content } => join(
            length,
            json!({
                "length_form": form(length_form),
                "source_name": show_name(&content.source_name),
                "destination_name": show_name(&content.destination_name),
                "user_data": hex::encode(content.user_data),
            }),
        ),
        Body::Fragment { length_form, bytes, .. } => {
            join(length, json!({ "length_form": form(length_form), "bytes": hex::encode(bytes) }))
        }
        Body::Error(code) => json!({ "error_code": code.0 }),
        Body::Query(name) => json!({ "destination_name": show_name(name) }),
        other => panic!("{other:?}"),
    };
    join(common, body)
}

fn show_mailslot_write(write: &MailslotWrite<'_>) -> Value {
    let (header, words) = (write.header(), write.words());
    json!({
        "command": header.command.0,
        "status": header.status.0,
        "flags": header.flags.bits(),
        "flags2": header.flags2.bits(),
        "pid_high": header.pid_high,
        "security_features": hex::encode(header.security_features),
        "reserved": header.reserved,
        "tid": header.tid,
        "pid_low": header.pid_low,
        "uid": header.uid,
        "mid": header.mid,
        "word_count": words.word_count,
        "total_parameter_count": words.total_parameter_count,
        "total_data_count": words.total_data_count,
        "max_parameter_count": words.max_parameter_count,
        "max_data_count": words.max_data_count,
        "max_setup_count": words.max_setup_count,
        "reserved1": words.reserved1,
        "trans_flags": words.flags.bits(),
        "timeout": words.timeout,
        "reserved2": words.reserved2,
        "parameter_count": words.parameter_count,
        "parameter_offset": words.parameter_offset,
        "data_count": words.data_count,
        "data_offset": words.data_offset,
        "setup_count": words.setup_count,
        "reserved3": words.reserved3,
        "priority": write.priority(),
        "class": write.class().0,
        "byte_count": write.byte_count(),
        "name": text(write.name()),
        "padding": hex::encode(write.padding()),
        "data": hex::encode(write.data()),
        "trailing": hex::encode(write.trailing()),
        "layout": write.layout().map(|layout| layout.name()),
    })
}

fn show_string(string: OemZ<'_>) -> Value {
    json!({ "text": text(string.text()), "tail": hex::encode(string.tail()) })
}

fn show_announcement(frame: &Announcement<'_>) -> Value {
    json!({
        "update_count": frame.update_count,
        "periodicity": frame.periodicity,
        "server_name": {
            "text": text(frame.server_name.text()),
            "bytes": hex::encode(frame.server_name.as_bytes()),
        },
        "os_version": [frame.os_version.major, frame.os_version.minor],
        "server_type": frame.server_type.bits(),
        "browser_version": [frame.browser_version.major, frame.browser_version.minor],
        "signature": frame.signature,
        "comment": show_string(frame.comment),
    })
}

fn show_browser_frame(frame: &BrowserFrame<'_>) -> Value {
    let fields = match frame {
        BrowserFrame::HostAnnouncement(frame)
        | BrowserFrame::DomainAnnouncement(frame)
        | BrowserFrame::LocalMasterAnnouncement(frame) => show_announcement(frame),
        BrowserFrame::AnnouncementRequest(frame) => json!({
            "reserved": frame.reserved,
            "response_name": text(frame.response_name()),
            "text": show_string(frame.name),
        }),
        BrowserFrame::RequestElection(frame) => json!({
            "version": frame.version,
            "criteria": frame.criteria.0,
            "uptime": frame.uptime,
            "unused": frame.unused,
            "server_name": show_string(frame.server_name()),
        }),
        BrowserFrame::GetBackupListRequest(frame) => json!({
            "requested_count": frame.requested_count,
            "token": frame.token,
            "trailing": hex::encode(frame.trailing),
        }),
        BrowserFrame::GetBackupListResponse(frame) => json!({
            "backup_server_count": frame.backup_server_count,
            "token": frame.token,
            "backup_servers": frame.backup_servers.iter().map(text).collect::<Vec<_>>(),
        }),
        BrowserFrame::BecomeBackup(frame) | BrowserFrame::MasterAnnouncement(frame) => {
            json!({ "text": show_string(frame.name) })
        }
        BrowserFrame::ResetStateRequest(frame) => {
            json!({ "options": frame.options.bits(), "trailing": hex::encode(frame.trailing) })
        }
        BrowserFrame::Unknown { data, .. } => json!({ "data": hex::encode(data) }),
        other => panic!("{other:?}"),
    };
    join(json!({ "opcode": frame.opcode().0, "name": frame.opcode().name() }), fields)
}

fn show_lanman_frame(frame: &LanmanFrame<'_>) -> Value {
    let fields = match frame {
        LanmanFrame::Announcement(frame) => json!({
            "server_type": frame.server_type.bits(),
            "os_version": [frame.os_version.major, frame.os_version.minor],
            "interval": frame.interval,
            "server_name": text(frame.server_name()),
            "comment": frame.comment().map(show_string),
        }),
        LanmanFrame::Request(name) => json!({ "name": show_string(*name) }),
        LanmanFrame::HostAnnouncement { frame, .. } => {
            json!({ "host_announcement": show_announcement(frame) })
        }
        LanmanFrame::Unknown { data, .. } => json!({ "data": hex::encode(data) }),
        other => panic!("{other:?}"),
    };
    join(json!({ "type": frame.frame_type() }), fields)
}
