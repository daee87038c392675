//! Bytes as a message of an SMB1 session: what decodes comes back byte for byte, and every view of it holds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::smb::{Body, MAX_CHAIN, NegotiateResponse, SmbMessage};
use mailslot::wire::{Decode, Encode};

fn look(body: &Body<'_>, whole: usize) {
    let mut seen = body.trailing().len();
    match body {
        Body::NegotiateRequest(body) => seen += body.dialects().map(<[u8]>::len).sum::<usize>(),
        Body::NegotiateResponse(NegotiateResponse::Nt(body)) => {
            assert_eq!(body.is_extended(), body.server_guid().is_some());
            assert_eq!(body.is_extended(), body.challenge().is_none());
        }
        Body::SessionSetupRequest(body) => {
            seen += body.security_blob().or(body.oem_password()).map_or(0, <[u8]>::len);
            seen += body.unicode_password().map_or(0, <[u8]>::len);
            seen += body.native_os().as_bytes().len() + body.native_lan_man().as_bytes().len();
        }
        Body::SessionSetupResponse(body) => seen += body.security_blob().map_or(0, <[u8]>::len),
        Body::TreeConnectRequest(body) => {
            seen += body.password().len() + body.path().as_bytes().len() + body.service().len();
        }
        Body::TransactionRequest(body) => {
            // Parameters and data may overlap one another, but neither the name.
            assert_eq!(body.parameters().len(), usize::from(body.parameter_part().count));
            assert_eq!(body.data().len(), usize::from(body.data_part().count));
            assert!(body.name().as_bytes().len() + body.parameters().len().max(body.data().len()) < whole);
            if let Some(write) = body.as_mailslot_write() {
                assert!(write.data.len() <= usize::from(write.total) && !write.slot.is_empty());
            }
        }
        Body::TransactionResponse(body) => {
            assert_eq!(body.parameters().len(), usize::from(body.parameter_part().count));
            assert_eq!(body.data().len(), usize::from(body.data_part().count));
        }
        Body::TransactionSecondary(body) => {
            let part = body.data_part();
            let end = usize::from(part.displacement) + usize::from(part.count);
            assert!(part.count == 0 || end <= usize::from(part.total));
            assert_eq!(body.data().len(), usize::from(part.count));
        }
        _ => {}
    }
    assert!(seen <= whole);
}

fuzz_target!(|bytes: &[u8]| {
    match SmbMessage::decode(bytes) {
        Ok(message) => {
            assert_eq!(message.to_bytes(), bytes);
            assert_eq!(message.encoded_len(), bytes.len());
            look(message.body(), bytes.len());
            let mut chained = 0;
            for body in message.chained() {
                look(&body, bytes.len());
                chained += 1;
                assert!(SmbMessage::new(*message.header(), body).is_err());
            }
            assert!(chained < MAX_CHAIN);
            // What was read can be built again.
            let built =
                SmbMessage::new(*message.header(), message.body().clone()).expect("the first of its message");
            assert_eq!(built.body(), message.body());
            assert_eq!(built.to_bytes(), bytes);
            let _ = format!("{message:?}");
        }
        Err(error) => assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}"),
    }
});
