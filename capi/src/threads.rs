//! Threads that C starts.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::thread::Builder;

use core_slots::slot::Access;

use crate::failure::Failure;
use crate::handles::{self, Kind, Object};
use crate::signal::Signal;

const STILL_ACTIVE: u32 = 259;
/// Windows reserves what the program's header says; this is the usual figure.
const SMALLEST_STACK: usize = 1 << 20;

/// A thread of C.
#[derive(Debug)]
pub(crate) struct Thread {
    exit_code: AtomicU32,
}

impl Thread {
    pub(crate) fn exit_code(&self) -> u32 {
        self.exit_code.load(Ordering::Acquire)
    }
}

/// Runs `body` on a thread of its own; gives its handle.
pub(crate) fn start(stack: usize, body: impl FnOnce() -> u32 + Send + 'static) -> Result<usize, Failure> {
    let thread = Thread { exit_code: AtomicU32::new(STILL_ACTIVE) };
    let object = Object::new(Kind::Thread(thread), Signal::new(false, false));
    let handle = handles::insert(Arc::clone(&object), Access::GENERIC_ALL)?;
    let run = move || {
        let code = body();
        if let Kind::Thread(thread) = &object.kind {
            thread.exit_code.store(code, Ordering::Release);
        }
        object.signal.set();
    };
    match Builder::new().stack_size(stack.max(SMALLEST_STACK)).spawn(run) {
        Ok(_) => Ok(handle),
        Err(error) => {
            handles::close(handle)?;
            Err(Failure::system(format!("cannot start a thread: {error}")))
        }
    }
}
