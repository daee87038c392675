//! Two terminals: `mailslot listen` in one, `mailslot send` in the other. `MAILSLOT_TRIES` asks for more tries than 10.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::killed::tries;
use crate::{Machine, kill};

/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// A `mailslot listen` that has its slots.
struct Terminal {
    child: Child,
    out: BufReader<ChildStdout>,
    said: Receiver<String>,
}

impl Terminal {
    fn listen(machine: &Machine, args: &[&str]) -> Self {
        let mut child = machine
            .program()
            .arg("listen")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (send, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        let terminal = Self { child, out, said };
        terminal.until("listening on this machine alone");
        terminal
    }

    /// Waits until standard error says this.
    fn until(&self, word: &str) {
        let mut all = String::new();
        loop {
            let line = self.said.recv_timeout(LONG).unwrap_or_else(|error| panic!("{error}: {all}"));
            if line.contains(word) {
                return;
            }
            all.push_str(&line);
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a pipe");
        line
    }
}

/// Exit status, standard output, standard error.
fn send(machine: &Machine, args: &[&str]) -> (Option<i32>, String, String) {
    let output = machine.program().arg("send").args(args).stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn one_listens_and_another_sends() {
    let machine = Machine::new();
    let (code, out, said) = send(&machine, &["//./mailslot/soda", "12 left"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains("ERROR_FILE_NOT_FOUND (2): there is no mailslot 'soda'"), "{said}");
    let mut soda = Terminal::listen(&machine, &["//./mailslot/soda", "--count", "3"]);
    let sent = send(&machine, &["//./mailslot/soda", "12 left"]);
    let expected = (Some(0), "7 bytes to \\\\.\\mailslot\\soda, local\n".to_owned(), String::new());
    assert_eq!(sent, expected);
    assert!(soda.line().ends_with(" soda from this machine 7 bytes \"12 left\"\n"));
    // Of any size, and nothing, and in any case.
    let long = "x".repeat(100_000);
    assert_eq!(send(&machine, &[r"\\.\mailslot\SODA", &long]).0, Some(0));
    assert!(soda.line().contains(" 100000 bytes \"xxx"));
    assert_eq!(send(&machine, &["//./mailslot/soda", ""]).0, Some(0));
    assert!(soda.line().ends_with(" 0 bytes\n"));
    assert_eq!(soda.child.wait().expect("it ends").code(), Some(0));
    assert_eq!(send(&machine, &["//./mailslot/soda", "x"]).0, Some(1));
    machine.wait_for_end();
}

#[test]
fn a_name_that_is_taken_is_183_and_time_passes() {
    let machine = Machine::new();
    let _soda = Terminal::listen(&machine, &["//./mailslot/soda"]);
    let output = machine.program().args(["listen", "//./mailslot/Soda"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("ERROR_ALREADY_EXISTS (183)"), "{said}");
    let late = machine.program().args(["listen", "--timeout", "0.01", "//./mailslot/late"]).output();
    assert_eq!(late.expect("it runs").status.code(), Some(1));
}

/// On Windows these all reach local slots. This test does not touch a network: the machine's own name is asked of its
/// node first.
#[test]
fn the_machines_own_name_reaches_local_slots() {
    let machine = Machine::new();
    let mut soda = Terminal::listen(&machine, &["//./mailslot/soda"]);
    let host = nix::unistd::gethostname().expect("a name").into_string().expect("UTF-8");
    let host = host.split('.').next().unwrap_or_default();
    if host.is_empty() || host.len() > 15 {
        println!("SKIPPED: this host's name is no computer name");
        return;
    }
    let (code, out, said) = send(&machine, &["--json", &format!("//{host}/mailslot/soda"), "x"]);
    assert_eq!(code, Some(0), "{said}");
    let sent: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&sent["way"], &sent["local"]), (&"local".into(), &true.into()), "{out}");
    assert!(soda.line().ends_with(" 1 bytes \"x\"\n"));
}

#[test]
fn a_killed_listener_leaves_its_name_to_the_next() {
    let machine = Machine::new();
    for number in 0..tries() {
        let mut soda = Terminal::listen(&machine, &["//./mailslot/soda"]);
        // A sender that writes all the time is at some moment of it; it fails, or not, and is not hurt.
        let sender = machine
            .program()
            .args(["send", "//./mailslot/soda", "--repeat", "20", "12 left"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        for _ in 0..number % 20 {
            assert!(soda.line().ends_with("\"12 left\"\n"));
        }
        kill(soda.child);
        let output = sender.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => assert_eq!(said, ""),
            Some(1) => assert!(said.contains("ERROR_FILE_NOT_FOUND (2)"), "{said}"),
            _ => panic!("{:?}: {said}", output.status),
        }
        if number % 4 == 3 {
            machine.wait_for_end();
        }
    }
}

#[test]
fn a_killed_sender_hurts_no_listener() {
    let machine = Machine::new();
    let mut soda = Terminal::listen(&machine, &["//./mailslot/soda"]);
    for number in 0..tries() {
        let mut sender = machine
            .program()
            .args(["send", "//./mailslot/soda", "--repeat", "1000000", &format!("<{number}>")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        // It is somewhere in its loop.
        sender.stdout.as_mut().expect("piped").read_exact(&mut [0; 40]).expect("it sends");
        kill(sender);
        let (code, _, said) = send(&machine, &["//./mailslot/soda", &format!("end {number}")]);
        assert_eq!(code, Some(0), "{said}");
        let end = format!("\"end {number}\"\n");
        let own = format!("\"<{number}>\"\n");
        loop {
            let line = soda.line();
            if line.ends_with(&end) {
                break;
            }
            assert!(line.ends_with(&own), "{line}");
        }
    }
}

/// The node itself is nobody's terminal; whoever kills it loses what it held, and nothing else.
#[test]
fn a_killed_node_is_replaced_by_its_listener() {
    let machine = Machine::new();
    let mut soda = Terminal::listen(&machine, &["//./mailslot/soda"]);
    for number in 0..tries() {
        let node = machine.client().node().expect("a node").pid;
        let killed = std::process::Command::new("kill").args(["-s", "KILL", &node.to_string()]).status();
        assert!(killed.expect("it runs").success());
        soda.until("creating the mailslot 'soda' again");
        // Before the slot is there again, sending says that it is not.
        let message = number.to_string();
        while send(&machine, &["//./mailslot/soda", &message]).0 != Some(0) {}
        assert!(soda.line().ends_with(&format!("\"{number}\"\n")));
    }
}
