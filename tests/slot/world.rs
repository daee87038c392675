//! Operations on a registry beside a model of plain vectors: after each, both tell the same.
//!
//! Shared by the property test (`model.rs`) and the fuzz target `registry`, which makes the operations of bytes.

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use mailslot::slot::{
    CreateOptions, DropReason, Incoming, Limits, MESSAGE_COST, Mailslot, MailslotError, MailslotWriter,
    OpenOptions, Origin, PendingRead, ReadStart, ReadTimeout, Registry, SlotPath, Stats,
};

const LIMITS: Limits = Limits {
    slots: 2,
    messages_per_slot: 4,
    bytes_per_slot: 40,
    bytes: 5 * MESSAGE_COST + 50,
    pending_reads_per_slot: 3,
    name_units: 8,
};
const NAMES: [&str; 3] = ["one", r"two\x", "three"];

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Create { name: usize, max: u32, timeout: u32 },
    Open(usize),
    Duplicate(usize),
    CloneWriter(usize),
    CloseServer(usize),
    CloseWriter(usize),
    Write { writer: usize, size: usize },
    Deliver { name: usize, size: usize },
    TryRead(usize),
    StartRead { server: usize, capacity: usize },
    Poll(usize),
    Cancel(usize),
    Abandon(usize),
    CancelReads(usize),
    SetInfo { server: usize, timeout: u32 },
    Pass(u64),
}

/// A message: its place in the order of arrival, its size, whether it is local.
type Letter = (u64, usize, bool);

#[derive(Debug, Clone, PartialEq)]
enum End {
    Waits,
    Letter(Letter),
    Code(u32),
}

#[derive(Debug)]
struct ModelRead {
    slot: usize,
    handle: usize,
    capacity: usize,
    deadline: Option<u64>,
    end: End,
}

#[derive(Debug, Default)]
struct ModelSlot {
    name: usize,
    max: u32,
    timeout: u32,
    servers: usize,
    queue: Vec<Letter>,
    stats: Stats,
}

#[derive(Default)]
pub(crate) struct World {
    registry: Registry,
    now: u64,
    letters: u64,
    handles: usize,
    /// Slots that were ever made; one with no server is gone.
    slots: Vec<ModelSlot>,
    /// What belongs to no slot: unknown names, orphans.
    nowhere: Stats,
    servers: Vec<(Mailslot, usize, usize)>,
    writers: Vec<(MailslotWriter, usize)>,
    /// In the order of the calls.
    reads: Vec<(PendingRead, ModelRead)>,
}

fn path(name: usize) -> SlotPath {
    SlotPath::parse(&format!(r"\\.\mailslot\{}", NAMES[name])).unwrap()
}

fn code<T>(result: Result<T, MailslotError>) -> Result<T, u32> {
    result.map_err(|error| error.win32().code())
}

/// The bytes of a letter tell which it is.
fn bytes((sequence, size, _): Letter) -> Vec<u8> {
    (0..size).map(|i| (sequence as usize * 31 + i) as u8).collect()
}

fn check(message: &mailslot::slot::Message, letter: Letter) {
    assert_eq!(message.data, bytes(letter));
    assert_eq!(message.origin == Origin::Local, letter.2);
    assert_eq!(message.at.is_none(), letter.2);
}

/// The model's side.
impl World {
    fn live(&self, name: usize) -> Option<usize> {
        self.slots.iter().position(|s| s.name == name && s.servers > 0)
    }

    fn waiting(&self, slot: usize) -> usize {
        self.reads.iter().filter(|(_, r)| r.slot == slot && r.end == End::Waits).count()
    }

    /// Takes in a letter or gives the reason against it.
    fn accept(&mut self, slot: usize, size: usize, local: bool) -> Result<(), DropReason> {
        let given = self.reads.iter().filter_map(|(_, read)| match &read.end {
            End::Letter(letter) => Some(letter),
            _ => None,
        });
        let letters = self.slots.iter().flat_map(|s| &s.queue).chain(given);
        let all: usize = letters.map(|l| l.1 + MESSAGE_COST).sum();
        let s = &mut self.slots[slot];
        let held: usize = s.queue.iter().map(|l| l.1).sum();
        let drops = &mut s.stats.drops;
        if s.max != 0 && size > s.max as usize {
            drops.over_max_message_size += 1;
            return Err(DropReason::OverMaxMessageSize { size, max: s.max as usize });
        } else if s.queue.len() >= LIMITS.messages_per_slot {
            // More than the limit where an abandoned read gave a message back.
            drops.queue_messages += 1;
            return Err(DropReason::QueueMessages { max: LIMITS.messages_per_slot });
        } else if size > LIMITS.bytes_per_slot.saturating_sub(held) {
            drops.queue_bytes += 1;
            return Err(DropReason::QueueBytes { max: LIMITS.bytes_per_slot });
        } else if size + MESSAGE_COST > LIMITS.bytes.saturating_sub(all) {
            drops.total_bytes += 1;
            return Err(DropReason::TotalBytes { max: LIMITS.bytes });
        }
        s.stats.accepted += 1;
        s.stats.accepted_bytes += size as u64;
        s.queue.push((self.letters, size, local));
        self.serve(slot);
        Ok(())
    }

    fn serve(&mut self, slot: usize) {
        let s = &mut self.slots[slot];
        for (_, read) in self.reads.iter_mut().filter(|(_, r)| r.slot == slot && r.end == End::Waits) {
            let Some(&letter) = s.queue.first() else { return };
            read.end = if letter.1 > read.capacity {
                End::Code(122)
            } else {
                s.queue.remove(0);
                s.stats.read += 1;
                s.stats.read_bytes += letter.1 as u64;
                End::Letter(letter)
            };
        }
    }

    fn take(&mut self, slot: usize, capacity: usize) -> Result<Option<Letter>, u32> {
        let s = &mut self.slots[slot];
        match s.queue.first() {
            None => Ok(None),
            Some(letter) if letter.1 > capacity => Err(122),
            Some(letter) => {
                s.stats.read += 1;
                s.stats.read_bytes += letter.1 as u64;
                Ok(Some(s.queue.remove(0)))
            }
        }
    }

    fn give_back(&mut self, slot: usize, letter: Letter) {
        let s = &mut self.slots[slot];
        s.stats.read -= 1;
        s.stats.read_bytes -= letter.1 as u64;
        if s.servers == 0 {
            s.stats.drops.unread_at_close += 1;
            return;
        }
        s.queue.push(letter);
        s.queue.sort_unstable();
        self.serve(slot);
    }

    fn close(&mut self, slot: usize) {
        let s = &mut self.slots[slot];
        s.servers -= 1;
        if s.servers == 0 {
            s.stats.drops.unread_at_close += s.queue.len() as u64;
            s.queue.clear();
            for (_, read) in self.reads.iter_mut().filter(|(_, r)| r.slot == slot && r.end == End::Waits) {
                read.end = End::Code(995);
            }
        }
    }

    fn sum(&self) -> Stats {
        let mut all = self.nowhere;
        for Stats { accepted, accepted_bytes, read, read_bytes, drops, .. } in
            self.slots.iter().map(|s| s.stats)
        {
            all.accepted += accepted;
            all.accepted_bytes += accepted_bytes;
            all.read += read;
            all.read_bytes += read_bytes;
            all.drops.over_max_message_size += drops.over_max_message_size;
            all.drops.queue_messages += drops.queue_messages;
            all.drops.queue_bytes += drops.queue_bytes;
            all.drops.total_bytes += drops.total_bytes;
            all.drops.unread_at_close += drops.unread_at_close;
        }
        all
    }
}

/// Both sides.
impl World {
    pub(crate) fn new() -> Self {
        Self { registry: Registry::new(LIMITS), ..Self::default() }
    }

    /// Does `op` on both sides; panics where they differ.
    pub(crate) fn apply(&mut self, op: &Op) {
        match *op {
            Op::Create { name, max, timeout } => {
                let options = CreateOptions {
                    max_message_size: max,
                    read_timeout: ReadTimeout::from_millis(timeout),
                    ..Default::default()
                };
                let live = self.slots.iter().filter(|s| s.servers > 0).count();
                let expected = if self.live(name).is_some() {
                    Err(183)
                } else if live == LIMITS.slots {
                    Err(1450)
                } else {
                    Ok(())
                };
                let made = code(self.registry.create(&path(name), options));
                assert_eq!(made.as_ref().map(|_| ()).map_err(|c| *c), expected);
                if let Ok(server) = made {
                    self.slots.push(ModelSlot { name, max, timeout, servers: 1, ..Default::default() });
                    self.add_server(server, self.slots.len() - 1);
                }
            }
            Op::Open(name) => {
                match (code(self.registry.open(&path(name), OpenOptions::default())), self.live(name)) {
                    (Ok(writer), Some(slot)) => self.writers.push((writer, slot)),
                    (Err(2), None) => {}
                    other => panic!("{other:?}"),
                }
            }
            Op::Duplicate(i) => {
                if let Some((server, slot, _)) = self.servers.get(i) {
                    let (server, slot) = (server.duplicate(), *slot);
                    self.slots[slot].servers += 1;
                    self.add_server(server, slot);
                }
            }
            Op::CloneWriter(i) => self.writers.extend(self.writers.get(i).cloned()),
            Op::CloseServer(i) if i < self.servers.len() => {
                let (server, slot, _) = self.servers.swap_remove(i);
                server.close();
                self.close(slot);
            }
            Op::CloseWriter(i) if i < self.writers.len() => drop(self.writers.swap_remove(i)),
            Op::Write { writer, size } => self.write(writer, size),
            Op::Deliver { name, size } => self.deliver(name, size),
            Op::TryRead(i) if i < self.servers.len() => {
                let slot = self.servers[i].1;
                let expected = self.take(slot, usize::MAX).and_then(|letter| letter.ok_or(121));
                match (code(self.servers[i].0.try_read()), expected) {
                    (Ok(message), Ok(letter)) => check(&message, letter),
                    (Err(a), Err(b)) => assert_eq!(a, b),
                    other => panic!("{other:?}"),
                }
            }
            Op::StartRead { server, capacity } if server < self.servers.len() => self.start(server, capacity),
            Op::Poll(i) if i < self.reads.len() => {
                if self.reads[i].1.end == End::Waits {
                    assert!(self.reads[i].0.try_finish().is_pending());
                } else {
                    let (mut read, model) = self.reads.remove(i);
                    match (read.try_finish(), model.end) {
                        (Poll::Ready(Ok(message)), End::Letter(letter)) => check(&message, letter),
                        (Poll::Ready(Err(error)), End::Code(code)) => assert_eq!(error.win32().code(), code),
                        other => panic!("{other:?}"),
                    }
                    assert_eq!(read.try_finish(), Poll::Ready(Err(MailslotError::NothingPending)));
                }
            }
            Op::Cancel(i) if i < self.reads.len() => {
                let (read, model) = self.reads.remove(i);
                match (read.cancel(), model.end) {
                    (Some(message), End::Letter(letter)) => check(&message, letter),
                    (None, End::Waits | End::Code(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
            Op::Abandon(i) if i < self.reads.len() => {
                let (read, model) = self.reads.remove(i);
                drop(read);
                if let End::Letter(letter) = model.end {
                    self.give_back(model.slot, letter);
                }
            }
            Op::CancelReads(i) if i < self.servers.len() => {
                let (server, _, handle) = &self.servers[i];
                let mut count = 0;
                for (_, read) in
                    self.reads.iter_mut().filter(|(_, r)| r.handle == *handle && r.end == End::Waits)
                {
                    read.end = End::Code(995);
                    count += 1;
                }
                assert_eq!(code(server.cancel_reads()), if count == 0 { Err(1168) } else { Ok(count) });
            }
            Op::SetInfo { server, timeout } if server < self.servers.len() => {
                let (server, slot, _) = &self.servers[server];
                server.set_info(ReadTimeout::from_millis(timeout));
                self.slots[*slot].timeout = timeout;
            }
            Op::Pass(millis) => {
                self.now += millis;
                self.registry.handle_timeout(Duration::from_millis(self.now));
                let now = self.now;
                for (_, read) in self.reads.iter_mut().filter(|(_, r)| r.end == End::Waits) {
                    if read.deadline.is_some_and(|at| at <= now) {
                        read.end = End::Code(121);
                    }
                }
            }
            _ => {}
        }
    }

    fn add_server(&mut self, server: Mailslot, slot: usize) {
        self.handles += 1;
        self.servers.push((server, slot, self.handles));
    }

    fn write(&mut self, writer: usize, size: usize) {
        let Some((real, slot)) = self.writers.get(writer) else { return };
        let (slot, data) = (*slot, bytes((self.letters, size, true)));
        let result = code(real.write(&data));
        let expected = if self.slots[slot].servers == 0 {
            self.nowhere.drops.write_after_close += 1;
            Err(6)
        } else {
            match self.accept(slot, size, true) {
                Ok(()) => Ok(size),
                Err(DropReason::OverMaxMessageSize { .. }) => Err(87),
                Err(_) => Err(1130),
            }
        };
        assert_eq!(result, expected);
        self.letters += 1;
    }

    fn deliver(&mut self, name: usize, size: usize) {
        let letter = (self.letters, size, false);
        let incoming = Incoming {
            data: Bytes::from(bytes(letter)),
            origin: Origin::Datagram { source: [b'A'; 16], destination: [b'B'; 16] },
            at: Duration::from_millis(self.now),
            peer: None,
        };
        let result = self.registry.deliver(&path(name).name, incoming).map(|d| d.bytes);
        let expected = match self.live(name) {
            Some(slot) => self.accept(slot, size, false).map(|()| size),
            None => {
                self.nowhere.drops.no_slot += 1;
                Err(DropReason::NoSlot)
            }
        };
        assert_eq!(result, expected);
        self.letters += 1;
    }

    fn start(&mut self, server: usize, capacity: usize) {
        let (slot, handle) = (self.servers[server].1, self.servers[server].2);
        let real = self.servers[server].0.start_read(Duration::from_millis(self.now), capacity);
        let timeout = self.slots[slot].timeout;
        match (code(real), self.take(slot, capacity)) {
            (Ok(ReadStart::Complete(message)), Ok(Some(letter))) => check(&message, letter),
            (Err(122), Err(122)) => {}
            (Err(121), Ok(None)) => assert_eq!(timeout, 0),
            (Err(1450), Ok(None)) => assert_eq!(self.waiting(slot), LIMITS.pending_reads_per_slot),
            (Ok(ReadStart::Pending(read)), Ok(None)) => {
                assert_ne!(timeout, 0);
                assert!(self.waiting(slot) < LIMITS.pending_reads_per_slot);
                let deadline = (timeout != u32::MAX).then(|| self.now + u64::from(timeout));
                assert_eq!(read.deadline(), deadline.map(Duration::from_millis));
                self.reads.push((read, ModelRead { slot, handle, capacity, deadline, end: End::Waits }));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Panics where the two sides tell different things.
    pub(crate) fn compare(&self) {
        for (server, slot, _) in &self.servers {
            let (info, model) = (server.info(), &self.slots[*slot]);
            assert_eq!(info.max_message_size, model.max);
            assert_eq!(info.next_size, model.queue.first().map(|l| l.1));
            assert_eq!(info.message_count, model.queue.len());
            assert_eq!(info.read_timeout.as_millis(), model.timeout);
            assert_eq!(server.stats(), model.stats);
        }
        for (writer, slot) in &self.writers {
            assert_eq!(writer.is_gone(), self.slots[*slot].servers == 0);
        }
        assert_eq!(self.registry.stats(), self.sum());
        let mut names: Vec<_> =
            self.slots.iter().filter(|s| s.servers > 0).map(|s| path(s.name).name).collect();
        names.sort();
        assert_eq!(self.registry.names(), names);
        // A timer may be early, for a read that has ended meanwhile, but never late or missing.
        let due =
            self.reads.iter().filter(|(_, r)| r.end == End::Waits).filter_map(|(_, r)| r.deadline).min();
        if let Some(due) = due {
            assert!(self.registry.poll_timeout().is_some_and(|at| at <= Duration::from_millis(due)));
        }
        if self.reads.iter().all(|(_, r)| r.deadline.is_none()) {
            assert_eq!(self.registry.poll_timeout(), None);
        }
    }
}
