//! What C sees: the exported calls. Every pointer of C is read or written here.

mod mailslot;
mod overlapped;
mod system;

pub use mailslot::*;
pub use overlapped::*;
pub use system::*;

use core::ffi::{c_char, c_void};
use core::slice;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::{self, Failure};

/// `HANDLE`: a number, whatever its type says.
pub type HANDLE = *mut c_void;
/// `BOOL`.
pub type BOOL = i32;
/// `DWORD`.
pub type DWORD = u32;

/// `INVALID_HANDLE_VALUE`, and the handle that stands for the calling process.
const INVALID_HANDLE: usize = usize::MAX;
const TRUE: BOOL = 1;
const FALSE: BOOL = 0;
/// Windows takes no longer path; more need not be read to know it.
const LONGEST_STRING: usize = 1 << 16;

fn as_handle(number: usize) -> HANDLE {
    core::ptr::without_provenance_mut(number)
}

fn number(handle: HANDLE) -> usize {
    handle.addr()
}

/// Makes a call: its failure is the thread's last error, and no panic goes on to C.
fn call<T>(failed: T, body: impl FnOnce() -> Result<T, Failure>) -> T {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Failure::panicked()));
    result.unwrap_or_else(|failure| {
        failure::remember(failure);
        failed
    })
}

/// Stores a value where C wants it, or nowhere.
///
/// # Safety
/// `place` is NULL or can be written.
unsafe fn store<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: it can be written, says the caller; alignment is not asked for.
        unsafe { place.write_unaligned(value) }
    }
}

/// The bytes that C has; `None` if they are NULL and there should be some.
///
/// # Safety
/// `bytes` is NULL or `length` bytes can be read there, and nobody writes them meanwhile.
unsafe fn bytes<'a>(bytes: *const c_void, length: DWORD) -> Option<&'a [u8]> {
    let length = usize::try_from(length).ok()?;
    if length == 0 {
        return Some(&[]);
    }
    if bytes.is_null() {
        return None;
    }
    // SAFETY: not NULL, so that they can be read, says the caller.
    Some(unsafe { slice::from_raw_parts(bytes.cast(), length) })
}

/// The elements of a string before its zero, and no more than the longest that is of use; none if it is NULL.
///
/// # Safety
/// `string` is NULL or ends with a zero.
unsafe fn elements<T: Copy + Default + PartialEq>(string: *const T) -> Vec<T> {
    let mut out = Vec::new();
    while !string.is_null() && out.len() < LONGEST_STRING {
        // SAFETY: no zero came before it, so that it is an element of the string or its zero.
        let place = unsafe { string.add(out.len()) };
        // SAFETY: as above; alignment is not asked for.
        let element = unsafe { place.read_unaligned() };
        if element == T::default() {
            break;
        }
        out.push(element);
    }
    out
}

/// A string of bytes, which is UTF-8, in UTF-16.
///
/// # Safety
/// As [`elements`].
unsafe fn narrow(string: *const c_char) -> Result<Vec<u16>, Failure> {
    // SAFETY: says the caller.
    let bytes = unsafe { elements(string.cast::<u8>()) };
    let text = core::str::from_utf8(&bytes).map_err(|_| Failure::not_utf8())?;
    Ok(text.encode_utf16().collect())
}

/// A string of 32-bit elements in UTF-16; each may also be half of a surrogate pair.
///
/// # Safety
/// As [`elements`].
unsafe fn wide32(string: *const u32) -> Result<Vec<u16>, Failure> {
    // SAFETY: says the caller.
    let elements = unsafe { elements(string) };
    let mut out = Vec::with_capacity(elements.len());
    for element in elements {
        match (u16::try_from(element), char::from_u32(element)) {
            (Ok(unit), _) => out.push(unit),
            (Err(_), Some(char)) => out.extend_from_slice(char.encode_utf16(&mut [0; 2])),
            (Err(_), None) => return Err(Failure::invalid_argument("a character of the string")),
        }
    }
    Ok(out)
}
