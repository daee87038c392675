//! LMHOSTS files: addresses and names for where no query reaches (MS-NBTE 3.1.1, the file's own comments in Windows).
//!
//! ```text
//! 10.0.0.5   SERVER   #PRE #DOM:LAB          # SERVER<00>, <03>, <20>; and LAB<1c>
//! 10.0.0.6   "LAB            \0x1b"  #PRE    # exactly LAB<1b>
//! #INCLUDE \\server\share\lmhosts
//! ```

use core::fmt;
use core::net::Ipv4Addr;
use std::collections::BTreeMap;

use super::{CacheEntry, NameKind};
use crate::wire::ValueError;
use crate::wire::name::{NetbiosName, Suffix};

/// How deep files may include files.
const MAX_DEPTH: usize = 8;

/// How many files are read in all.
const MAX_FILES: usize = 256;

/// What the lines of LMHOSTS files say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lmhosts {
    entries: Vec<LmhostsEntry>,
    errors: Vec<LmhostsError>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LmhostsEntry {
    /// The address.
    pub address: Ipv4Addr,
    /// The name. [`Self::every_suffix`] tells whether its suffix was written.
    pub name: NetbiosName,
    /// No suffix was written: the workstation, messenger and server names of the computer are meant.
    pub every_suffix: bool,
    /// `#PRE`: to be known before any query.
    pub preload: bool,
    /// `#DOM:`: the computer is a domain controller of this domain, a member of the group `DOMAIN<1c>`.
    pub domain: Option<NetbiosName>,
    /// `#MH`: further lines give further addresses of the same computer.
    pub multihomed: bool,
    /// `#SG`: the name is a group's; further lines give further members.
    pub group: bool,
}

/// A line that says nothing usable. All others count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{}line {line}: {kind}", Self::prefix(.file.as_deref()))]
pub struct LmhostsError {
    /// The included file; `None`: the text itself.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: LmhostsErrorKind,
}

impl LmhostsError {
    fn prefix(file: Option<&str>) -> impl fmt::Display {
        file.map_or_else(String::new, |file| format!("{file}: "))
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LmhostsErrorKind {
    /// The line does not begin with an IPv4 address.
    #[error("not an IPv4 address: {0}")]
    Address(String),
    /// Nothing behind the address.
    #[error("an address without a name")]
    NoName,
    /// A name that cannot be one.
    #[error("{0}")]
    Name(ValueError),
    /// A quote without its end.
    #[error("a quoted name without its closing quote")]
    Quote,
    /// A suffix that is not `\0x` or `\x` and two hex digits, at the 16th place.
    #[error("the 16th character is to be written as \\0x and two hex digits, behind 15 characters")]
    Suffix,
    /// The file to include cannot be had.
    #[error("cannot include {0}")]
    Include(String),
    /// None of the files between `#BEGIN_ALTERNATE` and `#END_ALTERNATE` can be had.
    #[error("none of the alternate files can be included")]
    Alternate,
    /// `#BEGIN_ALTERNATE` without `#END_ALTERNATE`, or the other way round.
    #[error("#BEGIN_ALTERNATE and #END_ALTERNATE do not match")]
    Unbalanced,
    /// Files include files too deeply, or too many.
    #[error("too many included files, the last is {0}")]
    TooMany(String),
}

impl Lmhosts {
    /// Reads the text of an LMHOSTS file. `include` gives the text of a file that the text names, or `None` if it
    /// cannot be had. Keywords must be in capitals, as Windows wants them; anything else behind `#` is a comment.
    pub fn parse(text: &str, mut include: impl FnMut(&str) -> Option<String>) -> Self {
        let mut parser = Parser { result: Self::default(), include: &mut include, files: 0 };
        parser.file(None, text, 0);
        parser.result
    }

    /// The usable lines, in order.
    pub fn entries(&self) -> &[LmhostsEntry] {
        &self.entries
    }

    /// The other lines, in order.
    pub fn errors(&self) -> &[LmhostsError] {
        &self.errors
    }

    /// Unique or group, and the addresses, of a name; up to `max`.
    pub fn lookup(&self, name: &NetbiosName, max: usize) -> Option<(NameKind, Vec<Ipv4Addr>)> {
        let mut found: Option<Collected> = None;
        for (listed, kind, several, entry) in self.names() {
            if listed == *name {
                found.get_or_insert_with(|| Collected::new(kind)).add(entry.address, kind, several, max);
            }
        }
        found.map(|found| (found.kind, found.addresses))
    }

    /// All names with `#PRE`.
    pub(super) fn preloaded(&self, max: usize) -> BTreeMap<NetbiosName, CacheEntry> {
        let mut names: BTreeMap<NetbiosName, Collected> = BTreeMap::new();
        for (name, kind, several, entry) in self.names().filter(|(.., entry)| entry.preload) {
            names.entry(name).or_insert_with(|| Collected::new(kind)).add(entry.address, kind, several, max);
        }
        let entry = |Collected { kind, addresses }| CacheEntry { kind, addresses, expires: None };
        names.into_iter().map(|(name, found)| (name, entry(found))).collect()
    }

    /// Each name of each line: its kind, and whether several lines may give addresses to it.
    fn names(&self) -> impl Iterator<Item = (NetbiosName, NameKind, bool, &LmhostsEntry)> {
        self.entries.iter().flat_map(|entry| {
            let suffixes: &[Suffix] = if entry.every_suffix {
                &[Suffix::WORKSTATION, Suffix::MESSENGER, Suffix::SERVER]
            } else {
                &[]
            };
            let exact = (!entry.every_suffix).then_some(entry.name);
            let names = suffixes.iter().map(|&suffix| entry.name.with_suffix(suffix)).chain(exact);
            let kind = if entry.group { NameKind::Group } else { NameKind::Unique };
            let several = entry.group || entry.multihomed;
            let domain = entry.domain.map(|domain| (domain, NameKind::Group, true, entry));
            names.map(move |name| (name, kind, several, entry)).chain(domain)
        })
    }
}

/// The addresses of one name. The first line decides what it is.
struct Collected {
    kind: NameKind,
    addresses: Vec<Ipv4Addr>,
}

impl Collected {
    const fn new(kind: NameKind) -> Self {
        Self { kind, addresses: Vec::new() }
    }

    fn add(&mut self, address: Ipv4Addr, kind: NameKind, several: bool, max: usize) {
        let fits = self.addresses.is_empty() || (several && kind == self.kind && self.addresses.len() < max);
        if fits && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}

struct Parser<'a> {
    result: Lmhosts,
    include: &'a mut dyn FnMut(&str) -> Option<String>,
    files: usize,
}

/// Between `#BEGIN_ALTERNATE` and `#END_ALTERNATE`: the first file that can be had counts.
struct Alternate {
    line: usize,
    tried: bool,
    found: bool,
}

impl Parser<'_> {
    fn file(&mut self, file: Option<&str>, text: &str, depth: usize) {
        let mut alternate: Option<Alternate> = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let line = line.trim();
            let outcome = if let Some(path) = keyword(line, "#INCLUDE") {
                self.include(path, depth, alternate.as_mut())
            } else if keyword(line, "#BEGIN_ALTERNATE").is_some() {
                let open = alternate.replace(Alternate { line: number, tried: false, found: false });
                if open.is_some() { Err(LmhostsErrorKind::Unbalanced) } else { Ok(()) }
            } else if keyword(line, "#END_ALTERNATE").is_some() {
                match alternate.take() {
                    None => Err(LmhostsErrorKind::Unbalanced),
                    Some(Alternate { tried: true, found: false, .. }) => Err(LmhostsErrorKind::Alternate),
                    Some(_) => Ok(()),
                }
            } else {
                entry(line).map(|entry| self.result.entries.extend(entry))
            };
            if let Err(kind) = outcome {
                self.error(file, number, kind);
            }
        }
        if let Some(Alternate { line, .. }) = alternate {
            self.error(file, line, LmhostsErrorKind::Unbalanced);
        }
    }

    fn error(&mut self, file: Option<&str>, line: usize, kind: LmhostsErrorKind) {
        self.result.errors.push(LmhostsError { file: file.map(str::to_owned), line, kind });
    }

    fn include(
        &mut self,
        path: &str,
        depth: usize,
        alternate: Option<&mut Alternate>,
    ) -> Result<(), LmhostsErrorKind> {
        let path = path.trim_matches('"');
        if let Some(Alternate { found: true, .. }) = alternate {
            return Ok(());
        }
        if depth >= MAX_DEPTH || self.files >= MAX_FILES {
            return Err(LmhostsErrorKind::TooMany(path.to_owned()));
        }
        self.files += 1;
        let text = (self.include)(path);
        match (alternate, &text) {
            (Some(alternate), text) => {
                alternate.tried = true;
                alternate.found = text.is_some();
            }
            (None, Some(_)) => {}
            (None, None) => return Err(LmhostsErrorKind::Include(path.to_owned())),
        }
        if let Some(text) = text {
            self.file(Some(path), &text, depth + 1);
        }
        Ok(())
    }
}

/// What stands behind `keyword` at the beginning of a line.
fn keyword<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(keyword)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// Reads a line of address, name and keywords; `None` for an empty one or a comment.
fn entry(line: &str) -> Result<Option<LmhostsEntry>, LmhostsErrorKind> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (address, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let address = address.parse().map_err(|_| LmhostsErrorKind::Address(address.to_owned()))?;
    let rest = rest.trim_start();
    let (name, every_suffix, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let (text, rest) = quoted.split_once('"').ok_or(LmhostsErrorKind::Quote)?;
            let (name, every_suffix) = quoted_name(text)?;
            (name, every_suffix, rest)
        }
        None => {
            let end = rest.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(rest.len());
            let (text, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if text.is_empty() {
                return Err(LmhostsErrorKind::NoName);
            }
            (computer(text)?, true, rest)
        }
    };
    let mut entry = LmhostsEntry {
        address,
        name,
        every_suffix,
        preload: false,
        domain: None,
        multihomed: false,
        group: false,
    };
    for word in rest.split_whitespace() {
        match word {
            "#PRE" => entry.preload = true,
            "#MH" => entry.multihomed = true,
            "#SG" => entry.group = true,
            _ => match word.strip_prefix("#DOM:") {
                Some(domain) => entry.domain = Some(suffixed(domain, Suffix::DOMAIN_CONTROLLERS)?),
                // The rest is a comment.
                None => break,
            },
        }
    }
    Ok(Some(entry))
}

fn computer(text: &str) -> Result<NetbiosName, LmhostsErrorKind> {
    suffixed(text, Suffix::WORKSTATION)
}

fn suffixed(text: &str, suffix: Suffix) -> Result<NetbiosName, LmhostsErrorKind> {
    NetbiosName::new(text, suffix).map_err(LmhostsErrorKind::Name)
}

/// The name between quotes: 15 characters and `\0xNN`, or without a suffix up to 15 characters.
fn quoted_name(text: &str) -> Result<(NetbiosName, bool), LmhostsErrorKind> {
    let Some((base, code)) = text.split_once('\\') else {
        return computer(text.trim_end()).map(|name| (name, true));
    };
    let digits = code.strip_prefix("0x").or_else(|| code.strip_prefix('x'));
    let suffix =
        digits.filter(|digits| digits.len() == 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    match suffix {
        Some(suffix) if base.chars().count() == 15 => {
            suffixed(base.trim_end(), Suffix(suffix)).map(|name| (name, false))
        }
        _ => Err(LmhostsErrorKind::Suffix),
    }
}
