//! What programs around mailslots use besides: errors, threads, events, waiting, names.

use core::ffi::{c_char, c_void};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use core_slots::slot::Access;

use super::{BOOL, DWORD, FALSE, HANDLE, TRUE, as_handle, call, number, store};
use crate::failure::{self, Failure};
use crate::handles::{self, Kind, Object};
use crate::signal::{self, Signal};
use crate::threads;

const INFINITE: DWORD = 0xFFFF_FFFF;
const WAIT_TIMEOUT: DWORD = 258;
const WAIT_FAILED: DWORD = 0xFFFF_FFFF;
const MAXIMUM_WAIT_OBJECTS: DWORD = 64;
const CREATE_SUSPENDED: DWORD = 4;

/// `GetLastError`.
#[unsafe(no_mangle)]
pub extern "C" fn GetLastError() -> DWORD {
    failure::last()
}

/// `SetLastError`.
#[unsafe(no_mangle)]
pub extern "C" fn SetLastError(code: DWORD) {
    failure::set_last(code);
}

/// The thread's last failure in words, in UTF-8; valid until its next.
#[unsafe(no_mangle)]
pub extern "C" fn mailslot_last_error_text() -> *const c_char {
    failure::last_text()
}

/// `RtlGetLastNtStatus`: the status behind the thread's last failure.
#[unsafe(no_mangle)]
pub extern "C" fn RtlGetLastNtStatus() -> DWORD {
    failure::last_status()
}

/// `RtlNtStatusToDosError`, which also makes the status the thread's last.
#[unsafe(no_mangle)]
pub extern "C" fn RtlNtStatusToDosError(status: DWORD) -> DWORD {
    failure::set_last_status(status);
    failure::code_of(status)
}

/// A parameter of a thread of C, which C sends there.
struct Parameter(*mut c_void);

// SAFETY: C passes it to `CreateThread` for no other purpose than that the new thread has it.
unsafe impl Send for Parameter {}

/// `CreateThread`; the thread runs at once.
///
/// # Safety
/// `start` may be called with `parameter` on another thread and does not unwind; `id` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThread(
    _security: *const c_void,
    stack: usize,
    start: Option<unsafe extern "C" fn(*mut c_void) -> DWORD>,
    parameter: *mut c_void,
    flags: DWORD,
    id: *mut DWORD,
) -> HANDLE {
    static NEXT: AtomicU32 = AtomicU32::new(4);
    let parameter = Parameter(parameter);
    call(as_handle(0), || {
        let start = start.ok_or_else(|| Failure::invalid_argument("the thread's function"))?;
        if flags & CREATE_SUSPENDED != 0 {
            return Err(Failure::not_supported("a thread that does not run at once"));
        }
        let handle = threads::start(stack, move || {
            let Parameter(parameter) = { parameter };
            // SAFETY: it may be called here, says the caller.
            unsafe { start(parameter) }
        })?;
        // SAFETY: it can be written, says the caller.
        unsafe { store(id, NEXT.fetch_add(4, Ordering::Relaxed)) };
        Ok(as_handle(handle))
    })
}

/// `GetExitCodeThread`.
///
/// # Safety
/// `code` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeThread(thread: HANDLE, code: *mut DWORD) -> BOOL {
    call(FALSE, || {
        let (object, _) = handles::get(number(thread))?;
        // SAFETY: it can be written, says the caller.
        unsafe { store(code, object.thread()?.exit_code()) };
        Ok(TRUE)
    })
}

fn create_event(manual: BOOL, initial: BOOL, named: bool) -> Result<HANDLE, Failure> {
    if named {
        return Err(Failure::not_supported("an event with a name"));
    }
    let event = Object::new(Kind::Event, Signal::new(initial != FALSE, manual == FALSE));
    handles::insert(event, Access::GENERIC_ALL).map(as_handle)
}

/// `CreateEventA`, without a name.
#[unsafe(no_mangle)]
pub extern "C" fn CreateEventA(
    _security: *const c_void,
    manual: BOOL,
    initial: BOOL,
    name: *const c_char,
) -> HANDLE {
    call(as_handle(0), || create_event(manual, initial, !name.is_null()))
}

/// `CreateEventW`, without a name, however wide its characters would be.
#[unsafe(no_mangle)]
pub extern "C" fn CreateEventW(
    _security: *const c_void,
    manual: BOOL,
    initial: BOOL,
    name: *const c_void,
) -> HANDLE {
    call(as_handle(0), || create_event(manual, initial, !name.is_null()))
}

/// `SetEvent`.
#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(event: HANDLE) -> BOOL {
    call(FALSE, || {
        handles::get(number(event))?.0.event()?.set();
        Ok(TRUE)
    })
}

/// `ResetEvent`.
#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(event: HANDLE) -> BOOL {
    call(FALSE, || {
        handles::get(number(event))?.0.event()?.reset();
        Ok(TRUE)
    })
}

fn wait(handles: &[HANDLE], all: bool, milliseconds: DWORD) -> Result<DWORD, Failure> {
    let objects: Result<Vec<_>, _> = handles.iter().map(|&handle| handles::get(number(handle))).collect();
    let signals: Vec<_> = objects?.iter().map(|(object, _)| Arc::clone(&object.signal)).collect();
    let timeout = (milliseconds != INFINITE).then(|| Duration::from_millis(milliseconds.into()));
    Ok(match signal::wait(&signals, all, timeout) {
        Some(at) => DWORD::try_from(at).unwrap_or(0),
        None => WAIT_TIMEOUT,
    })
}

/// `WaitForSingleObject`, for threads, events and mailslots.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(handle: HANDLE, milliseconds: DWORD) -> DWORD {
    call(WAIT_FAILED, || wait(&[handle], false, milliseconds))
}

/// `WaitForMultipleObjects`, for threads, events and mailslots.
///
/// # Safety
/// `list` is NULL or `count` handles can be read there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjects(
    count: DWORD,
    list: *const HANDLE,
    all: BOOL,
    milliseconds: DWORD,
) -> DWORD {
    call(WAIT_FAILED, || {
        if list.is_null() || count == 0 || count > MAXIMUM_WAIT_OBJECTS {
            return Err(Failure::invalid_argument("the number of handles"));
        }
        let mut handles = Vec::new();
        for at in 0..usize::try_from(count).unwrap_or(0) {
            // SAFETY: `count` handles can be read, says the caller.
            let place = unsafe { list.add(at) };
            // SAFETY: as above; alignment is not asked for.
            handles.push(unsafe { place.read_unaligned() });
        }
        wait(&handles, all != FALSE, milliseconds)
    })
}

/// `Sleep`.
#[unsafe(no_mangle)]
pub extern "C" fn Sleep(milliseconds: DWORD) {
    match milliseconds {
        INFINITE => loop {
            std::thread::park();
        },
        _ => std::thread::sleep(Duration::from_millis(milliseconds.into())),
    }
}

fn ticks() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// `GetTickCount`: milliseconds since the library was first asked.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount() -> DWORD {
    u32::try_from(ticks() & u64::from(u32::MAX)).unwrap_or(0)
}

/// `GetTickCount64`.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount64() -> u64 {
    ticks()
}

/// The machine's name, up to its first dot and fifteen characters, in capitals; of what is not ASCII nothing is left.
fn computer_name() -> Result<Vec<u8>, Failure> {
    let name = nix::unistd::gethostname()
        .map_err(|error| Failure::system(format!("the machine has no name: {error}")))?;
    let name = name.to_string_lossy();
    let first = name.split('.').next().unwrap_or_default();
    Ok(first.bytes().filter(u8::is_ascii).take(15).map(|byte| byte.to_ascii_uppercase()).collect())
}

/// Writes the machine's name and a zero.
///
/// # Safety
/// `size` is NULL or can be read and written, and `*size` elements can be written to `buffer` unless it is NULL.
unsafe fn give_computer_name<T: From<u8>>(buffer: *mut T, size: *mut DWORD) -> BOOL {
    call(FALSE, || {
        if buffer.is_null() || size.is_null() {
            return Err(Failure::invalid_argument("the place for the name"));
        }
        let name = computer_name()?;
        let length = DWORD::try_from(name.len()).unwrap_or(0);
        // SAFETY: it can be read, says the caller.
        let room = unsafe { size.read_unaligned() };
        if room <= length {
            // SAFETY: it can be written, says the caller.
            unsafe { store(size, length + 1) };
            return Err(Failure::buffer_overflow());
        }
        for (at, byte) in name.into_iter().chain([0]).enumerate() {
            // SAFETY: there are more than `length` elements.
            let place = unsafe { buffer.add(at) };
            // SAFETY: as above; alignment is not asked for.
            unsafe { place.write_unaligned(byte.into()) };
        }
        // SAFETY: it can be written, says the caller.
        unsafe { store(size, length) };
        Ok(TRUE)
    })
}

/// `GetComputerNameA`.
///
/// # Safety
/// `size` is NULL or an element count that can be written; so many can be written to `buffer` unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetComputerNameA(buffer: *mut u8, size: *mut DWORD) -> BOOL {
    // SAFETY: says the caller.
    unsafe { give_computer_name(buffer, size) }
}

/// `GetComputerNameW`.
///
/// # Safety
/// As [`GetComputerNameA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetComputerNameW(buffer: *mut u16, size: *mut DWORD) -> BOOL {
    // SAFETY: says the caller.
    unsafe { give_computer_name(buffer, size) }
}

/// `GetComputerNameW` where `wchar_t` has 32 bits.
///
/// # Safety
/// As [`GetComputerNameA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mailslot_GetComputerNameW32(buffer: *mut u32, size: *mut DWORD) -> BOOL {
    // SAFETY: says the caller.
    unsafe { give_computer_name(buffer, size) }
}

/// `NtQueryObject` for the name of a mailslot (class 1, `ObjectNameInformation`): a `UNICODE_STRING` and behind it
/// what it points to.
///
/// # Safety
/// `size` bytes can be written to `buffer`, which is aligned for a pointer; `needed` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NtQueryObject(
    handle: HANDLE,
    class: i32,
    buffer: *mut c_void,
    size: DWORD,
    needed: *mut DWORD,
) -> DWORD {
    #[repr(C)]
    struct Counted {
        length: u16,
        maximum_length: u16,
        buffer: *mut u16,
    }
    const OBJECT_NAME_INFORMATION: i32 = 1;
    const STATUS_NOT_IMPLEMENTED: DWORD = 0xC000_0002;
    const STATUS_INFO_LENGTH_MISMATCH: DWORD = 0xC000_0004;
    const STATUS_INVALID_HANDLE: DWORD = 0xC000_0008;
    call(STATUS_INVALID_HANDLE, || {
        let (object, _) = handles::get(number(handle))?;
        let name = object.mailslot()?.native_name();
        let (Some(mut name), OBJECT_NAME_INFORMATION) = (name, class) else {
            return Ok(STATUS_NOT_IMPLEMENTED);
        };
        let (head, length) = (size_of::<Counted>(), name.len() * 2);
        name.push(0);
        let total = head + length + 2;
        // SAFETY: it can be written, says the caller.
        unsafe { store(needed, DWORD::try_from(total).unwrap_or(DWORD::MAX)) };
        let bytes = u16::try_from(length).ok().zip(u16::try_from(length + 2).ok());
        let (Some((length, maximum_length)), false) = (bytes, buffer.is_null()) else {
            return Ok(STATUS_INFO_LENGTH_MISMATCH);
        };
        if usize::try_from(size).unwrap_or(0) < total {
            return Ok(STATUS_INFO_LENGTH_MISMATCH);
        }
        // SAFETY: `total` bytes are there, and the head is less.
        let units = unsafe { buffer.byte_add(head) }.cast::<u16>();
        // SAFETY: as above; alignment is not asked for.
        unsafe {
            buffer.cast::<Counted>().write_unaligned(Counted { length, maximum_length, buffer: units })
        };
        // SAFETY: the units and their zero are what is left of `total`.
        unsafe { core::ptr::copy_nonoverlapping(name.as_ptr().cast::<u8>(), units.cast(), name.len() * 2) };
        Ok(0)
    })
}
