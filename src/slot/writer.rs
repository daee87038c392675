//! The client's end of a mailslot: writing to it.

use std::sync::Arc;

use bitflags::bitflags;
use bytes::Bytes;

use super::error::MailslotError;
use super::message::{DropReason, Origin};
use super::path::SlotName;
use super::server::{Info, ReadTimeout, info};
use super::state::Slot;

bitflags! {
    /// Access rights of a handle (Win32 `ACCESS_MASK`); those not named here are kept and mean nothing.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Access: u32 {
        /// `FILE_READ_DATA`.
        const FILE_READ_DATA = 0x0000_0001;
        /// `FILE_WRITE_DATA`.
        const FILE_WRITE_DATA = 0x0000_0002;
        /// `FILE_APPEND_DATA`; does not allow writing to a mailslot.
        const FILE_APPEND_DATA = 0x0000_0004;
        /// `SYNCHRONIZE`.
        const SYNCHRONIZE = 0x0010_0000;
        /// `GENERIC_ALL`.
        const GENERIC_ALL = 0x1000_0000;
        /// `GENERIC_EXECUTE`.
        const GENERIC_EXECUTE = 0x2000_0000;
        /// `GENERIC_WRITE`.
        const GENERIC_WRITE = 0x4000_0000;
        /// `GENERIC_READ`.
        const GENERIC_READ = 0x8000_0000;

        const _ = !0;
    }
}

impl Access {
    /// Whether it allows reading data.
    pub const fn can_read(self) -> bool {
        self.intersects(Self::GENERIC_READ.union(Self::GENERIC_ALL).union(Self::FILE_READ_DATA))
    }

    /// Whether it allows writing data.
    pub const fn can_write(self) -> bool {
        self.intersects(Self::GENERIC_WRITE.union(Self::GENERIC_ALL).union(Self::FILE_WRITE_DATA))
    }
}

bitflags! {
    /// What an open lets others do meanwhile (Win32 `CreateFile`, `dwShareMode`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct ShareMode: u32 {
        /// `FILE_SHARE_READ`.
        const READ = 1;
        /// `FILE_SHARE_WRITE`.
        const WRITE = 2;
        /// `FILE_SHARE_DELETE`.
        const DELETE = 4;

        const _ = !0;
    }
}

/// Whether share modes are checked when a mailslot is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ShareRules {
    /// Windows Vista and later: every open succeeds.
    #[default]
    Vista,
    /// Windows XP and before: an open must share reading, because the server reads, and two openers must share what
    /// the other does.
    Xp,
}

/// What an open does if the file is there or not (Win32 `CreateFile`, `dwCreationDisposition`). For a mailslot
/// every valid value means the same: the slot must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Disposition(u32);

impl Disposition {
    /// `OPEN_EXISTING`.
    pub const OPEN_EXISTING: Self = Self(3);

    /// The disposition with this number; 1 to 5 are valid.
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn is_valid(self) -> bool {
        matches!(self.0, 1..=5)
    }
}

/// The arguments of an open (Win32 `CreateFile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// What the handle may do.
    pub access: Access,
    /// What others may do meanwhile.
    pub share: ShareMode,
    /// What to do if the slot is there or not.
    pub disposition: Disposition,
}

impl Default for OpenOptions {
    /// Write access, sharing everything, as every mailslot client should open.
    fn default() -> Self {
        Self {
            access: Access::GENERIC_WRITE,
            share: ShareMode::READ.union(ShareMode::WRITE),
            disposition: Disposition::OPEN_EXISTING,
        }
    }
}

/// A client handle: the end of a mailslot that writes.
///
/// A clone is a duplicate of the handle (Win32 `DuplicateHandle`) and shares its share mode. Writing never blocks.
#[derive(Debug, Clone)]
pub struct MailslotWriter {
    open: Arc<Open>,
}

impl MailslotWriter {
    pub(crate) fn open(slot: Arc<Slot>, options: OpenOptions) -> Result<Self, MailslotError> {
        let share = Share { access: options.access, mode: options.share };
        let mut state = slot.lock();
        if matches!(slot.shared.config.share_rules, ShareRules::Xp) && !state.shares.allow(share) {
            return Err(MailslotError::SharingViolation { name: slot.name.to_string() });
        }
        state.shares.add(share);
        drop(state);
        Ok(Self { open: Arc::new(Open { slot, share }) })
    }

    /// The slot's name, as it was created.
    pub fn name(&self) -> &SlotName {
        &self.open.slot.name
    }

    /// Writes one message, copying it; gives its size in bytes (Win32 `WriteFile`).
    ///
    /// # Errors
    ///
    /// [`MailslotError::AccessDenied`] without write access; [`MailslotError::Gone`] once the last server handle has
    /// closed; [`MailslotError::OverMaxMessageSize`]; [`MailslotError::QueueFull`]. In all of them the reader never
    /// sees the message.
    #[inline]
    pub fn write(&self, data: &[u8]) -> Result<usize, MailslotError> {
        self.write_bytes(Bytes::copy_from_slice(data))
    }

    /// As [`Self::write`], without copying. The slot keeps `data`: give bytes that pin no more memory than they show.
    ///
    /// # Errors
    ///
    /// Those of [`Self::write`].
    #[inline]
    pub fn write_bytes(&self, data: Bytes) -> Result<usize, MailslotError> {
        if !self.open.share.access.can_write() {
            return Err(MailslotError::AccessDenied { access: "write" });
        }
        let size = data.len();
        match self.open.slot.accept(data, Origin::Local, None, false) {
            Some(Ok(())) => Ok(size),
            other => Err(self.refused(other)),
        }
    }

    /// Always fails: only the server's end reads.
    ///
    /// # Errors
    ///
    /// [`MailslotError::WrongEnd`] if the handle has read access, else [`MailslotError::AccessDenied`].
    pub fn read(&self, _buffer: &mut [u8]) -> Result<usize, MailslotError> {
        Err(if self.open.share.access.can_read() {
            MailslotError::WrongEnd
        } else {
            MailslotError::AccessDenied { access: "read" }
        })
    }

    /// The slot's state, as Windows 8 and later tell it through a client handle (Win32 `GetMailslotInfo`).
    ///
    /// # Errors
    ///
    /// [`MailslotError::Gone`] once the last server handle has closed.
    pub fn info(&self) -> Result<Info, MailslotError> {
        if self.is_gone() { Err(self.open.slot.gone()) } else { Ok(info(&self.open.slot)) }
    }

    /// Always fails: only the server's end sets the time-out.
    ///
    /// # Errors
    ///
    /// [`MailslotError::NotTheServer`].
    pub const fn set_info(&self, _read_timeout: ReadTimeout) -> Result<(), MailslotError> {
        Err(MailslotError::NotTheServer)
    }

    /// Whether the last server handle has closed.
    pub fn is_gone(&self) -> bool {
        self.open.slot.lock().servers == 0
    }

    #[cold]
    fn refused(&self, outcome: Option<Result<(), DropReason>>) -> MailslotError {
        match outcome {
            Some(Err(DropReason::OverMaxMessageSize { size, max })) => {
                MailslotError::OverMaxMessageSize { size, max }
            }
            Some(Err(DropReason::QueueBytes { .. })) => MailslotError::QueueFull { limit: "bytes_per_slot" },
            Some(Err(DropReason::OwnerBytes { .. })) => MailslotError::QueueFull { limit: "bytes_per_owner" },
            Some(Err(DropReason::TotalBytes { .. })) => MailslotError::QueueFull { limit: "bytes" },
            Some(_) => MailslotError::QueueFull { limit: "messages_per_slot" },
            None => {
                self.open.slot.shared.totals().drops.write_after_close += 1;
                self.open.slot.gone()
            }
        }
    }
}

/// One open of a slot; duplicates share it.
#[derive(Debug)]
struct Open {
    slot: Arc<Slot>,
    share: Share,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.slot.lock().shares.remove(self.share);
    }
}

#[derive(Debug, Clone, Copy)]
struct Share {
    access: Access,
    mode: ShareMode,
}

/// How many opens do something, and how many do not let others do it. Opens that touch no data do not count.
#[derive(Debug, Default)]
pub(crate) struct ShareCounts {
    reading: usize,
    writing: usize,
    denying_read: usize,
    denying_write: usize,
}

impl ShareCounts {
    const fn allow(&self, new: Share) -> bool {
        let (reads, writes) = (new.access.can_read(), new.access.can_write());
        if !reads && !writes {
            return true;
        }
        // The server reads and shares everything.
        new.mode.contains(ShareMode::READ)
            && (self.writing == 0 || new.mode.contains(ShareMode::WRITE))
            && !(reads && self.denying_read > 0)
            && !(writes && self.denying_write > 0)
    }

    fn add(&mut self, open: Share) {
        self.change(open, |count| *count += 1);
    }

    fn remove(&mut self, open: Share) {
        self.change(open, |count| *count -= 1);
    }

    fn change(&mut self, open: Share, step: impl Fn(&mut usize)) {
        let (reads, writes) = (open.access.can_read(), open.access.can_write());
        if reads {
            step(&mut self.reading);
        }
        if writes {
            step(&mut self.writing);
        }
        if (reads || writes) && !open.mode.contains(ShareMode::READ) {
            step(&mut self.denying_read);
        }
        if (reads || writes) && !open.mode.contains(ShareMode::WRITE) {
            step(&mut self.denying_write);
        }
    }
}
