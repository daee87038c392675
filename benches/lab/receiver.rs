//! A node that reads one slot and says once a second what it counted. For `benches/lab/receive.sh`.
//!
//!     receiver NAME SLOT [SECONDS]

use core::time::Duration;
use std::time::Instant;

use mailslot::node::Node;
use mailslot::slot::{CreateOptions, SlotPath};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("receiver NAME SLOT [SECONDS]")?;
    let slot = arguments.next().ok_or("receiver NAME SLOT [SECONDS]")?;
    let seconds: u64 = arguments.next().map_or(Ok(3600), |text| text.parse())?;
    let node = Node::builder().name(name).start().await?;
    node.ready().await?;
    let slot = node.create(&SlotPath::parse(&format!(r"\\.\mailslot\{slot}"))?, CreateOptions::default())?;
    let (end, mut say) = (Instant::now() + Duration::from_secs(seconds), Instant::now());
    let (mut messages, mut bytes) = (0_u64, 0_u64);
    while Instant::now() < end {
        // Returns with an error when nothing came in that time.
        if let Ok(message) = slot.recv_timeout(Duration::from_secs(1)).await {
            messages += 1;
            bytes += u64::try_from(message.data.len())?;
            if messages % 1024 != 0 {
                continue;
            }
        }
        if say.elapsed() >= Duration::from_secs(1) {
            say = Instant::now();
            let stats = node.stats();
            for interface in &stats.interfaces {
                let (names, datagrams) = (&interface.names, &interface.datagrams);
                println!(
                    "read {messages} messages, {bytes} bytes; datagrams {} delivered {} fragments {} dropped {:?} \
                     given up {:?} explained {}; packets {} dropped {:?} explained {}; buffer {}",
                    datagrams.received,
                    datagrams.delivered,
                    datagrams.fragments,
                    datagrams.drops,
                    datagrams.given_up,
                    datagrams.is_complete(),
                    names.received,
                    names.drops,
                    names.is_complete(),
                    interface.receive_buffer,
                );
            }
        }
    }
    node.shutdown().await?;
    Ok(())
}
