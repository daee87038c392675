//! Win32 error codes under their SDK names, and the constants of the mailslot calls.

use core::fmt;

/// `MAILSLOT_WAIT_FOREVER`: the read time-out that never ends (Win32 `CreateMailslot`).
pub const MAILSLOT_WAIT_FOREVER: u32 = 0xFFFF_FFFF;

/// `MAILSLOT_NO_MESSAGE`: the next size of an empty mailslot (Win32 `GetMailslotInfo`).
///
/// This crate says `None` instead; the constant is for callers that speak Win32.
pub const MAILSLOT_NO_MESSAGE: u32 = 0xFFFF_FFFF;

/// A Win32 error code, as `GetLastError` gives it (MS-ERREF 2.2).
///
/// Prints its SDK name and number, `ERROR_SEM_TIMEOUT (121)`; a code without a name here prints the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Win32Error(u32);

// Statuses that share their code with another, or are the only one that does not tell which call it was.
pub(super) const STATUS_INVALID_HANDLE: u32 = 0xC000_0008;
pub(super) const STATUS_OBJECT_TYPE_MISMATCH: u32 = 0xC000_0024;
pub(super) const STATUS_OBJECT_PATH_NOT_FOUND: u32 = 0xC000_003A;

macro_rules! codes {
    ($($name:ident = $code:literal $(, $nt:literal)?; $doc:literal)*) => {
        impl Win32Error {
            $(
                #[doc = concat!("`", stringify!($name), "`: ", $doc)]
                pub const $name: Self = Self($code);
            )*

            /// The name in the Windows SDK, if this crate knows one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The NTSTATUS that stands behind the code in mailslot calls, where there is exactly one.
            ///
            /// Several NTSTATUS values share a Win32 code; `MailslotError::ntstatus` knows which it was.
            pub const fn ntstatus(self) -> Option<u32> {
                match self.0 {
                    $($($code => Some($nt),)?)*
                    _ => None,
                }
            }

            /// The code of an NTSTATUS, as `RtlNtStatusToDosError` gives it, for those that calls on mailslots end with.
            pub const fn from_ntstatus(status: u32) -> Option<Self> {
                match status {
                    0 => Some(Self(0)),
                    STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH => Some(Self::ERROR_INVALID_HANDLE),
                    STATUS_OBJECT_PATH_NOT_FOUND => Some(Self::ERROR_PATH_NOT_FOUND),
                    $($($nt => Some(Self::$name),)?)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    ERROR_INVALID_FUNCTION = 1; "the handle's device does not know the call."
    ERROR_FILE_NOT_FOUND = 2, 0xC000_0034; "there is no such mailslot (`STATUS_OBJECT_NAME_NOT_FOUND`)."
    ERROR_PATH_NOT_FOUND = 3; "the path does not lead to the mailslot class."
    ERROR_ACCESS_DENIED = 5, 0xC000_0022; "the handle's access does not allow it (`STATUS_ACCESS_DENIED`)."
    ERROR_INVALID_HANDLE = 6; "the handle is closed or of another kind."
    ERROR_NOT_ENOUGH_MEMORY = 8; "what NT 3.51 gave for a message over 4,093 bytes to Windows 95 (KB Q170581)."
    ERROR_SHARING_VIOLATION = 32, 0xC000_0043; "the share modes clash (`STATUS_SHARING_VIOLATION`)."
    ERROR_NOT_SUPPORTED = 50, 0xC000_00BB; "the peer does not speak this (`STATUS_NOT_SUPPORTED`)."
    ERROR_DUP_NAME = 52, 0xC000_00BD; "another computer has the name (`STATUS_DUPLICATE_NAME`)."
    ERROR_BAD_NETPATH = 53, 0xC000_00BE; "the network path was not found (`STATUS_BAD_NETWORK_PATH`)."
    ERROR_DEV_NOT_EXIST = 55, 0xC000_00C0; "the network device is not there (`STATUS_DEVICE_DOES_NOT_EXIST`)."
    ERROR_UNEXP_NET_ERR = 59; "the network did what nobody expects; what NT 4 gave for a message over 4,093 bytes to Windows 95 (KB Q170581)."
    ERROR_TOO_MANY_NAMES = 68, 0xC000_00CD; "the adapter has no room for more names (`STATUS_TOO_MANY_NAMES`)."
    ERROR_REQ_NOT_ACCEP = 71; "the computer keeps no browse list."
    ERROR_INVALID_PARAMETER = 87, 0xC000_000D; "an argument is wrong (`STATUS_INVALID_PARAMETER`)."
    ERROR_BROKEN_PIPE = 109, 0xC000_014B; "the other end has gone (`STATUS_PIPE_BROKEN`)."
    ERROR_BUFFER_OVERFLOW = 111; "what was asked for has no room."
    ERROR_SEM_TIMEOUT = 121, 0xC000_00B5; "no message came in time (`STATUS_IO_TIMEOUT`)."
    ERROR_INSUFFICIENT_BUFFER = 122, 0xC000_0023; "the message is larger than the buffer (`STATUS_BUFFER_TOO_SMALL`)."
    ERROR_INVALID_NAME = 123, 0xC000_0033; "the name is not one of a mailslot (`STATUS_OBJECT_NAME_INVALID`)."
    ERROR_ALREADY_EXISTS = 183, 0xC000_0035; "the name is taken (`STATUS_OBJECT_NAME_COLLISION`)."
    ERROR_FILENAME_EXCED_RANGE = 206; "the name is too long."
    ERROR_MR_MID_NOT_FOUND = 317; "no code stands for the status."
    ERROR_OPERATION_ABORTED = 995, 0xC000_0120; "the read was cancelled (`STATUS_CANCELLED`)."
    ERROR_IO_INCOMPLETE = 996; "the read has not ended yet."
    ERROR_IO_PENDING = 997, 0x0000_0103; "the read goes on in the background (`STATUS_PENDING`)."
    ERROR_NOACCESS = 998, 0xC000_0005; "the buffer to read into is not to be written (`STATUS_ACCESS_VIOLATION`)."
    ERROR_NO_UNICODE_TRANSLATION = 1113; "the text is no Unicode."
    ERROR_NOT_ENOUGH_SERVER_MEMORY = 1130, 0xC000_0205; "the receiver has no room (`STATUS_INSUFF_SERVER_RESOURCES`)."
    ERROR_NOT_FOUND = 1168, 0xC000_0225; "there is nothing to cancel (`STATUS_NOT_FOUND`)."
    ERROR_INVALID_COMPUTERNAME = 1210, 0xC000_0122; "no computer can have the name (`STATUS_INVALID_COMPUTER_NAME`)."
    ERROR_INVALID_DOMAINNAME = 1212; "no workgroup can have the name."
    ERROR_INTERNAL_ERROR = 1359; "a defect of the library."
    ERROR_NO_SYSTEM_RESOURCES = 1450, 0xC000_009A; "a limit of this machine is reached (`STATUS_INSUFFICIENT_RESOURCES`)."
    ERROR_INVALID_USER_BUFFER = 1784, 0xC000_00E8; "the message to write is not to be read (`STATUS_INVALID_USER_BUFFER`)."
    ERROR_REMOTE_MAILSLOTS_DEPRECATED = 3025; "remote mailslots are switched off on this machine."
    ERROR_NO_BROWSER_SERVERS_FOUND = 6118; "nobody has a list of the workgroup's servers."
    WSAEADDRINUSE = 10048; "another program has the port."
    WSAEADDRNOTAVAIL = 10049; "no interface of this machine has the address."
}

impl Win32Error {
    /// The error with this code.
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The code.
    pub const fn code(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
