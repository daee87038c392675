//! Computers in few words: their system, their roles; times; and text that does nothing to a terminal.

use std::fmt::Write;
use std::time::Duration;

use mailslot::wire::browser::{ServerType, Version};
use ratatui::text::Span;

use crate::text;

/// The operating system that an announcement claims, in at most 15 characters.
pub(crate) fn system(version: Version, server_type: ServerType) -> String {
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

/// The same in at most 8 characters, but for versions of two digits.
pub(crate) fn short_system(version: Version, server_type: ServerType) -> String {
    let whole = system(version, server_type);
    for (long, short) in [
        ("Windows 10/11", "Win10/11"),
        ("Windows XP x64", "XP x64"),
        ("Windows Vista", "Vista"),
        ("Windows NT ", "NT "),
        ("Windows 9x ", "9x "),
        ("Windows ", "Win "),
        ("Server 2008 R2", "S2008R2"),
        ("Server 2012 R2", "S2012R2"),
        ("NT Server ", "NTS "),
        ("Server ", "S"),
        ("NetWare ", "NW "),
        ("LAN Man ", "LM "),
    ] {
        if let Some(rest) = whole.strip_prefix(long) {
            return format!("{short}{rest}");
        }
    }
    whole
}

/// Roles and services, the weightiest first: bit, letter, word.
pub(crate) const ROLES: [(ServerType, char, &str); 15] = [
    (ServerType::DOMAIN_MASTER, 'D', "domain-master"),
    (ServerType::MASTER_BROWSER, 'M', "master"),
    (ServerType::BACKUP_BROWSER, 'B', "backup"),
    (ServerType::POTENTIAL_BROWSER, 'p', "potential"),
    (ServerType::DOMAIN_CTRL, 'C', "PDC"),
    (ServerType::DOMAIN_BAKCTRL, 'c', "BDC"),
    (ServerType::DOMAIN_MEMBER, 'm', "member"),
    (ServerType::PRINTQ, 'r', "print"),
    (ServerType::SQLSERVER, 'S', "SQL"),
    (ServerType::TIME_SOURCE, 'T', "time"),
    (ServerType::DIALIN, 'd', "dial-in"),
    (ServerType::TERMINALSERVER, 't', "terminal"),
    (ServerType::DFS, 'f', "DFS"),
    (ServerType::AFP, 'a', "AFP"),
    (ServerType::CLUSTER_NT, 'u', "cluster"),
];

/// What is shown of a computer's types: that it could be a browser is not, where it is one.
pub(crate) fn shown(server_type: ServerType) -> ServerType {
    let is_browser = server_type
        .intersects(ServerType::MASTER_BROWSER | ServerType::BACKUP_BROWSER | ServerType::DOMAIN_MASTER);
    if is_browser { server_type - ServerType::POTENTIAL_BROWSER } else { server_type }
}

fn roles_of(server_type: ServerType) -> impl Iterator<Item = (char, &'static str)> {
    let shown = shown(server_type);
    ROLES.into_iter().filter(move |(bit, ..)| shown.contains(*bit)).map(|(_, letter, word)| (letter, word))
}

/// The roles and services that matter, the weightiest first.
pub(crate) fn roles(server_type: ServerType) -> String {
    roles_of(server_type).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// The same, a letter each.
pub(crate) fn role_letters(server_type: ServerType) -> String {
    roles_of(server_type).map(|(letter, _)| letter).collect()
}

/// What the letters of these roles mean: `M master  p potential`, as far as there is room for whole words.
pub(crate) fn legend(roles: ServerType, columns: usize) -> String {
    let mut legend = String::new();
    for (_, letter, word) in ROLES.into_iter().filter(|(bit, ..)| roles.contains(*bit)) {
        let lead = if legend.is_empty() { "" } else { "  " };
        if legend.len() + lead.len() + 2 + word.len() <= columns {
            legend.push_str(&format!("{lead}{letter} {word}"));
        }
    }
    legend
}

/// `42s`, `12m`, `5h`, `3d`: rounded down.
pub(crate) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds}s"),
        seconds @ 100..6000 => format!("{}m", seconds / 60),
        seconds @ 6000..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// A rate: exact while it is small.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 100.0 { format!("{per_second:.1}") } else { format!("{per_second:.0}") }
}

/// A number of at most six characters: `812`, `12.3k`, `4.5M`.
pub(crate) fn number(number: u64) -> String {
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
pub(crate) fn clean(text: &str) -> String {
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
pub(crate) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// `text` in at most `columns` columns; what is cut ends in `…`.
pub(crate) fn fit(text: &str, columns: usize) -> String {
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

/// `text` and as many spaces as it lacks to `columns` columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in lines of at most `columns` columns, broken at spaces where that is possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        while let Some(line) = lines.last_mut() {
            let lead = usize::from(!line.is_empty());
            if width(line) + lead + width(word) <= columns {
                if lead > 0 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                // No line has room for it.
                let mut used = 0;
                let cut = word.char_indices().find(|(_, character)| {
                    used += width(character.encode_utf8(&mut [0; 4]));
                    used > columns
                });
                let at = cut.map_or(word.len(), |(at, _)| at);
                // At least one character, however wide it is.
                let at = if at == 0 { word.chars().next().map_or(0, char::len_utf8) } else { at };
                let (start, rest) = word.split_at(at);
                line.push_str(start);
                word = rest;
                if word.is_empty() {
                    break;
                }
            }
            lines.push(String::new());
        }
    }
    lines
}
