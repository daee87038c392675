//! TCP reassembly: order, overlaps, starts and ends, bounds.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Duration;

use mailslot::capture::{
    Packet, Reader, TcpCounters, TcpEndReason, TcpEvent, TcpFlags, TcpGapReason, TcpLimits, TcpReassembler,
    TcpSegment, TcpStart, Timestamp,
};
use proptest::prelude::*;

const SYN: TcpFlags = TcpFlags::SYN;
const FIN: TcpFlags = TcpFlags::FIN;
const RST: TcpFlags = TcpFlags::RST;
const ACK: TcpFlags = TcpFlags::ACK;
const PSH: TcpFlags = TcpFlags::PSH;

/// What was told, with its bytes copied. The number is the sender's port.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Data(u16, u64, Vec<u8>),
    Gap(u16, u64, u64, TcpGapReason, Vec<u8>),
    End(u16, u64, TcpEndReason, Vec<u8>),
}

fn data(port: u16, offset: u64, bytes: &[u8]) -> Told {
    Told::Data(port, offset, bytes.to_vec())
}

fn gap(port: u16, offset: u64, bytes: u64, reason: TcpGapReason) -> Told {
    Told::Gap(port, offset, bytes, reason, Vec::new())
}

fn end(port: u16, offset: u64, reason: TcpEndReason) -> Told {
    Told::End(port, offset, reason, Vec::new())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0)
}

/// A conversation between the ports 1 and 2, and a consumer that takes whole messages of `size` bytes.
struct Talk {
    tcp: TcpReassembler<u64>,
    now: Timestamp,
    size: usize,
}

impl Talk {
    fn new(limits: TcpLimits) -> Self {
        Self { tcp: TcpReassembler::new(limits), now: at(0), size: 1 }
    }

    fn of(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    fn push(&mut self, port: u16, sequence: u32, flags: TcpFlags, payload: &[u8]) -> Vec<Told> {
        self.segment(&TcpSegment::new(ends(port), ends(3 - port), sequence, flags, payload))
    }

    fn segment(&mut self, segment: &TcpSegment<'_>) -> Vec<Told> {
        let size = self.size;
        collect(&mut self.tcp.push(self.now, segment), size)
    }

    fn finish(&mut self) -> Vec<Told> {
        let size = self.size;
        collect(&mut self.tcp.finish(), size)
    }

    fn counters(&self) -> TcpCounters {
        *self.tcp.counters()
    }

    /// A stream whose direction from port 1 begins at `first`.
    fn open(first: u32) -> Self {
        let mut talk = Self::default();
        assert_eq!(talk.push(1, first.wrapping_sub(1), SYN, b""), []);
        talk
    }
}

impl Default for Talk {
    fn default() -> Self {
        Self::new(TcpLimits::default())
    }
}

fn ends(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new([10, 0, 0, 1].into(), port)
}

fn collect(arrivals: &mut mailslot::capture::TcpArrivals<'_, '_, u64>, size: usize) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(event) = arrivals.next_event() {
        told.push(match event {
            TcpEvent::Data(mut data) => {
                let (port, offset) = (data.direction().source.port(), data.offset());
                let whole = data.peek().len() / size * size;
                let bytes = data.peek()[..whole].to_vec();
                data.consume(whole as u64);
                assert_eq!(data.offset(), offset + whole as u64);
                *data.state() += whole as u64;
                if whole == 0 {
                    continue;
                }
                Told::Data(port, offset, bytes)
            }
            TcpEvent::Gap(gap) => {
                Told::Gap(gap.direction.source.port(), gap.offset, gap.bytes, gap.reason, gap.rest.to_vec())
            }
            TcpEvent::End(end) => {
                Told::End(end.direction.source.port(), end.offset, end.reason, end.rest.to_vec())
            }
            other => panic!("{other:?}"),
        });
    }
    told
}

#[test]
fn both_directions_in_order() {
    let mut talk = Talk::open(1000);
    talk.push(2, 7000, SYN | ACK, b"");
    talk.push(1, 1000, ACK, b"");
    assert_eq!(talk.push(1, 1000, ACK, b"hello"), [data(1, 0, b"hello")]);
    assert_eq!(talk.push(2, 7001, ACK, b"world"), [data(2, 0, b"world")]);
    assert_eq!(talk.push(1, 1005, FIN | ACK, b"!"), [data(1, 5, b"!"), end(1, 6, TcpEndReason::Fin)]);
    assert_eq!(talk.push(2, 7006, FIN | ACK, b""), [end(2, 5, TcpEndReason::Fin)]);
    let counters = talk.counters();
    assert_eq!((counters.segments, counters.streams, counters.headless), (7, 1, 0));
    assert_eq!((talk.tcp.streams(), talk.tcp.bytes()), (1, 0));
    assert_eq!(talk.finish(), []);
    assert_eq!(talk.tcp.streams(), 0);
}

#[test]
fn segments_in_order_are_lent() {
    let mut tcp = TcpReassembler::<()>::default();
    let payload = b"0123456789";
    let mut segment = TcpSegment::new(ends(1), ends(2), 5, ACK, payload);
    segment.payload_offset = 54;
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(mut seen)) = arrivals.next_event() else { panic!() };
    assert_eq!(seen.peek().as_ptr(), payload.as_ptr());
    assert_eq!((seen.frame_offset(), seen.direction().start), (Some(54), TcpStart::Middle));
    seen.consume(4);
    assert_eq!((seen.frame_offset(), seen.peek()), (Some(58), &b"456789"[..]));
    assert!(arrivals.next_event().is_none());
    drop(arrivals);
    // What was left is kept, and is not in the next frame.
    assert_eq!(tcp.bytes(), 6 + TcpLimits::PIECE_COST);
    segment.sequence = 15;
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(mut seen)) = arrivals.next_event() else { panic!() };
    assert_eq!((seen.frame_offset(), seen.offset(), seen.peek()), (None, 4, &b"4567890123456789"[..]));
    seen.consume(16);
    drop(arrivals);
    assert_eq!(tcp.bytes(), 0);
    // A repetition that brings something new is lent from there on.
    segment.sequence = 22;
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(seen)) = arrivals.next_event() else { panic!() };
    assert_eq!((seen.frame_offset(), seen.peek()), (Some(57), &b"3456789"[..]));
}

#[test]
fn messages_across_segments() {
    let mut talk = Talk::of(4);
    assert_eq!(talk.push(1, 0, ACK, b"abc"), []);
    assert_eq!(talk.push(1, 3, ACK, b"defghi"), [data(1, 0, b"abcdefgh")]);
    assert_eq!(talk.push(1, 9, ACK, b"jkl"), [data(1, 8, b"ijkl")]);
    assert_eq!(talk.push(1, 12, ACK, b"m"), []);
    assert_eq!(talk.finish(), [Told::End(1, 13, TcpEndReason::CaptureEnd, b"m".to_vec())]);
}

#[test]
fn events_not_asked_for_lose_no_bytes() {
    let mut tcp = TcpReassembler::<()>::default();
    drop(tcp.push(at(0), &TcpSegment::new(ends(1), ends(2), 5, ACK, b"abc")));
    let segment = TcpSegment::new(ends(1), ends(2), 8, ACK, b"def");
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(seen)) = arrivals.next_event() else { panic!() };
    assert_eq!(seen.peek(), b"abcdef");
}

#[test]
fn out_of_order() {
    let mut talk = Talk::open(100);
    assert_eq!(talk.push(1, 106, ACK, b"ghi"), []);
    assert_eq!(talk.push(1, 103, ACK, b"def"), []);
    assert_eq!(talk.push(1, 109, FIN, b"jkl"), []);
    let expected = [data(1, 0, b"abcdefghijkl"), end(1, 12, TcpEndReason::Fin)];
    assert_eq!(talk.push(1, 100, ACK, b"abc"), expected);
    assert_eq!((talk.counters().out_of_order, talk.tcp.bytes()), (3, 0));
}

#[test]
fn retransmissions_and_overlaps() {
    let mut talk = Talk::of(8);
    talk.push(1, 99, SYN, b"");
    talk.push(1, 99, SYN, b"");
    assert_eq!(talk.push(1, 100, ACK, b"abc"), []);
    assert_eq!(talk.push(1, 100, ACK, b"abc"), []);
    let counters = talk.counters();
    assert_eq!((counters.streams, counters.retransmitted_bytes, counters.conflicting_bytes), (1, 3, 0));
    // Kept bytes in order: the first stay.
    assert_eq!(talk.push(1, 101, ACK, b"BCd"), []);
    assert_eq!(talk.counters().conflicting_bytes, 2);
    // Behind a hole, too.
    assert_eq!(talk.push(1, 106, ACK, b"gh"), []);
    assert_eq!(talk.push(1, 105, ACK, b"fGHi"), []);
    assert_eq!(talk.counters().conflicting_bytes, 4);
    assert_eq!(talk.push(1, 104, ACK, b"eFGHIjklmnop"), [data(1, 0, b"abcdefghijklmnop".get(..16).unwrap())]);
    assert_eq!((talk.counters().conflicting_bytes, talk.counters().retransmitted_bytes), (8, 11));
    // Consumed bytes are not compared any more.
    assert_eq!(talk.push(1, 100, ACK, b"XXX"), []);
    assert_eq!((talk.counters().conflicting_bytes, talk.counters().retransmitted_bytes), (8, 14));
}

#[test]
fn sequence_numbers_wrap() {
    let first = u32::MAX - 2;
    let mut talk = Talk::open(first);
    assert_eq!(talk.push(1, first.wrapping_add(4), ACK, b"ef"), []);
    assert_eq!(talk.push(1, first, ACK, b"abcd"), [data(1, 0, b"abcdef")]);
    assert_eq!(talk.push(1, first, ACK, b"abcdefg"), [data(1, 6, b"g")]);
}

#[test]
fn streams_without_their_start() {
    let mut talk = Talk::default();
    // Nothing begins with these.
    assert_eq!(talk.push(1, 500, ACK, b""), []);
    assert_eq!(talk.push(1, 500, RST, b""), []);
    assert_eq!(talk.push(1, 500, FIN, b""), []);
    assert_eq!(talk.push(1, 499, ACK, b"\0"), []);
    assert_eq!((talk.tcp.streams(), talk.counters().keepalives), (0, 1));
    let mut arrivals = talk.tcp.push(at(0), &TcpSegment::new(ends(1), ends(2), 500, ACK, b"middle"));
    let Some(TcpEvent::Data(seen)) = arrivals.next_event() else { panic!() };
    assert_eq!((seen.direction().start, seen.direction().stream), (TcpStart::Middle, 1));
    drop(arrivals);
    // What was before is ignored.
    assert_eq!(talk.push(1, 490, ACK, b"0123456789"), []);
    assert_eq!(talk.push(2, 50, ACK | PSH, b"x"), [data(2, 0, b"x")]);
    assert_eq!((talk.counters().streams, talk.counters().headless), (1, 2));
}

#[test]
fn a_late_syn_is_recognised() {
    let mut talk = Talk::default();
    assert_eq!(talk.push(1, 100, ACK, b"ab"), [data(1, 0, b"ab")]);
    assert_eq!(talk.push(1, 99, SYN, b""), []);
    let mut arrivals = talk.tcp.push(at(0), &TcpSegment::new(ends(1), ends(2), 102, ACK, b"c"));
    let Some(TcpEvent::Data(seen)) = arrivals.next_event() else { panic!() };
    assert_eq!((seen.direction().start, seen.direction().stream, seen.offset()), (TcpStart::Syn, 1, 2));
}

#[test]
fn data_on_a_syn() {
    let mut talk = Talk::default();
    assert_eq!(talk.push(1, 99, SYN, b"abc"), [data(1, 0, b"abc")]);
    assert_eq!(talk.push(1, 103, ACK, b"d"), [data(1, 3, b"d")]);
}

#[test]
fn holes_are_told_at_the_end() {
    for (flags, reason) in [(RST, TcpEndReason::Reset), (RST | ACK, TcpEndReason::Reset)] {
        let mut talk = Talk::open(100);
        talk.push(1, 103, ACK, b"def");
        talk.push(1, 108, ACK, b"ij");
        let told = talk.push(1, 110, flags, b"because");
        let expected = [
            gap(1, 0, 3, TcpGapReason::End),
            data(1, 3, b"def"),
            gap(1, 6, 2, TcpGapReason::End),
            data(1, 8, b"ij"),
            end(1, 10, reason),
        ];
        assert_eq!(told, expected);
        assert_eq!((talk.counters().gaps, talk.counters().gap_bytes), (2, 5));
    }
    // The end of the capture; the hole before a FIN.
    let mut talk = Talk::open(100);
    talk.push(1, 100, ACK, b"ab");
    talk.push(1, 105, FIN, b"");
    assert_eq!(talk.finish(), [gap(1, 2, 3, TcpGapReason::End), end(1, 5, TcpEndReason::Fin)]);
    assert_eq!(talk.tcp.streams(), 0);
}

#[test]
fn a_gap_gives_up_what_was_left_before_it() {
    let mut talk = Talk::of(4);
    talk.push(1, 100, ACK, b"abcdef");
    talk.push(1, 108, ACK, b"ij");
    let rest = b"ef".to_vec();
    assert_eq!(
        talk.finish(),
        [
            Told::Gap(1, 6, 2, TcpGapReason::End, rest),
            Told::End(1, 10, TcpEndReason::CaptureEnd, b"ij".to_vec())
        ]
    );
    assert_eq!(talk.counters().given_up_bytes, 4);
}

#[test]
fn reset_ends_both_directions() {
    let mut talk = Talk::open(100);
    talk.push(2, 7000, SYN | ACK, b"");
    talk.push(1, 100, ACK, b"abc");
    assert_eq!(
        talk.push(2, 7001, RST, b""),
        [end(1, 3, TcpEndReason::Reset), end(2, 0, TcpEndReason::Reset)]
    );
    // What was on its way does not begin another stream.
    assert_eq!(talk.push(1, 103, ACK, b"def"), []);
    assert_eq!(talk.push(1, 100, ACK, b"abc"), []);
    assert_eq!(talk.push(2, 7001, RST, b""), []);
    let counters = talk.counters();
    assert_eq!((counters.streams, counters.reset), (1, 1));
    assert_eq!((counters.after_end_bytes, counters.retransmitted_bytes), (3, 3));
    // A refused connection.
    let mut talk = Talk::open(100);
    assert_eq!(talk.push(2, 0, RST | ACK, b""), [end(1, 0, TcpEndReason::Reset)]);
    // One that is far away is not of this connection.
    let mut talk = Talk::open(100);
    assert_eq!(talk.push(1, 1 << 31, RST, b""), []);
    assert_eq!(talk.counters().out_of_window, 1);
}

#[test]
fn bytes_behind_the_fin_are_ignored() {
    let mut talk = Talk::open(100);
    talk.push(1, 103, FIN, b"def");
    talk.push(1, 105, ACK, b"fXYZ");
    assert_eq!(talk.counters().after_end_bytes, 3);
    assert_eq!(talk.push(1, 100, ACK, b"abc"), [data(1, 0, b"abcdef"), end(1, 6, TcpEndReason::Fin)]);
    assert_eq!(talk.push(1, 106, ACK, b"gh"), []);
    assert_eq!(talk.push(1, 103, FIN, b"def"), []);
    assert_eq!((talk.counters().after_end_bytes, talk.counters().streams), (5, 1));
}

#[test]
fn keepalives() {
    let mut talk = Talk::open(100);
    talk.push(1, 100, ACK, b"abc");
    assert_eq!(talk.push(1, 102, ACK, b"\0"), []);
    assert_eq!(talk.push(1, 102, ACK, b""), []);
    let counters = talk.counters();
    assert_eq!((counters.keepalives, counters.retransmitted_bytes, counters.conflicting_bytes), (2, 0, 0));
    assert_eq!(talk.push(1, 103, ACK, b"d"), [data(1, 3, b"d")]);
}

#[test]
fn urgent_data_stays_in_its_place() {
    let mut talk = Talk::open(100);
    assert_eq!(talk.push(1, 100, TcpFlags::URG | PSH | ACK, b"Goodbye"), [data(1, 0, b"Goodbye")]);
    assert_eq!(talk.push(1, 107, ACK, b"!"), [data(1, 7, b"!")]);
    assert_eq!(talk.counters().urgent, 1);
}

#[test]
fn ports_are_used_again() {
    let mut talk = Talk::open(100);
    talk.push(2, 50, SYN | ACK, b"");
    talk.push(1, 101, ACK, b"b");
    // Without an end of the first, with a hole in it.
    let told = talk.push(1, 90_000, SYN, b"");
    let expected = [
        gap(1, 0, 1, TcpGapReason::End),
        data(1, 1, b"b"),
        end(1, 2, TcpEndReason::Reused),
        end(2, 0, TcpEndReason::Reused),
    ];
    assert_eq!(told, expected);
    assert_eq!(talk.push(1, 90_001, ACK, b"new"), [data(1, 0, b"new")]);
    assert_eq!((talk.counters().streams, talk.counters().reused, talk.tcp.streams()), (2, 1, 1));
    // Behind its end.
    talk.push(1, 90_004, RST, b"");
    assert_eq!(talk.push(1, 500, SYN, b"third"), [data(1, 0, b"third")]);
    assert_eq!((talk.counters().streams, talk.tcp.streams()), (3, 1));
    // The server's side first, then the client's: the same connection.
    let mut talk = Talk::default();
    talk.push(2, 50, SYN | ACK, b"");
    talk.push(1, 99, SYN, b"");
    assert_eq!(talk.counters().streams, 1);
}

#[test]
fn two_segments_far_away_are_another_connection() {
    let mut talk = Talk::open(100);
    talk.push(1, 100, ACK, b"abc");
    assert_eq!(talk.push(1, 3_000_000_000, ACK, b"one"), []);
    assert_eq!(talk.push(1, 103, ACK, b"def"), [data(1, 3, b"def")]);
    assert_eq!(talk.push(1, 3_000_000_000, ACK, b"one"), []);
    let told = talk.push(1, 3_000_000_003, ACK, b"two");
    assert_eq!(told, [end(1, 6, TcpEndReason::Reused), data(1, 0, b"two")]);
    assert_eq!((talk.counters().out_of_window, talk.counters().headless), (3, 1));
}

#[test]
fn frames_cut_by_the_capture() {
    let mut talk = Talk::open(100);
    let mut cut = TcpSegment::new(ends(1), ends(2), 100, ACK, b"abc");
    cut.missing = 4;
    assert_eq!(talk.segment(&cut), [data(1, 0, b"abc"), gap(1, 3, 4, TcpGapReason::Cut)]);
    assert_eq!(talk.push(1, 107, ACK, b"hij"), [data(1, 7, b"hij")]);
    assert_eq!(talk.segment(&cut), []);
    // Behind a hole.
    cut.sequence = 113;
    assert_eq!(talk.segment(&cut), []);
    assert_eq!(talk.push(1, 120, FIN, b"uv"), []);
    let expected = [
        data(1, 10, b"klmabc"),
        gap(1, 16, 4, TcpGapReason::Cut),
        data(1, 20, b"uv"),
        end(1, 22, TcpEndReason::Fin),
    ];
    assert_eq!(talk.push(1, 110, ACK, b"klm"), expected);
    // All of it.
    let mut talk = Talk::open(100);
    (cut.sequence, cut.payload, cut.flags) = (100, b"", FIN);
    assert_eq!(talk.segment(&cut), [gap(1, 0, 4, TcpGapReason::Cut), end(1, 4, TcpEndReason::Fin)]);
}

#[test]
fn bytes_can_be_passed_over_before_they_come() {
    let mut tcp = TcpReassembler::<()>::default();
    let segment = TcpSegment::new(ends(1), ends(2), 0, ACK, b"header");
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(mut seen)) = arrivals.next_event() else { panic!() };
    seen.consume(16);
    assert_eq!(seen.peek(), b"");
    drop(arrivals);
    let push = |tcp: &mut TcpReassembler<()>, sequence, bytes: &[u8]| {
        let segment = TcpSegment::new(ends(1), ends(2), sequence, ACK, bytes);
        let mut arrivals = tcp.push(at(0), &segment);
        let mut seen = Vec::new();
        while let Some(TcpEvent::Data(mut data)) = arrivals.next_event() {
            seen.extend_from_slice(data.peek());
            data.consume(data.peek().len() as u64);
        }
        seen
    };
    assert_eq!(push(&mut tcp, 6, b"xxxx"), b"");
    // Out of order, with the end of what is passed over inside.
    assert_eq!(push(&mut tcp, 13, b"xxxNE"), b"");
    assert_eq!(push(&mut tcp, 10, b"xxx"), b"NE");
    assert_eq!(push(&mut tcp, 18, b"XT"), b"XT");
    assert_eq!(tcp.bytes(), 0);
    // A gap in it costs the consumer nothing.
    let segment = TcpSegment::new(ends(1), ends(2), 20, ACK, b"h");
    let mut arrivals = tcp.push(at(0), &segment);
    let Some(TcpEvent::Data(mut seen)) = arrivals.next_event() else { panic!() };
    seen.consume(10);
    drop(arrivals);
    assert_eq!(push(&mut tcp, 25, b"xxxxxnext"), b"");
    let mut arrivals = tcp.finish();
    let Some(TcpEvent::Gap(gap)) = arrivals.next_event() else { panic!() };
    assert_eq!((gap.offset, gap.bytes, gap.passed_over), (21, 4, 4));
    let Some(TcpEvent::Data(seen)) = arrivals.next_event() else { panic!() };
    assert_eq!((seen.offset(), seen.peek()), (30, &b"next"[..]));
}

#[test]
fn a_hole_is_given_up_beyond_the_limits() {
    let mut limits = TcpLimits::default();
    limits.window = 1000;
    let mut talk = Talk::new(limits);
    talk.push(1, 99, SYN, b"");
    assert_eq!(talk.push(1, 600, ACK, b"abc"), []);
    let expected = [gap(1, 0, 500, TcpGapReason::Window), data(1, 500, b"abc")];
    assert_eq!(talk.push(1, 1100, ACK, b"far"), expected);
    assert_eq!(talk.counters().window, 1);

    let mut limits = TcpLimits::default();
    limits.direction = 1000;
    let mut talk = Talk::new(limits);
    talk.push(1, 99, SYN, b"");
    let cost = u32::try_from(TcpLimits::PIECE_COST).unwrap();
    assert_eq!(talk.push(1, 101, ACK, &vec![b'x'; 1000 - cost as usize]), []);
    let told = talk.push(1, 1200, ACK, b"more");
    assert_eq!(told[0], gap(1, 0, 1, TcpGapReason::DirectionLimit));
    assert_eq!(told.len(), 2);
    assert_eq!(talk.counters().direction_limit, 1);
}

#[test]
fn what_the_consumer_leaves_is_bounded() {
    let mut limits = TcpLimits::default();
    limits.direction = 1000;
    let mut talk = Talk { size: 5000, ..Talk::new(limits) };
    talk.push(1, 99, SYN, b"");
    assert_eq!(talk.push(1, 100, ACK, &[1; 1000]), []);
    let told = talk.push(1, 1100, ACK, &[2; 1]);
    let rest = [[1; 1000].as_slice(), &[2]].concat();
    assert_eq!(told, [Told::Gap(1, 1001, 0, TcpGapReason::DirectionLimit, rest)]);
    assert_eq!((talk.tcp.bytes(), talk.counters().given_up_bytes), (0, 1001));
}

#[test]
fn the_direction_that_waited_longest_gives_way() {
    let mut limits = TcpLimits::default();
    limits.bytes = 1000;
    let mut tcp = TcpReassembler::<u64>::new(limits);
    let mut push = |host: u8, sequence: u32, bytes: &[u8]| {
        let source = SocketAddrV4::new([10, 0, 1, host].into(), 9);
        let told =
            collect(&mut tcp.push(at(0), &TcpSegment::new(source, ends(2), sequence, ACK, bytes)), 300);
        assert!(tcp.bytes() <= 1000);
        (told, tcp.counters().memory_limit)
    };
    assert_eq!(push(1, 0, &[1; 200]), (vec![], 0));
    assert_eq!(push(2, 0, &[2; 200]), (vec![], 0));
    // The first stream goes on: it has not waited longest any more.
    let message = [[1; 200], [3; 200]].concat();
    assert_eq!(push(1, 200, &[3; 200]), (vec![data(9, 0, &message[..300])], 0));
    assert_eq!(push(3, 0, &[4; 250]), (vec![], 0));
    let lost = Told::Gap(9, 200, 0, TcpGapReason::MemoryLimit, vec![2; 200]);
    assert_eq!(push(4, 0, &[5; 250]), (vec![lost], 1));
    // What is behind a hole is lost with it.
    let (told, _) = push(4, 400, &[6; 100]);
    assert_eq!(told, []);
    let (told, _) = push(5, 0, &[7; 299]);
    assert_eq!(
        told,
        [
            Told::Gap(9, 400, 0, TcpGapReason::MemoryLimit, vec![3; 100]),
            Told::Gap(9, 250, 0, TcpGapReason::MemoryLimit, vec![4; 250])
        ]
    );
    let (told, _) = push(6, 0, &[8; 299]);
    assert_eq!(told, [Told::Gap(9, 250, 250, TcpGapReason::MemoryLimit, vec![5; 250])]);
    assert_eq!(push(4, 500, &[6; 300]).0, [data(9, 500, &[6; 300])]);
}

#[test]
fn streams_are_bounded_in_number_and_time() {
    let mut limits = TcpLimits::default();
    (limits.streams, limits.idle, limits.linger) = (2, Duration::from_secs(100), Duration::from_secs(10));
    let mut talk = Talk::new(limits);
    let other = |port, flags| TcpSegment::new(ends(port), ends(99), 5, flags, b"abc");
    talk.push(1, 99, SYN, b"");
    talk.push(1, 101, ACK, b"b");
    talk.now = at(10);
    talk.segment(&other(50, PSH));
    talk.push(1, 102, ACK, b"c");
    // The one that was silent longest makes place.
    assert_eq!(talk.segment(&other(51, PSH)), [end(50, 3, TcpEndReason::Evicted), data(51, 0, b"abc")]);
    assert_eq!((talk.tcp.streams(), talk.counters().evicted), (2, 1));
    // A closed one before all others.
    talk.push(1, 101, RST, b"");
    assert_eq!(talk.segment(&other(52, PSH)), [data(52, 0, b"abc")]);
    assert_eq!(talk.counters().evicted, 1);
    // Silence.
    talk.now = at(109);
    talk.segment(&other(52, ACK));
    talk.now = at(110);
    assert_eq!(talk.segment(&other(52, ACK)), [end(51, 3, TcpEndReason::Idle)]);
    assert_eq!((talk.tcp.streams(), talk.counters().idle), (1, 1));
    // A closed one is remembered for a while.
    talk.segment(&TcpSegment::new(ends(52), ends(99), 8, RST, b""));
    assert_eq!(talk.tcp.streams(), 1);
    talk.now = at(119);
    assert_eq!(talk.segment(&other(52, ACK)), []);
    talk.now = at(120);
    assert_eq!(talk.segment(&other(52, PSH)), [data(52, 0, b"abc")]);
    assert_eq!(talk.counters().streams, 5);
}

#[test]
fn ten_thousand_streams() {
    const STREAMS: u32 = 10_000;
    let limits = TcpLimits::default();
    let mut tcp = TcpReassembler::<u64>::default();
    let (mut most, mut lost, mut ended, mut whole) = (0, 0, 0, 0_u64);
    let mut take = |told: Vec<Told>| {
        for event in told {
            match event {
                Told::Data(_, _, bytes) => whole += bytes.len() as u64 / 700,
                Told::Gap(_, _, bytes, reason, rest) => {
                    assert_eq!((bytes, reason), (0, TcpGapReason::MemoryLimit));
                    lost += rest.len() as u64;
                }
                Told::End(_, _, _, rest) => ended += 1 + rest.len() as u64 * 1_000_000,
            }
        }
    };
    // Messages of 700 bytes, in segments of 500, 500, 400: both directions of all streams wait for the rest of
    // one at the same time.
    let payload = [b'm'; 500];
    for (sequence, len) in [(0, 500), (500, 500), (1000, 400)] {
        for stream in 0..STREAMS {
            let [_, a, b, c] = stream.to_be_bytes();
            let client = SocketAddrV4::new([10, a, b, c].into(), 1025);
            for (from, to) in [(client, ends(139)), (ends(139), client)] {
                let segment = TcpSegment::new(from, to, sequence, ACK, &payload[..len]);
                take(collect(&mut tcp.push(at(i64::from(sequence)), &segment), 700));
                most = most.max(tcp.bytes());
                assert!(tcp.bytes() <= limits.bytes);
            }
        }
    }
    assert_eq!(tcp.streams(), 10_000);
    take(collect(&mut tcp.finish(), 700));
    assert_eq!((tcp.streams(), tcp.bytes()), (0, 0));
    let counters = *tcp.counters();
    assert!(most > limits.bytes - 1000);
    assert_eq!((counters.streams, counters.evicted, ended % 1_000_000), (10_000, 0, 20_000));
    assert!(counters.memory_limit > 0 && lost > 0);
    // Every byte is in a message, in what was given up, or in a rest.
    assert_eq!(whole * 700 + counters.given_up_bytes, 20_000 * 1400);
    assert_eq!(lost + ended / 1_000_000, counters.given_up_bytes);
}

/// A segment of the model: its span of the direction's bytes.
#[derive(Debug, Clone)]
struct Span {
    low: bool,
    from: usize,
    to: usize,
    fin: bool,
}

/// Cuts `len` bytes at the given places.
fn spans(low: bool, len: usize, cuts: &[usize]) -> Vec<Span> {
    let mut edges: Vec<usize> = cuts.iter().map(|cut| cut % len).filter(|cut| *cut > 0).collect();
    edges.extend([0, len]);
    edges.sort_unstable();
    edges.dedup();
    edges.windows(2).map(|edge| Span { low, from: edge[0], to: edge[1], fin: edge[1] == len }).collect()
}

/// What one direction gave: bytes and holes by their offsets.
#[derive(Debug, Default, PartialEq, Eq)]
struct Model {
    bytes: BTreeMap<u64, u8>,
    holes: BTreeMap<u64, ()>,
    ended: u32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_comes_out_is_what_was_sent(
        sent in [prop::collection::vec(any::<u8>(), 1..3000), prop::collection::vec(any::<u8>(), 1..3000)],
        first in (any::<u32>(), u32::MAX - 2000..=u32::MAX).prop_map(|(low, high)| [low, high]),
        cuts in [prop::collection::vec(any::<usize>(), 0..40), prop::collection::vec(any::<usize>(), 0..40)],
        extra in prop::collection::vec((any::<bool>(), any::<usize>(), 1_usize..400), 0..12),
        dropped in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        size in 1_usize..50,
        seed in any::<u64>(),
    ) {
        let mut parts = [spans(true, sent[0].len(), &cuts[0]), spans(false, sent[1].len(), &cuts[1])].concat();
        for index in dropped {
            if parts.len() > 1 {
                parts.remove(index.index(parts.len()));
            }
        }
        // Repetitions and overlaps with the bytes that were sent.
        for (low, from, len) in extra {
            let all = sent[usize::from(!low)].len();
            let from = from % all;
            parts.push(Span { low, from, to: (from + len).min(all), fin: false });
        }
        let mut state = seed;
        for i in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            parts.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        let mut expected = [Model::default(), Model::default()];
        for (side, model) in expected.iter_mut().enumerate() {
            let mine = || parts.iter().filter(|part| part.low == (side == 0));
            let end = mine().map(|part| part.to).max().unwrap_or(0);
            for (offset, &byte) in sent[side].iter().enumerate().take(end) {
                if mine().any(|part| (part.from..part.to).contains(&offset)) {
                    model.bytes.insert(offset as u64, byte);
                } else {
                    model.holes.insert(offset as u64, ());
                }
            }
            model.ended = 1;
        }
        let mut tcp = TcpReassembler::<u64>::default();
        let mut seen = [Model::default(), Model::default()];
        let mut note = |told: Vec<Told>| {
            for event in told {
                match event {
                    Told::Data(port, offset, bytes) => {
                        let model = &mut seen[usize::from(port - 1)];
                        (offset..).zip(bytes).for_each(|(at, byte)| assert_eq!(model.bytes.insert(at, byte), None));
                    }
                    Told::Gap(port, offset, bytes, _, rest) => {
                        let model = &mut seen[usize::from(port - 1)];
                        (offset - rest.len() as u64..).zip(rest).for_each(|(at, byte)| {
                            assert_eq!(model.bytes.insert(at, byte), None);
                        });
                        (offset..offset + bytes).for_each(|at| assert_eq!(model.holes.insert(at, ()), None));
                    }
                    Told::End(port, offset, _, rest) => {
                        let model = &mut seen[usize::from(port - 1)];
                        (offset - rest.len() as u64..).zip(rest).for_each(|(at, byte)| {
                            assert_eq!(model.bytes.insert(at, byte), None);
                        });
                        model.ended += 1;
                    }
                }
            }
        };
        let segment = |side: usize, sequence: u32, flags, payload| {
            let (from, to) = if side == 0 { (ends(1), ends(2)) } else { (ends(2), ends(1)) };
            TcpSegment::new(from, to, first[side].wrapping_add(sequence), flags, payload)
        };
        note(collect(&mut tcp.push(at(0), &segment(0, 0_u32.wrapping_sub(1), SYN, b"")), size));
        note(collect(&mut tcp.push(at(0), &segment(1, 0_u32.wrapping_sub(1), SYN | ACK, b"")), size));
        for part in &parts {
            let side = usize::from(!part.low);
            let flags = if part.fin { FIN | ACK | PSH } else { ACK | PSH };
            let sequence = u32::try_from(part.from).unwrap();
            note(collect(&mut tcp.push(at(1), &segment(side, sequence, flags, &sent[side][part.from..part.to])), size));
            prop_assert!(tcp.bytes() <= TcpLimits::default().bytes);
        }
        note(collect(&mut tcp.finish(), size));
        prop_assert_eq!((tcp.bytes(), tcp.streams(), tcp.counters().conflicting_bytes), (0, 0, 0));
        prop_assert_eq!(seen, expected);
    }

    /// Segments that fit to nothing: the accounts stay right, the limits hold, each direction ends once.
    #[test]
    fn anything_stays_within_the_limits(
        segments in prop::collection::vec(
            (0_u16..6, 0_u32..3000, any::<u8>(), 0_usize..300, 0_usize..20, 0_i64..30, any::<bool>()), 1..300,
        ),
        size in 1_usize..600,
    ) {
        let mut limits = TcpLimits::default();
        (limits.streams, limits.direction, limits.bytes, limits.window) = (4, 800, 1500, 2000);
        (limits.idle, limits.linger) = (Duration::from_secs(100), Duration::from_secs(20));
        let mut tcp = TcpReassembler::<u64>::new(limits);
        let payload = [7; 300];
        let mut now = 0;
        let mut ended = BTreeMap::new();
        let mut note = |told: Vec<Told>| {
            for event in told {
                if let Told::End(port, ..) = event {
                    *ended.entry(port).or_insert(0) += 1;
                }
            }
        };
        for (port, sequence, flags, len, missing, passed, back) in segments {
            now += if back { -passed / 2 } else { passed };
            let (from, to) = if flags & 0x80 == 0 { (ends(port), ends(99)) } else { (ends(99), ends(port)) };
            let flags = TcpFlags::from_bits_retain(if flags & 0x40 == 0 { 0x10 } else { flags & 0x3f });
            let mut segment = TcpSegment::new(from, to, sequence.wrapping_mul(7), flags, &payload[..len]);
            segment.missing = missing / 10 * missing;
            note(collect(&mut tcp.push(at(now), &segment), size));
            prop_assert!(tcp.streams() <= 4 && tcp.bytes() <= 1500);
        }
        note(collect(&mut tcp.finish(), size));
        prop_assert_eq!((tcp.streams(), tcp.bytes()), (0, 0));
        prop_assert!(ended.values().sum::<u64>() <= 2 * tcp.counters().streams);
    }
}

/// Streams and bytes as `tshark -T fields -e tcp.stream -e tcp.len` has them, less five in
/// the fifth file that it calls retransmissions and a keepalive.
#[test]
fn captures_of_others() {
    let files = [
        ("lab/pcaps/smbclient-message.pcap", 2, 985),
        ("lab/pcaps/nmbd-lifecycle.pcap", 5, 11_053),
        ("lab/pcaps/smbd-mailslot-write.pcap", 36, 49_328),
        ("captures/pcap/zeek_zeek__testing_btest_Traces_smb_raw_ntlm_in_smb.pcap", 1, 12_168),
        ("captures/pcap/idaholab_Malcolm-Test-Artifacts__pcap_other_Digital_Bond_S4_WinXP.pcap", 16, 14_270),
        ("captures/pcap/ITI_ICS-Security-Tools__pcaps_IEC61850_Sample_File_MMS_and_GOOSE.pcap", 4, 4_728),
    ];
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    for (name, streams, expected) in files {
        let Ok(file) = std::fs::File::open(shared.join(name)) else {
            eprintln!("SKIPPED: {name} is not in {}", shared.display());
            continue;
        };
        let mut reader = Reader::new(file).unwrap();
        let mut tcp = TcpReassembler::<u64>::default();
        let mut told = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            if let Ok(Packet::Tcp(segment)) = frame.packet() {
                told.extend(collect(&mut tcp.push(frame.time, &segment), 1));
            }
        }
        told.extend(collect(&mut tcp.finish(), 1));
        assert!(told.iter().all(|event| !matches!(event, Told::Gap(..))), "{name}");
        let bytes = |event: &Told| if let Told::Data(_, _, bytes) = event { bytes.len() } else { 0 };
        let counters = tcp.counters();
        assert_eq!((counters.out_of_window, counters.conflicting_bytes), (0, 0), "{name}");
        assert_eq!(
            (name, counters.streams, told.iter().map(bytes).sum::<usize>()),
            (name, streams, expected)
        );
    }
}
