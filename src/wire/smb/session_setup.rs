//! `SMB_COM_SESSION_SETUP_ANDX` (MS-CIFS 2.2.4.53, MS-SMB 2.2.4.6) and `SMB_COM_LOGOFF_ANDX` (MS-CIFS 2.2.4.54).
//! Little-endian.
//!
//! ```text
//! request     andx (4) max_buffer_size (2) max_mpx_count (2) vc_number (2) session_key (4)
//!   10 words  … password_length (2) reserved (4)                                     bytes: password, strings
//!   12        … security_blob_length (2) reserved (4) capabilities (4)               bytes: blob, strings
//!   13        … oem_password_length (2) unicode_password_length (2) reserved (4) capabilities (4)
//!                                                                                    bytes: passwords, strings
//! response    andx (4) action (2)
//!   3 words                                                                          bytes: strings
//!   4         … security_blob_length (2)                                             bytes: blob, strings
//! strings     request: account, domain (not with a blob), native OS, native LAN Manager
//!             response: native OS, native LAN Manager, primary domain
//! ```

use bitflags::bitflags;
use bytes::BufMut;

use super::block::{Area, Block, Builder, word};
use super::command::AndX;
use super::negotiate::{Capabilities, within};
use super::text::SmbStr;
use crate::wire::error::{DecodeError, ValueError};
use crate::wire::read;

/// The words that all forms of the request have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(clippy::exhaustive_structs, reason = "the wire form is closed")]
pub struct SessionSetupWords {
    /// MaxBufferSize: the largest message the client takes, in bytes.
    pub max_buffer_size: u16,
    /// MaxMpxCount: requests in flight.
    pub max_mpx_count: u16,
    /// VcNumber: 0 asks the server to close the client's other connections.
    pub vc_number: u16,
    /// SessionKey of the negotiation.
    pub session_key: u32,
}

/// 4356 bytes (Windows), 50 requests, connection 1.
impl Default for SessionSetupWords {
    fn default() -> Self {
        Self { max_buffer_size: 4356, max_mpx_count: 50, vc_number: 1, session_key: 0 }
    }
}

/// The words in which the forms differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// 10 words.
    Lanman { password_length: u16, reserved: u32 },
    /// 12 words.
    Extended { blob_length: u16, reserved: u32, capabilities: Capabilities },
    /// 13 words.
    Plain { oem_length: u16, unicode_length: u16, reserved: u32, capabilities: Capabilities },
}

/// A session setup, in one of its three forms; passwords and blobs are kept as they are and not looked into.
///
/// Accepted: strings that are missing, and a last one without NUL. Refused: passwords or a blob longer than
/// the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionSetupRequest<'a> {
    pub(super) andx: AndX,
    words: SessionSetupWords,
    form: Form,
    pub(super) area: Area<'a>,
}

impl<'a> SessionSetupRequest<'a> {
    /// An anonymous session without extended security: no account, no domain, one NUL as the OEM password.
    ///
    /// # Errors
    /// The two names are not both OEM or both UTF-16; more than 65,535 bytes in all.
    pub fn anonymous(
        words: SessionSetupWords,
        capabilities: Capabilities,
        native_os: SmbStr<'_>,
        native_lan_man: SmbStr<'_>,
    ) -> Result<Self, ValueError> {
        let capabilities = capabilities.difference(Capabilities::EXTENDED_SECURITY);
        let form = Form::Plain { oem_length: 1, unicode_length: 0, reserved: 0, capabilities };
        let mut builder = Builder::new(13, native_os.is_unicode());
        builder.put(&[0]);
        let empty = SmbStr::empty(native_os.is_unicode());
        builder.string("account_name", empty)?;
        builder.string("primary_domain", empty)?;
        builder.string("native_os", native_os)?;
        builder.string("native_lan_man", native_lan_man)?;
        Ok(Self { andx: AndX::NONE, words, form, area: builder.finish()? })
    }

    /// One step of a session setup with extended security.
    ///
    /// # Errors
    /// The two names are not both OEM or both UTF-16; more than 65,535 bytes in all.
    pub fn extended(
        words: SessionSetupWords,
        capabilities: Capabilities,
        blob: &[u8],
        native_os: SmbStr<'_>,
        native_lan_man: SmbStr<'_>,
    ) -> Result<Self, ValueError> {
        let blob_length = word("security_blob_length", blob.len())?;
        let capabilities = capabilities.union(Capabilities::EXTENDED_SECURITY);
        let mut builder = Builder::new(12, native_os.is_unicode());
        builder.put(blob);
        builder.string("native_os", native_os)?;
        builder.string("native_lan_man", native_lan_man)?;
        let form = Form::Extended { blob_length, reserved: 0, capabilities };
        Ok(Self { andx: AndX::NONE, words, form, area: builder.finish()? })
    }

    /// The command that follows.
    pub const fn andx(&self) -> AndX {
        self.andx
    }

    /// The words that all forms have.
    pub const fn words(&self) -> &SessionSetupWords {
        &self.words
    }

    /// Capabilities; the oldest form has none.
    pub const fn capabilities(&self) -> Option<Capabilities> {
        match self.form {
            Form::Lanman { .. } => None,
            Form::Extended { capabilities, .. } | Form::Plain { capabilities, .. } => Some(capabilities),
        }
    }

    /// The security blob, with extended security.
    pub fn security_blob(&self) -> Option<&[u8]> {
        match self.form {
            Form::Extended { blob_length, .. } => Some(self.area.head(blob_length)),
            Form::Lanman { .. } | Form::Plain { .. } => None,
        }
    }

    /// The OEM password, or the answer to the challenge in its place; `None` with extended security.
    pub fn oem_password(&self) -> Option<&[u8]> {
        match self.form {
            Form::Extended { .. } => None,
            Form::Lanman { password_length: length, .. } | Form::Plain { oem_length: length, .. } => {
                Some(self.area.head(length))
            }
        }
    }

    /// The Unicode password, or the answer to the challenge in its place; in the form of 13 words only.
    pub fn unicode_password(&self) -> Option<&[u8]> {
        match self.form {
            Form::Plain { oem_length, .. } => self.area.own().get(oem_length.into()..self.secrets()),
            Form::Lanman { .. } | Form::Extended { .. } => None,
        }
    }

    /// AccountName; `None` with extended security.
    pub fn account_name(&self) -> Option<SmbStr<'_>> {
        self.names().map(|[account, _]| account)
    }

    /// PrimaryDomain; `None` with extended security.
    pub fn primary_domain(&self) -> Option<SmbStr<'_>> {
        self.names().map(|[_, domain]| domain)
    }

    /// NativeOS.
    pub fn native_os(&self) -> SmbStr<'_> {
        let [os, _] = self.system();
        os
    }

    /// NativeLanMan.
    pub fn native_lan_man(&self) -> SmbStr<'_> {
        let [_, lan_man] = self.system();
        lan_man
    }

    fn names(&self) -> Option<[SmbStr<'_>; 2]> {
        let mut strings = self.area.strings(self.secrets());
        (!matches!(self.form, Form::Extended { .. })).then(|| [strings.next(), strings.next()])
    }

    fn system(&self) -> [SmbStr<'_>; 2] {
        let mut strings = self.area.strings(self.secrets());
        if !matches!(self.form, Form::Extended { .. }) {
            strings.next();
            strings.next();
        }
        [strings.next(), strings.next()]
    }

    /// Bytes in front of the strings.
    fn secrets(&self) -> usize {
        match self.form {
            Form::Lanman { password_length: length, .. } | Form::Extended { blob_length: length, .. } => {
                length.into()
            }
            Form::Plain { oem_length, unicode_length, .. } => {
                usize::from(oem_length) + usize::from(unicode_length)
            }
        }
    }

    pub(super) const fn word_count(&self) -> u8 {
        match self.form {
            Form::Lanman { .. } => 10,
            Form::Extended { .. } => 12,
            Form::Plain { .. } => 13,
        }
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        let word_count = block.word_count;
        if !matches!(word_count, 10 | 12 | 13) {
            return Err(block.bad_word_count("10, 12 or 13"));
        }
        let (andx, words, form) = block.fields(|input| {
            let (input, andx) = AndX::read(input)?;
            let (input, max_buffer_size) = read::u16_le("max_buffer_size", input)?;
            let (input, max_mpx_count) = read::u16_le("max_mpx_count", input)?;
            let (input, vc_number) = read::u16_le("vc_number", input)?;
            let (input, session_key) = read::u32_le("session_key", input)?;
            let words = SessionSetupWords { max_buffer_size, max_mpx_count, vc_number, session_key };
            let (input, length) = read::u16_le("password_length", input)?;
            let (input, unicode_length) = match word_count {
                13 => read::u16_le("unicode_password_length", input)?,
                _ => (input, 0),
            };
            let (input, reserved) = read::u32_le("reserved", input)?;
            if word_count == 10 {
                return Ok((input, (andx, words, Form::Lanman { password_length: length, reserved })));
            }
            let (input, capabilities) = read::u32_le("capabilities", input)?;
            let capabilities = Capabilities::from_bits_retain(capabilities);
            let form = match word_count {
                12 => Form::Extended { blob_length: length, reserved, capabilities },
                _ => Form::Plain { oem_length: length, unicode_length, reserved, capabilities },
            };
            Ok((input, (andx, words, form)))
        })?;
        let field = match form {
            Form::Lanman { .. } => "password_length",
            Form::Extended { .. } => "security_blob_length",
            Form::Plain { .. } => "oem_password_length",
        };
        let at = block.words_at + 14;
        let request = Self { andx, words, form, area: block.area };
        within(field, at, request.secrets(), request.area.own().len())?;
        Ok(request)
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        self.andx.write(out);
        out.put_u16_le(self.words.max_buffer_size);
        out.put_u16_le(self.words.max_mpx_count);
        out.put_u16_le(self.words.vc_number);
        out.put_u32_le(self.words.session_key);
        match self.form {
            Form::Lanman { password_length, reserved } => {
                out.put_u16_le(password_length);
                out.put_u32_le(reserved);
            }
            Form::Extended { blob_length, reserved, capabilities } => {
                out.put_u16_le(blob_length);
                out.put_u32_le(reserved);
                out.put_u32_le(capabilities.bits());
            }
            Form::Plain { oem_length, unicode_length, reserved, capabilities } => {
                out.put_u16_le(oem_length);
                out.put_u16_le(unicode_length);
                out.put_u32_le(reserved);
                out.put_u32_le(capabilities.bits());
            }
        }
    }
}

bitflags! {
    /// Action: how the session was set up. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct SessionAction: u16 {
        /// SMB_SETUP_GUEST: as a guest.
        const GUEST = 0x0001;
        /// SMB_SETUP_USE_LANMAN_KEY.
        const USE_LANMAN_KEY = 0x0002;
        const _ = !0;
    }
}

/// The answer to a session setup.
///
/// Accepted: strings that are missing, and a last one without NUL. Refused: a blob longer than the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionSetupResponse<'a> {
    pub(super) andx: AndX,
    action: SessionAction,
    /// With extended security.
    blob_length: Option<u16>,
    pub(super) area: Area<'a>,
}

impl<'a> SessionSetupResponse<'a> {
    /// An answer: with `blob` to a setup with extended security, otherwise without.
    ///
    /// # Errors
    /// The names are not all OEM or all UTF-16; more than 65,535 bytes in all.
    pub fn new(
        action: SessionAction,
        blob: Option<&[u8]>,
        native_os: SmbStr<'_>,
        native_lan_man: SmbStr<'_>,
        primary_domain: SmbStr<'_>,
    ) -> Result<Self, ValueError> {
        let blob_length = blob.map(|blob| word("security_blob_length", blob.len())).transpose()?;
        let mut builder = Builder::new(if blob.is_some() { 4 } else { 3 }, native_os.is_unicode());
        builder.put(blob.unwrap_or_default());
        builder.string("native_os", native_os)?;
        builder.string("native_lan_man", native_lan_man)?;
        builder.string("primary_domain", primary_domain)?;
        Ok(Self { andx: AndX::NONE, action, blob_length, area: builder.finish()? })
    }

    /// The command that follows.
    pub const fn andx(&self) -> AndX {
        self.andx
    }

    /// Action.
    pub const fn action(&self) -> SessionAction {
        self.action
    }

    /// The security blob, with extended security.
    pub fn security_blob(&self) -> Option<&[u8]> {
        self.blob_length.map(|length| self.area.head(length))
    }

    /// NativeOS.
    pub fn native_os(&self) -> SmbStr<'_> {
        let [os, ..] = self.names();
        os
    }

    /// NativeLanMan.
    pub fn native_lan_man(&self) -> SmbStr<'_> {
        let [_, lan_man, _] = self.names();
        lan_man
    }

    /// PrimaryDomain. MS-SMB has none with extended security; Samba sends it.
    pub fn primary_domain(&self) -> SmbStr<'_> {
        let [.., domain] = self.names();
        domain
    }

    fn names(&self) -> [SmbStr<'_>; 3] {
        let mut strings = self.area.strings(self.blob_length.unwrap_or(0).into());
        [strings.next(), strings.next(), strings.next()]
    }

    pub(super) const fn word_count(&self) -> u8 {
        if self.blob_length.is_some() { 4 } else { 3 }
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        let word_count = block.word_count;
        if !matches!(word_count, 3 | 4) {
            return Err(block.bad_word_count("0, 3 or 4"));
        }
        let (andx, action, blob_length) = block.fields(|input| {
            let (input, andx) = AndX::read(input)?;
            let (input, action) = read::u16_le("action", input)?;
            let (input, blob_length) = match word_count {
                4 => {
                    let (input, length) = read::u16_le("security_blob_length", input)?;
                    (input, Some(length))
                }
                _ => (input, None),
            };
            Ok((input, (andx, SessionAction::from_bits_retain(action), blob_length)))
        })?;
        let (needed, have) = (blob_length.unwrap_or(0).into(), block.area.own().len());
        within("security_blob_length", block.words_at + 6, needed, have)?;
        Ok(Self { andx, action, blob_length, area: block.area })
    }

    pub(super) fn write_words(&self, out: &mut impl BufMut) {
        self.andx.write(out);
        out.put_u16_le(self.action.bits());
        if let Some(length) = self.blob_length {
            out.put_u16_le(length);
        }
    }
}

/// The end of a session, request or answer: nothing but the command that follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Logoff<'a> {
    pub(super) andx: AndX,
    pub(super) area: Area<'a>,
}

impl<'a> Logoff<'a> {
    /// A logoff with no command behind it.
    pub const fn new() -> Self {
        Self { andx: AndX::NONE, area: Area::empty(2) }
    }

    /// The command that follows.
    pub const fn andx(&self) -> AndX {
        self.andx
    }

    /// The bytes: none.
    pub fn bytes(&self) -> &[u8] {
        self.area.own()
    }

    pub(super) fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let block = block.counted()?;
        if block.word_count != 2 {
            return Err(block.bad_word_count("2"));
        }
        let andx = block.fields(AndX::read)?;
        Ok(Self { andx, area: block.area })
    }
}

impl Default for Logoff<'_> {
    fn default() -> Self {
        Self::new()
    }
}
