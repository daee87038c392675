//! The rules that old holes have taught, for sessions. Each test bears the hole's name.

use std::time::Duration;

use bytes::Bytes;
use mailslot::service::session::{CloseReason, Gate, Outgoing, Server, ServerEvent};
use mailslot::service::{Limits, Machine};
use mailslot::wire::nbss::{self, Framing};
use mailslot::wire::smb::{
    Body, Flags, Flags2, Header, Logoff, NtStatus, Piece, SmbMessage, SmbStr, TransactionRequest,
    TransactionSecondary,
};
use mailslot::wire::{Decode, Encode};

use crate::session_support::{Pair, new_server, server_config};

/// A server on which somebody has logged on, and the header of a write.
fn logged_on() -> (Server, Header, Gate) {
    logged_on_by(Framing::Direct)
}

fn logged_on_by(framing: Framing) -> (Server, Header, Gate) {
    let mut pair = Pair::new(framing);
    let (name, data) = (br"\MAILSLOT\x".to_vec(), Bytes::from_static(b"x"));
    pair.client.write(Duration::ZERO, Outgoing { name, data, priority: 0, one_way: false });
    pair.run();
    let (_, last) = pair.wire.iter().rfind(|(ours, _)| *ours).expect("a write");
    let header = *SmbMessage::decode(&last[nbss::HEADER_LEN..]).expect("a message").header();
    (pair.server.take().expect("connected"), header, pair.gate)
}

fn tell(server: &mut Server, message: &[u8]) -> Vec<u8> {
    server.handle_input(Duration::ZERO, &nbss::Packet::message(message).expect("short").to_bytes());
    server.take_output()
}

fn oem_write(total: u16, data: Piece<'_>, max_parameters: u16) -> Body<'static> {
    let name = SmbStr::oem(br"\MAILSLOT\x").expect("a name");
    let piece = if usize::from(total) == data.total { data } else { Piece::EMPTY };
    TransactionRequest::mailslot_write(name, 0, piece)
        .expect("a request")
        .with_flags(mailslot::wire::smb::TransactionFlags::empty())
        .with_max_counts(max_parameters, 0, 0)
        .into()
}

/// MS06-035: the reply to a class-1 write was put into a buffer of the size that the peer had named.
#[test]
fn cve_2006_1314_an_answer_is_not_sized_by_the_peer() {
    for max_parameters in [0, 1, 2, 3, u16::MAX] {
        let (mut server, header, _) = logged_on();
        let message =
            SmbMessage::new(header, oem_write(1, Piece::whole(b"x"), max_parameters)).expect("a message");
        assert!(tell(&mut server, &message.to_bytes()).is_empty(), "answered when the slot has it");
        let Some(ServerEvent::Write(write)) = server.poll_event() else { panic!("a write") };
        server.answer(write.id, Ok(1));
        let answer = server.take_output();
        let answer = SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer");
        let Body::TransactionResponse(response) = answer.body() else { panic!("{answer:?}") };
        let wanted: &[u8] = if max_parameters >= 2 { &[0, 0] } else { &[] };
        assert_eq!(response.parameters(), wanted);
        assert!(response.data().is_empty());
    }
}

/// MS06-063: a name without its NUL.
#[test]
fn cve_2006_3942_a_name_without_nul_is_refused() {
    let (mut server, header, _) = logged_on();
    let message = SmbMessage::new(header, oem_write(0, Piece::EMPTY, 0)).expect("a message").to_bytes();
    let end = message.iter().rposition(|byte| *byte == b'x').expect("the name's end") + 1;
    let answer = tell(&mut server, &message[..end]);
    let answer = SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer");
    assert_eq!(answer.header().status, NtStatus::INVALID_SMB);
    assert_eq!(server.poll_event(), None);
    assert!(!server.is_closed());
}

/// A length that the loop over packets did not check against its header.
#[test]
fn cve_2009_3676_every_packet_takes_bytes_and_a_length_is_bounded() {
    let (mut server, ..) = logged_on();
    // Packets of no length at all, and keepalives do not come to 445.
    server.handle_input(Duration::ZERO, &[0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(server.poll_event(), Some(ServerEvent::Closed(CloseReason::NotSmb1)));
    let (mut server, ..) = logged_on();
    server.handle_input(Duration::ZERO, &[0, 2, 0, 0]);
    assert_eq!(server.poll_event(), Some(ServerEvent::Closed(CloseReason::Framing)));

    let gate = Gate::new(Default::default());
    let mut server = new_server(&gate, Framing::Session);
    server.handle_input(Duration::ZERO, &[0x85, 0, 0, 0].repeat(1000));
    assert!(!server.is_closed() && server.take_output().is_empty());
    server.handle_input(Duration::ZERO, &[0x81, 0xff, 0xff, 0xff]);
    assert_eq!(server.poll_event(), Some(ServerEvent::Closed(CloseReason::Framing)));
}

/// Samba's DNS answered answers.
#[test]
fn cve_2014_0239_an_answer_is_never_answered() {
    let (mut server, header, gate) = logged_on();
    let header = header.reply(NtStatus::SUCCESS);
    assert!(header.flags.contains(Flags::REPLY));
    assert!(tell(&mut server, &SmbMessage::status(&header, NtStatus::SUCCESS).to_bytes()).is_empty());
    assert_eq!(gate.stats().answers, 1);
}

/// Reads of no bytes made a server spin.
#[test]
fn cve_2020_14303_no_bytes_are_nothing() {
    let (mut server, ..) = logged_on();
    let before = server.poll_timeout();
    server.handle_input(Duration::from_secs(5), &[]);
    assert_eq!(server.poll_timeout(), before, "it does not keep a session alive either");
    assert_eq!((server.poll_event(), server.take_output().len()), (None, 0));
}

/// CVE-2003-0661: paddings told what had been in the memory before.
#[test]
fn cve_2003_0661_paddings_are_zero() {
    let mut pair = Pair::new(Framing::Session);
    let (name, data) = (br"\MAILSLOT\abc".to_vec(), Bytes::from_static(&[0xee; 50]));
    pair.client.write(Duration::ZERO, Outgoing { name, data, priority: 0, one_way: false });
    pair.run();
    let mut paddings = 0;
    for (_, bytes) in &pair.wire {
        let mut rest = bytes.as_slice();
        while let Ok(nbss::Next::Packet(length)) = nbss::next_packet(Framing::Session, rest) {
            let (one, others) = rest.split_at(length);
            rest = others;
            let nbss::Body::Message(message) = *nbss::Packet::decode(one).expect("sound").body() else {
                continue;
            };
            // Made anew from what it says, it is the same: nothing else is in it.
            let bytes = message;
            let message = SmbMessage::decode(message).expect("sound");
            if let Body::TransactionRequest(request) = message.body() {
                let name = request.name();
                // Behind 17 words and ByteCount: padding, name, NUL, padding, data.
                let text = name.as_bytes();
                let at = bytes.windows(text.len()).position(|window| window == text).expect("the name");
                let around = [&bytes[69..at], &bytes[at + text.len()..bytes.len() - request.data().len()]];
                assert!(around.iter().all(|padding| padding.iter().all(|byte| *byte == 0)), "{around:?}");
                paddings += around[0].len() + around[1].len() - 2;
                let again = TransactionRequest::mailslot_write(name, 0, Piece::whole(request.data()))
                    .expect("a request")
                    .with_flags(request.words().flags)
                    .with_max_counts(2, 0, 0);
                assert_eq!(
                    SmbMessage::new(*message.header(), again).expect("a message").to_bytes(),
                    one[4..]
                );
            }
            assert!(message.body().trailing().is_empty());
        }
    }
    assert!(paddings > 0, "there is something to see");
}

/// Parts that lie about the whole they are of.
#[test]
fn parts_of_a_transaction_cannot_reach_beyond_it() {
    let data = vec![7; 100];
    let first = || oem_write(100, Piece::of(&data, 0, 10), 0);
    let part = |total: usize, displacement: usize, length: usize| -> Body<'static> {
        let whole = vec![7; total];
        TransactionSecondary::new(Piece::EMPTY, Piece::of(&whole, displacement, length))
            .expect("a part")
            .into()
    };
    for (wrong, why) in [
        (part(65_535, 60_000, 5_000), "beyond the whole"),
        (part(100, 5, 10), "over another part"),
        (part(8, 0, 0), "a whole that is shorter than what came"),
    ] {
        let (mut server, header, gate) = logged_on();
        let answer = tell(&mut server, &SmbMessage::new(header, first()).expect("a message").to_bytes());
        assert!(SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer").is_interim());
        // The piece, the name, and the entry in the table.
        let least = 10 + br"\MAILSLOT\x".len();
        assert!((least..=least + 256).contains(&gate.stats().held), "{}", gate.stats().held);
        let answer = tell(&mut server, &SmbMessage::new(header, wrong).expect("a message").to_bytes());
        let answer = SmbMessage::decode(&answer[nbss::HEADER_LEN..]).expect("an answer");
        assert_eq!(answer.header().status, NtStatus::INVALID_PARAMETER, "{why}");
        assert_eq!(server.poll_event(), None);
        assert_eq!(gate.stats().held, 0);
    }
    // In any order they are as good as in theirs.
    let (mut server, header, _) = logged_on();
    for body in [first(), part(100, 60, 40), part(100, 30, 30), part(100, 10, 20)] {
        tell(&mut server, &SmbMessage::new(header, body).expect("a message").to_bytes());
    }
    let Some(ServerEvent::Write(write)) = server.poll_event() else { panic!("whole") };
    assert_eq!(write.data, data);
}

/// A thousand unsupported requests: each draws an answer of as many bytes.
fn requests(header: Header) -> Vec<u8> {
    let mut echo = SmbMessage::new(header, Body::tree_disconnect()).expect("a message").to_bytes();
    echo[4] = 0x2b;
    nbss::Packet::message(&echo).expect("short").to_bytes().repeat(1000)
}

#[test]
fn a_peer_that_takes_no_answers_is_not_owed_more_and_more() {
    let (mut server, header, gate) = logged_on();
    let asked = requests(header);
    server.handle_input(Duration::ZERO, &asked);
    assert!(!server.is_closed());
    let owed = gate.stats().held;
    assert!(owed > asked.len() / 2, "{owed}");
    // Taken is not sent.
    let answers = server.take_output();
    assert_eq!((answers.len(), gate.stats().held), (asked.len(), owed));
    server.sent();
    assert_eq!(gate.stats().held, 0);

    let mut rounds = 0;
    while !server.is_closed() {
        server.handle_input(Duration::ZERO, &asked);
        rounds += 1;
        assert!(rounds * asked.len() <= Limits::default().session_bytes, "bounded");
    }
    let closed = std::iter::from_fn(|| server.poll_event()).last();
    assert_eq!(closed, Some(ServerEvent::Closed(CloseReason::Bytes)));
}

/// The answers to remote administration requests are as long as the asker says, and are bytes that are held.
#[test]
fn a_peer_that_takes_no_lists_is_not_owed_more_and_more() {
    let (mut server, header, gate) = logged_on();
    let unicode = header.flags2.contains(Flags2::UNICODE);
    let request = TransactionRequest::rap(unicode, &[0; 8], u16::MAX).expect("a request");
    let request = SmbMessage::new(header, request).expect("a message").to_bytes();
    let request = nbss::Packet::message(&request).expect("short").to_bytes();
    let list = vec![1; 65_000];
    let most = Limits::default().session_bytes_per_address;
    for _ in 0..most / list.len() + 1 {
        server.handle_input(Duration::ZERO, &request);
        let Some(ServerEvent::Call(call)) = server.poll_event() else { panic!("a call") };
        server.answer_call(call.id, Ok((&[0; 8], &list)));
        assert!(gate.stats().held <= most);
        if server.is_closed() {
            break;
        }
    }
    assert_eq!(server.poll_event(), Some(ServerEvent::Closed(CloseReason::Bytes)));
}

#[test]
fn one_address_cannot_take_all_the_bytes() {
    let mut limits = Limits::default();
    (limits.session_bytes, limits.session_bytes_per_address) = (10_000, 1_000);
    let gate = Gate::new(limits);
    let from = |last: u8| {
        let admission = gate.admit([10, 0, 0, last].into()).expect("let in");
        let mut server = Server::new(Duration::ZERO, server_config(), admission, Framing::Direct);
        let mut part = vec![0, 1, 0, 0];
        part.resize(800, 0xff);
        server.handle_input(Duration::ZERO, &part);
        server
    };
    let (first, second, other) = (from(1), from(1), from(2));
    assert!(!first.is_closed() && second.is_closed() && !other.is_closed());
    assert_eq!((gate.stats().held, gate.stats().closed["bytes"]), (1600, 1));
    // The share is what is held, not what was.
    drop(first);
    assert!(!from(1).is_closed());
}

#[test]
fn keepalives_keep_nothing() {
    let limits = Limits::default();
    let keepalive = [0x85, 0, 0, 0];
    // Neither a connection that never says more,
    let gate = Gate::new(limits);
    let mut mute = new_server(&gate, Framing::Session);
    let mut now = Duration::ZERO;
    while now < limits.session_packet {
        mute.handle_input(now, &keepalive);
        mute.handle_timeout(now);
        assert!(!mute.is_closed());
        now += limits.session_packet / 5;
    }
    assert_eq!(mute.poll_timeout(), Some(limits.session_packet));
    mute.handle_timeout(limits.session_packet);
    assert_eq!(mute.poll_event(), Some(ServerEvent::Closed(CloseReason::Slow)));
    // nor a session in which nothing is asked for.
    let (mut idle, _, _) = logged_on_by(Framing::Session);
    idle.handle_input(limits.session_idle / 2, &keepalive);
    assert_eq!(idle.poll_timeout(), Some(limits.session_idle));
    idle.handle_timeout(limits.session_idle);
    assert_eq!(idle.poll_event(), Some(ServerEvent::Closed(CloseReason::Idle)));
}

/// What was begun on a tree ends with it, and does not end the connection half a minute later.
#[test]
fn a_tree_that_goes_takes_its_transactions_along() {
    for end in [Body::tree_disconnect(), Body::LogoffRequest(Logoff::new())] {
        let (mut server, header, gate) = logged_on();
        let data = [7; 100];
        let first = SmbMessage::new(header, oem_write(100, Piece::of(&data, 0, 10), 0)).expect("a message");
        tell(&mut server, &first.to_bytes());
        assert!(gate.stats().held > 10);
        tell(&mut server, &SmbMessage::new(header, end).expect("a message").to_bytes());
        assert_eq!((gate.stats().held, gate.stats().unfinished), (0, 1));
        assert_eq!(server.poll_timeout(), Some(Limits::default().session_idle));
    }
}
