//! GetBackupListRequest and GetBackupListResponse (MS-BRWS 2.2.4, 2.2.5).
//!
//! ```text
//! request   0  opcode   1  requested_count   2  token (4)
//! response  0  opcode   1  backup_server_count   2  token (4)   6  names, each NUL-terminated
//! ```

use std::borrow::Cow;

use bytes::BufMut;

use crate::wire::codec::Encode;
use crate::wire::error::{DecodeError, Layer, ValueError, ValueErrorReason};
use crate::wire::oem::OemZ;
use crate::wire::read;

/// Asks for backup browsers, without its opcode. Bytes behind the token are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GetBackupListRequest<'a> {
    /// ReqCount: how many names are wanted; Windows asks for 4.
    pub requested_count: u8,
    /// Token: comes back in the answer.
    pub token: u32,
    /// Bytes behind the frame's end.
    pub trailing: &'a [u8],
}

impl<'a> GetBackupListRequest<'a> {
    /// A request for `requested_count` names.
    pub const fn new(requested_count: u8, token: u32) -> Self {
        Self { requested_count, token, trailing: &[] }
    }

    /// Reads what follows the opcode; offsets count from there.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, requested_count) = read::u8("requested_count", input)?;
            let (trailing, token) = read::u32_le("token", input)?;
            Ok((trailing, Self { requested_count, token, trailing }))
        };
        read::finish(fields(bytes), bytes, Layer::Browser).map(|(_, frame)| frame)
    }
}

impl Encode for GetBackupListRequest<'_> {
    fn encoded_len(&self) -> usize {
        5 + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.requested_count);
        out.put_u32_le(self.token);
        out.put_slice(self.trailing);
    }
}

/// The names of a GetBackupListResponse, in wire form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BackupList<'a>(Cow<'a, [u8]>);

impl BackupList<'_> {
    /// The names `names`, each with its NUL.
    ///
    /// # Errors
    /// A name that is empty, longer than 15 bytes, or holds a NUL.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Result<Self, ValueError> {
        let mut list = Vec::new();
        for name in names {
            OemZ::new(Layer::Browser, "backup_servers", name, 15)?;
            if name.is_empty() {
                return Err(ValueError::new(Layer::Browser, "backup_servers", ValueErrorReason::Empty));
            }
            list.extend_from_slice(name);
            list.push(0);
        }
        Ok(Self(list.into()))
    }

    /// The names, up to the first empty one or the end. The count in the frame is not trusted.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == 0).take_while(|name| !name.is_empty())
    }
}

/// The master's answer, without its opcode.
///
/// Accepted and kept: any count, names of any length, a last name without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GetBackupListResponse<'a> {
    /// BackupServerCount.
    pub backup_server_count: u8,
    /// Token of the request.
    pub token: u32,
    /// BackupServerList.
    pub backup_servers: BackupList<'a>,
}

impl<'a> GetBackupListResponse<'a> {
    /// An answer with these names.
    ///
    /// # Errors
    /// As [`BackupList::new`]; more than 255 names.
    pub fn new<'n>(token: u32, names: impl IntoIterator<Item = &'n [u8]>) -> Result<Self, ValueError> {
        let backup_servers = BackupList::new(names)?;
        let count = backup_servers.iter().count();
        let backup_server_count = u8::try_from(count)
            .map_err(|_| ValueError::too_long(Layer::Browser, "backup_server_count", count, 255))?;
        Ok(Self { backup_server_count, token, backup_servers })
    }

    /// Reads what follows the opcode; offsets count from there.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, backup_server_count) = read::u8("backup_server_count", input)?;
            let (names, token) = read::u32_le("token", input)?;
            Ok((names, Self { backup_server_count, token, backup_servers: BackupList(names.into()) }))
        };
        read::finish(fields(bytes), bytes, Layer::Browser).map(|(_, frame)| frame)
    }
}

impl Encode for GetBackupListResponse<'_> {
    fn encoded_len(&self) -> usize {
        5 + self.backup_servers.0.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.backup_server_count);
        out.put_u32_le(self.token);
        out.put_slice(&self.backup_servers.0);
    }
}
