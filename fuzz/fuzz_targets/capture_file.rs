//! Bytes of a file through the whole capture layer: reader, link layers, reassembly.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::capture::{DefragLimits, Defragmenter, MAX_RECORD_LEN, Packet, Reader};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let limits = DefragLimits::default();
    let mut defragmenter = Defragmenter::new(limits);
    loop {
        let frame = match reader.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                let _ = error.to_string();
                continue;
            }
        };
        assert!(frame.bytes.len() <= MAX_RECORD_LEN && frame.bytes.len() <= bytes.len());
        match frame.packet() {
            Ok(Packet::Udp(datagram)) => {
                let end = datagram.payload_offset + datagram.payload.len();
                assert_eq!(frame.bytes.get(datagram.payload_offset..end), Some(datagram.payload));
            }
            Ok(Packet::Fragment(fragment)) => {
                if let Some(whole) = defragmenter.insert(frame.time, &fragment) {
                    assert!(whole.bytes.len() <= DefragLimits::DATAGRAM_BYTES);
                    let _ = whole.udp();
                }
                assert!(defragmenter.waiting() <= limits.datagrams && defragmenter.bytes() <= limits.bytes);
            }
            Ok(_) => {}
            Err(error) => assert!(error.offset <= frame.bytes.len()),
        }
    }
    assert!(reader.position() <= bytes.len() as u64);
});
