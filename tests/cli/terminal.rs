//! Text from the network, and from file names, does nothing to a terminal.

use mailslot::wire::Encode;
use mailslot::wire::name::{NetbiosName, Scope, ScopedName, Suffix};
use mailslot::wire::smb::{HeaderLayout, MailslotWrite};

use crate::build::{self, announcement, message, message_between, pcap};
use crate::{parse, run};

/// Sets the window's title, clears the screen, rings.
const EVIL: &[u8] = b"\x1b]0;x\x07\x1b[2J\x9b";

fn evil_name() -> NetbiosName {
    NetbiosName::from_oem(EVIL, Suffix(0)).unwrap()
}

fn sample() -> Vec<u8> {
    let plain: NetbiosName = "PC2".parse().unwrap();
    let user_data = MailslotWrite::new(HeaderLayout::Bowser, br"\MAILSLOT\app", EVIL).unwrap().to_bytes();
    let scope = Scope::from_labels(b"\x03\x1b[2\x04\"\\\x9b\x07").unwrap();
    // A slot name with a control character cannot be built, so it is put in.
    let mut slot = message("PC1", "PC2", br"\MAILSLOT\app-here", EVIL);
    let at = slot.windows(8).position(|window| window == b"app-here").unwrap();
    slot[at..at + 8].copy_from_slice(b"\x1b[2J\x9b\x7f\"x");
    pcap(&[
        message("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement(b"P\x1b[2J", EVIL)),
        message_between(evil_name(), plain, br"\MAILSLOT\app", EVIL),
        build::scoped(ScopedName::new(plain, scope), ScopedName::new(evil_name(), scope), &user_data),
        slot,
        message("PC1", "PC2", b"\\MAILSLOT\\\x9b2J\xe8", b"x"),
        build::direct(plain, plain, EVIL),
        message("PC1", "WG<1e>", br"\MAILSLOT\LANMAN", b"\x02\x00\x1b[2J\0"),
    ])
}

/// No control character but the ends of the lines, also none of C1.
fn assert_harmless(text: &str) {
    let bad = text.chars().find(|&character| character.is_control() && character != '\n');
    assert_eq!(bad, None, "{text:?}");
}

#[test]
fn lines_objects_and_totals_are_harmless() {
    for args in [
        &["decode"][..],
        &["decode", "--verify"],
        &["decode", "--json"],
        &["decode", "--stats"],
        &["decode", "--stats", "--json"],
        &["replay"],
        &["replay", "--json"],
        // A code page in which 0x9b is no letter is not among those taken, but what it reads may differ.
        &["decode", "--code-page", "874"],
        &["replay", "--code-page", "874"],
    ] {
        let ran = run(&[args, &["-"]].concat(), &sample());
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        assert_harmless(&ran.stdout);
        assert_harmless(&ran.stderr);
    }
}

#[test]
fn objects_stay_valid() {
    for args in
        [&["decode", "--json", "-"][..], &["replay", "--json", "-"], &["decode", "--stats", "--json", "-"]]
    {
        let objects = parse(&run(args, &sample()).stdout);
        assert!(!objects.is_empty());
    }
    let objects = parse(&run(&["decode", "--json", "-"], &sample()).stdout);
    assert_eq!(objects.len(), 7);
    assert_eq!(objects[0]["browser"]["server_name"], "P\u{1b}[2J");
    assert_eq!(objects[0]["browser"]["comment"], "\u{1b}]0;x\u{7}\u{1b}[2J¢");
}

#[test]
fn a_file_name_is_harmless() {
    let ran = run(&["decode", "no-\u{1b}[2J-such-\u{202e}file"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_harmless(&ran.stderr);
    assert!(ran.stderr.contains(r"no-\x1b[2J-such-\u{202e}file"), "{}", ran.stderr);
}

/// Letters of other scripts stay; what reorders them, ends lines, or cannot be seen, does not.
#[test]
fn what_cannot_be_seen_is_shown() {
    let hidden = "\u{61c}\u{2028}\u{2029}\u{200b}\u{200d}\u{feff}\u{ad}\u{180e}\u{2060}\u{e0041}";
    let ran = run(&["decode", &format!("né-日本{hidden}.pcap")], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("né-日本"), "{}", ran.stderr);
    for character in hidden.chars() {
        assert!(!ran.stderr.contains(character), "{}", character.escape_unicode());
        let escape = match u8::try_from(character) {
            Ok(byte) => format!("\\x{byte:02x}"),
            Err(_) => format!("\\u{{{:x}}}", u32::from(character)),
        };
        assert!(ran.stderr.contains(&escape), "no {escape} in {}", ran.stderr);
    }
}
