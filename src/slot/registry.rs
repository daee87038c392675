//! One machine's mailslots.

use core::task::Waker;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::account::{Account, Gauge};
use super::error::MailslotError;
use super::message::{Delivered, DropReason, Incoming, Origin, Stats};
use super::path::{MAX_NAME_UNITS, SlotName, SlotPath};
use super::profile::Profile;
use super::server::{CreateOptions, Info, Mailslot, info};
use super::state::Slot;
use super::writer::{MailslotWriter, OpenOptions, ShareRules};

/// What a registry holds at most. Whatever does not fit is dropped, counted by reason and reported.
///
/// Windows NT bounds received messages by the registry value `MailslotBuffers` (default 5) and lets a slot's queue
/// grow without one; here the queue is bounded too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Slots. Default 1,024.
    pub slots: usize,
    /// Messages in one slot's queue. Default 16,384.
    pub messages_per_slot: usize,
    /// Bytes of message data in one slot's queue. Default 16 MiB.
    pub bytes_per_slot: usize,
    /// Bytes in all slots' queues, and in reads that nobody has asked for them yet: the messages' data, and
    /// [`MESSAGE_COST`](super::MESSAGE_COST) for each. Default 256 MiB.
    pub bytes: usize,
    /// Reads that wait on one slot. Default 1,024.
    pub pending_reads_per_slot: usize,
    /// UTF-16 units of a slot's name. Default, and largest, [`MAX_NAME_UNITS`].
    pub name_units: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            slots: 1024,
            messages_per_slot: 16_384,
            bytes_per_slot: 16 << 20,
            bytes: 256 << 20,
            pending_reads_per_slot: 1024,
            name_units: MAX_NAME_UNITS,
        }
    }
}

/// How a registry behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegistryConfig {
    /// What it holds at most.
    pub limits: Limits,
    /// Which Windows it behaves like.
    pub profile: Profile,
    /// Whether share modes are checked.
    pub share_rules: ShareRules,
}

/// The mailslots of one machine. A clone is the same registry.
///
/// Calls never wait for each other longer than it takes to move a message; different slots do not meet at all.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    shared: Arc<Shared>,
}

impl Registry {
    /// An empty registry with these limits, behaving like the NT line of today.
    pub fn new(limits: Limits) -> Self {
        Self::with_config(RegistryConfig { limits, ..RegistryConfig::default() })
    }

    /// An empty registry.
    pub fn with_config(config: RegistryConfig) -> Self {
        Self { shared: Arc::new(Shared { config, ..Shared::default() }) }
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &RegistryConfig {
        &self.shared.config
    }

    /// Creates a mailslot (Win32 `CreateMailslot`). Under `Profile::Win9x` its name is cut to 8.3 and its
    /// `max_message_size` to 4,093.
    ///
    /// # Errors
    ///
    /// [`MailslotError::RemoteCreate`] if the path is not local, [`MailslotError::AlreadyExists`],
    /// [`MailslotError::NameTooLong`], [`MailslotError::LimitReached`].
    pub fn create(&self, path: &SlotPath, options: CreateOptions) -> Result<Mailslot, MailslotError> {
        self.create_in(path, options, None)
    }

    /// As [`Self::create`], for an owner whose slots are counted together.
    ///
    /// # Errors
    ///
    /// Those of [`Self::create`]; [`MailslotError::LimitReached`] also if the owner has all slots that it may have.
    pub fn create_for(
        &self,
        path: &SlotPath,
        options: CreateOptions,
        owner: &Account,
    ) -> Result<Mailslot, MailslotError> {
        self.create_in(path, options, Some(owner))
    }

    fn create_in(
        &self,
        path: &SlotPath,
        options: CreateOptions,
        owner: Option<&Account>,
    ) -> Result<Mailslot, MailslotError> {
        if !path.is_local() {
            return Err(MailslotError::RemoteCreate { path: path.to_string() });
        }
        let Limits { slots: max_slots, name_units, .. } = self.shared.config.limits;
        let name = self.own_name(&path.name);
        if name.units().len() > name_units {
            return Err(MailslotError::NameTooLong { units: name.units().len(), max: name_units });
        }
        let max_message_size = match (self.shared.config.profile.slot_ceiling(), options.max_message_size) {
            (0, asked) => asked,
            (ceiling, 0) => ceiling,
            (ceiling, asked) => ceiling.min(asked),
        };
        let mut slots = self.shared.slots();
        if slots.contains_key(&name) {
            return Err(MailslotError::AlreadyExists { name: name.to_string() });
        }
        if slots.len() >= max_slots {
            return Err(MailslotError::LimitReached { what: "mailslots", max: max_slots });
        }
        if let Some(owner) = owner.filter(|owner| !owner.open_slot()) {
            return Err(MailslotError::LimitReached {
                what: "mailslots of one owner",
                max: owner.max_slots(),
            });
        }
        let slot = Arc::new(Slot::new(
            Arc::clone(&self.shared),
            self.shared.next_slot_id(),
            name.clone(),
            owner.cloned(),
            max_message_size,
            options.access,
            options.read_timeout,
        ));
        slots.insert(name, Arc::clone(&slot));
        drop(slots);
        Ok(Mailslot::first(slot, options.access))
    }

    /// Opens a mailslot of this machine for writing (Win32 `CreateFile`).
    ///
    /// A remote path always opens on Windows, because nothing is checked before the first write (KB Q131493); that
    /// is for the layer with the network.
    ///
    /// # Errors
    ///
    /// [`MailslotError::InvalidArgument`] for a disposition outside 1 to 5, [`MailslotError::RemoteOpen`],
    /// [`MailslotError::NotFound`], [`MailslotError::SharingViolation`] under `ShareRules::Xp`.
    pub fn open(&self, path: &SlotPath, options: OpenOptions) -> Result<MailslotWriter, MailslotError> {
        if !options.disposition.is_valid() {
            return Err(MailslotError::InvalidArgument { what: "the creation disposition" });
        }
        if !path.is_local() {
            return Err(MailslotError::RemoteOpen { path: path.to_string() });
        }
        let found = self.shared.slots().get(&self.own_name(&path.name)).cloned();
        let slot = found.ok_or_else(|| MailslotError::NotFound { name: path.name.to_string() })?;
        MailslotWriter::open(slot, options)
    }

    /// Delivers a message from the network (MS-MAIL 3.2.5.1).
    ///
    /// # Errors
    ///
    /// The reason why it was dropped; it is counted.
    pub fn deliver(&self, name: &SlotName, incoming: Incoming) -> Result<Delivered, DropReason> {
        let Incoming { mut data, origin, at, peer } = incoming;
        let profile = self.shared.config.profile;
        let slot = self.shared.slots().get(name).cloned().ok_or_else(|| self.count(DropReason::NoSlot))?;
        let mut truncated = false;
        match origin {
            Origin::Session { .. } if !profile.receives_sessions() => {
                slot.lock().stats.drops.count(DropReason::SessionNotSupported);
                return Err(DropReason::SessionNotSupported);
            }
            Origin::Datagram { .. } => {
                if let Some(cut) = profile.receive_cut().filter(|&cut| data.len() > cut) {
                    data.truncate(cut);
                    truncated = true;
                }
            }
            _ => {}
        }
        let bytes = data.len();
        match slot.accept(data, origin, Some((at, peer)), truncated) {
            Some(result) => result.map(|()| Delivered { bytes, truncated }),
            None => Err(self.count(DropReason::NoSlot)),
        }
    }

    /// Whether a mailslot of this name is there.
    pub fn contains(&self, name: &SlotName) -> bool {
        self.shared.slots().contains_key(&self.own_name(name))
    }

    /// The names of all mailslots, in order.
    pub fn names(&self) -> Vec<SlotName> {
        let mut names: Vec<SlotName> = self.shared.slots().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The mailslot of this name, as it is now.
    pub fn overview(&self, name: &SlotName) -> Option<Overview> {
        let slot = self.shared.slots().get(&self.own_name(name)).cloned()?;
        Some(Overview::of(&slot))
    }

    /// What has happened on all slots, closed ones included.
    pub fn stats(&self) -> Stats {
        let slots = self.shared.slots();
        let mut sum = *self.shared.totals();
        for slot in slots.values() {
            sum.add(&slot.lock().stats);
        }
        sum
    }

    /// When [`Self::handle_timeout`] is next due, since the caller's origin of time. May be earlier than a read's
    /// end, never later.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.shared.timers().reads.first_key_value().map(|(key, _)| key.0)
    }

    /// Ends the pending reads whose deadline is at or before `now` with [`MailslotError::Timeout`].
    pub fn handle_timeout(&self, now: Duration) {
        let mut due = Vec::new();
        let mut timers = self.shared.timers();
        while let Some(entry) = timers.reads.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, _, read), slot) = entry.remove_entry();
            due.push((slot, read));
        }
        drop(timers);
        for (slot, read) in due {
            if let Some(slot) = slot.upgrade() {
                slot.end_read(read, MailslotError::Timeout);
            }
        }
    }

    /// Has `waker` called, once, when [`Self::poll_timeout`] gets earlier. Replaces the one before.
    pub fn watch_timeout(&self, waker: &Waker) {
        let old = self.shared.timers().waker.replace(waker.clone());
        drop(old);
    }

    fn own_name(&self, name: &SlotName) -> SlotName {
        match self.shared.config.profile {
            Profile::Win9x => name.cut_to_8_3(),
            Profile::Nt | Profile::Nt4 => name.clone(),
        }
    }

    #[cold]
    fn count(&self, reason: DropReason) -> DropReason {
        self.shared.totals().drops.count(reason);
        reason
    }
}

/// A mailslot, seen without a handle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// Its name, as it was created.
    pub name: SlotName,
    /// Its state.
    pub info: Info,
    /// Open server handles.
    pub servers: usize,
    /// What has happened on it.
    pub stats: Stats,
    /// Where the last message came from; `None` if there was none.
    pub last_origin: Option<Origin>,
}

impl Overview {
    fn of(slot: &Slot) -> Self {
        let info = info(slot);
        let state = slot.lock();
        let (servers, stats, last_origin) = (state.servers, state.stats, state.last_origin);
        Self { name: slot.name.clone(), info, servers, stats, last_origin }
    }
}

/// What all handles of a registry share. Locks are taken in the order slots, one slot's state, totals; the timers'
/// alone.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) config: RegistryConfig,
    slots: Mutex<HashMap<SlotName, Arc<Slot>>>,
    /// Bytes in all queues.
    pub(crate) queued: Gauge,
    /// What happened on closed slots, and on none.
    totals: Mutex<Stats>,
    timers: Mutex<Timers>,
    next_id: core::sync::atomic::AtomicU64,
}

#[derive(Debug, Default)]
struct Timers {
    /// By deadline, slot and read.
    reads: BTreeMap<(Duration, u64, u64), Weak<Slot>>,
    waker: Option<Waker>,
}

impl Shared {
    pub(crate) fn slots(&self) -> MutexGuard<'_, HashMap<SlotName, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn totals(&self) -> MutexGuard<'_, Stats> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_slot_id(&self) -> u64 {
        self.next_id.fetch_add(1, core::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn add_timer(&self, deadline: Duration, slot: &Arc<Slot>, read: u64) {
        let key = (deadline, slot.id, read);
        let mut timers = self.timers();
        let earlier = timers.reads.first_key_value().is_none_or(|(first, _)| key < *first);
        timers.reads.insert(key, Arc::downgrade(slot));
        let waker = if earlier { timers.waker.take() } else { None };
        drop(timers);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn remove_timer(&self, deadline: Duration, slot: &Slot, read: u64) {
        let removed = self.timers().reads.remove(&(deadline, slot.id, read));
        drop(removed);
    }
}
