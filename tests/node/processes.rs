//! Two processes on one LAN.

use std::process::Command;

use mailslot::node::LoopbackLan;

use crate::{data, lan, node, path, slot};

const PORTS: &str = "MAILSLOT_TEST_CHILD_PORT";

#[tokio::test]
async fn a_message_crosses_between_two_processes() {
    let lan = lan();
    let node = node(lan, "PARENT").await;
    let inbox = slot(&node, "app");
    let this = std::env::current_exe().expect("this test");
    let mut child = Command::new(this)
        .args(["--exact", "processes::the_other_process"])
        .env(PORTS, lan.name_port.to_string())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("itself again");
    assert_eq!(data(&inbox).await, b"to the parent");
    assert_eq!(data(&inbox).await, b"to everybody");
    node.write(&path(r"\\CHILD\mailslot\app"), b"to the child").await.expect("sent");
    assert!(child.wait().expect("it ends").success());
}

/// Does nothing but for the test above.
#[tokio::test]
async fn the_other_process() {
    let Ok(port) = std::env::var(PORTS) else { return };
    let port = port.parse().expect("a port");
    let node = node(LoopbackLan::new(port, port + 1), "CHILD").await;
    let inbox = slot(&node, "app");
    node.write(&path(r"\\PARENT\mailslot\app"), b"to the parent").await.expect("sent");
    node.write(&path(r"\\*\mailslot\app"), b"to everybody").await.expect("sent");
    assert_eq!(data(&inbox).await, b"to everybody", "its own");
    assert_eq!(data(&inbox).await, b"to the child");
}
