//! `mailslot send`: a message into the slots of others.

use std::io::{self, IsTerminal, Read};

use anyhow::Context;
#[cfg(unix)]
use mailslot::node::local::{Client, LocalError};
use mailslot::node::{Node, SendError, Sent, Way};
use mailslot::slot::{MailslotError, SlotPath, Target, Via, Win32Error};
use mailslot::wire::oem::CodePage;

use crate::Outcome;
use crate::cli::{SendArgs, WayArg};
use crate::json::Json;
use crate::lan::{self, Interrupt, Role};
#[cfg(unix)]
use crate::machine;
use crate::output::{Output, note};
use crate::text;

/// Largest message that is read from a file or standard input, in bytes: what a slot of this machine takes at most.
const LARGEST: u64 = mailslot::wire::local::MAX_DATA as u64;

pub(crate) fn run(args: &SendArgs) -> anyhow::Result<Outcome> {
    let path = SlotPath::parse(&args.path)?;
    #[cfg(unix)]
    let shared = Shared::choose(args, &path)?;
    #[cfg(not(unix))]
    let shared = Shared;
    let builder = args.lan.builder(Role::Guest)?;
    let message = message(args)?;
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let node = if shared.needs_lan() { Some(builder.start().await?) } else { None };
        let result = tokio::select! {
            result = send(args, &shared, node.as_ref(), &path, &message) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        if let Some(node) = node {
            // It has no names to give up.
            node.shutdown().await?;
        }
        result
    })
}

/// What part the node has that the programs of this machine share.
#[cfg(unix)]
#[derive(Debug)]
struct Shared {
    client: Client,
    part: Part,
}

#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// None: the command is a computer of its own.
    None,
    /// All: the path is this machine's, or the service is there, which has the network.
    All,
    /// The slots of this machine; what the path means besides is asked of the LAN.
    Own,
}

#[cfg(unix)]
impl Shared {
    fn choose(args: &SendArgs, path: &SlotPath) -> anyhow::Result<Self> {
        let client = machine::client();
        let part = match &path.target {
            Target::Local => {
                anyhow::ensure!(
                    !args.lan.given.on_command_line && args.via.is_none(),
                    "{} is a slot of this machine itself, to which --via and the LAN options say nothing; the slots of a \
                     computer on the LAN are at //NAME/mailslot/{}",
                    text::safe(&path.to_string()),
                    text::safe(&path.name.to_string())
                );
                Part::All
            }
            // The machine's node goes whichever way it finds.
            _ if args.lan.given.any() || args.via.is_some() => Part::None,
            _ if machine::service(&client)?.is_some() => Part::All,
            _ => Part::Own,
        };
        Ok(Self { client, part })
    }

    fn needs_lan(&self) -> bool {
        self.part != Part::All
    }

    /// Sends by the machine's node; `None` if it has no part in it.
    fn send(&self, path: &SlotPath, message: &[u8]) -> Option<Result<Sent, Failed>> {
        use mailslot::node::local::RemoteSendError as Error;
        let absent = |error: &Error| match error {
            Error::NoNetwork | Error::Local(LocalError::NoNode { .. } | LocalError::Unsafe { .. }) => true,
            Error::Local(LocalError::Mailslot(error)) => matches!(error, MailslotError::NotFound { .. }),
            _ => false,
        };
        let result = match self.part {
            Part::None => return None,
            Part::All => self.client.send(path, message),
            Part::Own => match self.client.send(path, message) {
                Err(error) if absent(&error) => return None,
                result => result,
            },
        };
        Some(result.map_err(|error| {
            let nobody = path.is_local() && absent(&error);
            if nobody && !matches!(error, Error::Local(LocalError::Mailslot(_))) {
                return MailslotError::NotFound { name: path.name.to_string() }.into();
            }
            Failed { win32: error.win32(), text: error.to_string() }
        }))
    }
}

/// There is no such node on this system.
#[cfg(not(unix))]
#[derive(Debug)]
struct Shared;

#[cfg(not(unix))]
impl Shared {
    fn needs_lan(&self) -> bool {
        true
    }

    fn send(&self, _: &SlotPath, _: &[u8]) -> Option<Result<Sent, Failed>> {
        None
    }
}

/// Why a message was not sent.
#[derive(Debug)]
struct Failed {
    win32: Win32Error,
    text: String,
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        Self { win32: error.win32(), text: error.to_string() }
    }
}

impl From<MailslotError> for Failed {
    fn from(error: MailslotError) -> Self {
        Self { win32: error.win32(), text: error.to_string() }
    }
}

async fn write(
    shared: &Shared,
    node: Option<&Node>,
    path: &SlotPath,
    message: &[u8],
    via: Via,
) -> Result<Sent, Failed> {
    let here = tokio::task::block_in_place(|| shared.send(path, message));
    let Some(node) = node else {
        // A path that asks for no LAN has been answered.
        return here.unwrap_or_else(|| Err(SendError::NoNetwork.into()));
    };
    match here {
        // To everybody is to this machine and to the LAN.
        Some(Ok(sent)) if path.target == Target::Everyone => match node.write_via(path, message, via).await {
            Ok(mut on_lan) => {
                on_lan.local = true;
                Ok(on_lan)
            }
            Err(SendError::NoNetwork) => Ok(sent),
            Err(error) => Err(error.into()),
        },
        Some(result) => result,
        None => Ok(node.write_via(path, message, via).await?),
    }
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
        "{name}: more than {LARGEST} bytes, which no mailslot takes"
    );
    Ok(message)
}

async fn send(
    args: &SendArgs,
    shared: &Shared,
    node: Option<&Node>,
    path: &SlotPath,
    message: &[u8],
) -> anyhow::Result<Outcome> {
    let mut output = Output::new(true);
    let mut outcome = Outcome::Done;
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
        let result = write(shared, node, path, message, via).await;
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
fn sentence(path: &SlotPath, error: &Failed) -> String {
    let hint = if path.is_local() && error.win32 == Win32Error::ERROR_FILE_NOT_FOUND {
        "; no program of this machine has it\nA listener that joined the LAN by itself is at //NAME/mailslot/SLOT."
    } else {
        ""
    };
    format!("{}: {}{hint}", error.win32, error.text)
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
    if sent.local && sent.way != Way::Local {
        line.push_str(", and local");
    }
    line
}

fn object(path: &SlotPath, result: &Result<Sent, Failed>, out: &mut Vec<u8>) {
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
            json.boolean(",\"local\":", sent.local);
        }
        Err(error) => {
            json.field(",\"error\":{\"code\":", error.win32.code());
            if let Some(name) = error.win32.name() {
                json.raw(",\"name\":");
                json.string(name);
            }
            json.raw(",\"message\":");
            json.string(&error.text);
            json.raw("}");
        }
    }
    json.raw("}");
}
