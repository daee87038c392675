//! Compiles C against the headers and the library, and runs it with a node of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing here takes so long.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The `mailslot` program, which is what a node is started with.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(program) = std::env::var_os("MAILSLOT_PROGRAM") {
        return program.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = root.join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "-q", "--bin", "mailslot", "--target-dir"])
        .arg(&target)
        .current_dir(&root)
        .status();
    assert!(built.unwrap().success(), "the program is not built");
    target.join("debug/mailslot").canonicalize().unwrap()
});

/// Whether `compiler` is there; says so if it is not.
pub(crate) fn has(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: no {compiler} here");
    }
    found
}

/// A file or directory of the shared material; says so if it is not there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    if !path.exists() {
        eprintln!("SKIPPED: no {} here", path.display());
        return None;
    }
    Some(path.canonicalize().unwrap())
}

/// A directory with compiled programs and a node.
pub(crate) struct Bench {
    directory: TempDir,
}

#[derive(Clone, Copy)]
pub(crate) enum Linked {
    Shared,
    Static,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Compiles `source` where it lies.
    pub(crate) fn compile(&self, compiler: &str, source: &Path, flags: &[&str], linked: Linked) -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let libraries = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let flat = flags.join("").replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let name = format!(
            "{}{flat}{}",
            source.file_stem().unwrap().display(),
            u8::from(matches!(linked, Linked::Static))
        );
        let program = self.directory.path().join(name);
        let mut command = Command::new(compiler);
        command.args(flags).arg("-I").arg(here.join("include")).arg(source).arg("-o").arg(&program);
        command.args(["-x", "none"]);
        match linked {
            Linked::Shared => {
                command.arg(libraries.join("libmailslot.so"));
                // As installed: programs look for the name with its number.
                let named = self.directory.path().join("libmailslot.so.0");
                if !named.exists() {
                    std::os::unix::fs::symlink(libraries.join("libmailslot.so"), named).unwrap();
                }
                command.arg(format!("-Wl,-rpath,{}", self.directory.path().display()));
            }
            Linked::Static => {
                command.arg(libraries.join("libmailslot.a")).args(["-lpthread", "-ldl", "-lm"]);
            }
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&output.stderr));
        program
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("XDG_RUNTIME_DIR", self.directory.path());
        command.env("MAILSLOT_PROGRAM", &*PROGRAM);
        command.env_remove("MAILSLOT_SOCKET").current_dir(self.directory.path());
        command
    }

    /// Runs a program to its end; gives what it printed. `void main` gives no exit status to speak of.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> String {
        said(&self.command(program).args(arguments).stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn start<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> Running {
        let mut command = self.command(program);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Running { child, lines }
    }
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Tries until it succeeds.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + LONG;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < until, "{what}: not within {LONG:?}");
        std::thread::yield_now();
    }
}

/// A program that runs, line by line.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LONG).expect("a line in time")
    }

    /// What it still says, to its end.
    pub(crate) fn rest(&self) -> Vec<String> {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => rest.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; it said {rest:?}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
