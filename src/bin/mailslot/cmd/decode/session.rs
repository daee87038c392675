//! One packet of a session on port 139 or 445, or what is to be said of its stream.

use std::borrow::Cow;

use mailslot::wire::name::ScopedName;
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::{Body as SmbBody, Flags2, PIPE_LANMAN, Protocol, SmbMessage, rap};
use mailslot::wire::{Decode, DecodeError, Encode, nbss};

use super::datagram::Message;
use crate::streams::{Calls, Part, SessionUnit};

/// A session's unit.
pub(crate) struct Session<'a> {
    pub(crate) stream: u64,
    pub(crate) what: What<'a>,
}

pub(crate) enum What<'a> {
    Packet(Box<Packet<'a>>),
    /// Bytes of the stream are not in the capture.
    Gap {
        bytes: u64,
    },
    /// The stream ends inside a packet.
    Cut {
        have: usize,
        needed: usize,
    },
    /// The stream is something else and not read.
    Skipped(&'static str),
}

/// A packet, as deep as its bytes are sound.
#[derive(Default)]
pub(crate) struct Packet<'a> {
    pub(crate) nbss: Option<nbss::Packet<'a>>,
    pub(crate) smb: Option<SmbMessage<'a>>,
    /// The RAP function and level that a transaction's answer answers.
    pub(crate) answers: Option<(rap::Function, u16)>,
    error: Option<DecodeError>,
}

impl<'a> Session<'a> {
    pub(crate) fn read(unit: SessionUnit<'a>) -> Self {
        let what = match unit.part {
            Part::Packet { bytes, base, calls, .. } => {
                What::Packet(Box::new(Packet::read(bytes, base, calls)))
            }
            Part::Gap { bytes } => What::Gap { bytes },
            Part::Cut { have, needed } => What::Cut { have, needed },
            Part::Skipped(what) => What::Skipped(what),
        };
        Self { stream: unit.stream, what }
    }

    pub(crate) const fn packet(&self) -> Option<&Packet<'a>> {
        match &self.what {
            What::Packet(packet) => Some(packet),
            _ => None,
        }
    }

    /// What the answer to a RAP call in it answers.
    pub(crate) fn answers(&self) -> Option<(rap::Function, u16)> {
        self.packet()?.answers
    }

    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        match &self.what {
            What::Packet(packet) => packet.error(),
            _ => None,
        }
    }

    /// The names of a session request.
    pub(crate) fn names(&self) -> Option<[ScopedName<'a>; 2]> {
        match self.packet()?.nbss.as_ref()?.body() {
            nbss::Body::Request { called, calling, .. } => Some([*called, *calling]),
            _ => None,
        }
    }

    /// The slot of a message written over the session, without `\MAILSLOT\`.
    pub(crate) fn slot(&self) -> Option<String> {
        match self.packet()?.smb.as_ref()?.body() {
            SmbBody::TransactionRequest(request) => {
                Some(request.as_mailslot_write()?.slot.decode(CodePage::default()))
            }
            _ => None,
        }
    }

    /// What is said: the browser frame, RAP function or SMB command.
    pub(crate) fn command(&self) -> Option<Cow<'static, str>> {
        let packet = self.packet()?;
        let Some(smb) = &packet.smb else {
            return Some(packet.nbss.as_ref()?.packet_type().to_string().into());
        };
        if let SmbBody::TransactionRequest(request) = smb.body() {
            if let Some(write) = request.as_mailslot_write()
                && let Some(command) = session_message(&write).ok().and_then(|message| message.command())
            {
                return Some(command);
            }
            if is_rap(request.name())
                && let Ok(call) = rap::Request::decode(request.parameters())
            {
                return Some(call.function().to_string().into());
            }
        }
        if let Some((function, _)) = packet.answers {
            return Some(function.to_string().into());
        }
        Some(smb.header().command.to_string().into())
    }

    /// What is unusual, as words that stay the same from version to version.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &'static str> {
        let transaction = self.packet().and_then(|packet| packet.smb.as_ref()).map(SmbMessage::body);
        let partial = match transaction {
            Some(SmbBody::TransactionRequest(request)) => {
                !request.data_part().is_whole() || !request.parameter_part().is_whole()
            }
            Some(SmbBody::TransactionResponse(response)) => {
                !response.data_part().is_whole() || !response.parameter_part().is_whole()
            }
            Some(SmbBody::TransactionSecondary(_)) => true,
            _ => false,
        };
        partial.then_some("partial_transaction").into_iter()
    }
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8], base: usize, calls: &mut Calls) -> Self {
        let mut packet = Self::default();
        match nbss::Packet::decode(bytes) {
            Ok(nbss) => {
                if let nbss::Body::Message(message) = nbss.body()
                    && Protocol::of(message) == Some(Protocol::Smb1)
                {
                    packet.read_smb(message, base + nbss::HEADER_LEN, calls);
                }
                packet.nbss = Some(nbss);
            }
            Err(error) => packet.error = Some(error.at(base)),
        }
        packet
    }

    fn read_smb(&mut self, message: &'a [u8], base: usize, calls: &mut Calls) {
        match SmbMessage::decode(message) {
            Ok(smb) => {
                self.error = self.read_body(&smb, base, calls).err();
                self.smb = Some(smb);
            }
            Err(error) => self.error = Some(error.at(base)),
        }
    }

    /// What a transaction carries must be sound, too.
    fn read_body(&mut self, smb: &SmbMessage<'_>, base: usize, calls: &mut Calls) -> Result<(), DecodeError> {
        let mid = smb.header().mid;
        match smb.body() {
            SmbBody::TransactionRequest(request) => {
                if let Some(write) = request.as_mailslot_write() {
                    let at = base + usize::from(request.data_part().offset);
                    return match request.data_part().is_whole() && !write.data.is_empty() {
                        true => session_message(&write).map(drop).map_err(|error| error.at(at)),
                        false => Ok(()),
                    };
                }
                let has_call = request.parameter_part().is_whole() && !request.parameters().is_empty();
                if is_rap(request.name()) && has_call {
                    let at = base + usize::from(request.parameter_part().offset);
                    let call = rap::Request::decode(request.parameters()).map_err(|error| error.at(at))?;
                    calls.asked(mid, call.function(), level(&call));
                }
            }
            SmbBody::TransactionResponse(response) => {
                self.answers = calls.answered(mid);
                if self.answers.is_some() && !response.parameters().is_empty() {
                    let at = base + usize::from(response.parameter_part().offset);
                    rap::ResponseParameters::decode(response.parameters()).map_err(|error| error.at(at))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        self.error.as_ref()
    }

    /// The packet's bytes, made anew from what was read.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let packet = self.nbss.as_ref()?;
        let Some(smb) = &self.smb else { return Some(packet.to_bytes()) };
        let mut bytes = nbss::Packet::message(&smb.to_bytes()).ok()?.to_bytes();
        bytes.extend_from_slice(packet.trailing());
        Some(bytes)
    }

    /// The status of an answer as it is to be read: an NTSTATUS, or a DOS error.
    pub(crate) fn status(smb: &SmbMessage<'_>) -> String {
        let status = smb.header().status;
        if status.0 == 0 {
            "SUCCESS".to_owned()
        } else if smb.header().flags2.contains(Flags2::NT_STATUS) {
            status.to_string()
        } else {
            status.dos().to_string()
        }
    }
}

/// Whether a transaction with this name is a RAP call.
pub(crate) fn is_rap(name: mailslot::wire::smb::SmbStr<'_>) -> bool {
    name.eq_ignore_ascii_case(PIPE_LANMAN)
}

/// What a message written over a session says, if its slot is one whose messages are known.
pub(crate) fn session_message<'m>(
    write: &mailslot::wire::smb::SessionWrite<'m>,
) -> Result<Message<'m>, DecodeError> {
    let slot = write.slot.decode(CodePage::default());
    Message::read(slot.as_bytes(), write.data)
}

const fn level(call: &rap::Request<'_>) -> u16 {
    match call {
        rap::Request::ServerEnum(call) => call.level(),
        rap::Request::ShareEnum(call) => call.level(),
        _ => u16::MAX,
    }
}
