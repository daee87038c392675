//! One packet of the name service.

use mailslot::wire::nbns::{Packet, Rdata};
use mailslot::wire::{Decode, DecodeError};

/// A packet, or what is wrong with it.
pub(crate) struct NameService<'a> {
    packet: Result<Packet<'a>, DecodeError>,
    /// Bytes that the capture does not have.
    missing: usize,
}

impl<'a> NameService<'a> {
    /// Reads a UDP payload that begins at `base` of its frame.
    pub(crate) fn read(bytes: &'a [u8], base: usize, missing: usize) -> Self {
        Self { packet: Packet::decode(bytes).map_err(|error| error.at(base)), missing }
    }

    pub(crate) fn packet(&self) -> Option<&Packet<'a>> {
        self.packet.as_ref().ok()
    }

    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        match &self.packet {
            Ok(_) => None,
            Err(error) => Some(error),
        }
    }

    /// What is unusual, as words that stay the same from version to version.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &'static str> {
        let packet = self.packet();
        let partial = packet
            .and_then(Packet::answer)
            .is_some_and(|answer| matches!(answer.rdata(), Rdata::NodeStatus(status) if status.is_partial()));
        [
            (self.missing > 0, "cut_by_capture"),
            (packet.is_some_and(Packet::is_uncounted), "uncounted_record"),
            (partial, "partial_list"),
            (packet.is_some_and(|packet| !packet.trailing().is_empty()), "trailing_bytes"),
        ]
        .into_iter()
        .filter_map(|(holds, note)| holds.then_some(note))
    }
}
