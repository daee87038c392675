//! The Windows Developer column's server: reads a message when told to, and shows the slot's state at any time, also
//! while a read waits.
//!
//! ```sh
//! cargo run --example column_reader                  # then: info, read, or the end of input
//! ```
//!
//! The slot is `PaulaT_Mailslot` on the computer READER; it takes any size, and a read waits five seconds. The book's
//! client writes to it from another terminal: `cargo run --example book_client -- READER hello PaulaT_Mailslot`.

mod support;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use mailslot::node::SlotReader;
use mailslot::slot::{CreateOptions, Info, ReadTimeout};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    support::end(serve().await)
}

async fn serve() -> support::Outcome {
    let node = support::computer(Some("READER"))?.start().await?;
    node.ready().await?;
    let options = CreateOptions { read_timeout: ReadTimeout::from_millis(5000), ..CreateOptions::default() };
    let reader = node
        .create(&support::slot_of(".", "PaulaT_Mailslot")?, options)
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;
    let reader = Arc::new(reader);
    println!("{} reads {}; info or read:", node.name(), reader.name());

    let mut buttons = lines();
    while let Some(button) = buttons.recv().await {
        match button?.trim() {
            "info" => match reader.info() {
                Ok(info) => println!("{}", state(&info)),
                Err(error) => println!("no state, {}: {error}", error.win32()),
            },
            "read" => {
                tokio::spawn(read(Arc::clone(&reader)));
            }
            other => println!("'{other}' is neither info nor read"),
        }
    }
    node.shutdown().await?;
    Ok(())
}

async fn read(reader: Arc<SlotReader>) {
    match reader.recv().await {
        Ok(message) => println!("message: {}", String::from_utf8_lossy(&message.data)),
        Err(error) => println!("no message, {}: {error}", error.win32()),
    }
}

fn state(info: &Info) -> String {
    let next = info.next_size.map_or_else(|| "no message".to_owned(), |size| format!("next of {size} bytes"));
    let largest = match info.max_message_size {
        0 => "any size".to_owned(),
        bytes => format!("at most {bytes} bytes"),
    };
    let (count, timeout) = (info.message_count, info.read_timeout.as_millis());
    format!("{count} waiting, {next}; {largest}, reads wait {timeout} ms")
}

/// The lines of standard input, read by a thread of its own: a read of a terminal cannot be abandoned.
fn lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || io::stdin().lines().try_for_each(|line| sender.blocking_send(line)));
    receiver
}
