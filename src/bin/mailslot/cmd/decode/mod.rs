//! `mailslot decode`: a capture's datagrams, packets and session messages, one line or JSON object each.

mod datagram;
mod fields;
mod filter;
mod line;
mod name_service;
mod object;
mod record;
mod save;
mod session;
mod stats;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use mailslot::capture::Frame;
use mailslot::service::datagram::{Event, Input, Reassembler};
use mailslot::service::{Limits, Machine};

use self::datagram::Decoded;
use self::filter::Filter;
pub(super) use self::filter::{matches as matches_slot, slot_globs};
pub(super) use self::line::{known_message, message as message_line};
use self::name_service::NameService;
use self::record::{Body, Record};
use self::save::Save;
use self::session::Session;
use self::stats::Stats;
use crate::Outcome;
use crate::cli::{DecodeArgs, ShowArgs};
use crate::input;
use crate::json::Json;
use crate::output::{Output, is_closed_pipe, note};
use crate::text::Clock;
use crate::traffic::{self, Payload, Place, Traffic, Unit};

pub(crate) fn run(args: &DecodeArgs) -> anyhow::Result<Outcome> {
    let mut decoder = Decoder::new(
        &args.show,
        Totals { verify: args.verify, stats: args.stats },
        input::is_live(args.input.path()),
    )?;
    let (mut capture, bar) = input::open(args.input.path())?;
    let result = capture.for_each(|frame| decoder.frame(frame));
    bar.finish_and_clear();
    decoder.end(result, capture.reader.records())
}

/// What is asked for beyond the records themselves.
#[derive(Default, Clone, Copy)]
pub(super) struct Totals {
    /// `--verify`
    pub(super) verify: bool,
    /// `--stats`
    pub(super) stats: bool,
}

/// From frames to what is shown of them: the way of a file and of a live capture.
pub(super) struct Decoder {
    filter: Filter,
    traffic: Traffic,
    reassembler: Reassembler,
    sink: Sink,
    save: Option<Save>,
}

impl Decoder {
    /// `live`: each line is wanted as it comes.
    pub(super) fn new(show: &ShowArgs, totals: Totals, live: bool) -> anyhow::Result<Self> {
        let filter = Filter::new(show)?;
        let save = show.write.as_deref().map(|path| Save::create(path, live)).transpose()?;
        let sink = Sink::new(show, totals, live);
        let reassembler = Reassembler::new(Limits::default());
        Ok(Self { filter, traffic: Traffic::default(), reassembler, sink, save })
    }

    #[inline]
    pub(super) fn frame(&mut self, frame: &Frame<'_>) -> anyhow::Result<()> {
        let Self { filter, traffic, reassembler, sink, save } = self;
        let mut outcome = save::Outcome::default();
        traffic.frame(frame, |place, unit| {
            outcome.completed = true;
            outcome.shown |= each(place, unit, reassembler, filter, sink)?;
            Ok(())
        })?;
        match save {
            None => Ok(()),
            Some(save) => save.take(frame, outcome),
        }
    }

    /// Records shown so far.
    pub(super) const fn shown(&self) -> u64 {
        self.sink.shown
    }

    /// Nothing more comes after `frames` frames, because `result` says so.
    pub(super) fn end(mut self, result: anyhow::Result<()>, frames: u64) -> anyhow::Result<Outcome> {
        if result.as_ref().is_err_and(is_closed_pipe) {
            return result.map(|()| Outcome::Done);
        }
        let Self { filter, traffic, reassembler, sink, save } = &mut self;
        // What came before an error is not lost.
        traffic.finish(|place, unit| each(place, unit, reassembler, filter, sink).map(drop))?;
        if !reassembler.is_empty() {
            *sink.given_up.entry("end_of_capture").or_default() += reassembler.len() as u64;
        }
        let lost = traffic.ip_fragments_missing();
        if lost > 0 {
            sink.given_up.insert(traffic::IP_FRAGMENTS_MISSING, lost);
        }
        sink.finish(frames)?;
        if let Some(save) = save.take() {
            save.finish()?;
        }
        result?;
        if self.sink.shown > 0 {
            return Ok(Outcome::Done);
        }
        if !self.filter.is_open() {
            note(format_args!("nothing in {frames} frames matches --slot, --name and --command"));
        } else if self.sink.given_up.is_empty() {
            note(format_args!("nothing of the name, datagram or session services in {frames} frames"));
        }
        Ok(Outcome::NothingMatched)
    }
}

/// Shows a unit if it passes the filter; gives whether it did.
#[inline]
fn each(
    place: Place,
    unit: Unit<'_>,
    reassembler: &mut Reassembler,
    filter: &Filter,
    sink: &mut Sink,
) -> anyhow::Result<bool> {
    match unit {
        Unit::Datagram(payload) => each_datagram(place, &payload, reassembler, filter, sink),
        Unit::NameService(payload) => {
            let decoded = NameService::read(payload.bytes, payload.base, payload.missing);
            let ends = Some((payload.source, payload.destination));
            sink.take(
                filter,
                &Record { place, ends, base: payload.base, body: Body::NameService(&decoded) },
                payload.bytes,
            )
        }
        Unit::Session(unit) => {
            let ends = Some((unit.source, unit.destination));
            let (bytes, base) = unit.bytes();
            let session = Session::read(unit);
            sink.take(filter, &Record { place, ends, base, body: Body::Session(&session) }, bytes)
        }
        Unit::Damaged(error) => {
            let record = Record { place, ends: None, base: 0, body: Body::Damaged(error) };
            sink.take(filter, &record, &[])
        }
    }
}

#[inline]
fn each_datagram(
    place: Place,
    payload: &Payload<'_>,
    reassembler: &mut Reassembler,
    filter: &Filter,
    sink: &mut Sink,
) -> anyhow::Result<bool> {
    let ends = Some((payload.source, payload.destination));
    let mut decoded = Decoded::read(payload.bytes, payload.base, payload.missing);
    let fragment = decoded.datagram.filter(|datagram| datagram.is_fragment());
    let Some(datagram) = fragment else {
        let record = Record { place, ends, base: payload.base, body: Body::Datagram(&decoded) };
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
    let record = Record { place, ends, base: payload.base, body: Body::Datagram(&decoded) };
    sink.take(filter, &record, payload.bytes)
}

/// Where records go: lines, objects or totals.
struct Sink {
    output: Output,
    clock: Clock,
    form: Form,
    verify: bool,
    fields: bool,
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
    Nothing,
    Stats { stats: Box<Stats>, json: bool },
}

impl Sink {
    fn new(show: &ShowArgs, totals: Totals, live: bool) -> Self {
        let form = match (totals.stats, show.json) {
            // The frames themselves go there.
            _ if show.write.as_deref() == Some(Path::new("-")) => Form::Nothing,
            (true, json) => Form::Stats { stats: Box::default(), json },
            (false, true) => Form::Objects,
            (false, false) => Form::Lines,
        };
        Self {
            output: Output::new(live),
            clock: Clock::new(),
            form,
            verify: totals.verify,
            fields: show.fields,
            page: show.code_page.code_page,
            shown: 0,
            damaged: 0,
            differing: 0,
            given_up: BTreeMap::new(),
        }
    }

    #[inline]
    fn take(&mut self, filter: &Filter, record: &Record<'_>, payload: &[u8]) -> anyhow::Result<bool> {
        if !filter.passes(record) {
            return Ok(false);
        }
        self.shown += 1;
        self.damaged += u64::from(record.error().is_some());
        let verdict = self.verify.then(|| verify::verify(record, payload)).flatten();
        if matches!(verdict, Some(verify::Verdict::Differs(_))) {
            self.differing += 1;
        }
        match &mut self.form {
            Form::Stats { stats, .. } => {
                stats.count(record);
                return Ok(true);
            }
            Form::Nothing => return Ok(true),
            Form::Objects => {
                let line = self.output.line();
                object::write(record, verdict.as_ref(), &mut self.clock, self.page, line);
                if self.fields {
                    // The object's last brace makes room.
                    line.pop();
                    let mut json = Json { out: line, page: self.page };
                    fields::write_json(record, payload, &mut json)?;
                    json.raw("}");
                }
            }
            Form::Lines => {
                let line = self.output.line();
                line::write(record, verdict.as_ref(), &mut self.clock, self.page, line);
                if self.fields {
                    fields::write_lines(record, payload, self.page, line);
                }
            }
        }
        self.output.end_line()?;
        Ok(true)
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
            Form::Lines | Form::Objects | Form::Nothing => {
                self.output.flush()?;
                if self.damaged > 0 {
                    note(format_args!("{} of {} units are damaged", self.damaged, self.shown));
                }
                for (reason, count) in &self.given_up {
                    note(format_args!("{count} datagrams in fragments are given up: {reason}"));
                }
                if self.verify {
                    note(format_args!("{} of {} units come back otherwise", self.differing, self.shown));
                }
            }
        }
        self.output.flush()
    }
}
