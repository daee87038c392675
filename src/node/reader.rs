//! A slot of a node, read in real time.

use core::time::Duration;

use super::{Clock, recv, wait};
use crate::slot::{Info, Mailslot, MailslotError, Message, ReadTimeout, SlotName, Stats};

/// The reading end of a mailslot, with the node's clock.
///
/// Dropping it closes the slot.
#[derive(Debug)]
pub struct SlotReader {
    mailslot: Mailslot,
    clock: Clock,
}

impl SlotReader {
    pub(super) const fn new(mailslot: Mailslot, clock: Clock) -> Self {
        Self { mailslot, clock }
    }

    /// The oldest message, waiting as long as the slot's time-out says (Win32 `ReadFile`). Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv(&self) -> Result<Message, MailslotError> {
        recv(&self.mailslot, self.clock, usize::MAX).await
    }

    /// The oldest message, waiting for `timeout` whatever the slot's own says; it is rounded up to milliseconds.
    ///
    /// # Errors
    /// Those of [`recv`].
    pub async fn recv_timeout(&self, timeout: Duration) -> Result<Message, MailslotError> {
        let start = self.mailslot.start_read_for(self.clock.now(), usize::MAX, millis(timeout))?;
        wait::finish(start, self.clock).await
    }

    /// The oldest message, without waiting.
    ///
    /// # Errors
    /// Those of [`Mailslot::try_read`].
    pub fn try_recv(&self) -> Result<Message, MailslotError> {
        self.mailslot.try_read()
    }

    /// The slot's name, as it was created.
    pub fn name(&self) -> &SlotName {
        self.mailslot.name()
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    pub fn info(&self) -> Info {
        self.mailslot.info()
    }

    /// Sets how long later reads wait (Win32 `SetMailslotInfo`).
    pub fn set_info(&self, read_timeout: ReadTimeout) {
        self.mailslot.set_info(read_timeout);
    }

    /// What has happened on this slot.
    pub fn stats(&self) -> Stats {
        self.mailslot.stats()
    }

    /// The server handle itself.
    pub const fn mailslot(&self) -> &Mailslot {
        &self.mailslot
    }

    /// The node's clock, which all reads of its slots go by.
    pub const fn clock(&self) -> Clock {
        self.clock
    }
}

pub(super) fn millis(timeout: Duration) -> ReadTimeout {
    let millis = timeout.as_micros().div_ceil(1000);
    u32::try_from(millis).map_or(ReadTimeout::FOREVER, ReadTimeout::from_millis)
}
