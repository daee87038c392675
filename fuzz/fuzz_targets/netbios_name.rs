//! Bytes as a name, alone and inside a packet: the laws, and what each form of the name promises.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::name::{
    ENCODED_LEN, MAX_ACCEPTED_LEN, MAX_ENCODED_LEN, NetbiosName, Scope, ScopedName, scope_labels,
};
use mailslot::wire::{Decode, Encode, Layer};

fuzz_target!(|bytes: &[u8]| {
    match ScopedName::decode(bytes) {
        Ok(name) => {
            // One name has one encoding.
            assert_eq!(name.to_bytes(), bytes);
            assert_eq!(name.encoded_len(), bytes.len());
            assert!(bytes.len() <= MAX_ACCEPTED_LEN);
            check(&name);
        }
        Err(error) => {
            assert_eq!(error.layer, Layer::NetbiosName);
            assert!(error.offset <= bytes.len(), "{error}");
        }
    }
    // The first two bytes as the place of a name in the rest.
    if let Some((&[high, low], packet)) = bytes.split_first_chunk::<2>() {
        let offset = usize::from(u16::from_be_bytes([high & 3, low]));
        match ScopedName::decode_in_packet(packet, offset, "rr_name") {
            Ok((name, behind)) => {
                assert!(offset < behind && behind <= packet.len());
                check(&name);
                // Without a pointer it is the name that stands there.
                if let Ok(plain) = ScopedName::decode(&packet[offset..behind]) {
                    assert_eq!(plain, name);
                }
            }
            Err(error) => {
                assert_eq!(error.field, "rr_name");
                assert!(error.offset <= packet.len().max(offset), "{error}");
            }
        }
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        if let Ok(name) = text.parse::<NetbiosName>() {
            let again: NetbiosName = name.to_string().parse().unwrap_or(name);
            assert_eq!(again.suffix(), name.suffix());
        }
        if let Ok(labels) = scope_labels(text) {
            let scope = Scope::from_labels(&labels).expect("checked by scope_labels");
            let joined = scope.labels().collect::<Vec<_>>().join(&b'.');
            assert_eq!(joined, text.as_bytes());
        }
    }
});

fn check(name: &ScopedName<'_>) {
    let encoded = name.to_bytes();
    assert_eq!(encoded.len(), name.encoded_len());
    assert_eq!(ScopedName::decode(&encoded).as_ref(), Ok(name));
    assert_eq!(NetbiosName::from_first_level(&name.name.first_level()), Ok(name.name));
    // A longer scope than the RFC's is read, never made.
    let labels = name.scope.as_labels();
    match Scope::from_labels(labels) {
        Ok(scope) => assert_eq!(scope, name.scope),
        Err(_) => assert!(labels.len() > MAX_ENCODED_LEN - ENCODED_LEN),
    }
    assert!(name.scope.matches(name.scope));
    assert_eq!(name.name.with_suffix(name.name.suffix()), name.name);
    assert!(name.name.base().len() <= 15 && !name.to_string().is_empty());
}
