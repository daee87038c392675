//! Nodes of all types and a name server (WINS).

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use mailslot::node::NodeError;
use mailslot::service::names::{NameKind, NodeType, Origin, QueryTarget};
use mailslot::wire::name::NetbiosName;

use crate::lan::{Arrival, Station};
use crate::wins_server::{Humour, Wins};
use crate::{address, builder, data, lan, path, ready, slot};

/// The name server of the simulated LAN, on a real socket and in a thread of its own.
pub(crate) struct Server {
    wins: Arc<Mutex<Wins>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(at: Ipv4Addr, port: u16) -> Self {
        let socket = UdpSocket::bind((at, port)).expect("a free port");
        // So often it looks whether it is to end.
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let wins = Arc::new(Mutex::new(Wins::new(Humour::Good)));
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (wins, ended, start) = (Arc::clone(&wins), Arc::clone(&ended), Instant::now());
            move || {
                let mut bytes = [0; 2048];
                while !ended.load(Ordering::Acquire) {
                    let Ok((length, SocketAddr::V4(peer))) = socket.recv_from(&mut bytes) else { continue };
                    let mut wins = wins.lock().expect("no panic");
                    wins.receive(
                        start.elapsed(),
                        Arrival { peer, broadcast: false, bytes: &bytes[..length] },
                    );
                    while let Some(answer) = wins.transmit() {
                        // Who asked may be gone.
                        let _ = socket.send_to(&answer.bytes, answer.destination);
                    }
                }
            }
        });
        Self { wins, ended, thread: Some(thread) }
    }

    pub(crate) fn owners(&self, name: &str) -> Vec<Ipv4Addr> {
        self.wins.lock().expect("no panic").owners(&name.parse().expect("a name"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

const AT: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);

#[tokio::test]
async fn nodes_of_all_types_find_each_other_with_a_name_server() {
    let lan = lan();
    let server = Server::start(AT, lan.name_port);
    let node = |name, node_type| ready(builder(lan, name).node_type(node_type).wins(AT));
    let (p, m, h) =
        tokio::join!(node("PNODE", NodeType::P), node("MNODE", NodeType::M), node("HNODE", NodeType::H));
    let nodes = [("PNODE", &p), ("MNODE", &m), ("HNODE", &h)];
    for (name, node) in nodes {
        assert_eq!(server.owners(&format!("{name}<20>")), [address(node)]);
    }
    for (name, reader) in nodes {
        let inbox = slot(reader, "app");
        for (_, writer) in nodes.into_iter().filter(|(other, _)| *other != name) {
            let to = path(&format!(r"\\{name}\mailslot\app"));
            writer.write(&to, name.as_bytes()).await.expect("found and sent");
            assert_eq!(data(&inbox).await, name.as_bytes());
        }
    }
    let found = p.lookup("HNODE<20>".parse().expect("a name"), QueryTarget::Default).await.expect("known");
    assert_eq!((found.origin, found.addresses), (Origin::Server(AT), vec![address(&h)]));
    p.shutdown().await.expect("running");
    h.shutdown().await.expect("running");
    assert!(server.owners("PNODE<20>").is_empty());
    assert!(server.owners("HNODE<20>").is_empty());
    assert_eq!(server.owners("MNODE<20>"), [address(&m)]);
}

#[tokio::test]
async fn a_p_node_is_refused_what_another_has_and_takes_what_is_free() {
    let lan = lan();
    let server = Server::start(AT, lan.name_port);
    let node = |name| builder(lan, name).node_type(NodeType::P).wins(AT);
    let (first, second) = tokio::join!(ready(node("FIRST")), ready(node("SECOND")));
    let name: NetbiosName = "SHARED<20>".parse().expect("a name");
    first.register(name, NameKind::Unique).await.expect("free");
    let error = second.register(name, NameKind::Unique).await.expect_err("the owner says so");
    assert!(matches!(error, NodeError::NameRefused { .. }), "{error}");
    assert_eq!(server.owners("SHARED<20>"), [address(&first)]);
    first.shutdown().await.expect("running");
    second.register(name, NameKind::Unique).await.expect("given up");
    assert_eq!(server.owners("SHARED<20>"), [address(&second)]);
}
