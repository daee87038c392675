//! What threads wait for: an object is signalled or not.
//!
//! One lock and one condition serve all signals, so that a thread can wait for several at once.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

static LOCK: Mutex<()> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();

/// Whether something has happened.
#[derive(Debug)]
pub(crate) struct Signal {
    set: AtomicBool,
    /// Whether one waiter takes it away.
    auto_reset: bool,
}

fn lock() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signal {
    pub(crate) const fn new(set: bool, auto_reset: bool) -> Self {
        Self { set: AtomicBool::new(set), auto_reset }
    }

    pub(crate) fn set(&self) {
        let _held = lock();
        self.set.store(true, Ordering::Relaxed);
        CHANGED.notify_all();
    }

    pub(crate) fn reset(&self) {
        let _held = lock();
        self.set.store(false, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }

    fn take(&self) {
        if self.auto_reset {
            self.set.store(false, Ordering::Relaxed);
        }
    }
}

/// Waits for one or all; gives the place of the one that ended the wait, `None` when the time is over.
pub(crate) fn wait(signals: &[Arc<Signal>], all: bool, timeout: Option<Duration>) -> Option<usize> {
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut held = lock();
    loop {
        if all {
            if signals.iter().all(|signal| signal.is_set()) {
                signals.iter().for_each(|signal| signal.take());
                return Some(0);
            }
        } else if let Some((at, signal)) = signals.iter().enumerate().find(|(_, signal)| signal.is_set()) {
            signal.take();
            return Some(at);
        }
        held = match until {
            None => CHANGED.wait(held).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                CHANGED.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}
