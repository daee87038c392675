//! What the caller of a mailslot did wrong.

use super::win32::{
    STATUS_INVALID_HANDLE, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH, Win32Error,
};

/// A refused call: what is wrong in a sentence, and the Win32 code that Windows gives for it.
///
/// Where Microsoft documents no code, the variant says that its code was decided by this project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailslotError {
    /// No path was given.
    #[error("the path is empty; a mailslot is named \\\\.\\mailslot\\NAME")]
    EmptyPath,
    /// The path is not one of a mailslot.
    #[error(
        "'{path}' is not a mailslot path: \\\\.\\mailslot\\NAME, \\\\HOST\\mailslot\\NAME or \\\\*\\mailslot\\NAME"
    )]
    NotAMailslot {
        /// The path as given, ill-formed UTF-16 replaced.
        path: String,
    },
    /// The path looks like one whose backslashes a POSIX shell has eaten.
    #[error("'{path}' has lost its backslashes to the shell; put the path in single quotes: '{suggestion}'")]
    ShellAteBackslashes {
        /// The path as it arrived.
        path: String,
        /// The path as it was most probably meant, to be put between single quotes.
        suggestion: String,
    },
    /// The path's first part is no device that is known.
    #[error("'{path}' leads to no mailslot: the part before the name must be \\mailslot\\")]
    NotUnderMailslot {
        /// The path as given.
        path: String,
    },
    /// The path names the mailslot class, or another device, and no mailslot in it.
    #[error("'{path}' names a device; a mailslot needs a name after \\mailslot\\")]
    NoName {
        /// The path as given.
        path: String,
    },
    /// The name holds something that a mailslot name cannot.
    #[error("'{name}' cannot be a mailslot name: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The path is longer than Win32 converts.
    #[error("the path has {units} UTF-16 units, at most {max} are possible")]
    PathTooLong {
        /// Length given, in UTF-16 units.
        units: usize,
        /// Largest length, in UTF-16 units.
        max: usize,
    },
    /// The name is longer than an object name can be.
    #[error("the mailslot name has {units} UTF-16 units, at most {max} are possible")]
    NameTooLong {
        /// Length given, in UTF-16 units.
        units: usize,
        /// Largest length, in UTF-16 units.
        max: usize,
    },
    /// A mailslot can only be made on one's own machine. The code is decided by this project.
    #[error("'{path}' is on another machine; a mailslot can only be created as \\\\.\\mailslot\\NAME")]
    RemoteCreate {
        /// The path.
        path: String,
    },
    /// The registry holds only this machine's mailslots; a remote path is for the network.
    #[error("'{path}' is on another machine and has to be sent there")]
    RemoteOpen {
        /// The path.
        path: String,
    },
    /// The name is in use.
    #[error("the mailslot '{name}' exists already")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// There is no such mailslot.
    #[error("there is no mailslot '{name}'")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The open clashes with another one's share mode (only with `ShareRules::Xp`).
    #[error("the mailslot '{name}' is open in a share mode that does not allow this open")]
    SharingViolation {
        /// The name.
        name: String,
    },
    /// An argument is outside its range.
    #[error("{what} is not valid")]
    InvalidArgument {
        /// Which argument.
        what: &'static str,
    },
    /// The handle was not opened for this.
    #[error("the handle has no {access} access")]
    AccessDenied {
        /// The access that is missing: `read` or `write`.
        access: &'static str,
    },
    /// The mailslot is another user's, and its owner admits no others (the place of the security descriptor).
    #[error("the mailslot '{name}' belongs to another user, who admits no others")]
    NotAdmitted {
        /// The name.
        name: String,
    },
    /// The node that holds the mailslot has ended, and the handle with it. The code is decided by this project.
    #[error("the node that holds the mailslot is gone: {reason}")]
    NodeGone {
        /// What is known about its end.
        reason: String,
    },
    /// The handle's access would allow it, but it is the mailslot's other end.
    #[error("a mailslot is read through the handle that created it and written through one that opened it")]
    WrongEnd,
    /// The call is one for the server handle.
    #[error("the call needs the handle that created the mailslot")]
    NotTheServer,
    /// The last server handle is closed and the mailslot is gone. The code is decided by this project:
    /// "client handles are closed" with the server (Win32 "Reading from a Mailslot").
    #[error("the mailslot '{name}' is gone: its last server handle was closed")]
    Gone {
        /// The name it had.
        name: String,
    },
    /// No message came in time (Win32 `CreateMailslot`, `lReadTimeout`).
    #[error("no message came in time")]
    Timeout,
    /// The next message is larger than the buffer; it stays first.
    #[error("the next message has {needed} bytes, the buffer {have}")]
    BufferTooSmall {
        /// Bytes of the message.
        needed: usize,
        /// Bytes of the buffer.
        have: usize,
    },
    /// The read was cancelled, or the mailslot closed under it.
    #[error("the read was ended before a message came")]
    Aborted,
    /// There is no read to cancel.
    #[error("no read is pending")]
    NothingPending,
    /// The message is over the slot's `max_message_size`. The reader never sees it; the code is decided by this
    /// project.
    #[error("the message has {size} bytes, the mailslot takes at most {max}")]
    OverMaxMessageSize {
        /// Bytes of the message.
        size: usize,
        /// The slot's `max_message_size`, in bytes.
        max: usize,
    },
    /// There is no room for the message: a bound of this crate, not of Windows. The code is decided by this project.
    #[error("the mailslot's queue is full ({limit})")]
    QueueFull {
        /// Which of the `Limits` is reached: `messages_per_slot`, `bytes_per_slot`, `bytes` (of all slots together), or
        /// `bytes_per_owner`, those of the owner's [`Account`](super::Account).
        limit: &'static str,
    },
    /// A limit of the registry is reached. The code is decided by this project.
    #[error("the registry's limit of {max} {what} is reached")]
    LimitReached {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The message does not fit a datagram, and a group of machines cannot be reached by session (Win32
    /// `CreateMailslot` remarks).
    #[error(
        "a message of {size} bytes is too long for a domain or \\\\*; at most {max} bytes fit a datagram"
    )]
    TooLongForGroup {
        /// Bytes of the message.
        size: usize,
        /// Largest message that fits, in bytes.
        max: usize,
    },
    /// The message is to go by datagram and does not fit one. The code is decided by this project.
    #[error("a message of {size} bytes does not go by datagram; at most {max} bytes fit one")]
    TooLongForDatagram {
        /// Bytes of the message.
        size: usize,
        /// Largest message that fits, in bytes.
        max: usize,
    },
    /// The message is to go by session to a group of machines. The code is that of a message too long for it.
    #[error("a session leads to one computer; a domain or \\\\* is reached by datagram only")]
    NoSessionToGroup,
    /// The message is to go a way that is not there. The code is decided by this project.
    #[error("a message cannot go by {way}: {reason}")]
    NoSuchWay {
        /// The way: `datagram` or `session`.
        way: &'static str,
        /// Why it is not there.
        reason: &'static str,
    },
    /// The message is too long for the wire. The code is decided by this project.
    #[error("a message of {size} bytes is too long to be sent; at most {max} bytes can be")]
    TooLongToSend {
        /// Bytes of the message.
        size: usize,
        /// Largest message that can be sent, in bytes.
        max: usize,
    },
}

impl MailslotError {
    /// The Win32 error code, as `GetLastError` would give it.
    pub const fn win32(&self) -> Win32Error {
        match self {
            Self::EmptyPath
            | Self::NotUnderMailslot { .. }
            | Self::PathTooLong { .. }
            | Self::RemoteCreate { .. } => Win32Error::ERROR_PATH_NOT_FOUND,
            Self::NotAMailslot { .. }
            | Self::ShellAteBackslashes { .. }
            | Self::BadName { .. }
            | Self::NameTooLong { .. } => Win32Error::ERROR_INVALID_NAME,
            Self::NoName { .. } | Self::AlreadyExists { .. } => Win32Error::ERROR_ALREADY_EXISTS,
            Self::RemoteOpen { .. } | Self::NoSuchWay { .. } => Win32Error::ERROR_NOT_SUPPORTED,
            Self::NotFound { .. } => Win32Error::ERROR_FILE_NOT_FOUND,
            Self::SharingViolation { .. } => Win32Error::ERROR_SHARING_VIOLATION,
            Self::InvalidArgument { .. }
            | Self::WrongEnd
            | Self::OverMaxMessageSize { .. }
            | Self::TooLongForDatagram { .. }
            | Self::TooLongToSend { .. } => Win32Error::ERROR_INVALID_PARAMETER,
            Self::AccessDenied { .. } | Self::NotAdmitted { .. } => Win32Error::ERROR_ACCESS_DENIED,
            Self::NodeGone { .. } => Win32Error::ERROR_BROKEN_PIPE,
            Self::NotTheServer | Self::Gone { .. } => Win32Error::ERROR_INVALID_HANDLE,
            Self::Timeout => Win32Error::ERROR_SEM_TIMEOUT,
            Self::BufferTooSmall { .. } => Win32Error::ERROR_INSUFFICIENT_BUFFER,
            Self::Aborted => Win32Error::ERROR_OPERATION_ABORTED,
            Self::NothingPending => Win32Error::ERROR_NOT_FOUND,
            Self::QueueFull { .. } => Win32Error::ERROR_NOT_ENOUGH_SERVER_MEMORY,
            Self::LimitReached { .. } => Win32Error::ERROR_NO_SYSTEM_RESOURCES,
            Self::TooLongForGroup { .. } | Self::NoSessionToGroup => Win32Error::ERROR_BAD_NETPATH,
        }
    }

    /// The NTSTATUS of the native call, if the call gets that far: a path that Win32 cannot convert, or an
    /// argument that it refuses itself, has none.
    pub const fn ntstatus(&self) -> Option<u32> {
        match self {
            Self::EmptyPath | Self::PathTooLong { .. } | Self::InvalidArgument { .. } => None,
            Self::NotUnderMailslot { .. } | Self::RemoteCreate { .. } => Some(STATUS_OBJECT_PATH_NOT_FOUND),
            Self::NotTheServer => Some(STATUS_OBJECT_TYPE_MISMATCH),
            Self::Gone { .. } => Some(STATUS_INVALID_HANDLE),
            other => other.win32().ntstatus(),
        }
    }
}
