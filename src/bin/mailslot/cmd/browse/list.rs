//! The lists as they are printed: as text, and as JSON.

use std::io::IsTerminal;
use std::net::Ipv4Addr;

use mailslot::service::browser::ServerName;
use mailslot::wire::browser::{ServerType, Version};
use mailslot::wire::oem::CodePage;

use super::words::{self, fit, legend, pad, role_letters, roles, width};
use crate::json::Json;
use crate::output::Output;
use crate::text;

/// What kind of source a list is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A backup browser's list.
    Backup,
    /// The master browser's list.
    Master,
    /// The announcements that came by.
    Heard,
}

impl Source {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Master => "master",
            Self::Heard => "heard",
        }
    }
}

/// Where a list is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: Source,
    /// The computer that gave it.
    pub(crate) name: Option<ServerName>,
    pub(crate) address: Option<Ipv4Addr>,
}

impl Origin {
    pub(crate) const HEARD: Self = Self { source: Source::Heard, name: None, address: None };

    /// `,"source":"backup","from":"PC7","from_address":"192.0.2.7"`
    pub(crate) fn write(&self, json: &mut Json<'_>) {
        json.raw(",\"source\":");
        json.word(self.source.name());
        if let Some(name) = self.name {
            json.raw(",\"from\":");
            json.oem(name.as_bytes());
        }
        if let Some(address) = self.address {
            json.raw(",\"from_address\":\"");
            json.ip(address);
            json.raw("\"");
        }
    }
}

/// A computer of a list.
#[derive(Debug, Clone)]
pub(crate) struct Computer {
    pub(crate) name: ServerName,
    pub(crate) workgroup: Option<ServerName>,
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) version: Version,
    pub(crate) server_type: ServerType,
    pub(crate) comment: Vec<u8>,
    /// Seconds since it was heard.
    pub(crate) age: Option<u64>,
    /// Seconds until it is forgotten.
    pub(crate) expires_in: Option<u64>,
}

/// A workgroup of a list.
#[derive(Debug, Clone)]
pub(crate) struct Workgroup {
    pub(crate) name: ServerName,
    pub(crate) master: Option<ServerName>,
}

/// A list on its way to standard output.
pub(crate) struct Printer {
    output: Output,
    page: CodePage,
    json: bool,
    origin: Origin,
}

impl Printer {
    pub(crate) fn new(page: CodePage, json: bool, origin: Origin) -> Self {
        Self { output: Output::new(false), page, json, origin }
    }

    /// Who gave the list, for people; nobody if it was heard.
    pub(crate) fn from(&self) -> Option<String> {
        let kind = match self.origin.source {
            Source::Backup => "the backup browser",
            Source::Master => "the master browser",
            Source::Heard => return None,
        };
        let name = self.origin.name.map(|name| format!(" {}", self.oem(name))).unwrap_or_default();
        let address = self.origin.address.map(|address| format!(" ({address})")).unwrap_or_default();
        Some(format!("{kind}{name}{address}"))
    }

    fn oem(&self, name: ServerName) -> String {
        text::oem(name.as_bytes(), self.page)
    }

    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        self.output.line().extend_from_slice(line.trim_end().as_bytes());
        self.output.end_line()
    }

    /// The workgroups, one line each.
    pub(crate) fn workgroups(&mut self, workgroups: &[Workgroup]) -> anyhow::Result<()> {
        if self.json {
            for workgroup in workgroups {
                self.workgroup_object(workgroup);
                self.output.end_line()?;
            }
        } else if !workgroups.is_empty() {
            self.line(&format!("{}  MASTER", pad("WORKGROUP", NAME)))?;
            for workgroup in workgroups {
                let master = workgroup.master.map_or_else(|| "-".to_owned(), |master| self.oem(master));
                let line = format!("{}  {master}", pad(&self.oem(workgroup.name), NAME));
                self.line(&line)?;
            }
        }
        self.output.flush()
    }

    /// A workgroup, its master, and its computers.
    pub(crate) fn workgroup(&mut self, workgroup: &Workgroup, computers: &[Computer]) -> anyhow::Result<()> {
        if self.json {
            self.workgroup_object(workgroup);
            self.output.end_line()?;
        } else {
            let master = workgroup.master.map(|master| format!(", master {}", self.oem(master)));
            let line = format!("{}{}", self.oem(workgroup.name), master.unwrap_or_default());
            self.line(&line)?;
        }
        self.computers(computers)
    }

    /// Computers, one line each.
    pub(crate) fn computers(&mut self, computers: &[Computer]) -> anyhow::Result<()> {
        if self.json {
            for computer in computers {
                self.computer_object(computer);
                self.output.end_line()?;
            }
            return self.output.flush();
        }
        for line in table(computers, self.page, terminal_columns()) {
            self.line(&line)?;
        }
        self.output.flush()
    }

    fn workgroup_object(&mut self, workgroup: &Workgroup) {
        let mut json = Json { out: self.output.line(), page: self.page };
        json.raw("{\"workgroup\":");
        json.oem(workgroup.name.as_bytes());
        json.raw(",\"master\":");
        match workgroup.master {
            Some(master) => json.oem(master.as_bytes()),
            None => json.raw("null"),
        }
        self.origin.write(&mut json);
        json.raw("}");
    }

    fn computer_object(&mut self, computer: &Computer) {
        let mut json = Json { out: self.output.line(), page: self.page };
        json.raw("{\"computer\":");
        json.oem(computer.name.as_bytes());
        if let Some(workgroup) = computer.workgroup {
            json.raw(",\"workgroup\":");
            json.oem(workgroup.as_bytes());
        }
        if let Some(address) = computer.address {
            json.raw(",\"address\":\"");
            json.ip(address);
            json.raw("\"");
        }
        json.field(",\"os_version_major\":", computer.version.major);
        json.field(",\"os_version_minor\":", computer.version.minor);
        json.field(",\"server_type\":", computer.server_type.bits());
        json.raw(",\"server_types\":[");
        json.list(computer.server_type.iter_names(), |json, (name, _)| json.word(name));
        json.raw("],\"comment\":");
        json.oem(&computer.comment);
        if let Some(age) = computer.age {
            json.field(",\"age\":", age);
        }
        if let Some(expires_in) = computer.expires_in {
            json.field(",\"expires_in\":", expires_in);
        }
        self.origin.write(&mut json);
        json.raw("}");
    }
}

/// How wide the terminal is on which the list is printed; none where it goes to a file or a program.
fn terminal_columns() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    let size = is_terminal.then(ratatui::crossterm::terminal::size).and_then(Result::ok);
    size.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Computers, one line each, under the titles of the columns. Nothing is cut, unless it is for a terminal of so many
/// `columns`: there the types are in fewer words, or letters, where that leaves the comments the room they need, and these
/// take the rest.
fn table(computers: &[Computer], page: CodePage, columns: Option<usize>) -> Vec<String> {
    if computers.is_empty() {
        return Vec::new();
    }
    let with_address = computers.iter().any(|computer| computer.address.is_some());
    let place = |address: String| if with_address { format!("{address:<15}  ") } else { String::new() };
    let rows: Vec<(String, String)> = computers
        .iter()
        .map(|computer| {
            let address = computer.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
            let Version { major, minor, .. } = computer.version;
            let name = text::oem(computer.name.as_bytes(), page);
            let name = if columns.is_some() { fit(&name, ESCAPED_NAME) } else { name };
            let version = format!("{major}.{minor}");
            let before = format!("  {}  {}{version:<5}  ", pad(&name, NAME), place(address));
            (before, text::oem(&computer.comment, page))
        })
        .collect();
    let titles = format!("  {}  {}{:<5}  ", pad("COMPUTER", NAME), place("ADDRESS".to_owned()), "OS");
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    // A name that is longer, by its escapes, takes the room from its own comment only.
    let before = width(&titles);
    let comment = longest(&mut rows.iter().map(|(_, comment)| width(comment)));
    let forms = [types, roles, role_letters];
    let in_form = |form: fn(ServerType) -> String| -> Vec<String> {
        computers.iter().map(|computer| form(computer.server_type)).collect()
    };
    let room = |shown: &[String]| {
        let types = longest(&mut shown.iter().map(|types| types.len())).max(4);
        columns.map(|columns| columns.saturating_sub(before + types + 2))
    };
    let fits = |shown: &Vec<String>| room(shown).is_none_or(|room| room >= comment.clamp(7, ENOUGH));
    let shown = forms.into_iter().map(in_form).find(fits).unwrap_or_else(|| in_form(role_letters));
    let types = longest(&mut shown.iter().map(|types| types.len())).max(4);

    let mut lines = vec![format!("{titles}{:<types$}  COMMENT", "TYPE")];
    for ((before, comment), shown) in rows.into_iter().zip(&shown) {
        let room = columns.map(|columns| columns.saturating_sub(width(&before) + types + 2));
        let comment = room.map_or_else(|| comment.clone(), |room| fit(&comment, room));
        lines.push(format!("{before}{shown:<types$}  {comment}"));
    }
    if shown == in_form(role_letters) && shown.iter().any(|letters| !letters.is_empty()) {
        let all = computers
            .iter()
            .fold(ServerType::empty(), |all, computer| all | words::shown(computer.server_type));
        lines.push(format!("  ({})", legend(all, usize::MAX)));
    }
    lines
}

/// Columns for a name, which has at most 15 characters.
const NAME: usize = 15;

/// Columns that a name takes at most on a terminal, where some of its characters are escapes.
const ESCAPED_NAME: usize = 24;

/// Columns with which the comments have enough.
const ENOUGH: usize = 20;

/// The names of the bits in lower case, those that are no browser's roles first; bits without a name in hex.
pub(crate) fn types(server_type: ServerType) -> String {
    let mut names: Vec<String> =
        server_type.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let named: ServerType = server_type.iter_names().map(|(_, bit)| bit).collect();
    let rest = server_type.difference(named);
    if !rest.is_empty() {
        names.push(format!("0x{:x}", rest.bits()));
    }
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computer(name: &str, server_type: ServerType, comment: &str) -> Computer {
        Computer {
            name: ServerName::from_wire(name.as_bytes()).expect("a name"),
            workgroup: None,
            address: Some([192, 0, 2, 111].into()),
            version: Version::new(10, 0),
            server_type,
            comment: comment.as_bytes().to_vec(),
            age: None,
            expires_in: None,
        }
    }

    /// As Samba's nmbd says it.
    const SAMBA: ServerType = ServerType::WORKSTATION
        .union(ServerType::SERVER)
        .union(ServerType::PRINTQ)
        .union(ServerType::XENIX)
        .union(ServerType::NT)
        .union(ServerType::SERVER_NT)
        .union(ServerType::MASTER_BROWSER);

    #[test]
    fn what_is_for_no_terminal_is_never_cut() {
        let comment = "c".repeat(200);
        let lines = table(&[computer("PC7", ServerType::all(), &comment)], CodePage::default(), None);
        assert!(lines[1].ends_with(&comment) && lines[1].contains("potential_browser"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn on_a_terminal_the_comment_takes_the_rest() {
        let computers = [
            computer("FIFTEEN-LETTERS", SAMBA, "forty-two letters of comment, which are th"),
            computer("PC7", ServerType::NT | ServerType::POTENTIAL_BROWSER, ""),
        ];
        for columns in [72, 80, 100, 120, 200] {
            let lines = table(&computers, CodePage::default(), Some(columns));
            assert!(lines.iter().all(|line| width(line.trim_end()) <= columns), "{columns}: {lines:#?}");
            for cell in ["FIFTEEN-LETTERS", "192.0.2.111", "10.0", "forty-two letters"] {
                assert!(lines[1].contains(cell), "{columns}: no {cell} in {}", lines[1]);
            }
        }
        let lines = |columns| table(&computers, CodePage::default(), Some(columns));
        assert!(lines(200)[1].contains("master_browser") && lines(200)[1].ends_with("which are th"));
        assert!(lines(80)[1].contains("  master print  "), "{:#?}", lines(80));
        // One whose name is all escapes spoils no line but its own.
        let hostile = computer(&"\u{1b}".repeat(15), SAMBA, "forty-two letters of comment, which are th");
        let both = [computers[0].clone(), hostile];
        let with_hostile = table(&both, CodePage::default(), Some(80));
        assert_eq!(with_hostile[1].split_whitespace().last(), lines(80)[1].split_whitespace().last());
        assert!(with_hostile.iter().all(|line| width(line.trim_end()) <= 80), "{with_hostile:#?}");
        assert!(with_hostile[2].starts_with(r"  \x1b\x1b\x1b\x1b\x1b\x1…  192.0.2.111"), "{with_hostile:#?}");
        // Where only letters are left they are explained.
        assert_eq!(lines(72)[3], "  (M master  p potential  r print)");
        assert!(lines(72)[1].contains("  Mr    "), "{:#?}", lines(72));
    }
}
