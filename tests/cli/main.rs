//! The program, as its users run it.

#![cfg(feature = "cli")]

mod asking;
mod browse;
mod build;
mod damage;
mod decode;
mod fields;
mod generated;
mod inputs;
mod lan;
mod listen;
mod probes;
mod replay;
mod send;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod service;
mod terminal;
#[cfg(target_os = "linux")]
mod watch;
mod write;

use assert_cmd::Command;
use serde_json::Value;

/// The program, without the environment's settings.
fn mailslot() -> Command {
    let mut command = Command::cargo_bin("mailslot").unwrap();
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAILSLOT_")) {
        command.env_remove(name);
    }
    command
}

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the program with `args` and `input` as its standard input.
fn run(args: &[&str], input: &[u8]) -> Ran {
    let output = mailslot().args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs it as [`run`] does, expects success, and parses each line of its output as a JSON object.
fn objects(args: &[&str], input: &[u8]) -> Vec<Value> {
    let ran = run(args, input);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    parse(&ran.stdout)
}

fn parse(lines: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let objects: Vec<Value> = lines.lines().map(parse).collect();
    assert!(objects.iter().all(Value::is_object));
    objects
}

/// A file of `testdata/pcap`.
fn testdata(name: &str) -> String {
    format!("{}/testdata/pcap/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Compares `text` with the file `name` of `testdata/pcap`; with `MAILSLOT_BLESS` set, writes it there.
fn golden(name: &str, text: &str) {
    let path = testdata(name);
    if std::env::var_os("MAILSLOT_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (line, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{name}");
}
