//! The program over third parties' captures, which are read in place and never copied: `decode --verify` and
//! `replay`. `exceptions.tsv` lists the frames that do not come back byte for byte, with the reasons; the tests
//! fail if there is another one, and if one of them is gone.

#![cfg(feature = "cli")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// File and frame.
type Place = (String, u64);

fn captures() -> Option<Vec<PathBuf>> {
    let root = std::env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = root.join("captures/pcap");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", folder.display());
        return None;
    }
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    assert_eq!(paths.len(), 171, "{}", folder.display());
    Some(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Runs the program; whatever the capture holds, it ends in good order.
fn run(args: &[&str], path: &Path) -> Output {
    let program = assert_cmd::cargo::cargo_bin("mailslot");
    let output =
        Command::new(program).args(args).arg(path).env_remove("MAILSLOT_CODE_PAGE").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {}\n{errors}", path.display(), output.status);
    assert!(!errors.contains("panicked"), "{errors}");
    output
}

fn objects(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The list: file, frames (`7` or `1-1000`), reason.
fn exceptions() -> BTreeMap<Place, String> {
    let mut exceptions = BTreeMap::new();
    for line in include_str!("exceptions.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [file, frames, reason] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let (first, last) = frames.split_once('-').unwrap_or((frames, frames));
        for frame in first.parse().unwrap()..=last.parse().unwrap() {
            assert_eq!(
                exceptions.insert((file.to_owned(), frame), reason.to_owned()),
                None,
                "listed twice: {line}"
            );
        }
    }
    exceptions
}

#[test]
fn every_frame_comes_back_but_those_listed() {
    let Some(paths) = captures() else { return };
    let exceptions = exceptions();
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let (mut frames, mut mailslots, mut same, mut other) = (0, 0, 0, 0);
    let mut layouts: BTreeMap<String, u64> = BTreeMap::new();
    for path in &paths {
        for object in objects(&run(&["decode", "--json", "--verify"], path)) {
            frames += 1;
            if object["verify"].is_null() {
                // What is said of a TCP stream: bytes are missing, it ends inside a packet, it is SMB2.
                assert!(object["tcp"].is_object() && object["nbss"].is_null(), "{object}");
                frames -= 1;
                continue;
            }
            mailslots += u64::from(object["mailslot"].is_object());
            let place = (name(path), object["frame"].as_u64().unwrap());
            if object["verify"] == "same" {
                same += 1;
                let layout = object["layout"].as_str().unwrap_or("none").to_owned();
                *layouts.entry(layout).or_default() += u64::from(object["mailslot"].is_object());
                continue;
            }
            let found = match object["verify"].as_str() {
                Some("not_encoded") => without_offset(object["reason"].as_str().unwrap()),
                other => format!("{other:?}"),
            };
            let listed = exceptions.get(&place);
            assert_eq!(listed, Some(&found), "{place:?} is no exception that is listed");
            other += 1;
            seen.insert(place);
        }
    }
    let gone: Vec<_> = exceptions.keys().filter(|place| !seen.contains(place)).collect();
    assert!(gone.is_empty(), "these come back now, so strike them from exceptions.tsv: {gone:?}");
    eprintln!("{frames} units, {mailslots} mailslot messages, {same} the same, {} exceptions", seen.len());
    eprintln!("header layouts: {layouts:?}");
    assert_eq!(same + other, frames);
}

/// Where in the frame it stands is no part of the reason.
fn without_offset(reason: &str) -> String {
    match reason.split_once(" at offset ") {
        Some((start, rest)) => format!("{start}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => reason.to_owned(),
    }
}

#[test]
fn replay_gives_each_message_to_a_reader_or_a_reason() {
    let Some(paths) = captures() else { return };
    let (mut delivered, mut dropped) = (0, BTreeMap::new());
    for path in &paths {
        let output = run(&["replay", "--json"], path);
        let replayed = objects(&output);
        let (totals, messages) = replayed.split_last().unwrap();
        assert_eq!(totals["delivered"], messages.len(), "{}", path.display());
        delivered += messages.len();
        for (reason, count) in totals["dropped"].as_object().unwrap() {
            *dropped.entry(reason.clone()).or_insert(0) += count.as_u64().unwrap();
        }
        // What decode shows as a message, replay delivers.
        let decoded = objects(&run(&["decode", "--json"], path));
        let shown: Vec<&Value> = decoded
            .iter()
            // Replay has no sessions yet.
            .filter(|object| object["mailslot"].is_object() && object["nbdgm"].is_object())
            .collect();
        assert_eq!(messages.len(), shown.len(), "{}", path.display());
        for (message, object) in messages.iter().zip(shown) {
            assert_eq!(message["data"], object["mailslot"]["data"]);
            assert_eq!(message["time"], object["time"]);
            assert_eq!(message["from"], without_scope(&object["nbdgm"]["source_name"]));
            assert_eq!(message["to"], without_scope(&object["nbdgm"]["destination_name"]));
        }
        assert_eq!(run(&["replay", "--json"], path).stdout, output.stdout, "{}", path.display());
    }
    eprintln!("{delivered} delivered, dropped: {dropped:?}");
    assert!(delivered > 1000);
}

fn without_scope(name: &Value) -> &str {
    let name = name.as_str().unwrap();
    let end = name.find('>').unwrap() + 1;
    &name[..end]
}
