//! Real time for slot reads: a clock, a thread that sleeps, and tokio's timer.

use core::future::Future;
use core::pin::pin;
use core::task::{Poll, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use crate::slot::{Mailslot, MailslotError, Message, ReadStart, Wait};

/// Monotonic time since an origin. Everything that uses one registry must use the same origin: copy the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The time since the origin.
    pub fn now(self) -> Duration {
        self.origin.elapsed()
    }

    /// The moment `at` after the origin; `None` if it is out of range.
    pub fn instant(self, at: Duration) -> Option<Instant> {
        self.origin.checked_add(at)
    }
}

/// Waits by parking the calling thread.
#[derive(Debug, Clone, Copy)]
pub struct ThreadWait {
    clock: Clock,
}

impl ThreadWait {
    /// A wait on this clock.
    pub const fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl Wait for ThreadWait {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Unpark(thread::current())))
    }

    fn wait(&self, until: Option<Duration>) {
        match until {
            None => thread::park(),
            Some(until) => thread::park_timeout(until.saturating_sub(self.clock.now())),
        }
    }
}

pub(super) struct Unpark(pub(super) Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Reads the oldest message of at most `capacity` bytes, waiting on tokio's timer as long as the slot's time-out
/// says. Needs a tokio runtime with its timer enabled if the time-out is neither 0 nor for ever. Dropping the future
/// cancels the read and loses nothing.
///
/// # Errors
///
/// Those of [`Mailslot::start_read`] and [`PendingRead::try_finish`](crate::slot::PendingRead::try_finish).
pub async fn recv(slot: &Mailslot, clock: Clock, capacity: usize) -> Result<Message, MailslotError> {
    finish(slot.start_read(clock.now(), capacity)?, clock).await
}

/// Waits for a read that was begun, as [`recv`] does.
pub(super) async fn finish(start: ReadStart, clock: Clock) -> Result<Message, MailslotError> {
    let mut read = match start {
        ReadStart::Complete(message) => return Ok(message),
        ReadStart::Pending(read) => read,
    };
    let Some(deadline) = read.deadline().and_then(|at| clock.instant(at)) else { return read.await };
    let mut alarm = pin!(tokio::time::sleep_until(deadline.into()));
    core::future::poll_fn(|cx| {
        if let Poll::Ready(result) = core::pin::Pin::new(&mut read).poll(cx) {
            return Poll::Ready(result);
        }
        match alarm.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            // The alarm is rounded and never early, so the deadline has come on any clock.
            Poll::Ready(()) => read.expire(read.deadline().unwrap_or_default()),
        }
    })
    .await
}
