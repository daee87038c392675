//! The screen.

use std::time::Duration;

use jiff::{SignedDuration, Zoned};
use mailslot::service::browser::ServerName;
use mailslot::wire::browser::ServerType;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::model::Model;
use super::state::{Pane, State};
use super::table::text_at;
use super::{computers, elections, lists};
use crate::cmd::browse::words::{clean, legend, number, rate, span, width};
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
pub(super) const SMALL: (u16, u16) = (60, 16);

/// From so many columns on, all columns of all lists are shown.
pub(super) const WIDE: u16 = 120;

pub(super) fn draw(buffer: &mut Buffer, scene: &Scene<'_>, state: &mut State) {
    let area = buffer.area;
    if area.height < 2 || area.width < 2 {
        return;
    }
    let row = |y| Rect { y, height: 1, ..area };
    header(buffer, row(area.y), scene);
    // Where every line counts, keys are not repeated.
    let foot = u16::from(area.height >= 8 || state.typing);
    let body = Rect { y: area.y + 1, height: area.height - 1 - foot, ..area };
    let mut letters = ServerType::empty();
    if state.help {
        help(buffer, body);
    } else if state.alone || area.width < SMALL.0 || area.height < SMALL.1 {
        letters = pane(buffer, body, scene, state, state.pane);
    } else {
        for (which, area) in layout(body) {
            letters |= pane(buffer, area, scene, state, which);
        }
    }
    if foot > 0 {
        footer(buffer, row(area.bottom() - 1), scene, state, letters);
    }
}

/// Computers above, workgroups beside slots, elections below.
fn layout(body: Rect) -> [(Pane, Rect); 4] {
    let middle = body.height * 6 / 22;
    let below = body.height * 6 / 22;
    let above = body.height - middle - below;
    // Two names, a number and a time, if that leaves the slots as much as they need.
    let left = (body.width / 2).max(43.min(body.width.saturating_sub(30))).min(64);
    let at = |x, y, width, height| Rect { x: body.x + x, y: body.y + y, width, height };
    [
        (Pane::Computers, at(0, 0, body.width, above)),
        (Pane::Workgroups, at(0, above, left.saturating_sub(1), middle)),
        (Pane::Slots, at(left, above, body.width - left, middle)),
        (Pane::Elections, at(0, above + middle, body.width, below)),
    ]
}

/// Draws one list; the roles that it shows as letters.
fn pane(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut State, which: Pane) -> ServerType {
    match which {
        Pane::Computers => return computers::draw(buffer, area, scene, state),
        Pane::Workgroups => lists::workgroups(buffer, area, scene, state),
        Pane::Slots => lists::slots(buffer, area, scene, state),
        Pane::Elections => elections::draw(buffer, area, scene, state),
    }
    ServerType::empty()
}

impl Scene<'_> {
    pub(super) fn name(&self, name: ServerName) -> String {
        self.oem(name.as_bytes())
    }

    pub(super) fn oem(&self, bytes: &[u8]) -> String {
        clean(&self.page.decode(bytes))
    }

    /// Columns that a name takes.
    pub(super) fn columns(&self, name: ServerName) -> usize {
        let bytes = name.as_bytes();
        let is_plain = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        if is_plain { bytes.len() } else { width(&self.oem(bytes)) }
    }

    pub(super) fn netbios(&self, name: NetbiosName) -> String {
        if name == NetbiosName::MSBROWSE {
            // Without the three control characters around it.
            return "__MSBROWSE__<01>".to_owned();
        }
        clean(&text::name(&name, self.page))
    }

    pub(super) fn time(&self, at: Duration) -> String {
        let at = SignedDuration::try_from(at).ok().and_then(|at| self.epoch.checked_add(at).ok());
        at.map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string())
    }

    pub(super) fn ago(&self, at: Duration) -> String {
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

/// The keys, and what the letters of these roles mean.
fn footer(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &State, letters: ServerType) {
    const KEYS: [&str; 3] = [
        "q quit  Tab next list  Enter alone  ↑↓ scroll  s sort  / filter  ? help",
        "q quit  Tab list  s sort  / filter  ? help",
        "q quit  ? help",
    ];
    const GAP: usize = 3;
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
    // As many keys as leave room for the legend, and all there is to say of them is in the help.
    let room = usize::from(area.width).saturating_sub(width(&text));
    let whole = legend(letters, usize::MAX);
    let needed = if whole.is_empty() { 0 } else { width(&whole) + GAP };
    let fitting = KEYS.into_iter().find(|keys| width(keys) + needed <= room);
    let keys = fitting.unwrap_or(if whole.is_empty() { KEYS[1] } else { KEYS[2] });
    text.push_str(keys);
    let legend = legend(letters, room.saturating_sub(width(keys) + GAP));
    if !legend.is_empty() {
        let fill = usize::from(area.width).saturating_sub(width(&text) + width(&legend));
        text.push_str(&" ".repeat(fill));
        text.push_str(&legend);
    }
    text_at(buffer, area, &text, dim);
}

fn help(buffer: &mut Buffer, area: Rect) {
    const HELP: &str = "\
q, Esc, Ctrl-C      end
Tab, Shift-Tab      next or last list; the one with the marked title scrolls
up, down, PgUp, PgDn, Home, End
Enter               this list alone on the screen, or all again
s                   sort by workgroup, name, age, expiry, system, address
/                   show only lines that hold a text; Esc shows all again

AGE      since the computer announced itself last
EXPIRES  when it is forgotten (EXP): after three of the periods that it names;
         a ! says that one announcement is overdue
ROLES    D domain-master  M master  B backup  p potential browser  C PDC  c BDC
         m member  r print  S SQL  T time  d dial-in  t terminal  f DFS  a AFP
         u cluster
/s       messages per second, mean of the last ten seconds

It only listens: nothing is sent, no name is claimed. Computers announce
themselves every 1 to 12 minutes, so it takes that long to know them all.
Nothing of it is authenticated: all is as somebody on the network claims.";
    for (y, line) in (area.top()..area.bottom()).zip(HELP.lines()) {
        text_at(buffer, Rect { y, height: 1, ..area }, line, Style::new());
    }
}

/// Empty places between two columns.
pub(super) const fn gap(area: Rect) -> usize {
    if area.width > 80 { 2 } else { 1 }
}

/// The longest of these, between bounds.
pub(super) fn longest(texts: impl Iterator<Item = usize>, least: usize, most: usize) -> usize {
    texts.max().unwrap_or(0).clamp(least, most)
}
