//! Why a call failed, and the last error of each thread.

use core::cell::{Cell, RefCell};
use std::ffi::CString;

use core_slots::node::local::{LocalError, RemoteSendError};
use core_slots::slot::{MailslotError, Win32Error};

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
    fn new(code: Win32Error, text: impl Into<String>) -> Self {
        Self { code: code.code(), status: code.ntstatus(), text: text.into() }
    }

    fn bad_handle(status: u32, text: &str) -> Self {
        Self { status: Some(status), ..Self::new(Win32Error::ERROR_INVALID_HANDLE, text) }
    }

    /// A call that the library has not, or an argument that it does not take.
    pub(crate) fn not_supported(what: &str) -> Self {
        Self::new(Win32Error::ERROR_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    pub(crate) fn invalid_handle() -> Self {
        Self::bad_handle(STATUS_INVALID_HANDLE, "the handle is closed, or none of this process")
    }

    /// The handle is of another kind than the call needs.
    pub(crate) fn other_kind() -> Self {
        Self::bad_handle(STATUS_OBJECT_TYPE_MISMATCH, "the handle is of another kind")
    }

    pub(crate) fn read_buffer() -> Self {
        Self::new(Win32Error::ERROR_NOACCESS, "the buffer to read into is NULL")
    }

    pub(crate) fn write_buffer() -> Self {
        Self::new(Win32Error::ERROR_INVALID_USER_BUFFER, "the message is NULL")
    }

    pub(crate) fn invalid_argument(what: &'static str) -> Self {
        MailslotError::InvalidArgument { what }.into()
    }

    pub(crate) fn not_utf8() -> Self {
        Self::new(Win32Error::ERROR_NO_UNICODE_TRANSLATION, "the string is not UTF-8")
    }

    /// `ERROR_BUFFER_OVERFLOW`: the answer has no room.
    pub(crate) fn buffer_overflow() -> Self {
        Self::new(Win32Error::ERROR_BUFFER_OVERFLOW, "the answer has no room")
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
        Self::new(Win32Error::ERROR_INTERNAL_ERROR, "a defect of libmailslot")
    }

    pub(crate) fn system(text: String) -> Self {
        Self::new(Win32Error::ERROR_NO_SYSTEM_RESOURCES, text)
    }

    /// A remote path without a way to it.
    pub(crate) fn no_way(text: String) -> Self {
        Self::new(Win32Error::ERROR_BAD_NETPATH, text)
    }
}

impl From<Win32Error> for Failure {
    fn from(code: Win32Error) -> Self {
        Self::new(code, code.to_string())
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
            other => Self::new(other.win32(), other.to_string()),
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
            other => Self::new(other.win32(), other.to_string()),
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

/// The Win32 code of a status, as `RtlNtStatusToDosError` gives it.
pub(crate) fn code_of(status: u32) -> u32 {
    Win32Error::from_ntstatus(status).unwrap_or(Win32Error::ERROR_MR_MID_NOT_FOUND).code()
}
