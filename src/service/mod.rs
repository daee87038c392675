//! The NetBIOS services as machines without I/O: no socket, no clock, no randomness, no thread.
//!
//! A machine is driven by its caller: input and time go in through `handle_…`, results come out through
//! `poll_…`. Time is a [`Duration`] since any origin, the same for all calls of one
//! machine; it must not run backwards (a smaller value is taken as no time having passed).

pub mod browser;
pub mod datagram;
mod ids;
pub mod names;
pub mod session;

use core::net::SocketAddrV4;
use core::time::Duration;

/// What a machine offers its driver.
pub trait Machine {
    /// What it takes in.
    type Input<'a>;
    /// What it reports.
    type Event;

    /// Takes one input that arrived at `now`.
    fn handle_input(&mut self, now: Duration, input: Self::Input<'_>);

    /// Does what is due at `now`; to be called when the time of [`Self::poll_timeout`] has come.
    fn handle_timeout(&mut self, now: Duration);

    /// When [`Self::handle_timeout`] is wanted next; `None`: not until something comes in.
    fn poll_timeout(&self) -> Option<Duration>;

    /// The next packet to send; `None` when there is none at present. To be called after every `handle_…` and after
    /// every other call that may want to send.
    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// The next report; `None` when there is none at present.
    fn poll_event(&mut self) -> Option<Self::Event>;
}

/// One UDP payload to send, from the port of the service and the interface that the machine is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two things that a socket needs")]
#[must_use = "a packet that is not sent is lost"]
pub struct Transmit {
    /// Where to; may be the broadcast address of the subnet.
    pub destination: SocketAddrV4,
    /// The payload.
    pub bytes: Vec<u8>,
}

/// The bounds of everything that a peer can make grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Datagrams in reassembly at a time; the oldest makes room for a new one. 64.
    pub reassembly_entries: usize,
    /// Names and user data of one datagram in reassembly, in bytes. 1,024: two names of 255 bytes and 512 bytes
    /// of user data (RFC 1002 §4.4) are 1,022. Bytes that come twice are held as well, up to as many again.
    pub reassembly_bytes: usize,
    /// Fragments of one datagram. 16; RFC 1002 never needs more than two.
    pub reassembly_fragments: usize,
    /// How long a datagram may be in reassembly: FRAGMENT_TO, 2 s (RFC 1002 §6).
    pub reassembly_timeout: Duration,
    /// Names that a node may have at a time. 128.
    pub local_names: usize,
    /// Name queries and node status requests without an answer at a time; one more fails at once. 512.
    pub name_queries: usize,
    /// Names in the cache; what would be forgotten soonest makes room for a new one. 1,024.
    pub name_cache_entries: usize,
    /// Addresses kept of one name. 25, as many as WINS keeps (MS-NBTE 3.2).
    pub name_addresses: usize,
    /// Packets of the name service that wait to be sent; answers beyond are dropped. 1,024.
    pub name_transmits: usize,
    /// Answers of the name service per second to one source. 200,000: a unicast query of 50 bytes draws 62 bytes,
    /// so this bounds work, not harm.
    pub name_answers_per_source: u32,
    /// Answers of the name service per second in all. 400,000.
    pub name_answers: u32,
    /// Of these, answers per second to one source that make more of little: node status, and answers to
    /// broadcasts, of which one draws an answer from every node (TA14-017A). 100.
    pub name_amplified_per_source: u32,
    /// The same per second in all. 1,000.
    pub name_amplified: u32,
    /// Sources that are told apart in counting answers; all others together count as one. 1,024.
    pub name_sources: usize,
    /// Servers in a browse list, and workgroups in the list of workgroups; one more is not taken. 16,384.
    pub browse_entries: usize,
    /// Of these, those that one address announces; one more is not taken, so that nobody keeps the list from all others.
    /// 2,048.
    pub browse_entries_per_address: usize,
    /// Local masters that a domain master remembers; one more is not taken. 512.
    pub browse_masters: usize,
    /// Browse lists that are being fetched at a time; one more is not asked for. 16.
    pub browse_fetches: usize,
    /// Browser messages per second from one address, or one name where the address is not known; and as many frames of
    /// elections. 50.
    pub browse_messages_per_source: u32,
    /// The same from all sources. 20,000, of which a quarter is for elections, and the rest for all others.
    pub browse_messages: u32,
    /// Browser messages per second that are answered. 200.
    pub browse_answers: u32,
    /// Sources that are told apart in counting browser messages; the others are only counted in all. 4,096.
    pub browse_sources: usize,
    /// Sessions that others have with this node, in all. 2,048.
    pub sessions: usize,
    /// Of these, with one address. 1,024: behind one address there may be many computers, but none takes all.
    pub sessions_per_address: usize,
    /// Bytes held for all sessions together: packets and transactions that are not whole yet, and answers that are not
    /// taken, beyond 4 KiB of these for each session. 16 MiB.
    pub session_bytes: usize,
    /// Of these, for the sessions with one address. 8 MiB: none takes all.
    pub session_bytes_per_address: usize,
    /// Transactions in assembly on one session, and MaxMpxCount as others are told. 50.
    pub session_transactions: usize,
    /// Parts of one transaction that do not join one another, as they have come so far. 16.
    pub session_pieces: usize,
    /// User sessions, and trees, of one connection. 16.
    pub session_ids: usize,
    /// Bytes of a slot's name, as it comes over a session. 1,024.
    pub session_name_bytes: usize,
    /// How long a new connection may say nothing. 10 s.
    pub session_first_byte: Duration,
    /// How long a packet or a transaction may take from its first byte to its last, a new connection to NEGOTIATE, and
    /// answers to be taken. 30 s.
    pub session_packet: Duration,
    /// How long a session may say nothing. 5 min.
    pub session_idle: Duration,
    /// Writes in flight on one session of this node's own; fewer where the peer takes fewer. 50.
    pub session_writes: usize,
    /// How long a TCP connection may take to come about. 5 s.
    pub session_connect: Duration,
    /// How long the peer may take for each answer. 10 s.
    pub session_step: Duration,
    /// How long an own session is kept after its last write. 15 s.
    pub session_keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reassembly_entries: 64,
            reassembly_bytes: 1024,
            reassembly_fragments: 16,
            reassembly_timeout: Duration::from_secs(2),
            local_names: 128,
            name_queries: 512,
            name_cache_entries: 1024,
            name_addresses: 25,
            name_transmits: 1024,
            name_answers_per_source: 200_000,
            name_answers: 400_000,
            name_amplified_per_source: 100,
            name_amplified: 1000,
            name_sources: 1024,
            browse_entries: 16_384,
            browse_entries_per_address: 2_048,
            browse_masters: 512,
            browse_fetches: 16,
            browse_messages_per_source: 50,
            browse_messages: 20_000,
            browse_answers: 200,
            browse_sources: 4096,
            sessions: 2048,
            sessions_per_address: 1024,
            session_bytes: 16 << 20,
            session_bytes_per_address: 8 << 20,
            session_transactions: 50,
            session_pieces: 16,
            session_ids: 16,
            session_name_bytes: 1024,
            session_first_byte: Duration::from_secs(10),
            session_packet: Duration::from_secs(30),
            session_idle: Duration::from_secs(300),
            session_writes: 50,
            session_connect: Duration::from_secs(5),
            session_step: Duration::from_secs(10),
            session_keep: Duration::from_secs(15),
        }
    }
}
