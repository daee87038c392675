//! A small WINS server, with as much of its behaviour as a client can tell, and some ill humours.

#![allow(dead_code, reason = "not every binary uses all of it")]

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use mailslot::service::Transmit;
use mailslot::wire::name::{NetbiosName, ScopedName, Suffix};
use mailslot::wire::nbns::{AddrEntries, AddrEntry, NbFlags, NmFlags, NodeType, Packet, PacketKind, Rcode};
use mailslot::wire::{Decode, Encode};

use super::lan::{Arrival, Station};

/// How the server is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Humour {
    /// It answers, and lets claimants ask the owner themselves.
    Good,
    /// It answers, and refuses what another node owns.
    Strict,
    /// It never answers.
    Silent,
    /// It answers with another transaction.
    WrongId,
    /// It answers about another name.
    WrongName,
    /// It says at once that it takes so long, and then it does.
    Slow { wack: u32, answer: Duration },
}

#[derive(Debug, Clone)]
struct Record {
    group: bool,
    owners: Vec<AddrEntry>,
}

#[derive(Debug)]
pub(crate) struct Wins {
    pub(crate) humour: Humour,
    /// TTL that it grants.
    pub(crate) ttl: u32,
    /// Kinds of request, in the order of arrival.
    pub(crate) seen: Vec<PacketKind>,
    records: BTreeMap<NetbiosName, Record>,
    later: VecDeque<(Duration, Transmit)>,
    out: VecDeque<Transmit>,
}

impl Wins {
    pub(crate) fn new(humour: Humour) -> Self {
        Self {
            humour,
            ttl: 21_600,
            seen: Vec::new(),
            records: BTreeMap::new(),
            later: VecDeque::new(),
            out: VecDeque::new(),
        }
    }

    /// Gives a unique name an owner.
    pub(crate) fn record(&mut self, name: NetbiosName, owner: Ipv4Addr) {
        let owners = vec![AddrEntry::new(NbFlags::new(NodeType::H, false), owner)];
        self.records.insert(name, Record { group: false, owners });
    }

    pub(crate) fn owners(&self, name: &NetbiosName) -> Vec<Ipv4Addr> {
        let record = self.records.get(name);
        record.map_or_else(Vec::new, |record| record.owners.iter().map(|owner| owner.address).collect())
    }

    fn answer(&mut self, request: &Packet<'_>, kind: PacketKind) -> Option<Vec<u8>> {
        let mut id = request.header().name_trn_id;
        let mut name = *request.name()?;
        let claim = request.addr_entries().and_then(|entries| entries.iter().next());
        let known = self.records.get(&name.name).cloned();
        let wrong = self.humour;
        if wrong == Humour::WrongId {
            id ^= 0x5555;
        }
        let real = name.name;
        if wrong == Humour::WrongName {
            name = ScopedName::new(NetbiosName::new("SOMEBODYELSE", Suffix(0)).unwrap(), name.scope);
        }
        Some(match (kind, claim) {
            (PacketKind::QueryRequest, _) => match known {
                Some(record) => {
                    let everybody = AddrEntry::new(NbFlags::GROUP, Ipv4Addr::BROADCAST);
                    let plain_group = record.group && real.suffix() != Suffix::DOMAIN_CONTROLLERS;
                    let owners = if plain_group { vec![everybody] } else { record.owners };
                    let entries = AddrEntries::new(owners).unwrap();
                    Packet::positive_query_response(id, name, self.ttl, entries).with(NmFlags::RA).to_bytes()
                }
                None => Packet::negative_query_response(id, name, Rcode::NAM_ERR)
                    .unwrap()
                    .with(NmFlags::RA)
                    .with_ancount_0()
                    .to_bytes(),
            },
            (PacketKind::ReleaseRequest, Some(claim)) => {
                if let Some(record) = self.records.get_mut(&real) {
                    record.owners.retain(|owner| owner.address != claim.address);
                    if record.owners.is_empty() {
                        self.records.remove(&real);
                    }
                }
                Packet::positive_release_response(id, name, claim).to_bytes()
            }
            (_, Some(claim)) => {
                let group = claim.flags.contains(NbFlags::GROUP);
                let foreign = known
                    .as_ref()
                    .filter(|record| !(record.group && group))
                    .and_then(|record| record.owners.iter().find(|owner| owner.address != claim.address));
                match foreign {
                    Some(owner) if kind != PacketKind::OverwriteRequest => {
                        if wrong == Humour::Strict {
                            Packet::negative_registration_response(id, name, Rcode::ACT_ERR, *owner)
                                .unwrap()
                                .to_bytes()
                        } else {
                            Packet::end_node_challenge(id, name, self.ttl, *owner).to_bytes()
                        }
                    }
                    _ => {
                        // What is <1d> is confirmed and never found.
                        if real.suffix() != Suffix::LOCAL_MASTER_BROWSER {
                            let mut owners = match known {
                                Some(record) if group => record.owners,
                                _ => Vec::new(),
                            };
                            owners.retain(|owner| owner.address != claim.address);
                            owners.push(claim);
                            self.records.insert(real, Record { group, owners });
                        }
                        Packet::positive_registration_response(id, name, self.ttl, claim).to_bytes()
                    }
                }
            }
            _ => return None,
        })
    }
}

impl Station for Wins {
    fn receive(&mut self, now: Duration, arrival: Arrival<'_>) {
        // A name server discards broadcasts.
        if arrival.broadcast {
            return;
        }
        let Ok(packet) = Packet::decode(arrival.bytes) else { return };
        if packet.header().flags.is_response() {
            return;
        }
        let kind = packet.kind();
        self.seen.push(kind);
        if self.humour == Humour::Silent {
            return;
        }
        let Some(bytes) = self.answer(&packet, kind) else { return };
        let answer = Transmit { destination: arrival.peer, bytes };
        match (self.humour, packet.name()) {
            (Humour::Slow { wack, answer: time }, Some(name)) => {
                let header = packet.header();
                let bytes = Packet::wack(header.name_trn_id, *name, wack, header.flags).to_bytes();
                self.out.push_back(Transmit { destination: arrival.peer, bytes });
                self.later.push_back((now + time, answer));
            }
            _ => self.out.push_back(answer),
        }
    }

    fn timeout(&mut self, now: Duration) {
        while self.later.front().is_some_and(|(at, _)| *at <= now) {
            self.out.extend(self.later.pop_front().map(|(_, answer)| answer));
        }
    }

    fn due(&self) -> Option<Duration> {
        self.later.front().map(|(at, _)| *at)
    }

    fn transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }
}

/// The socket of a name server or node.
pub(crate) const fn port_137(address: Ipv4Addr) -> SocketAddrV4 {
    SocketAddrV4::new(address, 137)
}
