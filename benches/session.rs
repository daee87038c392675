//! Messages of 10 KB over one session between two nodes, beside the same bytes as plain length-prefixed TCP writes.
//!
//! Both over loopback, in turn, with the same number of writes in flight. The session acknowledges each message when it
//! is in its slot, and a reader takes it from there; the plain writes are acknowledged by a byte each, or, as
//! `unacknowledged`, by nothing.

use std::time::{Duration, Instant};

use mailslot::node::{LoopbackLan, Node, SlotReader};
use mailslot::slot::{CreateOptions, ReadTimeout, SlotPath};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const SIZE: usize = 10 * 1024;
const PREFIX: [u8; 4] = [0, 0, 40, 0];
/// Messages of one round.
const MESSAGES: usize = 4_000;
/// Writes in flight.
const WRITERS: usize = 16;
const ROUNDS: usize = 15;

struct Pair {
    writer: Node,
    /// Holds the slot's node.
    _reader: Node,
    slot: SlotReader,
}

async fn pair() -> Pair {
    let lan = LoopbackLan::of_this_process();
    let node = |name: &str| Node::builder().name(name).loopback(lan).start();
    let (writer, reader) = tokio::try_join!(node("WRITER"), node("READER")).expect("two nodes");
    tokio::try_join!(writer.ready(), reader.ready()).expect("their names");
    let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
    let slot = reader.create(&SlotPath::parse(r"\\.\mailslot\bench").expect("a path"), options);
    Pair { writer, _reader: reader, slot: slot.expect("a new slot") }
}

async fn session_round(pair: &Pair) -> Duration {
    let to = SlotPath::parse(r"\\READER\mailslot\bench").expect("a path");
    let begun = Instant::now();
    for _ in 0..WRITERS {
        let (writer, to) = (pair.writer.clone(), to.clone());
        tokio::spawn(async move {
            let data = vec![7; SIZE];
            for _ in 0..MESSAGES / WRITERS {
                writer.write(&to, &data).await.expect("written");
            }
        });
    }
    for _ in 0..MESSAGES {
        let message = pair.slot.recv().await.expect("a message");
        assert_eq!(message.data.len(), SIZE);
    }
    begun.elapsed()
}

/// Length-prefixed messages on one connection; with `acknowledged`, `WRITERS` of them are on their way at a time.
async fn plain_round(acknowledged: bool) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("bound");
    let reader = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (input, mut output) = stream.into_split();
        let mut input = BufReader::with_capacity(64 << 10, input);
        for _ in 0..MESSAGES {
            let length = input.read_u32().await.expect("a length");
            let mut data = vec![0; length as usize];
            input.read_exact(&mut data).await.expect("a message");
            assert_eq!(data.len(), SIZE);
            if acknowledged {
                output.write_all(&[1]).await.expect("answered");
            }
        }
    });
    let stream = TcpStream::connect(at).await.expect("connected");
    stream.set_nodelay(true).expect("a socket");
    let (mut answers, mut output) = stream.into_split();
    let data = vec![7; SIZE];
    let begun = Instant::now();
    let mut waiting = 0;
    for _ in 0..MESSAGES {
        if acknowledged && waiting == WRITERS {
            waiting -= answers.read(&mut [0; WRITERS]).await.expect("answers");
        }
        let mut message = Vec::with_capacity(4 + SIZE);
        message.extend_from_slice(&PREFIX);
        message.extend_from_slice(&data);
        output.write_all(&message).await.expect("sent");
        waiting += 1;
    }
    reader.await.expect("read");
    begun.elapsed()
}

fn main() {
    // `cargo test` builds and runs benches, too.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime: Runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pair = pair().await;
        // The session's way is found before anything is measured.
        session_round(&pair).await;
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            times[0].push(session_round(&pair).await);
            times[1].push(plain_round(true).await);
            times[2].push(plain_round(false).await);
        }
        let [session, plain, unacknowledged] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64()
        });
        let rate = |seconds: f64| (MESSAGES * SIZE) as f64 / seconds / 1e6;
        println!(
            "{MESSAGES} messages of {SIZE} bytes, medians of {ROUNDS}: session {:.0} MB/s, plain TCP {:.0} MB/s, \
             unacknowledged {:.0} MB/s; the session has {:.2} and {:.2} of them",
            rate(session),
            rate(plain),
            rate(unacknowledged),
            plain / session,
            unacknowledged / session
        );
    });
}
