//! The same two types for every slot of this machine: of a registry alone, of a node in this process, of another process.

use mailslot::node::blocking::{MailslotSender, SlotReader};
use mailslot::node::{self, Clock, LoopbackLan, Node};
use mailslot::slot::{MailslotError, OpenOptions, Registry};

use crate::{Machine, forever, path};

/// Whether both ends are what they should be, wherever the slot is; `again` makes both of another slot of its name.
fn is_a_slot(
    (reader, sender): (node::SlotReader, node::MailslotSender),
    again: impl FnOnce() -> (node::SlotReader, node::MailslotSender),
) {
    assert_eq!(*sender.path(), path("soda"));
    assert_eq!(reader.name().to_string(), "soda");
    let (reader, sender) = (SlotReader::from(reader), MailslotSender::try_from(sender).expect("a slot"));
    assert_eq!(sender.write(b"12 left").expect("room"), 7);
    sender.post(b"").expect("room");
    assert_eq!(sender.flush().expect("a node").refused, 0);
    assert_eq!(sender.info().expect("it is there").message_count, 2);
    assert_eq!(reader.info().expect("it is there").next_size, Some(7));
    let duplicate = sender.clone();
    for expected in [&b"12 left"[..], b""] {
        assert_eq!(reader.recv().expect("a message").data, expected);
    }
    reader.reader().close();
    drop(reader);
    let (next, other) = again();
    // The handle is one of the slot that is gone.
    for sender in [&sender, &duplicate] {
        let error = sender.write(b"late").expect_err("no slot");
        assert!(matches!(error, MailslotError::Gone { .. }), "{error}");
        let error = sender.info().expect_err("no slot");
        assert!(matches!(error, MailslotError::Gone { .. }), "{error}");
    }
    let other = MailslotSender::try_from(other).expect("a slot");
    other.write(b"in time").expect("room");
    assert_eq!(SlotReader::from(next).recv().expect("a message").data, &b"in time"[..]);
}

#[test]
fn of_a_registry_alone() {
    let (registry, clock) = (Registry::default(), Clock::start());
    let both = || {
        let slot = registry.create(&path("soda"), forever()).expect("a new slot");
        let writer = registry.open(&path("soda"), OpenOptions::default()).expect("it is there");
        (node::SlotReader::new(slot, clock), node::MailslotSender::from(writer))
    };
    is_a_slot(both(), both);
}

#[test]
fn of_a_node_in_this_process() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let builder = Node::builder().name("HERE").loopback(LoopbackLan::unshared());
    let node = runtime.block_on(builder.start()).expect("a node");
    let both = || {
        let reader = node.create(&path("soda"), forever()).expect("a new slot");
        (reader, node.open(path("soda")).expect("it is there"))
    };
    is_a_slot(both(), both);
    assert_eq!(node.stats().sent.local, 3, "what is written to one's own slots is counted");
    let elsewhere = node.open(r"\\PC7\mailslot\soda".parse().expect("a path")).expect("it always opens");
    MailslotSender::try_from(elsewhere).expect_err("a path on the LAN");
}

#[test]
fn of_another_process() {
    let machine = Machine::new();
    // The node stays.
    let _other = machine.create("other");
    let both = || {
        let client = machine.client();
        let reader = client.create(&path("soda"), forever(), node::local::Admit::Default);
        let sender = client.open(&path("soda"), OpenOptions::default()).expect("it is there");
        (reader.expect("a new slot"), sender)
    };
    is_a_slot(both(), both);
}
