//! `mailslot names`: the names that this computer has, or gets.

use std::net::Ipv4Addr;

use mailslot::node::{Node, NodeError, OwnName, OwnState};
use mailslot::service::names::Refusal;

use crate::Outcome;
use crate::cli::NamesArgs;
use crate::json::Json;
use crate::lan::{self, Interrupt, Role};
#[cfg(unix)]
use crate::machine;
use crate::output::{Output, note};
use crate::text;

pub(crate) fn run(args: &NamesArgs) -> anyhow::Result<Outcome> {
    #[cfg(unix)]
    if let Some(outcome) = of_service(args)? {
        return Ok(outcome);
    }
    let builder = args.lan.builder(Role::Member)?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let node = builder.start().await?;
        let result = tokio::select! {
            result = names(args, &node) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        tokio::select! {
            _ = node.shutdown() => {}
            () = interrupt.wait() => {}
        }
        result
    })
}

/// The names of the service's node, as they are; `None` if it does not run, or LAN options are given: they make the
/// command a computer of its own.
#[cfg(unix)]
fn of_service(args: &NamesArgs) -> anyhow::Result<Option<Outcome>> {
    let service = if args.lan.given.any() { None } else { machine::service_lan(&machine::client())? };
    let Some(service) = service else { return Ok(None) };
    let pid = service.node().pid;
    // On one connection: another node may take the service's place.
    let (table, interfaces) = lan::runtime()?
        .block_on(async { anyhow::Ok((service.names().await?, service.interfaces().await?)) })?;
    if table.is_empty() && interfaces.is_empty() {
        note(format_args!("no network interface is up, so the service (process {pid}) has no names"));
        return Ok(Some(Outcome::Failed));
    }
    note(format_args!("the names of the service (process {pid})"));
    show(args, table).map(Some)
}

async fn names(args: &NamesArgs, node: &Node) -> anyhow::Result<Outcome> {
    if node.interfaces().is_empty() {
        note(format_args!("no network interface is up, so there is nothing to claim names on"));
        return Ok(Outcome::Failed);
    }
    match node.ready().await {
        // The table says it, and all of it.
        Ok(()) | Err(NodeError::NameRefused { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    // Once one was refused, the others are still being claimed.
    let mut changes = node.changes();
    while node.names().iter().any(|name| name.state == OwnState::Registering) && changes.next().await {}
    show(args, node.names())
}

fn show(args: &NamesArgs, mut table: Vec<OwnName>) -> anyhow::Result<Outcome> {
    table.sort_by_key(|own| (own.address, own.name));
    let mut output = Output::new(true);
    for own in &table {
        if args.json {
            object(own, &mut Json { out: output.line(), page: args.code_page.code_page });
        } else {
            let line = line(own, args);
            output.line().extend_from_slice(line.as_bytes());
        }
        output.end_line()?;
    }
    output.flush()?;
    let all = table.iter().all(|own| own.state == OwnState::Active);
    Ok(if all { Outcome::Done } else { Outcome::Failed })
}

const fn kind(own: &OwnName) -> &'static str {
    if own.group { "group" } else { "unique" }
}

/// Who has the name, if it is not this computer.
const fn owner(own: &OwnName) -> Option<Ipv4Addr> {
    match own.refusal {
        Some(Refusal::Owner(address) | Refusal::Rival(address) | Refusal::Server { server: address, .. }) => {
            Some(address)
        }
        _ => None,
    }
}

fn line(own: &OwnName, args: &NamesArgs) -> String {
    let name = text::name(&own.name, args.code_page.code_page);
    let who = owner(own).map_or_else(String::new, |address| format!(", says {address}"));
    format!("{name:<20} {:<6} {}{who} on {}", kind(own), own.state.name(), own.address)
}

fn object(own: &OwnName, json: &mut Json<'_>) {
    json.raw("{\"name\":");
    json.scoped_name(&own.name.into());
    json.raw(",\"kind\":");
    json.word(kind(own));
    json.raw(",\"state\":");
    json.word(own.state.name());
    json.raw(",\"address\":\"");
    json.ip(own.address);
    json.raw("\"");
    if let Some(address) = owner(own) {
        json.raw(",\"said_by\":\"");
        json.ip(address);
        json.raw("\"");
    }
    json.raw("}");
}
