//! A connection's transactions, whole or in parts.

use core::time::Duration;

use bytes::Bytes;

use super::{Event, Reply, RequestId, Server, Write};
use crate::service::session::Assembly;
use crate::wire::smb::{
    Body, Class, Command, Header, MAILSLOT_PREFIX, NtStatus, TransactionFlags, TransactionRequest,
    TransactionSecondary,
};

/// Which transaction a part is of.
pub(super) type Key = (u16, u16, u16, u16);

/// A transaction that is not whole.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) key: Key,
    pub(super) since: Duration,
    pub(super) header: Header,
    pub(super) wanted: Wanted,
    pub(super) assembly: Assembly,
}

impl Unfinished {
    /// Bytes held: what came, and what it takes to keep it.
    pub(super) fn held(&self) -> usize {
        size_of::<Self>() + self.wanted.name.len() + self.assembly.held()
    }
}

/// What a mailslot write says besides its data.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: Vec<u8>,
    pub(super) unicode: bool,
    pub(super) priority: u16,
    pub(super) class: Class,
    pub(super) answer: Answer,
    /// Whether the tree goes with it.
    pub(super) disconnect: bool,
}

/// How a transaction is to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) one_way: bool,
    /// Whether the client takes a parameter word.
    pub(super) word: bool,
}

impl Server {
    pub(super) fn transaction(
        &mut self,
        now: Duration,
        header: &Header,
        request: &TransactionRequest<'_>,
    ) -> Reply {
        let flags = request.words().flags;
        match self.begin(now, header, request) {
            Ok(reply) => reply,
            Err(status) => {
                // The tree goes with what it was refused, too.
                if flags.contains(TransactionFlags::DISCONNECT_TID) {
                    self.disconnect_tree(header);
                }
                if flags.contains(TransactionFlags::NO_RESPONSE) {
                    self.admission.refused(status);
                    return Reply::Nothing;
                }
                Reply::Status(status)
            }
        }
    }

    fn begin(
        &mut self,
        now: Duration,
        header: &Header,
        request: &TransactionRequest<'_>,
    ) -> Result<Reply, NtStatus> {
        let words = request.words();
        let answer = Answer {
            one_way: words.flags.contains(TransactionFlags::NO_RESPONSE),
            word: words.max_parameter_count >= 2,
        };
        let name = request.name();
        let Some(write) = request.as_mailslot_write() else {
            let below = name.strip_prefix_ignore_ascii_case(MAILSLOT_PREFIX);
            return Err(match below {
                Some(slot) if slot.is_empty() => NtStatus::OBJECT_NAME_NOT_FOUND,
                _ => NtStatus::NOT_SUPPORTED,
            });
        };
        if name.as_bytes().len() > self.limits.session_name_bytes {
            return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
        }
        if !request.parameter_part().is_whole() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let wanted = Wanted {
            name: name.as_bytes().to_vec(),
            unicode: name.is_unicode(),
            priority: write.priority,
            class: write.class,
            answer,
            disconnect: words.flags.contains(TransactionFlags::DISCONNECT_TID),
        };
        let part = request.data_part();
        if part.is_whole() {
            self.wanted(*header, wanted, Bytes::copy_from_slice(write.data));
            return Ok(Reply::Nothing);
        }
        if self.unfinished.len() >= self.limits.session_transactions {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let key = key(header);
        if self.unfinished.iter().any(|other| other.key == key) {
            return Err(NtStatus::INVALID_SMB);
        }
        let mut assembly = Assembly::new(part.total, self.limits.session_pieces);
        if assembly.put(part.total, part.displacement, write.data).is_err() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.unfinished.push(Unfinished { key, since: now, header: *header, wanted, assembly });
        // The interim answer, which asks for the rest, is not the one that a one-way write does without.
        Ok(Reply::Body(Body::empty(Command::TRANSACTION)))
    }

    pub(super) fn secondary(&mut self, header: &Header, part: &TransactionSecondary<'_>) -> Reply {
        let key = key(header);
        let Some(place) = self.unfinished.iter().position(|other| other.key == key) else {
            return Reply::Status(NtStatus::INVALID_SMB);
        };
        let Some(unfinished) = self.unfinished.get_mut(place) else { return Reply::Nothing };
        let data = part.data_part();
        match unfinished.assembly.put(data.total, data.displacement, part.data()) {
            Ok(false) => {}
            Ok(true) => {
                let whole = self.unfinished.swap_remove(place);
                self.wanted(whole.header, whole.wanted, Bytes::from(whole.assembly.into_bytes()));
            }
            Err(_) => {
                let lost = self.unfinished.swap_remove(place);
                self.admission.refused(NtStatus::INVALID_PARAMETER);
                if lost.wanted.disconnect {
                    self.disconnect_tree(&lost.header);
                }
                if !lost.wanted.answer.one_way {
                    self.send_status(&lost.header, NtStatus::INVALID_PARAMETER);
                }
            }
        }
        Reply::Nothing
    }

    fn wanted(&mut self, header: Header, wanted: Wanted, data: Bytes) {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let Wanted { name, unicode, priority, class, answer, disconnect } = wanted;
        if disconnect {
            self.disconnect_tree(&header);
        }
        self.waiting.insert(id, (header, answer));
        self.events.push_back(Event::Write(Write { id, priority, class, data, name, unicode }));
    }
}

const fn key(header: &Header) -> Key {
    (header.mid, header.pid_low, header.uid, header.tid)
}
