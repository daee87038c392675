//! `--stats`: totals by kind, sender and slot, in bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::io::Write;

use mailslot::wire::Layer;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbdgm::MsgType;
use mailslot::wire::oem::CodePage;

use super::datagram::{Decoded, Message};
use super::name_service::NameService;
use super::record::{Body, Record};
use super::session::{Session, What};
use crate::json::Json;
use crate::text;

/// Senders that are counted one by one.
const MAX_SENDERS: usize = 1 << 16;
/// Slots that are counted one by one, and the longest of their names in bytes.
const MAX_SLOTS: usize = 1 << 12;
const MAX_SLOT_NAME: usize = 256;

/// Browser frames by opcode, LAN Manager frames by type, NETLOGON messages by opcode: what is above goes to the last
/// place.
const OPCODES: usize = 17;
const LANMAN_TYPES: usize = 4;
const NETLOGON_OPCODES: usize = 0x1b;

/// Datagrams of which fragments are missing, by reason.
type GivenUp = BTreeMap<&'static str, u64>;

#[derive(Default)]
pub(super) struct Stats {
    datagrams: u64,
    packets: u64,
    session_packets: u64,
    browser: [u64; OPCODES],
    lanman: [u64; LANMAN_TYPES],
    netlogon: [u64; NETLOGON_OPCODES],
    messenger: u64,
    other_mailslots: u64,
    fragments: u64,
    not_smb: u64,
    errors_and_queries: [u64; 4],
    /// Name service packets by kind.
    name_service: BTreeMap<&'static str, u64>,
    /// What sessions hold: SMB commands and packet types (at most 512), and what is said of their streams.
    sessions: BTreeMap<String, u64>,
    damaged: HashMap<Layer, u64>,
    senders: Table<NetbiosName>,
    slots: Table<Box<[u8]>>,
}

/// Counters by key, up to a number of keys.
struct Table<K> {
    counts: HashMap<K, u64, foldhash::fast::RandomState>,
    others: u64,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { counts: HashMap::default(), others: 0 }
    }
}

impl Stats {
    #[inline]
    pub(super) fn count(&mut self, record: &Record<'_>) {
        if let Some(error) = record.error() {
            *self.damaged.entry(error.layer).or_default() += 1;
        }
        match &record.body {
            Body::Datagram(decoded) => self.datagram(decoded),
            Body::NameService(decoded) => self.name_service(decoded),
            Body::Session(session) => self.session(session),
            Body::Damaged(_) => {}
        }
    }

    fn session(&mut self, session: &Session<'_>) {
        let kind = match &session.what {
            What::Packet(_) => {
                self.session_packets += 1;
                match session.command() {
                    Some(command) => command,
                    None => return,
                }
            }
            What::Gap { .. } => "bytes missing".into(),
            What::Cut { .. } => "ends inside a packet".into(),
            What::Skipped(what) => (*what).into(),
        };
        match self.sessions.get_mut(&*kind) {
            Some(count) => *count += 1,
            None => _ = self.sessions.insert(kind.into_owned(), 1),
        }
    }

    fn name_service(&mut self, decoded: &NameService<'_>) {
        self.packets += 1;
        if let Some(packet) = decoded.packet() {
            *self.name_service.entry(packet.kind().name()).or_default() += 1;
        }
    }

    #[inline]
    fn datagram(&mut self, decoded: &Decoded<'_>) {
        self.datagrams += 1;
        if let Some(content) = &decoded.content {
            match self.senders.counts.get_mut(&content.source_name.name) {
                Some(count) => *count += 1,
                None => self.senders.add(content.source_name.name, MAX_SENDERS, 1),
            }
        }
        if let Some(write) = &decoded.mailslot {
            let slot = write.slot();
            match self.slots.counts.get_mut(slot) {
                Some(count) => *count += 1,
                None if slot.len() <= MAX_SLOT_NAME => self.slots.add(slot.into(), MAX_SLOTS, 1),
                None => self.slots.others += 1,
            }
        }
        if decoded.error.is_none() {
            *self.kind(decoded) += 1;
        }
    }

    #[inline]
    fn kind(&mut self, decoded: &Decoded<'_>) -> &mut u64 {
        fn place<const N: usize>(counts: &mut [u64; N], index: usize) -> &mut u64 {
            &mut counts[index.min(N - 1)]
        }
        match &decoded.message {
            Message::Browser(frame) => return place(&mut self.browser, frame.opcode().0.into()),
            Message::Lanman(frame) => return place(&mut self.lanman, frame.frame_type().into()),
            Message::Netlogon(message) => return place(&mut self.netlogon, message.opcode().0.into()),
            Message::Messenger(_) => return &mut self.messenger,
            Message::Raw => {}
        }
        if decoded.mailslot.is_some() {
            return &mut self.other_mailslots;
        }
        if decoded.is_held() {
            return &mut self.fragments;
        }
        match decoded.datagram.map_or(0, |datagram| datagram.header().msg_type.0) {
            kind @ 0x13..=0x16 => place(&mut self.errors_and_queries, usize::from(kind - 0x13)),
            _ => &mut self.not_smb,
        }
    }

    /// What was counted: kind and number, in a fixed order, zeros left out.
    fn kinds(&self, given_up: &GivenUp) -> Vec<(String, u64)> {
        use mailslot::wire::browser::Opcode;
        use mailslot::wire::netlogon;
        let browser = (0u8..).zip(self.browser).map(|(opcode, count)| {
            let name = Opcode(opcode).name().map_or_else(|| "other browser frames".to_owned(), str::to_owned);
            (name, count)
        });
        let lanman = self.lanman.iter().zip([
            "other LAN Manager frames",
            "HostAnnouncement (LAN Manager)",
            "AnnouncementRequest (LAN Manager)",
            "other LAN Manager frames",
        ]);
        let lanman = lanman.map(|(count, name)| (name.to_owned(), *count));
        let netlogon = (0u16..).zip(self.netlogon).map(|(opcode, count)| {
            let name = netlogon::Opcode(opcode).name();
            (name.map_or_else(|| "other NETLOGON messages".to_owned(), str::to_owned), count)
        });
        let queries = (0x13u8..).zip(self.errors_and_queries);
        let queries = queries.map(|(kind, count)| (format!("datagram {}", MsgType(kind)), count));
        let mut damaged: Vec<_> = self.damaged.iter().collect();
        damaged.sort();
        let damaged = damaged.into_iter().map(|(layer, count)| (format!("damaged: {layer}"), *count));
        let rest = [
            ("Messenger", self.messenger),
            ("other mailslots", self.other_mailslots),
            ("fragments held", self.fragments),
            ("not SMB", self.not_smb),
        ]
        .map(|(name, count)| (name.to_owned(), count));
        let name_service =
            self.name_service.iter().map(|(kind, count)| (format!("name service {kind}"), *count));
        let sessions = self.sessions.iter().map(|(kind, count)| (format!("session {kind}"), *count));
        let given_up = given_up.iter().map(|(reason, count)| (format!("given up: {reason}"), *count));
        let mut kinds: Vec<(String, u64)> = Vec::new();
        let datagrams = browser.chain(lanman).chain(netlogon).chain(rest).chain(queries);
        for (name, count) in datagrams.chain(name_service).chain(sessions).chain(damaged).chain(given_up) {
            match kinds.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => kinds.push((name, count)),
            }
        }
        kinds.retain(|(_, count)| *count > 0);
        kinds
    }

    fn senders(&self, page: CodePage) -> Vec<(String, u64)> {
        sorted(
            self.senders.counts.iter().map(|(name, count)| (text::name(name, page), *count)),
            self.senders.others,
        )
    }

    /// Slots by name in upper case: case does not matter.
    fn slots(&self, page: CodePage) -> Vec<(String, u64)> {
        let mut slots: HashMap<Vec<u8>, u64> = HashMap::new();
        for (slot, count) in &self.slots.counts {
            *slots.entry(slot.to_ascii_uppercase()).or_default() += count;
        }
        sorted(slots.iter().map(|(slot, count)| (text::oem(slot, page), *count)), self.slots.others)
    }

    pub(super) fn write_text(&self, frames: u64, given_up: &GivenUp, page: CodePage, out: &mut Vec<u8>) {
        // Writing to a vector does not fail.
        _ = writeln!(
            out,
            "frames           {frames}\ndatagrams        {}\npackets          {}\nsession packets  {}",
            self.datagrams, self.packets, self.session_packets
        );
        for (title, rows) in
            [("kind", self.kinds(given_up)), ("slot", self.slots(page)), ("sender", self.senders(page))]
        {
            if rows.is_empty() {
                continue;
            }
            _ = writeln!(out, "\n{:>10}  {title}", "count");
            for (name, count) in rows {
                _ = writeln!(out, "{count:>10}  {name}");
            }
        }
    }

    pub(super) fn write_json(&self, frames: u64, given_up: &GivenUp, page: CodePage, out: &mut Vec<u8>) {
        let mut json = Json { out, page };
        json.field("{\"frames\":", frames);
        json.field(",\"datagrams\":", self.datagrams);
        json.field(",\"packets\":", self.packets);
        json.field(",\"session_packets\":", self.session_packets);
        for (key, rows) in
            [("kinds", self.kinds(given_up)), ("slots", self.slots(page)), ("senders", self.senders(page))]
        {
            json.raw(&format!(",\"{key}\":{{"));
            json.list(rows.into_iter(), |json, (name, count)| {
                json.string(&name);
                json.field(":", count);
            });
            json.raw("}");
        }
        json.raw("}");
    }
}

impl<K: Hash + Eq> Table<K> {
    #[cold]
    fn add(&mut self, key: K, max: usize, count: u64) {
        if self.counts.len() < max {
            self.counts.insert(key, count);
        } else {
            self.others += count;
        }
    }
}

/// The most frequent first, then by name.
fn sorted(rows: impl Iterator<Item = (String, u64)>, others: u64) -> Vec<(String, u64)> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|(name, count), (other_name, other)| other.cmp(count).then_with(|| name.cmp(other_name)));
    if others > 0 {
        rows.push(("(others)".to_owned(), others));
    }
    rows
}
