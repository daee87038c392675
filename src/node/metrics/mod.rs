//! A node's counters for Prometheus, and its health, over HTTP.
//!
//! | page | what it is |
//! |---|---|
//! | `/metrics` | all of [`NodeStats`](super::NodeStats) in the OpenMetrics text format |
//! | `/health` | 200 and `ok` if the node is on a network and has all its names; else 503 and what is wrong, a line each |
//!
//! The names of the metrics stay as they are; new ones may be added. Those of an interface have the labels `interface` and
//! `address`, and begin again when it comes back. Whoever reaches the pages may read them: nothing asks who they are.

mod bounded;
mod collector;

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use self::bounded::Bounded;
use self::collector::NodeCollector;
use super::error::Because;
use super::{Node, OwnState};

/// What keeps a node from being of use, a line each; empty if nothing does.
///
/// It is of use if it is on a network and all names it claims are its own on all its interfaces.
pub fn ailments(node: &Node) -> Vec<String> {
    if node.interfaces().is_empty() {
        return vec!["no network interface is up".to_owned()];
    }
    // As ordered: the same name on two interfaces stays together.
    let mut lines = BTreeSet::new();
    for own in node.names() {
        let (name, address) = (own.name, own.address);
        match own.state {
            OwnState::Active => {}
            OwnState::Registering => _ = lines.insert(format!("{name} is still being claimed on {address}")),
            OwnState::Releasing => _ = lines.insert(format!("{name} is being given up on {address}")),
            OwnState::Conflict | OwnState::Refused => {
                let because = own.refusal.as_ref().map(Because);
                let because = because.map_or_else(|| "another node has it".to_owned(), |why| why.to_string());
                lines.insert(format!("{name} is not to be had on {address}: {because}"));
            }
        }
    }
    lines.into_iter().collect()
}

/// The text of `/metrics`.
pub fn exposition(node: &Node) -> String {
    let mut registry = Registry::with_prefix("mailslot");
    registry.register_collector(Box::new(NodeCollector::of(node)));
    let mut page = String::new();
    // Nothing fails to be written to a string.
    _ = text::encode(&mut page, &registry);
    page
}

/// Serves the pages on `listener` until the future is dropped. At most 64 connections are served at a time, each for at
/// most two minutes.
pub async fn serve(node: Node, listener: TcpListener) {
    let (metrics, health) = (node.clone(), node);
    let pages = Router::new()
        .route("/metrics", get(async move || metrics_page(&metrics)))
        .route("/health", get(async move || health_page(&health)));
    // It never ends.
    _ = axum::serve(Bounded::new(listener), pages).await;
}

fn metrics_page(node: &Node) -> ([(HeaderName, &'static str); 1], String) {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], exposition(node))
}

fn health_page(node: &Node) -> (StatusCode, String) {
    let ailments = ailments(node);
    if ailments.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, ailments.join("\n") + "\n")
    }
}
