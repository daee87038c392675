//! Messenger texts: the key `messenger`.

use mailslot::wire::messenger::{MAX_SHOWN, MessengerMessage, expand_line_breaks};
use mailslot::wire::smb::Body;

use crate::json::Json;

pub(super) fn messenger(json: &mut Json<'_>, message: &MessengerMessage<'_>) {
    json.raw(",\"messenger\":{");
    names(json, message.from(), message.to());
    text(json, ",\"text\":", message.text().text());
    json.raw("}");
}

/// What an SMB command says of a text, if it is one of the messenger's.
pub(super) fn command(json: &mut Json<'_>, body: &Body<'_>) {
    match body {
        Body::SendMessageRequest(request) => {
            json.raw(",\"messenger\":{");
            names(json, request.from(), request.to());
            text(json, ",\"text\":", request.text());
        }
        Body::SendStartRequest(request) => {
            json.raw(",\"messenger\":{");
            names(json, request.from(), request.to());
        }
        Body::SendStartResponse(response) => group(json, response.message_group_id()),
        Body::SendTextRequest(request) => {
            group(json, request.message_group_id());
            text(json, ",\"text\":", request.text());
        }
        Body::SendEndRequest(request) => group(json, request.message_group_id()),
        _ => return,
    }
    json.raw("}");
}

fn group(json: &mut Json<'_>, id: u16) {
    json.field(",\"messenger\":{\"message_group_id\":", id);
}

fn names(json: &mut Json<'_>, from: &[u8], to: &[u8]) {
    json.raw("\"from\":");
    json.oem(from);
    json.raw(",\"to\":");
    json.oem(to);
}

fn text(json: &mut Json<'_>, key: &str, text: &[u8]) {
    json.raw(key);
    json.oem(&expand_line_breaks(text, MAX_SHOWN));
}
