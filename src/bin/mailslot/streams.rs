//! From TCP segments to the packets of sessions on ports 139 and 445.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use mailslot::capture::{TcpDirection, TcpEvent, TcpReassembler, TcpSegment, TcpStart, Timestamp};
use mailslot::wire::nbss::{self, Framing, HEADER_LEN, Next};
use mailslot::wire::smb::{Protocol, rap};

use crate::writes::Writes;

/// RAP calls of one session whose answers are still to come.
const MAX_CALLS: usize = 16;

/// Something of a session.
pub(crate) struct SessionUnit<'a> {
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
    /// Number of the TCP stream, from 1 on.
    pub(crate) stream: u64,
    pub(crate) part: Part<'a>,
}

impl<'a> SessionUnit<'a> {
    /// The packet's bytes and their place in the frame; none if this is none.
    pub(crate) const fn bytes(&self) -> (&'a [u8], usize) {
        match self.part {
            Part::Packet { bytes, base, .. } => (bytes, base),
            _ => (&[], 0),
        }
    }
}

pub(crate) enum Part<'a> {
    /// A whole packet.
    Packet {
        bytes: &'a [u8],
        /// What to add to offsets in `bytes`: its place in the frame, or 0 where it came in several.
        base: usize,
        calls: &'a mut Calls,
        writes: &'a mut Writes,
    },
    /// Bytes are not in the capture.
    Gap { bytes: u64 },
    /// The stream ends inside a packet.
    Cut { have: usize, needed: usize },
    /// The rest of the stream is not read.
    Skipped(&'static str),
}

/// The RAP calls that wait for an answer: it does not say itself what it answers.
#[derive(Default)]
pub(crate) struct Calls(VecDeque<Call>);

struct Call {
    mid: u16,
    function: rap::Function,
    level: u16,
}

impl Calls {
    /// A request with this MID.
    pub(crate) fn asked(&mut self, mid: u16, function: rap::Function, level: u16) {
        if self.0.len() == MAX_CALLS {
            self.0.pop_front();
        }
        self.0.push_back(Call { mid, function, level });
    }

    /// What the answer with this MID answers. There may be further answers, with the rest of the data.
    pub(crate) fn answered(&self, mid: u16) -> Option<(rap::Function, u16)> {
        let call = self.0.iter().rfind(|call| call.mid == mid)?;
        Some((call.function, call.level))
    }
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Streams {
    tcp: TcpReassembler<Conversation>,
}

/// One session.
#[derive(Default)]
struct Conversation {
    sides: [Side; 2],
    /// It was said that the session is not read.
    skipped: bool,
    calls: Calls,
    writes: Writes,
}

/// Where a direction stands.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Before its first byte.
    #[default]
    Start,
    /// A packet begins at the next byte.
    InStep,
    /// Where the next packet begins is not known: the beginning, or a part, is missing.
    Seeking,
    /// What comes is not ours.
    Skipping,
}

impl Conversation {
    fn side(&mut self, direction: &TcpDirection) -> &mut Side {
        let [low, high] = &mut self.sides;
        if direction.source < direction.destination { low } else { high }
    }
}

/// How the ports of a stream frame its packets; `None` if the stream is not ours.
pub(crate) const fn framing(source: SocketAddrV4, destination: SocketAddrV4) -> Option<Framing> {
    match (source.port(), destination.port()) {
        (139, _) | (_, 139) => Some(Framing::Session),
        (445, _) | (_, 445) => Some(Framing::Direct),
        _ => None,
    }
}

impl Streams {
    /// Takes a segment of a session in; gives what it completes to `each`.
    pub(crate) fn segment(
        &mut self,
        now: Timestamp,
        segment: &TcpSegment<'_>,
        mut each: impl FnMut(SessionUnit<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut arrivals = self.tcp.push(now, segment);
        while let Some(event) = arrivals.next_event() {
            take(event, &mut each)?;
        }
        Ok(())
    }

    /// Nothing more comes.
    pub(crate) fn finish(
        &mut self,
        mut each: impl FnMut(SessionUnit<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut arrivals = self.tcp.finish();
        while let Some(event) = arrivals.next_event() {
            take(event, &mut each)?;
        }
        Ok(())
    }
}

fn take(
    event: TcpEvent<'_, Conversation>,
    each: &mut impl FnMut(SessionUnit<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match event {
        TcpEvent::Data(mut data) => {
            let direction = *data.direction();
            let Some(framing) = framing(direction.source, direction.destination) else { return Ok(()) };
            loop {
                let bytes = data.peek();
                let base = data.frame_offset().unwrap_or(0);
                let state = data.state();
                match step(state, &direction, framing, bytes) {
                    Step::Wait => return Ok(()),
                    Step::PassOver => {
                        data.consume(bytes.len() as u64);
                        return Ok(());
                    }
                    Step::Skip(what) => {
                        let said = std::mem::replace(&mut state.skipped, true);
                        data.consume(bytes.len() as u64);
                        return if said { Ok(()) } else { each(unit(&direction, Part::Skipped(what))) };
                    }
                    Step::Packet(length) => {
                        let bytes = bytes.get(..length).unwrap_or(bytes);
                        let Conversation { calls, writes, .. } = state;
                        let part = Part::Packet { bytes, base, calls, writes };
                        let result = each(unit(&direction, part));
                        data.consume(length as u64);
                        result?;
                    }
                }
            }
        }
        TcpEvent::Gap(gap) => {
            let (direction, bytes) = (gap.direction, gap.bytes.saturating_sub(gap.passed_over));
            let side = gap.state.side(&direction);
            if *side == Side::Skipping || (bytes == 0 && gap.rest.is_empty()) {
                return Ok(());
            }
            *side = Side::Seeking;
            each(unit(&direction, Part::Gap { bytes: bytes + gap.rest.len() as u64 }))
        }
        TcpEvent::End(end) => {
            let direction = end.direction;
            let inside = *end.state.side(&direction) == Side::InStep && !end.rest.is_empty();
            match framing(direction.source, direction.destination) {
                Some(framing) if inside => {
                    let needed = match nbss::next_packet(framing, end.rest) {
                        Ok(Next::Needs(needed)) => needed,
                        _ => end.rest.len(),
                    };
                    each(unit(&direction, Part::Cut { have: end.rest.len(), needed }))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

const fn unit<'a>(direction: &TcpDirection, part: Part<'a>) -> SessionUnit<'a> {
    SessionUnit {
        source: direction.source,
        destination: direction.destination,
        stream: direction.stream,
        part,
    }
}

enum Step {
    /// A packet of this length is there.
    Packet(usize),
    /// More bytes are needed.
    Wait,
    /// These bytes cannot be read.
    PassOver,
    /// None of the stream's bytes are to be read, because it is this.
    Skip(&'static str),
}

fn step(state: &mut Conversation, direction: &TcpDirection, framing: Framing, bytes: &[u8]) -> Step {
    let side = state.side(direction);
    if *side == Side::Start && direction.start == TcpStart::Middle {
        *side = Side::Seeking;
    }
    match *side {
        Side::Skipping => Step::PassOver,
        // A segment often begins with a packet; what does not is passed over.
        Side::Seeking => match begins_packet(framing, bytes) {
            None => Step::Wait,
            Some(false) => Step::PassOver,
            Some(true) => {
                *side = Side::InStep;
                step(state, direction, framing, bytes)
            }
        },
        Side::Start | Side::InStep => {
            if bytes.is_empty() {
                return Step::Wait;
            }
            match other_protocol(framing, bytes, *side == Side::Start) {
                Some(what) => {
                    state.sides = [Side::Skipping; 2];
                    Step::Skip(what)
                }
                None => match nbss::next_packet(framing, bytes) {
                    Ok(Next::Packet(length)) => {
                        *side = Side::InStep;
                        Step::Packet(length)
                    }
                    Ok(Next::Needs(_)) => {
                        if bytes.len() >= HEADER_LEN {
                            *side = Side::InStep;
                        }
                        Step::Wait
                    }
                    // The decoder tells what is wrong with these bytes; the stream cannot be followed further.
                    Err(_) => {
                        *side = Side::Skipping;
                        Step::Packet(bytes.len())
                    }
                },
            }
        }
    }
}

/// What the stream is, if it is not ours.
fn other_protocol(framing: Framing, bytes: &[u8], first: bool) -> Option<&'static str> {
    let message = bytes.get(HEADER_LEN..).filter(|_| bytes.first() == Some(&0));
    match message.and_then(Protocol::of) {
        Some(Protocol::Smb2) => return Some("SMB2"),
        Some(Protocol::Smb3Transform) => return Some("encrypted SMB3"),
        Some(_) => return None,
        None => {}
    }
    // Something else that uses the port, such as a scanner's probe.
    let foreign = first && nbss::next_packet(framing, bytes).is_err();
    foreign.then_some("no session service")
}

/// Whether a packet seems to begin here; `None` if there are too few bytes to tell.
fn begins_packet(framing: Framing, bytes: &[u8]) -> Option<bool> {
    let (&[kind, flags, high, low], message) = bytes.split_first_chunk::<HEADER_LEN>()?;
    if flags > 1 {
        return Some(false);
    }
    Some(match (kind, framing) {
        (0, _) => Protocol::of(message.get(..4)?).is_some(),
        // A request's two names, or the fixed lengths of the answers.
        (0x81, Framing::Session) => high == 0 && low >= 68,
        (0x82 | 0x85, Framing::Session) => (high, low) == (0, 0),
        (0x83, Framing::Session) => (high, low) == (0, 1),
        (0x84, Framing::Session) => (high, low) == (0, 6),
        _ => false,
    })
}
