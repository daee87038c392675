//! What programs ask of the network through the service: the service's own answers, bounded, and no matter of theirs which
//! ports it has. All on loopback LANs of this process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use mailslot::node::local::{AskError, Client, Lan, LocalError, Places, Server, ServerLimits};
use mailslot::node::{LoopbackLan, Node, SendError};
use mailslot::service::names::{NameKind, Origin, QueryTarget, ResolveError};
use mailslot::slot::MailslotError;
use mailslot::wire::local::{Body, Failure, FailureCode, Frame, Role, TargetKind, VERSION};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::{Decode, Encode};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::Machine;

/// A service beside another computer.
struct Beside {
    _directory: TempDir,
    socket: PathBuf,
    server: Server,
    service: Node,
    peer: Node,
}

impl Beside {
    async fn new(limits: ServerLimits) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("mailslot.sock");
        let lan = LoopbackLan::unshared();
        let peer = Node::builder().name("PEER").loopback(lan).start().await.expect("a node");
        let service = Node::builder().name("SERVICE").loopback(lan).start().await.expect("a node");
        peer.ready().await.expect("free names");
        service.ready().await.expect("free names");
        let server = Server::of_service(service.clone(), limits);
        tokio::spawn(server.listen(&socket, 0o600).expect("a socket"));
        Self { _directory: directory, socket, server, service, peer }
    }

    fn client(&self) -> Client {
        Client::at(Places::at(&self.socket))
    }

    fn lan(&self) -> Lan {
        tokio::task::block_in_place(|| self.client().lan()).expect("a service")
    }
}

fn address(node: &Node) -> Ipv4Addr {
    node.interfaces()[0].address
}

fn name(text: &str) -> NetbiosName {
    text.parse().expect("a name")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_tells_what_its_node_knows() {
    let beside = Beside::new(ServerLimits::default()).await;
    let (lan, peer) = (beside.lan(), address(&beside.peer));
    assert!(lan.node().is_service);
    assert_eq!(lan.names().await.expect("a service"), beside.service.names());
    assert_eq!(lan.interfaces().await.expect("a service"), beside.service.interfaces());

    let broadcast = LoopbackLan::BROADCAST;
    for (found, origin) in [
        (lan.lookup(name("PEER<20>"), QueryTarget::Default).await, Origin::Broadcast(peer)),
        (lan.lookup(name("PEER<20>"), QueryTarget::Default).await, Origin::Cache),
        (lan.lookup(name("PEER<20>"), QueryTarget::Broadcast).await, Origin::Broadcast(peer)),
        (lan.lookup(name("PEER<20>"), QueryTarget::Server(peer)).await, Origin::Server(peer)),
        (lan.lookup_on_subnet(name("PEER<20>"), broadcast).await, Origin::Broadcast(peer)),
    ] {
        let found = found.expect("the peer has it");
        assert_eq!((found.name, found.kind), (name("PEER<20>"), NameKind::Unique));
        assert_eq!((found.addresses, found.origin), (vec![peer], origin));
    }
    let own = lan.lookup(name("SERVICE"), QueryTarget::Default).await.expect("its own");
    assert_eq!((own.addresses, own.origin), (vec![address(&beside.service)], Origin::Local));
    let mut all = lan.lookup(name("WORKGROUP"), QueryTarget::Default).await.expect("both are in it");
    all.addresses.sort();
    let mut both = [peer, address(&beside.service)];
    both.sort();
    assert_eq!((all.kind, &all.addresses[..]), (NameKind::Group, &both[..]));

    for node in [&beside.peer, &beside.service] {
        let told = lan.node_status(address(node)).await.expect("it answers");
        let own = beside.service.node_status(address(node)).await.expect("it answers");
        assert_eq!((told.peer, told.unit_id, told.partial), (own.peer, own.unit_id, own.partial));
        assert_eq!(told.names, own.names);
        assert_eq!(told.names.len(), node.names().len());
    }
    // Many at once on one connection: each gets its own answer.
    let lan = Arc::new(lan);
    let mut tasks = JoinSet::new();
    for number in 0..24 {
        let (lan, service) = (Arc::clone(&lan), address(&beside.service));
        tasks.spawn(async move {
            let (wanted, at) = if number % 2 == 0 { ("PEER<20>", peer) } else { ("SERVICE<03>", service) };
            if number % 3 == 0 {
                assert_eq!(*lan.node_status(at).await.expect("it answers").peer.ip(), at);
                return;
            }
            let found = lan.lookup(name(wanted), QueryTarget::Default).await.expect("known");
            assert_eq!((found.name, found.addresses), (name(wanted), vec![at]));
        });
    }
    tasks.join_all().await;

    let asked = beside.server.stats().asked;
    let expected = [("interfaces", 1), ("lookup", 7 + 16), ("names", 1), ("status", 2 + 8)];
    assert_eq!(asked, BTreeMap::from(expected));
    assert_eq!(beside.service.stats().local, beside.server.stats());

    // The same without a runtime.
    let client = beside.client();
    tokio::task::spawn_blocking(move || {
        assert_eq!(client.names().expect("a service").len(), 4);
        assert_eq!(client.interfaces().expect("a service")[0].broadcast, broadcast);
        let found = client.lookup(name("PEER<20>"), QueryTarget::Default).expect("the peer has it");
        assert_eq!(found.addresses, [peer]);
        let found = client.lookup_on_subnet(name("PEER<20>"), broadcast).expect("the peer has it");
        assert_eq!(found.origin, Origin::Broadcast(peer));
        assert_eq!(*client.node_status(peer).expect("it answers").peer.ip(), peer);
    })
    .await
    .expect("all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_does_not_know_is_said_as_the_node_says_it() {
    let beside = Beside::new(ServerLimits::default()).await;
    let lan = beside.lan();
    let error = lan.lookup(name("NOBODY"), QueryTarget::Broadcast).await.expect_err("nobody has it");
    let AskError::Node(SendError::NameNotFound { name: wanted, source }) = &error else { panic!("{error}") };
    assert_eq!((*wanted, *source), (name("NOBODY"), ResolveError::NoAnswer));
    let nowhere = Ipv4Addr::new(10, 9, 8, 255);
    let here = beside.service.lookup_on_subnet(name("PEER"), nowhere).await.expect_err("no such subnet");
    let there = lan.lookup_on_subnet(name("PEER"), nowhere).await.expect_err("no such subnet");
    assert_eq!(there.to_string(), here.to_string());
    assert_eq!(
        here.to_string(),
        "10.9.8.255 is the broadcast address of no interface; there are: 127.255.255.255 (lo)"
    );
    let failed = beside.server.stats().failed;
    assert_eq!(failed, BTreeMap::from([("name_not_found", 1), ("no_subnet", 1)]));
    beside.service.shutdown().await.expect("it runs");
    let error = lan.lookup(name("PEER<20>"), QueryTarget::Server(address(&beside.peer))).await;
    let error = error.expect_err("the node has ended");
    assert!(matches!(error, AskError::Node(SendError::ShutDown)), "{error}");
}

#[test]
fn a_users_node_is_on_no_lan_and_says_so() {
    let machine = Machine::new();
    let none = machine.client().names().expect_err("no node runs");
    assert!(matches!(none, AskError::Local(LocalError::NoNode { .. })), "{none}");
    let _soda = machine.create("soda");
    let (client, address) = (machine.client(), Ipv4Addr::new(127, 0, 0, 1));
    let errors = [
        client.names().expect_err("no LAN"),
        client.interfaces().expect_err("no LAN"),
        client.lookup(name("PEER"), QueryTarget::Default).expect_err("no LAN"),
        client.lookup_on_subnet(name("PEER"), address).expect_err("no LAN"),
        client.node_status(address).expect_err("no LAN"),
    ];
    for error in errors {
        assert!(matches!(error, AskError::NotOnLan), "{error}");
        assert!(error.to_string().contains("not on a LAN"), "{error}");
    }
}

/// A connection with its first words behind it, as bytes.
struct Peer(UnixStream);

impl Peer {
    fn new(socket: &PathBuf) -> Self {
        let mut peer = Self(UnixStream::connect(socket).expect("a service"));
        peer.ask(1, Body::Hello { version: VERSION });
        peer.hear(|id, body| assert!(id == 1 && matches!(body, Body::Welcome { .. }), "{body:?}"));
        peer
    }

    fn ask(&mut self, id: u32, body: Body<'_>) {
        self.0.write_all(&Frame::new(id, body).expect("short").to_bytes()).expect("room");
    }

    fn hear<T>(&mut self, take: impl FnOnce(u32, &Body<'_>) -> T) -> T {
        let mut bytes = vec![0; 4];
        self.0.read_exact(&mut bytes).expect("an answer");
        let length = u32::from_le_bytes(*bytes.first_chunk().expect("four"));
        bytes.resize(4 + length as usize, 0);
        self.0.read_exact(&mut bytes[4..]).expect("the rest");
        let frame = Frame::decode(&bytes).expect("a frame");
        take(frame.id(), frame.body())
    }
}

/// Somebody who asks for computers that are silent can neither do so without end nor keep anything waiting.
#[tokio::test(flavor = "multi_thread")]
async fn questions_are_bounded_and_hold_nothing_up() {
    let limits = ServerLimits { questions_per_user: 140, ..ServerLimits::default() };
    let beside = Beside::new(limits).await;
    let silent = Body::GetStatus { address: [127, 7, 7, 7] };
    let full = |max| {
        move |id: u32, body: &Body<'_>| match body {
            Body::Failed(Failure { code: FailureCode::LIMIT_REACHED, a, .. }) => assert_eq!((*a, id), max),
            body => panic!("{body:?}"),
        }
    };
    let socket = beside.socket.clone();
    tokio::task::spawn_blocking(move || {
        let mut first = Peer::new(&socket);
        for id in 10..138 {
            first.ask(id, silent.clone());
        }
        first.ask(200, silent.clone());
        first.ask(201, Body::List { after: &[] });
        first.hear(full((128, 200)));
        first.hear(|id, body| assert!(id == 201 && matches!(body, Body::Slots(_)), "{body:?}"));
        // The same user on another connection has what is left.
        let mut second = Peer::new(&socket);
        for id in 10..22 {
            second.ask(id, silent.clone());
        }
        second.ask(200, silent.clone());
        second.hear(full((140, 200)));
        // They end with their connection.
        drop(first);
        let mut id = 300;
        loop {
            second.ask(id, silent.clone());
            second.ask(id + 1, Body::GetHandle);
            let refused = second.hear(|heard, body| match body {
                Body::Failed(failure) => (heard == id, failure.code),
                body => panic!("{body:?}"),
            });
            if refused == (false, FailureCode::BAD_REQUEST) {
                break;
            }
            assert_eq!(refused, (true, FailureCode::LIMIT_REACHED));
            second.hear(|_, _| ());
            id += 2;
        }
    })
    .await
    .expect("all of it");
    let stats = beside.server.stats();
    assert!(stats.failed["limit_reached"] >= 2, "{stats:?}");
    assert_eq!(stats.asked["status"], 128 + 12 + 1);
}

/// Each message to a name may be a question for it.
#[tokio::test(flavor = "multi_thread")]
async fn messages_to_the_network_are_bounded_with_the_questions() {
    let limits = ServerLimits { questions_per_user: 4, ..ServerLimits::default() };
    let beside = Beside::new(limits).await;
    let socket = beside.socket.clone();
    tokio::task::spawn_blocking(move || {
        let mut peer = Peer::new(&socket);
        let slot: Vec<u8> = "soda".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (target, data) = (TargetKind::NAMED, b"x");
        for id in 10..15 {
            let host = format!("NOBODY{id}");
            peer.ask(id, Body::Send { target, host: host.as_bytes(), name: &slot, data });
        }
        peer.hear(|id, body| match body {
            Body::Failed(Failure { code: FailureCode::LIMIT_REACHED, a: 4, .. }) => assert_eq!(id, 14),
            body => panic!("{body:?}"),
        });
        for _ in 10..14 {
            peer.hear(|id, body| match body {
                Body::Failed(Failure { code: FailureCode::SEND, a: 53, .. }) => assert!(id < 14),
                body => panic!("{body:?}"),
            });
        }
        // They count no more.
        peer.ask(20, Body::Send { target: TargetKind::EVERYONE, host: b"", name: &slot, data });
        peer.hear(|id, body| assert!(id == 20 && matches!(body, Body::Sent { .. }), "{body:?}"));
    })
    .await
    .expect("all of it");
}

/// A service of an earlier release, which knows none of these requests.
#[test]
fn an_older_service_is_called_that() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("old.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let old = std::thread::spawn(move || {
        for stream in listener.incoming().take(5) {
            let mut stream = stream.expect("a client");
            let mut header = [0; 9];
            while stream.read_exact(&mut header).is_ok() {
                let length = u32::from_le_bytes(*header.first_chunk().expect("four")) as usize;
                stream.read_exact(&mut vec![0; length - 5]).expect("the body");
                let id = u32::from_le_bytes(*header[4..].first_chunk().expect("four"));
                let (computer, workgroup) = (*name("OLD").as_bytes(), *name("WORKGROUP").as_bytes());
                let answer = match header[8] {
                    1 => Body::Welcome { version: VERSION, role: Role::SERVICE, pid: 1, computer, workgroup },
                    _ => Body::Failed(Failure::new(FailureCode::BAD_REQUEST, 0, 0)),
                };
                stream.write_all(&Frame::new(id, answer).expect("short").to_bytes()).expect("room");
            }
        }
    });
    let (client, address) = (Client::at(Places::at(&socket)), Ipv4Addr::new(10, 0, 0, 7));
    let errors = [
        client.names().expect_err("old"),
        client.interfaces().expect_err("old"),
        client.lookup(name("PEER"), QueryTarget::Default).expect_err("old"),
        client.lookup_on_subnet(name("PEER"), address).expect_err("old"),
        client.node_status(address).expect_err("old"),
    ];
    for error in errors {
        assert!(matches!(error, AskError::Local(LocalError::Older { .. })), "{error}");
        assert!(error.to_string().contains("older release"), "{error}");
    }
    old.join().expect("it knew what to say");
}

/// Too many questions of a program that has its own limit wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_question_is_an_error_of_its_own() {
    let limits = ServerLimits { questions_per_user: 0, ..ServerLimits::default() };
    let beside = Beside::new(limits).await;
    let error =
        beside.lan().lookup(name("PEER"), QueryTarget::Default).await.expect_err("none is let through");
    let AskError::Local(LocalError::Mailslot(MailslotError::LimitReached { max, .. })) = error else {
        panic!("{error}")
    };
    assert_eq!(max, 0);
}
