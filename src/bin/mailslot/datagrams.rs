//! From a capture to the payloads of the datagram service: UDP to or from port 138, IP fragments put together.

use std::net::SocketAddrV4;

use anyhow::Context;
use mailslot::capture::{Defragmenter, Packet, Timestamp, UdpDatagram};
use mailslot::wire::{DecodeError, Layer, nbdgm};

use crate::input::Capture;
use crate::output::note;
use crate::text;

/// The frame in which something stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// 1-based.
    pub(crate) frame: u64,
    pub(crate) time: Timestamp,
}

/// What a frame holds for us.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit<'a> {
    /// A UDP payload.
    Payload(Payload<'a>),
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

/// Gives every payload of the capture to `each`, in the order of the frames. Records that cannot be read are
/// reported and passed over; a file that ends early is an error, after all that came before.
pub(crate) fn for_each(
    capture: &mut Capture,
    defragmenter: &mut Defragmenter,
    mut each: impl FnMut(Place, Unit<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    loop {
        let frame = match capture.reader.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(error) if error.is_recoverable() => {
                note(format_args!("{}: {error}", text::safe(&capture.name)));
                continue;
            }
            Err(error) => return Err(error).with_context(|| capture.name.clone()),
        };
        let place = Place { frame: frame.number, time: frame.time };
        match frame.packet() {
            Ok(Packet::Udp(udp)) => {
                if is_ours(&udp) {
                    each(place, Unit::Payload(payload(&udp, udp.payload_offset)))?;
                }
            }
            Ok(Packet::Fragment(fragment)) => {
                if let Some(whole) = defragmenter.insert(frame.time, &fragment) {
                    match whole.udp() {
                        Ok(udp) if is_ours(&udp) => each(place, Unit::Payload(payload(&udp, 0)))?,
                        Err(error) if may_be_ours(&error, whole.bytes) => each(place, Unit::Damaged(error))?,
                        _ => {}
                    }
                }
            }
            Err(error) if may_be_ours(&error, frame.bytes) => each(place, Unit::Damaged(error))?,
            _ => {}
        }
    }
}

/// The reason of [`given_up`].
pub(crate) const IP_FRAGMENTS_MISSING: &str = "ip_fragments_missing";

/// Datagrams of which IP fragments are missing at the end of the capture, whatever their port.
pub(crate) fn given_up(defragmenter: &Defragmenter) -> u64 {
    let counters = defragmenter.counters();
    counters.timed_out + counters.evicted + defragmenter.waiting() as u64
}

#[inline]
const fn is_ours(udp: &UdpDatagram<'_>) -> bool {
    udp.destination.port() == nbdgm::PORT || udp.source.port() == nbdgm::PORT
}

/// Whether what is damaged may be ours: in front of a wrong UDP length, the ports can be read.
#[cold]
fn may_be_ours(error: &DecodeError, bytes: &[u8]) -> bool {
    if (error.layer, error.field) != (Layer::Udp, "length") {
        return true;
    }
    match bytes.get(error.offset.saturating_sub(4)..error.offset) {
        Some(&[s0, s1, d0, d1]) => {
            [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])].contains(&nbdgm::PORT)
        }
        _ => true,
    }
}

#[inline]
const fn payload<'a>(udp: &UdpDatagram<'a>, base: usize) -> Payload<'a> {
    Payload {
        source: udp.source,
        destination: udp.destination,
        bytes: udp.payload,
        base,
        missing: udp.missing,
    }
}
