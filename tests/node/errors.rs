//! What the operating system does not allow is said with what to do about it.

use core::net::Ipv4Addr;
use std::io::{Error, ErrorKind};

use mailslot::node::{InterfaceChoice, LoopbackLan, Node, NodeError};

use crate::{builder, lan};

#[tokio::test]
async fn names_that_cannot_be_are_refused_before_anything_is_done() {
    for (builder, what) in [
        (Node::builder().name("a-name-of-16-bytes"), "computer name"),
        (Node::builder().name("PC").workgroup(""), "workgroup"),
        (Node::builder().name("PC").scope("a..b"), "scope"),
    ] {
        let error = builder.loopback(lan()).start().await.expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn a_missing_interface_is_named_with_those_that_are_there() {
    let choice: InterfaceChoice = "198.51.100.77".parse().expect("never fails");
    let error = Node::builder().interface(choice).start().await.expect_err("no such address");
    assert!(matches!(error, NodeError::NoSuchInterface { .. }), "{error}");
    assert!(
        error.to_string().contains("198.51.100.77") && error.to_string().contains("127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_held_by_another_is_explained() {
    let at = Ipv4Addr::new(127, 9, 9, 1);
    let lan = lan().at(at);
    let holder = std::net::UdpSocket::bind((at, lan.name_port)).expect("a free port");
    let error = builder(lan, "PC").start().await.expect_err("held");
    let text = error.to_string();
    assert!(text.contains(&format!(":{}", lan.name_port)) && text.contains("name service"), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains("--name-port"), "{text}");
    drop(holder);
    builder(lan, "PC").start().await.expect("free again");
}

#[test]
fn a_port_that_needs_a_right_says_how_to_get_it() {
    let error = NodeError::Bind {
        service: "name service",
        address: "192.0.2.7:137".parse().expect("an address"),
        holder: None,
        source: Error::from(ErrorKind::PermissionDenied),
    };
    let text = error.to_string();
    let command = "sudo setcap cap_net_bind_service+ep $(readlink -f $(command -v mailslot))";
    assert!(text.lines().any(|line| line.trim() == command), "{text}");
    assert!(text.contains("192.0.2.7:137") && text.contains("--datagram-port"), "{text}");
}

#[tokio::test]
async fn an_address_outside_the_loopback_net_is_refused() {
    let lan: LoopbackLan = lan().at(Ipv4Addr::new(198, 51, 100, 77));
    let error = builder(lan, "PC").start().await.expect_err("no such address");
    assert!(matches!(error, NodeError::Bind { .. }), "{error}");
}
