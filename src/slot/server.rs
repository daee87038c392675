//! The server's end of a mailslot: reading it.

use core::time::Duration;
use std::sync::Arc;

use super::error::MailslotError;
use super::message::{Message, Stats};
use super::path::SlotName;
use super::read::{PendingRead, ReadStart, Wait, block_on};
use super::state::Slot;
use super::win32::MAILSLOT_WAIT_FOREVER;
use super::writer::Access;

/// How long a read waits for a message, in milliseconds (Win32 `CreateMailslot`, `lReadTimeout`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct ReadTimeout(u32);

impl ReadTimeout {
    /// A read of an empty slot fails at once.
    pub const NONE: Self = Self(0);
    /// A read waits until a message comes (`MAILSLOT_WAIT_FOREVER`).
    pub const FOREVER: Self = Self(MAILSLOT_WAIT_FOREVER);

    /// The time-out of `millis` milliseconds; 0xFFFFFFFF is for ever.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// The time-out in milliseconds; 0xFFFFFFFF is for ever.
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// When a read begun at `now` times out; `None` if never.
    pub fn deadline(self, now: Duration) -> Option<Duration> {
        if self == Self::FOREVER { None } else { now.checked_add(Duration::from_millis(self.0.into())) }
    }
}

/// The arguments of a create (Win32 `CreateMailslot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateOptions {
    /// Largest message the slot takes, in bytes; 0 for any size.
    pub max_message_size: u32,
    /// How long reads wait.
    pub read_timeout: ReadTimeout,
    /// The handle's access. Win32 always asks for reading; the native call can ask for more or less.
    pub access: Access,
}

impl Default for CreateOptions {
    /// Messages of any size, reads that do not wait, read access.
    fn default() -> Self {
        Self { max_message_size: 0, read_timeout: ReadTimeout::NONE, access: Access::GENERIC_READ }
    }
}

/// What `GetMailslotInfo` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Info {
    /// Largest message the slot takes, in bytes; 0 for any size.
    pub max_message_size: u32,
    /// Size of the oldest message, in bytes; `None` if there is none (`MAILSLOT_NO_MESSAGE`).
    pub next_size: Option<usize>,
    /// Messages in the queue, empty ones included.
    pub message_count: usize,
    /// How long reads wait.
    pub read_timeout: ReadTimeout,
}

/// A server handle: the end of a mailslot that reads.
///
/// Dropping it closes it. When the last one closes, the slot is gone: its unread messages are lost and counted,
/// its pending reads end with [`MailslotError::Aborted`], its name is free, and writers that are still open get
/// [`MailslotError::Gone`], also after another slot of that name was made.
#[derive(Debug)]
pub struct Mailslot {
    slot: Arc<Slot>,
    handle: u64,
    access: Access,
}

impl Mailslot {
    /// The first handle, which [`Slot::new`] counts.
    pub(crate) const fn first(slot: Arc<Slot>, access: Access) -> Self {
        Self { slot, handle: 0, access }
    }

    /// The slot's name, as it was created.
    pub fn name(&self) -> &SlotName {
        &self.slot.name
    }

    /// The oldest message, whatever its size, without waiting and whatever the read time-out.
    ///
    /// # Errors
    ///
    /// [`MailslotError::Timeout`] if there is none, [`MailslotError::AccessDenied`] without read access.
    #[inline]
    pub fn try_read(&self) -> Result<Message, MailslotError> {
        self.check_read()?;
        let taken = self.slot.take(&mut self.slot.lock(), usize::MAX)?;
        taken.map(|queued| queued.message).ok_or(MailslotError::Timeout)
    }

    /// Begins a read with a buffer of `capacity` bytes at the time `now`; `usize::MAX` takes a message of any size.
    ///
    /// The slot's time-out at this moment gives the read its deadline; [`Self::set_info`] does not move it.
    ///
    /// # Errors
    ///
    /// [`MailslotError::BufferTooSmall`] (the message stays first), [`MailslotError::Timeout`] if the slot is empty
    /// and its time-out 0, [`MailslotError::AccessDenied`] without read access, [`MailslotError::LimitReached`] if
    /// too many reads are pending.
    pub fn start_read(&self, now: Duration, capacity: usize) -> Result<ReadStart, MailslotError> {
        self.begin_read(now, capacity, None)
    }

    /// As [`Self::start_read`], with a time-out of its own instead of the slot's.
    ///
    /// # Errors
    ///
    /// Those of [`Self::start_read`].
    pub fn start_read_for(
        &self,
        now: Duration,
        capacity: usize,
        timeout: ReadTimeout,
    ) -> Result<ReadStart, MailslotError> {
        self.begin_read(now, capacity, Some(timeout))
    }

    fn begin_read(
        &self,
        now: Duration,
        capacity: usize,
        timeout: Option<ReadTimeout>,
    ) -> Result<ReadStart, MailslotError> {
        self.check_read()?;
        let max = self.slot.shared.config.limits.pending_reads_per_slot;
        let mut state = self.slot.lock();
        if let Some(queued) = self.slot.take(&mut state, capacity)? {
            return Ok(ReadStart::Complete(queued.message));
        }
        let timeout = timeout.unwrap_or(state.read_timeout);
        if timeout == ReadTimeout::NONE {
            return Err(MailslotError::Timeout);
        }
        if state.waiting_count() >= max {
            return Err(MailslotError::LimitReached { what: "pending reads per slot", max });
        }
        let id = state.begin_waiting(self.handle, capacity);
        drop(state);
        Ok(ReadStart::Pending(PendingRead::new(Arc::clone(&self.slot), id, timeout.deadline(now))))
    }

    /// The oldest message of at most `capacity` bytes, waiting as long as the slot's time-out says.
    ///
    /// The read begins when the future is first polled; its deadline counts from `now`. Dropping the future cancels
    /// the read and loses nothing. Without a deadline no one else is needed; a deadline passes when someone calls
    /// [`Registry::handle_timeout`](super::Registry::handle_timeout).
    ///
    /// # Errors
    ///
    /// Those of [`Self::start_read`] and [`PendingRead::try_finish`].
    pub async fn recv(&self, now: Duration, capacity: usize) -> Result<Message, MailslotError> {
        match self.start_read(now, capacity)? {
            ReadStart::Complete(message) => Ok(message),
            ReadStart::Pending(read) => read.await,
        }
    }

    /// Reads the oldest message into `buffer`, blocking the thread as long as the slot's time-out says (Win32
    /// `ReadFile`); gives the message's size in bytes. On an error the buffer is untouched.
    ///
    /// # Errors
    ///
    /// Those of [`Self::start_read`] and [`PendingRead::try_finish`]. [`Self::cancel_reads`] from another thread
    /// ends it.
    pub fn read(&self, buffer: &mut [u8], wait: &impl Wait) -> Result<usize, MailslotError> {
        let message = self.read_message(buffer.len(), wait)?;
        let size = message.data.len();
        let Some(place) = buffer.get_mut(..size) else {
            return Err(MailslotError::BufferTooSmall { needed: size, have: buffer.len() });
        };
        place.copy_from_slice(&message.data);
        Ok(size)
    }

    /// As [`Self::read`], giving the whole message of at most `capacity` bytes without copying it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::read`].
    pub fn read_message(&self, capacity: usize, wait: &impl Wait) -> Result<Message, MailslotError> {
        match self.start_read(wait.now(), capacity)? {
            ReadStart::Complete(message) => Ok(message),
            ReadStart::Pending(read) => block_on(read, wait),
        }
    }

    /// Ends the pending reads begun through this handle with [`MailslotError::Aborted`] and says how many there were
    /// (Win32 `CancelIoEx`).
    ///
    /// # Errors
    ///
    /// [`MailslotError::NothingPending`] if there was none.
    pub fn cancel_reads(&self) -> Result<usize, MailslotError> {
        match self.slot.end_reads_of(self.handle) {
            0 => Err(MailslotError::NothingPending),
            count => Ok(count),
        }
    }

    /// Always fails: only the other end writes.
    ///
    /// # Errors
    ///
    /// [`MailslotError::AccessDenied`]; [`MailslotError::WrongEnd`] if the slot was created with write access.
    pub fn write(&self, _data: &[u8]) -> Result<usize, MailslotError> {
        Err(if self.slot.created_with.can_write() {
            MailslotError::WrongEnd
        } else {
            MailslotError::AccessDenied { access: "write" }
        })
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    pub fn info(&self) -> Info {
        info(&self.slot)
    }

    /// Sets how long later reads wait, on all handles of the slot (Win32 `SetMailslotInfo`). A read that is pending
    /// keeps its deadline.
    pub fn set_info(&self, read_timeout: ReadTimeout) {
        self.slot.lock().read_timeout = read_timeout;
    }

    /// What has happened on this slot.
    pub fn stats(&self) -> Stats {
        self.slot.lock().stats
    }

    /// Another handle to the same slot (Win32 `DuplicateHandle` with `DUPLICATE_SAME_ACCESS`).
    #[must_use = "dropping a handle closes it"]
    pub fn duplicate(&self) -> Self {
        self.duplicate_with(self.access)
    }

    /// Another handle to the same slot with this access (Win32 `DuplicateHandle`). Only read access can be used.
    #[must_use = "dropping a handle closes it"]
    pub fn duplicate_with(&self, access: Access) -> Self {
        let mut state = self.slot.lock();
        state.servers += 1;
        let handle = state.next_id();
        drop(state);
        Self { slot: Arc::clone(&self.slot), handle, access }
    }

    /// Closes the handle, as dropping it does.
    pub fn close(self) {}

    #[inline]
    fn check_read(&self) -> Result<(), MailslotError> {
        if self.access.can_read() { Ok(()) } else { Err(MailslotError::AccessDenied { access: "read" }) }
    }
}

impl Drop for Mailslot {
    fn drop(&mut self) {
        self.slot.close_server();
    }
}

pub(crate) fn info(slot: &Slot) -> Info {
    let state = slot.lock();
    Info {
        max_message_size: slot.max_message_size,
        next_size: state.next_size(),
        message_count: state.message_count(),
        read_timeout: state.read_timeout,
    }
}
