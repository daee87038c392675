//! Requests of others: queries and node status requests answered, claims to own names refused
//! (RFC 1002 §5.1.1.5).

use core::net::{Ipv4Addr, SocketAddrV4};

use super::stats::Outcome;
use super::timers::MAX_DATAGRAM_LENGTH;
use super::{DropReason, Input, NameKind, NameService, NameState, NodeType, Refusal};
use crate::service::Transmit;
use crate::wire::Encode;
use crate::wire::name::ScopedName;
use crate::wire::nbns::{
    NameEntry, NameFlags, NbFlags, NmFlags, NodeStatus, Packet, PacketKind, Rcode, Statistics,
};

/// Length of a name in a node status answer, in bytes.
const ENTRY_LEN: usize = 18;

/// What a node status answer has besides name and names, in bytes: header, record, NUM_NAMES, statistics.
const STATUS_LEN: usize = 12 + 10 + 1 + Statistics::LEN;

impl NameService {
    pub(super) fn read_request(&mut self, input: Input<'_>, packet: &Packet<'_>) -> Outcome {
        if !self.may_ask(input.peer) {
            return DropReason::OffLink.into();
        }
        if input.broadcast && self.config.node_type == NodeType::P {
            return DropReason::Broadcast.into();
        }
        let kind = packet.kind();
        let Some(question) = packet.question() else { return DropReason::Unsupported.into() };
        let name = question.name().name();
        if !self.is_in_scope(name) {
            return DropReason::OtherScope.into();
        }
        match kind {
            PacketKind::QueryRequest => self.answer_query(input, packet, name),
            PacketKind::NodeStatusRequest => self.answer_status(input, packet, name),
            PacketKind::RegistrationRequest
            | PacketKind::MultihomedRegistrationRequest
            | PacketKind::OverwriteRequest
            | PacketKind::RefreshRequest => self.hear_claim(input, packet, kind, name),
            PacketKind::ReleaseRequest => match self.find(&name.name) {
                Some(_) => DropReason::Demand.into(),
                None => DropReason::NotOurs.into(),
            },
            _ => DropReason::Unsupported.into(),
        }
    }

    /// Whether a source may get an answer: a single host, on the subnet or on one that is answered, too, or a name
    /// server. No broadcast address of any of these subnets is one: a larger one may have smaller ones in it.
    fn may_ask(&self, peer: SocketAddrV4) -> bool {
        let (address, own) = (*peer.ip(), &self.config.subnet);
        let subnets = || core::iter::once(own).chain(&self.config.answered);
        let many = address == self.config.broadcast
            || subnets().any(|subnet| subnet.prefix() < 31 && address == subnet.broadcast());
        let known =
            || subnets().any(|subnet| subnet.contains(address)) || self.config.wins.contains(&address);
        peer.port() != 0 && !many && !is_no_host(address) && known()
    }

    fn answer_query(&mut self, input: Input<'_>, packet: &Packet<'_>, name: &ScopedName<'_>) -> Outcome {
        let owned =
            self.names.iter().find(|local| local.name == name.name && local.state == NameState::Active);
        let kind = match owned {
            Some(local) => local.kind,
            None if name.name.is_wildcard() => NameKind::Unique,
            None => return DropReason::NotOurs.into(),
        };
        // Every node answers a broadcast.
        self.answer(input, input.broadcast, Outcome::AnsweredQuery, |this| {
            let entry = this.own_entry(kind);
            let trn = packet.header().name_trn_id;
            Some(Packet::positive_query_response(trn, *name, this.config.ttl, entry).to_bytes())
        })
    }

    fn answer_status(&mut self, input: Input<'_>, packet: &Packet<'_>, name: &ScopedName<'_>) -> Outcome {
        let shown = |state| state != NameState::Registering;
        let ours = |local: &super::Local| local.name == name.name && shown(local.state);
        if !name.name.is_wildcard() && !self.names.iter().any(ours) {
            return DropReason::NotOurs.into();
        }
        self.answer(input, true, Outcome::AnsweredStatus, |this| {
            let room = MAX_DATAGRAM_LENGTH.saturating_sub(STATUS_LEN + name.encoded_len()) / ENTRY_LEN;
            let names: Vec<NameEntry> = this
                .names
                .iter()
                .filter(|local| shown(local.state))
                .map(|local| NameEntry {
                    name: local.name,
                    flags: this.name_flags(
                        local.kind,
                        local.state,
                        this.config.permanent == Some(local.name),
                    ),
                })
                .collect();
            let truncated = names.len() > room;
            let statistics = Statistics { unit_id: this.config.unit_id, ..Statistics::default() };
            let status = NodeStatus::new(names.into_iter().take(room), &statistics).ok()?;
            let answer = Packet::node_status_response(packet.header().name_trn_id, *name, status);
            this.stats.truncated_statuses += u64::from(truncated);
            Some(if truncated { answer.with(NmFlags::TC) } else { answer }.to_bytes())
        })
    }

    fn name_flags(&self, kind: NameKind, state: NameState, permanent: bool) -> NameFlags {
        let group = kind == NameKind::Group;
        // G and ONT are at the same places in both words.
        let mut flags = NameFlags::from_bits_retain(NbFlags::new(self.config.node_type, group).bits());
        flags |= NameFlags::ACTIVE;
        flags.set(NameFlags::CONFLICT, state == NameState::Conflict);
        flags.set(NameFlags::DEREGISTER, state == NameState::Releasing);
        flags.set(NameFlags::PERMANENT, permanent);
        flags
    }

    /// Another node says that it has a name, or wants it.
    fn hear_claim(
        &mut self,
        input: Input<'_>,
        packet: &Packet<'_>,
        kind: PacketKind,
        name: &ScopedName<'_>,
    ) -> Outcome {
        let rival = *input.peer.ip();
        if self.config.is_own(rival) {
            return DropReason::OwnClaim.into();
        }
        if name.name.is_wildcard() {
            return DropReason::Tolerated.into();
        }
        let Some((index, local)) = self.names.iter().enumerate().find(|(_, local)| local.name == name.name)
        else {
            return DropReason::NotOurs.into();
        };
        let claimed = packet.addr_entries().and_then(|entries| entries.iter().next());
        let claimed = claimed.map_or(NameKind::Unique, |entry| NameKind::from_flags(entry.flags));
        if (local.kind, claimed) == (NameKind::Group, NameKind::Group) {
            return DropReason::Tolerated.into();
        }
        let owner_speaks = matches!(kind, PacketKind::OverwriteRequest | PacketKind::RefreshRequest);
        let goes_first = rival < self.config.subnet.address();
        let yields = input.broadcast
            && if local.is_on_probation() {
                owner_speaks && goes_first
            } else {
                local.is_contested(self.config.node_type) && (owner_speaks || goes_first)
            };
        if yields {
            self.yield_name(index, Refusal::Rival(rival));
            return Outcome::Yielded;
        }
        if local.state != NameState::Active {
            return DropReason::Tolerated.into();
        }
        let own_kind = local.kind;
        self.answer(input, input.broadcast, Outcome::Defended, |this| {
            let trn = packet.header().name_trn_id;
            let entry = this.own_entry(own_kind);
            Packet::negative_registration_response(trn, *name, Rcode::ACT_ERR, entry)
                .ok()
                .map(|packet| packet.to_bytes())
        })
    }

    /// Sends an answer to the request's source, if it is within the bounds. `amplified`: the answer makes more of
    /// the request.
    fn answer(
        &mut self,
        input: Input<'_>,
        amplified: bool,
        outcome: Outcome,
        bytes: impl FnOnce(&mut Self) -> Option<Vec<u8>>,
    ) -> Outcome {
        if self.transmits.len() >= self.limits.name_transmits {
            return DropReason::Backlog.into();
        }
        if !self.budget.take(self.now, *input.peer.ip(), amplified, &self.limits) {
            return DropReason::RateLimited.into();
        }
        match bytes(self) {
            Some(bytes) => {
                self.transmits.push_back(Transmit { destination: input.peer, bytes });
                outcome
            }
            None => DropReason::Unsupported.into(),
        }
    }
}

/// Whether no single host can have this address.
pub(super) const fn is_no_host(address: Ipv4Addr) -> bool {
    address.is_unspecified() || address.is_broadcast() || address.is_multicast()
}
