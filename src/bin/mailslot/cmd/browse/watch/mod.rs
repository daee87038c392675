//! `browse --watch`: the LAN as it lives, on the whole terminal.

mod computers;
mod draw;
mod elections;
mod lists;
mod log;
mod model;
mod rates;
mod screen;
mod state;
mod table;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Zoned};
use mailslot::node::{Arrived, Node};
use mailslot::service::browser::ServerName;
use mailslot::wire::name::{NetbiosName, Suffix};
use ratatui::crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::draw::Scene;
use self::model::{Bounds, Message, Model};
use self::screen::Screen;
use self::state::{Next, State};
use super::BrowseArgs;
use crate::Outcome;
use crate::lan::{self, Interrupt, Role};
use crate::text;

/// Messages that wait to be looked at; what comes beyond is only counted.
const WAITING: usize = 16_384;

/// How often the screen is drawn: at least, for ages and rates, and at most, while messages come.
const FRAME: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(100)];

pub(crate) fn run(args: &BrowseArgs) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        std::io::stdout().is_terminal(),
        "--watch draws on a terminal, and standard output is none; --passive SECONDS prints a list"
    );
    let only = match &args.of {
        Some(name) => Some(ServerName::from(&NetbiosName::new(name, Suffix::WORKSTATION)?)),
        None => None,
    };
    let (heard, messages) = mpsc::channel(WAITING);
    let missed = Arc::new(AtomicU64::new(0));
    let missing = Arc::clone(&missed);
    let builder = args.lan.builder(Role::Listener)?.overhear(move |arrived| {
        if heard.try_send(arrived.clone()).is_err() {
            missing.fetch_add(1, Ordering::Relaxed);
        }
    });
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let node = builder.start().await?;
        let mut watch = Watch::new(&node, messages, missed);
        let screen = Screen::open().context("cannot take the terminal")?;
        let result = watch.run(args, only, screen, &mut interrupt).await;
        node.shutdown().await?;
        result.map(|()| Outcome::Done)
    })
}

struct Watch<'n> {
    node: &'n Node,
    messages: mpsc::Receiver<Arrived>,
    missed: Arc<AtomicU64>,
    model: Model,
    state: State,
    /// The wall clock at the origin of the node's.
    epoch: Zoned,
}

impl<'n> Watch<'n> {
    fn new(node: &'n Node, messages: mpsc::Receiver<Arrived>, missed: Arc<AtomicU64>) -> Self {
        let now = node.clock().now();
        let wall = Zoned::now();
        let epoch = SignedDuration::try_from(now).ok().and_then(|now| wall.checked_sub(now).ok());
        let model = Model::new(now, Bounds::default());
        Self { node, messages, missed, model, state: State::new(), epoch: epoch.unwrap_or(wall) }
    }

    /// Until the user ends it. The terminal is as it was when this returns.
    async fn run(
        &mut self,
        args: &BrowseArgs,
        only: Option<ServerName>,
        mut screen: Screen,
        interrupt: &mut Interrupt,
    ) -> anyhow::Result<()> {
        let mut hangup = screen::Hangup::new()?;
        let mut events = screen::events();
        let mut gathered = Vec::new();
        let mut drawn = Instant::now();
        let mut due = drawn;
        loop {
            if due <= Instant::now() {
                self.model.missed = self.missed.load(Ordering::Relaxed);
                let place = match lan::interfaces(self.node) {
                    none if none.is_empty() => "waiting for a network interface".to_owned(),
                    interfaces => format!("on {}", text::safe(&interfaces)),
                };
                let scene = Scene {
                    model: &self.model,
                    now: self.node.clock().now(),
                    epoch: &self.epoch,
                    place: &place,
                    page: args.code_page.code_page,
                    only,
                };
                screen.draw(|buffer| draw::draw(buffer, &scene, &mut self.state))?;
                drawn = Instant::now();
                due = drawn + FRAME[0];
            }
            tokio::select! {
                event = events.recv() => match event {
                    Some(Ok(Event::Key(key))) => {
                        if self.state.key(key) == Next::Quit {
                            return Ok(());
                        }
                        due = Instant::now();
                    }
                    Some(Ok(_)) => due = Instant::now(),
                    Some(Err(error)) => return Err(error).context("cannot read the terminal"),
                    // Nobody types any more: there is nobody to look either.
                    None => return Ok(()),
                },
                count = self.messages.recv_many(&mut gathered, 1024) => {
                    if count == 0 {
                        // The node has ended.
                        return Ok(());
                    }
                    for arrived in gathered.drain(..) {
                        let Arrived { slot, source, destination, data, at, peer, .. } = &arrived;
                        let (source, destination, peer) = (*source, *destination, *peer.ip());
                        self.model.hear(*at, Message { slot, source, destination, peer, data });
                    }
                    due = due.min(drawn + FRAME[1]);
                }
                () = sleep_until(due) => {}
                () = interrupt.wait() => return Ok(()),
                () = hangup.wait() => return Ok(()),
            }
        }
    }
}
