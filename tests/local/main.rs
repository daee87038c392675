//! Slots between processes. Every test has a node of its own in a directory of its own; none sleeps.

#![cfg(all(unix, feature = "cli"))]

mod handles;
mod killed;
mod many;
mod network;
mod nodes;
mod places;
mod program;
mod service;
mod tasks;
mod terminals;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mailslot::node::blocking::{MailslotSender, SlotReader};
use mailslot::node::local::{Admit, Client, LocalError, Places, Seat};
use mailslot::slot::{CreateOptions, OpenOptions, ReadTimeout, SlotPath};
use tempfile::TempDir;

/// A machine: a directory for the node of one user.
struct Machine {
    runtime: TempDir,
    directory: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let runtime = tempfile::tempdir().expect("a directory");
        let directory = runtime.path().join("mailslot");
        DirBuilder::new().mode(0o700).create(&directory).expect("a directory");
        Self { runtime, directory }
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn client(&self) -> Client {
        client(self.directory())
    }

    fn create(&self, name: &str) -> SlotReader {
        try_create(&self.client(), name).expect("a new slot")
    }

    fn open(&self, name: &str) -> MailslotSender {
        try_open(&self.client(), name).expect("the slot is there")
    }

    /// Waits until the node has ended.
    fn wait_for_end(&self) {
        drop(Seat::take(self.directory()).expect("its place"));
    }

    /// This test program again, in the role `role` of the test `test`.
    fn child(&self, test: &str, role: &str) -> Command {
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", test, "--nocapture"]);
        child.env(DIRECTORY, self.directory()).env(ROLE, role);
        child.stdout(Stdio::null());
        child
    }

    /// The program, with this machine's slots.
    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mailslot"));
        program.env("XDG_RUNTIME_DIR", self.runtime.path()).env_remove("MAILSLOT_SOCKET");
        program
    }
}

const DIRECTORY: &str = "MAILSLOT_TEST_DIRECTORY";
const ROLE: &str = "MAILSLOT_TEST_ROLE";

/// The role of this process, if it is a child.
fn role() -> Option<(String, Client)> {
    let role = std::env::var(ROLE).ok()?;
    Some((role, client(Path::new(&std::env::var_os(DIRECTORY)?))))
}

fn client(directory: &Path) -> Client {
    Client::at(Places::in_directory(directory)).program(env!("CARGO_BIN_EXE_mailslot"))
}

fn path(name: &str) -> SlotPath {
    SlotPath::parse(&format!(r"\\.\mailslot\{name}")).expect("a path")
}

fn forever() -> CreateOptions {
    CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() }
}

fn try_create(client: &Client, name: &str) -> Result<SlotReader, LocalError> {
    client.create(&path(name), forever(), Admit::Default).map(SlotReader::from)
}

fn try_open(client: &Client, name: &str) -> Result<MailslotSender, LocalError> {
    let sender = client.open(&path(name), OpenOptions::default())?;
    Ok(MailslotSender::try_from(sender).expect("in another process"))
}

fn data(reader: &SlotReader) -> Vec<u8> {
    reader.recv().expect("a message").data.to_vec()
}

/// Kills and waits.
fn kill(mut child: Child) {
    child.kill().expect("it may be killed");
    child.wait().expect("it ends");
}
