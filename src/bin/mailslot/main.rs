//! The `mailslot` program: mailslots and the Network Neighborhood, off Windows.

#![forbid(unsafe_code)]

mod cli;
mod cmd;
mod input;
mod json;
mod output;
mod streams;
mod text;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Something was found and printed, or there was nothing to find.
    Done,
    /// Nothing matched.
    NothingMatched,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Decode(args) => cmd::decode::run(&args),
        Command::Capture(args) => cmd::capture::run(&args),
        Command::Replay(args) => cmd::replay::run(&args),
        Command::Completions(args) => cmd::generate::completions(&args),
        Command::Man(args) => cmd::generate::man(&args),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NothingMatched) => ExitCode::from(1),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("{}", text::safe(&format!("{error:#}"))));
            ExitCode::from(2)
        }
    }
}
