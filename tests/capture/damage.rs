//! Cut and changed files: no panic, and every whole frame before the damage.

use mailslot::capture::{CaptureError, Defragmenter, Packet, Reader};

use crate::build::{Order, Seen, block, enhanced, frames, interface, obsolete, read_all, section, simple};

fn classic() -> Vec<u8> {
    include_bytes!("../../testdata/pcap/ad-netlogon.pcap").to_vec()
}

/// The frames of the same file, in blocks of every kind.
fn next_generation(order: Order) -> Vec<u8> {
    let mut file = section(order);
    file.extend(interface(order, 1, 65535, &[(2, b"eth0"), (9, &[9]), (14, &order.u64(5))]));
    for (i, frame) in frames(&classic()).iter().enumerate() {
        file.extend(match i % 3 {
            0 => enhanced(order, 0, 7, &frame.bytes),
            1 => obsolete(order, 0, 8, &frame.bytes),
            _ => simple(order, frame.original_len, &frame.bytes),
        });
        file.extend(block(order, 5, &[0; 12]));
    }
    file
}

fn files() -> [Vec<u8>; 3] {
    [classic(), next_generation(Order::Little), next_generation(Order::Big)]
}

/// Through the whole layer.
fn walk(file: &[u8]) {
    let Ok(mut reader) = Reader::new(file) else { return };
    let mut defragmenter = Defragmenter::default();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => match frame.packet() {
                Ok(Packet::Udp(datagram)) => assert!(datagram.payload.len() <= frame.bytes.len()),
                Ok(Packet::Fragment(fragment)) => {
                    defragmenter.insert(frame.time, &fragment).map(|whole| whole.udp().is_ok());
                }
                Ok(_) => {}
                Err(error) => assert!(error.offset <= frame.bytes.len(), "{error}"),
            },
            Ok(None) => return,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn cut_at_every_byte() {
    for file in files() {
        let whole: Vec<Seen> = frames(&file);
        assert_eq!(whole.len(), 4);
        // Where each record ends.
        let mut reader = Reader::new(file.as_slice()).unwrap();
        let mut ends = Vec::new();
        while reader.next_frame().unwrap().is_some() {
            ends.push(reader.position());
        }
        for cut in 0..file.len() {
            let (seen, errors) = read_all(&file[..cut]);
            let expected = ends.iter().filter(|end| **end <= cut as u64).count();
            assert_eq!(seen, whole[..expected], "cut at {cut}");
            match &errors[..] {
                // Between two records or blocks, or after nothing.
                [] => assert!(cut >= 24),
                [CaptureError::NotACapture { .. }] => assert!(cut < 4),
                [CaptureError::Truncated { offset, needed, have, .. }] => {
                    assert_eq!(offset + have, cut as u64);
                    assert!(have < needed);
                }
                other => panic!("cut at {cut}: {other:?}"),
            }
            walk(&file[..cut]);
        }
    }
}

#[test]
fn every_bit_changed() {
    for mut file in files() {
        for at in 0..file.len() {
            for bit in 0..8 {
                file[at] ^= 1 << bit;
                walk(&file);
                file[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn every_bit_of_fragments_changed() {
    let mut file = include_bytes!("../../testdata/pcap/app-mailslots.pcap").to_vec();
    // The last frames are the fragments; one bit of each byte is enough for so long a file.
    for at in file.len() - 8000..file.len() {
        file[at] ^= 1 << (at % 8);
        walk(&file);
        file[at] ^= 1 << (at % 8);
    }
}
