//! NetBIOS names: both encodings, scopes, label pointers, and how names are written and read as text.

use mailslot::wire::name::{
    ENCODED_LEN, MAX_ACCEPTED_LEN, MAX_ENCODED_LEN, NetbiosName, Scope, ScopedName, Suffix, scope_labels,
};
use mailslot::wire::{DecodeErrorKind, Encode, ValueErrorReason};
use proptest::prelude::*;

pub(crate) fn any_name() -> impl Strategy<Value = NetbiosName> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(NetbiosName::from_bytes),
        (prop::collection::vec(any::<u8>(), 1..=15), any::<u8>())
            .prop_map(|(base, suffix)| NetbiosName::from_oem(&base, Suffix(suffix)).unwrap()),
        Just(NetbiosName::WILDCARD),
        Just(NetbiosName::MSBROWSE),
    ]
}

/// The labels of a scope in wire form, from none to the 221 bytes that fit.
pub(crate) fn any_labels() -> impl Strategy<Value = Vec<u8>> {
    let label = prop::collection::vec(any::<u8>(), 1..=63);
    prop::collection::vec(label, 0..6).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            if wire.len() + 1 + label.len() <= MAX_ENCODED_LEN - ENCODED_LEN {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend(label);
            }
        }
        wire
    })
}

fn fred() -> NetbiosName {
    NetbiosName::new("fred", Suffix::SERVER).unwrap()
}

/// FRED<20> with these bytes behind the letters.
fn encoded(behind: &[u8]) -> Vec<u8> {
    [b"\x20EGFCEFEECACACACACACACACACACACACA".as_slice(), behind].concat()
}

/// Labels of 63 bytes as far as they go, `length` bytes in all.
fn labels_of(length: usize) -> Vec<u8> {
    let mut labels = Vec::new();
    while labels.len() < length {
        let label = (length - labels.len() - 1).min(63);
        labels.push(u8::try_from(label).unwrap());
        labels.extend(std::iter::repeat_n(b'x', label));
    }
    labels
}

proptest! {
    #[test]
    fn names_round_trip(name in any_name(), labels in any_labels()) {
        let scope = Scope::from_labels(&labels).unwrap();
        let bytes = round_trip!(ScopedName<'_>, ScopedName::new(name, scope));
        prop_assert!(bytes.len() <= MAX_ENCODED_LEN);
        let mut first_level = [0; 32];
        first_level.copy_from_slice(&bytes[1..33]);
        prop_assert_eq!(first_level, name.first_level());
        prop_assert_eq!(NetbiosName::from_first_level(&first_level), Ok(name));
        prop_assert_eq!(scope.labels().map(|label| label.len() + 1).sum::<usize>(), labels.len());
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        lossless!(ScopedName<'_>, &bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_the_letters_keep_the_law(bytes in prop::collection::vec(0..70_u8, 0..300)) {
        lossless!(ScopedName<'_>, &encoded(&bytes));
    }

    #[test]
    fn a_name_in_a_packet_never_reaches_beyond_it(
        packet in prop::collection::vec(prop_oneof![Just(0xc0_u8), Just(0x20), Just(0), Just(b'A'), 0..80_u8], 0..90),
        offset in 0..100_usize,
    ) {
        match ScopedName::decode_in_packet(&packet, offset, "rr_name") {
            Ok((_, behind)) => prop_assert!(offset < behind && behind <= packet.len()),
            Err(error) => prop_assert!(error.offset <= packet.len().max(offset)),
        }
    }

    #[test]
    fn printable_names_are_read_as_they_are_printed(text in "[A-Z0-9!#$%&()@^_{}~.-]{1,15}", suffix: u8) {
        let name = NetbiosName::new(&text, Suffix(suffix)).unwrap();
        prop_assert_eq!(name.to_string().parse(), Ok(name));
        prop_assert_eq!(name.base(), text.as_bytes());
        prop_assert_eq!(name.suffix(), Suffix(suffix));
    }

    #[test]
    fn dotted_scopes_come_back(dotted in "([a-z0-9-]{1,20}\\.){0,5}[a-z0-9-]{1,20}") {
        let labels = scope_labels(&dotted).unwrap();
        prop_assert_eq!(Scope::from_labels(&labels).unwrap().to_string(), dotted);
    }
}

#[test]
fn text_is_put_into_upper_case_and_padded_with_spaces() {
    assert_eq!(fred().as_bytes(), b"FRED           \x20");
    assert_eq!(fred().to_string(), "FRED<20>");
    assert_eq!("fred<20>".parse(), Ok(fred()));
    assert_eq!("fred".parse(), Ok(fred().with_suffix(Suffix::WORKSTATION)));
}

#[test]
fn the_wildcard_is_padded_with_nuls() {
    let wildcard = NetbiosName::new("*", Suffix::WORKSTATION).unwrap();
    assert_eq!(wildcard, NetbiosName::WILDCARD);
    assert_eq!(&wildcard.first_level(), b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert!(wildcard.is_wildcard() && wildcard.with_suffix(Suffix::SERVER).is_wildcard());
    let smbserver = NetbiosName::new("*SMBSERVER", Suffix::SERVER).unwrap();
    assert_eq!(&smbserver.first_level(), b"CKFDENECFDEFFCFGEFFCCACACACACACA");
    assert!(!smbserver.is_wildcard());
}

#[test]
fn the_group_of_master_browsers_is_read_as_it_is_printed() {
    assert_eq!(NetbiosName::MSBROWSE.to_string(), r"\x01\x02__MSBROWSE__\x02<01>");
    assert_eq!(r"\x01\x02__MSBROWSE__\x02<01>".parse(), Ok(NetbiosName::MSBROWSE));
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    let reason = |text: &str| text.parse::<NetbiosName>().unwrap_err().reason;
    assert_eq!(reason(""), ValueErrorReason::Empty);
    assert_eq!(reason("SIXTEEN-LETTERS-"), ValueErrorReason::TooLong { have: 16, max: 15 });
    assert_eq!(reason("M\u{dc}LLER"), ValueErrorReason::BadCharacter { position: 1 });
    for text in ["FRED<>", "FRED<2>", "FRED<200>", "FRED<xy>", "FRED<+2>"] {
        assert!(matches!(reason(text), ValueErrorReason::BadForm(_)), "{text}");
    }
}

#[test]
fn names_are_compared_with_all_16_bytes() {
    let other_case = NetbiosName::from_oem(b"fred", Suffix::SERVER).unwrap();
    assert_ne!(other_case, fred());
    assert_ne!(fred().with_suffix(Suffix::WORKSTATION), fred());
}

#[test]
fn scopes_are_the_same_in_any_case() {
    let (lower, upper) = (scope_labels("lab.corpx").unwrap(), scope_labels("LAB.CorpX").unwrap());
    let (lower, upper) = (Scope::from_labels(&lower).unwrap(), Scope::from_labels(&upper).unwrap());
    assert!(lower.matches(upper));
    assert!(!lower.matches(Scope::NONE));
    // The same letters in other labels are another scope.
    let joined = scope_labels("labcorpx").unwrap();
    assert!(!lower.matches(Scope::from_labels(&joined).unwrap()));
}

#[test]
fn a_scope_of_221_bytes_is_the_longest_that_is_made() {
    let longest = labels_of(MAX_ENCODED_LEN - ENCODED_LEN);
    assert_eq!(longest.len(), 221);
    let name = ScopedName::new(fred(), Scope::from_labels(&longest).unwrap());
    assert_eq!(round_trip!(ScopedName<'_>, name).len(), 255);
    let error = Scope::from_labels(&labels_of(222)).unwrap_err();
    assert_eq!(error.reason, ValueErrorReason::TooLong { have: 222, max: 221 });
    assert!(
        scope_labels(&["x".repeat(63), "x".repeat(63), "x".repeat(63), "x".repeat(30)].join(".")).is_err()
    );
}

#[test]
fn a_scope_of_237_characters_is_read_as_samba_reads_it() {
    // 237 characters with their dots are 238 bytes of labels.
    let bytes = encoded(&[labels_of(238), vec![0]].concat());
    assert_eq!(bytes.len(), MAX_ACCEPTED_LEN);
    let name = canonical!(ScopedName<'_>, &bytes);
    assert_eq!(name.scope.to_string().len(), 237);
    let bytes = encoded(&[labels_of(239), vec![0]].concat());
    let kind = DecodeErrorKind::TooLong { have: 273, max: 272 };
    refused!(ScopedName<'_>, &bytes, NetbiosName, "name", 33 + 239, kind);
}

#[test]
fn labels_may_hold_any_byte_and_have_1_to_63() {
    canonical!(ScopedName<'_>, &encoded(b"\x01?\x02\x00\xff\0"));
    for bad in [b"\x00".as_slice(), b"\x40xxxx", b"\x04xxx", b"\x01x\x00", b"\xc0\x0c"] {
        let error = Scope::from_labels(bad).unwrap_err();
        assert!(matches!(error.reason, ValueErrorReason::BadForm(_)), "{bad:?}");
    }
    for bad in ["a..b", ".a", "a.", "."] {
        assert!(scope_labels(bad).is_err(), "{bad}");
    }
    assert_eq!(scope_labels(""), Ok(Vec::new()));
}

#[test]
fn every_damage_is_named() {
    use DecodeErrorKind::{BadValue, PointerNotAllowed, TooLong, Truncated};
    let label = "a label of 0x20 letters";
    let rest = "a label of at most 63 bytes";
    let good = encoded(b"\x03lab\0");
    refused!(ScopedName<'_>, b"", NetbiosName, "name", 0, Truncated { needed: 34, have: 0 });
    refused!(ScopedName<'_>, &good[..20], NetbiosName, "name", 1, Truncated { needed: 32, have: 19 });
    refused!(ScopedName<'_>, &good[..33], NetbiosName, "name", 33, Truncated { needed: 1, have: 0 });
    refused!(ScopedName<'_>, &good[..36], NetbiosName, "name", 34, Truncated { needed: 3, have: 2 });
    refused!(ScopedName<'_>, &good[..37], NetbiosName, "name", 37, Truncated { needed: 1, have: 0 });
    refused!(ScopedName<'_>, b"\x1fxx", NetbiosName, "name", 0, BadValue { value: 0x1f, expected: label });
    refused!(ScopedName<'_>, b"\x60xx", NetbiosName, "name", 0, BadValue { value: 0x60, expected: label });
    refused!(ScopedName<'_>, b"\xc0\x0c", NetbiosName, "name", 0, PointerNotAllowed);
    refused!(ScopedName<'_>, &encoded(b"\xc0\x0c"), NetbiosName, "name", 33, PointerNotAllowed);
    for reserved in [0x40, 0x80, 0xbf] {
        let kind = BadValue { value: reserved.into(), expected: rest };
        refused!(ScopedName<'_>, &encoded(&[reserved, 0, 0]), NetbiosName, "name", 33, kind);
    }
    refused!(ScopedName<'_>, &encoded(b"\0more"), NetbiosName, "name", 34, TooLong { have: 38, max: 34 });
}

/// The letters are read eight at a time: each place, and each neighbour of the alphabet's ends, by itself.
#[test]
fn each_letter_is_from_a_to_p() {
    for place in 1..=32 {
        for value in 0..=255_u8 {
            let mut bytes = encoded(b"\0");
            bytes[place] = value;
            if (b'A'..=b'P').contains(&value) {
                canonical!(ScopedName<'_>, &bytes);
            } else {
                let kind =
                    DecodeErrorKind::BadValue { value: value.into(), expected: "a letter from A to P" };
                refused!(ScopedName<'_>, &bytes, NetbiosName, "name", place, kind);
            }
        }
    }
}

/// A packet of twelve bytes, then what is given.
fn packet(behind: &[u8]) -> Vec<u8> {
    [&[0; 12], behind].concat()
}

#[test]
fn a_pointer_stands_for_a_whole_name() {
    let packet = packet(&[encoded(b"\x03lab\0"), b"\xc0\x0c\0\x20".to_vec()].concat());
    let (name, behind) = ScopedName::decode_in_packet(&packet, 12, "question_name").unwrap();
    assert_eq!((name.to_string().as_str(), behind), ("FRED<20>.lab", 50));
    assert_eq!(ScopedName::decode_in_packet(&packet, 50, "rr_name"), Ok((name, 52)));
}

#[test]
fn a_pointer_stands_for_a_scope() {
    let packet = packet(&[encoded(b"\x03lab\0"), encoded(b"\xc0\x2d")].concat());
    let (first, behind) = ScopedName::decode_in_packet(&packet, 12, "question_name").unwrap();
    assert_eq!(ScopedName::decode_in_packet(&packet, behind, "rr_name"), Ok((first, packet.len())));
}

#[test]
fn a_pointer_points_backwards_and_at_labels() {
    let refused = |packet: &[u8], offset| {
        let error = ScopedName::decode_in_packet(packet, offset, "rr_name").unwrap_err();
        assert_eq!(error.field, "rr_name");
        (error.offset, error.kind)
    };
    let bounds = |needed, have| DecodeErrorKind::OutOfBounds { needed, have };
    // To itself, and forwards.
    assert_eq!(refused(&packet(b"\xc0\x0c"), 12), (12, bounds(12, 12)));
    assert_eq!(refused(&packet(&[b"\xc0\x0e".to_vec(), encoded(b"\0")].concat()), 12), (12, bounds(14, 12)));
    assert_eq!(refused(&packet(&encoded(b"\xc0\x2f")), 12), (45, bounds(47, 45)));
    // To another pointer: one hop.
    let two_hops = packet(&[encoded(b"\0"), b"\xc0\x0c\xc0\x2e".to_vec()].concat());
    assert_eq!(refused(&two_hops, 48), (46, DecodeErrorKind::PointerNotAllowed));
    // Into the twelve bytes of header: no label of 32 letters there.
    assert_eq!(refused(&packet(b"\xc0\x00"), 12).0, 0);
    // Behind the packet's end.
    assert_eq!(refused(b"", 700).1, DecodeErrorKind::Truncated { needed: 34, have: 0 });
}

#[test]
fn the_first_level_of_the_specifications_examples() {
    let example = NetbiosName::new("EXAMPLE", Suffix(0x19)).unwrap();
    assert_eq!(&example.first_level(), b"EFFIEBENFAEMEFCACACACACACACACABJ");
    assert_eq!(&NetbiosName::MSBROWSE.first_level(), b"ABACFPFPENFDECFCEPFHFDEFFPFPACAB");
    assert_eq!(ScopedName::from(fred()).to_bytes(), encoded(b"\0"));
}
