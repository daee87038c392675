//! `mailslot ls` and `mailslot info`: the mailslots of this machine.

use std::io::{self, Write};

use anyhow::Result;
use globset::GlobBuilder;
use mailslot::node::local::{Admit, Client, LastSender, LocalError, SlotInfo};
use mailslot::slot::{MailslotError, ReadTimeout, SlotName, SlotPath};
use nix::unistd::{Gid, Group, Uid, User};
use serde_json::json;

use crate::Outcome;
use crate::cli::{InfoArgs, LsArgs};
use crate::text::safe;

pub(crate) fn list(args: &LsArgs) -> Result<Outcome> {
    let slots = match Client::new().slots() {
        Ok(slots) => slots,
        // Nobody listens: that is an answer.
        Err(LocalError::NoNode { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let pattern = args.pattern.as_deref();
    let pattern =
        pattern.map(|text| GlobBuilder::new(text).case_insensitive(true).backslash_escape(false).build());
    let pattern = pattern.transpose()?.map(|glob| glob.compile_matcher());
    let slots: Vec<SlotInfo> = slots
        .into_iter()
        .filter(|slot| pattern.as_ref().is_none_or(|pattern| pattern.is_match(slot.name.to_string())))
        .collect();
    let mut out = io::stdout().lock();
    if args.json {
        for slot in &slots {
            writeln!(out, "{}", object(slot))?;
        }
    } else if !slots.is_empty() {
        writeln!(
            out,
            "{:<24} {:<12} {:>8} {:>8} {:>8} LAST SENDER",
            "NAME", "OWNER", "QUEUED", "READ", "DROPPED"
        )?;
        for slot in &slots {
            writeln!(
                out,
                "{:<24} {:<12} {:>8} {:>8} {:>8} {}",
                safe(&slot.name.to_string()),
                user(slot.owner),
                slot.info.message_count,
                slot.read,
                slot.dropped,
                last_sender(slot),
            )?;
        }
    }
    out.flush()?;
    Ok(if slots.is_empty() { Outcome::NothingMatched } else { Outcome::Done })
}

pub(crate) fn info(args: &InfoArgs) -> Result<Outcome> {
    let name = name(&args.slot)?;
    let slot = match Client::new().slot(&name) {
        Ok(slot) => slot,
        Err(LocalError::Mailslot(error @ MailslotError::NotFound { .. })) => {
            crate::output::note(format_args!("{}", safe(&error.to_string())));
            return Ok(Outcome::NothingMatched);
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", object(&slot))?;
    } else {
        let next = slot.info.next_size.map_or_else(|| "none".to_owned(), |size| format!("{size} bytes"));
        let max = match slot.info.max_message_size {
            0 => "any".to_owned(),
            max => format!("{max} bytes"),
        };
        for (key, value) in [
            ("name", safe(&slot.name.to_string()).to_string()),
            ("owner", format!("{}, process {}", user(slot.owner), slot.pid)),
            ("writers", admitted(slot.admit)),
            ("largest message", max),
            ("read time-out", timeout(slot.info.read_timeout)),
            ("next message", next),
            ("queued", slot.info.message_count.to_string()),
            ("accepted", slot.accepted.to_string()),
            ("read", slot.read.to_string()),
            ("dropped", slot.dropped.to_string()),
            ("server handles", slot.servers.to_string()),
            ("last sender", last_sender(&slot)),
        ] {
            writeln!(out, "{:<16} {value}", format!("{key}:"))?;
        }
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// The name of a slot of this machine, given as such or as a path.
fn name(text: &str) -> Result<SlotName, MailslotError> {
    if text.starts_with("//") || text.starts_with(r"\\") {
        let path = SlotPath::parse(text)?;
        if !path.is_local() {
            return Err(MailslotError::RemoteOpen { path: path.to_string() });
        }
        return Ok(path.name);
    }
    SlotName::new(text)
}

fn object(slot: &SlotInfo) -> serde_json::Value {
    let last = match &slot.last_sender {
        None => serde_json::Value::Null,
        Some(LastSender::Local { user: uid, pid }) => json!({ "uid": uid, "user": user(*uid), "pid": pid }),
        Some(LastSender::Network(name)) => json!({ "name": name.to_string() }),
        Some(_) => json!({}),
    };
    json!({
        "name": slot.name.to_string(),
        "owner": user(slot.owner),
        "uid": slot.owner,
        "pid": slot.pid,
        "writers": admitted(slot.admit),
        "max_message_size": slot.info.max_message_size,
        "read_timeout": slot.info.read_timeout.as_millis(),
        "next_size": slot.info.next_size,
        "message_count": slot.info.message_count,
        "servers": slot.servers,
        "accepted": slot.accepted,
        "read": slot.read,
        "dropped": slot.dropped,
        "last_sender": last,
    })
}

fn timeout(timeout: ReadTimeout) -> String {
    match timeout {
        ReadTimeout::FOREVER => "for ever".to_owned(),
        timeout => format!("{} ms", timeout.as_millis()),
    }
}

fn user(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => user.name,
        _ => id.to_string(),
    }
}

fn admitted(admit: Admit) -> String {
    match admit {
        Admit::Default => "as the node has it".to_owned(),
        Admit::Owner => "the owner".to_owned(),
        Admit::Group(id) => match Group::from_gid(Gid::from_raw(id)) {
            Ok(Some(group)) => format!("group {}", group.name),
            _ => format!("group {id}"),
        },
        _ => "everybody".to_owned(),
    }
}

fn last_sender(slot: &SlotInfo) -> String {
    match &slot.last_sender {
        Some(LastSender::Local { user: id, pid }) => format!("{}, process {pid}", user(*id)),
        Some(LastSender::Network(name)) => safe(&name.to_string()).to_string(),
        _ => "-".to_owned(),
    }
}
