//! The file that `serve` reads: the options of the command line, and slots.
//!
//! The keys of `[lan]`, `[service]` and `[browser]` are the options themselves, with `_` for `-`: a value of the file takes the place
//! of the option's default, so the environment and the command line go before it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, Args, Command, CommandFactory, FromArgMatches};
use mailslot::service::browser::Slot as BrowserSlot;
use mailslot::slot::SlotPath;
use serde::Deserialize;
use toml::Spanned;

use super::BrowserArgs;
use crate::cli::{Cli, ServeArgs, ServiceArgs};
use crate::lan::{LanArgs, local_slot};

/// What a file says.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    /// Values of options, by the option's id.
    settings: BTreeMap<String, Vec<String>>,
    pub(super) slots: Vec<SlotConfig>,
}

/// A slot and what is done with its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotConfig {
    pub(super) path: SlotPath,
    pub(super) max_message_size: u32,
    pub(super) actions: Actions,
}

/// What is done with the messages of a slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) print: bool,
    pub(super) append: Option<PathBuf>,
    /// A program and its arguments.
    pub(super) exec: Vec<OsString>,
}

/// What is wrong in a file, and where.
#[derive(Debug)]
struct Wrong {
    at: Option<Range<usize>>,
    what: String,
}

type Table = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    lan: Table,
    #[serde(default)]
    service: Table,
    #[serde(default)]
    browser: Table,
    #[serde(default)]
    slot: Vec<SlotTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotTable {
    name: Spanned<String>,
    #[serde(default)]
    max_message_size: u32,
    print: Option<bool>,
    append: Option<PathBuf>,
    exec: Option<Spanned<Vec<String>>>,
}

impl Config {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| name.to_string())?;
        Self::parse(&text).map_err(|Wrong { at, what }| match at {
            Some(at) => {
                let line = 1 + text.get(..at.start).unwrap_or_default().matches('\n').count();
                anyhow::anyhow!("{name}, line {line}: {what}")
            }
            None => anyhow::anyhow!("{name}: {what}"),
        })
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        let file: File = toml::from_str(text).map_err(|error| Wrong {
            at: error.span(),
            what: suggest(error.message().lines().next().unwrap_or_default()),
        })?;
        let mut settings = BTreeMap::new();
        take(file.lan, LanArgs::augment_args(checker()), &mut settings)?;
        take(file.service, ServiceArgs::augment_args(checker()), &mut settings)?;
        take(file.browser, BrowserArgs::augment_args(checker()), &mut settings)?;
        let mut names = BTreeSet::new();
        let mut slots = Vec::new();
        for slot in file.slot {
            let at = Some(slot.name.span());
            let path = local_slot(slot.name.get_ref())
                .map_err(|error| Wrong { at: at.clone(), what: error.to_string() })?
                .path;
            if !names.insert(path.name.clone()) {
                let what = format!("a slot '{}' is above already", path.name);
                return Err(Wrong { at, what });
            }
            let mut actions = Actions { append: slot.append, ..Actions::default() };
            if let Some(exec) = slot.exec {
                if exec.get_ref().is_empty() {
                    let what =
                        "exec needs a program: exec = [\"/usr/bin/logger\", \"-t\", \"soda\"]".to_owned();
                    return Err(Wrong { at: Some(exec.span()), what });
                }
                actions.exec = exec.into_inner().into_iter().map(OsString::from).collect();
            }
            let other = actions.append.is_some() || !actions.exec.is_empty();
            actions.print = slot.print.unwrap_or(!other);
            if !actions.print && !other {
                let what = format!("nothing is done with the messages of '{}'", path.name);
                return Err(Wrong { at, what });
            }
            slots.push(SlotConfig { path, max_message_size: slot.max_message_size, actions });
        }
        Ok(Self { settings, slots })
    }

    /// The command line again, with the file's values for what neither it nor the environment says.
    pub(super) fn arguments(&self) -> anyhow::Result<ServeArgs> {
        let settings = self.settings.clone();
        let command = Cli::command().mut_subcommand("serve", |mut serve| {
            for (id, values) in settings {
                serve = serve.mut_arg(id, |arg| arg.default_values(values));
            }
            serve
        });
        // They were read once already; what may be wrong now is how they go with the file's.
        let matches = command.try_get_matches_from(std::env::args_os())?;
        let serve = matches.subcommand_matches("serve").context("the command line is that of serve")?;
        Ok(ServeArgs::from_arg_matches(serve)?)
    }

    /// Refuses slots that the service reads itself.
    pub(super) fn check_slots(&self) -> anyhow::Result<()> {
        let is_own =
            |slot: &&SlotConfig| BrowserSlot::from_name(slot.path.name.to_string().as_bytes()).is_some();
        match self.slots.iter().find(is_own) {
            Some(slot) => anyhow::bail!(
                "the slot '{}' is the browser service's, unless [browser] has role = \"none\"",
                slot.path.name
            ),
            None => Ok(()),
        }
    }

    /// Whether a reload would need a restart to do all it should.
    pub(super) fn needs_restart(&self, other: &Self) -> bool {
        self.settings != other.settings
    }
}

/// A command that takes nothing but one option.
fn checker() -> Command {
    Command::new("mailslot").no_binary_name(true).disable_help_flag(true)
}

/// Takes the values of a table over, each one that its option takes.
fn take(
    table: Table,
    mut options: Command,
    settings: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), Wrong> {
    // What the environment says has been looked at.
    let ids: Vec<String> = options.get_arguments().map(|option| option.get_id().to_string()).collect();
    for id in &ids {
        options = options.mut_arg(id, |option| option.env(None::<&str>));
    }
    for (key, value) in table {
        let Some(option) = options.get_arguments().find(|option| option.get_id().as_str() == key.get_ref())
        else {
            let known: Vec<&str> = ids.iter().map(String::as_str).collect();
            return Err(Wrong { at: Some(key.span()), what: unknown(key.get_ref(), &known) });
        };
        let at = Some(value.span());
        let values = texts(value.into_inner(), option)
            .map_err(|what| Wrong { at: at.clone(), what: format!("{} {what}", key.get_ref()) })?;
        let long = option.get_long().unwrap_or_default();
        let given = values.iter().map(|value| format!("--{long}={value}"));
        if let Err(error) = options.clone().try_get_matches_from(given) {
            return Err(Wrong { at, what: first_line(&error) });
        }
        settings.insert(key.into_inner(), values);
    }
    Ok(())
}

/// A value as the command line would have it.
fn texts(value: toml::Value, option: &Arg) -> Result<Vec<String>, String> {
    let many = matches!(option.get_action(), clap::ArgAction::Append);
    let one = |value: toml::Value| match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(on) => Ok(on.to_string()),
        other => Err(format!("takes no {}", other.type_str())),
    };
    match value {
        toml::Value::Array(values) if many => values.into_iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

/// What is wrong, without advice about the command line; with the values that there are, if they are few.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match lines.next().map(str::trim).filter(|values| values.starts_with("[possible values:")) {
        Some(values) => format!("{line} {values}"),
        None => line.to_owned(),
    }
}

/// serde's words for an unknown key, with the one that was probably meant.
fn suggest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field "), quoted.next()) {
        (true, Some(key)) => unknown(key, &quoted.collect::<Vec<_>>()),
        _ => message.to_owned(),
    }
}

fn unknown(key: &str, known: &[&str]) -> String {
    // As clap does it.
    let near = known.iter().map(|known| (strsim::jaro(key, known), known)).filter(|(near, _)| *near > 0.7);
    match near.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, near)) => format!("there is no key '{key}'; did you mean '{near}'?"),
        None => format!("there is no key '{key}'; there are {}", known.join(", ")),
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        if self.print {
            said.push("printed".to_owned());
        }
        if let Some(file) = &self.append {
            said.push(format!("appended to {}", file.display()));
        }
        if let Some(program) = self.exec.first() {
            said.push(format!("given to {}", program.to_string_lossy()));
        }
        f.write_str(&said.join(", "))
    }
}
