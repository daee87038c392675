//! Messenger texts.

use std::fmt::Write;

use mailslot::wire::messenger::MessengerMessage;
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::Body;

use crate::text;

pub(super) fn messenger(line: &mut String, message: &MessengerMessage<'_>, page: CodePage) {
    line.push_str(" Messenger");
    names(line, message.from(), message.to(), page);
    words(line, message.text().text(), page);
}

/// What an SMB command says of a text, if it is one of the messenger's.
pub(super) fn command(line: &mut String, body: &Body<'_>, page: CodePage) {
    match body {
        Body::SendMessageRequest(request) => {
            names(line, request.from(), request.to(), page);
            words(line, request.text(), page);
        }
        Body::SendStartRequest(request) => names(line, request.from(), request.to(), page),
        Body::SendStartResponse(response) => _ = write!(line, " group {}", response.message_group_id()),
        Body::SendTextRequest(request) => {
            _ = write!(line, " group {}", request.message_group_id());
            words(line, request.text(), page);
        }
        Body::SendEndRequest(request) => _ = write!(line, " group {}", request.message_group_id()),
        _ => {}
    }
}

fn names(line: &mut String, from: &[u8], to: &[u8], page: CodePage) {
    _ = write!(line, " from {} to {}", text::oem(from, page), text::oem(to, page));
}

/// The text in quotes, its line breaks as the bytes they are.
fn words(line: &mut String, words: &[u8], page: CodePage) {
    const MOST: usize = 60;
    let decoded = page.decode(words);
    let shown: String = decoded.chars().take(MOST).collect();
    let more = if decoded.chars().nth(MOST).is_some() { "…" } else { "" };
    _ = write!(line, ": \"{}\"{more}", text::safe(&shown));
}
