//! The recorded cases: what `wine-10.0.expected` says, except where `overrides.tsv` says that Wine is not Windows.
//!
//! Every recorded case is compared, decided otherwise in [`DECIDED`], or left out in [`LEFT_OUT`] with the reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mailslot::slot::ShareRules;

use crate::recorded_cases::run;

/// Cases that are about Win32 mechanics which have no counterpart here.
const LEFT_OUT: &[(&str, &str)] = &[
    ("name.ansi-*", "the ANSI entry points and their code page"),
    ("name.open-root", "opens the device, no mailslot"),
    ("name.open-class", "opens the device, no mailslot"),
    ("open.root.*", "opens the device, no mailslot"),
    ("open.present.disp.OPEN_ALWAYS", "last error after a success"),
    ("role.filetype", "other file functions on a mailslot handle"),
    ("role.*-filesize", "other file functions on a mailslot handle"),
    ("role.server-seek", "other file functions on a mailslot handle"),
    ("role.*-flush", "other file functions on a mailslot handle"),
    ("fs.*", "other file functions on a mailslot path"),
    ("read.null-buffer*", "a null pointer"),
    ("write.null-buffer-5", "a null pointer"),
    ("info.null.all", "a null pointer"),
    ("info.*-handle", "a handle that is invalid, closed or of another kind"),
    ("setinfo.*-handle", "a handle that is invalid, closed or of another kind"),
    ("read.*-handle", "a handle that is invalid, closed or of another kind"),
    ("write.closed-handle", "a handle that is invalid, closed or of another kind"),
    ("life.close-twice", "a handle that is invalid, closed or of another kind"),
    ("inherit2.sethandleinformation", "handle inheritance flags"),
    ("inherit.child-read-not-inherited", "handle inheritance flags"),
    ("ov.cancelio-nothing-pending", "CancelIo hides what CancelIoEx tells"),
    ("ov.cancelioex-client", "a writer has no reads to cancel"),
    ("ov.timeout0.call", "whether the call or the event tells it; Windows unknown"),
    ("ov.small-buffer-present.result", "the event of a call that failed"),
    ("ov.readfileex.*", "asynchronous procedure calls"),
    ("ov.iocp.*", "completion ports"),
    ("ov.client-*", "OVERLAPPED on a write, which never waits"),
    ("nt.create-dup-openif", "object attributes of the native call"),
    ("nt.create-dup-case-sensitive-attr", "object attributes of the native call"),
    ("nt.create-empty-name", "object attributes of the native call"),
    ("nt.create-no-name", "object attributes of the native call"),
    ("nt.create-device-path", "the object name space outside \\??\\"),
    ("nt.query-short-buffer", "the native call's buffer"),
    ("nt.set-pointer-style*", "the native call's buffer"),
];

const OK: &str = "result=ok lasterror=- ntstatus=- data=";
const GONE: &str = "result=fail lasterror=6(INVALID_HANDLE) ntstatus=0xc0000008 data=";
const OVER: &str = "result=fail lasterror=87(INVALID_PARAMETER) ntstatus=0xc000000d data=";
const CREATE_REMOTE: &str = "result=fail lasterror=3(PATH_NOT_FOUND) ntstatus=0xc000003a data=";

/// What the registry does where `overrides.tsv` has a row: the start of the line, and its end (`*` is anything).
const DECIDED: &[(&str, &str, &str)] = &[
    // The handle of these two cases is write-only.
    ("role.client-read-*", "result=fail lasterror=5(ACCESS_DENIED) ntstatus=0xc0000022 data=", ""),
    ("role.client-info", OK, "max=16 next=3 count=1 timeout=0"),
    ("nt.read-client", "result=fail lasterror=- ntstatus=0xc0000022 data=", ""),
    ("nt.query-client", "result=ok lasterror=- ntstatus=0x00000000 data=", "max=8 next=4 count=1 timeout=0"),
    ("nt.write-server-opened-GRW", "result=fail lasterror=- ntstatus=0xc000000d data=", ""),
    ("open.share.*", OK, ""),
    ("open.second.GR-R.*", OK, "first=1"),
    ("open.second.GRW-RW.GRW-RW", OK, "first=1"),
    ("open.second.GW-*", OK, ""),
    ("dup.second-open-while-duplicate-holds-share", OK, ""),
    ("size.over.max16.write17", OVER, "written=0 next=-1 count=0 read=fail:121 same=no"),
    ("size.max1.max1.write2", OVER, "written=0 next=-1 count=0 read=fail:121 same=no"),
    ("nt.write-over-max", "result=fail lasterror=- ntstatus=0xc000000d data=", ""),
    ("nt.read-after-over-max", "result=fail lasterror=- ntstatus=0xc00000b5 data=", ""),
    ("life.write*-after-server-closed", GONE, "n=0"),
    (
        "life.open-after-server-closed-client-open",
        "result=fail lasterror=2(FILE_NOT_FOUND) ntstatus=0xc0000034 data=",
        "",
    ),
    ("nt.write-after-server-closed", "result=fail lasterror=- ntstatus=0xc0000008 data=", ""),
    ("life.recreate-while-old-client-open", OK, ""),
    ("create.after-server-closed-client-open", OK, ""),
    ("dup.write-after-last-server-handle-closed", GONE, ""),
    ("inherit.write-after-child-exit", GONE, ""),
    ("inherit.child-read", OK, "n=9 bytes=for-child"),
    ("inherit.child-setinfo", OK, ""),
    ("inherit.child-info", OK, "max=0 next=NO_MESSAGE count=0 timeout=321"),
    ("inherit.parent-info-after-child-read", OK, "max=0 next=NO_MESSAGE count=0 timeout=0"),
    ("inherit.parent-info-after-child-setinfo", OK, "max=0 next=NO_MESSAGE count=0 timeout=321"),
    (
        "ov.server-handle-kind",
        "result=fail lasterror=997(IO_PENDING) ntstatus=0x00000103 data=",
        "call-returned-at-once(handle is asynchronous)",
    ),
    ("ov.close-with-pending.event*", "result=info lasterror=- ntstatus=- data=", "wait=0 internal=c0000120"),
    ("ov.close-with-pending.write-after", GONE, ""),
    (
        "ov.close-with-sync-pending",
        "result=info lasterror=- ntstatus=- data=",
        "read-ok=0 ended soon after the close",
    ),
    ("name.len.*", "result=ok lasterror=- ntstatus=- data=total-chars=", "reopen=ok"),
    ("remote.*.open", OK, "*"),
    ("name.own-computername-create", CREATE_REMOTE, r"name=\\<computername>\mailslot\msp_a"),
    ("name.*-create", CREATE_REMOTE, "*"),
    // These follow from `role.client-read-*`: the handle has read access.
    ("open.access.GENERIC_READ", OK, "write=fail:5 read=fail:87"),
    ("open.access.GR|GW", OK, "write=ok:0 read=fail:87"),
    ("open.access.GENERIC_ALL", OK, "write=ok:0 read=fail:87"),
    ("open.access.FILE_READ_DATA", OK, "write=fail:5 read=fail:87"),
];

/// Decided cases that no pattern of `overrides.tsv` names.
const FOLLOWS: &[&str] = &[
    "open.access.GENERIC_READ",
    "open.access.GR|GW",
    "open.access.GENERIC_ALL",
    "open.access.FILE_READ_DATA",
];

/// Lines no recorded run has, because under Wine the call before them fails.
const NEW: &[(&str, &str)] = &[
    ("life.recreated-info", "result=ok lasterror=- ntstatus=- data=max=0 next=NO_MESSAGE count=0 timeout=0"),
    (
        "life.old-client-write-after-recreate",
        "result=fail lasterror=6(INVALID_HANDLE) ntstatus=0xc0000008 data=",
    ),
    (
        "life.recreated-info-after-old-write",
        "result=ok lasterror=- ntstatus=- data=max=0 next=NO_MESSAGE count=0 timeout=0",
    ),
];

/// The rows about share modes: under the rules of Windows XP the registry does what Wine does.
const SHARING: &[&str] = &["open.share.*", "open.second.*", "dup.second-open-while-duplicate-holds-share"];

struct Kit {
    recorded: BTreeMap<String, String>,
    overrides: Vec<String>,
}

fn kit() -> Option<Kit> {
    let shared = std::env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let folder = shared.join("win32");
    let (Ok(expected), Ok(overrides)) = (
        std::fs::read_to_string(folder.join("wine-10.0.expected")),
        std::fs::read_to_string(folder.join("overrides.tsv")),
    ) else {
        eprintln!("SKIPPED: no recorded Win32 cases in {}; NOTHING was compared", folder.display());
        return None;
    };
    let recorded = expected.lines().filter(|l| !l.starts_with('#')).map(|line| {
        let (id, line) = line.split_once(": ").expect("case-id: line");
        // The native calls' IO_STATUS_BLOCK has no counterpart.
        let line = if id.starts_with("nt.") { without_iosb(line) } else { line.to_owned() };
        (id.to_owned(), line)
    });
    let overrides = overrides.lines().filter(|l| !l.starts_with('#')).flat_map(|row| {
        row.split('\t').next().unwrap_or_default().split(' ').map(str::to_owned).collect::<Vec<_>>()
    });
    Some(Kit { recorded: recorded.collect(), overrides: overrides.collect() })
}

fn without_iosb(line: &str) -> String {
    let (head, data) = line.split_once("data=").expect("data");
    let rest: Vec<&str> = data.split(' ').filter(|word| !word.starts_with("iosb=")).collect();
    format!("{head}data={}", rest.join(" "))
}

/// Matches a shell pattern of `*` and `[ab]`.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|i| text.is_char_boundary(i) && glob(rest.as_str(), &text[i..])),
        Some('[') => {
            let (set, after) = rest.as_str().split_once(']').expect("a closed set");
            text.chars().next().is_some_and(|c| set.contains(c) && glob(after, &text[c.len_utf8()..]))
        }
        Some(c) => text.strip_prefix(c).is_some_and(|text| glob(rest.as_str(), text)),
    }
}

fn any<'a>(patterns: impl IntoIterator<Item = &'a str>, id: &str) -> bool {
    patterns.into_iter().any(|pattern| glob(pattern, id))
}

fn decided(id: &str, line: &str) -> Result<(), String> {
    let Some((_, start, end)) = DECIDED.iter().find(|(pattern, ..)| glob(pattern, id)) else {
        return Err("has an override and no decision".to_owned());
    };
    let fits = match line.strip_prefix(start) {
        None => false,
        Some(_) if *end == "*" => true,
        Some(rest) if id.starts_with("name.len.") => rest.ends_with(end),
        Some(rest) => rest == *end,
    };
    if fits { Ok(()) } else { Err(format!("decided {start}{end}, got {line}")) }
}

/// Compares a run with the kit; `wine` names the overrides that this run does not follow. Gives the number of cases
/// compared, decided and left out.
fn compare(kit: &Kit, mut made: BTreeMap<String, String>, wine: &[&str]) -> (usize, usize, usize) {
    let (mut tested, mut overridden, mut left_out) = (0, 0, 0);
    let mut wrong = Vec::new();
    let overrides = || kit.overrides.iter().map(String::as_str);
    for (id, line) in &kit.recorded {
        let made = made.remove(id);
        if LEFT_OUT.iter().any(|(pattern, _)| glob(pattern, id)) {
            left_out += 1;
            if made.is_some() {
                wrong.push(format!("{id}: is left out and made"));
            }
        } else if !any(wine.iter().copied(), id) && (any(overrides(), id) || FOLLOWS.contains(&id.as_str())) {
            overridden += 1;
            match made {
                // The first open succeeds and three lines about the second stand for this one.
                None if glob("open.second.first-*", id) => {}
                None => wrong.push(format!("{id}: was not made")),
                Some(made) => wrong.extend(decided(id, &made).err().map(|why| format!("{id}: {why}"))),
            }
        } else {
            tested += 1;
            match made {
                None => wrong.push(format!("{id}: neither tested nor left out")),
                Some(made) if made != *line => {
                    wrong.push(format!("{id}:\n  recorded {line}\n  made     {made}"))
                }
                Some(_) => {}
            }
        }
    }
    for (id, _) in NEW {
        if !made.contains_key(*id) {
            wrong.push(format!("{id}: was not made"));
        }
    }
    for (id, line) in made {
        if glob("open.second.GW-*", &id) {
            wrong.extend(decided(&id, &line).err());
        } else if !NEW.contains(&(id.as_str(), line.as_str())) {
            wrong.push(format!("{id}: not in the kit: {line}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases are wrong:\n{}",
        wrong.len(),
        kit.recorded.len(),
        wrong.join("\n")
    );
    (tested, overridden, left_out)
}

#[test]
fn the_recorded_cases() {
    let Some(kit) = kit() else { return };
    let (tested, overridden, left_out) = compare(&kit, run(ShareRules::Vista), &[]);
    println!("recorded cases: {tested} as recorded, {overridden} overridden, {left_out} left out");
    assert_eq!(tested + overridden + left_out, kit.recorded.len());
    assert!(tested >= 350, "the recorded file has shrunk");
    for (pattern, _) in LEFT_OUT {
        assert!(kit.recorded.keys().any(|id| glob(pattern, id)), "{pattern} leaves nothing out");
    }
    for (pattern, ..) in DECIDED {
        assert!(kit.recorded.keys().any(|id| glob(pattern, id)), "{pattern} decides nothing");
    }
}

#[test]
fn the_recorded_share_modes_under_the_rules_of_windows_xp() {
    let Some(kit) = kit() else { return };
    let (tested, overridden, left_out) = compare(&kit, run(ShareRules::Xp), SHARING);
    println!(
        "recorded cases, XP share modes: {tested} as recorded, {overridden} overridden, {left_out} left out"
    );
}

#[test]
fn the_patterns_of_the_tables() {
    assert!(glob("name.len.26[01]", "name.len.261"));
    assert!(!glob("name.len.26[01]", "name.len.268"));
    assert!(glob("open.share.*.0", "open.share.GW.0"));
    assert!(!glob("open.share.*.0", "open.share.GW.RW"));
}
