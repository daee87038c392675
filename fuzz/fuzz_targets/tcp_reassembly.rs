//! TCP segments in any order: bounded, never a panic, every byte told at most once, every direction ended.

#![no_main]

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use libfuzzer_sys::fuzz_target;
use mailslot::capture::{TcpEvent, TcpFlags, TcpLimits, TcpReassembler, TcpSegment, Timestamp};

// Input: segments of (ports and seconds that pass, flags, what the consumer takes, sequence (2 bytes), length,
// missing bytes), then as many bytes as the length says.
fuzz_target!(|data: &[u8]| {
    let mut limits = TcpLimits::default();
    (limits.streams, limits.direction, limits.bytes, limits.window) = (3, 600, 1200, 5000);
    let mut tcp = TcpReassembler::<u64>::new(limits);
    // How far each direction was told.
    let mut told = BTreeMap::new();
    let mut now = 0;
    let mut rest = data;
    while let Some((&[ends, flags, taken, high, low, len, missing], after)) = rest.split_first_chunk::<7>() {
        let (payload, next) = after.split_at(usize::from(len).min(after.len()));
        rest = next;
        now += i64::from(ends >> 4);
        let client = SocketAddrV4::new([10, 0, 0, 1].into(), u16::from(ends & 7));
        let server = SocketAddrV4::new([10, 0, 0, 2].into(), 139);
        let (source, destination) = if ends & 8 == 0 { (client, server) } else { (server, client) };
        // Around the place where the numbers wrap.
        let sequence = u32::from(u16::from_be_bytes([high, low])).wrapping_sub(0x8000);
        let flags = TcpFlags::from_bits_retain(flags);
        let mut segment = TcpSegment::new(source, destination, sequence, flags, payload);
        segment.missing = usize::from(missing >> 4);
        let mut arrivals = tcp.push(Timestamp::new(now, 0), &segment);
        while let Some(event) = arrivals.next_event() {
            see(event, taken, &mut told);
        }
        drop(arrivals);
        assert!(tcp.streams() <= limits.streams && tcp.bytes() <= limits.bytes);
    }
    let mut arrivals = tcp.finish();
    while let Some(event) = arrivals.next_event() {
        see(event, 255, &mut told);
    }
    drop(arrivals);
    assert!(tcp.streams() == 0 && tcp.bytes() == 0 && told.is_empty());
});

fn see(event: TcpEvent<'_, u64>, taken: u8, told: &mut BTreeMap<(u64, u16), u64>) {
    let key = |direction: &mailslot::capture::TcpDirection| (direction.stream, direction.source.port());
    match event {
        TcpEvent::Data(mut data) => {
            let until = told.entry(key(data.direction())).or_default();
            // Bytes that were left are shown again, from the first on.
            assert!(data.offset() <= *until || *data.state() > 0 || *until == 0);
            let end = data.offset() + data.peek().len() as u64;
            assert!(end >= *until);
            *until = end;
            let count = u64::from(taken);
            *data.state() += count.saturating_sub(data.peek().len() as u64);
            data.consume(count);
        }
        TcpEvent::Gap(gap) => {
            let until = told.entry(key(&gap.direction)).or_default();
            assert!(gap.offset >= *until && gap.passed_over <= gap.bytes);
            *until = gap.offset + gap.bytes;
        }
        TcpEvent::End(end) => {
            let until = told.remove(&key(&end.direction)).unwrap_or_default();
            assert!(end.offset >= until);
        }
        _ => {}
    }
}
