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

use core::fmt;

use bytes::BufMut;

use crate::wire::browser::{ServerType, Version};
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::oem::{FixedName, OemZ};
use crate::wire::read;

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
const PARAM_ENUM2: &[u8] = b"WrLehDz";
const PARAM_ENUM2_NULL: &[u8] = b"WrLehDO";
const PARAM_ENUM3: &[u8] = b"WrLehDzz";
const PARAM_SHARE: &[u8] = b"WrLeh";

/// Descriptor of the entries at `level`.
fn descriptor(descriptors: &[&'static [u8]], level: u16) -> Result<&'static [u8], ValueError> {
    descriptors.get(usize::from(level)).copied().ok_or_else(|| {
        let reason = ValueErrorReason::BadForm("a level of the function");
        ValueError::new(Layer::Rap, "level", reason)
    })
}

/// NetServerEnum2 or NetServerEnum3: asks for the browse list.
///
/// Accepted and kept: any level and data descriptor, whether they agree or not; a last string without NUL; bytes
/// behind it. Refused: a cut word; in NetServerEnum3, a domain without NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerEnum<'a> {
    data_desc: &'a [u8],
    level: u16,
    receive_buffer_size: u16,
    server_type: ServerType,
    filter: Filter<'a>,
}

/// What follows the server type; it decides the function and the parameter descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Filter<'a> {
    /// `O`: nothing but what does not belong there.
    Null(&'a [u8]),
    /// `z`.
    Domain(OemZ<'a>),
    /// `zz`.
    Page { domain: &'a [u8], first: OemZ<'a> },
}

impl<'a> ServerEnum<'a> {
    /// NetServerEnum2 at level 0 or 1, of `domain`, or the server's own without one.
    ///
    /// # Errors
    /// Another level; a domain of more than 16 bytes, or with a NUL.
    pub fn new(
        level: u16,
        receive_buffer_size: u16,
        server_type: ServerType,
        domain: Option<&'a [u8]>,
    ) -> Result<Self, ValueError> {
        let data_desc = descriptor(&SERVER_DESC, level)?;
        let filter = match domain {
            None => Filter::Null(&[]),
            Some(domain) => Filter::Domain(OemZ::new(Layer::Rap, "domain", domain, 16)?),
        };
        Ok(Self { data_desc, level, receive_buffer_size, server_type, filter })
    }

    /// NetServerEnum3 at level 0 or 1: the entries of `domain` from `first_name` on.
    ///
    /// # Errors
    /// Another level; a domain or name of more than 16 bytes, or with a NUL.
    pub fn page(
        level: u16,
        receive_buffer_size: u16,
        server_type: ServerType,
        domain: &'a [u8],
        first_name: &'a [u8],
    ) -> Result<Self, ValueError> {
        let data_desc = descriptor(&SERVER_DESC, level)?;
        let domain = OemZ::new(Layer::Rap, "domain", domain, 16)?.text();
        let first = OemZ::new(Layer::Rap, "first_name_to_return", first_name, 16)?;
        let filter = Filter::Page { domain, first };
        Ok(Self { data_desc, level, receive_buffer_size, server_type, filter })
    }

    /// The function.
    pub const fn function(&self) -> Function {
        match self.filter {
            Filter::Null(_) | Filter::Domain(_) => Function::NET_SERVER_ENUM2,
            Filter::Page { .. } => Function::NET_SERVER_ENUM3,
        }
    }

    /// ParamDesc.
    pub const fn param_desc(&self) -> &'static [u8] {
        match self.filter {
            Filter::Null(_) => PARAM_ENUM2_NULL,
            Filter::Domain(_) => PARAM_ENUM2,
            Filter::Page { .. } => PARAM_ENUM3,
        }
    }

    /// DataDesc.
    pub const fn data_desc(&self) -> &'a [u8] {
        self.data_desc
    }

    /// Whether the data descriptor is that of the level.
    pub fn descriptors_agree(&self) -> bool {
        SERVER_DESC.get(usize::from(self.level)) == Some(&self.data_desc)
    }

    /// InfoLevel.
    pub const fn level(&self) -> u16 {
        self.level
    }

    /// ReceiveBufferSize: the most bytes of data that the client takes.
    pub const fn receive_buffer_size(&self) -> u16 {
        self.receive_buffer_size
    }

    /// ServerType: which servers are asked for.
    pub const fn server_type(&self) -> ServerType {
        self.server_type
    }

    /// Domain; `None` where the request has a null pointer.
    pub const fn domain(&self) -> Option<&'a [u8]> {
        match self.filter {
            Filter::Null(_) => None,
            Filter::Domain(domain) => Some(domain.text()),
            Filter::Page { domain, .. } => Some(domain),
        }
    }

    /// FirstNameToReturn, of NetServerEnum3.
    pub const fn first_name(&self) -> Option<&'a [u8]> {
        match self.filter {
            Filter::Null(_) | Filter::Domain(_) => None,
            Filter::Page { first, .. } => Some(first.text()),
        }
    }
}

/// NetShareEnum: asks for the shares.
///
/// Accepted and kept: any level and data descriptor, whether they agree or not; bytes behind the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareEnum<'a> {
    data_desc: &'a [u8],
    level: u16,
    receive_buffer_size: u16,
    trailing: &'a [u8],
}

impl<'a> ShareEnum<'a> {
    /// NetShareEnum at level 0, 1 or 2.
    ///
    /// # Errors
    /// Another level.
    pub fn new(level: u16, receive_buffer_size: u16) -> Result<Self, ValueError> {
        Ok(Self { data_desc: descriptor(&SHARE_DESC, level)?, level, receive_buffer_size, trailing: &[] })
    }

    /// DataDesc.
    pub const fn data_desc(&self) -> &'a [u8] {
        self.data_desc
    }

    /// Whether the data descriptor is that of the level.
    pub fn descriptors_agree(&self) -> bool {
        SHARE_DESC.get(usize::from(self.level)) == Some(&self.data_desc)
    }

    /// InfoLevel.
    pub const fn level(&self) -> u16 {
        self.level
    }

    /// ReceiveBufferSize: the most bytes of data that the client takes.
    pub const fn receive_buffer_size(&self) -> u16 {
        self.receive_buffer_size
    }
}

/// A request for a function, or with a parameter descriptor, that is not known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unknown<'a> {
    function: Function,
    bytes: &'a [u8],
}

impl<'a> Unknown<'a> {
    /// The function.
    pub const fn function(&self) -> Function {
        self.function
    }

    /// What follows the opcode.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// ParamDesc and DataDesc, if they are there.
    pub fn descriptors(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (rest, param_desc) = until_nul("param_desc", self.bytes).ok()?;
        let (_, data_desc) = until_nul("data_desc", rest).ok()?;
        Some((param_desc, data_desc))
    }
}

impl fmt::Debug for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown({} \"{}\")", self.function, self.bytes.escape_ascii())
    }
}

/// A request: the parameter block of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request<'a> {
    /// NetServerEnum2, NetServerEnum3.
    ServerEnum(ServerEnum<'a>),
    /// NetShareEnum.
    ShareEnum(ShareEnum<'a>),
    /// Any other function, and these with a parameter descriptor that is not theirs.
    Unknown(Unknown<'a>),
}

impl Request<'_> {
    /// The function.
    pub const fn function(&self) -> Function {
        match self {
            Self::ServerEnum(request) => request.function(),
            Self::ShareEnum(_) => Function::NET_SHARE_ENUM,
            Self::Unknown(request) => request.function,
        }
    }
}

/// A string and its NUL.
fn until_nul<'a>(field: &'static str, input: &'a [u8]) -> read::Parsed<'a, &'a [u8]> {
    let end = memchr::memchr(0, input);
    match end.and_then(|end| Some((input.get(end + 1..)?, input.get(..end)?))) {
        Some(parsed) => Ok(parsed),
        None => read::fail(input, field, DecodeErrorKind::Unterminated),
    }
}

impl<'a> Decode<'a> for Request<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, opcode) = read::u16_le("opcode", input)?;
            let function = Function(opcode);
            let unknown = Ok((&[][..], Self::Unknown(Unknown { function, bytes: input })));
            if function.name().is_none() {
                return unknown;
            }
            let (input, param_desc) = until_nul("param_desc", input)?;
            if !matches!(
                (function, param_desc),
                (Function::NET_SERVER_ENUM2, PARAM_ENUM2 | PARAM_ENUM2_NULL)
                    | (Function::NET_SERVER_ENUM3, PARAM_ENUM3)
                    | (Function::NET_SHARE_ENUM, PARAM_SHARE)
            ) {
                return unknown;
            }
            let (input, data_desc) = until_nul("data_desc", input)?;
            let (input, level) = read::u16_le("level", input)?;
            let (input, receive_buffer_size) = read::u16_le("receive_buffer_size", input)?;
            if function == Function::NET_SHARE_ENUM {
                let request = ShareEnum { data_desc, level, receive_buffer_size, trailing: input };
                return Ok((&[], Self::ShareEnum(request)));
            }
            let (input, server_type) = read::u32_le("server_type", input)?;
            let server_type = ServerType::from_bits_retain(server_type);
            let filter = match param_desc {
                PARAM_ENUM2_NULL => Filter::Null(input),
                PARAM_ENUM2 => Filter::Domain(OemZ::split(input)),
                _ => {
                    let (input, domain) = until_nul("domain", input)?;
                    Filter::Page { domain, first: OemZ::split(input) }
                }
            };
            let request = ServerEnum { data_desc, level, receive_buffer_size, server_type, filter };
            Ok((&[], Self::ServerEnum(request)))
        };
        read::finish(fields(bytes), bytes, Layer::Rap).map(|(_, request)| request)
    }
}

impl Encode for Request<'_> {
    fn encoded_len(&self) -> usize {
        2 + match self {
            Self::ServerEnum(request) => {
                let filter = match request.filter {
                    Filter::Null(trailing) => trailing.len(),
                    Filter::Domain(domain) => domain.encoded_len(),
                    Filter::Page { domain, first } => domain.len() + 1 + first.encoded_len(),
                };
                request.param_desc().len() + 1 + request.data_desc.len() + 1 + 8 + filter
            }
            Self::ShareEnum(request) => {
                PARAM_SHARE.len() + 1 + request.data_desc.len() + 1 + 4 + request.trailing.len()
            }
            Self::Unknown(request) => request.bytes.len(),
        }
    }

    fn encode(&self, out: &mut impl BufMut) {
        let put_z = |out: &mut _, text: &[u8]| {
            BufMut::put_slice(out, text);
            BufMut::put_u8(out, 0);
        };
        out.put_u16_le(self.function().0);
        match self {
            Self::ServerEnum(request) => {
                put_z(out, request.param_desc());
                put_z(out, request.data_desc);
                out.put_u16_le(request.level);
                out.put_u16_le(request.receive_buffer_size);
                out.put_u32_le(request.server_type.bits());
                match request.filter {
                    Filter::Null(trailing) => out.put_slice(trailing),
                    Filter::Domain(domain) => domain.encode(out),
                    Filter::Page { domain, first } => {
                        put_z(out, domain);
                        first.encode(out);
                    }
                }
            }
            Self::ShareEnum(request) => {
                put_z(out, PARAM_SHARE);
                put_z(out, request.data_desc);
                out.put_u16_le(request.level);
                out.put_u16_le(request.receive_buffer_size);
                out.put_slice(request.trailing);
            }
            Self::Unknown(request) => out.put_slice(request.bytes),
        }
    }
}

/// The parameter block of an answer.
///
/// Accepted and kept: no counts (the answer to a function that the server does not have); bytes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponseParameters<'a> {
    status: Status,
    converter: u16,
    /// EntryCount, TotalEntriesAvailable.
    counts: Option<(u16, u16)>,
    trailing: &'a [u8],
}

impl ResponseParameters<'_> {
    /// Parameters of an answer with `entries` of `available` entries.
    pub const fn new(status: Status, converter: u16, entries: u16, available: u16) -> Self {
        Self { status, converter, counts: Some((entries, available)), trailing: &[] }
    }

    /// Parameters of an answer that has nothing but a status.
    pub const fn error(status: Status) -> Self {
        Self::new(status, 0, 0, 0)
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Converter: what pointers are too large by.
    pub const fn converter(&self) -> u16 {
        self.converter
    }

    /// EntryCount: entries in the data, as the server says; 0 where it does not.
    pub const fn entries(&self) -> u16 {
        match self.counts {
            Some((entries, _)) => entries,
            None => 0,
        }
    }

    /// TotalEntriesAvailable; 0 where the server does not say.
    pub const fn available(&self) -> u16 {
        match self.counts {
            Some((_, available)) => available,
            None => 0,
        }
    }
}

impl<'a> Decode<'a> for ResponseParameters<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let fields = |input| {
            let (input, status) = read::u16_le("status", input)?;
            let (input, converter) = read::u16_le("converter", input)?;
            let (trailing, counts) = match input {
                [] => (input, None),
                _ => {
                    let (input, entries) = read::u16_le("entry_count", input)?;
                    let (input, available) = read::u16_le("available", input)?;
                    (input, Some((entries, available)))
                }
            };
            Ok((&[][..], Self { status: Status(status), converter, counts, trailing }))
        };
        read::finish(fields(bytes), bytes, Layer::Rap).map(|(_, parameters)| parameters)
    }
}

impl Encode for ResponseParameters<'_> {
    fn encoded_len(&self) -> usize {
        if self.counts.is_some() { 8 + self.trailing.len() } else { 4 }
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u16_le(self.status.0);
        out.put_u16_le(self.converter);
        if let Some((entries, available)) = self.counts {
            out.put_u16_le(entries);
            out.put_u16_le(available);
            out.put_slice(self.trailing);
        }
    }
}

/// One server of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerEntry<'a> {
    /// The name: 15 bytes and NUL.
    pub name: FixedName,
    /// What level 1 says of it.
    pub details: Option<ServerDetails<'a>>,
}

impl<'a> ServerEntry<'a> {
    /// An entry of level 0.
    pub const fn new(name: FixedName) -> Self {
        Self { name, details: None }
    }

    /// The same entry with what level 1 says.
    #[must_use]
    pub const fn with_details(
        mut self,
        version: Version,
        server_type: ServerType,
        comment: &'a [u8],
    ) -> Self {
        self.details = Some(ServerDetails { version, server_type, comment });
        self
    }
}

/// What level 1 says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerDetails<'a> {
    /// The operating system's version.
    pub version: Version,
    /// Roles and services.
    pub server_type: ServerType,
    /// The comment; of a domain, its master's name.
    pub comment: &'a [u8],
}

/// The type of a share (MS-RAP 2.5.6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ShareType(pub u16);

impl ShareType {
    /// A directory.
    pub const DISK: Self = Self(0);
    /// A printer queue.
    pub const PRINT_QUEUE: Self = Self(1);
    /// A communication device.
    pub const DEVICE: Self = Self(2);
    /// IPC$.
    pub const IPC: Self = Self(3);
}

/// One share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShareEntry<'a> {
    /// The name's field: the name, NUL, and whatever follows it.
    pub name: [u8; 13],
    /// What level 1 says of it.
    pub details: Option<ShareDetails<'a>>,
}

impl<'a> ShareEntry<'a> {
    /// An entry of level 0.
    ///
    /// # Errors
    /// A name of more than 12 bytes, or with a NUL.
    pub fn new(name: &[u8]) -> Result<Self, ValueError> {
        OemZ::new(Layer::Rap, "name", name, 12)?;
        let mut field = [0; 13];
        for (place, &byte) in field.iter_mut().zip(name) {
            *place = byte;
        }
        Ok(Self { name: field, details: None })
    }

    /// The same entry with what level 1 says.
    #[must_use]
    pub const fn with_details(mut self, share_type: ShareType, remark: &'a [u8]) -> Self {
        self.details = Some(ShareDetails { pad: 0, share_type, remark });
        self
    }

    /// The name, up to the first NUL.
    pub fn text(&self) -> &[u8] {
        let end = memchr::memchr(0, &self.name).unwrap_or(self.name.len());
        self.name.get(..end).unwrap_or_default()
    }
}

/// What level 1 says of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShareDetails<'a> {
    /// The byte between name and type: 0.
    pub pad: u8,
    /// The type.
    pub share_type: ShareType,
    /// The remark.
    pub remark: &'a [u8],
}

/// The data block of an answer: entries of one size, and the strings they point at.
///
/// Accepted: a count beyond what the data hold (it stops at the last whole entry); strings without NUL (they
/// reach to the data's end); anything in the high half of a pointer; bytes that nothing points at. A pointer out
/// of the data is an error of its entry alone.
#[derive(Debug, Clone, Copy)]
struct Entries<'a> {
    data: &'a [u8],
    converter: u16,
    size: usize,
    count: usize,
}

impl<'a> Entries<'a> {
    fn new(
        sizes: &[usize],
        level: u16,
        parameters: &ResponseParameters<'_>,
        data: &'a [u8],
    ) -> Result<Self, DecodeError> {
        let Some(&size) = sizes.get(usize::from(level)) else {
            let kind = DecodeErrorKind::BadValue { value: level.into(), expected: "0 or 1" };
            return Err(DecodeError::new(Layer::Rap, "level", 0, kind));
        };
        let count = usize::from(parameters.entries()).min(data.len() / size);
        Ok(Self { data, converter: parameters.converter(), size, count })
    }

    /// The entries' bytes and places.
    fn iter(self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let places = (0_usize..).step_by(self.size);
        places.zip(self.data.chunks_exact(self.size)).take(self.count)
    }

    /// The string that `pointer`, which stands at `at`, points at.
    fn string(self, field: &'static str, at: usize, pointer: u32) -> Result<&'a [u8], DecodeError> {
        let [low, high, ..] = pointer.to_le_bytes();
        let offset = usize::from(u16::from_le_bytes([low, high]).wrapping_sub(self.converter));
        match self.data.get(offset..) {
            Some(text @ [_, ..]) => Ok(OemZ::split(text).text()),
            _ => {
                let kind = DecodeErrorKind::OutOfBounds { needed: offset, have: self.data.len() };
                Err(DecodeError::new(Layer::Rap, field, at, kind))
            }
        }
    }
}

const SERVER_SIZES: [usize; 2] = [16, 26];
const SHARE_SIZES: [usize; 2] = [13, 20];

/// The servers in an answer's data block, at level 0 or 1. A count beyond the data stops at the last whole entry.
///
/// Offsets in errors count from the beginning of the data block. A pointer out of the data is an error of its
/// entry alone.
///
/// # Errors
/// Another level.
pub fn servers<'a>(
    level: u16,
    parameters: &ResponseParameters<'_>,
    data: &'a [u8],
) -> Result<impl Iterator<Item = Result<ServerEntry<'a>, DecodeError>>, DecodeError> {
    let entries = Entries::new(&SERVER_SIZES, level, parameters, data)?;
    Ok(entries.iter().map(move |(at, bytes)| {
        let fields = |input| {
            let (input, name) = read::array("name", input)?;
            let entry = ServerEntry::new(FixedName::from_bytes(name));
            if level == 0 {
                return Ok((input, (entry, None)));
            }
            let (input, [major, minor]) = read::array("version", input)?;
            let (input, server_type) = read::u32_le("server_type", input)?;
            let (input, pointer) = read::u32_le("comment", input)?;
            let details = (Version::new(major, minor), ServerType::from_bits_retain(server_type), pointer);
            Ok((input, (entry, Some(details))))
        };
        let (_, (entry, details)) =
            read::finish(fields(bytes), bytes, Layer::Rap).map_err(|error| error.at(at))?;
        let Some((version, server_type, pointer)) = details else { return Ok(entry) };
        let comment = entries.string("comment", at + 22, pointer)?;
        Ok(entry.with_details(version, server_type, comment))
    }))
}

/// The shares in an answer's data block, at level 0 or 1; as [`servers`].
///
/// # Errors
/// Another level. The entries of level 2 are not read.
pub fn shares<'a>(
    level: u16,
    parameters: &ResponseParameters<'_>,
    data: &'a [u8],
) -> Result<impl Iterator<Item = Result<ShareEntry<'a>, DecodeError>>, DecodeError> {
    let entries = Entries::new(&SHARE_SIZES, level, parameters, data)?;
    Ok(entries.iter().map(move |(at, bytes)| {
        let fields = |input| {
            let (input, name) = read::array("name", input)?;
            if level == 0 {
                return Ok((input, (name, None)));
            }
            let (input, pad) = read::u8("pad", input)?;
            let (input, share_type) = read::u16_le("type", input)?;
            let (input, pointer) = read::u32_le("remark", input)?;
            Ok((input, (name, Some((pad, ShareType(share_type), pointer)))))
        };
        let (_, (name, details)) =
            read::finish(fields(bytes), bytes, Layer::Rap).map_err(|error| error.at(at))?;
        let Some((pad, share_type, pointer)) = details else { return Ok(ShareEntry { name, details: None }) };
        let remark = entries.string("remark", at + 16, pointer)?;
        Ok(ShareEntry { name, details: Some(ShareDetails { pad, share_type, remark }) })
    }))
}

/// Where the strings of an answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StringLayout {
    /// Windows: filled from the end of the receive buffer, the first entry's string last; pointers count in that
    /// buffer, and the converter is what is left of it.
    Backward,
    /// Samba: in the order of the entries, with this converter (Samba: 0).
    Forward(u16),
}

/// An answer: both blocks of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The parameter block; its entries are those that were written.
    pub parameters: ResponseParameters<'static>,
    /// The data block.
    pub data: Vec<u8>,
}

/// Answers NetServerEnum2 or 3: as many of `entries` as fit `receive_buffer_size` bytes. Entries without details
/// have version 0.0, no type and no comment at level 1.
///
/// The status is ERROR_MORE_DATA when not all fit, NERR_BufTooSmall when none does; `available` counts them all
/// (65,535 at most).
///
/// # Errors
/// A level other than 0 and 1; a comment with a NUL.
pub fn answer_servers<'a>(
    level: u16,
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = ServerEntry<'a>>,
) -> Result<Answer, ValueError> {
    descriptor(&SERVER_DESC, level)?;
    answer(layout, receive_buffer_size, entries, |entry, fixed| {
        fixed.put_slice(entry.name.as_bytes());
        if level == 0 {
            return Ok(None);
        }
        let none =
            ServerDetails { version: Version::new(0, 0), server_type: ServerType::empty(), comment: &[] };
        let details = entry.details.unwrap_or(none);
        fixed.put_u8(details.version.major);
        fixed.put_u8(details.version.minor);
        fixed.put_u32_le(details.server_type.bits());
        OemZ::new(Layer::Rap, "comment", details.comment, usize::MAX).map(|comment| Some(comment.text()))
    })
}

/// Answers NetShareEnum, as [`answer_servers`]. Entries without details are directories without a remark at
/// level 1.
///
/// # Errors
/// A level other than 0 and 1; a remark with a NUL.
pub fn answer_shares<'a>(
    level: u16,
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = ShareEntry<'a>>,
) -> Result<Answer, ValueError> {
    let [level0, level1, _] = SHARE_DESC;
    descriptor(&[level0, level1], level)?;
    answer(layout, receive_buffer_size, entries, |entry, fixed| {
        fixed.put_slice(&entry.name);
        if level == 0 {
            return Ok(None);
        }
        let none = ShareDetails { pad: 0, share_type: ShareType::DISK, remark: &[] };
        let details = entry.details.unwrap_or(none);
        fixed.put_u8(details.pad);
        fixed.put_u16_le(details.share_type.0);
        OemZ::new(Layer::Rap, "remark", details.remark, usize::MAX).map(|remark| Some(remark.text()))
    })
}

/// Lays out entries and strings. `fixed` appends an entry but for its pointer and gives its string, if it has one.
fn answer<'a, T>(
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = T>,
    fixed: impl Fn(&T, &mut Vec<u8>) -> Result<Option<&'a [u8]>, ValueError>,
) -> Result<Answer, ValueError> {
    let room = usize::from(receive_buffer_size);
    let mut data = Vec::new();
    let mut strings: Vec<&[u8]> = Vec::new();
    // Where the pointers go.
    let mut pointers = Vec::new();
    let (mut used, mut written, mut available) = (0, 0_u16, 0_u16);
    let mut full = false;
    for entry in entries {
        available = available.saturating_add(1);
        if full {
            continue;
        }
        let start = data.len();
        let string = fixed(&entry, &mut data)?;
        let size = data.len() - start + string.map_or(0, |string| 4 + string.len() + 1);
        if size > room - used {
            data.truncate(start);
            full = true;
            continue;
        }
        used += size;
        written = written.saturating_add(1);
        if let Some(string) = string {
            pointers.push(data.len());
            strings.push(string);
            data.put_u32_le(0);
        }
    }
    let converter = match layout {
        // All that was taken fits the 16 bits of the room.
        StringLayout::Backward => u16::try_from(room - used).unwrap_or_default(),
        StringLayout::Forward(converter) => converter,
    };
    if layout == StringLayout::Backward {
        strings.reverse();
        pointers.reverse();
    }
    for (place, string) in pointers.into_iter().zip(strings) {
        let offset = u16::try_from(data.len()).unwrap_or_default();
        let pointer = u32::from(offset.wrapping_add(converter)).to_le_bytes();
        if let Some(field) = data.get_mut(place..place + pointer.len()) {
            field.copy_from_slice(&pointer);
        }
        data.put_slice(string);
        data.put_u8(0);
    }
    let status = match (full, written) {
        (false, _) => Status::SUCCESS,
        (true, 0) => Status::BUFFER_TOO_SMALL,
        (true, _) => Status::MORE_DATA,
    };
    let parameters = ResponseParameters::new(status, converter, written, available);
    Ok(Answer { parameters, data })
}
