//! NetBIOS names: 16 bytes, their scope, and the two encodings (RFC 1001 §14, RFC 1002 §4.1).
//!
//! ```text
//! first level    each byte → two letters 'A' + high nibble, 'A' + low nibble          32 letters
//! second level   20 | 32 letters | (length | scope label)* | 00                        34 bytes without scope
//! ```

use core::fmt;
use core::str::FromStr;

use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use super::read::{self, Parsed};

/// Length of the encoded name without its scope, in bytes: length, 32 letters, root.
pub const ENCODED_LEN: usize = 34;

/// Largest encoded name with its scope, in bytes (RFC 1002 §4.1).
pub const MAX_ENCODED_LEN: usize = 255;

/// Largest encoded name that is read, in bytes: a scope of 237 characters, which Samba's WINS server takes and its
/// tests send (`ad-wins-torture.pcap`, frames 330 to 347). One character more is refused there too.
pub const MAX_ACCEPTED_LEN: usize = 272;

const LETTERS: usize = 32;

/// A 16-byte NetBIOS name: 15 bytes of name and the suffix, which tells what the name is for.
///
/// The bytes are kept as they came; names are equal when all 16 bytes are (MS-NBTE 2.2.1). The text is in the
/// sender's OEM code page, padded with spaces; `*` is padded with NUL.
///
/// Printed as `NAME<1d>`: trailing padding removed, bytes outside printable ASCII as `\xNN`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetbiosName([u8; 16]);

impl NetbiosName {
    /// `*`, padded with NUL: every node (node status, broadcast datagrams). RFC 1002 §4.2.17.
    pub const WILDCARD: Self = Self(*b"*\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

    /// `\x01\x02__MSBROWSE__\x02<01>`, the group of all master browsers (MS-BRWS 2.1.1).
    pub const MSBROWSE: Self = Self(*b"\x01\x02__MSBROWSE__\x02\x01");

    /// A name from `text`, put into upper case (ASCII) and padded with spaces; `*` is padded with NUL.
    ///
    /// `text` must be ASCII: only ASCII means the same in all code pages. For other names see
    /// [`Self::from_oem`].
    ///
    /// # Errors
    /// Empty, longer than 15 bytes, or not ASCII.
    pub fn new(text: &str, suffix: Suffix) -> Result<Self, ValueError> {
        if let Some(position) = text.bytes().position(|byte| !byte.is_ascii()) {
            let reason = ValueErrorReason::BadCharacter { position };
            return Err(ValueError::new(Layer::NetbiosName, "name", reason));
        }
        Self::from_oem(&text.to_ascii_uppercase().into_bytes(), suffix)
    }

    /// A name from bytes in the sender's code page, padded but otherwise as given.
    ///
    /// # Errors
    /// Empty, or longer than 15 bytes.
    pub fn from_oem(base: &[u8], suffix: Suffix) -> Result<Self, ValueError> {
        if base.is_empty() {
            return Err(ValueError::new(Layer::NetbiosName, "name", ValueErrorReason::Empty));
        }
        if base == b"*" {
            let mut name = Self::WILDCARD;
            let [.., last] = &mut name.0;
            *last = suffix.0;
            return Ok(name);
        }
        let mut bytes = [b' '; 16];
        let [name @ .., last] = &mut bytes;
        match name.get_mut(..base.len()) {
            Some(place) => place.copy_from_slice(base),
            None => return Err(ValueError::too_long(Layer::NetbiosName, "name", base.len(), 15)),
        }
        *last = suffix.0;
        Ok(Self(bytes))
    }

    /// The name with exactly these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// All 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 15 bytes without their trailing padding (spaces, or NULs).
    pub fn base(&self) -> &[u8] {
        let [base @ .., _] = &self.0;
        let padding = match base.last() {
            Some(0) => 0,
            _ => b' ',
        };
        let used = base.iter().rposition(|&byte| byte != padding).map_or(0, |last| last + 1);
        base.get(..used).unwrap_or(base)
    }

    /// The 16th byte.
    pub const fn suffix(&self) -> Suffix {
        let [.., suffix] = self.0;
        Suffix(suffix)
    }

    /// The same name with another suffix.
    #[must_use]
    pub const fn with_suffix(mut self, suffix: Suffix) -> Self {
        let [.., last] = &mut self.0;
        *last = suffix.0;
        self
    }

    /// Whether this is `*`, with whatever padding and suffix.
    pub fn is_wildcard(&self) -> bool {
        self.base() == b"*"
    }

    /// The 32 letters of the first-level encoding (RFC 1001 §14.1).
    pub fn first_level(&self) -> [u8; LETTERS] {
        let mut letters = [0; LETTERS];
        for (pair, byte) in letters.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [b'A' + (byte >> 4), b'A' + (byte & 15)];
        }
        letters
    }

    /// Reads the 32 letters of the first-level encoding. Lower case is not legal and no sender uses it.
    ///
    /// # Errors
    /// A byte outside `A` to `P`; the offset counts from the first letter.
    #[inline]
    pub fn from_first_level(letters: &[u8; LETTERS]) -> Result<Self, DecodeError> {
        // Two letters at a time, in a form that the compiler makes vector instructions of. A byte below 'A' borrows,
        // and leaves a high nibble that is not 0, as does one above 'P'.
        let mut bytes = [0; 16];
        let mut high_nibbles = 0;
        for (byte, two) in bytes.iter_mut().zip(letters.as_chunks::<2>().0) {
            let nibbles = u16::from_le_bytes(*two).wrapping_sub(0x4141);
            high_nibbles |= nibbles;
            [*byte, _] = (nibbles << 4 | nibbles >> 8).to_le_bytes();
        }
        if high_nibbles & 0xf0f0 == 0 { Ok(Self(bytes)) } else { Err(bad_letter(letters)) }
    }
}

#[cold]
fn bad_letter(letters: &[u8; LETTERS]) -> DecodeError {
    let (offset, value) = letters
        .iter()
        .enumerate()
        .find(|(_, byte)| !(b'A'..=b'P').contains(byte))
        .map_or((0, 0), |(at, &byte)| (at, byte));
    let kind = DecodeErrorKind::BadValue { value: value.into(), expected: "a letter from A to P" };
    DecodeError::new(Layer::NetbiosName, "name", offset, kind)
}

impl fmt::Display for NetbiosName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<{:02x}>", self.base().escape_ascii(), self.suffix().0)
    }
}

impl fmt::Debug for NetbiosName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetbiosName({self})")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for NetbiosName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads `NAME<1d>`; without a suffix, `<00>` is meant.
impl FromStr for NetbiosName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bad = || {
            let reason = ValueErrorReason::BadForm("NAME or NAME<1d>, the suffix as two hex digits");
            ValueError::new(Layer::NetbiosName, "suffix", reason)
        };
        let (base, suffix) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            // `from_str_radix` would take a sign.
            Some((base, digits)) if digits.len() == 2 && !digits.starts_with('+') => {
                (base, Suffix(u8::from_str_radix(digits, 16).map_err(|_| bad())?))
            }
            Some(_) => return Err(bad()),
            None => (text, Suffix::WORKSTATION),
        };
        match base {
            r"\x01\x02__MSBROWSE__\x02" => Ok(Self::MSBROWSE.with_suffix(suffix)),
            base => Self::new(base, suffix),
        }
    }
}

/// The 16th byte of a NetBIOS name: which service the name stands for (MS-NBTE product note <2>).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Suffix(pub u8);

impl Suffix {
    /// Computer: workstation service. Group: the workgroup or domain.
    pub const WORKSTATION: Self = Self(0x00);
    /// Messenger, for computer and user names.
    pub const MESSENGER: Self = Self(0x03);
    /// Domain master browser (the PDC).
    pub const DOMAIN_MASTER_BROWSER: Self = Self(0x1b);
    /// Domain controllers (group).
    pub const DOMAIN_CONTROLLERS: Self = Self(0x1c);
    /// Local master browser of the subnet.
    pub const LOCAL_MASTER_BROWSER: Self = Self(0x1d);
    /// Browser elections (group).
    pub const BROWSER_ELECTIONS: Self = Self(0x1e);
    /// File server.
    pub const SERVER: Self = Self(0x20);

    /// What the suffix stands for, in a few words; `None` where no meaning is known.
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "workstation or workgroup",
            0x01 => "messenger or master browsers",
            0x03 => "messenger",
            0x06 => "RAS server",
            0x1b => "domain master browser",
            0x1c => "domain controllers",
            0x1d => "local master browser",
            0x1e => "browser elections",
            0x1f => "NetDDE",
            0x20 => "file server",
            0x21 => "RAS client",
            0x22 | 0x23 | 0x24 | 0x6a | 0x87 => "Exchange",
            0x2b => "Lotus Notes",
            0x2f | 0x33 => "IRIS",
            0x30 | 0x31 => "modem sharing",
            0x42 => "McAfee",
            0x43..=0x46 => "SMS",
            0x4c | 0x52 => "Pathworks",
            0xbe | 0xbf => "Network Monitor",
            _ => return None,
        })
    }
}

impl fmt::Debug for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suffix(0x{:02x})", self.0)
    }
}

/// The scope of a name: labels in wire form (`03 6c 61 62 05 63 6f 72 70 78`), without the root.
///
/// Accepted: any bytes in a label (X-Scan sends `?`), 1 to 63 of them; more than the RFC's 221 bytes in all, up to
/// [`MAX_ACCEPTED_LEN`] of the whole name. Such a scope can be written again, not made. Nodes of different scopes never
/// communicate (RFC 1001 §14.1); Windows takes its scope from the registry value `ScopeID`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scope<'a>(&'a [u8]);

impl<'a> Scope<'a> {
    /// No scope, as on nearly every network.
    pub const NONE: Self = Self(&[]);

    /// A scope from its labels in wire form, as [`scope_labels`] makes them.
    ///
    /// # Errors
    /// A label of no or more than 63 bytes, labels that do not end where the bytes do, or more than
    /// 221 bytes in all (so that the name stays within 255).
    pub fn from_labels(labels: &'a [u8]) -> Result<Self, ValueError> {
        let bad = |reason| ValueError::new(Layer::NetbiosName, "scope", reason);
        if labels.len() > MAX_ENCODED_LEN - ENCODED_LEN {
            return Err(ValueError::too_long(
                Layer::NetbiosName,
                "scope",
                labels.len(),
                MAX_ENCODED_LEN - ENCODED_LEN,
            ));
        }
        let mut rest = labels;
        while let Some((&length, after)) = rest.split_first() {
            let next = (1..=63).contains(&length).then(|| after.get(usize::from(length)..)).flatten();
            rest = next.ok_or_else(|| {
                bad(ValueErrorReason::BadForm("labels of 1 to 63 bytes, each behind its length"))
            })?;
        }
        Ok(Self(labels))
    }

    /// The labels in wire form, without the root.
    pub const fn as_labels(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no scope.
    pub const fn is_none(self) -> bool {
        self.0.is_empty()
    }

    /// The labels, one by one.
    pub fn labels(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (label, next) = after.split_at_checked(length.into())?;
            rest = next;
            Some(label)
        })
    }

    /// Whether both are the same scope. Case does not matter, as in the DNS.
    pub fn matches(self, other: Scope<'_>) -> bool {
        // A length octet is at most 63, so it is never taken for a letter.
        self.0.eq_ignore_ascii_case(other.0)
    }
}

/// Dotted text (`lab.corpx`); bytes outside printable ASCII as `\xNN`.
impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{}", label.escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// The wire form of a dotted scope (`NETBIOS.COM`), for [`Scope::from_labels`]; empty text is no scope.
///
/// # Errors
/// An empty label, one of more than 63 bytes, or more than 221 bytes in all.
pub fn scope_labels(dotted: &str) -> Result<Vec<u8>, ValueError> {
    let mut labels = Vec::with_capacity(dotted.len() + 1);
    if !dotted.is_empty() {
        for label in dotted.split('.') {
            let length = u8::try_from(label.len()).ok().filter(|length| *length <= 63);
            labels.push(
                length.ok_or_else(|| ValueError::too_long(Layer::NetbiosName, "scope", label.len(), 63))?,
            );
            labels.extend_from_slice(label.as_bytes());
        }
    }
    Scope::from_labels(&labels)?;
    Ok(labels)
}

/// A name with its scope, as the three services carry it.
///
/// `Decode` is for names without label pointers (session and datagram service); the name service reads with
/// [`ScopedName::decode_in_packet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopedName<'a> {
    /// The 16 bytes.
    pub name: NetbiosName,
    /// The scope, mostly none.
    pub scope: Scope<'a>,
}

impl<'a> ScopedName<'a> {
    /// A name in a scope.
    pub const fn new(name: NetbiosName, scope: Scope<'a>) -> Self {
        Self { name, scope }
    }

    /// Reads the name that begins at `offset` of a name service packet, and returns the offset behind it. How it
    /// stands there, [`PacketName`] keeps.
    ///
    /// A label pointer (`C0 xx`) may stand for the whole name or for the scope (RFC 1002 §4.1). It must point
    /// backwards, to labels that end before it, and not to another pointer: one hop.
    ///
    /// # Errors
    /// As [`Decode::decode`]; a pointer that does not point backwards, or points at a pointer. Offsets count
    /// from the start of `packet`.
    pub fn decode_in_packet(
        packet: &'a [u8],
        offset: usize,
        field: &'static str,
    ) -> Result<(Self, usize), DecodeError> {
        let mut at = offset;
        PacketName::read(packet, &mut at, field).map(|name| (name.name, at))
    }
}

impl From<NetbiosName> for ScopedName<'_> {
    fn from(name: NetbiosName) -> Self {
        Self { name, scope: Scope::NONE }
    }
}

/// `NAME<1d>`, or `NAME<1d>.scope`.
impl fmt::Display for ScopedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope.is_none() { self.name.fmt(f) } else { write!(f, "{}.{}", self.name, self.scope) }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ScopedName<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'a> Decode<'a> for ScopedName<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (rest, name) = read::finish(scoped_name("name", bytes), bytes, Layer::NetbiosName)?;
        if rest.is_empty() {
            Ok(name)
        } else {
            let at = bytes.len() - rest.len();
            let kind = DecodeErrorKind::TooLong { have: bytes.len(), max: at };
            Err(DecodeError::new(Layer::NetbiosName, "name", at, kind))
        }
    }
}

impl Encode for ScopedName<'_> {
    fn encoded_len(&self) -> usize {
        ENCODED_LEN + self.scope.0.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(0x20);
        out.put_slice(&self.name.first_level());
        out.put_slice(self.scope.0);
        out.put_u8(0);
    }
}

/// How a name stands in a name service packet (RFC 1002 §4.1). Offsets count from the packet's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum NameForm {
    /// In full: responses, and every question.
    #[default]
    Full,
    /// A label pointer in place of the whole name: `C0 0C`, the question's name, in requests.
    Pointer(u16),
    /// The 32 letters in full, then a label pointer in place of the scope.
    ScopePointer(u16),
}

/// A name as a name service packet carries it: see [`ScopedName::decode_in_packet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PacketName<'a> {
    name: ScopedName<'a>,
    form: NameForm,
}

impl<'a> PacketName<'a> {
    /// A name in full.
    pub(crate) const fn full(name: ScopedName<'a>) -> Self {
        Self { name, form: NameForm::Full }
    }

    /// A pointer to the name at offset `target`.
    pub(crate) const fn pointer(name: ScopedName<'a>, target: u16) -> Self {
        Self { name, form: NameForm::Pointer(target) }
    }

    /// The name, with what a pointer stands for in its place.
    pub const fn name(&self) -> &ScopedName<'a> {
        &self.name
    }

    /// How it stands in the packet.
    pub const fn form(&self) -> NameForm {
        self.form
    }

    /// Reads the name that begins at `at` and moves `at` behind it; offsets count from `packet`.
    pub(crate) fn read(packet: &'a [u8], at: &mut usize, field: &'static str) -> Result<Self, DecodeError> {
        let start = *at;
        if let Some(target) = label_pointer(packet, start, field)? {
            let pointed = packet.get(usize::from(target)..start).unwrap_or_default();
            let (_, name) = read::finish(scoped_name(field, pointed), pointed, Layer::NetbiosName)
                .map_err(|error| error.at(target.into()))?;
            *at = start + 2;
            return Ok(Self { name, form: NameForm::Pointer(target) });
        }
        let rest = packet.get(start..).unwrap_or_default();
        let (after, name) =
            read::finish(letters(field, rest), rest, Layer::NetbiosName).map_err(|error| error.at(start))?;
        let behind = packet.len() - after.len();
        let (labels, base, form) = match label_pointer(packet, behind, field)? {
            Some(target) => {
                let pointed = packet.get(usize::from(target)..behind).unwrap_or_default();
                (pointed, usize::from(target), NameForm::ScopePointer(target))
            }
            None => (after, behind, NameForm::Full),
        };
        let (left, scope) = read::finish(scope(field, labels, 1 + LETTERS), labels, Layer::NetbiosName)
            .map_err(|error| error.at(base))?;
        *at = match form {
            NameForm::Full => packet.len() - left.len(),
            _ => behind + 2,
        };
        Ok(Self { name: ScopedName { name, scope }, form })
    }
}

impl Encode for PacketName<'_> {
    fn encoded_len(&self) -> usize {
        match self.form {
            NameForm::Full => self.name.encoded_len(),
            NameForm::Pointer(_) => 2,
            NameForm::ScopePointer(_) => 1 + LETTERS + 2,
        }
    }

    fn encode(&self, out: &mut impl BufMut) {
        match self.form {
            NameForm::Full => self.name.encode(out),
            NameForm::Pointer(target) => out.put_u16(0xc000 | target),
            NameForm::ScopePointer(target) => {
                out.put_u8(0x20);
                out.put_slice(&self.name.name.first_level());
                out.put_u16(0xc000 | target);
            }
        }
    }
}

/// The target of the label pointer at `offset`, if there is one.
fn label_pointer(packet: &[u8], offset: usize, field: &'static str) -> Result<Option<u16>, DecodeError> {
    let (high, low) = match packet.get(offset..) {
        Some(&[high @ 0xc0..=0xff, low, ..]) => (high, low),
        Some(&[0xc0..=0xff]) => {
            let kind = DecodeErrorKind::Truncated { needed: 2, have: 1 };
            return Err(DecodeError::new(Layer::NetbiosName, field, offset, kind));
        }
        _ => return Ok(None),
    };
    let target = u16::from_be_bytes([high & 0x3f, low]);
    if usize::from(target) < offset {
        return Ok(Some(target));
    }
    let kind = DecodeErrorKind::OutOfBounds { needed: target.into(), have: offset };
    Err(DecodeError::new(Layer::NetbiosName, field, offset, kind))
}

/// A name without label pointers, at the beginning of `input`.
#[inline]
pub(crate) fn scoped_name<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, ScopedName<'a>> {
    let (rest, name) = letters(field, input)?;
    if let Some((0, rest)) = rest.split_first() {
        return Ok((rest, ScopedName { name, scope: Scope::NONE }));
    }
    let (rest, scope) = scope(field, rest, 1 + LETTERS)?;
    Ok((rest, ScopedName { name, scope }))
}

/// The first label: its length, always 32, and the letters.
#[inline]
fn letters<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, NetbiosName> {
    match input.split_first() {
        Some((0x20, rest)) => {
            // In place: a copy of the letters would go through registers eight bytes at a time.
            let Some((letters, after)) = rest.split_first_chunk::<LETTERS>() else {
                let kind = DecodeErrorKind::Truncated { needed: LETTERS, have: rest.len() };
                return read::fail(rest, field, kind);
            };
            match NetbiosName::from_first_level(letters) {
                Ok(name) => Ok((after, name)),
                Err(error) => read::fail(rest.get(error.offset..).unwrap_or_default(), field, error.kind),
            }
        }
        Some((0xc0.., _)) => read::fail(input, field, DecodeErrorKind::PointerNotAllowed),
        Some((&length, _)) => {
            let kind =
                DecodeErrorKind::BadValue { value: length.into(), expected: "a label of 0x20 letters" };
            read::fail(input, field, kind)
        }
        None => read::fail(input, field, DecodeErrorKind::Truncated { needed: ENCODED_LEN, have: 0 }),
    }
}

/// Scope labels up to and with the root; `used` bytes of the name stand before them.
fn scope<'a>(field: &'static str, input: &'a [u8], used: usize) -> Parsed<'a, Scope<'a>> {
    let mut rest = input;
    loop {
        let taken = input.len() - rest.len();
        if used + taken + 1 > MAX_ACCEPTED_LEN {
            let kind = DecodeErrorKind::TooLong { have: used + taken + 1, max: MAX_ACCEPTED_LEN };
            return read::fail(rest, field, kind);
        }
        rest = match rest.split_first() {
            Some((0, after)) => return Ok((after, Scope(input.get(..taken).unwrap_or_default()))),
            Some((&length @ 1..=63, after)) => read::bytes(field, length.into(), after)?.0,
            Some((0xc0.., _)) => return read::fail(rest, field, DecodeErrorKind::PointerNotAllowed),
            Some((&length, _)) => {
                let kind = DecodeErrorKind::BadValue {
                    value: length.into(),
                    expected: "a label of at most 63 bytes",
                };
                return read::fail(rest, field, kind);
            }
            None => return read::fail(rest, field, DecodeErrorKind::Truncated { needed: 1, have: 0 }),
        };
    }
}
