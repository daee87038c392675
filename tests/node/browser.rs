//! The browser service on nodes of a loopback LAN, in real time with short times.

use core::time::Duration;

use mailslot::node::{BrowserStatus, LoopbackLan, Node, NodeBrowser, NodeError};
use mailslot::service::browser::{Config, Maintain, Page, Role, ServerEnumClient};
use mailslot::wire::Encode;
use mailslot::wire::browser::ServerType;

use crate::{LONG, lan, node, slot};

const SHORT: Duration = Duration::from_millis(100);

/// The same as in real life, thirty times as fast; what depends on being heard in time, ten times.
fn config(node: &Node, maintain: Maintain) -> Config {
    let mut config = Config::new(&node.name(), &node.workgroup());
    config.maintain = maintain;
    config.set_comment(b"a comment").expect("short");
    let timers = &mut config.timers;
    timers.announcement_request = SHORT;
    timers.find_master = 2 * SHORT;
    timers.election_master = SHORT / 10;
    timers.election_potential = [SHORT, 3 * SHORT];
    timers.election_round = 2 * SHORT;
    timers.master_answers = SHORT / 10;
    config
}

async fn browser(lan: LoopbackLan, name: &str, maintain: Maintain) -> (Node, NodeBrowser) {
    let node = node(lan, name).await;
    let browser = node.start_browser(config(&node, maintain)).expect("the slots are free");
    (node, browser)
}

async fn wait_for(browser: &NodeBrowser, wanted: impl FnMut(&BrowserStatus) -> bool) -> BrowserStatus {
    match tokio::time::timeout(LONG, browser.wait_for(wanted)).await {
        Ok(status) => status,
        Err(_) => panic!("still {:?}", browser.status()),
    }
}

fn names(status: &BrowserStatus) -> Vec<String> {
    status.servers.iter().map(|server| server.name.to_string()).collect()
}

#[tokio::test]
async fn three_nodes_elect_one_master_whose_list_is_complete_and_follows_goodbyes() {
    let lan = lan();
    let (a, b, c) = tokio::join!(
        browser(lan, "ALPHA", Maintain::Auto),
        browser(lan, "BETA", Maintain::Auto),
        browser(lan, "GAMMA", Maintain::No),
    );
    let knows = |status: &BrowserStatus| status.local_master.is_some() && !status.electing;
    let of_a = wait_for(&a.1, knows).await;
    let of_b = wait_for(&b.1, |status| knows(status) && status.local_master == of_a.local_master).await;
    assert_eq!(of_a.local_master, of_b.local_master);
    let (master, other) = if of_a.role == Role::LocalMaster { (&a, &b) } else { (&b, &a) };
    assert_ne!(other.1.status().role, Role::LocalMaster);
    wait_for(&master.1, |status| names(status) == ["ALPHA", "BETA", "GAMMA"]).await;

    // The list as a client gets it.
    let mut client = ServerEnumClient::new(ServerType::all(), None, 10);
    let answer = master.1.answer(&client.request());
    assert_eq!(client.take(&answer.parameters.to_bytes(), &answer.data), Ok(Page::Last));
    let servers = client.into_servers();
    assert!(servers.iter().all(|server| server.comment == b"a comment"));
    let is_master = |server: &&mailslot::service::browser::FoundServer| {
        server.server_type.contains(ServerType::MASTER_BROWSER)
    };
    assert_eq!(servers.iter().filter(is_master).count(), 1);

    // A host says goodbye.
    c.1.stop().await;
    wait_for(&master.1, |status| names(status) == ["ALPHA", "BETA"]).await;
    // The slots are free again.
    slot(&c.0, "BROWSE");

    // The master says goodbye, and the other one takes over.
    let gone = master.0.name();
    let (left, right) = (a, b);
    let (leaves, stays) = if left.0.name() == gone { (left, right) } else { (right, left) };
    leaves.1.stop().await;
    let status = wait_for(&stays.1, |status| status.role == Role::LocalMaster).await;
    assert_eq!(status.unsent, 0);
}

#[tokio::test]
async fn the_slot_of_the_service_has_one_owner() {
    let node = node(lan(), "OWNER").await;
    let taken = slot(&node, "LANMAN");
    let error = node.start_browser(config(&node, Maintain::No)).expect_err("taken");
    assert!(matches!(error, NodeError::WellKnownSlot { .. }), "{error}");
    drop(taken);
    let browser = node.start_browser(config(&node, Maintain::No)).expect("free");
    assert_eq!(browser.status().role, Role::NonBrowser);
    node.shutdown().await.expect("running");
    browser.stop().await;
    assert!(matches!(node.start_browser(config(&node, Maintain::No)), Err(NodeError::ShutDown)));
}
