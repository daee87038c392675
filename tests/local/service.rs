//! The service's node: who may come, and what nobody may do to it. All on a loopback LAN of this process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use mailslot::node::blocking::{MailslotSender, SlotReader};
use mailslot::node::local::{Admit, Client, LocalError, Places, Server, ServerLimits, ServicePlace};
use mailslot::node::{LoopbackLan, Node};
use mailslot::slot::{MESSAGE_COST, MailslotError};
use mailslot::wire::local::{Admittance, Body, FailureCode, Frame, VERSION};
use mailslot::wire::{Decode, Encode};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{data, forever, path, try_create, try_open};

/// Somebody that is not root.
const NOBODY: u32 = 65_534;

struct Service {
    directory: TempDir,
    socket: PathBuf,
    node: Node,
    server: Server,
    runtime: Runtime,
}

impl Service {
    fn new(limits: ServerLimits, mode: u32) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("mailslot.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let lan = LoopbackLan::of_this_process();
        let (node, server) = runtime.block_on(async {
            let node = Node::builder().name("SERVICE").loopback(lan).start().await.expect("a node");
            let server = Server::of_service(node.clone(), limits);
            tokio::spawn(server.listen(&socket, mode).expect("a socket"));
            (node, server)
        });
        Self { directory, socket, node, server, runtime }
    }

    fn client(&self) -> Client {
        Client::at(Places::at(&self.socket))
    }

    fn create(&self, name: &str, admit: Admit) -> SlotReader {
        SlotReader::from(self.client().create(&path(name), forever(), admit).expect("a new slot"))
    }

    fn open(&self, name: &str) -> MailslotSender {
        try_open(&self.client(), name).expect("the slot is there")
    }

    /// `mailslot send` to a slot of this machine, as nobody: exit status and standard error.
    fn send_as_nobody(&self, program: &Path, name: &str) -> (Option<i32>, String) {
        let mut command = Command::new(program);
        command.args(["send", &format!("//./mailslot/{name}"), "from nobody"]);
        command.env("MAILSLOT_SOCKET", &self.socket).uid(NOBODY).gid(NOBODY);
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn the_service_has_slots_names_and_a_socket_of_its_mode() {
    let service = Service::new(ServerLimits::default(), 0o640);
    assert_eq!(service.socket.metadata().expect("a socket").mode() & 0o7777, 0o640);
    let node = service.client().node().expect("a node");
    assert!(node.is_service && node.computer.is_some_and(|name| name.base() == b"SERVICE"), "{node:?}");
    let soda = service.create("soda", Admit::Default);
    try_open(&service.client(), "soda").expect("the slot is there").write(b"x").expect("room");
    assert_eq!(data(&soda), b"x");
    let again = try_create(&service.client(), "soda").expect_err("there already");
    assert!(matches!(again, LocalError::Mailslot(MailslotError::AlreadyExists { .. })), "{again}");
}

#[test]
fn a_living_service_and_what_is_no_socket_are_not_replaced() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let error = service.server.listen(&service.socket, 0o600).err().expect("it lives");
    assert!(error.to_string().contains("another service does"), "{error}");
    service.client().node().expect("it still answers");
    let file = service.directory.path().join("letter");
    std::fs::write(&file, "dear").expect("room");
    let link = service.directory.path().join("link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for path in [&file, &link] {
        let error = service.server.listen(path, 0o666).err().expect("no socket");
        assert!(error.to_string().contains("it is no socket"), "{error}");
    }
    assert_eq!(std::fs::read(&file).expect("still there"), b"dear");
    assert_eq!(file.metadata().expect("still there").mode() & 0o777 & 0o111, 0);
}

#[test]
fn a_socket_that_a_dead_service_left_is_replaced() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let left = service.directory.path().join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&left).expect("a socket"));
    assert!(left.exists());
    let serving = service.runtime.block_on(async { service.server.listen(&left, 0o600) }).expect("replaced");
    let task = service.runtime.spawn(serving);
    Client::at(Places::at(&left)).node().expect("a node");
    task.abort();
    assert!(service.runtime.block_on(task).expect_err("aborted").is_cancelled());
    assert!(!left.exists(), "it goes with its service");
}

#[test]
fn one_user_cannot_take_all_connections_nor_all_memory() {
    let limits =
        ServerLimits { connections_per_user: 2, unread_bytes_per_user: 100_000, ..ServerLimits::default() };
    let service = Service::new(limits, 0o600);
    let slots = [service.create("a", Admit::Default), service.create("b", Admit::Default)];
    let error = try_create(&service.client(), "c").expect_err("too many");
    assert!(matches!(error, LocalError::Mailslot(MailslotError::LimitReached { max: 2, .. })), "{error}");
    drop(slots);
    let hello = Frame::new(1, Body::Hello { version: VERSION }).expect("a frame").to_bytes();
    // The ends of those two are seen in their time.
    let mut stream = loop {
        let mut stream = UnixStream::connect(&service.socket).expect("a service");
        stream.write_all(&hello).expect("room");
        let mut answer = [0; 9];
        stream.read_exact(&mut answer).expect("an answer");
        if answer[8] == 0x81 {
            break stream;
        }
    };
    stream.read_exact(&mut [0; 39]).expect("the rest of the welcome");
    // A write of 16 MiB that never ends.
    let mut half = (16_u32 << 20).to_le_bytes().to_vec();
    half.resize(400_000, 7);
    // The service may end the connection while this is written.
    let _ = stream.write_all(&half);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    let frame = Frame::decode(&said).expect("a last word");
    assert!(
        matches!(frame.body(), Body::Failed(failure) if failure.code == FailureCode::LIMIT_REACHED),
        "{frame:?}"
    );
    // Each refusal is counted, as what it was.
    let stats = service.server.stats();
    assert!(stats.refused["connections_per_user"] >= 1, "{stats:?}");
    assert_eq!(stats.refused.len(), 1, "{stats:?}");
    assert_eq!(stats.ended, BTreeMap::from([("unread_bytes", 1)]));
    assert_eq!(stats.failed, BTreeMap::from([("limit_reached", 1)]));
}

#[test]
fn what_is_refused_and_what_is_damaged_is_counted() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let soda = service.create("soda", Admit::Default);
    try_create(&service.client(), "soda").expect_err("there already");
    try_open(&service.client(), "juice").expect_err("not there");
    let frame = |id, body: Body<'_>| Frame::new(id, body).expect("short").to_bytes();
    let list = frame(1, Body::List { after: &[] });
    let hello = frame(1, Body::Hello { version: VERSION });
    let unknown = [&hello[..], &frame(2, Body::Other { kind: 0x70, bytes: b"later" })].concat();
    for (bytes, ends) in [
        (frame(1, Body::Hello { version: VERSION + 1 }), true),
        (list, true),
        ([&hello[..], &[0xff; 9]].concat(), true),
        (unknown, false),
    ] {
        let mut peer = UnixStream::connect(&service.socket).expect("it listens");
        peer.write_all(&bytes).expect("room");
        if !ends {
            peer.shutdown(std::net::Shutdown::Write).expect("it is open");
        }
        peer.read_to_end(&mut Vec::new()).expect("its end");
    }
    let stats = service.server.stats();
    let expected = [("already_exists", 1), ("bad_request", 2), ("not_found", 1), ("version", 1)];
    assert_eq!(stats.failed, BTreeMap::from(expected));
    assert_eq!(stats.ended, BTreeMap::from([("damaged", 1), ("no_hello", 1), ("version", 1)]));
    assert_eq!(stats.accepted, 7);
    assert!(stats.refused.is_empty() && stats.open >= 1, "{stats:?}");
    drop(soda);
}

/// Nor all slots, nor all room for messages, nor all handles that wait to be taken up.
#[test]
fn one_user_cannot_take_all_slots_nor_their_room() {
    let limits = ServerLimits {
        slots_per_user: 2,
        slot_bytes_per_user: 2 * MESSAGE_COST + 50,
        duplicates_per_user: 1,
        ..ServerLimits::default()
    };
    let service = Service::new(limits, 0o600);
    let (a, b) = (service.create("a", Admit::Default), service.create("b", Admit::Default));
    let error = try_create(&service.client(), "c").expect_err("too many");
    assert_eq!(error.win32().code(), 1450, "{error}");
    assert!(matches!(error, LocalError::Mailslot(MailslotError::LimitReached { max: 2, .. })), "{error}");
    let (to_a, to_b) = (service.open("a"), service.open("b"));
    to_a.write(&[0; 40]).expect("room");
    let full = Err(MailslotError::QueueFull { limit: "bytes_per_owner" });
    assert_eq!(to_b.write(&[0; 11]), full);
    to_b.write(&[0; 10]).expect("room");
    assert_eq!(to_b.write(b""), full);
    assert_eq!(b.stats().expect("a service").drops.owner_bytes, 2);
    assert_eq!(data(&a).len(), 40);
    to_b.write(&[0; 40]).expect("room again");
    // Until they are taken up, or closed, duplicates are handles that nobody has.
    let mut tokens = Vec::new();
    let mut stream = UnixStream::connect(&service.socket).expect("a service");
    let mut ask = |id: u32, body: Body<'_>| {
        stream.write_all(&Frame::new(id, body).expect("a frame").to_bytes()).expect("room");
        let mut frame = vec![0; 4];
        stream.read_exact(&mut frame).expect("an answer");
        let length = u32::from_le_bytes(*frame.first_chunk().expect("four"));
        frame.resize(4 + length as usize, 0);
        stream.read_exact(&mut frame[4..]).expect("the rest");
        frame
    };
    ask(1, Body::Hello { version: VERSION });
    let name: Vec<u8> = "a".encode_utf16().flat_map(u16::to_le_bytes).collect();
    ask(2, Body::Open { access: 0x4000_0000, share: 7, disposition: 3, name: &name });
    for id in 3..5 {
        tokens.push(ask(id, Body::Duplicate { access: 0x4000_0000 }));
    }
    let answers: Vec<_> = tokens.iter().map(|frame| Frame::decode(frame).expect("a frame")).collect();
    assert!(matches!(answers[0].body(), Body::Duplicated { .. }), "{answers:?}");
    assert!(
        matches!(answers[1].body(), Body::Failed(failure) if failure.code == FailureCode::LIMIT_REACHED && failure.a == 1),
        "{answers:?}"
    );
    drop((a, b));
    // The end of those two is seen in its time.
    while try_create(&service.client(), "c").is_err() {}
}

/// Nor all memory with answers that its processes ask for and do not take.
#[test]
fn answers_that_nobody_takes_are_bounded() {
    let limits = ServerLimits { untaken_bytes_per_user: 6 << 20, ..ServerLimits::default() };
    let service = Service::new(limits, 0o600);
    // A slot whose reader asks for a message of 4 MiB, gets it, and takes none of it.
    let lazy = |slot: &str| {
        let mut stream = UnixStream::connect(&service.socket).expect("a service");
        let name: Vec<u8> = slot.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (admittance, read_timeout) = (Admittance { rule: Admittance::DEFAULT, group: 0 }, u32::MAX);
        let create =
            Body::Create { max_message_size: 0, read_timeout, access: 1 << 31, admittance, name: &name };
        let read = Body::Read { timeout: None, capacity: u32::MAX, count: 1 };
        for (id, body) in (1..).zip([Body::Hello { version: VERSION }, create, read]) {
            stream.write_all(&Frame::new(id, body).expect("a frame").to_bytes()).expect("room");
        }
        let writer = loop {
            if let Ok(writer) = try_open(&service.client(), slot) {
                break writer;
            }
        };
        writer.write(&vec![1; 4 << 20]).expect("room");
        stream
    };
    let mut first = lazy("a");
    let b = service.create("b", Admit::Default);
    service.open("b").write(&vec![2; 1 << 20]).expect("room");
    assert_eq!(data(&b).len(), 1 << 20, "what is taken does not count");
    let _second = lazy("c");
    while service.server.stats().ended.is_empty() {}
    assert_eq!(service.server.stats().ended, BTreeMap::from([("untaken_bytes", 1)]));
    // The first has all that it asked for.
    let mut length = 0;
    for _ in 0..3 {
        let mut bytes = [0; 4];
        first.read_exact(&mut bytes).expect("an answer");
        length = u32::from_le_bytes(bytes) as usize;
        first.read_exact(&mut vec![0; length]).expect("the rest");
    }
    assert!(length > 4 << 20, "{length}");
}

/// Whose a slot was says nothing about a later one of its name, even while somebody holds on to the first.
#[test]
fn a_later_slot_of_the_name_has_its_own_owner() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let soda = service.client().create(&path("soda"), forever(), Admit::Owner).expect("a new slot");
    let writer = service.open("soda");
    soda.close();
    let _own = service.node.create(&path("soda"), forever()).expect("the name is free");
    let slot = service.client().slot(&path("soda").name).expect("it is there");
    assert_eq!(slot.admit, Admit::Default);
    assert_eq!(writer.write(b"late").expect_err("its slot is gone").win32().code(), 6);
}

/// One of the service manager's has no lock beside its socket.
#[test]
fn a_service_without_a_lock_is_not_replaced_either() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let socket = service.directory.path().join("given.sock");
    let given = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let error = service.server.listen(&socket, 0o600).err().expect("it lives");
    assert!(error.to_string().contains("another service does"), "{error}");
    drop(UnixStream::connect(&socket).expect("it is still there"));
    drop(given);
    drop(ServicePlace::take(&socket, 0o600).expect("it is dead"));
}

/// While the service takes its place, nobody else reaches the socket before it has its mode.
#[test]
fn nobody_comes_before_the_socket_has_its_mode() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("mailslot.sock");
    let begins = directory.path().join("mailslot.sock.new");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                // It may be gone by then.
                for (path, mode) in [(&begins, 0o700), (&socket, 0o640)] {
                    if let Ok(found) = path.metadata() {
                        assert_eq!(found.mode() & 0o7777, mode, "{}", path.display());
                        seen += 1;
                    }
                }
            }
            seen
        });
        for _ in 0..500 {
            let place = ServicePlace::take(&socket, 0o640).expect("a place");
            assert_eq!(socket.metadata().expect("a socket").mode() & 0o7777, 0o640);
            drop(UnixStream::connect(&socket).expect("a service"));
            drop(place);
            assert!(!socket.exists() && !begins.exists());
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(watch.join().expect("no other mode") > 0);
    });
    // What one that died on the way has left is no hindrance; what is another's, or open to others, is.
    std::fs::create_dir(&begins).expect("a directory");
    std::fs::set_permissions(&begins, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let refused = ServicePlace::take(&socket, 0o640).expect_err("others may enter it");
    assert!(matches!(refused, LocalError::Unsafe { .. }), "{refused}");
    std::fs::set_permissions(&begins, std::fs::Permissions::from_mode(0o700)).expect("its mode");
    drop(std::os::unix::net::UnixListener::bind(begins.join("s")).expect("a socket"));
    drop(ServicePlace::take(&socket, 0o640).expect("a place"));
    assert!(!begins.exists());
}

/// A short request may have a long answer. Who sends many and takes no answer gets them all in the end, but the node does
/// not prepare them all before.
#[test]
fn requests_wait_while_their_answers_do() {
    let service = Service::new(ServerLimits::default(), 0o600);
    let _slot = service.create(&"n".repeat(30_000), Admit::Default);
    let mut requests = Frame::new(1, Body::Hello { version: VERSION }).expect("a frame").to_bytes();
    for id in 0..2000 {
        let list = Frame::new(2 + id, Body::List { after: &[] }).expect("a frame");
        requests.extend_from_slice(&list.to_bytes());
    }
    let mut stream = UnixStream::connect(&service.socket).expect("a service");
    // All of them are one helping.
    assert!(requests.len() < 64 << 10);
    stream.write_all(&requests).expect("room");
    let before = resident();
    // Answered, so all that this node will do for the other connection without its answers being taken is done or under way.
    for _ in 0..20 {
        service.client().slots().expect("a list");
    }
    assert!(resident() < before + (32 << 20), "{} and {}", before, resident());
    for id in 1..2002_u32 {
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("an answer");
        let mut frame = length.to_vec();
        frame.resize(4 + u32::from_le_bytes(length) as usize, 0);
        stream.read_exact(&mut frame[4..]).expect("the rest");
        assert_eq!(Frame::decode(&frame).expect("a frame").id(), id);
    }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

/// The slots' rules, with another user. Needs root, to become that user.
#[test]
fn slots_admit_their_owner_a_group_or_all() {
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can be another user");
        return;
    }
    let service = Service::new(ServerLimits::default(), 0o666);
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(service.directory.path(), open).expect("ours");
    // An ordinary user may not be allowed to reach the build's directory.
    let program = service.directory.path().join("mailslot");
    std::fs::copy(env!("CARGO_BIN_EXE_mailslot"), &program).expect("a copy");
    let slots = [
        ("owner", Admit::Owner, false),
        ("others", Admit::Group(NOBODY - 1), false),
        ("group", Admit::Group(NOBODY), true),
        ("all", Admit::All, true),
        ("default", Admit::Default, true),
    ];
    for (name, admit, expected) in slots {
        let slot = service.create(name, admit);
        let (code, said) = service.send_as_nobody(&program, name);
        assert_eq!(code, Some(if expected { 0 } else { 1 }), "{name}: {said}");
        if expected {
            assert_eq!(data(&slot), b"from nobody");
        } else {
            assert!(said.contains("ERROR_ACCESS_DENIED (5)"), "{name}: {said}");
            assert_eq!(slot.info().expect("a node").message_count, 0);
        }
    }
    // Nor does one come in whom the socket's mode keeps out.
    let closed = Service::new(ServerLimits::default(), 0o600);
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(closed.directory.path(), open).expect("ours");
    let _slot = closed.create("all", Admit::All);
    let (code, said) = closed.send_as_nobody(&program, "all");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Only members of the service's group"), "{said}");
}
