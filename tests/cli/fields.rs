//! `decode --fields`.

use crate::{objects, run, testdata};

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
