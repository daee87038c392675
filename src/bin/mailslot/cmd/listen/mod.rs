//! `mailslot listen`: slots, and what comes into them.

mod places;
mod print;

use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use mailslot::node::{Node, SlotReader};
use mailslot::slot::{CreateOptions, MailslotError, Message, ReadTimeout};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use self::places::Places;
use self::print::Printer;
use crate::Outcome;
use crate::cli::ListenArgs;
use crate::exec::Exec;
use crate::fact::Fact;
use crate::lan::{self, Interrupt, Role};
use crate::output::{is_closed_pipe, note};
use crate::text;

/// How long programs that still run are waited for at the end.
const LAST_WAIT: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &ListenArgs) -> anyhow::Result<Outcome> {
    let places = Places::choose(args)?;
    let builder = places.on_lan().then(|| args.lan.builder(Role::Member)).transpose()?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        #[cfg(unix)]
        crate::files::raise_limit();
        let node = match builder {
            Some(builder) => Some(builder.start().await?),
            None => None,
        };
        let result = listen(args, &places, node.as_ref(), &mut interrupt).await;
        if let Some(node) = node {
            // Others learn at once that the names are free. A second Ctrl-C does not wait for it.
            tokio::select! {
                _ = node.shutdown() => {}
                () = interrupt.wait() => {}
            }
        }
        result
    })
}

async fn listen(
    args: &ListenArgs,
    places: &Places,
    node: Option<&Node>,
    interrupt: &mut Interrupt,
) -> anyhow::Result<Outcome> {
    let slots: Vec<SlotReader> =
        args.slots.iter().map(|slot| places.create(slot, node, options(args))).collect::<Result<_, _>>()?;
    if let Some(node) = node {
        match claim(args, node, interrupt).await? {
            Claim::Done => {}
            Claim::Interrupted => return Ok(Outcome::Done),
            Claim::TimedOut => {
                note(format_args!("the names were not to be had in time"));
                return Ok(Outcome::NothingMatched);
            }
        }
    }
    places.announce(args, node);
    for fault in node.iter().flat_map(|node| node.session_faults()) {
        note(format_args!("{fault}"));
    }
    let mut listener = Listener::new(args, places, slots);
    let result = listener.run(interrupt).await;
    let received = listener.printer.printed;
    let waited = listener.wait_for_programs(interrupt).await;
    match result {
        Err(error) if is_closed_pipe(&error) => Err(error),
        result => {
            report_drops(node, &listener, received);
            waited?;
            result
        }
    }
}

fn options(args: &ListenArgs) -> CreateOptions {
    CreateOptions {
        max_message_size: args.max_message_size,
        read_timeout: ReadTimeout::FOREVER,
        ..CreateOptions::default()
    }
}

enum Claim {
    Done,
    Interrupted,
    TimedOut,
}

/// Waits until the names are this node's.
async fn claim(args: &ListenArgs, node: &Node, interrupt: &mut Interrupt) -> anyhow::Result<Claim> {
    if node.interfaces().is_empty() {
        note(format_args!("no network interface is up; waiting for one"));
    }
    let ready = async {
        match args.timeout {
            Some(time) => timeout(time.max(Duration::from_secs(5)), node.ready()).await.ok(),
            None => Some(node.ready().await),
        }
    };
    tokio::select! {
        ready = ready => match ready {
            Some(result) => Ok(result.map(|()| Claim::Done)?),
            None => Ok(Claim::TimedOut),
        },
        () = interrupt.wait() => Ok(Claim::Interrupted),
    }
}

struct Listener<'a> {
    args: &'a ListenArgs,
    places: &'a Places,
    slots: Vec<SlotReader>,
    printer: Printer,
    exec: Option<Exec>,
    /// The programs that run, by the slot whose message each has.
    running: JoinSet<usize>,
    /// Slots whose program still runs: they are not read.
    busy: Vec<bool>,
    /// The slot that is looked at first, so that a busy one does not starve the others.
    first: usize,
}

impl<'a> Listener<'a> {
    fn new(args: &'a ListenArgs, places: &'a Places, slots: Vec<SlotReader>) -> Self {
        Self {
            args,
            places,
            printer: Printer::new(args),
            exec: Exec::new(&args.exec),
            running: JoinSet::new(),
            busy: vec![false; slots.len()],
            slots,
            first: 0,
        }
    }

    async fn run(&mut self, interrupt: &mut Interrupt) -> anyhow::Result<Outcome> {
        let end = self.args.timeout.and_then(|time| Instant::now().checked_add(time));
        let alarm = async {
            match end {
                Some(end) => sleep_until(end).await,
                None => pending().await,
            }
        };
        tokio::pin!(alarm);
        while self.args.count.is_none_or(|count| self.printer.printed < count) {
            // What is there is taken before anything is waited for; lines are gathered meanwhile.
            if let Some((index, message)) = self.next_at_once() {
                self.take(index, message)?;
                continue;
            }
            self.printer.flush()?;
            tokio::select! {
                (index, message) = next(&self.slots, &self.busy, self.first) => match message {
                    Err(MailslotError::NodeGone { reason }) => self.create_again(index, &reason)?,
                    message => self.take(index, message.context("reading the mailslot")?)?,
                },
                Some(done) = self.running.join_next() => self.is_free(done),
                () = &mut alarm => {
                    let enough = self.printer.printed > 0 && self.args.count.is_none();
                    return Ok(if enough { Outcome::Done } else { Outcome::NothingMatched });
                }
                () = interrupt.wait() => return Ok(Outcome::Done),
            }
        }
        self.printer.flush()?;
        Ok(Outcome::Done)
    }

    /// Its node has died, and the slot with it. What it held is lost; what is sent from now on is not.
    fn create_again(&mut self, index: usize, reason: &str) -> anyhow::Result<()> {
        let slot = self.args.slots.get(index).zip(self.slots.get_mut(index));
        let (slot, reader) = slot.context("no such mailslot")?;
        note(format_args!(
            "the node of this machine has ended: {}; creating the mailslot '{}' again",
            text::safe(reason),
            text::safe(&slot.path.name.to_string())
        ));
        *reader = self.places.create(slot, None, options(self.args))?;
        Ok(())
    }

    fn is_free(&mut self, done: Result<usize, tokio::task::JoinError>) {
        if let Some(busy) = done.ok().and_then(|slot| self.busy.get_mut(slot)) {
            *busy = false;
        }
    }

    /// A message that is there already.
    fn next_at_once(&mut self) -> Option<(usize, Message)> {
        while let Some(done) = self.running.try_join_next() {
            self.is_free(done);
        }
        order(self.slots.len(), self.first).find_map(|index| {
            let idle = !self.busy.get(index).copied().unwrap_or(true);
            let slot = self.slots.get(index).filter(|_| idle)?;
            Some((index, slot.try_recv().ok()?))
        })
    }

    fn take(&mut self, index: usize, message: Message) -> anyhow::Result<()> {
        self.first = (index + 1) % self.slots.len().max(1);
        let Some(slot) = self.slots.get(index) else { return Ok(()) };
        let fact = Fact::new(slot, message, self.printer.page);
        self.printer.print(&fact)?;
        if let Some(exec) = &self.exec {
            let program = exec.run(fact);
            self.running.spawn(async move {
                if let Err(error) = program.await {
                    note(format_args!("--exec {error}"));
                }
                index
            });
            if let Some(busy) = self.busy.get_mut(index) {
                *busy = true;
            }
        }
        Ok(())
    }

    async fn wait_for_programs(&mut self, interrupt: &mut Interrupt) -> anyhow::Result<()> {
        self.printer.flush()?;
        let all = async { while self.running.join_next().await.is_some() {} };
        tokio::select! {
            _ = timeout(LAST_WAIT, all) => {}
            () = interrupt.wait() => {}
        }
        if !self.running.is_empty() {
            note(format_args!("{} programs of --exec still run and are left alone", self.running.len()));
        }
        Ok(())
    }
}

fn order(slots: usize, first: usize) -> impl Iterator<Item = usize> {
    (first..slots).chain(0..first.min(slots))
}

/// The next message of any slot that is not busy. Dropping the future loses nothing.
async fn next(slots: &[SlotReader], busy: &[bool], first: usize) -> (usize, Result<Message, MailslotError>) {
    type Read<'a> = Pin<Box<dyn Future<Output = Result<Message, MailslotError>> + 'a>>;
    let idle =
        |(index, slot): (usize, _)| (!busy.get(index).copied().unwrap_or(true)).then_some((index, slot));
    let mut reads: Vec<(usize, Read<'_>)> = order(slots.len(), first)
        .filter_map(|index| idle((index, slots.get(index)?)))
        .map(|(index, slot)| (index, Box::pin(slot.recv()) as Read<'_>))
        .collect();
    poll_fn(|cx| {
        for (index, read) in &mut reads {
            if let Poll::Ready(result) = read.as_mut().poll(cx) {
                return Poll::Ready((*index, result));
            }
        }
        Poll::Pending
    })
    .await
}

/// What did not reach a slot, if there was anything.
fn report_drops(node: Option<&Node>, listener: &Listener<'_>, received: u64) {
    let mut lost: BTreeMap<&str, u64> = BTreeMap::new();
    let shared = listener.slots.iter().zip(&listener.args.slots);
    for (reader, _) in shared.filter(|(_, slot)| listener.places.is_shared(slot)) {
        // A node that is gone has no counters any more.
        let drops = reader.stats().map(|stats| stats.drops).unwrap_or_default();
        for (reason, count) in [
            ("over_max_message_size", drops.over_max_message_size),
            ("queue_messages", drops.queue_messages),
            ("queue_bytes", drops.queue_bytes),
            ("owner_bytes", drops.owner_bytes),
            ("total_bytes", drops.total_bytes),
        ] {
            *lost.entry(reason).or_default() += count;
        }
    }
    report(received, "messages were dropped", &lost);
    let Some(node) = node else { return };
    let stats = node.stats();
    let mut drops: BTreeMap<&str, u64> = BTreeMap::new();
    for datagrams in stats.interfaces.iter().map(|interface| &interface.datagrams) {
        for (reason, count) in datagrams.drops.iter().chain(&datagrams.given_up) {
            *drops.entry(reason).or_default() += count;
        }
    }
    let sessions = &stats.sessions;
    let ended = |reason: &str| !["peer", "shutdown", "idle"].contains(&reason);
    let broken = sessions.closed.iter().filter(|(reason, _)| ended(reason));
    let broken = broken.map(|(reason, count)| (*reason, *count)).collect();
    for (what, counts) in [
        ("datagrams were dropped", &drops),
        ("requests over sessions were refused", &sessions.statuses),
        ("sessions were dropped", &broken),
        ("sessions were not let in", &sessions.refused),
    ] {
        report(received, what, counts);
    }
}

fn report(received: u64, what: &str, counts: &BTreeMap<&str, u64>) {
    let total: u64 = counts.values().sum();
    if total > 0 {
        let reasons = counts.iter().filter(|(_, count)| **count > 0);
        let reasons: Vec<_> = reasons.map(|(reason, count)| format!("{reason} {count}")).collect();
        note(format_args!("{received} messages came; {total} {what}: {}", reasons.join(", ")));
    }
}
