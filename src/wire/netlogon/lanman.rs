//! The logon request of LAN Manager and Windows 9x, and its answer.
//!
//! ```text
//! 0x00  computer_name NUL, user_name NUL, mailslot_name NUL, request_count (1), lm_nt_token (2), lm20_token (2)
//! 0x06  logon_server_name NUL, lm20_token (2)
//! ```

use bytes::BufMut;

use super::text::{asciiz, checked, checked_mailslot_name, mailslot_name, write_asciiz};
use super::values::Tokens;
use crate::wire::codec::Encode;
use crate::wire::error::ValueError;
use crate::wire::read::{self, Parsed};

/// A logon request, without its opcode.
///
/// Accepted and kept: one token or none, and bytes behind them. Refused: a string without NUL, a MailslotName of
/// more than [`MAX_MAILSLOT_NAME`](super::MAX_MAILSLOT_NAME) bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LogonRequest<'a> {
    computer_name: &'a [u8],
    user_name: &'a [u8],
    mailslot_name: &'a [u8],
    /// RequestCount: how often this was asked before.
    pub request_count: u8,
    tokens: Tokens<'a>,
}

impl<'a> LogonRequest<'a> {
    /// A request whose answer is to go to `mailslot_name` (with `\MAILSLOT\`); strings in OEM bytes.
    ///
    /// # Errors
    /// A NUL in a string, a MailslotName of more than 64 bytes.
    pub fn new(
        computer_name: &'a [u8],
        user_name: &'a [u8],
        mailslot_name: &'a [u8],
        request_count: u8,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            computer_name: checked("computer_name", computer_name)?,
            user_name: checked("user_name", user_name)?,
            mailslot_name: checked_mailslot_name(mailslot_name)?,
            request_count,
            tokens: Tokens::BOTH,
        })
    }

    /// The client's name, in OEM bytes.
    pub const fn computer_name(&self) -> &'a [u8] {
        self.computer_name
    }

    /// The account, in OEM bytes.
    pub const fn user_name(&self) -> &'a [u8] {
        self.user_name
    }

    /// Where the answer is to go; see [`reply_slot`](super::reply_slot).
    pub const fn mailslot_name(&self) -> &'a [u8] {
        self.mailslot_name
    }

    /// The tokens. The first says 0xFFFF, or the version of the client's system.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    pub(super) fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, computer_name) = asciiz("computer_name", input)?;
        let (input, user_name) = asciiz("user_name", input)?;
        let (input, mailslot_name) = mailslot_name(input)?;
        let (input, request_count) = read::u8("request_count", input)?;
        let tokens = Tokens::read(input);
        Ok((&[], Self { computer_name, user_name, mailslot_name, request_count, tokens }))
    }
}

impl Encode for LogonRequest<'_> {
    fn encoded_len(&self) -> usize {
        let strings = self.computer_name.len() + self.user_name.len() + self.mailslot_name.len() + 3;
        strings + 1 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        write_asciiz(self.computer_name, out);
        write_asciiz(self.user_name, out);
        write_asciiz(self.mailslot_name, out);
        out.put_u8(self.request_count);
        self.tokens.write(out);
    }
}

/// The answer to a logon request, without its opcode.
///
/// Accepted and kept: no token, and bytes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lm20Response<'a> {
    logon_server_name: &'a [u8],
    tokens: Tokens<'a>,
}

impl<'a> Lm20Response<'a> {
    /// The answer of `logon_server_name`: `\\NAME`, in OEM bytes.
    ///
    /// # Errors
    /// A NUL in the name.
    pub fn new(logon_server_name: &'a [u8]) -> Result<Self, ValueError> {
        let logon_server_name = checked("logon_server_name", logon_server_name)?;
        Ok(Self { logon_server_name, tokens: Tokens::ONE })
    }

    /// The server, with its backslashes, in OEM bytes.
    pub const fn logon_server_name(&self) -> &'a [u8] {
        self.logon_server_name
    }

    /// The token: Lm20Token alone.
    pub const fn tokens(&self) -> Tokens<'a> {
        self.tokens
    }

    pub(super) fn read(input: &'a [u8]) -> Parsed<'a, Self> {
        let (input, logon_server_name) = asciiz("logon_server_name", input)?;
        Ok((&[], Self { logon_server_name, tokens: Tokens::read(input) }))
    }
}

impl Encode for Lm20Response<'_> {
    fn encoded_len(&self) -> usize {
        self.logon_server_name.len() + 1 + self.tokens.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        write_asciiz(self.logon_server_name, out);
        self.tokens.write(out);
    }
}
