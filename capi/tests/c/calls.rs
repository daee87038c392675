//! What the programs and probes do not touch: wrong pointers and handles, threads, events, both widths of `wchar_t`.

use std::path::Path;

use crate::support::{Bench, Linked, has};

fn check(compiler: &str, flags: &[&str]) {
    if !has(compiler) {
        return;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/calls.c");
    let bench = Bench::new();
    let strict = ["-Wall", "-Wextra", "-Werror"];
    let flags: Vec<_> = strict.into_iter().chain(flags.iter().copied()).collect();
    let program = bench.compile(compiler, &source, &flags, Linked::Shared);
    assert_eq!(bench.run::<&str>(&program, &[]), "all passed\n");
}

#[test]
fn wide_characters_of_the_c_library() {
    check("gcc", &["-std=gnu99"]);
}

#[test]
fn wide_characters_of_windows() {
    check("gcc", &["-fshort-wchar", "-DUNICODE", "-DMAILSLOT_WIN32_PRINTF"]);
}

#[test]
fn in_cpp() {
    check("g++", &["-x", "c++", "-std=c++17"]);
}
