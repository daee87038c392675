//! A session's writing end to which anything is answered: never a panic, every write and every call ends exactly once, all
//! that is said is sound, and it is over in the end.

#![no_main]

use core::net::SocketAddrV4;
use core::time::Duration;
use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use mailslot::service::browser::ServerEnumClient;
use mailslot::service::names::Subnet;
use mailslot::service::session::{
    CallId, Client, ClientConfig, ClientEvent, ConnectFailure, Outgoing, Target, WriteId,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Decode;
use mailslot::wire::browser::ServerType;
use mailslot::wire::nbss::{self, Framing, Next};
use mailslot::wire::smb::SmbMessage;

/// Bytes of the writes of one run together.
const WRITES: usize = 200_000;
/// Calls of one run together.
const CALLS: u16 = 16;

// Input: ports and forms, then (what, seconds that pass, length (2 bytes), bytes).
fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let counted = allocation_counter::measure(|| World::new(first).run(rest));
    // The writes and the requests made of them, a packet that is not whole, what answers to calls have brought, and no
    // more, whatever lengths the bytes name.
    let bound = 4 * WRITES + 8 * data.len() + (128 << 10);
    assert!(counted.bytes_max <= bound as u64, "{} bytes for {}", counted.bytes_max, data.len());
});

struct World {
    client: Client,
    now: Duration,
    framing: Framing,
    connect: bool,
    over: bool,
    waiting: BTreeSet<WriteId>,
    asked: BTreeSet<CallId>,
    calls: u16,
}

impl World {
    fn new(first: u8) -> Self {
        let target =
            |framing, port| Target { address: SocketAddrV4::new([10, 0, 0, 7].into(), port), framing };
        let (old, new) = (target(Framing::Session, 139), target(Framing::Direct, 445));
        let config = ClientConfig {
            host: "PC7".to_owned(),
            called: "PC7<20>".parse().expect("a name"),
            calling: "PC5<00>".parse().expect("a name"),
            targets: [vec![old, new], vec![new], vec![old], vec![]][usize::from(first & 3)].clone(),
            subnet: (first & 4 == 0).then(|| Subnet::new([10, 0, 0, 5].into(), 24)),
            extended_security: first & 8 == 0,
        };
        let mut limits = Limits::default();
        limits.session_writes = 3;
        let now = Duration::ZERO;
        let client = Client::new(now, config, limits);
        let mut world = Self {
            client,
            now,
            framing: Framing::Session,
            connect: false,
            over: false,
            waiting: BTreeSet::new(),
            asked: BTreeSet::new(),
            calls: 0,
        };
        if first & 64 != 0 {
            world.call(u16::MAX);
        }
        world.write(first & 16 != 0, if first & 32 == 0 { 10 } else { 20_000 });
        world.see();
        world
    }

    fn write(&mut self, one_way: bool, length: usize) {
        let name = br"\MAILSLOT\soda".to_vec();
        let message = Outgoing { name, data: vec![1; length].into(), priority: 1, one_way };
        let id = self.client.write(self.now, message);
        assert!(self.waiting.insert(id));
    }

    /// Asks for the list of servers, with room for so much.
    fn call(&mut self, max_data: u16) {
        self.calls += 1;
        let id = self.client.call(self.now, list().request(), max_data);
        assert!(self.asked.insert(id));
    }

    fn run(mut self, mut rest: &[u8]) {
        let mut room = WRITES - 20_000;
        while let Some((&[what, passed, high, low], after)) = rest.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            self.now += Duration::from_secs(passed.into());
            if self.client.poll_timeout().is_some_and(|at| at <= self.now) {
                self.client.handle_timeout(self.now);
                self.see();
            }
            match what {
                0xff => self.client.disconnected_at(self.now),
                0xfe => self.client.close(self.now),
                0xfd => self.client.connect_failed(self.now, ConnectFailure::Refused),
                0xfa => {
                    // A call has only the room for its answer.
                    rest = after;
                    if self.calls < CALLS {
                        self.call(u16::from_be_bytes([high, low]));
                    }
                    self.see();
                    continue;
                }
                0xfb | 0xfc => {
                    // A write has only a length.
                    rest = after;
                    if let Some(left) = room.checked_sub(length) {
                        room = left;
                        self.write(what == 0xfb, length);
                    }
                    self.see();
                    continue;
                }
                _ => {
                    if std::mem::take(&mut self.connect) {
                        self.client.connected(self.now);
                    }
                    let (bytes, _) = after.split_at(length.min(after.len()));
                    self.client.handle_input(self.now, bytes);
                }
            }
            rest = after.split_at(length.min(after.len())).1;
            self.see();
        }
        // Without a word more it ends, and not in a circle.
        for _ in 0..64 {
            let Some(at) = self.client.poll_timeout() else { break };
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.see();
        }
        assert!(self.over && self.client.poll_timeout().is_none(), "it is not over");
        assert!(self.waiting.is_empty(), "a write has not ended");
        assert!(self.asked.is_empty(), "a call has not ended");
    }

    fn see(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connect(target) => {
                    assert!(!self.over);
                    (self.framing, self.connect) = (target.framing, true);
                }
                ClientEvent::Written { id, .. } => assert!(self.waiting.remove(&id), "a write ends once"),
                ClientEvent::Answered { id, result, .. } => {
                    assert!(self.asked.remove(&id), "a call ends once");
                    if let Ok(blocks) = result {
                        assert!(blocks.parameters.len() <= 65_535 && blocks.data.len() <= 65_535);
                        // Whatever it is, it is read or refused.
                        _ = list().take(&blocks.parameters, &blocks.data);
                    }
                }
                ClientEvent::Closed(_) => assert!(!std::mem::replace(&mut self.over, true)),
                _ => {}
            }
        }
        assert!(!self.over || !self.client.takes_writes());
        let output = self.client.take_output();
        let mut output = output.as_slice();
        while !output.is_empty() {
            let Ok(Next::Packet(length)) = nbss::next_packet(self.framing, output) else {
                panic!("no packet")
            };
            let (packet, after) = output.split_at(length);
            output = after;
            if let nbss::Body::Message(message) = nbss::Packet::decode(packet).expect("a packet").body() {
                let message = SmbMessage::decode(message).expect("a message");
                assert!(!message.header().is_reply());
            }
        }
    }
}

/// Who asks for a list, and reads it.
fn list() -> ServerEnumClient {
    ServerEnumClient::new(ServerType::all(), None, 64)
}
