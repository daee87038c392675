//! Where a capture can come from: a file by argument or `-r`, standard input, gzip, pcapng.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::{build, mailslot, run};

fn sample() -> Vec<Vec<u8>> {
    let announcement = build::announcement(b"PC1", b"hello");
    vec![
        build::message("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement),
        build::message("PC1", "PC2", br"\MAILSLOT\app", b"one"),
    ]
}

#[test]
fn every_way_in_gives_the_same() {
    let plain = build::pcap(&sample());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lan.pcap");
    std::fs::write(&path, &plain).unwrap();
    let path = path.to_str().unwrap();
    for command in ["decode", "replay"] {
        let expected = run(&[command, path], b"");
        assert_eq!((expected.code, expected.stderr.as_str()), (Some(0), ""));
        assert_eq!(expected.stdout.lines().count(), if command == "decode" { 2 } else { 3 });
        assert_eq!(run(&[command, "-r", path], b""), expected);
        assert_eq!(run(&[command, "--read", path], b""), expected);
        assert_eq!(run(&[command, "-"], &plain), expected);
        assert_eq!(run(&[command, "-r", "-"], &plain), expected);
        assert_eq!(run(&[command, "-"], &build::gzip(&plain)), expected);
        assert_eq!(run(&[command, "-"], &build::pcapng(&sample())), expected);
        assert_eq!(run(&[command, "-"], &build::gzip(&build::pcapng(&sample()))), expected);
    }
}

#[test]
fn one_input_and_no_other() {
    for args in [&["decode"][..], &["replay"], &["decode", "a", "-r", "b"], &["decode", "a", "b"]] {
        let ran = run(args, b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

/// Lines come while the sender still holds its end of the pipe open.
#[test]
fn lines_from_a_pipe_come_at_once() {
    for command in ["decode", "replay"] {
        let mut child = Command::new(mailslot().get_program())
            .args([command, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        std::io::Write::write_all(&mut input, &build::pcap(&sample())).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.contains("BROWSE"), "{line}");
        drop(input);
        output.read_to_string(&mut line).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// `mailslot … | head -1`, also with standard error in the same pipe: no panic, no words about it.
#[test]
fn a_closed_pipe_is_no_error() {
    let file = build::pcap(&sample().into_iter().cycle().take(40_000).collect::<Vec<_>>());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lan.pcap");
    std::fs::write(&path, &file).unwrap();
    for args in
        [&["decode"][..], &["decode", "--json"], &["decode", "--verify"], &["replay"], &["replay", "--json"]]
    {
        let mut child = Command::new(mailslot().get_program())
            .args(args)
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        drop(output);
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]), "{args:?}");
    }
}

#[test]
fn a_closed_standard_error_is_no_error() {
    let damaged = build::pcap(&[b"damaged".to_vec()]);
    let mut child = Command::new(mailslot().get_program())
        .args(["decode", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &damaged).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
