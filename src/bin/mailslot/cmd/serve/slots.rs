//! The slots of the service: each has a task that does with its messages what the file says.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mailslot::node::{Node, SlotReader};
use mailslot::slot::{CreateOptions, MailslotError, Message, ReadTimeout, SlotName};
use mailslot::wire::oem::CodePage;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::config::{Actions, SlotConfig};
use crate::exec::Exec;
use crate::fact::Fact;
use crate::text;

/// How long a slot's last messages may take when it is closed.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

/// The slots that are there.
pub(super) struct Slots {
    node: Node,
    page: CodePage,
    stdout: Arc<Mutex<tokio::io::Stdout>>,
    open: HashMap<SlotName, Open>,
}

struct Open {
    max_message_size: u32,
    /// Dropping it ends the task, which sees to the messages that are there.
    actions: watch::Sender<Actions>,
    task: JoinHandle<()>,
}

impl Slots {
    pub(super) fn new(node: Node, page: CodePage) -> Self {
        let stdout = Arc::new(Mutex::new(tokio::io::stdout()));
        Self { node, page, stdout, open: HashMap::new() }
    }

    /// Creates a slot.
    pub(super) fn open(&mut self, slot: &SlotConfig) -> Result<(), MailslotError> {
        let options = CreateOptions {
            max_message_size: slot.max_message_size,
            read_timeout: ReadTimeout::FOREVER,
            ..CreateOptions::default()
        };
        let reader = self.node.create(&slot.path, options)?;
        let (actions, changes) = watch::channel(slot.actions.clone());
        let worker = Worker { reader, page: self.page, stdout: Arc::clone(&self.stdout) };
        let task = tokio::spawn(worker.run(changes));
        let open = Open { max_message_size: slot.max_message_size, actions, task };
        self.open.insert(slot.path.name.clone(), open);
        tracing::info!(slot = %slot.path.name, messages = %slot.actions, "a slot is open");
        Ok(())
    }

    /// Makes the slots those of `wanted`. What stays as it is keeps its messages.
    pub(super) async fn change(&mut self, wanted: &[SlotConfig]) {
        let stays = |name: &SlotName, open: &Open| {
            let same = |slot: &&SlotConfig| slot.path.name == *name;
            wanted.iter().find(same).is_some_and(|slot| slot.max_message_size == open.max_message_size)
        };
        let gone: Vec<_> = self.open.extract_if(|name, open| !stays(name, open)).collect();
        for (name, open) in gone {
            open.close().await;
            tracing::info!(slot = %name, "a slot is closed");
        }
        for slot in wanted {
            if let Some(open) = self.open.get(&slot.path.name) {
                let changed = open.actions.send_if_modified(|actions| {
                    let changed = *actions != slot.actions;
                    actions.clone_from(&slot.actions);
                    changed
                });
                if changed {
                    tracing::info!(slot = %slot.path.name, messages = %slot.actions, "a slot is changed");
                }
            } else if let Err(error) = self.open(slot) {
                tracing::error!(slot = %slot.path.name, %error, "a slot cannot be opened");
            }
        }
    }

    /// Closes all, after their last messages.
    pub(super) async fn close(self) {
        // At the same time: each may take as long as a slow program.
        let tasks: Vec<_> = self.open.into_values().map(|open| tokio::spawn(open.close())).collect();
        for task in tasks {
            _ = task.await;
        }
    }
}

impl Open {
    async fn close(self) {
        let Self { actions, mut task, .. } = self;
        drop(actions);
        if tokio::time::timeout(LAST_MESSAGES, &mut task).await.is_err() {
            task.abort();
            // Its slot is closed when it is gone.
            _ = task.await;
        }
    }
}

struct Worker {
    reader: SlotReader,
    page: CodePage,
    stdout: Arc<Mutex<tokio::io::Stdout>>,
}

impl Worker {
    async fn run(self, mut actions: watch::Receiver<Actions>) {
        loop {
            let message = tokio::select! {
                message = self.reader.recv() => message,
                changed = actions.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => break,
                },
            };
            match message {
                Ok(message) => self.take(message, &actions).await,
                Err(error) => {
                    tracing::error!(slot = %self.reader.name(), %error, "a slot cannot be read");
                    return;
                }
            }
        }
        // No more than are there now: others may go on writing.
        let Ok(info) = self.reader.info() else { return };
        for _ in 0..info.message_count {
            let Ok(message) = self.reader.try_recv() else { return };
            self.take(message, &actions).await;
        }
    }

    async fn take(&self, message: Message, actions: &watch::Receiver<Actions>) {
        let actions = actions.borrow().clone();
        let fact = Fact::new(&self.reader, message, self.page);
        let mut line = Vec::new();
        if actions.print || actions.append.is_some() {
            fact.object(&mut line);
            line.push(b'\n');
        }
        let slot = self.reader.name();
        if actions.print {
            let mut stdout = self.stdout.lock().await;
            let written = async {
                stdout.write_all(&line).await?;
                stdout.flush().await
            };
            if let Err(error) = written.await {
                tracing::error!(%slot, %error, "a message cannot be printed");
            }
        }
        if let Some(file) = actions.append {
            let name = text::safe(&file.to_string_lossy());
            let appended = tokio::task::spawn_blocking(move || append(file, &line)).await;
            if let Err(error) = appended.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
                tracing::error!(%slot, file = name, %error, "a message cannot be appended");
            }
        }
        if let Some(exec) = Exec::new(&actions.exec)
            && let Err(error) = exec.run(fact).await
        {
            tracing::error!(%slot, "{error}");
        }
    }
}

/// Opened for each message, so that the file may be moved away.
fn append(file: PathBuf, line: &[u8]) -> std::io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).open(file)?.write_all(line)
}
