//! `mailslot decode`: lines, objects, filters, totals, verification.

use serde_json::{Value, json};

use crate::build::{self, announcement, message, pcap};
use crate::{golden, objects, run, testdata};

fn sample() -> Vec<u8> {
    pcap(&[
        message("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement(b"PC1", b"first floor")),
        message("PC2", "WG<1d>", br"\mailslot\browse", &announcement(b"PC2", b"")),
        message("PC2<20>", "PC3", br"\MAILSLOT\app", b"hello"),
        message("PC3", "PC2", br"\MAILSLOT\lab\App2", &[0, 1, 254, 255]),
        message("PC3", "WG<1e>", br"\MAILSLOT\LANMAN", b"\x02\x00PC3\0"),
    ])
}

/// The numbers of the frames that are left of [`sample`].
fn frames(filters: &[&str]) -> Vec<u64> {
    let ran = run(&[&["decode", "--json", "-"], filters].concat(), &sample());
    let frames: Vec<u64> =
        crate::parse(&ran.stdout).iter().map(|object| object["frame"].as_u64().unwrap()).collect();
    assert_eq!(ran.code, Some(i32::from(frames.is_empty())), "{}", ran.stderr);
    frames
}

#[test]
fn objects_have_the_documented_keys() {
    let objects = objects(&["decode", "--json", "-"], &sample());
    assert_eq!(objects.len(), 5);
    assert_eq!(
        objects[0],
        json!({
            "frame": 1, "time": "2023-11-14T22:13:20.000000Z", "src": "10.0.0.5:138", "dst": "10.0.0.255:138",
            "nbdgm": {
                "msg_type": "direct_group", "flags": 2, "dgm_id": 7, "source_ip": "10.0.0.5", "source_port": 138,
                "dgm_length": 198, "packet_offset": 0, "source_name": "PC1<00>", "destination_name": "WG<1d>",
            },
            "mailslot": {
                "name": "\\MAILSLOT\\BROWSE", "class": 2, "priority": 0, "size": 44,
                "data": "010060ea0000504331000000000000000000000000000a00030000000f0155aa666972737420666c6f6f7200",
            },
            "browser": {
                "command": "HostAnnouncement", "update_count": 0, "periodicity": 60000, "server_name": "PC1",
                "os_version_major": 10, "os_version_minor": 0, "server_type": 3,
                "server_types": ["WORKSTATION", "SERVER"], "browser_version_major": 15,
                "browser_version_minor": 1, "signature": 0xaa55, "comment": "first floor",
            },
        })
    );
    assert_eq!(objects[2]["mailslot"]["data"], "68656c6c6f");
    assert_eq!(objects[2]["nbdgm"]["source_name"], "PC2<20>");
    assert_eq!(objects[4]["lanman"], json!({ "command": "AnnouncementRequest", "response_name": "PC3" }));
    for object in &objects {
        assert_eq!(object["mailslot"]["size"], object["mailslot"]["data"].as_str().unwrap().len() / 2);
    }
}

#[test]
fn a_line_says_who_what_and_where() {
    let ran = run(&["decode", "-"], &sample());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "     1 2023-11-14T22:13:20.000000Z 10.0.0.5:138 > 10.0.0.255:138 PC1<00> > WG<1d> \\MAILSLOT\\BROWSE \
         44 bytes HostAnnouncement PC1, version 10.0, \"first floor\", WORKSTATION SERVER, every 60 s"
    );
    assert!(lines[2].ends_with(" PC2<20> > PC3<00> \\MAILSLOT\\app 5 bytes \"hello\""), "{}", lines[2]);
    assert!(lines[3].ends_with(" \\MAILSLOT\\lab\\App2 4 bytes 0001feff"), "{}", lines[3]);
}

#[test]
fn filters() {
    assert_eq!(frames(&[]), [1, 2, 3, 4, 5]);
    // Slots: without case, with or without \MAILSLOT\, / for \, * over all parts.
    assert_eq!(frames(&["--slot", "BROWSE"]), [1, 2]);
    assert_eq!(frames(&["--slot", r"\MAILSLOT\browse"]), [1, 2]);
    assert_eq!(frames(&["--slot", "app*"]), [3]);
    assert_eq!(frames(&["--slot", "*app*"]), [3, 4]);
    assert_eq!(frames(&["--slot", r"lab\app?"]), [4]);
    assert_eq!(frames(&["--slot", "lab/*"]), [4]);
    assert_eq!(frames(&["--slot", "app", "--slot", "LANMAN"]), [3, 5]);
    // Names: sender or receiver, any suffix or this one.
    assert_eq!(frames(&["--name", "pc2"]), [2, 3, 4]);
    assert_eq!(frames(&["--name", "PC2<20>"]), [3]);
    assert_eq!(frames(&["--name", "WG<1e>", "--name", "PC1"]), [1, 5]);
    // Commands.
    assert_eq!(frames(&["--command", "hostannouncement"]), [1, 2]);
    assert_eq!(frames(&["--command", "AnnouncementRequest"]), [5]);
    // All kinds together.
    assert_eq!(frames(&["--slot", "browse", "--name", "PC2", "--command", "HostAnnouncement"]), [2]);
}

#[test]
fn no_match_is_exit_1() {
    assert_eq!(frames(&["--slot", "nonsense"]), [0; 0]);
    assert_eq!(frames(&["--name", "PC3", "--command", "HostAnnouncement"]), [0; 0]);
    let ran = run(&["decode", "--slot", "nonsense", "-"], &sample());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("matches --slot, --name and --command"), "{}", ran.stderr);
    // A capture without a datagram is the same.
    assert_eq!(run(&["decode", "-"], &build::pcap_header()).code, Some(1));
}

#[test]
fn totals() {
    let ran = run(&["decode", "--stats", "-"], &sample());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout
            .starts_with("frames           5\ndatagrams        5\npackets          0\nsession packets  0\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("         2  HostAnnouncement\n"), "{}", ran.stdout);

    let objects = objects(&["decode", "--stats", "--json", "-"], &sample());
    assert_eq!(
        objects,
        [json!({
            "frames": 5, "datagrams": 5, "packets": 0, "session_packets": 0,
            "kinds": {"HostAnnouncement": 2, "AnnouncementRequest (LAN Manager)": 1, "other mailslots": 2},
            "slots": {
                "\\MAILSLOT\\BROWSE": 2, "\\MAILSLOT\\APP": 1, "\\MAILSLOT\\LAB\\APP2": 1, "\\MAILSLOT\\LANMAN": 1,
            },
            "senders": {"PC3<00>": 2, "PC1<00>": 1, "PC2<00>": 1, "PC2<20>": 1},
        })]
        .map(|expected| rename_slots(expected, &objects[0])),
    );
    // Filters hold for totals too.
    let some = crate::objects(&["decode", "--stats", "--json", "--name", "PC3", "-"], &sample());
    assert_eq!((&some[0]["frames"], &some[0]["datagrams"]), (&json!(5), &json!(3)));
    assert_eq!(run(&["decode", "--stats", "--slot", "nonsense", "-"], &sample()).code, Some(1));
}

/// Slots with or without their prefix: whichever the program shows.
fn rename_slots(mut expected: Value, seen: &Value) -> Value {
    if seen["slots"].get("BROWSE").is_some() {
        let slots = expected["slots"].as_object().unwrap().clone();
        let renamed = slots.into_iter().map(|(name, count)| (name.replacen("\\MAILSLOT\\", "", 1), count));
        expected["slots"] = Value::Object(renamed.collect());
    }
    expected
}

#[test]
fn verification() {
    let mut wrong_length = message("PC1", "PC2", br"\MAILSLOT\app", b"hello");
    wrong_length.truncate(100);
    let file = pcap(&[message("PC1", "PC2", br"\MAILSLOT\app", b"hello"), wrong_length]);
    let ran = run(&["decode", "--verify", "--json", "-"], &file);
    let objects = crate::parse(&ran.stdout);
    assert_eq!((&objects[0]["verify"], &objects[0]["layout"]), (&json!("same"), &json!("bowser")));
    assert_eq!(objects[1]["verify"], "not_encoded");
    assert_eq!(objects[1]["reason"], objects[1]["error"]["message"]);
    assert_eq!(
        ran.stderr,
        "mailslot: 1 of 2 units are damaged\nmailslot: 0 of 2 units come back otherwise\n"
    );
    let lines = run(&["decode", "--verify", "-"], &file).stdout;
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[0].ends_with(" same (bowser)") && lines[1].ends_with(" not encoded"), "{lines:?}");
}

#[test]
fn everything_the_lab_recorded_comes_back() {
    for name in ["ad-netlogon", "app-mailslots", "browse-client", "nmbd-lm-announce"] {
        let objects = objects(&["decode", "--json", "--verify", &testdata(&format!("{name}.pcap"))], b"");
        assert!(!objects.is_empty());
        for object in objects {
            // This one was sent cut, to see what its receiver makes of it.
            let cut = (name, &object["frame"]) == ("browse-client", &json!(29));
            assert_eq!(object["verify"], if cut { "not_encoded" } else { "same" }, "{name}: {object}");
        }
    }
}

#[test]
fn fragments_are_one_message() {
    let [first, second] =
        build::fragments("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement(b"PC1", b"hi"));
    for order in [[first.clone(), second.clone()], [second, first]] {
        let objects = objects(&["decode", "--json", "--verify", "-"], &pcap(&order));
        assert_eq!(objects[0]["notes"], json!(["fragment"]));
        assert!(objects[0]["mailslot"].is_null() && objects[0]["error"].is_null());
        assert_eq!(objects[1]["notes"], json!(["reassembled"]));
        assert_eq!(objects[1]["browser"]["comment"], "hi");
        assert_eq!((&objects[1]["nbdgm"]["fragments"], &objects[1]["verify"]), (&json!(2), &json!("same")));
    }
}

#[test]
fn fragments_without_the_rest_are_said() {
    let [first, _] = build::fragments("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", b"hello");
    let ran = run(&["decode", "-"], &pcap(&[first]));
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.stderr, "mailslot: 1 datagrams in fragments are given up: end_of_capture\n");
}

#[test]
fn ip_fragments_without_the_rest_are_said() {
    let mut frame = build::frame(&message("PC1", "PC2", br"\MAILSLOT\app", b"hello"));
    frame[20] = 0x20; // More fragments.
    frame.truncate(14 + 20 + 64);
    frame[16..18].copy_from_slice(&84_u16.to_be_bytes());
    let mut file = build::pcap_header();
    build::record(&mut file, 1_700_000_000, &frame);
    let ran = run(&["decode", "-"], &file);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stderr, "mailslot: 1 datagrams in fragments are given up: ip_fragments_missing\n");
    let ran = run(&["replay", "-"], &file);
    assert_eq!(ran.stdout, "delivered 0 into 0 slots, dropped 1: ip_fragments_missing 1\n");
}

#[test]
fn names_and_comments_are_read_in_the_code_page() {
    let file = pcap(&[message("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement(b"PC1", b"B\x81ro"))]);
    for (page, comment) in [(None, "Büro"), (Some("850"), "Büro"), (Some("866"), "BБro")] {
        let mut args = vec!["decode", "--json", "-"];
        args.extend(page.map(|page| ["--code-page", page]).into_iter().flatten());
        assert_eq!(objects(&args, &file)[0]["browser"]["comment"], comment, "{page:?}");
    }
    let by_environment = crate::mailslot()
        .args(["decode", "--json", "-"])
        .env("MAILSLOT_CODE_PAGE", "866")
        .write_stdin(file)
        .output()
        .unwrap();
    assert!(String::from_utf8(by_environment.stdout).unwrap().contains("BБro"));
}

#[test]
fn goldens() {
    for name in ["app-mailslots", "browse-client", "nmbd-lm-announce"] {
        let ran = run(&["decode", "--json", &testdata(&format!("{name}.pcap"))], b"");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        golden(&format!("{name}.decode.jsonl"), &ran.stdout);
    }
}
