//! The small frames: AnnouncementRequest, BecomeBackup, MasterAnnouncement, ResetStateRequest
//! (MS-BRWS 2.2.2, 2.2.6, 2.2.8, 2.2.9).
//!
//! ```text
//! AnnouncementRequest                 0  opcode   1  reserved   2  response_name, NUL-terminated
//! BecomeBackup, MasterAnnouncement    0  opcode   1  name, NUL-terminated
//! ResetStateRequest                   0  opcode   1  options
//! ```

use bitflags::bitflags;
use bytes::BufMut;

use crate::wire::codec::Encode;
use crate::wire::error::{DecodeError, Layer, ValueError};
use crate::wire::oem::OemZ;
use crate::wire::read;

/// Asks for announcements, without its opcode.
///
/// Accepted and kept: the form of Samba and HP printers, `02 01 00 NAME` without a final NUL, in which a
/// NUL stands before the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AnnouncementRequest<'a> {
    /// Reserved: 0; Samba writes 1.
    pub reserved: u8,
    /// ResponseName as it stands; see [`Self::response_name`].
    pub name: OemZ<'a>,
}

impl<'a> AnnouncementRequest<'a> {
    /// A request from `response_name`.
    ///
    /// # Errors
    /// A name of more than 15 bytes, or with a NUL.
    pub fn new(response_name: &'a [u8]) -> Result<Self, ValueError> {
        Ok(Self { reserved: 0, name: OemZ::new(Layer::Browser, "response_name", response_name, 15)? })
    }

    /// The sender's name, also where a NUL stands before it.
    pub fn response_name(&self) -> &'a [u8] {
        match (self.name.text(), self.name.tail()) {
            ([], [0, rest @ ..]) => OemZ::split(rest).text(),
            (text, _) => text,
        }
    }

    /// Reads what follows the opcode; offsets count from there.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (rest, reserved) = read::finish(read::u8("reserved", bytes), bytes, Layer::Browser)?;
        Ok(Self { reserved, name: OemZ::split(rest) })
    }
}

impl Encode for AnnouncementRequest<'_> {
    fn encoded_len(&self) -> usize {
        1 + self.name.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.reserved);
        self.name.encode(out);
    }
}

/// A frame that is a name only: BecomeBackup (the browser to promote) and MasterAnnouncement (the local
/// master), without the opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NameFrame<'a> {
    /// BrowserToPromote or MasterBrowserServerName.
    pub name: OemZ<'a>,
}

impl<'a> NameFrame<'a> {
    /// A frame with `name`.
    ///
    /// # Errors
    /// A name of more than 15 bytes, or with a NUL.
    pub fn new(name: &'a [u8]) -> Result<Self, ValueError> {
        Ok(Self { name: OemZ::new(Layer::Browser, "name", name, 15)? })
    }

    /// Reads what follows the opcode.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        Self { name: OemZ::split(bytes) }
    }
}

impl Encode for NameFrame<'_> {
    fn encoded_len(&self) -> usize {
        self.name.encoded_len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.name.encode(out);
    }
}

bitflags! {
    /// Options of a ResetStateRequest. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct ResetOptions: u8 {
        /// Stop being master, become a backup.
        const STOP_MASTER = 0x01;
        /// Clear the lists.
        const CLEAR_ALL = 0x02;
        /// Stop being a browser; Windows ignores it.
        const STOP_BROWSER = 0x04;
        const _ = !0;
    }
}

/// Resets a browser, without its opcode. Bytes behind the options are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ResetStateRequest<'a> {
    /// What to reset.
    pub options: ResetOptions,
    /// Bytes behind the frame's end.
    pub trailing: &'a [u8],
}

impl<'a> ResetStateRequest<'a> {
    /// A request with these options.
    pub const fn new(options: ResetOptions) -> Self {
        Self { options, trailing: &[] }
    }

    /// Reads what follows the opcode; offsets count from there.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (trailing, options) = read::finish(read::u8("options", bytes), bytes, Layer::Browser)?;
        Ok(Self { options: ResetOptions::from_bits_retain(options), trailing })
    }
}

impl Encode for ResetStateRequest<'_> {
    fn encoded_len(&self) -> usize {
        1 + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.options.bits());
        out.put_slice(self.trailing);
    }
}
