//! `mailslot lookup`: who has a name.

use std::net::Ipv4Addr;

use anyhow::Context;
use mailslot::node::{Builder, InterfaceChoice, Node, SendError};
use mailslot::service::names::{QueryTarget, Resolution};
use mailslot::wire::name::NetbiosName;

use super::status;
use crate::Outcome;
use crate::cli::LookupArgs;
use crate::json::Json;
use crate::lan::{self, Interrupt, Role};
use crate::output::{Output, note};
use crate::text;

pub(crate) fn run(args: &LookupArgs) -> anyhow::Result<Outcome> {
    let builder = args.lan.builder(Role::Guest)?;
    let page = args.code_page.code_page;
    if args.by_address {
        let parse = |text: &String| {
            text.parse::<Ipv4Addr>().with_context(|| format!("'{}' is no IPv4 address", text::safe(text)))
        };
        let addresses = args.names.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        return status::of_addresses(builder, &addresses, args.json, page);
    }
    let parse = |text: &String| -> anyhow::Result<NetbiosName> {
        text.parse().with_context(|| format!("'{}' is no NetBIOS name", text::safe(text)))
    };
    let names = args.names.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let (node, target) = match (args.broadcast, args.server) {
            (Some(address), _) => (on_subnet(builder, address).await?, QueryTarget::Broadcast),
            (None, Some(server)) => (builder.start().await?, QueryTarget::Server(server)),
            (None, None) => (builder.start().await?, QueryTarget::Default),
        };
        let result = tokio::select! {
            result = lookup(args, &node, &names, target) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        node.shutdown().await?;
        result
    })
}

/// A node on the interface with this broadcast address alone.
async fn on_subnet(builder: Builder, broadcast: Ipv4Addr) -> anyhow::Result<Node> {
    let node = builder.clone().start().await?;
    let interfaces = node.interfaces();
    let Some(interface) = interfaces.iter().find(|interface| interface.broadcast == broadcast) else {
        let known: Vec<_> = interfaces
            .iter()
            .map(|interface| format!("{} ({})", interface.broadcast, interface.name))
            .collect();
        anyhow::bail!(
            "{broadcast} is the broadcast address of no interface; there are: {}",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        );
    };
    if interfaces.len() == 1 {
        return Ok(node);
    }
    let choice = InterfaceChoice::Address(interface.address);
    node.shutdown().await?;
    Ok(builder.interface(choice).start().await?)
}

async fn lookup(
    args: &LookupArgs,
    node: &Node,
    names: &[NetbiosName],
    target: QueryTarget,
) -> anyhow::Result<Outcome> {
    let page = args.code_page.code_page;
    let mut output = Output::new(true);
    let mut outcome = Outcome::Done;
    for name in names {
        let result = node.lookup(*name, target).await;
        let shown = text::name(name, page);
        if args.json {
            object(*name, &result, &mut Json { out: output.line(), page });
            output.end_line()?;
        }
        match result {
            Ok(found) if !args.json => {
                for address in &found.addresses {
                    let line = format!("{address} {shown} {} (by {})", found.kind, found.origin);
                    output.line().extend_from_slice(line.as_bytes());
                    output.end_line()?;
                }
            }
            Ok(_) => {}
            Err(error) => {
                outcome = Outcome::Failed;
                let why = status::why(&error);
                note(format_args!("{shown}: {}", text::safe(&why)));
            }
        }
    }
    Ok(outcome)
}

fn object(name: NetbiosName, result: &Result<Resolution, SendError>, json: &mut Json<'_>) {
    json.raw("{\"name\":");
    json.scoped_name(&name.into());
    match result {
        Ok(found) => {
            json.raw(",\"kind\":");
            json.word(found.kind.name());
            json.raw(",\"addresses\":[");
            json.list(found.addresses.iter(), |json, address| {
                json.raw("\"");
                json.ip(*address);
                json.raw("\"");
            });
            json.raw("],\"origin\":");
            json.word(found.origin.name());
        }
        Err(error) => {
            json.raw(",\"error\":");
            json.string(&status::why(error));
        }
    }
    json.raw("}");
}
