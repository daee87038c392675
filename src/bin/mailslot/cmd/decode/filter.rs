//! Which datagrams are shown.

use anyhow::Context;
use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use super::record::{Body, Record};
use crate::cli::{NamePattern, ShowArgs};

/// `--slot`, `--name` and `--command`: each must match if it is given, with any of its values.
pub(super) struct Filter {
    slots: Option<GlobSet>,
    names: Vec<NamePattern>,
    commands: Vec<String>,
}

impl Filter {
    pub(super) fn new(show: &ShowArgs) -> anyhow::Result<Self> {
        let names: anyhow::Result<_> = show.name.iter().map(|name| NamePattern::parse(name)).collect();
        Ok(Self {
            slots: slot_globs(&show.slot)?,
            names: names.context("--name")?,
            commands: show.command.clone(),
        })
    }

    /// Whether everything passes.
    pub(super) const fn is_open(&self) -> bool {
        self.slots.is_none() && self.names.is_empty() && self.commands.is_empty()
    }

    #[inline]
    pub(super) fn passes(&self, record: &Record<'_>) -> bool {
        (self.slots.is_none() || self.passes_slot(record))
            && (self.names.is_empty() || self.passes_name(record))
            && (self.commands.is_empty() || self.passes_command(record))
    }

    fn passes_slot(&self, record: &Record<'_>) -> bool {
        let Some(slots) = &self.slots else { return true };
        match &record.body {
            Body::Datagram(decoded) => {
                decoded.mailslot.as_ref().is_some_and(|write| matches(slots, write.slot()))
            }
            Body::Session(session) => session.slot().is_some_and(|slot| matches(slots, slot.as_bytes())),
            Body::NameService(_) | Body::Damaged(_) => false,
        }
    }

    fn passes_name(&self, record: &Record<'_>) -> bool {
        record.names().any(|name| self.names.iter().any(|pattern| pattern.matches(&name)))
    }

    fn passes_command(&self, record: &Record<'_>) -> bool {
        let command = record.command();
        command
            .is_some_and(|command| self.commands.iter().any(|wanted| wanted.eq_ignore_ascii_case(&command)))
    }
}

/// The patterns of `--slot`, `None` if there are none. Case does not matter, as on the wire.
pub(crate) fn slot_globs(patterns: &[String]) -> anyhow::Result<Option<GlobSet>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // Slots are matched in this form, so that `\` never stands for a separator or an escape.
        let pattern = pattern.replace('\\', "/");
        let prefix = "/mailslot/";
        let slot = match pattern.get(..prefix.len()) {
            Some(start) if start.eq_ignore_ascii_case(prefix) => {
                pattern.get(prefix.len()..).unwrap_or_default()
            }
            _ => pattern.as_str(),
        };
        let glob = GlobBuilder::new(slot).case_insensitive(true).backslash_escape(false).build();
        set.add(glob.with_context(|| format!("--slot {pattern}"))?);
    }
    Ok(Some(set.build()?))
}

/// Whether a slot's name, without `\MAILSLOT\`, matches.
pub(crate) fn matches(slots: &GlobSet, slot: &[u8]) -> bool {
    let slot: Vec<u8> = slot.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    slots.is_match_candidate(&Candidate::from_bytes(&slot))
}
