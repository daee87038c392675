//! What slots hold together: all of a registry's, and those of one owner.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// What a queued message takes besides its data, in bytes, where slots are counted together: empty messages are not
/// for nothing.
pub const MESSAGE_COST: usize = 128;

/// What the slots of one owner may hold together, and hold now. A clone is the same account.
///
/// A slot is in one if it was made with [`Registry::create_for`](super::Registry::create_for). What an owner is, a user
/// for example, is the caller's business.
#[derive(Debug, Clone)]
pub struct Account {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    max_slots: usize,
    max_bytes: usize,
    slots: Gauge,
    bytes: Gauge,
}

impl Account {
    /// An account of at most `max_slots` slots, whose queues have at most `max_bytes` together: the messages' data, and
    /// [`MESSAGE_COST`] for each.
    pub fn new(max_slots: usize, max_bytes: usize) -> Self {
        let (slots, bytes) = (Gauge::default(), Gauge::default());
        Self { inner: Arc::new(Inner { max_slots, max_bytes, slots, bytes }) }
    }

    /// Slots that are there.
    pub fn slots(&self) -> usize {
        self.inner.slots.get()
    }

    /// Bytes that are queued, or given to reads that nobody has asked for them yet.
    pub fn bytes(&self) -> usize {
        self.inner.bytes.get()
    }

    /// Most slots.
    pub fn max_slots(&self) -> usize {
        self.inner.max_slots
    }

    /// Most bytes.
    pub fn max_bytes(&self) -> usize {
        self.inner.max_bytes
    }

    pub(super) fn open_slot(&self) -> bool {
        self.inner.slots.take(1, self.inner.max_slots)
    }

    pub(super) fn close_slot(&self) {
        self.inner.slots.give(1);
    }

    pub(super) fn take(&self, bytes: usize) -> bool {
        self.inner.bytes.take(bytes, self.inner.max_bytes)
    }

    pub(super) fn give(&self, bytes: usize) {
        self.inner.bytes.give(bytes);
    }
}

/// How much of something there is.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicUsize);

impl Gauge {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes `more` unless that would pass `max`. The gauge orders nothing but itself.
    pub(super) fn take(&self, more: usize, max: usize) -> bool {
        let room = |have: usize| have.checked_add(more).filter(|sum| *sum <= max);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    pub(super) fn give(&self, less: usize) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }
}
