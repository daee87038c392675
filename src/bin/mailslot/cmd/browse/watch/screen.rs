//! The terminal: taken as a whole, and given back however the program ends.

use std::io::{self, Stdout, stdout};
use std::sync::Once;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use tokio::sync::mpsc;

/// The terminal while it is ours. Dropping it gives it back.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        // A panic says its message on a terminal that shows it; with `panic = "abort"` nothing is dropped any more.
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                hook(info);
            }));
        });
        let open = || {
            enable_raw_mode()?;
            // Not `Terminal::clear`, which asks where the cursor is: not every terminal answers.
            execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
            Terminal::new(CrosstermBackend::new(stdout()))
        };
        open().map(Self).inspect_err(|_| give_back())
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.0.draw(|frame| draw(frame.buffer_mut())).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    // There is nobody to be told that the terminal is gone.
    _ = disable_raw_mode();
    _ = execute!(stdout(), LeaveAlternateScreen, Show);
}

/// What happens on the terminal. It is read by a thread that ends with the program.
pub(super) fn events() -> mpsc::Receiver<io::Result<Event>> {
    let (send, events) = mpsc::channel(16);
    std::thread::spawn(move || {
        loop {
            let event = event::read();
            let is_last = event.is_err();
            if send.blocking_send(event).is_err() || is_last {
                return;
            }
        }
    });
    events
}

/// Waits for SIGHUP: the terminal is gone.
#[cfg(unix)]
pub(super) struct Hangup(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangup {
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    pub(super) async fn wait(&mut self) {
        _ = self.0.recv().await;
    }
}

/// There is no such signal.
#[cfg(not(unix))]
pub(super) struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    pub(super) const fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn wait(&mut self) {
        core::future::pending().await
    }
}
