//! `mailslot replay`: a capture's messages, delivered into slots and read from them.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddrV4;

use globset::GlobSet;
use mailslot::capture::Timestamp;
use mailslot::node::{Accepted, Arrived, Ingest, Ingress, IngressDrop, OwnNames};
use mailslot::service::Limits;
use mailslot::slot::{
    self, CreateOptions, Incoming, Mailslot, MailslotError, Message, Origin, Registry, RegistryConfig,
    SlotName, SlotPath,
};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::MAILSLOT_PREFIX;

use super::decode::{matches_slot, message_line, slot_globs};
use crate::Outcome;
use crate::cli::{NamePattern, ReplayArgs};
use crate::input;
use crate::json::Json;
use crate::output::{Output, is_closed_pipe};
use crate::streams::{self, Part, SessionUnit};
use crate::text::{self, Clock};
use crate::traffic::{self, Traffic, Unit};
use crate::writes::{Brought, Written};

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let names: Vec<_> = args.names.iter().map(|name| NamePattern::parse(name)).collect::<Result<_, _>>()?;
    let mut replay = Replay::new(args, &names)?;
    let (mut capture, bar) = input::open(args.input.path())?;
    let mut traffic = Traffic::default();
    let result = capture.for_each(|frame| {
        traffic.frame(frame, |place, unit| match unit {
            Unit::NameService(_) => Ok(()),
            Unit::Session(unit) => replay.session(place.time, unit),
            Unit::Datagram(payload) => {
                let at = place.time.since_epoch();
                replay.take(place.time, Ingress::new(at, payload.source, payload.bytes))
            }
            Unit::Damaged(_) => {
                replay.dropped("damaged");
                Ok(())
            }
        })
    });
    bar.finish_and_clear();
    if result.as_ref().is_err_and(is_closed_pipe) {
        return result.map(|()| Outcome::Done);
    }
    let lost = traffic.ip_fragments_missing();
    if lost > 0 {
        replay.dropped.insert(traffic::IP_FRAGMENTS_MISSING, lost);
    }
    // What came before an error is not lost.
    replay.finish()?;
    result?;
    Ok(if replay.delivered > 0 { Outcome::Done } else { Outcome::NothingMatched })
}

/// UTF-16 units of the longest slot name for which a slot is made: what a capture can make grow is bounded. The
/// longest name that fits a datagram of Windows has less than half of them.
const MAX_NAME_UNITS: usize = 1024;

/// A computer that exists as long as the capture lasts.
struct Replay {
    registry: Registry,
    ingest: Ingest,
    /// By the names the slots have got: the profile may have cut them.
    slots: HashMap<SlotName, Mailslot>,
    wanted: Option<GlobSet>,
    output: Output,
    clock: Clock,
    json: bool,
    page: CodePage,
    /// Whose messages over sessions are taken; all without any.
    names: Vec<NamePattern>,
    delivered: u64,
    /// Transactions of sessions that have begun and not ended.
    unfinished: u64,
    dropped: BTreeMap<&'static str, u64>,
}

impl Replay {
    fn new(args: &ReplayArgs, names: &[NamePattern]) -> anyhow::Result<Self> {
        let limits = slot::Limits { name_units: MAX_NAME_UNITS, ..slot::Limits::default() };
        let config = RegistryConfig { profile: args.profile, limits, ..RegistryConfig::default() };
        let registry = Registry::with_config(config);
        let own = match names {
            [] => OwnNames::Any,
            names => OwnNames::Only(names.iter().map(NamePattern::parts).collect()),
        };
        Ok(Self {
            ingest: Ingest::new(registry.clone(), own, Limits::default()),
            registry,
            slots: HashMap::new(),
            wanted: slot_globs(&args.slot)?,
            output: Output::new(input::is_live(args.input.path())),
            clock: Clock::new(),
            json: args.json,
            page: args.code_page.code_page,
            names: names.to_vec(),
            delivered: 0,
            unfinished: 0,
            dropped: BTreeMap::new(),
        })
    }

    fn take(&mut self, time: Timestamp, ingress: Ingress<'_>) -> anyhow::Result<()> {
        let accepted = self.ingest.accept(ingress);
        let given_up: Vec<_> = self.ingest.given_up().collect();
        for drop in given_up {
            self.dropped(drop.name());
        }
        match accepted {
            Ok(Accepted::Message(arrived)) => self.deliver(time, &arrived),
            Ok(_) => Ok(()),
            Err(drop) => {
                self.dropped(drop.name());
                Ok(())
            }
        }
    }

    fn deliver(&mut self, time: Timestamp, arrived: &Arrived) -> anyhow::Result<()> {
        if let Err(reason) = self.create(&arrived.slot) {
            self.dropped(reason);
            return Ok(());
        }
        if let Err(drop) = self.ingest.deliver(arrived) {
            self.dropped(drop.name());
            return Ok(());
        }
        self.read(time, &arrived.slot)
    }

    /// The slot's reader waits for its message, so it is read at once.
    fn read(&mut self, time: Timestamp, slot: &SlotName) -> anyhow::Result<()> {
        while let Some(message) = self.slots.get(slot).and_then(|slot| slot.try_read().ok()) {
            self.delivered += 1;
            self.print(time, slot, &message);
            self.output.end_line()?;
        }
        Ok(())
    }

    /// What a session's client writes, as if this computer were its server.
    fn session(&mut self, time: Timestamp, unit: SessionUnit<'_>) -> anyhow::Result<()> {
        let Part::Packet { bytes, writes, .. } = unit.part else { return Ok(()) };
        let Some(framing) = streams::framing(unit.source, unit.destination) else { return Ok(()) };
        let Ok(brought) = writes.take(bytes, unit.source, framing) else {
            self.dropped("damaged");
            return Ok(());
        };
        let (written, begun) = match brought {
            Brought::Nothing | Brought::Part => return Ok(()),
            Brought::Beginning => {
                self.unfinished += 1;
                return Ok(());
            }
            Brought::Message(written, begun) => (Ok(written), begun),
            Brought::Lost(reason, begun) => (Err(reason), begun),
        };
        self.unfinished -= u64::from(begun);
        match written.and_then(|written| self.deliver_written(time, unit.source, written)) {
            Ok(slot) => self.read(time, &slot),
            Err(reason) => {
                self.dropped(reason);
                Ok(())
            }
        }
    }

    /// The slot that has it now, or why none has.
    fn deliver_written(
        &mut self,
        time: Timestamp,
        peer: SocketAddrV4,
        written: Written,
    ) -> Result<SlotName, &'static str> {
        let Written { slot, origin, data } = written;
        let is_ours = |called: NetbiosName| self.names.iter().any(|own| own.matches(&called));
        if !self.names.is_empty() && !origin.destination().is_some_and(is_ours) {
            return Err(IngressDrop::NotOurs.name());
        }
        self.create(&slot)?;
        let incoming = Incoming { data: data.into(), origin, at: time.since_epoch(), peer: Some(peer) };
        self.registry.deliver(&slot, incoming).map_err(|reason| reason.name())?;
        Ok(slot)
    }

    /// Makes the slot of a message, if it is wanted and not there yet; the error is why it cannot be made.
    fn create(&mut self, name: &SlotName) -> Result<(), &'static str> {
        if self.slots.contains_key(name) {
            return Ok(());
        }
        let wanted = match (&self.wanted, name.to_wire()) {
            (None, _) => true,
            (Some(wanted), Ok(wire)) => {
                matches_slot(wanted, wire.get(MAILSLOT_PREFIX.len()..).unwrap_or_default())
            }
            (Some(_), Err(_)) => false,
        };
        if !wanted {
            return Ok(());
        }
        match self.registry.create(&SlotPath::local(name.clone()), CreateOptions::default()) {
            Ok(slot) => _ = self.slots.insert(slot.name().clone(), slot),
            Err(MailslotError::LimitReached { .. }) => return Err("too_many_slots"),
            Err(MailslotError::NameTooLong { .. }) => return Err("slot_name_too_long"),
            // Its 8.3 name is taken: that slot is there, and delivery says whether it is the one meant.
            Err(_) => {}
        }
        Ok(())
    }

    fn dropped(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    fn print(&mut self, time: Timestamp, slot: &SlotName, message: &Message) {
        let out = self.output.line();
        let (from, to) = match &message.origin {
            Origin::Datagram { source, destination } | Origin::Session { source, destination, .. } => {
                (NetbiosName::from_bytes(*source), NetbiosName::from_bytes(*destination))
            }
            // Nobody writes locally here.
            _ => return,
        };
        if self.json {
            let mut json = Json { out, page: self.page };
            json.raw("{\"time\":\"");
            self.clock.write(time, json.out);
            json.raw("\",\"slot\":");
            json.string(&slot.to_string());
            json.raw(",\"from\":");
            json.scoped_name(&from.into());
            json.raw(",\"to\":");
            json.scoped_name(&to.into());
            json.field(",\"size\":", message.data.len());
            json.raw(",\"data\":");
            json.hex(&message.data);
            json.raw(",\"way\":");
            json.word(message.origin.way());
            if message.truncated {
                json.raw(",\"truncated\":true");
            }
            json.raw("}");
        } else {
            self.clock.write(time, out);
            let way = match message.origin {
                Origin::Session { .. } => format!(" by {}", message.origin.way()),
                _ => String::new(),
            };
            let cut = if message.truncated { " (cut)" } else { "" };
            let line = format!(
                " {} {} > {} {} bytes{way}{cut}{}",
                text::safe(&slot.to_string()),
                text::name(&from, self.page),
                text::name(&to, self.page),
                message.data.len(),
                message_line(slot.to_string().as_bytes(), &message.data, self.page),
            );
            out.extend_from_slice(line.as_bytes());
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        // Fragments that wait at the end of the capture wait for ever.
        self.ingest.handle_timeout(core::time::Duration::MAX);
        let given_up: Vec<IngressDrop> = self.ingest.given_up().collect();
        for drop in given_up {
            self.dropped(drop.name());
        }
        if self.unfinished > 0 {
            self.dropped.insert("unfinished_transaction", self.unfinished);
        }
        let out = self.output.line();
        if self.json {
            let mut json = Json { out, page: self.page };
            json.field("{\"delivered\":", self.delivered);
            json.raw(",\"dropped\":{");
            json.list(self.dropped.iter(), |json, (reason, count)| {
                json.string(reason);
                json.field(":", *count);
            });
            json.raw("}}");
            self.output.end_line()?;
        } else {
            let total: u64 = self.dropped.values().sum();
            let reasons: Vec<_> =
                self.dropped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let reasons =
                if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
            let line = format!(
                "delivered {} into {} slots, dropped {total}{reasons}",
                self.delivered,
                self.slots.len()
            );
            out.extend_from_slice(line.as_bytes());
            self.output.end_line()?;
        }
        self.output.flush()
    }
}
