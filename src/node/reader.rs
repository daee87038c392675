//! A slot of a node, read in real time.

use core::time::Duration;

#[cfg(unix)]
use super::local::{self, LocalError, Remote};
use super::{Clock, ThreadWait, recv, wait};
use crate::slot::{
    Info, Mailslot, MailslotError, Message, ReadStart, ReadTimeout, SlotName, Stats, Wait, block_on_read,
};

/// The reading end of a mailslot, with the node's clock.
///
/// It is the same whether the slot's registry is in this process ([`Node::create`](super::Node::create), or
/// [`Self::new`] without a node) or another one (`local::Client::create`). Calls on the other kind may fail with [`MailslotError::NodeGone`]; those that are no
/// futures wait until the node has answered, which it does at once.
///
/// Dropping it closes the handle, and the slot with its last handle.
#[derive(Debug)]
pub struct SlotReader {
    end: End,
}

#[derive(Debug)]
enum End {
    Here(Mailslot, Clock),
    #[cfg(unix)]
    Remote(Box<Remote>),
}

impl SlotReader {
    /// The reading end of a slot in this process, whose times go by `clock`. All readers of one
    /// [`Registry`](crate::slot::Registry) need the same.
    pub const fn new(mailslot: Mailslot, clock: Clock) -> Self {
        Self { end: End::Here(mailslot, clock) }
    }

    #[cfg(unix)]
    pub(super) fn remote(remote: Remote) -> Self {
        Self { end: End::Remote(Box::new(remote)) }
    }

    /// The oldest message, waiting as long as the slot's time-out says (Win32 `ReadFile`). Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv(&self) -> Result<Message, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => recv(mailslot, *clock, usize::MAX).await,
            #[cfg(unix)]
            End::Remote(remote) => first(remote.recv(None, usize::MAX, 1).await?),
        }
    }

    /// The oldest message, waiting for `timeout` whatever the slot's own says; it is rounded up to milliseconds.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv_timeout(&self, timeout: Duration) -> Result<Message, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => {
                let start = mailslot.start_read_for(clock.now(), usize::MAX, millis(timeout))?;
                wait::finish(start, *clock).await
            }
            #[cfg(unix)]
            End::Remote(remote) => first(remote.recv(Some(millis(timeout)), usize::MAX, 1).await?),
        }
    }

    /// As [`Self::recv`], and with it what else is there: at least one message, at most `count`, and from another
    /// process no more than 64 KiB and one message.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv_many(&self, count: usize) -> Result<Vec<Message>, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => {
                Ok(with_more(mailslot, recv(mailslot, *clock, usize::MAX).await?, count))
            }
            #[cfg(unix)]
            End::Remote(remote) => remote.recv(None, usize::MAX, count).await,
        }
    }

    /// The oldest message, without waiting.
    ///
    /// # Errors
    /// Those of [`Mailslot::try_read`].
    pub fn try_recv(&self) -> Result<Message, MailslotError> {
        self.recv_blocking(Some(ReadTimeout::NONE), usize::MAX)
    }

    /// The oldest message of at most `capacity` bytes, on this thread; `timeout` instead of the slot's own.
    pub(super) fn recv_blocking(
        &self,
        timeout: Option<ReadTimeout>,
        capacity: usize,
    ) -> Result<Message, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => start_and_wait(mailslot, *clock, timeout, capacity),
            #[cfg(unix)]
            End::Remote(remote) => first(remote.recv_blocking(timeout, capacity, 1)?),
        }
    }

    pub(super) fn recv_many_blocking(&self, count: usize) -> Result<Vec<Message>, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => {
                Ok(with_more(mailslot, start_and_wait(mailslot, *clock, None, usize::MAX)?, count))
            }
            #[cfg(unix)]
            End::Remote(remote) => remote.recv_blocking(None, usize::MAX, count),
        }
    }

    /// As [`Self::recv`], a message of at most `capacity` bytes; a longer one stays.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv_up_to(&self, capacity: usize) -> Result<Message, MailslotError> {
        match &self.end {
            End::Here(mailslot, clock) => recv(mailslot, *clock, capacity).await,
            #[cfg(unix)]
            End::Remote(remote) => first(remote.recv(None, capacity, 1).await?),
        }
    }

    /// Ends the reads that wait on this handle with [`MailslotError::Aborted`] (Win32 `CancelIoEx`).
    ///
    /// # Errors
    /// [`MailslotError::NothingPending`] if there is none.
    pub fn cancel_reads(&self) -> Result<(), MailslotError> {
        match &self.end {
            End::Here(mailslot, _) => mailslot.cancel_reads().map(|_| ()),
            #[cfg(unix)]
            End::Remote(remote) => remote.cancel_reads(),
        }
    }

    /// The slot's name, as it was created.
    pub fn name(&self) -> &SlotName {
        match &self.end {
            End::Here(mailslot, _) => mailslot.name(),
            #[cfg(unix)]
            End::Remote(remote) => remote.name(),
        }
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`] in another process.
    pub fn info(&self) -> Result<Info, MailslotError> {
        match &self.end {
            End::Here(mailslot, _) => Ok(mailslot.info()),
            #[cfg(unix)]
            End::Remote(remote) => remote.info(),
        }
    }

    /// Sets how long later reads wait, on all handles of the slot (Win32 `SetMailslotInfo`).
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`] in another process.
    pub fn set_info(&self, read_timeout: ReadTimeout) -> Result<(), MailslotError> {
        match &self.end {
            End::Here(mailslot, _) => {
                mailslot.set_info(read_timeout);
                Ok(())
            }
            #[cfg(unix)]
            End::Remote(remote) => remote.set_info(read_timeout),
        }
    }

    /// What has happened on this slot.
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`] in another process.
    pub fn stats(&self) -> Result<Stats, MailslotError> {
        match &self.end {
            End::Here(mailslot, _) => Ok(mailslot.stats()),
            #[cfg(unix)]
            End::Remote(remote) => remote.stats(),
        }
    }

    /// The clock that the times of its messages go by.
    pub fn clock(&self) -> Clock {
        match &self.end {
            End::Here(_, clock) => *clock,
            #[cfg(unix)]
            End::Remote(remote) => remote.clock(),
        }
    }
}

#[cfg(unix)]
impl SlotReader {
    /// Another handle to the same slot and its queue (Win32 `DuplicateHandle`).
    ///
    /// # Errors
    /// What is wrong with the node in another process.
    pub fn duplicate(&self) -> Result<Self, LocalError> {
        match &self.end {
            End::Here(mailslot, clock) => Ok(Self::new(mailslot.duplicate(), *clock)),
            End::Remote(remote) => remote.duplicate().map(Self::remote),
        }
    }

    /// Closes a handle of another process's slot and waits until that is done: the slot's name is free then, if it was
    /// the last. A node that does not answer for five seconds is not waited for; it closes the handle when it goes on.
    /// Reads that wait on it, and all later calls, fail with [`MailslotError::NodeGone`]. A handle of this
    /// process is closed by dropping it.
    pub fn close(&self) {
        if let End::Remote(remote) = &self.end {
            remote.close();
        }
    }

    /// The handle's descriptor, to be sent to another process over a Unix socket or left to a child. The handle is
    /// where the descriptor is; to have one in each process, pass a [duplicate](Self::duplicate).
    ///
    /// # Errors
    /// The handle itself, if its slot is in this process or a read is under way on it.
    pub fn into_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
        let fd = match &self.end {
            End::Remote(remote) => remote.idle_fd(),
            End::Here(..) => None,
        };
        fd.ok_or(self)
    }

    /// Takes up a handle whose descriptor another process has passed.
    ///
    /// # Errors
    /// [`MailslotError::NotTheServer`] if it is a client handle; what is wrong with the node.
    pub fn from_fd(fd: std::os::fd::OwnedFd) -> Result<Self, LocalError> {
        let reader = Self::remote(local::adopt(fd)?);
        reader.stats()?;
        Ok(reader)
    }
}

fn start_and_wait(
    mailslot: &Mailslot,
    clock: Clock,
    timeout: Option<ReadTimeout>,
    capacity: usize,
) -> Result<Message, MailslotError> {
    let wait = ThreadWait::new(clock);
    let start = match timeout {
        Some(timeout) => mailslot.start_read_for(wait.now(), capacity, timeout),
        None => mailslot.start_read(wait.now(), capacity),
    };
    block_on_read(start?, &wait)
}

/// `first`, and what else is there up to `count`.
fn with_more(mailslot: &Mailslot, first: Message, count: usize) -> Vec<Message> {
    let mut messages = vec![first];
    while messages.len() < count
        && let Ok(ReadStart::Complete(message)) =
            mailslot.start_read_for(Duration::ZERO, usize::MAX, ReadTimeout::NONE)
    {
        messages.push(message);
    }
    messages
}

#[cfg(unix)]
fn first(messages: Vec<Message>) -> Result<Message, MailslotError> {
    let empty = || MailslotError::NodeGone { reason: "its answer holds no message".to_owned() };
    messages.into_iter().next().ok_or_else(empty)
}

pub(super) fn millis(timeout: Duration) -> ReadTimeout {
    let millis = timeout.as_micros().div_ceil(1000);
    u32::try_from(millis).map_or(ReadTimeout::FOREVER, ReadTimeout::from_millis)
}
