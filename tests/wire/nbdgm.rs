//! Datagrams: what is built comes back, what senders do wrong is read, what is damaged is named.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use mailslot::wire::name::{NetbiosName, Scope, ScopedName, Suffix};
use mailslot::wire::nbdgm::{
    Body, Content, Datagram, ErrorCode, Flags, Header, LengthForm, MsgType, Salvage,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode, ValueErrorReason};
use proptest::prelude::*;

use crate::frames::{Case, case, cases};
use crate::name::{any_labels, any_name};

static FRAMES: LazyLock<Vec<Case>> = LazyLock::new(|| cases("nbdgm"));

fn any_header(msg_type: impl Strategy<Value = u8>) -> impl Strategy<Value = Header> {
    (msg_type, any::<(u8, u16, u32, u16)>()).prop_map(|(msg_type, (flags, dgm_id, ip, source_port))| Header {
        msg_type: MsgType(msg_type),
        flags: Flags::from_bits_retain(flags),
        dgm_id,
        source_ip: Ipv4Addr::from(ip),
        source_port,
    })
}

fn any_length_form() -> impl Strategy<Value = LengthForm> {
    prop_oneof![Just(LengthForm::Exact), Just(LengthForm::CountsHeader)]
}

fn user_data() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..600)
}

fn header(msg_type: MsgType) -> Header {
    Header {
        msg_type,
        flags: Flags::FIRST,
        dgm_id: 7,
        source_ip: Ipv4Addr::new(192, 0, 2, 1),
        source_port: 138,
    }
}

fn name(text: &str) -> ScopedName<'static> {
    NetbiosName::new(text, Suffix::WORKSTATION).unwrap().into()
}

fn direct(user_data: &[u8], length_form: LengthForm) -> Body<'_> {
    let content = Content { source_name: name("A"), destination_name: name("B"), user_data };
    Body::Direct { length_form, content }
}

proptest! {
    #[test]
    fn direct_datagrams_round_trip(
        header in any_header(0x10..=0x12_u8),
        length_form in any_length_form(),
        names in (any_name(), any_labels(), any_name(), any_labels()),
        user_data in user_data(),
    ) {
        let content = Content {
            source_name: ScopedName::new(names.0, Scope::from_labels(&names.1).unwrap()),
            destination_name: ScopedName::new(names.2, Scope::from_labels(&names.3).unwrap()),
            user_data: &user_data,
        };
        let datagram = Datagram::new(header, Body::Direct { length_form, content }).unwrap();
        let bytes = round_trip!(Datagram<'_>, datagram);
        prop_assert!(bytes.ends_with(&user_data));
        prop_assert_eq!(datagram.content(), Some(&content));
        prop_assert_eq!(datagram.is_fragment(), header.flags.contains(Flags::MORE));
        let counted = bytes.len() - if length_form == LengthForm::Exact { 14 } else { 0 };
        prop_assert_eq!(datagram.dgm_length().map(usize::from), Some(counted));
    }

    #[test]
    fn later_fragments_round_trip(
        header in any_header(0x10..=0x12_u8),
        length_form in any_length_form(),
        packet_offset in 1..=u16::MAX,
        bytes in user_data(),
    ) {
        let body = Body::Fragment { length_form, packet_offset, bytes: &bytes };
        let datagram = Datagram::new(header, body).unwrap();
        round_trip!(Datagram<'_>, datagram);
        prop_assert!(datagram.is_fragment());
        prop_assert_eq!((datagram.packet_offset(), datagram.content()), (Some(packet_offset), None));
    }

    #[test]
    fn errors_and_queries_round_trip(
        error in any_header(Just(0x13)),
        code: u8,
        query in any_header(0x14..=0x16_u8),
        name in any_name(),
        labels in any_labels(),
    ) {
        let datagram = Datagram::new(error, Body::Error(ErrorCode(code))).unwrap();
        prop_assert_eq!(round_trip!(Datagram<'_>, datagram).len(), 11);
        let name = ScopedName::new(name, Scope::from_labels(&labels).unwrap());
        let datagram = Datagram::new(query, Body::Query(name)).unwrap();
        prop_assert_eq!(round_trip!(Datagram<'_>, datagram).len(), 10 + name.encoded_len());
        prop_assert!(!datagram.is_fragment());
        prop_assert_eq!((datagram.dgm_length(), datagram.packet_offset()), (None, None));
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(msg_type in 0x0f..=0x17_u8, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        lossless!(Datagram<'_>, &bytes);
        lossless!(Datagram<'_>, &[&[msg_type], bytes.as_slice()].concat());
    }

    #[test]
    fn real_datagrams_with_other_bytes_keep_the_law(
        index: prop::sample::Index,
        patches in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = index.get(&FRAMES).bytes.clone();
        for (place, value) in patches {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        lossless!(Datagram<'_>, &bytes);
        let _ = Salvage::read(&bytes);
    }
}

#[test]
fn a_length_that_counts_the_header_too_is_read_and_written_again() {
    let oki = case("nbdgm", "dgm-length-plus-14-oki");
    let datagram = Datagram::decode(&oki.bytes).unwrap();
    assert_eq!(datagram.dgm_length(), Some(215));
    assert_eq!(datagram.content().unwrap().user_data.len(), 201 - 68);
    assert_eq!(datagram.trailing(), b"");
    // By 14 only.
    for wrong in [202, 214, 216, 0xffff_u16] {
        let mut bytes = oki.bytes.clone();
        bytes[10..12].copy_from_slice(&wrong.to_be_bytes());
        let kind = DecodeErrorKind::OutOfBounds { needed: wrong.into(), have: 201 };
        refused!(Datagram<'_>, &bytes, Nbdgm, "dgm_length", 10, kind);
    }
}

#[test]
fn a_length_below_the_bytes_that_came_cuts() {
    let mut bytes = case("nbdgm", "app-unique").bytes;
    bytes.extend(b"\0\0\0\0");
    let datagram = canonical!(Datagram<'_>, &bytes);
    assert_eq!(datagram.trailing(), b"\0\0\0\0");
    assert!(datagram.content().unwrap().user_data.ends_with(b"unique"));
    let error = [case("nbdgm", "error-82").bytes.as_slice(), b"tail"].concat();
    assert_eq!(canonical!(Datagram<'_>, &error).trailing(), b"tail");
}

#[test]
fn reserved_flag_bits_and_node_types_are_kept() {
    let mut bytes = case("nbdgm", "app-unique").bytes;
    for flags in 0..=255 {
        bytes[1] = flags;
        let datagram = canonical!(Datagram<'_>, &bytes);
        assert_eq!(datagram.header().flags.bits(), flags);
        assert_eq!(datagram.is_fragment(), flags & 1 == 1);
    }
}

#[test]
fn any_source_port_and_address_are_kept() {
    let mut bytes = case("nbdgm", "app-unique").bytes;
    bytes[4..10].copy_from_slice(&[255, 255, 255, 255, 0, 0]);
    let datagram = canonical!(Datagram<'_>, &bytes);
    assert_eq!((datagram.header().source_ip, datagram.header().source_port), (Ipv4Addr::BROADCAST, 0));
}

#[test]
fn more_user_data_than_512_bytes_is_read() {
    let data = vec![7; usize::from(u16::MAX) - 68];
    let datagram = Datagram::new(header(MsgType::DIRECT_UNIQUE), direct(&data, LengthForm::Exact)).unwrap();
    assert_eq!(round_trip!(Datagram<'_>, datagram).len(), 14 + 65_535);
}

#[test]
fn what_cannot_be_written_cannot_be_built() {
    let reason = |msg_type, body| Datagram::new(header(msg_type), body).unwrap_err().reason;
    let error = || Body::Error(ErrorCode::DESTINATION_NAME_NOT_PRESENT);
    let fragment =
        |packet_offset| Body::Fragment { length_form: LengthForm::Exact, packet_offset, bytes: b"abc" };
    let cases = [
        (MsgType::ERROR, direct(b"", LengthForm::Exact)),
        (MsgType::QUERY_REQUEST, fragment(1)),
        (MsgType::DIRECT_GROUP, error()),
        (MsgType(0x17), Body::Query(name("A"))),
        (MsgType::BROADCAST, Body::Query(name("A"))),
        (MsgType::DIRECT_GROUP, fragment(0)),
    ];
    for (msg_type, body) in cases {
        assert!(matches!(reason(msg_type, body), ValueErrorReason::BadForm(_)), "{msg_type} {body:?}");
    }
    let data = vec![7; usize::from(u16::MAX) - 68 + 1];
    let too_long = ValueErrorReason::TooLong { have: 65_536, max: 65_535 };
    assert_eq!(reason(MsgType::DIRECT_UNIQUE, direct(&data, LengthForm::Exact)), too_long);
    let too_long = ValueErrorReason::TooLong { have: 65_535, max: 65_521 };
    assert_eq!(reason(MsgType::DIRECT_UNIQUE, direct(&data[1..], LengthForm::CountsHeader)), too_long);
}

#[test]
fn every_cut_header_field_is_named() {
    let bytes = case("nbdgm", "app-unique").bytes;
    let fields = [
        ("msg_type", 0, 1),
        ("flags", 1, 1),
        ("dgm_id", 2, 2),
        ("source_ip", 4, 4),
        ("source_port", 8, 2),
        ("dgm_length", 10, 2),
        ("packet_offset", 12, 2),
    ];
    for (field, at, needed) in fields {
        for have in 0..needed {
            let error = Datagram::decode(&bytes[..at + have]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("nbdgm: {field} at offset {at} needs {needed} bytes, has {have}")
            );
        }
    }
    let error = case("nbdgm", "error-82").bytes;
    let kind = DecodeErrorKind::Truncated { needed: 1, have: 0 };
    refused!(Datagram<'_>, &error[..10], Nbdgm, "error_code", 10, kind);
}

#[test]
fn every_damaged_field_is_named() {
    let good = case("nbdgm", "app-unique").bytes;
    let patched = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    for value in [0, 0x0f, 0x17, 0xff] {
        let kind = DecodeErrorKind::BadValue { value: value.into(), expected: "0x10 to 0x16" };
        refused!(Datagram<'_>, &patched(0, value), Nbdgm, "msg_type", 0, kind);
    }
    let label = |value| DecodeErrorKind::BadValue { value, expected: "a label of 0x20 letters" };
    refused!(Datagram<'_>, &patched(14, 0x21), NetbiosName, "source_name", 14, label(0x21));
    refused!(Datagram<'_>, &patched(48, 0x21), NetbiosName, "destination_name", 48, label(0x21));
    let letter = |value| DecodeErrorKind::BadValue { value, expected: "a letter from A to P" };
    refused!(Datagram<'_>, &patched(20, b'a'), NetbiosName, "source_name", 20, letter(0x61));
    refused!(Datagram<'_>, &patched(80, b'Q'), NetbiosName, "destination_name", 80, letter(0x51));
    let pointer = DecodeErrorKind::PointerNotAllowed;
    refused!(Datagram<'_>, &patched(14, 0xc0), NetbiosName, "source_name", 14, pointer);
    refused!(Datagram<'_>, &patched(48, 0xc0), NetbiosName, "destination_name", 48, pointer);
    refused!(Datagram<'_>, &patched(47, 0xc0), NetbiosName, "source_name", 47, pointer);
    // Both names must end inside DGM_LENGTH, however many bytes follow.
    let mut short = good.clone();
    short[10..12].copy_from_slice(&67_u16.to_be_bytes());
    let kind = DecodeErrorKind::Truncated { needed: 1, have: 0 };
    refused!(Datagram<'_>, &short, NetbiosName, "destination_name", 81, kind);
    let mut query = case("nbdgm", "query-positive").bytes;
    query[11] = b'z';
    refused!(Datagram<'_>, &query, NetbiosName, "destination_name", 11, letter(0x7a));
}

#[test]
fn what_is_sound_before_the_damage_can_be_shown() {
    let mut bytes = case("nbdgm", "app-unique").bytes;
    bytes[48] = 0x21;
    let salvage = Salvage::read(&bytes).unwrap();
    assert_eq!(salvage.header.msg_type, MsgType::DIRECT_UNIQUE);
    assert!(salvage.length_and_offset.is_some() && salvage.source_name.is_some());
    assert_eq!(salvage.destination_name, None);
    assert_eq!(Salvage::read(&bytes[..9]), None);
    assert_eq!(Salvage::read(&bytes[..13]).unwrap().length_and_offset, None);
}
