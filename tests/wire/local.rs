//! The local protocol.

use mailslot::wire::local::{
    AnswerOrigin, AskTarget, Body, FailureCode, Frame, ListedInterface, ListedMessage, ListedName,
    ListedNodeName, MAX_ADDRESSES, MAX_DATA, MAX_FRAME, MAX_NAME, MAX_TEXT, MessagesBuilder, NameState,
    RefusedBy, VERSION, frame_length, interfaces_list, names_list, node_names_list,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A frame as the `.json` of the golden frames shows it; names and texts in hex.
pub(crate) fn show_frame(frame: &Frame<'_>) -> Value {
    let shown = |value: &dyn core::fmt::Debug| format!("{value:?}");
    let body: Value = match frame.body() {
        Body::Messages(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Slots(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Names(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Interfaces(list) => list.iter().map(|item| shown(&item)).collect(),
        Body::Status { peer, partial, unit_id, names } => json!({
            "head": format!("peer {peer:?}, partial {partial}, unit_id {unit_id:?}"),
            "names": names.iter().map(|item| shown(&item)).collect::<Value>(),
        }),
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
    let owners = vec![1; 4 * (MAX_ADDRESSES + 1)];
    let resolved = |addresses| {
        let (origin, by, name) = (AnswerOrigin::BROADCAST, [10, 0, 0, 5], [b' '; 16]);
        Frame::new(1, Body::Resolved { group: true, origin, by, name, addresses })
    };
    assert!(resolved(&owners[4..]).is_ok());
    assert!(resolved(&owners).is_err());
    assert!(resolved(&owners[..5]).is_err(), "no whole address");
    let name = vec![b'e'; MAX_TEXT + 1];
    let interface = |name| ListedInterface { name, index: 1, address: [0; 4], prefix: 24, broadcast: [0; 4] };
    assert!(interfaces_list(&[interface(&name[1..])], &mut Vec::new()).is_ok());
    assert!(interfaces_list(&[interface(&name)], &mut Vec::new()).is_err());
}

/// A process that asks for what a node does not know is refused and not left waiting, so both sides must read the other's
/// kinds; and the numbers that once had another body stay nobody's.
#[test]
fn kinds_that_are_not_known_are_kept() {
    for kind in
        (0..=0xff_u8).filter(|kind| !matches!(kind, 1..=0x16 | 0x81..=0x90 | 0xff)).chain([0x11, 0x8c])
    {
        let frame = Frame::new(9, Body::Other { kind, bytes: b"later" }).expect("not known");
        round_trip!(Frame<'_>, frame);
    }
}

#[test]
fn failures_have_names_of_their_own() {
    let known: Vec<_> = (0..=25).map(|code| FailureCode(code).name()).collect();
    let different: std::collections::BTreeSet<_> = known.iter().collect();
    assert_eq!(different.len(), known.len(), "{known:?}");
    assert_eq!(FailureCode(26).name(), "other");
    assert!(!known.contains(&"other"));
}

type OwnName = ([u8; 16], [u8; 4], bool, (u8, u8), [u8; 4], u8);

proptest! {
    /// What the node can tell about its names, its network and other computers comes back as it was.
    #[test]
    fn what_is_asked_of_the_network_comes_back(
        (id, target, address, name) in any::<(u32, u8, [u8; 4], [u8; 16])>(),
        (group, origin, partial, peer, unit_id) in any::<(bool, u8, bool, [u8; 6], Option<[u8; 6]>)>(),
        addresses in proptest::collection::vec(any::<[u8; 4]>(), 0..30),
        names in proptest::collection::vec(any::<([u8; 16], u16)>(), 0..30),
        own in proptest::collection::vec(any::<OwnName>(), 0..10),
        interfaces in proptest::collection::vec(("[a-z0-9:.]{0,20}", any::<(u32, [u8; 4], u8, [u8; 4])>()), 0..5),
    ) {
        let owners = addresses.concat();
        let names: Vec<_> = names.iter().map(|(name, flags)| ListedNodeName { name, flags: *flags }).collect();
        let own: Vec<_> = own
            .iter()
            .map(|(name, address, group, (state, refused_by), refuser, rcode)| ListedName {
                name,
                address: *address,
                group: *group,
                state: NameState(*state),
                refused_by: RefusedBy(*refused_by),
                refuser: *refuser,
                rcode: *rcode,
            })
            .collect();
        let interfaces: Vec<_> = interfaces
            .iter()
            .map(|(name, (index, address, prefix, broadcast))| ListedInterface {
                name: name.as_bytes(),
                index: *index,
                address: *address,
                prefix: *prefix,
                broadcast: *broadcast,
            })
            .collect();
        let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
        let told = node_names_list(&names, &mut a).expect("short");
        let owned = names_list(&own, &mut b).expect("short");
        let links = interfaces_list(&interfaces, &mut c).expect("short");
        prop_assert_eq!(told.iter().collect::<Vec<_>>(), names);
        prop_assert_eq!(owned.iter().collect::<Vec<_>>(), own);
        prop_assert_eq!(links.iter().collect::<Vec<_>>(), interfaces);
        for body in [
            Body::GetNames,
            Body::GetInterfaces,
            Body::Resolve { target: AskTarget(target), address, name },
            Body::GetStatus { address },
            Body::Names(owned),
            Body::Interfaces(links),
            Body::Resolved { group, origin: AnswerOrigin(origin), by: address, name, addresses: &owners },
            Body::Status { peer, partial, unit_id, names: told },
        ] {
            let frame = Frame::new(id, body).expect("short");
            let bytes = round_trip!(Frame<'_>, frame);
            prop_assert_eq!(frame_length(&bytes), Ok(Some(bytes.len())));
            damaged!(Frame<'_>, &bytes[..bytes.len().min(120)], lossless);
        }
    }
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
    let mut none = Vec::new();
    let names = node_names_list(&[], &mut none).expect("short");
    let status = Body::Status { peer: [10, 0, 0, 7, 0, 137], partial: false, unit_id: None, names };
    let mut wrong = Frame::new(1, status).expect("short").to_bytes();
    wrong[17] = 2;
    refused!(
        Frame<'_>,
        &wrong,
        Local,
        "unit_id",
        17,
        DecodeErrorKind::BadValue { value: 2, expected: "zeros" }
    );
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
