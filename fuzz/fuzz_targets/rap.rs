//! Bytes as RAP blocks: requests and parameters come back byte for byte, lists of any data end, and what is read of
//! them is read again from an answer made of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::wire::smb::rap::{
    Request, ResponseParameters, StringLayout, answer_servers, answer_shares, servers, shares,
};
use mailslot::wire::{Decode, Encode};

fuzz_target!(|bytes: &[u8]| {
    match Request::decode(bytes) {
        Ok(request) => assert_eq!(request.to_bytes(), bytes),
        Err(error) => assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}"),
    }
    match ResponseParameters::decode(bytes) {
        Ok(parameters) => assert_eq!(parameters.to_bytes(), bytes),
        Err(error) => assert!(!error.field.is_empty() && error.offset <= bytes.len(), "{error}"),
    }
    let Some((head, data)) = bytes.split_at_checked(8) else { return };
    let Ok(parameters) = ResponseParameters::decode(head) else { return };
    for level in [0, 1] {
        let list = servers(level, &parameters, data).expect("a level");
        let list: Vec<_> = list.filter_map(Result::ok).collect();
        assert!(list.len() <= data.len() / 16);
        // Comments may overlap in what was read, so that not all fit again.
        for layout in [StringLayout::Backward, StringLayout::Forward(parameters.converter())] {
            let answer = answer_servers(level, layout, u16::MAX, list.clone()).expect("comments without NUL");
            let again = servers(level, &answer.parameters, &answer.data).expect("a level");
            assert!(again.zip(&list).all(|(again, entry)| again.as_ref() == Ok(entry)));
        }
        let list: Vec<_> =
            shares(level, &parameters, data).expect("a level").filter_map(Result::ok).collect();
        let answer = answer_shares(level, StringLayout::Backward, u16::MAX, list.clone())
            .expect("remarks without NUL");
        let again = shares(level, &answer.parameters, &answer.data).expect("a level");
        assert!(again.zip(&list).all(|(again, entry)| again.as_ref() == Ok(entry)));
    }
});
