//! Bytes as a frame of the local protocol: what decodes comes back byte for byte, its list ends, and its length agrees.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::local::{Body, Frame, frame_length};
use mailslot::wire::{Decode, Encode, Layer};

fuzz_target!(|bytes: &[u8]| {
    let check = |bytes: &[u8]| match Frame::decode(bytes) {
        Ok(frame) => {
            assert_eq!(frame.to_bytes(), bytes);
            assert_eq!(frame_length(bytes), Ok(Some(bytes.len())));
            let items = match frame.body() {
                Body::Messages(list) => (list.iter().count(), list.count()),
                Body::Slots(list) => (list.iter().count(), list.count()),
                Body::Names(list) => (list.iter().count(), list.count()),
                Body::Interfaces(list) => (list.iter().count(), list.count()),
                Body::Status { names, .. } => (names.iter().count(), names.count()),
                _ => return,
            };
            assert_eq!(items.0, items.1 as usize);
        }
        Err(error) => assert!(error.layer == Layer::Local && error.offset <= bytes.len(), "{error}"),
    };
    check(bytes);
    // With the length that these bytes need, so that bodies are reached.
    if let Some(rest) = bytes.get(4..)
        && let Ok(length) = u32::try_from(rest.len())
    {
        check(&[&length.to_le_bytes(), rest].concat());
    }
});
