//! Remote administration requests of a client: one answer each, in one message or several.

use core::time::Duration;

use super::{Client, Event};
use crate::service::session::{Assembly, SessionError, Step};
use crate::wire::smb::{Body, NtStatus, SmbMessage, TransactionRequest, TransactionResponse};

/// How many times the time for a step a whole answer may take; it comes in some sixteen messages at most.
const CALL_STEPS: u32 = 3;

/// A remote administration request of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

/// Both blocks of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an answer has two blocks")]
pub struct Blocks {
    /// The parameter block.
    pub parameters: Vec<u8>,
    /// The data block, at most 65,535 bytes.
    pub data: Vec<u8>,
}

/// A request that is not sent yet.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: CallId,
    pub(super) parameters: Vec<u8>,
    pub(super) max_data: u16,
}

/// A request whose answer is not whole.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) id: CallId,
    pub(super) deadline: Duration,
    /// From the first message of the answer on.
    blocks: Option<[Assembly; 2]>,
}

impl Client {
    /// Asks on `\PIPE\LANMAN` with this parameter block, now or as soon as the session is up and has room.
    /// [`Event::Answered`] is the answer, with at most `max_data` bytes of data.
    pub fn call(&mut self, now: Duration, parameters: Vec<u8>, max_data: u16) -> CallId {
        self.last_write += 1;
        let id = CallId(self.last_write);
        if self.takes_writes() {
            self.requests.push_back(Request { id, parameters, max_data });
            self.pump(now);
        } else {
            let result = Err(self.disconnected());
            self.events.push_back(Event::Answered { id, result });
        }
        id
    }

    /// Begins one call, if there is one.
    pub(super) fn begin_call(&mut self, now: Duration) -> bool {
        let Some(Request { id, parameters, max_data }) = self.requests.pop_front() else { return false };
        let header = self.header();
        let body = TransactionRequest::rap(self.unicode, &parameters, max_data).map(Body::from);
        match body.and_then(|body| SmbMessage::new(header, body)) {
            Ok(message) => {
                self.put(&message);
                // For the whole of it: parts that say nothing are not to keep the session from others.
                let deadline = now.saturating_add(CALL_STEPS * self.limits.session_step);
                self.calls.insert(header.mid, OpenCall { id, deadline, blocks: None });
            }
            Err(source) => {
                let result = Err(SessionError::BadMessage { source });
                self.events.push_back(Event::Answered { id, result });
            }
        }
        true
    }

    /// Takes a message of an answer.
    pub(super) fn call_answer(&mut self, now: Duration, message: &SmbMessage<'_>) {
        let header = *message.header();
        let (address, step) = (self.target.address, Step::Administration);
        let (limits, mid) = (self.limits, header.mid);
        let Some(call) = self.calls.get_mut(&mid) else { return };
        let result = match (header.status, message.body()) {
            // Samba and Windows warn so when an answer was cut to what the request has room for.
            (NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW, Body::TransactionResponse(part)) => {
                match call.take(part, limits.session_pieces) {
                    Some(true) => Ok(()),
                    Some(false) => return,
                    None => Err(SessionError::Unexpected { address, step }),
                }
            }
            (NtStatus::SUCCESS, _) if message.is_interim() => return,
            (NtStatus::SUCCESS, _) => Err(SessionError::Unexpected { address, step }),
            _ => Err(SessionError::Refused { address, step, status: super::answer::status(&header) }),
        };
        let Some(call) = self.calls.remove(&mid) else { return };
        let result = result.map(|()| {
            let [parameters, data] =
                call.blocks.map(|blocks| blocks.map(Assembly::into_bytes)).unwrap_or_default();
            Blocks { parameters, data }
        });
        self.events.push_back(Event::Answered { id: call.id, result });
        self.pump(now);
    }
}

impl OpenCall {
    /// Whether the answer is whole; `None` if the message is none of it.
    fn take(&mut self, part: &TransactionResponse<'_>, max_pieces: usize) -> Option<bool> {
        let parts = [part.parameter_part(), part.data_part()];
        let blocks =
            self.blocks.get_or_insert_with(|| parts.map(|part| Assembly::new(part.total, max_pieces)));
        let [parameters, data] = blocks;
        let [of_parameters, of_data] = parts;
        let first =
            parameters.put(of_parameters.total, of_parameters.displacement, part.parameters()).ok()?;
        let second = data.put(of_data.total, of_data.displacement, part.data()).ok()?;
        Some(first && second)
    }
}
