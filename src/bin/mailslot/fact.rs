//! A message with all that is known of it, for `listen`, the service, and the programs that they run.

use std::net::SocketAddrV4;
use std::time::SystemTime;

use mailslot::capture::Timestamp;
use mailslot::node::SlotReader;
use mailslot::slot::{Message, Origin};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;

use crate::json::Json;
use crate::text;

/// A message and all that is known of it.
pub(crate) struct Fact {
    pub(crate) message: Message,
    pub(crate) slot: String,
    /// RFC 3339.
    pub(crate) time: String,
    /// Sender and destination; a message of this process has none.
    pub(crate) names: Option<(NetbiosName, NetbiosName)>,
    pub(crate) way: &'static str,
    pub(crate) page: CodePage,
}

impl Fact {
    pub(crate) fn new(slot: &SlotReader, message: Message, page: CodePage) -> Self {
        let age = message.at.map(|at| slot.clock().now().saturating_sub(at)).unwrap_or_default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = now.saturating_sub(age);
        let at = Timestamp::new(i64::try_from(at.as_secs()).unwrap_or(i64::MAX), at.subsec_nanos());
        let mut time = Vec::new();
        text::Clock::new().write(at, &mut time);
        let names = |source, destination| {
            Some((NetbiosName::from_bytes(source), NetbiosName::from_bytes(destination)))
        };
        let way = message.origin.way();
        let names = match message.origin {
            Origin::Datagram { source, destination } | Origin::Session { source, destination, .. } => {
                names(source, destination)
            }
            _ => None,
        };
        Self {
            message,
            slot: slot.name().to_string(),
            time: String::from_utf8(time).unwrap_or_default(),
            names,
            way,
            page,
        }
    }

    pub(crate) fn from(&self) -> Option<String> {
        self.names.map(|(from, _)| text::name(&from, self.page))
    }

    pub(crate) fn to(&self) -> Option<String> {
        self.names.map(|(_, to)| text::name(&to, self.page))
    }

    pub(crate) const fn source(&self) -> Option<SocketAddrV4> {
        self.message.peer
    }

    /// As a JSON object.
    pub(crate) fn object(&self, out: &mut Vec<u8>) {
        let mut json = Json { out, page: self.page };
        json.raw("{\"time\":");
        json.string(&self.time);
        json.raw(",\"slot\":");
        json.string(&self.slot);
        if let Some((from, to)) = &self.names {
            json.raw(",\"from\":");
            json.scoped_name(&(*from).into());
            json.raw(",\"to\":");
            json.scoped_name(&(*to).into());
        }
        json.field(",\"size\":", self.message.data.len());
        json.raw(",\"data\":");
        json.hex(&self.message.data);
        if let Some(text) = printable(&self.message.data, self.page) {
            json.raw(",\"text\":");
            json.string(&text);
        }
        json.raw(",\"way\":");
        json.word(self.way);
        if let Some(source) = self.source() {
            json.raw(",\"source\":\"");
            json.address(source);
            json.raw("\"");
        }
        if self.message.truncated {
            json.raw(",\"truncated\":true");
        }
        json.raw("}");
    }
}

/// The message as text, if it is one: UTF-8, else OEM text, with no control characters but tabs and line breaks. A NUL
/// at its end, as C programs send it, is left out.
pub(crate) fn printable(data: &[u8], page: CodePage) -> Option<String> {
    let text = data.strip_suffix(b"\0").unwrap_or(data);
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => page.decode(text),
    };
    let is_text = |character: char| !character.is_control() || matches!(character, '\t' | '\r' | '\n');
    text.chars().all(is_text).then_some(text)
}
