//! `mailslot replay`: what each slot's reader gets, and what nobody gets.

use serde_json::{Value, json};

use crate::build::{self, direct, message, pcap};
use crate::{golden, objects, run, testdata};

fn sample() -> Vec<u8> {
    pcap(&[
        message("PC1", "PC2", br"\MAILSLOT\app", b"one"),
        message("PC1", "PC3<20>", br"\MAILSLOT\app", b"two"),
        message("PC2", "WG<1e>", br"\MAILSLOT\other\app", b""),
        direct("PC1".parse().unwrap(), "PC2".parse().unwrap(), b"not an SMB"),
        message("PC1", "*", br"\MAILSLOT\APP", b"to all"),
        b"damaged".to_vec(),
    ])
}

/// The messages' texts and the totals.
fn replay(args: &[&str], file: &[u8]) -> (Vec<String>, Value) {
    let ran = run(&[&["replay", "--json", "-"], args].concat(), file);
    let mut objects = crate::parse(&ran.stdout);
    let totals = objects.pop().unwrap();
    assert_eq!(totals["delivered"], objects.len(), "{totals}");
    assert_eq!(ran.code, Some(i32::from(objects.is_empty())), "{}", ran.stderr);
    let text =
        |object: &Value| String::from_utf8(hex::decode(object["data"].as_str().unwrap()).unwrap()).unwrap();
    (objects.iter().map(text).collect(), totals)
}

#[test]
fn objects_have_the_documented_keys() {
    assert_eq!(
        objects(&["replay", "--json", "-"], &sample()),
        [
            json!({"time": "2023-11-14T22:13:20.000000Z", "slot": "app", "from": "PC1<00>", "to": "PC2<00>",
                   "size": 3, "data": "6f6e65"}),
            json!({"time": "2023-11-14T22:13:21.000000Z", "slot": "app", "from": "PC1<00>", "to": "PC3<20>",
                   "size": 3, "data": "74776f"}),
            json!({"time": "2023-11-14T22:13:22.000000Z", "slot": "other\\app", "from": "PC2<00>",
                   "to": "WG<1e>", "size": 0, "data": ""}),
            json!({"time": "2023-11-14T22:13:24.000000Z", "slot": "APP", "from": "PC1<00>", "to": "*<00>",
                   "size": 6, "data": "746f20616c6c"}),
            json!({"delivered": 4, "dropped": {"damaged": 1, "not_smb": 1}}),
        ]
    );
}

#[test]
fn lines_and_totals() {
    let ran = run(&["replay", "-"], &sample());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.stdout,
        "2023-11-14T22:13:20.000000Z app PC1<00> > PC2<00> 3 bytes \"one\"\n\
         2023-11-14T22:13:21.000000Z app PC1<00> > PC3<20> 3 bytes \"two\"\n\
         2023-11-14T22:13:22.000000Z other\\app PC2<00> > WG<1e> 0 bytes \n\
         2023-11-14T22:13:24.000000Z APP PC1<00> > *<00> 6 bytes \"to all\"\n\
         delivered 4 into 2 slots, dropped 2: damaged 1, not_smb 1\n"
    );
}

#[test]
fn own_names() {
    // `*` is for everybody; a name without a suffix stands for all its suffixes.
    assert_eq!(
        replay(&["--as", "PC2"], &sample()),
        (
            vec!["one".to_owned(), "to all".to_owned()],
            json!({"delivered": 2, "dropped": {"damaged": 1, "not_ours": 2, "not_smb": 1}}),
        )
    );
    assert_eq!(replay(&["--as", "pc3"], &sample()).0, ["two", "to all"]);
    assert_eq!(replay(&["--as", "PC3<20>"], &sample()).0, ["two", "to all"]);
    assert_eq!(replay(&["--as", "PC3<00>"], &sample()).0, ["to all"]);
    assert_eq!(replay(&["--as", "PC3", "--as", "WG<1e>"], &sample()).0, ["two", "", "to all"]);
}

#[test]
fn a_message_no_slot_wants() {
    assert_eq!(
        replay(&["--slot", "app"], &sample()),
        (
            vec!["one".to_owned(), "two".to_owned(), "to all".to_owned()],
            json!({"delivered": 3, "dropped": {"damaged": 1, "no_slot": 1, "not_smb": 1}}),
        )
    );
    assert_eq!(replay(&["--slot", r"\mailslot\other\*"], &sample()).0, [""]);
    // Nobody got anything: exit 1, and still the totals.
    let (messages, totals) = replay(&["--slot", "nonsense"], &sample());
    assert_eq!((messages.len(), &totals["dropped"]["no_slot"]), (0, &json!(4)));
}

#[test]
fn what_carries_no_message_has_a_reason() {
    use mailslot::wire::smb::{Command, Header};
    let error = [0x13, 2, 0, 7, 10, 0, 0, 5, 0, 138, 0x82].to_vec();
    let mut pipe = message("PC1", "PC2", br"\MAILSLOT\app", b"x");
    let at = pipe.windows(9).position(|window| window == br"\MAILSLOT").unwrap();
    pipe[at..at + 9].copy_from_slice(br"\PIPESLOT");
    let echo = mailslot::wire::Encode::to_bytes(&Header::new(Command(0x2b)));
    let echo = direct("PC1".parse().unwrap(), "PC2".parse().unwrap(), &echo);
    let (messages, totals) = replay(&[], &pcap(&[error, pipe, echo]));
    assert_eq!(messages.len(), 0);
    assert_eq!(
        totals,
        json!({"delivered": 0, "dropped": {"damaged": 1, "no_user_data": 1, "not_a_mailslot": 1}})
    );
}

/// The clock is the capture's: the rest of a datagram that comes too late is not put to it.
#[test]
fn fragments_by_the_captures_clock() {
    let [first, second] = build::fragments("PC1", "PC2", br"\MAILSLOT\app", b"in two parts");
    let (messages, totals) = replay(&[], &pcap(&[first.clone(), second.clone()]));
    assert_eq!((messages, totals), (vec!["in two parts".to_owned()], json!({"delivered": 1, "dropped": {}})));

    let [a, b] = [&first, &second].map(|fragment| build::frame(fragment));
    let mut late = build::pcap_header();
    build::record(&mut late, 1_700_000_000, &a);
    build::record(&mut late, 1_700_000_003, &b);
    let (messages, totals) = replay(&[], &late);
    assert_eq!(messages.len(), 0);
    assert_eq!(totals["dropped"], json!({"fragment_timeout": 2}));
}

#[test]
fn profiles() {
    let long = [b'x'; 500];
    let file = pcap(&[
        message("PC1", "PC2", br"\MAILSLOT\app", &long),
        message("PC1", "PC2", br"\MAILSLOT\longername", b"whole name"),
        message("PC1", "PC2", br"\MAILSLOT\LONGERNA", b"name as cut"),
        message("PC1", "PC2", br"\MAILSLOT\app", &[b'x'; 4094]),
    ]);
    let sizes = |profile| {
        let ran = run(&["replay", "--json", "--profile", profile, "-"], &file);
        assert_eq!(ran.code, Some(0));
        let objects = crate::parse(&ran.stdout);
        let sizes = objects.iter().filter_map(|object| object["size"].as_u64()).collect::<Vec<_>>();
        (sizes, objects.last().unwrap()["dropped"].clone())
    };
    assert_eq!(sizes("nt"), (vec![500, 10, 11, 4094], json!({})));
    // Windows NT 4 cuts what it receives by datagram to 424 bytes.
    assert_eq!(sizes("nt4"), (vec![424, 10, 11, 424], json!({})));
    // Windows 9x cuts the slot's name, not that in the message; its slots take 4,093 bytes.
    assert_eq!(sizes("win9x"), (vec![500, 11], json!({"no_slot": 1, "over_max_message_size": 1})));
    let cut = objects(&["replay", "--json", "--profile", "nt4", "-"], &file);
    assert_eq!((&cut[0]["truncated"], &cut[1]["truncated"]), (&json!(true), &Value::Null));
}

/// However many slots a capture names, and however long their names: what is made of them is bounded, and the
/// rest is counted.
#[test]
fn slots_are_bounded() {
    let mut payloads: Vec<Vec<u8>> = (0..1100)
        .map(|number| message("PC1", "PC2", format!(r"\MAILSLOT\slot{number}").as_bytes(), b"x"))
        .collect();
    payloads.push(message("PC1", "PC2", &[br"\MAILSLOT\".as_slice(), &[b'n'; 2000]].concat(), b"x"));
    payloads.push(message("PC1", "PC2", br"\MAILSLOT\slot1099", b"x"));
    payloads.push(message("PC1", "PC2", br"\MAILSLOT\SLOT1023", b"x"));
    let (messages, totals) = replay(&[], &pcap(&payloads));
    assert_eq!(messages.len(), 1025);
    assert_eq!(totals["dropped"], json!({"slot_name_too_long": 1, "too_many_slots": 77}));
}

#[test]
fn goldens_and_the_same_bytes_twice() {
    for name in ["ad-netlogon", "app-mailslots", "browse-client", "nmbd-lm-announce"] {
        let file = testdata(&format!("{name}.pcap"));
        for form in [&["replay", "--json"][..], &["replay"]] {
            let args = [form, &[&file]].concat();
            let ran = run(&args, b"");
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
            assert_eq!(run(&args, b""), ran);
            if form.len() == 2 {
                golden(&format!("{name}.replay.jsonl"), &ran.stdout);
            }
        }
    }
}
