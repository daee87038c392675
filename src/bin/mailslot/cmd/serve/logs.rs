//! Logs on standard error, without repeats.

use core::fmt::{self, Write};
use core::hash::BuildHasher;
use std::collections::HashMap;
use std::hash::RandomState;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::{LogFormat, ServiceArgs};

/// How long a warning stands before the same is said again.
const PERIOD: Duration = Duration::from_secs(60);

/// Different warnings in that time; what is more is only counted.
const WARNINGS: usize = 256;

/// Marks what is said about repeats, which is never held back itself.
const ABOUT_REPEATS: &str = "mailslot::repeats";

/// Sends the program's and the library's events to standard error.
pub(super) fn start(args: &ServiceArgs) -> anyhow::Result<Repeats> {
    let filter = EnvFilter::try_new(&args.log).with_context(|| format!("--log {}", args.log))?;
    let repeats = Repeats::default();
    // The journal has a clock of its own, and a file or a pipe wants no colours.
    let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter).with(repeats.clone());
    match args.log_format {
        LogFormat::Json => {
            tracing::subscriber::set_global_default(registry.with(lines.json().flatten_event(true)))
        }
        LogFormat::Text if in_journal => {
            tracing::subscriber::set_global_default(registry.with(lines.with_ansi(false).without_time()))
        }
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            tracing::subscriber::set_global_default(registry.with(lines.with_ansi(colours)))
        }
    }
    .context("the logs")?;
    Ok(repeats)
}

/// Warnings and errors that were said not long ago.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    hasher: RandomState,
    warnings: HashMap<u64, Warning>,
    /// What had no room.
    others: u64,
}

#[derive(Debug)]
struct Warning {
    text: String,
    since: Instant,
    repeated: u64,
}

impl Repeats {
    /// Says, as long as it runs, what was repeated how often.
    pub(super) async fn tell(self) {
        let mut ticks = tokio::time::interval(PERIOD / 4);
        loop {
            ticks.tick().await;
            let (repeated, others) = self.take(Instant::now());
            for Warning { text, repeated, .. } in repeated {
                tracing::warn!(target: ABOUT_REPEATS, repeated, "repeated: {text}");
            }
            if others > 0 {
                tracing::warn!(target: ABOUT_REPEATS, others, "further warnings were not shown");
            }
        }
    }

    /// Forgets what has stood for the period; gives back what came again in it.
    fn take(&self, now: Instant) -> (Vec<Warning>, u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let old = known.warnings.extract_if(|_, warning| now.duration_since(warning.since) >= PERIOD);
        let repeated = old.map(|(_, warning)| warning).filter(|warning| warning.repeated > 0).collect();
        (repeated, std::mem::take(&mut known.others))
    }

    /// Whether a warning is to be shown now; it is counted if not.
    fn is_new(&self, text: String, now: Instant) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = known.hasher.hash_one(&text);
        if let Some(warning) = known.warnings.get_mut(&key) {
            warning.repeated += 1;
            return false;
        }
        if known.warnings.len() >= WARNINGS {
            known.others += 1;
            return false;
        }
        known.warnings.insert(key, Warning { text, since: now, repeated: 0 });
        true
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.target() == ABOUT_REPEATS {
            return true;
        }
        let mut text = Text::default();
        event.record(&mut text);
        self.is_new(text.0, Instant::now())
    }
}

/// An event in words.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Nothing fails to be written to a string.
        if field.name() == "message" {
            self.0 = format!("{value:?}{}", self.0);
        } else {
            _ = write!(self.0, " {field}={value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_shown_once_in_a_period_and_counted() {
        let repeats = Repeats::default();
        let start = Instant::now();
        assert!(repeats.is_new("no network".to_owned(), start));
        assert!(repeats.is_new("another".to_owned(), start + PERIOD / 2));
        for _ in 0..240 {
            assert!(!repeats.is_new("no network".to_owned(), start + PERIOD / 2));
        }
        assert!(repeats.take(start + PERIOD / 2).0.is_empty());
        let (repeated, others) = repeats.take(start + PERIOD);
        assert_eq!((repeated.len(), repeated[0].repeated, others), (1, 240, 0));
        assert_eq!(repeated[0].text, "no network");
        assert!(repeats.is_new("no network".to_owned(), start + PERIOD));
    }

    #[test]
    fn many_different_warnings_stay_bounded() {
        let repeats = Repeats::default();
        let now = Instant::now();
        let shown = (0..1000).filter(|number| repeats.is_new(format!("{number}"), now)).count();
        assert_eq!((shown, repeats.take(now).1), (WARNINGS, 1000 - u64::try_from(WARNINGS).unwrap()));
    }
}
