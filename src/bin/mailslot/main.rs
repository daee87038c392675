//! The `mailslot` program: mailslots and the Network Neighborhood, off Windows.

#![forbid(unsafe_code)]

mod cli;
mod cmd;
mod exec;
mod fact;
#[cfg(unix)]
mod files;
mod input;
mod json;
mod lan;
#[cfg(unix)]
mod machine;
mod network;
mod output;
mod server_type;
mod streams;
mod text;
mod traffic;
mod writes;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, Command};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Something was found and printed, or there was nothing to find.
    Done,
    /// Nothing matched, or nothing came.
    NothingMatched,
    /// What was asked of others was not to be had; that was said.
    Failed,
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let (Some(lan), Some((_, matches))) = (cli.command.lan_mut(), matches.subcommand()) {
        lan.note_sources(matches);
    }
    let result = match cli.command {
        Command::Decode(args) => cmd::decode::run(&args),
        Command::Capture(args) => cmd::capture::run(&args),
        Command::Replay(args) => cmd::replay::run(&args),
        Command::Demo => cmd::demo::run(),
        Command::Listen(args) => cmd::listen::run(&args),
        Command::Send(args) => cmd::send::run(&args),
        Command::Lookup(args) => cmd::lookup::run(&args),
        Command::Status(args) => cmd::status::run(&args),
        Command::Names(args) => cmd::names::run(&args),
        Command::Browse(args) => cmd::browse::run(&args),
        Command::Browser(args) => cmd::browser::run(&args),
        #[cfg(unix)]
        Command::Ls(args) => cmd::slots::list(&args),
        #[cfg(unix)]
        Command::Info(args) => cmd::slots::info(&args),
        #[cfg(unix)]
        Command::Node(args) => cmd::node::run(&args),
        #[cfg(unix)]
        Command::Serve(args) => cmd::serve::run(&args),
        Command::Completions(args) => cmd::generate::completions(&args),
        Command::Man(args) => cmd::generate::man(&args),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NothingMatched | Outcome::Failed) => ExitCode::from(1),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("{}", text::error(&error)));
            ExitCode::from(2)
        }
    }
}
