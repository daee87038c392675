//! `mailslot browse --watch`, in a terminal that script(1) makes.

use std::io::{ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::browse::announce;
use crate::lan::Lan;

/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// Leaves the other screen, and shows the cursor.
const GIVEN_BACK: [&str; 2] = ["\x1b[?1049l", "\x1b[?25h"];

/// A terminal of 80 columns and 24 lines with the program on it.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What was written on it so far.
    shown: String,
    directory: TempDir,
}

impl Terminal {
    /// `None` where there is no script(1).
    fn start(lan: &Lan) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let program = crate::mailslot().get_program().to_str().unwrap().to_owned();
        let watch = format!("{program} {}", lan.args(&["browse", "--watch"]).join(" "));
        let pid = directory.path().join("pid");
        let pid = pid.display();
        let commands = format!(
            "stty rows 24 cols 80; before=$(stty -g)
            sh -c 'echo $$ > {pid}; exec {watch}'; echo \"status $?\"
            test \"$before\" = \"$(stty -g)\" && echo as before; echo =end="
        );
        let script = Command::new("script")
            .args(["-qefc", &commands, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut script = match script {
            Ok(script) => script,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("SKIPPED: there is no script(1)");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let keys = script.stdin.take().unwrap();
        let mut stdout = script.stdout.take().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self { script, keys, output, shown: String::new(), directory })
    }

    fn wait_for(&mut self, text: &str) {
        // The screen is written anew every second.
        let end = Instant::now() + LONG;
        while !self.shown.contains(text) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{error}; no '{text}' in: {}", self.shown),
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
    }

    /// The program has ended with this status, and the terminal is as it was.
    fn assert_over(mut self, status: u8) {
        self.wait_for("=end=");
        for wanted in GIVEN_BACK.into_iter().chain([format!("status {status}").as_str(), "as before"]) {
            assert!(self.shown.contains(wanted), "no {wanted:?} in: {:?}", self.shown);
        }
        assert!(self.script.wait().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.script.kill();
        _ = self.script.wait();
    }
}

#[test]
fn what_is_heard_is_on_the_screen_and_q_gives_the_terminal_back() {
    let lan = Lan::new();
    let Some(mut terminal) = Terminal::start(&lan) else { return };
    terminal.wait_for("announced");
    announce(&lan);
    // Single words: what was on the screen before, a space is enough, is not written again.
    for word in ["PRINTER", "w\u{fc}ndow", "WAREHOUSE", "CHIEF", "LANMAN"] {
        terminal.wait_for(word);
    }
    terminal.press(b"?");
    terminal.wait_for("authenticated");
    terminal.press(b"xq");
    terminal.assert_over(0);
}

#[test]
fn ctrl_c_and_signals_give_the_terminal_back() {
    for signal in [None, Some("TERM"), Some("HUP"), Some("INT")] {
        let lan = Lan::new();
        let Some(mut terminal) = Terminal::start(&lan) else { return };
        terminal.wait_for("announced");
        match signal {
            None => terminal.press(b"\x03"),
            Some(signal) => {
                let pid = std::fs::read_to_string(terminal.directory.path().join("pid")).unwrap();
                let killed = Command::new("kill").args(["-s", signal, pid.trim()]).status().unwrap();
                assert!(killed.success());
            }
        }
        terminal.assert_over(0);
    }
}

#[test]
fn without_a_terminal_it_is_wrong_use() {
    let ran = Lan::new().run(&["browse", "--watch"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("standard output is none; --passive SECONDS prints a list"),
        "{}",
        ran.stderr
    );
}
