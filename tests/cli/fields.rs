//! `decode --fields`.

use serde_json::Value;

use crate::{build, objects, run, testdata};

/// The errors in trees, as JSON.
fn errors(nodes: &Value) -> Vec<Value> {
    let nodes = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
    let all = nodes.iter().flat_map(|node| {
        let own = node.get("error").cloned();
        own.into_iter().chain(errors(&node["children"]))
    });
    all.collect()
}

/// A tree has an error if and only if its record has one, and it is the same.
#[test]
fn trees_and_records_agree_on_what_is_damaged() {
    let folder = std::fs::read_dir(testdata("")).unwrap();
    let mut records = 0;
    for file in folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().unwrap() == "pcap") {
        for object in objects(&["decode", "--json", "--fields", file.to_str().unwrap()], b"") {
            let mut errors = errors(&object["fields"]);
            errors.extend(self::errors(&object["fields_reassembled"]));
            match object.get("error") {
                None => assert_eq!(errors, Vec::<Value>::new(), "{object}"),
                Some(error) => assert!(errors.contains(error), "{object}"),
            }
            records += 1;
        }
    }
    assert!(records > 100, "{records}");
}

/// What is put together says so, and has offsets of its own.
#[test]
fn fragments_have_a_tree_of_what_they_make() {
    let [first, second] = build::fragments("PC7<20>", "LAB<1d>", br"\MAILSLOT\BROWSE", b"\x0bPC7\0");
    let capture = build::pcap(&[first, second]);
    let ran = run(&["decode", "--fields", "-"], &capture);
    let (_, whole) = ran.stdout.split_once("the user data, put together from fragments\n").unwrap();
    assert!(whole.trim_start().starts_with("0000"), "{whole}");
    assert!(whole.contains("0x0b BecomeBackup"), "{whole}");
    let shown = objects(&["decode", "--json", "--fields", "-"], &capture);
    assert_eq!(shown[0]["fields_reassembled"], Value::Null);
    assert_eq!(shown[1]["fields_reassembled"][0]["field"], "smb");
}

/// Every record has its tree, whose fields lie in the frame and come in its order.
#[test]
fn every_record_has_its_tree() {
    let mut damaged = 0;
    for file in
        ["nmbd-domain-master.pcap", "browse-client.pcap", "app-mailslots.pcap", "nmbd-lm-announce.pcap"]
    {
        let shown = objects(&["decode", "--json", "--fields", &testdata(file)], b"");
        for object in &shown {
            let layers = object["fields"].as_array().unwrap_or_else(|| panic!("{object}"));
            let layer = layers[0]["field"].as_str().unwrap();
            assert!(object[layer].is_object(), "{layer}: {object}");
            if !object["error"].is_null() {
                damaged += 1;
                let text = object["fields"].to_string();
                assert!(text.contains(&format!("\"offset\":{}", object["error"]["offset"])), "{object}");
            }
        }
        // Without the trees, the objects are those of before.
        let plain = objects(&["decode", "--json", &testdata(file)], b"");
        let stripped: Vec<_> = shown
            .into_iter()
            .map(|mut object| {
                object.as_object_mut().unwrap().remove("fields");
                object.as_object_mut().unwrap().remove("fields_reassembled");
                object
            })
            .collect();
        assert_eq!(stripped, plain);
    }
    assert_eq!(damaged, 1, "browse-client.pcap has one");
}

/// The damaged announcement of browse-client.pcap: shown as far as it is sound, then marked.
#[test]
fn damage_is_marked_where_it_is() {
    let ran = run(&["decode", "--fields", &testdata("browse-client.pcap")], b"");
    let lines: Vec<_> = ran.stdout.lines().collect();
    let place = lines.iter().position(|line| line.contains("^^ offset 238")).expect("a mark");
    assert!(lines[place - 1].contains("browser_version_major"), "{}", lines[place - 1]);
}

#[test]
fn fields_and_totals_exclude_each_other() {
    let ran = run(&["decode", "--fields", "--stats", "-"], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
}
