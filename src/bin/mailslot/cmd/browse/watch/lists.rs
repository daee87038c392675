//! The lists of workgroups and of slots.

use std::cmp::Reverse;

use mailslot::service::browser::HeardWorkgroup;
use mailslot::slot::SlotName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::draw::{Scene, gap, longest};
use super::model::SlotCount;
use super::rates::Series;
use super::state::{Pane, State};
use super::table::{self, Column, Frame, Row};
use crate::cmd::browse::words::{clean, number, rate, width};

pub(super) fn workgroups(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
    let (observer, gap) = (&scene.model.observer, gap(area));
    let master =
        |group: &HeardWorkgroup| group.master.map_or_else(|| "-".to_owned(), |name| scene.name(name));
    let known: Vec<&HeardWorkgroup> = observer
        .workgroups(scene.now)
        .filter(|group| scene.only.is_none_or(|only| only == group.name))
        .filter(|group| state.wants([scene.name(group.name), master(group)].iter().map(String::as_str)))
        .collect();
    let rest = usize::from(area.width).saturating_sub(5 + 4 + 3 * gap);
    let name = rest.div_ceil(2).clamp(1, 15);
    let columns = [
        Column::left("WORKGROUP", name),
        Column::left("MASTER", rest.saturating_sub(name).min(15)),
        Column::right("HOSTS", 5),
        Column::right("AGE", 4),
    ];
    let frame = Frame {
        title: "Workgroups".to_owned(),
        is_focused: state.pane == Pane::Workgroups,
        columns: &columns,
        gap,
        empty: "None yet.",
    };
    let row = |index: usize| {
        let Some(group) = known.get(index) else { return Row::new(Vec::new()) };
        let hosts = observer.computers_of(scene.now, group.name).count();
        Row::new(vec![scene.name(group.name), master(group), hosts.to_string(), scene.ago(group.heard)])
    };
    table::draw(buffer, area, &frame, state.scroll(Pane::Workgroups), known.len(), row);
}

/// `▁▂▃▄▅▆▇█`: each place a second, the highest as high as it gets.
fn bars(history: &[u32]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = u64::from(history.iter().copied().max().unwrap_or(0)).max(1);
    let bar = |&count: &u32| {
        let height = (u64::from(count) * 8).div_ceil(most);
        let index = usize::try_from(height).unwrap_or(0).checked_sub(1);
        index.and_then(|index| BARS.get(index)).copied().unwrap_or(' ')
    };
    history.iter().map(bar).collect()
}

pub(super) fn slots(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
    let model = scene.model;
    let (is_wide, gap) = (area.width >= 80, gap(area));
    let way =
        |slot: &SlotCount| format!("{} > {}", scene.netbios(slot.source), scene.netbios(slot.destination));
    let mut known: Vec<(&SlotName, &SlotCount)> = model
        .slots
        .iter()
        .filter(|(name, slot)| state.wants([clean(&name.to_string()), way(slot)].iter().map(String::as_str)))
        .collect();
    known.sort_by_key(|(_, slot)| Reverse(slot.series.messages));
    let mut columns = vec![Column::right("/s", 5), Column::right("COUNT", 6)];
    if is_wide {
        columns.extend([Column::right("BYTES", 6), Column::right("AGE", 4), Column::left("LAST MINUTE", 20)]);
    }
    let used: usize = columns.iter().map(|column| column.width + gap).sum();
    let rest = usize::from(area.width).saturating_sub(used);
    let longest = longest(known.iter().map(|(name, _)| width(&clean(&name.to_string()))), 12, 32);
    let name = if is_wide { longest } else { rest };
    columns.insert(0, Column::left("SLOT", name));
    if is_wide {
        columns.push(Column::left("LAST FROM > TO", rest.saturating_sub(name + gap)));
    }
    let frame = Frame {
        title: "Slots".to_owned(),
        is_focused: state.pane == Pane::Slots,
        columns: &columns,
        gap,
        empty: "No message yet.",
    };
    let others = model.other_slots.messages > 0 && state.filter.is_empty();
    let cells = |name: String, series: &Series, age: String, way: String| {
        let per_second = rate(series.per_second(scene.now, model.started));
        let mut cells = vec![name, per_second, number(series.messages)];
        if is_wide {
            // Three seconds to a place.
            let minute = series.history(scene.now, 60);
            let thirds: Vec<u32> = minute.chunks(3).map(|three| three.iter().sum()).collect();
            cells.extend([number(series.bytes), age, bars(&thirds), way]);
        }
        Row::new(cells)
    };
    let row = |index: usize| match known.get(index) {
        Some((name, slot)) => cells(clean(&name.to_string()), &slot.series, scene.ago(slot.heard), way(slot)),
        None => cells("(others)".to_owned(), &model.other_slots, String::new(), String::new()),
    };
    let count = known.len() + usize::from(others);
    table::draw(buffer, area, &frame, state.scroll(Pane::Slots), count, row);
}
