//! Classic pcap: headers, times, lengths, errors.

use std::io::{self, Read};

use mailslot::capture::{CaptureError, LinkType, MAX_RECORD_LEN, Reader, Timestamp};

use crate::build::{Order, frames, pcap, read_all, record};

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

#[test]
fn both_orders_and_resolutions() {
    for order in [Order::Little, Order::Big] {
        for (magic, nanoseconds) in [(MICRO, 5000), (NANO, 5)] {
            let mut file = pcap(order, magic, 4, 113);
            file.extend(record(order, 946_684_800, 5, b"one"));
            file.extend(record(order, 0, 0, b""));
            let seen = frames(&file);
            assert_eq!(seen.len(), 2);
            assert_eq!(seen[0].time, Timestamp::new(946_684_800, nanoseconds));
            assert_eq!((seen[0].number, seen[0].link, seen[0].interface), (1, LinkType::LINUX_SLL, 0));
            assert_eq!((seen[0].original_len, &seen[0].bytes[..]), (3, &b"one"[..]));
            assert_eq!((seen[1].number, seen[1].time, seen[1].bytes.len()), (2, Timestamp::EPOCH, 0));
        }
    }
}

#[test]
fn fractions_beyond_a_second_are_carried() {
    let mut file = pcap(Order::Little, MICRO, 4, 1);
    file.extend(record(Order::Little, 10, 1_500_000, b"a"));
    file.extend(record(Order::Little, u32::MAX, u32::MAX, b"b"));
    let seen = frames(&file);
    assert_eq!(seen[0].time, Timestamp::new(11, 500_000_000));
    assert_eq!(seen[1].time, Timestamp::new(i64::from(u32::MAX) + 4294, 967_295_000));
}

#[test]
fn upper_bits_of_the_link_type_are_cut_off() {
    let mut file = pcap(Order::Little, MICRO, 4, 0xf400_0001);
    file.extend(record(Order::Little, 1, 0, b"x"));
    assert_eq!(frames(&file)[0].link, LinkType::ETHERNET);
}

#[test]
fn old_versions_swap_the_lengths() {
    for (minor, first, second) in [(2, 9, 3), (3, 9, 3), (3, 3, 9)] {
        for order in [Order::Little, Order::Big] {
            let mut file = pcap(order, MICRO, minor, 1);
            for field in [7, 0, first, second] {
                file.extend(order.u32(field));
            }
            file.extend(b"abc");
            file.extend(record(order, 8, 0, b"next"));
            let seen = frames(&file);
            assert_eq!((seen[0].original_len, &seen[0].bytes[..]), (9, &b"abc"[..]));
            assert_eq!((seen[1].original_len, &seen[1].bytes[..]), (4, &b"next"[..]));
        }
    }
}

#[test]
fn modified_records_are_read_little_endian_only() {
    let mut file = pcap(Order::Little, MODIFIED, 4, 1);
    let mut entry = record(Order::Little, 1, 2, b"abc");
    entry.splice(16..16, [0; 8]);
    file.extend(&entry);
    file.extend(&entry);
    let seen = frames(&file);
    assert_eq!((seen.len(), &seen[1].bytes[..]), (2, &b"abc"[..]));
    let (_, errors) = read_all(&pcap(Order::Big, MODIFIED, 4, 1));
    assert!(matches!(errors[..], [CaptureError::Unsupported { .. }]), "{errors:?}");
}

#[test]
fn what_is_no_capture_is_named() {
    let message = |file: &[u8]| read_all(file).1[0].to_string();
    assert_eq!(message(b""), "not a capture: the file is empty");
    assert_eq!(message(b"\x1f\x8b\x08"), "not a capture: the file starts with 1f 8b 08 (gzip)");
    assert_eq!(message(b"#!/bin/sh and more"), "not a capture: the file starts with 23 21 2f 62 69 6e 2f 73");
    let mut file = pcap(Order::Big, MICRO, 4, 1);
    file[5] = 3;
    assert_eq!(message(&file), "pcap version (major << 16 | minor) 0x30004 is not supported");
}

#[test]
fn a_cut_file_says_where() {
    let mut file = pcap(Order::Little, MICRO, 4, 1);
    file.extend(record(Order::Little, 1, 0, b"whole"));
    file.extend(record(Order::Little, 2, 0, b"cut"));
    let (seen, errors) = read_all(&file[..file.len() - 1]);
    assert_eq!(seen.len(), 1);
    assert_eq!(errors[0].to_string(), "the file ends inside record 2 at byte 45: 19 bytes needed, 18 there");
    let (_, errors) = read_all(&file[..20]);
    assert_eq!(
        errors[0].to_string(),
        "the file ends inside the file header at byte 0: 24 bytes needed, 20 there"
    );
}

#[test]
fn long_records_are_skipped_and_numbered() {
    let mut file = pcap(Order::Little, MICRO, 4, 1);
    file.extend(record(Order::Little, 1, 0, &vec![1; MAX_RECORD_LEN]));
    file.extend(record(Order::Little, 2, 0, &vec![2; MAX_RECORD_LEN + 1]));
    file.extend(record(Order::Little, 3, 0, b"after"));
    let (seen, errors) = read_all(&file);
    assert_eq!(seen.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((seen[0].bytes.len(), &seen[1].bytes[..]), (MAX_RECORD_LEN, &b"after"[..]));
    let at = (24 + 16 + MAX_RECORD_LEN) as u64;
    assert!(
        matches!(errors[..], [CaptureError::TooLong { record: 2, offset, len: 262_145, max: 262_144 }] if offset == at)
    );
    assert!(errors[0].is_recoverable());
}

#[test]
fn a_long_record_without_its_end() {
    let mut file = pcap(Order::Big, MICRO, 4, 1);
    for field in [1, 0, u32::MAX, u32::MAX] {
        file.extend(Order::Big.u32(field));
    }
    file.extend([0; 1000]);
    let (seen, errors) = read_all(&file);
    assert!(seen.is_empty());
    assert!(matches!(
        errors[..],
        [
            CaptureError::TooLong { record: 1, offset: 24, .. },
            CaptureError::Truncated { record: 1, offset: 24, needed: 4_294_967_311, have: 1016 }
        ]
    ));
}

/// A source that gives one byte at a time, is interrupted, and fails in the end.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.0.is_empty() {
            return Err(io::Error::other("the disk is gone"));
        }
        let count = to.len().min(1);
        self.0.read(&mut to[..count])
    }
}

#[test]
fn slow_and_failing_sources() {
    let mut file = pcap(Order::Little, MICRO, 4, 1);
    (0..100).for_each(|i| file.extend(record(Order::Little, i, 0, &vec![0; i as usize])));
    let mut reader = Reader::new(Trickle(&file, false)).unwrap();
    for number in 1..=100 {
        assert_eq!(reader.next_frame().unwrap().unwrap().number, number);
    }
    let error = reader.next_frame().unwrap_err();
    assert!(!error.is_recoverable());
    assert_eq!(error.to_string(), "cannot read record 101 at byte 6574");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
    assert!(reader.next_frame().unwrap().is_none());
}

#[test]
fn times_compare() {
    let early = Timestamp::new(-5, 999_999_999);
    let late = Timestamp::new(5, 0);
    assert!(early < late);
    assert_eq!(late.since(early).as_nanos(), 9_000_000_001);
    assert_eq!((early.since(late).as_nanos(), early.since_epoch().as_nanos()), (0, 0));
    assert_eq!(Timestamp::new(i64::MAX, 0).since(Timestamp::new(i64::MIN, 0)).as_secs(), u64::MAX);
}
