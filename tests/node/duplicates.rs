//! One message by several ways.

use core::net::Ipv4Addr;

use mailslot::node::Node;
use mailslot::service::datagram::{Addressing, Sender};
use mailslot::service::names::NodeType;
use mailslot::wire::smb::HeaderLayout;

use crate::{Peer, address, builder, data, lan, ready, slot};

fn write(dgm_id: u16, data: &[u8]) -> Vec<u8> {
    let mut sender = Sender::new(NodeType::B, Ipv4Addr::LOCALHOST, 138, dgm_id);
    let source = "PEER<00>".parse().expect("a name");
    let destination = "NODE<00>".parse().expect("a name");
    let addressing = Addressing { source, destination, group: false };
    sender.mailslot_write(addressing, HeaderLayout::Redirector, br"\MAILSLOT\app", data).expect("short")
}

/// The same message by two ways, written twice, then another one.
async fn arrivals(node: &Node, port: u16) -> Vec<Vec<u8>> {
    let inbox = slot(node, "app");
    let to = (address(node), port);
    let (one, other) = (Peer::new(), Peer::bound(Ipv4Addr::new(127, 0, 0, 2), 0));
    for (dgm_id, peer) in [(1, &one), (1, &one), (7, &other), (2, &one), (8, &other)] {
        peer.send(to, &write(dgm_id, b"news"));
    }
    one.send(to, &write(9, b"end"));
    let mut all = Vec::new();
    while all.last().is_none_or(|last: &Vec<u8>| last != b"end") {
        all.push(data(&inbox).await);
    }
    all
}

#[tokio::test]
async fn copies_are_delivered_once_and_counted() {
    let lan = lan();
    let node = ready(builder(lan, "NODE")).await;
    assert_eq!(arrivals(&node, lan.datagram_port).await, [&b"news"[..], b"news", b"end"]);
    let stats = &node.stats().interfaces[0].datagrams;
    assert_eq!((stats.received, stats.delivered, stats.duplicates), (6, 3, 3));
    assert!(stats.is_complete());
}

#[tokio::test]
async fn the_filter_can_be_switched_off() {
    let lan = lan();
    let node = ready(builder(lan, "NODE").suppress_duplicates(false)).await;
    let news = &b"news"[..];
    assert_eq!(arrivals(&node, lan.datagram_port).await, [news, news, news, news, news, b"end"]);
    assert_eq!(node.stats().interfaces[0].datagrams.duplicates, 0);
}
