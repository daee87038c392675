//! `mailslot send`: a message into the slots of others.

use std::io::{self, IsTerminal, Read};

use anyhow::Context;
use mailslot::node::{Node, SendError, Sent, Way};
use mailslot::slot::{MailslotError, SlotPath, Target, Via};
use mailslot::wire::oem::CodePage;

use crate::Outcome;
use crate::cli::{SendArgs, WayArg};
use crate::json::Json;
use crate::lan::{self, Interrupt, Role};
use crate::output::{Output, note};
use crate::text;

/// Largest message that is read from a file or standard input, in bytes; far more than any can have.
const LARGEST: u64 = 1 << 20;

pub(crate) fn run(args: &SendArgs) -> anyhow::Result<Outcome> {
    let path = SlotPath::parse(&args.path)
        .map_err(|error: MailslotError| anyhow::anyhow!("{}: {error}", error.win32()))?;
    let builder = args.lan.builder(Role::Guest)?;
    let message = message(args)?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let node = builder.start().await?;
        let result = tokio::select! {
            result = send(args, &node, &path, &message) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        // It has no names to give up.
        node.shutdown().await?;
        result
    })
}

fn message(args: &SendArgs) -> anyhow::Result<Vec<u8>> {
    let (name, source): (String, Box<dyn Read>) = match (&args.message, &args.from_file) {
        (_, Some(file)) => {
            let name = file.display().to_string();
            let opened = std::fs::File::open(file).with_context(|| name.clone())?;
            (name, Box::new(opened))
        }
        (Some(message), None) if message != "-" => return Ok(message.as_encoded_bytes().to_vec()),
        _ => {
            if io::stdin().is_terminal() {
                note(format_args!("reading the message from the terminal; Ctrl-D ends it"));
            }
            ("standard input".to_owned(), Box::new(io::stdin().lock()))
        }
    };
    let mut message = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut message).with_context(|| name.clone())?;
    anyhow::ensure!(
        message.len() as u64 <= LARGEST,
        "{name}: more than {LARGEST} bytes; a mailslot message has at most 65535"
    );
    Ok(message)
}

async fn send(args: &SendArgs, node: &Node, path: &SlotPath, message: &[u8]) -> anyhow::Result<Outcome> {
    let mut output = Output::new(true);
    let mut outcome = Outcome::Done;
    // The slots of this computer are those of the program that has its name.
    let own = SlotPath::new(Target::Named(node.name().base().escape_ascii().to_string()), path.name.clone());
    let to = if path.is_local() { &own } else { path };
    let via = match args.via {
        None => Via::Any,
        Some(WayArg::Datagram) => Via::Datagram,
        Some(WayArg::Session) => Via::Session,
    };
    for number in 0..args.repeat {
        if number > 0
            && let Some(interval) = args.interval
        {
            tokio::time::sleep(interval).await;
        }
        let result = match node.write_via(to, message, via).await {
            Err(SendError::NameNotFound { .. }) if path.is_local() => {
                Err(MailslotError::NotFound { name: path.name.to_string() }.into())
            }
            result => result,
        };
        if let Err(error) = &result {
            outcome = Outcome::Failed;
            note(format_args!("{}: {}", text::safe(&path.to_string()), text::lines(&sentence(path, error))));
        }
        let out = output.line();
        match &result {
            result if args.json => object(path, result, out),
            Ok(sent) => out.extend_from_slice(line(path, sent).as_bytes()),
            Err(_) => continue,
        }
        output.end_line()?;
    }
    output.flush()?;
    Ok(outcome)
}

/// `ERROR_BAD_NETPATH (53): …`
fn sentence(path: &SlotPath, error: &SendError) -> String {
    let hint = match error {
        SendError::Mailslot(MailslotError::NotFound { .. }) if path.is_local() => {
            "; no program listens in this computer's name"
        }
        _ => "",
    };
    format!("{}: {error}{hint}", error.win32())
}

fn line(path: &SlotPath, sent: &Sent) -> String {
    let mut line = format!("{} bytes to {}", sent.bytes, text::safe(&path.to_string()));
    if sent.truncated {
        line.push_str(" (cut, as Windows NT 4 does)");
    }
    let addresses: Vec<_> = sent.addresses.iter().map(|address| address.to_string()).collect();
    let to = sent.destination.map(|name| text::name(&name, CodePage::default())).unwrap_or_default();
    match sent.way {
        Way::Local => line.push_str(", local"),
        way => {
            let group = if way == Way::Group { "the group " } else { "" };
            line.push_str(&format!(" by {} to {group}{to} at {}", way.name(), addresses.join(", ")));
        }
    }
    line
}

fn object(path: &SlotPath, result: &Result<Sent, SendError>, out: &mut Vec<u8>) {
    let mut json = Json { out, page: CodePage::default() };
    json.raw("{\"path\":");
    json.string(&path.to_string());
    match result {
        Ok(sent) => {
            json.raw(",\"way\":");
            json.word(sent.way.name());
            json.boolean(",\"group\":", sent.way == Way::Group);
            if let Some(name) = sent.destination {
                json.raw(",\"destination\":");
                json.scoped_name(&name.into());
            }
            json.raw(",\"addresses\":[");
            json.list(sent.addresses.iter(), |json, address| {
                json.raw("\"");
                json.address(*address);
                json.raw("\"");
            });
            json.field("],\"bytes\":", sent.bytes);
            json.boolean(",\"truncated\":", sent.truncated);
        }
        Err(error) => {
            json.field(",\"error\":{\"code\":", error.win32().code());
            if let Some(name) = error.win32().name() {
                json.raw(",\"name\":");
                json.string(name);
            }
            json.raw(",\"message\":");
            json.string(&error.to_string());
            json.raw("}");
        }
    }
    json.raw("}");
}
