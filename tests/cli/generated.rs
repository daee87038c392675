//! What is made from the command line's definition: help, completions, manual pages.

use std::fs;

use crate::run;

const COMMANDS: [&str; 16] = [
    "capture",
    "browse",
    "browser",
    "ls",
    "info",
    "decode",
    "replay",
    "listen",
    "send",
    "lookup",
    "status",
    "names",
    "demo",
    "serve",
    "completions",
    "man",
];

#[test]
fn every_command_has_help() {
    let whole = run(&["--help"], b"");
    assert_eq!((whole.code, whole.stderr.as_str()), (Some(0), ""));
    assert!(whole.stdout.contains("Exit status: 0 done, 1 nothing matched"));
    for command in COMMANDS {
        assert!(whole.stdout.contains(&format!("\n  {command} ")), "{}", whole.stdout);
        for args in [[command, "--help"], [command, "-h"], ["help", command]] {
            let ran = run(&args, b"");
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
            assert!(ran.stdout.contains(&format!("Usage: mailslot {command}")), "{}", ran.stdout);
            assert!(ran.stdout.lines().all(|line| line.len() <= 100), "{}", ran.stdout);
        }
    }
    for command in ["decode", "replay", "listen", "send", "serve"] {
        assert!(run(&[command, "--help"], b"").stdout.contains("Examples:\n"));
    }
}

#[test]
fn wrong_use_is_exit_2() {
    for args in [
        &[][..],
        &["nonsense"],
        &["decode", "--nonsense", "-"],
        &["decode", "--stats", "--verify", "-"],
        &["decode", "--code-page", "1252", "-"],
        &["decode", "--name", "A NAME OF MORE THAN FIFTEEN", "-"],
        &["decode", "--slot", "[", "-"],
        &["replay", "--as", "NAME<1>", "-"],
        &["replay", "--profile", "nt5", "-"],
        &["completions", "tcsh"],
    ] {
        let ran = run(args, b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn version() {
    let ran = run(&["--version"], b"");
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("mailslot {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell], b"");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["decode", "replay", "verify"] {
            assert!(ran.stdout.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn manual_pages() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("share/man/man1");
    let ran = run(&["man", pages.to_str().unwrap()], b"");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("mailslot.1").contains(".TH mailslot 1"));
    for command in COMMANDS {
        assert!(page(&format!("mailslot-{command}.1")).contains(".SH SYNOPSIS"));
    }
}

/// Nobody, not even root, can make a directory below a file.
#[test]
fn manual_pages_that_cannot_be_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("man");
    let below = below.to_str().unwrap();
    let ran = run(&["man", below], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.starts_with(&format!("mailslot: {below}: ")), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1);
}
