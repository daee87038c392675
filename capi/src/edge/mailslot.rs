//! The calls on mailslots.

use core::ffi::{c_char, c_void};
use core::slice;

use core_slots::slot::win32::MAILSLOT_NO_MESSAGE;
use core_slots::slot::{Access, Win32Error};

use super::{
    BOOL, DWORD, FALSE, HANDLE, INVALID_HANDLE, OVERLAPPED, TRUE, as_handle, bytes, call, elements, narrow,
    number, store, wide32,
};
use crate::failure::{self, Failure};
use crate::{handles, mailslots};

/// `ERROR_ALREADY_EXISTS`, which a successful `OPEN_ALWAYS` leaves behind.
const ALREADY_EXISTS: u32 = Win32Error::ERROR_ALREADY_EXISTS.code();
const OPEN_ALWAYS: u32 = 4;
const DUPLICATE_CLOSE_SOURCE: u32 = 1;
const DUPLICATE_SAME_ACCESS: u32 = 2;

fn create(path: Result<Vec<u16>, Failure>, size: DWORD, timeout: DWORD) -> Result<HANDLE, Failure> {
    mailslots::create(&path?, size, timeout).map(as_handle)
}

fn open(
    path: Result<Vec<u16>, Failure>,
    access: DWORD,
    share: DWORD,
    disposition: DWORD,
    template: HANDLE,
) -> Result<HANDLE, Failure> {
    if !template.is_null() {
        return Err(Failure::not_supported("a template file"));
    }
    let handle = mailslots::open(&path?, access, share, disposition)?;
    failure::set_last(if disposition == OPEN_ALWAYS { ALREADY_EXISTS } else { 0 });
    Ok(as_handle(handle))
}

/// `CreateMailslotA`; the name is UTF-8.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateMailslotA(
    name: *const c_char,
    max_message_size: DWORD,
    read_timeout: DWORD,
    _security: *const c_void,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        create(unsafe { narrow(name) }, max_message_size, read_timeout)
    })
}

/// `CreateMailslotW`; the name is UTF-16.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateMailslotW(
    name: *const u16,
    max_message_size: DWORD,
    read_timeout: DWORD,
    _security: *const c_void,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        create(Ok(unsafe { elements(name) }), max_message_size, read_timeout)
    })
}

/// `CreateMailslotW` where `wchar_t` has 32 bits.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mailslot_CreateMailslotW32(
    name: *const u32,
    max_message_size: DWORD,
    read_timeout: DWORD,
    _security: *const c_void,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        create(unsafe { wide32(name) }, max_message_size, read_timeout)
    })
}

/// `CreateFileA` for mailslot paths; the name is UTF-8.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileA(
    name: *const c_char,
    access: DWORD,
    share: DWORD,
    _security: *const c_void,
    disposition: DWORD,
    _flags: DWORD,
    template: HANDLE,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        open(unsafe { narrow(name) }, access, share, disposition, template)
    })
}

/// `CreateFileW` for mailslot paths; the name is UTF-16.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileW(
    name: *const u16,
    access: DWORD,
    share: DWORD,
    _security: *const c_void,
    disposition: DWORD,
    _flags: DWORD,
    template: HANDLE,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        open(Ok(unsafe { elements(name) }), access, share, disposition, template)
    })
}

/// `CreateFileW` where `wchar_t` has 32 bits.
///
/// # Safety
/// `name` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mailslot_CreateFileW32(
    name: *const u32,
    access: DWORD,
    share: DWORD,
    _security: *const c_void,
    disposition: DWORD,
    _flags: DWORD,
    template: HANDLE,
) -> HANDLE {
    call(as_handle(INVALID_HANDLE), || {
        // SAFETY: says the caller.
        open(unsafe { wide32(name) }, access, share, disposition, template)
    })
}

/// `ReadFile`.
///
/// # Safety
/// `buffer` is NULL or `size` bytes can be written there, which nobody else uses meanwhile; `read` is NULL or can be
/// written; `overlapped` is NULL or an [`OVERLAPPED`] that stays where it is, with the buffer, until the read is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadFile(
    handle: HANDLE,
    buffer: *mut c_void,
    size: DWORD,
    read: *mut DWORD,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    call(FALSE, || {
        // SAFETY: it can be written, says the caller.
        unsafe { store(read, 0) };
        let (object, access) = handles::get(number(handle))?;
        let mailslot = object.mailslot()?;
        if buffer.is_null() && size > 0 {
            return Err(Failure::read_buffer());
        }
        let capacity = usize::try_from(size).unwrap_or(usize::MAX);
        if !overlapped.is_null() {
            mailslot.reader_to_read(access)?;
            // SAFETY: says the caller.
            let length = unsafe { super::overlapped::read(&object, buffer, capacity, overlapped) }?;
            // SAFETY: it can be written, says the caller.
            unsafe { store(read, length) };
            return Ok(TRUE);
        }
        let length = mailslot.read(access, capacity, |message| {
            assert!(message.len() <= capacity, "a message longer than what was asked for");
            if !message.is_empty() {
                // SAFETY: the buffer has `size` bytes, says the caller, and the message has no more.
                unsafe { slice::from_raw_parts_mut(buffer.cast(), message.len()) }.copy_from_slice(message);
            }
            message.len()
        })?;
        // SAFETY: it can be written, says the caller.
        unsafe { store(read, DWORD::try_from(length).unwrap_or(size)) };
        Ok(TRUE)
    })
}

/// `WriteFile`.
///
/// # Safety
/// `buffer` is NULL or `size` bytes can be read there, which nobody writes meanwhile; `written` is NULL or can be
/// written; `overlapped` is NULL or an [`OVERLAPPED`] that can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteFile(
    handle: HANDLE,
    buffer: *const c_void,
    size: DWORD,
    written: *mut DWORD,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    call(FALSE, || {
        // SAFETY: it can be written, says the caller.
        unsafe { store(written, 0) };
        let (object, access) = handles::get(number(handle))?;
        // SAFETY: says the caller.
        let data = unsafe { bytes(buffer, size) }.ok_or_else(Failure::write_buffer)?;
        let length = object.mailslot()?.write(access, data)?;
        // SAFETY: it can be written, says the caller.
        unsafe { store(written, DWORD::try_from(length).unwrap_or(size)) };
        if !overlapped.is_null() {
            // SAFETY: says the caller.
            unsafe { super::overlapped::complete(overlapped, &object, Ok(length)) };
        }
        Ok(TRUE)
    })
}

/// `GetMailslotInfo`.
///
/// # Safety
/// Each pointer is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetMailslotInfo(
    handle: HANDLE,
    max_message_size: *mut DWORD,
    next_size: *mut DWORD,
    message_count: *mut DWORD,
    read_timeout: *mut DWORD,
) -> BOOL {
    let word = |value: usize| DWORD::try_from(value).unwrap_or(DWORD::MAX);
    call(FALSE, || {
        let (object, _) = handles::get(number(handle))?;
        let info = object.mailslot()?.info()?;
        // SAFETY: it can be written, says the caller; and so below.
        unsafe { store(max_message_size, info.max_message_size) };
        // SAFETY: as above.
        unsafe { store(next_size, info.next_size.map_or(MAILSLOT_NO_MESSAGE, word)) };
        // SAFETY: as above.
        unsafe { store(message_count, word(info.message_count)) };
        // SAFETY: as above.
        unsafe { store(read_timeout, info.read_timeout.as_millis()) };
        Ok(TRUE)
    })
}

/// `SetMailslotInfo`.
#[unsafe(no_mangle)]
pub extern "C" fn SetMailslotInfo(handle: HANDLE, read_timeout: DWORD) -> BOOL {
    call(FALSE, || {
        let (object, _) = handles::get(number(handle))?;
        object.mailslot()?.set_info(read_timeout)?;
        Ok(TRUE)
    })
}

/// `CloseHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn CloseHandle(handle: HANDLE) -> BOOL {
    call(FALSE, || {
        handles::close(number(handle))?;
        Ok(TRUE)
    })
}

/// `DuplicateHandle` within the calling process.
///
/// # Safety
/// `target` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DuplicateHandle(
    source_process: HANDLE,
    source: HANDLE,
    target_process: HANDLE,
    target: *mut HANDLE,
    access: DWORD,
    _inherit: BOOL,
    options: DWORD,
) -> BOOL {
    call(FALSE, || {
        if number(source_process) != INVALID_HANDLE || number(target_process) != INVALID_HANDLE {
            return Err(Failure::not_supported("a handle of another process"));
        }
        let access = (options & DUPLICATE_SAME_ACCESS == 0).then_some(Access::from_bits_retain(access));
        let handle = handles::duplicate(number(source), access)?;
        if options & DUPLICATE_CLOSE_SOURCE != 0 {
            handles::close(number(source))?;
        }
        // SAFETY: it can be written, says the caller.
        unsafe { store(target, as_handle(handle)) };
        Ok(TRUE)
    })
}
