//! The Win32 probes of the shared kit, compiled where they lie, against what was recorded.
//!
//! Each case is equal, or differs as one of the reasons below says, or fails the test. Cases of `p_life` (processes that
//! inherit handles) and `p_nt` (native calls) need more than this library has.

use std::collections::HashMap;
use std::process::Stdio;

use crate::support::{Bench, Linked, has, said, shared};

/// Cases by pattern (`*` at the end), what they are here, and why that is not what Wine gives.
const REASONS: [(&str, &str, &str); 39] = [
    ("name.open-root", "result=fail lasterror=183", DEVICE),
    ("name.open-class", "result=fail lasterror=183", DEVICE),
    ("open.root.GW", "result=fail lasterror=183", DEVICE),
    (
        "name.ansi-e9",
        "result=fail lasterror=1113",
        "strings of the A functions are UTF-8, not of code page 1252",
    ),
    ("name.len.*", "result=ok", "overrides: 206 is a check of Wine's own; the native limit is 32,766 units"),
    ("open.access.GENERIC_READ", "result=ok lasterror=- ntstatus=- data=write=fail:5 read=fail:87", READS),
    ("open.access.GR|GW", "result=ok lasterror=- ntstatus=- data=write=ok:0 read=fail:87", READS),
    ("open.access.GENERIC_ALL", "result=ok lasterror=- ntstatus=- data=write=ok:0 read=fail:87", READS),
    ("open.access.FILE_READ_DATA", "result=ok lasterror=- ntstatus=- data=write=fail:5 read=fail:87", READS),
    ("open.share.*", "result=ok", SHARES),
    ("open.second.*", "result=ok", SHARES),
    (
        "create.after-server-closed-client-open",
        "result=ok",
        "overrides: the slot ends with its last server handle",
    ),
    ("role.client-info", "result=ok", "overrides: Windows 8 and later tell it through a client handle"),
    ("role.*-filesize", REFUSED, OUTSIDE),
    ("role.server-seek", REFUSED, OUTSIDE),
    ("role.*-flush", REFUSED, OUTSIDE),
    ("fs.getattributes-*", REFUSED, OUTSIDE),
    ("fs.deletefile", REFUSED, OUTSIDE),
    ("fs.findfirst-star", REFUSED, OUTSIDE),
    ("fs.waitnamedpipe", REFUSED, OUTSIDE),
    ("info.disk-file-handle", "result=fail lasterror=6", OUTSIDE),
    ("size.over.max16.write17", OVER_MAX, "overrides: the reader never sees it"),
    ("size.max1.max1.write2", OVER_MAX, "overrides: the reader never sees it"),
    ("setinfo.while-read-pending.600-to-forever", CLOSED, REUSED),
    ("setinfo.while-read-pending.2000-to-100", CLOSED, REUSED),
    ("read.pending-finished", CLOSED, REUSED),
    ("remote.*.open", "result=ok", "overrides: of a remote path nothing is checked when it is opened"),
    ("remote.star.write-*", "result=ok", "Wine opened no remote path; `*` reaches this machine's slots too"),
    ("remote.own-name.write-*", "result=ok", "Wine opened no remote path; the machine's own name is local"),
    (
        "remote.*.write-*",
        "result=fail lasterror=53",
        "Wine opened no remote path; a user's node has no network",
    ),
    (
        "ov.server-handle-kind",
        "result=fail lasterror=997",
        "overrides: the handle of CreateMailslot is asynchronous",
    ),
    (
        "ov.two-pending-small-first.info",
        "result=ok lasterror=- ntstatus=- data=max=0 next=NO_MESSAGE count=0 timeout=-1",
        "Wine tells the native time-out -1, for ever, as 0 ms",
    ),
    ("ov.readfileex.call", REFUSED, PORTS),
    ("ov.readfileex.apc", "result=info lasterror=- ntstatus=- data=err=-1 n=-1", PORTS),
    ("ov.iocp.*", REFUSED, PORTS),
    (
        "ov.close-with-pending.event*",
        "result=info lasterror=- ntstatus=- data=wait=0 internal=c0000120",
        CLOSING,
    ),
    ("ov.close-with-pending.write-after", CLOSED, CLOSING),
    ("ov.close-with-sync-pending", "result=info lasterror=- ntstatus=- data=read-ok=0 ended soon", CLOSING),
    ("remote.unc-qmark.open", "result=ok", "overrides: unverified"),
];
const PORTS: &str = "there are no completion routines and ports";
const CLOSING: &str = "overrides: reads end and the slot goes when its last server handle is closed";
const DEVICE: &str = "Wine opens the device itself, which is outside the registry";
const READS: &str = "overrides (role.client-read): a client handle with read access gets 87";
const SHARES: &str = "overrides: since Vista share modes are not checked";
const REFUSED: &str = "result=fail lasterror=1";
const OUTSIDE: &str = "overrides: no call on a mailslot";
const OVER_MAX: &str = "result=fail lasterror=87";
const CLOSED: &str = "result=fail lasterror=6";
const REUSED: &str = "the probe reads a handle that it has closed, whose number Wine gives to the next slot";

fn matches(pattern: &str, case: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == case,
        Some((start, end)) => case.strip_prefix(start).is_some_and(|rest| match end.split_once('*') {
            None => rest.ends_with(end),
            Some((middle, _)) => rest.contains(middle),
        }),
    }
}

/// Whether the line is the same but for a wait that took longer, as it may on a loaded machine; what should not wait at
/// all must not.
fn is_late(recorded: &str, got: &str) -> bool {
    let mut longer = false;
    let alike = |(recorded, got): (&str, &str)| {
        let waits = (recorded.split_once("wait=about-"), got.split_once("wait=longer-than-"));
        match waits {
            (Some(wanted), Some(took)) => {
                longer = true;
                wanted == took
            }
            _ => recorded == got,
        }
    };
    let words = || (recorded.split(' '), got.split(' '));
    let (of_recorded, of_got) = words();
    words().0.count() == words().1.count() && of_recorded.zip(of_got).all(alike) && longer
}

/// Whether a line starts as listed; a number that the list ends with is the whole number.
fn begins(line: &str, listed: &str) -> bool {
    line.strip_prefix(listed).is_some_and(|rest| {
        !listed.ends_with(|last: char| last.is_ascii_digit())
            || !rest.starts_with(|next: char| next.is_ascii_digit())
    })
}

fn compare(probe: &str, at_least: usize) {
    let Some(kit) = shared("win32") else { return };
    if !has("gcc") {
        return;
    }
    let bench = Bench::new();
    let flags = ["-w", "-O1", "-fshort-wchar", "-DMAILSLOT_WIN32_PRINTF"];
    let program = bench.compile("gcc", &kit.join(format!("p_{probe}.c")), &flags, Linked::Shared);
    let recorded = std::fs::read_to_string(kit.join("wine-10.0.expected")).expect("the recorded cases");
    let recorded: HashMap<_, _> = recorded.lines().filter_map(|line| line.split_once(": ")).collect();
    let output = bench.command(&program).stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{probe} ends with {}", output.status);
    let found = sort(&said(&output), &recorded);
    eprintln!(
        "p_{probe}: {} equal, {} equal but late, different: {:#?}",
        found.equal, found.late, found.reasons
    );
    assert!(found.wrong.is_empty(), "without a reason:\n{}", found.wrong.join("\n"));
    let equal = found.equal + found.late;
    assert!(equal >= at_least, "{equal} equal, fewer than {at_least}");
}

#[derive(Default)]
struct Found {
    equal: usize,
    late: usize,
    reasons: HashMap<&'static str, usize>,
    wrong: Vec<String>,
}

fn sort(said: &str, recorded: &HashMap<&str, &str>) -> Found {
    let mut found = Found::default();
    for (case, got) in said.lines().filter_map(|line| line.split_once(": ")) {
        let expected = recorded.get(case).copied();
        let reason = REASONS.iter().find(|(pattern, ..)| matches(pattern, case));
        if expected == Some(got) {
            found.equal += 1;
        } else if let Some((_, _, why)) = reason.filter(|(_, here, _)| begins(got, here)) {
            *found.reasons.entry(why).or_default() += 1;
        } else if expected.is_some_and(|expected| is_late(expected, got)) {
            found.late += 1;
        } else {
            let expected = expected.unwrap_or("nothing");
            found.wrong.push(format!("{case}\n  recorded {expected}\n  here     {got}"));
        }
    }
    found
}

#[test]
fn names() {
    compare("names", 103);
}

#[test]
fn opening() {
    compare("open", 54);
}

#[test]
fn data() {
    compare("data", 73);
}

#[test]
fn info() {
    compare("info", 62);
}

#[test]
fn overlapped() {
    compare("ov", 39);
}

#[test]
fn remote() {
    compare("remote", 13);
}
