//! The layers of the crate, held against its sources: who may name whom, and what stays out of the layers that have
//! no clock, no socket, no thread and no randomness.
//!
//! The check reads paths, not meanings: `use` trees with their braces and renames, and paths inside the code, both
//! from `crate` and relative to it. Comments and literals are no paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A layer: a folder or file below `src`, what it may name of the crate, what it may not name of others.
struct Layer {
    /// The module's path below the crate; the longest that fits a file decides.
    module: &'static [&'static str],
    /// The top-level modules it may name, besides its own.
    may_name: &'static [&'static str],
    /// Paths of other crates that it may not name, each with everything below it.
    never: &'static [&'static [&'static str]],
}

/// A clock, a socket, a thread, randomness, the operating system: what a layer below `node` never has.
const OUTSIDE: &[&str] = &[
    "async_std",
    "fastrand",
    "getrandom",
    "libc",
    "mio",
    "nix",
    "rand",
    "rustix",
    "smol",
    "socket2",
    "std::env",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];

/// Frames from the wire of this machine: one place only.
const FRAMES: &[&str] = &["pnet", "pnet_base", "pnet_datalink", "pnet_packet", "pnet_sys", "pnet_transport"];

/// Files and streams.
const FILES: &[&str] = &["std::fs", "std::io"];

const LAYERS: &[Layer] = &[
    Layer { module: &["wire"], may_name: &[], never: &[OUTSIDE, FRAMES, FILES] },
    Layer { module: &["slot"], may_name: &["wire"], never: &[OUTSIDE, FRAMES, FILES] },
    Layer { module: &["service"], may_name: &["wire"], never: &[OUTSIDE, FRAMES, FILES] },
    Layer { module: &["capture"], may_name: &["wire"], never: &[OUTSIDE] },
    // What happens on an interface now has a time and comes from the operating system.
    Layer { module: &["capture", "live"], may_name: &["wire"], never: &[] },
    Layer { module: &["node"], may_name: &["wire", "slot", "service", "capture"], never: &[FRAMES] },
    // The program names the crate from outside; `crate` is the program there.
    Layer { module: &["bin"], may_name: &[], never: &[FRAMES] },
];

/// A path that a file must not name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    path: String,
}

/// What stands in a source text that is neither comment nor literal: words, `::`, and single characters.
fn tokens(source: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else if c.is_alphabetic() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    tokens
}

/// The length of the string, byte string or character that `rest` begins with.
fn literal(rest: &str) -> Option<usize> {
    let prefix = ["br", "b", "cr", "c", "r", ""]
        .into_iter()
        .find(|p| rest.strip_prefix(p).is_some_and(|r| r.starts_with(['"', '#', '\''])))?;
    let body = &rest[prefix.len()..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if prefix.ends_with('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let close = body[hashes + 1..].find(&end)?;
        return Some(prefix.len() + hashes + 1 + close + end.len());
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            // A lifetime is no literal: it is a word without a second quote right behind its first character.
            let one = body[1..].chars().next().map_or(0, char::len_utf8);
            let is_character = quote == '"' || body[1..].starts_with('\\') || at == 1 + one;
            return is_character.then_some(prefix.len() + at + 1);
        } else if quote == '\'' && (c.is_whitespace() || at > 12) {
            return None;
        }
    }
    None
}

/// All paths of a text: those of its `use` items, and those in the code with renames undone.
fn paths(source: &str) -> Vec<Vec<String>> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut at = 0;
    while at < tokens.len() {
        // `use<…>` in a type names no path.
        if tokens[at] == "use" && tokens.get(at + 1).is_none_or(|next| next != "<") {
            at += 1;
            let mut tree = Vec::new();
            use_tree(&tokens, &mut at, &[], &mut tree);
            for (path, name) in tree {
                names.insert(name, path.clone());
                found.push(path);
            }
        } else if is_word(&tokens[at]) {
            let mut path = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|t| t == "::")
                && tokens.get(at + 2).is_some_and(|t| is_word(t))
            {
                at += 2;
                path.push(tokens[at].clone());
            }
            if path.len() > 1 {
                found.push(path);
            }
        }
        at += 1;
    }
    for path in &mut found {
        if let Some(whole) = names.get(&path[0])
            && !matches!(path[0].as_str(), "crate" | "self" | "super")
        {
            *path = [whole.as_slice(), &path[1..]].concat();
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The leaves of the use tree at `at`, each with the name that it has in the file.
fn use_tree(tokens: &[String], at: &mut usize, prefix: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(*at) {
        match token.as_str() {
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t != "}") {
                    use_tree(tokens, at, &path, found);
                    if tokens.get(*at).is_some_and(|t| t == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "," | "}" | ";" => break,
            "as" => {
                let name = tokens.get(*at + 1).cloned().unwrap_or_default();
                *at += 2;
                found.push((path, name));
                return;
            }
            "::" => {}
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        *at += 1;
    }
    if path.len() > prefix.len() || !prefix.is_empty() {
        let name = path.last().cloned().unwrap_or_default();
        found.push((path, name));
    }
}

/// The module that a file below `src` is.
fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// `path` from the crate's root, if it leads into the crate.
fn inside(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut base: &[String] = module;
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => return Some(rest[1..].to_vec()),
        "self" | "super" => {}
        _ => return None,
    }
    while let Some(first) = rest.first() {
        match first.as_str() {
            "self" => {}
            "super" => base = base.split_last().map_or(&[], |(_, base)| base),
            _ => break,
        }
        rest = &rest[1..];
    }
    Some([base, rest].concat())
}

/// What `file` (relative to `src`) names against the table.
fn violations(file: &str, source: &str) -> Vec<Violation> {
    let module = module_of(file);
    let layer = LAYERS
        .iter()
        .filter(|layer| {
            module.len() >= layer.module.len() && layer.module.iter().zip(&module).all(|(a, b)| a == b)
        })
        .max_by_key(|layer| layer.module.len());
    let Some(layer) = layer else { return Vec::new() };
    let tops: BTreeSet<&str> = LAYERS.iter().map(|layer| layer.module[0]).collect();
    let mut found: Vec<_> = paths(source)
        .into_iter()
        .filter(|path| match inside(path, &module) {
            Some(inside) => inside.first().is_some_and(|top| {
                tops.contains(top.as_str())
                    && *top != layer.module[0]
                    && !layer.may_name.contains(&top.as_str())
            }),
            None => {
                // `core` and `alloc` are parts of `std`.
                let path = path.join("::").replacen("core::", "std::", 1);
                layer.never.iter().flat_map(|list| list.iter()).any(|never| {
                    path.strip_prefix(never).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                })
            }
        })
        .map(|path| Violation { file: file.to_owned(), path: path.join("::") })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_layers_name_only_what_they_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&src, &mut files);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        let name = file.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        let source = fs::read_to_string(&file).expect("a readable file");
        found.extend(violations(&name, &source));
        seen.extend(name.split('/').next().map(str::to_owned));
    }
    for layer in LAYERS {
        assert!(seen.contains(layer.module[0]), "no file of {}", layer.module[0]);
    }
    assert_eq!(found, [], "against the table of layers");
}

/// CVE-2025-10230: what a peer had written reached a shell. The library runs no program; the program runs only what its
/// user names (`listen --exec`), the node that it starts for itself, and no shell.
#[test]
fn cve_2025_10230_nothing_from_the_network_is_run() {
    const MAY_RUN: [&str; 3] = ["bin/mailslot/cmd/node.rs", "bin/mailslot/exec.rs", "node/local/place.rs"];
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&src, &mut files);
    let mut seen = 0;
    for file in files {
        let name = file.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        let source = fs::read_to_string(&file).expect("a readable file");
        let runs = runs_programs(&source);
        assert!(!runs || MAY_RUN.contains(&name.as_str()), "{name}");
        assert!(!source.contains("\"sh\"") && !source.contains("/bin/sh"), "{name}");
        seen += usize::from(runs);
    }
    assert_eq!(seen, MAY_RUN.len(), "what runs programs is found");
    assert!(runs_programs("use std::process::{Child, Command};") && !runs_programs("/// A Command."));
}

/// Whether `Command` of `std::process` or `tokio::process` is named, by its path or in a list.
fn runs_programs(source: &str) -> bool {
    source.split("process::").skip(1).any(|after| {
        let names = after.strip_prefix('{').map_or(after, |list| list.split('}').next().unwrap_or(list));
        let ends = |word: &str| word.trim() == "Command";
        if after.starts_with('{') { names.split(',').any(ends) } else { names.starts_with("Command") }
    })
}

/// The check finds what it is for.
#[test]
fn the_check_can_fail() {
    let names = |file: &str, source: &str| -> Vec<String> {
        violations(file, source).into_iter().map(|violation| violation.path).collect()
    };
    for (file, source, path) in [
        ("wire/nbdgm.rs", "use crate::slot::Registry;", "crate::slot::Registry"),
        ("wire/mod.rs", "fn f() { crate::service::go() }", "crate::service::go"),
        ("wire/smb/header.rs", "use super::super::super::node::Ingest;", "super::super::super::node::Ingest"),
        ("slot/registry.rs", "use crate::{wire::Decode, service::{self, Machine}};", "crate::service"),
        ("slot/registry.rs", "use tokio::sync::mpsc;", "tokio::sync::mpsc"),
        ("service/datagram.rs", "use crate::slot;", "crate::slot"),
        ("service/names/table.rs", "use std::time::{Duration, Instant};", "std::time::Instant"),
        (
            "service/mod.rs",
            "use std::time;\nfn f() { let now = time::SystemTime::now(); }",
            "std::time::SystemTime::now",
        ),
        ("service/mod.rs", "fn f() -> u8 { rand::random() }", "rand::random"),
        ("service/mod.rs", "use std::thread as t; fn f() { t::spawn(g); }", "std::thread"),
        ("service/session/client.rs", "use std::net::{Ipv4Addr, TcpStream};", "std::net::TcpStream"),
        ("wire/oem.rs", "use std::fs::File;", "std::fs::File"),
        ("capture/reader.rs", "use std::os::unix::fs::FileExt;", "std::os::unix::fs::FileExt"),
        ("capture/reader.rs", "use crate::node::Ingress;", "crate::node::Ingress"),
        ("capture/live.rs", "use crate::service::Machine;", "crate::service::Machine"),
        ("node/driver.rs", "use pnet_packet::udp::UdpPacket;", "pnet_packet::udp::UdpPacket"),
        ("wire/name.rs", "fn f<'a>(a: &'a str) -> char { crate::slot::f(a); '\\'' }", "crate::slot::f"),
    ] {
        assert!(
            names(file, source).contains(&path.to_owned()),
            "{file}: {source}\n{:?}",
            names(file, source)
        );
    }
}

/// And nothing else.
#[test]
fn the_check_lets_pass_what_is_allowed() {
    for (file, source) in [
        ("wire/nbdgm.rs", "use super::name::{self, ScopedName};\nuse crate::wire::{Decode, Encode};"),
        (
            "wire/nbdgm.rs",
            "//! As [`crate::slot::Registry`] does.\n/* use tokio::net; */ use std::net::Ipv4Addr;",
        ),
        ("wire/nbdgm.rs", r###"const A: &str = "crate::slot"; const B: &[u8] = br#"tokio::net "x" "#;"###),
        ("wire/smb/header.rs", "use core::time::Duration;\nuse crate::wire::error::Layer;"),
        ("slot/registry.rs", "use crate::wire::name::NetbiosName;\nuse std::sync::{Arc, Mutex};"),
        ("service/datagram.rs", "use crate::wire::nbdgm::Datagram;\nuse super::{Limits, Machine};"),
        ("capture/packet.rs", "use pnet_packet::udp::UdpPacket;\nuse std::io::Read;"),
        ("capture/live.rs", "use std::thread;\nuse std::time::SystemTime;"),
        ("node/udp.rs", "use crate::{capture, service, slot, wire};\nuse tokio::net::UdpSocket;"),
        ("lib.rs", "pub mod node;\npub use crate::node::Node;"),
        ("bin/mailslot/main.rs", "use std::process::ExitCode;"),
        ("node/send.rs", "fn f() -> impl Future<Output = ()> + use<> { g() }"),
    ] {
        assert_eq!(violations(file, source), [], "{file}");
    }
}
