//! From the counters of a node to metrics.

use core::fmt;
use std::collections::BTreeMap;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::super::{
    BrowserStats, DatagramStats, InterfaceStats, LocalStats, NameStats, Node, NodeStats, OwnState, SendStats,
};
use crate::service::browser::Role;
use crate::service::session::ServerStats;
use crate::slot::{DropCounts, Stats};

/// What a node has counted, at one moment.
#[derive(Debug)]
pub(super) struct NodeCollector {
    stats: NodeStats,
    /// Names on interfaces, by state.
    names: Vec<(OwnState, usize)>,
    slots: usize,
}

type Labels = Vec<(&'static str, String)>;

impl NodeCollector {
    pub(super) fn of(node: &Node) -> Self {
        let own = node.names();
        let states = [
            OwnState::Registering,
            OwnState::Active,
            OwnState::Conflict,
            OwnState::Refused,
            OwnState::Releasing,
        ];
        let count = |state| (state, own.iter().filter(|own| own.state == state).count());
        Self { stats: node.stats(), names: states.map(count).to_vec(), slots: node.registry().names().len() }
    }
}

impl Collector for NodeCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        // Without a rest: what is counted later has to be shown, too.
        let NodeStats { interfaces, gone, slots, sent, sessions, local, browser } = &self.stats;
        let up = interfaces.iter().map(|interface| (labels(interface), 1));
        page.gauge("interface_up", "The node is on this interface", up)?;
        let names =
            self.names.iter().map(|(state, count)| (vec![("state", state.name().to_owned())], *count));
        page.gauge("names", "NetBIOS names, counted on each interface, by state", names)?;
        page.gauge("slots", "Mailslots that are there", [(Vec::new(), self.slots)])?;
        page.counter("interfaces_gone", "Interfaces that the node lost", [(Vec::new(), gone.interfaces)])?;
        // What was counted on them is not lost from the sums.
        let mut all = interfaces.clone();
        all.extend(gone.as_interface());
        name_service(&mut page, &all)?;
        datagram_service(&mut page, &all)?;
        slot(&mut page, slots)?;
        send(&mut page, sent)?;
        session_service(&mut page, sessions)?;
        local_programs(&mut page, local)?;
        browser.as_ref().map_or(Ok(()), |browser| browser_service(&mut page, browser))
    }
}

fn labels(interface: &InterfaceStats) -> Labels {
    vec![("interface", interface.interface.clone()), ("address", interface.address.to_string())]
}

/// A counter for each interface.
fn each(
    page: &mut Page<'_>,
    name: &str,
    help: &str,
    interfaces: &[InterfaceStats],
    count: impl Fn(&InterfaceStats) -> u64,
) -> fmt::Result {
    page.counter(name, help, interfaces.iter().map(|interface| (labels(interface), count(interface))))
}

/// A counter for each interface and each value of a further label.
fn each_by<'a>(
    page: &mut Page<'_>,
    (name, label): (&str, &'static str),
    help: &str,
    interfaces: &'a [InterfaceStats],
    counts: impl Fn(&'a InterfaceStats) -> Vec<(&'static str, u64)>,
) -> fmt::Result {
    let samples = interfaces.iter().flat_map(|interface| {
        counts(interface).into_iter().map(|(value, count)| {
            let mut labels = labels(interface);
            labels.push((label, value.to_owned()));
            (labels, count)
        })
    });
    page.counter(name, help, samples)
}

fn pairs(counts: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    counts.iter().map(|(reason, count)| (*reason, *count)).collect()
}

fn name_service(page: &mut Page<'_>, all: &[InterfaceStats]) -> fmt::Result {
    each(page, "name_packets_received", "Name service packets received", all, |on| on.names.received)?;
    let help = "Name service packets received that were of use, by what became of them";
    each_by(page, ("name_packets_handled", "outcome"), help, all, |on| {
        let NameStats {
            received: _,
            answered_queries,
            answered_statuses,
            defended,
            yielded,
            accepted,
            drops: _,
            sent: _,
            send_errors: _,
        } = &on.names;
        vec![
            ("answered_query", *answered_queries),
            ("answered_status", *answered_statuses),
            ("defended", *defended),
            ("yielded", *yielded),
            ("accepted", *accepted),
        ]
    })?;
    let help = "Name service packets received that were not of use, by reason";
    each_by(page, ("name_packets_dropped", "reason"), help, all, |on| pairs(&on.names.drops))?;
    each(page, "name_packets_sent", "Name service packets sent", all, |on| on.names.sent)?;
    let help = "Name service packets that the operating system did not send";
    each(page, "name_packets_not_sent", help, all, |on| on.names.send_errors)
}

fn datagram_service(page: &mut Page<'_>, all: &[InterfaceStats]) -> fmt::Result {
    each(page, "datagrams_received", "NetBIOS datagrams received", all, |on| on.datagrams.received)?;
    let help = "NetBIOS datagrams received that were not dropped, by what became of them";
    each_by(page, ("datagrams_handled", "outcome"), help, all, |on| {
        let DatagramStats {
            received: _,
            delivered,
            delivered_bytes: _,
            own,
            duplicates,
            fragments,
            errors,
            queries,
            broadcasts_to_p,
            drops: _,
            given_up: _,
        } = &on.datagrams;
        vec![
            ("delivered", *delivered),
            ("own", *own),
            ("duplicate", *duplicates),
            ("fragment", *fragments),
            ("error", *errors),
            ("query", *queries),
            ("broadcast_to_p", *broadcasts_to_p),
        ]
    })?;
    let help = "NetBIOS datagrams dropped, by reason";
    each_by(page, ("datagrams_dropped", "reason"), help, all, |on| pairs(&on.datagrams.drops))?;
    let help = "Datagrams in fragments that were given up, by reason";
    each_by(page, ("datagrams_given_up", "reason"), help, all, |on| pairs(&on.datagrams.given_up))?;
    let help = "Bytes of messages that datagrams put into slots";
    each(page, "datagram_delivered_bytes", help, all, |on| on.datagrams.delivered_bytes)?;
    let help = "Receive calls that the operating system refused";
    each(page, "receive_errors", help, all, |on| on.receive_errors)
}

fn slot(page: &mut Page<'_>, stats: &Stats) -> fmt::Result {
    let Stats { accepted, accepted_bytes, read, read_bytes, truncated, drops } = *stats;
    page.one("messages_accepted", "Messages put into slots", accepted)?;
    page.one("messages_accepted_bytes", "Bytes of messages put into slots", accepted_bytes)?;
    page.one("messages_read", "Messages that readers got", read)?;
    page.one("messages_read_bytes", "Bytes of messages that readers got", read_bytes)?;
    page.one("messages_truncated", "Messages put into slots and cut (profile nt4)", truncated)?;
    let DropCounts {
        no_slot,
        over_max_message_size,
        queue_messages,
        queue_bytes,
        owner_bytes,
        total_bytes,
        session_not_supported,
        write_after_close,
        unread_at_close,
    } = drops;
    let drops = [
        ("no_slot", no_slot),
        ("over_max_message_size", over_max_message_size),
        ("queue_messages", queue_messages),
        ("queue_bytes", queue_bytes),
        ("owner_bytes", owner_bytes),
        ("total_bytes", total_bytes),
        ("session_not_supported", session_not_supported),
        ("write_after_close", write_after_close),
        ("unread_at_close", unread_at_close),
    ];
    let samples = drops.map(|(reason, count)| (vec![("reason", reason.to_owned())], count));
    page.counter("messages_dropped", "Messages that no reader got, by reason", samples)
}

fn send(page: &mut Page<'_>, stats: &SendStats) -> fmt::Result {
    let SendStats {
        local,
        datagrams,
        bytes,
        truncated,
        send_errors,
        sessions,
        session_bytes,
        session_errors,
    } = *stats;
    page.one("sent_local", "Messages of this node into its own slots", local)?;
    page.one("sent_datagrams", "Datagrams with messages sent", datagrams)?;
    page.one("sent_datagram_bytes", "Bytes of messages in datagrams sent", bytes)?;
    page.one("sent_truncated", "Messages cut when they were sent (profile nt4)", truncated)?;
    page.one("send_errors", "Datagrams that the operating system did not send", send_errors)?;
    page.one("sent_session_messages", "Messages written over sessions", sessions)?;
    page.one("sent_session_bytes", "Bytes of messages written over sessions", session_bytes)?;
    page.one("sent_session_errors", "Messages that no session brought to their slots", session_errors)
}

/// Sessions of others with the node.
fn session_service(page: &mut Page<'_>, stats: &ServerStats) -> fmt::Result {
    let ServerStats {
        open,
        held,
        accepted,
        refused,
        closed,
        writes,
        write_bytes,
        calls,
        statuses,
        unfinished,
        answers,
    } = stats;
    page.gauge("sessions_open", "Sessions of others that are open", [(Vec::new(), *open)])?;
    page.gauge("session_held_bytes", "Bytes held of what is not whole yet", [(Vec::new(), *held)])?;
    page.one("sessions_accepted", "Sessions of others that were let in", *accepted)?;
    page.counter("sessions_refused", "Sessions of others that were not, by limit", by(refused, "limit"))?;
    page.counter("sessions_closed", "Sessions of others that ended, by reason", by(closed, "reason"))?;
    page.one("session_messages", "Messages that sessions put into slots", *writes)?;
    page.one("session_message_bytes", "Bytes of messages that sessions put into slots", *write_bytes)?;
    page.one("session_calls", "Remote administration requests that were answered", *calls)?;
    let help = "Requests on sessions that were refused, by status";
    page.counter("session_requests_refused", help, by(statuses, "status"))?;
    let help = "Packets and transactions that were not whole when their session ended";
    page.one("session_unfinished", help, *unfinished)?;
    page.one("session_stray_answers", "Messages on sessions that answer nothing", *answers)
}

/// Other programs of this machine.
fn local_programs(page: &mut Page<'_>, stats: &LocalStats) -> fmt::Result {
    let LocalStats { open, accepted, refused, ended, asked, failed } = stats;
    let help = "Connections of programs of this machine that are open";
    page.gauge("local_connections_open", help, [(Vec::new(), *open)])?;
    page.one(
        "local_connections_accepted",
        "Connections of programs of this machine that were let in",
        *accepted,
    )?;
    let help = "Connections of programs of this machine that were not, by reason";
    page.counter("local_connections_refused", help, by(refused, "reason"))?;
    let help = "Connections of programs of this machine that were ended for what came over them, by reason";
    page.counter("local_connections_ended", help, by(ended, "reason"))?;
    let help = "Questions of programs of this machine about the network, by kind";
    page.counter("local_questions", help, by(asked, "kind"))?;
    let help = "Requests of programs of this machine that were answered by a failure, by reason";
    page.counter("local_requests_failed", help, by(failed, "reason"))
}

/// A sample for each of the counts.
fn by(counts: &BTreeMap<&'static str, u64>, label: &'static str) -> Vec<(Labels, u64)> {
    let labelled = |(value, count): (&str, u64)| (vec![(label, value.to_owned())], count);
    pairs(counts).into_iter().map(labelled).collect()
}

/// The browser service.
fn browser_service(page: &mut Page<'_>, stats: &BrowserStats) -> fmt::Result {
    let BrowserStats {
        workgroup,
        role,
        servers,
        domains,
        received,
        accepted,
        announcements,
        drops,
        written,
        announced,
        unsent,
        expired,
        elections_seen,
        elections,
        elections_won,
        elections_lost,
        conflicts,
        promotions,
        lists_served,
        lists_limited,
        lists_fetched,
        fetches_failed,
        fetches_limited,
        fetched_full,
    } = stats;
    let of = || vec![("workgroup", workgroup.clone())];
    let roles = Role::ALL.map(|any| {
        let mut labels = of();
        labels.push(("role", any.name().to_owned()));
        (labels, usize::from(any == *role))
    });
    page.gauge("browser_role", "The browser has this role in the workgroup, on all interfaces", roles)?;
    page.gauge("browser_hosts", "Servers of the workgroup in the browse list", [(of(), *servers)])?;
    page.gauge("browser_workgroups", "Workgroups in the browse list", [(of(), *domains)])?;
    page.one("browser_elections_seen", "Elections in the workgroup", *elections_seen)?;
    page.one("browser_elections_stood", "Elections that this computer stood in", *elections)?;
    page.one("browser_elections_won", "Elections that this computer won", *elections_won)?;
    page.one("browser_elections_lost", "Elections that this computer lost", *elections_lost)?;
    let help = "Masters of the workgroup that were one too many, by what was done about it";
    page.counter("browser_conflicts", help, by(conflicts, "decision"))?;
    page.one("browser_messages_received", "Messages to the slots of the browser", *received)?;
    page.one("browser_messages_accepted", "Messages to the browser that were of use", *accepted)?;
    page.counter(
        "browser_messages_dropped",
        "Messages to the browser dropped, by reason",
        by(drops, "reason"),
    )?;
    page.one("browser_announcements_received", "Announcements that were of use", *announcements)?;
    page.one("browser_announcements_sent", "Announcements of this computer", *announced)?;
    page.one("browser_messages_sent", "Messages of the browser, announcements included", *written)?;
    page.one("browser_messages_not_sent", "Messages of the browser that could not be sent", *unsent)?;
    page.one("browser_expired", "Servers and workgroups that were not heard of any more", *expired)?;
    page.one("browser_promotions", "Servers that were asked to become backups", *promotions)?;
    page.one("browser_lists_served", "Requests for lists that were answered", *lists_served)?;
    page.one("browser_lists_refused", "Requests for lists that were not: too many came", *lists_limited)?;
    page.one("browser_lists_fetched", "Lists fetched from other browsers", *lists_fetched)?;
    page.one("browser_fetches_failed", "Lists that could not be fetched", *fetches_failed)?;
    page.one("browser_fetches_limited", "Fetches not begun: too many were under way", *fetches_limited)?;
    page.one("browser_fetched_hosts_dropped", "Entries of fetched lists without a place", *fetched_full)
}

/// The page that is being written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn one(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        self.counter(name, help, [(Vec::new(), count)])
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in samples {
            let metric = ConstCounter::new(count);
            if labels.is_empty() {
                return metric.encode(family);
            }
            metric.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, usize)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            if labels.is_empty() {
                return metric.encode(family);
            }
            metric.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
