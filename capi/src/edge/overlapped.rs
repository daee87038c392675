//! Overlapped reads and what belongs to them.

use core::ffi::c_void;
use core::slice;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use core_slots::slot::Win32Error;

use super::{BOOL, DWORD, FALSE, HANDLE, INVALID_HANDLE, TRUE, as_handle, call, number, store};
use crate::failure::{self, Failure};
use crate::handles::{self, Object};
use crate::overlapped::{self, Started};
use crate::{mailslots, signal};

const STATUS_PENDING: usize = 0x103;
const STATUS_UNSUCCESSFUL: u32 = 0xC000_0001;

/// `OVERLAPPED`, aligned as C does it.
#[repr(C)]
#[derive(Debug)]
pub struct OVERLAPPED {
    /// The status: 0x103 as long as the read is pending.
    internal: AtomicUsize,
    /// Bytes of the message.
    internal_high: AtomicUsize,
    /// Means nothing for mailslots.
    _offset: u64,
    /// What is signalled when the read is over, if it is not the mailslot.
    event: HANDLE,
}

/// Says that an operation is over. Nothing of it is used afterwards.
///
/// # Safety
/// `overlapped` can be read and written.
pub(super) unsafe fn complete(overlapped: *mut OVERLAPPED, object: &Object, result: Result<usize, Failure>) {
    let (status, length) = match result {
        Ok(length) => (0, length),
        Err(failure) => (failure.status.unwrap_or(STATUS_UNSUCCESSFUL), 0),
    };
    // SAFETY: it can be used, says the caller, until the status is stored.
    let place = unsafe { &*overlapped };
    let event = place.event;
    place.internal_high.store(length, Ordering::Relaxed);
    place.internal.store(usize::try_from(status).unwrap_or(0), Ordering::Release);
    // It may be another's by now, or nobody's; then nothing is to be signalled.
    match handles::get(number(event)) {
        Ok((event, _)) => event.signal.set(),
        Err(_) => object.signal.set(),
    }
}

/// Where a read puts its message, which it alone uses until it is over.
struct Target {
    buffer: *mut c_void,
    /// Bytes that can be written there.
    capacity: usize,
    overlapped: *mut OVERLAPPED,
}

// SAFETY: `ReadFile` asks its caller to leave both to the read, on whatever thread it ends.
unsafe impl Send for Target {}

impl Target {
    /// # Safety
    /// The buffer has its capacity; both can be used.
    unsafe fn finish(self, object: &Object, result: Result<&[u8], Failure>) {
        let result = result.and_then(|message| {
            let fits = message.len() <= self.capacity;
            fits.then_some(message).ok_or_else(|| Win32Error::ERROR_INSUFFICIENT_BUFFER.into())
        });
        if let Ok(message) = &result
            && !message.is_empty()
        {
            // SAFETY: it fits, and the buffer has its capacity, says the caller.
            unsafe { slice::from_raw_parts_mut(self.buffer.cast(), message.len()) }.copy_from_slice(message);
        }
        // SAFETY: says the caller.
        unsafe { complete(self.overlapped, object, result.map(<[u8]>::len)) }
    }
}

/// `ReadFile` with an `OVERLAPPED`: the length of a message that was there, else a failure.
///
/// # Safety
/// `capacity` bytes can be written to `buffer`; it and `overlapped` are the read's until it is over.
pub(super) unsafe fn read(
    object: &Arc<Object>,
    buffer: *mut c_void,
    capacity: usize,
    overlapped: *mut OVERLAPPED,
) -> Result<DWORD, Failure> {
    let pending = || Failure::from(Win32Error::ERROR_IO_PENDING);
    // SAFETY: it can be used, says the caller.
    let place = unsafe { &*overlapped };
    let event = handles::get(number(place.event));
    event.as_ref().map_or(&**object, |(event, _)| event).signal.reset();
    place.internal.store(STATUS_PENDING, Ordering::Release);
    let at = overlapped.addr();
    let target = Target { buffer, capacity, overlapped };
    let again = Target { buffer, capacity, overlapped };
    let reader = Arc::clone(object);
    let done = move |result: Result<core_slots::slot::Message, Failure>| {
        let result = result.as_ref().map(|message| &message.data[..]).map_err(Clone::clone);
        // SAFETY: says the caller of `read`.
        unsafe { target.finish(&reader, result) }
    };
    match overlapped::start(object, capacity, at, done) {
        Ok(Started::Pending) => Err(pending()),
        Ok(Started::Complete(Ok(message))) => {
            // SAFETY: as above; the other target went with `done`.
            unsafe { again.finish(object, Ok(&message.data)) };
            Ok(DWORD::try_from(message.data.len()).unwrap_or(DWORD::MAX))
        }
        // That no message came in time is said where the others' time-outs are.
        Ok(Started::Complete(Err(failure))) if failure.code == Win32Error::ERROR_SEM_TIMEOUT.code() => {
            // SAFETY: as above.
            unsafe { again.finish(object, Err(failure)) };
            Err(pending())
        }
        Ok(Started::Complete(Err(failure))) | Err(failure) => {
            let status = failure.status.unwrap_or(STATUS_UNSUCCESSFUL);
            place.internal.store(usize::try_from(status).unwrap_or(0), Ordering::Release);
            Err(failure)
        }
    }
}

/// `GetOverlappedResult`.
///
/// # Safety
/// `overlapped` is NULL or that of an operation on the handle; `length` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetOverlappedResult(
    handle: HANDLE,
    overlapped: *mut OVERLAPPED,
    length: *mut DWORD,
    wait: BOOL,
) -> BOOL {
    call(FALSE, || {
        // SAFETY: NULL, or it can be used, says the caller.
        let place = unsafe { overlapped.as_ref() };
        let place = place.ok_or_else(|| Failure::invalid_argument("the OVERLAPPED"))?;
        while place.internal.load(Ordering::Acquire) == STATUS_PENDING {
            if wait == FALSE {
                return Err(Win32Error::ERROR_IO_INCOMPLETE.into());
            }
            let object = handles::get(number(place.event)).or_else(|_| handles::get(number(handle)))?.0;
            signal::wait(&[Arc::clone(&object.signal)], false, None);
        }
        let bytes = place.internal_high.load(Ordering::Relaxed);
        // SAFETY: it can be written, says the caller.
        unsafe { store(length, DWORD::try_from(bytes).unwrap_or(DWORD::MAX)) };
        match u32::try_from(place.internal.load(Ordering::Acquire)) {
            Ok(0) => Ok(TRUE),
            Ok(status) => Err(Failure::of_status(status)),
            Err(_) => Err(Failure::of_status(STATUS_UNSUCCESSFUL)),
        }
    })
}

/// `CancelIoEx`: ends one read that waits on the handle, or all.
#[unsafe(no_mangle)]
pub extern "C" fn CancelIoEx(handle: HANDLE, overlapped: *mut OVERLAPPED) -> BOOL {
    call(FALSE, || {
        let (object, _) = handles::get(number(handle))?;
        let mailslot = object.mailslot()?;
        match overlapped.addr() {
            0 => mailslot.cancel()?,
            at => mailslot.cancellable.cancel(at)?,
        }
        Ok(TRUE)
    })
}

/// `CancelIo`: ends all reads that wait on the handle, of whatever thread, if there are any.
#[unsafe(no_mangle)]
pub extern "C" fn CancelIo(handle: HANDLE) -> BOOL {
    call(FALSE, || {
        let (object, _) = handles::get(number(handle))?;
        match object.mailslot()?.cancel() {
            Err(failure) if failure.code != Win32Error::ERROR_NOT_FOUND.code() => Err(failure),
            _ => Ok(TRUE),
        }
    })
}

/// `UNICODE_STRING`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CountedString {
    bytes: u16,
    _room: u16,
    units: *const u16,
}

/// `OBJECT_ATTRIBUTES`.
#[repr(C)]
#[derive(Debug)]
pub struct ObjectAttributes {
    length: u32,
    root: HANDLE,
    name: *const CountedString,
    attributes: u32,
    security: *const c_void,
    quality: *const c_void,
}

/// `NtCreateMailslotFile` for a name below `\??\MAILSLOT\`; its handle is that of `CreateMailslot`.
///
/// # Safety
/// `handle` can be written; the attributes, their name and the time-out are NULL or can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NtCreateMailslotFile(
    handle: *mut HANDLE,
    _access: u32,
    attributes: *const ObjectAttributes,
    _status: *mut c_void,
    _options: u32,
    _quota: u32,
    max_message_size: u32,
    timeout: *const i64,
) -> u32 {
    const UNITS_OF_A_MILLISECOND: i64 = 10_000;
    let created = call(as_handle(INVALID_HANDLE), || {
        // SAFETY: NULL or it can be read, says the caller; and so the name.
        let name = unsafe { attributes.as_ref() }.map(|attributes| attributes.name);
        // SAFETY: as above.
        let name = name.and_then(|name| unsafe { name.as_ref() });
        let name = name.ok_or_else(|| Failure::invalid_argument("the name"))?;
        // SAFETY: so many bytes can be read, says the caller.
        let bytes = unsafe { super::bytes(name.units.cast(), name.bytes.into()) }.unwrap_or_default();
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_ne_bytes(*unit)).collect();
        // SAFETY: NULL or it can be read, says the caller.
        let timeout = unsafe { timeout.as_ref() }.copied().unwrap_or(-1);
        let timeout = match timeout {
            -1 => u32::MAX,
            time => {
                u32::try_from(time.unsigned_abs() / UNITS_OF_A_MILLISECOND.unsigned_abs()).unwrap_or(u32::MAX)
            }
        };
        mailslots::create(&units, max_message_size, timeout).map(as_handle)
    });
    if number(created) == INVALID_HANDLE {
        return match failure::last_status() {
            0 => STATUS_UNSUCCESSFUL,
            status => status,
        };
    }
    // SAFETY: it can be written, says the caller.
    unsafe { store(handle, created) };
    0
}
