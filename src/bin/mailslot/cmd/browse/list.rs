//! The lists as they are printed: as text, and as JSON.

use std::net::Ipv4Addr;

use mailslot::service::browser::ServerName;
use mailslot::wire::browser::{ServerType, Version};
use mailslot::wire::oem::CodePage;

use crate::json::Json;
use crate::output::Output;
use crate::text;

/// Where a list is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the announcements that came by.
    Heard,
}

impl Origin {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Heard => "heard",
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
            self.line(&format!("{:<15}  MASTER", "WORKGROUP"))?;
            for workgroup in workgroups {
                let master = workgroup.master.map_or_else(|| "-".to_owned(), |master| self.oem(master));
                let line = format!("{:<15}  {master}", self.oem(workgroup.name));
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
        let types: Vec<String> = computers.iter().map(|computer| types(computer.server_type)).collect();
        let width = types.iter().map(String::len).max().unwrap_or(0).clamp(4, 60);
        if !computers.is_empty() {
            self.line(&format!(
                "  {:<15}  {:<15}  {:<5}  {:<width$}  COMMENT",
                "COMPUTER", "ADDRESS", "OS", "TYPE"
            ))?;
        }
        for (computer, types) in computers.iter().zip(types) {
            let address = computer.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
            let Version { major, minor, .. } = computer.version;
            let line = format!(
                "  {:<15}  {address:<15}  {:<5}  {types:<width$}  {}",
                self.oem(computer.name),
                format!("{major}.{minor}"),
                text::oem(&computer.comment, self.page),
            );
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
        json.raw(",\"source\":");
        json.word(self.origin.name());
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
        json.raw(",\"source\":");
        json.word(self.origin.name());
        json.raw("}");
    }
}

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
