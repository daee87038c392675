//! Handles as Win32 has them, across the socket.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use mailslot::node::blocking::{MailslotSender, SlotReader};
use mailslot::node::local::{Admit, Client};
use mailslot::slot::{
    Access, CreateOptions, MailslotError, OpenOptions, Origin, ReadTimeout, SlotPath, Win32Error,
};

use crate::{Machine, data, forever, path, role, try_create, try_open};

#[test]
fn messages_come_whole_in_order_and_empty_ones_too() {
    let machine = Machine::new();
    let soda = machine.create("Soda");
    let writer = machine.open("sODA");
    let large = vec![7; 4 << 20];
    for message in [&b"12 left"[..], b"", b"x", &large] {
        assert_eq!(writer.write(message).expect("room"), message.len());
    }
    let info = soda.info().expect("a node");
    assert_eq!((info.next_size, info.message_count, info.max_message_size), (Some(7), 4, 0));
    assert_eq!(writer.info().expect("a node"), info, "as Windows 8 tells it through a client handle");
    let first = soda.recv().expect("a message");
    assert_eq!((&first.data[..], first.origin, first.at), (&b"12 left"[..], Origin::Local, None));
    assert_eq!(soda.info().expect("a node").next_size, Some(0));
    assert_eq!(data(&soda), b"");
    let rest: Vec<_> = soda.recv_many(10).expect("two").into_iter().map(|message| message.data).collect();
    assert_eq!(rest, [&b"x"[..], &large]);
    let stats = soda.stats().expect("a node");
    assert_eq!((stats.accepted, stats.read, stats.drops.total()), (4, 4, 0));
    assert_eq!(soda.reader().name().to_string(), "Soda");
}

#[test]
fn what_windows_refuses_is_refused() {
    let machine = Machine::new();
    let code = |error: mailslot::node::local::LocalError| error.win32().code();
    assert_eq!(code(try_open(&machine.client(), "soda").expect_err("no node")), 2);
    let options = CreateOptions { max_message_size: 8, ..CreateOptions::default() };
    let soda =
        SlotReader::from(machine.client().create(&path("soda"), options, Admit::Default).expect("new"));
    assert_eq!(code(try_create(&machine.client(), "SODA").expect_err("in use")), 183);
    assert_eq!(code(try_open(&machine.client(), "juice").expect_err("no such slot")), 2);
    let remote = SlotPath::parse(r"\\PC7\mailslot\soda").expect("a path");
    assert_eq!(code(machine.client().create(&remote, options, Admit::Default).expect_err("remote")), 3);
    let zero = OpenOptions { disposition: mailslot::slot::Disposition::new(0), ..OpenOptions::default() };
    assert_eq!(code(machine.client().open(&path("soda"), zero).expect_err("disposition 0")), 87);
    let only_read = OpenOptions { access: Access::GENERIC_READ, ..OpenOptions::default() };
    let reader = machine.client().open(&path("soda"), only_read).expect("any access opens");
    let reader = MailslotSender::try_from(reader).expect("in another process");
    assert_eq!(
        reader.write(b"x").expect_err("no write access"),
        MailslotError::AccessDenied { access: "write" }
    );

    let writer = machine.open("soda");
    let over = writer.write(b"nine byte").expect_err("over the slot's size");
    assert_eq!(over, MailslotError::OverMaxMessageSize { size: 9, max: 8 });
    assert_eq!(soda.reader().try_recv().expect_err("empty").win32(), Win32Error::ERROR_SEM_TIMEOUT);
    assert_eq!(soda.recv().expect_err("time-out 0"), MailslotError::Timeout);
    writer.write(b"8 bytes!").expect("room");
    let small = soda.recv_up_to(7).expect_err("a small buffer");
    assert_eq!(small, MailslotError::BufferTooSmall { needed: 8, have: 7 });
    assert_eq!(data(&soda), b"8 bytes!", "it stayed");
    assert!(soda.reader().cancel_reads().is_err_and(|error| error == MailslotError::NothingPending));
}

#[test]
fn a_slot_ends_with_its_last_server_handle() {
    let machine = Machine::new();
    let first = machine.create("soda");
    let second = SlotReader::from(first.reader().duplicate().expect("a duplicate"));
    let writer = machine.open("soda");
    writer.write(b"1").expect("room");
    writer.write(b"2").expect("room");
    assert_eq!(data(&second), b"1");
    drop(first);
    assert_eq!(data(&second), b"2", "one queue, which lives on");
    second.set_info(ReadTimeout::NONE).expect("a node");
    assert_eq!(second.recv().expect_err("empty"), MailslotError::Timeout);
    writer.write(b"unread").expect("room");
    drop(second);
    let gone = loop {
        // The node hears of the close in its own time.
        match writer.write(b"late") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(gone, MailslotError::Gone { .. }), "{gone}");
    let again = machine.create("soda");
    assert!(matches!(writer.write(b"old"), Err(MailslotError::Gone { .. })), "not the new slot's");
    machine.open("soda").write(b"new").expect("room");
    assert_eq!(data(&again), b"new");
}

#[test]
fn a_close_is_over_when_it_returns() {
    let machine = Machine::new();
    for _ in 0..100 {
        let soda = machine.create("soda");
        let writer = machine.open("soda");
        std::thread::scope(|threads| {
            let read = threads.spawn(|| soda.recv());
            soda.reader().close();
            assert!(matches!(read.join().expect("no panic"), Err(MailslotError::NodeGone { .. })));
        });
        assert!(matches!(writer.write(b"late"), Err(MailslotError::Gone { .. })));
        assert!(matches!(soda.info(), Err(MailslotError::NodeGone { .. })));
        soda.reader().close();
    }
}

#[test]
fn a_time_out_holds_for_all_handles_and_later_reads() {
    let machine = Machine::new();
    let first = machine.create("soda");
    let second = SlotReader::from(first.reader().duplicate().expect("a duplicate"));
    let third = machine.open("soda");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| first.recv());
        second.set_info(ReadTimeout::from_millis(1)).expect("a node");
        assert_eq!(second.recv().expect_err("empty"), MailslotError::Timeout);
        assert_eq!(second.info().expect("a node").message_count, 0);
        // If the read has not begun yet it times out.
        third.write(b"x").expect("room");
        match waiting.join().expect("no panic") {
            Ok(message) => assert_eq!(&message.data[..], b"x"),
            Err(error) => assert_eq!(error, MailslotError::Timeout),
        }
    });
}

#[test]
fn several_threads_use_one_handle() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let writer = machine.open("soda");
    let mut got: Vec<u8> = std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..100).map(|_| data(&soda)[0]).collect::<Vec<u8>>())).collect();
        for number in 0..200_u8 {
            writer.write(&[number]).expect("room");
            writer.post(&[number]).expect("a node");
            assert!(soda.info().expect("a node").message_count <= 400);
        }
        readers.into_iter().flat_map(|reader| reader.join().expect("no panic")).collect()
    });
    got.sort_unstable();
    assert_eq!(got, (0..200_u8).flat_map(|number| [number, number]).collect::<Vec<_>>());
}

#[test]
fn posts_are_told_about_at_the_flush() {
    let machine = Machine::new();
    let options = CreateOptions { max_message_size: 2, ..forever() };
    let soda =
        SlotReader::from(machine.client().create(&path("soda"), options, Admit::Default).expect("new"));
    let writer = machine.open("soda");
    for message in [&b"a"[..], b"too long", b"b", b"also too long"] {
        writer.post(message).expect("a node");
    }
    let flushed = writer.flush().expect("a node");
    assert_eq!(flushed.refused, 2);
    assert_eq!(flushed.first, Some(MailslotError::OverMaxMessageSize { size: 8, max: 2 }));
    assert_eq!((data(&soda), data(&soda)), (b"a".to_vec(), b"b".to_vec()));
    assert_eq!(writer.flush().expect("a node").refused, 0, "only those since the last");
    assert_eq!(soda.stats().expect("a node").drops.over_max_message_size, 2);
}

/// A descriptor sent over a Unix socket, and one left to a child: all share one queue.
#[test]
fn passed_handles_share_one_queue() {
    if let Some((_, _client)) = role() {
        let stdin = std::io::stdin();
        let fd = std::os::fd::AsFd::as_fd(&stdin).try_clone_to_owned().expect("a descriptor");
        let reader = SlotReader::from(mailslot::node::SlotReader::from_fd(fd).expect("a server handle"));
        assert_eq!(data(&reader), b"to the child");
        return;
    }
    let machine = Machine::new();
    let soda = machine.create("soda");
    let writer = machine.open("soda");
    writer.write(b"to the child").expect("room");
    let fd = soda.reader().duplicate().expect("a duplicate").into_fd().expect("idle");
    let mut child = machine
        .child("handles::passed_handles_share_one_queue", "reader")
        .stdin(fd)
        .spawn()
        .expect("itself again");
    assert!(child.wait().expect("it ends").success());

    let (here, there) = UnixStream::pair().expect("a pair");
    send_fd(&here, soda.into_reader().into_fd().expect("idle"));
    let passed = SlotReader::from(mailslot::node::SlotReader::from_fd(receive_fd(&there)).expect("a handle"));
    writer.write(b"passed").expect("the slot lives in the handle that was passed");
    assert_eq!(data(&passed), b"passed");
    let fd = passed.into_reader().into_fd().expect("idle");
    assert!(
        mailslot::node::MailslotSender::from_fd(fd).is_ok(),
        "a server handle is one, too, but cannot write"
    );
}

fn send_fd(socket: &UnixStream, fd: OwnedFd) {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let mut space = [core::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [std::os::fd::AsFd::as_fd(&fd)];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
    let bytes = [std::io::IoSlice::new(b"x")];
    sendmsg(socket, &bytes, &mut ancillary, SendFlags::empty()).expect("sent");
}

fn receive_fd(socket: &UnixStream) -> OwnedFd {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let mut space = [core::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut bytes = [std::io::IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut bytes, &mut ancillary, RecvFlags::empty()).expect("received");
    let fds = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    fds.expect("one descriptor")
}

#[test]
fn slots_are_listed_with_their_last_sender() {
    let machine = Machine::new();
    assert!(machine.client().slots().is_err(), "no node, and none is started for it");
    let _soda = machine.create("soda");
    let _juice = machine.create("juice");
    machine.open("soda").write(b"12 left").expect("room");
    let slots = machine.client().slots().expect("a node");
    let names: Vec<String> = slots.iter().map(|slot| slot.name.to_string()).collect();
    assert_eq!(names, ["juice", "soda"]);
    let soda = machine.client().slot(&slots[1].name).expect("it is there");
    assert_eq!(soda, slots[1]);
    assert_eq!((soda.info.message_count, soda.accepted, soda.dropped, soda.servers), (1, 1, 0, 1));
    let own = nix::unistd::geteuid().as_raw();
    assert_eq!((soda.owner, soda.pid), (own, std::process::id()));
    let sender = mailslot::node::local::LastSender::Local { user: own, pid: std::process::id() };
    assert!(soda.last_sender == Some(sender) && slots[0].last_sender.is_none());
    let many: Vec<SlotReader> = (0..300).map(|number| machine.create(&format!("{number:0>120}"))).collect();
    assert_eq!(machine.client().slots().expect("a node").len(), 2 + many.len(), "more than one answer holds");
}

#[test]
fn paths_of_this_machine_reach_local_slots() {
    let machine = Machine::new();
    let soda = machine.create("soda");
    let client: Client = machine.client();
    let host = nix::unistd::gethostname().expect("a name").into_string().expect("in UTF-8");
    let host: String = host.split('.').next().unwrap_or_default().chars().take(15).collect();
    for target in [".", "*", &host] {
        let path = SlotPath::parse(&format!(r"\\{target}\mailslot\soda")).expect("a path");
        let sent = client.send(&path, target.as_bytes()).expect("a slot of this machine");
        assert!(sent.local && sent.bytes == target.len());
        assert_eq!(data(&soda), target.as_bytes());
    }
    let other = SlotPath::parse(r"\\NOWHERE\mailslot\soda").expect("a path");
    let error = client.send(&other, b"x").expect_err("no network");
    assert_eq!(error.win32(), Win32Error::ERROR_BAD_NETPATH);
}
