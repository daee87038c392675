//! The NetBIOS services as machines without I/O: no socket, no clock, no randomness, no thread.
//!
//! A machine is driven by its caller: input and time go in through `handle_…`, results come out through
//! `poll_…`. Time is a [`Duration`] since any origin, the same for all calls of one
//! machine; it must not run backwards (a smaller value is taken as no time having passed).

pub mod datagram;

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

    /// The next report; `None` when there is none at present.
    fn poll_event(&mut self) -> Option<Self::Event>;
}

/// The bounds of everything that a peer can make grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Datagrams in reassembly at a time; the oldest makes room for a new one. 64.
    pub reassembly_entries: usize,
    /// Names and user data of one datagram in reassembly, in bytes. 1,024: two names of 255 bytes and 512 bytes
    /// of user data (RFC 1002 §4.4) are 1,022.
    pub reassembly_bytes: usize,
    /// Fragments of one datagram. 16; RFC 1002 never needs more than two.
    pub reassembly_fragments: usize,
    /// How long a datagram may be in reassembly: FRAGMENT_TO, 2 s (RFC 1002 §6).
    pub reassembly_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reassembly_entries: 64,
            reassembly_bytes: 1024,
            reassembly_fragments: 16,
            reassembly_timeout: Duration::from_secs(2),
        }
    }
}
