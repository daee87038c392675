//! `mailslot listen`.

use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::lan::{Lan, Running};

#[test]
fn messages_are_lines_of_text_or_hex() {
    let lan = Lan::new();
    let mut reader =
        lan.listen(&["--name", "READER", r"\\.\mailslot\soda", "//./mailslot/News", "--code-page", "850"]);
    assert!(reader.stderr.starts_with("mailslot: listening as READER in WORKGROUP on lo 127."));
    assert!(reader.stderr.ends_with("/8: soda, News\n"));
    for (slot, message, shown) in [
        ("soda", &b"12 left"[..], " 7 bytes by datagram \"12 left\""),
        ("SODA", b"C strings\0", " 10 bytes by datagram \"C strings\""),
        ("news", b"", " 0 bytes by datagram"),
        ("news", b"\x01\x02", " 2 bytes by datagram 0102"),
        ("news", "günstig".as_bytes(), " 8 bytes by datagram \"günstig\""),
        ("news", b"g\x81nstig", " 7 bytes by datagram \"günstig\""),
        ("news", b"two\nlines", r#" 9 bytes by datagram "two\x0alines""#),
    ] {
        let path = format!("//READER/mailslot/{slot}");
        assert_eq!(lan.run(&["send", "--name", "WRITER", &path, "-"], message).code, Some(0));
        let line = reader.line();
        assert!(line.ends_with(shown), "{line}");
        assert!(line.contains(" WRITER<00> (127.0.0.1:") && line.contains(") > READER<00> "), "{line}");
    }
    reader.interrupt("TERM");
    let ran = reader.end();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
}

#[test]
fn raw_is_the_bytes_alone_and_count_ends_it() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "--raw", "--count", "2", "soda"]);
    lan.run(&["send", "//READER/mailslot/soda", "one"], b"");
    lan.run(&["send", "//READER/mailslot/soda", "\ntwo"], b"");
    let ran = reader.end();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "one\ntwo"));
}

#[test]
fn a_time_in_which_too_little_came_is_exit_1() {
    let lan = Lan::new();
    let ran = lan.run(&["listen", "--name", "READER", "--timeout", "0.01", "soda"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
}

#[test]
fn what_is_dropped_is_said_with_its_reason() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "--count", "1", "--max-message-size", "3", "soda"]);
    lan.run(&["send", "//READER/mailslot/none", "for no slot"], b"");
    lan.run(&["send", "//READER/mailslot/soda", "long"], b"");
    lan.run(&["send", "//READER/mailslot/soda", "end"], b"");
    let ran = reader.end();
    let last = "mailslot: 1 messages came; 2 datagrams were dropped: no_slot 1, over_max_message_size 1\n";
    assert!(ran.stderr.ends_with(last), "{}", ran.stderr);
}

#[test]
fn ctrl_c_gives_the_names_up() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "soda"]);
    reader.interrupt("INT");
    let ran = reader.end();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(0), 1), "{}", ran.stderr);
    // Nobody has the name any more.
    assert_eq!(lan.run(&["send", "//READER/mailslot/soda", "x"], b"").code, Some(1));
    drop(lan.listen(&["--name", "READER", "soda"]));
}

#[test]
fn a_name_of_another_is_refused_and_who_has_it_is_said() {
    let lan = Lan::new();
    let _first = lan.listen(&["--name", "READER", "soda"]);
    let ran = lan.run(&["listen", "--name", "reader", "soda"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("the name READER<"), "{}", ran.stderr);
    assert!(ran.stderr.contains("has it; choose another with --name"), "{}", ran.stderr);
}

#[test]
fn wrong_slots_are_wrong_use() {
    for (slots, reason) in [
        (
            &["soda", "//./mailslot/SODA"][..],
            "ERROR_ALREADY_EXISTS (183): the mailslot 'SODA' exists already",
        ),
        (&["//PC7/mailslot/soda"], "is on another machine"),
        (&[r"\.mailslotsoda"], r"in single quotes: '\\.\mailslot\soda'"),
        (&[""], "the path is empty"),
        (&[], "required"),
    ] {
        let lan = Lan::new();
        let ran = lan.run(&[&["listen"], slots].concat(), b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{slots:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn a_port_of_another_program_names_it() {
    let lan = Lan::new();
    let _other = UdpSocket::bind(("127.255.255.255", lan.datagram_port())).unwrap();
    let ran = lan.run(&["listen", "soda"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let holder = format!("(process {})", std::process::id());
    assert!(ran.stderr.contains(&holder), "{}", ran.stderr);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let lan = Lan::new();
    let mut reader = lan.listen(&["--name", "READER", "soda"]);
    reader.close_stdout();
    lan.run(&["send", "//READER/mailslot/soda", "x"], b"");
    let ran = reader.end();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(0), 1), "{}", ran.stderr);
}

/// Root has the right to ports 137 and 138 and an ordinary user has not; the message says how to get it.
#[test]
fn without_the_right_to_the_ports_it_says_what_to_do() {
    let program = assert_cmd::cargo::cargo_bin("mailslot");
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let least = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if least.trim().parse::<u32>().is_ok_and(|least| least <= 138) {
        println!("SKIPPED: here everybody has the right to all ports");
        return;
    }
    // An ordinary user may not be allowed to reach this directory.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("mailslot");
    std::fs::copy(program, &copy).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let mut command = Command::new(copy);
    command.args(["listen", "--interface", "127.0.0.1", "soda"]);
    if is_root {
        command.uid(65_534).gid(65_534);
    }
    let ran = Running::start(command).end();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot listen on UDP 127.0.0.1:137"), "{}", ran.stderr);
    // To be copied from a line of its own, and said once.
    let line = |line: &str| line.starts_with("    sudo setcap cap_net_bind_service+ep $(");
    assert!(ran.stderr.lines().any(line), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("Permission denied").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("--name-port 10137 --datagram-port 10138"), "{}", ran.stderr);
}

#[test]
fn a_program_gets_each_message_and_the_facts() {
    let lan = Lan::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("got");
    let script = format!(
        "cat; echo \" $MAILSLOT_MESSAGE_SLOT $MAILSLOT_MESSAGE_FROM $MAILSLOT_MESSAGE_TO $MAILSLOT_MESSAGE_SIZE \
         $MAILSLOT_MESSAGE_WAY ${{MAILSLOT_MESSAGE_SOURCE%:*}} $0 $1\" >> {}",
        file.display()
    );
    // The message goes to the program's own standard output, so that the two are not mixed up.
    let script = script.replacen("cat;", &format!("cat >> {};", file.display()), 1);
    let args =
        ["--name", "READER", "--count", "2", "--exec", "sh", "-c", &script, "a b", "$HOME", ";", "soda"];
    let reader = lan.listen(&args);
    lan.run(&["send", "--name", "WRITER", "//READER/mailslot/soda", "first"], b"");
    lan.run(&["send", "--name", "WRITER", "//READER/mailslot/soda", "`second`"], b"");
    let ran = reader.end();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(0), 1), "{}", ran.stderr);
    let facts = |size| format!(" soda WRITER<00> READER<00> {size} datagram 127.0.0.1 a b $HOME\n");
    let expected = format!("first{}`second`{}", facts(5), facts(8));
    assert_eq!(std::fs::read_to_string(file).unwrap(), expected);
}

#[test]
fn a_program_that_fails_or_is_missing_is_reported_and_nothing_stops() {
    let lan = Lan::new();
    for (command, reason) in
        [(&["/no/such/program"][..], "No such file"), (&["sh", "-c", "exit 3"], "exit status: 3")]
    {
        let args = [&["--name", "READER", "--count", "2", "soda", "--exec"], command].concat();
        let mut reader = lan.listen(&args);
        lan.run(&["send", "//READER/mailslot/soda", "one"], b"");
        assert!(reader.line().ends_with("\"one\""));
        lan.run(&["send", "//READER/mailslot/soda", "two"], b"");
        let ran = reader.end();
        assert_eq!(ran.code, Some(0));
        let told = ran.stderr.matches(&format!("mailslot: --exec {}: ", command[0])).count();
        assert_eq!((told, ran.stderr.matches(reason).count()), (2, 2), "{}", ran.stderr);
    }
}

/// A program that runs as long as it likes holds up its own slot only.
#[test]
fn a_slow_program_holds_up_no_other_slot() {
    let lan = Lan::new();
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let script = format!("test $MAILSLOT_MESSAGE_SLOT = fast || cat {}", pipe.display());
    let args = ["--name", "READER", "--count", "3", "--exec", "sh", "-c", &script, ";", "slow", "fast"];
    let mut reader = lan.listen(&args);
    lan.run(&["send", "//READER/mailslot/slow", "one"], b"");
    assert!(reader.line().ends_with("\"one\""));
    // The second waits in the slot until the program of the first has ended.
    lan.run(&["send", "//READER/mailslot/slow", "two"], b"");
    lan.run(&["send", "//READER/mailslot/fast", "three"], b"");
    assert!(reader.line().ends_with("\"three\""));
    let open = || std::fs::write(&pipe, b"go on").unwrap();
    open();
    assert!(reader.line().ends_with("\"two\""));
    open();
    assert_eq!(reader.end().code, Some(0));
}
