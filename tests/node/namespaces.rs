//! Two hosts on a real Ethernet: network namespaces that the test makes itself, with a veth between them.

use core::net::Ipv4Addr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use mailslot::node::{Node, SlotReader};
use mailslot::service::names::{NodeType, Origin, QueryTarget};
use mailslot::wire::name::NetbiosName;

use crate::wins::Server;
use crate::{LONG, address, data, path, ready, slot};

/// Says which host a process of the test is.
const HOST: &str = "MAILSLOT_TEST_NAMESPACE";
const ALPHA: Ipv4Addr = Ipv4Addr::new(10, 9, 8, 1);
const BETA: Ipv4Addr = Ipv4Addr::new(10, 9, 8, 2);
const WINS: Ipv4Addr = Ipv4Addr::new(10, 9, 8, 3);

fn in_namespace(options: &str, host: &str) -> Command {
    let mut command = Command::new("unshare");
    command.arg(options).arg("--").arg(std::env::current_exe().expect("this test"));
    command.args(["--exact", &format!("namespaces::{host}"), "--nocapture"]).env(HOST, host);
    command
}

fn ip(arguments: &str) {
    let ended = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2");
    assert!(ended.success(), "ip {arguments}");
}

#[test]
fn two_hosts_on_an_ethernet() {
    let can = |options: &str| {
        let probe = Command::new("unshare").args([options, "--", "ip", "link", "set", "lo", "up"]).output();
        probe.is_ok_and(|probe| probe.status.success())
    };
    // As an ordinary user where the kernel lets one, else as root.
    let Some(options) = ["-Urn", "-n"].into_iter().find(|options| can(options)) else {
        return eprintln!("SKIPPED: no network namespaces here (unshare -Urn, or root)");
    };
    let output = in_namespace(options, "alpha").output().expect("unshare");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

/// Waits until a node's interfaces are so many.
async fn interfaces(node: &Node, count: usize) {
    let look = async {
        let mut changes = node.changes();
        while node.interfaces().len() != count {
            assert!(changes.next().await, "the node runs");
        }
    };
    tokio::time::timeout(LONG, look).await.expect("noticed in time");
}

async fn delivered(writer: &Node, to: &str, replies: &SlotReader) {
    writer.write(&path(&format!(r"\\{to}\mailslot\app")), to.as_bytes()).await.expect("sent");
    assert_eq!(data(replies).await, format!("got {to}").as_bytes());
}

/// Does nothing but for the test above: the first host.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn alpha() {
    if std::env::var(HOST).as_deref() != Ok("alpha") {
        return;
    }
    // None is up: that is waited for.
    let node = Node::builder().name("ALPHA").start().await.expect("no interface is no error");
    assert!(node.interfaces().is_empty() && node.names().is_empty());

    let mut other = in_namespace("-n", "beta");
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare");
    let mut said = BufReader::new(other.stdout.take().expect("piped")).lines();
    let mut hear = |what: &str| {
        let heard = said.by_ref().map_while(Result::ok).any(|line| line.ends_with(what));
        assert!(heard, "the other host never said '{what}'");
    };
    hear("there");
    ip(&format!("link add veth0 type veth peer name veth1 netns {}", other.id()));
    ip("addr add 10.9.8.1/24 broadcast 10.9.8.255 dev veth0");
    ip("link set veth0 up");
    let mut to_other = other.stdin.take().expect("piped");
    to_other.write_all(b"wired\n").expect("it reads");
    hear("ready");

    interfaces(&node, 1).await;
    tokio::time::timeout(LONG, node.ready()).await.expect("in time").expect("nobody else has the name");
    assert_eq!(address(&node), ALPHA);
    let replies = slot(&node, "reply");
    let beta: NetbiosName = "BETA<20>".parse().expect("a name");
    let found = node.lookup(beta, QueryTarget::Default).await.expect("it is there");
    assert_eq!((found.origin, found.addresses), (Origin::Broadcast(BETA), vec![BETA]));
    for to in ["BETA", "WORKGROUP", "*", "10.9.8.2"] {
        delivered(&node, to, &replies).await;
    }

    // With a name server on the other host.
    for (name, node_type) in [("PNODE", NodeType::P), ("MNODE", NodeType::M), ("HNODE", NodeType::H)] {
        let builder = Node::builder().name(name).node_type(node_type).wins(WINS);
        // Two nodes on one address: the last one takes its unicasts.
        let third = ready(builder).await;
        let found = third.lookup(format!("{name}<20>").parse().expect("a name"), QueryTarget::Server(WINS));
        assert_eq!(found.await.expect("registered").addresses, [ALPHA], "{name}");
        third.shutdown().await.expect("running");
    }

    // The interface goes, and nobody waits for the names to be given up; what was counted stays.
    let before = node.stats();
    assert!(before.interfaces[0].datagrams.received > 0 && before.interfaces[0].datagrams.is_complete());
    ip("link set veth0 down");
    interfaces(&node, 0).await;
    assert!(node.write(&path(r"\\BETA\mailslot\app"), b"x").await.is_err());
    let gone = async {
        let mut changes = node.changes();
        while node.stats().gone.interfaces != 1 || !node.names().is_empty() {
            assert!(changes.next().await, "the node runs");
        }
    };
    tokio::time::timeout(LONG, gone).await.expect("the driver ended");
    let gone = node.stats().gone;
    assert!(gone.datagrams.received >= before.interfaces[0].datagrams.received, "{gone:?}");
    assert!(gone.datagrams.is_complete() && gone.names.is_complete(), "{gone:?}");

    // And comes back.
    ip("link set veth0 up");
    interfaces(&node, 1).await;
    tokio::time::timeout(LONG, node.ready()).await.expect("in time").expect("claimed anew");
    delivered(&node, "BETA", &replies).await;

    drop(to_other);
    assert!(other.wait().expect("it ends").success());
    node.shutdown().await.expect("running");
}

/// Does nothing but for the first host: the second one, which answers all that it gets until its input ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn beta() {
    if std::env::var(HOST).as_deref() != Ok("beta") {
        return;
    }
    let say = |what: &str| {
        println!("{what}");
        std::io::stdout().flush().expect("it reads");
    };
    say("there");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the first host");
    assert_eq!(line, "wired\n");
    ip("link set lo up");
    ip("addr add 10.9.8.2/24 broadcast 10.9.8.255 dev veth1");
    ip("addr add 10.9.8.3/32 dev lo");
    ip("link set veth1 up");
    let wins = Server::start(WINS, 137);
    let node = ready(Node::builder().name("BETA")).await;
    let inbox = slot(&node, "app");
    say("ready");
    let answers = tokio::spawn(async move {
        loop {
            let Ok(message) = inbox.recv_timeout(LONG).await else { continue };
            let reply = [b"got ", &message.data[..]].concat();
            node.write(&path(r"\\ALPHA\mailslot\reply"), &reply).await.expect("it is there");
        }
    });
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    end.await.expect("no panic").expect("the first host");
    answers.abort();
    drop(wins);
}
