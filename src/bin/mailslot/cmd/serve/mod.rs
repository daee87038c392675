//! `mailslot serve`: the node as a service.

mod browser;
mod config;
mod logs;
mod slots;
mod socket;

use core::future::pending;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use mailslot::node::{Node, metrics};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use self::browser::BrowserArgs;
use self::config::Config;
use self::slots::Slots;
use crate::Outcome;
use crate::cli::ServeArgs;
use crate::files;
use crate::lan::{self, Interrupt, Role};

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<Outcome> {
    let file = args.config.as_deref();
    let config = file.map(Config::read).transpose()?.unwrap_or_default();
    let args = config.arguments().map_err(|error| match file {
        Some(file) => error.context(file.display().to_string()),
        None => error,
    })?;
    let builder = args.lan.builder(Role::Member)?;
    args.browser.check(args.code_page.code_page)?;
    if args.browser.is_there() {
        config.check_slots()?;
    }
    if args.check {
        return Ok(Outcome::Done);
    }
    lan::runtime()?.block_on(async {
        // First of all: a signal that comes early is not to end the program.
        let mut signals = Signals { hang_up: signal(SignalKind::hangup())?, interrupt: Interrupt::new()? };
        tokio::spawn(logs::start(&args.service)?.tell());
        let (files, needed) = (files::raise_limit(), files::needed());
        if files < needed {
            tracing::warn!(
                files,
                needed,
                "fewer files may be open than sessions and handles need; LimitNOFILE= of the unit, or `ulimit -n`, allows more"
            );
        }
        let pages = match args.service.metrics {
            Some(at) => {
                Some(TcpListener::bind(at).await.with_context(|| format!("cannot serve metrics on {at}"))?)
            }
            None => None,
        };
        let place = socket::place(&args.service)?;
        let node = builder.start().await?;
        if let Some(listener) = pages {
            let at = listener.local_addr()?;
            tracing::info!("metrics on http://{at}/metrics, health on http://{at}/health");
            tokio::spawn(metrics::serve(node.clone(), listener));
        }
        let page = args.code_page.code_page;
        let browser = args.browser.start(&node, page, args.lan.uses_name_server())?;
        let mut slots = Slots::new(node.clone(), page);
        for slot in &config.slots {
            slots.open(slot).with_context(|| format!("the slot '{}'", slot.path.name))?;
        }
        // After the slots of the file, which are not to be somebody else's.
        let socket = place.map(|place| place.open(node.clone()));
        let result = serve(&node, &mut slots, config, file, &mut signals).await;
        notify(&[NotifyState::Stopping]);
        // A second signal does not wait for it.
        let end = async {
            if let Some(socket) = socket {
                socket.close().await;
            }
            if let Some(browser) = browser {
                browser.stop().await;
            }
            slots.close().await;
            // It ends because it was told to.
            _ = node.shutdown().await;
        };
        tokio::select! {
            () = end => tracing::info!("the names are given up"),
            () = signals.interrupt.wait() => tracing::warn!("ended without giving everything up"),
        }
        result.map(|()| Outcome::Done)
    })
}

struct Signals {
    hang_up: Signal,
    interrupt: Interrupt,
}

/// Runs until a signal says so.
async fn serve(
    node: &Node,
    slots: &mut Slots,
    mut config: Config,
    file: Option<&Path>,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let mut watchdog = Watchdog::new();
    if node.interfaces().is_empty() {
        tracing::warn!("no network interface is up; waiting for one");
        notify(&[NotifyState::Status("waiting for a network interface")]);
    }
    let ready = node.ready();
    tokio::pin!(ready);
    let mut is_ready = false;
    loop {
        tokio::select! {
            result = &mut ready, if !is_ready => {
                result?;
                is_ready = true;
                let status = format!("{} in {} on {}", node.name(), node.workgroup(), lan::interfaces(node));
                tracing::info!("ready as {status}");
                notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
            }
            hang_up = signals.hang_up.recv() => {
                if hang_up.is_none() {
                    return Ok(());
                }
                let mut states = vec![NotifyState::Reloading];
                states.extend(NotifyState::monotonic_usec_now());
                notify(&states);
                reload(slots, &mut config, file).await;
                if is_ready {
                    notify(&[NotifyState::Ready]);
                }
            }
            () = watchdog.due() => notify(&[NotifyState::Watchdog]),
            () = signals.interrupt.wait() => return Ok(()),
        }
    }
}

async fn reload(slots: &mut Slots, config: &mut Config, file: Option<&Path>) {
    let Some(file) = file else {
        return tracing::warn!("SIGHUP: there is no file to read again (--config)");
    };
    match Config::read(file) {
        Ok(new) => {
            slots.change(&new.slots).await;
            if new.needs_restart(config) {
                tracing::warn!(
                    "[lan], [service] or [browser] has changed: that takes a restart; the slots are as in the file"
                );
            }
            // What takes a restart is compared with what was started with.
            config.slots = new.slots;
            tracing::info!(file = %file.display(), "reloaded");
        }
        Err(error) => {
            let error = crate::text::safe(&format!("{error:#}"));
            tracing::error!("not reloaded, everything stays as it was: {error}");
        }
    }
}

/// Tells systemd, if it is there.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// systemd's watchdog, if it wants one.
struct Watchdog(Option<tokio::time::Interval>);

impl Watchdog {
    fn new() -> Self {
        let every = sd_notify::watchdog_enabled().map(|time| time / 2).filter(|time| *time > Duration::ZERO);
        Self(every.map(tokio::time::interval))
    }

    async fn due(&mut self) {
        match &mut self.0 {
            Some(ticks) => _ = ticks.tick().await,
            None => pending().await,
        }
    }
}
