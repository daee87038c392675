//! `mailslot browse`.

use std::net::UdpSocket;

use mailslot::wire::Encode;
use mailslot::wire::browser::{
    Announcement, BROWSE, BrowserFrame, DOMAIN_OS_VERSION, LANMAN, LanmanAnnouncement, LanmanFrame,
    ServerType, Version,
};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
use mailslot::wire::smb::{HeaderLayout, MailslotWrite};

use crate::lan::Lan;
use crate::parse;

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
fn announce(lan: &Lan) {
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

fn heard(args: &[&str]) -> crate::Ran {
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
