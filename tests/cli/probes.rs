//! The hand-made frames that decoders of this traffic often get wrong (`users.md`, section 5).

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::{objects, parse, run};

/// The probes, made by their script; `None`, and a word about it, where that cannot be done.
fn probes() -> Option<(tempfile::TempDir, String)> {
    let root = std::env::var_os("MAILSLOT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let script = root.join("bench/probes.py");
    if !script.is_file() {
        eprintln!("SKIPPED: {} is not there (set MAILSLOT_SHARED)", script.display());
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("probes.pcap");
    match Command::new("python3").arg("-B").arg(&script).arg(&file).status() {
        Ok(status) => assert!(status.success(), "{} ends with {status}", script.display()),
        Err(error) => {
            eprintln!("SKIPPED: python3 does not run: {error}");
            return None;
        }
    }
    let path = file.to_str().unwrap().to_owned();
    Some((directory, path))
}

/// The announcement of probes C, D, E and N.
fn host_announcement() -> Value {
    json!({
        "command": "HostAnnouncement", "update_count": 68, "periodicity": 60000, "server_name": "PCA",
        "os_version_major": 10, "os_version_minor": 0, "server_type": 0x1003,
        "server_types": ["WORKSTATION", "SERVER", "NT"], "browser_version_major": 15, "browser_version_minor": 1,
        "signature": 0xaa55, "comment": "hello",
    })
}

#[test]
fn decode_gets_them_right() {
    let Some((_directory, file)) = probes() else { return };
    let objects = objects(&["decode", "--json", "--verify", &file], b"");
    assert_eq!(objects.len(), 15);
    let [a, b, c, d, e1, e2, f, g, h, i, j, k, l, m, n] = objects.as_slice() else { unreachable!() };

    // A: an answer, not "user unknown"; without an address, as the client did not ask for it.
    assert_eq!(a["mailslot"]["name"], "\\MAILSLOT\\NET\\GETDC701253F9");
    let netlogon = &a["netlogon"];
    assert_eq!(
        (&netlogon["command"], &netlogon["opcode"]),
        (&json!("LOGON_SAM_LOGON_RESPONSE_EX"), &json!(23))
    );
    assert_eq!(netlogon["dns_host_name"], "dc1.ad.example.com");
    assert_eq!(netlogon["client_site_name"], "Default-First-Site-Name");
    assert_eq!((&netlogon["dc_sock_addr"], &netlogon["nt_version"]), (&Value::Null, &json!(5)));

    assert_eq!(l["messenger"], json!({"from": "FROM", "to": "TO", "text": "text"}));
    assert_eq!(l["mailslot"]["name"], "\\MAILSLOT\\MESSNGR");
    assert_eq!(l["mailslot"]["data"], hex::encode(b"FROM\0TO\0text\0"));

    assert_eq!(
        b["lanman"],
        json!({
            "command": "HostAnnouncement", "server_type": 0x1003, "server_types": ["WORKSTATION", "SERVER", "NT"],
            "os_version_major": 4, "os_version_minor": 0, "interval": 60, "server_name": "PCA", "comment": "hi",
        })
    );
    assert_eq!((&c["mailslot"]["name"], &c["browser"]), (&json!("\\mailslot\\browse"), &host_announcement()));
    assert_eq!((&d["browser"], &d["verify"]), (&host_announcement(), &json!("same")));

    // E: held at its first fragment, one message at its last.
    assert_eq!(
        (&e1["notes"], &e1["mailslot"], &e1["error"]),
        (&json!(["fragment"]), &Value::Null, &Value::Null)
    );
    assert_eq!((&e2["notes"], &e2["browser"]), (&json!(["reassembled"]), &host_announcement()));

    assert_eq!(
        (&f["mailslot"]["size"], &f["notes"]),
        (&json!(426), &json!(["nt_cannot_carry_425_or_426_bytes"]))
    );
    assert_eq!((&g["mailslot"]["class"], &g["notes"]), (&json!(1), &json!(["class_1_by_datagram"])));
    assert_eq!((&h["error"]["layer"], &h["error"]["kind"]), (&json!("mailslot"), &json!("not_a_mailslot")));
    assert!(h["mailslot"].is_null());
    assert_eq!((&i["nbdgm"]["msg_type"], &i["nbdgm"]["error_code"]), (&json!("error"), &json!(0x82)));
    assert_eq!(j["nbdgm"]["msg_type"], "query_request");
    assert_eq!(j["nbdgm"]["destination_name"], "PCB<20>");
    assert_eq!(k["browser"], json!({"command": "MasterAnnouncement", "master_browser_server_name": "PCA"}));
    assert_eq!(
        (&m["nbdgm"]["msg_type"], &m["nbdgm"]["destination_name"]),
        (&json!("broadcast"), &json!("*<00>"))
    );
    assert_eq!(m["mailslot"]["data"], hex::encode(b"all"));
    assert_eq!(n["nbdgm"]["source_name"], "PCA<00>.lab.corpx");
    assert_eq!(n["nbdgm"]["destination_name"], "WG<1d>.lab.corpx");
    assert_eq!(n["browser"], host_announcement());

    for object in &objects {
        let verify = if object["frame"] == h["frame"] { "not_encoded" } else { "same" };
        assert_eq!(object["verify"], verify, "{object}");
    }
}

#[test]
fn replay_delivers_eleven() {
    let Some((_directory, file)) = probes() else { return };
    let ran = run(&["replay", "--json", &file], b"");
    let objects = parse(&ran.stdout);
    let slots: Vec<&str> = objects.iter().filter_map(|object| object["slot"].as_str()).collect();
    assert_eq!(
        slots,
        [
            "NET\\GETDC701253F9",
            "LANMAN",
            "browse",
            "BROWSE",
            "BROWSE",
            "app",
            "app",
            "BROWSE",
            "MESSNGR",
            "app",
            "BROWSE"
        ]
    );
    let totals = json!({"delivered": 11, "dropped": {"no_user_data": 2, "not_a_mailslot": 1}});
    assert_eq!(objects.last(), Some(&totals));
}
