//! `mailslot demo`: five computers on a LAN inside this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mailslot::node::{LoopbackLan, Node, SentFrame, SlotReader};
use mailslot::slot::{CreateOptions, Message, Origin, SlotPath};
use mailslot::wire::Decode;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::nbdgm::Datagram;
use mailslot::wire::nbns::Packet;
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::MailslotWrite;

use crate::Outcome;
use crate::lan::{self, Interrupt};
use crate::output::{Output, note};
use crate::text;

/// How long a message is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

const VENDING: &str = "VENDING";
const SERVER: &str = "FILESRV";
const WORKSTATIONS: [&str; 3] = ["ALICE", "BOB", "CAROL"];

/// Bytes of the price list.
const PRICES: usize = 4096;

/// Frames by what they are.
type Frames = Arc<Mutex<BTreeMap<String, (u64, usize)>>>;

pub(crate) fn run() -> anyhow::Result<Outcome> {
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        tokio::select! {
            result = demo() => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        }
    })
}

/// The computers, and what is said of them.
struct Demo {
    output: Output,
    frames: Frames,
    /// Messages that did not arrive.
    missing: u64,
}

async fn demo() -> anyhow::Result<Outcome> {
    let mut demo = Demo { output: Output::new(true), frames: Frames::default(), missing: 0 };
    let lan = LoopbackLan::of_this_process();
    demo.say(format_args!("Five computers join a LAN inside this machine and claim their names."))?;
    let (vending, server, alice, bob, carol) = tokio::try_join!(
        demo.computer(lan, VENDING),
        demo.computer(lan, SERVER),
        demo.computer(lan, "ALICE"),
        demo.computer(lan, "BOB"),
        demo.computer(lan, "CAROL"),
    )?;
    let workstations = [&alice, &bob, &carol];

    demo.say(format_args!(
        "\nEach workstation creates \\\\.\\mailslot\\soda. {VENDING} writes to \\\\*\\mailslot\\soda."
    ))?;
    let slots = workstations.map(|node| {
        node.create(&path(r"\\.\mailslot\soda")?, CreateOptions::default()).map_err(anyhow::Error::from)
    });
    for left in [12_u8, 11, 10] {
        vending.write(&path(r"\\*\mailslot\soda")?, format!("{left} sodas left").as_bytes()).await?;
        for (name, slot) in WORKSTATIONS.iter().zip(&slots) {
            let Ok(slot) = slot else { anyhow::bail!("{name} has no slot") };
            demo.hear(name, slot, &format!("{left} sodas left")).await?;
        }
    }

    demo.say(format_args!(
        "\nBOB asks everybody where a file server is; {SERVER} answers into BOB's own slot."
    ))?;
    let requests = server.create(&path(r"\\.\mailslot\locate")?, CreateOptions::default())?;
    let answers = bob.create(&path(r"\\.\mailslot\answer")?, CreateOptions::default())?;
    bob.write(&path(r"\\*\mailslot\locate")?, b"file server?").await?;
    if let Some(request) = demo.hear(SERVER, &requests, "file server?").await?
        && let Some(from) = sender(&request)
    {
        let asker = from.base().escape_ascii().to_string();
        let answer = format!(r"\\{SERVER}\files");
        server.write(&path(&format!(r"\\{asker}\mailslot\answer"))?, answer.as_bytes()).await?;
        demo.hear("BOB", &answers, &answer).await?;
    } else {
        demo.missing += 1;
    }

    demo.say(format_args!(
        "\n{SERVER} writes its price list, {PRICES} bytes, to \\\\CAROL\\mailslot\\prices: no datagram carries so much, so it \
         goes by SMB session."
    ))?;
    let prices = carol.create(&path(r"\\.\mailslot\prices")?, CreateOptions::default())?;
    let list = price_list();
    let sent = server.write(&path(r"\\CAROL\mailslot\prices")?, list.as_bytes()).await?;
    demo.say(format_args!("  {SERVER} has written {} bytes by {}", sent.bytes, sent.way.name()))?;
    demo.hear("CAROL", &prices, &list).await?;

    for node in [vending, server, alice, bob, carol] {
        node.shutdown().await?;
    }
    demo.summary()?;
    if demo.missing > 0 {
        note(format_args!("{} messages did not arrive as they were sent", demo.missing));
        return Ok(Outcome::Failed);
    }
    Ok(Outcome::Done)
}

/// A list of exactly so many bytes.
fn price_list() -> String {
    let lines =
        (1..).map(|number| format!("soda {number:03}: {:>6}.{:02} EUR\n", number % 9 + 1, number * 7 % 100));
    let mut list = String::new();
    for line in lines {
        list.push_str(&line);
        if list.len() >= PRICES {
            break;
        }
    }
    list.truncate(PRICES);
    list
}

fn path(text: &str) -> anyhow::Result<SlotPath> {
    Ok(SlotPath::parse(text)?)
}

const fn sender(message: &Message) -> Option<NetbiosName> {
    match message.origin {
        Origin::Datagram { source, .. } | Origin::Session { source, .. } => {
            Some(NetbiosName::from_bytes(source))
        }
        _ => None,
    }
}

impl Demo {
    fn say(&mut self, line: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
        self.output.line().extend_from_slice(line.to_string().as_bytes());
        self.output.end_line()
    }

    /// A computer that has its names.
    fn computer(&self, lan: LoopbackLan, name: &str) -> impl Future<Output = anyhow::Result<Node>> + use<> {
        let frames = Arc::clone(&self.frames);
        let builder = Node::builder().name(name).loopback(lan).observe(move |frame| count(&frames, frame));
        async move {
            let node = builder.start().await?;
            node.ready().await?;
            Ok(node)
        }
    }

    /// Waits for a message and says what came; it must be `expected`.
    async fn hear(
        &mut self,
        who: &str,
        slot: &SlotReader,
        expected: &str,
    ) -> anyhow::Result<Option<Message>> {
        let Ok(message) = slot.recv_timeout(PATIENCE).await else {
            self.missing += 1;
            self.say(format_args!("  {who} waits in vain for \"{expected}\""))?;
            return Ok(None);
        };
        if &message.data[..] != expected.as_bytes() {
            self.missing += 1;
        }
        let page = CodePage::default();
        let from = sender(&message).map(|name| text::name(&name, page)).unwrap_or_default();
        let shown = text::preview(&message.data, page);
        let length = match message.origin {
            Origin::Session { .. } => format!("{} bytes, ", message.data.len()),
            _ => String::new(),
        };
        self.say(format_args!("  {who:<7} reads {length}{shown} from {from}"))?;
        Ok(Some(message))
    }

    /// The frames that crossed, as the crate's own codecs read them.
    fn summary(&mut self) -> anyhow::Result<()> {
        let frames = std::mem::take(&mut *self.frames.lock().unwrap_or_else(PoisonError::into_inner));
        self.say(format_args!("\nThe UDP frames that crossed:"))?;
        for (what, (count, bytes)) in frames {
            self.say(format_args!("  {count:>3}  {bytes:>6} bytes  {what}"))?;
        }
        Ok(())
    }
}

fn count(frames: &Frames, frame: SentFrame<'_>) {
    let what = if frame.name_service { name_service(frame.bytes) } else { datagram(frame.bytes) };
    let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = frames.entry(what).or_default();
    entry.0 += 1;
    entry.1 += frame.bytes.len();
}

fn name_service(bytes: &[u8]) -> String {
    match Packet::decode(bytes) {
        Ok(packet) => format!("UDP 137 {}", packet.kind().name()),
        Err(error) => format!("UDP 137 damaged: {error}"),
    }
}

fn datagram(bytes: &[u8]) -> String {
    let page = CodePage::default();
    let read = || -> Result<String, mailslot::wire::DecodeError> {
        let datagram = Datagram::decode(bytes)?;
        let kind = datagram.header().msg_type;
        let Some(content) = datagram.content() else { return Ok(format!("UDP 138 {kind}")) };
        let write = MailslotWrite::decode(content.user_data)?;
        let (from, to) = (
            text::scoped_name(&content.source_name, page),
            text::scoped_name(&content.destination_name, page),
        );
        Ok(format!("UDP 138 {kind} {from} > {to} {}", text::oem(write.name(), page)))
    };
    read().unwrap_or_else(|error| format!("UDP 138 damaged: {error}"))
}
