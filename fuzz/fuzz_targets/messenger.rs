//! Bytes as a messenger text, and as its SMB commands: what decodes comes back byte for byte, and what is shown stays
//! within its bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::messenger::{MAX_SHOWN, MessengerMessage, expand_line_breaks, fold_line_breaks};
use mailslot::wire::smb::SmbMessage;
use mailslot::wire::{Decode, Encode, Layer};

fuzz_target!(|bytes: &[u8]| {
    assert!(expand_line_breaks(bytes, MAX_SHOWN).len() <= MAX_SHOWN);
    assert!(fold_line_breaks(bytes).len() <= bytes.len());
    match MessengerMessage::decode(bytes) {
        Ok(message) => assert_eq!(message.to_bytes(), bytes),
        Err(error) => assert!(error.layer == Layer::Messenger && error.offset <= bytes.len(), "{error}"),
    }
    for command in [0xd0, 0xd5, 0xd6, 0xd7] {
        for flags in [0, 0x80] {
            let mut message = [0; 32].to_vec();
            message.splice(..5, [0xff, b'S', b'M', b'B', command]);
            message.splice(9..10, [flags]);
            message.extend_from_slice(bytes);
            if let Ok(read) = SmbMessage::decode(&message) {
                assert_eq!(read.to_bytes(), message);
            }
        }
    }
});
