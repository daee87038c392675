//! `mailslot decode`: a capture's datagrams, one line or JSON object each.

mod datagram;
mod filter;
mod line;
mod object;
mod record;
mod stats;
mod verify;

use std::collections::BTreeMap;
use std::io::IsTerminal;

use mailslot::service::datagram::{Event, Input, Reassembler};
use mailslot::service::{Limits, Machine};

use self::datagram::Decoded;
use self::filter::Filter;
pub(super) use self::filter::{matches as matches_slot, slot_globs};
use self::record::{Body, Record};
use self::stats::Stats;
use crate::Outcome;
use crate::cli::DecodeArgs;
use crate::input;
use crate::output::Output;
use crate::text::Clock;
use crate::traffic::{self, Payload, Place, Unit};

pub(crate) fn run(args: &DecodeArgs) -> anyhow::Result<Outcome> {
    let filter = Filter::new(args)?;
    let (mut capture, bar) = input::open(args.input.path())?;
    let mut sink = Sink::new(args);
    let mut reassembler = Reassembler::new(Limits::default());
    let result = traffic::for_each(&mut capture, |place, unit| match unit {
        Unit::Payload(payload) => each_payload(place, &payload, &mut reassembler, &filter, &mut sink),
        Unit::Damaged(error) => {
            let record = Record { place, ends: None, body: Body::Damaged(error) };
            sink.take(&filter, &record, &[])
        }
    });
    bar.finish_and_clear();
    if !reassembler.is_empty() {
        *sink.given_up.entry("end_of_capture").or_default() += reassembler.len() as u64;
    }
    // What came before an error is not lost.
    sink.finish(capture.records())?;
    result?;
    Ok(if sink.shown > 0 { Outcome::Done } else { Outcome::NothingMatched })
}

#[inline]
fn each_payload(
    place: Place,
    payload: &Payload<'_>,
    reassembler: &mut Reassembler,
    filter: &Filter,
    sink: &mut Sink,
) -> anyhow::Result<()> {
    let ends = Some((payload.source, payload.destination));
    let mut decoded = Decoded::read(payload.bytes, payload.base, payload.missing);
    let fragment = decoded.datagram.filter(|datagram| datagram.is_fragment());
    let Some(datagram) = fragment else {
        let record = Record { place, ends, body: Body::Datagram(&decoded) };
        return sink.take(filter, &record, payload.bytes);
    };

    reassembler.handle_input(place.time.since_epoch(), Input { peer: *payload.source.ip(), datagram });
    let mut complete = None;
    while let Some(event) = reassembler.poll_event() {
        match event {
            Event::Complete(reassembled) => complete = Some(reassembled),
            Event::Dropped { reason, .. } => *sink.given_up.entry(reason.name()).or_default() += 1,
            _ => {}
        }
    }
    if let Some(reassembled) = &complete {
        decoded.complete(reassembled);
    }
    let record = Record { place, ends, body: Body::Datagram(&decoded) };
    sink.take(filter, &record, payload.bytes)
}

/// Where records go: lines, objects or totals.
struct Sink {
    output: Output,
    clock: Clock,
    form: Form,
    verify: bool,
    page: mailslot::wire::oem::CodePage,
    /// Records that passed the filter.
    shown: u64,
    /// Those of them with an error.
    damaged: u64,
    /// Those that did not come back byte for byte.
    differing: u64,
    /// Datagrams of which fragments are missing, by reason.
    given_up: BTreeMap<&'static str, u64>,
}

enum Form {
    Lines,
    Objects,
    Stats { stats: Box<Stats>, json: bool },
}

impl Sink {
    fn new(args: &DecodeArgs) -> Self {
        let form = match (args.stats, args.json) {
            (true, json) => Form::Stats { stats: Box::default(), json },
            (false, true) => Form::Objects,
            (false, false) => Form::Lines,
        };
        // From a pipe that somebody still writes, each line is wanted as it comes.
        let live = args.input.path() == std::path::Path::new("-") && !std::io::stdin().is_terminal();
        Self {
            output: Output::new(live),
            clock: Clock::new(),
            form,
            verify: args.verify,
            page: args.code_page.code_page,
            shown: 0,
            damaged: 0,
            differing: 0,
            given_up: BTreeMap::new(),
        }
    }

    #[inline]
    fn take(&mut self, filter: &Filter, record: &Record<'_>, payload: &[u8]) -> anyhow::Result<()> {
        if !filter.passes(record) {
            return Ok(());
        }
        self.shown += 1;
        self.damaged += u64::from(record.error().is_some());
        let verdict = self.verify.then(|| verify::verify(record, payload));
        if matches!(verdict, Some(verify::Verdict::Differs(_))) {
            self.differing += 1;
        }
        match &mut self.form {
            Form::Stats { stats, .. } => {
                stats.count(record);
                return Ok(());
            }
            Form::Objects => {
                object::write(record, verdict.as_ref(), &mut self.clock, self.page, self.output.line())
            }
            Form::Lines => {
                line::write(record, verdict.as_ref(), &mut self.clock, self.page, self.output.line())
            }
        }
        self.output.end_line()
    }

    fn finish(&mut self, frames: u64) -> anyhow::Result<()> {
        match &self.form {
            Form::Stats { stats, json: true } => {
                stats.write_json(frames, &self.given_up, self.page, self.output.line());
                self.output.end_line()?;
            }
            Form::Stats { stats, json: false } => {
                stats.write_text(frames, &self.given_up, self.page, self.output.line())
            }
            Form::Lines | Form::Objects => {
                if self.damaged > 0 {
                    eprintln!("mailslot: {} of {} datagrams are damaged", self.damaged, self.shown);
                }
                for (reason, count) in &self.given_up {
                    eprintln!("mailslot: {count} datagrams in fragments are given up: {reason}");
                }
                if self.verify {
                    eprintln!("mailslot: {} of {} datagrams come back otherwise", self.differing, self.shown);
                }
            }
        }
        self.output.flush()
    }
}
