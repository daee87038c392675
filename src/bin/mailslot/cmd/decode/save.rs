//! `--write`: the frames of what is shown, as a capture.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use anyhow::Context;
use mailslot::capture::{Format, Frame, LinkType, Packet, Timestamp, Writer};
use mailslot::wire::nbdgm;

use crate::output::note;
use crate::streams;

/// Most bytes of frames that are kept until it is known whether what they are part of is shown.
const MOST_HELD: usize = 4 << 20;

/// A capture being written.
pub(super) struct Save {
    writer: Writer<Box<dyn Write>>,
    name: String,
    /// Frames that hold only a part of something, the oldest first.
    held: VecDeque<(Part, Held)>,
    held_bytes: usize,
    /// Frames given up because there were too many of them.
    given_up: u64,
    /// Each frame is to be in the file when it was shown.
    immediate: bool,
}

/// What a frame is a part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A fragmented IPv4 packet.
    Ipv4 { source: Ipv4Addr, destination: Ipv4Addr, identification: u16 },
    /// A direction of a session.
    Stream { source: SocketAddrV4, destination: SocketAddrV4 },
    /// A datagram in NetBIOS fragments.
    Datagram { source: Ipv4Addr, dgm_id: u16 },
}

/// A frame that outlives its buffer.
struct Held {
    time: Timestamp,
    link: LinkType,
    interface: u32,
    original_len: u32,
    bytes: Box<[u8]>,
}

impl Held {
    fn new(frame: &Frame<'_>) -> Self {
        let Frame { time, link, interface, original_len, bytes, .. } = *frame;
        Self { time, link, interface, original_len, bytes: bytes.into() }
    }

    const fn frame(&self) -> Frame<'_> {
        let mut frame = Frame::new(self.time, self.link, &self.bytes);
        frame.interface = self.interface;
        frame.original_len = self.original_len;
        frame
    }
}

/// What became of a frame.
#[derive(Default, Clone, Copy)]
pub(super) struct Outcome {
    /// Something ended in it.
    pub(super) completed: bool,
    /// Something of that was shown.
    pub(super) shown: bool,
}

impl Save {
    /// Classic pcap if the name says so, else pcapng; `-` is standard output.
    pub(super) fn create(path: &Path, immediate: bool) -> anyhow::Result<Self> {
        let is_stdout = path == Path::new("-");
        let name = if is_stdout { "standard output".to_owned() } else { path.display().to_string() };
        let classic = path.extension().is_some_and(|ending| ending == "pcap" || ending == "cap");
        let format = if classic { Format::Pcap } else { Format::PcapNg };
        let sink: Box<dyn Write> = if is_stdout {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).with_context(|| name.clone())?)
        };
        let writer = Writer::new(sink, format);
        Ok(Self { writer, name, held: VecDeque::new(), held_bytes: 0, given_up: 0, immediate })
    }

    /// Writes the frame if what ended in it was shown, and with it those that hold the other parts; keeps it if it
    /// may be a part of what is still to end.
    pub(super) fn take(&mut self, frame: &Frame<'_>, outcome: Outcome) -> anyhow::Result<()> {
        let part = part(frame);
        if outcome.completed
            && let Some(part) = part
        {
            // In the order of the capture.
            let (mine, others): (VecDeque<_>, _) =
                std::mem::take(&mut self.held).into_iter().partition(|(held, _)| *held == part);
            self.held = others;
            for (_, held) in mine {
                self.held_bytes -= held.bytes.len();
                if outcome.shown {
                    self.writer.write(&held.frame()).with_context(|| self.name.clone())?;
                }
            }
        }
        if outcome.shown {
            self.writer.write(frame).with_context(|| self.name.clone())?;
            if self.immediate {
                self.writer.flush().with_context(|| self.name.clone())?;
            }
        } else if let Some(part) = part {
            self.hold(part, frame);
        }
        Ok(())
    }

    fn hold(&mut self, part: Part, frame: &Frame<'_>) {
        self.held_bytes += frame.bytes.len();
        self.held.push_back((part, Held::new(frame)));
        while self.held_bytes > MOST_HELD {
            let Some((_, oldest)) = self.held.pop_front() else { break };
            self.held_bytes -= oldest.bytes.len();
            self.given_up += 1;
        }
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        let frames = self.writer.frames();
        self.writer.finish().with_context(|| self.name.clone())?;
        note(format_args!("{frames} frames written to {}", crate::text::safe(&self.name)));
        if self.given_up > 0 {
            note(format_args!("{} frames with parts of long messages are not among them", self.given_up));
        }
        Ok(())
    }
}

/// What the frame is a part of, if it may be one of several.
fn part(frame: &Frame<'_>) -> Option<Part> {
    match frame.packet().ok()? {
        Packet::Fragment(fragment) => Some(Part::Ipv4 {
            source: fragment.source,
            destination: fragment.destination,
            identification: fragment.identification,
        }),
        Packet::Tcp(segment) => {
            streams::framing(segment.source, segment.destination)?;
            let part = Part::Stream { source: segment.source, destination: segment.destination };
            (!segment.payload.is_empty()).then_some(part)
        }
        Packet::Udp(udp) if udp.destination.port() == nbdgm::PORT || udp.source.port() == nbdgm::PORT => {
            let salvage = nbdgm::Salvage::read(udp.payload)?;
            let more = salvage.header.flags.contains(nbdgm::Flags::MORE);
            let later = salvage.length_and_offset.is_some_and(|(_, offset)| offset > 0);
            let part = Part::Datagram { source: *udp.source.ip(), dgm_id: salvage.header.dgm_id };
            (more || later).then_some(part)
        }
        _ => None,
    }
}
