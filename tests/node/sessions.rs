//! Messages that no datagram carries.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use mailslot::node::{NodeError, SendError, Way};
use mailslot::service::Limits;
use mailslot::service::names::NameKind;
use mailslot::service::session::{SessionError, Step};
use mailslot::slot::{CreateOptions, Origin, Profile, Registry, Win32Error};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::{Encode, nbss};

use crate::{LONG, address, builder, data, lan, node, path, ready, slot};

fn message(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[tokio::test]
async fn every_size_arrives_by_either_port_and_the_way_is_told() {
    let lan = lan();
    let writer = node(lan, "WRITER").await;
    let (old, new) = tokio::join!(
        ready(builder(lan, "OLD").session_ports(Some(lan.session_port), None)),
        ready(builder(lan, "NEW").session_ports(None, Some(lan.direct_port))),
    );
    for (reader, name, way, port) in
        [(&old, "OLD", Way::Session139, lan.session_port), (&new, "NEW", Way::Session445, lan.direct_port)]
    {
        let inbox = slot(reader, "soda");
        let before = writer.stats().sent;
        for length in [425, 426, 427, 4_093, 4_094, 16_644, 60_000, 65_535] {
            let to = path(&format!(r"\\{name}\mailslot\soda"));
            let sent = writer.write(&to, &message(length)).await.expect("sent");
            assert_eq!((sent.way, sent.bytes, sent.truncated), (way, length, false));
            assert_eq!(sent.addresses, [format!("{}:{port}", address(reader)).parse().unwrap()]);
            let got = inbox.recv_timeout(LONG).await.expect("a message");
            assert_eq!(got.data[..], message(length), "{length}");
            assert_eq!(got.origin.way(), way.name());
            let Origin::Session { source, destination, .. } = got.origin else { panic!("{got:?}") };
            let caller: &[u8] = if way == Way::Session139 { b"WRITER" } else { b"127." };
            assert!(source.starts_with(caller) && destination.starts_with(name.as_bytes()));
        }
        assert_eq!(inbox.info().expect("its own").message_count, 0);
        // One connection served them all, and no datagram went.
        assert_eq!(reader.stats().sessions.accepted, 1);
        assert_eq!(writer.stats().sent.datagrams, before.datagrams);
        assert_eq!(writer.stats().sent.sessions, before.sessions + 8);
    }
    let error = writer.write(&path(r"\\OLD\mailslot\soda"), &message(65_536)).await.expect_err("too long");
    assert_eq!(error.win32(), Win32Error::ERROR_INVALID_PARAMETER);
}

/// The names of programs can be called as the computer's own, and after they are given up no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_programs_name_can_be_called() {
    let lan = lan();
    let (writer, reader) = tokio::join!(
        node(lan, "WRITER"),
        ready(
            builder(lan, "READER")
                .extra_name("BIRTH".parse().expect("a name"), NameKind::Unique)
                .session_ports(Some(lan.session_port), None)
        ),
    );
    let inbox = slot(&reader, "soda");
    for (name, kind) in
        [("PRICES<00>", NameKind::Unique), ("SHOP<20>", NameKind::Unique), ("TEAM<00>", NameKind::Group)]
    {
        reader.register(name.parse().expect("a name"), kind).await.expect("it is free");
    }
    for called in ["READER", "PRICES", "BIRTH"] {
        let to = path(&format!(r"\\{called}\mailslot\soda"));
        let sent = writer.write(&to, &message(1000)).await.expect(called);
        assert_eq!(sent.way, Way::Session139);
        let got = inbox.recv_timeout(LONG).await.expect("a message");
        assert_eq!(got.origin.destination().expect("a name").to_string(), format!("{called}<20>"));
    }
    let at = std::net::SocketAddr::from((address(&reader), lan.session_port));
    let call = |called: &'static str| {
        let mut stream = TcpStream::connect(at).expect("it listens");
        let called: NetbiosName = called.parse().expect("a name");
        let calling: NetbiosName = "WRITER<00>".parse().expect("a name");
        let request = nbss::Packet::request(called.into(), calling.into()).to_bytes();
        stream.write_all(&request).expect("sent");
        let mut answer = [0];
        stream.read_exact(&mut answer).expect("answered");
        answer[0]
    };
    tokio::task::block_in_place(|| {
        for called in ["SHOP<20>", "PRICES<00>", "*SMBSERVER<20>"] {
            assert_eq!(call(called), 0x82, "{called}");
        }
        for called in ["TEAM<00>", "TEAM<20>", "OTHER<20>", "WORKGROUP<00>"] {
            assert_eq!(call(called), 0x83, "{called}");
        }
    });
    reader.release("PRICES<00>".parse().expect("a name")).expect("its own");
    let gone = async {
        while reader.names().iter().any(|own| own.name.to_string() == "PRICES<00>") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, gone).await.expect("it is given up");
    assert_eq!(tokio::task::block_in_place(|| call("PRICES<20>")), 0x83);
}

/// WinNuke: urgent data ended the service. It is no part of the stream, and the session goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn winnuke_urgent_data_is_passed_over() {
    let lan = lan();
    let reader = node(lan, "READER").await;
    let at = std::net::SocketAddr::from((address(&reader), lan.session_port));
    tokio::task::block_in_place(|| {
        let mut stream = TcpStream::connect(at).expect("it listens");
        let socket = socket2::SockRef::from(&stream);
        socket.send_out_of_band(b"bye").expect("sent");
        let called: NetbiosName = "READER<20>".parse().expect("a name");
        let request = nbss::Packet::request(called.into(), called.into()).to_bytes();
        // Of the three bytes the last is urgent; the first two are bytes of the stream, and no packet.
        let mut answer = Vec::new();
        let _ = stream.write_all(&request);
        let _ = stream.read_to_end(&mut answer);
        assert_ne!(answer.first(), Some(&0x82));
        let mut stream = TcpStream::connect(at).expect("it still listens");
        stream.write_all(&request[..10]).expect("sent");
        socket2::SockRef::from(&stream).send_out_of_band(b"!").expect("sent");
        stream.write_all(&request[10..]).expect("sent");
        let mut answer = [0];
        stream.read_exact(&mut answer).expect("answered");
        assert_eq!(answer, [0x82]);
    });
    let writer = node(lan, "WRITER").await;
    let inbox = slot(&reader, "soda");
    writer.write(&path(r"\\READER\mailslot\soda"), &message(1000)).await.expect("as before");
    assert_eq!(inbox.recv_timeout(LONG).await.expect("a message").data[..], message(1000));
}

#[tokio::test]
async fn what_the_slot_says_is_the_writers_error() {
    let lan = lan();
    let registry = Registry::new(mailslot::slot::Limits { messages_per_slot: 1, ..Default::default() });
    let (writer, reader) =
        tokio::join!(node(lan, "WRITER"), ready(builder(lan, "READER").registry(registry)));
    let small = CreateOptions { max_message_size: 500, ..CreateOptions::default() };
    let _small = reader.create(&path(r"\\.\mailslot\small"), small).expect("a new slot");
    let _full = slot(&reader, "full");
    writer.write(&path(r"\\reader\mailslot\full"), &message(1000)).await.expect("the first");
    for (name, code, words) in [
        ("nobody", 2, "no mailslot of that name"),
        ("small", 1130, "larger than its mailslot takes"),
        ("full", 1130, "is full"),
    ] {
        let to = path(&format!(r"\\reader\mailslot\{name}"));
        let error = writer.write(&to, &message(1000)).await.expect_err(name);
        assert_eq!(error.win32().code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(reader.stats().sessions.statuses["OBJECT_NAME_NOT_FOUND"], 1);
    assert_eq!(reader.stats().sessions.statuses["INSUFF_SERVER_RESOURCES"], 2);
}

#[tokio::test]
async fn a_computer_without_sessions_is_told_as_such_with_what_works() {
    let lan = lan();
    let writer = node(lan, "WRITER").await;
    let reader = ready(builder(lan, "READER").session_ports(None, None)).await;
    let inbox = slot(&reader, "app");
    let error = writer.write(&path(r"\\reader\mailslot\app"), &message(425)).await.expect_err("no port");
    assert_eq!(error.win32(), Win32Error::ERROR_BAD_NETPATH);
    let said = error.to_string();
    assert!(said.contains("nobody listens") && said.contains("424") && said.contains("win9x"), "{said}");
    writer.write(&path(r"\\reader\mailslot\app"), &message(424)).await.expect("a datagram");
    assert_eq!(data(&inbox).await, message(424));
    // Win9x takes no session, and opens no port.
    let win9x = ready(builder(lan, "CAIRO").profile(Profile::Win9x)).await;
    assert!(win9x.session_faults().is_empty());
    let error = writer.write(&path(r"\\cairo\mailslot\app"), &message(5000)).await.expect_err("no port");
    assert_eq!(error.win32(), Win32Error::ERROR_BAD_NETPATH);
}

#[tokio::test]
async fn a_silent_port_ends_in_time_and_in_a_sentence() {
    let lan = lan();
    let mut limits = Limits::default();
    limits.session_step = core::time::Duration::from_millis(200);
    let writer = ready(builder(lan, "WRITER").limits(limits)).await;
    let reader = ready(builder(lan, "READER").session_ports(None, None)).await;
    // The operating system takes the connection; nobody reads.
    let _silent = TcpListener::bind((address(&reader), lan.direct_port)).expect("a port");
    let (to, data) = (path(r"\\reader\mailslot\app"), message(500));
    let write = writer.write(&to, &data);
    let error = tokio::time::timeout(LONG, write).await.expect("in time").expect_err("no answer");
    assert_eq!(error.win32(), Win32Error::ERROR_SEM_TIMEOUT);
    let SendError::Session { source: SessionError::Timeout { step, .. }, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(step, Step::Negotiate);
}

#[tokio::test]
async fn a_port_that_is_taken_leaves_the_node_with_datagrams() {
    let lan = lan();
    let place = core::net::Ipv4Addr::new(127, 88, 7, 1);
    let _taken = TcpListener::bind((place, lan.session_port)).expect("a port");
    let reader = ready(builder(lan.at(place), "READER").loopback(lan.at(place))).await;
    let faults = reader.session_faults();
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert!(matches!(**fault, NodeError::BindSession { .. }));
    assert!(fault.to_string().contains("Datagrams come in all the same"), "{fault}");
    let (writer, inbox) = (node(lan, "WRITER").await, slot(&reader, "app"));
    writer.write(&path(r"\\reader\mailslot\app"), b"short").await.expect("a datagram");
    assert_eq!(data(&inbox).await, b"short");
}

#[tokio::test]
async fn many_writers_at_once_lose_and_double_nothing() {
    let lan = lan();
    let (one, two, reader) = tokio::join!(node(lan, "ONE"), node(lan, "TWO"), node(lan, "READER"));
    let inbox = slot(&reader, "app");
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..50_u16 {
        let writer = if number % 2 == 0 { one.clone() } else { two.clone() };
        writers.spawn(async move {
            for turn in 0..8_u16 {
                let mut data = message(10_240);
                data[..4].copy_from_slice(&(u32::from(number) << 16 | u32::from(turn)).to_le_bytes());
                writer.write(&path(r"\\reader\mailslot\app"), &data).await.expect("sent");
            }
        });
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let got = data(&inbox).await;
        assert_eq!(got[4..], message(10_240)[4..]);
        assert!(seen.insert(u32::from_le_bytes(got[..4].try_into().expect("four"))), "twice");
    }
    writers.join_all().await;
    assert_eq!(inbox.info().expect("its own").message_count, 0);
    assert_eq!(reader.stats().sessions.writes, 400);
    assert_eq!(reader.stats().sessions.held, 0);
}

#[tokio::test]
async fn connections_of_others_leave_nothing_and_end_with_the_node() {
    let lan = lan();
    let reader = node(lan, "READER").await;
    let server = (address(&reader), lan.session_port);
    let mut held = Vec::new();
    for cut in 0..72 {
        let mut request = vec![0x81, 0, 0, 0x44];
        request.resize(cut.max(1), 0x20);
        let mut stream = TcpStream::connect(server).expect("listening");
        stream.write_all(&request).expect("taken");
        held.push(stream);
    }
    drop(held);
    let none_open = async {
        while reader.stats().sessions.open > 0 || reader.stats().sessions.accepted < 72 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, none_open).await.expect("all are gone");
    assert_eq!(reader.stats().sessions.held, 0);

    let mut open = TcpStream::connect(server).expect("listening");
    reader.shutdown().await.expect("the first time");
    let end = tokio::task::spawn_blocking(move || open.read(&mut [0; 1]));
    let end = tokio::time::timeout(LONG, end).await.expect("in time").expect("no panic");
    assert!(matches!(end, Ok(0) | Err(_)));
}
