//! Whole SMB1 messages: a header, a command, and the commands chained to it (MS-CIFS 2.2.3).

use std::borrow::Cow;

use core::fmt;
use core::iter;

use bytes::BufMut;

use super::block::{Area, Block, Place, first_base};
use super::header::{Command, Flags, Flags2, HEADER_LEN, Header};
use super::message::{
    SendEndRequest, SendMessageRequest, SendStartRequest, SendStartResponse, SendTextRequest,
};
use super::negotiate::{NegotiateRequest, NegotiateResponse};
use super::session_setup::{Logoff, SessionSetupRequest, SessionSetupResponse};
use super::status::NtStatus;
use super::transaction::{TransactionRequest, TransactionResponse, TransactionSecondary};
use super::tree_connect::{TreeConnectRequest, TreeConnectResponse};
use crate::wire::codec::{Decode, Encode};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use crate::wire::read::{self, Parsed};

/// The most commands that one message may chain, the first included.
pub const MAX_CHAIN: usize = 8;

/// Which protocol a session's message belongs to, by its first four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// `FF 53 4D 42`: SMB1, the only one that carries mailslots.
    Smb1,
    /// `FE 53 4D 42`: SMB2 or SMB3.
    Smb2,
    /// `FD 53 4D 42`: an encrypted SMB3 message.
    Smb3Transform,
}

impl Protocol {
    /// The protocol of a message; `None` for what is none of them.
    pub const fn of(message: &[u8]) -> Option<Self> {
        match message {
            [0xff, b'S', b'M', b'B', ..] => Some(Self::Smb1),
            [0xfe, b'S', b'M', b'B', ..] => Some(Self::Smb2),
            [0xfd, b'S', b'M', b'B', ..] => Some(Self::Smb3Transform),
            _ => None,
        }
    }
}

/// The first two words of a command that another one can follow (MS-CIFS 2.2.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AndX {
    /// AndXCommand: the command that follows, or [`Command::NONE`].
    pub command: Command,
    /// AndXReserved: 0.
    pub reserved: u8,
    /// AndXOffset: where its WordCount stands, in bytes from the SMB signature. Of no meaning without one.
    pub offset: u16,
}

impl AndX {
    /// No command follows.
    pub const NONE: Self = Self { command: Command::NONE, reserved: 0, offset: 0 };

    pub(super) fn read(input: &[u8]) -> Parsed<'_, Self> {
        let (input, command) = read::u8("andx_command", input)?;
        let (input, reserved) = read::u8("andx_reserved", input)?;
        let (input, offset) = read::u16_le("andx_offset", input)?;
        Ok((input, Self { command: Command(command), reserved, offset }))
    }

    pub(super) fn write(self, out: &mut impl BufMut) {
        out.put_u8(self.command.0);
        out.put_u8(self.reserved);
        out.put_u16_le(self.offset);
    }
}

/// A command without words: a TREE_DISCONNECT request, or the answer that says no more than the header's
/// status does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Empty<'a> {
    command: Command,
    area: Area<'a>,
}

impl Empty<'_> {
    /// The command.
    pub const fn command(&self) -> Command {
        self.command
    }

    /// The bytes: as a rule none.
    pub fn bytes(&self) -> &[u8] {
        self.area.own()
    }
}

/// A command of which only the header is read.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Raw<'a> {
    command: Command,
    response: bool,
    /// Offset of WordCount from the SMB signature.
    at: usize,
    bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    /// The command.
    pub const fn command(&self) -> Command {
        self.command
    }

    /// All that follows the header (or, in a chain, begins at AndXOffset): WordCount, words, ByteCount, bytes.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// WordCount, if there is anything.
    pub const fn word_count(&self) -> Option<u8> {
        match self.bytes {
            [word_count, ..] => Some(*word_count),
            [] => None,
        }
    }
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.response { "response" } else { "request" };
        write!(f, "Raw({} {kind} {:02x?})", self.command, self.bytes)
    }
}

/// What a message says. Commands that the crate has no use for are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// An answer without words, to any command: an error, the end of a tree or session, an interim answer to a
    /// transaction. The header's status tells.
    Empty(Empty<'a>),
    /// NEGOTIATE.
    NegotiateRequest(NegotiateRequest<'a>),
    /// Its answer.
    NegotiateResponse(NegotiateResponse<'a>),
    /// SESSION_SETUP_ANDX.
    SessionSetupRequest(SessionSetupRequest<'a>),
    /// Its answer.
    SessionSetupResponse(SessionSetupResponse<'a>),
    /// TREE_CONNECT_ANDX.
    TreeConnectRequest(TreeConnectRequest<'a>),
    /// Its answer.
    TreeConnectResponse(TreeConnectResponse<'a>),
    /// TREE_DISCONNECT; its answer is [`Self::Empty`].
    TreeDisconnectRequest(Empty<'a>),
    /// LOGOFF_ANDX.
    LogoffRequest(Logoff<'a>),
    /// Its answer.
    LogoffResponse(Logoff<'a>),
    /// TRANSACTION.
    TransactionRequest(TransactionRequest<'a>),
    /// Its answer.
    TransactionResponse(TransactionResponse<'a>),
    /// TRANSACTION_SECONDARY.
    TransactionSecondary(TransactionSecondary<'a>),
    /// SEND_MESSAGE: a messenger text; its answer is [`Self::Empty`].
    SendMessageRequest(SendMessageRequest<'a>),
    /// SEND_START_MB_MESSAGE: a messenger text of several blocks.
    SendStartRequest(SendStartRequest<'a>),
    /// Its answer.
    SendStartResponse(SendStartResponse<'a>),
    /// SEND_TEXT_MB_MESSAGE: one of the blocks; its answer is [`Self::Empty`].
    SendTextRequest(SendTextRequest<'a>),
    /// SEND_END_MB_MESSAGE; its answer is [`Self::Empty`].
    SendEndRequest(SendEndRequest<'a>),
    /// Any other command.
    Raw(Raw<'a>),
}

impl<'a> Body<'a> {
    /// An answer to `command` without words.
    pub const fn empty(command: Command) -> Self {
        Self::Empty(Empty { command, area: Area::empty(0) })
    }

    /// A request to disconnect the header's tree.
    pub const fn tree_disconnect() -> Self {
        Self::TreeDisconnectRequest(Empty { command: Command::TREE_DISCONNECT, area: Area::empty(0) })
    }

    /// The command.
    pub const fn command(&self) -> Command {
        match self {
            Self::NegotiateRequest(_) | Self::NegotiateResponse(_) => Command::NEGOTIATE,
            Self::SessionSetupRequest(_) | Self::SessionSetupResponse(_) => Command::SESSION_SETUP_ANDX,
            Self::TreeConnectRequest(_) | Self::TreeConnectResponse(_) => Command::TREE_CONNECT_ANDX,
            Self::LogoffRequest(_) | Self::LogoffResponse(_) => Command::LOGOFF_ANDX,
            Self::TransactionRequest(_) | Self::TransactionResponse(_) => Command::TRANSACTION,
            Self::TransactionSecondary(_) => Command::TRANSACTION_SECONDARY,
            Self::SendMessageRequest(_) => Command::SEND_MESSAGE,
            Self::SendStartRequest(_) | Self::SendStartResponse(_) => Command::SEND_START_MB_MESSAGE,
            Self::SendTextRequest(_) => Command::SEND_TEXT_MB_MESSAGE,
            Self::SendEndRequest(_) => Command::SEND_END_MB_MESSAGE,
            Self::Empty(empty) | Self::TreeDisconnectRequest(empty) => empty.command,
            Self::Raw(raw) => raw.command,
        }
    }

    /// Whether this is an answer.
    pub const fn is_response(&self) -> bool {
        match self {
            Self::Empty(_)
            | Self::NegotiateResponse(_)
            | Self::SessionSetupResponse(_)
            | Self::TreeConnectResponse(_)
            | Self::LogoffResponse(_)
            | Self::TransactionResponse(_)
            | Self::SendStartResponse(_) => true,
            Self::NegotiateRequest(_)
            | Self::SessionSetupRequest(_)
            | Self::TreeConnectRequest(_)
            | Self::TreeDisconnectRequest(_)
            | Self::LogoffRequest(_)
            | Self::TransactionRequest(_)
            | Self::TransactionSecondary(_)
            | Self::SendMessageRequest(_)
            | Self::SendStartRequest(_)
            | Self::SendTextRequest(_)
            | Self::SendEndRequest(_) => false,
            Self::Raw(raw) => raw.response,
        }
    }

    /// The command that follows in the message; [`AndX::NONE`] where none can.
    pub const fn andx(&self) -> AndX {
        match self {
            Self::SessionSetupRequest(body) => body.andx,
            Self::SessionSetupResponse(body) => body.andx,
            Self::TreeConnectRequest(body) => body.andx,
            Self::TreeConnectResponse(body) => body.andx,
            Self::LogoffRequest(body) | Self::LogoffResponse(body) => body.andx,
            _ => AndX::NONE,
        }
    }

    /// Bytes that follow the message's ByteCount bytes: paddings, chained commands, or what is not part of it.
    pub fn trailing(&self) -> &[u8] {
        self.area().map_or(&[], Area::trailing)
    }

    /// Whether there are strings whose form Flags2 must tell.
    fn has_strings(&self) -> bool {
        let own = match self {
            Self::SessionSetupRequest(_)
            | Self::SessionSetupResponse(_)
            | Self::TreeConnectRequest(_)
            | Self::TreeConnectResponse(_)
            | Self::TransactionRequest(_) => true,
            Self::NegotiateResponse(NegotiateResponse::Nt(nt)) => !nt.is_extended(),
            _ => false,
        };
        own || self.andx().command != Command::NONE
    }

    fn word_count(&self) -> u8 {
        match self {
            Self::Empty(_)
            | Self::NegotiateRequest(_)
            | Self::TreeDisconnectRequest(_)
            | Self::SendMessageRequest(_)
            | Self::SendStartRequest(_) => 0,
            Self::SendStartResponse(_) | Self::SendTextRequest(_) | Self::SendEndRequest(_) => 1,
            Self::NegotiateResponse(body) => body.block().0,
            Self::SessionSetupRequest(body) => body.word_count(),
            Self::SessionSetupResponse(body) => body.word_count(),
            Self::TreeConnectRequest(_) => 4,
            Self::TreeConnectResponse(body) => body.word_count(),
            Self::LogoffRequest(_) | Self::LogoffResponse(_) => 2,
            Self::TransactionRequest(body) => body.word_count(),
            Self::TransactionResponse(body) => body.word_count(),
            Self::TransactionSecondary(_) => TransactionSecondary::word_count(),
            Self::Raw(raw) => raw.word_count().unwrap_or(0),
        }
    }

    const fn area(&self) -> Option<&Area<'a>> {
        Some(match self {
            Self::Empty(body) | Self::TreeDisconnectRequest(body) => &body.area,
            Self::NegotiateRequest(body) => &body.area,
            Self::NegotiateResponse(body) => body.block().1,
            Self::SessionSetupRequest(body) => &body.area,
            Self::SessionSetupResponse(body) => &body.area,
            Self::TreeConnectRequest(body) => &body.area,
            Self::TreeConnectResponse(body) => &body.area,
            Self::LogoffRequest(body) | Self::LogoffResponse(body) => &body.area,
            Self::TransactionRequest(body) => &body.area,
            Self::TransactionResponse(body) => &body.area,
            Self::TransactionSecondary(body) => &body.area,
            Self::SendMessageRequest(body) => &body.area,
            Self::SendStartRequest(body) => &body.area,
            Self::SendStartResponse(body) => &body.area,
            Self::SendTextRequest(body) => &body.area,
            Self::SendEndRequest(body) => &body.area,
            Self::Raw(_) => return None,
        })
    }

    const fn area_mut(&mut self) -> Option<&mut Area<'a>> {
        Some(match self {
            Self::Empty(body) | Self::TreeDisconnectRequest(body) => &mut body.area,
            Self::NegotiateRequest(body) => &mut body.area,
            Self::NegotiateResponse(body) => body.area_mut(),
            Self::SessionSetupRequest(body) => &mut body.area,
            Self::SessionSetupResponse(body) => &mut body.area,
            Self::TreeConnectRequest(body) => &mut body.area,
            Self::TreeConnectResponse(body) => &mut body.area,
            Self::LogoffRequest(body) | Self::LogoffResponse(body) => &mut body.area,
            Self::TransactionRequest(body) => &mut body.area,
            Self::TransactionResponse(body) => &mut body.area,
            Self::TransactionSecondary(body) => &mut body.area,
            Self::SendMessageRequest(body) => &mut body.area,
            Self::SendStartRequest(body) => &mut body.area,
            Self::SendStartResponse(body) => &mut body.area,
            Self::SendTextRequest(body) => &mut body.area,
            Self::SendEndRequest(body) => &mut body.area,
            Self::Raw(_) => return None,
        })
    }

    /// Where the block's WordCount stands, from the SMB signature.
    fn at(&self) -> usize {
        match self {
            Self::Raw(raw) => raw.at,
            _ => self.area().map_or(0, |area| area.base + HEADER_LEN - first_base(self.word_count())),
        }
    }

    /// Reads the block at the beginning of `bytes`, which end with the message.
    fn read(command: Command, response: bool, bytes: &'a [u8], place: Place) -> Result<Self, DecodeError> {
        if response && bytes.first() == Some(&0) {
            let area = Block::split(bytes, place)?.counted()?.area;
            return Ok(Self::Empty(Empty { command, area }));
        }
        let block = || Block::split(bytes, place);
        Ok(match (command, response) {
            (Command::NEGOTIATE, false) => Self::NegotiateRequest(NegotiateRequest::read(block()?)?),
            (Command::NEGOTIATE, true) => Self::NegotiateResponse(NegotiateResponse::read(block()?)?),
            (Command::SESSION_SETUP_ANDX, false) => {
                Self::SessionSetupRequest(SessionSetupRequest::read(block()?)?)
            }
            (Command::SESSION_SETUP_ANDX, true) => {
                Self::SessionSetupResponse(SessionSetupResponse::read(block()?)?)
            }
            (Command::TREE_CONNECT_ANDX, false) => {
                Self::TreeConnectRequest(TreeConnectRequest::read(block()?)?)
            }
            (Command::TREE_CONNECT_ANDX, true) => {
                Self::TreeConnectResponse(TreeConnectResponse::read(block()?)?)
            }
            (Command::TREE_DISCONNECT, false) => {
                let block = block()?.counted()?;
                if block.word_count != 0 {
                    return Err(block.bad_word_count("0"));
                }
                Self::TreeDisconnectRequest(Empty { command, area: block.area })
            }
            (Command::LOGOFF_ANDX, false) => Self::LogoffRequest(Logoff::read(block()?)?),
            (Command::LOGOFF_ANDX, true) => Self::LogoffResponse(Logoff::read(block()?)?),
            (Command::TRANSACTION, false) => {
                Self::TransactionRequest(TransactionRequest::read(bytes, place)?)
            }
            (Command::TRANSACTION, true) => Self::TransactionResponse(TransactionResponse::read(block()?)?),
            (Command::TRANSACTION_SECONDARY, false) => {
                Self::TransactionSecondary(TransactionSecondary::read(block()?)?)
            }
            (Command::SEND_MESSAGE, false) => Self::SendMessageRequest(SendMessageRequest::read(block()?)?),
            (Command::SEND_START_MB_MESSAGE, false) => {
                Self::SendStartRequest(SendStartRequest::read(block()?)?)
            }
            (Command::SEND_START_MB_MESSAGE, true) => {
                Self::SendStartResponse(SendStartResponse::read(block()?)?)
            }
            (Command::SEND_TEXT_MB_MESSAGE, false) => Self::SendTextRequest(SendTextRequest::read(block()?)?),
            (Command::SEND_END_MB_MESSAGE, false) => Self::SendEndRequest(SendEndRequest::read(block()?)?),
            _ => Self::Raw(Raw { command, response, at: place.at, bytes }),
        })
    }
}

macro_rules! bodies {
    ($($variant:ident: $type:ident;)*) => {$(
        impl<'a> From<$type<'a>> for Body<'a> {
            fn from(body: $type<'a>) -> Self {
                Self::$variant(body)
            }
        }
    )*};
}

bodies! {
    NegotiateRequest: NegotiateRequest;
    NegotiateResponse: NegotiateResponse;
    SessionSetupRequest: SessionSetupRequest;
    SessionSetupResponse: SessionSetupResponse;
    TreeConnectRequest: TreeConnectRequest;
    TreeConnectResponse: TreeConnectResponse;
    TransactionRequest: TransactionRequest;
    TransactionResponse: TransactionResponse;
    TransactionSecondary: TransactionSecondary;
    SendMessageRequest: SendMessageRequest;
    SendStartRequest: SendStartRequest;
    SendStartResponse: SendStartResponse;
    SendTextRequest: SendTextRequest;
    SendEndRequest: SendEndRequest;
}

/// A message of an SMB1 session.
///
/// Requests and answers are told apart by SMB_FLAGS_REPLY. All bytes are kept, so that what was read can be
/// written again: paddings, gaps, chained commands, what follows the end.
///
/// Accepted: commands of any number (as [`Body::Raw`]); answers without words to any command (as
/// [`Body::Empty`]); bytes behind the message. Refused: a known command with a WordCount it does not have; a
/// ByteCount beyond the message (but for transactions); a chain that goes backwards, out of the message, or on
/// for more than [`MAX_CHAIN`] commands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SmbMessage<'a> {
    header: Header,
    body: Body<'a>,
}

impl<'a> SmbMessage<'a> {
    /// A message. The header's command and reply bit follow the body, and so does its Unicode bit where there are
    /// strings.
    ///
    /// # Errors
    /// A body that was not the first of its message.
    pub fn new(mut header: Header, body: impl Into<Body<'a>>) -> Result<Self, ValueError> {
        let mut body = body.into();
        if body.at() != HEADER_LEN {
            let reason = ValueErrorReason::BadForm("the first of its message");
            return Err(ValueError::new(Layer::Smb, "body", reason));
        }
        if let Body::TreeDisconnectRequest(empty) = &mut body {
            empty.command = Command::TREE_DISCONNECT;
        }
        header.command = body.command();
        header.flags.set(Flags::REPLY, body.is_response());
        let has_strings = body.has_strings();
        if let Some(area) = body.area_mut() {
            if has_strings {
                header.flags2.set(Flags2::UNICODE, area.unicode);
            } else {
                area.unicode = header.flags2.contains(Flags2::UNICODE);
            }
        }
        Ok(Self { header, body })
    }

    /// The answer to `request` that has nothing but a status.
    pub fn status(request: &Header, status: NtStatus) -> Self {
        let header = request.reply(status);
        let mut area = Area::empty(0);
        area.unicode = header.flags2.contains(Flags2::UNICODE);
        Self { header, body: Body::Empty(Empty { command: header.command, area }) }
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The first command.
    pub const fn body(&self) -> &Body<'a> {
        &self.body
    }

    /// Whether the answer asks for the rest of a transaction: no words, no error.
    pub const fn is_interim(&self) -> bool {
        matches!(self.body, Body::Empty(Empty { command: Command::TRANSACTION, .. }))
            && !self.header.is_error()
    }

    /// The commands chained behind the first, in their order.
    pub fn chained(&self) -> impl Iterator<Item = Body<'a>> {
        // The decoder has walked the chain, and built messages have none: there is no error to tell.
        let follow = |body: &Body<'a>| next_in_chain(body).ok().flatten();
        iter::successors(follow(&self.body), follow).take(MAX_CHAIN - 1)
    }
}

/// The bytes of one message with the header of the first of `messages` and the commands of all, each but the last with
/// an AndX block. Empty without a message.
pub fn chain(messages: &[SmbMessage<'_>]) -> Vec<u8> {
    let Some((first, rest)) = messages.split_first() else { return Vec::new() };
    let mut out = first.to_bytes();
    let mut last = HEADER_LEN;
    for next in rest {
        // On a multiple of 4, as behind a header, so that what is aligned stays so.
        out.resize(out.len().next_multiple_of(4), 0);
        let at = out.len();
        if let (Ok(offset), Some(andx)) = (u16::try_from(at), out.get_mut(last + 1..last + 5)) {
            let [low, high] = offset.to_le_bytes();
            andx.copy_from_slice(&[next.body.command().0, 0, low, high]);
        }
        out.extend_from_slice(next.to_bytes().get(HEADER_LEN..).unwrap_or_default());
        last = at;
    }
    out
}

/// The command that follows `body` in its message.
fn next_in_chain<'a>(body: &Body<'a>) -> Result<Option<Body<'a>>, DecodeError> {
    let andx = body.andx();
    // What was built here has no chain: only read bytes are borrowed.
    let Some(Area { base, unicode, bytes: Cow::Borrowed(bytes), .. }) = body.area() else { return Ok(None) };
    if andx.command == Command::NONE {
        return Ok(None);
    }
    let error = |kind| Err(DecodeError::new(Layer::Smb, "andx_offset", body.at() + 3, kind));
    let at = usize::from(andx.offset);
    let Some(from) = at.checked_sub(*base) else {
        let value = andx.offset.into();
        return error(DecodeErrorKind::BadValue { value, expected: "an offset behind this command's words" });
    };
    let Some(rest) = bytes.get(from..) else {
        return error(DecodeErrorKind::OutOfBounds { needed: at, have: base + bytes.len() });
    };
    let place = Place { at, unicode: *unicode };
    Body::read(andx.command, body.is_response(), rest, place).map(Some)
}

impl<'a> Decode<'a> for SmbMessage<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, rest) = Header::split(bytes)?;
        let place = Place { at: HEADER_LEN, unicode: header.flags2.contains(Flags2::UNICODE) };
        let body = Body::read(header.command, header.is_reply(), rest, place)?;
        let mut next = next_in_chain(&body)?;
        let mut commands = 1;
        while let Some(chained) = next {
            commands += 1;
            if commands == MAX_CHAIN && chained.andx().command != Command::NONE {
                let value = chained.andx().command.0.into();
                let kind = DecodeErrorKind::BadValue { value, expected: "0xff after eight commands" };
                return Err(DecodeError::new(Layer::Smb, "andx_command", chained.at() + 1, kind));
            }
            next = next_in_chain(&chained)?;
        }
        Ok(Self { header, body })
    }
}

impl Encode for SmbMessage<'_> {
    fn encoded_len(&self) -> usize {
        let body = match &self.body {
            Body::Raw(raw) => raw.bytes.len(),
            body => 1 + 2 * usize::from(body.word_count()) + body.area().map_or(0, Area::encoded_len),
        };
        HEADER_LEN + body
    }

    fn encode(&self, out: &mut impl BufMut) {
        self.header.encode(out);
        if !matches!(self.body, Body::Raw(_)) {
            out.put_u8(self.body.word_count());
        }
        match &self.body {
            Body::Empty(_)
            | Body::NegotiateRequest(_)
            | Body::TreeDisconnectRequest(_)
            | Body::SendMessageRequest(_)
            | Body::SendStartRequest(_) => {}
            Body::NegotiateResponse(body) => body.write_words(out),
            Body::SessionSetupRequest(body) => body.write_words(out),
            Body::SessionSetupResponse(body) => body.write_words(out),
            Body::TreeConnectRequest(body) => body.write_words(out),
            Body::TreeConnectResponse(body) => body.write_words(out),
            Body::LogoffRequest(body) | Body::LogoffResponse(body) => body.andx.write(out),
            Body::TransactionRequest(body) => body.write_words(out),
            Body::TransactionResponse(body) => body.write_words(out),
            Body::TransactionSecondary(body) => body.write_words(out),
            Body::SendStartResponse(body) => body.write_words(out),
            Body::SendTextRequest(body) => body.write_words(out),
            Body::SendEndRequest(body) => body.write_words(out),
            Body::Raw(raw) => out.put_slice(raw.bytes),
        }
        if let Some(area) = self.body.area() {
            area.write(out);
        }
    }
}
