//! Nodes on LANs inside this machine. Every test has a LAN of its own, waits for events, and never sleeps.

#![cfg(feature = "runtime")]

mod browser;
mod codes;
mod damage;
mod duplicates;
mod errors;
mod mailslots;
#[cfg(feature = "metrics")]
mod metrics;
mod names;
#[cfg(target_os = "linux")]
mod namespaces;
mod processes;
mod sessions;
mod wins;

#[path = "../support/lan.rs"]
mod lan;
#[path = "../support/wins.rs"]
mod wins_server;

use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;
use std::net::UdpSocket;

use mailslot::node::{Builder, LoopbackLan, Node, SlotReader};
use mailslot::slot::{CreateOptions, SlotPath};

/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// A LAN that no other test has.
fn lan() -> LoopbackLan {
    LoopbackLan::unshared()
}

fn builder(lan: LoopbackLan, name: &str) -> Builder {
    Node::builder().name(name).loopback(lan)
}

/// A node that has its names.
async fn node(lan: LoopbackLan, name: &str) -> Node {
    ready(builder(lan, name)).await
}

async fn ready(builder: Builder) -> Node {
    let node = builder.start().await.expect("loopback needs no right");
    tokio::time::timeout(LONG, node.ready()).await.expect("in time").expect("nobody else has the name");
    node
}

fn path(text: &str) -> SlotPath {
    SlotPath::parse(text).expect("a path")
}

fn slot(node: &Node, name: &str) -> SlotReader {
    node.create(&path(&format!(r"\\.\mailslot\{name}")), CreateOptions::default()).expect("a new slot")
}

async fn data(slot: &SlotReader) -> Vec<u8> {
    slot.recv_timeout(LONG).await.expect("a message").data.to_vec()
}

fn address(node: &Node) -> Ipv4Addr {
    node.interfaces().first().expect("one interface").address
}

/// A peer that is no node: what it sends and hears is bytes.
struct Peer(UdpSocket);

impl Peer {
    /// One that sends to nodes.
    fn new() -> Self {
        Self::bound(Ipv4Addr::LOCALHOST, 0)
    }

    /// One at this address.
    fn bound(address: Ipv4Addr, port: u16) -> Self {
        let kind = socket2::Type::DGRAM;
        let socket = socket2::Socket::new(socket2::Domain::IPV4, kind, None).expect("a socket");
        socket.set_reuse_address(true).expect("SO_REUSEADDR");
        socket.bind(&SocketAddrV4::new(address, port).into()).expect("a free port");
        socket.set_read_timeout(Some(LONG)).expect("a time-out");
        Self(socket.into())
    }

    fn send(&self, to: (Ipv4Addr, u16), bytes: &[u8]) {
        self.0.send_to(bytes, to).expect("loopback is up");
    }

    fn hear(&self) -> Vec<u8> {
        let mut bytes = [0; 65_536];
        let (length, _) = self.0.recv_from(&mut bytes).expect("a packet in time");
        bytes[..length].to_vec()
    }
}
