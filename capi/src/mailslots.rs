//! The calls on mailslots, in safe code.

use core::sync::atomic::{AtomicBool, Ordering};

use core_slots::node::blocking::{MailslotSender, SlotReader};
use core_slots::node::local::{Admit, Client};
use core_slots::slot::{
    Access, CreateOptions, Disposition, Info, MailslotError, OpenOptions, ReadTimeout, ShareMode, SlotPath,
};

use crate::failure::Failure;
use crate::handles::{self, Kind, Object};
use crate::overlapped::Cancellable;
use crate::signal::Signal;

/// What a mailslot's handle stands for.
#[derive(Debug)]
pub(crate) struct Mailslot {
    end: End,
    closed: AtomicBool,
    pub(crate) cancellable: Cancellable,
}

#[derive(Debug)]
enum End {
    /// The end that `CreateMailslot` gives.
    Server(SlotReader),
    /// The end that `CreateFile` gives, of a slot of this machine.
    Client(MailslotSender),
    /// A path that leads elsewhere: nothing is checked before a write (KB Q131493).
    Path(SlotPath),
}

/// `CreateMailslot`.
pub(crate) fn create(path: &[u16], max_message_size: u32, read_timeout: u32) -> Result<usize, Failure> {
    let path = SlotPath::from_units(path)?;
    let access = Access::GENERIC_READ;
    let read_timeout = ReadTimeout::from_millis(read_timeout);
    let options = CreateOptions { max_message_size, read_timeout, access };
    let reader = Client::new().create(&path, options, Admit::Default)?;
    insert(End::Server(reader.into()), access)
}

/// `CreateFile`.
pub(crate) fn open(path: &[u16], access: u32, share: u32, disposition: u32) -> Result<usize, Failure> {
    const DISPOSITIONS: core::ops::RangeInclusive<u32> = 1..=5;
    if !DISPOSITIONS.contains(&disposition) {
        return Err(Failure::invalid_argument("the creation disposition"));
    }
    let path = SlotPath::from_units(path)?;
    let access = Access::from_bits_retain(access);
    if !path.is_local() {
        return insert(End::Path(path), access);
    }
    let share = ShareMode::from_bits_retain(share);
    let options = OpenOptions { access, share, disposition: Disposition::new(disposition) };
    let sender = Client::new().open(&path, options)?;
    let sender = MailslotSender::try_from(sender);
    insert(End::Client(sender.map_err(|_| Failure::not_supported("a path on the LAN"))?), access)
}

fn insert(end: End, access: Access) -> Result<usize, Failure> {
    let mailslot = Mailslot { end, closed: AtomicBool::new(false), cancellable: Cancellable::default() };
    // Synchronous calls leave a file signalled.
    handles::insert(Object::new(Kind::Mailslot(mailslot), Signal::new(true, false)), access)
}

impl Mailslot {
    /// `ReadFile`: `take` gets the message, which fits into `capacity`.
    pub(crate) fn read<T>(
        &self,
        access: Access,
        capacity: usize,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Failure> {
        let reader = self.reader_to_read(access)?;
        let message = reader.recv_up_to(capacity).map_err(|error| self.failed(error))?;
        Ok(take(&message.data))
    }

    /// The server's end, if the handle may read it.
    pub(crate) fn reader_to_read(&self, access: Access) -> Result<&SlotReader, Failure> {
        if !access.can_read() {
            return Err(MailslotError::AccessDenied { access: "read" }.into());
        }
        match &self.end {
            End::Server(reader) => Ok(reader),
            End::Client(_) | End::Path(_) => Err(MailslotError::WrongEnd.into()),
        }
    }

    /// `WriteFile`.
    pub(crate) fn write(&self, access: Access, data: &[u8]) -> Result<usize, Failure> {
        if !access.can_write() || matches!(self.end, End::Server(_)) {
            return Err(MailslotError::AccessDenied { access: "write" }.into());
        }
        match &self.end {
            End::Client(sender) => sender.write(data).map_err(|error| self.failed(error)),
            End::Path(path) => {
                Client::new().send(path, data)?;
                Ok(data.len())
            }
            End::Server(_) => Err(MailslotError::WrongEnd.into()),
        }
    }

    /// `GetMailslotInfo`.
    pub(crate) fn info(&self) -> Result<Info, Failure> {
        match &self.end {
            End::Server(reader) => reader.info().map_err(|error| self.failed(error)),
            End::Client(sender) => sender.info().map_err(|error| self.failed(error)),
            End::Path(_) => Err(MailslotError::NotTheServer.into()),
        }
    }

    /// `SetMailslotInfo`.
    pub(crate) fn set_info(&self, read_timeout: u32) -> Result<(), Failure> {
        let reader = self.server()?;
        reader.set_info(ReadTimeout::from_millis(read_timeout)).map_err(|error| self.failed(error))
    }

    /// `CancelIoEx` for all reads of the handle.
    pub(crate) fn cancel(&self) -> Result<(), Failure> {
        match &self.end {
            End::Server(reader) => reader.reader().cancel_reads().map_err(|error| self.failed(error)),
            End::Client(_) | End::Path(_) => Err(MailslotError::NothingPending.into()),
        }
    }

    /// The native name of the slot.
    pub(crate) fn native_name(&self) -> Option<Vec<u16>> {
        let End::Server(reader) = &self.end else { return None };
        let mut name: Vec<u16> = r"\Device\MailSlot\".encode_utf16().collect();
        name.extend_from_slice(reader.reader().name().units());
        Some(name)
    }

    /// Closes the slot's last handle in this process. Reads that wait end; the name is free.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let End::Server(reader) = &self.end {
            reader.reader().close();
        }
    }

    pub(crate) fn server(&self) -> Result<&SlotReader, Failure> {
        match &self.end {
            End::Server(reader) => Ok(reader),
            End::Client(_) | End::Path(_) => Err(MailslotError::NotTheServer.into()),
        }
    }

    /// What went wrong; that the handle was closed meanwhile, if it was.
    pub(crate) fn failed(&self, error: MailslotError) -> Failure {
        match error {
            MailslotError::NodeGone { .. } if self.closed.load(Ordering::Acquire) => Failure::aborted(),
            error => error.into(),
        }
    }
}
