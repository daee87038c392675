//! Browsers on the made-up LAN: machines whose messages, names and fetched lists go through it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use mailslot::service::browser::{Browser, Event, FetchFailure, Input, Page, ServerEnumClient, Slot, Target};
use mailslot::service::names::NameKind;
use mailslot::service::{Limits, Machine, Transmit};
use mailslot::wire::Encode;
use mailslot::wire::name::{NetbiosName, Suffix};

use super::lan::{Arrival, Lan, SESSION_PORT, Station, Weather};

pub(crate) const BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 0, 255, 255);

/// How long a name is claimed: three requests 250 ms apart (RFC 1002 §5.1.1.1).
pub(crate) const CLAIM: Duration = Duration::from_millis(750);

const MAIL: u8 = 0;
const ASK: u8 = 1;
const TELL: u8 = 2;

/// Who has which name, in which part of the network: what the name service would find out.
#[derive(Debug, Default)]
pub(crate) struct Names {
    parts: BTreeMap<Ipv4Addr, u32>,
    /// They do not defend what they have.
    frozen: BTreeSet<Ipv4Addr>,
    holders: BTreeMap<NetbiosName, BTreeSet<Ipv4Addr>>,
}

impl Names {
    fn holder(&self, name: &NetbiosName, part: u32) -> Option<Ipv4Addr> {
        let holders = self.holders.get(name)?;
        holders.iter().copied().find(|holder| self.parts.get(holder) == Some(&part))
    }

    /// Whether somebody else defends `name` against `own`.
    fn is_defended(&self, name: &NetbiosName, own: Ipv4Addr) -> bool {
        let there = |holder: &&Ipv4Addr| {
            self.parts.get(holder) == self.parts.get(&own) && !self.frozen.contains(*holder)
        };
        self.holders
            .get(name)
            .is_some_and(|holders| holders.iter().filter(there).any(|holder| *holder != own))
    }
}

/// What a frozen computer finds when it is thawed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frost {
    /// A suspended computer: nothing.
    Suspended,
    /// A stopped process: what came in the meantime, kept by the operating system.
    Stopped,
}

/// A computer with a browser.
pub(crate) struct Host {
    pub(crate) browser: Browser,
    pub(crate) events: Vec<(Duration, Event)>,
    pub(crate) dead: bool,
    pub(crate) frozen: Option<Frost>,
    backlog: Vec<(SocketAddrV4, bool, Vec<u8>)>,
    address: Ipv4Addr,
    names: Rc<RefCell<Names>>,
    own: BTreeSet<NetbiosName>,
    claims: Vec<(Duration, NetbiosName)>,
    fetches: BTreeMap<u64, (Ipv4Addr, ServerEnumClient)>,
    transmits: Vec<Transmit>,
    /// When something was last taken in; a station must not call the machine back in time.
    now: Duration,
}

impl Host {
    fn computer(&self) -> NetbiosName {
        self.browser.config().computer().netbios(Suffix::WORKSTATION)
    }

    fn part(&self) -> u32 {
        self.names.borrow().parts[&self.address]
    }

    fn send(&mut self, to: Ipv4Addr, port: u16, bytes: Vec<u8>) {
        self.transmits.push(Transmit { destination: SocketAddrV4::new(to, port), bytes });
    }

    /// Does what the browser asks for.
    pub(crate) fn drive(&mut self, now: Duration) {
        self.now = now;
        while let Some(event) = self.browser.poll_event() {
            self.events.push((now, event.clone()));
            match event {
                Event::Write { target, slot, data } => {
                    let (to, name) = match target {
                        Target::Group(name) => (Some(BROADCAST), name),
                        target => (self.find(target), self.name_of(target)),
                    };
                    let mut bytes = vec![MAIL, u8::from(slot == Slot::Lanman)];
                    bytes.extend(self.computer().as_bytes());
                    bytes.extend(name.as_bytes());
                    bytes.extend(data);
                    if let Some(to) = to {
                        self.send(to, 138, bytes);
                    }
                }
                Event::Claim { name, kind: NameKind::Unique } => self.claims.push((now + CLAIM, name)),
                Event::Claim { name, .. } => {
                    self.own.insert(name);
                    self.browser.handle_input(now, Input::Name { name, is_ours: true });
                }
                Event::Release { name } => {
                    self.claims.retain(|(_, claimed)| *claimed != name);
                    self.release(&name);
                }
                Event::Fetch { id, from, server_type } => {
                    let client = ServerEnumClient::new(server_type, None, 20_000);
                    match self.find(from) {
                        Some(peer) => {
                            self.ask(peer, id, &client);
                            self.fetches.insert(id, (peer, client));
                        }
                        None => {
                            let result = Err(FetchFailure::Unreachable);
                            self.browser.handle_input(now, Input::Fetched { id, result });
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn ask(&mut self, peer: Ipv4Addr, id: u64, client: &ServerEnumClient) {
        let mut bytes = vec![ASK];
        bytes.extend(id.to_le_bytes());
        bytes.extend(client.request());
        self.send(peer, SESSION_PORT, bytes);
    }

    fn find(&self, target: Target) -> Option<Ipv4Addr> {
        let (names, part) = (self.names.borrow(), self.part());
        match target {
            Target::Group(_) => Some(BROADCAST),
            Target::Computer(name) => names.holder(&name.with_suffix(Suffix::WORKSTATION), part),
            Target::OwnerOf(name) => names.holder(&name, part),
            Target::Address(address) => Some(address),
            Target::Announced(name, address) => {
                Some(names.holder(&name.with_suffix(Suffix::WORKSTATION), part).unwrap_or(address))
            }
            _ => None,
        }
    }

    /// The name that a message is addressed to; `OwnerOf` and `Address` go to the computer's own.
    fn name_of(&self, target: Target) -> NetbiosName {
        match target {
            Target::Group(name) | Target::Computer(name) | Target::Announced(name, _) => name,
            target => {
                let at = self.find(target);
                let names = self.names.borrow();
                let is_computer = |name: &&NetbiosName| name.suffix() == Suffix::WORKSTATION;
                let at = names
                    .holders
                    .iter()
                    .find(|(name, holders)| is_computer(name) && at.is_some_and(|at| holders.contains(&at)));
                at.map_or(NetbiosName::WILDCARD, |(name, _)| *name)
            }
        }
    }

    fn release(&mut self, name: &NetbiosName) {
        self.own.remove(name);
        if let Some(holders) = self.names.borrow_mut().holders.get_mut(name) {
            holders.remove(&self.address);
        }
    }

    pub(crate) fn is_awake(&self) -> bool {
        !self.dead && self.frozen.is_none()
    }

    pub(crate) fn freeze(&mut self, frost: Frost) {
        self.frozen = Some(frost);
        self.names.borrow_mut().frozen.insert(self.address);
    }

    pub(crate) fn thaw(&mut self, now: Duration) {
        self.frozen = None;
        self.names.borrow_mut().frozen.remove(&self.address);
        for (peer, broadcast, bytes) in core::mem::take(&mut self.backlog) {
            self.receive(now, Arrival { peer, broadcast, bytes: &bytes });
        }
        self.timeout(now);
    }

    pub(crate) fn die(&mut self) {
        self.dead = true;
        for name in core::mem::take(&mut self.own) {
            self.release(&name);
        }
        let computer = self.computer();
        self.release(&computer);
    }
}

impl Station for Host {
    fn receive(&mut self, now: Duration, Arrival { peer, bytes, broadcast }: Arrival<'_>) {
        if self.dead || *peer.ip() == self.address {
            return;
        }
        if let Some(frost) = self.frozen {
            if frost == Frost::Stopped {
                self.backlog.push((peer, broadcast, bytes.to_vec()));
            }
            return;
        }
        let (kind, rest) = bytes.split_first().unwrap();
        match *kind {
            MAIL => {
                let slot = if rest[0] == 0 { Slot::Browse } else { Slot::Lanman };
                let name = |at: usize| NetbiosName::from_bytes(rest[at..at + 16].try_into().unwrap());
                let (source, destination, data) = (name(1), name(17), &rest[33..]);
                let workgroup = self.browser.config().workgroup().netbios(Suffix::WORKSTATION);
                if self.own.contains(&destination)
                    || destination == self.computer()
                    || destination == workgroup
                {
                    let peer = Some(*peer.ip());
                    let input = Input::Message { slot, source, destination, peer, data };
                    self.browser.handle_input(now, input);
                }
            }
            ASK => {
                let answer = self.browser.answer(now, &rest[8..]);
                let mut bytes = vec![TELL];
                bytes.extend(&rest[..8]);
                let parameters = answer.parameters.to_bytes();
                bytes.push(u8::try_from(parameters.len()).unwrap());
                bytes.extend(parameters);
                bytes.extend(answer.data);
                self.send(*peer.ip(), SESSION_PORT, bytes);
            }
            _ => {
                let id = u64::from_le_bytes(rest[..8].try_into().unwrap());
                let Some((peer, mut client)) = self.fetches.remove(&id) else { return };
                let (parameters, data) = rest[9..].split_at(rest[8].into());
                match client.take(parameters, data) {
                    Ok(Page::More) => {
                        self.ask(peer, id, &client);
                        self.fetches.insert(id, (peer, client));
                    }
                    Ok(Page::Last) => {
                        let result = Ok(client.into_servers());
                        self.browser.handle_input(now, Input::Fetched { id, result });
                    }
                    Err(_) => {
                        let result = Err(FetchFailure::Refused);
                        self.browser.handle_input(now, Input::Fetched { id, result });
                    }
                }
            }
        }
        self.drive(now);
    }

    fn timeout(&mut self, now: Duration) {
        let due: Vec<NetbiosName> =
            self.claims.iter().filter(|(at, _)| *at <= now).map(|(_, name)| *name).collect();
        self.claims.retain(|(at, _)| *at > now);
        for name in due {
            let is_ours = !self.names.borrow().is_defended(&name, self.address);
            if is_ours {
                self.own.insert(name);
                self.names.borrow_mut().holders.entry(name).or_default().insert(self.address);
            }
            self.browser.handle_input(now, Input::Name { name, is_ours });
        }
        self.browser.handle_timeout(now);
        self.drive(now);
    }

    fn due(&self) -> Option<Duration> {
        let claims = self.claims.iter().map(|(at, _)| *at);
        claims.chain(self.browser.poll_timeout()).min().filter(|_| self.is_awake())
    }

    fn transmit(&mut self) -> Option<Transmit> {
        if self.transmits.is_empty() { None } else { Some(self.transmits.remove(0)) }
    }
}

/// A LAN of browsers.
pub(crate) struct Neighbourhood {
    pub(crate) lan: Lan<Host>,
    names: Rc<RefCell<Names>>,
}

impl Neighbourhood {
    pub(crate) fn new(weather: Weather, seed: u64) -> Self {
        let mut lan = Lan::new(BROADCAST, weather, seed);
        // Hours of hundreds of machines.
        lan.keep_trace = false;
        Self { lan, names: Rc::default() }
    }

    /// Puts a computer on the LAN; it does nothing yet.
    pub(crate) fn add(&mut self, config: mailslot::service::browser::Config, limits: Limits) -> usize {
        let number = u16::try_from(self.lan.len()).unwrap() + 1;
        let [high, low] = number.to_be_bytes();
        let address = Ipv4Addr::new(10, 0, high, low);
        let computer = config.computer().netbios(Suffix::WORKSTATION);
        let seed = self.lan.roll();
        let mut names = self.names.borrow_mut();
        names.parts.insert(address, 0);
        names.holders.entry(computer).or_default().insert(address);
        let host = Host {
            browser: Browser::new(config, limits, seed),
            events: Vec::new(),
            dead: false,
            frozen: None,
            backlog: Vec::new(),
            address,
            names: Rc::clone(&self.names),
            own: BTreeSet::new(),
            claims: Vec::new(),
            fetches: BTreeMap::new(),
            transmits: Vec::new(),
            now: Duration::ZERO,
        };
        self.lan.add(SocketAddrV4::new(address, 138), host)
    }

    /// Calls the browser of a computer and does what it then asks for.
    pub(crate) fn with<R>(&mut self, which: usize, call: impl FnOnce(Duration, &mut Browser) -> R) -> R {
        self.lan.with(which, |now, host| {
            let result = call(now, &mut host.browser);
            host.drive(now);
            result
        })
    }

    pub(crate) fn start(&mut self, which: usize) {
        self.with(which, |now, browser| browser.start(now));
    }

    pub(crate) fn kill(&mut self, which: usize) {
        self.lan.with(which, |_, host| host.die());
    }

    pub(crate) fn partition(&mut self, which: usize, part: u32) {
        self.lan.partition(which, part);
        self.names.borrow_mut().parts.insert(*self.lan.socket(which).ip(), part);
    }

    /// Broadcasts a message that no computer sent, in the part of the network of `part_of`, to the slot of the browser.
    /// Whoever makes up the name makes up the address: one for each name.
    pub(crate) fn forge(&mut self, part_of: usize, source: &NetbiosName, to: &NetbiosName, data: &[u8]) {
        let sum = |sum: u32, byte: &u8| sum.wrapping_mul(31).wrapping_add(u32::from(*byte));
        let [_, b, c, d] = source.base().iter().fold(0, sum).to_be_bytes();
        self.forge_from(Ipv4Addr::new(11, b, c, d), part_of, source, to, data);
    }

    /// The same from this address.
    pub(crate) fn forge_from(
        &mut self,
        from: Ipv4Addr,
        part_of: usize,
        source: &NetbiosName,
        to: &NetbiosName,
        data: &[u8],
    ) {
        let all = SocketAddrV4::new(BROADCAST, 138);
        let message = [&[MAIL, 0][..], source.as_bytes(), to.as_bytes(), data].concat();
        self.lan.inject(part_of, SocketAddrV4::new(from, 138), all, &message);
    }

    pub(crate) fn browser(&self, which: usize) -> &Browser {
        &self.lan.station(which).browser
    }

    /// The part of the network that a computer is in.
    pub(crate) fn part(&self, which: usize) -> u32 {
        self.lan.station(which).part()
    }

    /// Who is master, neither dead nor frozen.
    pub(crate) fn masters(&self) -> Vec<usize> {
        (0..self.lan.len())
            .filter(|which| self.lan.station(*which).is_awake() && self.browser(*which).role().is_master())
            .collect()
    }

    /// The names in a computer's list.
    pub(crate) fn list(&self, which: usize) -> Vec<String> {
        let names = self.browser(which).servers().iter(self.lan.now());
        names.map(|server| server.name.to_string()).collect()
    }
}
