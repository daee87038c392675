//! Standard output: one buffer, and a closed pipe that is no error.

use std::fmt;
use std::io::{self, Write};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 << 10;

/// Lines on their way to standard output.
pub(crate) struct Output {
    buffer: Vec<u8>,
    sink: io::StdoutLock<'static>,
    /// Whether each line is to be seen at once, as from a pipe that is still being written.
    immediate: bool,
}

impl Output {
    pub(crate) fn new(immediate: bool) -> Self {
        Self { buffer: Vec::with_capacity(BUFFER + (BUFFER >> 2)), sink: io::stdout().lock(), immediate }
    }

    /// Where a line is made. [`Self::end_line`] ends it.
    pub(crate) const fn line(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub(crate) fn end_line(&mut self) -> anyhow::Result<()> {
        self.buffer.push(b'\n');
        self.end_unit()
    }

    /// Ends something that is not a line.
    pub(crate) fn end_unit(&mut self) -> anyhow::Result<()> {
        if self.immediate || self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        let written = self.sink.write_all(&self.buffer).and_then(|()| self.sink.flush());
        self.buffer.clear();
        Ok(written?)
    }
}

/// A line on standard error. Like standard output it may be closed, as in `mailslot … 2>&1 | head`; then nobody
/// wants to know.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr(), "mailslot: {line}");
}

/// Whether the reader of our output has gone: `mailslot … | head`.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
