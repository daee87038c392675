//! Live capture on the loopback, where the system lets us.

use std::net::UdpSocket;
use std::time::Duration;

use mailslot::capture::{CaptureError, LiveCapture, LiveOptions, Packet, interfaces};

/// The loopback's name.
fn loopback() -> Option<String> {
    let name = interfaces().into_iter().find(|interface| interface.loopback && interface.up)?.name;
    Some(name)
}

#[test]
fn interfaces_are_listed() {
    let Some(name) = loopback() else {
        eprintln!("SKIPPED: no loopback interface is up here");
        return;
    };
    let all = interfaces();
    let lo = all.iter().find(|interface| interface.name == name).unwrap();
    assert!(lo.index > 0 && lo.hardware_address.is_none());
    assert!(lo.addresses.iter().any(|address| address.to_string() == "127.0.0.1/8"), "{lo:?}");
}

#[test]
fn unknown_interfaces_are_named() {
    let error = LiveCapture::open("no such", LiveOptions::default()).unwrap_err();
    assert!(matches!(error, CaptureError::NoInterface { .. }));
    assert!(error.to_string().starts_with("there is no interface \"no such\"; there are: "), "{error}");
}

#[test]
fn each_frame_of_the_loopback_comes_once() {
    let Some(name) = loopback() else { return };
    let mut options = LiveOptions::default();
    options.timeout = Duration::from_millis(20);
    let mut live = match LiveCapture::open(&name, options) {
        Ok(live) => live,
        Err(error @ CaptureError::NotPermitted { .. }) => {
            assert!(cfg!(not(target_os = "linux")) || error.to_string().contains("CAP_NET_RAW"), "{error}");
            eprintln!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let (from, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    for number in 0..20_u8 {
        // The first two are the same.
        from.send_to(&[number.max(1); 50], to.local_addr().unwrap()).unwrap();
    }
    let mut seen = Vec::new();
    // Other traffic may be in between; ten time-outs are the end, or too much of it.
    let mut pauses = 0;
    while pauses < 10 && live.frames() < 100_000 {
        let duplicates = live.duplicates();
        match live.next_frame().unwrap() {
            Some(frame) => {
                assert_eq!(frame.original_len as usize, frame.bytes.len());
                assert!(frame.time.seconds() > 1_600_000_000);
                if let Ok(Packet::Udp(udp)) = frame.packet()
                    && udp.destination.port() == to.local_addr().unwrap().port()
                {
                    seen.push(udp.payload[0]);
                }
            }
            None => pauses += u32::from(live.duplicates() == duplicates),
        }
    }
    let expected: Vec<u8> = (0..20).map(|number: u8| number.max(1)).collect();
    assert_eq!(seen, expected);
    assert!(live.duplicates() >= 20 && live.frames() >= 20);
}
