//! `mailslot send`.

use crate::lan::Lan;
use crate::{parse, run};

#[test]
fn every_size_arrives_at_a_computer_a_workgroup_and_everybody() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "--json", "soda"]);
    for length in [0, 1, 400, 424] {
        for (to, group, name) in [
            ("//reader/mailslot/soda", false, "READER<00>"),
            (r"\\WORKGROUP\mailslot\soda", true, "WORKGROUP<00>"),
            ("//*/mailslot/soda", true, "WORKGROUP<00>"),
        ] {
            let message = vec![b'x'; length];
            let sent = lan.run(&["send", "--name", "WRITER", "--json", to], &message);
            assert_eq!((sent.code, sent.stderr.as_str()), (Some(0), ""), "{}", sent.stdout);
            let sent = &parse(&sent.stdout)[0];
            assert_eq!((&sent["way"], &sent["group"]), (&"datagram".into(), &group.into()));
            assert_eq!(sent["destination"], name);
            assert_eq!((&sent["bytes"], &sent["truncated"]), (&length.into(), &false.into()));
            let port = sent["addresses"][0].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
            assert_eq!(port, lan.datagram_port().to_string());
            let got = reader.object();
            assert_eq!(got["data"], "78".repeat(length));
            assert_eq!((&got["from"], &got["to"]), (&"WRITER<00>".into(), &name.into()));
            assert_eq!((&got["size"], &got["way"]), (&length.into(), &"datagram".into()));
            assert!(got["source"].as_str().unwrap().starts_with("127.0.0.1:"));
        }
    }
}

#[test]
fn what_is_sent_and_where_is_said_for_people() {
    let lan = Lan::new();
    let _reader = lan.listen(&["--name", "READER", "soda"]);
    let sent = lan.run(&["send", "//READER/mailslot/soda", "12 left"], b"not read");
    assert!(sent.stdout.starts_with(r"7 bytes to \\READER\mailslot\soda by datagram to READER<00> at 127."));
}

#[test]
fn messages_come_from_files_and_again_and_again() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "--json", "soda"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"\x00\xff").unwrap();
    let path = file.path().to_str().unwrap();
    let args = ["send", "--from-file", path, "--repeat", "3", "--interval", "0.01", "//READER/mailslot/soda"];
    let sent = lan.run(&args, b"");
    assert_eq!((sent.code, sent.stdout.lines().count()), (Some(0), 3), "{}", sent.stderr);
    for _ in 0..3 {
        assert_eq!(reader.object()["data"], "00ff");
    }
    assert_eq!(lan.run(&["send", "//READER/mailslot/soda", "-"], b"from a pipe").code, Some(0));
    assert_eq!(reader.object()["text"], "from a pipe");
}

#[test]
fn what_cannot_be_sent_has_a_code_a_sentence_and_exit_1() {
    let lan = Lan::new();
    let long = "x".repeat(425);
    for (to, message, code, reason) in [
        ("//nobody/mailslot/soda", "x", "ERROR_BAD_NETPATH (53)", "NOBODY<00> was found: nobody answered"),
        ("//*/mailslot/soda", &long, "ERROR_BAD_NETPATH (53)", "at most 424 bytes"),
        ("//a-name-of-16-char/mailslot/soda", "x", "ERROR_BAD_NETPATH (53)", "at most 15"),
    ] {
        let sent = lan.run(&["send", to, message], b"");
        assert_eq!((sent.code, sent.stdout.as_str()), (Some(1), ""), "{to}");
        assert!(sent.stderr.contains(code) && sent.stderr.contains(reason), "{}", sent.stderr);
        assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
    }
    let sent = lan.run(&["send", "--json", "//*/mailslot/soda", &long], b"");
    let error = &parse(&sent.stdout)[0]["error"];
    assert_eq!((&error["code"], &error["name"]), (&53.into(), &"ERROR_BAD_NETPATH".into()));
}

#[test]
fn a_message_goes_by_the_way_it_is_told_or_not_at_all() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "--json", "soda"]);
    let send = |args: &[&str], message: &[u8]| lan.run(&[&["send"], args].concat(), message);
    let to = "//READER/mailslot/soda";
    for (options, way, length) in [
        (&[][..], "datagram", 424),
        (&[], "session 139", 425),
        (&["--via", "datagram"], "datagram", 424),
        (&["--via", "session"], "session 139", 0),
        (&["--via", "session", "--session-port", "off"], "session 445", 1),
        (&["--session-port", "off"], "session 445", 65_535),
        (&["--via", "datagram", "--profile", "win9x"], "datagram", 60_000),
    ] {
        let sent = send(&[options, &["--json", to]].concat(), &vec![b'x'; length]);
        assert_eq!(sent.code, Some(0), "{options:?} {}", sent.stderr);
        assert_eq!(parse(&sent.stdout)[0]["way"], way, "{options:?}");
        let got = reader.object();
        assert_eq!((&got["way"], &got["size"]), (&way.into(), &length.into()));
    }
    for (options, to, length, code, reason) in [
        (&["--via", "datagram"][..], to, 425, "ERROR_INVALID_PARAMETER (87)", "at most 424 bytes fit one"),
        (&["--via", "session"], "//*/mailslot/soda", 1, "ERROR_BAD_NETPATH (53)", "leads to one computer"),
        (&["--via", "session"], "//WORKGROUP/mailslot/soda", 1, "ERROR_BAD_NETPATH (53)", "by datagram only"),
        (&["--via", "session", "--profile", "win9x"], to, 1, "ERROR_NOT_SUPPORTED (50)", "win9x has none"),
        (
            &["--via", "session", "--session-port", "off", "--direct-port", "off"],
            to,
            1,
            "ERROR_BAD_NETPATH (53)",
            "no port",
        ),
    ] {
        let sent = send(&[options, &[to]].concat(), &vec![b'x'; length]);
        assert_eq!((sent.code, sent.stdout.as_str()), (Some(1), ""), "{options:?}");
        assert!(sent.stderr.contains(code) && sent.stderr.contains(reason), "{}", sent.stderr);
    }
    let wrong = send(&["--via", "pigeon", to], b"x");
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

#[test]
fn a_bad_path_is_wrong_use() {
    for (path, reason) in [
        (r"\HOSTmailslotsoda", r"in single quotes: '\\HOST\mailslot\soda'"),
        (r"\\HOST\pipe\soda", "ERROR_PATH_NOT_FOUND (3)"),
        ("soda", "ERROR_INVALID_NAME (123)"),
        ("", "ERROR_PATH_NOT_FOUND (3)"),
        ("//HOST/mailslot", "ERROR_PATH_NOT_FOUND (3)"),
    ] {
        let ran = run(&["send", path, "x"], b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{path}");
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn wrong_lan_options_are_wrong_use() {
    for (args, reason) in [
        (&["--name", "A-NAME-OF-16-CHAR"][..], "'A-NAME-OF-16-CHAR' cannot be the computer name"),
        (&["--workgroup", ""], "'' cannot be the workgroup"),
        (&["--scope", "a..b"], "'a..b' cannot be the scope"),
        (&["--name-port", "65536"], "65536 is not in 0..=65535"),
        (&["--peer-datagram-port", "0"], "0 is not in 1..=65535"),
        (&["--session-port", "0"], "a port from 1 to 65535, or off"),
        (&["--node-type", "x"], "the node types are b, p, m and h"),
        (&["--profile", "nt5"], "the profiles are nt, nt4 and win9x"),
        (&["--wins", "nowhere"], "nowhere"),
        (&["--interface", "nowhere0"], "there is no interface 'nowhere0'; there are: "),
        (&["--loopback=10.0.0.1"], "an address that begins with 127"),
        (&["--loopback", "--interface", "lo"], "on no other interface"),
        (&["--loopback", "--name-port", "0"], "cannot be 0"),
        (&["--lmhosts", "/no/such/file"], "/no/such/file"),
        (&["--interval", "soon"], "a number of seconds"),
        (&["--from-file", "/no/such/file"], "/no/such/file"),
    ] {
        let args = [&["send"], args, &["//*/mailslot/soda"]].concat();
        let ran = run(&args, b"x");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?} {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{args:?}: {}", ran.stderr);
    }
    // This machine's own slots are on no LAN.
    let ran = run(&["send", "--loopback", "//./mailslot/soda", "x"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("are at //NAME/mailslot/soda"), "{}", ran.stderr);
}

#[test]
fn settings_come_from_the_environment() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "--workgroup", "SALES", "--json", "soda"]);
    let ran = crate::mailslot()
        .args(["send", "//*/mailslot/soda", "hello"])
        .envs([
            ("MAILSLOT_LOOPBACK", "127.9.9.9"),
            ("MAILSLOT_NAME", "ENVY"),
            ("MAILSLOT_WORKGROUP", "sales"),
        ])
        .env("MAILSLOT_NAME_PORT", (lan.datagram_port() - 1).to_string())
        .env("MAILSLOT_DATAGRAM_PORT", lan.datagram_port().to_string())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let got = reader.object();
    assert_eq!((&got["from"], &got["to"]), (&"ENVY<00>".into(), &"SALES<00>".into()));
    assert!(got["source"].as_str().unwrap().starts_with("127.9.9.9:"));
}

#[test]
fn what_is_too_long_for_a_datagram_goes_by_session() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "--json", "soda"]);
    let sent = lan.run(&["send", "--json", "--name", "WRITER", "//READER/mailslot/soda"], &[b'x'; 5000]);
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    assert_eq!(parse(&sent.stdout)[0]["way"], "session 139");
    let got = reader.object();
    assert_eq!(
        (&got["way"], &got["size"], &got["from"]),
        (&"session 139".into(), &5000.into(), &"WRITER<00>".into())
    );
    assert!(got["source"].as_str().unwrap().starts_with("127.0.0.1:"));
    let sent = lan.run(&["send", "//READER/mailslot/none", "-"], &[b'x'; 5000]);
    assert_eq!(sent.code, Some(1));
    assert!(sent.stderr.contains("ERROR_FILE_NOT_FOUND (2)"), "{}", sent.stderr);
    // A computer without sessions: what would work stands in a line of its own.
    let _old = lan.listen(&["--name", "OLD", "--profile", "win9x", "soda"]);
    let sent = lan.run(&["send", "//OLD/mailslot/soda", "-"], &[b'x'; 5000]);
    assert_eq!(sent.code, Some(1));
    assert!(
        sent.stderr.lines().any(|line| line.starts_with("Up to 424 bytes go by datagram")),
        "{}",
        sent.stderr
    );
}
