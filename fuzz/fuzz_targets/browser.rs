//! Bytes as a browser frame and as a LAN Manager frame: what decodes comes back byte for byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::browser::{BrowserFrame, LanmanFrame};
use mailslot::wire::{Decode, DecodeError, Encode};

fuzz_target!(|bytes: &[u8]| {
    match BrowserFrame::decode(bytes) {
        Ok(frame) => {
            comes_back(&frame, bytes);
            assert_eq!(Some(&frame.opcode().0), bytes.first());
            match &frame {
                BrowserFrame::RequestElection(frame) => {
                    assert!(frame.server_name().text().len() <= 16);
                    let criteria = frame.criteria;
                    let parts = (criteria.os().0, criteria.browser_version(), criteria.roles().bits());
                    let (os, version, roles) = parts;
                    assert_eq!(u32::from_be_bytes([os, version.minor, version.major, roles]), criteria.0);
                }
                BrowserFrame::GetBackupListResponse(frame) => {
                    // However many the frame says there are, those that come are there.
                    let names: usize = frame.backup_servers.iter().map(<[u8]>::len).sum();
                    assert!(names + 6 <= bytes.len());
                    assert!(frame.backup_servers.iter().all(|name| !name.is_empty() && !name.contains(&0)));
                }
                BrowserFrame::AnnouncementRequest(frame) => assert!(!frame.response_name().contains(&0)),
                _ => {}
            }
        }
        Err(error) => refused(&error, bytes),
    }
    match LanmanFrame::decode(bytes) {
        Ok(frame) => comes_back(&frame, bytes),
        Err(error) => refused(&error, bytes),
    }
});

fn comes_back(frame: &(impl Encode + core::fmt::Debug), bytes: &[u8]) {
    assert_eq!(frame.to_bytes(), bytes);
    assert_eq!(frame.encoded_len(), bytes.len());
    let _ = format!("{frame:?}");
}

fn refused(error: &DecodeError, bytes: &[u8]) {
    assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}");
}
