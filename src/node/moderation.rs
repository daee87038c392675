//! Datagrams that come in quick succession are taken many at a time.
//!
//! To be woken costs several times what a datagram costs. So when the sockets are looked at again and again for a
//! datagram or two, they are left alone for [`REST`] and then emptied at once, as network cards do with their
//! interrupts. A message waits for at most that time (and the timer's millisecond), and only while thousands come in
//! a second.
//!
//! A peer that writes only when it has an answer gains nothing from a rest and loses its length. So a rest in which
//! hardly anything came bars the next ones for a while, and for longer each time.

use core::time::Duration;

/// How long the sockets are left alone.
const REST: Duration = Duration::from_millis(1);
/// Looks within [`WINDOW`] before the first rest: five thousand a second.
const LOOKS: u32 = 25;
/// See [`LOOKS`].
const WINDOW: Duration = Duration::from_millis(5);
/// Datagrams that must have come in a rest for it to have been worth it.
const WORTH: usize = 4;
/// How long there is no rest after one that was not worth it; twice as long after each further one.
const BAR: Duration = Duration::from_millis(100);
/// The longest of these.
const LONGEST_BAR: Duration = Duration::from_secs(10);
/// What the kernel counts for a datagram besides its bytes, in bytes: more than any driver's.
const OVERHEAD: usize = 2048;
/// What is to come in a rest may fill this part of the receive buffer, so that much more than expected still has room.
const PART: u128 = 4;

/// When to look at the datagram sockets of an interface.
#[derive(Debug)]
pub(super) struct Moderation {
    /// The smallest receive buffer, in bytes.
    room: usize,
    last: Duration,
    /// The window's begin, the looks in it, and what they held.
    since: Duration,
    looks: u32,
    held: usize,
    bar: Duration,
    barred: Duration,
    rest: Option<Duration>,
    /// What is taken next came in a rest.
    rested: bool,
}

impl Moderation {
    pub(super) const fn new(room: usize) -> Self {
        Self {
            room,
            last: Duration::ZERO,
            since: Duration::ZERO,
            looks: 0,
            held: 0,
            bar: BAR,
            barred: Duration::ZERO,
            rest: None,
            rested: false,
        }
    }

    /// Until when the sockets are to be left alone.
    pub(super) const fn rest(&self) -> Option<Duration> {
        self.rest
    }

    /// Ends the rest if it is over, and says so: the sockets are to be looked at then.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> bool {
        let over = self.rest.is_some_and(|until| until <= now);
        if over {
            self.rest = None;
            self.rested = true;
        }
        over
    }

    /// The sockets are left alone from `now` on, whatever comes.
    pub(super) fn rest_from(&mut self, now: Duration) {
        self.rest = Some(now.saturating_add(REST));
    }

    /// At `now` the sockets have been emptied of `count` datagrams with `bytes` in all.
    pub(super) fn took(&mut self, now: Duration, count: usize, bytes: usize) {
        let before = core::mem::replace(&mut self.last, now);
        let rested = core::mem::take(&mut self.rested);
        if rested && count < WORTH {
            self.barred = now.saturating_add(self.bar);
            self.bar = self.bar.saturating_mul(2).min(LONGEST_BAR);
        } else if rested {
            self.bar = BAR;
            (self.since, self.looks, self.held) = (before, LOOKS, 0);
        }
        if now.saturating_sub(self.since) > WINDOW {
            (self.since, self.looks, self.held) = (now, 0, 0);
            return;
        }
        self.looks = self.looks.saturating_add(1);
        self.held = self.held.saturating_add(count.saturating_mul(OVERHEAD)).saturating_add(bytes);
        if self.looks >= LOOKS && self.barred <= now {
            if self.has_room(now) {
                self.rest_from(now);
            }
            (self.since, self.looks, self.held) = (now, 0, 0);
        }
    }

    /// Whether a rest, and the timer's millisecond, would leave most of the buffer free if as much came as of late.
    fn has_room(&self, now: Duration) -> bool {
        let taken = now.saturating_sub(self.since).as_nanos();
        let [held, room] = [self.held, self.room].map(|bytes| u128::try_from(bytes).unwrap_or(u128::MAX));
        held.saturating_mul(2 * REST.as_nanos()) <= taken.saturating_mul(room / PART)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// Takes one datagram every `gap` from `from` on, with no word for the rests in which they come. Says how many
    /// times the sockets were looked at, and the longest that one waited.
    fn stream(moderation: &mut Moderation, from: Duration, gap: Duration, datagrams: u32) -> (u32, Duration) {
        let (mut looks, mut longest) = (0, Duration::ZERO);
        let mut waiting: Vec<Duration> = Vec::new();
        for index in 1..=datagrams {
            let now = from + gap * index;
            waiting.push(now);
            moderation.handle_timeout(now);
            if moderation.rest().is_none() {
                looks += 1;
                longest = longest.max(now - *waiting.first().expect("one at least"));
                moderation.took(now, waiting.len(), waiting.len() * 200);
                waiting.clear();
            }
        }
        (looks, longest)
    }

    #[test]
    fn a_quick_stream_is_taken_many_at_a_time() {
        let mut moderation = Moderation::new(8 << 20);
        let (looks, longest) = stream(&mut moderation, Duration::ZERO, micros(50), 20_000);
        assert!(looks < 20_000 / 15, "{looks}");
        assert!(longest <= REST + micros(50), "{longest:?}");
    }

    #[test]
    fn a_slow_stream_never_waits() {
        let mut moderation = Moderation::new(8 << 20);
        let (looks, longest) = stream(&mut moderation, Duration::ZERO, micros(201), 10_000);
        assert_eq!((looks, longest), (10_000, Duration::ZERO));
    }

    /// The next datagram comes only after the last one was taken: each rest is lost time.
    #[test]
    fn who_waits_for_answers_loses_hardly_anything() {
        let mut moderation = Moderation::new(8 << 20);
        let (mut now, mut rests) = (Duration::ZERO, 0_u32);
        for _ in 0..100_000 {
            now += micros(30);
            if let Some(until) = moderation.rest() {
                rests += 1;
                now = until;
                moderation.handle_timeout(now);
            }
            moderation.took(now, 1, 200);
        }
        assert!((1..=8).contains(&rests), "{rests}");
        let lost = REST * rests;
        assert!(lost < now / 100, "{lost:?} of {now:?}");
    }

    #[test]
    fn a_small_buffer_is_not_left_to_fill() {
        // What Linux grants at most to an ordinary user.
        let mut moderation = Moderation::new(425_984);
        for index in 1..=10_000 {
            let now = micros(10) * index;
            moderation.took(now, 1, 200);
            assert_eq!(moderation.rest(), None, "2 ms of 100,000 a second are 200 datagrams");
        }
        let (looks, _) = stream(&mut moderation, micros(200_000), micros(100), 10_000);
        assert!(looks < 10_000 / 5, "{looks}");
    }
}
