//! The local protocol.

use mailslot::wire::local::{
    Body, Frame, ListedMessage, MAX_DATA, MAX_FRAME, MAX_NAME, MessagesBuilder, VERSION, frame_length,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode};
use serde_json::{Value, json};

/// A frame as the `.json` of the golden frames shows it; names and texts in hex.
pub(crate) fn show_frame(frame: &Frame<'_>) -> Value {
    let shown = |value: &dyn core::fmt::Debug| format!("{value:?}");
    let body: Value = match frame.body() {
        Body::Messages(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Slots(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Names(list) => list.iter().map(|item| shown(&item)).collect(),
        body => shown(body).into(),
    };
    json!({ "id": frame.id(), "body": body })
}

#[test]
fn lengths_have_bounds() {
    assert_eq!(frame_length(&[5, 0, 0]), Ok(None));
    assert_eq!(frame_length(&[5, 0, 0, 0]), Ok(Some(9)));
    assert!(frame_length(&[4, 0, 0, 0]).is_err(), "no room for id and kind");
    let most = u32::try_from(MAX_FRAME - 4).expect("small");
    assert_eq!(frame_length(&most.to_le_bytes()), Ok(Some(MAX_FRAME)));
    assert!(frame_length(&(most + 1).to_le_bytes()).is_err());
    let name = vec![0; MAX_NAME + 2];
    assert!(Frame::new(1, Body::Find { name: &name[2..] }).is_ok());
    assert!(Frame::new(1, Body::Find { name: &name }).is_err());
    assert!(Frame::new(1, Body::Find { name: b"odd" }).is_err());
    let data = vec![0; MAX_DATA + 1];
    assert!(Frame::new(1, Body::Post { data: &data[1..] }).is_ok());
    assert!(Frame::new(1, Body::Post { data: &data }).is_err());
    assert!(Frame::new(1, Body::Other { kind: 1, bytes: b"" }).is_err(), "a known kind");
}

#[test]
fn refusals_name_the_field() {
    let hello = Frame::new(1, Body::Hello { version: VERSION }).expect("short").to_bytes();
    let mut wrong = hello.clone();
    wrong[9] = b'X';
    refused!(
        Frame<'_>,
        &wrong,
        Local,
        "magic",
        9,
        DecodeErrorKind::BadValue { value: u32::from_le_bytes(*b"XSLT"), expected: "MSLT" }
    );
    let long = [&hello[..], b"x"].concat();
    refused!(Frame<'_>, &long, Local, "length", 15, DecodeErrorKind::TooLong { have: 1, max: 0 });
    refused!(Frame<'_>, &hello[..14], Local, "body", 9, DecodeErrorKind::Truncated { needed: 6, have: 5 });
}

#[test]
fn a_list_holds_what_was_pushed() {
    let mut builder = MessagesBuilder::default();
    for data in [&b"one"[..], b"", b"three"] {
        builder.push(&ListedMessage::local(data)).expect("room");
    }
    let frame = Frame::new(7, Body::Messages(builder.list())).expect("short");
    let bytes = round_trip!(Frame<'_>, frame);
    let Body::Messages(list) = Frame::decode(&bytes).expect("its own").into_body() else { panic!() };
    let data: Vec<&[u8]> = list.iter().map(|message| message.data).collect();
    assert_eq!((list.count(), data), (3, vec![&b"one"[..], b"", b"three"]));
}
