//! A titled list of columns, of which only what is on the screen is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::state::Scroll;
use crate::cmd::browse::words::{fit, width};

/// A column: its title, its width, and on which side what it holds stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: usize,
    pub(super) right: bool,
}

impl Column {
    pub(super) const fn left(title: &'static str, width: usize) -> Self {
        Self { title, width, right: false }
    }

    pub(super) const fn right(title: &'static str, width: usize) -> Self {
        Self { title, width, right: true }
    }
}

/// A row: a cell for each column. Cells are safe for a terminal.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) style: Style,
}

impl Row {
    pub(super) fn new(cells: Vec<String>) -> Self {
        Self { cells, style: Style::new() }
    }
}

/// What is drawn around the rows.
#[derive(Debug)]
pub(super) struct Frame<'f> {
    pub(super) title: String,
    pub(super) is_focused: bool,
    pub(super) columns: &'f [Column],
    /// Empty places between two columns.
    pub(super) gap: usize,
    /// What is said instead of rows where there are none.
    pub(super) empty: &'f str,
}

/// Lines that are no rows: the title and the columns' titles.
const HEAD: u16 = 2;

/// How many rows fit.
pub(super) fn page(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(HEAD))
}

/// Draws the list; `rows` makes the row at an index.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    frame: &Frame<'_>,
    scroll: &mut Scroll,
    count: usize,
    rows: impl Fn(usize) -> Row,
) {
    let page = page(area);
    scroll.fit(count, page);
    let last = count.min(scroll.first + page);
    let place = match count {
        0 => String::new(),
        _ if page == 0 || page >= count => count.to_string(),
        _ => format!("{}-{last} of {count}", scroll.first + 1),
    };
    title(buffer, area, &frame.title, &place, frame.is_focused);
    let below = |line: u16| Rect { y: area.y + line, height: 1, ..area };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    if area.height >= HEAD {
        let titles = frame.columns.iter().map(|column| column.title);
        line(buffer, below(1), frame, titles, bold);
    }
    for (y, index) in (HEAD..area.height).zip(scroll.first..last) {
        let row = rows(index);
        line(buffer, below(y), frame, row.cells.iter().map(String::as_str), row.style);
    }
    if count == 0 {
        for (y, text) in (HEAD..area.height).zip(frame.empty.lines()) {
            text_at(buffer, below(y), text, Style::new().add_modifier(Modifier::DIM));
        }
    }
}

/// `── Computers ───────────── 1-9 of 20 ─`
fn title(buffer: &mut Buffer, area: Rect, title: &str, place: &str, is_focused: bool) {
    let columns = usize::from(area.width);
    let style = if is_focused {
        Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    } else {
        Style::new()
    };
    let row = Rect { height: area.height.min(1), ..area };
    text_at(buffer, row, &"─".repeat(columns), Style::new());
    let place = if place.is_empty() { String::new() } else { format!(" {place} ") };
    let room = columns.saturating_sub(width(&place) + 4);
    let text = fit(&format!(" {title} "), room);
    text_at(buffer, from(row, 1), &text, style);
    if width(&place) + 1 < columns {
        text_at(buffer, from(row, columns - width(&place) - 1), &place, Style::new());
    }
}

fn from(area: Rect, columns: usize) -> Rect {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}

fn line<'c>(
    buffer: &mut Buffer,
    area: Rect,
    Frame { columns, gap, .. }: &Frame<'_>,
    cells: impl Iterator<Item = &'c str>,
    style: Style,
) {
    let mut rest = area;
    for (column, cell) in columns.iter().zip(cells) {
        let text = fit(cell, column.width);
        let lead = if column.right { column.width.saturating_sub(width(&text)) } else { 0 };
        text_at(buffer, from(rest, lead), &text, style);
        rest = from(rest, column.width + gap);
    }
}

/// Writes `text` at the beginning of `area`; what does not fit ends in `…`.
pub(super) fn text_at(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let area = area.intersection(buffer.area);
    if !area.is_empty() {
        let columns = usize::from(area.width);
        buffer.set_stringn(area.x, area.y, fit(text, columns), columns, style);
    }
}
