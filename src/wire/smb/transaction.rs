//! `SMB_COM_TRANSACTION` request: the fixed words (MS-CIFS 2.2.4.33.1). Little-endian.
//!
//! Offsets from the SMB signature:
//!
//! ```text
//! 32  word_count  33  total_parameter_count (2)  35  total_data_count (2)  37  max_parameter_count (2)
//! 39  max_data_count (2)   41  max_setup_count   42  reserved1             43  flags (2)
//! 45  timeout (4)          49  reserved2 (2)     51  parameter_count (2)   53  parameter_offset (2)
//! 55  data_count (2)       57  data_offset (2)   59  setup_count           60  reserved3    61  setup words
//! ```

use bitflags::bitflags;
use bytes::BufMut;

use crate::wire::error::{DecodeError, DecodeErrorKind, Layer};

/// Offset of WordCount from the SMB signature, in bytes.
const WORD_COUNT_AT: usize = 32;

/// WordCount and the 14 fixed words, in bytes.
const WORDS_LEN: usize = 29;

bitflags! {
    /// Flags of a transaction request. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct TransactionFlags: u16 {
        /// DISCONNECT_TID: disconnect the tree afterwards.
        const DISCONNECT_TID = 0x0001;
        /// NO_RESPONSE: the server must not answer.
        const NO_RESPONSE = 0x0002;
        const _ = !0;
    }
}

/// The fixed words of a transaction request, as they stand on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Words {
    /// WordCount: 14 and the setup words.
    pub word_count: u8,
    /// TotalParameterCount.
    pub total_parameter_count: u16,
    /// TotalDataCount.
    pub total_data_count: u16,
    /// MaxParameterCount.
    pub max_parameter_count: u16,
    /// MaxDataCount.
    pub max_data_count: u16,
    /// MaxSetupCount.
    pub max_setup_count: u8,
    /// Reserved1.
    pub reserved1: u8,
    /// Flags.
    pub flags: TransactionFlags,
    /// Timeout, in milliseconds.
    pub timeout: u32,
    /// Reserved2.
    pub reserved2: u16,
    /// ParameterCount.
    pub parameter_count: u16,
    /// ParameterOffset, in bytes from the SMB signature.
    pub parameter_offset: u16,
    /// DataCount, in bytes.
    pub data_count: u16,
    /// DataOffset, in bytes from the SMB signature.
    pub data_offset: u16,
    /// SetupCount, in words.
    pub setup_count: u8,
    /// Reserved3.
    pub reserved3: u8,
}

impl Words {
    /// Words of a request with three setup words, all else zero.
    pub(super) const ZERO: Self = Self {
        word_count: 17,
        total_parameter_count: 0,
        total_data_count: 0,
        max_parameter_count: 0,
        max_data_count: 0,
        max_setup_count: 0,
        reserved1: 0,
        flags: TransactionFlags::empty(),
        timeout: 0,
        reserved2: 0,
        parameter_count: 0,
        parameter_offset: 0,
        data_count: 0,
        data_offset: 0,
        setup_count: 3,
        reserved3: 0,
    };

    /// Reads WordCount and the fixed words at the beginning of `bytes` (what follows the SMB header), and
    /// returns the setup words and what follows them. Offsets in errors count from the SMB signature.
    #[inline]
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let Some((head, rest)) = bytes.split_first_chunk::<WORDS_LEN>() else { return Err(truncated(bytes)) };
        #[rustfmt::skip]
        let [
            word_count, tp0, tp1, td0, td1, mp0, mp1, md0, md1, max_setup_count, reserved1, f0, f1,
            t0, t1, t2, t3, r0, r1, pc0, pc1, po0, po1, dc0, dc1, do0, do1, setup_count, reserved3,
        ] = *head;
        let words = Self {
            word_count,
            total_parameter_count: u16::from_le_bytes([tp0, tp1]),
            total_data_count: u16::from_le_bytes([td0, td1]),
            max_parameter_count: u16::from_le_bytes([mp0, mp1]),
            max_data_count: u16::from_le_bytes([md0, md1]),
            max_setup_count,
            reserved1,
            flags: TransactionFlags::from_bits_retain(u16::from_le_bytes([f0, f1])),
            timeout: u32::from_le_bytes([t0, t1, t2, t3]),
            reserved2: u16::from_le_bytes([r0, r1]),
            parameter_count: u16::from_le_bytes([pc0, pc1]),
            parameter_offset: u16::from_le_bytes([po0, po1]),
            data_count: u16::from_le_bytes([dc0, dc1]),
            data_offset: u16::from_le_bytes([do0, do1]),
            setup_count,
            reserved3,
        };
        Ok((words, rest))
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        out.put_u8(self.word_count);
        out.put_u16_le(self.total_parameter_count);
        out.put_u16_le(self.total_data_count);
        out.put_u16_le(self.max_parameter_count);
        out.put_u16_le(self.max_data_count);
        out.put_u8(self.max_setup_count);
        out.put_u8(self.reserved1);
        out.put_u16_le(self.flags.bits());
        out.put_u32_le(self.timeout);
        out.put_u16_le(self.reserved2);
        out.put_u16_le(self.parameter_count);
        out.put_u16_le(self.parameter_offset);
        out.put_u16_le(self.data_count);
        out.put_u16_le(self.data_offset);
        out.put_u8(self.setup_count);
        out.put_u8(self.reserved3);
    }
}

#[cold]
fn truncated(bytes: &[u8]) -> DecodeError {
    const FIELDS: [(&str, usize); 16] = [
        ("word_count", 1),
        ("total_parameter_count", 2),
        ("total_data_count", 2),
        ("max_parameter_count", 2),
        ("max_data_count", 2),
        ("max_setup_count", 1),
        ("reserved1", 1),
        ("flags", 2),
        ("timeout", 4),
        ("reserved2", 2),
        ("parameter_count", 2),
        ("parameter_offset", 2),
        ("data_count", 2),
        ("data_offset", 2),
        ("setup_count", 1),
        ("reserved3", 1),
    ];
    let mut at = 0;
    for (field, needed) in FIELDS {
        if at + needed > bytes.len() {
            let kind = DecodeErrorKind::Truncated { needed, have: bytes.len() - at };
            return DecodeError::new(Layer::Transaction, field, WORD_COUNT_AT + at, kind);
        }
        at += needed;
    }
    let kind = DecodeErrorKind::Truncated { needed: WORDS_LEN, have: bytes.len() };
    DecodeError::new(Layer::Transaction, "word_count", WORD_COUNT_AT, kind)
}
