//! Text for people: times, names, and nothing that a terminal would obey.

use std::fmt::Write;

use jiff::tz::TimeZone;
use mailslot::capture::Timestamp;
#[cfg(unix)]
use mailslot::node::local::{AskError, LocalError};
use mailslot::node::{NodeError, SendError, ServerEnumError};
use mailslot::slot::{MailslotError, Win32Error};
use mailslot::wire::name::{NetbiosName, ScopedName};
use mailslot::wire::oem::CodePage;

/// Whether a character does something to the text around it, or is nothing to see: control characters, those that reorder
/// others, ends of lines and paragraphs, and what takes no room (Unicode's Cf, Zl and Zp, and the fillers).
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` with everything that [`is_unsafe`] as escapes.
pub(crate) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            match u8::try_from(character) {
                Ok(byte) => _ = write!(safe, "\\x{byte:02x}"),
                Err(_) => _ = write!(safe, "\\u{{{:x}}}", u32::from(character)),
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The Win32 code of an error, if it is one of the library's calls.
fn code(error: &anyhow::Error) -> Option<Win32Error> {
    let code = error.downcast_ref().map(MailslotError::win32);
    let code = code.or_else(|| error.downcast_ref().map(NodeError::win32));
    let code = code.or_else(|| error.downcast_ref().map(SendError::win32));
    let code = code.or_else(|| error.downcast_ref().map(ServerEnumError::win32));
    #[cfg(unix)]
    let code = code.or_else(|| error.downcast_ref().map(LocalError::win32));
    #[cfg(unix)]
    let code = code.or_else(|| error.downcast_ref().map(AskError::win32));
    code
}

/// An error and its causes behind its Win32 code, if it has one; safe for a terminal, with the line breaks of its advice.
/// Causes that the errors above them have in their own words are not repeated.
pub(crate) fn error(error: &anyhow::Error) -> String {
    let whole = causes(error);
    match code(error) {
        Some(code) => format!("{code}: {whole}"),
        None => whole,
    }
}

fn causes(error: &anyhow::Error) -> String {
    let mut whole = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if whole.is_empty() {
            whole = cause;
        } else if !whole.contains(&cause) {
            whole = format!("{whole}: {cause}");
        }
    }
    lines(&whole)
}

/// Text of this program's own, with its line breaks, safe for a terminal.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// OEM text, safe for a terminal.
pub(crate) fn oem(text: &[u8], page: CodePage) -> String {
    safe(&page.decode(text))
}

/// A NetBIOS name's text: control characters as `\x01`.
pub(crate) fn name_base(base: &[u8], page: CodePage) -> String {
    oem(base, page)
}

/// `NAME<1d>`
pub(crate) fn name(name: &NetbiosName, page: CodePage) -> String {
    format!("{}<{:02x}>", name_base(name.base(), page), name.suffix().0)
}

/// `NAME<1d>`, or `NAME<1d>.scope`
pub(crate) fn scoped_name(scoped: &ScopedName<'_>, page: CodePage) -> String {
    let text = name(&scoped.name, page);
    if scoped.scope.is_none() { text } else { format!("{text}.{}", scoped.scope) }
}

/// A message for a line of text: quoted where it is printable, else hex; long ones are cut and end in `…`.
pub(crate) fn preview(data: &[u8], page: CodePage) -> String {
    const MOST: usize = 60;
    let text = data.strip_suffix(b"\0").unwrap_or(data);
    let printable = !text.is_empty() && text.iter().all(|&byte| byte >= 0x20 && byte != 0x7f);
    if printable {
        let decoded = page.decode(text);
        let shown: String = decoded.chars().take(MOST).collect();
        let more = if decoded.chars().nth(MOST).is_some() { "…" } else { "" };
        format!("\"{}\"{more}", safe(&shown))
    } else {
        let more = if data.len() > MOST / 2 { "…" } else { "" };
        format!("{}{more}", hex::encode(data.get(..MOST / 2).unwrap_or(data)))
    }
}

/// Times as RFC 3339 in UTC with microseconds. The date is worked out once per second, not once per frame.
pub(crate) struct Clock {
    seconds: i64,
    /// `2026-11-21T20:57:00`
    date: String,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let mut clock = Self { seconds: i64::MIN, date: String::new() };
        clock.turn_to(0);
        clock
    }

    #[inline]
    pub(crate) fn write(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        if time.seconds() != self.seconds {
            self.turn_to(time.seconds());
        }
        out.extend_from_slice(self.date.as_bytes());
        let mut fraction = *b".000000Z";
        let mut rest = time.nanoseconds() / 1000;
        for place in fraction.iter_mut().take(7).skip(1).rev() {
            // Below 10.
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        out.extend_from_slice(&fraction);
    }

    #[cold]
    fn turn_to(&mut self, seconds: i64) {
        self.seconds = seconds;
        // Times that jiff cannot say (after the year 9999) are shown as the last it can.
        let time = jiff::Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        self.date = time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    }
}
