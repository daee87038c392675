//! What a node has done.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeMap;

use super::IngressDrop;
use crate::service::browser::{Browser, Role};
use crate::service::names;
use crate::service::session::ServerStats;
use crate::slot;

/// Counters of a node since its start. Each packet received is counted once more, as what it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NodeStats {
    /// By interface, as they came up.
    pub interfaces: Vec<InterfaceStats>,
    /// Of the interfaces that went, together.
    pub gone: GoneStats,
    /// Of all slots.
    pub slots: slot::Stats,
    /// Mailslot messages written by this node.
    pub sent: SendStats,
    /// Sessions of others with this node.
    pub sessions: ServerStats,
    /// What other programs of this machine ask, over the node's socket.
    pub local: LocalStats,
    /// The browser service, while there is one.
    pub browser: Option<BrowserStats>,
}

/// Counters of what the other programs of this machine ask of a node (`node::local`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LocalStats {
    /// Connections that are open.
    pub open: usize,
    /// Connections that were let in.
    pub accepted: u64,
    /// Connections that were not, by reason; reasons that did not occur are left out.
    pub refused: BTreeMap<&'static str, u64>,
    /// Connections that the node ended for what came over them, by reason.
    pub ended: BTreeMap<&'static str, u64>,
    /// Questions about the network, by kind, whatever the answer.
    pub asked: BTreeMap<&'static str, u64>,
    /// Requests that were answered by a failure, by reason.
    pub failed: BTreeMap<&'static str, u64>,
}

/// What the browser service of a node is, and its counters since it was started. [`Self::received`] is the sum of
/// [`Self::accepted`] and all of [`Self::drops`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BrowserStats {
    /// The workgroup.
    pub workgroup: String,
    /// Its role there.
    pub role: Role,
    /// Servers of the workgroup in its list.
    pub servers: usize,
    /// Workgroups in its list of these.
    pub domains: usize,
    /// Messages to the slots of the service.
    pub received: u64,
    /// Of these, those that told or asked something.
    pub accepted: u64,
    /// Of these, announcements.
    pub announcements: u64,
    /// Messages dropped, by reason; reasons that did not occur are left out. `local` are those that programs of this
    /// computer wrote: no browser is there.
    pub drops: BTreeMap<&'static str, u64>,
    /// Messages given out to be written.
    pub written: u64,
    /// Of these, announcements.
    pub announced: u64,
    /// Of these, messages that could not be sent, or found too many on their way.
    pub unsent: u64,
    /// Servers and workgroups forgotten because they were not heard of any more.
    pub expired: u64,
    /// Elections in the workgroup, whoever stood in them.
    pub elections_seen: u64,
    /// Elections that this computer stood in.
    pub elections: u64,
    /// Of these, won.
    pub elections_won: u64,
    /// Of these, lost to a stronger one, or without an end.
    pub elections_lost: u64,
    /// How often two masters were one too many, by what was done about it.
    pub conflicts: BTreeMap<&'static str, u64>,
    /// Servers that were asked to become backups.
    pub promotions: u64,
    /// Requests for lists that were answered.
    pub lists_served: u64,
    /// Requests for lists that were not, because too many came.
    pub lists_limited: u64,
    /// Lists that were fetched.
    pub lists_fetched: u64,
    /// Lists that could not be fetched.
    pub fetches_failed: u64,
    /// Fetches not begun because too many were under way.
    pub fetches_limited: u64,
    /// Servers of fetched lists that did not find a place.
    pub fetched_full: u64,
}

impl BrowserStats {
    /// Of a machine at `now`; besides `local` messages of programs of this computer came, and `unsent` were not sent.
    pub(super) fn of(browser: &Browser, now: Duration, local: u64, unsent: u64) -> Self {
        let stats = browser.stats();
        let occurred = |counts: &mut dyn Iterator<Item = (&'static str, u64)>| {
            counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
        };
        let drops = stats.drops().map(|(reason, count)| (reason.name(), count)).chain([("local", local)]);
        let conflicts = stats.conflicts().map(|(conflict, count)| (conflict.name(), count));
        Self {
            workgroup: browser.config().workgroup().to_string(),
            role: browser.role(),
            servers: browser.servers().iter(now).count(),
            domains: browser.domains().iter(now).count(),
            received: stats.received + local,
            accepted: stats.accepted,
            announcements: stats.announcements,
            drops: occurred(&mut { drops }),
            written: stats.written,
            announced: stats.announced,
            unsent,
            expired: stats.expired,
            elections_seen: stats.elections_seen,
            elections: stats.elections,
            elections_won: stats.elections_won,
            elections_lost: stats.elections_lost,
            conflicts: occurred(&mut { conflicts }),
            promotions: stats.promotions,
            lists_served: stats.calls,
            lists_limited: stats.calls_limited,
            lists_fetched: stats.fetched,
            fetches_failed: stats.fetches_failed,
            fetches_limited: stats.fetches_limited,
            fetched_full: stats.fetched_full,
        }
    }
}

/// Counters of a node on one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InterfaceStats {
    /// The interface's name.
    pub interface: String,
    /// The node's address on it.
    pub address: Ipv4Addr,
    /// The name service.
    pub names: NameStats,
    /// The datagram service.
    pub datagrams: DatagramStats,
    /// Receive calls that the operating system refused.
    pub receive_errors: u64,
    /// Room for datagrams that wait to be read, in bytes, as the operating system granted it to the smallest of the
    /// sockets. Asked for are 4 MiB (Linux tells twice what was asked); with less, bursts lose datagrams before they
    /// are counted here.
    pub receive_buffer: usize,
}

/// Counters of a node on interfaces that it is no longer on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GoneStats {
    /// How often an interface went.
    pub interfaces: u64,
    /// The name service.
    pub names: NameStats,
    /// The datagram service.
    pub datagrams: DatagramStats,
    /// Receive calls that the operating system refused.
    pub receive_errors: u64,
}

impl GoneStats {
    /// As one more interface, called `gone`, if there was any.
    #[cfg(feature = "metrics")]
    pub(super) fn as_interface(&self) -> Option<InterfaceStats> {
        (self.interfaces > 0).then(|| InterfaceStats {
            interface: "gone".to_owned(),
            address: Ipv4Addr::UNSPECIFIED,
            names: self.names.clone(),
            datagrams: self.datagrams.clone(),
            receive_errors: self.receive_errors,
            receive_buffer: 0,
        })
    }

    pub(super) fn add(&mut self, stats: &InterfaceStats) {
        self.interfaces += 1;
        self.names.add(&stats.names);
        self.datagrams.add(&stats.datagrams);
        self.receive_errors += stats.receive_errors;
    }
}

fn add_all(to: &mut BTreeMap<&'static str, u64>, more: &BTreeMap<&'static str, u64>) {
    for (reason, count) in more {
        *to.entry(reason).or_default() += count;
    }
}

/// Counters of the name service. [`Self::received`] is the sum of what follows it up to [`Self::drops`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct NameStats {
    /// Packets received.
    pub received: u64,
    /// Name queries answered.
    pub answered_queries: u64,
    /// Node status requests answered.
    pub answered_statuses: u64,
    /// Claims of others refused.
    pub defended: u64,
    /// Claims of others given way to.
    pub yielded: u64,
    /// Responses that answered an open request.
    pub accepted: u64,
    /// Packets dropped, by reason; reasons that did not occur are left out. This node's own broadcasts, heard again,
    /// are `own_claim` and `not_ours`.
    pub drops: BTreeMap<&'static str, u64>,
    /// Packets sent.
    pub sent: u64,
    /// Packets that the operating system did not send.
    pub send_errors: u64,
}

/// Counters of the datagram service. [`Self::received`] is the sum of [`Self::delivered`], [`Self::own`],
/// [`Self::duplicates`], [`Self::fragments`], [`Self::errors`], [`Self::queries`], [`Self::broadcasts_to_p`] and all
/// of [`Self::drops`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DatagramStats {
    /// Datagrams received.
    pub received: u64,
    /// Messages put into slots.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// This node's own broadcasts, heard again. Its own slots have had the message already.
    pub own: u64,
    /// Further copies of messages.
    pub duplicates: u64,
    /// Fragments that did not make their datagram whole.
    pub fragments: u64,
    /// Error packets (RFC 1002 §4.4.3).
    pub errors: u64,
    /// Queries to a distribution server and their answers; this node is none.
    pub queries: u64,
    /// Broadcasts to a P node (RFC 1002 §5.3.2).
    pub broadcasts_to_p: u64,
    /// Datagrams dropped, by reason; reasons that did not occur are left out.
    pub drops: BTreeMap<&'static str, u64>,
    /// Datagrams in fragments that were given up, by reason. Their fragments are counted in [`Self::fragments`].
    pub given_up: BTreeMap<&'static str, u64>,
}

/// Counters of what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SendStats {
    /// Messages put into slots of this node itself.
    pub local: u64,
    /// Datagrams sent.
    pub datagrams: u64,
    /// Bytes of messages in them.
    pub bytes: u64,
    /// Messages cut (profile `nt4`).
    pub truncated: u64,
    /// Datagrams that the operating system did not send.
    pub send_errors: u64,
    /// Messages written over sessions.
    pub sessions: u64,
    /// Their bytes.
    pub session_bytes: u64,
    /// Messages that no session brought to their slots.
    pub session_errors: u64,
}

impl NameStats {
    /// All packets that were dropped.
    pub fn dropped(&self) -> u64 {
        self.drops.values().sum()
    }

    /// Whether every packet received is accounted for.
    pub fn is_complete(&self) -> bool {
        let used = self.answered_queries + self.answered_statuses + self.defended + self.yielded;
        self.received == used + self.accepted + self.dropped()
    }

    fn add(&mut self, more: &Self) {
        self.received += more.received;
        self.answered_queries += more.answered_queries;
        self.answered_statuses += more.answered_statuses;
        self.defended += more.defended;
        self.yielded += more.yielded;
        self.accepted += more.accepted;
        add_all(&mut self.drops, &more.drops);
        self.sent += more.sent;
        self.send_errors += more.send_errors;
    }

    /// Takes over the machine's counters.
    pub(super) fn copy(&mut self, stats: names::Stats) {
        self.received = stats.received;
        self.answered_queries = stats.answered_queries;
        self.answered_statuses = stats.answered_statuses;
        self.defended = stats.defended;
        self.yielded = stats.yielded;
        self.accepted = stats.accepted;
        self.drops.clear();
        self.drops.extend(
            stats.drops().filter(|(_, count)| *count > 0).map(|(reason, count)| (reason.name(), count)),
        );
    }
}

impl DatagramStats {
    /// All datagrams that were dropped.
    pub fn dropped(&self) -> u64 {
        self.drops.values().sum()
    }

    /// Whether every datagram received is accounted for.
    pub fn is_complete(&self) -> bool {
        let taken = self.delivered + self.own + self.duplicates + self.fragments;
        let others = self.errors + self.queries + self.broadcasts_to_p;
        self.received == taken + others + self.dropped()
    }

    fn add(&mut self, more: &Self) {
        self.received += more.received;
        self.delivered += more.delivered;
        self.delivered_bytes += more.delivered_bytes;
        self.own += more.own;
        self.duplicates += more.duplicates;
        self.fragments += more.fragments;
        self.errors += more.errors;
        self.queries += more.queries;
        self.broadcasts_to_p += more.broadcasts_to_p;
        add_all(&mut self.drops, &more.drops);
        add_all(&mut self.given_up, &more.given_up);
    }

    pub(super) fn drop(&mut self, reason: IngressDrop) {
        *self.drops.entry(reason.name()).or_default() += 1;
    }

    pub(super) fn give_up(&mut self, reason: IngressDrop) {
        *self.given_up.entry(reason.name()).or_default() += 1;
    }
}
