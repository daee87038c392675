//! The older announcements on `\MAILSLOT\LANMAN`, from LAN Manager, Windows 9x and Samba (`lm announce`).
//!
//! ```text
//! announcement  0  type = 1 (2)   2  server_type (4)   6  major  7  minor   8  interval s (2)
//!              10  server name, NUL   comment, NUL
//! request       0  type = 2 (2)   2  name, NUL-terminated
//! ```

use bytes::BufMut;

use super::announcement::{Announcement, SIGNATURE, Version};
use super::server_type::ServerType;
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::oem::OemZ;
use crate::wire::read;

const ANNOUNCEMENT: u16 = 1;
const REQUEST: u16 = 2;

/// A server announces itself, without the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LanmanAnnouncement<'a> {
    /// Server type. 0 says that the server leaves.
    pub server_type: ServerType,
    /// Version: of LAN Manager, or of the operating system.
    pub os_version: Version,
    /// How often the sender announces itself, in seconds.
    pub interval: u16,
    server_name: &'a [u8],
    comment: Option<OemZ<'a>>,
}

impl<'a> LanmanAnnouncement<'a> {
    /// An announcement.
    ///
    /// # Errors
    /// A name of more than 15 bytes, a comment of more than 42, or a NUL in either.
    pub fn new(
        server_name: &'a [u8],
        os_version: Version,
        server_type: ServerType,
        interval: u16,
        comment: &'a [u8],
    ) -> Result<Self, ValueError> {
        OemZ::new(Layer::Lanman, "server_name", server_name, 15)?;
        let comment = Some(OemZ::new(Layer::Lanman, "comment", comment, 42)?);
        let announcement = Self { server_type, os_version, interval, server_name, comment };
        let strings = announcement.to_bytes();
        if strings.get(28..30) == Some(&SIGNATURE.to_le_bytes()) {
            let reason =
                ValueErrorReason::BadForm("without 55 AA where a HostAnnouncement has its signature");
            return Err(ValueError::new(Layer::Lanman, "comment", reason));
        }
        Ok(announcement)
    }

    /// The server's name, without the NUL.
    pub const fn server_name(&self) -> &'a [u8] {
        self.server_name
    }

    /// The comment; `None` where the frame ends within the name.
    pub const fn comment(&self) -> Option<OemZ<'a>> {
        self.comment
    }

    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, server_type) = read::u32_le("server_type", input)?;
            let (input, major) = read::u8("os_version_major", input)?;
            let (input, minor) = read::u8("os_version_minor", input)?;
            let (input, interval) = read::u16_le("interval", input)?;
            let name = OemZ::split(input);
            let announcement = Self {
                server_type: ServerType::from_bits_retain(server_type),
                os_version: Version::new(major, minor),
                interval,
                server_name: name.text(),
                comment: name.tail().split_first().map(|(_, comment)| OemZ::split(comment)),
            };
            Ok((input, announcement))
        };
        read::finish(fields(bytes), bytes, Layer::Lanman).map(|(_, frame)| frame)
    }
}

impl Encode for LanmanAnnouncement<'_> {
    fn encoded_len(&self) -> usize {
        8 + self.server_name.len() + self.comment.map_or(0, |comment| 1 + comment.encoded_len())
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u32_le(self.server_type.bits());
        out.put_u8(self.os_version.major);
        out.put_u8(self.os_version.minor);
        out.put_u16_le(self.interval);
        out.put_slice(self.server_name);
        if let Some(comment) = self.comment {
            out.put_u8(0);
            comment.encode(out);
        }
    }
}

/// A message to `\MAILSLOT\LANMAN`.
///
/// MS-BRWS 2.2.1 sends HostAnnouncements to this slot too; no sender was seen to. They are told from the
/// older form by their length and by the signature in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum LanmanFrame<'a> {
    /// A LAN Manager announcement.
    Announcement(LanmanAnnouncement<'a>),
    /// Asks for LAN Manager announcements.
    Request(OemZ<'a>),
    /// A HostAnnouncement in the form of MS-BRWS. Read, never written.
    #[non_exhaustive]
    HostAnnouncement {
        /// The frame.
        frame: Announcement<'a>,
    },
    /// A frame of another type.
    #[non_exhaustive]
    Unknown {
        /// The type.
        frame_type: u16,
        /// All that follows it.
        data: &'a [u8],
    },
}

impl LanmanFrame<'_> {
    /// The name of the MS-BRWS frame that does the same.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Announcement(_) | Self::HostAnnouncement { .. } => Some("HostAnnouncement"),
            Self::Request(_) => Some("AnnouncementRequest"),
            Self::Unknown { .. } => None,
        }
    }

    /// The frame's type; of a HostAnnouncement, opcode and update count.
    pub const fn frame_type(&self) -> u16 {
        match self {
            Self::Announcement(_) => ANNOUNCEMENT,
            Self::Request(_) => REQUEST,
            Self::HostAnnouncement { frame } => u16::from_le_bytes([1, frame.update_count]),
            Self::Unknown { frame_type, .. } => *frame_type,
        }
    }
}

impl<'a> Decode<'a> for LanmanFrame<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if let Some((1, rest)) = bytes.split_first()
            && let Ok(frame) = Announcement::read(rest)
            && frame.signature == SIGNATURE
        {
            return Ok(Self::HostAnnouncement { frame });
        }
        let Some((&frame_type, data)) = bytes.split_first_chunk::<2>() else {
            let kind = DecodeErrorKind::Truncated { needed: 2, have: bytes.len() };
            return Err(DecodeError::new(Layer::Lanman, "type", 0, kind));
        };
        match u16::from_le_bytes(frame_type) {
            ANNOUNCEMENT => {
                LanmanAnnouncement::read(data).map(Self::Announcement).map_err(|error| error.at(2))
            }
            REQUEST => Ok(Self::Request(OemZ::split(data))),
            frame_type => Ok(Self::Unknown { frame_type, data }),
        }
    }
}

impl Encode for LanmanFrame<'_> {
    fn encoded_len(&self) -> usize {
        match self {
            Self::Announcement(frame) => 2 + frame.encoded_len(),
            Self::Request(name) => 2 + name.encoded_len(),
            Self::HostAnnouncement { frame } => 1 + frame.encoded_len(),
            Self::Unknown { data, .. } => 2 + data.len(),
        }
    }

    fn encode(&self, out: &mut impl BufMut) {
        match self {
            Self::Announcement(frame) => {
                out.put_u16_le(ANNOUNCEMENT);
                frame.encode(out);
            }
            Self::Request(name) => {
                out.put_u16_le(REQUEST);
                name.encode(out);
            }
            Self::HostAnnouncement { frame } => {
                out.put_u8(1);
                frame.encode(out);
            }
            Self::Unknown { frame_type, data } => {
                out.put_u16_le(*frame_type);
                out.put_slice(data);
            }
        }
    }
}
