//! pcapng files made here: byte orders, clocks, interfaces, sections, packet blocks.

use mailslot::capture::{CaptureError, LinkType, MAX_BLOCK_LEN, MAX_RECORD_LEN, Timestamp};

use crate::build::{Order, block, enhanced, frames, interface, obsolete, read_all, section, simple};

const TSRESOL: u16 = 9;
const TSOFFSET: u16 = 14;

#[test]
fn both_orders() {
    for order in [Order::Little, Order::Big] {
        let mut file = section(order);
        file.extend(interface(order, 1, 0, &[(2, b"eth0")]));
        file.extend(enhanced(order, 0, 946_684_800_000_001, b"frame"));
        file.extend(obsolete(order, 0, 946_684_800_000_002, b"older"));
        let seen = frames(&file);
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].time, Timestamp::new(946_684_800, 1000));
        assert_eq!(
            (seen[0].number, seen[0].link, &seen[0].bytes[..]),
            (1, LinkType::ETHERNET, &b"frame"[..])
        );
        assert_eq!(seen[1].time, Timestamp::new(946_684_800, 2000));
        assert_eq!((seen[1].original_len, &seen[1].bytes[..]), (5, &b"older"[..]));
    }
}

#[test]
fn clocks() {
    let offset = 1000_i64.cast_unsigned();
    let before = (-3_i64).cast_unsigned();
    for order in [Order::Little, Order::Big] {
        let time = |options: &[(u16, &[u8])], ticks| {
            let mut file = section(order);
            file.extend(interface(order, 1, 0, options));
            file.extend(enhanced(order, 0, ticks, b""));
            frames(&file)[0].time
        };
        assert_eq!(time(&[(TSRESOL, &[9])], 1_000_000_007), Timestamp::new(1, 7));
        assert_eq!(time(&[(TSRESOL, &[3])], 1_234), Timestamp::new(1, 234_000_000));
        assert_eq!(time(&[(TSRESOL, &[0])], 77), Timestamp::new(77, 0));
        assert_eq!(time(&[(TSRESOL, &[12])], 1_000_000_001_999), Timestamp::new(1, 1));
        assert_eq!(time(&[(TSRESOL, &[0x80 | 10])], 1024 + 512), Timestamp::new(1, 500_000_000));
        assert_eq!(time(&[(TSRESOL, &[0x80 | 63])], 1 << 62), Timestamp::new(0, 500_000_000));
        // Finer than any tick of 64 bits can show.
        assert_eq!(time(&[(TSRESOL, &[0xff])], u64::MAX), Timestamp::EPOCH);
        assert_eq!(time(&[(TSRESOL, &[0x7f])], u64::MAX), Timestamp::EPOCH);
        assert_eq!(time(&[(TSRESOL, &[0])], u64::MAX), Timestamp::new(i64::MAX, 0));
        let both: &[(u16, &[u8])] = &[(TSRESOL, &[9]), (TSOFFSET, &order.u64(offset))];
        assert_eq!(time(both, 5), Timestamp::new(1000, 5));
        assert_eq!(time(&[(TSOFFSET, &order.u64(before))], 500_000), Timestamp::new(-3, 500_000_000));
        // Options of a wrong length are passed over.
        assert_eq!(time(&[(TSRESOL, &[]), (TSOFFSET, &[1, 2])], 1_000_000), Timestamp::new(1, 0));
    }
}

#[test]
fn interfaces_and_sections() {
    let mut file = section(Order::Little);
    file.extend(interface(Order::Little, 1, 0, &[]));
    file.extend(interface(Order::Little, 276, 0, &[(TSRESOL, &[9])]));
    file.extend(enhanced(Order::Little, 1, 9, b"second"));
    file.extend(enhanced(Order::Little, 0, 9, b"first"));
    file.extend(block(Order::Little, 5, &[0; 12]));
    file.extend(section(Order::Big));
    file.extend(interface(Order::Big, 101, 0, &[]));
    file.extend(enhanced(Order::Big, 0, 9, b"big"));
    let (seen, errors) = read_all(&file);
    assert!(errors.is_empty(), "{errors:?}");
    let view: Vec<_> = seen.iter().map(|f| (f.number, f.link.0, f.interface, f.time.nanoseconds())).collect();
    assert_eq!(view, [(1, 276, 1, 9), (2, 1, 0, 9000), (3, 101, 0, 9000)]);
    // The interfaces of a section end with it.
    file.extend(enhanced(Order::Big, 1, 9, b"gone"));
    file.extend(enhanced(Order::Big, 0, 9, b"here"));
    let (seen, errors) = read_all(&file);
    assert!(matches!(errors[..], [CaptureError::UnknownInterface { record: 4, interface: 1, .. }]));
    assert_eq!((seen.len(), seen[3].number), (4, 5));
}

#[test]
fn simple_packets() {
    for order in [Order::Little, Order::Big] {
        let mut file = section(order);
        file.extend(interface(order, 1, 6, &[]));
        file.extend(simple(order, 5, b"whole"));
        file.extend(simple(order, 100, b"cut to"));
        let seen = frames(&file);
        assert_eq!((seen[0].original_len, &seen[0].bytes[..]), (5, &b"whole"[..]));
        assert_eq!((seen[1].original_len, &seen[1].bytes[..]), (100, &b"cut to"[..]));
        assert_eq!((seen[1].time, seen[1].interface), (Timestamp::EPOCH, 0));
    }
    let mut file = section(Order::Little);
    file.extend(simple(Order::Little, 1, b"x"));
    assert!(matches!(read_all(&file).1[..], [CaptureError::UnknownInterface { record: 1, .. }]));
}

#[test]
fn long_blocks() {
    let order = Order::Little;
    let mut file = section(order);
    file.extend(interface(order, 1, 0, &[]));
    // Without a packet: passed over, whatever its length.
    file.extend(block(order, 0xbad, &vec![0; MAX_BLOCK_LEN * 3]));
    file.extend(enhanced(order, 0, 0, &vec![1; MAX_RECORD_LEN]));
    file.extend(enhanced(order, 0, 0, &vec![2; MAX_RECORD_LEN + 4]));
    file.extend(enhanced(order, 0, 0, &vec![3; MAX_BLOCK_LEN]));
    file.extend(enhanced(order, 0, 0, b"after"));
    let (seen, errors) = read_all(&file);
    let numbers: Vec<_> = seen.iter().map(|frame| (frame.number, frame.bytes.len())).collect();
    assert_eq!(numbers, [(1, MAX_RECORD_LEN), (4, 5)]);
    assert!(
        matches!(
            errors[..],
            [CaptureError::TooLong { record: 2, .. }, CaptureError::TooLong { record: 3, .. }]
        ),
        "{errors:?}"
    );
}

#[test]
fn damage_is_located() {
    let order = Order::Big;
    let mut head = section(order);
    head.extend(interface(order, 1, 0, &[]));
    let packet = enhanced(order, 0, 0, b"four");
    let damaged = |at: usize, value: u32| {
        let mut packet = packet.clone();
        packet[at..at + 4].copy_from_slice(&order.u32(value));
        let mut file = head.clone();
        file.extend(packet);
        file.extend(enhanced(order, 0, 0, b"next"));
        let (seen, errors) = read_all(&file);
        (seen.len(), errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    };
    let skipped = "record 1 at byte 48 is skipped: 5 captured bytes, its block has space for 4";
    assert_eq!(damaged(20, 5), (1, skipped.to_owned()));
    let skipped = "record 1 at byte 48 is skipped: interface 9 is not described";
    assert_eq!(damaged(8, 9), (1, skipped.to_owned()));
    let fatal =
        "record 1 at byte 48: block_total_length_at_end is 37, expected the length at the block's beginning";
    assert_eq!(damaged(32, 37), (0, fatal.to_owned()));
    let fatal = "record 1 at byte 48: block_total_length is 8, expected a multiple of 4 that holds the block's fixed fields";
    assert_eq!(damaged(4, 8), (0, fatal.to_owned()));
    let fatal = "the file ends inside record 1 at byte 48: 1000 bytes needed, 72 there";
    assert_eq!(damaged(4, 1000), (0, fatal.to_owned()));
}

#[test]
fn interfaces_beyond_the_bound_are_unknown() {
    let order = Order::Little;
    let mut file = section(order);
    (0..5000).for_each(|_| file.extend(interface(order, 1, 0, &[])));
    file.extend(enhanced(order, 4095, 0, b"last"));
    file.extend(enhanced(order, 4096, 0, b"too many"));
    let (seen, errors) = read_all(&file);
    assert_eq!(seen.len(), 1);
    assert!(matches!(errors[..], [CaptureError::UnknownInterface { interface: 4096, .. }]));
}

#[test]
fn a_long_block_without_its_end() {
    let mut file = section(Order::Little);
    file.extend(interface(Order::Little, 1, 0, &[]));
    file.extend(enhanced(Order::Little, 0, 0, b"one"));
    file.extend(block(Order::Little, 0xbad, &vec![0; MAX_BLOCK_LEN]));
    file.truncate(file.len() - 1);
    let (seen, errors) = read_all(&file);
    assert_eq!(seen.len(), 1);
    assert!(matches!(errors[..], [CaptureError::Truncated { record: 2, offset: 84, .. }]), "{errors:?}");
}
