//! Text for people: times, names, and nothing that a terminal would obey.

use std::fmt::Write;

use jiff::tz::TimeZone;
use mailslot::capture::Timestamp;
use mailslot::wire::name::{NetbiosName, ScopedName};
use mailslot::wire::oem::CodePage;

/// `text` with control characters, and characters that reorder others, as escapes.
pub(crate) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders {
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

/// An error and its causes, safe for a terminal, with the line breaks of its advice. Causes that the errors above them
/// have in their own words are not repeated.
pub(crate) fn error(error: &anyhow::Error) -> String {
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
