//! What a node does with what it cannot use: nothing, and counts it.

use core::net::Ipv4Addr;

use mailslot::node::{DatagramStats, LoopbackLan, SendError};
use mailslot::service::datagram::{Addressing, Sender};
use mailslot::service::names::NodeType;
use mailslot::wire::Encode;
use mailslot::wire::name::ScopedName;
use mailslot::wire::nbns::{Cast, Packet};
use mailslot::wire::smb::HeaderLayout;

use crate::{LONG, Peer, address, builder, data, lan, node, path, ready, slot};

/// Bytes without meaning, the same in every run.
fn rubbish(mut seed: u64, length: usize) -> Vec<u8> {
    let step = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()[0]
    };
    core::iter::repeat_with(step).take(length).collect()
}

fn write(destination: &str, slot: &[u8], data: &[u8]) -> Vec<u8> {
    let mut sender = Sender::new(NodeType::M, Ipv4Addr::LOCALHOST, 138, 1);
    let source = "PEER<00>".parse().expect("a name");
    let destination = destination.parse().expect("a name");
    let addressing = Addressing { source, destination, group: false };
    sender.mailslot_write(addressing, HeaderLayout::Redirector, slot, data).expect("short")
}

/// NAI 2000: addresses were learned from whatever datagram came. Only an answer to a question of ours teaches any.
#[tokio::test]
async fn nai_2000_datagrams_teach_no_addresses() {
    let lan = lan();
    let node = node(lan, "NODE").await;
    let inbox = slot(&node, "app");
    let peer = Peer::new();
    peer.send((address(&node), lan.datagram_port), &write("NODE<00>", br"\MAILSLOT\app", b"hello"));
    let got = inbox.recv_timeout(LONG).await.expect("a message");
    assert_eq!(got.origin.source().expect("a name").to_string(), "PEER<00>");
    let error = node.write(&path(r"\\PEER\mailslot\app"), b"hello").await.expect_err("nobody has the name");
    assert!(matches!(error, SendError::NameNotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_counters_explain_every_datagram_of_a_flood() {
    let lan = lan();
    let node = node(lan, "NODE").await;
    let inbox = slot(&node, "app");
    let peer = Peer::new();
    let (names, datagrams) = ((address(&node), lan.name_port), (address(&node), lan.datagram_port));
    let before = node.stats().interfaces[0].names.received;

    let mut sent = 0;
    let mut send = |bytes: &[u8]| {
        peer.send(datagrams, bytes);
        sent += 1;
    };
    for seed in 1..=100 {
        send(&rubbish(seed, usize::try_from(seed).unwrap_or(0) * 3 % 200));
    }
    let good = write("NODE<00>", br"\MAILSLOT\app", b"good");
    for end in (0..good.len()).step_by(3) {
        send(&good[..end]);
    }
    send(&write("OTHER<00>", br"\MAILSLOT\app", b"for another"));
    send(&write("NODE<00>", br"\MAILSLOT\none", b"no such slot"));
    // An error packet, a query to a distribution server, and a fragment whose others never come.
    send(&[0x13, 0x02, 0, 1, 127, 0, 0, 1, 0, 138, 0x82]);
    let mut query = good[..10].to_vec();
    query[0] = 0x14;
    query.extend_from_slice(&good[14 + 34..14 + 68]);
    send(&query);
    let mut fragment = write("NODE<00>", br"\MAILSLOT\app", b"the first half");
    fragment[1] |= 0x01;
    send(&fragment);
    send(&good);
    assert_eq!(data(&inbox).await, b"good");

    let stats = node.stats().interfaces[0].datagrams.clone();
    assert_eq!(stats.received, sent);
    assert!(stats.is_complete(), "{stats:?}");
    let DatagramStats { delivered, own, duplicates, fragments, errors, queries, .. } = stats;
    assert_eq!((delivered, own, duplicates, fragments, errors, queries), (1, 0, 0, 1, 1, 1));
    assert_eq!((stats.drops["not_ours"], stats.drops["no_slot"]), (1, 1), "{stats:?}");
    assert_eq!(stats.dropped(), sent - 4);

    for seed in 1..=100 {
        peer.send(names, &rubbish(seed, usize::try_from(seed).unwrap_or(0) * 3 % 200));
    }
    // The node still answers; by then it has seen all of the rubbish.
    let name = ScopedName::new("NODE<00>".parse().expect("a name"), Default::default());
    peer.send(names, &Packet::query(0x1234, name, Cast::Unicast).to_bytes());
    assert_eq!(peer.hear()[..2], [0x12, 0x34]);
    // Counters are brought up to date after the answer is sent: by the time another one is there, they are.
    peer.send(names, &Packet::query(0x1235, name, Cast::Unicast).to_bytes());
    assert_eq!(peer.hear()[..2], [0x12, 0x35]);
    let stats = node.stats().interfaces[0].names.clone();
    assert!(stats.received >= before + 101 && stats.dropped() >= 100, "{stats:?}");
    assert!(stats.is_complete(), "{stats:?}");
}

/// RFC 1002 §5.3.2.
#[tokio::test]
async fn a_p_node_takes_no_broadcasts() {
    let lan = lan();
    let silent = Ipv4Addr::new(127, 9, 9, 9);
    let node = builder(lan, "PNODE").node_type(NodeType::P).wins(silent).start().await.expect("started");
    let everybody = crate::node(lan, "BNODE").await;
    let inbox = slot(&everybody, "app");
    let other = crate::node(lan, "OTHER").await;
    other.write(&path(r"\\*\mailslot\app"), b"x").await.expect("sent");
    assert_eq!(data(&inbox).await, b"x");
    // The kernel has given every socket of the LAN its copy in one go; the node's own task need not have run yet.
    let counted = async {
        while node.stats().interfaces[0].datagrams.broadcasts_to_p == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, counted).await.expect("the broadcast is counted");
    assert_eq!(node.stats().interfaces[0].datagrams.received, 1);
}

#[tokio::test]
async fn a_forged_source_is_no_own_broadcast() {
    let lan = lan();
    let node = ready(builder(lan, "PEER")).await;
    let inbox = slot(&node, "app");
    Peer::new().send((address(&node), lan.datagram_port), &write("PEER<00>", br"\MAILSLOT\app", b"forged"));
    assert_eq!(data(&inbox).await, b"forged");
}

/// A `send` beside a `listen` has the name and the address of the other. What counts is who sent it.
#[tokio::test]
async fn a_broadcast_of_another_program_with_the_same_name_and_address_is_heard() {
    let lan = lan();
    let node = ready(builder(lan, "PEER")).await;
    let inbox = slot(&node, "app");
    let twin = Peer::bound(address(&node), 0);
    twin.0.set_broadcast(true).expect("SO_BROADCAST");
    let everybody = (LoopbackLan::BROADCAST, lan.datagram_port);
    node.write(&path(r"\\*\mailslot\app"), b"mine").await.expect("sent");
    twin.send(everybody, &write("PEER<00>", br"\MAILSLOT\app", b"the other's"));
    assert_eq!(data(&inbox).await, b"mine");
    assert_eq!(data(&inbox).await, b"the other's");
    let stats = node.stats().interfaces[0].datagrams.clone();
    assert_eq!((stats.own, stats.delivered), (1, 1), "{stats:?}");
    assert!(stats.is_complete(), "{stats:?}");
}
