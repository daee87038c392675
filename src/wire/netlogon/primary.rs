//! NETLOGON_PRIMARY_QUERY and NETLOGON_PRIMARY_RESPONSE (MS-ADTS 6.3.1.4, 6.3.1.5).
//!
//! ```text
//! 0x07  computer_name NUL, mailslot_name NUL, padding to an even offset, unicode_computer_name NUL, ending
//! 0x0C  primary_dc_name NUL, padding to an even offset, unicode_primary_dc_name NUL, unicode_domain_name NUL, ending
//! ```

use bytes::BufMut;

use super::BODY_AT;
use super::text::{
    Utf16Str, asciiz, checked, checked_mailslot_name, even_padding, mailslot_name, offset, write_asciiz,
};
use super::values::{NtVersion, Tokens, read_ending};
use crate::wire::codec::Encode;
use crate::wire::error::{Layer, ValueError, ValueErrorReason};
use crate::wire::read::Parsed;

/// Lm20Token where a name would begin: the form of LAN Manager 2.0.
const TOKEN: [u8; 2] = [0xff, 0xff];

/// What a query has besides OEM strings; LAN Manager 2.0 clients send only the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Unicode<'a> {
    computer_name: Utf16Str<'a>,
    nt_version: NtVersion,
}

/// Asks for the primary domain controller; without its opcode.
///
/// The zero before the UTF-16 name stands *behind* MailslotName, where the name would begin at an odd offset (all
/// queries in captures; the text of MS-ADTS says that MailslotName is aligned).
///
/// Accepted and kept: the form of LAN Manager 2.0, which ends in Lm20Token behind MailslotName; no padding; tokens
/// that are missing, and bytes behind them. Refused: a string without NUL, a MailslotName of more than
/// [`MAX_MAILSLOT_NAME`](super::MAX_MAILSLOT_NAME) bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PrimaryQuery<'a> {
    computer_name: &'a [u8],
    mailslot_name: &'a [u8],
    padded: bool,
    unicode: Option<Unicode<'a>>,
    tokens: Tokens<'a>,
}

impl<'a> PrimaryQuery<'a> {
    /// A query whose answer is to go to `mailslot_name` (with `\MAILSLOT\`). The computer's name is given in OEM
    /// bytes and in UTF-16.
    ///
    /// # Errors
    /// A NUL in a string, a MailslotName of more than 64 bytes, a UTF-16 name that begins with U+FFFF (which marks
    /// the short form).
    pub fn new(
        computer_name: &'a [u8],
        mailslot_name: &'a [u8],
        unicode_computer_name: Utf16Str<'a>,
        nt_version: NtVersion,
    ) -> Result<Self, ValueError> {
        let short = Self::lm20(computer_name, mailslot_name)?;
        if unicode_computer_name.as_bytes().starts_with(&TOKEN) {
            let reason = ValueErrorReason::BadCharacter { position: 0 };
            return Err(ValueError::new(Layer::Netlogon, "unicode_computer_name", reason));
        }
        Ok(Self {
            padded: (computer_name.len() + mailslot_name.len()) % 2 == 1,
            unicode: Some(Unicode { computer_name: unicode_computer_name, nt_version }),
            tokens: Tokens::BOTH,
            ..short
        })
    }

    /// The short query of LAN Manager 2.0.
    ///
    /// # Errors
    /// A NUL in a string, a MailslotName of more than 64 bytes.
    pub fn lm20(computer_name: &'a [u8], mailslot_name: &'a [u8]) -> Result<Self, ValueError> {
        Ok(Self {
            computer_name: checked("computer_name", computer_name)?,
            mailslot_name: checked_mailslot_name(mailslot_name)?,
            padded: false,
            unicode: None,
            tokens: Tokens::ONE,
        })
    }

    /// The client's name, in OEM bytes.
    pub const fn computer_name(&self) -> &'a [u8] {
        self.computer_name
    }

    /// Where the answer is to go; see [`reply_slot`](super::reply_slot).
    pub const fn mailslot_name(&self) -> &'a [u8] {
        self.mailslot_name
    }

    /// Whether a zero stands behind MailslotName.
    pub const fn is_padded(&self) -> bool {
        self.padded
    }

    /// The client's name once more; the short form has none.
    pub fn unicode_computer_name(&self) -> Option<Utf16Str<'a>> {
        self.unicode.map(|unicode| unicode.computer_name)
    }

    /// NtVersion; the short form has none.
    pub fn nt_version(&self) -> Option<NtVersion> {
        self.unicode.map(|unicode| unicode.nt_version)
    }

    /// The tokens; Lm20Token alone in the short form.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, computer_name) = asciiz("computer_name", input)?;
        let (input, mailslot_name) = mailslot_name(input)?;
        let (input, padded) = even_padding(whole, input);
        let query = Self { computer_name, mailslot_name, padded, unicode: None, tokens: Tokens::read(input) };
        // No name begins with U+FFFF.
        if input.starts_with(&TOKEN) {
            return Ok((&[], query));
        }
        let (input, computer_name) = Utf16Str::read("unicode_computer_name", input)?;
        let (input, (nt_version, tokens)) = read_ending(input)?;
        Ok((input, Self { unicode: Some(Unicode { computer_name, nt_version }), tokens, ..query }))
    }
}

impl Encode for PrimaryQuery<'_> {
    fn encoded_len(&self) -> usize {
        let strings = self.computer_name.len() + self.mailslot_name.len() + 2 + usize::from(self.padded);
        let unicode = self.unicode.map_or(0, |unicode| unicode.computer_name.encoded_len() + 4);
        strings + unicode + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        write_asciiz(self.computer_name, out);
        write_asciiz(self.mailslot_name, out);
        out.put_bytes(0, self.padded.into());
        if let Some(unicode) = self.unicode {
            unicode.computer_name.write(out);
            out.put_u32_le(unicode.nt_version.bits());
        }
        self.tokens.write(out);
    }
}

/// The primary domain controller's answer, without its opcode.
///
/// Accepted and kept: no padding; two zeros before NtVersion ([`Self::is_aligned`]: Samba); tokens that are missing,
/// and bytes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PrimaryResponse<'a> {
    primary_dc_name: &'a [u8],
    padded: bool,
    unicode_primary_dc_name: Utf16Str<'a>,
    unicode_domain_name: Utf16Str<'a>,
    /// Two zeros bring NtVersion to a multiple of 4.
    aligned: bool,
    /// NtVersion: 1.
    pub nt_version: NtVersion,
    tokens: Tokens<'a>,
}

impl<'a> PrimaryResponse<'a> {
    /// The answer of a controller, whose name is given in OEM bytes and in UTF-16, for its domain.
    ///
    /// # Errors
    /// A NUL in the name.
    pub fn new(
        primary_dc_name: &'a [u8],
        unicode_primary_dc_name: Utf16Str<'a>,
        unicode_domain_name: Utf16Str<'a>,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            primary_dc_name: checked("primary_dc_name", primary_dc_name)?,
            padded: (BODY_AT + primary_dc_name.len() + 1) % 2 == 1,
            unicode_primary_dc_name,
            unicode_domain_name,
            aligned: false,
            nt_version: NtVersion::V1,
            tokens: Tokens::BOTH,
        })
    }

    /// The controller's name, in OEM bytes.
    pub const fn primary_dc_name(&self) -> &'a [u8] {
        self.primary_dc_name
    }

    /// Whether a zero stands behind it.
    pub const fn is_padded(&self) -> bool {
        self.padded
    }

    /// The controller's name once more.
    pub const fn unicode_primary_dc_name(&self) -> Utf16Str<'a> {
        self.unicode_primary_dc_name
    }

    /// The domain's NetBIOS name.
    pub const fn unicode_domain_name(&self) -> Utf16Str<'a> {
        self.unicode_domain_name
    }

    /// Whether two zeros bring NtVersion to a multiple of 4, as Samba's encoder does it.
    pub const fn is_aligned(&self) -> bool {
        self.aligned
    }

    /// The tokens.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, primary_dc_name) = asciiz("primary_dc_name", input)?;
        let (input, padded) = even_padding(whole, input);
        let (input, unicode_primary_dc_name) = Utf16Str::read("unicode_primary_dc_name", input)?;
        let (input, unicode_domain_name) = Utf16Str::read("unicode_domain_name", input)?;
        let (input, aligned) = version_padding(offset(whole, input), input);
        let (input, (nt_version, tokens)) = read_ending(input)?;
        let response = Self {
            primary_dc_name,
            padded,
            unicode_primary_dc_name,
            unicode_domain_name,
            aligned,
            nt_version,
            tokens,
        };
        Ok((input, response))
    }
}

impl Encode for PrimaryResponse<'_> {
    fn encoded_len(&self) -> usize {
        let oem = self.primary_dc_name.len() + 1 + usize::from(self.padded);
        let unicode = self.unicode_primary_dc_name.encoded_len() + self.unicode_domain_name.encoded_len();
        oem + unicode + if self.aligned { 2 } else { 0 } + 4 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        write_asciiz(self.primary_dc_name, out);
        out.put_bytes(0, self.padded.into());
        self.unicode_primary_dc_name.write(out);
        self.unicode_domain_name.write(out);
        out.put_bytes(0, if self.aligned { 2 } else { 0 });
        out.put_u32_le(self.nt_version.bits());
        self.tokens.write(out);
    }
}

/// The two zeros that Samba puts before an NtVersion at `at` of the message, if that is no multiple of 4. Only both
/// tokens behind it tell.
pub(crate) fn version_padding(at: usize, input: &[u8]) -> (&[u8], bool) {
    match input {
        [0, 0, rest @ ..] if at % 4 == 2 && rest.len() == 8 && Tokens::follow(rest) => (rest, true),
        _ => (input, false),
    }
}
