//! The book chapter's client (section 19.2.2): writes fourteen bytes to the slot `Myslot` of whom it is told.
//!
//! ```sh
//! cargo run --example book_client -- .               # a program of this machine; code 2 if none has the slot
//! cargo run --example book_client -- SERVER          # one computer
//! cargo run --example book_client -- WORKGROUP       # all computers of a domain
//! cargo run --example book_client -- '*'             # all of the own domain
//! ```
//!
//! Beside it runs [`book_server`](book_server.rs). A second argument is the message, a third the slot.

mod support;

use std::process::ExitCode;

use mailslot::node::{SendError, Sent, Way};
#[cfg(unix)]
use mailslot::slot::OpenOptions;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    support::end(write().await)
}

async fn write() -> support::Outcome {
    let mut args = std::env::args().skip(1);
    let to = args.next().ok_or("usage: book_client COMPUTER|DOMAIN|'*'|. [MESSAGE [SLOT]]")?;
    let message = args.next().unwrap_or_else(|| "This is a test".to_owned());
    let slot = args.next().unwrap_or_else(|| "Myslot".to_owned());
    let path = support::slot_of(&to, &slot).map_err(|error| format!("{}: {error}", error.win32()))?;

    // Only a path of one's own machine can fail here; another's is looked for when something is written.
    let cannot_open = |code, error: &dyn std::fmt::Display| format!("cannot open, {code}: {error}");
    #[cfg(unix)]
    if path.is_local() {
        let slot = support::machine().open(&path, OpenOptions::default());
        let slot = slot.map_err(|error| cannot_open(error.win32(), &error))?;
        return tell(slot.write(message.as_bytes()).await);
    }
    let node = support::computer(None)?.start().await?;
    node.ready().await?;
    let slot = node.open(path).map_err(|error| cannot_open(error.win32(), &error))?;
    let written = slot.write(message.as_bytes()).await;
    node.shutdown().await?;
    tell(written)
}

fn tell(written: Result<Sent, SendError>) -> support::Outcome {
    let sent = written.map_err(|error| format!("cannot write, {}: {error}", error.win32()))?;
    println!("Wrote {} bytes", sent.bytes);
    if sent.way == Way::Group {
        // Who reads a broadcast is not to be known, nor whether anybody does.
        println!("to all of {}", sent.destination.map_or_else(String::new, |name| name.to_string()));
    }
    Ok(())
}
