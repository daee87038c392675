//! `decode --write` and `capture`.

use std::fs;

use predicates::prelude::*;

use crate::{mailslot, objects, run, testdata};

/// Without the frame's number, which is another in another file.
fn without_numbers(args: &[&str]) -> Vec<serde_json::Value> {
    let mut all = objects(args, b"");
    for object in &mut all {
        object.as_object_mut().unwrap().remove("frame");
    }
    all
}

#[test]
fn what_is_shown_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (ending, magic) in [("pcap", [0xd4, 0xc3, 0xb2, 0xa1]), ("pcapng", [0x0a, 0x0d, 0x0d, 0x0a])] {
        let file = folder.path().join(format!("out.{ending}"));
        let file = file.to_str().unwrap();
        for filter in [&["--name", "PDC1"][..], &["--command", "NetServerEnum2"], &["--slot", "browse"], &[]]
        {
            let input = testdata("nmbd-domain-master.pcap");
            let shown = without_numbers(&[&["decode", "--json", &input], filter].concat());
            let ran = run(&[&["decode", "--write", file, &input], filter].concat(), b"");
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            assert_eq!(ran.stdout.lines().count(), shown.len());
            assert!(ran.stderr.contains(" frames written to "), "{}", ran.stderr);
            assert!(fs::read(file).unwrap().starts_with(&magic));
            let again = without_numbers(&[&["decode", "--json", file], filter].concat());
            assert_eq!(again, shown, "{filter:?}");
        }
    }
}

/// IP fragments, of which the last one shows the message, are written all.
#[test]
fn frames_of_one_message_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fragments.pcap");
    let file = file.to_str().unwrap();
    let input = testdata("app-mailslots.pcap");
    let shown = without_numbers(&["decode", "--json", "--slot", "foo", &input]);
    assert!(shown.iter().any(|object| object["mailslot"]["size"] == 4093), "it has a fragmented message");
    run(&["decode", "--write", file, "--slot", "foo", &input], b"");
    assert_eq!(without_numbers(&["decode", "--json", file]), shown);
}

#[test]
fn standard_output_holds_the_capture_alone() {
    let input = testdata("browse-client.pcap");
    let output = mailslot().args(["decode", "--write", "-", &input]).output().unwrap();
    assert!(output.status.success());
    let through = objects(&["decode", "--json", "-"], &output.stdout);
    assert_eq!(through.len(), objects(&["decode", "--json", &input], b"").len());
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let ran = run(&["decode", "--write", "/nowhere/x.pcap", &testdata("browse-client.pcap")], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("mailslot: /nowhere/x.pcap: "), "{}", ran.stderr);
}

#[test]
fn capture_needs_an_interface_that_is_there() {
    mailslot().arg("capture").assert().code(2).stderr(predicate::str::contains("--interface"));
    let wrong = mailslot().args(["capture", "-i", "nope0"]).assert().code(2);
    wrong.stderr(predicate::str::contains("there is no interface \"nope0\"; there are: "));
}

#[cfg(target_os = "linux")]
#[test]
fn capture_lists_the_interfaces() {
    let ran = run(&["capture", "--list"], b"");
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout.lines().any(|line| line.starts_with("lo ") && line.contains("127.0.0.1/8")),
        "{}",
        ran.stdout
    );
}
