//! Paths and names.

use mailslot::slot::path::{MAX_NAME_UNITS, MAX_WIN32_PATH_UNITS};
use mailslot::slot::{MailslotError, SlotName, SlotPath, Target};
use proptest::prelude::*;

fn parse(path: &str) -> SlotPath {
    SlotPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn code(path: &str) -> u32 {
    SlotPath::parse(path).unwrap_err().win32().code()
}

fn name(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

#[test]
fn the_three_targets() {
    let path = parse(r"\\HOST\mailslot\Taxes\Bobs_Comments");
    assert_eq!(path.target, Target::Named("HOST".to_owned()));
    assert_eq!(path.name, name(r"taxes\bobs_comments"));
    assert_eq!(path.to_string(), r"\\HOST\mailslot\Taxes\Bobs_Comments");
    assert_eq!(parse(r"\\*\MAILSLOT\x").target, Target::Everyone);
    assert!(parse(r"\\.\mailslot\x").is_local());
    assert_eq!(parse("//host/mailslot/a/b").to_string(), r"\\host\mailslot\a\b");
    assert_eq!(parse(r"\\?\UNC\host\mailslot\x").to_string(), r"\\host\mailslot\x");
    // What follows the class is the root's: `..` cannot leave it.
    assert_eq!(parse(r"\\host\mailslot\..\x"), parse(r"\\host\mailslot\x"));
    assert_eq!(parse(r"\\host\\mailslot\\x. "), parse(r"\\host\mailslot\x"));
    for path in [r"\\host\mailslot", r"\\host\mailslot\", r"\\host\pipe\x", r"\\host", r"\\", r"\\\\x"] {
        assert_eq!(code(path), 3, "{path}");
    }
}

#[test]
fn win32_rules_that_the_recorded_cases_leave_open() {
    assert_eq!(parse(r"\\.\..\mailslot\x"), parse(r"\\.\mailslot\x"));
    assert_eq!(parse(r"\\.\mailslot\x\."), parse(r"\\.\mailslot\x"));
    assert_eq!(parse(r"\\.\mailslot\x\\ "), parse(r"\\.\mailslot\x\"));
    assert_eq!(parse(r"\\.\mailslot\...\x").name.to_string(), r"...\x");
    assert_eq!(code(r"\\.\COM1"), 183);
    assert_eq!(code(r"\\.\COM0"), 123);
    assert_eq!(code(r"\\.\mailslotx"), 123);
    assert_eq!(code(r"\\.\C:\x"), 123);
    assert_eq!(code(r"\\."), 123);
    assert_eq!(code(r"\\?\mailslot\a/b"), 123);
    assert_eq!(code("\\\\.\\mailslot\\a\0b"), 123);
    // Nothing is normalised behind \\?\, and such a name is spelled so again.
    let odd = parse(r"\\?\mailslot\a.\\b. ");
    assert_eq!(odd.name.to_string(), r"a.\\b. ");
    assert_eq!(odd.to_string(), r"\\?\mailslot\a.\\b. ");
    for path in [r"\\?\UNC\host\mailslot\a\\b", r"\\?\UNC\.\mailslot\x", r"\\?\UNC\*\mailslot\x."] {
        assert!(!parse(path).is_local());
        assert_eq!(parse(path).to_string(), path);
    }
}

#[test]
fn lengths() {
    let path = |total: usize, prefix: &str| format!("{prefix}{}", "a".repeat(total - prefix.len()));
    let longest = path(MAX_WIN32_PATH_UNITS, r"\\.\mailslot\");
    assert!(SlotPath::parse(&longest).is_ok());
    assert_eq!(code(&path(MAX_WIN32_PATH_UNITS + 1, r"\\.\mailslot\")), 3);
    let native = path(32_766, r"\\?\mailslot\");
    assert_eq!(parse(&native).name.units().len(), MAX_NAME_UNITS);
    assert_eq!(parse(&native).to_string(), native);
    let error = SlotPath::parse(&path(32_767, r"\\?\mailslot\")).unwrap_err();
    assert_eq!(error.ntstatus(), Some(0xC000_0033));
    assert!(SlotName::from_units(&vec![0x61; MAX_NAME_UNITS + 1]).is_err());
}

#[test]
fn a_shell_that_ate_the_backslashes_is_recognised() {
    for (given, meant) in [
        (r"\HOSTmailslotx", r"\\HOST\mailslot\x"),
        (r"\.mailslotx", r"\\.\mailslot\x"),
        (r"\*mailslotfoo", r"\\*\mailslot\foo"),
        (".mailslotx", r"\\.\mailslot\x"),
        ("*mailslotx", r"\\*\mailslot\x"),
        // Double quotes eat only the doubled one.
        (r"\HOST\mailslot\x", r"\\HOST\mailslot\x"),
        (r"\.\MailSlot\a\b", r"\\.\mailslot\a\b"),
    ] {
        let error = SlotPath::parse(given).unwrap_err();
        assert_eq!(error.win32().code(), 123);
        let MailslotError::ShellAteBackslashes { suggestion, .. } = &error else {
            panic!("{given}: {error}")
        };
        assert_eq!(suggestion, meant);
        assert!(error.to_string().contains(&format!("'{meant}'")), "{error}");
    }
    for given in [r"\mailslot\x", r"mailslot\x", "blah", r"C:\mailslot\x", r"\HOSTmailslot", "hostmailslotx"]
    {
        let error = SlotPath::parse(given).unwrap_err();
        assert!(matches!(error, MailslotError::NotAMailslot { .. }), "{given}: {error}");
    }
}

#[test]
fn case_is_a_simple_table_of_single_units() {
    for (a, b) in [
        ("é", "É"),
        ("α", "Α"),
        ("σ", "Σ"),
        ("ж", "Ж"),
        ("ÿ", "Ÿ"),
        ("ａ", "Ａ"),
        ("ǆ", "Ǆ"),
        ("ᾀ", "ᾈ"),
        ("ᾳ", "ᾼ"),
        ("ø", "Ø"),
        ("ⅷ", "Ⅷ"),
        ("ⓐ", "Ⓐ"),
    ] {
        assert_eq!(name(a), name(b), "{a} {b}");
    }
    for (a, b) in [
        ("ς", "Σ"),
        ("\u{212A}", "k"),
        ("ı", "I"),
        ("i", "İ"),
        ("ß", "ss"),
        ("ß", "ẞ"),
        ("µ", "Μ"),
        ("ſ", "S"),
        ("ǅ", "Ǆ"),
        ("ϐ", "Β"),
        ("𐐨", "𐐀"),
        ("é", "e\u{301}"),
        ("÷", "×"),
        ("ŉ", "ʼN"),
    ] {
        assert_ne!(name(a), name(b), "{a} {b}");
    }
}

#[test]
fn names_on_the_wire() {
    assert_eq!(name(r"Net\NetLogon").to_wire().unwrap(), br"\MAILSLOT\Net\NetLogon");
    let got = SlotName::from_wire(br"\mailSLOT\BROWSE").unwrap();
    assert_eq!(got, name("browse"));
    let bytes: Vec<u8> = [br"\MAILSLOT\".as_slice(), &(1..=255).collect::<Vec<u8>>()].concat();
    assert_eq!(SlotName::from_wire(&bytes).unwrap().to_wire().unwrap(), bytes);
    assert_eq!(SlotName::from_wire(b"\\MAILSLOT\\\xE9").unwrap(), name("É"));
    for bytes in [&br"\MAILSLOT\"[..], br"\PIPE\LANMAN", b"", br"\MAILSLOT", b"\\MAILSLOT\\a\0b"] {
        assert!(SlotName::from_wire(bytes).is_err(), "{}", bytes.escape_ascii());
    }
    assert_eq!(name("\u{100}").to_wire().unwrap_err().win32().code(), 123);
}

#[test]
fn names_cut_to_8_3() {
    for (whole, cut) in [
        ("Mymailslot", "Mymailsl"),
        ("short", "short"),
        ("name.text", "name.tex"),
        (r"Net\NetLogonServer.long", r"Net\NetLogon.lon"),
        ("a.b.c", "a.b"),
        (r"a.\b", r"a\b"),
        (r"x\", r"x\"),
    ] {
        let name = SlotPath::parse(&format!(r"\\?\mailslot\{whole}")).unwrap().name;
        assert_eq!(name.cut_to_8_3().to_string(), cut, "{whole}");
    }
}

fn path_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\\",
        "\\\\",
        "/",
        ".",
        "..",
        " ",
        "?",
        "*",
        "mailslot",
        "MailSlot",
        "a",
        "B",
        "é",
        "UNC",
        "host",
        ":",
        "\u{1}",
        "x.",
        "\\\\.\\mailslot\\",
        "\\\\?\\mailslot\\",
        "\\\\*\\mailslot\\",
        "\\\\?\\UNC\\host\\mailslot\\",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever parses prints a path that parses to the same.
    #[test]
    fn printing_a_path_and_parsing_it_again(text in path_text()) {
        match SlotPath::parse(&text) {
            Ok(path) => {
                prop_assert_eq!(&SlotPath::parse(&path.to_string()), &Ok(path));
            }
            Err(error) => {
                prop_assert!(matches!(error.win32().code(), 3 | 123 | 183), "{}", error);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn any_units_are_a_name_or_an_error(units in prop::collection::vec(any::<u16>(), 0..40)) {
        let _ = SlotPath::from_units(&units);
        if let Ok(name) = SlotName::from_units(&units) {
            prop_assert_eq!(name.units(), &units[..]);
            prop_assert_eq!(&name, &name.clone());
            prop_assert!(name.cut_to_8_3().units().len() <= units.len());
        }
    }

    /// A unit has at most one other spelling, and equality goes both ways.
    #[test]
    fn equal_names_hash_alike(a in any::<u16>(), b in any::<u16>()) {
        use std::collections::HashSet;
        if let (Ok(a), Ok(b)) = (SlotName::from_units(&[a]), SlotName::from_units(&[b])) {
            let set: HashSet<SlotName> = [a.clone(), b.clone()].into();
            prop_assert_eq!(set.len() == 1, a == b);
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        }
    }
}
