//! The golden frames of `testdata/frames/<layer>/<case>.hex`, each with the fields it must decode to in
//! `<case>.json` (`source`: where the bytes are from; `decoded`: the fields, as `tests/wire/goldens.rs` shows them).

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// A golden frame.
pub(crate) struct Case {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The fields that the frame must decode to.
    #[allow(dead_code, reason = "not every binary compares fields")]
    pub(crate) decoded: Value,
}

fn folder(layer: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/frames").join(layer)
}

/// All cases of a layer, in the order of their names.
pub(crate) fn cases(layer: &str) -> Vec<Case> {
    let folder = folder(layer);
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "hex"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no frames in {}", folder.display());
    names.into_iter().map(|name| case(layer, &name)).collect()
}

/// One case.
pub(crate) fn case(layer: &str, name: &str) -> Case {
    let read = |ending| {
        let path = folder(layer).join(format!("{name}.{ending}"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let bytes = hex::decode(read("hex").trim()).unwrap_or_else(|error| panic!("{layer}/{name}.hex: {error}"));
    let mut facts: Value =
        serde_json::from_str(&read("json")).unwrap_or_else(|error| panic!("{layer}/{name}.json: {error}"));
    assert!(facts["source"].as_str().is_some_and(|source| !source.is_empty()), "{layer}/{name}: no source");
    Case { name: name.to_owned(), bytes, decoded: facts["decoded"].take() }
}
