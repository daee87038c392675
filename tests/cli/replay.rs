//! `mailslot replay`: what each slot's reader gets, and what nobody gets.

use mailslot::wire::name::NetbiosName;
use mailslot::wire::smb::{
    Body, Command, Header, Piece, SmbMessage, SmbStr, TransactionRequest, TransactionSecondary,
};
use mailslot::wire::{Encode, nbss};
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
                   "size": 3, "data": "6f6e65", "way": "datagram"}),
            json!({"time": "2023-11-14T22:13:21.000000Z", "slot": "app", "from": "PC1<00>", "to": "PC3<20>",
                   "size": 3, "data": "74776f", "way": "datagram"}),
            json!({"time": "2023-11-14T22:13:22.000000Z", "slot": "other\\app", "from": "PC2<00>",
                   "to": "WG<1e>", "size": 0, "data": "", "way": "datagram"}),
            json!({"time": "2023-11-14T22:13:24.000000Z", "slot": "APP", "from": "PC1<00>", "to": "*<00>",
                   "size": 6, "data": "746f20616c6c", "way": "datagram"}),
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
    let error = [0x13, 2, 0, 7, 10, 0, 0, 5, 0, 138, 0x82].to_vec();
    let mut pipe = message("PC1", "PC2", br"\MAILSLOT\app", b"x");
    let at = pipe.windows(9).position(|window| window == br"\MAILSLOT").unwrap();
    pipe[at..at + 9].copy_from_slice(br"\PIPESLOT");
    let echo = Header::new(Command(0x2b)).to_bytes();
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

/// The packets of a client that writes messages over a session.
struct Caller(Vec<Vec<u8>>);

impl Caller {
    fn put(&mut self, mid: u16, body: impl Into<Body<'static>>) {
        let mut header = Header::new(Command::NONE);
        header.mid = mid;
        let message = SmbMessage::new(header, body).unwrap();
        self.0.push(nbss::Packet::message(&message.to_bytes()).unwrap().to_bytes());
    }

    fn write(&mut self, mid: u16, slot: &[u8], piece: Piece<'_>) {
        self.put(mid, TransactionRequest::mailslot_write(SmbStr::oem(slot).unwrap(), 0, piece).unwrap());
    }
}

#[test]
fn what_a_session_carries_is_delivered_too() {
    let long: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let mut caller = Caller(Vec::new());
    let (called, calling) =
        ("PC7<20>".parse::<NetbiosName>().unwrap(), "PC5<00>".parse::<NetbiosName>().unwrap());
    caller.0.push(nbss::Packet::request(called.into(), calling.into()).to_bytes());
    caller.write(1, br"\MAILSLOT\soda", Piece::whole(b"12 left"));
    // Two messages whose parts come in turn, one that is never whole, and a part of none.
    caller.write(2, br"\MAILSLOT\soda", Piece::of(&long, 0, 3000));
    caller.write(3, br"\MAILSLOT\news", Piece::of(&long[1..], 0, 3000));
    caller.write(4, br"\MAILSLOT\lost", Piece::of(&long, 0, 3000));
    for (mid, data) in [(3, &long[1..]), (2, &long[..]), (9, &long[..])] {
        caller.put(mid, TransactionSecondary::new(Piece::EMPTY, Piece::of(data, 3000, 3000)).unwrap());
    }
    let (pipe, data) = (SmbStr::oem(br"\PIPE\LANMAN").unwrap(), Piece::whole(b"no message"));
    caller.put(5, TransactionRequest::new(pipe, &[1, 0, 1], Piece::EMPTY, data).unwrap());
    let file = build::tcp_client(139, &caller.0);
    let ran = run(&["replay", "--json", "-"], &file);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let mut objects = crate::parse(&ran.stdout);
    let totals = objects.pop().unwrap();
    assert_eq!(totals, json!({"delivered": 3, "dropped": {"unfinished_transaction": 1}}));
    let got = |index: usize| {
        let one = &objects[index];
        (one["time"].clone(), one["slot"].clone(), one["data"].as_str().unwrap().to_owned())
    };
    assert_eq!(got(0), (json!("2023-11-14T22:13:22.000000Z"), json!("soda"), hex::encode(b"12 left")));
    assert_eq!(got(1), (json!("2023-11-14T22:13:26.000000Z"), json!("news"), hex::encode(&long[1..])));
    assert_eq!(got(2), (json!("2023-11-14T22:13:27.000000Z"), json!("soda"), hex::encode(&long)));
    for one in &objects {
        assert_eq!((&one["from"], &one["to"]), (&json!("PC5<00>"), &json!("PC7<20>")));
        assert_eq!(one["way"], "session 139");
    }
    // Only for the names that are ours, and as a Windows 9x takes them.
    let (messages, totals) = replay(&["--as", "PC8"], &file);
    assert_eq!((messages.len(), &totals["dropped"]["not_ours"]), (0, &json!(3)));
    assert_eq!(run(&["replay", "--as", "PC7", "--json", "-"], &file).stdout, ran.stdout);
    let (messages, totals) = replay(&["--profile", "win9x"], &file);
    assert_eq!((messages.len(), &totals["dropped"]["session_not_supported"]), (0, &json!(3)));
    // On port 445 nobody says a name.
    let direct = build::tcp_client(445, &caller.0[1..2]);
    let ran = run(&["replay", "-"], &direct);
    assert_eq!(
        ran.stdout,
        "2023-11-14T22:13:21.000000Z soda 10.0.0.5<00> > *SMBSERVER<20> 7 bytes by session 445 \"12 left\"\n\
         delivered 1 into 1 slots, dropped 0\n"
    );
}

#[test]
fn goldens_and_the_same_bytes_twice() {
    for name in ["ad-netlogon", "app-mailslots", "browse-client", "nmbd-lm-announce", "smbd-mailslot-write"] {
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
