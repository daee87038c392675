//! From frames to what we read in them: UDP to or from ports 137 and 138, IP fragments put together; the packets of
//! TCP sessions on ports 139 and 445.

use std::net::SocketAddrV4;

use mailslot::capture::{Defragmenter, Frame, Packet, Timestamp, UdpDatagram};
use mailslot::wire::{DecodeError, Layer, nbdgm, nbns};

use crate::streams::{self, SessionUnit, Streams};

/// The frame in which something stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// 1-based.
    pub(crate) frame: u64,
    pub(crate) time: Timestamp,
}

/// What a frame holds for us.
pub(crate) enum Unit<'a> {
    /// A payload of the datagram service.
    Datagram(Payload<'a>),
    /// A payload of the name service.
    NameService(Payload<'a>),
    /// A packet of a session, or what is to be said of its stream.
    Session(SessionUnit<'a>),
    /// A frame whose link, IP or UDP header is damaged; offsets count from the start of the frame.
    Damaged(DecodeError),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Payload<'a> {
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
    pub(crate) bytes: &'a [u8],
    /// What to add to offsets in `bytes`: its place in the frame, or 0 where it was put together.
    pub(crate) base: usize,
    /// Bytes of the datagram that the capture does not have.
    pub(crate) missing: usize,
}

/// The reason of [`Traffic::ip_fragments_missing`].
pub(crate) const IP_FRAGMENTS_MISSING: &str = "ip_fragments_missing";

/// What is held between the frames.
#[derive(Default)]
pub(crate) struct Traffic {
    defragmenter: Defragmenter,
    streams: Streams,
    last: Place,
}

impl Traffic {
    /// Gives what the frame completes to `each`.
    #[inline]
    pub(crate) fn frame(
        &mut self,
        frame: &Frame<'_>,
        mut each: impl FnMut(Place, Unit<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let place = Place { frame: frame.number, time: frame.time };
        self.last = place;
        match frame.packet() {
            Ok(Packet::Udp(udp)) => {
                if let Some(unit) = unit(&udp, udp.payload_offset) {
                    each(place, unit)?;
                }
            }
            Ok(Packet::Fragment(fragment)) => {
                if let Some(whole) = self.defragmenter.insert(frame.time, &fragment) {
                    match whole.udp() {
                        Ok(udp) => {
                            if let Some(unit) = unit(&udp, 0) {
                                each(place, unit)?;
                            }
                        }
                        Err(error) if may_be_ours(&error, whole.bytes) => each(place, Unit::Damaged(error))?,
                        Err(_) => {}
                    }
                }
            }
            Ok(Packet::Tcp(segment)) if streams::framing(segment.source, segment.destination).is_some() => {
                self.streams.segment(place.time, &segment, |unit| each(place, Unit::Session(unit)))?;
            }
            Err(error) if may_be_ours(&error, frame.bytes) => each(place, Unit::Damaged(error))?,
            _ => {}
        }
        Ok(())
    }

    /// Datagrams of which IP fragments are missing at the end of the capture, whatever their port.
    pub(crate) fn ip_fragments_missing(&self) -> u64 {
        let counters = self.defragmenter.counters();
        counters.timed_out + counters.evicted + self.defragmenter.waiting() as u64
    }

    /// Gives what is left to `each`: nothing more comes.
    pub(crate) fn finish(
        &mut self,
        mut each: impl FnMut(Place, Unit<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let place = self.last;
        self.streams.finish(|unit| each(place, Unit::Session(unit)))
    }
}

/// Whether what is damaged may be ours: in front of a wrong length, the ports can be read.
#[cold]
fn may_be_ours(error: &DecodeError, bytes: &[u8]) -> bool {
    let (ports_at, ours) = match (error.layer, error.field) {
        (Layer::Udp, "length") => (error.offset.checked_sub(4), [nbns::PORT, nbdgm::PORT]),
        (Layer::Tcp, "data_offset") => (error.offset.checked_sub(12), [139, 445]),
        _ => return true,
    };
    match ports_at.and_then(|at| bytes.get(at..at.checked_add(4)?)) {
        Some(&[s0, s1, d0, d1]) => {
            [[s0, s1], [d0, d1]].map(u16::from_be_bytes).iter().any(|port| ours.contains(port))
        }
        _ => true,
    }
}

/// What a UDP datagram is to us, by its ports.
#[inline]
const fn unit<'a>(udp: &UdpDatagram<'a>, base: usize) -> Option<Unit<'a>> {
    let payload = Payload {
        source: udp.source,
        destination: udp.destination,
        bytes: udp.payload,
        base,
        missing: udp.missing,
    };
    match (udp.destination.port(), udp.source.port()) {
        (nbdgm::PORT, _) | (_, nbdgm::PORT) => Some(Unit::Datagram(payload)),
        (nbns::PORT, _) | (_, nbns::PORT) => Some(Unit::NameService(payload)),
        _ => None,
    }
}
