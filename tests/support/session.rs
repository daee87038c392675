//! A client and a server joined without a network, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mailslot::service::names::Subnet;
use mailslot::service::session::{
    Blocks, Call, CallId, Client, ClientConfig, ClientEvent, CloseReason, Gate, Server, ServerConfig,
    ServerEvent, SessionError, Target, WriteId,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbss::Framing;
use mailslot::wire::smb::NtStatus;

pub(crate) fn name(text: &str) -> NetbiosName {
    text.parse().expect("a name")
}

pub(crate) fn server_config() -> Arc<ServerConfig> {
    Arc::new(ServerConfig {
        names: vec![name("PC7<20>")],
        domain: "WORKGROUP".to_owned(),
        challenge: [0x11; 8],
        system_time: 0x01bf_53eb_256d_4000,
    })
}

pub(crate) fn target(framing: Framing) -> Target {
    let port = match framing {
        Framing::Session => 139,
        Framing::Direct => 445,
    };
    Target { address: format!("10.0.0.7:{port}").parse().expect("an address"), framing }
}

pub(crate) fn client_config(framings: &[Framing]) -> ClientConfig {
    ClientConfig {
        host: "PC7".to_owned(),
        called: name("PC7<20>"),
        calling: name("PC5<00>"),
        targets: framings.iter().copied().map(target).collect(),
        subnet: Some(Subnet::new([10, 0, 0, 5].into(), 24)),
        extended_security: true,
    }
}

pub(crate) fn new_server(gate: &Gate, framing: Framing) -> Server {
    let admission = gate.admit([10, 0, 0, 5].into()).expect("let in");
    Server::new(Duration::ZERO, server_config(), admission, framing)
}

/// A message that reached the server's driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
    pub(crate) priority: u16,
}

/// Parameters and data, or a status.
pub(crate) type TwoBlocks = Result<(Vec<u8>, Vec<u8>), NtStatus>;

/// Both ends and the wire between them.
pub(crate) struct Pair {
    pub(crate) gate: Gate,
    pub(crate) client: Client,
    pub(crate) server: Option<Server>,
    pub(crate) got: Vec<Got>,
    pub(crate) written: BTreeMap<WriteId, Result<(), SessionError>>,
    pub(crate) answered: BTreeMap<CallId, Result<Blocks, SessionError>>,
    pub(crate) client_closed: Option<Option<SessionError>>,
    pub(crate) server_closed: Option<CloseReason>,
    /// What the slot says to each message.
    pub(crate) slot: fn(&Got) -> Result<usize, NtStatus>,
    /// What is said to each remote administration request.
    pub(crate) pipe: fn(&Call) -> TwoBlocks,
    /// Most bytes that arrive at a time.
    pub(crate) mtu: usize,
    /// All that went over the wire, the client's and the server's bytes in turn.
    pub(crate) wire: Vec<(bool, Vec<u8>)>,
    pub(crate) now: Duration,
}

impl Pair {
    pub(crate) fn new(framing: Framing) -> Self {
        Self::with(client_config(&[framing]), Limits::default())
    }

    pub(crate) fn with(config: ClientConfig, limits: Limits) -> Self {
        Self {
            gate: Gate::new(limits),
            client: Client::new(Duration::ZERO, config, limits),
            server: None,
            got: Vec::new(),
            written: BTreeMap::new(),
            answered: BTreeMap::new(),
            client_closed: None,
            server_closed: None,
            slot: |got| Ok(got.data.len()),
            pipe: |_| Err(NtStatus::NOT_SUPPORTED),
            mtu: usize::MAX,
            wire: Vec::new(),
            now: Duration::ZERO,
        }
    }

    /// Until nothing moves.
    pub(crate) fn run(&mut self) {
        while self.step() {}
    }

    /// One exchange; whether anything moved.
    pub(crate) fn step(&mut self) -> bool {
        let mut moved = false;
        while let Some(event) = self.client.poll_event() {
            moved = true;
            match event {
                ClientEvent::Connect(target) => {
                    self.server = Some(new_server(&self.gate, target.framing));
                    self.client.connected(self.now);
                }
                ClientEvent::Written { id, result, .. } => {
                    assert!(self.written.insert(id, result).is_none(), "a write ends once");
                }
                ClientEvent::Answered { id, result, .. } => {
                    assert!(self.answered.insert(id, result).is_none(), "a request ends once");
                }
                ClientEvent::Closed(error) => self.client_closed = Some(error),
                _ => {}
            }
        }
        let Some(server) = &mut self.server else { return moved };
        let output = self.client.take_output();
        if !output.is_empty() {
            moved = true;
            for part in output.chunks(self.mtu) {
                server.handle_input(self.now, part);
            }
            self.wire.push((true, output));
        }
        while let Some(event) = server.poll_event() {
            moved = true;
            match event {
                ServerEvent::Write(write) => {
                    let name = write.name().decode(Default::default());
                    let got = Got { name, data: write.data.to_vec(), priority: write.priority };
                    server.answer(write.id, (self.slot)(&got));
                    self.got.push(got);
                }
                ServerEvent::Call(call) => {
                    let result = (self.pipe)(&call);
                    let blocks = result.as_ref().map(|(parameters, data)| (&parameters[..], &data[..]));
                    server.answer_call(call.id, blocks.map_err(|status| *status));
                }
                ServerEvent::Closed(reason) => self.server_closed = Some(reason),
                _ => {}
            }
        }
        let output = server.take_output();
        if !output.is_empty() {
            moved = true;
            for part in output.chunks(self.mtu) {
                self.client.handle_input(self.now, part);
            }
            self.wire.push((false, output));
        }
        moved
    }

    /// Lets time pass up to the next alarm of either end; whether there was one.
    pub(crate) fn alarm(&mut self) -> bool {
        let server = self.server.as_ref().and_then(Machine::poll_timeout);
        let Some(at) = self.client.poll_timeout().into_iter().chain(server).min() else { return false };
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        if let Some(server) = &mut self.server {
            server.handle_timeout(self.now);
        }
        self.run();
        true
    }
}
