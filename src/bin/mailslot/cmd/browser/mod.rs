//! `mailslot browser`: what `browstat` does on Windows.

mod args;

pub(crate) use args::BrowserArgs;
use args::{Verb, VerbArgs};
use mailslot::service::browser::{FoundServer, ServerName};
use mailslot::wire::Encode;
use mailslot::wire::browser::{
    BrowserFrame, Criteria, RequestElection, ResetOptions, ResetStateRequest, ServerType,
};
use mailslot::wire::name::{NetbiosName, Suffix};

use super::browse::list::types;
use super::browse::query::{Backups, Listed, Master, Query, browse_slot};
use crate::Outcome;
use crate::json::Json;
use crate::lan::{self, Interrupt};
use crate::output::{Output, note};
use crate::text;

pub(crate) fn run(args: &BrowserArgs) -> anyhow::Result<Outcome> {
    let common = args.verb.common();
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let workgroup = common.of.as_ref().unwrap_or(&common.lan.workgroup);
        let mut query = Query::start(&common.lan, workgroup, common.code_page.code_page).await?;
        let result = tokio::select! {
            result = verb(&args.verb, common, &mut query) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        query.node.shutdown().await?;
        result
    })
}

async fn verb(verb: &Verb, common: &VerbArgs, query: &mut Query) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Status(_) => status(common, query).await,
        Verb::Master(_) => match query.master().await? {
            Some(master) => {
                let name = master.name.map_or_else(|| "-".to_owned(), |name| query.show(name));
                print(common, query, |json| of_master(json, &master), &format!("{name} {}", master.address))
            }
            None => Ok(nobody(query)),
        },
        Verb::Backups(_) => match query.backups().await? {
            Some(backups) => {
                let names: Vec<_> = backups.names.iter().map(|name| query.show(*name)).collect();
                print(common, query, |json| of_backups(json, &backups), &names.join("\n"))
            }
            None => Ok(nobody(query)),
        },
        Verb::Elect(_) => {
            let name = query.node.name();
            let frame = RequestElection::new(Criteria(0), 0, name.base())?;
            let frame = BrowserFrame::RequestElection(frame).to_bytes();
            query.write(Suffix::BROWSER_ELECTIONS, &frame).await?;
            sent(common, query, "RequestElection", query.workgroup.netbios(Suffix::BROWSER_ELECTIONS))
        }
        Verb::Tickle(tickle) => {
            let name = match &tickle.host {
                Some(host) => NetbiosName::new(host, Suffix::WORKSTATION)?,
                None => match query.master().await?.and_then(|master| master.name) {
                    Some(name) => name.netbios(Suffix::WORKSTATION),
                    None => return Ok(nobody(query)),
                },
            };
            let frame = ResetStateRequest::new(ResetOptions::STOP_MASTER);
            let frame = BrowserFrame::ResetStateRequest(frame).to_bytes();
            match query.node.write_to_computer(&browse_slot()?, name, &frame).await {
                Ok(_) => sent(common, query, "ResetStateRequest", name),
                Err(error) => {
                    note(format_args!("{}: {}", error.win32(), text::lines(&error.to_string())));
                    Ok(Outcome::Failed)
                }
            }
        }
    }
}

fn nobody(query: &Query) -> Outcome {
    let code = mailslot::slot::Win32Error::ERROR_NO_BROWSER_SERVERS_FOUND;
    note(format_args!("{code}: nobody answers as the master browser of {}", query.show(query.workgroup)));
    Outcome::Failed
}

/// Prints text, or an object with the workgroup and what `fill` adds to it.
fn print(
    common: &VerbArgs,
    query: &Query,
    fill: impl FnOnce(&mut Json<'_>),
    shown: &str,
) -> anyhow::Result<Outcome> {
    let mut output = Output::new(true);
    if common.json {
        let mut json = Json { out: output.line(), page: query.page };
        json.raw("{\"workgroup\":");
        json.oem(query.workgroup.as_bytes());
        fill(&mut json);
        json.raw("}");
    } else {
        output.line().extend_from_slice(shown.as_bytes());
    }
    output.end_line()?;
    Ok(Outcome::Done)
}

fn sent(common: &VerbArgs, query: &Query, frame: &'static str, to: NetbiosName) -> anyhow::Result<Outcome> {
    let fill = |json: &mut Json<'_>| {
        json.raw(",\"sent\":");
        json.word(frame);
        json.raw(",\"to\":");
        json.scoped_name(&to.into());
    };
    print(common, query, fill, &format!("{frame} sent to {}", text::name(&to, query.page)))
}

fn of_master(json: &mut Json<'_>, master: &Master) {
    json.raw(",\"master\":");
    match master.name {
        Some(name) => json.oem(name.as_bytes()),
        None => json.raw("null"),
    }
    json.raw(",\"master_address\":\"");
    json.ip(master.address);
    json.raw("\"");
}

fn of_backups(json: &mut Json<'_>, backups: &Backups) {
    of_master(json, &backups.master);
    json.raw(",\"backups\":[");
    json.list(backups.names.iter(), |json, name| json.oem(name.as_bytes()));
    json.raw("]");
}

/// Master, backups, and how much the lists hold.
async fn status(common: &VerbArgs, query: &mut Query) -> anyhow::Result<Outcome> {
    let backups = query.backups().await?;
    let master = match &backups {
        Some(backups) => Some(backups.master),
        None => query.owner_of_master_name().await,
    };
    let Some(master) = master else { return Ok(nobody(query)) };
    let of = Some(query.workgroup);
    let servers = query.list(backups.as_ref(), ServerType::all(), of).await;
    let domains = match &servers {
        Some(_) => query.list(backups.as_ref(), ServerType::DOMAIN_ENUM, None).await,
        None => None,
    };
    let own = servers.as_ref().and_then(|listed| find(listed, master.name));
    let mut lines = vec![("workgroup", query.show(query.workgroup))];
    let name = master.name.map_or_else(|| "-".to_owned(), |name| query.show(name));
    let kind =
        own.map(|own| format!(", {}.{}, {}", own.version.major, own.version.minor, types(own.server_type)));
    lines.push(("master", format!("{name} ({}){}", master.address, kind.unwrap_or_default())));
    if let Some(backups) = &backups {
        let names: Vec<_> = backups.names.iter().map(|name| query.show(*name)).collect();
        lines.push(("backups", names.join(", ")));
    }
    let count = |listed: &Option<Listed>| listed.as_ref().map(|listed| listed.list.servers.len());
    for (what, listed) in [("servers", &servers), ("workgroups", &domains)] {
        if let Some(number) = count(listed) {
            lines.push((what, number.to_string()));
        }
    }
    let lines: Vec<_> =
        lines.iter().map(|(key, value)| format!("{:<12} {value}", format!("{key}:"))).collect();
    let fill = |json: &mut Json<'_>| {
        match &backups {
            Some(backups) => of_backups(json, backups),
            None => of_master(json, &master),
        }
        if let Some(own) = own {
            json.field(",\"os_version_major\":", own.version.major);
            json.field(",\"os_version_minor\":", own.version.minor);
            json.field(",\"server_type\":", own.server_type.bits());
        }
        if let Some(number) = count(&servers) {
            json.field(",\"servers\":", number);
        }
        if let Some(number) = count(&domains) {
            json.field(",\"workgroups\":", number);
        }
        if let Some(listed) = &servers {
            listed.origin.write(json);
        }
    };
    let outcome = print(common, query, fill, &lines.join("\n"))?;
    Ok(if servers.is_some() { outcome } else { Outcome::Failed })
}

fn find(listed: &Listed, name: Option<ServerName>) -> Option<&FoundServer> {
    listed.list.servers.iter().find(|found| Some(found.name) == name)
}
