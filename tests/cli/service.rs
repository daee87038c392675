//! `lookup`, `status` and `names` beside a running service: by its node, and print what they print by one of their own.

use std::path::PathBuf;

use serde_json::Value;

use crate::lan::{Lan, Running};
use crate::{Ran, parse};

/// A service with a socket, and another computer.
struct Beside {
    lan: Lan,
    directory: tempfile::TempDir,
    service: Running,
    reader: Running,
}

impl Beside {
    fn new() -> Self {
        let lan = Lan::new();
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("mailslot.sock");
        let reader = lan.listen(&["--name", "READER", "soda"]);
        let socket = socket.to_str().unwrap();
        let options = ["--name", "SERVER", "--role", "none", "--socket", socket, "--metrics", "127.0.0.1:0"];
        let mut service = lan.start(&[&["serve"], options.as_slice()].concat());
        service.wait_for("ready as ");
        Self { lan, directory, service, reader }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("mailslot.sock")
    }

    /// By the service.
    fn by_service(&self, args: &[&str]) -> Ran {
        let output = crate::mailslot().env("MAILSLOT_SOCKET", self.socket()).args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// By a node of the command's own.
    fn by_own(&self, args: &[&str]) -> Ran {
        self.lan.run(args, b"")
    }
}

/// The address in the line that says that a node is ready.
fn address(of: &Running) -> String {
    let (_, rest) = of.stderr.split_once(" on lo ").unwrap();
    rest.split_once('/').unwrap().0.to_owned()
}

fn keys(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}

#[test]
fn what_others_have_is_the_same_by_the_service() {
    let beside = Beside::new();
    let (reader, server) = (address(&beside.reader), address(&beside.service));
    let range = format!("{reader}/32");
    for args in [
        &["lookup", "-B", "127.255.255.255", "READER<20>"][..],
        &["lookup", "-U", &reader, "READER<20>", "--json"],
        &["lookup", "-U", &server, "SERVER<20>"],
        &["lookup", "-A", &reader],
        &["lookup", "-B", "127.255.255.255", "NOBODY", "READER"],
        &["status", &server],
        &["status", "--json", "READER"],
        &["status", &range],
        &["status", "--lmhosts-lines", &range],
        &["status", "NOBODY"],
        // Wrong use, wherever it is noticed.
        &["status", "10.0.0.0/24"],
        &["lookup", "-B", "10.0.0.255", "READER"],
    ] {
        let (by_service, mut by_own) = (beside.by_service(args), beside.by_own(args));
        // The subnet is named by the address on it.
        by_own.stderr = by_own.stderr.replace("127.0.0.1/8", &format!("{server}/8"));
        assert_eq!(by_service, by_own, "{args:?}");
        let expected = match args {
            [.., "10.0.0.0/24"] | [.., "10.0.0.255", _] => 2,
            _ if args.contains(&"NOBODY") => 1,
            _ => 0,
        };
        assert_eq!(by_service.code, Some(expected), "{args:?}: {by_service:?}");
    }
    let wrong = beside.by_service(&["lookup", "-B", "10.0.0.255", "READER"]).stderr;
    assert_eq!(
        wrong,
        "mailslot: ERROR_BAD_NETPATH (53): 10.0.0.255 is the broadcast address of no interface; there are: \
         127.255.255.255 (lo)\n"
    );
}

/// Nobody is asked about what the service knows itself, but for the members of a group.
#[test]
fn what_the_service_knows_is_known_by_all() {
    let beside = Beside::new();
    let (reader, server) = (address(&beside.reader), address(&beside.service));
    let lookup = |name: &str| beside.by_service(&["lookup", name]).stdout;
    assert_eq!(lookup("SERVER<20>"), format!("{server} SERVER<20> unique (by local)\n"));
    let of_reader = format!("{reader} READER<20> unique (by ");
    assert_eq!(lookup("READER<20>"), format!("{of_reader}broadcast {reader})\n"));
    assert_eq!(lookup("READER<20>"), format!("{of_reader}cache)\n"));
    let status = beside.by_service(&["send", "//NOBODY/mailslot/soda", "hello"]).code;
    assert_eq!(status, Some(1));
    let group = lookup("WORKGROUP");
    for member in [&reader, &server] {
        assert!(group.contains(&format!("{member} WORKGROUP<00> group (by broadcast ")), "{group}");
    }
    // Whoever runs the service sees what is asked of it.
    let (_, at) = beside.service.stderr.split_once("metrics on http://").unwrap();
    let page = crate::serve::get(at.split_once('/').unwrap().0, "/metrics");
    for sample in [
        "local_questions_total{kind=\"lookup\"} 4",
        "local_requests_failed_total{reason=\"send\"} 1",
        // One to see whether the service is there, and one more for the message.
        "local_connections_accepted_total 6",
    ] {
        assert!(page.contains(&format!("\nmailslot_{sample}\n")), "{sample}: {page}");
    }
}

#[test]
fn names_are_those_of_the_service() {
    let beside = Beside::new();
    let server = address(&beside.service);
    let ran = beside.by_service(&["names"]);
    let pid = beside.service.child.id();
    assert_eq!(ran.stderr, format!("mailslot: the names of the service (process {pid})\n"));
    let mut expected = [
        ("SERVER<00>", "unique"),
        ("SERVER<03>", "unique"),
        ("SERVER<20>", "unique"),
        ("WORKGROUP<00>", "group"),
    ]
    .map(|(name, kind)| format!("{name:<20} {kind:<6} active on {server}"));
    expected.sort();
    let mut lines: Vec<_> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((ran.code, lines), (Some(0), expected.iter().map(String::as_str).collect()));
    // With LAN options it is a computer of its own; the objects are alike.
    let own = beside.by_own(&["names", "--name", "SERVER", "--json"]);
    assert_eq!(own.code, Some(1), "{}", own.stderr);
    let own = parse(&own.stdout);
    assert!(own.iter().any(|name| name["said_by"] == server.as_str()), "{own:?}");
    let by_service = parse(&beside.by_service(&["names", "--json"]).stdout);
    assert_eq!(by_service.len(), 4);
    let active = own.iter().find(|name| name["state"] == "active").unwrap();
    assert!(by_service.iter().all(|name| keys(name) == keys(active)), "{by_service:?}");
    // Another one wants its name: the service's table says who.
    assert!(by_service.iter().all(|name| name["address"] == server.as_str()));
}

/// Nobody waits for the answer of a service that is gone.
#[test]
fn a_service_that_dies_is_missed_at_once() {
    let beside = Beside::new();
    let program = crate::mailslot();
    let mut command = std::process::Command::new(program.get_program());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    // An address where nobody is, which the service goes on asking for a while.
    command.env("MAILSLOT_SOCKET", beside.socket()).args(["status", "127.7.7.7"]);
    let asking = Running::start(command);
    let (_, at) = beside.service.stderr.split_once("metrics on http://").unwrap();
    let at = at.split_once('/').unwrap().0;
    while !crate::serve::get(at, "/metrics").contains("local_questions_total{kind=\"status\"} 1\n") {}
    beside.service.interrupt("KILL");
    let ran = asking.end();
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.stderr,
        "mailslot: ERROR_BROKEN_PIPE (109): the node of this machine is gone: it has closed the connection\n"
    );
}

#[test]
fn a_service_that_is_not_there_is_not_asked() {
    let beside = Beside::new();
    let none = beside.directory.path().join("none.sock");
    let output = crate::mailslot().env("MAILSLOT_SOCKET", &none).args(["lookup", "READER"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.starts_with("mailslot: ERROR_FILE_NOT_FOUND (2): cannot connect to the node at ")
            && stderr.contains("none.sock"),
        "{stderr}"
    );
    // One's own node does not need it.
    let ran = beside.lan.args(&["lookup", "READER"]);
    let output = crate::mailslot().env("MAILSLOT_SOCKET", &none).args(ran).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}
