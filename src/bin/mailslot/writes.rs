//! The mailslot messages that one session of a capture carries.

use std::net::SocketAddrV4;

use mailslot::service::session::{Assembly, any_server};
use mailslot::slot::{Origin, SlotName};
use mailslot::wire::name::{NetbiosName, Suffix};
use mailslot::wire::nbss::{self, Framing};
use mailslot::wire::smb::{Body, Header, Protocol, SmbMessage, SmbStr};
use mailslot::wire::{Decode, DecodeError};

/// Messages of one session whose parts are still to come: as many as our own server takes at a time.
const MAX_UNFINISHED: usize = 50;
/// Bytes held for them.
const MAX_HELD: usize = 1 << 20;
/// Parts of one message that do not join one another.
const MAX_PIECES: usize = 16;

/// A message for a slot.
pub(crate) struct Written {
    pub(crate) slot: SlotName,
    pub(crate) origin: Origin,
    pub(crate) data: Vec<u8>,
}

/// What a packet has brought.
pub(crate) enum Brought {
    /// Nothing for a slot.
    Nothing,
    /// The beginning of a message.
    Beginning,
    /// A part of one.
    Part,
    /// A message, and whether it came in parts.
    Message(Written, bool),
    /// Something that makes no message, because of this, and whether it had begun before.
    Lost(&'static str, bool),
}

/// What is known of a session between its packets.
#[derive(Default)]
pub(crate) struct Writes {
    /// The called and the calling name, on port 139.
    names: Option<[NetbiosName; 2]>,
    unfinished: Vec<Unfinished>,
}

struct Unfinished {
    key: Key,
    slot: SlotName,
    assembly: Assembly,
}

type Key = [u16; 4];

const fn key(header: &Header) -> Key {
    [header.mid, header.pid_low, header.uid, header.tid]
}

impl Writes {
    /// Takes a packet in, which `source` has sent.
    ///
    /// # Errors
    /// The packet is damaged.
    pub(crate) fn take(
        &mut self,
        packet: &[u8],
        source: SocketAddrV4,
        framing: Framing,
    ) -> Result<Brought, DecodeError> {
        let packet = nbss::Packet::decode(packet)?;
        let message = match packet.body() {
            nbss::Body::Request { called, calling, .. } => {
                *self = Self { names: Some([called.name, calling.name]), unfinished: Vec::new() };
                return Ok(Brought::Nothing);
            }
            nbss::Body::Message(message) if Protocol::of(message) == Some(Protocol::Smb1) => {
                SmbMessage::decode(message)?
            }
            _ => return Ok(Brought::Nothing),
        };
        if message.header().is_reply() {
            return Ok(Brought::Nothing);
        }
        let key = key(message.header());
        Ok(match message.body() {
            Body::TransactionRequest(request) => {
                let Some(write) = request.as_mailslot_write() else { return Ok(Brought::Nothing) };
                let part = request.data_part();
                self.begin(key, write.name, write.data, (part.total, part.displacement), source, framing)
            }
            Body::TransactionSecondary(part) => {
                let data = part.data_part();
                self.go_on(key, part.data(), (data.total, data.displacement), source, framing)
            }
            _ => Brought::Nothing,
        })
    }

    fn begin(
        &mut self,
        key: Key,
        name: SmbStr<'_>,
        data: &[u8],
        (total, displacement): (u16, u16),
        source: SocketAddrV4,
        framing: Framing,
    ) -> Brought {
        let Ok(slot) = SlotName::from_smb(name) else { return Brought::Lost("bad_slot_name", false) };
        let mut assembly = Assembly::new(total, MAX_PIECES);
        match assembly.put(total, displacement, data) {
            Ok(true) => {
                let data = assembly.into_bytes();
                return Brought::Message(Written { slot, origin: self.origin(source, framing), data }, false);
            }
            Ok(false) => {}
            Err(_) => return Brought::Lost("bad_transaction", false),
        }
        if self.unfinished.iter().any(|other| other.key == key) {
            return Brought::Lost("bad_transaction", false);
        }
        let held: usize = self.unfinished.iter().map(|one| one.assembly.held()).sum();
        if self.unfinished.len() >= MAX_UNFINISHED || held + assembly.held() > MAX_HELD {
            return Brought::Lost("too_many_transactions", false);
        }
        self.unfinished.push(Unfinished { key, slot, assembly });
        Brought::Beginning
    }

    fn go_on(
        &mut self,
        key: Key,
        data: &[u8],
        (total, displacement): (u16, u16),
        source: SocketAddrV4,
        framing: Framing,
    ) -> Brought {
        // The parts of other transactions come this way, too.
        let Some(place) = self.unfinished.iter().position(|other| other.key == key) else {
            return Brought::Nothing;
        };
        let mut one = self.unfinished.swap_remove(place);
        match one.assembly.put(total, displacement, data) {
            Ok(true) => {
                let (slot, origin, data) =
                    (one.slot, self.origin(source, framing), one.assembly.into_bytes());
                Brought::Message(Written { slot, origin, data }, true)
            }
            Ok(false) => {
                let held: usize = self.unfinished.iter().map(|one| one.assembly.held()).sum();
                if held + one.assembly.held() > MAX_HELD {
                    return Brought::Lost("too_many_transactions", true);
                }
                self.unfinished.push(one);
                Brought::Part
            }
            Err(_) => Brought::Lost("bad_transaction", true),
        }
    }

    /// As our own server tells it: where nobody says a name, the address stands in its place.
    fn origin(&self, source: SocketAddrV4, framing: Framing) -> Origin {
        let [called, calling] = self.names.unwrap_or_else(|| {
            let address = NetbiosName::from_oem(source.ip().to_string().as_bytes(), Suffix::WORKSTATION);
            [any_server(), address.unwrap_or(NetbiosName::WILDCARD)]
        });
        Origin::Session { framing, source: *calling.as_bytes(), destination: *called.as_bytes() }
    }
}
