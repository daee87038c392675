//! Kill -9 of either side at any moment: the other goes on. `MAILSLOT_TRIES` asks for more tries than 10.

use std::io::{Read, Write};
use std::process::Stdio;

use mailslot::slot::MailslotError;

use crate::{Machine, data, kill, role, try_create, try_open};

pub(crate) fn tries() -> usize {
    std::env::var("MAILSLOT_TRIES").ok().and_then(|tries| tries.parse().ok()).unwrap_or(10)
}

/// Reads from the child what it says until it has said `word`.
pub(crate) fn until(child: &mut std::process::Child, word: &[u8]) {
    let mut said = Vec::new();
    let mut byte = [0];
    let out = child.stdout.as_mut().expect("piped");
    while !said.ends_with(word) {
        assert_eq!(
            out.read(&mut byte).expect("a pipe"),
            1,
            "it has ended: {}",
            String::from_utf8_lossy(&said)
        );
        said.push(byte[0]);
    }
}

pub(crate) fn say(word: &[u8]) {
    std::io::stdout().write_all(word).and_then(|()| std::io::stdout().flush()).expect("a pipe");
}

#[test]
fn a_killed_reader_frees_its_name_and_hurts_no_other() {
    if let Some((_, client)) = role() {
        let soda = try_create(&client, "soda").expect("a new slot");
        say(b"<listens>");
        loop {
            data(&soda);
        }
    }
    let machine = Machine::new();
    let mut other = None;
    for number in 0..tries() {
        let mut child = machine.child("killed::a_killed_reader_frees_its_name_and_hurts_no_other", "reader");
        let mut child = child.stdout(Stdio::piped()).spawn().expect("itself again");
        until(&mut child, b"<listens>");
        let writer = machine.open("soda");
        for _ in 0..number {
            writer.post(b"12 left").expect("a node");
        }
        kill(child);
        let gone = loop {
            match writer.write(b"late") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(gone, MailslotError::Gone { .. }), "{gone}");
        // The slot of another listener has noticed nothing. In every other try the node ends in between.
        if number % 2 == 1 {
            let other = other.get_or_insert_with(|| machine.create("other"));
            machine.open("other").write(b"x").expect("room");
            assert_eq!(data(other), b"x");
        } else if other.is_none() {
            drop(writer);
            machine.wait_for_end();
        }
    }
}

#[test]
fn a_killed_writer_leaves_what_it_wrote() {
    if let Some((_, client)) = role() {
        let soda = try_open(&client, "soda").expect("the slot is there");
        soda.write(b"first").expect("room");
        say(b"<writes>");
        for number in 0_u64.. {
            soda.post(&number.to_le_bytes()).expect("a node");
        }
    }
    let machine = Machine::new();
    let soda = machine.create("soda");
    for _ in 0..tries() {
        let mut child = machine.child("killed::a_killed_writer_leaves_what_it_wrote", "writer");
        let mut child = child.stdout(Stdio::piped()).spawn().expect("itself again");
        until(&mut child, b"<writes>");
        kill(child);
        // The end of this try, behind what the dead one wrote: its connection is older, and its bytes are taken.
        assert_eq!(data(&soda), b"first");
        let mut next = 0;
        while soda.info().expect("a node").message_count > 0 {
            for message in soda.recv_many(1000).expect("messages") {
                let number = u64::from_le_bytes(message.data[..].try_into().expect("a whole message"));
                // Gaps are what did not fit.
                assert!(number >= next, "{number} after {next}");
                next = number + 1;
            }
        }
    }
    // What the node had not read yet may have come since.
    machine.open("soda").write(b"end").expect("room");
    while data(&soda) != b"end" {}
    let stats = soda.stats().expect("a node");
    assert_eq!(stats.accepted, stats.read);
}

/// A node that is stopped takes no connection and closes no handle; who closes one does not wait for ever.
#[test]
fn a_stopped_node_holds_up_no_close() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let node = machine.client().node().expect("a node").pid.to_string();
    let signal = |name| {
        let sent = std::process::Command::new("kill").args(["-s", name, &node]).status();
        assert!(sent.expect("it runs").success());
    };
    signal("STOP");
    soda.reader().close();
    let error = soda.recv().expect_err("it is closed");
    assert!(
        matches!(&error, MailslotError::NodeGone { reason } if reason == "it does not answer"),
        "{error}"
    );
    signal("CONT");
    // It closes the handle as soon as it goes on.
    while try_create(&machine.client(), "soda").is_err() {}
}
