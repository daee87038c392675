//! Bytes as a locator message: what decodes comes back byte for byte, and its names end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::netlogon::NetlogonMessage;
use mailslot::wire::{Decode, Encode, Layer};

fuzz_target!(|bytes: &[u8]| {
    let message = match NetlogonMessage::decode(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(error.layer, Layer::Netlogon, "{error}");
            assert!(error.offset <= bytes.len(), "{error}");
            return;
        }
    };
    assert_eq!(message.to_bytes(), bytes);
    assert_eq!(message.encoded_len(), bytes.len());
    match &message {
        NetlogonMessage::SamLogonResponse(response)
        | NetlogonMessage::SamPauseResponse(response)
        | NetlogonMessage::SamUserUnknown(response) => {
            if let Some(directory) = response.directory() {
                let names =
                    [directory.dns_forest_name(), directory.dns_domain_name(), directory.dns_host_name()];
                assert!(names.iter().all(|name| name.labels().count() <= 127));
            }
        }
        NetlogonMessage::SamLogonResponseEx(response)
        | NetlogonMessage::SamPauseResponseEx(response)
        | NetlogonMessage::SamUserUnknownEx(response) => {
            let names = [
                response.dns_forest_name(),
                response.dns_domain_name(),
                response.dns_host_name(),
                response.netbios_domain_name(),
                response.netbios_computer_name(),
                response.user_name(),
                response.dc_site_name(),
                response.client_site_name(),
            ];
            let mut names = names.into_iter().chain(response.next_closest_site_name());
            assert!(names.all(|name| name.labels().count() <= 127));
        }
        _ => {}
    }
    _ = format!("{message:?}");
});
