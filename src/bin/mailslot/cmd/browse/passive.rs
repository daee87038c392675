//! `browse --passive`: what announces itself.

use std::time::Duration;

use mailslot::node::{Clock, Node, SlotReader};
use mailslot::service::Limits;
use mailslot::service::browser::{
    Heard, HeardComputer, HeardWorkgroup, Observer, Overheard, ServerName, Slot,
};
use mailslot::slot::{CreateOptions, Message, ReadTimeout, SlotPath};
use mailslot::wire::name::{NetbiosName, Suffix};
use tokio::time::timeout;

use super::BrowseArgs;
use super::list::{Computer, Origin, Printer, Workgroup};
use crate::Outcome;
use crate::lan::{self, Interrupt, Role};
use crate::output::note;
use crate::text;

pub(crate) fn run(args: &BrowseArgs, time: Duration) -> anyhow::Result<Outcome> {
    let builder = args.lan.builder(Role::Listener)?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let node = builder.start().await?;
        let mut ears = Ears::new(&node)?;
        if node.interfaces().is_empty() {
            note(format_args!("no network interface is up; waiting for one"));
        }
        note(format_args!("listening on {} for {} s", lan::interfaces(&node), time.as_secs_f64()));
        let listen = async {
            loop {
                let (_, message, heard) = ears.hear().await?;
                if let (true, Some(heard)) = (args.verbose, heard) {
                    say(args, &message, heard);
                }
            }
        };
        let result: anyhow::Result<()> = tokio::select! {
            result = timeout(time, listen) => result.unwrap_or(Ok(())),
            () = interrupt.wait() => Ok(()),
        };
        node.shutdown().await?;
        result?;
        let only = match &args.of {
            Some(name) => Some(ServerName::from(&NetbiosName::new(name, Suffix::WORKSTATION)?)),
            None => None,
        };
        print(args, &ears, only)
    })
}

/// The slots of the browser service, and what was heard in them.
pub(crate) struct Ears {
    slots: [(Slot, SlotReader); 2],
    clock: Clock,
    pub(crate) observer: Observer,
}

impl Ears {
    /// On a node that hears all ([`Role::Listener`]).
    pub(crate) fn new(node: &Node) -> anyhow::Result<Self> {
        let open = |slot: Slot| -> anyhow::Result<(Slot, SlotReader)> {
            let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
            Ok((slot, node.create(&SlotPath::parse(slot.path())?, options)?))
        };
        let (browse, lanman) = (open(Slot::Browse)?, open(Slot::Lanman)?);
        let observer = Observer::new(Limits::default());
        Ok(Self { slots: [browse, lanman], clock: node.clock(), observer })
    }

    /// The next message, and what it told the observer. Dropping the future loses nothing.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<(Slot, Message, Option<Heard>)> {
        let [(_, browse), (_, lanman)] = &self.slots;
        let (slot, message) = tokio::select! {
            message = browse.recv() => (Slot::Browse, message?),
            message = lanman.recv() => (Slot::Lanman, message?),
        };
        let mut told = None;
        if let (Some(source), Some(destination)) = (message.origin.source(), message.origin.destination()) {
            let peer = message.peer.map(|peer| *peer.ip());
            let heard = Overheard { slot, source, destination, peer, data: &message.data };
            // What it does not take it counts.
            told = self.observer.hear(self.clock.now(), heard).ok();
        }
        Ok((slot, message, told))
    }

    /// The time by which the observer's lists are to be read.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }
}

fn say(args: &BrowseArgs, message: &Message, heard: Heard) {
    let oem = |name: ServerName| text::oem(name.as_bytes(), args.code_page.code_page);
    let from = message.peer.map(|peer| format!(" ({})", peer.ip())).unwrap_or_default();
    match heard {
        Heard::Computer { workgroup, name } => {
            note(format_args!("{} in {}{from}", oem(name), oem(workgroup)))
        }
        Heard::Goodbye { workgroup, name } => {
            note(format_args!("{} leaves {}{from}", oem(name), oem(workgroup)));
        }
        Heard::Workgroup(name) => note(format_args!("the workgroup {}{from}", oem(name))),
        _ => {}
    }
}

/// Prints what was heard; of this workgroup only, if one is named.
pub(super) fn print(args: &BrowseArgs, ears: &Ears, only: Option<ServerName>) -> anyhow::Result<Outcome> {
    let now = ears.now();
    let is_wanted = |known: &&HeardWorkgroup| only.is_none_or(|name| name == known.name);
    let workgroups: Vec<Workgroup> = ears
        .observer
        .workgroups(now)
        .filter(is_wanted)
        .map(|known| Workgroup { name: known.name, master: known.master })
        .collect();
    let mut printer = Printer::new(args.code_page.code_page, args.json, Origin::HEARD);
    if args.domains {
        printer.workgroups(&workgroups)?;
    } else {
        for workgroup in &workgroups {
            let computers = ears.observer.computers_of(now, workgroup.name);
            let computers: Vec<Computer> = computers
                .filter(|known| args.wants(known.server_type))
                .map(|known| computer(now, known))
                .collect();
            printer.workgroup(workgroup, &computers)?;
        }
    }
    let (received, announcements) = (ears.observer.received(), ears.observer.announcements());
    let drops = ears.observer.dropped().iter().map(|(reason, count)| format!(", {} {count}", reason.name()));
    let drops: String = drops.collect();
    note(format_args!("{received} browser messages, {announcements} of them announcements{drops}"));
    Ok(if workgroups.is_empty() { Outcome::NothingMatched } else { Outcome::Done })
}

fn computer(now: Duration, known: &HeardComputer) -> Computer {
    Computer {
        name: known.name,
        workgroup: Some(known.workgroup),
        address: known.address,
        version: known.version,
        server_type: known.server_type,
        comment: known.comment.clone(),
        age: Some(now.saturating_sub(known.heard).as_secs()),
        expires_in: Some(known.expires.saturating_sub(now).as_secs()),
    }
}
