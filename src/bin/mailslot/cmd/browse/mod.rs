//! `mailslot browse`: the workgroups and computers of the LAN.

mod args;
mod list;
mod passive;

pub(crate) use args::BrowseArgs;

use crate::Outcome;

pub(crate) fn run(args: &BrowseArgs) -> anyhow::Result<Outcome> {
    match args.passive {
        Some(time) => passive::run(args, time),
        None => anyhow::bail!("only --passive is there so far"),
    }
}
