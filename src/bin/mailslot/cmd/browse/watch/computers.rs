//! The list of computers.

use std::cmp::Reverse;

use mailslot::service::browser::HeardComputer;
use mailslot::wire::browser::ServerType;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::draw::{SMALL, Scene, WIDE, gap, longest};
use super::state::{Pane, Sort, State};
use super::table::{self, Column, Frame, Row};
use crate::cmd::browse::words::{number, role_letters, roles, short_system, shown, span, system, width};

/// Draws the list; the roles that it shows as letters.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) -> ServerType {
    let (is_wide, gap) = (area.width >= WIDE, gap(area));
    let mut known: Vec<&HeardComputer> = match scene.only {
        Some(workgroup) => scene.model.observer.computers_of(scene.now, workgroup).collect(),
        None => scene.model.observer.computers(scene.now).collect(),
    };
    if !state.filter.is_empty() {
        known.retain(|computer| {
            let texts = [
                scene.name(computer.name),
                scene.name(computer.workgroup),
                scene.oem(&computer.comment),
                roles(computer.server_type),
                system(computer.version, computer.server_type),
                computer.address.map(|address| address.to_string()).unwrap_or_default(),
            ];
            state.wants(texts.iter().map(String::as_str))
        });
    }
    match state.sort {
        // As they come.
        Sort::Workgroup => {}
        Sort::Name => known.sort_by_key(|computer| computer.name),
        Sort::Age => known.sort_by_key(|computer| Reverse(computer.heard)),
        Sort::Expiry => known.sort_by_key(|computer| computer.expires),
        Sort::System => {
            known.sort_by_key(|computer| (system(computer.version, computer.server_type), computer.name))
        }
        Sort::Address => known.sort_by_key(|computer| computer.address),
    }
    // Names are no longer than 15, but for escapes.
    let most = if is_wide { 24 } else { 15 };
    let name = longest(known.iter().map(|computer| scene.columns(computer.name)), 8, most);
    let group = longest(known.iter().map(|computer| scene.columns(computer.workgroup)), 9, most);
    let with_group = area.width >= SMALL.0;
    let system_of = |computer: &HeardComputer| {
        let of = if is_wide { system } else { short_system };
        of(computer.version, computer.server_type)
    };
    let system_width = longest(known.iter().map(|computer| system_of(computer).len()), 6, 16);
    let mut columns = vec![Column::left("COMPUTER", name)];
    if with_group {
        columns.push(Column::left("WORKGROUP", group));
    }
    columns.push(Column::left("SYSTEM", system_width));
    if is_wide {
        columns.extend([Column::left("VERSION", 7), Column::left("ADDRESS", 15)]);
        columns.extend([Column::right("AGE", 4), Column::right("EXPIRES", 7)]);
    } else {
        columns.extend([Column::right("AGE", 3), Column::right("EXP", 4)]);
    }
    let used: usize = columns.iter().map(|column| column.width + gap).sum();
    let rest = usize::from(area.width).saturating_sub(used);
    // In words, if they leave room for every comment, or for as much as comments mostly are; else in letters.
    let in_words = longest(known.iter().map(|computer| roles(computer.server_type).len()), 5, usize::MAX);
    let comment = longest(known.iter().map(|computer| width(&scene.oem(&computer.comment))), 7, 32);
    let letters = !is_wide || in_words + gap + comment > rest;
    let roles_of = |computer: &HeardComputer| {
        let of = if letters { role_letters } else { roles };
        of(computer.server_type)
    };
    let for_roles = if letters {
        longest(known.iter().map(|computer| role_letters(computer.server_type).len()), 5, 15)
    } else {
        in_words
    };
    columns.extend([
        Column::left("ROLES", for_roles.min(rest)),
        Column::left("COMMENT", rest.saturating_sub(for_roles + gap)),
    ]);

    let left = scene.model.left;
    let title = format!(
        "Computers, by {}{}",
        state.sort.name(),
        if left > 0 { format!(", {} left", number(left)) } else { String::new() }
    );
    let frame = Frame {
        title,
        is_focused: state.pane == Pane::Computers,
        columns: &columns,
        gap,
        empty: if state.filter.is_empty() {
            "None has announced itself yet. Each does every 1 to 12 minutes."
        } else {
            "None fits the filter."
        },
    };
    let row = |index: usize| {
        let Some(computer) = known.get(index) else { return Row::new(Vec::new()) };
        let mut cells = vec![scene.name(computer.name)];
        if with_group {
            cells.push(scene.name(computer.workgroup));
        }
        cells.push(system_of(computer));
        if is_wide {
            let address = computer.address.map_or_else(String::new, |address| address.to_string());
            cells.extend([computer.version.to_string(), address]);
        }
        let age = scene.now.saturating_sub(computer.heard);
        // Three periods after it was heard it is forgotten.
        let is_late = age > computer.expires.saturating_sub(computer.heard) / 3;
        let late = if is_late { '!' } else { ' ' };
        let expires = format!("{}{late}", span(computer.expires.saturating_sub(scene.now)));
        cells.extend([span(age), expires, roles_of(computer), scene.oem(&computer.comment)]);
        let mut row = Row::new(cells);
        if is_late {
            row.style = Style::new().fg(Color::Yellow);
        }
        row
    };
    table::draw(buffer, area, &frame, state.scroll(Pane::Computers), known.len(), row);
    let roles = known.iter().fold(ServerType::empty(), |all, computer| all | shown(computer.server_type));
    if letters { roles } else { ServerType::empty() }
}
