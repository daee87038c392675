//! Mailslot writes: the emitters' layouts, what senders do differently, what is damaged.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mailslot::wire::smb::{
    Class, Command, Header, HeaderLayout, MailslotWrite, NAME_OFFSET, TransactionFlags, data_offset,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode, Layer, ValueErrorReason};
use proptest::prelude::*;

use crate::frames::{Case, case, cases};

static FRAMES: LazyLock<Vec<Case>> = LazyLock::new(|| cases("smb"));

fn any_layout() -> impl Strategy<Value = HeaderLayout> {
    prop::sample::select(HeaderLayout::ALL.to_vec())
}

/// `\MAILSLOT\` in any case, and one or more characters that are not controls.
fn any_slot_name() -> impl Strategy<Value = Vec<u8>> {
    let character = prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8];
    ("[Mm][Aa][Ii][Ll][Ss][Ll][Oo][Tt]", prop::collection::vec(character, 1..40))
        .prop_map(|(prefix, slot)| [b"\\", prefix.as_bytes(), b"\\", &slot].concat())
}

/// The frame `smb/app-unique`: a slot of three letters, 26 bytes of data at 83.
fn good() -> Vec<u8> {
    case("smb", "app-unique").bytes
}

fn patched(at: usize, values: &[u8]) -> Vec<u8> {
    let mut bytes = good();
    bytes[at..at + values.len()].copy_from_slice(values);
    bytes
}

proptest! {
    #[test]
    fn writes_round_trip(
        layout in any_layout(),
        name in any_slot_name(),
        data in prop::collection::vec(any::<u8>(), 0..600),
        other in prop::collection::vec(any::<u8>(), 0..600),
        priority: u16,
        class: u16,
    ) {
        let write = MailslotWrite::new(layout, &name, &data).unwrap()
            .with_priority(priority)
            .with_class(Class(class));
        let bytes = round_trip!(MailslotWrite<'_>, write);
        prop_assert_eq!(usize::from(write.words().data_offset), data_offset(layout, name.len()));
        prop_assert_eq!(bytes.len(), data_offset(layout, name.len()) + data.len());
        prop_assert_eq!(usize::from(write.byte_count()), bytes.len() - NAME_OFFSET);
        prop_assert_eq!((write.name(), write.data()), (name.as_slice(), data.as_slice()));
        // Where two layouts give the same bytes, the first is told.
        let told = write.layout().unwrap();
        let again = MailslotWrite::new(told, &name, &data).unwrap().with_priority(priority).with_class(Class(class));
        prop_assert_eq!(again.to_bytes(), bytes);
        let changed = write.with_data(&other).unwrap();
        let made = MailslotWrite::new(layout, &name, &other).unwrap()
            .with_priority(priority)
            .with_class(Class(class));
        // ParameterOffset is not a count, and stays.
        prop_assert_eq!(changed.to_bytes(), made.to_bytes());
        round_trip!(MailslotWrite<'_>, changed);
    }

    #[test]
    fn headers_round_trip(bytes: [u8; 28]) {
        let bytes = [b"\xffSMB".as_slice(), &bytes].concat();
        let header = canonical!(Header, &bytes);
        round_trip!(Header, header);
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        lossless!(MailslotWrite<'_>, &bytes);
        lossless!(MailslotWrite<'_>, &[&good()[..NAME_OFFSET], bytes.as_slice()].concat());
    }

    #[test]
    fn real_writes_with_other_bytes_keep_the_law(
        index: prop::sample::Index,
        patches in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = index.get(&FRAMES).bytes.clone();
        for (place, value) in patches {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        lossless!(MailslotWrite<'_>, &bytes);
        lossless!(Header, &bytes);
    }
}

#[test]
fn the_four_layouts_write_what_the_emitters_wrote() {
    let mut seen = BTreeSet::new();
    for case in FRAMES.iter() {
        let Some(layout) = case.decoded["layout"].as_str() else { continue };
        let layout = HeaderLayout::ALL.into_iter().find(|known| known.name() == layout).unwrap();
        let read = MailslotWrite::decode(&case.bytes).unwrap();
        let made = MailslotWrite::new(layout, read.name(), read.data()).unwrap();
        let made = made.with_priority(read.priority()).with_class(read.class());
        assert_eq!(hex::encode(made.to_bytes()), hex::encode(&case.bytes), "{}", case.name);
        seen.insert(layout.name());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["bowser", "redirector", "samba", "win9x"]);
}

#[test]
fn the_example_of_ms_mail_is_a_redirectors() {
    let data = [0xca; 36];
    let write = MailslotWrite::new(HeaderLayout::Redirector, br"\MAILSLOT\test1\sample_mailslot", &data);
    assert_eq!(write.unwrap().to_bytes(), case("smb", "ms-mail-frame1").bytes);
}

#[test]
fn aligned_data_begins_at_the_offsets_of_wire_md() {
    for (slot, offset) in [(1, 84), (4, 84), (5, 88), (8, 88), (9, 92), (12, 92), (13, 96), (16, 96)] {
        assert_eq!(data_offset(HeaderLayout::Redirector, 10 + slot), offset, "{slot}");
    }
    assert_eq!(data_offset(HeaderLayout::Bowser, r"\MAILSLOT\BROWSE".len()), 86);
    assert_eq!(data_offset(HeaderLayout::Samba, r"\MAILSLOT\NET\NETLOGON".len()), 92);
    assert_eq!(data_offset(HeaderLayout::Win9x, r"\MAILSLOT\MESSNGR".len()), 88);
    assert_eq!(data_offset(HeaderLayout::Win9x, r"\MAILSLOT\BROWSE".len()), 86);
}

#[test]
fn paddings_hold_what_the_emitters_put_there() {
    for length in 1..=8 {
        let name = [br"\MAILSLOT\".as_slice(), &vec![b'x'; length]].concat();
        let padding = |layout| MailslotWrite::new(layout, &name, b"data").unwrap().padding().to_vec();
        assert_eq!(
            padding(HeaderLayout::Redirector),
            vec![0; (80 + length).next_multiple_of(4) - 80 - length]
        );
        assert_eq!(padding(HeaderLayout::Win9x), vec![0x42; length % 2]);
        assert_eq!(padding(HeaderLayout::Bowser), padding(HeaderLayout::Samba));
        assert_eq!(padding(HeaderLayout::Samba), b"");
    }
}

#[test]
fn slot_names_are_the_same_in_any_case() {
    let mut bytes = case("smb", "win10-hostannounce-1min").bytes;
    bytes[NAME_OFFSET..NAME_OFFSET + 16].copy_from_slice(br"\mailslot\browse");
    let write = canonical!(MailslotWrite<'_>, &bytes);
    assert_eq!((write.name(), write.slot()), (br"\mailslot\browse".as_slice(), b"browse".as_slice()));
    assert!(write.is_slot(b"BROWSE") && write.is_slot(b"browse") && !write.is_slot(b"BROWS"));
    let path = MailslotWrite::decode(&case("smb", "app-lower-case-path").bytes).unwrap().slot().to_vec();
    assert_eq!(path, br"Lower\Case\path");
}

#[test]
fn an_empty_message_is_one() {
    let bytes = case("smb", "app-0-bytes").bytes;
    let write = canonical!(MailslotWrite<'_>, &bytes);
    assert_eq!((write.data(), write.words().data_count), (b"".as_slice(), 0));
}

#[test]
fn any_class_and_priority_are_kept() {
    let bytes = case("smb", "app-class1-priority9").bytes;
    let write = canonical!(MailslotWrite<'_>, &bytes);
    assert_eq!((write.class(), write.priority()), (Class::RELIABLE, 9));
    for (class, priority) in [(0_u16, 0_u16), (66, 9999), (0xffff, 0xffff)] {
        let words = [priority.to_le_bytes(), class.to_le_bytes()].concat();
        let bytes = patched(63, &words);
        let write = canonical!(MailslotWrite<'_>, &bytes);
        assert_eq!((write.class(), write.priority()), (Class(class), priority));
    }
}

#[test]
fn data_offset_tells_where_the_data_is() {
    for padding in [0, 1, 3, 7, 200] {
        let good = good();
        let mut bytes = [&good[..83], &vec![0x42; padding], &good[83..]].concat();
        let offset = u16::try_from(83 + padding).unwrap();
        bytes[57..59].copy_from_slice(&offset.to_le_bytes());
        let write = canonical!(MailslotWrite<'_>, &bytes);
        assert_eq!((write.padding(), write.data()), (vec![0x42; padding].as_slice(), &good[83..]));
        // Other data goes to the same place.
        let changed = write.with_data(b"abc").unwrap();
        assert_eq!(changed.to_bytes()[83 + padding..], *b"abc");
    }
}

#[test]
fn a_wrong_byte_count_is_kept_but_not_trusted() {
    for count in [0_u16, 1, 39, 41, 0xffff] {
        let bytes = patched(67, &count.to_le_bytes());
        let write = canonical!(MailslotWrite<'_>, &bytes);
        assert_eq!((write.byte_count(), write.data().len()), (count, 26));
        assert_eq!(write.layout(), None);
        assert_eq!(write.with_data(b"abc").unwrap().byte_count(), 14 + 3);
    }
}

#[test]
fn fields_that_receivers_ignore_may_hold_anything() {
    let bytes = case("smb", "every-ignored-field").bytes;
    let write = canonical!(MailslotWrite<'_>, &bytes);
    assert_eq!((write.words().setup_count, write.header().tid), (1, 0xffff));
    let mut write = patched(43, &[0xff, 0xff]);
    let flags = canonical!(MailslotWrite<'_>, &write).words().flags;
    assert!(flags.contains(TransactionFlags::NO_RESPONSE | TransactionFlags::DISCONNECT_TID));
    write.extend(b"behind");
    assert_eq!(canonical!(MailslotWrite<'_>, &write).trailing(), b"behind");
}

#[test]
fn every_cut_field_is_named() {
    let smb = [
        ("protocol", 0, 4),
        ("command", 4, 1),
        ("status", 5, 4),
        ("flags", 9, 1),
        ("flags2", 10, 2),
        ("pid_high", 12, 2),
        ("security_features", 14, 8),
        ("reserved", 22, 2),
        ("tid", 24, 2),
        ("pid_low", 26, 2),
        ("uid", 28, 2),
        ("mid", 30, 2),
    ];
    let transaction = [
        ("word_count", 32, 1),
        ("total_parameter_count", 33, 2),
        ("total_data_count", 35, 2),
        ("max_parameter_count", 37, 2),
        ("max_data_count", 39, 2),
        ("max_setup_count", 41, 1),
        ("reserved1", 42, 1),
        ("flags", 43, 2),
        ("timeout", 45, 4),
        ("reserved2", 49, 2),
        ("parameter_count", 51, 2),
        ("parameter_offset", 53, 2),
        ("data_count", 55, 2),
        ("data_offset", 57, 2),
        ("setup_count", 59, 1),
        ("reserved3", 60, 1),
        ("byte_count", 67, 2),
    ];
    let mailslot = [("opcode", 61, 2), ("priority", 63, 2), ("class", 65, 2)];
    let bytes = good();
    let mut tested = 0;
    for (layer, fields) in [
        (Layer::Smb, smb.as_slice()),
        (Layer::Transaction, transaction.as_slice()),
        (Layer::Mailslot, mailslot.as_slice()),
    ] {
        for &(field, at, needed) in fields {
            for have in 0..needed {
                let error = MailslotWrite::decode(&bytes[..at + have]).unwrap_err();
                let kind = DecodeErrorKind::Truncated { needed, have };
                assert_eq!((error.layer, error.field, error.offset, error.kind), (layer, field, at, kind));
                tested += 1;
            }
        }
    }
    assert_eq!(tested, NAME_OFFSET);
    for length in NAME_OFFSET..83 {
        let kind = DecodeErrorKind::Unterminated;
        refused!(MailslotWrite<'_>, &bytes[..length], Mailslot, "name", NAME_OFFSET, kind);
    }
    for length in 83..bytes.len() {
        let kind = DecodeErrorKind::OutOfBounds { needed: bytes.len(), have: length };
        refused!(MailslotWrite<'_>, &bytes[..length], Transaction, "data_count", 55, kind);
    }
}

#[test]
fn every_damaged_field_is_named() {
    use DecodeErrorKind::{BadValue, NotAMailslot, OutOfBounds};
    let bad = |value, expected| BadValue { value, expected };
    refused!(MailslotWrite<'_>, &patched(0, b"\xfeSMB"), Smb, "protocol", 0, bad(0xfe53_4d42, "0xff534d42"));
    refused!(MailslotWrite<'_>, b"\xffSMC", Smb, "protocol", 0, bad(0xff53_4d43, "0xff534d42"));
    refused!(MailslotWrite<'_>, &patched(4, &[0x72]), Smb, "command", 4, bad(0x72, "0x25"));
    for words in [0, 14, 16, 18, 255] {
        let kind = bad(words.into(), "17");
        refused!(MailslotWrite<'_>, &patched(32, &[words]), Transaction, "word_count", 32, kind);
    }
    refused!(MailslotWrite<'_>, &patched(59, &[0]), Transaction, "setup_count", 59, bad(0, "3"));
    let kind = bad(0x54, "TRANS_MAILSLOT_WRITE (1)");
    refused!(MailslotWrite<'_>, &patched(61, &[0x54]), Mailslot, "opcode", 61, kind);
    for name in [br"\PIPE\LANMA".as_slice(), br"MAILSLOT\fo", br"\MAILSLOT/f", b"\\MAILSLOT\\\0"] {
        refused!(MailslotWrite<'_>, &patched(69, name), Mailslot, "name", 69, NotAMailslot);
    }
    let kind = OutOfBounds { needed: 27, have: 26 };
    refused!(MailslotWrite<'_>, &patched(35, &[27]), Transaction, "total_data_count", 35, kind);
    for (offset, kind) in [
        (0_u16, bad(0, "an offset behind the slot name")),
        (82, bad(82, "an offset behind the slot name")),
        (110, OutOfBounds { needed: 110, have: 109 }),
        (0xffff, OutOfBounds { needed: 0xffff, have: 109 }),
    ] {
        refused!(
            MailslotWrite<'_>,
            &patched(57, &offset.to_le_bytes()),
            Transaction,
            "data_offset",
            57,
            kind
        );
    }
    let mut both = patched(55, &[27]);
    both[35] = 27;
    let kind = OutOfBounds { needed: 110, have: 109 };
    refused!(MailslotWrite<'_>, &both, Transaction, "data_count", 55, kind);
}

#[test]
fn what_cannot_be_written_cannot_be_built() {
    let reason = |name: &[u8]| MailslotWrite::new(HeaderLayout::Bowser, name, b"").unwrap_err().reason;
    assert!(matches!(reason(br"\PIPE\LANMAN"), ValueErrorReason::BadForm(_)));
    assert!(matches!(reason(b""), ValueErrorReason::BadForm(_)));
    assert_eq!(reason(br"\MAILSLOT\"), ValueErrorReason::Empty);
    assert_eq!(reason(b"\\MAILSLOT\\a\0b"), ValueErrorReason::BadCharacter { position: 11 });
    assert_eq!(reason(b"\\MAILSLOT\\\x7f"), ValueErrorReason::BadCharacter { position: 10 });
    let long = vec![b'x'; 65_535];
    let too_long = |result: Result<MailslotWrite<'_>, mailslot::wire::ValueError>| {
        matches!(result.unwrap_err().reason, ValueErrorReason::TooLong { .. })
    };
    assert!(too_long(MailslotWrite::new(HeaderLayout::Bowser, br"\MAILSLOT\x", &long)));
    let name = [br"\MAILSLOT\".as_slice(), &long].concat();
    assert!(too_long(MailslotWrite::new(HeaderLayout::Bowser, &name, b"")));
    // ByteCount is the first to be full: name, NUL and data are 65,535.
    let write = MailslotWrite::new(HeaderLayout::Bowser, br"\MAILSLOT\x", &long[..65_523]).unwrap();
    assert_eq!(write.byte_count(), 0xffff);
    round_trip!(MailslotWrite<'_>, write);
    assert!(too_long(write.with_data(&long[..65_524])));
}

#[test]
fn a_header_alone_is_32_bytes() {
    let bytes = Header::new(Command::TRANSACTION).to_bytes();
    assert_eq!(bytes.len(), 32);
    let longer = [bytes.as_slice(), b"x"].concat();
    refused!(Header, &longer, Smb, "header", 32, DecodeErrorKind::TooLong { have: 33, max: 32 });
}
