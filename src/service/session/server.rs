//! The receiving end: one connection of somebody who writes to our slots.

mod call;
mod transaction;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

pub use self::call::Call;
use self::call::is_call;
use self::transaction::{Answer, Unfinished};
use super::inbox::Inbox;
use super::{Admission, CloseReason, NATIVE_LAN_MAN, NATIVE_OS, any_server, put_message, put_packet};
use crate::service::{Limits, Machine};
use crate::wire::name::NetbiosName;
use crate::wire::nbss::{self, Framing, NegativeCode};
use crate::wire::smb::{
    Body, Capabilities, Class, Command, Flags2, Header, Logoff, NO_DIALECT, NT_LM_012, NegotiateCore,
    NegotiateNt, NegotiateRequest, NegotiateResponse, NtStatus, NtWords, Piece, Protocol, SERVICE_ANY,
    SERVICE_IPC, SecurityMode, SessionAction, SessionSetupRequest, SessionSetupResponse, SmbMessage, SmbStr,
    TransactionResponse, TreeConnectFlags, TreeConnectRequest, TreeConnectResponse, chain, utf16,
};
use crate::wire::{Decode, Encode, ValueError};

/// MaxBufferSize as others are told, in bytes: that of Windows 2000 and later servers. More is taken.
const MAX_BUFFER_SIZE: u32 = 16_644;

/// Bytes of a connection's answers that do not count as held: more than a peer that waits for them is ever owed.
const FREE_OUTPUT: usize = 4096;

/// OptionalSupport of a tree: SMB_SUPPORT_SEARCH_BITS, as every server says.
const OPTIONAL_SUPPORT: u16 = 1;

/// SMB_COM_OPEN_ANDX and SMB_COM_NT_CREATE_ANDX: on IPC$ they open pipes, and there are none.
const OPENS: [Command; 2] = [Command(0x2d), Command(0xa2)];

/// What all connections of a server have in common.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "the answers' contents")]
pub struct ServerConfig {
    /// The names that can be called on port 139, besides `*SMBSERVER<20>`.
    pub names: Vec<NetbiosName>,
    /// The domain or workgroup, in ASCII.
    pub domain: String,
    /// The challenge that `NT LM 0.12` asks for; should be random. Answers to it are not looked at.
    pub challenge: [u8; 8],
    /// The time at the start of the connection: 100 ns since 1601-01-01 UTC.
    pub system_time: u64,
}

/// A request that waits for [`Server::answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// A message for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// By which it is to be answered.
    pub id: RequestId,
    /// The priority: 0 to 9.
    pub priority: u16,
    /// The class, which says nothing here (MS-MAIL note <10>).
    pub class: Class,
    /// The message, whole.
    pub data: Bytes,
    name: Vec<u8>,
    unicode: bool,
}

impl Write {
    /// The slot's full name, `\MAILSLOT\…`, as it came.
    pub fn name(&self) -> SmbStr<'_> {
        let name = if self.unicode { SmbStr::utf16(&self.name) } else { SmbStr::oem(&self.name) };
        name.unwrap_or_else(|_| SmbStr::empty(self.unicode))
    }
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Put a message into its slot, and say with [`Server::answer`] what became of it.
    Write(Write),
    /// Answer a remote administration request, with [`Server::answer_call`].
    Call(Call),
    /// Send what there is to send, and close the connection.
    Closed(CloseReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The session request, on port 139.
    Call,
    Negotiate,
    Open,
    Closed,
}

/// What a command draws.
enum Reply {
    Nothing,
    Status(NtStatus),
    Body(Body<'static>),
}

/// One connection.
///
/// It lets in anybody, as nobody or as a guest, to IPC$, to mailslot writes and remote administration requests, and refuses all else with the status
/// that a Windows server gives. Answers are made from what there is to say and never sized by what the peer asks for
/// (MS06-035).
#[derive(Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    limits: Limits,
    admission: Admission,
    framing: Framing,
    phase: Phase,
    inbox: Inbox,
    output: Vec<u8>,
    events: VecDeque<Event>,
    calling: Option<NetbiosName>,
    called: Option<NetbiosName>,
    users: Vec<u16>,
    /// Trees and their users.
    trees: Vec<(u16, u16)>,
    last_id: u16,
    unfinished: Vec<Unfinished>,
    waiting: BTreeMap<RequestId, (Header, Answer)>,
    calls: BTreeMap<RequestId, (Header, call::Bounds)>,
    /// MaxBufferSize of the peer, in bytes.
    peer_buffer: u16,
    last_request: u64,
    /// Whether anything came.
    spoke: bool,
    /// When it was let in.
    began: Duration,
    /// When it said anything last besides keepalives.
    heard: Duration,
    /// Bytes that were taken to be sent and are not sent yet.
    unsent: usize,
    /// Since when a packet is not whole.
    partial: Option<Duration>,
}

impl Server {
    /// A connection that was let in at `now`.
    pub fn new(now: Duration, config: Arc<ServerConfig>, admission: Admission, framing: Framing) -> Self {
        let phase = match framing {
            Framing::Session => Phase::Call,
            Framing::Direct => Phase::Negotiate,
        };
        Self {
            config,
            limits: admission.gate().limits(),
            admission,
            framing,
            phase,
            inbox: Inbox::new(framing),
            output: Vec::new(),
            events: VecDeque::new(),
            calling: None,
            called: None,
            users: Vec::new(),
            trees: Vec::new(),
            last_id: 0,
            unfinished: Vec::new(),
            waiting: BTreeMap::new(),
            calls: BTreeMap::new(),
            peer_buffer: 0,
            last_request: 0,
            spoke: false,
            began: now,
            heard: now,
            unsent: 0,
            partial: None,
        }
    }

    /// What is to be sent; empty if nothing is. It counts as held until [`Self::sent`].
    #[must_use = "bytes that are not sent are lost"]
    pub fn take_output(&mut self) -> Vec<u8> {
        let output = std::mem::take(&mut self.output);
        if !output.is_empty() {
            self.unsent = output.len();
        }
        output
    }

    /// What was taken is sent.
    pub fn sent(&mut self) {
        self.unsent = 0;
        self.hold();
    }

    /// Says what is held now, and whether it may be.
    fn hold(&mut self) -> bool {
        let answers = (self.output.len() + self.unsent).saturating_sub(FREE_OUTPUT);
        let unfinished: usize = self.unfinished.iter().map(Unfinished::held).sum();
        self.admission.hold(self.inbox.held() + unfinished + answers)
    }

    /// Gives up the transactions that are not to go on.
    fn keep_unfinished(&mut self, keep: impl Fn(&Unfinished) -> bool) {
        let before = self.unfinished.len();
        self.unfinished.retain(keep);
        self.admission.gave_up(before - self.unfinished.len());
    }

    /// The next time that something is over, and why.
    fn deadline(&self) -> Option<(Duration, CloseReason)> {
        if self.is_closed() {
            return None;
        }
        let Limits { session_packet, session_first_byte, session_idle, .. } = self.limits;
        // Who has not come as far as NEGOTIATE has no session to be idle in.
        let dialogue = (self.phase != Phase::Open).then_some(self.began);
        let whole = self.partial.into_iter().chain(self.unfinished.iter().map(|one| one.since));
        let slow =
            dialogue.into_iter().chain(whole).min().map(|since| (since, session_packet, CloseReason::Slow));
        let silent = (!self.spoke).then_some((self.began, session_first_byte, CloseReason::Silent));
        let idle = (self.heard, session_idle, CloseReason::Idle);
        let all = silent.into_iter().chain(slow).chain([idle]);
        all.map(|(since, after, reason)| (since.saturating_add(after), reason)).min_by_key(|(at, _)| *at)
    }

    /// Which port's rules the connection keeps.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The name of the caller, on port 139.
    pub const fn calling(&self) -> Option<NetbiosName> {
        self.calling
    }

    /// The name that was called, on port 139.
    pub const fn called(&self) -> Option<NetbiosName> {
        self.called
    }

    /// Whether the connection is over.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Says what became of a request: the status that the peer is told, unless it wanted no answer.
    pub fn answer(&mut self, id: RequestId, result: Result<usize, NtStatus>) {
        let Some((header, answer)) = self.waiting.remove(&id) else { return };
        match result {
            Ok(bytes) => self.admission.wrote(bytes),
            Err(status) => self.admission.refused(status),
        }
        if answer.one_way || self.is_closed() {
            return;
        }
        match result {
            Err(status) => self.send_status(&header, status),
            Ok(_) => {
                let parameters: &[u8] = if answer.word { &[0, 0] } else { &[] };
                match TransactionResponse::new(&[], Piece::whole(parameters), Piece::EMPTY) {
                    Ok(body) => self.send(&header, body.into()),
                    Err(_) => self.send_status(&header, NtStatus::SUCCESS),
                }
            }
        }
    }

    /// The connection is over for this reason: the peer closed it, or the node ends.
    pub fn close(&mut self, reason: CloseReason) {
        if self.is_closed() {
            return;
        }
        self.phase = Phase::Closed;
        self.admission.closed(reason);
        self.admission.gave_up(self.unfinished.len() + usize::from(self.inbox.held() > 0));
        self.unfinished = Vec::new();
        self.inbox = Inbox::new(self.framing);
        self.waiting.clear();
        self.calls.clear();
        self.admission.hold(0);
        self.events.push_back(Event::Closed(reason));
    }

    fn packet(&mut self, now: Duration, bytes: &[u8]) {
        // A message goes by its header alone, which the inbox has looked at.
        if let (Phase::Negotiate | Phase::Open, Some((&[0, ..], message))) =
            (self.phase, bytes.split_first_chunk::<{ nbss::HEADER_LEN }>())
        {
            return self.message(now, message);
        }
        let Ok(packet) = nbss::Packet::decode(bytes) else { return self.close(CloseReason::Framing) };
        match packet.body() {
            nbss::Body::Keepalive => {}
            nbss::Body::Request { called, calling, .. } if self.phase == Phase::Call => {
                let (called, calling) = (called.name, calling.name);
                if !self.config.names.contains(&called) && called != any_server() {
                    put_packet(&mut self.output, &nbss::Packet::negative(NegativeCode::CALLED_NOT_PRESENT));
                    return self.close(CloseReason::NotOurName);
                }
                self.heard = self.heard.max(now);
                self.called = Some(called);
                self.calling = Some(calling);
                self.phase = Phase::Negotiate;
                put_packet(&mut self.output, &nbss::Packet::positive());
            }
            _ => self.close(CloseReason::Unexpected),
        }
    }

    fn message(&mut self, now: Duration, bytes: &[u8]) {
        if Protocol::of(bytes) != Some(Protocol::Smb1) {
            return self.close(CloseReason::NotSmb1);
        }
        self.heard = self.heard.max(now);
        let Ok((mut header, _)) = Header::split(bytes) else { return self.close(CloseReason::Framing) };
        if header.is_reply() {
            // An answer is never answered.
            return self.admission.answer_came();
        }
        let Ok(message) = SmbMessage::decode(bytes) else {
            return self.refuse(&header, NtStatus::INVALID_SMB);
        };
        let first = message.body();
        if self.phase == Phase::Negotiate && !matches!(first, Body::NegotiateRequest(_)) {
            return self.refuse(&header, NtStatus::INVALID_SMB);
        }
        let mut answers = Vec::new();
        let mut status = NtStatus::SUCCESS;
        for (place, body) in std::iter::once(first.clone()).chain(message.chained()).enumerate() {
            let command = Header { command: body.command(), ..header };
            match self.command(now, &mut header, &body, place > 0) {
                Reply::Nothing => return,
                Reply::Status(refused) => {
                    status = refused;
                    self.admission.refused(refused);
                    answers.push(SmbMessage::status(&command, NtStatus::SUCCESS));
                    break;
                }
                Reply::Body(body) => match SmbMessage::new(command.reply(NtStatus::SUCCESS), body) {
                    Ok(answer) => answers.push(answer),
                    Err(_) => return self.send_status(&command, NtStatus::INVALID_SMB),
                },
            }
        }
        let mut head = shown(&header, status);
        if let Some(first) = answers.first_mut() {
            head.command = first.header().command;
            head.flags2.set(Flags2::UNICODE, first.header().flags2.contains(Flags2::UNICODE));
            if let Ok(with_head) = SmbMessage::new(head, first.body().clone()) {
                *first = with_head;
            }
        }
        put_message(&mut self.output, &chain(&answers));
    }

    fn command(&mut self, now: Duration, header: &mut Header, body: &Body<'_>, chained: bool) -> Reply {
        match body {
            Body::NegotiateRequest(request) if self.phase == Phase::Negotiate && !chained => {
                self.negotiate(header, request)
            }
            Body::SessionSetupRequest(request) => self.set_up(header, request),
            body => {
                if !self.users.contains(&header.uid) {
                    return Reply::Status(NtStatus::SMB_BAD_UID);
                }
                match body {
                    Body::TreeConnectRequest(request) => self.connect_tree(header, request),
                    Body::LogoffRequest(_) => {
                        let uid = header.uid;
                        self.users.retain(|user| *user != uid);
                        self.trees.retain(|(_, user)| *user != uid);
                        self.keep_unfinished(|one| one.header.uid != uid);
                        Reply::Body(Body::LogoffResponse(Logoff::new()))
                    }
                    body => {
                        if !self.trees.contains(&(header.tid, header.uid)) {
                            return Reply::Status(NtStatus::SMB_BAD_TID);
                        }
                        match body {
                            Body::TreeDisconnectRequest(_) => {
                                self.disconnect_tree(header);
                                Reply::Body(Body::empty(Command::TREE_DISCONNECT))
                            }
                            Body::TransactionRequest(request) if !chained && is_call(request.name()) => {
                                self.call(header, request)
                            }
                            Body::TransactionRequest(request) if !chained => {
                                self.transaction(now, header, request)
                            }
                            Body::TransactionSecondary(part) if !chained => self.secondary(header, part),
                            body if OPENS.contains(&body.command()) => {
                                Reply::Status(NtStatus::OBJECT_NAME_NOT_FOUND)
                            }
                            _ => Reply::Status(NtStatus::SMB_BAD_COMMAND),
                        }
                    }
                }
            }
        }
    }

    fn negotiate(&mut self, header: &Header, request: &NegotiateRequest<'_>) -> Reply {
        let Some(dialect_index) = request.index_of(NT_LM_012) else {
            return Reply::Body(NegotiateResponse::Core(NegotiateCore::new(NO_DIALECT)).into());
        };
        self.phase = Phase::Open;
        let words = NtWords {
            dialect_index,
            security_mode: SecurityMode::USER_SECURITY | SecurityMode::ENCRYPT_PASSWORDS,
            max_mpx_count: u16::try_from(self.limits.session_transactions).unwrap_or(u16::MAX),
            max_number_vcs: 1,
            max_buffer_size: MAX_BUFFER_SIZE,
            max_raw_size: 0,
            session_key: 0,
            capabilities: Capabilities::UNICODE | Capabilities::STATUS32,
            system_time: self.config.system_time,
            server_time_zone: 0,
        };
        let unicode = header.flags2.contains(Flags2::UNICODE);
        let body = string(&self.config.domain, unicode, |domain| {
            NegotiateNt::plain(words, &self.config.challenge, domain)
        });
        built(body.map(|nt| NegotiateResponse::Nt(nt).into()))
    }

    fn set_up(&mut self, header: &mut Header, request: &SessionSetupRequest<'_>) -> Reply {
        let action = match Self::log_on(request) {
            Ok(action) => action,
            Err(status) => return Reply::Status(status),
        };
        if self.users.len() >= self.limits.session_ids {
            return Reply::Status(NtStatus::INSUFFICIENT_RESOURCES);
        }
        header.uid = self.new_id();
        self.users.push(header.uid);
        self.peer_buffer = request.words().max_buffer_size;
        let unicode = header.flags2.contains(Flags2::UNICODE);
        built(string(NATIVE_OS, unicode, |os| {
            string(NATIVE_LAN_MAN, unicode, |lan_man| {
                string(&self.config.domain, unicode, |domain| {
                    SessionSetupResponse::new(action, None, os, lan_man, domain).map(Body::from)
                })
            })
        }))
    }

    /// Who the peer is: nobody, or with any account's name a guest. **The place of an authenticated session**: what a
    /// request brings to prove who it is would be held against an account here. It is not looked at.
    fn log_on(request: &SessionSetupRequest<'_>) -> Result<SessionAction, NtStatus> {
        match request.account_name() {
            Some(account) if account.is_empty() => Ok(SessionAction::empty()),
            Some(_) => Ok(SessionAction::GUEST),
            // Extended security, which was not negotiated.
            None => Err(NtStatus::INVALID_SMB),
        }
    }

    fn connect_tree(&mut self, header: &mut Header, request: &TreeConnectRequest<'_>) -> Reply {
        if request.flags().contains(TreeConnectFlags::DISCONNECT_TID) {
            self.disconnect_tree(header);
        }
        if !is_ipc(request.path()) {
            return Reply::Status(NtStatus::BAD_NETWORK_NAME);
        }
        if ![SERVICE_IPC, SERVICE_ANY].contains(&request.service()) {
            return Reply::Status(NtStatus::BAD_DEVICE_TYPE);
        }
        if self.trees.len() >= self.limits.session_ids {
            return Reply::Status(NtStatus::INSUFFICIENT_RESOURCES);
        }
        header.tid = self.new_id();
        self.trees.push((header.tid, header.uid));
        let unicode = header.flags2.contains(Flags2::UNICODE);
        built(
            TreeConnectResponse::new(OPTIONAL_SUPPORT, None, SERVICE_IPC, SmbStr::empty(unicode))
                .map(Body::from),
        )
    }

    fn disconnect_tree(&mut self, header: &Header) {
        let gone = (header.tid, header.uid);
        self.trees.retain(|tree| *tree != gone);
        self.keep_unfinished(|one| (one.header.tid, one.header.uid) != gone);
    }

    /// A UID or TID that is not in use.
    fn new_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            let id = self.last_id;
            // Few are in use, so this ends soon.
            if !matches!(id, 0 | u16::MAX)
                && !self.users.contains(&id)
                && !self.trees.iter().any(|(tree, _)| *tree == id)
            {
                return id;
            }
        }
    }

    fn refuse(&mut self, request: &Header, status: NtStatus) {
        self.admission.refused(status);
        self.send_status(request, status);
    }

    fn send_status(&mut self, request: &Header, status: NtStatus) {
        let header = shown(request, status);
        let message = SmbMessage::status(&header, header.status);
        put_message(&mut self.output, &message.to_bytes());
    }

    fn send(&mut self, request: &Header, body: Body<'_>) {
        match SmbMessage::new(shown(request, NtStatus::SUCCESS), body) {
            Ok(message) => put_message(&mut self.output, &message.to_bytes()),
            Err(_) => self.send_status(request, NtStatus::INVALID_SMB),
        }
    }
}

/// Input: bytes of the connection.
impl Machine for Server {
    type Input<'a> = &'a [u8];
    type Event = Event;

    fn handle_input(&mut self, now: Duration, mut input: &[u8]) {
        if self.is_closed() || input.is_empty() {
            return;
        }
        self.spoke = true;
        let began = self.partial.take();
        let mut whole = false;
        while !self.is_closed() {
            match self.inbox.next(&mut input) {
                Ok(Some(packet)) => {
                    whole = true;
                    self.packet(now, &packet);
                }
                Ok(None) => break,
                Err(_) => self.close(CloseReason::Framing),
            }
        }
        if self.is_closed() {
            return;
        }
        if self.inbox.held() > 0 {
            self.partial = if whole { Some(now) } else { began.or(Some(now)) };
        }
        if !self.hold() {
            self.close(CloseReason::Bytes);
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        if let Some((_, reason)) = self.deadline().filter(|(at, _)| *at <= now) {
            self.close(reason);
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.deadline().map(|(at, _)| at)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

/// A connection whose driver goes without a word leaves nothing behind.
impl Drop for Server {
    fn drop(&mut self) {
        self.close(CloseReason::Shutdown);
    }
}

/// The header of an answer, its status in the form that the request asks for.
const fn shown(request: &Header, status: NtStatus) -> Header {
    let status =
        if request.flags2.contains(Flags2::NT_STATUS) { status } else { NtStatus::from_dos(status.to_dos()) };
    let mut header = request.reply(status);
    // Neither was negotiated.
    header.flags2 = header
        .flags2
        .difference(Flags2::EXTENDED_SECURITY)
        .difference(Flags2::SMB_SECURITY_SIGNATURE)
        .difference(Flags2::SMB_SECURITY_SIGNATURE_REQUIRED);
    header
}

/// Whether a path's last part is `IPC$`; the first may be any name of this computer.
fn is_ipc(path: SmbStr<'_>) -> bool {
    let path = path.decode(crate::wire::oem::CodePage::default());
    path.rsplit('\\').next().is_some_and(|share| share.eq_ignore_ascii_case("IPC$"))
}

/// Calls `f` with `text` in the form that the message has.
fn string<T>(
    text: &str,
    unicode: bool,
    f: impl FnOnce(SmbStr<'_>) -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    if unicode { f(SmbStr::utf16(&utf16(text))?) } else { f(SmbStr::oem(text.as_bytes())?) }
}

/// What could not be built here is not understood there.
fn built(body: Result<Body<'static>, ValueError>) -> Reply {
    body.map_or(Reply::Status(NtStatus::INVALID_SMB), Reply::Body)
}
