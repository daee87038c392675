//! `browse`: the list of a backup browser, else of the master, else what was heard.

use mailslot::service::browser::{FoundServer, ServerName};
use mailslot::wire::browser::ServerType;

use super::BrowseArgs;
use super::list::{Computer, Origin, Printer, Workgroup};
use super::passive;
use super::query::{Backups, Listed, Query};
use crate::Outcome;
use crate::lan::{self, Interrupt};
use crate::output::note;
use crate::text;

pub(crate) fn run(args: &BrowseArgs) -> anyhow::Result<Outcome> {
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let workgroup = args.of.as_ref().unwrap_or(&args.lan.workgroup);
        let mut query = Query::start(&args.lan, workgroup, args.code_page.code_page).await?;
        let result = tokio::select! {
            result = browse(args, &mut query) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        query.node.shutdown().await?;
        result
    })
}

async fn browse(args: &BrowseArgs, query: &mut Query) -> anyhow::Result<Outcome> {
    let backups = query.backups().await?;
    let (server_type, domain) = if args.domains {
        (ServerType::DOMAIN_ENUM, None)
    } else {
        let types = args.types();
        (if types.is_empty() { ServerType::all() } else { types }, Some(query.workgroup))
    };
    if let Some(listed) = query.list(backups.as_ref(), server_type, domain).await {
        return print(args, query.workgroup, backups.as_ref(), &listed);
    }
    let failed = query.failed;
    query.listen().await?;
    let now = query.ears.now();
    let of = query.workgroup;
    let some = query.ears.observer.workgroups(now).any(|known| args.domains || known.name == of);
    if some {
        note(format_args!("this is what announced itself meanwhile; --passive listens longer"));
        let only = (!args.domains).then_some(of);
        return passive::print(args, &query.ears, only);
    }
    note(format_args!("{failed}: there is no list of {}", query.show(of)));
    Ok(Outcome::Failed)
}

fn print(
    args: &BrowseArgs,
    workgroup: ServerName,
    backups: Option<&Backups>,
    listed: &Listed,
) -> anyhow::Result<Outcome> {
    let Listed { list, origin } = listed;
    let mut printer = Printer::new(args.code_page.code_page, args.json, *origin);
    if args.domains {
        let workgroup = |found: &FoundServer| Workgroup {
            name: found.name,
            master: ServerName::from_wire(&found.comment),
        };
        let workgroups: Vec<_> = list.servers.iter().map(workgroup).collect();
        printer.workgroups(&workgroups)?;
    } else {
        let master = match origin {
            Origin { source: super::list::Source::Master, name, .. } => *name,
            _ => backups.and_then(|backups| backups.master.name),
        };
        let computers: Vec<_> = list.servers.iter().map(|found| computer(workgroup, found)).collect();
        printer.workgroup(&Workgroup { name: workgroup, master }, &computers)?;
    }
    if list.damaged > 0 {
        note(format_args!("{} entries of the list cannot be read", list.damaged));
    }
    if let (false, Some(from)) = (args.json, printer.from()) {
        note(format_args!("the list is from {}", text::safe(&from)));
    }
    Ok(if list.servers.is_empty() { Outcome::NothingMatched } else { Outcome::Done })
}

fn computer(workgroup: ServerName, found: &FoundServer) -> Computer {
    Computer {
        name: found.name,
        workgroup: Some(workgroup),
        address: None,
        version: found.version,
        server_type: found.server_type,
        comment: found.comment.clone(),
        age: None,
        expires_in: None,
    }
}
