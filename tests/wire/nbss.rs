//! Session packets: what each constructor writes, streams cut anywhere, what is damaged.

use std::net::Ipv4Addr;

use mailslot::wire::name::{NetbiosName, Scope, ScopedName, Suffix};
use mailslot::wire::nbss::{
    Body, Framing, HEADER_LEN, MAX_LEN, NegativeCode, Next, Packet, PacketType, message_header, next_packet,
};
use mailslot::wire::{Decode, DecodeErrorKind, Layer, ValueErrorReason};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::case;

/// A packet as the `.json` of the golden frames shows it.
pub(crate) fn show_packet(packet: &Packet<'_>) -> Value {
    let name =
        |name: &ScopedName<'_>| json!([String::from_utf8_lossy(name.name.base()), name.name.suffix().0]);
    json!({
        "type": packet.packet_type().0,
        "length": packet.length(),
        "body": match packet.body() {
            Body::Message(bytes) => json!({ "message": hex::encode(bytes) }),
            Body::Request { called, calling, .. } => json!({ "called": name(called), "calling": name(calling) }),
            Body::Positive | Body::Keepalive => json!({}),
            Body::Negative(code) => json!({ "error_code": code.0 }),
            Body::Retarget { ip, port, .. } => json!({ "ip": ip.to_string(), "port": port }),
            Body::Unknown { bytes, .. } => json!({ "unknown": hex::encode(bytes) }),
            other => panic!("{other:?}"),
        },
        "extra": hex::encode(packet.extra()),
        "trailing": hex::encode(packet.trailing()),
    })
}

fn name(text: &str, suffix: Suffix) -> ScopedName<'static> {
    ScopedName::new(NetbiosName::new(text, suffix).unwrap(), Scope::NONE)
}

#[test]
fn constructors_write_the_forms_of_rfc_1002() {
    let request = Packet::request(name("LMB1", Suffix(0x20)), name("VM", Suffix(0)));
    let captured = case("nbss", "request").bytes;
    assert_eq!(round_trip!(Packet<'_>, request)[..4], captured[..4]);
    let forms: [(Packet<'_>, &str); 5] = [
        (Packet::positive(), "82000000"),
        (Packet::negative(NegativeCode::CALLED_NOT_PRESENT), "8300000182"),
        (Packet::retarget(Ipv4Addr::new(10, 99, 0, 11), 139), "840000060a63000b008b"),
        (Packet::keepalive(), "85000000"),
        (Packet::message(b"\xffSMB").unwrap(), "00000004ff534d42"),
    ];
    for (packet, bytes) in forms {
        assert_eq!(hex::encode(round_trip!(Packet<'_>, packet)), bytes);
        damaged!(Packet<'_>, &hex::decode(bytes).unwrap(), lossless);
    }
}

#[test]
fn length_has_17_bits() {
    let longest = vec![0x5a; MAX_LEN];
    let bytes = round_trip!(Packet<'_>, Packet::message(&longest).unwrap());
    assert_eq!(bytes[..4], [0, 1, 0xff, 0xff]);
    assert_eq!(message_header(MAX_LEN).unwrap(), bytes[..4]);
    let error = Packet::message(&vec![0; MAX_LEN + 1]).unwrap_err();
    assert_eq!(error.reason, ValueErrorReason::TooLong { have: MAX_LEN + 1, max: MAX_LEN });
    assert!(message_header(usize::MAX).is_err());
    let kind = DecodeErrorKind::BadValue { value: 2, expected: "0 or 1" };
    refused!(Packet<'_>, &[0, 2, 0, 0], Nbss, "flags", 1, kind);
}

#[test]
fn what_is_not_asked_for_is_kept() {
    let positive = [0x82, 0, 0, 2, 7, 8, 9];
    let packet = canonical!(Packet<'_>, &positive);
    assert_eq!((packet.extra(), packet.trailing()), ([7, 8].as_slice(), [9].as_slice()));
    let unknown = [0x86, 0, 0, 1, 0xaa];
    let packet = canonical!(Packet<'_>, &unknown);
    assert_eq!((packet.packet_type(), packet.length()), (PacketType(0x86), 1));
    let scoped = Packet::request(
        ScopedName::new(NetbiosName::WILDCARD, Scope::from_labels(b"\x03lab").unwrap()),
        name("A", Suffix(0)),
    );
    round_trip!(Packet<'_>, scoped);
}

#[test]
fn refusals_name_their_field() {
    let truncated = |needed, have| DecodeErrorKind::Truncated { needed, have };
    refused!(Packet<'_>, &[], Nbss, "type", 0, truncated(1, 0));
    refused!(Packet<'_>, &[0], Nbss, "flags", 1, truncated(1, 0));
    refused!(Packet<'_>, &[0, 0, 0], Nbss, "length", 2, truncated(2, 1));
    let beyond = DecodeErrorKind::OutOfBounds { needed: 2, have: 1 };
    refused!(Packet<'_>, &[0, 0, 0, 2, 0], Nbss, "length", 2, beyond);
    refused!(Packet<'_>, &[0x83, 0, 0, 0], Nbss, "error_code", 4, truncated(1, 0));
    refused!(Packet<'_>, &[0x84, 0, 0, 3, 1, 2, 3], Nbss, "retarget_ip_address", 4, truncated(4, 3));
    refused!(Packet<'_>, &[0x84, 0, 0, 5, 1, 2, 3, 4, 5], Nbss, "port", 8, truncated(2, 1));
    // The names must stand inside LENGTH, whatever the stream holds behind it.
    let mut request = case("nbss", "request").bytes;
    request[3] = 60;
    let error = Packet::decode(&request).unwrap_err();
    assert_eq!((error.layer, error.field), (Layer::NetbiosName, "calling_name"));
}

#[test]
fn a_stream_says_what_it_needs() {
    let whole = case("nbss", "smb-negotiate-ntlm012-only").bytes;
    for framing in [Framing::Session, Framing::Direct] {
        for length in 0..whole.len() {
            let needs = if length < HEADER_LEN { HEADER_LEN } else { whole.len() };
            assert_eq!(next_packet(framing, &whole[..length]), Ok(Next::Needs(needs)), "{length}");
        }
        let stream = [whole.as_slice(), &whole].concat();
        assert_eq!(next_packet(framing, &stream), Ok(Next::Packet(whole.len())));
    }
    let keepalive = [0x85, 0, 0, 0];
    assert_eq!(next_packet(Framing::Session, &keepalive), Ok(Next::Packet(4)));
    // Port 445 knows that on the first byte.
    let error = next_packet(Framing::Direct, &keepalive[..1]).unwrap_err();
    let kind = DecodeErrorKind::BadValue { value: 0x85, expected: "0" };
    assert_eq!((error.layer, error.field, error.offset, error.kind), (Layer::Nbss, "type", 0, kind));
}

/// A client that trusted LENGTH looped on packets shorter than their own header, or waited for gigabytes.
#[test]
fn cve_2009_3676_session_length() {
    let too_long = [0, 2, 0, 0];
    let error = next_packet(Framing::Direct, &too_long).unwrap_err();
    assert_eq!((error.field, error.offset), ("length", 1));
    assert_eq!(error.kind, DecodeErrorKind::TooLong { have: 0x2_0000, max: MAX_LEN });
    let error = next_packet(Framing::Session, &too_long).unwrap_err();
    assert_eq!((error.field, error.offset), ("flags", 1));
    assert!(next_packet(Framing::Session, &[0, 0xff, 0xff, 0xff]).is_err());
    // Empty messages move on by their header: a stream of them has an end.
    let mut stream = [0_u8; 400].as_slice();
    let mut packets = 0;
    while let Ok(Next::Packet(length)) = next_packet(Framing::Session, stream) {
        stream = &stream[length..];
        packets += 1;
    }
    assert_eq!((packets, stream.len()), (100, 0));
}

proptest! {
    #[test]
    fn messages_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let packet = Packet::message(&bytes).unwrap();
        let encoded = round_trip!(Packet<'_>, packet);
        for framing in [Framing::Session, Framing::Direct] {
            prop_assert_eq!(next_packet(framing, &encoded), Ok(Next::Packet(encoded.len())));
        }
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(
        packet_type in prop::sample::select(vec![0_u8, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86]),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        declared in 0..110_u8,
    ) {
        let packet = [[packet_type, 0, 0, declared].as_slice(), &bytes].concat();
        lossless!(Packet<'_>, &packet);
        lossless!(Packet<'_>, &bytes);
        // Stream and packet agree on where it ends.
        if let Ok(Next::Packet(length)) = next_packet(Framing::Session, &packet)
            && let Ok(decoded) = Packet::decode(&packet)
        {
            prop_assert_eq!(length + decoded.trailing().len(), packet.len());
            prop_assert_eq!(decoded.length() + HEADER_LEN, length);
        }
    }
}
