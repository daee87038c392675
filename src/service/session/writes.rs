//! One write of a client: from the message to its transactions.

use core::time::Duration;

use bytes::Bytes;

use crate::wire::ValueError;
use crate::wire::smb::{Body, Piece, SmbStr, TransactionFlags, TransactionRequest, TransactionSecondary};

/// Bytes of a first request besides name and data: header, words, ByteCount, alignments, the name's NUL.
const REQUEST_OVERHEAD: usize = 69 + 1 + 2 + 3;
/// Bytes of a further request besides data.
const SECONDARY_OVERHEAD: usize = 32 + 1 + 16 + 2 + 3;
/// What 16-bit counts and offsets leave for one message, whatever the peer takes.
const MAX_MESSAGE: usize = 65_000;
/// What every server takes (MS-CIFS 2.2.4.52.2).
const MIN_MESSAGE: usize = 1024;

/// A message that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what a mailslot write says")]
pub struct Outgoing {
    /// The slot's full name, `\MAILSLOT\…`, in bytes that stand for U+0001 to U+00FF.
    pub name: Vec<u8>,
    /// The message, of at most 65,535 bytes.
    pub data: Bytes,
    /// 0 to 9.
    pub priority: u16,
    /// Whether it does without an answer. It counts as written when its bytes are handed out; whether the slot has it,
    /// is not known.
    pub one_way: bool,
}

/// A write of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub(super) u64);

/// A write whose first request is sent.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) id: WriteId,
    pub(super) message: Outgoing,
    pub(super) mid: u16,
    pub(super) deadline: Duration,
    /// Bytes of the data that are sent.
    pub(super) sent: usize,
}

/// The largest message to a server with this MaxBufferSize, in bytes.
pub(super) fn largest_message(max_buffer_size: u32) -> usize {
    usize::try_from(max_buffer_size).unwrap_or(MAX_MESSAGE).clamp(MIN_MESSAGE, MAX_MESSAGE)
}

impl InFlight {
    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.message.data.len()
    }

    /// The first request, with as much of the data as fits `largest` bytes.
    pub(super) fn first(&mut self, unicode: bool, largest: usize) -> Result<Body<'static>, ValueError> {
        let Outgoing { name, data, priority, one_way } = &self.message;
        let wide: Vec<u8>;
        let name = if unicode {
            wide = name.iter().flat_map(|&byte| [byte, 0]).collect();
            SmbStr::utf16(&wide)?
        } else {
            SmbStr::oem(name)?
        };
        let room = largest.saturating_sub(REQUEST_OVERHEAD + name.as_bytes().len());
        let piece = Piece::of(data, 0, room);
        self.sent = piece.bytes.len();
        let flags = if *one_way { TransactionFlags::NO_RESPONSE } else { TransactionFlags::empty() };
        let request = TransactionRequest::mailslot_write(name, *priority, piece)?.with_flags(flags);
        Ok(request.with_max_counts(2, 0, 0).into())
    }

    /// The next of the further requests; `None` when all is sent.
    pub(super) fn further(&mut self, largest: usize) -> Option<Result<Body<'static>, ValueError>> {
        if self.is_sent() {
            return None;
        }
        let piece = Piece::of(&self.message.data, self.sent, largest.saturating_sub(SECONDARY_OVERHEAD));
        self.sent += piece.bytes.len();
        Some(TransactionSecondary::new(Piece::EMPTY, piece).map(Body::from))
    }
}
