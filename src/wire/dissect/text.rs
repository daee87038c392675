//! Text that no terminal obeys.

use core::fmt::Write;

/// `text` with control characters, and those that nobody sees or that reorder others, as escapes.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_shown(character) {
            safe.push(character);
        } else {
            // Writing to a string does not fail.
            _ = match u8::try_from(character) {
                Ok(byte) => write!(safe, "\\x{byte:02x}"),
                Err(_) => write!(safe, "\\u{{{:x}}}", u32::from(character)),
            };
        }
    }
    safe
}

fn is_shown(character: char) -> bool {
    // Soft hyphen, marks and overrides of direction, zero-width characters, separators, tags, byte order mark.
    let unseen = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    !character.is_control() && !unseen
}

/// Lower-case hex digits, with `between` between the bytes.
pub(super) fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        _ = write!(text, "{}{byte:02x}", if index == 0 { "" } else { between });
    }
    text
}

/// Where the NUL of the UTF-16LE text at the beginning of `bytes` stands.
pub(super) fn utf16_nul(bytes: &[u8]) -> Option<usize> {
    bytes.as_chunks::<2>().0.iter().position(|unit| unit == &[0, 0]).map(|units| units.saturating_mul(2))
}

/// A number of seconds in larger units: `3 d 11 h 20 min`.
pub(super) fn seconds(seconds: u64) -> String {
    let units = [(86_400, u64::MAX, "d"), (3600, 24, "h"), (60, 60, "min"), (1, 60, "s")];
    let parts = units.map(|(length, of, unit)| (seconds / length % of, unit));
    let shown: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}

/// A number of milliseconds as a meaning of that number: `ms`, and in larger units from a second on.
pub(super) fn milliseconds(ms: u32) -> String {
    match ms {
        0..1000 => "ms".to_owned(),
        u32::MAX => "for ever".to_owned(),
        ms if ms % 1000 == 0 => format!("ms ({})", seconds(u64::from(ms) / 1000)),
        ms if ms < 60_000 => format!("ms ({}.{:03} s)", ms / 1000, ms % 1000),
        ms => format!("ms (about {})", seconds(u64::from(ms) / 1000)),
    }
}

/// A number of seconds as a meaning of that number: `s`, and in larger units from a minute on.
pub(super) fn seconds_of(number: u32) -> String {
    if number < 60 { "s".to_owned() } else { format!("s ({})", seconds(number.into())) }
}

/// Seconds since 1970-01-01 UTC.
pub(super) fn unix_time(seconds: u64) -> String {
    filetime(seconds.saturating_add(11_644_473_600).saturating_mul(10_000_000))
}

/// A FILETIME, 100 ns since 1601-01-01 UTC: `2023-11-14 22:13:20 UTC`.
pub(super) fn filetime(ticks: u64) -> String {
    let (year, month, day) = civil(ticks / 864_000_000_000);
    let second = ticks / 10_000_000 % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// An SMB_DATE (MS-CIFS 2.2.1.4.1).
pub(super) fn dos_date(date: u16) -> String {
    format!("{:04}-{:02}-{:02}", 1980_u16.saturating_add(date >> 9), date >> 5 & 15, date & 31)
}

/// An SMB_TIME (MS-CIFS 2.2.1.4.2).
pub(super) fn dos_time(time: u16) -> String {
    format!("{:02}:{:02}:{:02}", time >> 11, time >> 5 & 63, (time & 31).saturating_mul(2))
}

/// Year, month and day of a number of days since 1601-01-01 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 1600-03-01, years begin in March, and a leap day is a year's last.
    let days = days.saturating_add(306);
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (1600 + 400 * cycle + year + next, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_units() {
        assert_eq!(seconds(300_000), "3 d 11 h 20 min");
        assert_eq!(seconds(0), "0 s");
        assert_eq!(milliseconds(720_000), "ms (12 min)");
        assert_eq!(milliseconds(1500), "ms (1.500 s)");
        assert_eq!(milliseconds(61_001), "ms (about 1 min 1 s)");
        assert_eq!(filetime(0), "1601-01-01 00:00:00 UTC");
        assert_eq!(unix_time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(unix_time(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(unix_time(1_700_000_000), "2023-11-14 22:13:20 UTC");
        assert_eq!(unix_time(1_709_251_199), "2024-02-29 23:59:59 UTC");
        assert_eq!(filetime(u64::MAX), "60056-05-28 05:36:10 UTC");
    }
}
