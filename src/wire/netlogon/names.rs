//! Names in UTF-8, compressed as DNS compresses them (MS-ADTS 6.3.7, RFC 1035 §4.1.4).
//!
//! ```text
//! length (1..=63) label   …   00, or C0 00 + offset from the message's first byte
//! ```

use std::borrow::Cow;

use core::fmt;
use core::iter;

use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

/// The most pointers that lead through one name.
const MAX_HOPS: usize = 20;

/// The longest name, with its length bytes and its NUL.
const MAX_NAME: usize = 255;

/// What a name is made of.
enum Step<'b> {
    /// A label, and where the next step begins.
    Label(&'b [u8], usize),
    /// Where a pointer points, from the message's first byte.
    Pointer(usize),
    End,
}

fn step<'b>(block: &'b [u8], at: usize) -> Result<Step<'b>, (usize, DecodeErrorKind)> {
    let truncated = |at: usize, needed| {
        let have = block.len().saturating_sub(at);
        Err((at, DecodeErrorKind::Truncated { needed, have }))
    };
    match block.get(at..) {
        None | Some([]) => truncated(at, 1),
        Some([0, ..]) => Ok(Step::End),
        Some([length @ 1..64, rest @ ..]) => {
            let length = usize::from(*length);
            match rest.get(..length) {
                Some(label) => Ok(Step::Label(label, at + 1 + length)),
                None => truncated(at, 1 + length),
            }
        }
        Some([high @ 0xc0..=0xff, low, ..]) => {
            Ok(Step::Pointer(usize::from(u16::from_be_bytes([high & 0x3f, *low]))))
        }
        Some([0xc0..=0xff, ..]) => truncated(at, 2),
        Some([length, ..]) => {
            let expected = "a label of at most 63 bytes, or a pointer";
            Err((at, DecodeErrorKind::BadValue { value: (*length).into(), expected }))
        }
    }
}

/// The bytes from the first name of a message on, as they came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Block<'a> {
    /// Offset of the first byte from the message's.
    base: usize,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Block<'a> {
    pub(super) const fn new(base: usize, bytes: Cow<'a, [u8]>) -> Self {
        Self { base, bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name that begins at `at` of the block.
    pub(super) fn name(&self, at: usize) -> CompressedName<'_> {
        CompressedName { block: &self.bytes, base: self.base, at }
    }
}

impl fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?} at {}", self.bytes, self.base)
    }
}

/// Reads the name at `at` of `block`, which begins at `base` of the message and ends with it; gives where the
/// next thing begins.
///
/// A pointer must point behind `base` and before all that was read of the name so far: what points on never comes
/// back.
pub(super) fn read<'a>(field: &'static str, block: &'a [u8], base: usize, start: usize) -> Parsed<'a, usize> {
    let fail = |at: usize, kind| read::fail(block.get(at..).unwrap_or_default(), field, kind);
    let (mut at, mut bound) = (start, start);
    let (mut end, mut hops, mut length) = (None, 0, 1);
    loop {
        match step(block, at) {
            Err((at, kind)) => return fail(at, kind),
            Ok(Step::End) => {
                let end = end.unwrap_or(at + 1);
                return Ok((block.get(end..).unwrap_or_default(), end));
            }
            Ok(Step::Label(label, next)) => {
                length += 1 + label.len();
                if length > MAX_NAME {
                    return fail(start, DecodeErrorKind::TooLong { have: length, max: MAX_NAME });
                }
                at = next;
            }
            Ok(Step::Pointer(target)) => {
                hops += 1;
                let expected = "at most 20 pointers";
                if hops > MAX_HOPS {
                    // At most 21.
                    let value = u32::try_from(hops).unwrap_or(u32::MAX);
                    return fail(at, DecodeErrorKind::BadValue { value, expected });
                }
                end = end.or(Some(at + 2));
                let Some(next) = target.checked_sub(base).filter(|&next| next < bound) else {
                    // At most 0x3FFF.
                    let value = u32::try_from(target).unwrap_or(u32::MAX);
                    let expected = "an offset within the names before";
                    return fail(at, DecodeErrorKind::BadValue { value, expected });
                };
                (at, bound) = (next, next);
            }
        }
    }
}

/// The text of the name at `at` of a message whose names begin at `names_at`, and where the next thing begins.
pub(crate) fn text_at(message: &[u8], names_at: usize, at: usize) -> Result<(String, usize), DecodeError> {
    let block = message.get(names_at..).unwrap_or_default();
    let start = at.saturating_sub(names_at);
    let read = read::finish(read("name", block, names_at, start), block, Layer::Netlogon);
    let (_, end) = read.map_err(|error| error.at(names_at))?;
    let name = CompressedName { block, base: names_at, at: start };
    Ok((name.to_string(), names_at.saturating_add(end)))
}

/// A name as it stands in a message. Compared by text, not by how it is compressed.
#[derive(Clone, Copy)]
pub struct CompressedName<'b> {
    block: &'b [u8],
    base: usize,
    at: usize,
}

impl<'b> CompressedName<'b> {
    /// The labels, as a rule UTF-8.
    pub fn labels(self) -> impl Iterator<Item = &'b [u8]> {
        let (mut at, mut hops) = (self.at, 0);
        // What was read or built has no error and few pointers.
        iter::from_fn(move || {
            loop {
                match step(self.block, at).ok()? {
                    Step::End => return None,
                    Step::Label(label, next) => {
                        at = next;
                        return Some(label);
                    }
                    Step::Pointer(target) => {
                        hops += 1;
                        at = target.checked_sub(self.base).filter(|_| hops <= MAX_HOPS)?;
                    }
                }
            }
        })
    }

    /// Whether there are no labels.
    pub fn is_empty(self) -> bool {
        self.labels().next().is_none()
    }
}

impl PartialEq for CompressedName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.labels().eq(other.labels())
    }
}

impl Eq for CompressedName<'_> {}

/// The labels with dots between them; what is not UTF-8 becomes U+FFFD.
impl fmt::Display for CompressedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.labels().enumerate().try_for_each(|(index, label)| {
            let dot = if index > 0 { "." } else { "" };
            write!(f, "{dot}{}", String::from_utf8_lossy(label))
        })
    }
}

impl fmt::Debug for CompressedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Puts names together; one that ends as an earlier one does points there.
pub(super) struct Builder<'n> {
    base: usize,
    bytes: Vec<u8>,
    /// Names and ends of names that stand there in full, each with its offset from the message's first byte.
    known: Vec<(&'n str, usize)>,
}

impl<'n> Builder<'n> {
    /// Names from `base` of the message on.
    pub(super) const fn new(base: usize) -> Self {
        Self { base, bytes: Vec::new(), known: Vec::new() }
    }

    /// Appends a name; gives where it begins in the block.
    pub(super) fn name(&mut self, field: &'static str, name: &'n str) -> Result<usize, ValueError> {
        let error = |reason| Err(ValueError::new(Layer::Netlogon, field, reason));
        if let Some(position) = memchr::memchr(0, name.as_bytes()) {
            return error(ValueErrorReason::BadCharacter { position });
        }
        // A length byte for the first label, one for each dot, and the NUL.
        if name.len() + 2 > MAX_NAME {
            return Err(ValueError::too_long(Layer::Netlogon, field, name.len(), MAX_NAME - 2));
        }
        let start = self.bytes.len();
        let mut rest = name;
        while !rest.is_empty() {
            if let Some((_, at)) = self.known.iter().find(|(known, _)| *known == rest) {
                // Only offsets that a pointer can say are known.
                let [high, low] = u16::try_from(*at).unwrap_or(0).to_be_bytes();
                self.bytes.extend_from_slice(&[0xc0 | high, low]);
                return Ok(start);
            }
            let (label, behind) = rest.split_once('.').unwrap_or((rest, ""));
            let length = match u8::try_from(label.len()) {
                Ok(length @ 1..64) if !(behind.is_empty() && rest.ends_with('.')) => length,
                _ => {
                    return error(ValueErrorReason::BadForm(
                        "labels of 1 to 63 bytes with dots between them",
                    ));
                }
            };
            let at = self.base + self.bytes.len();
            if at < 0x4000 {
                self.known.push((rest, at));
            }
            self.bytes.push(length);
            self.bytes.extend_from_slice(label.as_bytes());
            rest = behind;
        }
        self.bytes.push(0);
        Ok(start)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Length so far, in bytes.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn finish(self) -> Block<'static> {
        Block::new(self.base, Cow::Owned(self.bytes))
    }
}
