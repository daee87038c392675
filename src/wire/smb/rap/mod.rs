//! The Remote Administration Protocol, as far as browsing needs it (MS-RAP 2.5). Little-endian.
//!
//! A request is the parameter block of a transaction on `\PIPE\LANMAN`; an answer is its parameter block and its
//! data block.
//!
//! ```text
//! request      opcode (2)  param_desc NUL  data_desc NUL  level (2)  receive_buffer_size (2)
//!              NetServerEnum2, NetServerEnum3: server_type (4)  domain NUL  first_name_to_return NUL
//! answer       status (2)  converter (2)  entry_count (2)  available (2)
//! data         entries, then the strings they point at
//! server       name (16)    level 1: major  minor  server_type (4)  comment pointer (4)
//! share        name (13)    level 1: pad  type (2)  remark pointer (4)
//! ```
//!
//! The low 16 bits of a pointer, less the converter, are an offset in the data; the high 16 bits are of no meaning.

mod answer;
mod build;
mod request;

use core::fmt;

pub use answer::{
    ResponseParameters, ServerDetails, ServerEntry, ShareDetails, ShareEntry, ShareType, servers, shares,
};
pub use build::{Answer, StringLayout, answer_servers, answer_shares};
pub use request::{Request, ServerEnum, ShareEnum, Unknown};

use crate::wire::error::{Layer, ValueError, ValueErrorReason};

/// The opcode: which function is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Function(pub u16);

impl Function {
    /// NetShareEnum.
    pub const NET_SHARE_ENUM: Self = Self(0x0000);
    /// NetServerEnum2.
    pub const NET_SERVER_ENUM2: Self = Self(0x0068);
    /// NetServerEnum3.
    pub const NET_SERVER_ENUM3: Self = Self(0x00d7);

    /// The function's name in MS-RAP.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NET_SHARE_ENUM => "NetShareEnum",
            Self::NET_SERVER_ENUM2 => "NetServerEnum2",
            Self::NET_SERVER_ENUM3 => "NetServerEnum3",
            _ => return None,
        })
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({self})")
    }
}

/// The status of an answer: a Win32 or LAN Manager error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status(pub u16);

impl Status {
    /// NERR_Success.
    pub const SUCCESS: Self = Self(0);
    /// ERROR_INVALID_FUNCTION.
    pub const INVALID_FUNCTION: Self = Self(0x0001);
    /// ERROR_ACCESS_DENIED.
    pub const ACCESS_DENIED: Self = Self(0x0005);
    /// ERROR_REQ_NOT_ACCEP: asked a computer that keeps no list.
    pub const REQ_NOT_ACCEP: Self = Self(0x0047);
    /// ERROR_INVALID_PARAMETER.
    pub const INVALID_PARAMETER: Self = Self(0x0057);
    /// ERROR_INVALID_LEVEL.
    pub const INVALID_LEVEL: Self = Self(0x007c);
    /// ERROR_MORE_DATA: not all entries fit.
    pub const MORE_DATA: Self = Self(0x00ea);
    /// NERR_BufTooSmall: not even one entry fits.
    pub const BUFFER_TOO_SMALL: Self = Self(0x084b);
    /// ERROR_NO_BROWSER_SERVERS_FOUND.
    pub const NO_BROWSER_SERVERS: Self = Self(0x17e6);

    /// The status's name.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SUCCESS => "NERR_Success",
            Self::INVALID_FUNCTION => "ERROR_INVALID_FUNCTION",
            Self::ACCESS_DENIED => "ERROR_ACCESS_DENIED",
            Self::REQ_NOT_ACCEP => "ERROR_REQ_NOT_ACCEP",
            Self::INVALID_PARAMETER => "ERROR_INVALID_PARAMETER",
            Self::INVALID_LEVEL => "ERROR_INVALID_LEVEL",
            Self::MORE_DATA => "ERROR_MORE_DATA",
            Self::BUFFER_TOO_SMALL => "NERR_BufTooSmall",
            Self::NO_BROWSER_SERVERS => "ERROR_NO_BROWSER_SERVERS_FOUND",
            _ => return None,
        })
    }

    /// Whether entries come with it.
    pub const fn has_entries(self) -> bool {
        matches!(self, Self::SUCCESS | Self::MORE_DATA)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({self})")
    }
}
const SERVER_DESC: [&[u8]; 2] = [b"B16", b"B16BBDz"];
const SHARE_DESC: [&[u8]; 3] = [b"B13", b"B13BWz", b"B13BWzWWWzB9B"];

/// Descriptor of the entries at `level`.
fn descriptor(descriptors: &[&'static [u8]], level: u16) -> Result<&'static [u8], ValueError> {
    descriptors.get(usize::from(level)).copied().ok_or_else(|| {
        let reason = ValueErrorReason::BadForm("a level of the function");
        ValueError::new(Layer::Rap, "level", reason)
    })
}
