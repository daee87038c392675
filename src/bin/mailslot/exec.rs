//! A program for each message: `listen --exec`, and `exec` of the service.

use std::ffi::OsString;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fact::Fact;
use crate::text;

/// The program and its arguments.
pub(crate) struct Exec {
    program: OsString,
    args: Vec<OsString>,
}

impl Exec {
    /// `None` if there is no command.
    pub(crate) fn new(command: &[OsString]) -> Option<Self> {
        let (program, args) = command.split_first()?;
        Some(Self { program: program.clone(), args: args.to_vec() })
    }

    /// Runs it with a message and waits for its end.
    ///
    /// # Errors
    /// The program and what is wrong with it.
    pub(crate) fn run(&self, fact: Fact) -> impl Future<Output = Result<(), String>> + Send + use<> {
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
        let program = text::safe(&self.program.to_string_lossy());
        async move {
            let failed = |what: &dyn std::fmt::Display| format!("{program}: {what}");
            let mut child = command.spawn().map_err(|error| failed(&error))?;
            let mut unread = None;
            if let Some(mut input) = child.stdin.take()
                && let Err(error) = input.write_all(&fact.message.data).await
                // A program need not read its message.
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                unread = Some(failed(&error));
            }
            match child.wait().await {
                Ok(status) if status.success() => unread.map_or(Ok(()), Err),
                Ok(status) => Err(failed(&status)),
                Err(error) => Err(failed(&error)),
            }
        }
    }
}
