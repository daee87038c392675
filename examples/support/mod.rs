//! What the examples share: the LAN they are on, and how they end.

use std::error::Error;
use std::process::ExitCode;

use mailslot::node::{Builder, LoopbackLan, Node};
use mailslot::slot::{MailslotError, SlotPath};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A computer of this name, or of one made of the process id.
///
/// It is on the LAN inside this machine. `MAILSLOT_LAN=20000` takes another one there (the first of its four ports), and
/// `MAILSLOT_LAN=real` the interfaces with the ports 137, 138, 139 and 445, which need a right.
pub(crate) fn computer(name: Option<&str>) -> Result<Builder, Box<dyn Error>> {
    let name = name.map_or_else(|| format!("PC{}", std::process::id()), str::to_owned);
    let builder = Node::builder().name(name);
    Ok(match std::env::var("MAILSLOT_LAN").ok().as_deref() {
        None => builder.loopback(LoopbackLan::default()),
        Some("real") => builder,
        Some(port) => {
            let port: u16 = port.parse().map_err(|error| format!("MAILSLOT_LAN={port}: {error}"))?;
            if port > u16::MAX - 3 {
                return Err(format!("MAILSLOT_LAN={port}: three more ports follow it").into());
            }
            builder.loopback(LoopbackLan::new(port, port + 1))
        }
    })
}

/// The path of a slot of `computer`: `.`, a name, a domain, or `*`.
#[allow(dead_code, reason = "not every example writes")]
pub(crate) fn slot_of(computer: &str, slot: &str) -> Result<SlotPath, MailslotError> {
    SlotPath::parse(&format!(r"\\{computer}\mailslot\{slot}"))
}

/// Says what went wrong, and gives the exit status.
pub(crate) fn end(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
