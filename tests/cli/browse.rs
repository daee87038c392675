//! `mailslot browse`.

use core::time::Duration;
use std::net::UdpSocket;

use mailslot::node::{BrowserStatus, LoopbackLan, Node, NodeBrowser};
use mailslot::service::browser::{Config, DropReason, FoundServer, Maintain, Role};
use mailslot::wire::Encode;
use mailslot::wire::browser::{
    Announcement, BROWSE, BrowserFrame, DOMAIN_OS_VERSION, LANMAN, LanmanAnnouncement, LanmanFrame,
    ServerType, Version,
};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
use mailslot::wire::smb::{HeaderLayout, MailslotWrite};

use crate::lan::Lan;
use crate::{Ran, parse};

const SERVER: ServerType = ServerType::SERVER.union(ServerType::NT);

/// Broadcasts a message on the LAN, as some computer does.
fn broadcast(lan: &Lan, source: &str, destination: NetbiosName, slot: &[u8], data: &[u8]) {
    let name = [b"\\MAILSLOT\\", slot].concat();
    let smb = MailslotWrite::new(HeaderLayout::Redirector, &name, data).unwrap().to_bytes();
    let header = Header {
        msg_type: MsgType::DIRECT_GROUP,
        flags: Flags::FIRST,
        dgm_id: u16::try_from(data.len()).unwrap(),
        source_ip: [127, 0, 0, 9].into(),
        source_port: 138,
    };
    let source: NetbiosName = source.parse().unwrap();
    let content =
        Content { source_name: source.into(), destination_name: destination.into(), user_data: &smb };
    let datagram = Datagram::new(header, Body::Direct { length_form: LengthForm::Exact, content }).unwrap();
    let socket = UdpSocket::bind("127.0.0.9:0").unwrap();
    socket.set_broadcast(true).unwrap();
    socket.send_to(&datagram.to_bytes(), ("127.255.255.255", lan.datagram_port())).unwrap();
}

fn host<'a>(name: &'a [u8], server_type: ServerType, comment: &'a [u8]) -> Announcement<'a> {
    Announcement::new(name, Version::new(10, 0), server_type, 60_000, comment).unwrap()
}

/// What a LAN of three workgroups says.
pub(crate) fn announce(lan: &Lan) {
    let master = SERVER | ServerType::MASTER_BROWSER;
    let frames = [
        ("PC7<00>", "SALES<1d>", BrowserFrame::HostAnnouncement(host(b"PC7", SERVER, b"by the w\x81ndow"))),
        (
            "PRINTER<00>",
            "SALES<1d>",
            BrowserFrame::HostAnnouncement(host(b"PRINTER", SERVER | ServerType::PRINTQ, b"")),
        ),
        ("BOSS<00>", "SALES<1e>", BrowserFrame::LocalMasterAnnouncement(host(b"BOSS", master, b""))),
        ("GONE<00>", "SALES<1d>", BrowserFrame::HostAnnouncement(host(b"GONE", SERVER, b""))),
        ("GONE<00>", "SALES<1d>", BrowserFrame::HostAnnouncement(host(b"GONE", ServerType::empty(), b""))),
    ];
    for (source, destination, frame) in frames {
        broadcast(lan, source, destination.parse().unwrap(), BROWSE, &frame.to_bytes());
    }
    let old = LanmanAnnouncement::new(b"OS2", Version::new(2, 1), SERVER, 60, b"warp").unwrap();
    let old = LanmanFrame::Announcement(old).to_bytes();
    broadcast(lan, "OS2<00>", "WAREHOUSE<00>".parse().unwrap(), LANMAN, &old);
    let domain = Announcement::new(b"FAR", DOMAIN_OS_VERSION, ServerType::DOMAIN_ENUM, 60_000, b"CHIEF");
    let domain = BrowserFrame::DomainAnnouncement(domain.unwrap()).to_bytes();
    broadcast(lan, "CHIEF<00>", NetbiosName::MSBROWSE, BROWSE, &domain);
    broadcast(lan, "PC7<00>", "SALES<1d>".parse().unwrap(), BROWSE, b"\x01short");
}

fn heard(args: &[&str]) -> Ran {
    let lan = Lan::new();
    let mut browse = lan.start(&[&["browse", "--passive", "60", "--verbose"], args].concat());
    browse.wait_for("mailslot: listening on ");
    announce(&lan);
    browse.wait_for("the workgroup FAR (127.0.0.9)\n");
    browse.interrupt("INT");
    browse.end()
}

#[test]
fn passive_lists_what_announced_itself_and_says_nothing() {
    let ran = heard(&["--code-page", "850"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["FAR,", "master", "CHIEF"]);
    assert_eq!(lines[1], ["SALES,", "master", "BOSS"]);
    assert_eq!(lines[2], ["COMPUTER", "ADDRESS", "OS", "TYPE", "COMMENT"]);
    assert_eq!(lines[3], ["BOSS", "127.0.0.9", "10.0", "server", "nt", "master_browser"]);
    assert_eq!(lines[4], ["PC7", "127.0.0.9", "10.0", "server", "nt", "by", "the", "wündow"]);
    assert_eq!(lines[5], ["PRINTER", "127.0.0.9", "10.0", "server", "printq", "nt"]);
    assert_eq!(lines[6], ["WAREHOUSE"]);
    assert_eq!(lines[8], ["OS2", "127.0.0.9", "2.1", "server", "nt", "warp"]);
    assert_eq!(lines.len(), 9);
    assert!(ran.stderr.contains("GONE leaves SALES"), "{}", ran.stderr);
}

#[test]
fn passive_json_has_workgroups_and_computers() {
    let ran = heard(&["--json", "sales", "--type", "printq", "--type", "0x40000"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let objects = parse(&ran.stdout);
    let [sales, boss, printer] = &objects[..] else { panic!("{}", ran.stdout) };
    assert_eq!((&sales["workgroup"], &sales["master"]), (&"SALES".into(), &"BOSS".into()));
    assert_eq!((&boss["computer"], &boss["source"]), (&"BOSS".into(), &"heard".into()));
    assert_eq!((&printer["computer"], &printer["workgroup"]), (&"PRINTER".into(), &"SALES".into()));
    assert_eq!(printer["server_types"], serde_json::json!(["SERVER", "PRINTQ", "NT"]));
    // Three times the period of 60 s.
    let (age, left) = (printer["age"].as_u64().unwrap(), printer["expires_in"].as_u64().unwrap());
    assert!(age + left <= 180 && age + left >= 178, "{printer}");
}

#[test]
fn passive_domains_are_the_workgroups_alone() {
    let ran = heard(&["--domains"]);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [["WORKGROUP", "MASTER"], ["FAR", "CHIEF"], ["SALES", "BOSS"], ["WAREHOUSE", "-"]];
    assert_eq!((ran.code, lines), (Some(0), expected.map(Vec::from).to_vec()), "{}", ran.stderr);
}

#[test]
fn passive_on_a_silent_lan_is_exit_1() {
    let lan = Lan::new();
    let ran = lan.run(&["browse", "--passive", "0.1"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("mailslot: 0 browser messages, 0 of them announcements\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn types_are_named_or_numbers() {
    let ran = crate::run(&["browse", "--passive", "1", "--type", "toaster"], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("printq"), "{}", ran.stderr);
}

/// A computer of the LAN with the browser service, in this process.
struct Computer {
    _runtime: tokio::runtime::Runtime,
    _node: Node,
    browser: NodeBrowser,
}

fn computer(lan: &Lan, name: &str, maintain: Maintain, sessions: bool) -> Computer {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (node, browser) = runtime.block_on(async {
        let ports = LoopbackLan::new(lan.datagram_port() - 1, lan.datagram_port());
        let mut builder = Node::builder().name(name).workgroup("SALES").loopback(ports);
        if !sessions {
            builder = builder.session_ports(None, None);
        }
        let node = builder.start().await.unwrap();
        node.ready().await.unwrap();
        let mut config = Config::new(&node.name(), &node.workgroup());
        config.maintain = maintain;
        config.set_comment(b"by the window").unwrap();
        config.timers.find_master = Duration::from_millis(100);
        config.timers.election_potential = [Duration::from_millis(10), Duration::from_millis(20)];
        config.timers.election_round = Duration::from_millis(50);
        let browser = node.start_browser(config).unwrap();
        (node, browser)
    });
    Computer { _runtime: runtime, _node: node, browser }
}

impl Computer {
    fn wait_for(&self, wanted: impl FnMut(&BrowserStatus) -> bool) -> BrowserStatus {
        self._runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), self.browser.wait_for(wanted)).await.unwrap()
        })
    }
}

fn master(lan: &Lan) -> Computer {
    let master = computer(lan, "BOSS", Maintain::Auto, true);
    master.wait_for(|status| status.role == Role::LocalMaster);
    master
}

fn ask(lan: &Lan, args: &[&str]) -> Ran {
    let ran = lan.run(&[args, &["--workgroup", "sales"]].concat(), b"");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
fn the_list_is_a_backups_if_there_is_one() {
    let lan = Lan::new();
    let boss = master(&lan);
    let _host = computer(&lan, "PC7", Maintain::No, true);
    boss.wait_for(|status| status.servers.len() == 2);
    let ran = ask(&lan, &["browse"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!((ran.code, lines[0], lines.len()), (Some(0), "SALES, master BOSS", 4), "{}", ran.stderr);
    assert!(lines[2].contains("BOSS") && lines[2].contains("master_browser"), "{}", ran.stdout);
    assert!(lines[3].contains("PC7") && lines[3].ends_with("by the window"), "{}", ran.stdout);
    assert!(ran.stderr.contains("the list is from the master browser BOSS (127."), "{}", ran.stderr);

    let spare = computer(&lan, "SPARE", Maintain::Yes, true);
    spare.wait_for(|status| status.servers.len() == 3);
    boss.wait_for(|status| {
        let is_backup = |server: &FoundServer| server.server_type.contains(ServerType::BACKUP_BROWSER);
        status.servers.iter().any(is_backup)
    });
    let objects = parse(&ask(&lan, &["browse", "--json"]).stdout);
    let [sales, one, two, three] = &objects[..] else { panic!("{objects:?}") };
    assert_eq!((&sales["workgroup"], &sales["master"]), (&"SALES".into(), &"BOSS".into()));
    for (object, name) in [(one, "BOSS"), (two, "PC7"), (three, "SPARE")] {
        assert_eq!((&object["computer"], &object["workgroup"]), (&name.into(), &"SALES".into()));
        assert_eq!((&object["source"], &object["from"]), (&"backup".into(), &"SPARE".into()));
        assert!(object["from_address"].as_str().unwrap().starts_with("127."));
    }
    let ran = ask(&lan, &["browse", "--type", "backup_browser", "--json"]);
    assert_eq!(parse(&ran.stdout).len(), 2, "{}", ran.stdout);
    let ran = ask(&lan, &["browse", "--domains"]);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines, [["WORKGROUP", "MASTER"], ["SALES", "BOSS"]], "{}", ran.stderr);
}

#[test]
fn without_a_session_what_is_heard_is_shown() {
    let lan = Lan::new();
    let boss = computer(&lan, "BOSS", Maintain::Auto, false);
    boss.wait_for(|status| status.role == Role::LocalMaster);
    let ran = ask(&lan, &["browse", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("the master browser BOSS: ERROR_BAD_NETPATH (53): "), "{}", ran.stderr);
    let objects = parse(&ran.stdout);
    assert_eq!((&objects[1]["computer"], &objects[1]["source"]), (&"BOSS".into(), &"heard".into()));
}

#[test]
fn where_there_is_no_master_the_code_says_so() {
    let lan = Lan::new();
    let asked = [ask(&lan, &["browse"]), verb(&lan, &["master"]), verb(&lan, &["tickle"])];
    for ran in asked {
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("ERROR_NO_BROWSER_SERVERS_FOUND (6118)"), "{}", ran.stderr);
    }
}

fn verb(lan: &Lan, args: &[&str]) -> Ran {
    let options = lan.args(&[""]);
    let mut all = vec!["browser"];
    all.extend(args);
    all.extend(&options[1..]);
    all.extend(["--workgroup", "sales"]);
    crate::run(&all, b"")
}

#[test]
fn the_verbs_of_browstat() {
    let lan = Lan::new();
    let boss = master(&lan);
    let ran = verb(&lan, &["master"]);
    assert!(ran.stdout.starts_with("BOSS 127."), "{ran:?}");
    assert_eq!(verb(&lan, &["backups"]).stdout, "BOSS\n");
    let object = &parse(&verb(&lan, &["backups", "--json"]).stdout)[0];
    assert_eq!((&object["master"], &object["backups"]), (&"BOSS".into(), &serde_json::json!(["BOSS"])));
    let object = &parse(&verb(&lan, &["status", "--json"]).stdout)[0];
    assert_eq!(
        (&object["servers"], &object["workgroups"], &object["source"]),
        (&1.into(), &1.into(), &"master".into())
    );
    let ran = verb(&lan, &["status"]);
    assert!(ran.stdout.contains("\nservers:     1\n"), "{ran:?}");

    let before = boss.browser.status().stats.elections;
    let ran = verb(&lan, &["elect"]);
    assert_eq!(ran.stdout, "RequestElection sent to SALES<1e>\n");
    boss.wait_for(|status| status.stats.elections > before && !status.electing);
    // A stranger's wish is counted, and not obeyed.
    let ran = verb(&lan, &["tickle"]);
    assert_eq!(ran.stdout, "ResetStateRequest sent to BOSS<00>\n");
    let untrusted = DropReason::Untrusted;
    let status = boss.wait_for(|status| status.stats.dropped(untrusted) == 1);
    assert_eq!(status.role, Role::LocalMaster);
}
