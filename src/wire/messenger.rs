//! Messenger texts ("WinPopup"): the data of messages to `\MAILSLOT\MESSNGR` (MS-MSRP 3.2.4.4).
//!
//! ```text
//! from NUL, to NUL, text NUL
//! ```
//!
//! The same texts go over sessions in SMB commands: [`crate::wire::smb::SendMessageRequest`] and its sisters. Both
//! forms write a line break as the one byte 0x14.

use std::borrow::Cow;

use bytes::BufMut;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use super::oem::OemZ;
use super::read::{self, Parsed};

/// The slot, without `\MAILSLOT\`.
pub const MESSNGR: &[u8] = b"MESSNGR";

/// The longest text that is written to the slot, in bytes.
pub const MAX_TEXT: usize = 652;

/// The longest text that is shown, in bytes.
pub const MAX_SHOWN: usize = 4095;

/// The byte that stands for a line break in a text.
pub const LINE_BREAK: u8 = 0x14;

/// A message of the messenger service, in OEM bytes.
///
/// Accepted and kept: a text without NUL, and bytes behind it; names and texts of any length, empty ones too.
/// Refused: a name without NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MessengerMessage<'a> {
    #[cfg_attr(feature = "serde", serde(serialize_with = "oem"))]
    from: &'a [u8],
    #[cfg_attr(feature = "serde", serde(serialize_with = "oem"))]
    to: &'a [u8],
    text: OemZ<'a>,
}

impl<'a> MessengerMessage<'a> {
    /// A message; [`fold_line_breaks`] makes its text.
    ///
    /// # Errors
    /// A NUL in a string, a text of more than [`MAX_TEXT`] bytes.
    pub fn new(from: &'a [u8], to: &'a [u8], text: &'a [u8]) -> Result<Self, ValueError> {
        Ok(Self {
            from: checked("from", from)?,
            to: checked("to", to)?,
            text: OemZ::new(Layer::Messenger, "text", text, MAX_TEXT)?,
        })
    }

    /// From: the sender's name, a user's or a computer's.
    pub const fn from(&self) -> &'a [u8] {
        self.from
    }

    /// To: the receiver's name, or that of a workgroup.
    pub const fn to(&self) -> &'a [u8] {
        self.to
    }

    /// Text, with [`LINE_BREAK`]s; [`expand_line_breaks`] makes it fit to be shown.
    pub const fn text(&self) -> OemZ<'a> {
        self.text
    }
}

fn checked<'a>(field: &'static str, text: &'a [u8]) -> Result<&'a [u8], ValueError> {
    match memchr::memchr(0, text) {
        Some(position) => {
            Err(ValueError::new(Layer::Messenger, field, ValueErrorReason::BadCharacter { position }))
        }
        None => Ok(text),
    }
}

fn asciiz<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    match memchr::memchr(0, input).and_then(|end| input.split_at_checked(end)) {
        Some((text, rest)) => Ok((rest.get(1..).unwrap_or_default(), text)),
        None => read::fail(input, field, DecodeErrorKind::Unterminated),
    }
}

impl<'a> Decode<'a> for MessengerMessage<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, from) = asciiz("from", input)?;
            let (input, to) = asciiz("to", input)?;
            Ok((&[][..], Self { from, to, text: OemZ::split(input) }))
        };
        read::finish(fields(bytes), bytes, Layer::Messenger).map(|(_, message)| message)
    }
}

impl Encode for MessengerMessage<'_> {
    fn encoded_len(&self) -> usize {
        self.from.len() + 1 + self.to.len() + 1 + self.text.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_slice(self.from);
        out.put_u8(0);
        out.put_slice(self.to);
        out.put_u8(0);
        self.text.encode(out);
    }
}

#[cfg(feature = "serde")]
fn oem<S: serde::Serializer>(text: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&super::oem::CodePage::default().decode(text))
}

/// `text` with each CR LF, LF CR, CR and LF as one [`LINE_BREAK`]: as it goes on the wire (MS-MSRP <4>, <7>).
pub fn fold_line_breaks(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut folded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        let other = match byte {
            b'\r' => b'\n',
            b'\n' => b'\r',
            _ => {
                folded.push(byte);
                continue;
            }
        };
        bytes.next_if(|&&next| next == other);
        folded.push(LINE_BREAK);
    }
    Cow::Owned(folded)
}

/// `text` with each [`LINE_BREAK`] as CR LF, cut to at most `max` bytes (as a rule [`MAX_SHOWN`]) and never between
/// CR and LF.
///
/// The cut is made while the text grows: CVE-2003-0717 was an expansion into a buffer of the text's size.
pub fn expand_line_breaks(text: &[u8], max: usize) -> Cow<'_, [u8]> {
    if memchr::memchr(LINE_BREAK, text).is_none() {
        return Cow::Borrowed(text.get(..max).unwrap_or(text));
    }
    let mut expanded = Vec::new();
    for byte in text {
        let piece = if *byte == LINE_BREAK { b"\r\n".as_slice() } else { std::slice::from_ref(byte) };
        if expanded.len() + piece.len() > max {
            break;
        }
        expanded.extend_from_slice(piece);
    }
    Cow::Owned(expanded)
}
