//! The CodeProject article's second caveat: nothing tells a client that its record arrived, unless it has a mailslot of
//! its own into which the server answers.
//!
//! ```sh
//! cargo run --example article_acknowledgement -- server
//! cargo run --example article_acknowledgement -- client 'to be signed for'     # in another terminal
//! ```
//!
//! The server's slot is `blort` on the computer OFFICE, the client's is `blort_ack`. The datagram says whose it is, so a
//! record needs no return address. Without an answer the client writes again, three times in all, and then gives up.

mod support;

use core::time::Duration;
use std::process::ExitCode;

use mailslot::node::blocking::Node;
use mailslot::slot::{CreateOptions, MailslotError, Message, ReadTimeout};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    support::end(match (args.next().as_deref(), args.next()) {
        (Some("server"), None) => serve(),
        (Some("client"), Some(text)) => write(&text),
        _ => Err("usage: article_acknowledgement server | client TEXT".into()),
    })
}

fn serve() -> support::Outcome {
    let node = Node::start(support::computer(Some("OFFICE"))?)?;
    node.ready()?;
    let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
    let records = node
        .create(&support::slot_of(".", "blort")?, options)
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;
    println!("{} reads blort", node.node().name());
    loop {
        let record = records.recv()?;
        // A record without a number, or from this computer itself, cannot be acknowledged.
        let (Some((number, text)), Some(sender)) =
            (record.data.split_first_chunk::<4>(), record.origin.source())
        else {
            println!("{} bytes without a sender or a number", record.data.len());
            continue;
        };
        println!("{sender}: {}", String::from_utf8_lossy(text));
        let answer = support::slot_of(&String::from_utf8_lossy(sender.base()), "blort_ack");
        match answer.map(|path| node.write(&path, number)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => println!("cannot answer {sender}, {}: {error}", error.win32()),
            Err(error) => println!("cannot answer {sender}, {}: {error}", error.win32()),
        }
    }
}

fn write(text: &str) -> support::Outcome {
    let node = Node::start(support::computer(None)?)?;
    node.ready()?;
    let answers = node
        .create(&support::slot_of(".", "blort_ack")?, CreateOptions::default())
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;
    let path = support::slot_of("OFFICE", "blort")?;
    let number = std::process::id().to_le_bytes();
    let record = [&number, text.as_bytes()].concat();
    for attempt in 1..=3 {
        node.write(&path, &record).map_err(|error| format!("cannot write, {}: {error}", error.win32()))?;
        match answers.recv_timeout(Duration::from_secs(2)) {
            Ok(Message { data, .. }) if data[..] == number => {
                println!("acknowledged at attempt {attempt}");
                node.shutdown()?;
                return Ok(());
            }
            Ok(_) => println!("an answer to another record"),
            Err(MailslotError::Timeout) => println!("attempt {attempt}: no answer"),
            Err(error) => return Err(format!("cannot read, {}: {error}", error.win32()).into()),
        }
    }
    node.shutdown()?;
    Err("OFFICE does not answer".into())
}
