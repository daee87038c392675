//! Sixteen writers and four readers, each a process. `MAILSLOT_MESSAGES` asks for more messages than 8,000.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::AsFd;

use mailslot::node::blocking::SlotReader;
use mailslot::slot::{MailslotError, ReadTimeout};

use crate::{Machine, role, try_open};

const WRITERS: u32 = 16;
const READERS: u32 = 4;
const TEST: &str = "many::each_message_arrives_once_or_is_counted";

fn messages() -> u32 {
    std::env::var("MAILSLOT_MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(8_000)
}

/// Who wrote it, which one it is, and something up to 4,000 bytes; every fiftieth is empty instead.
fn write_all(writer: u32) {
    let (_, client) = role().expect("a child");
    let slot = try_open(&client, "soda").expect("the slot is there");
    let filler = [0xa5; 4000];
    let mut refused = 0;
    for number in 0..messages() / WRITERS {
        let size = (number * 7919 + writer * 104_729) % 4001;
        let mut message = [writer.to_le_bytes(), number.to_le_bytes()].concat();
        message.extend(&filler[..(size as usize).saturating_sub(message.len())]);
        if number % 50 == 49 {
            message.clear();
        }
        slot.post(&message).expect("a node");
        if number % 64 == 63 {
            refused += slot.flush().expect("a node").refused;
        }
    }
    refused += slot.flush().expect("a node").refused;
    println!("<{refused}>");
}

/// Writes the heads of what comes into a file.
fn read_all(file: &str) {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd().try_clone_to_owned().expect("a descriptor");
    let slot = SlotReader::from(mailslot::node::SlotReader::from_fd(fd).expect("a server handle"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file"));
    loop {
        match slot.recv_many(64) {
            Ok(messages) => {
                for message in messages.iter().filter(|message| message.data[..] != *b"end") {
                    let head = message.data.first_chunk::<8>().copied().unwrap_or([0xff; 8]);
                    out.write_all(&head).expect("room");
                }
            }
            Err(MailslotError::Timeout) => return out.flush().expect("room"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn each_message_arrives_once_or_is_counted() {
    if let Some((role, _)) = role() {
        return match role.split_once(' ') {
            Some(("writer", number)) => write_all(number.parse().expect("a number")),
            Some(("reader", file)) => read_all(file),
            _ => panic!("{role}"),
        };
    }
    let machine = Machine::new();
    let soda = machine.create("soda");
    let file = |number: u32| machine.directory().join(format!("read{number}"));
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            let fd = soda.reader().duplicate().expect("a duplicate").into_fd().expect("idle");
            let mut child = machine.child(TEST, &format!("reader {}", file(number).display()));
            child.stdin(fd).spawn().expect("itself again")
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let mut child = machine.child(TEST, &format!("writer {number}"));
            child.stdout(std::process::Stdio::piped()).spawn().expect("itself again")
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
    let mut arrived = 0_u64;
    for number in 0..READERS {
        let heads = std::fs::read(file(number)).expect("what it read");
        let mut last: HashMap<u32, u32> = HashMap::new();
        for head in heads.chunks_exact(8).filter_map(|head| head.first_chunk::<8>()) {
            arrived += 1;
            *seen.entry(*head).or_default() += 1;
            if *head == [0xff; 8] {
                continue;
            }
            let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four"));
            let before = last.insert(number(0), number(4));
            assert!(before.is_none_or(|before| before < number(4)), "writer {} out of order", number(0));
        }
    }
    let empty = seen.remove(&[0xff; 8]).unwrap_or(0);
    assert!(seen.values().all(|count| *count == 1), "a message came twice");
    let total = u64::from(messages() / WRITERS * WRITERS);
    let dropped = stats.drops.queue_messages + stats.drops.queue_bytes;
    assert_eq!(arrived + refused, total, "{empty} empty");
    assert!(dropped >= refused && stats.drops.total() == dropped, "{stats:?}");
    println!("{total} messages: {arrived} arrived, {refused} found the slot full");
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
