//! Input that is no capture, or one with damage.

use std::fs;

use crate::{build, parse, run, testdata};

/// Two messages, and a damaged datagram between them.
fn sample() -> Vec<u8> {
    let mut cut = build::message("PC1", "PC2", br"\MAILSLOT\app", b"two");
    cut.truncate(60);
    build::pcap(&[
        build::message("PC1", "PC2", br"\MAILSLOT\app", b"one"),
        cut,
        build::message("PC1", "PC2", br"\MAILSLOT\app", b"three"),
    ])
}

#[test]
fn what_is_no_capture_is_refused_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = directory.path().join("missing").to_str().unwrap().to_owned();
    let whole = directory.path().to_str().unwrap().to_owned();
    for (path, says) in [
        (file("empty", b""), "not a capture: the file is empty"),
        (
            file("garbage", b"Dear reader, this is a letter."),
            "not a capture: the file starts with 44 65 61 72",
        ),
        (file("short", &sample()[..10]), "the file ends inside the file header"),
        (file("empty.gz", &build::gzip(b"")), "not a capture: the file is empty"),
        (file("one", &[0x1f]), "not a capture"),
        (missing, "missing: "),
        (whole, "is a directory"),
    ] {
        for args in [&["decode"][..], &["decode", "--json"], &["decode", "--stats"], &["replay"]] {
            let ran = run(&[args, &[&path]].concat(), b"");
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{path}");
            assert!(ran.stderr.starts_with(&format!("mailslot: {path}: ")), "{}", ran.stderr);
            assert!(ran.stderr.contains(says), "{}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
}

/// What came before the end is shown, then the end is said.
#[test]
fn a_file_that_ends_early_is_an_error_after_what_it_holds() {
    let whole = sample();
    let cut = &whole[..whole.len() - 5];
    let ran = run(&["decode", "-"], cut);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(2), 2));
    let last = ran.stderr.lines().last().unwrap();
    assert!(last.starts_with("mailslot: standard input: the file ends inside record 3 at byte "), "{last}");

    let ran = run(&["replay", "--json", "-"], cut);
    assert_eq!(ran.code, Some(2));
    let objects = parse(&ran.stdout);
    assert_eq!(
        (objects.len(), &objects[1]["delivered"], &objects[1]["dropped"]["damaged"]),
        (2, &1.into(), &1.into())
    );
}

#[test]
fn a_cut_gzip_is_an_error_after_what_it_holds() {
    let whole = build::gzip(&fs::read(testdata("browse-client.pcap")).unwrap());
    for (length, lines) in [(whole.len() / 2, 1..28), (whole.len() - 9, 28..30), (20, 0..1)] {
        let ran = run(&["decode", "-"], &whole[..length]);
        assert_eq!(ran.code, Some(2), "{length}");
        assert!(lines.contains(&ran.stdout.lines().count()), "{length}: {}", ran.stdout);
        let last = ran.stderr.lines().last().unwrap();
        assert!(last.starts_with("mailslot: standard input: "), "{last}");
        let doubled = ran.stderr.matches("incomplete deflate stream").count();
        assert!(doubled <= 1, "{}", ran.stderr);
    }
}

#[test]
fn a_damaged_datagram_stops_nothing() {
    let ran = run(&["decode", "-"], &sample());
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 3));
    assert!(ran.stdout.lines().nth(1).unwrap().contains(" ERROR "), "{}", ran.stdout);
    assert_eq!(ran.stderr, "mailslot: 1 of 3 units are damaged\n");

    let objects = parse(&run(&["decode", "--json", "-"], &sample()).stdout);
    let error = &objects[1]["error"];
    for key in ["layer", "field", "kind", "message"] {
        assert!(error[key].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
    // The offset counts from the start of the frame: behind Ethernet, IP and UDP headers.
    assert!(error["offset"].as_u64().unwrap() >= 42, "{error}");
    assert!(objects[0]["error"].is_null() && objects[2]["error"].is_null());
}

/// Every prefix of a datagram, and every frame cut at every place: one line each, whatever is missing.
#[test]
fn every_prefix_is_one_record() {
    let announcement = build::announcement(b"PC1", b"hello");
    let whole = build::frame(&build::message("PC1", "WG<1d>", br"\MAILSLOT\BROWSE", &announcement));
    let mut file = build::pcap_header();
    for length in 15..=whole.len() {
        build::record(&mut file, 1_700_000_000, &whole[..length]);
    }
    let frames = whole.len() - 14;
    let ran = run(&["decode", "--json", "--verify", "-"], &file);
    assert_eq!(ran.code, Some(0));
    let objects = parse(&ran.stdout);
    assert_eq!(objects.len(), frames);
    let sound = objects.iter().filter(|object| object["error"].is_null()).count();
    // The last, and those that lack some of the comment, which has no length of its own.
    assert!((1..=7).contains(&sound), "{sound}");
    assert_eq!(objects.last().unwrap()["verify"], "same");
    let replayed = parse(&run(&["replay", "--json", "-"], &file).stdout);
    let total = replayed.last().unwrap();
    let dropped: u64 = total["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(total["delivered"].as_u64().unwrap() + dropped, frames as u64, "{total}");
}

/// A record of an impossible length inside a pcapng file is passed over and said.
#[test]
fn a_bad_record_is_passed_over() {
    let one = build::message("PC1", "PC2", br"\MAILSLOT\app", b"one");
    let mut file = build::pcapng(&[one.clone(), one.clone(), one]);
    // The second packet block's captured length: 28 bytes section, 20 bytes interface.
    let block = (file.len() - 48) / 3;
    file[48 + block + 20..][..4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let ran = run(&["decode", "-"], &file);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 2), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("mailslot: standard input: record 2 "), "{}", ran.stderr);
}

/// A UDP length of 0 behind ports that can be read: damage if they are ours, nothing to us if not.
#[test]
fn damage_at_other_ports_is_not_ours() {
    let mut file = build::pcap_header();
    for ports in [[0, 138, 0, 138], [0, 136, 0, 136], [4, 1, 0, 138]] {
        let mut frame = build::frame(b"x");
        frame[34..38].copy_from_slice(&ports);
        frame[38..40].copy_from_slice(&[0, 0]);
        build::record(&mut file, 1_700_000_000, &frame);
    }
    let objects = parse(&run(&["decode", "--json", "-"], &file).stdout);
    let frames: Vec<_> = objects.iter().map(|object| object["frame"].as_u64().unwrap()).collect();
    assert_eq!(frames, [1, 3]);
    assert_eq!((&objects[0]["error"]["layer"], &objects[0]["error"]["offset"]), (&"udp".into(), &38.into()));
}
