//! Computers in few words: their system, their roles; times; and text that does nothing to a terminal.

use std::fmt::Write;
use std::time::Duration;

use mailslot::wire::browser::{ServerType, Version};
use ratatui::text::Span;

use crate::text;

/// The operating system that an announcement claims, in at most 15 characters.
pub(super) fn system(version: Version, server_type: ServerType) -> String {
    let Version { major, minor, .. } = version;
    if server_type.contains(ServerType::WINDOWS) {
        return format!("Windows 9x {version}");
    }
    if server_type.contains(ServerType::WFW) {
        return format!("WfW {version}");
    }
    // Samba says that it is a Unix server, and a version of Windows NT.
    for (bit, name) in [
        (ServerType::XENIX, "Unix"),
        (ServerType::OSF, "OSF"),
        (ServerType::VMS, "VMS"),
        (ServerType::NOVELL, "NetWare"),
    ] {
        if server_type.contains(bit) {
            return format!("{name} {version}");
        }
    }
    if !server_type.contains(ServerType::NT) {
        return format!("LAN Man {version}");
    }
    let server =
        server_type.intersects(ServerType::SERVER_NT | ServerType::DOMAIN_CTRL | ServerType::DOMAIN_BAKCTRL);
    let (workstation_name, server_name) = match (major, minor) {
        (5, 0) => ("Windows 2000", "Server 2000"),
        (5, 1) => ("Windows XP", "Windows XP"),
        (5, 2) => ("Windows XP x64", "Server 2003"),
        (6, 0) => ("Windows Vista", "Server 2008"),
        (6, 1) => ("Windows 7", "Server 2008 R2"),
        (6, 2) => ("Windows 8", "Server 2012"),
        (6, 3) => ("Windows 8.1", "Server 2012 R2"),
        (10, 0) => ("Windows 10/11", "Server 2016+"),
        _ => return format!("{} {version}", if server { "NT Server" } else { "Windows NT" }),
    };
    if server { server_name } else { workstation_name }.to_owned()
}

/// The roles and services that matter, the weightiest first.
pub(super) fn roles(server_type: ServerType) -> String {
    let is_browser = server_type
        .intersects(ServerType::MASTER_BROWSER | ServerType::BACKUP_BROWSER | ServerType::DOMAIN_MASTER);
    let mut words = Vec::new();
    for (bit, word) in [
        (ServerType::DOMAIN_MASTER, "domain-master"),
        (ServerType::MASTER_BROWSER, "master"),
        (ServerType::BACKUP_BROWSER, "backup"),
        (ServerType::POTENTIAL_BROWSER, "potential"),
        (ServerType::DOMAIN_CTRL, "PDC"),
        (ServerType::DOMAIN_BAKCTRL, "BDC"),
        (ServerType::DOMAIN_MEMBER, "member"),
        (ServerType::PRINTQ, "print"),
        (ServerType::SQLSERVER, "SQL"),
        (ServerType::TIME_SOURCE, "time"),
        (ServerType::DIALIN, "dial-in"),
        (ServerType::TERMINALSERVER, "terminal"),
        (ServerType::DFS, "DFS"),
        (ServerType::AFP, "AFP"),
        (ServerType::CLUSTER_NT, "cluster"),
    ] {
        if server_type.contains(bit) && !(bit == ServerType::POTENTIAL_BROWSER && is_browser) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// `42s`, `12m`, `5h`, `3d`: rounded down.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds}s"),
        seconds @ 100..6000 => format!("{}m", seconds / 60),
        seconds @ 6000..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// A rate: exact while it is small.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 100.0 { format!("{per_second:.1}") } else { format!("{per_second:.0}") }
}

/// A number of at most six characters: `812`, `12.3k`, `4.5M`.
pub(super) fn number(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let float = number as f64;
    match number {
        0..100_000 => number.to_string(),
        100_000..1_000_000 => format!("{}k", number / 1000),
        1_000_000..1_000_000_000 => format!("{:.1}M", float / 1e6),
        _ => format!("{:.1}G", float / 1e9),
    }
}

/// Text from the network as a terminal shows it: with [`text::safe`]'s escapes, and also for characters that take no room,
/// by which what follows could be hidden or two texts look the same.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text::safe(text).chars() {
        if width(character.encode_utf8(&mut [0; 4])) == 0 {
            _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Columns that `text` takes on the terminal.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// `text` in at most `columns` columns; what is cut ends in `…`.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut fitting = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += width(character.encode_utf8(&mut [0; 4]));
        if used >= columns {
            break;
        }
        fitting.push(character);
    }
    if columns > 0 {
        fitting.push('…');
    }
    fitting
}
