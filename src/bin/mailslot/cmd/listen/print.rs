//! Messages, as `listen` prints them.

use mailslot::wire::oem::CodePage;

use crate::cli::ListenArgs;
use crate::cmd::decode::known_message;
use crate::fact::{Fact, printable};
use crate::output::Output;
use crate::text;

/// Where messages are printed.
pub(super) struct Printer {
    output: Output,
    pub(super) page: CodePage,
    json: bool,
    raw: bool,
    /// Messages so far.
    pub(super) printed: u64,
}

impl Printer {
    pub(super) fn new(args: &ListenArgs) -> Self {
        let (page, json, raw) = (args.code_page.code_page, args.json, args.raw);
        Self { output: Output::new(false), page, json, raw, printed: 0 }
    }

    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.output.flush()
    }

    pub(super) fn print(&mut self, fact: &Fact) -> anyhow::Result<()> {
        self.printed += 1;
        let out = self.output.line();
        if self.raw {
            out.extend_from_slice(&fact.message.data);
            return self.output.end_unit();
        }
        if self.json {
            fact.object(out)
        } else {
            line(fact, out)
        }
        self.output.end_line()
    }
}

fn line(fact: &Fact, out: &mut Vec<u8>) {
    let data = &fact.message.data;
    let source = fact.source().map_or_else(String::new, |source| format!(" ({source})"));
    let whose = match (fact.from(), fact.to()) {
        (Some(from), Some(to)) => format!("{from}{source} > {to}"),
        _ => "from this machine".to_owned(),
    };
    let cut = if fact.message.truncated { " (cut)" } else { "" };
    let what = known_message(fact.slot.as_bytes(), data, fact.page).unwrap_or_else(|| {
        if data.is_empty() {
            String::new()
        } else {
            printable(data, fact.page).map_or_else(
                || format!(" {}", hex::encode(data)),
                |text| format!(" \"{}\"", text::safe(&text)),
            )
        }
    });
    let slot = text::safe(&fact.slot);
    let way = if fact.names.is_some() { format!(" by {}", fact.way) } else { String::new() };
    let line = format!("{} {slot} {whose} {} bytes{way}{cut}{what}", fact.time, data.len());
    out.extend_from_slice(line.as_bytes());
}
