//! Programs on LANs inside this machine, each test on one of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::{Ran, run};

/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(60);

static LANS: AtomicU16 = AtomicU16::new(0);

/// The options of a LAN that no other test has, and hardly another process.
pub(crate) struct Lan {
    names: u16,
    options: [String; 3],
}

impl Lan {
    pub(crate) fn new() -> Self {
        loop {
            let place = u16::try_from(std::process::id() % 100).unwrap();
            let names = 20_000 + 120 * place + 2 * LANS.fetch_add(1, Ordering::Relaxed);
            // What another program of this machine has is passed over.
            let is_free = |port| UdpSocket::bind(("127.255.255.255", port)).is_ok();
            if is_free(names) && is_free(names + 1) {
                let options = [
                    "--loopback".to_owned(),
                    format!("--name-port={names}"),
                    format!("--datagram-port={}", names + 1),
                ];
                return Self { names, options };
            }
        }
    }

    pub(crate) fn datagram_port(&self) -> u16 {
        self.names + 1
    }

    /// `args` with the options of this LAN behind the command.
    pub(crate) fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec![args[0]];
        all.extend(self.options.iter().map(String::as_str));
        all.extend(&args[1..]);
        all
    }

    /// Runs a command that ends by itself.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Ran {
        run(&self.args(args), input)
    }

    /// Starts `listen` and waits until it has its names.
    pub(crate) fn listen(&self, args: &[&str]) -> Running {
        let mut running = self.start(&[&["listen"], args].concat());
        running.wait_for("listening as ");
        running
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let program = crate::mailslot();
        let mut command = Command::new(program.get_program());
        for (name, value) in program.get_envs() {
            assert!(value.is_none());
            command.env_remove(name);
        }
        command.args(self.args(args));
        Running::start(command)
    }
}

/// A program that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    lines: Receiver<String>,
    /// Standard error so far.
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, stdout, lines, stderr: String::new() }
    }

    /// Waits until standard error says this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.stderr.contains(text) {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => self.stderr.push_str(&format!("{line}\n")),
                Err(error) => panic!("{error}; no '{text}' in: {}", self.stderr),
            }
        }
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn object(&mut self) -> serde_json::Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}; {}", self.stderr))
    }

    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn interrupt(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let mut stdout = Vec::new();
        if let Some(mut rest) = self.stdout.take() {
            rest.read_to_end(&mut stdout).unwrap();
        }
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => self.stderr.push_str(&format!("{line}\n")),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error}: {}", self.stderr),
            }
        }
        let code = self.child.wait().unwrap().code();
        Ran { code, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr: self.stderr.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
