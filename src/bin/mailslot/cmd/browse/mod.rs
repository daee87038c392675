//! `mailslot browse`: the workgroups and computers of the LAN.

mod args;
mod ask;
pub(crate) mod list;
mod passive;
pub(crate) mod query;
mod watch;
mod words;

pub(crate) use args::{BrowseArgs, workgroup};

use crate::Outcome;

pub(crate) fn run(args: &BrowseArgs) -> anyhow::Result<Outcome> {
    if args.watch {
        return watch::run(args);
    }
    match args.passive {
        Some(time) => passive::run(args, time),
        None => ask::run(args),
    }
}
