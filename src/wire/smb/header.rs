//! The SMB1 header (MS-CIFS 2.2.3.1). Little-endian.
//!
//! ```text
//!  0  FF 53 4D 42   4  command   5  status (4)   9  flags  10  flags2 (2)  12  pid_high (2)
//! 14  security_features (8)     22  reserved (2)          24  tid (2)      26  pid_low (2)
//! 28  uid (2)                   30  mid (2)
//! ```

use core::fmt;

use bytes::BufMut;

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
    pub status: u32,
    /// Flags.
    pub flags: u8,
    /// Flags2.
    pub flags2: u16,
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
            status: 0,
            flags: 0,
            flags2: 0,
            pid_high: 0,
            security_features: [0; 8],
            reserved: 0,
            tid: 0,
            pid_low: 0,
            uid: 0,
            mid: 0,
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
            status: u32::from_le_bytes([s0, s1, s2, s3]),
            flags,
            flags2: u16::from_le_bytes([f0, f1]),
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
        out.put_u32_le(self.status);
        out.put_u8(self.flags);
        out.put_u16_le(self.flags2);
        out.put_u16_le(self.pid_high);
        out.put_slice(&self.security_features);
        out.put_u16_le(self.reserved);
        out.put_u16_le(self.tid);
        out.put_u16_le(self.pid_low);
        out.put_u16_le(self.uid);
        out.put_u16_le(self.mid);
    }
}
