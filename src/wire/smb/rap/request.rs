//! Requests: the parameter block of the transaction.

use core::fmt;

use bytes::BufMut;

use super::{Function, SERVER_DESC, SHARE_DESC, descriptor};
use crate::wire::browser::ServerType;
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError};
use crate::wire::oem::OemZ;
use crate::wire::read;

const PARAM_ENUM2: &[u8] = b"WrLehDz";
const PARAM_ENUM2_NULL: &[u8] = b"WrLehDO";
const PARAM_ENUM3: &[u8] = b"WrLehDzz";
const PARAM_SHARE: &[u8] = b"WrLeh";

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
