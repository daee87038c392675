//! Own names: claimed, refreshed, released (RFC 1002 §5.1.1.1 to §5.1.3.4).

use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;

use super::stats::Outcome;
use super::{
    DropReason, Event, LocalName, NameKind, NameService, NameState, NodeType, Refusal, RegisterError,
};
use crate::wire::Encode;
use crate::wire::name::{NetbiosName, ScopedName};
use crate::wire::nbns::{AddrEntries, AddrEntry, Cast, NbFlags, Packet, PacketKind};

/// A name of this node.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) name: NetbiosName,
    pub(super) kind: NameKind,
    pub(super) state: NameState,
    /// The name server that took it.
    server: Option<Ipv4Addr>,
    work: Option<Work>,
    /// When a name server is asked next.
    refresh: Option<Duration>,
}

/// A name that another has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    name: NetbiosName,
    kind: NameKind,
    /// When it is claimed again.
    pub(super) again: Duration,
}

/// A request that is out.
#[derive(Debug)]
struct Work {
    stage: Stage,
    trn: u16,
    sent: u32,
    deadline: Duration,
    /// By how much WACKs have put the deadline off.
    waited: Duration,
}

/// What was asked, and of whom. Name servers by their place in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// May I have it?, to the subnet.
    Broadcast,
    /// It is mine, to the subnet. Objections still count.
    Demand,
    /// May I have it?, to a name server.
    Server(usize),
    /// Do you still have it?, to the owner that a name server knows.
    Challenge { server: usize, owner: Ipv4Addr },
    /// Its owner does not answer, it is mine; to a name server.
    Overwrite(usize),
    /// I still have it, to a name server.
    Refresh(usize),
    /// I give it up, to the name server that took it.
    ReleaseServer(Ipv4Addr),
    /// I give it up, to the subnet.
    ReleaseBroadcast,
}

impl Stage {
    const fn is_broadcast(self) -> bool {
        matches!(self, Self::Broadcast | Self::Demand | Self::ReleaseBroadcast)
    }
}

impl Local {
    pub(super) const fn shown(&self) -> LocalName {
        LocalName { name: self.name, kind: self.kind, state: self.state, server: self.server }
    }

    /// The transaction of the request that is out.
    pub(super) fn trn(&self) -> Option<u16> {
        self.work.as_ref().map(|work| work.trn)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.work.as_ref().map(|work| work.deadline).or(self.refresh)
    }

    /// Whether nothing is out that must have its answer or its time.
    pub(super) const fn is_settled(&self) -> bool {
        self.work.is_none()
    }

    /// Whether the subnet has been asked for this name and did not say yes by its silence yet.
    pub(super) fn is_contested(&self, node_type: NodeType) -> bool {
        let asked = self.stage() == Some(Stage::Broadcast);
        self.state == NameState::Registering && (asked || node_type == NodeType::M)
    }

    /// Whether objections to the own demand still count.
    pub(super) fn is_on_probation(&self) -> bool {
        self.stage() == Some(Stage::Demand)
    }

    fn stage(&self) -> Option<Stage> {
        self.work.as_ref().map(|work| work.stage)
    }
}

/// Own names.
impl NameService {
    /// Claims `name`. [`Event::Registered`] or [`Event::Refused`] tells how it ends. What is refused counts as one of
    /// [`crate::service::Limits::local_names`], too, until it is withdrawn.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn register(
        &mut self,
        now: Duration,
        name: NetbiosName,
        kind: NameKind,
    ) -> Result<(), RegisterError> {
        self.tick(now);
        if name.is_wildcard() {
            return Err(RegisterError::Wildcard(name));
        }
        if self.find(&name).is_some() {
            return Err(RegisterError::Exists(name));
        }
        let max = self.limits.local_names.min(usize::from(u16::MAX / 4));
        self.refused.retain(|refused| refused.name != name);
        if self.names.len() + self.refused.len() >= max {
            return Err(RegisterError::TooMany { max });
        }
        let stage = self.first_stage().ok_or(RegisterError::NoNameServer)?;
        self.start_claim(name, kind, stage);
        Ok(())
    }

    fn start_claim(&mut self, name: NetbiosName, kind: NameKind, stage: Stage) {
        let state = NameState::Registering;
        let local = Local { name, kind, state, server: None, work: None, refresh: None };
        let local = self.enter(local, stage);
        self.names.push(local);
    }

    /// Claims again what was refused, when its time has come.
    pub(super) fn refused_due(&mut self) {
        let now = self.now;
        for refused in self.refused.extract_if(.., |refused| refused.again <= now).collect::<Vec<_>>() {
            if let Some(stage) = self.first_stage() {
                self.start_claim(refused.name, refused.kind, stage);
            }
        }
    }

    /// Whom a claim asks first; `None`: a P node that knows nobody.
    fn first_stage(&self) -> Option<Stage> {
        match (self.config.node_type, self.config.wins.is_empty()) {
            (NodeType::B | NodeType::M, _) | (NodeType::H, true) => Some(Stage::Broadcast),
            (NodeType::P | NodeType::H, false) => Some(Stage::Server(0)),
            (NodeType::P, true) => None,
        }
    }

    /// Gives `name` up, and says whether it was in the table. [`Event::Released`] tells when that is done. A name that
    /// was refused is not claimed again.
    pub fn release(&mut self, now: Duration, name: &NetbiosName) -> bool {
        self.tick(now);
        self.refused.retain(|refused| refused.name != *name);
        let Some(index) = self.find(name) else { return false };
        let local = self.names.remove(index);
        let kept = self.start_release(local);
        self.put_back(index, kept);
        true
    }

    /// Gives all names up; [`Self::all_released`] tells when that is done.
    pub fn release_all(&mut self, now: Duration) {
        self.tick(now);
        self.refused.clear();
        for local in core::mem::take(&mut self.names) {
            let kept = self.start_release(local);
            self.names.extend(kept);
        }
    }

    /// Puts an active name into conflict because it is on another interface of this machine: it is then neither
    /// answered for nor defended here either (MS-NBTE 3.1.5). Says whether it was active.
    pub fn set_conflict(&mut self, name: &NetbiosName) -> bool {
        let active = |local: &&mut Local| local.name == *name && local.state == NameState::Active;
        let found = self.names.iter_mut().find(active);
        if let Some(local) = found {
            (local.state, local.work, local.refresh) = (NameState::Conflict, None, None);
            return true;
        }
        false
    }

    pub(super) fn find(&self, name: &NetbiosName) -> Option<usize> {
        self.names.iter().position(|local| local.name == *name)
    }

    fn put_back(&mut self, index: usize, local: Option<Local>) {
        if let Some(local) = local {
            self.names.insert(index.min(self.names.len()), local);
        }
    }

    /// What this node says of a name of its own.
    pub(super) const fn own_entry(&self, kind: NameKind) -> AddrEntry {
        let group = matches!(kind, NameKind::Group);
        AddrEntry::new(NbFlags::new(self.config.node_type, group), self.config.address)
    }

    /// Gives up a name, or a claim, to another node.
    pub(super) fn yield_name(&mut self, index: usize, refusal: Refusal) {
        if index < self.names.len() {
            let local = self.names.remove(index);
            let kept = self.lose(local, refusal);
            self.put_back(index, kept);
        }
    }

    /// A claim is refused; a name that was this node's is in conflict.
    fn lose(&mut self, mut local: Local, refusal: Refusal) -> Option<Local> {
        let name = local.name;
        if local.state == NameState::Registering {
            let again = self.after(self.config.timers.reclaim);
            self.refused.push(Refused { name, kind: local.kind, again });
            self.events.push_back(Event::Refused { name, refusal });
            return None;
        }
        (local.state, local.work, local.refresh) = (NameState::Conflict, None, None);
        self.events.push_back(Event::Conflict { name, refusal });
        Some(local)
    }

    fn released(&mut self, name: NetbiosName) -> Option<Local> {
        self.events.push_back(Event::Released { name });
        None
    }

    fn start_release(&mut self, mut local: Local) -> Option<Local> {
        let work = local.work.take();
        local.refresh = None;
        // The name server may have said yes, and its answer be lost or on the way.
        let asked = work.and_then(|work| match work.stage {
            Stage::Server(index) | Stage::Overwrite(index) => self.config.wins.get(index).copied(),
            Stage::ReleaseServer(_) | Stage::ReleaseBroadcast => {
                local.work = Some(work);
                None
            }
            _ => None,
        });
        match local.state {
            NameState::Releasing => Some(local),
            NameState::Conflict => self.released(local.name),
            NameState::Active | NameState::Registering => {
                let owned = local.state == NameState::Active;
                local.state = NameState::Releasing;
                match local.server.or(asked) {
                    Some(server) => Some(self.enter(local, Stage::ReleaseServer(server))),
                    None if owned && self.config.node_type != NodeType::P => {
                        Some(self.enter(local, Stage::ReleaseBroadcast))
                    }
                    None => self.released(local.name),
                }
            }
        }
    }

    /// Asks for the first time in `stage`.
    fn enter(&mut self, local: Local, stage: Stage) -> Local {
        let trn = self.fresh_id();
        self.enter_as(local, stage, trn)
    }

    fn enter_as(&mut self, mut local: Local, stage: Stage, trn: u16) -> Local {
        let work = Work { stage, trn, sent: 0, deadline: self.now, waited: Duration::ZERO };
        local.work = Some(self.ask(&local, work));
        local
    }

    /// Asks, for the first time or again.
    fn ask(&mut self, local: &Local, mut work: Work) -> Work {
        let (destination, bytes) = self.request(local, work.stage, work.trn);
        self.send_request(destination, bytes);
        let timers = self.config.timers;
        work.sent = work.sent.saturating_add(1);
        work.deadline = self.after(match work.stage {
            Stage::Demand => timers.conflict,
            stage if stage.is_broadcast() => timers.broadcast_timeout,
            _ => timers.unicast_timeout,
        });
        work
    }

    const fn asks(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Demand => 1,
            stage if stage.is_broadcast() => self.config.timers.broadcast_count,
            _ => self.config.timers.unicast_count,
        }
    }

    /// Whom a stage asks; the broadcast address if it is the subnet.
    fn asked(&self, stage: Stage) -> SocketAddrV4 {
        let server = |index| self.config.wins.get(index).copied().unwrap_or(self.config.broadcast);
        match stage {
            Stage::Broadcast | Stage::Demand | Stage::ReleaseBroadcast => self.broadcast(),
            Stage::Server(index) | Stage::Overwrite(index) | Stage::Refresh(index) => {
                self.server(server(index))
            }
            Stage::Challenge { owner: address, .. } | Stage::ReleaseServer(address) => self.server(address),
        }
    }

    fn request(&self, local: &Local, stage: Stage, trn: u16) -> (SocketAddrV4, Vec<u8>) {
        let name = ScopedName::new(local.name, self.config.scope());
        let entry = self.own_entry(local.kind);
        let ttl = self.config.ttl;
        let packet = match stage {
            Stage::Broadcast => Packet::registration(trn, name, entry, ttl, Cast::Broadcast),
            Stage::Demand => Packet::overwrite(trn, name, entry, ttl, Cast::Broadcast),
            Stage::Server(_) => Packet::registration(trn, name, entry, ttl, Cast::Unicast),
            Stage::Challenge { .. } => Packet::query(trn, name, Cast::Unicast),
            Stage::Overwrite(_) => Packet::overwrite(trn, name, entry, ttl, Cast::Unicast),
            Stage::Refresh(_) => Packet::refresh(trn, name, entry, ttl, Cast::Unicast),
            Stage::ReleaseServer(_) => Packet::release(trn, name, entry, Cast::Unicast),
            Stage::ReleaseBroadcast => Packet::release(trn, name, entry, Cast::Broadcast),
        };
        (self.asked(stage), packet.to_bytes())
    }

    pub(super) fn claims_due(&mut self) {
        let mut index = 0;
        while let Some(local) = self.names.get(index) {
            if local.due().is_some_and(|at| at <= self.now) {
                let local = self.names.remove(index);
                let kept = self.claim_due(local);
                let next = index + usize::from(kept.is_some());
                self.put_back(index, kept);
                index = next;
            } else {
                index += 1;
            }
        }
    }

    fn claim_due(&mut self, mut local: Local) -> Option<Local> {
        let Some(work) = local.work.take() else {
            local.refresh = None;
            let stage = if local.state == NameState::Active { Stage::Refresh(0) } else { Stage::Server(0) };
            return Some(self.enter(local, stage));
        };
        if work.sent < self.asks(work.stage) {
            local.work = Some(self.ask(&local, work));
            return Some(local);
        }
        let next = |index: usize| (index + 1 < self.config.wins.len()).then_some(index + 1);
        match work.stage {
            Stage::Broadcast if self.config.node_type == NodeType::M && !self.config.wins.is_empty() => {
                Some(self.enter(local, Stage::Server(0)))
            }
            // With the transaction of the requests: a late objection to them counts too.
            Stage::Broadcast => Some(self.take(local, Some(work.trn))),
            Stage::Demand => Some(local),
            Stage::Server(index) | Stage::Overwrite(index) => match next(index) {
                Some(next) => Some(self.enter(local, Stage::Server(next))),
                None => Some(self.without_server(local)),
            },
            Stage::Challenge { server, .. } => Some(self.enter(local, Stage::Overwrite(server))),
            Stage::Refresh(index) => match next(index) {
                Some(next) => Some(self.enter(local, Stage::Refresh(next))),
                None => Some(self.without_server(local)),
            },
            Stage::ReleaseServer(_) if self.config.node_type != NodeType::P => {
                Some(self.enter(local, Stage::ReleaseBroadcast))
            }
            Stage::ReleaseServer(_) | Stage::ReleaseBroadcast => self.released(local.name),
        }
    }

    /// All name servers are silent. They are asked again later; meanwhile M and H nodes are B nodes
    /// (RFC 1001 §10.3), and a P node must wait.
    fn without_server(&mut self, mut local: Local) -> Local {
        self.events.push_back(Event::NameServerSilent { name: local.name });
        local.server = None;
        local.refresh = Some(self.after(self.config.timers.min_refresh));
        match (local.state, self.config.node_type) {
            (NameState::Registering, NodeType::M) => self.take(local, None),
            (NameState::Registering, NodeType::H) => self.enter(local, Stage::Broadcast),
            _ => local,
        }
    }

    /// The name is this node's. The subnet is told so by a demand.
    fn take(&mut self, local: Local, trn: Option<u16>) -> Local {
        let local = self.activate(local);
        let trn = trn.unwrap_or_else(|| self.fresh_id());
        self.enter_as(local, Stage::Demand, trn)
    }

    fn activate(&mut self, mut local: Local) -> Local {
        if local.state == NameState::Registering {
            local.state = NameState::Active;
            self.events.push_back(Event::Registered { name: local.name, kind: local.kind });
        }
        local
    }

    /// The name server took the name, or its refreshment.
    fn taken_by_server(&mut self, mut local: Local, server: Ipv4Addr, ttl: u32) -> Local {
        local.server = Some(server);
        local.refresh = Some(self.after(self.config.timers.refresh(ttl)));
        let new = local.state == NameState::Registering;
        if new && self.config.node_type == NodeType::M {
            return self.take(local, None);
        }
        self.activate(local)
    }

    /// A response with the transaction of this name's request.
    pub(super) fn claim_answered(
        &mut self,
        index: usize,
        peer: SocketAddrV4,
        name: &ScopedName<'_>,
        packet: &Packet<'_>,
    ) -> Outcome {
        let Some(local) = self.names.get(index) else { return DropReason::Unsolicited.into() };
        let Some(stage) = local.stage() else { return DropReason::Unsolicited.into() };
        if local.name != name.name || !self.is_in_scope(name) {
            return DropReason::WrongName.into();
        }
        let from_asked = if stage.is_broadcast() {
            self.config.subnet.contains(*peer.ip())
        } else {
            peer == self.asked(stage)
        };
        if !from_asked {
            return DropReason::WrongSource.into();
        }
        let kind = packet.kind();
        if kind == PacketKind::Wack && !stage.is_broadcast() {
            self.put_off(index, packet);
            return Outcome::Accepted;
        }
        let Some(verdict) = verdict(stage, kind, packet) else { return DropReason::WrongKind.into() };
        let mut local = self.names.remove(index);
        local.work = None;
        let kept = self.apply(local, stage, peer, verdict, packet);
        self.put_back(index, kept);
        Outcome::Accepted
    }

    /// A WACK: the answer takes longer.
    fn put_off(&mut self, index: usize, packet: &Packet<'_>) {
        let (now, timers) = (self.now, self.config.timers);
        if let Some(work) = self.names.get_mut(index).and_then(|local| local.work.as_mut()) {
            put_off(now, timers.max_wack, packet, &mut work.deadline, &mut work.waited);
        }
    }

    fn apply(
        &mut self,
        local: Local,
        stage: Stage,
        peer: SocketAddrV4,
        verdict: Verdict,
        packet: &Packet<'_>,
    ) -> Option<Local> {
        let server = *peer.ip();
        let rcode = packet.header().flags.rcode();
        match (stage, verdict) {
            (Stage::Server(_) | Stage::Overwrite(_) | Stage::Refresh(_), Verdict::Yes) => {
                let ttl = packet.answer().map_or(0, |record| record.ttl());
                Some(self.taken_by_server(local, server, ttl))
            }
            (Stage::Server(_) | Stage::Overwrite(_) | Stage::Refresh(_), Verdict::No) => {
                self.lose(local, Refusal::Server { server, rcode })
            }
            (Stage::Server(index), Verdict::AskOwner(owner)) => {
                let stage = if super::answer::is_no_host(owner)
                    || owner == self.config.broadcast
                    || self.config.is_own(owner)
                {
                    Stage::Overwrite(index)
                } else {
                    Stage::Challenge { server: index, owner }
                };
                Some(self.enter(local, stage))
            }
            (Stage::Challenge { owner, .. }, Verdict::Yes) => self.lose(local, Refusal::Owner(owner)),
            (Stage::Challenge { server, .. }, _) => Some(self.enter(local, Stage::Overwrite(server))),
            (Stage::ReleaseServer(_), verdict) => match self.config.node_type {
                NodeType::M => Some(self.enter(local, Stage::ReleaseBroadcast)),
                NodeType::H if verdict != Verdict::Yes => Some(self.enter(local, Stage::ReleaseBroadcast)),
                _ => self.released(local.name),
            },
            // What the subnet says to a claim is always no.
            _ => self.lose(local, Refusal::Owner(*peer.ip())),
        }
    }
}

/// What an answer means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    AskOwner(Ipv4Addr),
}

/// What a packet of this kind means in this stage; `None`: it is no answer to what was asked.
fn verdict(stage: Stage, kind: PacketKind, packet: &Packet<'_>) -> Option<Verdict> {
    let refused = matches!(kind, PacketKind::NegativeRegistrationResponse | PacketKind::NameConflictDemand);
    match (stage, kind) {
        (Stage::Broadcast | Stage::Demand, _) if refused => Some(Verdict::No),
        (Stage::Server(_) | Stage::Overwrite(_) | Stage::Refresh(_), _) if refused => Some(Verdict::No),
        (
            Stage::Server(_) | Stage::Overwrite(_) | Stage::Refresh(_),
            PacketKind::PositiveRegistrationResponse,
        ) => Some(Verdict::Yes),
        (Stage::Server(_), PacketKind::EndNodeChallenge) => {
            packet.addr_entries().and_then(first_address).map(Verdict::AskOwner)
        }
        (Stage::Challenge { .. }, PacketKind::PositiveQueryResponse)
        | (Stage::ReleaseServer(_), PacketKind::PositiveReleaseResponse) => Some(Verdict::Yes),
        (Stage::Challenge { .. }, PacketKind::NegativeQueryResponse)
        | (Stage::ReleaseServer(_), PacketKind::NegativeReleaseResponse) => Some(Verdict::No),
        _ => None,
    }
}

fn first_address(entries: &AddrEntries<'_>) -> Option<Ipv4Addr> {
    entries.iter().next().map(|entry| entry.address)
}

/// Moves a deadline as a WACK asks, by no more than `max` in all.
pub(super) fn put_off(
    now: Duration,
    max: Duration,
    packet: &Packet<'_>,
    deadline: &mut Duration,
    waited: &mut Duration,
) {
    let asked = Duration::from_secs(packet.answer().map_or(0, |record| record.ttl()).into());
    let granted = asked.min(max.saturating_sub(*waited));
    *waited = waited.saturating_add(granted);
    *deadline = (*deadline).max(now.saturating_add(granted));
}
