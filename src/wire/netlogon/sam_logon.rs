//! NETLOGON_SAM_LOGON_REQUEST (MS-ADTS 6.3.1.6).
//!
//! ```text
//! 2  request_count (2)   4  unicode_computer_name NUL, unicode_user_name NUL, mailslot_name NUL,
//! allowable_account_control_bits (4), domain_sid_size (4), padding to 4, domain_sid, nt_version (4), tokens (4)
//! ```

use bytes::BufMut;

use super::BODY_AT;
use super::text::{Utf16Str, checked_mailslot_name, mailslot_name, write_asciiz};
use super::values::{NtVersion, Sid, Tokens, read_ending, sid_len, write_sid};
use crate::wire::codec::Encode;
use crate::wire::error::ValueError;
use crate::wire::read::{self, Parsed};

/// Asks for a domain controller; without its opcode.
///
/// A SID, and only a SID, is padded to a multiple of 4 from the message's start.
///
/// Accepted and kept: a SID without padding, where its first byte is the revision 1; bytes in its place that are
/// no SID; tokens that are missing, and bytes behind them. Refused: a string without NUL, a MailslotName of more
/// than [`MAX_MAILSLOT_NAME`](super::MAX_MAILSLOT_NAME) bytes, a DomainSidSize above 68.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SamLogonRequest<'a> {
    /// RequestCount: how often this was asked before.
    pub request_count: u16,
    unicode_computer_name: Utf16Str<'a>,
    unicode_user_name: Utf16Str<'a>,
    mailslot_name: &'a [u8],
    /// AllowableAccountControlBits: which kinds of account may match, 0x80 for a workstation's.
    pub allowable_account_control_bits: u32,
    padding: &'a [u8],
    domain_sid: Option<Sid>,
    /// NtVersion: which answers the client understands.
    pub nt_version: NtVersion,
    tokens: Tokens<'a>,
}

impl<'a> SamLogonRequest<'a> {
    /// A request whose answer is to go to `mailslot_name` (with `\MAILSLOT\`), for no account where the user's
    /// name is empty.
    ///
    /// # Errors
    /// A NUL in MailslotName, or more than 64 bytes.
    pub fn new(
        unicode_computer_name: Utf16Str<'a>,
        unicode_user_name: Utf16Str<'a>,
        mailslot_name: &'a [u8],
        nt_version: NtVersion,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            request_count: 0,
            unicode_computer_name,
            unicode_user_name,
            mailslot_name: checked_mailslot_name(mailslot_name)?,
            allowable_account_control_bits: 0,
            padding: &[],
            domain_sid: None,
            nt_version,
            tokens: Tokens::BOTH,
        })
    }

    /// The request with the SID of the domain that is meant.
    #[must_use]
    pub fn with_domain_sid(self, sid: Sid) -> Self {
        let at = BODY_AT + self.strings_len() + 2 + 8;
        let padding = [0; 3].as_slice().get(..at.next_multiple_of(4) - at).unwrap_or_default();
        Self { padding, domain_sid: Some(sid), ..self }
    }

    /// The client's name.
    pub const fn unicode_computer_name(&self) -> Utf16Str<'a> {
        self.unicode_computer_name
    }

    /// The account that is to log on, or nothing.
    pub const fn unicode_user_name(&self) -> Utf16Str<'a> {
        self.unicode_user_name
    }

    /// Where the answer is to go; see [`reply_slot`](super::reply_slot).
    pub const fn mailslot_name(&self) -> &'a [u8] {
        self.mailslot_name
    }

    /// The bytes between DomainSidSize and DomainSid.
    pub const fn padding(&self) -> &'a [u8] {
        self.padding
    }

    /// The domain's SID.
    pub const fn domain_sid(&self) -> Option<&Sid> {
        self.domain_sid.as_ref()
    }

    /// The tokens.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    const fn strings_len(&self) -> usize {
        self.unicode_computer_name.encoded_len()
            + self.unicode_user_name.encoded_len()
            + self.mailslot_name.len()
            + 1
    }

    pub(super) fn read(whole: &'a [u8], input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, request_count) = read::u16_le("request_count", input)?;
        let (input, unicode_computer_name) = Utf16Str::read("unicode_computer_name", input)?;
        let (input, unicode_user_name) = Utf16Str::read("unicode_user_name", input)?;
        let (input, mailslot_name) = mailslot_name(input)?;
        let (input, allowable_account_control_bits) = read::u32_le("allowable_account_control_bits", input)?;
        let (input, (padding, domain_sid)) = Sid::read_sized(whole, input, 4)?;
        let (input, (nt_version, tokens)) = read_ending(input)?;
        let request = Self {
            request_count,
            unicode_computer_name,
            unicode_user_name,
            mailslot_name,
            allowable_account_control_bits,
            padding,
            domain_sid,
            nt_version,
            tokens,
        };
        Ok((input, request))
    }
}

impl Encode for SamLogonRequest<'_> {
    fn encoded_len(&self) -> usize {
        let sid = sid_len(self.domain_sid.as_ref(), self.padding);
        2 + self.strings_len() + 4 + sid + 4 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.request_count);
        self.unicode_computer_name.write(out);
        self.unicode_user_name.write(out);
        write_asciiz(self.mailslot_name, out);
        out.put_u32_le(self.allowable_account_control_bits);
        write_sid(self.domain_sid.as_ref(), self.padding, out);
        out.put_u32_le(self.nt_version.bits());
        self.tokens.write(out);
    }
}
