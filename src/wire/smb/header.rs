//! The SMB1 header (MS-CIFS 2.2.3.1). Little-endian.
//!
//! ```text
//!  0  FF 53 4D 42   4  command   5  status (4)   9  flags  10  flags2 (2)  12  pid_high (2)
//! 14  security_features (8)     22  reserved (2)          24  tid (2)      26  pid_low (2)
//! 28  uid (2)                   30  mid (2)
//! ```

use core::fmt;

use bitflags::bitflags;
use bytes::BufMut;

use super::status::NtStatus;
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer};

/// Length of the header, in bytes.
pub const HEADER_LEN: usize = 32;

const PROTOCOL: [u8; 4] = *b"\xffSMB";

/// SMB_COM_*: what the message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Command(pub u8);

impl Command {
    /// SMB_COM_TRANSACTION.
    pub const TRANSACTION: Self = Self(0x25);
    /// SMB_COM_TRANSACTION_SECONDARY.
    pub const TRANSACTION_SECONDARY: Self = Self(0x26);
    /// SMB_COM_TREE_DISCONNECT.
    pub const TREE_DISCONNECT: Self = Self(0x71);
    /// SMB_COM_NEGOTIATE.
    pub const NEGOTIATE: Self = Self(0x72);
    /// SMB_COM_SESSION_SETUP_ANDX.
    pub const SESSION_SETUP_ANDX: Self = Self(0x73);
    /// SMB_COM_LOGOFF_ANDX.
    pub const LOGOFF_ANDX: Self = Self(0x74);
    /// SMB_COM_TREE_CONNECT_ANDX.
    pub const TREE_CONNECT_ANDX: Self = Self(0x75);
    /// SMB_COM_SEND_MESSAGE.
    pub const SEND_MESSAGE: Self = Self(0xd0);
    /// SMB_COM_SEND_START_MB_MESSAGE.
    pub const SEND_START_MB_MESSAGE: Self = Self(0xd5);
    /// SMB_COM_SEND_END_MB_MESSAGE.
    pub const SEND_END_MB_MESSAGE: Self = Self(0xd6);
    /// SMB_COM_SEND_TEXT_MB_MESSAGE.
    pub const SEND_TEXT_MB_MESSAGE: Self = Self(0xd7);
    /// SMB_COM_NO_ANDX_COMMAND: no command follows.
    pub const NONE: Self = Self(0xff);

    /// The name in MS-CIFS, without `SMB_COM_`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::TRANSACTION => "TRANSACTION",
            Self::TRANSACTION_SECONDARY => "TRANSACTION_SECONDARY",
            Self::TREE_DISCONNECT => "TREE_DISCONNECT",
            Self::NEGOTIATE => "NEGOTIATE",
            Self::SESSION_SETUP_ANDX => "SESSION_SETUP_ANDX",
            Self::LOGOFF_ANDX => "LOGOFF_ANDX",
            Self::TREE_CONNECT_ANDX => "TREE_CONNECT_ANDX",
            Self::SEND_MESSAGE => "SEND_MESSAGE",
            Self::SEND_START_MB_MESSAGE => "SEND_START_MB_MESSAGE",
            Self::SEND_END_MB_MESSAGE => "SEND_END_MB_MESSAGE",
            Self::SEND_TEXT_MB_MESSAGE => "SEND_TEXT_MB_MESSAGE",
            _ => return None,
        })
    }
}

bitflags! {
    /// Flags. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct Flags: u8 {
        /// SMB_FLAGS_LOCK_AND_READ_OK.
        const LOCK_AND_READ_OK = 0x01;
        /// SMB_FLAGS_BUF_AVAIL.
        const BUF_AVAIL = 0x02;
        /// SMB_FLAGS_CASE_INSENSITIVE.
        const CASE_INSENSITIVE = 0x08;
        /// SMB_FLAGS_CANONICALIZED_PATHS.
        const CANONICALIZED_PATHS = 0x10;
        /// SMB_FLAGS_OPLOCK.
        const OPLOCK = 0x20;
        /// SMB_FLAGS_OPBATCH.
        const OPBATCH = 0x40;
        /// SMB_FLAGS_REPLY: the message is an answer.
        const REPLY = 0x80;
        const _ = !0;
    }
}

bitflags! {
    /// Flags2. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct Flags2: u16 {
        /// SMB_FLAGS2_LONG_NAMES.
        const LONG_NAMES = 0x0001;
        /// SMB_FLAGS2_EAS.
        const EAS = 0x0002;
        /// SMB_FLAGS2_SMB_SECURITY_SIGNATURE.
        const SMB_SECURITY_SIGNATURE = 0x0004;
        /// SMB_FLAGS2_COMPRESSED (MS-SMB).
        const COMPRESSED = 0x0008;
        /// SMB_FLAGS2_SMB_SECURITY_SIGNATURE_REQUIRED (MS-SMB).
        const SMB_SECURITY_SIGNATURE_REQUIRED = 0x0010;
        /// SMB_FLAGS2_IS_LONG_NAME.
        const IS_LONG_NAME = 0x0040;
        /// SMB_FLAGS2_REPARSE_PATH (MS-SMB).
        const REPARSE_PATH = 0x0400;
        /// SMB_FLAGS2_EXTENDED_SECURITY (MS-SMB).
        const EXTENDED_SECURITY = 0x0800;
        /// SMB_FLAGS2_DFS.
        const DFS = 0x1000;
        /// SMB_FLAGS2_PAGING_IO.
        const PAGING_IO = 0x2000;
        /// SMB_FLAGS2_NT_STATUS: the status is an NTSTATUS.
        const NT_STATUS = 0x4000;
        /// SMB_FLAGS2_UNICODE: strings are UTF-16.
        const UNICODE = 0x8000;
        const _ = !0;
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command(0x{:02x})", self.0)
    }
}

/// The SMB1 header. In mailslot datagrams nearly all of it is zero, and the receiver ignores all but the
/// command (MS-MAIL 3.2.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Header {
    /// Command.
    pub command: Command,
    /// Status: an NTSTATUS, or an error class and code.
    pub status: NtStatus,
    /// Flags.
    pub flags: Flags,
    /// Flags2.
    pub flags2: Flags2,
    /// PIDHigh.
    pub pid_high: u16,
    /// SecurityFeatures.
    pub security_features: [u8; 8],
    /// Reserved.
    pub reserved: u16,
    /// TID.
    pub tid: u16,
    /// PIDLow.
    pub pid_low: u16,
    /// UID.
    pub uid: u16,
    /// MID.
    pub mid: u16,
}

impl Header {
    /// A header with all fields but the command zero.
    pub const fn new(command: Command) -> Self {
        Self {
            command,
            status: NtStatus::SUCCESS,
            flags: Flags::empty(),
            flags2: Flags2::empty(),
            pid_high: 0,
            security_features: [0; 8],
            reserved: 0,
            tid: 0,
            pid_low: 0,
            uid: 0,
            mid: 0,
        }
    }

    /// The header of an answer to this request: its identifiers and Flags2, the reply bit, `status`.
    #[must_use]
    pub const fn reply(&self, status: NtStatus) -> Self {
        let flags = self.flags.union(Flags::REPLY);
        Self { status, flags, security_features: [0; 8], ..*self }
    }

    /// Whether this is the header of an answer.
    pub const fn is_reply(&self) -> bool {
        self.flags.contains(Flags::REPLY)
    }

    /// Whether the status says failure, in the form that Flags2 names.
    pub const fn is_error(&self) -> bool {
        if self.flags2.contains(Flags2::NT_STATUS) {
            self.status.is_error()
        } else {
            self.status.dos().class != 0
        }
    }

    /// Reads the header at the beginning of a message and returns what follows it.
    ///
    /// # Errors
    /// Fewer than 32 bytes, or another signature than `FF 53 4D 42`.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let Some((head, rest)) = bytes.split_first_chunk::<HEADER_LEN>() else { return Err(damaged(bytes)) };
        #[rustfmt::skip]
        let [
            p0, p1, p2, p3, command, s0, s1, s2, s3, flags, f0, f1, h0, h1,
            x0, x1, x2, x3, x4, x5, x6, x7, r0, r1, t0, t1, l0, l1, u0, u1, m0, m1,
        ] = *head;
        if [p0, p1, p2, p3] != PROTOCOL {
            return Err(damaged(bytes));
        }
        let header = Self {
            command: Command(command),
            status: NtStatus(u32::from_le_bytes([s0, s1, s2, s3])),
            flags: Flags::from_bits_retain(flags),
            flags2: Flags2::from_bits_retain(u16::from_le_bytes([f0, f1])),
            pid_high: u16::from_le_bytes([h0, h1]),
            security_features: [x0, x1, x2, x3, x4, x5, x6, x7],
            reserved: u16::from_le_bytes([r0, r1]),
            tid: u16::from_le_bytes([t0, t1]),
            pid_low: u16::from_le_bytes([l0, l1]),
            uid: u16::from_le_bytes([u0, u1]),
            mid: u16::from_le_bytes([m0, m1]),
        };
        Ok((header, rest))
    }
}

#[cold]
fn damaged(bytes: &[u8]) -> DecodeError {
    if let Some((&found, _)) = bytes.split_first_chunk::<4>()
        && found != PROTOCOL
    {
        let kind = DecodeErrorKind::BadValue { value: u32::from_be_bytes(found), expected: "0xff534d42" };
        return DecodeError::new(Layer::Smb, "protocol", 0, kind);
    }
    let (field, at, needed) = match bytes.len() {
        0..4 => ("protocol", 0, 4),
        4 => ("command", 4, 1),
        5..9 => ("status", 5, 4),
        9 => ("flags", 9, 1),
        10..12 => ("flags2", 10, 2),
        12..14 => ("pid_high", 12, 2),
        14..22 => ("security_features", 14, 8),
        22..24 => ("reserved", 22, 2),
        24..26 => ("tid", 24, 2),
        26..28 => ("pid_low", 26, 2),
        28..30 => ("uid", 28, 2),
        _ => ("mid", 30, 2),
    };
    let kind = DecodeErrorKind::Truncated { needed, have: bytes.len().saturating_sub(at) };
    DecodeError::new(Layer::Smb, field, at, kind)
}

impl Decode<'_> for Header {
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match Self::split(bytes)? {
            (header, []) => Ok(header),
            (_, rest) => {
                let kind = DecodeErrorKind::TooLong { have: HEADER_LEN + rest.len(), max: HEADER_LEN };
                Err(DecodeError::new(Layer::Smb, "header", HEADER_LEN, kind))
            }
        }
    }
}

impl Encode for Header {
    fn encoded_len(&self) -> usize {
        HEADER_LEN
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_slice(&PROTOCOL);
        out.put_u8(self.command.0);
        out.put_u32_le(self.status.0);
        out.put_u8(self.flags.bits());
        out.put_u16_le(self.flags2.bits());
        out.put_u16_le(self.pid_high);
        out.put_slice(&self.security_features);
        out.put_u16_le(self.reserved);
        out.put_u16_le(self.tid);
        out.put_u16_le(self.pid_low);
        out.put_u16_le(self.uid);
        out.put_u16_le(self.mid);
    }
}
