//! The C programs of the source documents, compiled where they lie, print what is recorded beside them.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::{Bench, Linked, eventually, has, shared};

/// The lines below a heading of the recorded file.
fn recorded(directory: &Path, heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(directory.join("wine-10.0.pairs.txt")).unwrap();
    let mut lines = text.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let found: Vec<_> =
        lines.by_ref().take_while(|line| !line.starts_with("---")).map(str::to_owned).collect();
    assert!(!found.is_empty(), "nothing is recorded under {heading}");
    found
}

struct Programs {
    bench: Bench,
    sources: PathBuf,
    linked: Linked,
}

impl Programs {
    fn new(linked: Linked) -> Option<Self> {
        let sources = shared("sources/programs")?;
        has("gcc").then(|| Self { bench: Bench::new(), sources, linked })
    }

    fn program(&self, name: &str, flags: &[&str]) -> PathBuf {
        // `void main` is no C++, whatever the name of the file says.
        let flags: Vec<_> = ["-x", "c", "-w"].into_iter().chain(flags.iter().copied()).collect();
        self.bench.compile("gcc", &self.sources.join(name), &flags, self.linked)
    }

    fn recorded(&self, heading: &str) -> Vec<String> {
        recorded(&self.sources, heading)
    }
}

fn server_and_clients(programs: &Programs) {
    let (client, server) = (programs.program("Client.cpp", &[]), programs.program("Server1.cpp", &[]));
    let write = |host: &str| programs.bench.run(&client, &[host]);
    let usage = programs.bench.run::<&str>(&client, &[]);
    assert_eq!(usage.lines().collect::<Vec<_>>(), programs.recorded("--- Client with no argument"));
    let without = write(".");
    assert_eq!(without.lines().collect::<Vec<_>>(), programs.recorded("--- Client . with no server"));

    let recorded = programs.recorded("--- Server1 + 3 x Client .");
    let mut running = programs.bench.start::<&str>(&server, &[]);
    let mut said = vec![eventually("the first write", || {
        let said = write(".");
        said.starts_with("Wrote").then_some(said)
    })];
    said.extend([write("."), write(".")]);
    let first: Vec<_> = recorded.iter().take(3).map(|line| format!("{line}\n")).collect();
    assert_eq!(said, first);
    assert_eq!(
        programs.bench.run::<&str>(&server, &[]).trim_end(),
        recorded.iter().skip_while(|line| !line.starts_with("[second")).nth(1).unwrap()
    );
    let printed: Vec<_> = recorded.iter().skip_while(|line| !line.starts_with("[server")).skip(1).collect();
    assert_eq!(printed.len(), 3);
    for line in printed {
        assert_eq!(&running.line(), line);
    }
    // Wine has no remote slots; here `*` reaches this machine's too, and a name that nobody has is refused at the write.
    assert_eq!(write("*"), "Wrote 14 bytes\n");
    assert_eq!(running.line(), "This is a test");
    assert_eq!(write("NOSUCH"), "WriteFile failed with error 53\n");
    running.child.kill().unwrap();
}

#[test]
fn the_books_server_and_client() {
    if let Some(programs) = Programs::new(Linked::Shared) {
        server_and_clients(&programs);
    }
}

#[test]
fn the_books_server_and_client_with_the_static_library() {
    if let Some(programs) = Programs::new(Linked::Static) {
        server_and_clients(&programs);
    }
}

#[test]
fn the_books_threaded_server_ends_at_a_key() {
    let Some(programs) = Programs::new(Linked::Shared) else { return };
    let recorded = programs.recorded("--- Server2 (key read from stdin");
    let client = programs.program("Client.cpp", &[]);
    // As given it asks for a key with `_getch`, which takes a byte where there is no terminal.
    for flags in [&["-DKEY_FROM_STDIN"][..], &[]] {
        let mut server = programs.bench.start::<&str>(&programs.program("Server2.cpp", flags), &[]);
        let mut heard = vec![server.line()];
        let mut said = Vec::new();
        while said.len() < 2 {
            said.extend(Some(programs.bench.run(&client, &["."])).filter(|said| said.starts_with("Wrote")));
        }
        assert_eq!(said.concat().lines().collect::<Vec<_>>(), recorded[..2]);
        // The server has both before the key, so that the message that stops it is not one of them.
        heard.extend([server.line(), server.line()]);
        assert_eq!(heard, recorded[2..5]);
        server.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert_eq!(server.rest(), recorded[5..]);
    }
}

#[test]
fn the_articles_server_and_client() {
    let Some(programs) = Programs::new(Linked::Shared) else { return };
    let recorded = programs.recorded("--- CodeProject server (1 record) + client .");
    let (client, server) = (programs.program("cp_client.c", &[]), programs.program("cp_server.c", &[]));
    let running = programs.bench.start(&server, &["1"]);
    assert_eq!(running.line(), "No record yet.");
    assert_eq!(programs.bench.run(&client, &["."]).trim_end(), recorded[0]);
    let heard = running.rest();
    let heard: Vec<_> = heard.iter().filter(|line| *line != "No record yet.").collect();
    let expected: Vec<_> = recorded[2..].iter().map(|line| line.trim().strip_prefix("1 ").unwrap()).collect();
    assert_eq!(heard, expected);
}
