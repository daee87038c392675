//! The status of an SMB answer: an NTSTATUS, or a DOS error class and code (MS-CIFS 2.2.2.4, 2.2.3.1).

use core::fmt;

/// The Status field, as the 32-bit number it is on the wire (little-endian).
///
/// It is an NTSTATUS when [`super::Flags2::NT_STATUS`] is set; otherwise its bytes are an error class, a zero and
/// a code: [`Self::dos`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NtStatus(pub u32);

impl NtStatus {
    /// STATUS_SUCCESS.
    pub const SUCCESS: Self = Self(0);
    /// STATUS_INVALID_SMB: a message that is not understood.
    pub const INVALID_SMB: Self = Self(0x0001_0002);
    /// STATUS_SMB_BAD_TID: no such tree.
    pub const SMB_BAD_TID: Self = Self(0x0005_0002);
    /// STATUS_SMB_BAD_COMMAND: a command that is not known.
    pub const SMB_BAD_COMMAND: Self = Self(0x0016_0002);
    /// STATUS_SMB_BAD_UID: no such session.
    pub const SMB_BAD_UID: Self = Self(0x005b_0002);
    /// STATUS_BUFFER_OVERFLOW: a warning; there is more data than fits.
    pub const BUFFER_OVERFLOW: Self = Self(0x8000_0005);
    /// STATUS_NOT_IMPLEMENTED: impacket's answer to a mailslot write.
    pub const NOT_IMPLEMENTED: Self = Self(0xc000_0002);
    /// STATUS_INVALID_PARAMETER.
    pub const INVALID_PARAMETER: Self = Self(0xc000_000d);
    /// STATUS_NO_SUCH_FILE.
    pub const NO_SUCH_FILE: Self = Self(0xc000_000f);
    /// STATUS_MORE_PROCESSING_REQUIRED: the session setup goes on.
    pub const MORE_PROCESSING_REQUIRED: Self = Self(0xc000_0016);
    /// STATUS_ACCESS_DENIED.
    pub const ACCESS_DENIED: Self = Self(0xc000_0022);
    /// STATUS_OBJECT_NAME_NOT_FOUND: no such slot.
    pub const OBJECT_NAME_NOT_FOUND: Self = Self(0xc000_0034);
    /// STATUS_LOGON_FAILURE.
    pub const LOGON_FAILURE: Self = Self(0xc000_006d);
    /// STATUS_INSUFFICIENT_RESOURCES.
    pub const INSUFFICIENT_RESOURCES: Self = Self(0xc000_009a);
    /// STATUS_NOT_SUPPORTED: Samba's answer to a mailslot write.
    pub const NOT_SUPPORTED: Self = Self(0xc000_00bb);
    /// STATUS_NETWORK_NAME_DELETED: the tree is gone.
    pub const NETWORK_NAME_DELETED: Self = Self(0xc000_00c9);
    /// STATUS_BAD_DEVICE_TYPE: the share is of another type than asked for.
    pub const BAD_DEVICE_TYPE: Self = Self(0xc000_00cb);
    /// STATUS_BAD_NETWORK_NAME: no such share.
    pub const BAD_NETWORK_NAME: Self = Self(0xc000_00cc);
    /// STATUS_USER_SESSION_DELETED: the session is gone.
    pub const USER_SESSION_DELETED: Self = Self(0xc000_0203);
    /// STATUS_INSUFF_SERVER_RESOURCES: the message is too large for the slot.
    pub const INSUFF_SERVER_RESOURCES: Self = Self(0xc000_0205);

    /// The name in MS-ERREF, without `STATUS_`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SUCCESS => "SUCCESS",
            Self::INVALID_SMB => "INVALID_SMB",
            Self::SMB_BAD_TID => "SMB_BAD_TID",
            Self::SMB_BAD_COMMAND => "SMB_BAD_COMMAND",
            Self::SMB_BAD_UID => "SMB_BAD_UID",
            Self::BUFFER_OVERFLOW => "BUFFER_OVERFLOW",
            Self::NOT_IMPLEMENTED => "NOT_IMPLEMENTED",
            Self::INVALID_PARAMETER => "INVALID_PARAMETER",
            Self::NO_SUCH_FILE => "NO_SUCH_FILE",
            Self::MORE_PROCESSING_REQUIRED => "MORE_PROCESSING_REQUIRED",
            Self::ACCESS_DENIED => "ACCESS_DENIED",
            Self::OBJECT_NAME_NOT_FOUND => "OBJECT_NAME_NOT_FOUND",
            Self::LOGON_FAILURE => "LOGON_FAILURE",
            Self::INSUFFICIENT_RESOURCES => "INSUFFICIENT_RESOURCES",
            Self::NOT_SUPPORTED => "NOT_SUPPORTED",
            Self::NETWORK_NAME_DELETED => "NETWORK_NAME_DELETED",
            Self::BAD_DEVICE_TYPE => "BAD_DEVICE_TYPE",
            Self::BAD_NETWORK_NAME => "BAD_NETWORK_NAME",
            Self::USER_SESSION_DELETED => "USER_SESSION_DELETED",
            Self::INSUFF_SERVER_RESOURCES => "INSUFF_SERVER_RESOURCES",
            _ => return None,
        })
    }

    /// Whether the top bits say error (not success, information or warning).
    pub const fn is_error(self) -> bool {
        self.0 >> 30 == 3
    }

    /// The status that stands for a DOS error.
    pub const fn from_dos(error: DosError) -> Self {
        let [code0, code1] = error.code.to_le_bytes();
        Self(u32::from_le_bytes([error.class, error.reserved, code0, code1]))
    }

    /// The DOS error that a client without SMB_FLAGS2_NT_STATUS is told in its place (MS-CIFS 2.2.2.4). Statuses that
    /// hold a DOS error already are that; what has no counterpart here is ERRHRD 31, general failure.
    pub const fn to_dos(self) -> DosError {
        match self {
            Self::SUCCESS => DosError::new(0, 0),
            Self::NOT_IMPLEMENTED => DosError::new(DosError::ERRDOS, 1),
            Self::OBJECT_NAME_NOT_FOUND | Self::NO_SUCH_FILE => DosError::new(DosError::ERRDOS, 2),
            Self::ACCESS_DENIED => DosError::new(DosError::ERRDOS, 5),
            Self::INSUFF_SERVER_RESOURCES => DosError::new(DosError::ERRDOS, 8),
            Self::NOT_SUPPORTED => DosError::new(DosError::ERRDOS, 50),
            Self::INVALID_PARAMETER => DosError::new(DosError::ERRDOS, 87),
            Self::INSUFFICIENT_RESOURCES => DosError::new(DosError::ERRSRV, 89),
            Self::BAD_NETWORK_NAME => DosError::new(DosError::ERRSRV, 6),
            Self::BAD_DEVICE_TYPE => DosError::new(DosError::ERRSRV, 7),
            Self(code) if code >> 30 == 0 => self.dos(),
            _ => DosError::new(3, 31),
        }
    }

    /// The same four bytes read as a DOS error.
    pub const fn dos(self) -> DosError {
        let [class, reserved, code0, code1] = self.0.to_le_bytes();
        DosError { class, reserved, code: u16::from_le_bytes([code0, code1]) }
    }
}

/// `NOT_SUPPORTED (0xc00000bb)`
impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08x})", self.0),
            None => write!(f, "0x{:08x}", self.0),
        }
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtStatus({self})")
    }
}

/// The older form of a status: an error class and a code in it (MS-CIFS 2.2.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DosError {
    /// ErrorClass: 0 success, 1 ERRDOS, 2 ERRSRV, 3 ERRHRD, 0xFF ERRCMD.
    pub class: u8,
    /// Reserved: 0.
    pub reserved: u8,
    /// ErrorCode.
    pub code: u16,
}

impl DosError {
    /// ErrorClass of the errors of DOS; its codes are those of Win32.
    pub const ERRDOS: u8 = 1;
    /// ErrorClass of the errors of the server.
    pub const ERRSRV: u8 = 2;

    /// A code of a class.
    pub const fn new(class: u8, code: u16) -> Self {
        Self { class, reserved: 0, code }
    }

    /// The class's name in MS-CIFS.
    pub const fn class_name(self) -> Option<&'static str> {
        Some(match self.class {
            0 => "SUCCESS",
            1 => "ERRDOS",
            2 => "ERRSRV",
            3 => "ERRHRD",
            0xff => "ERRCMD",
            _ => return None,
        })
    }
}

/// `ERRDOS 2`
impl fmt::Display for DosError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class_name() {
            Some(name) => write!(f, "{name} {}", self.code),
            None => write!(f, "class 0x{:02x} {}", self.class, self.code),
        }
    }
}
