//! Reads that wait, without a runtime.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;

use super::error::MailslotError;
use super::message::Message;
use super::state::Slot;

/// What beginning a read gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadStart {
    /// A message was there.
    Complete(Message),
    /// The slot is empty and the read waits.
    Pending(PendingRead),
}

/// A read that waits for a message, begun with [`Mailslot::start_read`](super::Mailslot::start_read).
///
/// It is a future and needs no particular executor. Reads are served in the order they were begun. Its deadline
/// was fixed when it was begun; it ends there once someone calls [`Registry::handle_timeout`] or [`Self::expire`]
/// with a later time. Dropping it cancels it and loses nothing: a message it had been given goes back to its
/// place in the queue.
///
/// [`Registry::handle_timeout`]: super::Registry::handle_timeout
#[derive(Debug)]
#[must_use = "dropping a pending read cancels it"]
pub struct PendingRead {
    slot: Arc<Slot>,
    id: u64,
    deadline: Option<Duration>,
    finished: bool,
}

impl PendingRead {
    pub(crate) fn new(slot: Arc<Slot>, id: u64, deadline: Option<Duration>) -> Self {
        if let Some(deadline) = deadline {
            slot.shared.add_timer(deadline, &slot, id);
        }
        Self { slot, id, deadline, finished: false }
    }

    /// When the read times out, since the caller's origin of time; `None` if never.
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The result, if there is one yet.
    ///
    /// # Errors
    ///
    /// Ready with [`MailslotError::Timeout`], with [`MailslotError::BufferTooSmall`] if a message longer than the
    /// read's capacity came (it stays), with [`MailslotError::Aborted`] if the read was cancelled or the slot
    /// closed, with [`MailslotError::NothingPending`] if the result was taken before.
    pub fn try_finish(&mut self) -> Poll<Result<Message, MailslotError>> {
        self.poll_with(None)
    }

    /// [`Self::try_finish`] at the time `now`: a read whose deadline has come ends.
    pub fn expire(&mut self, now: Duration) -> Poll<Result<Message, MailslotError>> {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.slot.end_read(self.id, MailslotError::Timeout);
        }
        self.poll_with(None)
    }

    /// Cancels the read. If it had been given a message already, that is returned; see [`Drop`] for the other way.
    pub fn cancel(mut self) -> Option<Message> {
        self.slot.end_read(self.id, MailslotError::Aborted);
        match self.try_finish() {
            Poll::Ready(Ok(message)) => Some(message),
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    fn poll_with(&mut self, waker: Option<&Waker>) -> Poll<Result<Message, MailslotError>> {
        if self.finished {
            return Poll::Ready(Err(MailslotError::NothingPending));
        }
        let mut state = self.slot.lock();
        if let Some(outcome) = self.slot.collect(&mut state, self.id) {
            drop(state);
            self.finished = true;
            return Poll::Ready(outcome.map(|queued| queued.message));
        }
        let old = waker.and_then(|waker| state.watch(self.id, waker));
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Future for PendingRead {
    type Output = Result<Message, MailslotError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_with(Some(cx.waker()))
    }
}

impl Drop for PendingRead {
    fn drop(&mut self) {
        if let Some(deadline) = self.deadline {
            self.slot.shared.remove_timer(deadline, &self.slot, self.id);
        }
        if !self.finished {
            self.slot.abandon_read(self.id);
        }
    }
}

/// A clock and a place to sleep, for reads that block a thread.
///
/// The slot layer has neither of its own. An implementation belongs to one thread at a time.
pub trait Wait {
    /// The time since the origin that all calls on this registry use.
    fn now(&self) -> Duration;

    /// A waker that ends [`Self::wait`], also one that begins only after the wake.
    fn waker(&self) -> Waker;

    /// Sleeps until the waker was called or `until` has come. May return earlier.
    fn wait(&self, until: Option<Duration>);
}

/// Waits for `read` on the calling thread.
pub(crate) fn block_on(mut read: PendingRead, wait: &impl Wait) -> Result<Message, MailslotError> {
    let waker = wait.waker();
    loop {
        if let Poll::Ready(result) = read.poll_with(Some(&waker)) {
            return result;
        }
        wait.wait(read.deadline);
        if let Poll::Ready(result) = read.expire(wait.now()) {
            return result;
        }
    }
}

/// Ends a read that was begun, waiting on the calling thread.
///
/// # Errors
///
/// Those of [`PendingRead::try_finish`].
pub fn block_on_read(start: ReadStart, wait: &impl Wait) -> Result<Message, MailslotError> {
    match start {
        ReadStart::Complete(message) => Ok(message),
        ReadStart::Pending(read) => block_on(read, wait),
    }
}
