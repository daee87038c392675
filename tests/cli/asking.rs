//! `mailslot lookup`, `status`, `names` and `demo`.

use mailslot::service::names::Lmhosts;

use crate::lan::{Lan, Running};
use crate::{parse, run};

/// The address in the line that says that `listen` is ready.
fn address(reader: &Running) -> String {
    let (_, rest) = reader.stderr.split_once(" on lo ").unwrap();
    rest.split_once('/').unwrap().0.to_owned()
}

#[test]
fn names_are_looked_up_in_every_way() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "soda"]);
    let address = address(&reader);
    for how in [&[][..], &["-B", "127.255.255.255"], &["-U", &address]] {
        let ran = lan.run(&[&["lookup"], how, &["reader<20>"]].concat(), b"");
        let origin = if how.contains(&"-U") { "server" } else { "broadcast" };
        let expected = format!("{address} READER<20> unique (by {origin} {address})\n");
        assert_eq!((ran.code, ran.stdout), (Some(0), expected), "{}", ran.stderr);
    }
    let ran = lan.run(&["lookup", "--json", "WORKGROUP", "NOBODY"], b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), "mailslot: NOBODY<00>: nobody answered\n"));
    let objects = parse(&ran.stdout);
    assert_eq!((&objects[0]["kind"], &objects[0]["addresses"][0]), (&"group".into(), &address.into()));
    assert_eq!(objects[1]["error"], "nobody answered");
}

#[test]
fn a_computer_tells_its_names() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "--workgroup", "SALES", "soda"]);
    let address = address(&reader);
    let expected = format!(
        "{address} READER in SALES\n  \
         READER<00>           unique active   workstation\n  \
         SALES<00>            group  active   workgroup\n  \
         READER<03>           unique active   messenger\n  \
         READER<20>           unique active   file server\n"
    );
    for args in [["status", "READER"], ["status", &address], ["lookup", "-A"]] {
        let args = if args[1] == "-A" { [&args[..], &[&address]].concat() } else { args.to_vec() };
        let ran = lan.run(&args, b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), expected.as_str()), "{}", ran.stderr);
    }
    let ran = lan.run(&["status", "--json", "READER", "NOBODY"], b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), "mailslot: NOBODY<00>: nobody answered\n"));
    assert_eq!(parse(&ran.stdout)[0]["names"][1]["name"], "SALES<00>");
}

#[test]
fn a_range_is_searched_inside_the_subnet_only() {
    let lan = Lan::new();
    let reader = lan.listen(&["--name", "READER", "soda"]);
    let address = address(&reader);
    let range = format!("{address}/30");
    let ran = lan.run(&["status", &range], b"");
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 1), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("{address:<15} READER          WORKGROUP       server -")));
    assert!(ran.stderr.starts_with("mailslot: 1 of "), "{}", ran.stderr);
    let lines = lan.run(&["status", "--lmhosts-lines", &range], b"").stdout;
    let lmhosts = Lmhosts::parse(&lines, |_| None);
    assert!(lmhosts.errors().is_empty());
    assert_eq!(lmhosts.entries()[0].address.to_string(), address);
    assert_eq!(lmhosts.entries()[0].name.to_string(), "READER<00>");
    for (range, reason) in [
        ("10.0.0.0/24", "is not inside a subnet of this computer (lo 127.0.0.1/8)"),
        ("0.0.0.0/0", "is not inside a subnet"),
        ("127.0.0.0/8", "has 16777216 addresses; at most 4096 are searched"),
        ("127.0.0.0/33", "a prefix of 0 to 32 bits"),
        ("a-name-of-16-char", "is no IPv4 address, range or NetBIOS name"),
    ] {
        let ran = lan.run(&["status", range], b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{range}");
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn names_says_what_became_of_each() {
    let lan = Lan::new();
    let ran = lan.run(&["names", "--name", "PC7", "--workgroup", "SALES"], b"");
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 4), "{}", ran.stderr);
    assert!(ran.stdout.contains("PC7<20>              unique active on 127."), "{}", ran.stdout);
    // It has given them up: the next one gets them.
    let reader = lan.listen(&["--name", "PC7", "soda"]);
    let ran = lan.run(&["names", "--name", "PC7", "--json"], b"");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let refused = parse(&ran.stdout);
    let refused: Vec<_> = refused.iter().filter(|name| name["state"] == "refused").collect();
    assert_eq!((refused.len(), &refused[0]["said_by"]), (3, &address(&reader).into()));
}

#[test]
fn the_demo_ends_by_itself_and_shows_what_crossed() {
    let ran = run(&["demo"], b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches(" sodas left\" from VENDING<00>").count(), 9, "{}", ran.stdout);
    assert!(ran.stdout.contains(r#"BOB     reads "\\FILESRV\files" from FILESRV<00>"#), "{}", ran.stdout);
    let soda = r"UDP 138 direct_group VENDING<00> > WORKGROUP<00> \MAILSLOT\soda";
    let line = ran.stdout.lines().find(|line| line.ends_with(soda)).unwrap();
    assert!(line.starts_with("    3 "), "{line}");
    assert!(!ran.stdout.contains("damaged"), "{}", ran.stdout);
    assert!(ran.stdout.contains("FILESRV has written 4096 bytes by session 139\n"), "{}", ran.stdout);
    let read = "CAROL   reads 4096 bytes, ";
    let line = ran.stdout.lines().find(|line| line.trim_start().starts_with(read)).unwrap();
    assert!(line.ends_with(" from FILESRV<00>"), "{line}");
}
