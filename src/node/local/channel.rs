//! The process's side of a connection: requests go out, answers come to whoever waits for them.
//!
//! Any number of threads and tasks may use one channel. There is no thread behind it: one of those that wait reads for
//! all. A thread waits in `poll`, a task on the runtime's reactor; while a thread does, tasks leave the socket to it,
//! and it calls them.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;

use crate::node::driver::lock;
use crate::node::wait::Unpark;
use crate::slot::MailslotError;
use crate::wire::local::{Body, Frame, MessagesBuilder, frame_length};
use crate::wire::{Decode, Encode};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// How long the node may take to close a handle. One that is stopped never does; the handle goes once it goes on.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// The id of requests whose answer nobody waits for.
const NOBODY: u32 = 0;

#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    /// The same socket, as the runtime watches it for tasks; once one has waited.
    reactor: OnceLock<tokio::net::UnixStream>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    input: BytesMut,
    output: BytesMut,
    chunk: Box<[u8]>,
    next_id: u32,
    waiting: HashMap<u32, Waiting>,
    /// Whether a thread waits in `poll` for bytes to read.
    polling: bool,
    /// Messages of answers to reads that were given up too late, oldest first, each with its length.
    left: VecDeque<(usize, Bytes)>,
    failed: Option<MailslotError>,
}

#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    answer: Option<Bytes>,
    /// Of a read: the longest message that it takes.
    capacity: Option<usize>,
    given_up: bool,
}

/// A request that was sent. Dropping it gives the answer up; a message that was on its way goes to the next read.
#[derive(Debug)]
pub(super) struct Request<'a> {
    channel: &'a Channel,
    id: u32,
    done: bool,
}

impl Channel {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let state = State {
            input: BytesMut::new(),
            output: BytesMut::new(),
            chunk: vec![0; CHUNK].into(),
            next_id: NOBODY + 1,
            waiting: HashMap::new(),
            polling: false,
            left: VecDeque::new(),
            failed: None,
        };
        Ok(Self { stream, reactor: OnceLock::new(), state: Mutex::new(state) })
    }

    /// The socket once more, if nothing is under way on it.
    pub(super) fn idle_fd(&self) -> Option<OwnedFd> {
        let state = lock(&self.state);
        let idle = state.waiting.is_empty()
            && state.output.is_empty()
            && state.input.is_empty()
            && state.left.is_empty();
        drop(state);
        if idle { self.stream.try_clone().ok().map(OwnedFd::from) } else { None }
    }

    /// Sends a request.
    pub(super) fn request(&self, body: Body<'_>) -> Result<Request<'_>, MailslotError> {
        let capacity = match body {
            Body::Read { capacity, .. } => Some(usize::try_from(capacity).unwrap_or(usize::MAX)),
            _ => None,
        };
        let mut state = lock(&self.state);
        state.check()?;
        let id = state.next_id;
        state.next_id = state.next_id.checked_add(1).unwrap_or(NOBODY + 1);
        state.encode(id, body)?;
        state.waiting.insert(id, Waiting { capacity, ..Waiting::default() });
        state.write(&self.stream);
        drop(state);
        Ok(Request { channel: self, id, done: false })
    }

    /// Sends what has no answer. What the socket does not take at once waits for [`Self::poll_sent`] or
    /// [`Self::wait_sent`].
    pub(super) fn post(&self, body: Body<'_>) -> Result<(), MailslotError> {
        let mut state = lock(&self.state);
        state.check()?;
        state.encode(NOBODY, body)?;
        state.write(&self.stream);
        state.check()
    }

    /// Waits, as a task, until all is sent.
    pub(super) async fn sent(&self) -> Result<(), MailslotError> {
        let _leaving = Leaving(self);
        poll_fn(|cx| self.poll_sent(cx)).await
    }

    fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<Result<(), MailslotError>> {
        loop {
            let mut state = lock(&self.state);
            state.write(&self.stream);
            state.check()?;
            if state.output.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let reads = !state.polling;
            if reads {
                // The node takes nothing while its answers wait.
                state.read(&self.stream);
            }
            drop(state);
            if !self.poll_ready(cx, reads, true)? {
                return Poll::Pending;
            }
        }
    }

    /// Registers with the reactor; whether to try again first, because ready may be old.
    fn poll_ready(&self, cx: &mut Context<'_>, reads: bool, writes: bool) -> Result<bool, MailslotError> {
        let reactor = self.reactor()?;
        let mut again = false;
        // What was ready has been used up: this takes the mark away.
        let used = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        if reads && let Poll::Ready(ready) = reactor.poll_read_ready(cx) {
            ready.map_err(|error| gone(&error))?;
            let _ = reactor.try_io(Interest::READABLE, used);
            again = true;
        }
        if writes && let Poll::Ready(ready) = reactor.poll_write_ready(cx) {
            ready.map_err(|error| gone(&error))?;
            let _ = reactor.try_io(Interest::WRITABLE, used);
            again = true;
        }
        Ok(again)
    }

    /// Waits, as a thread, until all is sent.
    pub(super) fn wait_sent(&self) -> Result<(), MailslotError> {
        let _leaving = Leaving(self);
        let mut state = lock(&self.state);
        loop {
            state.write(&self.stream);
            state.check()?;
            if state.output.is_empty() {
                return Ok(());
            }
            state = self.wait_ready(state, true);
        }
    }

    /// Ends the connection, and waits until the node has let go of the handle, but no longer than [`CLOSE_WAIT`].
    /// Whoever else waits is told.
    pub(super) fn close(&self) {
        let begun = Instant::now();
        let mut state = lock(&self.state);
        // It is only refused where the connection is at its end already.
        let _ = self.stream.shutdown(Shutdown::Write);
        state.read(&self.stream);
        while state.failed.is_none() {
            let left = CLOSE_WAIT.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return state.fail(&io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
            }
            drop(state);
            let mut fds = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
            state = lock(&self.state);
            state.read(&self.stream);
        }
    }

    fn reactor(&self) -> Result<&tokio::net::UnixStream, MailslotError> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(reactor);
        }
        let new = self.stream.try_clone().and_then(tokio::net::UnixStream::from_std);
        let new = new.map_err(|error| gone(&error))?;
        Ok(self.reactor.get_or_init(|| new))
    }

    /// Sleeps until there are bytes to read (unless another thread reads already) or room to write.
    fn wait_ready<'a>(&'a self, mut state: MutexGuard<'a, State>, writes: bool) -> MutexGuard<'a, State> {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLOUT, writes);
        let reads = !state.polling;
        if reads {
            state.polling = true;
            events.insert(PollFlags::POLLIN);
        }
        drop(state);
        let mut fds = [PollFd::new(self.stream.as_fd(), events)];
        // An interrupted wait is tried again by the caller's loop; so is one that the system had no memory for.
        let _ = poll(&mut fds, PollTimeout::NONE);
        state = lock(&self.state);
        if reads {
            state.polling = false;
            state.read(&self.stream);
        }
        state
    }
}

/// Whoever looked after the socket leaves it to another.
struct Leaving<'a>(&'a Channel);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        if !state.polling {
            state.wake_all();
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.write(&self.stream);
    }
}

impl State {
    fn check(&self) -> Result<(), MailslotError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn encode(&mut self, id: u32, body: Body<'_>) -> Result<(), MailslotError> {
        let frame = Frame::new(id, body);
        let frame =
            frame.map_err(|_| MailslotError::InvalidArgument { what: "a name or message of this length" })?;
        self.output.reserve(frame.encoded_len());
        frame.encode(&mut self.output);
        Ok(())
    }

    fn write(&mut self, mut stream: &UnixStream) {
        while !self.output.is_empty() {
            match stream.write(&self.output) {
                Ok(0) => return self.fail(&io::ErrorKind::WriteZero.into()),
                Ok(count) => self.output.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What the node still said counts.
                    self.read(stream);
                    return self.fail(&error);
                }
            }
        }
    }

    fn read(&mut self, mut stream: &UnixStream) {
        loop {
            match stream.read(&mut self.chunk) {
                Ok(0) => return self.fail(&io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.input.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                    self.dispatch();
                    if count < self.chunk.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error),
            }
        }
    }

    fn dispatch(&mut self) {
        loop {
            let length = match frame_length(&self.input) {
                Ok(Some(length)) if self.input.len() >= length => length,
                Ok(_) => return,
                Err(error) => return self.fail(&io::Error::new(io::ErrorKind::InvalidData, error)),
            };
            let frame = self.input.split_to(length).freeze();
            let Some(id) = frame.get(4..8).and_then(|id| id.first_chunk()) else { return };
            let id = u32::from_le_bytes(*id);
            let Some(waiting) = self.waiting.get_mut(&id) else { continue };
            if waiting.given_up {
                self.waiting.remove(&id);
                self.leave(&frame);
                continue;
            }
            waiting.answer = Some(frame);
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }

    /// Keeps the messages of an answer that nobody waits for any more, and tells those who read. Each is an answer of
    /// its own: the next read may take fewer of them.
    fn leave(&mut self, frame: &Bytes) {
        let Ok(Body::Messages(list)) = Frame::decode(frame).map(Frame::into_body) else { return };
        for message in list.iter() {
            let mut one = MessagesBuilder::default();
            // It was in a frame, so one is room enough.
            if one.push(&message).is_ok()
                && let Ok(frame) = Frame::new(NOBODY, Body::Messages(one.list()))
            {
                self.left.push_back((message.data.len(), frame.to_bytes().into()));
            }
        }
        self.wake_all();
    }

    fn fail(&mut self, error: &io::Error) {
        self.failed.get_or_insert_with(|| gone(error));
        self.wake_all();
    }

    fn wake_all(&mut self) {
        self.waiting.values_mut().filter_map(|waiting| waiting.waker.take()).for_each(Waker::wake);
    }

    /// The answer to `id`, or what takes its place.
    fn take(&mut self, id: u32) -> Option<Result<Bytes, MailslotError>> {
        let waiting = self.waiting.get_mut(&id)?;
        if let Some(answer) = waiting.answer.take() {
            self.waiting.remove(&id);
            return Some(Ok(answer));
        }
        if let Some(have) = waiting.capacity
            && let Some(&(needed, _)) = self.left.front()
        {
            self.give_up(id);
            if needed > have {
                // It stays the first, as in the slot.
                return Some(Err(MailslotError::BufferTooSmall { needed, have }));
            }
            return self.left.pop_front().map(|(_, left)| Ok(left));
        }
        let failed = self.failed.clone()?;
        self.waiting.remove(&id);
        Some(Err(failed))
    }

    fn give_up(&mut self, id: u32) {
        let Some(waiting) = self.waiting.get_mut(&id) else { return };
        waiting.waker = None;
        if waiting.capacity.is_none() {
            self.waiting.remove(&id);
            return;
        }
        if let Some(answer) = waiting.answer.take() {
            self.waiting.remove(&id);
            return self.leave(&answer);
        }
        waiting.given_up = true;
        // A frame without a name or message can be built.
        let _ = self.encode(NOBODY, Body::Cancel { read: Some(id) });
    }
}

impl Request<'_> {
    /// The answer, for a task.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, MailslotError>> {
        let channel = self.channel;
        loop {
            let mut state = lock(&channel.state);
            state.write(&channel.stream);
            if let Some(answer) = self.take(&mut state) {
                return Poll::Ready(answer);
            }
            if let Some(waiting) = state.waiting.get_mut(&self.id) {
                waiting.waker = Some(cx.waker().clone());
            }
            if state.polling {
                return Poll::Pending;
            }
            state.read(&channel.stream);
            if let Some(answer) = self.take(&mut state) {
                return Poll::Ready(answer);
            }
            let writes = !state.output.is_empty();
            drop(state);
            if !channel.poll_ready(cx, true, writes)? {
                return Poll::Pending;
            }
        }
    }

    /// The answer, for a thread.
    pub(super) fn wait(mut self) -> Result<Bytes, MailslotError> {
        let channel = self.channel;
        let mut state = lock(&channel.state);
        loop {
            state.write(&channel.stream);
            if let Some(answer) = self.take(&mut state) {
                return answer;
            }
            let writes = !state.output.is_empty();
            if state.polling && !writes {
                if let Some(waiting) = state.waiting.get_mut(&self.id) {
                    waiting.waker = Some(Waker::from(Arc::new(Unpark(thread::current()))));
                }
                drop(state);
                thread::park();
                state = lock(&channel.state);
            } else {
                state = channel.wait_ready(state, writes);
            }
        }
    }

    /// Takes the answer; whoever else waits must then look after the socket.
    fn take(&mut self, state: &mut State) -> Option<Result<Bytes, MailslotError>> {
        let answer = state.take(self.id)?;
        self.done = true;
        if !state.polling {
            state.wake_all();
        }
        Some(answer)
    }
}

impl Future for Request<'_> {
    type Output = Result<Bytes, MailslotError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Request::poll(self.get_mut(), cx)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut state = lock(&self.channel.state);
        state.give_up(self.id);
        state.write(&self.channel.stream);
        if !state.polling {
            state.wake_all();
        }
    }
}

fn gone(error: &io::Error) -> MailslotError {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            "it has closed the connection".to_owned()
        }
        _ => error.to_string(),
    };
    MailslotError::NodeGone { reason }
}
