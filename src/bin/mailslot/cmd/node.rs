//! `mailslot node`: the node that a user's first listener leaves behind. Nobody types it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use mailslot::node::local::{READY, Seat, Server, ServerLimits};
use mailslot::slot::Registry;
use nix::unistd::{dup2_stderr, dup2_stdout, setsid};

use crate::Outcome;
use crate::cli::NodeArgs;

pub(crate) fn run(args: &NodeArgs) -> Result<Outcome> {
    if !args.serve {
        return leave_one_behind(args);
    }
    let seat = Seat::take(&args.directory)?;
    let mut out = io::stdout();
    out.write_all(READY)?;
    out.flush()?;
    // Whoever waited holds the other end of these, and must not be held up.
    let null = OpenOptions::new().write(true).open("/dev/null").context("/dev/null")?;
    dup2_stdout(null.as_fd()).context("cannot let go of the standard output")?;
    dup2_stderr(null.as_fd()).context("cannot let go of the standard error")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = Server::of_user(Registry::default(), ServerLimits::default());
    runtime.block_on(server.serve_user(seat))?;
    Ok(Outcome::Done)
}

/// A process without terminal and parent, so that it ends neither with the listener's terminal nor with the listener,
/// and that no listener has to wait for it.
fn leave_one_behind(args: &NodeArgs) -> Result<Outcome> {
    // It fails only where the process has a session of its own already.
    let _ = setsid();
    let this = std::env::current_exe().context("cannot find this program")?;
    let mut child = Command::new(this)
        .args(["node", "--serve", "--directory"])
        .arg(&args.directory)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the node")?;
    // Only a node that fails at once is of interest.
    match child.try_wait() {
        Ok(Some(status)) if !status.success() => anyhow::bail!("the node ended with {status}"),
        _ => Ok(Outcome::Done),
    }
}
