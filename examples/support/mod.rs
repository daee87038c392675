//! What the examples share: the LAN they are on, and how they end.

use std::error::Error;
use std::process::ExitCode;

#[cfg(unix)]
use mailslot::node::local::{Admit, Client, LocalError, PROGRAM_VARIABLE};
use mailslot::node::{Builder, LoopbackLan, Node, blocking};
use mailslot::slot::{CreateOptions, MailslotError, SlotPath};

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

/// The slots that the programs of this machine share, and the program that holds them while one is open: what
/// `MAILSLOT_PROGRAM` says, else the `mailslot` that was built with this example, else the one of the shell.
#[cfg(unix)]
#[allow(dead_code, reason = "not every example is on this machine alone")]
pub(crate) fn machine() -> Client {
    let machine = Client::new();
    let built = std::env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.join("mailslot")));
    match built.filter(|program| program.exists() && std::env::var_os(PROGRAM_VARIABLE).is_none()) {
        Some(program) => machine.program(program),
        None => machine,
    }
}

/// Creates a slot for the programs of this machine. None, and said so, where no program can hold it.
#[allow(dead_code, reason = "not every example is on this machine alone")]
pub(crate) fn create_here(
    path: &SlotPath,
    options: CreateOptions,
) -> Result<Option<blocking::SlotReader>, Box<dyn Error>> {
    #[cfg(unix)]
    match machine().create(path, options, Admit::Default) {
        Ok(slot) => Ok(Some(slot.into())),
        Err(error @ LocalError::Start { .. }) => {
            eprintln!("{path} is there for the LAN only: {error}");
            Ok(None)
        }
        Err(error) => Err(format!("cannot create a mailslot, {}: {error}", error.win32()).into()),
    }
    #[cfg(not(unix))]
    {
        eprintln!("{path} is there for the LAN only");
        let _ = options;
        Ok(None)
    }
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
