//! The list of elections and masters.

use std::time::Duration;

use mailslot::service::browser::ServerName;
use mailslot::wire::browser::Criteria;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::draw::{Scene, gap, longest};
use super::log::{Entry, What};
use super::state::{Pane, State};
use super::table::{self, Column, Frame, Row};
use crate::cmd::browse::words::{span, width, wrap};

pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
    let known: Vec<&Entry> = scene
        .model
        .log
        .entries()
        .filter(|entry| scene.only.is_none_or(|only| only == entry.workgroup))
        .filter(|entry| {
            let texts = [scene.name(entry.workgroup), what(scene, entry, true)];
            state.wants(texts.iter().map(String::as_str))
        })
        .collect();
    let gap = gap(area);
    let group = longest(known.iter().map(|entry| scene.columns(entry.workgroup)), 9, 15);
    let rest = usize::from(area.width).saturating_sub(8 + gap + group + gap);
    let columns =
        [Column::left("TIME", 8), Column::left("WORKGROUP", group), Column::left("WHAT HAPPENED", rest)];
    let frame = Frame {
        title: "Elections and masters, latest first".to_owned(),
        is_focused: state.pane == Pane::Elections,
        columns: &columns,
        gap,
        empty: "None was heard.",
    };
    let mut rows = Vec::new();
    for entry in &known {
        let style = match entry.what {
            What::Master { .. } => Style::new().fg(Color::Green),
            What::MasterLeft { .. } | What::Reset { .. } => Style::new().fg(Color::Yellow),
            _ => Style::new(),
        };
        // In short words where there is little room, and on as many lines as it takes.
        let whole = what(scene, entry, true);
        let text = if width(&whole) <= rest { whole } else { what(scene, entry, false) };
        for (index, line) in wrap(&text, rest).into_iter().enumerate() {
            let (time, group) = if index == 0 {
                (scene.time(entry.at), scene.name(entry.workgroup))
            } else {
                Default::default()
            };
            rows.push(Row { cells: vec![time, group, line], style });
        }
    }
    let row = |index: usize| rows.get(index).cloned().unwrap_or_else(|| Row::new(Vec::new()));
    table::draw(buffer, area, &frame, state.scroll(Pane::Elections), rows.len(), row);
}

/// The criteria in words: the byte of the operating system, which decides first, and the roles.
fn criteria(criteria: Criteria, long: bool) -> String {
    let mut text = format!("os {}", criteria.os().0);
    if long {
        if let Some(meaning) = criteria.os().meaning() {
            text.push_str(&format!(" ({meaning})"));
        }
        text.push_str(&format!(", version {}", criteria.browser_version()));
    }
    let roles = criteria.roles().iter_names().map(|(name, _)| match name {
        "DOMAIN_CONTROLLER" => "DC".to_owned(),
        "PDC" => "PDC".to_owned(),
        "NBNS" => "WINS".to_owned(),
        name => name.to_lowercase(),
    });
    let roles: Vec<String> = roles.collect();
    if !roles.is_empty() {
        text.push_str(&format!(", {}", roles.join(" ")));
    }
    text
}

fn what(scene: &Scene<'_>, entry: &Entry, long: bool) -> String {
    let name = |name: Option<ServerName>| name.map_or_else(|| "somebody".to_owned(), |name| scene.name(name));
    // How often, and until when.
    let times = if entry.count > 1 {
        format!(" {} times in {}", entry.count, span(entry.last.saturating_sub(entry.at)))
    } else {
        String::new()
    };
    let either = |whole: &'static str, short: &'static str| if long { whole } else { short };
    match entry.what {
        What::Candidate { name: who, criteria: rank, uptime } => {
            let up = span(Duration::from_millis(uptime.into()));
            let stands = either("stands for election", "stands");
            format!("{} {stands}{times}: up {up}, {}", name(who), criteria(rank, long))
        }
        What::Called { name: who } => {
            let name = name(who);
            if long {
                format!("{name} wants an election{times} and does not stand")
            } else {
                format!("{name} calls an election{times}")
            }
        }
        What::Master { name: who, before: Some(before) } if who == before => {
            format!("{} stays local master", scene.name(who))
        }
        What::Master { name: who, before: Some(before) } => {
            let in_place_of = either("is local master, in place of", "is master after");
            format!("{} {in_place_of} {}", scene.name(who), scene.name(before))
        }
        What::Master { name: who, before: None } => format!("{} is local master", scene.name(who)),
        What::MasterLeft { name: who } => {
            let leaves = either("leaves, there is no local master", "leaves: no local master");
            format!("{} {leaves}", scene.name(who))
        }
        What::Backup { name: who } => {
            let made = either("is to be a backup browser", "is to be a backup");
            format!("{} {made}{times}", scene.name(who))
        }
        What::Reset { name: who } => {
            let wants = either("wants browsers to be reset", "resets browsers");
            format!("{} {wants}{times}", name(who))
        }
    }
}
