//! `mailslot capture`: what an interface says, as it comes.

use std::time::{Duration, Instant};

use mailslot::capture::{Interface, LiveCapture, LiveOptions, interfaces};

use super::decode::{Decoder, Totals};
use crate::Outcome;
use crate::cli::CaptureArgs;
use crate::output::{Output, note};
use crate::text;

/// How long a wait for a frame may last, so that the end is noticed.
const TICK: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &CaptureArgs) -> anyhow::Result<Outcome> {
    let Some(name) = args.interface.as_deref().filter(|_| !args.list) else { return list() };
    let mut options = LiveOptions::default();
    options.promiscuous = !args.no_promiscuous;
    options.timeout = TICK;
    let mut decoder = Decoder::new(&args.show, Totals::default(), true)?;
    let mut live = LiveCapture::open(name, options)?;
    note(format_args!("listening on {}", text::safe(name)));
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let is_over = |decoder: &Decoder| {
        args.count.is_some_and(|count| decoder.shown() >= count)
            || end.is_some_and(|end| Instant::now() >= end)
    };
    let result = loop {
        if is_over(&decoder) {
            break Ok(());
        }
        let frame = match live.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => continue,
            Err(error) => break Err(error.into()),
        };
        if let Err(error) = decoder.frame(&frame) {
            break Err(error);
        }
    };
    decoder.end(result, live.frames())
}

fn list() -> anyhow::Result<Outcome> {
    let mut output = Output::new(false);
    let all = interfaces();
    for interface in &all {
        output.line().extend_from_slice(line(interface).as_bytes());
        output.end_line()?;
    }
    output.flush()?;
    Ok(if all.is_empty() { Outcome::NothingMatched } else { Outcome::Done })
}

/// `eth0  up  10.0.0.5/24`
fn line(interface: &Interface) -> String {
    let state = if interface.up { "up" } else { "down" };
    let addresses: Vec<_> =
        interface.addresses.iter().map(|at| format!("{}/{}", at.address, at.prefix)).collect();
    format!("{:<16} {state:<4} {}", text::safe(&interface.name), addresses.join(" ")).trim_end().to_owned()
}
