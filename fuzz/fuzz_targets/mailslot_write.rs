//! Bytes as a mailslot write: what decodes comes back byte for byte and can be given other data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::smb::{HeaderLayout, MAILSLOT_PREFIX, MailslotWrite, NAME_OFFSET};
use mailslot::wire::{Decode, Encode};

fuzz_target!(|bytes: &[u8]| {
    let write = match MailslotWrite::decode(bytes) {
        Ok(write) => write,
        Err(error) => {
            assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}");
            return;
        }
    };
    assert_eq!(write.to_bytes(), bytes);
    assert_eq!(write.encoded_len(), bytes.len());
    assert!(write.name().len() > MAILSLOT_PREFIX.len() && !write.name().contains(&0));
    assert!(write.is_slot(write.slot()));
    assert_eq!(usize::from(write.words().data_count), write.data().len());
    let behind_name = NAME_OFFSET + write.name().len() + 1 + write.padding().len();
    assert_eq!(usize::from(write.words().data_offset), behind_name);
    assert_eq!(write.with_data(write.data()), Ok(write));
    let other = b"other data, of a length that a mailslot write of a fuzzer seldom has";
    if let Ok(changed) = write.with_data(other) {
        assert_eq!(changed.data(), other);
        assert_eq!(MailslotWrite::decode(&changed.to_bytes()), Ok(changed));
        assert_eq!((changed.name(), changed.padding()), (write.name(), write.padding()));
    }
    if let Some(layout) = write.layout() {
        let made = MailslotWrite::new(layout, write.name(), write.data()).expect("the layout that was found");
        assert_eq!(made.with_priority(write.priority()).with_class(write.class()).to_bytes(), bytes);
    }
    for layout in HeaderLayout::ALL {
        if let Ok(made) = MailslotWrite::new(layout, write.name(), write.data()) {
            let encoded = made.to_bytes();
            let read = MailslotWrite::decode(&encoded).expect("made by the constructor");
            assert_eq!(read, made);
            assert!(read.layout().is_some());
        }
    }
    let _ = format!("{write:?}");
});
