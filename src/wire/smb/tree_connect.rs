//! `SMB_COM_TREE_CONNECT_ANDX` (MS-CIFS 2.2.4.55, MS-SMB 2.2.4.7). Little-endian.
//!
//! ```text
//! request   4 words  andx (4) flags (2) password_length (2)    bytes: password, path NUL, service NUL
//! response  2 words  andx (4)                                  bytes: service NUL, native file system NUL
//!           3        … optional_support (2)
//!           7        … maximal_share_access_rights (4) guest_maximal_share_access_rights (4)
//! ```
//!
//! The service is always OEM; path and file system follow Flags2.

use bitflags::bitflags;
use bytes::BufMut;

use super::block::{Area, Block, Builder, word};
use super::command::AndX;
use super::negotiate::within;
use super::text::SmbStr;
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::read;

bitflags! {
    /// Flags of the request. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct TreeConnectFlags: u16 {
        /// TREE_CONNECT_ANDX_DISCONNECT_TID: disconnect the header's tree first.
        const DISCONNECT_TID = 0x0001;
        /// TREE_CONNECT_ANDX_EXTENDED_SIGNATURES (MS-SMB).
        const EXTENDED_SIGNATURES = 0x0004;
        /// TREE_CONNECT_ANDX_EXTENDED_RESPONSE (MS-SMB): answer with seven words.
        const EXTENDED_RESPONSE = 0x0008;
        const _ = !0;
    }
}

/// The service of IPC$: named pipes and mailslots.
pub const SERVICE_IPC: &[u8] = b"IPC";

/// Any service.
pub const SERVICE_ANY: &[u8] = b"?????";

/// A request to connect to a share.
///
/// Accepted: a service without NUL. Refused: a password longer than the bytes, a path without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TreeConnectRequest<'a> {
    pub(super) andx: AndX,
    flags: TreeConnectFlags,
    password_length: u16,
    pub(super) area: Area<'a>,
}

impl<'a> TreeConnectRequest<'a> {
    /// A request for `path` (`\\HOST\IPC$`) with an empty password: one NUL.
    ///
    /// # Errors
    /// A service with a NUL; more than 65,535 bytes in all.
    pub fn new(flags: TreeConnectFlags, path: SmbStr<'_>, service: &[u8]) -> Result<Self, ValueError> {
        let service = SmbStr::oem(service)?;
        let mut builder = Builder::new(4, path.is_unicode());
        builder.put(&[0]);
        builder.string("path", path)?;
        builder.put(service.as_bytes());
        builder.put(&[0]);
        Ok(Self {
            andx: AndX::NONE,
            flags,
            password_length: word("password_length", 1)?,
            area: builder.finish()?,
        })
    }

    /// The command that follows.
    pub const fn andx(&self) -> AndX {
        self.andx
    }

    /// Flags.
    pub const fn flags(&self) -> TreeConnectFlags {
        self.flags
    }

    /// The password: one NUL with user level security.
    pub fn password(&self) -> &[u8] {
        self.area.head(self.password_length)
    }

    /// The share's path: `\\HOST\IPC$`.
    pub fn path(&self) -> SmbStr<'_> {
        self.path_and_next().map_or_else(|| SmbStr::empty(self.area.unicode), |(path, _)| path)
    }

    /// The service, in OEM bytes: [`SERVICE_IPC`], [`SERVICE_ANY`], `A:`, `LPT1:`.
    pub fn service(&self) -> &[u8] {
        let rest = self.path_and_next().and_then(|(_, next)| self.area.own().get(next..));
        until_nul(rest.unwrap_or_default())
    }

    fn path_and_next(&self) -> Option<(SmbStr<'_>, usize)> {
        self.area.terminated(self.area.own(), self.password_length.into())
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        if block.word_count != 4 {
            return Err(block.bad_word_count("4"));
        }
        let (andx, flags, password_length) = block.fields(|input| {
            let (input, andx) = AndX::read(input)?;
            let (input, flags) = read::u16_le("flags", input)?;
            let (input, password_length) = read::u16_le("password_length", input)?;
            Ok((input, (andx, TreeConnectFlags::from_bits_retain(flags), password_length)))
        })?;
        let words_at = block.words_at;
        let request = Self { andx, flags, password_length, area: block.area };
        within("password_length", words_at + 6, password_length.into(), request.area.own().len())?;
        if request.path_and_next().is_none() {
            let at = request.area.base + usize::from(password_length);
            return Err(DecodeError::new(Layer::Smb, "path", at, DecodeErrorKind::Unterminated));
        }
        Ok(request)
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        self.andx.write(out);
        out.put_u16_le(self.flags.bits());
        out.put_u16_le(self.password_length);
    }
}

/// The words in which the forms of the answer differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Short,
    Nt { support: u16 },
    Extended { support: u16, rights: u32, guest_rights: u32 },
}

/// The answer of a server that has connected the share; the header's TID names the tree.
///
/// Accepted: strings without NUL, no file system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TreeConnectResponse<'a> {
    pub(super) andx: AndX,
    form: Form,
    pub(super) area: Area<'a>,
}

impl<'a> TreeConnectResponse<'a> {
    /// An answer of three words; of seven with `rights` (maximal share access rights, the same for guests).
    ///
    /// # Errors
    /// A service with a NUL; more than 65,535 bytes in all.
    pub fn new(
        optional_support: u16,
        rights: Option<(u32, u32)>,
        service: &[u8],
        native_file_system: SmbStr<'_>,
    ) -> Result<Self, ValueError> {
        let service = SmbStr::oem(service)?;
        let support = optional_support;
        let (words, form) = match rights {
            None => (3, Form::Nt { support }),
            Some((rights, guest_rights)) => (7, Form::Extended { support, rights, guest_rights }),
        };
        let mut builder = Builder::new(words, native_file_system.is_unicode());
        builder.put(service.as_bytes());
        builder.put(&[0]);
        builder.string("native_file_system", native_file_system)?;
        Ok(Self { andx: AndX::NONE, form, area: builder.finish()? })
    }

    /// The command that follows.
    pub const fn andx(&self) -> AndX {
        self.andx
    }

    /// OptionalSupport; the shortest form has none.
    pub const fn optional_support(&self) -> Option<u16> {
        match self.form {
            Form::Short => None,
            Form::Nt { support } | Form::Extended { support, .. } => Some(support),
        }
    }

    /// MaximalShareAccessRights and GuestMaximalShareAccessRights, in the form of seven words.
    pub const fn access_rights(&self) -> Option<(u32, u32)> {
        match self.form {
            Form::Extended { rights, guest_rights, .. } => Some((rights, guest_rights)),
            Form::Short | Form::Nt { .. } => None,
        }
    }

    /// The service, in OEM bytes: `IPC`.
    pub fn service(&self) -> &[u8] {
        until_nul(self.area.own())
    }

    /// NativeFileSystem: empty for IPC$.
    pub fn native_file_system(&self) -> SmbStr<'_> {
        self.area.strings(self.service().len() + 1).next()
    }

    pub(super) const fn word_count(&self) -> u8 {
        match self.form {
            Form::Short => 2,
            Form::Nt { .. } => 3,
            Form::Extended { .. } => 7,
        }
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        let word_count = block.word_count;
        if !matches!(word_count, 2 | 3 | 7) {
            return Err(block.bad_word_count("0, 2, 3 or 7"));
        }
        let (andx, form) = block.fields(|input| {
            let (input, andx) = AndX::read(input)?;
            if word_count == 2 {
                return Ok((input, (andx, Form::Short)));
            }
            let (input, support) = read::u16_le("optional_support", input)?;
            if word_count == 3 {
                return Ok((input, (andx, Form::Nt { support })));
            }
            let (input, rights) = read::u32_le("maximal_share_access_rights", input)?;
            let (input, guest_rights) = read::u32_le("guest_maximal_share_access_rights", input)?;
            Ok((input, (andx, Form::Extended { support, rights, guest_rights })))
        })?;
        Ok(Self { andx, form, area: block.area })
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        self.andx.write(out);
        match self.form {
            Form::Short => {}
            Form::Nt { support } => out.put_u16_le(support),
            Form::Extended { support, rights, guest_rights } => {
                out.put_u16_le(support);
                out.put_u32_le(rights);
                out.put_u32_le(guest_rights);
            }
        }
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.get(..memchr::memchr(0, bytes).unwrap_or(bytes.len())).unwrap_or_default()
}
