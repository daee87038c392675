//! Mailslot paths and names: what Win32 makes of a string before anyone looks for a slot.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;
use std::sync::Arc;

use super::casing::{is_word, upcase};
use super::error::MailslotError;
use crate::wire::oem::CodePage;
use crate::wire::smb::SmbStr;

/// Largest path that Win32 converts to a native one, in UTF-16 units. Observed: 32,759 and more fail with
/// `ERROR_PATH_NOT_FOUND`.
pub const MAX_WIN32_PATH_UNITS: usize = 32_758;
/// Largest native path, in UTF-16 units: what a counted string of 65,535 bytes can hold with its prefix.
pub const MAX_NATIVE_PATH_UNITS: usize = 32_766;
/// Largest mailslot name, in UTF-16 units: the native path without `\??\MAILSLOT\`.
pub const MAX_NAME_UNITS: usize = MAX_NATIVE_PATH_UNITS - 13;

/// The prefix of every mailslot name on the wire (MS-MAIL 2.2.1). Compares without ASCII case.
pub const WIRE_PREFIX: &[u8] = br"\MAILSLOT\";

const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;
const DOT: u16 = b'.' as u16;
const SPACE: u16 = b' ' as u16;
const QUESTION: u16 = b'?' as u16;
const CLASS: &str = "mailslot";

/// The name of a mailslot below `\\.\mailslot\`: one or more parts with backslashes between them.
///
/// Names are UTF-16 units and may hold unpaired surrogates, as on Windows. They compare and hash unit by unit
/// without case, by a simple upper-case table and not by Unicode folding: é equals É, but µ differs from Μ, ı
/// from I, ς from Σ and the Kelvin sign from k. A trailing backslash is part of the name (`x\` is not `x`).
#[derive(Clone)]
pub struct SlotName {
    units: Arc<[u16]>,
    /// `units` in upper case, or the same allocation where that changes nothing.
    key: Arc<[u16]>,
}

impl SlotName {
    /// The name `name` below `\\.\mailslot\`, after the path rules of Win32 (see [`SlotPath`]).
    ///
    /// # Errors
    ///
    /// Those of [`SlotPath::parse`].
    pub fn new(name: &str) -> Result<Self, MailslotError> {
        SlotPath::parse(&format!(r"\\.\mailslot\{name}")).map(|path| path.name)
    }

    /// Exactly these units, without the path rules of Win32: the native form.
    ///
    /// # Errors
    ///
    /// [`MailslotError::NoName`] if there are none, [`MailslotError::NameTooLong`] over [`MAX_NAME_UNITS`],
    /// [`MailslotError::BadName`] if there is a NUL.
    pub fn from_units(units: &[u16]) -> Result<Self, MailslotError> {
        if units.is_empty() {
            return Err(MailslotError::NoName { path: r"\\.\mailslot\".to_owned() });
        }
        if units.len() > MAX_NAME_UNITS {
            return Err(MailslotError::NameTooLong { units: units.len(), max: MAX_NAME_UNITS });
        }
        if units.contains(&0) {
            return Err(MailslotError::BadName { name: text(units), reason: "it holds a NUL" });
        }
        let units: Arc<[u16]> = units.into();
        let key = if units.iter().all(|&u| upcase(u) == u) {
            Arc::clone(&units)
        } else {
            units.iter().map(|&u| upcase(u)).collect()
        };
        Ok(Self { units, key })
    }

    /// The name's UTF-16 units, in the case they were given in.
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// The name as it goes on the wire: `\MAILSLOT\` and the name, one byte per unit, without a NUL (MS-MAIL 2.2.1).
    ///
    /// U+0080 to U+00FF go as the bytes 0x80 to 0xFF one to one, whatever the OEM code page.
    ///
    /// # Errors
    ///
    /// [`MailslotError::BadName`] if a unit is over U+00FF.
    pub fn to_wire(&self) -> Result<Vec<u8>, MailslotError> {
        let mut out = Vec::with_capacity(WIRE_PREFIX.len() + self.units.len());
        out.extend_from_slice(WIRE_PREFIX);
        for &unit in self.units.iter() {
            out.push(u8::try_from(unit).map_err(|_| MailslotError::BadName {
                name: self.to_string(),
                reason: "only U+0001 to U+00FF can be written on the wire",
            })?);
        }
        Ok(out)
    }

    /// The name in a mailslot message: `bytes` is the whole path `\MAILSLOT\name` without its NUL.
    ///
    /// The prefix compares without ASCII case. Bytes over 0x7F become U+0080 to U+00FF one to one. The path rules
    /// of Win32 are not applied: what a peer wrote is the name.
    ///
    /// # Errors
    ///
    /// [`MailslotError::NotAMailslot`] without the prefix, [`MailslotError::NoName`] if nothing follows it,
    /// [`MailslotError::BadName`] if there is a NUL, [`MailslotError::NameTooLong`].
    pub fn from_wire(bytes: &[u8]) -> Result<Self, MailslotError> {
        let name = bytes
            .split_at_checked(WIRE_PREFIX.len())
            .filter(|(prefix, _)| prefix.eq_ignore_ascii_case(WIRE_PREFIX))
            .map(|(_, name)| name)
            .ok_or_else(|| MailslotError::NotAMailslot { path: bytes.escape_ascii().to_string() })?;
        Self::from_units(&name.iter().map(|&b| u16::from(b)).collect::<Vec<_>>())
    }

    /// The name in a message of a session, `\MAILSLOT\name`, in either form.
    ///
    /// # Errors
    ///
    /// Those of [`Self::from_wire`].
    pub fn from_smb(path: SmbStr<'_>) -> Result<Self, MailslotError> {
        if !path.is_unicode() {
            return Self::from_wire(path.as_bytes());
        }
        let name = path
            .strip_prefix_ignore_ascii_case(WIRE_PREFIX)
            .ok_or_else(|| MailslotError::NotAMailslot { path: path.decode(CodePage::default()) })?;
        let units = name.as_bytes().chunks_exact(2).map(|unit| match *unit {
            [low, high] => u16::from_le_bytes([low, high]),
            _ => 0,
        });
        Self::from_units(&units.collect::<Vec<_>>())
    }

    /// The name as Windows 95, 98 and Me cut it: each part to eight units and three after its first dot
    /// (KB Q139716). With several dots in a part, what follows the second is dropped too (decided).
    #[must_use]
    pub fn cut_to_8_3(&self) -> Self {
        let mut out: Vec<u16> = Vec::with_capacity(self.units.len());
        for (i, part) in self.units.split(|&u| u == BACKSLASH).enumerate() {
            if i > 0 {
                out.push(BACKSLASH);
            }
            let mut pieces = part.split(|&u| u == DOT);
            out.extend(pieces.next().unwrap_or_default().iter().take(8));
            if let Some(extension) = pieces.next().filter(|e| !e.is_empty()) {
                out.push(DOT);
                out.extend(extension.iter().take(3));
            }
        }
        // A name of dots alone has nothing left to cut.
        Self::from_units(&out).unwrap_or_else(|_| self.clone())
    }
}

impl PartialEq for SlotName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for SlotName {}

impl Hash for SlotName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for SlotName {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SlotName {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// The name, unpaired surrogates as U+FFFD.
impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text(&self.units))
    }
}

impl fmt::Debug for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotName({:?})", text(&self.units))
    }
}

/// Parses as [`SlotName::new`].
impl FromStr for SlotName {
    type Err = MailslotError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::new(s)
    }
}

/// Whose mailslot a path names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// `\\.\`: this machine.
    Local,
    /// `\\NAME\`: a computer or a domain; only the network can tell which. Kept as given.
    Named(String),
    /// `\\*\`: every computer of the primary domain.
    Everyone,
}

/// A mailslot path: `\\.\mailslot\name`, `\\NAME\mailslot\name` or `\\*\mailslot\name` (Win32 `CreateMailslot`).
///
/// Parsing applies the path rules of Win32: `/` is `\`, doubled backslashes are one, `.` and `..` are resolved,
/// dots and spaces at the end go, the class word is in any case; a trailing backslash stays and is part of the
/// name. Under `\\?\` and `\??\` nothing of that happens, and `/` is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SlotPath {
    /// Whose mailslot.
    pub target: Target,
    /// The name below `mailslot\`.
    pub name: SlotName,
}

impl SlotPath {
    /// The path of `name` at `target`.
    pub const fn new(target: Target, name: SlotName) -> Self {
        Self { target, name }
    }

    /// The local path of `name`.
    pub const fn local(name: SlotName) -> Self {
        Self::new(Target::Local, name)
    }

    /// Parses a path.
    ///
    /// # Errors
    ///
    /// With the Win32 code in brackets: [`MailslotError::EmptyPath`] (3), [`MailslotError::NotAMailslot`] (123),
    /// [`MailslotError::ShellAteBackslashes`] (123), [`MailslotError::NotUnderMailslot`] (3),
    /// [`MailslotError::NoName`] (183), [`MailslotError::BadName`] (123), [`MailslotError::PathTooLong`] (3) and
    /// [`MailslotError::NameTooLong`] (123).
    pub fn parse(path: &str) -> Result<Self, MailslotError> {
        Self::from_units(&path.encode_utf16().collect::<Vec<_>>())
    }

    /// Parses a path of UTF-16 units, which need not be well-formed. Errors as [`Self::parse`].
    pub fn from_units(path: &[u16]) -> Result<Self, MailslotError> {
        if path.is_empty() {
            return Err(MailslotError::EmptyPath);
        }
        if path.contains(&0) {
            return Err(MailslotError::BadName { name: text(path), reason: "it holds a NUL" });
        }
        if let [BACKSLASH, BACKSLASH | QUESTION, QUESTION, BACKSLASH, rest @ ..] = path {
            return verbatim(path, rest);
        }
        if path.len() > MAX_WIN32_PATH_UNITS {
            return Err(MailslotError::PathTooLong { units: path.len(), max: MAX_WIN32_PATH_UNITS });
        }
        let converted: Vec<u16> = path.iter().map(|&u| if u == SLASH { BACKSLASH } else { u }).collect();
        match converted.as_slice() {
            [BACKSLASH, BACKSLASH, DOT | QUESTION, BACKSLASH, rest @ ..] => device(path, rest),
            [BACKSLASH, BACKSLASH, DOT | QUESTION] => Err(MailslotError::NotAMailslot { path: text(path) }),
            [BACKSLASH, BACKSLASH, rest @ ..] => unc(path, rest),
            other if is_dos_device(other) => Err(MailslotError::NoName { path: text(path) }),
            _ => Err(not_a_path(path)),
        }
    }

    /// Whether the path is one of this machine.
    pub const fn is_local(&self) -> bool {
        matches!(self.target, Target::Local)
    }
}

/// The path in its usual spelling; one that the path rules would change is given with `\\?\`. A path that was parsed
/// parses again to itself, unless it holds an unpaired surrogate.
impl fmt::Display for SlotPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let normal = is_normal(&self.name.units);
        let host = match &self.target {
            Target::Local if normal => r"\\.",
            Target::Local => r"\\?",
            Target::Named(host) if normal && host != "." && host != "?" => &format!(r"\\{host}"),
            Target::Named(host) => &format!(r"\\?\UNC\{host}"),
            Target::Everyone if normal => r"\\*",
            Target::Everyone => r"\\?\UNC\*",
        };
        f.pad(&format!(r"{host}\mailslot\{}", self.name))
    }
}

/// Parses as [`SlotPath::parse`].
impl FromStr for SlotPath {
    type Err = MailslotError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}

/// `rest` is what follows `\\?\` or `\??\`.
fn verbatim(path: &[u16], rest: &[u16]) -> Result<SlotPath, MailslotError> {
    if path.contains(&SLASH) {
        return Err(MailslotError::NotAMailslot { path: text(path) });
    }
    if path.len() > MAX_NATIVE_PATH_UNITS {
        return Err(MailslotError::NameTooLong { units: path.len(), max: MAX_NATIVE_PATH_UNITS });
    }
    let mut parts = rest.splitn(2, |&u| u == BACKSLASH);
    let class = parts.next().unwrap_or_default();
    match parts.next() {
        Some(below) if is_word(class, "unc") => {
            let below: Vec<&[u16]> = below.split(|&u| u == BACKSLASH).collect();
            remote(path, &below, false)
        }
        name => local(path, class, name),
    }
}

/// `rest` is what follows `\\.\`, with its slashes converted.
fn device(path: &[u16], rest: &[u16]) -> Result<SlotPath, MailslotError> {
    let (parts, trailing) = normalize(rest);
    let Some((class, names)) = parts.split_first() else {
        return Err(MailslotError::NotAMailslot { path: text(path) });
    };
    if names.is_empty() {
        return local(path, class, trailing.then_some(&[][..]));
    }
    let mut name = names.join(&BACKSLASH);
    if trailing {
        name.push(BACKSLASH);
    }
    local(path, class, Some(&name))
}

/// A local path of the device `class`; `name` is what follows its backslash, if there is one.
fn local(path: &[u16], class: &[u16], name: Option<&[u16]>) -> Result<SlotPath, MailslotError> {
    let known = is_word(class, CLASS) || is_dos_device(class);
    match name {
        None | Some([]) if known => Err(MailslotError::NoName { path: text(path) }),
        Some(name) if is_word(class, CLASS) => Ok(SlotPath::local(SlotName::from_units(name)?)),
        // A device of another kind, or an object that would have to be made in the devices' directory.
        None => Err(MailslotError::NotAMailslot { path: text(path) }),
        Some(_) if is_word(class, "pipe") || is_drive(class) => {
            Err(MailslotError::NotAMailslot { path: text(path) })
        }
        Some(_) => Err(MailslotError::NotUnderMailslot { path: text(path) }),
    }
}

/// `rest` is what follows `\\`, with its slashes converted.
fn unc(path: &[u16], rest: &[u16]) -> Result<SlotPath, MailslotError> {
    // Server and share are a UNC path's root: the path rules begin after them.
    let mut parts = rest.split(|&u| u == BACKSLASH);
    let server = parts.next().unwrap_or_default();
    let share = parts.find(|p| !p.is_empty()).unwrap_or_default();
    let below = parts.collect::<Vec<_>>().join(&BACKSLASH);
    let (names, trailing) = normalize(&below);
    let mut all = vec![server, share];
    all.extend(names);
    remote(path, &all, trailing)
}

/// A remote path in its parts: server, class, name.
fn remote(path: &[u16], parts: &[&[u16]], trailing: bool) -> Result<SlotPath, MailslotError> {
    let [server, class, names @ ..] = parts else {
        return Err(MailslotError::NotUnderMailslot { path: text(path) });
    };
    if server.is_empty() || !is_word(class, CLASS) || names.is_empty() {
        return Err(MailslotError::NotUnderMailslot { path: text(path) });
    }
    let mut name = names.join(&BACKSLASH);
    if trailing {
        name.push(BACKSLASH);
    }
    let name = SlotName::from_units(&name)?;
    let target = if *server == [u16::from(b'*')] {
        Target::Everyone
    } else {
        Target::Named(
            String::from_utf16(server).map_err(|_| MailslotError::NotAMailslot { path: text(path) })?,
        )
    };
    Ok(SlotPath::new(target, name))
}

/// Resolves `.`, `..`, doubled backslashes and what Win32 drops at the end. The flag says whether a backslash
/// remains at the end.
fn normalize(rest: &[u16]) -> (Vec<&[u16]>, bool) {
    let mut parts: Vec<&[u16]> = Vec::new();
    let mut trailing = false;
    for part in rest.split(|&u| u == BACKSLASH) {
        trailing = false;
        match part {
            [] => trailing = true,
            [DOT] => {}
            [DOT, DOT] => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if !trailing && let Some(last) = parts.last_mut() {
        while let [head @ .., DOT | SPACE] = *last {
            *last = head;
        }
        if last.is_empty() {
            parts.pop();
            trailing = true;
        }
    }
    let trailing = trailing && !parts.is_empty();
    (parts, trailing)
}

/// Whether the path rules leave a name as it is.
fn is_normal(name: &[u16]) -> bool {
    if name.contains(&SLASH) || name.len() + 13 > MAX_WIN32_PATH_UNITS {
        return false;
    }
    let (parts, trailing) = normalize(name);
    let mut again = parts.join(&BACKSLASH);
    if trailing {
        again.push(BACKSLASH);
    }
    again == name
}

fn is_drive(class: &[u16]) -> bool {
    matches!(class, [0x41..=0x5A | 0x61..=0x7A, 0x3A])
}

/// The device names of DOS, which exist in the same directory as the mailslot class.
fn is_dos_device(name: &[u16]) -> bool {
    ["CON", "NUL", "AUX", "PRN"].iter().any(|d| is_word(name, d))
        || name.split_last().is_some_and(|(last, head)| {
            (0x31..=0x39).contains(last) && (is_word(head, "COM") || is_word(head, "LPT"))
        })
}

/// The error of a path that is neither a device path nor a UNC path.
fn not_a_path(path: &[u16]) -> MailslotError {
    let given = text(path);
    match guess_unquoted(&given) {
        Some(suggestion) => MailslotError::ShellAteBackslashes { path: given, suggestion },
        None => MailslotError::NotAMailslot { path: given },
    }
}

/// What was typed, if `path` looks like `\\HOST\mailslot\name` after a shell took every other backslash (double
/// quotes) or all it could (no quotes). Backslashes inside the name are not recovered.
fn guess_unquoted(path: &str) -> Option<String> {
    let rest = path.strip_prefix('\\').unwrap_or(path);
    let at = rest.to_ascii_lowercase().find(CLASS)?;
    let (host, class) = rest.split_at_checked(at)?;
    let host = host.strip_suffix('\\').unwrap_or(host);
    let name = class.get(CLASS.len()..)?;
    let name = name.strip_prefix('\\').unwrap_or(name);
    let plausible = path.starts_with('\\') || matches!(host, "." | "*");
    if !plausible || host.is_empty() || name.is_empty() || host.contains(['\\', '/', ':']) {
        return None;
    }
    Some(format!(r"\\{host}\mailslot\{name}"))
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}
