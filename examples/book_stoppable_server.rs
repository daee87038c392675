//! The book chapter's second server (section 19.4.2): a thread waits in a read for ever, and is to be stopped all the
//! same.
//!
//! ```sh
//! cargo build                                        # the program that holds the slots of this machine
//! cargo run --example book_stoppable_server          # Enter stops it
//! ```
//!
//! It does what the chapter does: raises a flag and writes a message to its own slot, which ends the read. The slot
//! takes at most 2,048 bytes. Here it is a choice: `Mailslot::cancel_reads` ends a read without a message, and in async
//! code dropping the future does. [`book_client`](book_client.rs) writes to it: `-- . hello myslot`, or `-- SERVER`.

mod support;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use mailslot::node::blocking::{Node, SlotReader};
use mailslot::slot::{CreateOptions, MailslotError, ReadTimeout, SlotPath};

fn main() -> ExitCode {
    support::end(serve())
}

fn serve() -> support::Outcome {
    let path = support::slot_of(".", "myslot")?;
    let options = CreateOptions {
        max_message_size: 2048,
        read_timeout: ReadTimeout::FOREVER,
        ..CreateOptions::default()
    };
    // One slot for the programs of this machine, one for the LAN.
    let here = support::create_here(&path, options)?;
    let node = Node::start(support::computer(Some("SERVER"))?)?;
    node.ready()?;
    let reader = node
        .create(&path, options)
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;

    let stopping = AtomicBool::new(false);
    let stop_is_heard_here = here.is_some();
    let ended = thread::scope(|threads| -> Result<Result<(), MailslotError>, Box<dyn std::error::Error>> {
        let stopping = &stopping;
        let servers: Vec<_> = here
            .into_iter()
            .chain([reader])
            .map(|reader| threads.spawn(move || read_until(stopping, &reader)))
            .collect();
        println!("Press Enter to stop the server");
        let key = io::stdin().read_line(&mut String::new());
        stopping.store(true, Ordering::Release);
        node.write(&path, b"STOP").map_err(|error| format!("cannot write, {}: {error}", error.win32()))?;
        if stop_is_heard_here {
            stop_here(&path)?;
        }
        key?;
        for server in servers {
            if let Err(error) = server.join().map_err(|_| "the server's thread panicked")? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    })?;
    ended.map_err(|error| format!("reading ended, {}: {error}", error.win32()))?;
    println!("the server's thread has ended");
    node.shutdown()?;
    Ok(())
}

fn stop_here(path: &SlotPath) -> support::Outcome {
    #[cfg(unix)]
    support::machine()
        .send(path, b"STOP")
        .map_err(|error| format!("cannot write, {}: {error}", error.win32()))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn read_until(stopping: &AtomicBool, reader: &SlotReader) -> Result<(), MailslotError> {
    loop {
        let message = reader.recv()?;
        if stopping.load(Ordering::Acquire) {
            return Ok(());
        }
        println!("Received {} bytes", message.data.len());
    }
}
