//! The pages: what has happened is counted under the names that are documented, and nothing is left out.

use std::collections::BTreeMap;

use mailslot::node::{ListHost, Node, metrics};
use mailslot::service::browser::{Maintain, Role};
use mailslot::wire::browser::ServerType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Peer, address, builder, data, lan, node, path, slot};

/// The samples of a page, by name with labels.
fn samples(page: &str) -> BTreeMap<String, u64> {
    assert!(page.ends_with("# EOF\n"), "{page}");
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

/// A page with its status line, as a browser gets it.
async fn get(node: &Node, page: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("an address");
    let ask = async {
        let mut stream = TcpStream::connect(at).await.expect("it listens");
        let request = format!("GET {page} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("text");
        answer
    };
    tokio::select! {
        answer = ask => answer,
        () = metrics::serve(node.clone(), listener) => panic!("it ended"),
    }
}

#[tokio::test]
async fn what_has_happened_is_on_the_page() {
    let lan = lan();
    let node = node(lan, "COUNTED").await;
    let inbox = slot(&node, "app");
    node.write(&path(r"\\.\mailslot\app"), b"twelve bytes").await.expect("delivered");
    node.write(&path(r"\\*\mailslot\app"), b"all").await.expect("sent");
    assert_eq!((data(&inbox).await, data(&inbox).await), (b"twelve bytes".to_vec(), b"all".to_vec()));
    Peer::new().send((address(&node), lan.datagram_port), b"no datagram");
    // Its own broadcast comes back, too; both have been counted when there are two.
    while node.stats().interfaces[0].datagrams.received < 2 {
        tokio::task::yield_now().await;
    }
    let page = samples(&metrics::exposition(&node));
    let on = format!("interface=\"lo\",address=\"{}\"", address(&node));
    for (name, value) in [
        (format!("mailslot_interface_up{{{on}}}"), 1),
        ("mailslot_names{state=\"active\"}".to_owned(), 4),
        ("mailslot_names{state=\"refused\"}".to_owned(), 0),
        ("mailslot_slots".to_owned(), 1),
        (format!("mailslot_datagrams_received_total{{{on}}}"), 2),
        (format!("mailslot_datagrams_handled_total{{{on},outcome=\"own\"}}"), 1),
        (format!("mailslot_datagrams_dropped_total{{{on},reason=\"damaged\"}}"), 1),
        ("mailslot_messages_accepted_total".to_owned(), 2),
        ("mailslot_messages_accepted_bytes_total".to_owned(), 15),
        ("mailslot_messages_read_total".to_owned(), 2),
        ("mailslot_messages_dropped_total{reason=\"no_slot\"}".to_owned(), 0),
        ("mailslot_sent_datagrams_total".to_owned(), 1),
        ("mailslot_local_connections_open".to_owned(), 0),
        ("mailslot_local_connections_accepted_total".to_owned(), 0),
    ] {
        assert_eq!(page.get(&name), Some(&value), "{name}");
    }
    let received = page[&format!("mailslot_name_packets_received_total{{{on}}}")];
    let led_to = |name: &str| -> u64 {
        page.iter().filter(|(sample, _)| sample.starts_with(name)).map(|(_, value)| value).sum()
    };
    let led_to =
        led_to("mailslot_name_packets_handled_total") + led_to("mailslot_name_packets_dropped_total");
    assert_eq!(received, led_to, "every packet is accounted for");
}

/// A master that lists another computer, gives the list to a third, and is written to by a program of its own computer.
#[tokio::test]
async fn the_browser_is_on_the_page() {
    let lan = lan();
    let without = node(lan, "CLIENT").await;
    assert!(!metrics::exposition(&without).contains("browser_"), "it has none");
    let (master, browser) = crate::browser::browser(lan, "MASTER", Maintain::Auto).await;
    crate::browser::wait_for(&browser, |status| status.role == Role::LocalMaster).await;
    let (host, of_host) = crate::browser::browser(lan, "HOST", Maintain::No).await;
    crate::browser::wait_for(&browser, |status| status.servers.len() == 2).await;
    let list = ListHost::Name(master.name());
    without.server_enum(list, ServerType::all(), None).await.expect("a list");
    master.write(&path(r"\\.\mailslot\BROWSE"), b"\x01").await.expect("delivered");
    crate::browser::wait_for(&browser, |_| {
        master.stats().browser.is_some_and(|stats| stats.drops.get("local") == Some(&1))
    })
    .await;

    let page = samples(&metrics::exposition(&master));
    let of = "workgroup=\"WORKGROUP\"";
    for role in Role::ALL {
        let name = format!("mailslot_browser_role{{{of},role=\"{role}\"}}");
        assert_eq!(page.get(&name), Some(&u64::from(role == Role::LocalMaster)), "{name}");
    }
    for (name, value) in [
        (format!("mailslot_browser_hosts{{{of}}}"), 2),
        (format!("mailslot_browser_workgroups{{{of}}}"), 1),
        ("mailslot_browser_elections_seen_total".to_owned(), 1),
        ("mailslot_browser_elections_stood_total".to_owned(), 1),
        ("mailslot_browser_elections_won_total".to_owned(), 1),
        ("mailslot_browser_elections_lost_total".to_owned(), 0),
        ("mailslot_browser_messages_dropped_total{reason=\"local\"}".to_owned(), 1),
        ("mailslot_browser_messages_not_sent_total".to_owned(), 0),
        ("mailslot_browser_lists_served_total".to_owned(), 1),
        ("mailslot_browser_lists_fetched_total".to_owned(), 0),
        ("mailslot_browser_fetches_failed_total".to_owned(), 0),
    ] {
        assert_eq!(page.get(&name), Some(&value), "{name}");
    }
    // Itself as a host, as the master, and its workgroup; the other's, once or more.
    assert!(page["mailslot_browser_announcements_sent_total"] >= 3);
    assert!(page["mailslot_browser_announcements_received_total"] >= 1);
    let led_to = |name: &str| -> u64 {
        page.iter().filter(|(sample, _)| sample.starts_with(name)).map(|(_, value)| value).sum()
    };
    let led_to = led_to("mailslot_browser_messages_accepted") + led_to("mailslot_browser_messages_dropped");
    assert_eq!(page["mailslot_browser_messages_received_total"], led_to, "every message is accounted for");
    let of_the_host = samples(&metrics::exposition(&host));
    assert_eq!(of_the_host[&format!("mailslot_browser_role{{{of},role=\"non_browser\"}}")], 1);
    of_host.stop().await;
    assert_eq!(host.stats().browser, None);
}

#[tokio::test]
async fn the_pages_are_served() {
    let node = node(lan(), "SERVED").await;
    let page = get(&node, "/metrics").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    assert!(page.contains("# TYPE mailslot_messages_accepted counter\n"), "{page}");
    assert!(get(&node, "/health").await.ends_with("\r\n\r\nok\n"));
    assert!(get(&node, "/").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn a_node_without_its_name_is_not_healthy() {
    let lan = lan();
    let first = node(lan, "TAKEN").await;
    let second = builder(lan, "TAKEN").start().await.expect("loopback needs no right");
    second.ready().await.expect_err("the name is the first's");
    let page = get(&second, "/health").await;
    assert!(page.starts_with("HTTP/1.1 503 "), "{page}");
    let reason = format!("is not to be had on {}: {} has it\n", address(&second), address(&first));
    assert!(page.contains(&reason), "{page}");
    assert!(metrics::ailments(&first).is_empty());
}
