//! Bytes as a datagram: what decodes comes back byte for byte, what does not says where.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::nbdgm::{Body, Datagram, Salvage};
use mailslot::wire::{Decode, Encode};

fuzz_target!(|bytes: &[u8]| {
    let salvage = Salvage::read(bytes);
    match Datagram::decode(bytes) {
        Ok(datagram) => {
            assert_eq!(datagram.to_bytes(), bytes);
            assert_eq!(datagram.encoded_len(), bytes.len());
            // What was read can be built again by hand.
            let built = Datagram::new(*datagram.header(), *datagram.body()).expect("a body of its own type");
            assert_eq!((built.header(), built.body()), (datagram.header(), datagram.body()));
            assert_eq!(built.encoded_len() + datagram.trailing().len(), bytes.len());
            let salvage = salvage.expect("no less than the whole");
            assert_eq!(salvage.header, *datagram.header());
            assert_eq!(salvage.length_and_offset, datagram.dgm_length().zip(datagram.packet_offset()));
            if let Body::Direct { content, .. } = datagram.body() {
                assert_eq!(salvage.source_name, Some(content.source_name));
                assert_eq!(salvage.destination_name, Some(content.destination_name));
                assert_eq!(content.names_len() + content.user_data.len(), content.encoded_len());
            }
            let _ = format!("{datagram:?}");
        }
        Err(error) => {
            assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}");
            assert!(salvage.is_some() || bytes.len() < 10);
        }
    }
});
