//! Sixteen writers and four readers, each a process. `MAILSLOT_MESSAGES` asks for more messages than 8,000.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mailslot::node::blocking::SlotReader;
use mailslot::slot::{MailslotError, ReadTimeout};

use crate::killed::{say, until};
use crate::{Machine, role, try_open};

const WRITERS: u32 = 16;
const READERS: u32 = 4;
const FILLER: u8 = 0xa5;
/// Far beyond what any wait of these tests takes.
const LONG: Duration = Duration::from_secs(600);

fn messages() -> u32 {
    std::env::var("MAILSLOT_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(8_000)
}

/// Who wrote it, which one it is, and something up to 4,000 bytes; every fiftieth is empty instead.
fn message(writer: u32, number: u32) -> Vec<u8> {
    if number % 50 == 49 {
        return Vec::new();
    }
    let size = (number * 7919 + writer * 104_729) % 4001;
    let mut message = [writer.to_le_bytes(), number.to_le_bytes()].concat();
    message.resize((size as usize).max(message.len()), FILLER);
    message
}

/// Without waiting, and asking at times what was refused; or waiting for the answer to each, as `WriteFile` does.
fn write_all(writer: u32, waits: bool) {
    let (_, client) = role().expect("a child");
    let slot = try_open(&client, "soda").expect("the slot is there");
    let mut refused = 0;
    for number in 0..messages() / WRITERS {
        if waits {
            match slot.write(&message(writer, number)) {
                Ok(_) => {}
                Err(MailslotError::QueueFull { .. }) => refused += 1,
                Err(error) => panic!("{error}"),
            }
            continue;
        }
        slot.post(&message(writer, number)).expect("a node");
        if number % 64 == 63 {
            refused += slot.flush().expect("a node").refused;
        }
    }
    refused += slot.flush().expect("a node").refused;
    println!("<{refused}>");
}

/// The writer and the number that a message has; `None` of an empty one.
fn head(message: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| message.get(at..at + 4)?.first_chunk().copied().map(u32::from_le_bytes);
    Some((number(0)?, number(4)?))
}

/// Holds each message against what its writer writes, and puts the heads of all into a file.
fn read_all(file: &str) {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd().try_clone_to_owned().expect("a descriptor");
    let slot = SlotReader::from(mailslot::node::SlotReader::from_fd(fd).expect("a server handle"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file"));
    say(b"<reads>");
    loop {
        match slot.recv_many(64) {
            Ok(messages) => {
                for received in messages.iter().filter(|received| received.data[..] != *b"end") {
                    let head = head(&received.data);
                    if let Some((writer, number)) = head {
                        assert!(received.data[..] == message(writer, number), "writer {writer}, {number}");
                    } else {
                        assert_eq!(received.data.len(), 0);
                    }
                    let (writer, number) = head.unwrap_or((u32::MAX, u32::MAX));
                    out.write_all(&[writer.to_le_bytes(), number.to_le_bytes()].concat()).expect("room");
                }
            }
            Err(MailslotError::Timeout) => return out.flush().expect("room"),
            Err(error) => panic!("{error}"),
        }
    }
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.expect("it runs").success());
}

/// The most memory that a process has had, as Linux tells it.
fn most_memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Posted,
    Written,
    /// Posted, and one of the readers is stopped from the first message until the others have read all there is.
    Stopped,
}

fn run(test: &str, how: How) {
    if let Some((role, _)) = role() {
        return match role.split_once(' ') {
            Some(("writer", number)) => write_all(number.parse().expect("a number"), how == How::Written),
            Some(("reader", file)) => read_all(file),
            _ => panic!("{role}"),
        };
    }
    let machine = Machine::new();
    let soda = machine.create("soda");
    let file = |number: u32| machine.directory().join(format!("read{number}"));
    let mut readers: Vec<_> = (0..READERS)
        .map(|number| {
            let fd = soda.reader().duplicate().expect("a duplicate").into_fd().expect("idle");
            let mut child = machine.child(test, &format!("reader {}", file(number).display()));
            child.stdin(fd).stdout(Stdio::piped()).spawn().expect("itself again")
        })
        .collect();
    for reader in &mut readers {
        until(reader, b"<reads>");
    }
    if how == How::Stopped {
        signal("STOP", &readers[0]);
    }
    let begun = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let mut child = machine.child(test, &format!("writer {number}"));
            child.stdout(Stdio::piped()).spawn().expect("itself again")
        })
        .collect();
    let mut refused = 0_u64;
    for writer in writers {
        let output = writer.wait_with_output().expect("it ends");
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = said.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("its word").0;
        refused += count.parse::<u64>().expect("a number");
    }
    while soda.info().expect("a node").message_count > 0 {
        assert!(begun.elapsed() < LONG, "nobody reads what is there");
    }
    let took = begun.elapsed();
    let memory = most_memory(machine.client().node().expect("a node").pid);
    if how == How::Stopped {
        signal("CONT", &readers[0]);
    }
    // Readers that find nothing from now on end, and those that wait get a word each.
    soda.set_info(ReadTimeout::NONE).expect("a node");
    let ender = machine.open("soda");
    for _ in 0..READERS {
        // Full only of what is being read.
        while ender.write(b"end").is_err() {}
    }
    for mut reader in readers {
        assert!(reader.wait().expect("it ends").success());
    }
    let stats = soda.stats().expect("a node");
    let mut seen: HashMap<[u8; 8], u32> = HashMap::new();
    let mut arrived = Vec::new();
    for number in 0..READERS {
        let heads = std::fs::read(file(number)).expect("what it read");
        let mut last: HashMap<u32, u32> = HashMap::new();
        arrived.push(heads.len() as u64 / 8);
        for bytes in heads.chunks_exact(8).filter_map(|bytes| bytes.first_chunk::<8>()) {
            *seen.entry(*bytes).or_default() += 1;
            let (writer, number) = head(bytes).expect("eight bytes");
            if writer == u32::MAX {
                continue;
            }
            let before = last.insert(writer, number);
            assert!(before.is_none_or(|before| before < number), "writer {writer} out of order");
        }
    }
    let empty = seen.remove(&[0xff; 8]).unwrap_or(0);
    assert!(seen.values().all(|count| *count == 1), "a message came twice");
    let total = u64::from(messages() / WRITERS * WRITERS);
    let dropped = stats.drops.queue_messages + stats.drops.queue_bytes;
    assert_eq!(arrived.iter().sum::<u64>() + refused, total, "{empty} empty");
    assert!(dropped >= refused && stats.drops.total() == dropped, "{stats:?}");
    println!(
        "{total} messages in {:.1} s{}: the readers got {arrived:?}, {refused} found the slot full; the node had {memory}",
        took.as_secs_f64(),
        match how {
            How::Posted => "",
            How::Written => ", each write waiting for its answer",
            How::Stopped => ", the first reader stopped",
        },
    );
}

#[test]
fn each_message_arrives_once_or_is_counted() {
    run("many::each_message_arrives_once_or_is_counted", How::Posted);
}

#[test]
fn each_answered_message_arrives_once_or_was_refused() {
    run("many::each_answered_message_arrives_once_or_was_refused", How::Written);
}

/// What it had asked for when it stopped waits for it, and nothing else does.
#[test]
fn a_stopped_reader_slows_neither_writers_nor_the_other_readers() {
    run("many::a_stopped_reader_slows_neither_writers_nor_the_other_readers", How::Stopped);
}

#[test]
fn a_reader_that_stops_reading_slows_nobody() {
    let machine = Machine::new();
    let stopped = machine.create("stopped");
    let soda = machine.create("soda");
    let (to_stopped, to_soda) = (machine.open("stopped"), machine.open("soda"));
    for _ in 0..20_000 {
        to_stopped.post(b"to nobody").expect("never blocks");
    }
    let flushed = to_stopped.flush().expect("a node");
    assert!(matches!(flushed.first, Some(MailslotError::QueueFull { .. })), "{flushed:?}");
    for number in 0..1000_u32 {
        to_soda.write(&number.to_le_bytes()).expect("room");
        assert_eq!(&soda.recv().expect("a message").data[..], number.to_le_bytes());
    }
    let info = stopped.info().expect("a node");
    assert_eq!(info.message_count as u64 + flushed.refused, 20_000);
    assert_eq!(stopped.stats().expect("a node").drops.queue_messages, flushed.refused);
}
