//! From the bytes of a TCP stream to the packets in it.

use std::borrow::Cow;

use crate::wire::DecodeError;
use crate::wire::nbss::{Framing, Next, next_packet};

/// The beginning of a packet whose end has not come. Holds what came of one packet, never more.
#[derive(Debug)]
pub(super) struct Inbox {
    framing: Framing,
    held: Vec<u8>,
}

impl Inbox {
    pub(super) const fn new(framing: Framing) -> Self {
        Self { framing, held: Vec::new() }
    }

    /// Bytes held.
    pub(super) const fn held(&self) -> usize {
        self.held.len()
    }

    /// The next whole packet of what is held and `input`, which loses what is used of it. Without one, all of `input`
    /// is held.
    ///
    /// # Errors
    /// The stream cannot be followed further.
    pub(super) fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Cow<'i, [u8]>>, DecodeError> {
        loop {
            if self.held.is_empty() {
                let Next::Packet(length) = next_packet(self.framing, input)? else {
                    self.held.extend_from_slice(input);
                    *input = &[];
                    return Ok(None);
                };
                let (packet, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
                *input = rest;
                return Ok(Some(Cow::Borrowed(packet)));
            }
            match next_packet(self.framing, &self.held)? {
                Next::Packet(_) => return Ok(Some(Cow::Owned(std::mem::take(&mut self.held)))),
                Next::Needs(length) => {
                    let missing = length.saturating_sub(self.held.len());
                    let (now, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
                    if now.is_empty() {
                        return Ok(None);
                    }
                    self.held.extend_from_slice(now);
                    *input = rest;
                }
            }
        }
    }
}
