//! `--exec`: a program for each message.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::print::Fact;
use crate::output::note;
use crate::text;

/// The program and its arguments.
pub(super) struct Exec {
    program: OsString,
    args: Vec<OsString>,
}

impl Exec {
    /// `None` if there is no command.
    pub(super) fn new(command: &[OsString]) -> Option<Self> {
        let (program, args) = command.split_first()?;
        Some(Self { program: program.clone(), args: args.to_vec() })
    }

    /// Runs it with a message and waits for its end. Failures are reported.
    pub(super) fn run(&self, fact: Fact) -> impl Future<Output = ()> + Send + use<> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            .env("MAILSLOT_MESSAGE_TIME", &fact.time)
            .env("MAILSLOT_MESSAGE_SLOT", text::safe(&fact.slot))
            .env("MAILSLOT_MESSAGE_SIZE", fact.message.data.len().to_string())
            .env("MAILSLOT_MESSAGE_WAY", fact.way)
            .env("MAILSLOT_MESSAGE_FROM", fact.from().unwrap_or_default())
            .env("MAILSLOT_MESSAGE_TO", fact.to().unwrap_or_default())
            .env(
                "MAILSLOT_MESSAGE_SOURCE",
                fact.source().map_or_else(String::new, |source| source.to_string()),
            );
        let program = self.program.clone();
        async move {
            let failed = |what: &dyn std::fmt::Display| failed(&program, what);
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return failed(&error),
            };
            if let Some(mut input) = child.stdin.take()
                && let Err(error) = input.write_all(&fact.message.data).await
                // A program need not read its message.
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                failed(&error);
            }
            match child.wait().await {
                Ok(status) if status.success() => {}
                Ok(status) => failed(&status),
                Err(error) => failed(&error),
            }
        }
    }
}

fn failed(program: &OsStr, what: &dyn std::fmt::Display) {
    note(format_args!("--exec {}: {what}", text::safe(&program.to_string_lossy())));
}
