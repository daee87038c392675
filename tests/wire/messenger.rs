//! Messenger texts, by mailslot and in SMB commands.

use mailslot::wire::messenger::{
    MAX_SHOWN, MAX_TEXT, MessengerMessage, expand_line_breaks, fold_line_breaks,
};
use mailslot::wire::smb::{
    Body, Header, SendEndRequest, SendMessageRequest, SendStartRequest, SendStartResponse, SendTextRequest,
    SmbMessage,
};
use mailslot::wire::{Decode, DecodeErrorKind, ValueErrorReason};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A message as the `.json` of the golden frames shows it.
pub(crate) fn show_messenger(message: &MessengerMessage<'_>) -> Value {
    let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    json!({
        "from": text(message.from()),
        "to": text(message.to()),
        "text": text(message.text().text()),
        "tail": hex::encode(message.text().tail()),
    })
}

#[test]
fn constructed() {
    let message = MessengerMessage::new(b"WIN98USER", b"WORKGROUP", b"HELLO WORLD").unwrap();
    let bytes = round_trip!(MessengerMessage<'_>, message);
    assert_eq!(bytes, b"WIN98USER\0WORKGROUP\0HELLO WORLD\0");
    let long = [b'x'; MAX_TEXT + 1];
    assert!(MessengerMessage::new(b"", b"", &long[1..]).is_ok());
    let error = MessengerMessage::new(b"", b"", &long).unwrap_err();
    assert_eq!(error.reason, ValueErrorReason::TooLong { have: MAX_TEXT + 1, max: MAX_TEXT });
    assert_eq!(MessengerMessage::new(b"", b"a\0", b"").unwrap_err().field, "to");
}

#[test]
fn names_must_end() {
    refused!(MessengerMessage<'_>, b"", Messenger, "from", 0, DecodeErrorKind::Unterminated);
    refused!(MessengerMessage<'_>, b"A\0B", Messenger, "to", 2, DecodeErrorKind::Unterminated);
    canonical!(MessengerMessage<'_>, b"\0\0");
}

/// The receiver's buffer was of the text's size, but each 0x14 became two bytes.
#[test]
fn cve_2003_0717_line_breaks_that_grow() {
    let breaks = [0x14; 8192];
    assert_eq!(*expand_line_breaks(&breaks, MAX_SHOWN), b"\r\n".repeat(MAX_SHOWN / 2));
    assert_eq!(expand_line_breaks(&[b'a'; 5000], MAX_SHOWN).len(), MAX_SHOWN);
    assert_eq!(*expand_line_breaks(b"a\x14b", 4), *b"a\r\nb");
    assert_eq!(*expand_line_breaks(b"a\x14b", 2), *b"a");
    assert_eq!(*expand_line_breaks(b"a\x14b", 0), *b"");
}

#[test]
fn line_breaks_become_one_byte() {
    assert_eq!(*fold_line_breaks(b"a\r\nb\rc\nd\n\re\n\n"), *b"a\x14b\x14c\x14d\x14e\x14\x14");
    assert_eq!(*fold_line_breaks(b"plain"), *b"plain");
}

/// What smbclient and smbd say (own capture smbclient-message.pcap, frames 8, 10, 12, 9).
const START: &str = concat!(
    "ff534d42d5000000000000000000000000000000000000000000d06500000000000d0004726f6f740004484f53",
    "543200",
);
const TEXT: &str = concat!(
    "ff534d42d7000000000000000000000000000000000000000000d065000000000100000e00010b004f6e65206c",
    "696e652e0d0a",
);
const END: &str = "ff534d42d6000000000000000000000000000000000000000000d065000000000100000000";
const ANSWER: &str = "ff534d42d5000000008003400000000000000000000000000000d06500000000000000";

#[test]
fn texts_over_a_session() {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let (start, text, end, answer) = (bytes(START), bytes(TEXT), bytes(END), bytes(ANSWER));
    let read = canonical!(SmbMessage<'_>, &start);
    let Body::SendStartRequest(request) = read.body() else { panic!() };
    assert_eq!((request.from(), request.to()), (b"root".as_slice(), b"HOST2".as_slice()));
    let read = canonical!(SmbMessage<'_>, &text);
    let Body::SendTextRequest(request) = read.body() else { panic!() };
    assert_eq!((request.message_group_id(), request.text()), (0, b"One line.\r\n".as_slice()));
    let read = canonical!(SmbMessage<'_>, &end);
    let Body::SendEndRequest(request) = read.body() else { panic!() };
    assert_eq!(request.message_group_id(), 0);
    // smbd names no group.
    let read = canonical!(SmbMessage<'_>, &answer);
    let Body::Empty(_) = read.body() else { panic!() };
    for bytes in [start, text, end, answer] {
        damaged!(SmbMessage<'_>, &bytes, lossless);
    }
}

#[test]
fn constructed_commands() {
    let header = Header::decode(&hex::decode(START).unwrap()[..32]).unwrap();
    let start = SmbMessage::new(header, SendStartRequest::new(b"root", b"HOST2").unwrap()).unwrap();
    assert_eq!(hex::encode(round_trip!(SmbMessage<'_>, start)), START);
    let text = SmbMessage::new(header, SendTextRequest::new(0, b"One line.\r\n").unwrap()).unwrap();
    assert_eq!(hex::encode(round_trip!(SmbMessage<'_>, text)), TEXT);
    let end = SmbMessage::new(header, SendEndRequest::new(0)).unwrap();
    assert_eq!(hex::encode(round_trip!(SmbMessage<'_>, end)), END);
    let answer = SmbMessage::new(header, SendStartResponse::new(7)).unwrap();
    let bytes = round_trip!(SmbMessage<'_>, answer);
    assert_eq!(hex::encode(&bytes[32..]), "0107000000");
    let single = SmbMessage::new(header, SendMessageRequest::new(b"A", b"B", b"hi").unwrap()).unwrap();
    let bytes = round_trip!(SmbMessage<'_>, single);
    assert_eq!(&bytes[32..], b"\0\x0b\0\x04A\0\x04B\0\x01\x02\0hi");
    damaged!(SmbMessage<'_>, &bytes, lossless);
    assert!(SendTextRequest::new(0, &[b'x'; 128]).is_ok());
    assert!(SendTextRequest::new(0, &[b'x'; 129]).is_err());
    assert!(SendStartRequest::new(b"a\0", b"").is_err());
}

#[test]
fn damaged_commands_say_where() {
    let with = |at: usize, byte: u8| {
        let mut bytes = hex::decode(TEXT).unwrap();
        bytes[at] = byte;
        bytes
    };
    let kind = DecodeErrorKind::BadValue { value: 4, expected: "1, a data block" };
    refused!(SmbMessage<'_>, &with(37, 4), Messenger, "text_buffer_format", 37, kind);
    let kind = DecodeErrorKind::OutOfBounds { needed: 12, have: 11 };
    refused!(SmbMessage<'_>, &with(38, 12), Messenger, "text_length", 38, kind);
    let mut start = hex::decode(START).unwrap();
    *start.last_mut().unwrap() = b'!';
    refused!(SmbMessage<'_>, &start, Messenger, "to", 42, DecodeErrorKind::Unterminated);
}

proptest! {
    #[test]
    fn whatever_is_built_comes_back(
        from in "[A-Z ]{0,15}",
        to in "[A-Z*]{0,15}",
        text in prop::collection::vec(1u8.., 0..=MAX_TEXT),
    ) {
        let message = MessengerMessage::new(from.as_bytes(), to.as_bytes(), &text).unwrap();
        lossless!(MessengerMessage<'_>, &round_trip!(MessengerMessage<'_>, message));
        prop_assert!(fold_line_breaks(&text).len() <= text.len());
        prop_assert!(expand_line_breaks(&text, 100).len() <= 100);
    }
}
