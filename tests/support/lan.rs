//! A made-up subnet: machines on it in virtual time, and a seeded weather of loss, delay, doubling and reordering.
//!
//! Every packet is delivered to the stations whose socket is its destination; one to the broadcast address, to all
//! on that port, the sender included, as real sockets have it. What goes to [`SESSION_PORT`] is late as all is, but
//! neither lost nor doubled: TCP sees to that. The same seed gives the same run.

#![allow(dead_code, reason = "not every binary uses all of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use mailslot::service::{Machine, Transmit};

/// Whoever sends to this port of a station has a session with it.
pub(crate) const SESSION_PORT: u16 = 139;

/// What a station gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) peer: SocketAddrV4,
    pub(crate) broadcast: bool,
    pub(crate) bytes: &'a [u8],
}

/// Whatever can be put on the LAN: every machine whose input can be made from an arrival, and what a test makes.
pub(crate) trait Station {
    fn receive(&mut self, now: Duration, arrival: Arrival<'_>);
    fn timeout(&mut self, now: Duration);
    fn due(&self) -> Option<Duration>;
    fn transmit(&mut self) -> Option<Transmit>;
}

impl<M> Station for M
where
    M: Machine,
    for<'a> M::Input<'a>: From<Arrival<'a>>,
{
    fn receive(&mut self, now: Duration, arrival: Arrival<'_>) {
        self.handle_input(now, arrival.into());
    }

    fn timeout(&mut self, now: Duration) {
        self.handle_timeout(now);
    }

    fn due(&self) -> Option<Duration> {
        self.poll_timeout()
    }

    fn transmit(&mut self) -> Option<Transmit> {
        self.poll_transmit()
    }
}

impl<'a> From<Arrival<'a>> for mailslot::service::names::Input<'a> {
    fn from(Arrival { peer, broadcast, bytes }: Arrival<'a>) -> Self {
        Self { peer, broadcast, bytes }
    }
}

/// A station without behaviour: it keeps what it gets.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) received: Vec<(SocketAddrV4, bool, Vec<u8>)>,
}

impl Station for Recorder {
    fn receive(&mut self, _: Duration, arrival: Arrival<'_>) {
        self.received.push((arrival.peer, arrival.broadcast, arrival.bytes.to_vec()));
    }

    fn timeout(&mut self, _: Duration) {}

    fn due(&self) -> Option<Duration> {
        None
    }

    fn transmit(&mut self) -> Option<Transmit> {
        None
    }
}

/// What happens to packets. Chances are in thousandths, for each receiver by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) doubling: u64,
    /// The delay is anything between these: packets overtake each other.
    pub(crate) delay: (Duration, Duration),
}

impl Weather {
    /// Nothing is lost; 1 ms.
    pub(crate) const CALM: Self =
        Self { loss: 0, doubling: 0, delay: (Duration::from_millis(1), Duration::from_millis(1)) };
    /// One in ten is lost, one in ten doubled, up to 120 ms late.
    pub(crate) const STORM: Self =
        Self { loss: 100, doubling: 100, delay: (Duration::ZERO, Duration::from_millis(120)) };
}

/// A packet as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) from: SocketAddrV4,
    pub(crate) to: SocketAddrV4,
    pub(crate) bytes: Vec<u8>,
    /// How many copies arrive, at all stations together.
    pub(crate) copies: usize,
}

struct Place<S> {
    socket: SocketAddrV4,
    /// Only stations of one part of the network hear each other.
    part: u32,
    station: S,
    /// When it is to be called next, as it said when it was called last.
    due: Option<Duration>,
}

struct Delivery {
    to: usize,
    peer: SocketAddrV4,
    broadcast: bool,
    bytes: Rc<Vec<u8>>,
}

pub(crate) struct Lan<S> {
    pub(crate) weather: Weather,
    /// Everything that was sent, in order.
    pub(crate) trace: Vec<Sent>,
    /// Whether what is sent is kept.
    pub(crate) keep_trace: bool,
    broadcast: Ipv4Addr,
    now: Duration,
    dice: u64,
    places: Vec<Place<S>>,
    /// By time and number: what has the same time arrives in the order of sending.
    flying: BTreeMap<(Duration, u64), Delivery>,
    number: u64,
    /// When stations are to be called.
    alarms: BTreeSet<(Duration, usize)>,
}

impl<S: Station> Lan<S> {
    pub(crate) fn new(broadcast: Ipv4Addr, weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            trace: Vec::new(),
            keep_trace: true,
            broadcast,
            now: Duration::ZERO,
            dice: seed,
            places: Vec::new(),
            flying: BTreeMap::new(),
            alarms: BTreeSet::new(),
            number: 0,
        }
    }

    /// Puts a station on the LAN and says which it is.
    pub(crate) fn add(&mut self, socket: SocketAddrV4, station: S) -> usize {
        self.places.push(Place { socket, part: 0, station, due: None });
        let which = self.places.len() - 1;
        self.set_alarm(which);
        which
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn socket(&self, which: usize) -> SocketAddrV4 {
        self.places[which].socket
    }

    pub(crate) fn station(&self, which: usize) -> &S {
        &self.places[which].station
    }

    pub(crate) fn stations(&self) -> impl Iterator<Item = &S> {
        self.places.iter().map(|place| &place.station)
    }

    /// Moves a station to another part of the network; all begin in part 0.
    pub(crate) fn partition(&mut self, which: usize, part: u32) {
        self.places[which].part = part;
    }

    /// Calls the station, and sends what it then has to send.
    pub(crate) fn with<R>(&mut self, which: usize, call: impl FnOnce(Duration, &mut S) -> R) -> R {
        let result = call(self.now, &mut self.places[which].station);
        self.collect(which);
        result
    }

    /// Sends a packet that no station made; it is in the part of the network of `part_of`.
    pub(crate) fn inject(&mut self, part_of: usize, from: SocketAddrV4, to: SocketAddrV4, bytes: &[u8]) {
        self.send(self.places[part_of].part, from, to, bytes.to_vec());
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(crate) fn run_until(&mut self, end: Duration) {
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.step(at);
        }
        self.now = self.now.max(end);
    }

    /// The time when the next thing happens.
    fn next(&self) -> Option<Duration> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let arrival = self.flying.keys().next().map(|(at, _)| *at);
        alarm.into_iter().chain(arrival).min().map(|at| at.max(self.now))
    }

    fn step(&mut self, at: Duration) {
        self.now = at;
        while self.flying.keys().next().is_some_and(|(due, _)| *due <= at) {
            let Some((_, delivery)) = self.flying.pop_first() else { break };
            let Delivery { to, peer, broadcast, bytes } = delivery;
            self.places[to].station.receive(at, Arrival { peer, broadcast, bytes: &bytes });
            self.collect(to);
        }
        let due: BTreeSet<usize> =
            self.alarms.iter().take_while(|(due, _)| *due <= at).map(|(_, which)| *which).collect();
        for which in due {
            self.places[which].station.timeout(at);
            self.collect(which);
        }
    }

    fn set_alarm(&mut self, which: usize) {
        let due = self.places[which].station.due();
        let before = core::mem::replace(&mut self.places[which].due, due);
        if before != due {
            before.map(|at| self.alarms.remove(&(at, which)));
            due.map(|at| self.alarms.insert((at, which)));
        }
    }

    fn collect(&mut self, which: usize) {
        while let Some(Transmit { destination, bytes }) = self.places[which].station.transmit() {
            let Place { socket, part, .. } = self.places[which];
            self.send(part, socket, destination, bytes);
        }
        self.set_alarm(which);
    }

    fn send(&mut self, part: u32, from: SocketAddrV4, to: SocketAddrV4, bytes: Vec<u8>) {
        let broadcast = *to.ip() == self.broadcast || to.ip().is_broadcast();
        let session = to.port() == SESSION_PORT;
        let bytes = Rc::new(bytes);
        let mut copies = 0;
        for which in 0..self.places.len() {
            let Place { socket, part: there, .. } = self.places[which];
            let meant = match () {
                () if session => socket.ip() == to.ip(),
                () if broadcast => socket.port() == to.port(),
                () => socket == to,
            };
            if !meant || part != there {
                continue;
            }
            // The own broadcast comes back inside the machine, where no weather is.
            let own = socket == from;
            let outdoors = !own && !session;
            if outdoors && self.chance(self.weather.loss) {
                continue;
            }
            let times = if outdoors && self.chance(self.weather.doubling) { 2 } else { 1 };
            for _ in 0..times {
                let at = self.now + if own { Duration::ZERO } else { self.delay() };
                self.number += 1;
                let delivery = Delivery { to: which, peer: from, broadcast, bytes: Rc::clone(&bytes) };
                self.flying.insert((at, self.number), delivery);
                copies += 1;
            }
        }
        if self.keep_trace {
            self.trace.push(Sent { at: self.now, from, to, bytes: bytes.to_vec(), copies });
        }
    }

    fn delay(&mut self) -> Duration {
        let (least, most) = self.weather.delay;
        let span = u64::try_from((most - least).as_micros()).unwrap();
        least + Duration::from_micros(self.roll() % (span + 1))
    }

    fn chance(&mut self, thousandths: u64) -> bool {
        self.roll() % 1000 < thousandths
    }

    /// SplitMix64.
    pub(crate) fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The trace as a pcap file of IPv4 packets.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(0xa1b2_c3d4_u32.to_le_bytes());
        file.extend([2, 0, 4, 0]);
        file.extend([0; 8]);
        file.extend(65_535_u32.to_le_bytes());
        // LINKTYPE_IPV4.
        file.extend(228_u32.to_le_bytes());
        for sent in &self.trace {
            let packet = ipv4_udp(sent);
            let length = u32::try_from(packet.len()).unwrap();
            file.extend(u32::try_from(sent.at.as_secs()).unwrap().to_le_bytes());
            file.extend(sent.at.subsec_micros().to_le_bytes());
            file.extend(length.to_le_bytes());
            file.extend(length.to_le_bytes());
            file.extend(packet);
        }
        file
    }
}

fn ipv4_udp(sent: &Sent) -> Vec<u8> {
    let udp_length = u16::try_from(8 + sent.bytes.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(sent.from.ip().octets());
    packet.extend(sent.to.ip().octets());
    let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(sent.from.port().to_be_bytes());
    packet.extend(sent.to.port().to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    // No checksum, which IPv4 allows.
    packet.extend([0, 0]);
    packet.extend(&sent.bytes);
    packet
}
