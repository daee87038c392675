//! From a capture to the payloads of the datagram service: UDP to or from port 138, IP fragments put together.

use std::net::SocketAddrV4;

use mailslot::capture::{Defragmenter, Frame, Packet, Timestamp, UdpDatagram};
use mailslot::wire::{DecodeError, nbdgm};

use crate::input::Capture;

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

/// What is held between the frames.
#[derive(Default)]
pub(crate) struct Traffic {
    defragmenter: Defragmenter,
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
        match frame.packet() {
            Ok(Packet::Udp(udp)) => {
                if is_ours(&udp) {
                    each(place, Unit::Payload(payload(&udp, udp.payload_offset)))?;
                }
            }
            Ok(Packet::Fragment(fragment)) => {
                if let Some(whole) = self.defragmenter.insert(frame.time, &fragment) {
                    match whole.udp() {
                        Ok(udp) if is_ours(&udp) => each(place, Unit::Payload(payload(&udp, 0)))?,
                        Ok(_) => {}
                        Err(error) => each(place, Unit::Damaged(error))?,
                    }
                }
            }
            Ok(_) => {}
            Err(error) => each(place, Unit::Damaged(error))?,
        }
        Ok(())
    }
}

/// Gives every unit of the capture to `each`, in the order of the frames. Records that cannot be read are
/// reported and passed over; a file that ends early is an error, after all that came before.
pub(crate) fn for_each(
    capture: &mut Capture,
    mut each: impl FnMut(Place, Unit<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut traffic = Traffic::default();
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => traffic.frame(&frame, &mut each)?,
            Ok(None) => return Ok(()),
            Err(error) if error.is_recoverable() => eprintln!("mailslot: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
}

#[inline]
const fn is_ours(udp: &UdpDatagram<'_>) -> bool {
    udp.destination.port() == nbdgm::PORT || udp.source.port() == nbdgm::PORT
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
