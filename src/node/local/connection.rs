//! One connection of a process: its handle, its requests, its reads that wait.
//!
//! Nothing grows with what the process does not take: while its answers wait in [`OUTPUT`] bytes or more, no request
//! is read and no message taken from a slot. One answer may still be as long as a message, so what a user's processes have
//! not taken is counted together.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::UnixStream;

use super::access::{Admit, Owner, Peer};
use super::convert;
use super::pending::{Asking, SENDS, Sending};
use super::server::{Counted, Shared};
use crate::slot::{
    Access, CreateOptions, Disposition, Mailslot, MailslotError, MailslotWriter, Message, OpenOptions,
    PendingRead, ReadStart, ReadTimeout, ShareMode, SlotName, SlotPath,
};
use crate::wire::local::{
    Body, Failure, FailureCode, Frame, MAX_DATA, MessagesBuilder, Token, VERSION, frame_length, slots_list,
};
use crate::wire::{Decode, Encode, ValueError};

/// Bytes that are read at once, and that several messages of one answer have at most before the last.
const CHUNK: usize = 64 << 10;
/// Bytes of answers beyond which nothing more is asked of the connection.
const OUTPUT: usize = 256 << 10;
/// Bytes of memory that a connection keeps for what comes next.
const KEPT: usize = 1 << 20;

/// What a connection is the handle of.
#[derive(Debug)]
pub(super) enum End {
    Server(Mailslot, Access, Arc<Owner>),
    Client(MailslotWriter, Access, Option<Arc<Owner>>),
}

impl End {
    pub(super) fn name(&self) -> &SlotName {
        match self {
            Self::Server(slot, ..) => slot.name(),
            Self::Client(writer, ..) => writer.name(),
        }
    }

    /// Whose slot it is; a client handle may be on one of the node's own.
    pub(super) const fn owner(&self) -> Option<&Arc<Owner>> {
        match self {
            Self::Server(_, _, owner) => Some(owner),
            Self::Client(_, _, owner) => owner.as_ref(),
        }
    }
}

struct Waiting {
    id: u32,
    read: PendingRead,
    capacity: usize,
    count: u32,
}

pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Peer,
    stream: UnixStream,
    input: BytesMut,
    output: BytesMut,
    /// Most bytes that there were in the memory of the two.
    most_input: usize,
    most_output: usize,
    greeted: bool,
    ending: bool,
    /// Whether requests were left alone because answers wait, or sends are under way.
    held_back: bool,
    /// Whether reads were left alone because answers wait.
    crowded: bool,
    end: Option<End>,
    reads: Vec<Waiting>,
    pub(super) sends: Vec<Sending>,
    pub(super) asks: Vec<Asking>,
    messages: MessagesBuilder,
    refused: u64,
    first_refusal: Option<MailslotError>,
    pub(super) counted: Counted,
}

pub(super) async fn run(stream: UnixStream, peer: Peer, shared: Arc<Shared>, counted: Counted) {
    let mut connection = Connection {
        shared,
        peer,
        stream,
        input: BytesMut::new(),
        output: BytesMut::new(),
        most_input: 0,
        most_output: 0,
        greeted: false,
        ending: false,
        held_back: false,
        crowded: false,
        end: None,
        reads: Vec::new(),
        sends: Vec::new(),
        asks: Vec::new(),
        messages: MessagesBuilder::default(),
        refused: 0,
        first_refusal: None,
        counted,
    };
    if let Err(error) = poll_fn(|cx| connection.poll(cx)).await {
        tracing::debug!(%error, peer.pid, "a local connection ends");
    }
    // The socket goes after the handle: its end tells the process that the handle is closed.
    connection.reads.clear();
    // Nobody waits for these any more, and the node forgets them before it asks for somebody else.
    connection.sends.clear();
    connection.asks.clear();
    if let Some(end) = connection.end.take() {
        connection.shared.close(end);
    }
    let Connection { stream, counted, .. } = connection;
    drop(stream);
    // Last: a node without connections ends.
    drop(counted);
}

impl Connection {
    /// Takes one helping of input, so that connections take turns; ready once this one is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            return Poll::Ready(Err(error));
        }
        // Whether the socket calls this task when there is more.
        let mut watched = false;
        if self.held_back && self.takes_more() {
            self.handle_input();
        } else if self.takes_more() {
            match self.poll_input(cx) {
                // What was read need not be all.
                Poll::Ready(Ok(true)) => self.handle_input(),
                Poll::Ready(Ok(false)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => watched = true,
            }
        }
        self.poll_reads(cx);
        self.poll_sends(cx);
        self.poll_asks(cx);
        match self.poll_write(cx) {
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) if self.ending => return Poll::Ready(Ok(())),
            // Reads may have been left because of what was written just now.
            Poll::Ready(Ok(())) if self.crowded => cx.waker().wake_by_ref(),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if !watched && self.takes_more() {
            cx.waker().wake_by_ref();
        }
        self.bound_memory()
    }

    /// Lets go of memory that only a long message needed; ready with an error if the user's processes leave too much.
    fn bound_memory(&mut self) -> Poll<io::Result<()>> {
        let_go(&mut self.input, &mut self.most_input);
        let_go(&mut self.output, &mut self.most_output);
        // What is less is counted by the connection itself.
        let untaken = if self.output.len() > OUTPUT { self.output.len() } else { 0 };
        if self.counted.set_untaken(untaken) {
            return Poll::Pending;
        }
        tracing::warn!(self.peer.user, self.peer.pid, "too many answers that nobody takes");
        self.end("untaken_bytes");
        Poll::Ready(Err(io::Error::other("too many answers that nobody takes")))
    }

    fn takes_more(&self) -> bool {
        !self.ending && self.output.len() < OUTPUT && self.sends.len() < SENDS
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.output) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.output.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether there are more bytes; `false` at their end.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.reserve(CHUNK);
        // One that gets less than it has room for knows that no more is there, and does not ask the system again.
        let read = pin!(self.stream.read_buf(&mut self.input));
        read.poll(cx).map_ok(|count| count > 0)
    }

    fn handle_input(&mut self) {
        let mut input = core::mem::take(&mut self.input);
        self.most_input = self.most_input.max(input.len());
        self.held_back = false;
        while !self.ending {
            if !self.takes_more() {
                // One helping may ask for more than a thousand times its size.
                self.held_back = true;
                break;
            }
            let frame = match frame_length(&input) {
                Ok(Some(length)) => match input.get(..length) {
                    Some(bytes) => Frame::decode(bytes).map(|frame| (length, frame)),
                    None => break,
                },
                Ok(None) => break,
                Err(error) => Err(error),
            };
            match frame {
                Ok((length, frame)) => {
                    let id = frame.id();
                    if let Err(failure) = self.handle(id, frame.into_body()) {
                        self.fail(id, failure);
                    }
                    input.advance(length);
                }
                Err(error) => {
                    tracing::debug!(%error, self.peer.pid, "no frame of the local protocol");
                    self.end("damaged");
                }
            }
        }
        // What is less than a helping is counted by the connection itself.
        let unread = if input.len() > CHUNK { input.len() } else { 0 };
        if !self.counted.set_unread(unread) {
            tracing::warn!(self.peer.user, self.peer.pid, "too much of requests that are not whole");
            self.fail(0, Failure::new(FailureCode::LIMIT_REACHED, 0, 0));
            self.end("unread_bytes");
            input = BytesMut::new();
        }
        self.input = input;
    }

    pub(super) fn answer(&mut self, id: u32, body: Body<'_>) {
        match Frame::new(id, body) {
            Ok(frame) => {
                self.output.reserve(frame.encoded_len());
                frame.encode(&mut self.output);
                self.most_output = self.most_output.max(self.output.len());
            }
            // Names and messages of the registry fit; if one does not, the process must not wait for it.
            Err(error) => self.unanswerable(&error),
        }
    }

    pub(super) fn unanswerable(&mut self, error: &ValueError) {
        tracing::error!(%error, "an answer that cannot be sent");
        self.end("unanswerable");
    }

    /// Answers that it is refused.
    pub(super) fn fail(&mut self, id: u32, failure: Failure<'_>) {
        self.shared.count_failure(failure.code);
        self.answer(id, Body::Failed(failure));
    }

    /// Ends the connection, once what there is to say has been said.
    fn end(&mut self, reason: &'static str) {
        if !self.ending {
            self.ending = true;
            self.shared.count_end(reason);
        }
    }

    fn server(&self) -> Result<&Mailslot, Failure<'static>> {
        match &self.end {
            Some(End::Server(slot, ..)) => Ok(slot),
            Some(End::Client(..)) => Err(Failure::new(FailureCode::NOT_THE_SERVER, 0, 0)),
            None => Err(bad_request()),
        }
    }

    fn handle(&mut self, id: u32, body: Body<'_>) -> Result<(), Failure<'static>> {
        match body {
            Body::Hello { version } => return self.hello(id, version),
            _ if !self.greeted => {
                self.end("no_hello");
                return Err(bad_request());
            }
            Body::Create { max_message_size, read_timeout, access, admittance, name } => {
                self.no_handle_yet()?;
                let read_timeout = ReadTimeout::from_millis(read_timeout);
                let access = Access::from_bits_retain(access);
                let options = CreateOptions { max_message_size, read_timeout, access };
                let path = SlotPath::local(name_of(name)?);
                let owner = Arc::new(Owner::new(self.peer, Admit::from_wire(admittance)));
                let slot = self.shared.create(&path, options, &owner).map_err(refused)?;
                self.opened(id, End::Server(slot, access, owner));
            }
            Body::Open { access, share, disposition, name } => {
                self.no_handle_yet()?;
                let name = name_of(name)?;
                let access = Access::from_bits_retain(access);
                let share = ShareMode::from_bits_retain(share);
                let options = OpenOptions { access, share, disposition: Disposition::new(disposition) };
                let (writer, owner) = self.open(name, options)?;
                self.opened(id, End::Client(writer, access, owner));
            }
            Body::Attach { token } => {
                self.no_handle_yet()?;
                let end = self.shared.take_duplicate(&token);
                let end = end.ok_or_else(|| Failure::new(FailureCode::GONE, 0, 0))?;
                self.opened(id, end);
            }
            Body::GetHandle => {
                let end = self.end.take().ok_or_else(bad_request)?;
                self.opened(id, end);
            }
            Body::Read { timeout, capacity, count } => self.read(id, timeout, capacity, count)?,
            Body::Cancel { read } => self.cancel(id, read)?,
            Body::Write { data } => {
                let bytes = self.write(data).map_err(refused)?;
                self.answer(id, Body::Written { bytes: convert::number(bytes) });
            }
            Body::Post { data } => {
                if let Err(error) = self.write(data) {
                    self.refused += 1;
                    self.first_refusal.get_or_insert(error);
                }
            }
            Body::Flush => {
                let none = Failure::new(FailureCode::NONE, 0, 0);
                let first = self.first_refusal.take().as_ref().map_or(none, convert::failure);
                let refused = core::mem::take(&mut self.refused);
                self.answer(id, Body::Flushed { refused, first });
            }
            Body::GetInfo => {
                let info = match &self.end {
                    Some(End::Server(slot, ..)) => slot.info(),
                    Some(End::Client(writer, ..)) => writer.info().map_err(refused)?,
                    None => return Err(bad_request()),
                };
                self.answer(id, convert::info_body(&info));
            }
            Body::SetInfo { read_timeout } => {
                self.server()?.set_info(ReadTimeout::from_millis(read_timeout));
                self.answer(id, Body::Done);
            }
            Body::GetStats => {
                let counters = convert::counters(&self.server()?.stats());
                self.answer(id, Body::Stats { counters });
            }
            Body::Duplicate { access } => {
                let token = self.duplicate(Access::from_bits_retain(access))?;
                self.answer(id, Body::Duplicated { token });
            }
            Body::List { after } => {
                let after = if after.is_empty() { None } else { Some(name_of(after)?) };
                let names = self.shared.registry.names();
                let begin = after.map_or(0, |after| names.partition_point(|name| *name <= after));
                self.answer_slots(id, names.get(begin..).unwrap_or_default());
            }
            Body::Find { name } => {
                let name = name_of(name)?;
                if !self.shared.registry.contains(&name) {
                    return Err(Failure::new(FailureCode::NOT_FOUND, 0, 0));
                }
                self.answer_slots(id, &[name]);
            }
            Body::Send { target, host, name, data } => self.send(id, target, host, name, data)?,
            Body::GetNames => self.tell_names(id)?,
            Body::GetInterfaces => self.tell_interfaces(id)?,
            Body::Resolve { target, address, name } => self.resolve(id, target, address, name)?,
            Body::GetStatus { address } => self.status(id, address)?,
            // Answers, and requests of a later version.
            _ => return Err(bad_request()),
        }
        Ok(())
    }

    fn hello(&mut self, id: u32, version: u16) -> Result<(), Failure<'static>> {
        if version != VERSION || self.greeted {
            self.end("version");
            return Err(Failure::new(FailureCode::VERSION, VERSION.into(), 0));
        }
        self.greeted = true;
        let names =
            self.shared.node.as_ref().map(|node| (*node.name().as_bytes(), *node.workgroup().as_bytes()));
        let (computer, workgroup) = names.unwrap_or_default();
        let (role, pid) = (self.shared.role, std::process::id());
        self.answer(id, Body::Welcome { version, role, pid, computer, workgroup });
        Ok(())
    }

    fn no_handle_yet(&self) -> Result<(), Failure<'static>> {
        if self.end.is_some() { Err(bad_request()) } else { Ok(()) }
    }

    /// Opens a slot, if the process may, and says whose it is.
    pub(super) fn open(
        &self,
        name: SlotName,
        options: OpenOptions,
    ) -> Result<(MailslotWriter, Option<Arc<Owner>>), Failure<'static>> {
        self.admitted(&name)?;
        let writer = self.shared.registry.open(&SlotPath::local(name.clone()), options).map_err(refused)?;
        // It may have been made, or made anew, since: whose it is is known before it can be opened.
        let owner = self.admitted(&name)?;
        Ok((writer, owner))
    }

    /// The owner of a slot that may be opened.
    fn admitted(&self, name: &SlotName) -> Result<Option<Arc<Owner>>, Failure<'static>> {
        match self.shared.owner(name) {
            Some(owner) if !owner.admits(self.peer, self.shared.role) => {
                Err(Failure::new(FailureCode::NOT_ADMITTED, 0, 0))
            }
            owner => Ok(owner),
        }
    }

    fn opened(&mut self, id: u32, end: End) {
        let (info, access) = match &end {
            End::Server(slot, access, _) => (Some(slot.info()), *access),
            End::Client(writer, access, _) => (writer.info().ok(), *access),
        };
        let max_message_size = info.map_or(0, |info| info.max_message_size);
        let name = convert::name_bytes(end.name());
        self.end = Some(end);
        self.answer(id, Body::Opened { max_message_size, access: access.bits(), name: &name });
    }

    fn duplicate(&self, access: Access) -> Result<Token, Failure<'static>> {
        let end = match &self.end {
            Some(End::Server(slot, _, owner)) => {
                End::Server(slot.duplicate_with(access), access, Arc::clone(owner))
            }
            Some(End::Client(writer, own, owner)) => End::Client(writer.clone(), *own, owner.clone()),
            None => return Err(bad_request()),
        };
        self.shared.keep_duplicate(end, self.peer.user)
    }

    fn write(&self, data: &[u8]) -> Result<usize, MailslotError> {
        match &self.end {
            Some(End::Client(writer, _, owner)) => {
                let bytes = writer.write_bytes(Bytes::copy_from_slice(data))?;
                if let Some(owner) = owner {
                    owner.wrote(self.peer);
                }
                Ok(bytes)
            }
            Some(End::Server(slot, ..)) => slot.write(data),
            None => Err(MailslotError::AccessDenied { access: "write" }),
        }
    }

    fn read(
        &mut self,
        id: u32,
        timeout: Option<u32>,
        capacity: u32,
        count: u32,
    ) -> Result<(), Failure<'static>> {
        let slot = self.server()?;
        let now = self.shared.clock.now();
        let capacity = usize::try_from(capacity).unwrap_or(MAX_DATA).min(MAX_DATA);
        let start = match timeout {
            Some(timeout) => slot.start_read_for(now, capacity, ReadTimeout::from_millis(timeout)),
            None => slot.start_read(now, capacity),
        };
        match start.map_err(refused)? {
            ReadStart::Complete(message) => self.answer_messages(id, message, capacity, count),
            ReadStart::Pending(read) => self.reads.push(Waiting { id, read, capacity, count }),
        }
        Ok(())
    }

    /// Answers with `first`, and with what else there is.
    fn answer_messages(&mut self, id: u32, first: Message, capacity: usize, count: u32) {
        let now = self.shared.clock.now();
        let mut messages = core::mem::take(&mut self.messages);
        messages.clear();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            if let Err(error) = messages.push(&convert::listed(&message, now)) {
                self.unanswerable(&error);
            }
            if messages.count() < count && messages.bytes() < CHUNK {
                next = match self.server().map(|slot| slot.start_read_for(now, capacity, ReadTimeout::NONE)) {
                    Ok(Ok(ReadStart::Complete(message))) => Some(message),
                    _ => None,
                };
            }
        }
        self.answer(id, Body::Messages(messages.list()));
        self.messages = if messages.bytes() > KEPT { MessagesBuilder::default() } else { messages };
    }

    fn cancel(&mut self, id: u32, which: Option<u32>) -> Result<(), Failure<'static>> {
        let (ended, reads) = core::mem::take(&mut self.reads)
            .into_iter()
            .partition(|read| which.is_none_or(|id| read.id == id));
        let ended: Vec<Waiting> = ended;
        self.reads = reads;
        if ended.is_empty() {
            return Err(Failure::new(FailureCode::NOTHING_PENDING, 0, 0));
        }
        for Waiting { id, read, capacity, .. } in ended {
            match read.cancel() {
                Some(message) => self.answer_messages(id, message, capacity, 1),
                None => self.fail(id, Failure::new(FailureCode::ABORTED, 0, 0)),
            }
        }
        self.answer(id, Body::Done);
        Ok(())
    }

    fn poll_reads(&mut self, cx: &mut Context<'_>) {
        self.crowded = false;
        let mut at = 0;
        while let Some(waiting) = self.reads.get_mut(at) {
            if self.output.len() >= OUTPUT {
                self.crowded = true;
                return;
            }
            let Poll::Ready(result) = Pin::new(&mut waiting.read).poll(cx) else {
                at += 1;
                continue;
            };
            let Waiting { id, capacity, count, .. } = self.reads.remove(at);
            match result {
                Ok(message) => self.answer_messages(id, message, capacity, count),
                Err(error) => self.fail(id, refused(error)),
            }
        }
    }

    fn answer_slots(&mut self, id: u32, names: &[SlotName]) {
        // No more than an answer has room for.
        let mut bytes = 0;
        let fits = |(_, name): &(&SlotName, Vec<u8>)| {
            let fits = bytes < CHUNK;
            bytes += name.len();
            fits
        };
        let names: Vec<_> =
            names.iter().map(|name| (name, convert::name_bytes(name))).take_while(fits).collect();
        let slots: Vec<_> =
            names.iter().filter_map(|(name, bytes)| self.shared.listed(name, bytes)).collect();
        let mut bytes = Vec::new();
        match slots_list(&slots, CHUNK, &mut bytes) {
            Ok(list) => self.answer(id, Body::Slots(list)),
            Err(error) => self.unanswerable(&error),
        }
    }
}

/// Moves what is left of much to memory of its size: else each connection would keep as much as its longest message took.
fn let_go(buffer: &mut BytesMut, most: &mut usize) {
    if *most > KEPT && buffer.len() < *most / 4 {
        *buffer = BytesMut::from(buffer.as_ref());
        *most = buffer.len();
    }
}

pub(super) const fn bad_request() -> Failure<'static> {
    Failure::new(FailureCode::BAD_REQUEST, 0, 0)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn refused(error: MailslotError) -> Failure<'static> {
    convert::failure(&error)
}

pub(super) fn name_of(bytes: &[u8]) -> Result<SlotName, Failure<'static>> {
    convert::slot_name(bytes).map_err(|error| match error {
        MailslotError::NameTooLong { .. } => refused(error),
        _ => bad_request(),
    })
}
