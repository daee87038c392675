//! The end that writes and asks: sessions to one computer, one at a time.

mod answer;
mod call;

use core::net::SocketAddrV4;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

pub use self::call::{Blocks, CallId};
use self::call::{OpenCall, Request};
use super::inbox::Inbox;
use super::writes::{InFlight, Outgoing, WriteId};
use super::{ConnectFailure, NATIVE_LAN_MAN, NATIVE_OS, SessionError, Step, put_message, put_packet};
use crate::service::names::Subnet;
use crate::service::{Limits, Machine};
use crate::wire::name::NetbiosName;
use crate::wire::nbss::{self, Framing};
use crate::wire::smb::{
    Body, Capabilities, Flags, Flags2, Header, NT_LM_012, NegotiateRequest, SERVICE_IPC, SessionSetupRequest,
    SessionSetupWords, SmbMessage, SmbStr, TreeConnectFlags, TreeConnectRequest, utf16,
};
use crate::wire::{DecodeError, Encode, ValueError};

/// Where a server may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a port and its rules")]
pub struct Target {
    /// Address and port.
    pub address: SocketAddrV4,
    /// The port's rules: those of 139 or of 445.
    pub framing: Framing,
}

/// Whom a client writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "both ends and the ways between them")]
pub struct ClientConfig {
    /// The computer, as the path `\\HOST\IPC$` names it, in ASCII.
    pub host: String,
    /// Its name of suffix 20.
    pub called: NetbiosName,
    /// Our name.
    pub calling: NetbiosName,
    /// Its ports in the order in which they are tried.
    pub targets: Vec<Target>,
    /// Where a retarget may send us; nowhere without.
    pub subnet: Option<Subnet>,
    /// Whether NTLMSSP is offered. Without, servers ask for the plain form.
    pub extended_security: bool,
}

/// What the driver is to do, or to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Close the connection that there is, open this one, and say [`Client::connected`] or [`Client::connect_failed`].
    Connect(Target),
    /// The session is up.
    Ready(Target),
    /// A write has ended.
    #[non_exhaustive]
    Written {
        /// Which.
        id: WriteId,
        /// Whether its slot has the message; for a one-way write, whether it was handed out.
        result: Result<(), SessionError>,
    },
    /// A remote administration request has ended.
    #[non_exhaustive]
    Answered {
        /// Which.
        id: CallId,
        /// Its answer.
        result: Result<Blocks, SessionError>,
    },
    /// The session is over, for this reason or because it was idle. Send what there is to send, and close the
    /// connection; every write and every request has ended.
    Closed(Option<SessionError>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Step(Step),
    Ready,
    TreeDisconnect,
    Logoff,
    Over,
}

/// A session to one computer, from its TCP connection to its end.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    limits: Limits,
    phase: Phase,
    /// Of the step, or of idleness.
    deadline: Duration,
    target: Target,
    targets: VecDeque<Target>,
    /// What went wrong with earlier targets, and with all of them once it is over.
    failed: Option<SessionError>,
    called: NetbiosName,
    retargeted: bool,
    inbox: Inbox,
    output: Vec<u8>,
    events: VecDeque<Event>,
    last_mid: u16,
    uid: u16,
    tid: u16,
    unicode: bool,
    /// Of the server, in the plain form; with NTLMSSP there may be several rounds.
    extended: bool,
    rounds: u8,
    session_key: u32,
    largest: usize,
    max_in_flight: usize,
    last_write: u64,
    queue: VecDeque<(WriteId, Outgoing)>,
    in_flight: BTreeMap<u16, InFlight>,
    requests: VecDeque<Request>,
    calls: BTreeMap<u16, OpenCall>,
    stray_answers: u64,
}

impl Client {
    /// A client that wants its first connection at `now`.
    pub fn new(now: Duration, config: ClientConfig, limits: Limits) -> Self {
        let mut targets: VecDeque<Target> = config.targets.iter().copied().collect();
        let first = targets.pop_front();
        let nowhere = Target {
            address: SocketAddrV4::new(core::net::Ipv4Addr::UNSPECIFIED, 0),
            framing: Framing::Direct,
        };
        let target = first.unwrap_or(nowhere);
        let mut client = Self {
            called: config.called,
            config,
            limits,
            phase: Phase::Step(Step::Connect),
            deadline: now,
            target,
            targets,
            failed: None,
            retargeted: false,
            inbox: Inbox::new(target.framing),
            output: Vec::new(),
            events: VecDeque::new(),
            last_mid: 0,
            uid: 0,
            tid: 0,
            unicode: false,
            extended: false,
            rounds: 0,
            session_key: 0,
            largest: 0,
            max_in_flight: 1,
            last_write: 0,
            queue: VecDeque::new(),
            in_flight: BTreeMap::new(),
            requests: VecDeque::new(),
            calls: BTreeMap::new(),
            stray_answers: 0,
        };
        match first {
            Some(target) => client.connect(now, target),
            None => client.over(Some(SessionError::NoTarget)),
        }
        client
    }

    /// What is to be sent on the connection of the last [`Event::Connect`]; empty if nothing is.
    #[must_use = "bytes that are not sent are lost"]
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Writes a message, now or as soon as the session is up and has room.
    pub fn write(&mut self, now: Duration, message: Outgoing) -> WriteId {
        self.last_write += 1;
        let id = WriteId(self.last_write);
        if self.takes_writes() {
            self.queue.push_back((id, message));
            self.pump(now);
        } else {
            let result = Err(self.failed.clone().unwrap_or_else(|| self.disconnected()));
            self.events.push_back(Event::Written { id, result });
        }
        id
    }

    /// Whether the session is neither over nor about to be.
    pub const fn takes_writes(&self) -> bool {
        matches!(self.phase, Phase::Step(_) | Phase::Ready)
    }

    /// Answers that nothing asked for: those to one-way writes, and others.
    pub const fn stray_answers(&self) -> u64 {
        self.stray_answers
    }

    /// The connection is there.
    pub fn connected(&mut self, now: Duration) {
        if self.phase != Phase::Step(Step::Connect) {
            return;
        }
        match self.target.framing {
            Framing::Session => {
                let request = nbss::Packet::request(self.called.into(), self.config.calling.into());
                put_packet(&mut self.output, &request);
                self.step(now, Step::Call);
            }
            Framing::Direct => self.negotiate(now),
        }
    }

    /// The connection is not to be had.
    pub fn connect_failed(&mut self, now: Duration, failure: ConnectFailure) {
        if self.phase != Phase::Step(Step::Connect) {
            return;
        }
        let address = self.target.address;
        self.fail(
            now,
            match failure {
                ConnectFailure::Refused => SessionError::Closed { address },
                ConnectFailure::Other(reason) => SessionError::Unreachable { address, reason },
            },
        );
    }

    /// The peer closed the connection, or it broke.
    pub fn disconnected_at(&mut self, now: Duration) {
        match self.phase {
            Phase::Over => {}
            Phase::TreeDisconnect | Phase::Logoff => self.over(None),
            // Samba without SMB1 closes the connection when it is asked for it.
            Phase::Step(Step::Negotiate) => {
                let error = SessionError::NoSmb1 { address: self.target.address };
                self.fail(now, error);
            }
            Phase::Ready if self.is_idle() => self.over(None),
            _ => {
                let error = self.disconnected();
                self.fail(now, error);
            }
        }
    }

    /// Ends the session: TREE_DISCONNECT, LOGOFF_ANDX, the connection. Writes that are in flight fail.
    pub fn close(&mut self, now: Duration) {
        if self.phase != Phase::Ready {
            return self.over(None);
        }
        self.phase = Phase::TreeDisconnect;
        self.deadline = now.saturating_add(self.limits.session_step);
        self.request(Ok(Body::tree_disconnect()));
        let error = self.disconnected();
        self.end_writes(&error);
    }

    fn disconnected(&self) -> SessionError {
        SessionError::Disconnected { address: self.target.address, step: self.at() }
    }

    /// Whether nothing is wanted of the peer.
    fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.in_flight.is_empty()
            && self.requests.is_empty()
            && self.calls.is_empty()
    }

    fn at(&self) -> Step {
        match self.phase {
            Phase::Step(step) => step,
            Phase::Ready if self.in_flight.is_empty() && !self.calls.is_empty() => Step::Administration,
            Phase::Ready => Step::Write,
            Phase::TreeDisconnect | Phase::Logoff | Phase::Over => Step::Close,
        }
    }

    fn step(&mut self, now: Duration, step: Step) {
        self.phase = Phase::Step(step);
        let patience =
            if step == Step::Connect { self.limits.session_connect } else { self.limits.session_step };
        self.deadline = now.saturating_add(patience);
    }

    fn connect(&mut self, now: Duration, target: Target) {
        self.target = target;
        self.inbox = Inbox::new(target.framing);
        self.output.clear();
        (self.uid, self.tid) = (0, 0);
        self.step(now, Step::Connect);
        self.events.push_back(Event::Connect(target));
    }

    /// The connection is of no use: on to the next port, or over.
    fn fail(&mut self, now: Duration, error: SessionError) {
        let next = if error.is_of_the_port() { self.targets.pop_front() } else { None };
        // What came furthest says most.
        let worst = match self.failed.take() {
            Some(before) if before.step() >= error.step() => before,
            _ => error,
        };
        match next {
            Some(target) => {
                self.failed = Some(worst);
                self.called = self.config.called;
                self.connect(now, target);
            }
            None => self.over(Some(worst)),
        }
    }

    fn over(&mut self, error: Option<SessionError>) {
        if self.phase == Phase::Over {
            return;
        }
        let reason = error.clone().unwrap_or_else(|| self.disconnected());
        self.end_writes(&reason);
        self.phase = Phase::Over;
        self.failed = error.clone();
        self.events.push_back(Event::Closed(error));
    }

    fn end_writes(&mut self, error: &SessionError) {
        let in_flight = std::mem::take(&mut self.in_flight).into_values().map(|write| write.id);
        let ids: Vec<WriteId> = in_flight.chain(self.queue.drain(..).map(|(id, _)| id)).collect();
        for id in ids {
            self.events.push_back(Event::Written { id, result: Err(error.clone()) });
        }
        let in_flight = std::mem::take(&mut self.calls).into_values().map(|call| call.id);
        let ids: Vec<CallId> = in_flight.chain(self.requests.drain(..).map(|request| request.id)).collect();
        for id in ids {
            self.events.push_back(Event::Answered { id, result: Err(error.clone()) });
        }
    }

    fn put(&mut self, message: &SmbMessage<'_>) {
        put_message(&mut self.output, &message.to_bytes());
    }

    fn header(&mut self) -> Header {
        self.last_mid = self.last_mid.wrapping_add(1);
        // 0xFFFF is for oplock breaks (MS-CIFS 2.2.4.32).
        while self.last_mid == u16::MAX
            || self.in_flight.contains_key(&self.last_mid)
            || self.calls.contains_key(&self.last_mid)
        {
            self.last_mid = self.last_mid.wrapping_add(1);
        }
        self.header_of(self.last_mid)
    }

    const fn header_of(&self, mid: u16) -> Header {
        let mut header = Header::new(crate::wire::smb::Command::NONE);
        header.flags = Flags::CASE_INSENSITIVE.union(Flags::CANONICALIZED_PATHS);
        header.flags2 = Flags2::LONG_NAMES.union(Flags2::NT_STATUS);
        if self.config.extended_security {
            header.flags2 = header.flags2.union(Flags2::EXTENDED_SECURITY);
        }
        if self.unicode {
            header.flags2 = header.flags2.union(Flags2::UNICODE);
        }
        header.pid_low = 0xfeff;
        header.uid = self.uid;
        header.tid = self.tid;
        header.mid = mid;
        header
    }

    /// Sends a request of the dialogue; what cannot be built ends it.
    fn request(&mut self, body: Result<Body<'_>, ValueError>) {
        let header = self.header();
        match body.and_then(|body| SmbMessage::new(header, body)) {
            Ok(message) => put_message(&mut self.output, &message.to_bytes()),
            Err(source) => self.over(Some(SessionError::BadMessage { source })),
        }
    }

    fn negotiate(&mut self, now: Duration) {
        self.step(now, Step::Negotiate);
        self.request(NegotiateRequest::new(&[NT_LM_012]).map(Body::from));
    }

    /// The next request of the session setup. **The place of an authenticated session**: an account's proof would go
    /// where the anonymous forms are made.
    fn set_up(&mut self, now: Duration, blob: &[u8]) {
        self.step(now, Step::SessionSetup);
        let words = SessionSetupWords {
            max_buffer_size: 4356,
            max_mpx_count: u16::try_from(self.limits.session_writes).unwrap_or(u16::MAX),
            vc_number: 1,
            session_key: self.session_key,
        };
        let mut capabilities = Capabilities::STATUS32;
        capabilities.set(Capabilities::UNICODE, self.unicode);
        let body = self.text(NATIVE_OS).and_then(|os| {
            let lan_man = self.text(NATIVE_LAN_MAN)?;
            let (os, lan_man) = (self.form(&os)?, self.form(&lan_man)?);
            if self.extended {
                SessionSetupRequest::extended(words, capabilities, blob, os, lan_man)
            } else {
                SessionSetupRequest::anonymous(words, capabilities, os, lan_man)
            }
        });
        self.request(body.map(Body::from));
    }

    fn connect_tree(&mut self, now: Duration) {
        self.step(now, Step::TreeConnect);
        let path = self.text(&format!("\\\\{}\\IPC$", self.config.host));
        let body = path.and_then(|path| {
            TreeConnectRequest::new(TreeConnectFlags::empty(), self.form(&path)?, SERVICE_IPC)
        });
        self.request(body.map(Body::from));
    }

    fn text(&self, text: &str) -> Result<Vec<u8>, ValueError> {
        Ok(if self.unicode { utf16(text) } else { text.as_bytes().to_vec() })
    }

    fn form<'t>(&self, bytes: &'t [u8]) -> Result<SmbStr<'t>, ValueError> {
        if self.unicode { SmbStr::utf16(bytes) } else { SmbStr::oem(bytes) }
    }

    /// Begins requests and writes as far as the peer takes them.
    fn pump(&mut self, now: Duration) {
        while self.phase == Phase::Ready && self.in_flight.len() + self.calls.len() < self.max_in_flight {
            if self.begin_call(now) {
                continue;
            }
            let Some((id, message)) = self.queue.pop_front() else { break };
            let header = self.header();
            let one_way = message.one_way;
            let deadline = now.saturating_add(self.limits.session_step);
            let mut write = InFlight { id, message, mid: header.mid, deadline, sent: 0 };
            match write.first(self.unicode, self.largest).and_then(|body| SmbMessage::new(header, body)) {
                Ok(message) => {
                    put_message(&mut self.output, &message.to_bytes());
                    if one_way && write.is_sent() {
                        self.events.push_back(Event::Written { id, result: Ok(()) });
                    } else {
                        self.in_flight.insert(write.mid, write);
                    }
                }
                Err(source) => {
                    let result = Err(SessionError::BadMessage { source });
                    self.events.push_back(Event::Written { id, result });
                }
            }
        }
        // Before the session is up, and at its end, the time is that of the step.
        if self.phase == Phase::Ready {
            self.deadline = now.saturating_add(self.limits.session_keep);
        }
    }

    fn damaged(&mut self, now: Duration, source: DecodeError) {
        let error = SessionError::Damaged { address: self.target.address, step: self.at(), source };
        self.fail(now, error);
    }

    fn unexpected(&mut self, now: Duration) {
        let error = SessionError::Unexpected { address: self.target.address, step: self.at() };
        self.fail(now, error);
    }

    /// When the first of the answers that are waited for must have come.
    fn due(&self) -> Option<Duration> {
        let writes = self.in_flight.values().map(|write| write.deadline);
        writes.chain(self.calls.values().map(|call| call.deadline)).min()
    }

    fn timed_out(&self) -> SessionError {
        SessionError::Timeout { address: self.target.address, step: self.at() }
    }
}

/// Input: bytes of the connection.
impl Machine for Client {
    type Input<'a> = &'a [u8];
    type Event = Event;

    fn handle_input(&mut self, now: Duration, mut input: &[u8]) {
        while self.phase != Phase::Over && self.phase != Phase::Step(Step::Connect) {
            match self.inbox.next(&mut input) {
                Ok(Some(packet)) => self.packet(now, &packet),
                Ok(None) => break,
                Err(source) => self.damaged(now, source),
            }
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        match self.phase {
            Phase::Over => {}
            Phase::Ready => {
                if self.due().is_some_and(|due| due <= now) {
                    let error = self.timed_out();
                    self.over(Some(error));
                } else if self.is_idle() && self.deadline <= now {
                    self.close(now);
                }
            }
            _ if self.deadline > now => {}
            Phase::Step(_) => {
                let error = self.timed_out();
                self.fail(now, error);
            }
            Phase::TreeDisconnect | Phase::Logoff => self.over(None),
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        match self.phase {
            Phase::Over => None,
            Phase::Ready => self.due().or(Some(self.deadline)),
            _ => Some(self.deadline),
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
