//! Sessions: our client and our server against one another, and each against what others send.

use std::time::Duration;

use bytes::Bytes;
use mailslot::service::session::{
    Call, Client, ClientEvent, CloseReason, ConnectFailure, Gate, Outgoing, Refused, ServerEvent,
    SessionError, Status, Step,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::nbss::{self, Framing, NegativeCode};
use mailslot::wire::smb::{
    Body, Capabilities, Command, Flags, Flags2, Header, NegotiateCore, NegotiateNt, NegotiateResponse,
    NtStatus, NtWords, Piece, SessionAction, SessionSetupResponse, SmbMessage, SmbStr, TransactionFlags,
    TransactionRequest, TransactionResponse, TreeConnectFlags, TreeConnectRequest, TreeConnectResponse,
    chain,
};
use mailslot::wire::{Decode, Encode};

use crate::session_support::{Pair, TwoBlocks, client_config, new_server, target};

const BOTH: [Framing; 2] = [Framing::Session, Framing::Direct];

fn message(length: usize) -> Outgoing {
    let data = (0..length).map(|i| u8::try_from(i % 251).expect("below 251")).collect::<Vec<_>>();
    Outgoing { name: br"\MAILSLOT\soda".to_vec(), data: data.into(), priority: 1, one_way: false }
}

fn packet(message: &SmbMessage<'_>) -> Vec<u8> {
    nbss::Packet::message(&message.to_bytes()).expect("short").to_bytes()
}

#[test]
fn every_size_arrives_byte_for_byte_on_both_ports() {
    for framing in BOTH {
        for one_way in [false, true] {
            for size in [0, 1, 425, 426, 427, 4_093, 4_094, 16_500, 16_644, 60_000, 65_535] {
                let mut pair = Pair::new(framing);
                pair.mtu = 1460;
                let outgoing = Outgoing { one_way, ..message(size) };
                let id = pair.client.write(Duration::ZERO, outgoing.clone());
                pair.run();
                assert_eq!(pair.written[&id], Ok(()), "{size}");
                assert_eq!(pair.got.len(), 1, "{size}");
                assert_eq!(pair.got[0].name, r"\MAILSLOT\soda");
                assert_eq!(pair.got[0].data, outgoing.data, "{size}");
                assert_eq!(pair.got[0].priority, 1);
                assert_eq!(pair.gate.stats().writes, 1);
                assert_eq!(pair.gate.stats().held, 0);
            }
        }
    }
}

#[test]
fn byte_by_byte_is_as_good_as_all_at_once() {
    let mut pair = Pair::new(Framing::Session);
    pair.mtu = 1;
    let id = pair.client.write(Duration::ZERO, message(20_000));
    pair.run();
    assert_eq!(pair.written[&id], Ok(()));
    assert_eq!(pair.got[0].data, message(20_000).data);
}

#[test]
fn no_message_is_too_long_to_be_said() {
    let mut pair = Pair::new(Framing::Direct);
    let id = pair.client.write(Duration::ZERO, message(65_536));
    pair.run();
    assert!(matches!(pair.written[&id], Err(SessionError::BadMessage { .. })));
    assert!(pair.got.is_empty());
}

#[test]
fn many_writes_in_flight_arrive_once_each_and_in_order() {
    for framing in BOTH {
        let mut pair = Pair::new(framing);
        let sizes: Vec<usize> = (0..300).map(|i| i * 97 % 20_000).collect();
        for size in &sizes {
            pair.client.write(Duration::ZERO, message(*size));
        }
        pair.run();
        assert!(pair.written.values().all(Result::is_ok));
        assert_eq!(pair.written.len(), sizes.len());
        let mut got: Vec<usize> = pair.got.iter().map(|got| got.data.len()).collect();
        let mut wanted = sizes.clone();
        // What fits one request keeps its order; what takes several may be passed by.
        let short = |sizes: &[usize]| sizes.iter().copied().filter(|size| *size < 16_000).collect::<Vec<_>>();
        assert_eq!(short(&got), short(&wanted));
        got.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(got, wanted);
        // Many went in one go: the session was not a call and an answer each.
        assert!(pair.wire.len() < sizes.len(), "{} turns", pair.wire.len());
    }
}

#[test]
fn the_slots_word_becomes_the_writers() {
    for (status, size) in [
        (NtStatus::OBJECT_NAME_NOT_FOUND, 500),
        (NtStatus::INSUFF_SERVER_RESOURCES, 500),
        (NtStatus::ACCESS_DENIED, 40_000),
    ] {
        let mut pair = Pair::new(Framing::Direct);
        pair.slot = match status {
            NtStatus::OBJECT_NAME_NOT_FOUND => |_| Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            NtStatus::ACCESS_DENIED => |_| Err(NtStatus::ACCESS_DENIED),
            _ => |_| Err(NtStatus::INSUFF_SERVER_RESOURCES),
        };
        let id = pair.client.write(Duration::ZERO, message(size));
        pair.run();
        let Err(SessionError::Refused { step: Step::Write, status: told, .. }) = &pair.written[&id] else {
            panic!("{:?}", pair.written)
        };
        assert_eq!(*told, Status::Nt(status));
        // The session goes on.
        pair.slot = |got| Ok(got.data.len());
        let id = pair.client.write(Duration::ZERO, message(size));
        pair.run();
        assert_eq!(pair.written[&id], Ok(()));
        assert_eq!(pair.gate.stats().statuses.values().sum::<u64>(), 1);
    }
}

#[test]
fn an_idle_session_logs_off_and_leaves_nothing() {
    for framing in BOTH {
        let mut pair = Pair::new(framing);
        pair.client.write(Duration::ZERO, message(5));
        pair.run();
        assert!(pair.alarm());
        assert_eq!(pair.now, Limits::default().session_keep);
        assert_eq!(pair.client_closed, Some(None));
        assert!(!pair.client.takes_writes());
        pair.server = None;
        assert_eq!(pair.gate.stats().open, 0);
        assert_eq!(pair.gate.stats().held, 0);
    }
}

#[test]
fn a_writer_that_dies_at_any_step_leaves_nothing() {
    // The whole dialogue, cut at every byte of the client's.
    let mut pair = Pair::new(Framing::Session);
    pair.client.write(Duration::ZERO, message(20_000));
    pair.run();
    let sent: Vec<u8> =
        pair.wire.iter().filter(|(ours, _)| *ours).flat_map(|(_, bytes)| bytes.clone()).collect();
    let gate = Gate::new(Limits::default());
    let mut cuts: Vec<usize> = (0..600).collect();
    cuts.extend((600..sent.len()).step_by(499));
    for cut in cuts {
        let mut server = new_server(&gate, Framing::Session);
        server.handle_input(Duration::ZERO, &sent[..cut]);
        let writes = std::iter::from_fn(|| server.poll_event());
        let writes = writes.filter(|event| matches!(event, ServerEvent::Write(_))).count();
        assert_eq!(writes, 0, "half a message is none");
        server.close(CloseReason::Peer);
        drop(server);
        let stats = gate.stats();
        assert_eq!((stats.open, stats.held), (0, 0), "cut at {cut}");
    }
}

#[test]
fn slow_and_silent_peers_are_dropped_and_counted() {
    let limits = Limits::default();
    let gate = Gate::new(limits);
    let closed = |server: &mut mailslot::service::session::Server| match server.poll_event() {
        Some(ServerEvent::Closed(reason)) => Some(reason),
        _ => None,
    };
    let mut silent = new_server(&gate, Framing::Session);
    assert_eq!(silent.poll_timeout(), Some(limits.session_first_byte));
    silent.handle_timeout(limits.session_first_byte);
    assert_eq!(closed(&mut silent), Some(CloseReason::Silent));

    // A byte now and then does not help: a packet has its time from its first byte on.
    let mut slow = new_server(&gate, Framing::Session);
    let mut now = Duration::ZERO;
    for byte in [0x81, 0, 0, 0x44, 0x20, 0x45] {
        slow.handle_input(now, &[byte]);
        slow.handle_timeout(now);
        assert_eq!(closed(&mut slow), None);
        now += limits.session_packet / 6;
    }
    assert_eq!(slow.poll_timeout(), Some(limits.session_packet));
    slow.handle_timeout(limits.session_packet);
    assert_eq!(closed(&mut slow), Some(CloseReason::Slow));

    let mut idle = Pair::new(Framing::Direct);
    idle.client.write(Duration::ZERO, message(1));
    idle.run();
    let mut server = idle.server.take().expect("connected");
    server.handle_timeout(limits.session_idle);
    assert_eq!(closed(&mut server), Some(CloseReason::Idle));

    drop((silent, slow, server));
    let closed = gate.stats().closed;
    assert_eq!((closed["silent"], closed["slow"]), (1, 1));
    assert_eq!(gate.stats().open, 0);
}

#[test]
fn connections_and_bytes_are_bounded() {
    let mut limits = Limits::default();
    (limits.sessions, limits.sessions_per_address, limits.session_bytes) = (3, 2, 1000);
    let gate = Gate::new(limits);
    let one = gate.admit([10, 0, 0, 1].into()).expect("the first");
    let two = gate.admit([10, 0, 0, 1].into()).expect("the second");
    assert_eq!(gate.admit([10, 0, 0, 1].into()).err(), Some(Refused::SessionsPerAddress { max: 2 }));
    let three = gate.admit([10, 0, 0, 2].into()).expect("another address");
    assert_eq!(gate.admit([10, 0, 0, 3].into()).err(), Some(Refused::Sessions { max: 3 }));
    drop((one, two, three));
    assert_eq!(gate.stats().refused.values().sum::<u64>(), 2);

    let mut first = new_server(&gate, Framing::Direct);
    let mut second = new_server(&gate, Framing::Direct);
    // 800 bytes of a packet of 64 KiB: nothing more than that is held.
    let mut part = vec![0, 1, 0, 0];
    part.resize(800, 0xff);
    first.handle_input(Duration::ZERO, &part);
    assert_eq!(gate.stats().held, 800);
    second.handle_input(Duration::ZERO, &part);
    assert_eq!(second.poll_event(), Some(ServerEvent::Closed(CloseReason::Bytes)));
    assert!(!first.is_closed());
    assert_eq!(gate.stats().held, 800);
}

/// Has the pair log on, and then asks the server with what `make` makes of a header.
fn ask(framing: Framing, make: impl Fn(Header) -> Vec<u8>) -> (NtStatus, Vec<u8>) {
    let mut pair = Pair::new(framing);
    pair.client.write(Duration::ZERO, message(1));
    pair.run();
    let (_, last) = pair.wire.iter().rfind(|(ours, _)| *ours).expect("a write");
    let header = *SmbMessage::decode(&last[nbss::HEADER_LEN..]).expect("a message").header();
    let mut server = pair.server.take().expect("connected");
    server.handle_input(Duration::ZERO, &make(header));
    while let Some(event) = server.poll_event() {
        match event {
            ServerEvent::Write(write) => server.answer(write.id, Ok(0)),
            ServerEvent::Call(call) => server.answer_call(call.id, Err(NtStatus::NOT_SUPPORTED)),
            _ => {}
        }
    }
    let output = server.take_output();
    assert!(!output.is_empty(), "an answer");
    let answer = output[nbss::HEADER_LEN..].to_vec();
    (SmbMessage::decode(&answer).expect("an answer").header().status, answer)
}

fn raw(mut header: Header, command: u8) -> Vec<u8> {
    header.command = Command(command);
    let mut bytes = header.to_bytes();
    bytes.extend_from_slice(&[0, 0, 0]);
    nbss::Packet::message(&bytes).expect("short").to_bytes()
}

#[test]
fn all_else_is_refused_as_windows_does() {
    let wide = mailslot::wire::smb::utf16;
    let tree = |path: &str, service: &'static [u8]| {
        let path = wide(path);
        move |header: Header| {
            let path = SmbStr::utf16(&path).expect("a path");
            let request =
                TreeConnectRequest::new(TreeConnectFlags::empty(), path, service).expect("a request");
            packet(&SmbMessage::new(header, request).expect("a message"))
        }
    };
    let transaction = |name: &str, setup: &'static [u16]| {
        let name = wide(name);
        move |header: Header| {
            let name = SmbStr::utf16(&name).expect("a name");
            let request =
                TransactionRequest::new(name, setup, Piece::EMPTY, Piece::whole(b"x")).expect("a request");
            packet(&SmbMessage::new(header, request).expect("a message"))
        }
    };
    assert_eq!(ask(Framing::Direct, tree(r"\\PC7\C$", b"A:")).0, NtStatus::BAD_NETWORK_NAME);
    assert_eq!(ask(Framing::Direct, tree(r"\\PC7\IPC$", b"A:")).0, NtStatus::BAD_DEVICE_TYPE);
    assert_eq!(ask(Framing::Direct, tree(r"\\pc7\ipc$", b"?????")).0, NtStatus::SUCCESS);
    assert_eq!(ask(Framing::Direct, transaction(r"\PIPE\LANMAN", &[])).0, NtStatus::NOT_SUPPORTED);
    assert_eq!(ask(Framing::Direct, transaction(r"\FOO", &[1, 0, 1])).0, NtStatus::NOT_SUPPORTED);
    assert_eq!(
        ask(Framing::Direct, transaction(r"\MAILSLOT\", &[1, 0, 1])).0,
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(ask(Framing::Direct, transaction(r"\MAILSLOT\x", &[2, 0, 1])).0, NtStatus::NOT_SUPPORTED);
    assert_eq!(ask(Framing::Direct, transaction(r"\mailslot\x", &[1, 0, 2])).0, NtStatus::SUCCESS);
    let long = format!(r"\MAILSLOT\{}", "x".repeat(600));
    assert_eq!(ask(Framing::Direct, transaction(&long, &[1, 0, 1])).0, NtStatus::OBJECT_NAME_NOT_FOUND);
    // Opening, and any other command.
    assert_eq!(ask(Framing::Direct, |header| raw(header, 0xa2)).0, NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(ask(Framing::Direct, |header| raw(header, 0x2d)).0, NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(ask(Framing::Direct, |header| raw(header, 0x32)).0, NtStatus::SMB_BAD_COMMAND);
    // Who has no session or tree.
    let stranger = |header: Header| raw(Header { uid: 99, ..header }, 0x71);
    assert_eq!(ask(Framing::Direct, stranger).0, NtStatus::SMB_BAD_UID);
    let lost = |header: Header| raw(Header { tid: 99, ..header }, 0x71);
    assert_eq!(ask(Framing::Direct, lost).0, NtStatus::SMB_BAD_TID);
    // What cannot be read.
    assert_eq!(ask(Framing::Session, |header| raw(header, 0x25)).0, NtStatus::INVALID_SMB);
}

/// TRANSACTION with DISCONNECT_TID: the tree goes when the transaction is done, whatever becomes of it; the session and
/// other trees stay.
#[test]
fn a_transaction_can_take_its_tree_with_it() {
    for (name, status) in [(r"\MAILSLOT\soda", NtStatus::SUCCESS), (r"\PIPE\x", NtStatus::NOT_SUPPORTED)] {
        for flags in [TransactionFlags::DISCONNECT_TID, TransactionFlags::all()] {
            let mut pair = Pair::new(Framing::Direct);
            pair.client.write(Duration::ZERO, message(1));
            pair.run();
            let (_, last) = pair.wire.iter().rfind(|(ours, _)| *ours).expect("a write");
            let header = *SmbMessage::decode(&last[nbss::HEADER_LEN..]).expect("a message").header();
            let name = mailslot::wire::smb::utf16(name);
            let name = SmbStr::utf16(&name).expect("a name");
            let request = TransactionRequest::new(name, &[1, 0, 1], Piece::EMPTY, Piece::whole(b"x"));
            let request = request.expect("a request").with_flags(flags);
            let last = packet(&SmbMessage::new(header, request).expect("a message"));
            let server = pair.server.as_mut().expect("connected");
            server.handle_input(Duration::ZERO, &last);
            if status == NtStatus::SUCCESS {
                let Some(ServerEvent::Write(write)) = server.poll_event() else { panic!("a message") };
                assert_eq!(write.data, b"x"[..]);
                server.answer(write.id, Ok(1));
            }
            assert_eq!(server.poll_event(), None);
            let answer = server.take_output();
            if flags.contains(TransactionFlags::NO_RESPONSE) {
                assert!(answer.is_empty());
            } else {
                let answer = SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer");
                assert_eq!((answer.header().status, answer.header().tid), (status, header.tid));
            }
            for (request, status) in [
                (raw(header, 0x71), NtStatus::SMB_BAD_TID),
                (last.clone(), NtStatus::SMB_BAD_TID),
                (raw(header, 0x74), NtStatus::INVALID_SMB),
            ] {
                server.handle_input(Duration::ZERO, &request);
                let answer = server.take_output();
                let answer = SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer");
                assert_eq!(answer.header().status, status);
            }
            assert!(server.poll_event().is_none() && !server.is_closed());
        }
    }
}

#[test]
fn a_client_without_nt_statuses_is_told_dos_errors() {
    let old =
        |header: Header| raw(Header { flags2: header.flags2.difference(Flags2::NT_STATUS), ..header }, 0xa2);
    let (status, _) = ask(Framing::Direct, old);
    assert_eq!((status.dos().class, status.dos().code), (1, 2));
}

#[test]
fn a_chain_of_setup_and_tree_is_answered_by_a_chain() {
    let path = mailslot::wire::smb::utf16(r"\\PC7\IPC$");
    let request = |header: Header| {
        let words = mailslot::wire::smb::SessionSetupWords::default();
        let empty = SmbStr::empty(true);
        let setup =
            mailslot::wire::smb::SessionSetupRequest::anonymous(words, Capabilities::UNICODE, empty, empty);
        let tree =
            TreeConnectRequest::new(TreeConnectFlags::empty(), SmbStr::utf16(&path).expect("a path"), b"IPC");
        let messages = [
            SmbMessage::new(header, setup.expect("a request")).expect("a message"),
            SmbMessage::new(header, tree.expect("a request")).expect("a message"),
        ];
        nbss::Packet::message(&chain(&messages)).expect("short").to_bytes()
    };
    let (status, answer) = ask(Framing::Direct, request);
    assert_eq!(status, NtStatus::SUCCESS);
    let answer = SmbMessage::decode(&answer).expect("an answer");
    assert!(matches!(answer.body(), Body::SessionSetupResponse(_)));
    let chained: Vec<_> = answer.chained().collect();
    let [Body::TreeConnectResponse(tree)] = chained.as_slice() else { panic!("{chained:?}") };
    assert_eq!(tree.service(), b"IPC");
    assert!(answer.header().uid != 0 && answer.header().tid != 0);
}

#[test]
fn a_called_name_that_is_not_ours_is_refused_and_the_common_one_is_not() {
    let mut config = client_config(&[Framing::Session]);
    config.called = crate::session_support::name("OTHER<20>");
    let mut pair = Pair::with(config, Limits::default());
    let id = pair.client.write(Duration::ZERO, message(9));
    pair.run();
    // Refused as OTHER, let in as *SMBSERVER.
    assert_eq!(pair.written[&id], Ok(()));
    assert_eq!(pair.gate.stats().accepted, 2);
    assert_eq!(pair.gate.stats().closed["not_our_name"], 1);
}

/// The client alone, connected, with what it has sent so far read away.
fn connected(framings: &[Framing]) -> Client {
    let mut client = Client::new(Duration::ZERO, client_config(framings), Limits::default());
    assert_eq!(client.poll_event(), Some(ClientEvent::Connect(target(framings[0]))));
    client.connected(Duration::ZERO);
    client
}

fn closed(client: &mut Client) -> Option<SessionError> {
    std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        ClientEvent::Closed(error) => error,
        _ => None,
    })
}

#[test]
fn a_closed_port_sends_the_client_to_the_next_and_the_last_says_what_is_wrong() {
    let mut client = Client::new(Duration::ZERO, client_config(&BOTH), Limits::default());
    let id = client.write(Duration::ZERO, message(1));
    assert_eq!(client.poll_event(), Some(ClientEvent::Connect(target(Framing::Session))));
    client.connect_failed(Duration::ZERO, ConnectFailure::Refused);
    assert_eq!(client.poll_event(), Some(ClientEvent::Connect(target(Framing::Direct))));
    client.handle_timeout(Limits::default().session_connect);
    let Some(ClientEvent::Written { id: ended, result: Err(error), .. }) = client.poll_event() else {
        panic!("the write has ended")
    };
    assert_eq!(ended, id);
    assert_eq!(error.to_string(), "nobody listens on TCP 10.0.0.7:139");
    assert_eq!(client.poll_event(), Some(ClientEvent::Closed(Some(error))));
    assert_eq!(client.poll_timeout(), None);
}

/// A write, or a list asked for, on a session that is not up yet leaves the step its own time.
#[test]
fn who_waits_for_a_session_does_not_put_its_steps_off() {
    let limits = Limits::default();
    let mut client = Client::new(Duration::ZERO, client_config(&BOTH), limits);
    let mut now = Duration::ZERO;
    for framing in BOTH {
        assert_eq!(client.poll_event(), Some(ClientEvent::Connect(target(framing))));
        let end = now + limits.session_connect;
        client.write(now, message(1));
        client.call(now + Duration::from_secs(1), vec![0; 8], 100);
        assert_eq!(client.poll_timeout(), Some(end));
        now = end;
        client.handle_timeout(now);
    }
    assert!(matches!(client.poll_event(), Some(ClientEvent::Written { result: Err(_), .. })));
    assert_eq!(client.poll_timeout(), None);

    let mut client = connected(&[Framing::Direct]);
    client.write(Duration::from_secs(1), message(1));
    assert_eq!(client.poll_timeout(), Some(limits.session_step));
}

#[test]
fn a_silent_peer_is_given_up_at_each_step() {
    let step = Limits::default().session_step;
    let mut client = connected(&[Framing::Session]);
    assert_eq!(client.poll_timeout(), Some(step));
    client.handle_timeout(step);
    let error = closed(&mut client);
    assert!(matches!(error, Some(SessionError::Timeout { step: Step::Call, .. })), "{error:?}");

    let mut client = connected(&[Framing::Direct]);
    client.handle_timeout(step);
    let error = closed(&mut client);
    assert!(matches!(error, Some(SessionError::Timeout { step: Step::Negotiate, .. })), "{error:?}");

    // A write that is not answered, and the writes behind it.
    let mut pair = Pair::new(Framing::Direct);
    pair.client.write(Duration::ZERO, message(1));
    pair.run();
    let id = pair.client.write(Duration::ZERO, message(2));
    let _ = pair.client.take_output();
    pair.client.handle_timeout(step);
    pair.run();
    assert!(matches!(pair.written[&id], Err(SessionError::Timeout { step: Step::Write, .. })));
}

#[test]
fn a_peer_without_smb1_is_called_that() {
    let answers: [&[u8]; 2] = [b"\xfeSMB\x40\0\0\0", b"\xfdSMB\0\0"];
    for answer in answers {
        let mut client = connected(&[Framing::Direct, Framing::Session]);
        client.handle_input(Duration::ZERO, &nbss::Packet::message(answer).expect("short").to_bytes());
        assert!(matches!(closed(&mut client), Some(SessionError::NoSmb1 { .. })));
    }
    // Samba: no dialect, or the end.
    let mut client = connected(&[Framing::Direct]);
    let mut header = Header::new(Command::NEGOTIATE);
    header.mid = 1;
    let none = NegotiateResponse::Core(NegotiateCore::new(0xffff));
    client.handle_input(Duration::ZERO, &packet(&SmbMessage::new(header, none).expect("a message")));
    assert!(matches!(closed(&mut client), Some(SessionError::NoSmb1 { .. })));
    let mut client = connected(&[Framing::Direct]);
    client.disconnected_at(Duration::ZERO);
    assert!(matches!(closed(&mut client), Some(SessionError::NoSmb1 { .. })));
}

#[test]
fn one_retarget_inside_the_subnet_is_followed() {
    let retarget = |ip: [u8; 4], port| nbss::Packet::retarget(ip.into(), port).to_bytes();
    let mut client = connected(&[Framing::Session]);
    client.handle_input(Duration::ZERO, &retarget([10, 0, 0, 9], 1139));
    let Some(ClientEvent::Connect(next)) = client.poll_event() else { panic!("followed") };
    assert_eq!(next.address.to_string(), "10.0.0.9:1139");
    client.connected(Duration::ZERO);
    client.handle_input(Duration::ZERO, &retarget([10, 0, 0, 10], 139));
    assert!(matches!(closed(&mut client), Some(SessionError::Retarget { .. })));

    let mut client = connected(&[Framing::Session]);
    client.handle_input(Duration::ZERO, &retarget([192, 0, 2, 1], 139));
    assert!(matches!(closed(&mut client), Some(SessionError::Retarget { .. })));
}

#[test]
fn a_refusal_of_the_name_service_kind_is_told_in_words() {
    let mut client = connected(&[Framing::Session]);
    let negative = nbss::Packet::negative(NegativeCode::INSUFFICIENT_RESOURCES).to_bytes();
    client.handle_input(Duration::ZERO, &negative);
    let error = closed(&mut client).expect("an error");
    assert!(error.to_string().contains("insufficient resources"), "{error}");
}

/// A server that asks for extended security, has no Unicode and takes 1,024 bytes at a time, as far as the tree.
#[test]
fn an_old_small_server_with_extended_security_gets_all_of_it() {
    let mut client = connected(&[Framing::Direct]);
    let data = message(3000);
    let id = client.write(Duration::ZERO, data.clone());
    let mut got = vec![0; 3000];
    let mut rounds = 0;
    let mut parts = 0;
    let mut interim = false;
    loop {
        let output = client.take_output();
        if output.is_empty() {
            break;
        }
        let mut rest = output.as_slice();
        while let Ok(nbss::Next::Packet(length)) = nbss::next_packet(Framing::Direct, rest) {
            let (one, others) = rest.split_at(length);
            rest = others;
            assert!(one.len() <= 1024 + nbss::HEADER_LEN, "{} bytes are too many", one.len());
            let request = SmbMessage::decode(&one[nbss::HEADER_LEN..]).expect("a request");
            let mut header = *request.header();
            header.flags2.remove(Flags2::UNICODE);
            let body: Body<'_> = match request.body() {
                Body::NegotiateRequest(_) => {
                    let words = NtWords { max_mpx_count: 1, max_buffer_size: 1024, ..NtWords::default() };
                    NegotiateResponse::Nt(NegotiateNt::extended(words, [7; 16], b"").expect("an answer"))
                        .into()
                }
                Body::SessionSetupRequest(setup) => {
                    let blob = setup.security_blob().expect("the extended form");
                    assert!(blob.starts_with(b"NTLMSSP\0"));
                    rounds += 1;
                    assert_eq!(blob[8], if rounds == 1 { 1 } else { 3 });
                    header.uid = 100;
                    if rounds == 1 {
                        header.status = NtStatus::MORE_PROCESSING_REQUIRED;
                    }
                    let empty = SmbStr::empty(false);
                    let challenge = b"NTLMSSP\0\x02\0\0\0".as_slice();
                    let action = SessionAction::empty();
                    SessionSetupResponse::new(action, Some(challenge), empty, empty, empty)
                        .expect("an answer")
                        .into()
                }
                Body::TreeConnectRequest(_) => {
                    header.tid = 7;
                    TreeConnectResponse::new(0, None, b"IPC", SmbStr::empty(false)).expect("an answer").into()
                }
                Body::TransactionRequest(request) => {
                    assert_eq!((header.uid, header.tid), (100, 7));
                    got[..request.data().len()].copy_from_slice(request.data());
                    interim = true;
                    Body::empty(Command::TRANSACTION)
                }
                Body::TransactionSecondary(part) => {
                    assert!(interim, "the rest is sent when it is asked for");
                    let at = usize::from(part.data_part().displacement);
                    got[at..at + part.data().len()].copy_from_slice(part.data());
                    parts += 1;
                    if at + part.data().len() < 3000 {
                        continue;
                    }
                    header.command = Command::TRANSACTION;
                    TransactionResponse::new(&[], Piece::whole(&[0, 0]), Piece::EMPTY)
                        .expect("an answer")
                        .into()
                }
                other => panic!("{other:?}"),
            };
            let status = header.status;
            let answer = SmbMessage::new(header.reply(status), body).expect("a message");
            client.handle_input(Duration::ZERO, &packet(&answer));
        }
    }
    let ended = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        ClientEvent::Written { id, result, .. } => Some((id, result)),
        _ => None,
    });
    assert_eq!(ended, Some((id, Ok(()))));
    assert_eq!(Bytes::from(got), data.data);
    assert!(parts >= 2 && rounds == 2);
}

#[test]
fn a_one_way_write_survives_an_answer() {
    let mut pair = Pair::new(Framing::Direct);
    pair.run();
    let id = pair.client.write(Duration::ZERO, Outgoing { one_way: true, ..message(10) });
    let sent = pair.client.take_output();
    let header = *SmbMessage::decode(&sent[nbss::HEADER_LEN..]).expect("a message").header();
    let smbd = SmbMessage::status(&header, NtStatus::NOT_SUPPORTED);
    pair.client.handle_input(Duration::ZERO, &packet(&smbd));
    pair.run();
    assert_eq!(pair.written[&id], Ok(()));
    assert_eq!(pair.client.stray_answers(), 1);
    assert!(pair.client.takes_writes());
}

/// Parameters of 8 bytes, and as much data as the request's parameters say.
fn as_much_as_asked(call: &Call) -> TwoBlocks {
    let length = u16::from_le_bytes(call.parameters[..2].try_into().expect("two bytes"));
    Ok((vec![7; 8], (0..=250).cycle().take(length.into()).collect()))
}

#[test]
fn a_long_answer_comes_in_messages_that_the_peer_takes() {
    for framing in [Framing::Session, Framing::Direct] {
        for (length, mtu) in [(0_u16, usize::MAX), (1, 1), (4_290, 1_000), (60_000, 1_460), (65_535, 7)] {
            let mut pair = Pair::new(framing);
            pair.pipe = as_much_as_asked;
            pair.mtu = mtu;
            let id = pair.client.call(Duration::ZERO, length.to_le_bytes().to_vec(), u16::MAX);
            pair.run();
            let blocks = pair.answered.remove(&id).expect("an answer").expect("both blocks");
            assert_eq!(blocks.parameters, [7; 8]);
            assert!(blocks.data.iter().copied().eq((0..=250).cycle().take(length.into())), "{length}");
            // All messages of the server, apart.
            let all: Vec<u8> =
                pair.wire.iter().filter(|(ours, _)| !ours).flat_map(|(_, bytes)| bytes.clone()).collect();
            let (mut rest, mut answers) = (&all[..], 0);
            while let [kind, _, high, low, ..] = *rest {
                let size = usize::from(u16::from_be_bytes([high, low]));
                let (packet, further) = rest[nbss::HEADER_LEN..].split_at(size);
                rest = further;
                let is_answer = kind == 0
                    && matches!(
                        SmbMessage::decode(packet).expect("sound").body(),
                        Body::TransactionResponse(_)
                    );
                answers += usize::from(is_answer);
                // The client says so in its session setup.
                assert!(!is_answer || size <= 4_356, "{size}");
            }
            assert_eq!(answers, usize::from(length).div_ceil(4_356 - 61 - 8).max(1), "{length}");
            assert_eq!(pair.gate.stats().calls, 1);
        }
    }
}

#[test]
fn requests_and_writes_share_a_session() {
    let mut pair = Pair::new(Framing::Session);
    pair.pipe = as_much_as_asked;
    let calls: Vec<_> =
        (0..70).map(|n: u16| pair.client.call(Duration::ZERO, n.to_le_bytes().to_vec(), 100)).collect();
    let writes: Vec<_> = (0..70).map(|n| pair.client.write(Duration::ZERO, message(n))).collect();
    pair.run();
    for (n, id) in calls.iter().enumerate() {
        assert_eq!(pair.answered[id].as_ref().map(|blocks| blocks.data.len()), Ok(n));
    }
    assert!(writes.iter().all(|id| pair.written[id] == Ok(())));
    assert_eq!(pair.gate.stats().accepted, 1);
}

#[test]
fn an_answer_that_is_too_long_for_the_peer_is_refused_not_cut() {
    let mut pair = Pair::new(Framing::Direct);
    pair.pipe = as_much_as_asked;
    let id = pair.client.call(Duration::ZERO, 101_u16.to_le_bytes().to_vec(), 100);
    pair.run();
    let error = pair.answered.remove(&id).expect("ended").expect_err("too long");
    assert!(
        matches!(
            error,
            SessionError::Refused {
                step: Step::Administration,
                status: Status::Nt(NtStatus::INVALID_PARAMETER),
                ..
            }
        ),
        "{error}"
    );
    // The session goes on.
    let id = pair.client.call(Duration::ZERO, 100_u16.to_le_bytes().to_vec(), 100);
    pair.run();
    assert!(pair.answered[&id].is_ok());
}

#[test]
fn a_request_that_is_never_answered_ends_with_the_session() {
    let mut pair = Pair::new(Framing::Direct);
    pair.client.write(Duration::ZERO, message(1));
    pair.run();
    pair.server = None;
    let id = pair.client.call(Duration::ZERO, vec![0, 0], 100);
    pair.run();
    let due = pair.client.poll_timeout().expect("it waits");
    pair.client.handle_timeout(due);
    pair.run();
    let error = pair.answered.remove(&id).expect("ended").expect_err("no answer");
    assert!(matches!(error, SessionError::Timeout { step: Step::Administration, .. }), "{error}");
}

/// Parts of an answer that say nothing do not put its end off.
#[test]
fn an_answer_that_never_gets_whole_ends_with_the_session() {
    let mut pair = Pair::new(Framing::Direct);
    pair.client.write(Duration::ZERO, message(1));
    pair.run();
    let id = pair.client.call(Duration::ZERO, vec![0, 0], 100);
    let sent = pair.client.take_output();
    let header = *SmbMessage::decode(&sent[nbss::HEADER_LEN..]).expect("a message").header();
    let header = Header { flags: header.flags | Flags::REPLY, ..header };
    let whole = [0; 100];
    let nothing = || Piece::of(&whole, 0, 0);
    let part = TransactionResponse::new(&[], nothing(), nothing()).expect("a part");
    let part = packet(&SmbMessage::new(header, part).expect("a message"));
    let due = pair.client.poll_timeout().expect("it waits");
    for seconds in 0..due.as_secs() {
        pair.client.handle_input(Duration::from_secs(seconds), &part);
        assert_eq!(pair.client.poll_timeout(), Some(due));
    }
    pair.client.handle_timeout(due);
    pair.server = None;
    pair.run();
    let error = pair.answered.remove(&id).expect("ended").expect_err("no answer");
    assert!(matches!(error, SessionError::Timeout { step: Step::Administration, .. }), "{error}");
}
