//! IPv4 reassembly: any order, duplicates, overlaps, bounds.

use std::time::Duration;

use mailslot::capture::{DefragCounters, DefragLimits, Defragmenter, LinkType, Packet, Timestamp};
use proptest::prelude::*;

use crate::build::{ipv4, udp};

const MORE: u16 = 0x2000;

/// Inserts the fragment in `ip`, gives the datagram's payload.
fn insert(defragmenter: &mut Defragmenter, now: Timestamp, ip: &[u8]) -> Option<Vec<u8>> {
    let Ok(Packet::Fragment(fragment)) = Packet::parse(LinkType::IPV4, ip) else { panic!() };
    let whole = defragmenter.insert(now, &fragment)?;
    Some(whole.udp().unwrap().payload.to_vec())
}

/// A fragment of `bytes`, from unit `from` to unit `to` of 8 bytes.
fn part(identification: u16, bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    let end = (to * 8).min(bytes.len());
    let more = if end < bytes.len() { MORE } else { 0 };
    ipv4(17, identification, more | u16::try_from(from).unwrap(), &bytes[from * 8..end])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0)
}

fn counted(defragmenter: &Defragmenter) -> DefragCounters {
    *defragmenter.counters()
}

proptest! {
    #[test]
    fn any_order_gives_the_payload(
        payload in prop::collection::vec(any::<u8>(), 1..4000),
        cuts in prop::collection::btree_set(1_usize..500, 0..20),
        order in any::<prop::sample::Index>(),
        shuffle in Just(()).prop_perturb(|(), mut rng| rng.next_u64()),
    ) {
        let bytes = udp(&payload);
        let units = bytes.len().div_ceil(8);
        prop_assume!(units > 1);
        let mut edges: Vec<usize> = cuts.into_iter().filter(|cut| *cut < units).collect();
        if edges.is_empty() {
            edges.push(1);
        }
        edges.insert(0, 0);
        edges.push(units);
        let mut parts: Vec<_> = edges.windows(2).map(|edge| part(9, &bytes, edge[0], edge[1])).collect();
        // One duplicate, and a shuffle by a linear congruence.
        parts.push(parts[order.index(parts.len())].clone());
        let mut state = shuffle;
        for i in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            parts.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        let mut defragmenter = Defragmenter::default();
        let given: Vec<_> = parts.iter().filter_map(|ip| insert(&mut defragmenter, at(0), ip)).collect();
        prop_assert_eq!(given, [payload]);
        let counters = counted(&defragmenter);
        prop_assert_eq!((counters.reassembled, counters.conflicts), (1, 0));
        // A duplicate behind the last part begins a new datagram.
        prop_assert_eq!(counters.duplicates + defragmenter.waiting() as u64, 1);
    }

    #[test]
    fn any_overlap_keeps_the_accounts(
        spans in prop::collection::vec((0_usize..64, 1_usize..24, any::<bool>(), any::<u8>()), 1..60),
    ) {
        let limits = DefragLimits::default();
        let mut defragmenter = Defragmenter::new(limits);
        for (from, len, more, fill) in spans {
            let flags = if more { MORE } else { 0 };
            let mut ip = ipv4(17, 1, flags | u16::try_from(from).unwrap(), &vec![fill; len * 8]);
            if !more && from == 0 {
                ip[6] |= 0x20;
            }
            let Ok(Packet::Fragment(fragment)) = Packet::parse(LinkType::IPV4, &ip) else { panic!() };
            if let Some(whole) = defragmenter.insert(at(0), &fragment) {
                prop_assert_eq!(whole.bytes.len() % 8, 0);
            }
            prop_assert!(defragmenter.waiting() <= 1);
            prop_assert_eq!(defragmenter.bytes() == 0, defragmenter.waiting() == 0);
        }
        defragmenter.expire(at(30));
        prop_assert_eq!((defragmenter.waiting(), defragmenter.bytes()), (0, 0));
    }

    #[test]
    fn a_flood_stays_within_the_limits(
        parts in prop::collection::vec((any::<u16>(), 0_u16..8192, 0_usize..3000, any::<bool>()), 1..400),
    ) {
        let mut limits = DefragLimits::default();
        (limits.datagrams, limits.bytes) = (16, 10_000);
        let mut defragmenter = Defragmenter::new(limits);
        for (i, (identification, offset, len, more)) in parts.iter().enumerate() {
            let flags = if *more { MORE } else { 0 };
            let ip = ipv4(17, *identification % 64, flags | offset, &vec![1; *len]);
            if let Ok(Packet::Fragment(fragment)) = Packet::parse(LinkType::IPV4, &ip) {
                defragmenter.insert(at(i as i64 / 10), &fragment);
            }
            prop_assert!(defragmenter.waiting() <= 16);
            prop_assert!(defragmenter.bytes() <= 10_000);
        }
    }
}

#[test]
fn the_first_bytes_stay() {
    let bytes = udp(&[b'a'; 40]);
    let mut later = bytes.clone();
    later[16..].fill(b'z');
    let mut defragmenter = Defragmenter::default();
    assert_eq!(insert(&mut defragmenter, at(0), &part(1, &bytes, 1, 3)), None);
    // Unit 1 and 2 are there with `a`; unit 3 is new.
    assert_eq!(insert(&mut defragmenter, at(0), &part(1, &later, 2, 4)), None);
    assert_eq!(insert(&mut defragmenter, at(0), &part(1, &later, 3, 6)), None);
    let whole = insert(&mut defragmenter, at(0), &part(1, &bytes, 0, 2)).unwrap();
    assert_eq!(whole, [[b'a'; 16].as_slice(), &[b'z'; 24]].concat());
    let counters = counted(&defragmenter);
    assert_eq!((counters.conflicts, counters.duplicates, counters.kept), (1, 0, 4));
    assert_eq!((defragmenter.waiting(), defragmenter.bytes()), (0, 0));
}

#[test]
fn ends_that_disagree_are_ignored() {
    let bytes = udp(&[1; 40]);
    let mut defragmenter = Defragmenter::default();
    insert(&mut defragmenter, at(0), &part(1, &bytes, 4, 6));
    // Another end, and a part beyond the end.
    insert(&mut defragmenter, at(0), &ipv4(17, 1, 4, &[0; 8]));
    insert(&mut defragmenter, at(0), &ipv4(17, 1, MORE | 4, &[0; 24]));
    assert_eq!(counted(&defragmenter).conflicts, 2);
    assert_eq!(insert(&mut defragmenter, at(0), &part(1, &bytes, 0, 4)).unwrap(), [1; 40]);
}

#[test]
fn useless_fragments_are_counted() {
    let mut defragmenter = Defragmenter::default();
    insert(&mut defragmenter, at(0), &ipv4(17, 1, MORE, &[0; 7]));
    insert(&mut defragmenter, at(0), &ipv4(17, 1, 9, &[]));
    insert(&mut defragmenter, at(0), &ipv4(17, 1, 8191, &[0; 8]));
    let cut = ipv4(17, 1, 9, &[0; 80]);
    insert(&mut defragmenter, at(0), &cut[..50]);
    let counters = counted(&defragmenter);
    assert_eq!((counters.empty, counters.oversized, counters.cut, counters.kept), (2, 1, 1, 0));
    assert_eq!(defragmenter.waiting(), 0);
}

#[test]
fn the_largest_datagram() {
    let bytes = udp(&[3; 65_507]);
    let mut defragmenter = Defragmenter::default();
    let mut from = 0;
    let mut given = None;
    while from * 8 < bytes.len() {
        given = insert(&mut defragmenter, at(0), &part(1, &bytes, from, from + 185));
        from += 185;
    }
    assert_eq!(given.unwrap().len(), 65_507);
}

#[test]
fn time_is_the_captures() {
    let bytes = udp(&[1; 40]);
    let (first, last) = (part(1, &bytes, 0, 3), part(1, &bytes, 3, 6));
    let mut defragmenter = Defragmenter::default();
    insert(&mut defragmenter, at(100), &first);
    assert!(insert(&mut defragmenter, Timestamp::new(129, 999_999_999), &last).is_some());
    insert(&mut defragmenter, at(100), &first);
    assert!(insert(&mut defragmenter, at(130), &last).is_none());
    assert_eq!((counted(&defragmenter).timed_out, defragmenter.waiting()), (1, 1));
    // Frames need not be in order.
    assert!(insert(&mut defragmenter, at(0), &first).is_some());
}

#[test]
fn the_oldest_gives_way() {
    let mut limits = DefragLimits::default();
    limits.datagrams = 2;
    limits.timeout = Duration::from_secs(1000);
    let mut defragmenter = Defragmenter::new(limits);
    let bytes = udp(&[1; 40]);
    for identification in 0..3 {
        insert(&mut defragmenter, at(0), &part(identification, &bytes, 0, 3));
    }
    assert_eq!((counted(&defragmenter).evicted, defragmenter.waiting()), (1, 2));
    assert!(insert(&mut defragmenter, at(0), &part(0, &bytes, 3, 6)).is_none());
    assert!(insert(&mut defragmenter, at(0), &part(2, &bytes, 3, 6)).is_some());
}
