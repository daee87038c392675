//! `mailslot lookup`: who has a name.

use std::net::Ipv4Addr;

use anyhow::Context;
use mailslot::node::SendError;
use mailslot::service::names::{QueryTarget, Resolution};
use mailslot::wire::name::NetbiosName;

use super::status;
use crate::Outcome;
use crate::cli::LookupArgs;
use crate::json::Json;
use crate::network::{self, Network, Where};
use crate::output::{Output, note};
use crate::text;

pub(crate) fn run(args: &LookupArgs) -> anyhow::Result<Outcome> {
    let page = args.code_page.code_page;
    if args.by_address {
        let parse = |text: &String| {
            text.parse::<Ipv4Addr>().with_context(|| format!("'{}' is no IPv4 address", text::safe(text)))
        };
        let addresses = args.names.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        return status::of_addresses(&args.lan, &addresses, args.json, page);
    }
    let parse = |text: &String| -> anyhow::Result<NetbiosName> {
        text.parse().with_context(|| format!("'{}' is no NetBIOS name", text::safe(text)))
    };
    let names = args.names.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
    let place = match (args.broadcast, args.server) {
        (Some(address), _) => Where::Subnet(address),
        (None, Some(server)) => Where::Anywhere(QueryTarget::Server(server)),
        (None, None) => Where::Anywhere(QueryTarget::Default),
    };
    network::with(&args.lan, async |network| lookup(args, network, &names, place).await)
}

async fn lookup(
    args: &LookupArgs,
    network: &Network,
    names: &[NetbiosName],
    place: Where,
) -> anyhow::Result<Outcome> {
    let page = args.code_page.code_page;
    let mut output = Output::new(true);
    let mut outcome = Outcome::Done;
    for name in names {
        let result = network.lookup(*name, place).await?;
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
