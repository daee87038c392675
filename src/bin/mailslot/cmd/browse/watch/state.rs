//! What the user looks at, and how keys change it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A part of the screen with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Computers,
    Workgroups,
    Slots,
    Elections,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Computers, Self::Workgroups, Self::Slots, Self::Elections];

    fn step(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Self::ALL.get((at + by) % Self::ALL.len()).copied().unwrap_or(self)
    }
}

/// How computers are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Workgroup,
    Name,
    Age,
    Expiry,
    System,
    Address,
}

impl Sort {
    const fn next(self) -> Self {
        match self {
            Self::Workgroup => Self::Name,
            Self::Name => Self::Age,
            Self::Age => Self::Expiry,
            Self::Expiry => Self::System,
            Self::System => Self::Address,
            Self::Address => Self::Workgroup,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Workgroup => "workgroup",
            Self::Name => "name",
            Self::Age => "age",
            Self::Expiry => "expiry",
            Self::System => "system",
            Self::Address => "address",
        }
    }
}

/// Where a list is scrolled to, and what of it is on the screen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scroll {
    /// The first line shown.
    pub(super) first: usize,
    /// Lines that fit.
    page: usize,
    /// Lines there are.
    lines: usize,
}

impl Scroll {
    /// Fits the place to a list of so many lines on a page of so many.
    pub(super) fn fit(&mut self, lines: usize, page: usize) {
        (self.lines, self.page) = (lines, page);
        self.first = self.first.min(lines.saturating_sub(page));
    }

    fn key(&mut self, code: KeyCode) {
        let page = self.page.max(1);
        let first = match code {
            KeyCode::Up | KeyCode::Char('k') => self.first.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.first.saturating_add(1),
            KeyCode::PageUp => self.first.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.first.saturating_add(page),
            KeyCode::Home => 0,
            KeyCode::End => usize::MAX,
            _ => return,
        };
        self.first = first.min(self.lines.saturating_sub(self.page));
    }
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Quit,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) pane: Pane,
    /// Only the pane is shown.
    pub(super) alone: bool,
    pub(super) sort: Sort,
    /// What lines must hold, without case.
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    pub(super) help: bool,
    scrolls: [Scroll; Pane::ALL.len()],
}

/// Characters of a filter.
const FILTER: usize = 40;

impl State {
    pub(super) fn new() -> Self {
        Self {
            pane: Pane::Computers,
            alone: false,
            sort: Sort::Workgroup,
            filter: String::new(),
            typing: false,
            help: false,
            scrolls: [Scroll::default(); Pane::ALL.len()],
        }
    }

    pub(super) fn scroll(&mut self, pane: Pane) -> &mut Scroll {
        let [computers, workgroups, slots, elections] = &mut self.scrolls;
        match pane {
            Pane::Computers => computers,
            Pane::Workgroups => workgroups,
            Pane::Slots => slots,
            Pane::Elections => elections,
        }
    }

    /// Whether a line of this text is shown.
    pub(super) fn wants<'t>(&self, mut texts: impl Iterator<Item = &'t str>) -> bool {
        let wanted = self.filter.to_lowercase();
        wanted.is_empty() || texts.any(|text| text.to_lowercase().contains(&wanted))
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Next {
        if key.kind == KeyEventKind::Release {
            return Next::GoOn;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Next::Quit,
                _ => Next::GoOn,
            };
        }
        if self.typing {
            self.type_filter(key.code);
            return Next::GoOn;
        }
        if self.help {
            // Any key ends it.
            self.help = false;
            return if key.code == KeyCode::Char('q') { Next::Quit } else { Next::GoOn };
        }
        match key.code {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Esc if !self.filter.is_empty() => self.filter.clear(),
            KeyCode::Esc if self.alone => self.alone = false,
            KeyCode::Esc => return Next::Quit,
            KeyCode::Tab => self.pane = self.pane.step(1),
            KeyCode::BackTab => self.pane = self.pane.step(Pane::ALL.len() - 1),
            KeyCode::Enter => self.alone = !self.alone,
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = true,
            code => self.scroll(self.pane).key(code),
        }
        Next::GoOn
    }

    fn type_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => _ = self.filter.pop(),
            KeyCode::Char(character) if self.filter.chars().count() < FILTER && !character.is_control() => {
                self.filter.push(character);
            }
            _ => {}
        }
    }
}
