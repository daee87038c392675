//! Every error of the node's API has its Win32 code, and `src/node/codes.md`, the table in the documentation, says which.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::path::Path;

#[cfg(unix)]
use mailslot::node::local::{AskError, LocalError, RemoteSendError};
use mailslot::node::{ListHost, NodeError, SendError, ServerEnumError};
use mailslot::service::browser::EnumError;
use mailslot::service::names::{Refusal, RegisterError, ResolveError};
use mailslot::service::session::{SessionError, Status, Step};
use mailslot::slot::{MailslotError, Win32Error};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbss::{NegativeCode, Packet};
use mailslot::wire::smb::{DosError, NtStatus, rap};
use mailslot::wire::{Decode, DecodeError, ValueError};

fn source(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The rows of the table: `Error::Variant`, and the codes in it; none where the code is that of what is inside.
fn table() -> BTreeMap<String, BTreeSet<u32>> {
    let text = source("src/node/codes.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|');
        let name = cells.next()?.split('`').nth(1)?.to_owned();
        let codes = cells.next()?.split(", ").filter_map(|code| code.trim().parse().ok()).collect();
        Some((name, codes))
    });
    let rows: Vec<(String, BTreeSet<u32>)> = rows.collect();
    let count = rows.len();
    let table: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(table.len(), count, "no row twice");
    table
}

/// `Error::Variant` for each variant of the enumeration in the source.
fn variants(path: &str, name: &str) -> Vec<String> {
    let text = source(path);
    let (_, body) = text.split_once(&format!("pub enum {name} {{\n")).expect(name);
    let (body, _) = body.split_once("\n}\n").expect("its end");
    let variants = body.lines().filter_map(|line| {
        let line = line
            .strip_prefix("    ")
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))?;
        let end = line.find(|other: char| !other.is_ascii_alphanumeric()).unwrap_or(line.len());
        Some(format!("{name}::{}", &line[..end]))
    });
    let variants: Vec<String> = variants.collect();
    assert!(!variants.is_empty(), "{name}");
    variants
}

fn name() -> NetbiosName {
    "PC7<00>".parse().expect("a name")
}

/// What is wrong with a value, and with bytes.
fn wrong() -> (ValueError, DecodeError) {
    let value = NetbiosName::new("a-name-of-16-bytes", name().suffix()).expect_err("too long");
    (value, Packet::decode(b"").expect_err("empty"))
}

fn mailslot_errors() -> Vec<(&'static str, MailslotError)> {
    use MailslotError as E;
    let text = || "x".to_owned();
    vec![
        ("EmptyPath", E::EmptyPath),
        ("NotAMailslot", E::NotAMailslot { path: text() }),
        ("ShellAteBackslashes", E::ShellAteBackslashes { path: text(), suggestion: text() }),
        ("NotUnderMailslot", E::NotUnderMailslot { path: text() }),
        ("NoName", E::NoName { path: text() }),
        ("BadName", E::BadName { name: text(), reason: "" }),
        ("PathTooLong", E::PathTooLong { units: 2, max: 1 }),
        ("NameTooLong", E::NameTooLong { units: 2, max: 1 }),
        ("RemoteCreate", E::RemoteCreate { path: text() }),
        ("RemoteOpen", E::RemoteOpen { path: text() }),
        ("AlreadyExists", E::AlreadyExists { name: text() }),
        ("NotFound", E::NotFound { name: text() }),
        ("SharingViolation", E::SharingViolation { name: text() }),
        ("InvalidArgument", E::InvalidArgument { what: "" }),
        ("AccessDenied", E::AccessDenied { access: "read" }),
        ("NotAdmitted", E::NotAdmitted { name: text() }),
        ("NodeGone", E::NodeGone { reason: text() }),
        ("WrongEnd", E::WrongEnd),
        ("NotTheServer", E::NotTheServer),
        ("Gone", E::Gone { name: text() }),
        ("Timeout", E::Timeout),
        ("BufferTooSmall", E::BufferTooSmall { needed: 2, have: 1 }),
        ("Aborted", E::Aborted),
        ("NothingPending", E::NothingPending),
        ("OverMaxMessageSize", E::OverMaxMessageSize { size: 2, max: 1 }),
        ("QueueFull", E::QueueFull { limit: "" }),
        ("LimitReached", E::LimitReached { what: "", max: 1 }),
        ("TooLongForGroup", E::TooLongForGroup { size: 2, max: 1 }),
        ("TooLongForDatagram", E::TooLongForDatagram { size: 2, max: 1 }),
        ("NoSessionToGroup", E::NoSessionToGroup),
        ("NoSuchWay", E::NoSuchWay { way: "", reason: "" }),
        ("TooLongToSend", E::TooLongToSend { size: 2, max: 1 }),
    ]
}

fn session_errors() -> Vec<(&'static str, SessionError)> {
    use SessionError as E;
    let address = "10.0.0.7:139".parse().expect("an address");
    let refused = |status| ("Refused", E::Refused { address, step: Step::Write, status });
    let mut errors = vec![
        ("NoTarget", E::NoTarget),
        ("Closed", E::Closed { address }),
        ("Unreachable", E::Unreachable { address, reason: String::new() }),
        ("Timeout", E::Timeout { address, step: Step::Connect }),
        ("Negative", E::Negative { address, code: NegativeCode::CALLED_NOT_PRESENT }),
        ("Retarget", E::Retarget { address, to: address }),
        ("NoSmb1", E::NoSmb1 { address }),
        ("Disconnected", E::Disconnected { address, step: Step::Call }),
        ("Disconnected", E::Disconnected { address, step: Step::Write }),
        ("Damaged", E::Damaged { address, step: Step::Call, source: wrong().1 }),
        ("Unexpected", E::Unexpected { address, step: Step::Call }),
        ("BadMessage", E::BadMessage { source: wrong().0 }),
        refused(Status::Dos(DosError::new(DosError::ERRDOS, 2))),
        refused(Status::Dos(DosError::new(DosError::ERRSRV, 2))),
    ];
    let statuses = [
        NtStatus::NOT_SUPPORTED,
        NtStatus::NOT_IMPLEMENTED,
        NtStatus::OBJECT_NAME_NOT_FOUND,
        NtStatus::INSUFF_SERVER_RESOURCES,
        NtStatus::ACCESS_DENIED,
        NtStatus::LOGON_FAILURE,
        NtStatus::INVALID_PARAMETER,
        NtStatus::INSUFFICIENT_RESOURCES,
        NtStatus::BAD_NETWORK_NAME,
        // No error, whatever its code is.
        NtStatus(0x0000_0103),
    ];
    errors.extend(statuses.map(|status| refused(Status::Nt(status))));
    errors
}

fn node_errors() -> Vec<(&'static str, NodeError)> {
    use NodeError as E;
    let address = "10.0.0.7:137".parse().expect("an address");
    let io = |kind| Error::from(kind);
    let mut errors = vec![
        ("Interfaces", E::Interfaces { source: io(ErrorKind::Other) }),
        ("NoSuchInterface", E::NoSuchInterface { wanted: String::new(), available: String::new() }),
        (
            "NameRefused",
            E::NameRefused {
                name: name(),
                interface: [10, 0, 0, 7].into(),
                refusal: Refusal::Owner([10, 0, 0, 8].into()),
            },
        ),
        ("Random", E::Random { reason: String::new() }),
        ("Runtime", E::Runtime { source: io(ErrorKind::Other) }),
        ("ShutDown", E::ShutDown),
    ];
    for what in ["computer name", "workgroup", "scope"] {
        errors.push(("BadName", E::BadName { what, text: String::new(), source: wrong().0 }));
    }
    for kind in
        [ErrorKind::PermissionDenied, ErrorKind::AddrInUse, ErrorKind::AddrNotAvailable, ErrorKind::Other]
    {
        let service = "name service";
        errors.push(("Bind", E::Bind { service, address, holder: None, source: io(kind) }));
        errors.push(("BindSession", E::BindSession { address, source: io(kind) }));
        errors.push(("Socket", E::Socket { operation: "", address, source: io(kind) }));
    }
    for source in [
        RegisterError::Exists(name()),
        RegisterError::Wildcard(NetbiosName::WILDCARD),
        RegisterError::TooMany { max: 1 },
        RegisterError::NoNameServer,
    ] {
        errors.push(("Register", E::Register { name: name(), source }));
    }
    errors
}

/// The code of every variant that has one of its own, in every case.
fn codes() -> BTreeMap<String, BTreeSet<u32>> {
    let mut codes: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut add = |of: &str, variant: &str, code: Win32Error| {
        assert!(code.name().is_some(), "{of}::{variant}: {code} has a name in the SDK");
        codes.entry(format!("{of}::{variant}")).or_default().insert(code.code());
    };
    for (variant, error) in mailslot_errors() {
        add("MailslotError", variant, error.win32());
    }
    for (variant, error) in session_errors() {
        add("SessionError", variant, SendError::Session { name: name(), size: 1, source: error }.win32());
    }
    for (variant, error) in node_errors() {
        add("NodeError", variant, error.win32());
    }
    let address = "10.0.0.7:138".parse().expect("an address");
    let send = [
        ("BadName", SendError::BadName { name: String::new(), source: wrong().0 }),
        ("NameNotFound", SendError::NameNotFound { name: name(), source: ResolveError::NoAnswer }),
        ("NoNetwork", SendError::NoNetwork),
        (
            "NoSubnet",
            SendError::NoSubnet { broadcast: std::net::Ipv4Addr::LOCALHOST, available: String::new() },
        ),
        ("Network", SendError::Network { address, source: Error::from(ErrorKind::Other) }),
        ("ShutDown", SendError::ShutDown),
    ];
    for (variant, error) in send {
        add("SendError", variant, error.win32());
    }
    let host = ListHost::Name(name());
    for source in [
        EnumError::Status(rap::Status::REQ_NOT_ACCEP),
        EnumError::NoProgress,
        EnumError::TooLong { max: 1 },
        wrong().1.into(),
    ] {
        add("ServerEnumError", "List", ServerEnumError::List { host, source }.win32());
    }
    add("ServerEnumError", "Timeout", ServerEnumError::Timeout { host }.win32());
    #[cfg(unix)]
    {
        let (path, io) = (std::path::PathBuf::new, || Error::from(ErrorKind::Other));
        let local = [
            ("NoNode", LocalError::NoNode { service: path() }),
            ("Connect", LocalError::Connect { path: path(), source: io() }),
            ("Connect", LocalError::Connect { path: path(), source: ErrorKind::NotFound.into() }),
            ("Connect", LocalError::Connect { path: path(), source: ErrorKind::ConnectionRefused.into() }),
            ("Unsafe", LocalError::Unsafe { path: path(), reason: String::new() }),
            ("File", LocalError::File { operation: "", path: path(), source: io() }),
            ("Start", LocalError::Start { program: path(), reason: String::new() }),
            ("Handshake", LocalError::Handshake { path: path(), source: io() }),
            ("Version", LocalError::Version { theirs: 2, ours: 1 }),
            ("Older", LocalError::Older { what: "" }),
            ("Answer", LocalError::Answer(wrong().1)),
        ];
        for (variant, error) in local {
            add("LocalError", variant, error.win32());
        }
        add("RemoteSendError", "NoNetwork", RemoteSendError::NoNetwork.win32());
        add("AskError", "Gone", AskError::Gone { reason: String::new() }.win32());
        add("AskError", "NotOnLan", AskError::NotOnLan.win32());
    }
    codes
}

/// Errors that are another's, and have its code.
#[test]
fn an_error_inside_another_keeps_its_code() {
    for (_, inner) in mailslot_errors() {
        let code = inner.win32();
        assert_eq!(SendError::from(inner.clone()).win32(), code);
        assert_eq!(ServerEnumError::from(SendError::from(inner.clone())).win32(), code);
        #[cfg(unix)]
        {
            assert_eq!(LocalError::from(inner.clone()).win32(), code);
            assert_eq!(RemoteSendError::from(LocalError::from(inner.clone())).win32(), code);
            assert_eq!(AskError::from(SendError::from(inner.clone())).win32(), code);
        }
        assert_eq!(NodeError::WellKnownSlot { source: inner }.win32(), code);
    }
    for (_, source) in session_errors() {
        let code = SendError::Session { name: name(), size: 1, source: source.clone() }.win32();
        assert_eq!(ServerEnumError::Session { host: ListHost::Name(name()), source }.win32(), code);
    }
    #[cfg(unix)]
    for win32 in [Win32Error::ERROR_BAD_NETPATH, Win32Error::ERROR_NOT_SUPPORTED] {
        assert_eq!(RemoteSendError::Refused { reason: String::new(), win32 }.win32(), win32);
    }
}

#[test]
fn every_error_has_its_code_and_the_table_says_which() {
    let (table, codes) = (table(), codes());
    for (path, name) in [
        ("src/slot/error.rs", "MailslotError"),
        ("src/node/error.rs", "SendError"),
        ("src/service/session/error.rs", "SessionError"),
        ("src/node/enumerate.rs", "ServerEnumError"),
        ("src/node/error.rs", "NodeError"),
        ("src/node/local/error.rs", "LocalError"),
        ("src/node/local/error.rs", "RemoteSendError"),
        ("src/node/local/error.rs", "AskError"),
    ] {
        for variant in variants(path, name) {
            assert!(table.contains_key(&variant), "{variant} is not in the table");
        }
    }
    for (variant, said) in &table {
        let of_unix = ["LocalError", "RemoteSendError", "AskError"].iter().any(|of| variant.starts_with(of));
        if !of_unix || cfg!(unix) {
            assert_eq!(codes.get(variant).cloned().unwrap_or_default(), *said, "{variant}");
        }
    }
    for variant in codes.keys() {
        assert!(table.contains_key(variant), "{variant} is of the past");
    }
}

/// C programs have the same codes under the same names.
#[test]
fn the_c_header_has_the_codes_of_the_table() {
    let header = source("capi/include/windows.h");
    let codes = header.lines().filter_map(|line| {
        let (name, code) = line.strip_prefix("#define ERROR_")?.split_once(' ')?;
        Some((format!("ERROR_{name}"), code.trim().strip_suffix('U')?.parse::<u32>().ok()?))
    });
    let mut count = 0;
    for (name, code) in codes {
        // Of no call on a mailslot.
        if code != 0 && name != "ERROR_HANDLE_EOF" {
            assert_eq!(Win32Error::new(code).name(), Some(&name[..]), "{code}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn a_status_and_its_code_are_one_pair() {
    for code in 0..=11_000 {
        let code = Win32Error::new(code);
        if let Some(status) = code.ntstatus() {
            assert_eq!(Win32Error::from_ntstatus(status), Some(code), "{code}");
        }
    }
    assert_eq!(Win32Error::from_ntstatus(0xC000_0008), Some(Win32Error::ERROR_INVALID_HANDLE));
    assert_eq!(Win32Error::from_ntstatus(0xC000_003A), Some(Win32Error::ERROR_PATH_NOT_FOUND));
    assert_eq!(Win32Error::from_ntstatus(0xDEAD_BEEF), None);
}
