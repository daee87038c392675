//! Names: claimed, contested, found, told, given up.

use core::future::{Future, poll_fn};
use core::task::Poll;

use mailslot::node::{LoopbackLan, NodeError, OwnState};
use mailslot::service::Limits;
use mailslot::service::names::timers::Timers;
use mailslot::service::names::{NameKind, NodeType, Origin, QueryTarget, Refusal, ResolveError};
use mailslot::wire::name::{NetbiosName, Suffix};

use crate::{address, builder, lan, node, ready};

fn name(text: &str) -> NetbiosName {
    text.parse().expect("a name")
}

#[tokio::test]
async fn a_node_has_the_names_of_a_windows_machine() {
    let lan = lan();
    let node = ready(builder(lan, "pc7").workgroup("office")).await;
    let mut names: Vec<_> =
        node.names().iter().map(|own| (own.name.to_string(), own.group, own.state)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("OFFICE<00>", true), ("PC7<00>", false), ("PC7<03>", false), ("PC7<20>", false)];
    let expected = expected.map(|(name, group)| (name.to_owned(), group, OwnState::Active));
    assert_eq!(names, expected);
    assert_eq!(node.name(), name("PC7<00>"));
    assert_eq!(node.workgroup(), name("OFFICE<00>"));
    assert_eq!(node.node_type(), NodeType::B);
    assert_eq!(node.interfaces().len(), 1);
}

#[tokio::test]
async fn the_second_of_two_nodes_with_one_name_is_told_who_has_it() {
    let lan = lan();
    let first = node(lan, "TWICE").await;
    let second = builder(lan, "TWICE").start().await.expect("ports are shared");
    let error = tokio::time::timeout(crate::LONG, second.ready()).await.expect("in time");
    match error.expect_err("the name is taken") {
        NodeError::NameRefused { name: refused, interface, refusal } => {
            assert_eq!(refused.base(), b"TWICE");
            assert_eq!(interface, address(&second));
            assert_eq!(refusal, Refusal::Owner(address(&first)));
        }
        other => panic!("{other}"),
    }
    // The first one keeps it, and the group belongs to both.
    assert!(first.names().iter().all(|own| own.state == OwnState::Active));
    let stats = first.stats();
    assert!(stats.interfaces[0].names.defended >= 1, "{stats:?}");
}

#[tokio::test]
async fn names_are_found_by_who_has_them() {
    let lan = lan();
    let (first, second) = tokio::join!(node(lan, "FIRST"), node(lan, "SECOND"));
    let found = first.lookup(name("SECOND<20>"), QueryTarget::Default).await.expect("it is there");
    assert_eq!((found.kind, found.addresses), (NameKind::Unique, vec![address(&second)]));
    assert_eq!(found.origin, Origin::Broadcast(address(&second)));
    let again = first.lookup(name("SECOND<20>"), QueryTarget::Default).await.expect("it is remembered");
    assert_eq!(again.origin, Origin::Cache);
    first.forget(name("SECOND<20>")).expect("running");
    let asked = first.lookup(name("SECOND<20>"), QueryTarget::Default).await.expect("it is there");
    assert_eq!(asked.origin, Origin::Broadcast(address(&second)));
    let own = first.lookup(name("FIRST<00>"), QueryTarget::Default).await.expect("its own");
    assert_eq!((own.origin, own.addresses), (Origin::Local, vec![address(&first)]));
    let nobody = first.lookup(name("NOBODY<00>"), QueryTarget::Default).await.expect_err("nobody has it");
    assert_eq!(nobody.win32().code(), 53);
    assert!(nobody.to_string().contains("NOBODY<00>"), "{nobody}");
    assert!(nobody.to_string().contains(&ResolveError::NoAnswer.to_string()), "{nobody}");
}

#[tokio::test]
async fn a_node_tells_its_names() {
    let lan = lan();
    let (asker, told) = tokio::join!(node(lan, "ASKER"), node(lan, "TOLD"));
    let status = asker.node_status(address(&told)).await.expect("it answers");
    assert_eq!(*status.peer.ip(), address(&told));
    assert!(!status.partial);
    let mut names: Vec<String> = status.names.iter().map(|entry| entry.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["TOLD<00>", "TOLD<03>", "TOLD<20>", "WORKGROUP<00>"]);
    assert_eq!(told.stats().interfaces[0].names.answered_statuses, 1);
}

#[tokio::test]
async fn further_names_come_and_go() {
    let lan = lan();
    let (owner, other) = tokio::join!(node(lan, "OWNER"), node(lan, "OTHER"));
    let service = NetbiosName::new("OWNER", Suffix(0x1f)).expect("a name");
    owner.register(service, NameKind::Unique).await.expect("nobody has it");
    other.lookup(service, QueryTarget::Default).await.expect("it is there");
    let taken = other.register(service, NameKind::Unique).await.expect_err("it is taken");
    assert!(matches!(taken, NodeError::NameRefused { .. }), "{taken}");
    // What was refused is no longer wanted.
    other.ready().await.expect("the names it wants");
    owner.release(service).expect("running");
    other.forget(service).expect("running");
    other.register(service, NameKind::Unique).await.expect("it is free again");
}

#[tokio::test]
async fn a_node_that_shuts_down_gives_its_names_up() {
    let lan = lan();
    let (stays, goes) = tokio::join!(node(lan, "STAYS"), node(lan, "GOES"));
    goes.shutdown().await.expect("running");
    assert!(goes.names().is_empty());
    assert!(matches!(goes.shutdown().await, Err(NodeError::ShutDown)));
    assert!(matches!(goes.ready().await, Err(NodeError::ShutDown)));
    let gone = stays.lookup(name("GOES<00>"), QueryTarget::Default).await.expect_err("given up");
    assert_eq!(gone.win32().code(), 53);
    node(lan, "GOES").await;
}

/// Nobody waits for it, but it happens: the last handle is the node.
#[tokio::test]
async fn a_node_that_is_dropped_gives_its_names_up() {
    let lan = lan();
    let (stays, goes) = tokio::join!(node(lan, "STAYS"), node(lan, "GOES"));
    let clone = goes.clone();
    drop(goes);
    stays.lookup(name("GOES<00>"), QueryTarget::Default).await.expect("a handle is left");
    stays.forget(name("GOES<00>")).expect("running");
    drop(clone);
    stays.lookup(name("GOES<00>"), QueryTarget::Broadcast).await.expect_err("given up");
    node(lan, "GOES").await;
}

/// The computer that had it was exchanged: nobody has to start the second one again.
#[tokio::test]
async fn a_refused_name_is_taken_when_the_other_goes() {
    let lan = lan();
    let first = node(lan, "TWICE").await;
    let mut timers = Timers::default();
    timers.reclaim = core::time::Duration::from_millis(100);
    let second = builder(lan, "TWICE").timers(timers).start().await.expect("ports are shared");
    let refused = tokio::time::timeout(crate::LONG, second.ready()).await.expect("in time");
    assert!(matches!(refused, Err(NodeError::NameRefused { .. })), "{refused:?}");
    first.shutdown().await.expect("running");
    let taken = async {
        while second.ready().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::LONG, taken).await.expect("in time");
    assert!(second.names().iter().all(|own| own.state == OwnState::Active && own.refusal.is_none()));
}

#[tokio::test]
async fn a_name_of_this_node_is_not_claimed_twice() {
    let node = node(lan(), "ONCE").await;
    let error = node.register(name("ONCE<20>"), NameKind::Unique).await.expect_err("it has it");
    assert!(matches!(error, NodeError::Register { .. }), "{error}");
    assert_eq!(node.names().len(), 4, "and keeps it");
}

#[test]
fn every_unshared_lan_is_another() {
    let lans: std::collections::HashSet<u16> = (0..20).map(|_| lan().name_port).collect();
    assert_eq!(lans.len(), 20);
    assert_eq!(LoopbackLan::of_this_process(), LoopbackLan::of_this_process());
    assert!(!lans.contains(&LoopbackLan::of_this_process().name_port));
}

#[tokio::test]
async fn questions_that_were_given_up_take_no_place() {
    let lan = lan();
    let mut limits = Limits::default();
    limits.name_queries = 4;
    let asking = ready(builder(lan, "ASKING").limits(limits)).await;
    let asked = node(lan, "ASKED").await;
    // Nobody is there: the node goes on asking for a quarter of a minute.
    let silent = [127, 7, 7, 7].into();
    let mut open: Vec<_> = (0..4).map(|_| Box::pin(asking.node_status(silent))).collect();
    for question in &mut open {
        let is_pending = poll_fn(|cx| Poll::Ready(question.as_mut().poll(cx).is_pending())).await;
        assert!(is_pending);
    }
    let error = asking.node_status(address(&asked)).await.expect_err("a fifth");
    assert!(error.to_string().contains("too many queries"), "{error}");
    drop(open);
    let status = asking.node_status(address(&asked)).await.expect("there is room again");
    assert_eq!(status.names.len(), asked.names().len());
}

/// A query that has no end in sight is no reason to stay.
#[tokio::test]
async fn shutting_down_ends_open_queries() {
    let lan = lan();
    let node = node(lan, "NODE").await;
    let nobody = core::net::Ipv4Addr::new(127, 9, 9, 9);
    let asking = node.clone();
    let query =
        tokio::spawn(async move { asking.lookup(name("NAME<00>"), QueryTarget::Server(nobody)).await });
    tokio::task::yield_now().await;
    node.shutdown().await.expect("running");
    let error = query.await.expect("no panic").expect_err("shut down");
    assert_eq!(error.win32().code(), 6, "{error}");
}
