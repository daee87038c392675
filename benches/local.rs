//! Writer process to reader process through a node, beside a bare Unix datagram socketpair between two processes.
//!
//! Rounds of the two alternate in one run; what is printed is the median of each, in messages per second, and their
//! ratio. The writer posts, and asks for refusals once in [`WINDOW`] messages; the reader takes what there is. Only
//! messages that arrived count. `written` is a writer that waits for the answer to each message, as `WriteFile` and
//! `MailslotSender::write` do; beside it `round trip` is a bare message and a one-byte answer on a Unix stream between
//! two processes, which is the least that such a writer takes.

#[cfg(unix)]
fn main() {
    bench::main();
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod bench {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use mailslot::node::blocking::{MailslotSender, SlotReader};
    use mailslot::node::local::{Admit, Client, Places};
    use mailslot::slot::{CreateOptions, OpenOptions, ReadTimeout, SlotPath};

    const ROLE: &str = "MAILSLOT_BENCH_ROLE";
    const DIRECTORY: &str = "MAILSLOT_BENCH_DIRECTORY";
    const SIZES: [usize; 2] = [64, 424];
    const ROUNDS: usize = 7;
    /// Messages of one round.
    const MESSAGES: usize = 200_000;
    /// Messages of one round in which each is answered.
    const WRITTEN: usize = 20_000;
    /// Messages between two questions; a quarter of what a slot holds.
    const WINDOW: usize = 4096;
    /// What ends a round.
    const END: &[u8] = b"end";

    pub(super) fn main() {
        match std::env::var(ROLE) {
            Ok(role) => child(&role),
            Err(_) => parent(),
        }
    }

    fn client(directory: &Path) -> Client {
        Client::at(Places::in_directory(directory)).program(env!("CARGO_BIN_EXE_mailslot"))
    }

    fn path() -> SlotPath {
        SlotPath::parse(r"\\.\mailslot\bench").expect("a path")
    }

    /// The writer: says that it is ready, waits for the word, writes, and says how many were refused.
    fn child(role: &str) {
        let (kind, size) = role.rsplit_once(' ').expect("a role and a size");
        let payload = vec![7; size.parse().expect("a size")];
        if kind == "round trip" {
            use std::os::fd::AsFd;
            let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
            let mut socket = UnixStream::from(socket);
            let mut buffer = payload;
            while socket.read_exact(&mut buffer).is_ok() {
                socket.write_all(&[1]).expect("a writer");
            }
            return;
        }
        if kind == "socketpair" {
            use std::os::fd::AsFd;
            let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
            let socket = UnixDatagram::from(socket);
            socket.recv(&mut [0; 8]).expect("the word");
            for _ in 0..MESSAGES {
                socket.send(&payload).expect("a reader");
            }
            socket.send(END).expect("a reader");
            return;
        }
        let directory = std::env::var_os(DIRECTORY).expect("a directory");
        let slot = client(Path::new(&directory)).open(&path(), OpenOptions::default()).expect("a slot");
        let slot = MailslotSender::try_from(slot).expect("in another process");
        println!("ready");
        std::io::stdin().read_exact(&mut [0]).expect("the word");
        let mut refused = 0;
        if kind == "written" {
            for _ in 0..WRITTEN {
                refused += u64::from(slot.write(&payload).is_err());
            }
        } else {
            for number in 1..=MESSAGES {
                slot.post(&payload).expect("a node");
                if number % WINDOW == 0 {
                    refused += slot.flush().expect("a node").refused;
                }
            }
            refused += slot.flush().expect("a node").refused;
        }
        while slot.write(END).is_err() {}
        println!("{refused}");
    }

    fn spawn(role: &str, directory: &Path, stdin: Stdio) -> Child {
        Command::new(std::env::current_exe().expect("this bench"))
            .env(ROLE, role)
            .env(DIRECTORY, directory)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .spawn()
            .expect("itself again")
    }

    fn rate(messages: usize, begun: Instant) -> f64 {
        messages as f64 / begun.elapsed().as_secs_f64()
    }

    fn socketpair(size: usize, directory: &Path) -> f64 {
        let (ours, theirs) = UnixDatagram::pair().expect("a pair");
        let mut writer = spawn(&format!("socketpair {size}"), directory, OwnedFd::from(theirs).into());
        let mut buffer = [0; 65_536];
        ours.send(b"go").expect("a writer");
        // The first message tells that the process has started.
        assert_eq!(ours.recv(&mut buffer).expect("a message"), size);
        let begun = Instant::now();
        let mut messages = 1;
        while ours.recv(&mut buffer).expect("a message") != END.len() {
            messages += 1;
        }
        let rate = rate(messages - 1, begun);
        assert!(writer.wait().expect("it ends").success());
        rate
    }

    fn round_trip(size: usize, directory: &Path) -> f64 {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        let mut answerer = spawn(&format!("round trip {size}"), directory, OwnedFd::from(theirs).into());
        let payload = vec![7; size];
        let mut once = || {
            ours.write_all(&payload).expect("an answerer");
            ours.read_exact(&mut [0]).expect("an answer");
        };
        // The first tells that the process has started.
        once();
        let begun = Instant::now();
        (0..WRITTEN).for_each(|_| once());
        let rate = rate(WRITTEN, begun);
        drop(ours);
        assert!(answerer.wait().expect("it ends").success());
        rate
    }

    /// Messages per second, and how many were refused.
    fn mailslot(kind: &str, size: usize, directory: &Path) -> (f64, u64) {
        let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
        let slot = client(directory).create(&path(), options, Admit::Default).expect("a slot");
        let slot = SlotReader::from(slot);
        let mut writer = spawn(&format!("{kind} {size}"), directory, Stdio::piped());
        let mut said = BufReader::new(writer.stdout.take().expect("piped")).lines();
        assert_eq!(said.next().expect("a word").expect("a pipe"), "ready");
        writer.stdin.take().expect("piped").write_all(b"!").expect("a writer");
        let first = slot.recv().expect("a message");
        assert_eq!(first.data.len(), size);
        let begun = Instant::now();
        let mut messages = 0;
        'round: loop {
            for message in slot.recv_many(1024).expect("messages") {
                if message.data[..] == *END {
                    break 'round;
                }
                messages += 1;
            }
        }
        let rate = rate(messages, begun);
        let refused = said.next().expect("a word").expect("a pipe").parse().expect("a number");
        assert!(writer.wait().expect("it ends").success());
        (rate, refused)
    }

    fn median(mut rates: Vec<f64>) -> f64 {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }

    fn parent() {
        let runtime = tempfile::tempdir().expect("a directory");
        let directory = runtime.path().join("mailslot");
        for size in SIZES {
            let (mut pairs, mut posted, mut written, mut trips) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let mut refused = 0;
            for _ in 0..ROUNDS {
                pairs.push(socketpair(size, &directory));
                let (rate, lost) = mailslot("posted", size, &directory);
                posted.push(rate);
                refused += lost;
                written.push(mailslot("written", size, &directory).0);
                trips.push(round_trip(size, &directory));
            }
            let (pair, posted, written) = (median(pairs), median(posted), median(written));
            let trip = median(trips);
            println!(
                "local/{size}: socketpair {pair:.0}/s, posted {posted:.0}/s ({refused} of {} refused), ratio {:.2}",
                ROUNDS * MESSAGES,
                posted / pair
            );
            println!(
                "local/{size}: written {written:.0}/s, ratio {:.3}; round trip {trip:.0}/s, ratio {:.3}; written to round \
                 trip {:.2}",
                written / pair,
                trip / pair,
                written / trip
            );
        }
    }
}
