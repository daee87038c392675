//! LMHOSTS files: every keyword, files that include files, and lines that are wrong.

use std::net::Ipv4Addr;

use mailslot::service::names::{Lmhosts, LmhostsErrorKind, NameKind};

use super::names::name;

const fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn parse(text: &str) -> Lmhosts {
    Lmhosts::parse(text, |_| None)
}

fn addresses(lmhosts: &Lmhosts, text: &str) -> Vec<Ipv4Addr> {
    lmhosts.lookup(&name(text), 25).map_or_else(Vec::new, |(_, addresses)| addresses)
}

#[test]
fn a_plain_line_names_a_computer() {
    let lmhosts = parse("# comment\n\n10.0.0.5\tServer  # in the cellar\n10.0.0.6 pc#close\r\n");
    assert_eq!(lmhosts.errors(), []);
    for text in ["SERVER<00>", "SERVER<03>", "SERVER<20>"] {
        assert_eq!(addresses(&lmhosts, text), [host(5)]);
    }
    assert!(addresses(&lmhosts, "SERVER<1b>").is_empty());
    assert_eq!(addresses(&lmhosts, "PC<20>"), [host(6)]);
    assert!(lmhosts.entries().iter().all(|entry| !entry.preload && entry.every_suffix));
}

#[test]
fn a_quoted_name_has_its_suffix() {
    let lmhosts = parse(
        "10.0.0.5 \"LAB            \\0x1b\" #PRE\n10.0.0.6 \"POPULAR        \\x1B\"\n10.0.0.7 \"two words\" #PRE\n",
    );
    assert_eq!(lmhosts.errors(), []);
    assert_eq!(addresses(&lmhosts, "LAB<1b>"), [host(5)]);
    assert!(addresses(&lmhosts, "LAB<00>").is_empty());
    assert_eq!(addresses(&lmhosts, "POPULAR<1b>"), [host(6)]);
    assert_eq!(addresses(&lmhosts, "TWO WORDS<20>"), [host(7)]);
    assert_eq!(lmhosts.entries().iter().map(|entry| entry.preload).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn keywords() {
    let lmhosts = parse(
        "10.0.0.1 DC1 #PRE #DOM:lab\n10.0.0.2 DC2 #PRE #DOM:LAB\n\
         10.0.0.3 MULTI #MH\n10.0.0.4 MULTI #MH\n\
         10.0.0.5 \"PRINTERS       \\0x20\" #SG\n10.0.0.6 \"PRINTERS       \\0x20\" #SG\n\
         10.0.0.7 ONE\n10.0.0.8 ONE\n10.0.0.9 LOWER #pre\n",
    );
    assert_eq!(lmhosts.errors(), []);
    assert_eq!(lmhosts.lookup(&name("LAB<1c>"), 25), Some((NameKind::Group, vec![host(1), host(2)])));
    assert_eq!(lmhosts.lookup(&name("LAB<1c>"), 1), Some((NameKind::Group, vec![host(1)])));
    assert_eq!(lmhosts.lookup(&name("MULTI<20>"), 25), Some((NameKind::Unique, vec![host(3), host(4)])));
    assert_eq!(lmhosts.lookup(&name("PRINTERS<20>"), 25), Some((NameKind::Group, vec![host(5), host(6)])));
    assert_eq!(addresses(&lmhosts, "ONE<20>"), [host(7)], "the first line counts");
    assert!(!lmhosts.entries().last().unwrap().preload, "keywords are in capitals");
}

#[test]
fn wrong_lines_are_named_and_the_others_count() {
    let lmhosts = parse(
        "10.0.0.1 GOOD\n10.0.0.300 BAD\n10.0.0.2\n10.0.0.3 \"OPEN\n10.0.0.4 \"SHORT\\0x1b\"\n\
         10.0.0.5 \"FIFTEEN        \\0xzz\"\n10.0.0.6 NAMEOFSIXTEENBYTES\n10.0.0.7 ALSO #DOM:\n\
         #INCLUDE nowhere\n10.0.0.8 FINE\n#END_ALTERNATE\n#BEGIN_ALTERNATE\n",
    );
    assert_eq!(lmhosts.entries().len(), 2);
    let errors: Vec<_> = lmhosts.errors().iter().map(|error| error.line).collect();
    assert_eq!(errors, [2, 3, 4, 5, 6, 7, 8, 9, 11, 12]);
    assert_eq!(lmhosts.errors()[0].to_string(), "line 2: not an IPv4 address: 10.0.0.300");
    assert_eq!(lmhosts.errors()[7].kind, LmhostsErrorKind::Include("nowhere".to_owned()));
}

#[test]
fn files_include_files() {
    let lmhosts = Lmhosts::parse(
        "#INCLUDE \\\\server\\share\\lmhosts\n#INCLUDE bad\n10.0.0.3 LAST\n",
        |path| match path {
            r"\\server\share\lmhosts" => Some("10.0.0.1 FAR\n#INCLUDE deeper\n".to_owned()),
            "deeper" => Some("10.0.0.2 DEEPER\n".to_owned()),
            "bad" => Some("\nnonsense\n".to_owned()),
            _ => None,
        },
    );
    let names: Vec<_> = lmhosts.entries().iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["FAR<00>", "DEEPER<00>", "LAST<00>"]);
    let errors: Vec<_> = lmhosts.errors().iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["bad: line 2: not an IPv4 address: nonsense"]);
}

#[test]
fn the_first_alternate_that_can_be_had_counts() {
    let text = "#BEGIN_ALTERNATE\n#INCLUDE one\n#INCLUDE two\n#INCLUDE three\n#END_ALTERNATE\n";
    let mut asked = Vec::new();
    let lmhosts = Lmhosts::parse(text, |path| {
        asked.push(path.to_owned());
        (path == "two").then(|| "10.0.0.2 TWO".to_owned())
    });
    assert_eq!((lmhosts.entries().len(), lmhosts.errors()), (1, &[][..]));
    assert_eq!(asked, ["one", "two"]);
    let lmhosts = parse(text);
    assert_eq!(lmhosts.errors().len(), 1);
    assert_eq!((lmhosts.errors()[0].line, &lmhosts.errors()[0].kind), (5, &LmhostsErrorKind::Alternate));
}

#[test]
fn a_file_that_includes_itself_ends() {
    let mut asked = 0;
    let lmhosts = Lmhosts::parse("#INCLUDE me", |_| {
        asked += 1;
        Some("10.0.0.1 ME\n#INCLUDE me\n#INCLUDE me\n".to_owned())
    });
    assert!(asked <= 256, "{asked}");
    assert!(lmhosts.errors().iter().any(|error| matches!(error.kind, LmhostsErrorKind::TooMany(_))));
}
