//! One slot: its queue and the reads that wait on it. No call in here waits, and no waker is called or dropped,
//! nor any message dropped, while the lock is held.

use core::net::SocketAddrV4;
use core::task::Waker;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::account::{Account, MESSAGE_COST};
use super::error::MailslotError;
use super::message::{DropReason, Message, Origin, Stats};
use super::path::SlotName;
use super::registry::Shared;
use super::server::ReadTimeout;
use super::writer::{Access, ShareCounts};

/// The end of a read.
type Outcome = Result<Queued, MailslotError>;

/// A message with its place in the order of arrival.
#[derive(Debug)]
pub(crate) struct Queued {
    sequence: u64,
    pub(crate) message: Message,
}

/// A read that waits for a message.
#[derive(Debug)]
struct Waiting {
    id: u64,
    handle: u64,
    capacity: usize,
    waker: Option<Waker>,
}

/// A slot, shared by its handles. The registry's map holds it while a server handle is open.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: u64,
    pub(crate) name: SlotName,
    /// With whose other slots it is counted.
    owner: Option<Account>,
    pub(crate) max_message_size: u32,
    /// The access of the handle that created it.
    pub(crate) created_with: Access,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// Open server handles. At 0 the slot is gone for good.
    pub(crate) servers: usize,
    pub(crate) read_timeout: ReadTimeout,
    pub(crate) stats: Stats,
    /// Where the last message came from.
    pub(crate) last_origin: Option<Origin>,
    pub(crate) shares: ShareCounts,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    /// In the order of the calls, so with rising ids. Empty unless the queue is.
    waiting: VecDeque<Waiting>,
    /// Reads that have ended and were not asked since. Their messages count as queued until they are.
    done: Vec<(u64, Outcome)>,
    next_id: u64,
}

/// Wakers to call once the lock is released.
#[derive(Default)]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Slot {
    pub(crate) fn new(
        shared: Arc<Shared>,
        id: u64,
        name: SlotName,
        owner: Option<Account>,
        max_message_size: u32,
        created_with: Access,
        read_timeout: ReadTimeout,
    ) -> Self {
        let state = State {
            servers: 1,
            read_timeout,
            stats: Stats::default(),
            last_origin: None,
            shares: ShareCounts::default(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            waiting: VecDeque::new(),
            done: Vec::new(),
            next_id: 1,
        };
        Self { shared, id, name, owner, max_message_size, created_with, state: Mutex::new(state) }
    }

    /// The state. A panic elsewhere leaves it whole, so a poisoned lock is taken.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn gone(&self) -> MailslotError {
        MailslotError::Gone { name: self.name.to_string() }
    }

    /// Queues a message or says why not; `None` if the slot is gone. `arrival` says when and from where it came over
    /// the network.
    pub(crate) fn accept(
        &self,
        data: Bytes,
        origin: Origin,
        arrival: Option<(Duration, Option<SocketAddrV4>)>,
        truncated: bool,
    ) -> Option<Result<(), DropReason>> {
        let (at, peer) = arrival.map_or((None, None), |(at, peer)| (Some(at), peer));
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if state.servers == 0 {
            return None;
        }
        if let Err(reason) = self.admit(&state, data.len()) {
            state.stats.drops.count(reason);
            return Some(Err(reason));
        }
        state.stats.accepted += 1;
        state.stats.accepted_bytes += data.len() as u64;
        state.stats.truncated += u64::from(truncated);
        state.queued_bytes += data.len();
        state.last_origin = Some(origin);
        let sequence = state.next_id();
        state.queue.push_back(Queued { sequence, message: Message { data, origin, at, peer, truncated } });
        if !state.waiting.is_empty() {
            Self::serve(&mut state, &mut wakes);
        }
        drop(state);
        wakes.wake();
        Some(Ok(()))
    }

    fn admit(&self, state: &State, size: usize) -> Result<(), DropReason> {
        let limits = &self.shared.config.limits;
        // Sizes are told in 32 bits, where the last value means "no message".
        let max = match self.max_message_size {
            0 | u32::MAX => u32::MAX - 1,
            max => max,
        };
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        if size > max {
            return Err(DropReason::OverMaxMessageSize { size, max });
        }
        if state.queue.len() >= limits.messages_per_slot {
            return Err(DropReason::QueueMessages { max: limits.messages_per_slot });
        }
        if size > limits.bytes_per_slot.saturating_sub(state.queued_bytes) {
            return Err(DropReason::QueueBytes { max: limits.bytes_per_slot });
        }
        // Last, because it is taken at once.
        let cost = size.saturating_add(MESSAGE_COST);
        if let Some(owner) = self.owner.as_ref().filter(|owner| !owner.take(cost)) {
            return Err(DropReason::OwnerBytes { max: owner.max_bytes() });
        }
        if !self.shared.queued.take(cost, limits.bytes) {
            if let Some(owner) = &self.owner {
                owner.give(cost);
            }
            return Err(DropReason::TotalBytes { max: limits.bytes });
        }
        Ok(())
    }

    /// What `messages` of `bytes` together have taken is free again.
    fn give(&self, messages: usize, bytes: usize) {
        let cost = bytes + messages * MESSAGE_COST;
        self.shared.queued.give(cost);
        if let Some(owner) = &self.owner {
            owner.give(cost);
        }
    }

    /// Takes the first message if there is one and it is no longer than `capacity`.
    pub(crate) fn take(&self, state: &mut State, capacity: usize) -> Result<Option<Queued>, MailslotError> {
        let taken = state.take(capacity)?;
        if let Some(queued) = &taken {
            self.give(1, queued.message.data.len());
        }
        Ok(taken)
    }

    /// The result of a read that has ended, once.
    pub(crate) fn collect(&self, state: &mut State, id: u64) -> Option<Outcome> {
        let outcome = state.collect(id)?;
        if let Ok(queued) = &outcome {
            self.give(1, queued.message.data.len());
        }
        Some(outcome)
    }

    /// Gives messages to waiting reads in the order of the calls. A read whose buffer is too small ends without
    /// one, and the next gets it. What they were given is let go of when they are asked for it: else whoever has many
    /// reads and asks none of them would have as many messages for nothing.
    fn serve(state: &mut State, wakes: &mut Wakes) {
        while !state.queue.is_empty() {
            let Some(waiting) = state.waiting.pop_front() else { return };
            let outcome = match state.take(waiting.capacity) {
                Ok(Some(queued)) => Ok(queued),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            state.done.push((waiting.id, outcome));
            wakes.add(waiting.waker);
        }
    }

    /// Ends a waiting read, if it still waits. With `Timeout` at its deadline, with `Aborted` when cancelled.
    pub(crate) fn end_read(&self, id: u64, error: MailslotError) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if let Some(waiting) = state.stop_waiting(id) {
            state.done.push((id, Err(error)));
            wakes.add(waiting.waker);
        }
        drop(state);
        wakes.wake();
    }

    /// Ends all waiting reads begun through `handle`; says how many.
    pub(crate) fn end_reads_of(&self, handle: u64) -> usize {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        let before = state.waiting.len();
        let (ended, going): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(&mut state.waiting).into_iter().partition(|w| w.handle == handle);
        state.waiting = going;
        state.abort(ended, &mut wakes);
        let count = before - state.waiting.len();
        drop(state);
        wakes.wake();
        count
    }

    /// What an abandoned read leaves: a message it was given goes back to its place.
    pub(crate) fn abandon_read(&self, id: u64) {
        let mut wakes = Wakes::default();
        let mut lost = None;
        let mut state = self.lock();
        let waiting = state.stop_waiting(id);
        if let Some(Ok(queued)) = state.collect(id) {
            let bytes = queued.message.data.len();
            if state.servers == 0 {
                drop(state);
                let mut totals = self.shared.totals();
                totals.read -= 1;
                totals.read_bytes -= bytes as u64;
                totals.drops.unread_at_close += 1;
                drop(totals);
                self.give(1, bytes);
                lost = Some(queued);
            } else {
                state.stats.read -= 1;
                state.stats.read_bytes -= bytes as u64;
                state.queued_bytes += bytes;
                let place = state.queue.partition_point(|q| q.sequence < queued.sequence);
                state.queue.insert(place, queued);
                Self::serve(&mut state, &mut wakes);
                drop(state);
            }
        } else {
            drop(state);
        }
        drop((waiting, lost));
        wakes.wake();
    }

    /// Closes one server handle. The last one ends the slot: its messages are lost and counted, its reads end.
    pub(crate) fn close_server(self: &Arc<Self>) {
        let mut wakes = Wakes::default();
        let mut lost = VecDeque::new();
        // The map first, so that the name is free as soon as the slot is gone.
        let mut slots = self.shared.slots();
        let mut state = self.lock();
        state.servers -= 1;
        let removed = if state.servers == 0 {
            lost = core::mem::take(&mut state.queue);
            self.give(lost.len(), core::mem::take(&mut state.queued_bytes));
            if let Some(owner) = &self.owner {
                owner.close_slot();
            }
            state.stats.drops.unread_at_close += lost.len() as u64;
            let waiting = core::mem::take(&mut state.waiting);
            state.abort(waiting, &mut wakes);
            self.shared.totals().add(&state.stats);
            slots.remove(&self.name)
        } else {
            None
        };
        drop(state);
        drop(slots);
        wakes.wake();
        drop((lost, removed));
    }
}

impl State {
    pub(crate) const fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(crate) fn message_count(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn next_size(&self) -> Option<usize> {
        self.queue.front().map(|q| q.message.data.len())
    }

    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// Begins to wait; gives the read's id.
    pub(crate) fn begin_waiting(&mut self, handle: u64, capacity: usize) -> u64 {
        let id = self.next_id();
        self.waiting.push_back(Waiting { id, handle, capacity, waker: None });
        id
    }

    fn take(&mut self, capacity: usize) -> Result<Option<Queued>, MailslotError> {
        let Some(needed) = self.next_size() else { return Ok(None) };
        if needed > capacity {
            return Err(MailslotError::BufferTooSmall { needed, have: capacity });
        }
        let taken = self.queue.pop_front();
        if taken.is_some() {
            self.queued_bytes -= needed;
            self.stats.read += 1;
            self.stats.read_bytes += needed as u64;
        }
        Ok(taken)
    }

    fn collect(&mut self, id: u64) -> Option<Outcome> {
        let at = self.done.iter().position(|(done, _)| *done == id)?;
        Some(self.done.swap_remove(at).1)
    }

    /// Has `waker` called at the end of the read; gives back the waker to be dropped.
    pub(crate) fn watch(&mut self, id: u64, waker: &Waker) -> Option<Waker> {
        let at = self.waiting.binary_search_by_key(&id, |w| w.id).ok()?;
        let waiting = self.waiting.get_mut(at)?;
        match &waiting.waker {
            Some(old) if old.will_wake(waker) => None,
            _ => waiting.waker.replace(waker.clone()),
        }
    }

    fn stop_waiting(&mut self, id: u64) -> Option<Waiting> {
        let at = self.waiting.binary_search_by_key(&id, |w| w.id).ok()?;
        self.waiting.remove(at)
    }

    fn abort(&mut self, reads: impl IntoIterator<Item = Waiting>, wakes: &mut Wakes) {
        for read in reads {
            self.done.push((read.id, Err(MailslotError::Aborted)));
            wakes.add(read.waker);
        }
    }
}

impl Wakes {
    fn add(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.more.extend(waker);
        }
    }

    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            for waker in self.more {
                waker.wake();
            }
        }
    }
}
