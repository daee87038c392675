//! Fragments put together: any order, what is in doubt dropped, everything bounded and counted.

use std::net::Ipv4Addr;
use std::time::Duration;

use mailslot::service::datagram::{DropReason, Event, Input, Reassembled, Reassembler, Stats};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Encode;
use mailslot::wire::name::{NetbiosName, ScopedName, Suffix};
use mailslot::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
use proptest::prelude::*;

const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
const SOURCE_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
const NAMES_LEN: usize = 68;

/// A fragment that owns its bytes.
#[derive(Debug, Clone)]
struct Fragment {
    peer: Ipv4Addr,
    source_ip: Ipv4Addr,
    dgm_id: u16,
    /// Where its bytes belong; the first has the names before them and is at 0.
    offset: usize,
    bytes: Vec<u8>,
    more: bool,
}

impl Fragment {
    fn first(user_data: &[u8]) -> Self {
        Self { peer: PEER, source_ip: SOURCE_IP, dgm_id: 1, offset: 0, bytes: user_data.to_vec(), more: true }
    }

    /// Bytes of the stream "names, user data", from `offset` of the user data on.
    fn later(offset: usize, bytes: &[u8], more: bool) -> Self {
        Self { offset: NAMES_LEN + offset, more, ..Self::first(bytes) }
    }

    /// The form that repeats the names and counts from the user data's start.
    fn with_names(offset: usize, bytes: &[u8], more: bool) -> Self {
        Self { offset, more, ..Self::first(&[names().as_slice(), bytes].concat()) }
    }

    fn of(self, peer: [u8; 4], source_ip: [u8; 4], dgm_id: u16) -> Self {
        Self { peer: peer.into(), source_ip: source_ip.into(), dgm_id, ..self }
    }
}

fn name(text: &str) -> ScopedName<'static> {
    NetbiosName::new(text, Suffix::WORKSTATION).unwrap().into()
}

fn names() -> Vec<u8> {
    [name("SOURCE").to_bytes(), name("DESTINATION").to_bytes()].concat()
}

fn give(machine: &mut Reassembler, millis: u64, fragment: &Fragment) {
    let mut flags = if fragment.offset == 0 { Flags::FIRST } else { Flags::empty() };
    flags.set(Flags::MORE, fragment.more);
    let header = Header {
        msg_type: MsgType::DIRECT_GROUP,
        flags,
        dgm_id: fragment.dgm_id,
        source_ip: fragment.source_ip,
        source_port: 138,
    };
    let length_form = LengthForm::Exact;
    let body = match u16::try_from(fragment.offset).unwrap() {
        0 => Body::Direct {
            length_form,
            content: Content {
                source_name: name("SOURCE"),
                destination_name: name("DESTINATION"),
                user_data: &fragment.bytes,
            },
        },
        packet_offset => Body::Fragment { length_form, packet_offset, bytes: &fragment.bytes },
    };
    let datagram = Datagram::new(header, body).unwrap();
    machine.handle_input(Duration::from_millis(millis), Input { peer: fragment.peer, datagram });
}

fn machine() -> Reassembler {
    Reassembler::new(Limits::default())
}

fn events(machine: &mut Reassembler) -> Vec<Event> {
    std::iter::from_fn(|| machine.poll_event()).collect()
}

/// All events of the fragments, given one after the other at one time.
fn run(fragments: &[Fragment]) -> (Vec<Event>, Reassembler) {
    let mut machine = machine();
    for fragment in fragments {
        give(&mut machine, 0, fragment);
    }
    (events(&mut machine), machine)
}

/// The one datagram that came of the fragments.
fn whole(fragments: &[Fragment]) -> Reassembled {
    let (mut events, machine) = run(fragments);
    assert!(machine.is_empty() && events.len() == 1, "{events:?}");
    match events.remove(0) {
        Event::Complete(whole) => whole,
        other => panic!("{other:?}"),
    }
}

/// The reason for which the one datagram was given up.
fn dropped(fragments: &[Fragment]) -> DropReason {
    let (events, machine) = run(fragments);
    match events.as_slice() {
        [Event::Dropped { reason, .. }] if machine.is_empty() => *reason,
        other => panic!("{other:?}, {} left", machine.len()),
    }
}

fn permutations(fragments: &[Fragment]) -> Vec<Vec<Fragment>> {
    if fragments.len() < 2 {
        return vec![fragments.to_vec()];
    }
    let mut all = Vec::new();
    for index in 0..fragments.len() {
        let mut rest = fragments.to_vec();
        let chosen = rest.remove(index);
        all.extend(permutations(&rest).into_iter().map(|rest| [vec![chosen.clone()], rest].concat()));
    }
    all
}

#[test]
fn fragments_come_in_any_order() {
    let fragments = [
        Fragment::first(b"one "),
        Fragment::later(4, b"two ", true),
        Fragment::later(8, b"three ", true),
        Fragment::later(14, b"four", false),
    ];
    for order in permutations(&fragments) {
        let whole = whole(&order);
        assert_eq!(whole.user_data(), b"one two three four");
        assert_eq!(whole.fragments(), 4);
        let content = whole.content().unwrap();
        assert_eq!(content.source_name.to_string(), "SOURCE<00>");
        assert_eq!(content.destination_name.to_string(), "DESTINATION<00>");
        assert_eq!(content.user_data, whole.user_data());
        // The first fragment's header, and nothing more follows.
        assert_eq!(whole.header().flags, Flags::FIRST);
        assert_eq!((whole.header().dgm_id, whole.header().source_ip), (1, SOURCE_IP));
    }
}

#[test]
fn names_may_be_repeated_in_later_fragments() {
    let fragments = [
        Fragment::first(b"one "),
        Fragment::with_names(4, b"two ", true),
        Fragment::with_names(8, b"three", false),
    ];
    for order in permutations(&fragments) {
        assert_eq!(whole(&order).user_data(), b"one two three");
    }
    let mixed = [
        Fragment::first(b"one "),
        Fragment::later(8, b"three", false),
        Fragment::with_names(4, b"two ", true),
    ];
    assert_eq!(whole(&mixed).user_data(), b"one two three");
}

#[test]
fn names_without_user_data_may_come_first() {
    for order in permutations(&[Fragment::first(b""), Fragment::later(0, b"all", false)]) {
        assert_eq!(whole(&order).user_data(), b"all");
    }
}

#[test]
fn the_last_fragment_may_be_empty() {
    for order in permutations(&[Fragment::first(b"all"), Fragment::later(3, b"", false)]) {
        assert_eq!(whole(&order).user_data(), b"all");
    }
}

#[test]
fn what_comes_twice_counts_once() {
    let (first, second) = (Fragment::first(b"one "), Fragment::later(4, b"two ", true));
    let fragments = [&first, &second, &first, &second, &second, &Fragment::later(8, b"three", false)];
    let whole = whole(&fragments.map(Clone::clone));
    assert_eq!((whole.user_data(), whole.fragments()), (b"one two three".as_slice(), 3));
    // Also where no limit of fragments would allow it.
    let (events, machine) = run(&vec![second; 100]);
    assert_eq!((events, machine.len(), machine.stats().fragments), (Vec::new(), 1, 100));
}

#[test]
fn overlapping_bytes_must_be_the_same() {
    // Each has bytes that no other has.
    let agree = [
        Fragment::first(b"one t"),
        Fragment::later(3, b" two th", true),
        Fragment::later(8, b"three four", false),
    ];
    for order in permutations(&agree) {
        assert_eq!(whole(&order).user_data(), b"one two three four");
    }
    let differ = [Fragment::first(b"one two "), Fragment::later(4, b"tWo three", false)];
    for order in permutations(&differ) {
        assert_eq!(dropped(&order), DropReason::Conflict);
    }
}

#[test]
fn a_later_fragment_may_not_change_the_names() {
    let mut other_names = names();
    other_names[5] = b'P';
    let mut later = Fragment::first(&other_names);
    later.offset = 1;
    for order in permutations(&[Fragment::first(b"one"), later]) {
        assert_eq!(dropped(&order), DropReason::Conflict);
    }
}

#[test]
fn two_first_fragments_must_be_the_same() {
    assert_eq!(dropped(&[Fragment::first(b"one"), Fragment::first(b"two")]), DropReason::Conflict);
    let mut last = Fragment::first(b"one");
    last.more = false;
    assert_eq!(dropped(&[Fragment::first(b"one"), last]), DropReason::Conflict);
}

#[test]
fn a_datagram_has_one_end() {
    // Two ends, and bytes behind the end.
    let ends =
        [Fragment::first(b"one "), Fragment::later(8, b"three", false), Fragment::later(4, b"two", false)];
    for order in permutations(&ends[1..]) {
        let order = [order, vec![ends[0].clone()]].concat();
        assert_eq!(dropped(&order), DropReason::Conflict);
    }
    let behind =
        [Fragment::later(4, b"two three", true), Fragment::later(4, b"two", false), Fragment::first(b"one ")];
    assert_eq!(dropped(&behind), DropReason::Conflict);
}

#[test]
fn the_key_is_peer_source_and_id() {
    let one = [10, 0, 0, 1];
    let two = [10, 0, 0, 2];
    let keys = [(one, one, 1), (one, one, 2), (one, two, 1), (two, one, 1)];
    let mut machine = machine();
    for (peer, source_ip, id) in keys {
        give(&mut machine, 0, &Fragment::first(&[peer[3], source_ip[3]]).of(peer, source_ip, id));
    }
    assert_eq!(machine.len(), 4);
    for (peer, source_ip, id) in keys.into_iter().rev() {
        let last = u8::try_from(id).unwrap();
        give(&mut machine, 1, &Fragment::later(2, &[last], false).of(peer, source_ip, id));
        let Some(Event::Complete(whole)) = machine.poll_event() else { panic!() };
        assert_eq!(whole.user_data(), [peer[3], source_ip[3], last]);
    }
    assert!(machine.is_empty());
    assert_eq!(machine.poll_event(), None);
}

#[test]
fn a_datagram_has_two_seconds_from_its_first_byte_here() {
    let mut machine = machine();
    assert_eq!(machine.poll_timeout(), None);
    give(&mut machine, 1000, &Fragment::first(b"one "));
    assert_eq!(machine.poll_timeout(), Some(Duration::from_millis(3000)));
    // Later fragments give it no more time.
    give(&mut machine, 2500, &Fragment::later(8, b"three", false));
    assert_eq!(machine.poll_timeout(), Some(Duration::from_millis(3000)));
    machine.handle_timeout(Duration::from_millis(2999));
    assert_eq!((machine.len(), machine.poll_event()), (1, None));
    machine.handle_timeout(Duration::from_millis(3000));
    let gone = Event::Dropped { reason: DropReason::Timeout, peer: PEER, dgm_id: 1, fragments: 2 };
    assert_eq!(events(&mut machine), [gone]);
    assert_eq!((machine.len(), machine.poll_timeout(), machine.stats().timeout), (0, None, 1));
    // What was missing begins anew.
    give(&mut machine, 3000, &Fragment::later(4, b"two ", true));
    assert_eq!((machine.len(), machine.poll_timeout()), (1, Some(Duration::from_millis(5000))));
}

#[test]
fn an_input_that_is_too_late_belongs_to_another_datagram() {
    let mut machine = machine();
    give(&mut machine, 0, &Fragment::first(b"one "));
    give(&mut machine, 2000, &Fragment::later(4, b"two", false));
    assert!(matches!(events(&mut machine)[..], [Event::Dropped { reason: DropReason::Timeout, .. }]));
    assert_eq!((machine.len(), machine.stats().complete), (1, 0));
}

#[test]
fn the_next_timeout_is_the_oldest_datagrams() {
    let mut machine = machine();
    for (millis, id) in [(0, 1), (500, 2), (900, 3)] {
        give(&mut machine, millis, &Fragment::first(b"one ").of([10, 0, 0, 1], [10, 0, 0, 1], id));
    }
    // A fragment of the middle one moves nothing.
    give(&mut machine, 1000, &Fragment::later(8, b"x", true).of([10, 0, 0, 1], [10, 0, 0, 1], 2));
    let mut ends = Vec::new();
    for _ in 0..3 {
        let due = machine.poll_timeout().unwrap();
        machine.handle_timeout(due);
        for event in events(&mut machine) {
            let Event::Dropped { dgm_id, fragments, .. } = event else { panic!() };
            ends.push((due.as_millis(), dgm_id, fragments));
        }
    }
    assert_eq!(machine.poll_timeout(), None);
    assert_eq!(ends, [(2000, 1, 1), (2500, 2, 2), (2900, 3, 1)]);
}

#[test]
fn time_does_not_run_backwards() {
    let mut machine = machine();
    machine.handle_timeout(Duration::from_secs(10));
    give(&mut machine, 0, &Fragment::first(b"one "));
    assert_eq!(machine.poll_timeout(), Some(Duration::from_secs(12)));
    machine.handle_timeout(Duration::from_secs(3));
    assert_eq!(machine.len(), 1);
}

#[test]
fn the_oldest_datagram_makes_room() {
    let limits = Limits::default();
    assert_eq!(limits.reassembly_entries, 64);
    let mut machine = machine();
    for id in 0..=64 {
        give(&mut machine, u64::from(id), &Fragment::first(b"one ").of([10, 0, 0, 1], [10, 0, 0, 1], id));
        assert!(machine.len() <= 64);
    }
    let peer = Ipv4Addr::new(10, 0, 0, 1);
    let gone = Event::Dropped { reason: DropReason::TooManyDatagrams, peer, dgm_id: 0, fragments: 1 };
    assert_eq!(events(&mut machine), [gone]);
    assert_eq!((machine.len(), machine.stats().too_many_datagrams), (64, 1));
    // The others are still whole.
    give(&mut machine, 70, &Fragment::later(4, b"two", false).of([10, 0, 0, 1], [10, 0, 0, 1], 1));
    assert!(matches!(events(&mut machine)[..], [Event::Complete(_)]));
}

#[test]
fn a_limit_of_no_datagrams_still_takes_one() {
    let mut limits = Limits::default();
    limits.reassembly_entries = 0;
    let mut machine = Reassembler::new(limits);
    give(&mut machine, 0, &Fragment::first(b"one "));
    give(&mut machine, 0, &Fragment::later(4, b"two", false));
    assert!(matches!(events(&mut machine)[..], [Event::Complete(_)]));
}

#[test]
fn names_and_user_data_have_1024_bytes() {
    let room = 1024 - NAMES_LEN;
    let data = vec![7; room + 1];
    let (first, second) = (Fragment::first(&data[..500]), |end| Fragment::later(500, &data[500..end], false));
    assert_eq!(whole(&[first.clone(), second(room)]).user_data().len(), room);
    assert_eq!(dropped(&[first.clone(), second(room + 1)]), DropReason::TooLong);
    // With the names repeated, those count once.
    assert_eq!(whole(&[first, Fragment::with_names(500, &data[500..room], false)]).user_data().len(), room);
    assert_eq!(dropped(&[Fragment::first(&data)]), DropReason::TooLong);
    // Far away: nothing is reserved, and nothing can come of it.
    assert_eq!(
        dropped(&[Fragment::first(b"one"), Fragment::later(60_000, b"x", false)]),
        DropReason::TooLong
    );
}

#[test]
fn a_datagram_has_sixteen_fragments() {
    let fragments = |count: usize| {
        let mut all = vec![Fragment::first(b"0")];
        all.extend((1..count).map(|at| Fragment::later(at, b"x", at + 1 < count)));
        all
    };
    assert_eq!(whole(&fragments(16)).fragments(), 16);
    assert_eq!(dropped(&fragments(17)), DropReason::TooManyFragments);
}

#[test]
fn every_end_is_counted_under_its_reason() {
    let mut machine = machine();
    let conflict = [Fragment::first(b"one"), Fragment::first(b"two")];
    let complete = [Fragment::first(b"one"), Fragment::later(3, b"x", false)];
    let too_long = [Fragment::first(&[0; 2000])];
    for fragment in conflict.iter().chain(&complete).chain(&too_long).chain(&complete[..1]) {
        give(&mut machine, 0, fragment);
    }
    machine.handle_timeout(Duration::MAX);
    let stats = machine.stats();
    let mut expected = Stats::default();
    expected.fragments = 6;
    (expected.complete, expected.conflict, expected.too_long, expected.timeout) = (1, 1, 1, 1);
    assert_eq!(stats, expected);
    let names: Vec<_> = events(&mut machine)
        .into_iter()
        .map(|event| match event {
            Event::Complete(_) => "complete",
            Event::Dropped { reason, .. } => reason.name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["fragment_conflict", "complete", "fragments_too_long", "fragment_timeout"]);
}

/// User data cut at random; each later piece also repeats some bytes of the one before, in either form.
fn pieces() -> impl Strategy<Value = (Vec<u8>, Vec<Fragment>)> {
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, any::<bool>()), 1..10);
    (prop::collection::vec(any::<u8>(), 1..900), cuts).prop_map(|(data, cuts)| {
        let mut cuts: Vec<_> =
            cuts.into_iter().map(|(at, back, names)| (1 + at.index(data.len()), back, names)).collect();
        cuts.sort_unstable();
        cuts.dedup_by_key(|(at, ..)| *at);
        let mut fragments = vec![Fragment::first(&data[..cuts[0].0])];
        for (index, &(at, back, with_names)) in cuts.iter().enumerate() {
            let end = cuts.get(index + 1).map_or(data.len(), |(end, ..)| *end);
            // Every piece keeps a byte of its own, or the datagram would be whole without it. The first byte is
            // the first piece's; so no piece with names begins at PACKET_OFFSET 0.
            let before = if index == 0 { 0 } else { cuts[index - 1].0 };
            let start = at.saturating_sub(back).max(before + 1);
            let make = if with_names { Fragment::with_names } else { Fragment::later };
            fragments.push(make(start, &data[start..end], index + 1 < cuts.len()));
        }
        (data, fragments)
    })
}

proptest! {
    #[test]
    fn a_datagram_cut_and_shuffled_comes_out_whole(
        (data, shuffled) in pieces().prop_flat_map(|(data, fragments)| (Just(data), Just(fragments).prop_shuffle())),
    ) {
        let whole = whole(&shuffled);
        prop_assert_eq!(whole.user_data(), data.as_slice());
        prop_assert_eq!(whole.fragments(), shuffled.len());
    }

    #[test]
    fn duplicates_on_the_way_change_nothing(
        (data, shuffled) in pieces().prop_flat_map(|(data, fragments)| (Just(data), Just(fragments).prop_shuffle())),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        // Before the last of them has arrived: afterwards they are of another datagram.
        let (last, before) = shuffled.split_last().unwrap();
        let mut fragments = before.to_vec();
        for index in again {
            let copy = index.get(before).clone();
            fragments.push(copy);
        }
        fragments.push(last.clone());
        let whole = whole(&fragments);
        prop_assert_eq!(whole.user_data(), data.as_slice());
    }

    #[test]
    fn without_one_fragment_nothing_comes_out(
        (_, mut shuffled) in pieces().prop_flat_map(|(data, fragments)| (Just(data), Just(fragments).prop_shuffle())),
        lost: prop::sample::Index,
    ) {
        let lost = lost.index(shuffled.len());
        shuffled.remove(lost);
        let (events, mut machine) = run(&shuffled);
        prop_assert_eq!(events, []);
        machine.handle_timeout(Duration::from_secs(2));
        prop_assert!(machine.is_empty());
        prop_assert_eq!(machine.stats().timeout, 1);
    }

    #[test]
    fn a_changed_byte_of_an_overlap_is_never_delivered(
        (data, mut fragments) in pieces(),
        which: prop::sample::Index,
        salt: prop::sample::Index,
    ) {
        // A piece whose first byte the piece before has too.
        let plain = |f: &Fragment| if f.bytes.starts_with(&names()) { f.offset } else { f.offset - NAMES_LEN };
        let covered = |index: usize, fragments: &[Fragment]| {
            let before = &fragments[index - 1];
            let end = if index == 1 { before.bytes.len() } else {
                let bytes = before.bytes.strip_prefix(names().as_slice()).unwrap_or(&before.bytes);
                plain(before) + bytes.len()
            };
            plain(&fragments[index]) < end
        };
        let candidates: Vec<usize> = (1..fragments.len()).filter(|&index| covered(index, &fragments)).collect();
        prop_assume!(!candidates.is_empty() && !data.is_empty());
        let chosen = *which.get(&candidates);
        let bytes = &mut fragments[chosen].bytes;
        let at = if bytes.starts_with(&names()) { NAMES_LEN } else { 0 };
        prop_assume!(at < bytes.len());
        bytes[at] ^= 0x55;
        let turn = salt.index(fragments.len());
        fragments.rotate_left(turn);
        let (events, _) = run(&fragments);
        let conflict =
            |event: &Event| matches!(event, Event::Dropped { reason: DropReason::Conflict, .. });
        prop_assert_eq!(events.iter().filter(|event| conflict(event)).count(), 1);
        prop_assert!(events.iter().all(conflict), "{:?}", events);
    }

    #[test]
    fn whatever_comes_is_bounded_and_accounted_for(
        inputs in prop::collection::vec(
            (0..3_u8, 0..3_u16, 0..300_usize, prop::collection::vec(0..3_u8, 0..120), any::<bool>(), 0..900_u64),
            0..60,
        ),
    ) {
        let mut limits = Limits::default();
        (limits.reassembly_entries, limits.reassembly_bytes, limits.reassembly_fragments) = (3, 300, 4);
        let mut machine = Reassembler::new(limits);
        let (mut now, mut complete, mut given_up) = (0, 0, 0);
        for (peer, dgm_id, offset, bytes, more, passed) in inputs {
            now += passed;
            let offset = if offset < 100 { 0 } else { offset - 80 };
            let fragment = Fragment { offset, more, ..Fragment::first(&bytes) };
            give(&mut machine, now, &fragment.of([10, 0, 0, peer], [10, 0, 0, 9], dgm_id));
            prop_assert!(machine.len() <= 3);
            prop_assert_eq!(machine.poll_timeout().is_some(), !machine.is_empty());
            let due = machine.poll_timeout().unwrap_or_default().as_millis();
            prop_assert!(due == 0 || (u128::from(now)..=u128::from(now) + 2000).contains(&due));
            for event in events(&mut machine) {
                match event {
                    Event::Complete(whole) => {
                        complete += 1;
                        let content = whole.content().unwrap();
                        prop_assert_eq!(content.user_data, whole.user_data());
                        prop_assert!(content.encoded_len() <= 300 && whole.fragments() <= 4);
                    }
                    Event::Dropped { .. } => given_up += 1,
                    _ => {}
                }
            }
        }
        machine.handle_timeout(Duration::MAX);
        prop_assert!(machine.is_empty());
        given_up += events(&mut machine).len() as u64;
        let stats = machine.stats();
        prop_assert_eq!(stats.complete, complete);
        let reasons = [stats.timeout, stats.too_many_datagrams, stats.too_long, stats.too_many_fragments, stats.conflict];
        prop_assert_eq!(reasons.iter().sum::<u64>(), given_up);
    }
}
