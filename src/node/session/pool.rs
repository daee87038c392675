//! Sessions of this node with others: one for each computer, kept while it is warm.

use core::net::{Ipv4Addr, SocketAddrV4};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::{Read, read, send};
use crate::node::Clock;
use crate::node::driver::{lock, sleep_until};
use crate::service::session::{
    Blocks, CallId, Client, ClientConfig, ClientEvent, ConnectFailure, Outgoing, SessionError, Target,
    WriteId,
};
use crate::service::{Limits, Machine};
use crate::wire::name::NetbiosName;

/// Writes taken up at a time before the connection is looked at.
const BATCH: usize = 64;

/// A computer, as its session is kept.
type Peer = (NetbiosName, Ipv4Addr);

type Result<T = Target> = core::result::Result<T, SessionError>;

/// The sessions.
#[derive(Debug)]
pub(in crate::node) struct Pool {
    clock: Clock,
    limits: Limits,
    /// Orders are given under the lock, so that a task that finds none under it can go.
    peers: Mutex<HashMap<Peer, mpsc::UnboundedSender<Order>>>,
}

#[derive(Debug)]
enum Order {
    Write(Outgoing, oneshot::Sender<Result>),
    Call(Vec<u8>, oneshot::Sender<Result<(Target, Blocks)>>),
}

/// The most data that an answer may have: as much as there can be.
const MAX_DATA: u16 = u16::MAX;

impl Pool {
    pub(in crate::node) fn new(clock: Clock, limits: Limits) -> Self {
        Self { clock, limits, peers: Mutex::default() }
    }

    /// Writes a message over the session with `address`, which is made if there is none.
    pub(in crate::node) async fn write(
        self: &Arc<Self>,
        address: Ipv4Addr,
        local: Ipv4Addr,
        config: ClientConfig,
        message: Outgoing,
    ) -> Result {
        let (done, result) = oneshot::channel();
        self.order(address, local, config, Order::Write(message, done));
        // A task that goes without a word went with the runtime.
        result.await.unwrap_or(Err(SessionError::NoTarget))
    }

    /// Asks on `\PIPE\LANMAN` with this parameter block, over the same session.
    pub(in crate::node) async fn call(
        self: &Arc<Self>,
        address: Ipv4Addr,
        local: Ipv4Addr,
        config: ClientConfig,
        parameters: Vec<u8>,
    ) -> Result<(Target, Blocks)> {
        let (done, result) = oneshot::channel();
        self.order(address, local, config, Order::Call(parameters, done));
        result.await.unwrap_or(Err(SessionError::NoTarget))
    }

    fn order(self: &Arc<Self>, address: Ipv4Addr, local: Ipv4Addr, config: ClientConfig, order: Order) {
        let peer = (config.called, address);
        match lock(&self.peers).entry(peer) {
            Entry::Occupied(orders) => {
                // The task goes only after it is out of the map.
                let _ = orders.get().send(order);
            }
            Entry::Vacant(place) => {
                let (orders, queue) = mpsc::unbounded_channel();
                let _ = orders.send(order);
                place.insert(orders);
                tokio::spawn(run(Arc::clone(self), peer, local, config, queue));
            }
        }
    }

    /// Ends all sessions in the background.
    pub(in crate::node) fn shutdown(&self) {
        lock(&self.peers).clear();
    }
}

async fn run(
    pool: Arc<Pool>,
    peer: Peer,
    local: Ipv4Addr,
    config: ClientConfig,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    while let Some(order) = orders.recv().await {
        let client = Client::new(pool.clock.now(), config.clone(), pool.limits);
        let (waiting, asked) = (HashMap::new(), HashMap::new());
        let session = Session { client, clock: pool.clock, waiting, asked, used: None };
        session.run(local, order, &mut orders).await;
        let mut peers = lock(&pool.peers);
        if orders.is_empty() {
            peers.remove(&peer);
            return;
        }
    }
}

struct Session {
    client: Client,
    clock: Clock,
    waiting: HashMap<WriteId, oneshot::Sender<Result>>,
    asked: HashMap<CallId, oneshot::Sender<Result<(Target, Blocks)>>>,
    used: Option<Target>,
}

impl Session {
    /// One session from its first order to its end.
    async fn run(mut self, local: Ipv4Addr, first: Order, orders: &mut mpsc::UnboundedReceiver<Order>) {
        self.submit(first);
        let mut stream: Option<TcpStream> = None;
        loop {
            let (connect, over) = self.events();
            if let Some(target) = connect {
                stream = None;
                let alarm = self.alarm();
                tokio::select! {
                    result = open(local, target.address) => match result {
                        Ok(opened) => {
                            stream = Some(opened);
                            self.client.connected(self.clock.now());
                        }
                        Err(error) => self.client.connect_failed(self.clock.now(), failure(&error)),
                    },
                    () = sleep_until(alarm) => self.client.handle_timeout(self.clock.now()),
                }
                continue;
            }
            let output = self.client.take_output();
            if let Some(stream) = stream.as_ref().filter(|_| !output.is_empty()) {
                let alarm = self.alarm();
                let sent = tokio::select! {
                    sent = send(stream, &output) => sent.is_ok(),
                    () = sleep_until(alarm) => {
                        self.client.handle_timeout(self.clock.now());
                        false
                    }
                };
                if !sent {
                    self.client.disconnected_at(self.clock.now());
                    continue;
                }
            }
            if over {
                return;
            }
            let alarm = self.alarm();
            let takes = self.client.takes_writes();
            tokio::select! {
                order = orders.recv(), if takes => match order {
                    Some(order) => {
                        self.submit(order);
                        for _ in 1..BATCH {
                            let Ok(order) = orders.try_recv() else { break };
                            self.submit(order);
                        }
                    }
                    None => self.client.close(self.clock.now()),
                },
                had = receive(stream.as_ref(), &mut self.client, self.clock) => {
                    if matches!(had, Read::End) {
                        self.client.disconnected_at(self.clock.now());
                    }
                }
                () = sleep_until(alarm) => self.client.handle_timeout(self.clock.now()),
            }
        }
    }

    fn submit(&mut self, order: Order) {
        let now = self.clock.now();
        match order {
            Order::Write(message, done) => {
                self.waiting.insert(self.client.write(now, message), done);
            }
            Order::Call(parameters, done) => {
                self.asked.insert(self.client.call(now, parameters, MAX_DATA), done);
            }
        }
    }

    /// Whether there is a connection to open, and whether the session is over.
    fn events(&mut self) -> (Option<Target>, bool) {
        let (mut connect, mut over) = (None, false);
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connect(target) => connect = Some(target),
                ClientEvent::Ready(target) => self.used = Some(target),
                ClientEvent::Written { id, result } => {
                    if let Some(done) = self.waiting.remove(&id) {
                        let result = result.and_then(|()| self.used.ok_or(SessionError::NoTarget));
                        // Who does not wait any more does not want to know.
                        let _ = done.send(result);
                    }
                }
                ClientEvent::Answered { id, result } => {
                    if let Some(done) = self.asked.remove(&id) {
                        let used = self.used.ok_or(SessionError::NoTarget);
                        let _ = done.send(result.and_then(|blocks| Ok((used?, blocks))));
                    }
                }
                ClientEvent::Closed(error) => {
                    tracing::debug!(?error, "a session of our own has ended");
                    (connect, over) = (None, true);
                }
            }
        }
        (connect, over)
    }

    fn alarm(&self) -> Option<tokio::time::Instant> {
        let at = self.client.poll_timeout()?;
        self.clock.instant(at).map(tokio::time::Instant::from_std)
    }
}

async fn receive(stream: Option<&TcpStream>, client: &mut Client, clock: Clock) -> Read {
    let Some(stream) = stream else { return core::future::pending().await };
    match stream.readable().await {
        Ok(()) => read(stream, |bytes| client.handle_input(clock.now(), bytes)),
        Err(_) => Read::End,
    }
}

async fn open(local: Ipv4Addr, address: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddrV4::new(local, 0).into())?;
    let stream = socket.connect(address.into()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn failure(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFailure::Refused,
        _ => ConnectFailure::Other(error.to_string()),
    }
}
