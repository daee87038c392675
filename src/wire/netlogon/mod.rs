//! Domain controller locator messages: the data of messages to `\MAILSLOT\NET\NETLOGON` and of their answers
//! (MS-ADTS 6.3.1, MS-NRPC 2.2.1.5.1). Little-endian.
//!
//! ```text
//! 0  opcode (2)   2  what the opcode says: numbers, NUL-terminated OEM and UTF-16LE strings, compressed names
//! … nt_version (4)   lm_nt_token (2)   lm20_token (2)
//! ```
//!
//! Nothing is aligned but what the types say: numbers stand on odd offsets too.
//!
//! Nothing here is authenticated. A DB_CHANGE is a hint, an answer is good only for an own open question, and
//! a slot to answer to is one that [`reply_slot`] accepts.

mod db_change;
mod lanman;
mod names;
mod primary;
mod sam_logon;
mod sam_response;
mod text;
mod values;

use core::fmt;

use bytes::BufMut;

pub use db_change::{DbChange, DbChangeInfo, DbIndex};
pub use lanman::{Lm20Response, LogonRequest};
pub use names::CompressedName;
pub(crate) use names::text_at as compressed_name_at;
pub(crate) use primary::version_padding;
pub use primary::{PrimaryQuery, PrimaryResponse};
pub use sam_logon::SamLogonRequest;
pub use sam_response::{DcSockAddr, Directory, DnsNames, SamResponse, SamResponseEx, SiteNames};
pub use text::Utf16Str;
pub(crate) use values::sid_padding;
pub use values::{DcFlags, Guid, NtVersion, Sid, Tokens};

use super::codec::{Decode, Encode};
use super::error::{DecodeError, Layer};
use super::read;

/// The slot of requests, without `\MAILSLOT\`.
pub const NETLOGON: &[u8] = br"NET\NETLOGON";

/// The slot of NT 4's requests, without `\MAILSLOT\`.
pub const NTLOGON: &[u8] = br"NET\NTLOGON";

/// How the slots of answers begin, without `\MAILSLOT\`: three digits follow, or the server's address in
/// hexadecimal (Samba).
pub const GETDC: &[u8] = br"NET\GETDC";

/// The slot of answers to LAN Manager and Windows 9x, without `\MAILSLOT\`.
pub const TEMP_NETLOGON: &[u8] = br"TEMP\NETLOGON";

/// The longest MailslotName that is read, in bytes.
pub const MAX_MAILSLOT_NAME: usize = 256;

/// The longest MailslotName that is written or answered to, in bytes (CVE-2007-6015).
pub const MAX_REPLY_SLOT: usize = 64;

/// Whether messages to `slot` (without `\MAILSLOT\`) are of this protocol: the slots above, in any case.
pub fn is_netlogon_slot(slot: &[u8]) -> bool {
    slot.eq_ignore_ascii_case(NETLOGON)
        || slot.eq_ignore_ascii_case(NTLOGON)
        || slot.eq_ignore_ascii_case(TEMP_NETLOGON)
        || is_getdc(slot)
}

fn is_getdc(slot: &[u8]) -> bool {
    match slot.split_at_checked(GETDC.len()) {
        Some((head, _)) => head.eq_ignore_ascii_case(GETDC),
        None => false,
    }
}

/// The slot (without `\MAILSLOT\`) that a request's MailslotName asks the answer to go to: at most
/// [`MAX_REPLY_SLOT`] bytes in all, below `\MAILSLOT\`, printable ASCII. `None` for what must not be answered.
pub fn reply_slot(mailslot_name: &[u8]) -> Option<&[u8]> {
    const PREFIX: &[u8] = br"\MAILSLOT\";
    let (prefix, slot) = mailslot_name.split_at_checked(PREFIX.len())?;
    let sound = mailslot_name.len() <= MAX_REPLY_SLOT
        && prefix.eq_ignore_ascii_case(PREFIX)
        && !slot.is_empty()
        && slot.iter().all(u8::is_ascii_graphic);
    sound.then_some(slot)
}

/// The first two bytes of a message (MS-ADTS 6.3.1.3). Unknown values are kept.
///
/// 0x17 is the extended *answer*, 0x19 the extended "user unknown".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Opcode(pub u16);

impl Opcode {
    /// LAN Manager's logon request.
    pub const LM_LOGON_REQUEST: Self = Self(0x00);
    /// LAN Manager 2.0's answer to a logon request.
    pub const LM20_LOGON_RESPONSE: Self = Self(0x06);
    /// Who is the primary domain controller?
    pub const PRIMARY_QUERY: Self = Self(0x07);
    /// The primary domain controller has started.
    pub const PDC_START: Self = Self(0x08);
    /// The primary domain controller has failed.
    pub const PDC_FAILED: Self = Self(0x09);
    /// The account database has changed (MS-NRPC 2.2.1.5.1).
    pub const DB_CHANGE: Self = Self(0x0a);
    /// I am.
    pub const PRIMARY_RESPONSE: Self = Self(0x0c);
    /// Which domain controller lets this account log on?
    pub const SAM_LOGON_REQUEST: Self = Self(0x12);
    /// I do.
    pub const SAM_LOGON_RESPONSE: Self = Self(0x13);
    /// I would, but my service is paused.
    pub const SAM_PAUSE_RESPONSE: Self = Self(0x14);
    /// I don't know the account.
    pub const SAM_USER_UNKNOWN: Self = Self(0x15);
    /// [`Self::SAM_LOGON_RESPONSE`] with flags, names and sites.
    pub const SAM_LOGON_RESPONSE_EX: Self = Self(0x17);
    /// [`Self::SAM_PAUSE_RESPONSE`] with flags, names and sites.
    pub const SAM_PAUSE_RESPONSE_EX: Self = Self(0x18);
    /// [`Self::SAM_USER_UNKNOWN`] with flags, names and sites.
    pub const SAM_USER_UNKNOWN_EX: Self = Self(0x19);

    /// The message's name: that of MS-ADTS where it has one.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "LM_LOGON_REQUEST",
            0x01..=0x04 => "LM_LOGON_RESPONSE",
            0x05 => "LM10_LOGON_RESPONSE",
            0x06 => "LM20_LOGON_RESPONSE",
            0x07 => "LOGON_PRIMARY_QUERY",
            0x08 => "PDC_START",
            0x09 => "PDC_FAILED",
            0x0a => "DB_CHANGE",
            0x0b => "NO_SUCH_USER",
            0x0c => "LOGON_PRIMARY_RESPONSE",
            0x0d => "RELOGON",
            0x0e => "INTERROGATE",
            0x0f => "PAUSE",
            0x10 => "UNKNOWN_USER",
            0x11 => "ACCOUNT_UPDATE",
            0x12 => "LOGON_SAM_LOGON_REQUEST",
            0x13 => "LOGON_SAM_LOGON_RESPONSE",
            0x14 => "LOGON_SAM_PAUSE_RESPONSE",
            0x15 => "LOGON_SAM_USER_UNKNOWN",
            0x16 => "SAM_INTERROGATE",
            0x17 => "LOGON_SAM_LOGON_RESPONSE_EX",
            0x18 => "LOGON_SAM_PAUSE_RESPONSE_EX",
            0x19 => "LOGON_SAM_USER_UNKNOWN_EX",
            _ => return None,
        })
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

/// A message of the locator. Those of an opcode without a known layout are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetlogonMessage<'a> {
    /// LAN Manager's logon request.
    LogonRequest(LogonRequest<'a>),
    /// LAN Manager 2.0's answer.
    Lm20Response(Lm20Response<'a>),
    /// Asks for the primary domain controller (MS-ADTS 6.3.1.4).
    PrimaryQuery(PrimaryQuery<'a>),
    /// Its answer (MS-ADTS 6.3.1.5).
    PrimaryResponse(PrimaryResponse<'a>),
    /// The primary domain controller tells the others that the database has changed (MS-NRPC 2.2.1.5.1).
    DbChange(DbChange<'a>),
    /// Asks for a domain controller (MS-ADTS 6.3.1.6).
    SamLogonRequest(SamLogonRequest<'a>),
    /// A domain controller answers (MS-ADTS 6.3.1.7, 6.3.1.8).
    SamLogonResponse(SamResponse<'a>),
    /// One that is paused answers.
    SamPauseResponse(SamResponse<'a>),
    /// One that does not know the account answers.
    SamUserUnknown(SamResponse<'a>),
    /// A domain controller answers with flags, names and sites (MS-ADTS 6.3.1.9).
    SamLogonResponseEx(SamResponseEx<'a>),
    /// One that is paused answers.
    SamPauseResponseEx(SamResponseEx<'a>),
    /// One that does not know the account answers.
    SamUserUnknownEx(SamResponseEx<'a>),
    /// A message of another opcode.
    #[non_exhaustive]
    Other {
        /// The first two bytes.
        opcode: Opcode,
        /// All that follows them.
        data: &'a [u8],
    },
}

impl NetlogonMessage<'_> {
    /// The message's opcode.
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::LogonRequest(_) => Opcode::LM_LOGON_REQUEST,
            Self::Lm20Response(_) => Opcode::LM20_LOGON_RESPONSE,
            Self::PrimaryQuery(_) => Opcode::PRIMARY_QUERY,
            Self::PrimaryResponse(_) => Opcode::PRIMARY_RESPONSE,
            Self::DbChange(_) => Opcode::DB_CHANGE,
            Self::SamLogonRequest(_) => Opcode::SAM_LOGON_REQUEST,
            Self::SamLogonResponse(_) => Opcode::SAM_LOGON_RESPONSE,
            Self::SamPauseResponse(_) => Opcode::SAM_PAUSE_RESPONSE,
            Self::SamUserUnknown(_) => Opcode::SAM_USER_UNKNOWN,
            Self::SamLogonResponseEx(_) => Opcode::SAM_LOGON_RESPONSE_EX,
            Self::SamPauseResponseEx(_) => Opcode::SAM_PAUSE_RESPONSE_EX,
            Self::SamUserUnknownEx(_) => Opcode::SAM_USER_UNKNOWN_EX,
            Self::Other { opcode, .. } => *opcode,
        }
    }
}

/// Where the bytes behind the opcode begin.
const BODY_AT: usize = 2;

impl<'a> Decode<'a> for NetlogonMessage<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, opcode) = read::u16_le("opcode", input)?;
            Ok(match Opcode(opcode) {
                Opcode::LM_LOGON_REQUEST => read_as(LogonRequest::read(input)?, Self::LogonRequest),
                Opcode::LM20_LOGON_RESPONSE => read_as(Lm20Response::read(input)?, Self::Lm20Response),
                Opcode::PRIMARY_QUERY => read_as(PrimaryQuery::read(bytes, input)?, Self::PrimaryQuery),
                Opcode::PRIMARY_RESPONSE => {
                    read_as(PrimaryResponse::read(bytes, input)?, Self::PrimaryResponse)
                }
                Opcode::DB_CHANGE => read_as(DbChange::read(bytes, input)?, Self::DbChange),
                Opcode::SAM_LOGON_REQUEST => {
                    read_as(SamLogonRequest::read(bytes, input)?, Self::SamLogonRequest)
                }
                Opcode::SAM_LOGON_RESPONSE => {
                    read_as(SamResponse::read(bytes, input)?, Self::SamLogonResponse)
                }
                Opcode::SAM_PAUSE_RESPONSE => {
                    read_as(SamResponse::read(bytes, input)?, Self::SamPauseResponse)
                }
                Opcode::SAM_USER_UNKNOWN => read_as(SamResponse::read(bytes, input)?, Self::SamUserUnknown),
                Opcode::SAM_LOGON_RESPONSE_EX => {
                    read_as(SamResponseEx::read(bytes, input)?, Self::SamLogonResponseEx)
                }
                Opcode::SAM_PAUSE_RESPONSE_EX => {
                    read_as(SamResponseEx::read(bytes, input)?, Self::SamPauseResponseEx)
                }
                Opcode::SAM_USER_UNKNOWN_EX => {
                    read_as(SamResponseEx::read(bytes, input)?, Self::SamUserUnknownEx)
                }
                opcode => (&[][..], Self::Other { opcode, data: input }),
            })
        };
        read::finish(fields(bytes), bytes, Layer::Netlogon).map(|(_, message)| message)
    }
}

fn read_as<T, M>((rest, fields): (&[u8], T), variant: impl FnOnce(T) -> M) -> (&[u8], M) {
    (rest, variant(fields))
}

impl Encode for NetlogonMessage<'_> {
    fn encoded_len(&self) -> usize {
        BODY_AT
            + match self {
                Self::LogonRequest(message) => message.encoded_len(),
                Self::Lm20Response(message) => message.encoded_len(),
                Self::PrimaryQuery(message) => message.encoded_len(),
                Self::PrimaryResponse(message) => message.encoded_len(),
                Self::DbChange(message) => message.encoded_len(),
                Self::SamLogonRequest(message) => message.encoded_len(),
                Self::SamLogonResponse(message)
                | Self::SamPauseResponse(message)
                | Self::SamUserUnknown(message) => message.encoded_len(),
                Self::SamLogonResponseEx(message)
                | Self::SamPauseResponseEx(message)
                | Self::SamUserUnknownEx(message) => message.encoded_len(),
                Self::Other { data, .. } => data.len(),
            }
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.opcode().0);
        match self {
            Self::LogonRequest(message) => message.encode(out),
            Self::Lm20Response(message) => message.encode(out),
            Self::PrimaryQuery(message) => message.encode(out),
            Self::PrimaryResponse(message) => message.encode(out),
            Self::DbChange(message) => message.encode(out),
            Self::SamLogonRequest(message) => message.encode(out),
            Self::SamLogonResponse(message)
            | Self::SamPauseResponse(message)
            | Self::SamUserUnknown(message) => message.encode(out),
            Self::SamLogonResponseEx(message)
            | Self::SamPauseResponseEx(message)
            | Self::SamUserUnknownEx(message) => message.encode(out),
            Self::Other { data, .. } => out.put_slice(data),
        }
    }
}
