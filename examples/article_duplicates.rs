//! The CodeProject article's first caveat: a record can arrive several times, so the client puts a tick count in front
//! of it and the server drops what it has had before.
//!
//! ```sh
//! cargo run --example article_duplicates
//! ```
//!
//! Both computers are in this one process; the client writes every record three times, as a computer with three network
//! protocols did. The crate itself drops copies of one *datagram* that come in by several interfaces
//! (`Builder::suppress_duplicates`); copies that the sender made are for the program to know.

mod support;

use core::time::Duration;
use std::collections::VecDeque;
use std::process::ExitCode;

use mailslot::node::{Node, SlotReader};
use mailslot::slot::CreateOptions;

const COPIES: u32 = 3;
const RECORDS: [&str; 3] = ["tax of Bob", "tax of Pete", "tax of Bob"];
/// How many records the server remembers: more than can be on their way at once.
const REMEMBERED: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    support::end(run().await)
}

async fn run() -> support::Outcome {
    let server = support::computer(Some("TAXOFFICE"))?.start().await?;
    let client = support::computer(Some("CITIZEN"))?.start().await?;
    server.ready().await?;
    client.ready().await?;
    let reader = server
        .create(&support::slot_of(".", r"taxes\sue")?, CreateOptions::default())
        .map_err(|error| format!("cannot create a mailslot, {}: {error}", error.win32()))?;
    write(&client).await?;
    let (kept, dropped) = read(&reader, RECORDS.len() * COPIES as usize).await?;
    println!("{kept} records, {dropped} duplicates dropped");
    client.shutdown().await?;
    server.shutdown().await?;
    Ok(())
}

async fn write(client: &Node) -> support::Outcome {
    let path = support::slot_of("TAXOFFICE", r"taxes\sue")?;
    for (ticks, text) in (1_u32..).zip(RECORDS) {
        // A DWORD that grows with every record stands for the milliseconds since the start.
        let record = [&ticks.to_le_bytes(), text.as_bytes()].concat();
        for _ in 0..COPIES {
            client
                .write(&path, &record)
                .await
                .map_err(|error| format!("cannot write, {}: {error}", error.win32()))?;
        }
    }
    Ok(())
}

async fn read(reader: &SlotReader, records: usize) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let mut seen = VecDeque::new();
    let (mut kept, mut dropped) = (0, 0);
    for _ in 0..records {
        let record = reader
            .recv_timeout(Duration::from_secs(10))
            .await
            .map_err(|error| format!("cannot read, {}: {error}", error.win32()))?
            .data;
        if seen.contains(&record) {
            dropped += 1;
            continue;
        }
        let Some((ticks, text)) = record.split_first_chunk::<4>() else {
            println!("a record of {} bytes has no tick count", record.len());
            continue;
        };
        println!("{}: {}", u32::from_le_bytes(*ticks), String::from_utf8_lossy(text));
        kept += 1;
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(record);
    }
    Ok((kept, dropped))
}
