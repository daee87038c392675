//! Reads that wait: as futures without a runtime, and on threads with a clock that only the test moves.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use mailslot::slot::{
    CreateOptions, Mailslot, MailslotError, MailslotWriter, Message, OpenOptions, PendingRead, ReadStart,
    ReadTimeout, Registry, SlotPath, Wait,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn slot(timeout: u32) -> (Registry, Mailslot, MailslotWriter) {
    let registry = Registry::default();
    let path = SlotPath::parse(r"\\.\mailslot\waiting").unwrap();
    let options = CreateOptions { read_timeout: ReadTimeout::from_millis(timeout), ..Default::default() };
    let server = registry.create(&path, options).unwrap();
    let writer = registry.open(&path, OpenOptions::default()).unwrap();
    (registry, server, writer)
}

const FOREVER: u32 = u32::MAX;

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn pair() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn pending(server: &Mailslot, now: Duration, capacity: usize) -> PendingRead {
    match server.start_read(now, capacity) {
        Ok(ReadStart::Pending(read)) => read,
        other => panic!("{other:?}"),
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

fn text(message: Poll<Result<Message, MailslotError>>) -> String {
    match message {
        Poll::Ready(Ok(message)) => String::from_utf8(message.data.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_wakes_the_first_waiting_read_once() {
    let (_registry, server, writer) = slot(FOREVER);
    let ((first, first_waker), (second, second_waker)) = (Count::pair(), Count::pair());
    let (mut a, mut b) = (pending(&server, ms(0), 64), pending(&server, ms(0), 64));
    assert!(poll(&mut a, &first_waker).is_pending());
    assert!(poll(&mut b, &second_waker).is_pending());
    writer.write(b"one").unwrap();
    assert_eq!((first.get(), second.get()), (1, 0));
    assert!(poll(&mut b, &second_waker).is_pending());
    assert_eq!(text(poll(&mut a, &first_waker)), "one");
    writer.write(b"two").unwrap();
    assert_eq!((first.get(), second.get()), (1, 1));
    assert_eq!(text(poll(&mut b, &second_waker)), "two");
    // Nobody waits: nothing is woken.
    writer.write(b"three").unwrap();
    assert_eq!((first.get(), second.get()), (1, 1));
}

#[test]
fn only_the_last_waker_is_called() {
    let (_registry, server, writer) = slot(FOREVER);
    let ((old, old_waker), (new, new_waker)) = (Count::pair(), Count::pair());
    let mut read = pending(&server, ms(0), 64);
    assert!(poll(&mut read, &old_waker).is_pending());
    assert!(poll(&mut read, &new_waker).is_pending());
    writer.write(b"x").unwrap();
    assert_eq!((old.get(), new.get()), (0, 1));
    // The replaced waker is not kept: the test's two references are all there are.
    drop(old_waker);
    assert_eq!(Arc::strong_count(&old), 1);
}

#[test]
fn a_dropped_read_loses_nothing_and_keeps_the_order() {
    let (_registry, server, writer) = slot(FOREVER);
    for abandoned_first in [0, 1] {
        let (a, b) = (pending(&server, ms(0), 64), pending(&server, ms(0), 64));
        for data in [b"1", b"2", b"3"] {
            writer.write(data).unwrap();
        }
        let mut reads = [Some(a), Some(b)];
        reads[abandoned_first].take();
        reads[1 - abandoned_first].take();
        let got: Vec<_> = (0..3).map(|_| server.try_read().unwrap().data).collect();
        assert_eq!(got, ["1", "2", "3"]);
    }
    assert_eq!(server.stats().read, 6);
    // What is given back goes to the next read that waits.
    let (a, mut b) = (pending(&server, ms(0), 64), pending(&server, ms(0), 64));
    let (count, waker) = Count::pair();
    assert!(poll(&mut b, &waker).is_pending());
    writer.write(b"again").unwrap();
    drop(a);
    assert_eq!(count.get(), 1);
    assert_eq!(text(poll(&mut b, &waker)), "again");
    // A read that is dropped while it waits takes its waker along.
    let mut c = pending(&server, ms(0), 64);
    let (gone, waker) = Count::pair();
    assert!(poll(&mut c, &waker).is_pending());
    drop((c, waker));
    assert_eq!(Arc::strong_count(&gone), 1);
}

#[test]
fn cancelling_gives_the_message_that_came_first() {
    let (_registry, server, writer) = slot(FOREVER);
    assert_eq!(pending(&server, ms(0), 64).cancel(), None);
    let read = pending(&server, ms(0), 64);
    writer.write(b"came first").unwrap();
    assert_eq!(read.cancel().unwrap().data, "came first");
    assert_eq!(server.info().message_count, 0);
    // Only the reads of the handle are cancelled.
    let other = server.duplicate();
    let (mut mine, mut its) = (pending(&server, ms(0), 64), pending(&other, ms(0), 64));
    assert_eq!(server.cancel_reads(), Ok(1));
    assert_eq!(mine.try_finish(), Poll::Ready(Err(MailslotError::Aborted)));
    assert_eq!(server.cancel_reads(), Err(MailslotError::NothingPending));
    assert!(its.try_finish().is_pending());
    writer.write(b"x").unwrap();
    assert_eq!(text(its.try_finish()), "x");
}

#[test]
fn the_recv_future_begins_when_polled() {
    let (registry, server, writer) = slot(50);
    let (count, waker) = Count::pair();
    let cx = &mut Context::from_waker(&waker);
    let mut never_polled = Box::pin(server.recv(ms(0), 64));
    assert_eq!(registry.poll_timeout(), None);
    let mut read = Box::pin(server.recv(ms(100), 64));
    assert!(read.as_mut().poll(cx).is_pending());
    assert_eq!(registry.poll_timeout(), Some(ms(150)));
    registry.handle_timeout(ms(149));
    assert_eq!(count.get(), 0);
    registry.handle_timeout(ms(150));
    assert_eq!(count.get(), 1);
    assert_eq!(read.as_mut().poll(cx), Poll::Ready(Err(MailslotError::Timeout)));
    drop(read);
    assert_eq!(registry.poll_timeout(), None);
    writer.write(b"there").unwrap();
    assert_eq!(text(never_polled.as_mut().poll(cx)), "there");
}

#[test]
fn deadlines_end_reads_in_their_own_time() {
    let (registry, server, writer) = slot(100);
    let mut early = pending(&server, ms(0), 64);
    server.set_info(ReadTimeout::from_millis(10));
    let mut short = pending(&server, ms(5), 64);
    server.set_info(ReadTimeout::FOREVER);
    let mut endless = pending(&server, ms(5), 64);
    assert_eq!([early.deadline(), short.deadline(), endless.deadline()], [Some(ms(100)), Some(ms(15)), None]);
    assert_eq!(registry.poll_timeout(), Some(ms(15)));
    assert!(short.expire(ms(14)).is_pending());
    assert_eq!(short.expire(ms(15)), Poll::Ready(Err(MailslotError::Timeout)));
    drop(short);
    assert_eq!(registry.poll_timeout(), Some(ms(100)));
    registry.handle_timeout(ms(1_000_000));
    assert_eq!(early.try_finish(), Poll::Ready(Err(MailslotError::Timeout)));
    assert!(endless.try_finish().is_pending());
    writer.write(b"x").unwrap();
    assert_eq!(text(endless.try_finish()), "x");
    // A message that came before the deadline was handled wins.
    server.set_info(ReadTimeout::from_millis(10));
    let mut read = pending(&server, ms(0), 64);
    writer.write(b"just in time").unwrap();
    assert_eq!(text(read.expire(ms(20))), "just in time");
}

#[test]
fn whoever_drives_the_timeouts_hears_of_earlier_ones() {
    let (registry, server, _writer) = slot(100);
    let (count, waker) = Count::pair();
    registry.watch_timeout(&waker);
    let _late = pending(&server, ms(0), 64);
    assert_eq!(count.get(), 1);
    registry.watch_timeout(&waker);
    let _later = pending(&server, ms(1), 64);
    assert_eq!(count.get(), 1);
    server.set_info(ReadTimeout::from_millis(1));
    let _early = pending(&server, ms(2), 64);
    assert_eq!((count.get(), registry.poll_timeout()), (2, Some(ms(3))));
}

#[test]
fn the_last_close_ends_pending_reads() {
    let (registry, server, writer) = slot(FOREVER);
    let (count, waker) = Count::pair();
    let (other, given) = (server.duplicate(), pending(&server, ms(0), 64));
    writer.write(b"given before").unwrap();
    let mut read = pending(&server, ms(0), 64);
    assert!(poll(&mut read, &waker).is_pending());
    drop(server);
    assert!(poll(&mut read, &waker).is_pending());
    drop(other);
    assert_eq!(count.get(), 1);
    assert_eq!(poll(&mut read, &waker), Poll::Ready(Err(MailslotError::Aborted)));
    // Dropping a message that was given counts it as lost.
    drop(given);
    assert_eq!(registry.stats().drops.unread_at_close, 1);
    assert_eq!(registry.stats().read, 0);
}

/// A waker that calls back into the slot must not meet a held lock.
#[test]
fn wakers_may_call_the_slot() {
    struct Reenter {
        slot: Mailslot,
        read: Mutex<Option<PendingRead>>,
        counts: Mutex<Vec<usize>>,
    }
    impl Wake for Reenter {
        fn wake(self: Arc<Self>) {
            let read = self.read.lock().unwrap().take();
            drop(read);
            self.counts.lock().unwrap().push(self.slot.info().message_count);
        }
    }
    let (_registry, server, writer) = slot(FOREVER);
    let mut read = pending(&server, ms(0), 64);
    let reenter =
        Arc::new(Reenter { slot: server.duplicate(), read: Mutex::default(), counts: Mutex::default() });
    assert!(poll(&mut read, &Waker::from(Arc::clone(&reenter))).is_pending());
    *reenter.read.lock().unwrap() = Some(read);
    writer.write(b"x").unwrap();
    // The waker dropped the read, so the message is back.
    assert_eq!(*reenter.counts.lock().unwrap(), [1]);
}

/// A clock that only the test moves, and a place to sleep on it.
#[derive(Default)]
struct Manual {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    now: Duration,
    woken: bool,
    sleeping: bool,
}

impl Manual {
    /// Returns once a thread sleeps here and has not been woken.
    fn until_sleeping(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |s| !s.sleeping || s.woken).unwrap());
    }

    fn set(&self, now: Duration) {
        self.state.lock().unwrap().now = now;
        self.changed.notify_all();
    }
}

struct Sleeper(Arc<Manual>);

impl Wait for Sleeper {
    fn now(&self) -> Duration {
        self.0.state.lock().unwrap().now
    }

    fn waker(&self) -> Waker {
        struct Wakes(Arc<Manual>);
        impl Wake for Wakes {
            fn wake(self: Arc<Self>) {
                self.0.state.lock().unwrap().woken = true;
                self.0.changed.notify_all();
            }
        }
        Waker::from(Arc::new(Wakes(Arc::clone(&self.0))))
    }

    fn wait(&self, until: Option<Duration>) {
        let mut state = self.0.state.lock().unwrap();
        state.sleeping = true;
        self.0.changed.notify_all();
        let mut state = self
            .0
            .changed
            .wait_while(state, |s| !s.woken && until.is_none_or(|until| s.now < until))
            .unwrap();
        state.woken = false;
        state.sleeping = false;
    }
}

/// Runs a blocking read on a thread, `event` while it sleeps, and gives the read's result and buffer.
fn blocking(
    server: &Mailslot,
    size: usize,
    event: impl FnOnce(&Manual),
) -> (Result<usize, MailslotError>, Vec<u8>) {
    let manual = Arc::new(Manual::default());
    thread::scope(|scope| {
        let sleeper = Sleeper(Arc::clone(&manual));
        let reader = scope.spawn(move || {
            let mut buffer = vec![b'.'; size];
            let result = server.read(&mut buffer, &sleeper);
            (result, buffer)
        });
        manual.until_sleeping();
        event(&manual);
        reader.join().unwrap()
    })
}

#[test]
fn a_blocking_read_ends_with_a_message_its_deadline_or_a_cancel() {
    let (_registry, server, writer) = slot(500);
    let (result, buffer) = blocking(&server, 8, |_| {
        writer.write(b"hello").unwrap();
    });
    assert_eq!((result, &buffer[..]), (Ok(5), &b"hello..."[..]));
    let (result, buffer) = blocking(&server, 8, |clock| {
        // A changed time-out does not reach a pending read, and half the time is not enough.
        server.set_info(ReadTimeout::NONE);
        clock.set(ms(499));
        clock.until_sleeping();
        clock.set(ms(500));
    });
    assert_eq!((result, &buffer[..]), (Err(MailslotError::Timeout), &b"........"[..]));
    server.set_info(ReadTimeout::FOREVER);
    let (result, _) = blocking(&server, 8, |_| assert_eq!(server.cancel_reads(), Ok(1)));
    assert_eq!(result, Err(MailslotError::Aborted));
    let (result, buffer) = blocking(&server, 4, |_| {
        writer.write(b"too long").unwrap();
    });
    assert_eq!(
        (result, &buffer[..]),
        (Err(MailslotError::BufferTooSmall { needed: 8, have: 4 }), &b"...."[..])
    );
    assert_eq!(server.try_read().unwrap().data, "too long");
}

#[test]
fn the_registrys_timer_ends_a_blocking_read_too() {
    let (registry, server, _writer) = slot(500);
    let (result, _) = blocking(&server, 8, |_| registry.handle_timeout(ms(500)));
    assert_eq!(result, Err(MailslotError::Timeout));
}

#[test]
fn eight_writers_and_three_readers_lose_and_repeat_nothing() {
    const EACH: u32 = 500;
    let (registry, server, writer) = slot(FOREVER);
    let got = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for reader in 0..3 {
            let (server, got) = (server.duplicate(), &got);
            scope.spawn(move || {
                let sleeper = Sleeper(Arc::default());
                let mut last = [None; 8];
                loop {
                    let mut buffer = [0; 8];
                    // An empty message ends a reader.
                    let Ok(8) = server.read(&mut buffer, &sleeper) else { break };
                    let from = usize::from(buffer[0]);
                    let number = u32::from_le_bytes(buffer[4..].try_into().unwrap());
                    assert!(last[from] < Some(number), "reader {reader} got {number} of {from} out of order");
                    last[from] = Some(number);
                    got.lock().unwrap().push((from, number));
                }
            });
        }
        let writers: Vec<_> = (0..8_u8)
            .map(|from| {
                let writer = writer.clone();
                scope.spawn(move || {
                    for number in 0..EACH {
                        let mut data = [from, 0, 0, 0, 0, 0, 0, 0];
                        data[4..].copy_from_slice(&number.to_le_bytes());
                        writer.write(&data).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        for _ in 0..3 {
            writer.write(b"").unwrap();
        }
    });
    let mut got = got.into_inner().unwrap();
    got.sort_unstable();
    let all: Vec<_> = (0..8).flat_map(|from| (0..EACH).map(move |number| (from, number))).collect();
    assert_eq!(got, all);
    assert_eq!(registry.stats().read, 8 * u64::from(EACH) + 3);
    assert_eq!(registry.stats().drops.total(), 0);
}

/// Reads that come and go while messages arrive: each message is read once.
#[test]
fn abandoned_reads_among_concurrent_writes_lose_nothing() {
    let (_registry, server, writer) = slot(FOREVER);
    let waker = Waker::noop();
    let mut got = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..2000_u32 {
                writer.write(&number.to_le_bytes()).unwrap();
            }
        });
        let mut turn = 0_u32;
        while got.len() < 2000 {
            turn += 1;
            let mut read = pin!(server.recv(ms(0), 64));
            let polled = read.as_mut().poll(&mut Context::from_waker(waker));
            if let Poll::Ready(message) = polled {
                got.push(u32::from_le_bytes(message.unwrap().data[..].try_into().unwrap()));
            } else if turn.is_multiple_of(3) {
                thread::yield_now();
            }
        }
    });
    assert_eq!(got, (0..2000).collect::<Vec<_>>());
}
