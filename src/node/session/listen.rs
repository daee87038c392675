//! Connections of others, and what they write.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::time::Duration;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{Read, read, send};
use crate::node::driver::sleep_until;
use crate::node::shared::Shared;
use crate::node::{Clock, NodeError};
use crate::service::session::{Call, CloseReason, Gate, Server, ServerConfig, ServerEvent, Write};
use crate::service::{Limits, Machine};
use crate::slot::{DropReason, Incoming, Origin, Registry, SlotName};
use crate::wire::Encode;
use crate::wire::name::{NetbiosName, Suffix};
use crate::wire::nbss::Framing;
use crate::wire::smb::NtStatus;
use crate::wire::smb::rap::Answer;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long no more connections are taken when the operating system has none left to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers the request of the computer that the name is of, with at most so many bytes of data.
pub(in crate::node) type Answerer = dyn Fn(NetbiosName, &[u8], u16) -> Result<Answer, NtStatus> + Send + Sync;

/// Who answers remote administration requests.
#[derive(Default)]
pub(in crate::node) struct Administration(RwLock<Option<Arc<Answerer>>>);

impl core::fmt::Debug for Administration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Administration").field(&self.answerer().is_some()).finish()
    }
}

impl Administration {
    pub(in crate::node) fn set(&self, answerer: Option<Arc<Answerer>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = answerer;
    }

    fn answerer(&self) -> Option<Arc<Answerer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What all connections of a node share.
#[derive(Debug)]
pub(in crate::node) struct Context {
    pub(in crate::node) registry: Registry,
    pub(in crate::node) clock: Clock,
    pub(in crate::node) computer: NetbiosName,
    pub(in crate::node) domain: String,
    pub(in crate::node) limits: Limits,
    pub(in crate::node) gate: Gate,
    /// Who answers remote administration requests: the browser service, while it runs.
    pub(in crate::node) administration: Administration,
    pub(in crate::node) shared: Arc<Shared>,
}

/// The ports of one interface; they are closed, and all their sessions, when this is dropped.
#[derive(Debug, Default)]
pub(in crate::node) struct Listening {
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Listening {
    /// Listens on one more port.
    pub(in crate::node) fn listen(
        &mut self,
        context: &Arc<Context>,
        address: SocketAddrV4,
        framing: Framing,
    ) -> Result<(), NodeError> {
        let listener = listener(address).map_err(|source| NodeError::BindSession { address, source })?;
        self.tasks.push(tokio::spawn(accept(listener, framing, Arc::clone(context))));
        Ok(())
    }
}

fn listener(address: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Connections of an earlier node that linger do not keep the port.
    socket.set_reuseaddr(cfg!(unix))?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, framing: Framing, context: Arc<Context>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, SocketAddr::V4(peer))) => match context.gate.admit(*peer.ip()) {
                Ok(admission) => {
                    let config = Arc::new(config(&context));
                    let server = Server::new(context.clock.now(), config, admission, framing);
                    connections.spawn(serve(stream, server, peer, Arc::clone(&context)));
                }
                Err(reason) => tracing::debug!(%peer, %reason, "a session is not let in"),
            },
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a session cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn config(context: &Context) -> ServerConfig {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let since_1601 = since_1970.saturating_add(Duration::from_secs(11_644_473_600));
    ServerConfig {
        names: context.callable(),
        domain: context.domain.clone(),
        // Answers to it are not looked at; it only must not be one that others have tables for.
        challenge: getrandom::u64().unwrap_or_default().to_le_bytes(),
        system_time: u64::try_from(since_1601.as_nanos() / 100).unwrap_or(0),
    }
}

async fn serve(stream: TcpStream, mut server: Server, peer: SocketAddrV4, context: Arc<Context>) {
    // Answers are small and waited for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "a session's socket");
    }
    loop {
        let mut closed = false;
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Write(write) => {
                    let result = context.deliver(&server, peer, &write);
                    server.answer(write.id, result);
                }
                ServerEvent::Call(call) => {
                    let result = context.call(peer, &call);
                    let blocks = result.map(|answer| (answer.parameters.to_bytes(), answer.data));
                    server.answer_call(call.id, blocks.as_ref().map(blocks_of).map_err(|status| *status));
                }
                ServerEvent::Closed(reason) => {
                    tracing::debug!(%peer, reason = reason.name(), "a session has ended");
                    closed = true;
                }
            }
        }
        let output = server.take_output();
        if !output.is_empty() {
            // Who does not take our answers is not read from.
            let sent = tokio::time::timeout(context.limits.session_packet, send(&stream, &output)).await;
            match sent {
                Ok(Ok(())) => server.sent(),
                Ok(Err(_)) => server.close(CloseReason::Peer),
                Err(_) => server.close(CloseReason::Slow),
            }
        }
        if closed || server.is_closed() {
            return;
        }
        let alarm = server.poll_timeout().and_then(|at| context.clock.instant(at));
        tokio::select! {
            ready = stream.readable() => {
                let now = context.clock.now();
                let had = match ready {
                    Ok(()) => read(&stream, |bytes| server.handle_input(now, bytes)),
                    Err(_) => Read::End,
                };
                if matches!(had, Read::End) {
                    server.close(CloseReason::Peer);
                }
            }
            () = sleep_until(alarm.map(tokio::time::Instant::from_std)) => {
                server.handle_timeout(context.clock.now());
            }
        }
    }
}

impl Context {
    fn call(&self, peer: SocketAddrV4, call: &Call) -> Result<Answer, NtStatus> {
        let answerer = self.administration.answerer().ok_or(NtStatus::NOT_SUPPORTED)?;
        // Counted by address, not by the calling name, which is made up at will.
        answerer(name_of(*peer.ip()), &call.parameters, call.max_data)
    }

    /// What can be called: the computer, and every other unique name of this node, as a server's name and as it is.
    fn callable(&self) -> Vec<NetbiosName> {
        let own = self.shared.unique_names();
        let names = core::iter::once(self.computer).chain(own);
        let mut names: Vec<_> = names.flat_map(|name| [name.with_suffix(Suffix::SERVER), name]).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Puts a message into its slot; the bytes that it took, or what the writer is told.
    fn deliver(&self, server: &Server, peer: SocketAddrV4, write: &Write) -> Result<usize, NtStatus> {
        let slot = SlotName::from_smb(write.name()).map_err(|_| NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let source = server.calling().unwrap_or_else(|| name_of(*peer.ip()));
        let destination = server.called().unwrap_or_else(|| self.computer.with_suffix(Suffix::SERVER));
        let (source, destination) = (*source.as_bytes(), *destination.as_bytes());
        let origin = Origin::Session { framing: server.framing(), source, destination };
        let (data, at) = (write.data.clone(), self.clock.now());
        let incoming = Incoming { data, origin, at, peer: Some(peer) };
        match self.registry.deliver(&slot, incoming) {
            Ok(delivered) => Ok(delivered.bytes),
            Err(DropReason::NoSlot) => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
            Err(DropReason::SessionNotSupported) => Err(NtStatus::NOT_SUPPORTED),
            // Too large for the slot, or for what is left of it (what srv.sys says).
            Err(_) => Err(NtStatus::INSUFF_SERVER_RESOURCES),
        }
    }
}

fn blocks_of((parameters, data): &(Vec<u8>, Vec<u8>)) -> (&[u8], &[u8]) {
    (parameters, data)
}

/// On port 445 nobody says a name: the address, which always fits one, stands in its place.
fn name_of(peer: Ipv4Addr) -> NetbiosName {
    NetbiosName::from_oem(peer.to_string().as_bytes(), Suffix::WORKSTATION).unwrap_or(NetbiosName::WILDCARD)
}
