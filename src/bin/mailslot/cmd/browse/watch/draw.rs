//! The screen.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::{SignedDuration, Zoned};
use mailslot::service::browser::{HeardComputer, HeardWorkgroup, ServerName};
use mailslot::slot::SlotName;
use mailslot::wire::browser::Criteria;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::log::{Entry, What};
use super::model::{Model, SlotCount};
use super::rates::Series;
use super::state::{Pane, Sort, State};
use super::table::{self, Column, Frame, Row, text_at};
use super::words::{clean, number, rate, roles, span, system, width};
use crate::text;

/// What the screen shows besides the model.
#[derive(Debug)]
pub(super) struct Scene<'s> {
    pub(super) model: &'s Model,
    pub(super) now: Duration,
    /// The wall clock at the origin of the model's time.
    pub(super) epoch: &'s Zoned,
    /// Where the node listens.
    pub(super) place: &'s str,
    pub(super) page: CodePage,
    /// Only this workgroup's computers are wanted.
    pub(super) only: Option<ServerName>,
}

/// Less than this, and only one list is shown.
const SMALL: (u16, u16) = (60, 16);

/// From so many columns on, all columns of all lists are shown.
const WIDE: u16 = 120;

pub(super) fn draw(buffer: &mut Buffer, scene: &Scene<'_>, state: &mut State) {
    let area = buffer.area;
    if area.height < 2 || area.width < 2 {
        return;
    }
    let row = |y| Rect { y, height: 1, ..area };
    header(buffer, row(area.y), scene);
    // Where every line counts, keys are not repeated.
    let foot = u16::from(area.height >= 8 || state.typing);
    if foot > 0 {
        footer(buffer, row(area.bottom() - 1), scene, state);
    }
    let body = Rect { y: area.y + 1, height: area.height - 1 - foot, ..area };
    if state.help {
        return help(buffer, body);
    }
    if state.alone || area.width < SMALL.0 || area.height < SMALL.1 {
        return pane(buffer, body, scene, state, state.pane);
    }
    for (which, area) in layout(body) {
        pane(buffer, area, scene, state, which);
    }
}

/// Computers above, workgroups beside slots, elections below.
fn layout(body: Rect) -> [(Pane, Rect); 4] {
    let middle = body.height * 6 / 22;
    let below = body.height * 6 / 22;
    let above = body.height - middle - below;
    let left = (body.width / 2).min(64);
    let at = |x, y, width, height| Rect { x: body.x + x, y: body.y + y, width, height };
    [
        (Pane::Computers, at(0, 0, body.width, above)),
        (Pane::Workgroups, at(0, above, left.saturating_sub(1), middle)),
        (Pane::Slots, at(left, above, body.width - left, middle)),
        (Pane::Elections, at(0, above + middle, body.width, below)),
    ]
}

fn pane(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State, which: Pane) {
    match which {
        Pane::Computers => computers(buffer, area, scene, state),
        Pane::Workgroups => workgroups(buffer, area, scene, state),
        Pane::Slots => slots(buffer, area, scene, state),
        Pane::Elections => elections(buffer, area, scene, state),
    }
}

impl Scene<'_> {
    fn name(&self, name: ServerName) -> String {
        self.oem(name.as_bytes())
    }

    fn oem(&self, bytes: &[u8]) -> String {
        clean(&self.page.decode(bytes))
    }

    /// Columns that a name takes.
    fn columns(&self, name: ServerName) -> usize {
        let bytes = name.as_bytes();
        let is_plain = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        if is_plain { bytes.len() } else { width(&self.oem(bytes)) }
    }

    fn netbios(&self, name: NetbiosName) -> String {
        if name == NetbiosName::MSBROWSE {
            // Without the three control characters around it.
            return "__MSBROWSE__<01>".to_owned();
        }
        clean(&text::name(&name, self.page))
    }

    fn time(&self, at: Duration) -> String {
        let at = SignedDuration::try_from(at).ok().and_then(|at| self.epoch.checked_add(at).ok());
        at.map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string())
    }

    fn ago(&self, at: Duration) -> String {
        span(self.now.saturating_sub(at))
    }
}

fn header(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let model = scene.model;
    let style = Style::new().add_modifier(Modifier::REVERSED);
    text_at(buffer, area, &" ".repeat(usize::from(area.width)), style);
    let dropped = model.dropped();
    let total: u64 = dropped.iter().map(|(_, count)| count).sum();
    let mut right =
        format!("{} msg/s  {} ", rate(model.all.per_second(scene.now, model.started)), scene.time(scene.now));
    if total > 0 {
        let reasons: Vec<_> = dropped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let long = format!("not taken: {}  {right}", reasons.join(", "));
        let fits = width(&long) * 2 < usize::from(area.width);
        right = if fits { long } else { format!("not taken: {}  {right}", number(total)) };
    }
    let left = format!(" mailslot browse --watch  {}", scene.place);
    let room = usize::from(area.width).saturating_sub(width(&right) + 1);
    if room < 24 {
        return text_at(buffer, area, &right, style);
    }
    let columns = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX);
    text_at(buffer, Rect { width: columns(room), ..area }, &left, style);
    let at = columns(room + 1).min(area.width);
    text_at(buffer, Rect { x: area.x + at, width: area.width - at, ..area }, &right, style);
}

fn footer(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &State) {
    let dim = Style::new().add_modifier(Modifier::DIM);
    if state.typing {
        let text = format!("filter: {}_   Enter: keep   Esc: none", clean(&state.filter));
        return text_at(buffer, area, &text, Style::new());
    }
    let mut text = String::new();
    if !state.filter.is_empty() {
        text = format!("filter: {} (Esc: none)   ", clean(&state.filter));
    }
    if let Some(only) = scene.only {
        text.push_str(&format!("only {}   ", scene.name(only)));
    }
    text.push_str("q quit  Tab next list  Enter alone  ↑↓ scroll  s sort  / filter  ? help");
    text_at(buffer, area, &text, dim);
}

fn help(buffer: &mut Buffer, area: Rect) {
    const HELP: &str = "\
q, Esc, Ctrl-C      end
Tab, Shift-Tab      next or last list; the one with the marked title scrolls
up, down, PgUp, PgDn, Home, End
Enter               this list alone on the screen, or all again
s                   sort computers: workgroup, name, age, expiry, system, address
/                   show only lines that hold a text; Esc shows all again

AGE      since the computer announced itself last
EXPIRES  when it is forgotten: after three of the periods that it names;
         a ! says that one announcement is overdue
/s       messages per second, mean of the last ten seconds

It only listens: nothing is sent, no name is claimed. Computers announce
themselves every 1 to 12 minutes, so it takes that long to know them all.
Nothing of it is authenticated: all is as somebody on the network claims.";
    for (y, line) in (area.top()..area.bottom()).zip(HELP.lines()) {
        text_at(buffer, Rect { y, height: 1, ..area }, line, Style::new());
    }
}

/// Empty places between two columns.
const fn gap(area: Rect) -> usize {
    if area.width > 80 { 2 } else { 1 }
}

/// The longest of these, between bounds.
fn longest(texts: impl Iterator<Item = usize>, least: usize, most: usize) -> usize {
    texts.max().unwrap_or(0).clamp(least, most)
}

fn computers(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
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
    let mut columns = vec![Column::left("COMPUTER", name)];
    if area.width >= SMALL.0 {
        columns.push(Column::left("WORKGROUP", group));
    }
    columns.push(Column::left("SYSTEM", if is_wide { 16 } else { 14 }));
    if is_wide {
        columns.extend([Column::left("VERSION", 7), Column::left("ADDRESS", 15)]);
    }
    columns.extend([Column::right("AGE", 4), Column::right("EXPIRES", 7)]);
    let used: usize = columns.iter().map(|column| column.width + gap).sum();
    let rest = usize::from(area.width).saturating_sub(used);
    let wanted_roles = longest(known.iter().map(|computer| roles(computer.server_type).len()), 5, 60);
    let for_roles = wanted_roles.min(if is_wide { rest / 2 } else { rest * 2 / 5 });
    columns.extend([
        Column::left("ROLES", for_roles),
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
        if area.width >= SMALL.0 {
            cells.push(scene.name(computer.workgroup));
        }
        cells.push(system(computer.version, computer.server_type));
        if is_wide {
            let address = computer.address.map_or_else(String::new, |address| address.to_string());
            cells.extend([computer.version.to_string(), address]);
        }
        let age = scene.now.saturating_sub(computer.heard);
        // Three periods after it was heard it is forgotten.
        let is_late = age > computer.expires.saturating_sub(computer.heard) / 3;
        let late = if is_late { '!' } else { ' ' };
        let expires = format!("{}{late}", span(computer.expires.saturating_sub(scene.now)));
        cells.extend([span(age), expires, roles(computer.server_type), scene.oem(&computer.comment)]);
        let mut row = Row::new(cells);
        if is_late {
            row.style = Style::new().fg(Color::Yellow);
        }
        row
    };
    table::draw(buffer, area, &frame, state.scroll(Pane::Computers), known.len(), row);
}

fn workgroups(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
    let (observer, gap) = (&scene.model.observer, gap(area));
    let master =
        |group: &HeardWorkgroup| group.master.map_or_else(|| "-".to_owned(), |name| scene.name(name));
    let known: Vec<&HeardWorkgroup> = observer
        .workgroups(scene.now)
        .filter(|group| scene.only.is_none_or(|only| only == group.name))
        .filter(|group| state.wants([scene.name(group.name), master(group)].iter().map(String::as_str)))
        .collect();
    let rest = usize::from(area.width).saturating_sub(5 + 4 + 2 * gap);
    let name = (rest / 2).clamp(1, 15);
    let columns = [
        Column::left("WORKGROUP", name),
        Column::left("MASTER", rest.saturating_sub(name + gap).min(15)),
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

fn slots(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
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

fn elections(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State) {
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
    let row = |index: usize| {
        let Some(entry) = known.get(index) else { return Row::new(Vec::new()) };
        let mut row = Row::new(vec![
            scene.time(entry.at),
            scene.name(entry.workgroup),
            what(scene, entry, area.width >= WIDE),
        ]);
        row.style = match entry.what {
            What::Master { .. } => Style::new().fg(Color::Green),
            What::MasterLeft { .. } | What::Reset { .. } => Style::new().fg(Color::Yellow),
            _ => Style::new(),
        };
        row
    };
    table::draw(buffer, area, &frame, state.scroll(Pane::Elections), known.len(), row);
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
    match entry.what {
        What::Candidate { name: who, criteria: rank, uptime } => {
            let up = span(Duration::from_millis(uptime.into()));
            format!("{} stands for election{times}: up {up}, {}", name(who), criteria(rank, long))
        }
        What::Called { name: who } => format!("{} wants an election{times} and does not stand", name(who)),
        What::Master { name: who, before: Some(before) } if who == before => {
            format!("{} stays local master", scene.name(who))
        }
        What::Master { name: who, before: Some(before) } => {
            format!("{} is local master, in place of {}", scene.name(who), scene.name(before))
        }
        What::Master { name: who, before: None } => format!("{} is local master", scene.name(who)),
        What::MasterLeft { name: who } => format!("{} leaves, there is no local master", scene.name(who)),
        What::Backup { name: who } => format!("{} is to be a backup browser{times}", scene.name(who)),
        What::Reset { name: who } => format!("{} wants browsers to be reset{times}", name(who)),
    }
}
