//! Every example runs and shows what its source document says it should.
//!
//! `cargo test` builds the examples; `cargo test --test examples` alone does not.

#![cfg(feature = "runtime")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

static LANS: AtomicU16 = AtomicU16::new(0);

/// A LAN inside this machine that no other test has, and hardly another process; and one machine on it, whose programs
/// share their slots.
struct Lan {
    port: u16,
    runtime: TempDir,
}

impl Lan {
    fn new() -> Self {
        let place = u16::try_from(std::process::id() % 180).expect("less than 180");
        // A LAN has four ports.
        let port = 2_000 + 44 * place + 4 * LANS.fetch_add(1, Ordering::Relaxed);
        Self { port, runtime: tempfile::tempdir().expect("a directory") }
    }

    /// The same LAN for programs of another machine.
    fn another_machine(&self) -> Self {
        Self { port: self.port, runtime: tempfile::tempdir().expect("a directory") }
    }

    fn start(&self, example: &str, args: &[&str]) -> Example {
        let mut child = Command::new(program(example))
            .args(args)
            .env("MAILSLOT_LAN", self.port.to_string())
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env_remove("MAILSLOT_SOCKET")
            .env_remove("MAILSLOT_PROGRAM")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is there");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let stdin = child.stdin.take();
        Example { child, stdin, stdout, stderr }
    }

    /// Runs it to its end: the exit status, and what it printed.
    fn run(&self, example: &str, args: &[&str]) -> (Option<i32>, String, String) {
        self.start(example, args).end()
    }
}

fn program(example: &str) -> PathBuf {
    // target/PROFILE/deps/examples-HASH
    let this = std::env::current_exe().expect("this test");
    let profile = this.parent().and_then(|deps| deps.parent()).expect("target/PROFILE");
    let program = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not there: cargo build --examples", program.display());
    program
}

/// A running example, ended when it is dropped.
struct Example {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Example {
    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).expect("text");
        if read == 0 {
            let mut said = String::new();
            std::io::Read::read_to_string(&mut self.stderr, &mut said).expect("text");
            panic!("it ended: {said}");
        }
        line.trim_end().to_owned()
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("open"), "{line}").expect("it reads");
    }

    fn end(&mut self) -> (Option<i32>, String, String) {
        drop(self.stdin.take());
        let (mut said, mut complained) = (String::new(), String::new());
        std::io::Read::read_to_string(&mut self.stdout, &mut said).expect("text");
        std::io::Read::read_to_string(&mut self.stderr, &mut complained).expect("text");
        (self.child.wait().expect("it ends").code(), said, complained)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It has ended already, or never would.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wrote(bytes: usize) -> (Option<i32>, String, String) {
    (Some(0), format!("Wrote {bytes} bytes\n"), String::new())
}

/// `wine-10.0.pairs.txt`: Server1 and three clients.
#[test]
fn the_books_server_reads_what_three_clients_write() {
    let lan = Lan::new();
    let mut server = lan.start("book_server", &[]);
    assert_eq!(server.line(), "SERVER<00> reads Myslot");
    let mut clients: Vec<Example> = (0..3).map(|_| lan.start("book_client", &["server"])).collect();
    for client in &mut clients {
        assert_eq!(client.end(), wrote(14));
    }
    for _ in 0..3 {
        assert_eq!(server.line(), "This is a test");
    }
    // To everybody and to the domain, too.
    for (to, text) in [("*", "to all"), ("WORKGROUP", "to the domain")] {
        let (status, said, _) = lan.run("book_client", &[to, text]);
        assert_eq!(status, Some(0));
        assert_eq!(said, format!("Wrote {} bytes\nto all of WORKGROUP<00>\n", text.len()));
        assert_eq!(server.line(), text);
    }
}

#[test]
fn the_books_client_is_told_that_there_is_no_server() {
    let lan = Lan::new();
    let (status, said, complained) = lan.run("book_client", &["."]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert_eq!(complained, "cannot open, ERROR_FILE_NOT_FOUND (2): there is no mailslot 'Myslot'\n");
    let (status, said, complained) = lan.run("book_client", &["NOSUCH"]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert!(complained.starts_with("cannot write, ERROR_BAD_NETPATH (53): "), "{complained}");
    // Nothing tells that nobody reads a broadcast.
    assert_eq!(lan.run("book_client", &["*"]).0, Some(0));
    let (status, _, complained) = lan.run("book_client", &[]);
    assert_eq!(status, Some(1));
    assert!(complained.starts_with("usage: "), "{complained}");
}

#[test]
fn the_books_second_server_of_a_name_is_refused() {
    let lan = Lan::new();
    let (status, said, complained) = lan.run("book_server", &["SERVER", "Myslot", "mySLOT"]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    let refused = "cannot create a mailslot, ERROR_ALREADY_EXISTS (183): ";
    assert!(complained.starts_with(refused), "{complained}");
}

/// `wine-10.0.pairs.txt`: Server1 and three clients `.`, a second Server1, and a client when the server has ended.
#[cfg(all(unix, feature = "cli"))]
#[test]
fn the_books_programs_meet_on_one_machine() {
    let lan = Lan::new();
    let mut server = lan.start("book_server", &[]);
    assert_eq!(server.line(), "SERVER<00> reads Myslot");
    for _ in 0..3 {
        assert_eq!(lan.run("book_client", &["."]), wrote(14));
        assert_eq!(server.line(), "This is a test");
    }
    // Whatever its case, and whichever computer the program is on the LAN.
    let (status, said, complained) = lan.run("book_server", &["OTHER", "MYSLOT"]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert_eq!(
        complained,
        "cannot create a mailslot, ERROR_ALREADY_EXISTS (183): the mailslot 'MYSLOT' exists already\n"
    );
    // The slot goes with its process, and the name is free.
    drop(server);
    let (status, said, complained) = loop {
        let ran = lan.run("book_client", &["."]);
        // The node may not have seen yet that the process is gone.
        if ran.0 != Some(0) {
            break ran;
        }
    };
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert_eq!(complained, "cannot open, ERROR_FILE_NOT_FOUND (2): there is no mailslot 'Myslot'\n");
    let mut server = lan.start("book_server", &["SECOND"]);
    assert_eq!(server.line(), "SECOND<00> reads Myslot");
    assert_eq!(lan.run("book_client", &[".", "hello"]), wrote(5));
    assert_eq!(server.line(), "hello");
}

/// Two machines are two computers, and these need two names.
#[test]
fn a_second_computer_of_a_name_is_refused() {
    let lan = Lan::new();
    let mut first = lan.start("book_server", &[]);
    assert_eq!(first.line(), "SERVER<00> reads Myslot");
    let (status, said, complained) = lan.another_machine().run("book_server", &[]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert!(complained.starts_with("the name SERVER<"), "{complained}");
}

/// `wine-10.0.pairs.txt`: Server2 and two clients, and a key.
#[test]
fn the_books_stoppable_server_stops() {
    let lan = Lan::new();
    let mut server = lan.start("book_stoppable_server", &[]);
    assert_eq!(server.line(), "Press Enter to stop the server");
    for _ in 0..2 {
        assert_eq!(lan.run("book_client", &["SERVER"]), wrote(14));
        assert_eq!(server.line(), "Received 14 bytes");
    }
    #[cfg(all(unix, feature = "cli"))]
    {
        assert_eq!(lan.run("book_client", &[".", "hello", "MySlot"]), wrote(5));
        assert_eq!(server.line(), "Received 5 bytes");
    }
    server.type_line("");
    assert_eq!(server.end(), (Some(0), "the server's thread has ended\n".to_owned(), String::new()));
}

/// The column's dialogue: state and messages, on demand.
#[test]
fn the_columns_reader_shows_the_slot_beside_a_read_that_waits() {
    let lan = Lan::new();
    let mut reader = lan.start("column_reader", &[]);
    assert_eq!(reader.line(), "READER<00> reads PaulaT_Mailslot; info or read:");
    reader.type_line("info");
    assert_eq!(reader.line(), "0 waiting, no message; any size, reads wait 5000 ms");
    reader.type_line("read");
    reader.type_line("info");
    assert_eq!(reader.line(), "0 waiting, no message; any size, reads wait 5000 ms");
    assert_eq!(reader.line(), "no message, ERROR_SEM_TIMEOUT (121): no message came in time");

    for message in ["the first", "second"] {
        let sent = lan.run("book_client", &["READER", message, "paulat_mailslot"]);
        assert_eq!(sent, wrote(message.len()));
    }
    // The datagrams are on their way.
    let both = "2 waiting, next of 9 bytes; any size, reads wait 5000 ms";
    loop {
        reader.type_line("info");
        if reader.line() == both {
            break;
        }
    }
    reader.type_line("read");
    assert_eq!(reader.line(), "message: the first");
    reader.type_line("info");
    assert_eq!(reader.line(), "1 waiting, next of 6 bytes; any size, reads wait 5000 ms");
    reader.type_line("read");
    assert_eq!(reader.line(), "message: second");
    assert_eq!(reader.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn the_articles_filter_drops_duplicates() {
    let (status, said, complained) = Lan::new().run("article_duplicates", &[]);
    assert_eq!((status, complained.as_str()), (Some(0), ""));
    let expected = "1: tax of Bob\n2: tax of Pete\n3: tax of Bob\n3 records, 6 duplicates dropped\n";
    assert_eq!(said, expected);
}

#[test]
fn the_articles_acknowledgement_comes_back() {
    let lan = Lan::new();
    let mut server = lan.start("article_acknowledgement", &["server"]);
    assert_eq!(server.line(), "OFFICE<00> reads blort");
    let (status, said, complained) = lan.run("article_acknowledgement", &["client", "sign here"]);
    assert_eq!((status, complained.as_str()), (Some(0), ""));
    // An attempt may be late where the machine is busy.
    assert!(said.lines().last().is_some_and(|line| line.starts_with("acknowledged at attempt ")), "{said}");
    let line = server.line();
    assert!(line.starts_with("PC") && line.ends_with("<00>: sign here"), "{line}");
    drop(server);
    let (status, said, complained) = lan.run("article_acknowledgement", &["client", "sign here"]);
    assert_eq!((status, said.as_str()), (Some(1), ""));
    assert!(complained.starts_with("cannot write, ERROR_BAD_NETPATH (53): "), "{complained}");
}

#[test]
fn harts_client_chooses_the_least_busy_server() {
    let lan = Lan::new();
    let mut alpha = lan.start("hart_locator", &["server", "ALPHA", r"\\ALPHA\pipe\app", "70"]);
    let mut beta = lan.start("hart_locator", &["server", "BETA", r"\\BETA\pipe\app", "20"]);
    assert_eq!(alpha.line(), r"ALPHA<00> tells everybody of \\ALPHA\pipe\app");
    assert_eq!(beta.line(), r"BETA<00> tells everybody of \\BETA\pipe\app");
    let (status, said, complained) = lan.run("hart_locator", &["client"]);
    assert_eq!((status, complained.as_str()), (Some(0), ""));
    let alpha = r"ALPHA<00> has a load of 70 and \\ALPHA\pipe\app";
    let beta = r"BETA<00> has a load of 20 and \\BETA\pipe\app";
    assert_eq!(said, format!("{alpha}\n{beta}\nchosen: \\\\BETA\\pipe\\app\n"));
}
