//! The size split: the sending rule for every profile, and Table 19-1 of the book chapter end to end.

use std::time::Duration;

use bytes::Bytes;
use mailslot::slot::route::{
    Alignment, Destination, MAX_NAME_AND_DATA, MAX_TRANSACTION_DATA, data_offset, datagram_capacity, plan,
    plan_via,
};
use mailslot::slot::{
    CreateOptions, DropReason, Incoming, MailslotError, Origin, Profile, Registry, RegistryConfig, Route,
    SlotName, SlotPath, Via,
};
use mailslot::wire::nbss::Framing;

const SIZES: [usize; 14] = [0, 1, 400, 423, 424, 425, 426, 427, 428, 512, 4093, 4094, 65_535, 65_536];
const PROFILES: [Profile; 3] = [Profile::Nt, Profile::Nt4, Profile::Win9x];

fn name(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

/// A name of `k` characters.
fn of_len(k: usize) -> SlotName {
    name(&"n".repeat(k))
}

const fn datagram(group: bool, bytes: usize) -> Route {
    Route::Datagram { group, bytes, truncated: false }
}

fn code(result: Result<Route, MailslotError>) -> Result<Route, u32> {
    result.map_err(|error| error.win32().code())
}

fn route(k: usize, to: Destination, len: usize, profile: Profile) -> Result<Route, u32> {
    code(plan(&of_len(k), to, len, profile, Alignment::Aligned))
}

#[test]
fn offsets_and_capacities_by_name_length() {
    assert_eq!(MAX_NAME_AND_DATA, 443);
    for (k, offset, room) in [
        (1, 84, 428),
        (4, 84, 428),
        (5, 88, 424),
        (8, 88, 424),
        (9, 92, 420),
        (12, 92, 420),
        (13, 96, 416),
        (16, 96, 416),
    ] {
        assert_eq!(data_offset(k, Alignment::Aligned), offset);
        assert_eq!(512 - offset, room);
        assert_eq!(room, 432 - k.next_multiple_of(4));
        assert_eq!(datagram_capacity(offset), Some(room.min(424)));
    }
    // The browser driver's frames: \MAILSLOT\BROWSE at 86, \MAILSLOT\NET\NETLOGON at 92.
    assert_eq!(data_offset(6, Alignment::Unaligned), 86);
    assert_eq!(data_offset(12, Alignment::Unaligned), 92);
    assert_eq!(datagram_capacity(512), Some(0));
    assert_eq!(datagram_capacity(513), None);
}

/// The sending rule for a name of six characters, written out once more as a list.
#[test]
fn the_sending_rule() {
    for len in SIZES {
        let fits = len <= 424;
        for profile in [Profile::Nt, Profile::Nt4] {
            let one = match (profile, len) {
                (_, 0..=424) => Ok(datagram(false, len)),
                (Profile::Nt4, 425 | 426) => {
                    Ok(Route::Datagram { group: false, bytes: 424, truncated: true })
                }
                (_, 425..=65_535) => Ok(Route::Session),
                _ => Err(87),
            };
            assert_eq!(route(6, Destination::Computer, len, profile), one, "{profile} {len}");
            let group = match len {
                _ if fits => Ok(datagram(true, len)),
                0..=65_535 => Err(53),
                _ => Err(87),
            };
            assert_eq!(route(6, Destination::Group, len, profile), group, "{profile} {len}");
        }
        for (to, is_group) in [(Destination::Computer, false), (Destination::Group, true)] {
            let expected = if len <= 65_337 { Ok(datagram(is_group, len)) } else { Err(87) };
            assert_eq!(route(6, to, len, Profile::Win9x), expected, "{len}");
        }
        for profile in PROFILES {
            assert_eq!(route(6, Destination::Local, len, profile), Ok(Route::Local));
        }
    }
}

#[test]
fn the_edges_of_the_sending_rule() {
    use Destination::{Computer, Group};
    // The limit starts lower where the name is long, and never above 424.
    assert_eq!(route(12, Computer, 420, Profile::Nt), Ok(datagram(false, 420)));
    assert_eq!(route(12, Computer, 421, Profile::Nt), Ok(Route::Session));
    assert_eq!(route(12, Group, 421, Profile::Nt), Err(53));
    for len in 425..=428 {
        assert_eq!(route(3, Computer, len, Profile::Nt), Ok(Route::Session), "{len}");
    }
    // nt4 cuts everything from the capacity to 426.
    for len in 421..=426 {
        let cut = Route::Datagram { group: false, bytes: 420, truncated: true };
        assert_eq!(route(12, Computer, len, Profile::Nt4), Ok(cut), "{len}");
    }
    assert_eq!(route(12, Computer, 427, Profile::Nt4), Ok(Route::Session));
    assert_eq!(
        route(3, Computer, 426, Profile::Nt4),
        Ok(Route::Datagram { group: false, bytes: 424, truncated: true })
    );
    assert_eq!(route(6, Group, 425, Profile::Nt4), Err(53));
    // win9x: what one UDP datagram can carry.
    assert_eq!(route(6, Computer, 65_337, Profile::Win9x), Ok(datagram(false, 65_337)));
    assert_eq!(route(6, Computer, 65_338, Profile::Win9x), Err(87));
    // Its names are cut to 8.3 before anything is counted.
    assert_eq!(route(40, Computer, 65_337, Profile::Win9x), Ok(datagram(false, 65_337)));
    // A name that leaves no room for a datagram at all.
    let endless = 512 - 79;
    for profile in [Profile::Nt, Profile::Nt4] {
        assert_eq!(route(endless, Computer, 0, profile), Ok(Route::Session));
        assert_eq!(route(endless, Group, 0, profile), Err(53));
        assert_eq!(route(endless - 1, Group, 0, profile), Ok(datagram(true, 0)));
    }
    // Without alignment 426 bytes would fit; 424 stays the limit. A longer name feels the difference.
    assert_eq!(code(plan(&of_len(6), Computer, 425, Profile::Nt, Alignment::Unaligned)), Ok(Route::Session));
    assert_eq!(
        code(plan(&of_len(9), Computer, 422, Profile::Nt, Alignment::Unaligned)),
        Ok(datagram(false, 422))
    );
    assert_eq!(code(plan(&of_len(9), Computer, 422, Profile::Nt, Alignment::Aligned)), Ok(Route::Session));
    // What the wire cannot spell; a local slot may have such a name.
    let han = name("\u{4e2d}");
    assert_eq!(code(plan(&han, Computer, 1, Profile::Nt, Alignment::Aligned)), Err(123));
    assert_eq!(code(plan(&han, Destination::Local, 1, Profile::Nt, Alignment::Aligned)), Ok(Route::Local));
    assert_eq!(MAX_TRANSACTION_DATA, 65_535);
    let MailslotError::TooLongForGroup { size, max } =
        plan(&of_len(12), Group, 500, Profile::Nt, Alignment::Aligned).unwrap_err()
    else {
        panic!("another error")
    };
    assert_eq!((size, max), (500, 420));
}

/// What arrives of `len` bytes.
#[derive(Debug, PartialEq, Eq)]
enum Arrives {
    Whole,
    Cut(usize),
    NotSent,
    Dropped,
}

#[test]
fn a_way_that_is_asked_for_is_taken_or_refused() {
    use Destination::{Computer, Group, Local};
    let via =
        |to, len, profile, via| code(plan_via(&name("eight888"), to, len, profile, Alignment::Aligned, via));
    for profile in PROFILES {
        for to in [Local, Computer, Group] {
            for len in SIZES {
                let any = route(8, to, len, profile);
                assert_eq!(via(to, len, profile, Via::Any), any);
                let (as_datagram, as_session) = match (to, profile) {
                    // No wire leads there.
                    (Local, _) => (Err(50), Err(50)),
                    // 425 bytes and more, which would go by session.
                    (Computer, _) if any == Ok(Route::Session) => (Err(87), any),
                    (Computer, Profile::Win9x) => (any, Err(50)),
                    // The length is refused before the way.
                    (Computer, _) if any.is_err() => (any, any),
                    (Computer, _) => (any, Ok(Route::Session)),
                    _ => (any, Err(53)),
                };
                assert_eq!(via(to, len, profile, Via::Datagram), as_datagram, "{to:?} {len} {profile:?}");
                assert_eq!(via(to, len, profile, Via::Session), as_session, "{to:?} {len} {profile:?}");
            }
        }
    }
    let error = plan_via(&of_len(16), Computer, 425, Profile::Nt, Alignment::Aligned, Via::Datagram);
    assert_eq!(error, Err(MailslotError::TooLongForDatagram { size: 425, max: 416 }));
}

/// Sends through the real plan into a real registry.
fn send(sender: Profile, receiver: Profile, to: Destination, len: usize) -> Arrives {
    let path = SlotPath::parse(r"\\.\mailslot\taxes").unwrap();
    let registry = Registry::with_config(RegistryConfig { profile: receiver, ..RegistryConfig::default() });
    let slot = registry.create(&path, CreateOptions::default()).unwrap();
    let data = Bytes::from(vec![7; len]);
    let names = ([b'A'; 16], [b'B'; 16]);
    let (sent, origin) = match plan(&path.name, to, len, sender, Alignment::Aligned) {
        Err(_) => return Arrives::NotSent,
        Ok(Route::Datagram { bytes, truncated, .. }) => {
            assert_eq!(truncated, bytes < len);
            (data.slice(..bytes), Origin::Datagram { source: names.0, destination: names.1 })
        }
        Ok(Route::Session) => {
            (data, Origin::Session { framing: Framing::Direct, source: names.0, destination: names.1 })
        }
        Ok(other) => panic!("{other:?}"),
    };
    match registry.deliver(&path.name, Incoming { data: sent, origin, at: Duration::ZERO, peer: None }) {
        Ok(delivered) => {
            let message = slot.try_read().unwrap();
            assert_eq!((message.data.len(), message.truncated), (delivered.bytes, delivered.truncated));
            assert_eq!(message.origin, origin);
            if delivered.bytes == len { Arrives::Whole } else { Arrives::Cut(delivered.bytes) }
        }
        Err(reason) => {
            match reason {
                DropReason::OverMaxMessageSize { max: 4093, .. } => assert!(len > 4093),
                DropReason::SessionNotSupported => assert!(len > 424),
                other => panic!("{other}"),
            }
            assert_eq!(slot.try_read().unwrap_err().win32().code(), 121);
            assert_eq!(registry.stats().drops.total(), 1);
            Arrives::Dropped
        }
    }
}

/// Table 19-1. "64 KB" from 9x to 9x meets the 4,093 bytes of a slot made by Windows 95 (KB Q170581): the datagram
/// goes, the slot refuses it.
#[test]
fn table_19_1() {
    use Arrives::{Cut, Dropped, NotSent, Whole};
    for len in SIZES {
        for to in [Destination::Computer, Destination::Group] {
            let one = to == Destination::Computer;
            for receiver in PROFILES {
                for sender in [Profile::Nt, Profile::Nt4] {
                    let expected = match len {
                        0..=424 => Whole,
                        425 | 426 if one && sender == Profile::Nt4 => Cut(424),
                        425..=65_535 if one && receiver == Profile::Win9x => Dropped,
                        425..=65_535 if one => Whole,
                        _ => NotSent,
                    };
                    assert_eq!(
                        send(sender, receiver, to, len),
                        expected,
                        "{sender} to {receiver}, {to:?}, {len}"
                    );
                }
                let expected = match (receiver, len) {
                    (_, 65_338..) => NotSent,
                    (_, 0..=424) | (Profile::Nt, _) => Whole,
                    // "Windows NT will accept the first 424 bytes and truncate the remaining data".
                    (Profile::Nt4, _) => Cut(424),
                    (_, 0..=4093) => Whole,
                    _ => Dropped,
                };
                assert_eq!(
                    send(Profile::Win9x, receiver, to, len),
                    expected,
                    "win9x to {receiver}, {to:?}, {len}"
                );
            }
        }
    }
}
