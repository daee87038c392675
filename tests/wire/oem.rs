//! OEM strings: what ends them, what stands behind their end, and code pages.

use mailslot::wire::oem::{CodePage, FixedName, OemZ};
use mailslot::wire::{Encode, Layer, ValueErrorReason};
use proptest::prelude::*;

proptest! {
    #[test]
    fn strings_end_with_their_nul(text in prop::collection::vec(1..=255_u8, 0..60)) {
        let string = OemZ::new(Layer::Browser, "comment", &text, 60).unwrap();
        prop_assert_eq!(string.to_bytes(), [text.as_slice(), b"\0"].concat());
        prop_assert_eq!(string.encoded_len(), text.len() + 1);
        prop_assert_eq!((string.text(), string.tail()), (text.as_slice(), b"\0".as_slice()));
    }

    #[test]
    fn a_field_of_16_bytes_keeps_them_all(bytes: [u8; 16]) {
        let name = FixedName::from_bytes(bytes);
        prop_assert_eq!(name.as_bytes(), &bytes);
        prop_assert!(!name.text().contains(&0));
        prop_assert!(bytes.starts_with(name.text()) && bytes.ends_with(name.tail()));
    }

    #[test]
    fn every_page_reads_what_it_writes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        for number in [437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874] {
            let page = CodePage::new(number).unwrap();
            let text = page.decode(&bytes);
            if let Ok(again) = page.encode(&text) {
                prop_assert_eq!(page.decode(&again), text, "page {}", number);
            }
        }
    }
}

#[test]
fn strings_with_a_nul_or_too_many_bytes_are_refused() {
    let reason = |text, max| OemZ::new(Layer::Browser, "comment", text, max).unwrap_err().reason;
    assert_eq!(reason(b"ab\0c", 42), ValueErrorReason::BadCharacter { position: 2 });
    assert_eq!(reason(b"four", 3), ValueErrorReason::TooLong { have: 4, max: 3 });
    let reason = FixedName::new(Layer::Browser, "server_name", b"SIXTEEN-BYTES-XX").unwrap_err().reason;
    assert_eq!(reason, ValueErrorReason::TooLong { have: 16, max: 15 });
}

#[test]
fn the_page_decides_what_a_byte_means() {
    let page = |number| CodePage::new(number).unwrap();
    assert_eq!(CodePage::default().number(), 437);
    assert_eq!(page(437).decode(b"M\x9aLLER"), "M\u{dc}LLER");
    assert_eq!(page(866).decode(b"\x8c\x88\x90"), "\u{41c}\u{418}\u{420}");
    assert_eq!(page(850).encode("M\u{dc}LLER").unwrap(), b"M\x9aLLER");
    assert!(page(437).encode("\u{41c}").is_err());
    assert!(CodePage::new(1).is_none());
}
