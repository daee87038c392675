//! The browser service on nodes of a loopback LAN, in real time with short times.

use core::time::Duration;

use mailslot::node::{
    BrowserStatus, ListHost, LoopbackLan, Node, NodeBrowser, NodeError, SendError, ServerEnumError,
};
use mailslot::service::Limits;
use mailslot::service::browser::{
    BackupListClient, Config, EnumError, Maintain, Page, Role, ServerEnumClient, ServerName,
};
use mailslot::service::session::{SessionError, Step};
use mailslot::slot::Win32Error;
use mailslot::wire::Encode;
use mailslot::wire::browser::ServerType;
use mailslot::wire::name::{NetbiosName, Suffix};
use mailslot::wire::smb::rap;

use crate::{LONG, address, builder, lan, node, path, ready, slot};

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

pub(crate) async fn browser(lan: LoopbackLan, name: &str, maintain: Maintain) -> (Node, NodeBrowser) {
    let node = node(lan, name).await;
    let browser = node.start_browser(config(&node, maintain)).expect("the slots are free");
    (node, browser)
}

pub(crate) async fn wait_for(
    browser: &NodeBrowser,
    wanted: impl FnMut(&BrowserStatus) -> bool,
) -> BrowserStatus {
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

fn name(text: &str) -> ServerName {
    ServerName::from_wire(text.as_bytes()).expect("a name")
}

/// A master whose list has so many servers besides itself.
async fn master_of(lan: LoopbackLan, servers: usize) -> (Node, NodeBrowser) {
    let mut limits = Limits::default();
    limits.browse_messages_per_source = u32::MAX;
    limits.browse_messages = u32::MAX;
    limits.browse_entries_per_address = usize::MAX;
    let (node, teller) = tokio::join!(ready(builder(lan, "MASTER").limits(limits)), node(lan, "TELLER"));
    let browser = node.start_browser(config(&node, Maintain::Auto)).expect("the slots are free");
    wait_for(&browser, |status| status.role == Role::LocalMaster).await;
    let to = path(r"\\.\mailslot\BROWSE");
    for number in 0..servers {
        let server = format!("SERVER{number:05}");
        let frame = mailslot::wire::browser::Announcement::new(
            server.as_bytes(),
            mailslot::wire::browser::Version::new(10, 0),
            ServerType::SERVER | ServerType::NT,
            60_000,
            b"forty-two bytes of comment, which is most.",
        );
        let frame = mailslot::wire::browser::BrowserFrame::HostAnnouncement(frame.expect("short")).to_bytes();
        let group = teller.workgroup().with_suffix(Suffix::LOCAL_MASTER_BROWSER);
        teller.write_to_group(&to, group, &frame).await.expect("sent");
        // No more at a time than the slot holds.
        if number % 100 == 99 {
            wait_for(&browser, |status| status.servers.len() > number).await;
        }
    }
    wait_for(&browser, |status| status.servers.len() > servers).await;
    (node, browser)
}

#[tokio::test]
async fn a_long_list_comes_page_by_page_over_either_port() {
    let lan = lan();
    let (master, browser) = master_of(lan, 2_500).await;
    for ports in [(Some(lan.session_port), None), (None, Some(lan.direct_port))] {
        let client = builder(lan, "CLIENT").claim_names(false).peer_session_ports(ports.0, ports.1);
        let client = client.start().await.expect("loopback needs no right");
        for host in [ListHost::Name(master.name()), ListHost::Address(address(&master))] {
            let list = client.server_enum(host, ServerType::all(), None).await.expect("a list");
            assert_eq!((list.servers.len(), list.damaged), (2_501, 0));
            assert_eq!(*list.from.ip(), address(&master));
            let own = list.servers.iter().find(|found| found.name == name("MASTER")).expect("itself");
            assert!(own.server_type.contains(ServerType::MASTER_BROWSER));
            assert!(list.servers.iter().all(|found| found.name == own.name || found.comment.len() == 42));
        }
        let printers = client.server_enum(ListHost::Name(master.name()), ServerType::PRINTQ, None).await;
        assert_eq!(printers.expect("an empty list").servers, []);
        let domains = client.server_enum(ListHost::Name(master.name()), ServerType::DOMAIN_ENUM, None).await;
        let domains = domains.expect("a list").servers;
        assert_eq!(domains.len(), 1);
        assert_eq!((domains[0].name, &domains[0].comment[..]), (name("WORKGROUP"), &b"MASTER"[..]));
        // Another workgroup's list nobody has.
        let other = client.server_enum(ListHost::Name(master.name()), ServerType::all(), Some(name("FAR")));
        let error = other.await.expect_err("not its own");
        assert_eq!(error.win32(), Win32Error::ERROR_NO_BROWSER_SERVERS_FOUND, "{error}");
    }
    let stats = browser.status().stats;
    // Two pages and more for each of the four lists, and three short ones for each port.
    assert!(stats.calls >= 4 * 2 + 2 * 3, "{stats:?}");
    assert_eq!(stats.calls_limited, 0);
}

#[tokio::test]
async fn who_keeps_no_list_or_runs_no_browser_says_so() {
    let lan = lan();
    let client = node(lan, "CLIENT").await;
    let (_node, browser) = browser(lan, "HOST", Maintain::No).await;
    let host = ListHost::Name(NetbiosName::new("HOST", Suffix::WORKSTATION).expect("a name"));
    let error = client.server_enum(host, ServerType::all(), None).await.expect_err("no list");
    assert_eq!(error.win32(), Win32Error::ERROR_REQ_NOT_ACCEP, "{error}");
    assert!(
        matches!(error, ServerEnumError::List { source: EnumError::Status(rap::Status::REQ_NOT_ACCEP), .. }),
        "{error}"
    );
    browser.stop().await;
    let error = client.server_enum(host, ServerType::all(), None).await.expect_err("no browser");
    let is_refused = |error: &ServerEnumError| {
        matches!(
            error,
            ServerEnumError::Session { source: SessionError::Refused { step: Step::Administration, .. }, .. }
        )
    };
    assert!(is_refused(&error), "{error}");
    let nobody = ListHost::Name(NetbiosName::new("NOBODY", Suffix::WORKSTATION).expect("a name"));
    let error = client.server_enum(nobody, ServerType::all(), None).await.expect_err("nobody");
    assert!(matches!(error, ServerEnumError::NotFound(SendError::NameNotFound { .. })), "{error}");
}

#[tokio::test]
async fn a_backup_has_the_masters_list() {
    let lan = lan();
    let (_master, master) = browser(lan, "MASTER", Maintain::Auto).await;
    wait_for(&master, |status| status.role == Role::LocalMaster).await;
    let (_host, _host_browser) = browser(lan, "HOST", Maintain::No).await;
    wait_for(&master, |status| names(status) == ["HOST", "MASTER"]).await;
    let (_backup, backup) = browser(lan, "SPARE", Maintain::Yes).await;
    // It hears no HostAnnouncement, which go to the master alone.
    let status = wait_for(&backup, |status| status.servers.len() >= 3).await;
    assert_eq!(names(&status), ["HOST", "MASTER", "SPARE"]);
    assert_eq!(status.role, Role::Backup);
    assert!(status.stats.fetched >= 1 && status.stats.fetches_failed == 0, "{:?}", status.stats);
}

#[tokio::test]
async fn a_client_without_a_name_or_the_usual_port_gets_the_backups() {
    let lan = lan();
    let (_master, master) = browser(lan, "MASTER", Maintain::Auto).await;
    wait_for(&master, |status| status.role == Role::LocalMaster).await;
    let client = builder(lan, "GUEST").claim_names(false).hear_all(true).name_port(0).datagram_port(0);
    let client = client.start().await.expect("loopback needs no right");
    let inbox = slot(&client, "BROWSE");
    let mut query = BackupListClient::new(Duration::ZERO, 7);
    let frame = query.request(Duration::ZERO).expect("due");
    let group = client.workgroup().with_suffix(Suffix::LOCAL_MASTER_BROWSER);
    client.write_to_group(&path(r"\\.\mailslot\BROWSE"), group, &frame).await.expect("sent");
    let answer = inbox.recv_timeout(LONG).await.expect("an answer");
    assert_eq!(query.take(&answer.data), Some(vec![name("MASTER")]));
}
