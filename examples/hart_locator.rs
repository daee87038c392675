//! The Hart chapter's server locator: servers broadcast where they are and how busy, a client hears all of them and
//! chooses the one with the most room.
//!
//! ```sh
//! cargo run --example hart_locator -- server ALPHA '\\ALPHA\pipe\app' 70
//! cargo run --example hart_locator -- server BETA '\\BETA\pipe\app' 20         # in a second terminal
//! cargo run --example hart_locator -- client                                   # in a third
//! ```
//!
//! Here the usual roles are turned round: the application's servers write mailslot messages and its clients read them. A
//! broadcast takes at most 424 bytes.

mod support;

use core::time::Duration;
use std::collections::BTreeMap;
use std::process::ExitCode;

use mailslot::slot::{CreateOptions, MailslotError};
use tokio::time::{Instant, interval};

const SLOT: &str = "locator";
const PERIOD: Duration = Duration::from_secs(1);
/// Every server is heard once in this time, even if one of its broadcasts is lost.
const LISTEN: Duration = Duration::from_millis(2500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    support::end(match args[..] {
        ["server", name, pipe, load] => announce(name, pipe, load).await,
        ["client"] => choose().await,
        _ => Err("usage: hart_locator server NAME PIPE LOAD | client".into()),
    })
}

async fn announce(name: &str, pipe: &str, load: &str) -> support::Outcome {
    let load: u8 = load.parse().map_err(|error| format!("'{load}' is no load from 0 to 255: {error}"))?;
    let node = support::computer(Some(name))?.start().await?;
    node.ready().await?;
    let everybody = node.open(support::slot_of("*", SLOT)?)?;
    let mut message = vec![load];
    message.extend_from_slice(pipe.as_bytes());
    println!("{} tells everybody of {pipe}", node.name());
    let mut ticks = interval(PERIOD);
    loop {
        ticks.tick().await;
        match everybody.write(&message).await {
            Ok(_) => {}
            // The next broadcast may go again.
            Err(mailslot::node::SendError::NoNetwork) => eprintln!("no network"),
            Err(error) => return Err(format!("cannot write, {}: {error}", error.win32()).into()),
        }
    }
}

async fn choose() -> support::Outcome {
    let node = support::computer(None)?.start().await?;
    node.ready().await?;
    let heard = node
        .create(&support::slot_of(".", SLOT)?, CreateOptions::default())
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;
    let end = Instant::now() + LISTEN;
    let mut servers = BTreeMap::new();
    loop {
        match heard.recv_timeout(end.saturating_duration_since(Instant::now())).await {
            Ok(message) => {
                // From whom it is says the datagram; what is no announcement is passed over.
                if let (Some(server), Some((&load, pipe))) =
                    (message.origin.source(), message.data.split_first())
                {
                    servers.insert(server, (load, String::from_utf8_lossy(pipe).into_owned()));
                }
            }
            Err(MailslotError::Timeout) => break,
            Err(error) => return Err(format!("cannot read, {}: {error}", error.win32()).into()),
        }
    }
    node.shutdown().await?;
    for (server, (load, pipe)) in &servers {
        println!("{server} has a load of {load} and {pipe}");
    }
    let (_, pipe) = servers.into_values().min().ok_or("no server was heard")?;
    println!("chosen: {pipe}");
    Ok(())
}
