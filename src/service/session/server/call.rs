//! Remote administration: requests on `\PIPE\LANMAN`, and their answers, which may take several messages (MS-RAP 2.1).

use bytes::Bytes;

use super::{CloseReason, Event, Reply, RequestId, Server};
use crate::service::session::writes::largest_message;
use crate::wire::smb::{
    Header, NtStatus, PIPE_LANMAN, Piece, SmbStr, TransactionFlags, TransactionRequest, TransactionResponse,
};

/// Bytes of an answer besides parameters and data: header, words, ByteCount, alignments.
const OVERHEAD: usize = 32 + 1 + 20 + 2 + 3 + 3;

/// A remote administration request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// By which it is to be answered, with [`Server::answer_call`].
    pub id: RequestId,
    /// The parameter block.
    pub parameters: Bytes,
    /// The most bytes of data that the answer may have.
    pub max_data: u16,
}

/// How a call is to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    parameters: u16,
    data: u16,
}

/// Whether a transaction on `name` is a remote administration request.
pub(super) fn is_call(name: SmbStr<'_>) -> bool {
    name.strip_prefix_ignore_ascii_case(PIPE_LANMAN).is_some_and(SmbStr::is_empty)
}

impl Server {
    pub(super) fn call(&mut self, header: &Header, request: &TransactionRequest<'_>) -> Reply {
        // No function that is known here has more than fits one message, and none has data.
        if !request.parameter_part().is_whole() || !request.data_part().is_whole() {
            return Reply::Status(NtStatus::INVALID_PARAMETER);
        }
        let words = request.words();
        if words.flags.contains(TransactionFlags::NO_RESPONSE) {
            // Nobody would learn of it.
            self.admission.refused(NtStatus::INVALID_PARAMETER);
            return Reply::Nothing;
        }
        self.last_request += 1;
        let id = RequestId(self.last_request);
        if words.flags.contains(TransactionFlags::DISCONNECT_TID) {
            self.disconnect_tree(header);
        }
        let bounds = Bounds { parameters: words.max_parameter_count, data: words.max_data_count };
        self.calls.insert(id, (*header, bounds));
        let parameters = Bytes::copy_from_slice(request.parameters());
        self.events.push_back(Event::Call(Call { id, parameters, max_data: bounds.data }));
        Reply::Nothing
    }

    /// Answers a call: with both blocks of the answer, in as many messages as the peer's MaxBufferSize asks for, or with
    /// a status. An answer that is longer than the peer takes is refused as a whole.
    pub fn answer_call(&mut self, id: RequestId, result: Result<(&[u8], &[u8]), NtStatus>) {
        let Some((header, bounds)) = self.calls.remove(&id) else { return };
        if self.is_closed() {
            return;
        }
        let fits = |(parameters, data): &(&[u8], &[u8])| {
            parameters.len() <= bounds.parameters.into() && data.len() <= bounds.data.into()
        };
        match result.and_then(|blocks| Some(blocks).filter(fits).ok_or(NtStatus::INVALID_PARAMETER)) {
            Err(status) => self.refuse(&header, status),
            Ok((parameters, data)) => {
                self.admission.called();
                self.send_blocks(&header, parameters, data);
                if !self.hold() {
                    self.close(CloseReason::Bytes);
                }
            }
        }
    }

    fn send_blocks(&mut self, header: &Header, parameters: &[u8], data: &[u8]) {
        let room = largest_message(self.peer_buffer.into()).saturating_sub(OVERHEAD);
        let mut head = Piece::of(parameters, 0, room);
        let mut sent = 0;
        loop {
            let piece = Piece::of(data, sent, room - head.bytes.len());
            sent += piece.bytes.len();
            match TransactionResponse::new(&[], head, piece) {
                Ok(body) => self.send(header, body.into()),
                Err(_) => return self.send_status(header, NtStatus::INVALID_SMB),
            }
            if sent >= data.len() {
                return;
            }
            head = Piece::of(parameters, parameters.len(), 0);
        }
    }
}
