//! Browser frames: the data of messages to `\MAILSLOT\BROWSE` (MS-BRWS 2.2), and the older LAN Manager
//! announcements on `\MAILSLOT\LANMAN`. Little-endian.

mod announcement;
mod backup_list;
mod control;
mod election;
mod lanman;
mod server_type;

use core::fmt;

use bytes::BufMut;

pub use announcement::{Announcement, Comment, DOMAIN_OS_VERSION, SIGNATURE, Version};
pub use backup_list::{BackupList, GetBackupListRequest, GetBackupListResponse};
pub use control::{AnnouncementRequest, NameFrame, ResetOptions, ResetStateRequest};
pub use election::{Criteria, ElectionOs, ElectionRoles, RequestElection};
pub use lanman::{LanmanAnnouncement, LanmanFrame};
pub use server_type::ServerType;

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer};

/// The slot of browser frames, without `\MAILSLOT\`.
pub const BROWSE: &[u8] = b"BROWSE";

/// The slot of LAN Manager announcements, without `\MAILSLOT\`.
pub const LANMAN: &[u8] = b"LANMAN";

/// The first byte of a browser frame (MS-BRWS 2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Opcode(pub u8);

impl Opcode {
    /// HostAnnouncement.
    pub const HOST_ANNOUNCEMENT: Self = Self(0x01);
    /// AnnouncementRequest.
    pub const ANNOUNCEMENT_REQUEST: Self = Self(0x02);
    /// RequestElection.
    pub const REQUEST_ELECTION: Self = Self(0x08);
    /// GetBackupListRequest.
    pub const GET_BACKUP_LIST_REQUEST: Self = Self(0x09);
    /// GetBackupListResponse.
    pub const GET_BACKUP_LIST_RESPONSE: Self = Self(0x0a);
    /// BecomeBackup.
    pub const BECOME_BACKUP: Self = Self(0x0b);
    /// DomainAnnouncement.
    pub const DOMAIN_ANNOUNCEMENT: Self = Self(0x0c);
    /// MasterAnnouncement.
    pub const MASTER_ANNOUNCEMENT: Self = Self(0x0d);
    /// ResetStateRequest.
    pub const RESET_STATE_REQUEST: Self = Self(0x0e);
    /// LocalMasterAnnouncement.
    pub const LOCAL_MASTER_ANNOUNCEMENT: Self = Self(0x0f);

    /// The frame's name in MS-BRWS.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::HOST_ANNOUNCEMENT => "HostAnnouncement",
            Self::ANNOUNCEMENT_REQUEST => "AnnouncementRequest",
            Self::REQUEST_ELECTION => "RequestElection",
            Self::GET_BACKUP_LIST_REQUEST => "GetBackupListRequest",
            Self::GET_BACKUP_LIST_RESPONSE => "GetBackupListResponse",
            Self::BECOME_BACKUP => "BecomeBackup",
            Self::DOMAIN_ANNOUNCEMENT => "DomainAnnouncement",
            Self::MASTER_ANNOUNCEMENT => "MasterAnnouncement",
            Self::RESET_STATE_REQUEST => "ResetStateRequest",
            Self::LOCAL_MASTER_ANNOUNCEMENT => "LocalMasterAnnouncement",
            _ => return None,
        })
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

/// A browser frame. Frames of an unknown opcode are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum BrowserFrame<'a> {
    /// A server announces itself to its local master browser (MS-BRWS 2.2.1).
    HostAnnouncement(Announcement<'a>),
    /// Asks servers, or the master, to announce themselves now (MS-BRWS 2.2.2).
    AnnouncementRequest(AnnouncementRequest<'a>),
    /// Asks for an election, or takes part in one (MS-BRWS 2.2.3).
    RequestElection(RequestElection<'a>),
    /// Asks the master for its backup browsers (MS-BRWS 2.2.4).
    GetBackupListRequest(GetBackupListRequest<'a>),
    /// The master's answer (MS-BRWS 2.2.5).
    GetBackupListResponse(GetBackupListResponse<'a>),
    /// Makes a potential browser a backup (MS-BRWS 2.2.6).
    BecomeBackup(NameFrame<'a>),
    /// A local master announces its workgroup or domain (MS-BRWS 2.2.7).
    DomainAnnouncement(Announcement<'a>),
    /// A local master announces itself to the domain master (MS-BRWS 2.2.8).
    MasterAnnouncement(NameFrame<'a>),
    /// Resets a browser (MS-BRWS 2.2.9).
    ResetStateRequest(ResetStateRequest<'a>),
    /// The local master announces itself to its workgroup (MS-BRWS 2.2.10).
    LocalMasterAnnouncement(Announcement<'a>),
    /// A frame of another opcode.
    #[non_exhaustive]
    Unknown {
        /// The first byte.
        opcode: Opcode,
        /// All that follows it.
        data: &'a [u8],
    },
}

impl BrowserFrame<'_> {
    /// The frame's opcode.
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::HostAnnouncement(_) => Opcode::HOST_ANNOUNCEMENT,
            Self::AnnouncementRequest(_) => Opcode::ANNOUNCEMENT_REQUEST,
            Self::RequestElection(_) => Opcode::REQUEST_ELECTION,
            Self::GetBackupListRequest(_) => Opcode::GET_BACKUP_LIST_REQUEST,
            Self::GetBackupListResponse(_) => Opcode::GET_BACKUP_LIST_RESPONSE,
            Self::BecomeBackup(_) => Opcode::BECOME_BACKUP,
            Self::DomainAnnouncement(_) => Opcode::DOMAIN_ANNOUNCEMENT,
            Self::MasterAnnouncement(_) => Opcode::MASTER_ANNOUNCEMENT,
            Self::ResetStateRequest(_) => Opcode::RESET_STATE_REQUEST,
            Self::LocalMasterAnnouncement(_) => Opcode::LOCAL_MASTER_ANNOUNCEMENT,
            Self::Unknown { opcode, .. } => *opcode,
        }
    }
}

impl<'a> Decode<'a> for BrowserFrame<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((&opcode, data)) = bytes.split_first() else {
            let kind = DecodeErrorKind::Truncated { needed: 1, have: 0 };
            return Err(DecodeError::new(Layer::Browser, "opcode", 0, kind));
        };
        let frame = match Opcode(opcode) {
            Opcode::HOST_ANNOUNCEMENT => Announcement::read(data).map(Self::HostAnnouncement),
            Opcode::ANNOUNCEMENT_REQUEST => AnnouncementRequest::read(data).map(Self::AnnouncementRequest),
            Opcode::REQUEST_ELECTION => RequestElection::read(data).map(Self::RequestElection),
            Opcode::GET_BACKUP_LIST_REQUEST => {
                GetBackupListRequest::read(data).map(Self::GetBackupListRequest)
            }
            Opcode::GET_BACKUP_LIST_RESPONSE => {
                GetBackupListResponse::read(data).map(Self::GetBackupListResponse)
            }
            Opcode::BECOME_BACKUP => Ok(Self::BecomeBackup(NameFrame::read(data))),
            Opcode::DOMAIN_ANNOUNCEMENT => Announcement::read(data).map(Self::DomainAnnouncement),
            Opcode::MASTER_ANNOUNCEMENT => Ok(Self::MasterAnnouncement(NameFrame::read(data))),
            Opcode::RESET_STATE_REQUEST => ResetStateRequest::read(data).map(Self::ResetStateRequest),
            Opcode::LOCAL_MASTER_ANNOUNCEMENT => Announcement::read(data).map(Self::LocalMasterAnnouncement),
            opcode => Ok(Self::Unknown { opcode, data }),
        };
        frame.map_err(|error| error.at(1))
    }
}

impl Encode for BrowserFrame<'_> {
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::HostAnnouncement(frame)
            | Self::DomainAnnouncement(frame)
            | Self::LocalMasterAnnouncement(frame) => frame.encoded_len(),
            Self::AnnouncementRequest(frame) => frame.encoded_len(),
            Self::RequestElection(frame) => frame.encoded_len(),
            Self::GetBackupListRequest(frame) => frame.encoded_len(),
            Self::GetBackupListResponse(frame) => frame.encoded_len(),
            Self::BecomeBackup(frame) | Self::MasterAnnouncement(frame) => frame.encoded_len(),
            Self::ResetStateRequest(frame) => frame.encoded_len(),
            Self::Unknown { data, .. } => data.len(),
        }
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.opcode().0);
        match self {
            Self::HostAnnouncement(frame)
            | Self::DomainAnnouncement(frame)
            | Self::LocalMasterAnnouncement(frame) => frame.encode(out),
            Self::AnnouncementRequest(frame) => frame.encode(out),
            Self::RequestElection(frame) => frame.encode(out),
            Self::GetBackupListRequest(frame) => frame.encode(out),
            Self::GetBackupListResponse(frame) => frame.encode(out),
            Self::BecomeBackup(frame) | Self::MasterAnnouncement(frame) => frame.encode(out),
            Self::ResetStateRequest(frame) => frame.encode(out),
            Self::Unknown { data, .. } => out.put_slice(data),
        }
    }
}
