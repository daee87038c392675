//! Messages from node to node.

use mailslot::node::{SendError, Way, blocking};
use mailslot::slot::{Message, Origin, Profile};

use crate::{LONG, Peer, address, builder, data, lan, node, path, ready, slot};

fn message(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

fn ends(message: &Message) -> (String, String) {
    let Origin::Datagram { source, destination } = message.origin else { panic!("{message:?}") };
    let text = |name: [u8; 16]| mailslot::wire::name::NetbiosName::from_bytes(name).to_string();
    (text(source), text(destination))
}

#[tokio::test]
async fn every_size_reaches_a_computer_a_workgroup_and_everybody() {
    let lan = lan();
    let (writer, reader) = tokio::join!(node(lan, "WRITER"), node(lan, "READER"));
    let inbox = slot(&reader, "soda");
    for length in [0, 1, 400, 424] {
        let sent = writer.write(&path(r"\\reader\mailslot\Soda"), &message(length)).await.expect("sent");
        assert_eq!((sent.way, sent.bytes, sent.truncated, sent.local), (Way::Unique, length, false, false));
        assert_eq!(sent.addresses, [format!("{}:{}", address(&reader), lan.datagram_port).parse().unwrap()]);
        let got = inbox.recv_timeout(LONG).await.expect("a message");
        assert_eq!(got.data[..], message(length));
        assert_eq!(ends(&got), ("WRITER<00>".to_owned(), "READER<00>".to_owned()));
        for to in [r"\\WorkGroup\mailslot\soda", r"\\*\mailslot\soda"] {
            let sent = writer.write(&path(to), &message(length)).await.expect("sent");
            assert_eq!((sent.way, sent.bytes, sent.local), (Way::Group, length, false));
            assert_eq!(sent.destination.expect("a group").to_string(), "WORKGROUP<00>");
            let got = inbox.recv_timeout(LONG).await.expect("a message");
            assert_eq!(got.data[..], message(length));
            assert_eq!(ends(&got), ("WRITER<00>".to_owned(), "WORKGROUP<00>".to_owned()));
        }
    }
    assert_eq!(inbox.info().expect("its own").message_count, 0);
    assert_eq!(writer.stats().sent.datagrams, 12);
    assert_eq!(reader.stats().interfaces[0].datagrams.delivered, 12);
}

/// On one thread everybody gets a turn, whoever writes without a pause.
#[tokio::test]
async fn who_writes_without_a_pause_lets_others_run() {
    let lan = lan();
    let (writer, reader) = tokio::join!(node(lan, "WRITER"), node(lan, "READER"));
    let inbox = slot(&reader, "soda");
    let mut read = Box::pin(tokio::spawn(async move { data(&inbox).await }));
    for count in 0..10_000 {
        let sent = writer.write(&path(r"\\*\mailslot\soda"), b"to all").await.expect("sent");
        assert_eq!(sent.way, Way::Group);
        if read.is_finished() {
            assert_eq!(read.as_mut().await.expect("no panic"), b"to all");
            return;
        }
        assert!(count < 9_999, "nobody had a turn in {count} writes");
    }
}

/// A group that the writer is no member of is found by asking.
#[tokio::test]
async fn another_workgroup_is_reached_and_ones_own_is_not() {
    let lan = lan();
    let writer = node(lan, "WRITER").await;
    let sales = ready(builder(lan, "SELLER").workgroup("SALES")).await;
    let (own, theirs) = (slot(&writer, "news"), slot(&sales, "news"));
    let sent = writer.write(&path(r"\\sales\mailslot\news"), b"to them").await.expect("sent");
    assert_eq!((sent.way, sent.local), (Way::Group, false));
    assert_eq!(data(&theirs).await, b"to them");
    // Behind the first message on the same way comes the second; nothing else came.
    writer.write(&path(r"\\*\mailslot\news"), b"to us").await.expect("sent");
    assert_eq!(data(&own).await, b"to us");
    sales.write(&path(r"\\writer\mailslot\news"), b"end").await.expect("sent");
    assert_eq!(data(&own).await, b"end");
    assert_eq!(own.info().expect("its own").message_count, 0);
}

#[tokio::test]
async fn the_writers_own_slots_have_every_message_once() {
    let lan = lan();
    let (writer, other) = tokio::join!(node(lan, "WRITER"), node(lan, "OTHER"));
    let (own, theirs) = (slot(&writer, "app"), slot(&other, "app"));
    for (to, way) in [
        (r"\\.\mailslot\app", Way::Local),
        (r"\\WRITER\mailslot\app", Way::Local),
        (r"\\*\mailslot\app", Way::Group),
        (r"\\WORKGROUP\mailslot\app", Way::Group),
    ] {
        let sent = writer.write(&path(to), to.as_bytes()).await.expect("sent");
        assert_eq!((sent.way, sent.local), (way, true), "{to}");
        assert_eq!(data(&own).await, to.as_bytes());
    }
    // The other's message is behind the writer's own broadcasts on the writer's socket.
    assert_eq!(data(&theirs).await, br"\\*\mailslot\app");
    assert_eq!(data(&theirs).await, br"\\WORKGROUP\mailslot\app");
    other.write(&path(r"\\*\mailslot\app"), b"end").await.expect("sent");
    assert_eq!(data(&own).await, b"end");
    assert_eq!(own.info().expect("its own").message_count, 0);
    let stats = writer.stats();
    assert_eq!(stats.interfaces[0].datagrams.own, 2, "{stats:?}");
    assert_eq!((stats.sent.datagrams, stats.sent.local), (2, 4));
}

/// A message to oneself that would need a session needs none.
#[tokio::test]
async fn a_long_message_to_oneself_arrives() {
    let node = node(lan(), "ALONE").await;
    let own = slot(&node, "app");
    let sent = node.write(&path(r"\\alone\mailslot\app"), &message(60_000)).await.expect("no wire");
    assert_eq!((sent.way, sent.bytes, sent.local), (Way::Local, 60_000, true));
    assert_eq!(data(&own).await, message(60_000));
    let unheard = node.write(&path(r"\\alone\mailslot\nobody"), b"x").await.expect("nobody is told");
    assert!(!unheard.local);
}

#[tokio::test]
async fn a_message_too_long_for_a_group_is_refused_and_nothing_is_sent() {
    let lan = lan();
    let node = node(lan, "WRITER").await;
    let bystander = Peer::bound(mailslot::node::LoopbackLan::BROADCAST, lan.datagram_port);
    for to in [r"\\*\mailslot\app", r"\\WORKGROUP\mailslot\app"] {
        let error = node.write(&path(to), &message(425)).await.expect_err("too long");
        assert_eq!(error.win32().code(), 53, "{error}");
    }
    assert_eq!(node.stats().sent, Default::default());
    node.write(&path(r"\\*\mailslot\app"), b"the first on the wire").await.expect("sent");
    assert!(bystander.hear().ends_with(b"the first on the wire"));
}

/// What sent nothing asked nothing either, where it is known that the name is a group's.
#[tokio::test]
async fn a_group_that_is_known_is_not_asked_for_to_refuse_a_message() {
    let lan = lan();
    let (_sales, writer) =
        tokio::join!(ready(builder(lan, "SELLER").workgroup("SALES")), node(lan, "WRITER"));
    let guest = builder(lan, "GUEST").name_port(0).datagram_port(0).claim_names(false);
    let guest = guest.start().await.expect("any free port");
    for node in [&writer, &guest] {
        let asked = || node.stats().interfaces[0].names.sent;
        let before = asked();
        let refused = async |to: &str| {
            let error = node.write(&path(to), &message(425)).await.expect_err("too long");
            assert_eq!(error.win32().code(), 53, "{to}: {error}");
        };
        // Its own, whether it has the name or, as a guest, only says so.
        refused(r"\\WorkGroup\mailslot\app").await;
        assert_eq!(asked(), before);
        // Another's is a name like any other until it has been asked for.
        refused(r"\\SALES\mailslot\app").await;
        assert_eq!(asked(), before + 1);
        refused(r"\\SALES\mailslot\app").await;
        assert_eq!(asked(), before + 1);
        assert_eq!(node.stats().sent, Default::default());
    }
}

#[tokio::test]
async fn what_cannot_be_sent_has_a_code_and_a_reason() {
    let lan = lan();
    let (writer, _reader) = tokio::join!(node(lan, "WRITER"), node(lan, "READER"));
    for (to, length, code, reason) in [
        (r"\\reader\mailslot\app", 425, 2, "no mailslot of that name"),
        (r"\\reader\mailslot\app", 65_536, 87, "at most 65535"),
        (r"\\nobody\mailslot\app", 1, 53, "NOBODY<00>"),
        (r"\\a-name-of-16-bytes\mailslot\app", 1, 53, "a-name-of-16-bytes"),
        (r"\\.\mailslot\none", 1, 2, "no mailslot"),
        (r"\\*\mailslot\\u{416}", 1, 123, "U+00FF"),
    ] {
        let to = to.replace(r"\u{416}", "\u{416}");
        let error = writer.write(&path(&to), &message(length)).await.expect_err(&to);
        assert_eq!(error.win32().code(), code, "{to}: {error}");
        assert!(error.to_string().contains(reason), "{to}: {error}");
    }
    let sent = writer.stats().sent;
    assert_eq!((sent.datagrams, sent.sessions, sent.session_errors), (0, 0, 1));
    writer.shutdown().await.expect("running");
    let error = writer.write(&path(r"\\*\mailslot\app"), b"").await.expect_err("shut down");
    assert!(matches!(error, SendError::ShutDown));
}

#[tokio::test]
async fn the_profiles_cut_and_carry_as_their_systems_did() {
    let lan = lan();
    let nt4 = ready(builder(lan, "NT4").profile(Profile::Nt4)).await;
    let win9x = ready(builder(lan, "WIN98").profile(Profile::Win9x)).await;
    let (on_nt4, on_win9x) = (slot(&nt4, "app"), slot(&win9x, "longname.text"));
    let sent = nt4.write(&path(r"\\win98\mailslot\longname.tex"), &message(426)).await.expect("cut");
    // The name has 12 bytes: 512 less the offset of the data are 420.
    assert_eq!((sent.bytes, sent.truncated), (420, true));
    assert_eq!(data(&on_win9x).await, message(420));
    assert_eq!(nt4.stats().sent.truncated, 1);
    let sent = win9x.write(&path(r"\\nt4\mailslot\app"), &message(5000)).await.expect("IP fragments");
    assert_eq!((sent.bytes, sent.truncated), (5000, false));
    let got = on_nt4.recv_timeout(LONG).await.expect("a message");
    assert_eq!((&got.data[..], got.truncated), (&message(424)[..], true));
    // All that one UDP datagram carries, to a slot without the ceiling of Windows 95; not a byte more.
    let nt = node(lan, "NT").await;
    let on_nt = slot(&nt, "longapps");
    for length in [425, 426, 427, 4_093, 4_094, 16_644, 60_000, 65_337] {
        let sent =
            win9x.write(&path(r"\\nt\mailslot\longapps"), &message(length)).await.expect("IP fragments");
        assert_eq!((sent.way, sent.bytes), (Way::Unique, length));
        assert_eq!(data(&on_nt).await, message(length));
    }
    let error = win9x.write(&path(r"\\nt\mailslot\longapps"), &message(65_338)).await.expect_err("too long");
    assert_eq!(error.win32().code(), 87);
    // Every part of a name is cut before it goes on the wire.
    win9x.write(&path(r"\\*\mailslot\longname.text"), b"8.3").await.expect("sent");
    assert_eq!(data(&on_win9x).await, b"8.3");
}

#[tokio::test]
async fn a_computer_can_be_named_by_its_address() {
    let lan = lan();
    let (writer, reader) = tokio::join!(node(lan, "WRITER"), node(lan, "READER"));
    let inbox = slot(&reader, "app");
    let to = path(&format!(r"\\{}\mailslot\app", address(&reader)));
    let sent = writer.write(&to, b"hello").await.expect("sent");
    assert_eq!(sent.destination.expect("a computer").to_string(), "READER<00>");
    assert_eq!(data(&inbox).await, b"hello");
    // Who is there is asked once.
    let asked = || reader.stats().interfaces[0].names.answered_statuses;
    for _ in 0..3 {
        writer.write(&to, b"again").await.expect("sent");
        assert_eq!(data(&inbox).await, b"again");
    }
    assert_eq!(asked(), 1);
    writer.forget(reader.name()).expect("running");
    writer.write(&to, b"again").await.expect("sent");
    assert_eq!(data(&inbox).await, b"again");
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn an_open_path_is_written_to_again_and_again() {
    let lan = lan();
    let (writer, reader) = tokio::join!(node(lan, "WRITER"), node(lan, "READER"));
    let inbox = slot(&reader, "app");
    let sender = writer.open(path(r"\\reader\mailslot\app")).expect("a remote path opens");
    for number in 0..3 {
        sender.write(&[number]).await.expect("sent");
        assert_eq!(data(&inbox).await, [number]);
    }
    writer.open(path(r"\\nobody\mailslot\app")).expect("nothing is checked yet");
    assert_eq!(writer.open(path(r"\\.\mailslot\none")).expect_err("checked").win32().code(), 2);
}

/// Two workgroups, two scopes: each hears its own.
#[tokio::test]
async fn another_scope_is_another_lan() {
    let lan = lan();
    let inside = ready(builder(lan, "SAME").scope("corp.example")).await;
    let outside = node(lan, "SAME").await;
    let (heard, unheard) = (slot(&inside, "app"), slot(&outside, "app"));
    let third = ready(builder(lan, "THIRD").scope("corp.example")).await;
    third.write(&path(r"\\*\mailslot\app"), b"inside").await.expect("sent");
    assert_eq!(data(&heard).await, b"inside");
    outside.write(&path(r"\\same\mailslot\app"), b"end").await.expect("sent");
    assert_eq!(data(&unheard).await, b"end");
}

#[test]
fn a_program_without_a_runtime_writes_and_reads() {
    let lan = lan();
    let start = |name| {
        let node = blocking::Node::start(builder(lan, name)).expect("loopback needs no right");
        node.ready().expect("nobody else has the name");
        node
    };
    let (writer, reader) = (start("WRITER"), start("READER"));
    let local = path(r"\\.\mailslot\app");
    let inbox = reader.create(&local, Default::default()).expect("a new slot");
    assert_eq!(inbox.recv().expect_err("empty, and the slot's time-out is 0").win32().code(), 121);
    writer.write(&path(r"\\reader\mailslot\app"), b"hello").expect("sent");
    assert_eq!(&inbox.recv_timeout(LONG).expect("a message").data[..], b"hello");
    writer.shutdown().expect("running");
    reader.shutdown().expect("running");
}

/// A program that only sends, under a name and at an address that another has: it is no echo of the other's own.
#[tokio::test]
async fn a_guest_sends_beside_a_node_of_its_name_and_address() {
    let lan = lan();
    let reader = node(lan, "SAME").await;
    let inbox = slot(&reader, "app");
    let beside = lan.at(address(&reader));
    let guest = builder(beside, "SAME").name_port(0).datagram_port(0).claim_names(false);
    let guest = guest.start().await.expect("any free port");
    guest.ready().await.expect("nothing to wait for");
    assert!(guest.names().is_empty());
    for to in [r"\\*\mailslot\app", r"\\SAME\mailslot\app"] {
        guest.write(&path(to), to.as_bytes()).await.expect("sent");
        let got = inbox.recv_timeout(LONG).await.expect("a message");
        assert_eq!((&got.data[..], ends(&got).0.as_str()), (to.as_bytes(), "SAME<00>"));
        let peer = got.peer.expect("from the network");
        assert_eq!(*peer.ip(), address(&reader));
        assert_ne!(peer.port(), lan.datagram_port);
    }
    assert_eq!(reader.stats().interfaces[0].datagrams.own, 0);
}

/// What is sent to others comes by on the LAN: a node that hears all is shown it, and keeps what it has a slot for.
#[tokio::test]
async fn what_others_say_to_each_other_is_overheard() {
    let lan = lan();
    let (heard, mut messages) = tokio::sync::mpsc::unbounded_channel();
    let hear = move |arrived: &mailslot::node::Arrived| {
        let text = format!("{} {} > {}", arrived.slot, arrived.source, arrived.destination);
        // The test may be over.
        _ = heard.send((text, arrived.data.to_vec()));
    };
    let ears =
        builder(lan, "EARS").claim_names(false).hear_all(true).overhear(hear).start().await.expect("up");
    let news = slot(&ears, "news");
    let (writer, _reader) = tokio::join!(
        ready(builder(lan, "WRITER").workgroup("SALES")),
        ready(builder(lan, "READER").workgroup("SALES")),
    );
    for (to, message) in [
        (r"\\*\mailslot\soda", "12 left"),
        (r"\\READER\mailslot\soda", "unheard"),
        (r"\\*\mailslot\News", "end"),
    ] {
        writer.write(&path(to), message.as_bytes()).await.expect("sent");
    }
    let expected = [("soda WRITER<00> > SALES<00>", "12 left"), ("News WRITER<00> > SALES<00>", "end")];
    for (text, message) in expected {
        let got = tokio::time::timeout(LONG, messages.recv()).await.expect("in time").expect("a message");
        assert_eq!(got, (text.to_owned(), message.as_bytes().to_vec()));
    }
    assert_eq!(data(&news).await, b"end");
    let stats = ears.stats();
    let datagrams = &stats.interfaces[0].datagrams;
    assert_eq!((datagrams.received, datagrams.delivered, datagrams.drops.get("no_slot")), (2, 1, Some(&1)));
    assert_eq!((stats.sent.datagrams, stats.interfaces[0].names.sent), (0, 0));
}
