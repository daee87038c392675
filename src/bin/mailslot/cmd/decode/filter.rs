//! Which datagrams are shown.

use anyhow::Context;
use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use mailslot::wire::smb::MAILSLOT_PREFIX;

use super::datagram::Decoded;
use super::record::Record;
use crate::cli::{DecodeArgs, NamePattern};

/// `--slot`, `--name` and `--command`: each must match if it is given, with any of its values.
pub(super) struct Filter {
    slots: Option<GlobSet>,
    names: Vec<NamePattern>,
    commands: Vec<String>,
}

impl Filter {
    pub(super) fn new(args: &DecodeArgs) -> anyhow::Result<Self> {
        let names: anyhow::Result<_> = args.name.iter().map(|name| NamePattern::parse(name)).collect();
        Ok(Self {
            slots: slot_globs(&args.slot)?,
            names: names.context("--name")?,
            commands: args.command.clone(),
        })
    }

    #[inline]
    pub(super) fn passes(&self, record: &Record<'_>) -> bool {
        let datagram = record.datagram();
        (self.slots.is_none() || datagram.is_some_and(|datagram| self.passes_slot(datagram)))
            && (self.names.is_empty() || datagram.is_some_and(|datagram| self.passes_name(datagram)))
            && (self.commands.is_empty() || datagram.is_some_and(|datagram| self.passes_command(datagram)))
    }

    fn passes_slot(&self, decoded: &Decoded<'_>) -> bool {
        let slots = self.slots.as_ref();
        slots.zip(decoded.mailslot.as_ref()).is_some_and(|(slots, write)| matches(slots, write.name()))
    }

    fn passes_name(&self, decoded: &Decoded<'_>) -> bool {
        let salvage = decoded.salvage.as_ref();
        let content = decoded.content.as_ref();
        let names = [
            content.map(|content| content.source_name),
            content.map(|content| content.destination_name),
            salvage.and_then(|salvage| salvage.source_name),
            salvage.and_then(|salvage| salvage.destination_name),
            decoded.queried_name(),
        ];
        names.into_iter().flatten().any(|name| self.names.iter().any(|pattern| pattern.matches(&name.name)))
    }

    fn passes_command(&self, decoded: &Decoded<'_>) -> bool {
        let command = decoded.command();
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

/// Whether the slot of the full name `name` (`\MAILSLOT\…`) matches.
pub(crate) fn matches(slots: &GlobSet, name: &[u8]) -> bool {
    let slot = name.get(MAILSLOT_PREFIX.len()..).unwrap_or_default();
    let slot: Vec<u8> = slot.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    slots.is_match_candidate(&Candidate::from_bytes(&slot))
}
