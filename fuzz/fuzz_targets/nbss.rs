//! Bytes as a stream of session packets: each ends where the stream says, and comes back byte for byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::nbss::{Framing, HEADER_LEN, MAX_LEN, Next, Packet, next_packet};
use mailslot::wire::{Decode, Encode};

fuzz_target!(|bytes: &[u8]| {
    for framing in [Framing::Session, Framing::Direct] {
        let mut stream = bytes;
        loop {
            match next_packet(framing, stream) {
                Ok(Next::Packet(length)) => {
                    assert!((HEADER_LEN..=HEADER_LEN + MAX_LEN).contains(&length));
                    let (packet, rest) = stream.split_at(length);
                    if let Ok(packet) = Packet::decode(packet) {
                        assert!(packet.trailing().is_empty());
                    }
                    stream = rest;
                }
                Ok(Next::Needs(needs)) => {
                    assert!(needs > stream.len() && needs <= HEADER_LEN + MAX_LEN);
                    break;
                }
                Err(error) => {
                    assert!(!error.field.is_empty() && error.offset < HEADER_LEN, "{error}");
                    break;
                }
            }
        }
    }
    match Packet::decode(bytes) {
        Ok(packet) => {
            assert_eq!(packet.to_bytes(), bytes);
            assert_eq!(packet.encoded_len(), bytes.len());
            assert_eq!(HEADER_LEN + packet.length() + packet.trailing().len(), bytes.len());
            let _ = format!("{packet:?}");
        }
        Err(error) => assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}"),
    }
});
