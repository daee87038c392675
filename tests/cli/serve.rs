//! `mailslot serve`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mailslot::node::local::{Admit, Client, LocalError, Places};
use mailslot::slot::{CreateOptions, MailslotError, SlotPath};

use crate::lan::{Lan, Running};
use crate::{Ran, run};

/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// A directory with a file of settings.
struct Files(tempfile::TempDir);

impl Files {
    fn new(text: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write(text);
        files
    }

    fn write(&self, text: &str) {
        fs::write(self.config(), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn config(&self) -> String {
        self.path("mailslot.toml").to_str().unwrap().to_owned()
    }

    /// Starts the service on `lan` with more options and waits until it has its names.
    fn serve(&self, lan: &Lan, args: &[&str]) -> Running {
        let config = self.config();
        let mut service = lan.start(&[&["serve", "--config", &config], args].concat());
        service.wait_for("ready as ");
        service
    }

    /// What `--check` says.
    fn check(&self, text: &str) -> (Option<i32>, String) {
        self.write(text);
        let ran = run(&["serve", "--check", "--config", &self.config()], b"");
        (ran.code, ran.stderr.replace(&self.config(), "FILE"))
    }
}

fn send(lan: &Lan, slot: &str, message: &str) {
    let ran = lan.run(&["send", &format!("//SERVER/mailslot/{slot}"), message], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

pub(crate) fn get(at: &str, page: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {page} HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

const SODA: &str = "[lan]\nname = \"SERVER\"\n[[slot]]\nname = \"soda\"\n";

#[test]
fn a_service_from_its_start_to_its_end() {
    let lan = Lan::new();
    let files = Files::new(SODA);
    let mut service = files.serve(&lan, &["--metrics", "127.0.0.1:0"]);
    send(&lan, "soda", "12 left");
    let message = service.object();
    assert_eq!((&message["slot"], &message["text"]), (&"soda".into(), &"12 left".into()));

    let at = service.stderr.split_once("metrics on http://").unwrap().1.split_once('/').unwrap().0.to_owned();
    let page = get(&at, "/metrics");
    assert!(page.contains("\nmailslot_messages_accepted_total 1\n"), "{page}");
    assert!(page.contains("\nmailslot_messages_accepted_bytes_total 7\n"), "{page}");
    let health = get(&at, "/health");
    assert!(health.starts_with("HTTP/1.1 200 ") && health.ends_with("\nok\n"), "{health}");

    // One slot more, and one that only changes.
    let log = files.path("news.jsonl");
    let more = "[[slot]]\nname = \"news\"\nprint = true\nappend = ";
    files.write(&format!("{SODA}exec = [\"cat\", \"-\"]\n{more}{:?}\n", log.to_str().unwrap()));
    service.interrupt("HUP");
    service.wait_for("reloaded");
    assert!(
        service.stderr.contains("a slot is changed slot=soda messages=given to cat"),
        "{}",
        service.stderr
    );
    send(&lan, "news", "extra");
    assert_eq!(service.object()["text"], "extra");
    send(&lan, "soda", "a line for cat\n");
    assert_eq!(service.line(), "a line for cat");

    // A broken file changes nothing.
    files.write("[[slot]]\nname = \"soda\"\nmax = 5\n");
    service.interrupt("HUP");
    service.wait_for("not reloaded, everything stays as it was");
    assert!(service.stderr.contains("line 3: there is no key 'max'"), "{}", service.stderr);
    send(&lan, "news", "still");
    assert_eq!(service.object()["text"], "still");

    // One slot less; what takes a restart is said.
    files.write("[lan]\nname = \"OTHER\"\n[[slot]]\nname = \"news\"\n");
    service.interrupt("HUP");
    service.wait_for("that takes a restart");
    service.wait_for("a slot is closed slot=soda");

    service.interrupt("TERM");
    let ran = service.end();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("the names are given up"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(log).unwrap().lines().count(), 2);
    // The name is free.
    let mut next = lan.listen(&["--name", "SERVER", "soda"]);
    send(&lan, "soda", "next");
    assert!(next.line().contains("\"next\""));
}

/// `args` of the program, with the service at `socket`.
fn local(socket: &Path, args: &[&str]) -> Ran {
    let output = crate::mailslot().env("MAILSLOT_SOCKET", socket).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn programs_of_the_machine_share_its_slots_and_ports() {
    let lan = Lan::new();
    let files = Files::new(SODA);
    let socket = files.path("mailslot.sock");
    let options = ["--socket", socket.to_str().unwrap(), "--socket-mode", "0600"];
    let mut service = files.serve(&lan, &options);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    send(&lan, "soda", "12 left");
    assert_eq!(service.object()["text"], "12 left");

    // The slots of the file and of the browser service.
    let seen = local(&socket, &["ls", "--json"]);
    let names: Vec<_> = crate::parse(&seen.stdout).iter().map(|slot| slot["name"].to_string()).collect();
    assert_eq!(names, ["\"BROWSE\"", "\"LANMAN\"", "\"soda\""], "{}", seen.stderr);
    let seen = local(&socket, &["info", "soda", "--json"]);
    let soda = &crate::parse(&seen.stdout)[0];
    assert_eq!((&soda["accepted"], &soda["read"]), (&1.into(), &1.into()));
    let user = fs::metadata(&socket).unwrap().uid();
    assert_eq!((&soda["uid"], &soda["pid"]), (&user.into(), &service.child.id().into()));

    // A program has a slot of its own, to which the LAN writes; not one that is there.
    let client = Client::at(Places::at(&socket));
    let create = |name: &str| {
        let path: SlotPath = format!("//./mailslot/{name}").parse().unwrap();
        client.create(&path, CreateOptions::default(), Admit::Default)
    };
    let news = create("news").unwrap();
    send(&lan, "news", "extra");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let message = runtime.block_on(async { tokio::time::timeout(LONG, news.recv()).await });
    assert_eq!(message.unwrap().unwrap().data, b"extra".as_slice());
    let taken = create("soda").unwrap_err();
    assert!(matches!(taken, LocalError::Mailslot(MailslotError::AlreadyExists { .. })), "{taken}");
    // Two programs, one answer: the second sees the first's slot.
    assert_eq!(local(&socket, &["info", "news"]).code, Some(0));
    drop(news);

    // A second service does not take the socket away.
    let second = lan.run(&[&["serve", "--name", "SECOND"], options.as_slice()].concat(), b"");
    assert_eq!(second.code, Some(2));
    assert!(second.stderr.contains(": another service does"), "{}", second.stderr);

    // One that was killed does not keep it.
    service.interrupt("KILL");
    assert_eq!(service.end().code, None);
    assert!(socket.exists());
    let service = files.serve(&lan, &options);
    assert_eq!(local(&socket, &["info", "soda"]).code, Some(0));
    service.interrupt("TERM");
    assert_eq!(service.end().code, Some(0));
    assert!(!socket.exists());
}

#[test]
fn systemd_is_told() {
    let lan = Lan::new();
    let files = Files::new(SODA);
    let socket = UnixDatagram::bind(files.path("notify")).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let hear = || {
        let mut bytes = [0; 1024];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let program = crate::mailslot();
    let mut command = Command::new(program.get_program());
    let config = files.config();
    command.args(lan.args(&["serve", "--config", &config]));
    command.env("NOTIFY_SOCKET", files.path("notify"));
    let service = Running::start(command);
    let ready = hear();
    assert!(ready.starts_with("READY=1\nSTATUS=SERVER<00> in WORKGROUP<00> on lo 127."), "{ready}");
    service.interrupt("HUP");
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear().trim_end(), "READY=1");
    service.interrupt("TERM");
    assert_eq!(hear().trim_end(), "STOPPING=1");
    assert_eq!(service.end().code, Some(0));
}

/// The master on an empty LAN, by the file; the names say so, and are free again afterwards.
#[test]
fn a_preferred_master_is_elected_and_leaves() {
    let lan = Lan::new();
    let files = Files::new("[browser]\nrole = \"preferred-master\"\ncomment = \"tills\"\n");
    let mut service = files.serve(&lan, &["--name", "MASTER", "--workgroup", "TILLS"]);
    service.wait_for("the browser's role role=local_master");
    let ask = |name: &str| lan.run(&["lookup", name], b"");
    let found = ask("TILLS<1d>");
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert_eq!(ask("TILLS<1b>").code, Some(1));
    service.interrupt("TERM");
    let ran = service.end();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ask("TILLS<1d>").code, Some(1));
}

#[test]
fn options_go_before_the_environment_and_that_before_the_file() {
    let files =
        Files::new("[lan]\nname = \"FILE\"\nworkgroup = \"FILE\"\nscope = \"file\"\nloopback = true\n");
    let lan = Lan::new();
    let config = files.config();
    let mut command = Command::new(crate::mailslot().get_program());
    command.args(lan.args(&["serve", "--config", &config, "--name", "OPTION"]));
    command.env("MAILSLOT_NAME", "ENVIRON").env("MAILSLOT_WORKGROUP", "ENVIRON");
    let mut service = Running::start(command);
    service.wait_for("ready as OPTION<00> in ENVIRON<00> on lo 127.");
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_line() {
    let files = Files::new("");
    for (text, said) in [
        ("[lan]\nnmae = \"PC7\"\n", "FILE, line 2: there is no key 'nmae'; did you mean 'name'?"),
        ("[lan]\nname_port = 70000\n", "FILE, line 2: invalid value '70000' for '--name-port <PORT>': "),
        ("[lan]\nwins = [\"here\"]\n", "FILE, line 2: invalid value 'here' for '--wins <ADDR>': "),
        ("[lan]\nname = 1.5\n", "FILE, line 2: name takes no float"),
        (
            "[service]\nmetrisc = \"127.0.0.1:1\"\n",
            "FILE, line 2: there is no key 'metrisc'; did you mean 'metrics'?",
        ),
        ("[slots]\n", "FILE, line 1: there is no key 'slots'; did you mean 'slot'?"),
        (
            "[[slot]]\nname = \"a\"\nmax_mesage_size = 3\n",
            "FILE, line 3: there is no key 'max_mesage_size'; did you mean 'max_message_size'?",
        ),
        ("[[slot]]\n\nname = '\\\\PC7\\mailslot\\a'\n", "FILE, line 3: "),
        ("[[slot]]\nname = \"a\"\n[[slot]]\nname = \"A\"\n", "FILE, line 4: a slot 'A' is above already"),
        ("[[slot]]\nname = \"a\"\nexec = []\n", "FILE, line 3: exec needs a program"),
        ("[[slot]]\nname = \"a\"\nprint = false\n", "FILE, line 2: nothing is done with the messages of 'a'"),
        ("[lan\n", "FILE, line 1: "),
        (
            "[browser]\nrole = \"master\"\n",
            "FILE, line 2: invalid value 'master' for '--role <ROLE>' [possible values: none, non-browser, ",
        ),
        ("[browser]\ncoment = \"x\"\n", "FILE, line 2: there is no key 'coment'; did you mean 'comment'?"),
        (
            "[browser]\nos_version = \"6\"\n",
            "FILE, line 2: invalid value '6' for '--os-version <MAJOR.MINOR>': ",
        ),
        (
            "[browser]\nserver_type = [\"SERVER\", \"MASTER_BROWSER\"]\n",
            "FILE, line 2: invalid value 'MASTER_BROWSER' for '--server-type <TYPE>': MASTER_BROWSER follows from the role",
        ),
        (
            "[browser]\nannounce_period = 0\n",
            "FILE, line 2: invalid value '0' for '--announce-period <SECONDS>': ",
        ),
        ("[browser]\ncomment = \"\u{4e2d}\"\n", "--comment: "),
        ("[browser]\ncomment = \"one more than the forty-two that there may be\"\n", "--comment: "),
        ("[[slot]]\nname = \"browse\"\n", "the slot 'browse' is the browser service's, unless [browser] has"),
    ] {
        let (code, stderr) = files.check(text);
        assert_eq!(code, Some(2), "{text}: {stderr}");
        assert!(stderr.starts_with(&format!("mailslot: {said}")), "{text}: {stderr}");
    }
    assert_eq!(files.check(SODA), (Some(0), String::new()));
    let own = "[browser]\nrole = \"none\"\n[[slot]]\nname = \"browse\"\n";
    assert_eq!(files.check(own), (Some(0), String::new()));
}

/// Every key of the sample is there, with a value that can be.
#[test]
fn the_sample_is_right() {
    let sample = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/mailslot.toml")).unwrap();
    let files = Files::new("");
    assert_eq!(files.check(&sample), (Some(0), String::new()));
    let is_key = |line: &&str| line.contains(" = ") || line.starts_with("# [[");
    let all: Vec<&str> = sample
        .lines()
        .filter(|line| line.starts_with('[') || is_key(line))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        // There is no such file, and no other interface on the loopback LAN.
        .filter(|line| !line.starts_with("lmhosts"))
        .collect();
    assert_eq!(files.check(&all.join("\n")), (Some(0), String::new()));
    let help = run(&["serve", "--help"], b"").stdout;
    for option in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
        let key = option.trim_end_matches([',', ')', ']', '.']).replace('-', "_");
        let only_here = ["config", "check", "code_page", "help"].contains(&key.split('[').next().unwrap());
        assert!(only_here || sample.contains(&format!("# {} = ", key.split('[').next().unwrap())), "{key}");
    }
}

/// The limits on sessions and handles are more than the files that a process usually may open.
#[cfg(target_os = "linux")]
#[test]
fn the_limit_on_open_files_is_raised_as_far_as_it_goes() {
    // Sessions, handles, and what there is besides.
    const NEEDED: u32 = 2048 + 960 + 256;
    let (lan, files) = (Lan::new(), Files::new(SODA));
    let config = files.config();
    let program = crate::mailslot().get_program().to_str().unwrap().to_owned();
    for (limits, allowed, is_enough) in
        [("-Sn 100", NEEDED, true), ("-n 300", 300, false), ("-Sn $(ulimit -Hn)", u32::MAX, true)]
    {
        let args = lan.args(&["serve", "--config", &config]).join(" ");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit {limits} || exit 1; exec {program} {args}"));
        let mut service = Running::start(command);
        service.wait_for("ready as ");
        let limits = fs::read_to_string(format!("/proc/{}/limits", service.child.id())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("it is there");
        let soft: u32 = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(u32::MAX);
        assert!(soft == allowed || (allowed == u32::MAX && soft >= NEEDED), "{line}");
        assert_eq!(service.stderr.contains("fewer files may be open"), !is_enough, "{}", service.stderr);
    }
}
