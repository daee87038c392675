//! Nodes: started on demand, one at a time, gone with the last handle; and what wrong peers do to them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use mailslot::node::local::{Client, LocalError, Places};
use mailslot::wire::local::{Body, FailureCode, Frame, VERSION};
use mailslot::wire::{Decode, Encode};

use crate::{Machine, data, kill, role, try_create};

#[test]
fn a_node_goes_with_its_last_handle_and_comes_again() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let first = machine.client().node().expect("a node");
    assert!(!first.is_service && first.pid != std::process::id() && first.computer.is_none());
    drop(soda);
    machine.wait_for_end();
    let soda = machine.create("soda");
    assert_ne!(machine.client().node().expect("a node").pid, first.pid);
    machine.open("soda").write(b"x").expect("room");
    assert_eq!(data(&soda), b"x");
}

#[test]
fn first_starters_at_once_end_with_one_node() {
    if let Some((name, client)) = role() {
        let _slot = try_create(&client, &name).expect("a new slot");
        print!("{}", client.node().expect("a node").pid);
        std::io::stdout().flush().expect("a pipe");
        // Until the parent has seen all of them.
        std::io::stdin().read_to_end(&mut Vec::new()).expect("a pipe");
        std::process::exit(0);
    }
    let machine = Machine::new();
    // A node that was killed leaves its socket.
    drop(UnixListener::bind(machine.directory().join("node.sock")).expect("a stale socket"));
    let test = "nodes::first_starters_at_once_end_with_one_node";
    let mut children: Vec<_> = (0..6)
        .map(|number| {
            let mut child = machine.child(test, &format!("slot{number}"));
            child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            child.spawn().expect("itself again")
        })
        .collect();
    let reader = machine.create("last");
    let pid = machine.client().node().expect("a node").pid.to_string();
    for child in &mut children {
        // What the test harness says comes before.
        let mut said = String::new();
        let mut out = child.stdout.take().expect("piped");
        let mut byte = [0];
        while !said.ends_with(&pid) && out.read(&mut byte).expect("a pipe") == 1 {
            said.push(char::from(byte[0]));
        }
        assert!(said.ends_with(&pid), "another node: {said}, not {pid}");
    }
    assert_eq!(machine.client().slots().expect("a node").len(), 7);
    children.into_iter().for_each(kill);
    drop(reader);
}

#[test]
fn a_node_that_is_killed_takes_its_handles_and_nothing_else() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let writer = machine.open("soda");
    let pid = machine.client().node().expect("a node").pid;
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.expect("kill").success());
    let error = soda.recv().expect_err("no node");
    assert!(matches!(error, mailslot::slot::MailslotError::NodeGone { .. }), "{error}");
    assert!(writer.write(b"x").is_err());
    let again = machine.create("soda");
    machine.open("soda").write(b"again").expect("room");
    assert_eq!(data(&again), b"again");
}

#[test]
fn a_place_that_another_could_have_made_is_not_used() {
    let machine = Machine::new();
    fs::set_permissions(machine.directory(), fs::Permissions::from_mode(0o755)).expect("its own");
    let error = try_create(&machine.client(), "soda").expect_err("others may enter");
    assert!(matches!(error, LocalError::Unsafe { .. }), "{error}");
    fs::set_permissions(machine.directory(), fs::Permissions::from_mode(0o700)).expect("its own");
    let link = machine.directory().join("link");
    std::os::unix::fs::symlink(machine.directory(), &link).expect("a link");
    let error = try_create(&crate::client(&link), "soda").expect_err("a link");
    assert!(matches!(error, LocalError::Unsafe { .. }), "{error}");
}

#[test]
fn errors_say_what_to_do() {
    let machine = Machine::new();
    let socket = machine.directory().join("none.sock");
    let error = try_create(&Client::at(Places::at(&socket)), "soda").expect_err("no such socket");
    assert!(error.to_string().contains("none.sock"), "{error}");
    let lost = Client::at(Places::in_directory(machine.directory())).program("/nonexistent/mailslot");
    let error = try_create(&lost, "soda").expect_err("no program").to_string();
    assert!(error.contains("/nonexistent/mailslot") && error.contains("MAILSLOT_PROGRAM"), "{error}");
    let other = Client::at(Places::in_directory(machine.directory())).program("/bin/true");
    let error = try_create(&other, "soda").expect_err("not this program").to_string();
    assert!(error.contains("/bin/true"), "{error}");
}

/// What a peer that does not speak the protocol gets: an end, and nobody else notices.
#[test]
fn damaged_requests_hurt_only_their_sender() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let node = machine.client().node().expect("a node");
    let hello = Frame::new(1, Body::Hello { version: VERSION }).expect("short").to_bytes();
    let read = Frame::new(2, Body::Read { timeout: None, capacity: 1, count: 1 }).expect("short").to_bytes();
    let cases: &[&[u8]] =
        &[b"GET / HTTP/1.1\r\n\r\n", &[0; 64], &[0xff; 64], &read, &[&hello[..], &[0xff; 9]].concat()];
    for bytes in cases {
        let mut peer = UnixStream::connect(&node.socket).expect("it listens");
        // It may end while it is being written to.
        let _ = peer.write_all(bytes);
        let _ = peer.read_to_end(&mut Vec::new());
    }
    let mut peer = UnixStream::connect(&node.socket).expect("it listens");
    let hello = Frame::new(1, Body::Hello { version: VERSION + 1 }).expect("short").to_bytes();
    peer.write_all(&hello).expect("room");
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).expect("an answer");
    let answer = Frame::decode(&answer).expect("a frame");
    let Body::Failed(failure) = answer.body() else { panic!("{answer:?}") };
    assert_eq!((failure.code, failure.a), (FailureCode::VERSION, VERSION.into()));
    machine.open("soda").write(b"unhurt").expect("room");
    assert_eq!(data(&soda), b"unhurt");
}
