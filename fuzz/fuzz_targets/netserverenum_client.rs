//! A client that asks for a browse list of a server that answers anything: it ends, within its bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailslot::service::browser::{Page, ServerEnumClient};
use mailslot::wire::Decode;
use mailslot::wire::browser::ServerType;
use mailslot::wire::smb::rap::Request;

// Input: answers of (length of the parameters, length of the data in units of 4 bytes, both blocks); they repeat.
fuzz_target!(|data: &[u8]| {
    const MAX: usize = 64;
    let mut answers = Vec::new();
    let mut rest = data;
    while let Some((&[parameters, length], after)) = rest.split_first_chunk::<2>() {
        let (parameters, after) = after.split_at(usize::from(parameters & 15).min(after.len()));
        let (block, next) = after.split_at((usize::from(length) * 4).min(after.len()));
        answers.push((parameters, block));
        rest = next;
    }
    let mut client = ServerEnumClient::new(ServerType::all(), None, MAX);
    let mut pages = 0;
    for (parameters, block) in answers.iter().cycle().take(answers.len() * 2 * MAX) {
        assert!(matches!(Request::decode(&client.request()), Ok(Request::ServerEnum(_))));
        pages += 1;
        match client.take(parameters, block) {
            Ok(Page::More) => {}
            Ok(Page::Last) | Err(_) => break,
        }
    }
    assert!(pages <= MAX + 1, "every page but the last brings something new");
    let servers = client.into_servers();
    assert!(servers.len() <= MAX && servers.is_sorted_by(|a, b| a.name < b.name));
});
