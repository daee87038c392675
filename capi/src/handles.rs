//! Handles: numbers that stand for objects of this process.
//!
//! A number is not used twice, so that a closed handle never means another object.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use core_slots::slot::Access;

use crate::failure::Failure;
use crate::mailslots::Mailslot;
use crate::signal::Signal;
use crate::threads::Thread;

/// What a handle stands for.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) signal: Arc<Signal>,
    /// Handles that stand for it.
    handles: AtomicUsize,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Mailslot(Mailslot),
    Thread(Thread),
    Event,
}

impl Object {
    pub(crate) fn new(kind: Kind, signal: Signal) -> Arc<Self> {
        Arc::new(Self { kind, signal: Arc::new(signal), handles: AtomicUsize::new(0) })
    }

    pub(crate) fn mailslot(&self) -> Result<&Mailslot, Failure> {
        match &self.kind {
            Kind::Mailslot(mailslot) => Ok(mailslot),
            _ => Err(Failure::other_kind()),
        }
    }

    pub(crate) fn thread(&self) -> Result<&Thread, Failure> {
        match &self.kind {
            Kind::Thread(thread) => Ok(thread),
            _ => Err(Failure::other_kind()),
        }
    }

    pub(crate) fn event(&self) -> Result<&Signal, Failure> {
        match &self.kind {
            Kind::Event => Ok(&self.signal),
            _ => Err(Failure::other_kind()),
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    object: Arc<Object>,
    access: Access,
}

#[derive(Debug)]
struct Table {
    entries: HashMap<usize, Entry>,
    next: usize,
}

/// Handles of Windows are multiples of four.
const STEP: usize = 4;

/// The number that stands for the calling process; it is that of `INVALID_HANDLE_VALUE`, too.
pub(crate) const THIS_PROCESS: usize = usize::MAX;

static TABLE: LazyLock<Mutex<Table>> =
    LazyLock::new(|| Mutex::new(Table { entries: HashMap::new(), next: STEP }));

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn insert(&mut self, entry: Entry) -> Result<usize, Failure> {
        let handle = self.next;
        // The last numbers are those of the handles that stand for the process and the thread.
        let next = handle.checked_add(STEP).filter(|&next| next < usize::MAX - 4 * STEP);
        self.next = next.ok_or_else(|| Failure::system("no handle is left".to_owned()))?;
        entry.object.handles.fetch_add(1, Ordering::Relaxed);
        self.entries.insert(handle, entry);
        Ok(handle)
    }
}

pub(crate) fn insert(object: Arc<Object>, access: Access) -> Result<usize, Failure> {
    table().insert(Entry { object, access })
}

/// The object and what the handle may do.
pub(crate) fn get(handle: usize) -> Result<(Arc<Object>, Access), Failure> {
    if handle == THIS_PROCESS {
        return Err(Failure::other_kind());
    }
    let table = table();
    let entry = table.entries.get(&handle).ok_or_else(Failure::invalid_handle)?;
    Ok((Arc::clone(&entry.object), entry.access))
}

/// Closes a handle, and with the last one the object.
pub(crate) fn close(handle: usize) -> Result<(), Failure> {
    let mut table = table();
    let entry = table.entries.remove(&handle).ok_or_else(Failure::invalid_handle)?;
    let last = entry.object.handles.fetch_sub(1, Ordering::Relaxed) == 1;
    // Closing waits for the node: not under the lock.
    drop(table);
    if last && let Kind::Mailslot(mailslot) = &entry.object.kind {
        mailslot.close();
    }
    Ok(())
}

/// Another handle to the same object; with the same access, or this one.
pub(crate) fn duplicate(handle: usize, access: Option<Access>) -> Result<usize, Failure> {
    let mut table = table();
    let mut entry = table.entries.get(&handle).ok_or_else(Failure::invalid_handle)?.clone();
    entry.access = access.unwrap_or(entry.access);
    table.insert(entry)
}
