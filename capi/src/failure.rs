//! Why a call failed, and the last error of each thread.

use core::cell::{Cell, RefCell};
use std::ffi::CString;

use core_slots::node::local::{LocalError, RemoteSendError};
use core_slots::slot::{MailslotError, Win32Error};

/// `ERROR_NO_UNICODE_TRANSLATION`.
const NO_UNICODE_TRANSLATION: u32 = 1113;
/// `ERROR_INTERNAL_ERROR`.
const INTERNAL_ERROR: u32 = 1359;
/// `ERROR_NOACCESS` and `STATUS_ACCESS_VIOLATION`.
const NOACCESS: (u32, u32) = (998, 0xC000_0005);
/// `ERROR_INVALID_USER_BUFFER` and `STATUS_INVALID_USER_BUFFER`.
const INVALID_USER_BUFFER: (u32, u32) = (1784, 0xC000_00E8);
const STATUS_INVALID_HANDLE: u32 = 0xC000_0008;
const STATUS_OBJECT_TYPE_MISMATCH: u32 = 0xC000_0024;

/// A refused call.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: u32,
    /// The NTSTATUS behind it, if the call gets as far as the system.
    pub(crate) status: Option<u32>,
    text: String,
}

impl Failure {
    fn new((code, status): (u32, u32), text: &str) -> Self {
        Self { code, status: Some(status), text: text.to_owned() }
    }

    /// A call that the library has not, or an argument that it does not take.
    pub(crate) fn not_supported(what: &str) -> Self {
        let code = Win32Error::ERROR_NOT_SUPPORTED;
        Self { code: code.code(), status: code.ntstatus(), text: format!("{what} is not supported") }
    }

    pub(crate) fn invalid_handle() -> Self {
        Self::new((6, STATUS_INVALID_HANDLE), "the handle is closed, or none of this process")
    }

    /// The handle is of another kind than the call needs.
    pub(crate) fn other_kind() -> Self {
        Self::new((6, STATUS_OBJECT_TYPE_MISMATCH), "the handle is of another kind")
    }

    pub(crate) fn read_buffer() -> Self {
        Self::new(NOACCESS, "the buffer to read into is NULL")
    }

    pub(crate) fn write_buffer() -> Self {
        Self::new(INVALID_USER_BUFFER, "the message is NULL")
    }

    pub(crate) fn invalid_argument(what: &'static str) -> Self {
        MailslotError::InvalidArgument { what }.into()
    }

    pub(crate) fn not_utf8() -> Self {
        let text = "the string is not UTF-8".to_owned();
        Self { code: NO_UNICODE_TRANSLATION, status: None, text }
    }

    /// `ERROR_BUFFER_OVERFLOW`: the answer has no room.
    pub(crate) fn buffer_overflow() -> Self {
        Self { code: 111, status: None, text: "the answer has no room".to_owned() }
    }

    /// What an overlapped read ended with.
    pub(crate) fn of_status(status: u32) -> Self {
        let code = code_of(status);
        Self { code, status: Some(status), text: Win32Error::new(code).to_string() }
    }

    pub(crate) fn aborted() -> Self {
        MailslotError::Aborted.into()
    }

    pub(crate) fn panicked() -> Self {
        Self { code: INTERNAL_ERROR, status: None, text: "a defect of libmailslot".to_owned() }
    }

    pub(crate) fn system(text: String) -> Self {
        let code = Win32Error::ERROR_NO_SYSTEM_RESOURCES;
        Self { code: code.code(), status: code.ntstatus(), text }
    }

    /// A remote path without a way to it.
    pub(crate) fn no_way(text: String) -> Self {
        let code = Win32Error::ERROR_BAD_NETPATH;
        Self { code: code.code(), status: code.ntstatus(), text }
    }
}

impl From<Win32Error> for Failure {
    fn from(code: Win32Error) -> Self {
        Self { code: code.code(), status: code.ntstatus(), text: code.to_string() }
    }
}

impl From<MailslotError> for Failure {
    fn from(error: MailslotError) -> Self {
        Self { code: error.win32().code(), status: error.ntstatus(), text: error.to_string() }
    }
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Mailslot(error) => error.into(),
            other => {
                Self { code: other.win32().code(), status: other.win32().ntstatus(), text: other.to_string() }
            }
        }
    }
}

impl From<RemoteSendError> for Failure {
    fn from(error: RemoteSendError) -> Self {
        match error {
            RemoteSendError::Local(LocalError::Mailslot(MailslotError::NotFound { name })) => Self::no_way(
                format!("this machine has no mailslot '{name}', and no node that could send elsewhere"),
            ),
            RemoteSendError::Local(error) => error.into(),
            other => {
                Self { code: other.win32().code(), status: other.win32().ntstatus(), text: other.to_string() }
            }
        }
    }
}

thread_local! {
    static CODE: Cell<u32> = const { Cell::new(0) };
    static STATUS: Cell<u32> = const { Cell::new(0) };
    static TEXT: RefCell<CString> = RefCell::default();
}

pub(crate) fn last() -> u32 {
    CODE.get()
}

pub(crate) fn set_last(code: u32) {
    CODE.set(code);
}

pub(crate) fn last_status() -> u32 {
    STATUS.get()
}

pub(crate) fn set_last_status(status: u32) {
    STATUS.set(status);
}

pub(crate) fn remember(failure: Failure) {
    CODE.set(failure.code);
    if let Some(status) = failure.status {
        STATUS.set(status);
    }
    let mut text = failure.text.into_bytes();
    text.retain(|&byte| byte != 0);
    // Without zeros it is a C string.
    TEXT.set(CString::new(text).unwrap_or_default());
}

/// What the last failure of this thread was, in words; valid until the next.
pub(crate) fn last_text() -> *const core::ffi::c_char {
    TEXT.with_borrow(|text| text.as_ptr())
}

/// The Win32 code of a status, as `RtlNtStatusToDosError` gives it, for those that calls on mailslots end with.
pub(crate) fn code_of(status: u32) -> u32 {
    const MR_MID_NOT_FOUND: u32 = 317;
    match status {
        0 => 0,
        STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH => 6,
        0xC000_003A => 3,
        _ if status == NOACCESS.1 => NOACCESS.0,
        _ if status == INVALID_USER_BUFFER.1 => INVALID_USER_BUFFER.0,
        _ => {
            let known = [2, 5, 32, 50, 53, 87, 109, 121, 122, 123, 183, 995, 997, 1130, 1168, 1450];
            known
                .into_iter()
                .find(|&code| Win32Error::new(code).ntstatus() == Some(status))
                .unwrap_or(MR_MID_NOT_FOUND)
        }
    }
}
