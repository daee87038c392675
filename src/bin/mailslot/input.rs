//! Where a capture comes from: a file or standard input, plain or gzip, with a progress bar where it helps.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use mailslot::capture::{Frame, Reader};

use crate::output::note;
use crate::text;

/// Files from this size on show a progress bar, in bytes.
const LARGE: u64 = 32 << 20;

/// A capture that is being read.
pub(crate) struct Capture {
    /// What errors call it.
    pub(crate) name: String,
    pub(crate) reader: Reader<Box<dyn Read>>,
}

impl Capture {
    /// Gives every frame to `each`. Records that cannot be read are reported and passed over; a file that ends
    /// early is an error, after all that came before.
    pub(crate) fn for_each(
        &mut self,
        mut each: impl FnMut(&Frame<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        loop {
            match self.reader.next_frame() {
                Ok(Some(frame)) => each(&frame)?,
                Ok(None) => return Ok(()),
                Err(error) if error.is_recoverable() => {
                    note(format_args!("{}: {error}", text::safe(&self.name)));
                }
                Err(error) => return Err(error).with_context(|| self.name.clone()),
            }
        }
    }
}

/// Whether `path` is a pipe that somebody may still write, so that each line is wanted as it comes.
pub(crate) fn is_live(path: &Path) -> bool {
    path == Path::new("-") && !io::stdin().is_terminal()
}

/// Opens a capture; `-` is standard input. The progress bar, if there is one, is to be finished by the caller.
pub(crate) fn open(path: &Path) -> anyhow::Result<(Capture, ProgressBar)> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let bar = ProgressBar::hidden();
    let (source, bar): (Box<dyn Read>, _) = if is_stdin {
        (Box::new(io::stdin().lock()), bar)
    } else {
        let file = File::open(path).with_context(|| name.clone())?;
        let metadata = file.metadata().with_context(|| name.clone())?;
        anyhow::ensure!(!metadata.is_dir(), "{name}: is a directory");
        if metadata.len() >= LARGE && io::stderr().is_terminal() && !io::stdout().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")?;
            let bar = ProgressBar::new(metadata.len()).with_style(style);
            (Box::new(bar.wrap_read(file)), bar)
        } else {
            (Box::new(file), bar)
        }
    };
    let reader = plain(source).and_then(|source| Ok(Reader::new(source)?)).with_context(|| name.clone())?;
    Ok((Capture { name, reader }, bar))
}

/// The plain bytes of a source that may be gzip.
fn plain(mut source: Box<dyn Read>) -> anyhow::Result<Box<dyn Read>> {
    let mut start = Vec::with_capacity(2);
    source.by_ref().take(2).read_to_end(&mut start)?;
    let is_gzip = start == [0x1f, 0x8b];
    let whole = io::Cursor::new(start).chain(source);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}
