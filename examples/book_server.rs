//! The book chapter's first server (section 19.2.1): creates a mailslot and prints every message, for ever.
//!
//! ```sh
//! cargo build                                        # the program that holds the slots of this machine
//! cargo run --example book_server                    # the slot Myslot of this machine, which is SERVER on the LAN
//! cargo run --example book_server -- SERVER2 Other Third
//! ```
//!
//! [`book_client`](book_client.rs) writes to it, as a program of this machine (`.`) or over the LAN (`SERVER`). A name is
//! one slot's on a machine, whatever its case and whichever program has it: a second server is refused with code 183. End
//! it with Ctrl-C.

mod support;

use std::process::ExitCode;
use std::thread;

use mailslot::node::blocking::{Node, SlotReader};
use mailslot::slot::{CreateOptions, ReadTimeout};

fn main() -> ExitCode {
    support::end(serve())
}

fn serve() -> support::Outcome {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "SERVER".to_owned());
    let mut slots: Vec<String> = args.collect();
    if slots.is_empty() {
        slots.push("Myslot".to_owned());
    }
    let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
    // On Windows one slot is for both. Here the programs of this machine have theirs, whose name no other program may
    // have; and the computer on the LAN has its own.
    let mut readers = Vec::new();
    for slot in &slots {
        readers.extend(support::create_here(&support::slot_of(".", slot)?, options)?);
    }
    let node = Node::start(support::computer(Some(&name))?)?;
    node.ready()?;
    for slot in &slots {
        let created = node.create(&support::slot_of(".", slot)?, options);
        readers
            .push(created.map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?);
    }
    println!("{} reads {}", node.node().name(), slots.join(", "));
    thread::scope(|threads| {
        for reader in readers {
            threads.spawn(move || print_messages(&reader));
        }
    });
    Ok(())
}

fn print_messages(reader: &SlotReader) {
    loop {
        match reader.recv() {
            Ok(message) => println!("{}", String::from_utf8_lossy(&message.data)),
            Err(error) => return println!("reading ended, {}: {error}", error.win32()),
        }
    }
}
