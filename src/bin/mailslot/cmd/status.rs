//! `mailslot status`: the names of other computers, of one or of a whole subnet.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::net::Ipv4Addr;

use indicatif::{ProgressBar, ProgressStyle};
use mailslot::node::{Interface, NodeStatus, SendError};
use mailslot::service::names::{QueryTarget, ResolveError};
use mailslot::wire::name::{NetbiosName, Suffix};
use mailslot::wire::nbns::NameFlags;
use mailslot::wire::oem::CodePage;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::cli::StatusArgs;
use crate::json::Json;
use crate::lan::LanArgs;
use crate::network::{self, Asked, Network, Where};
use crate::output::{Output, note};
use crate::text;

/// Computers that are asked at a time; the service takes as many of one command.
const AT_A_TIME: usize = 128;

/// Most addresses of a range: a subnet of 20 bits.
const LARGEST: u32 = 1 << 12;

/// Who is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    Address(Ipv4Addr),
    Name(NetbiosName),
    /// All addresses of a subnet, by its prefix.
    Range(Ipv4Addr, u8),
}

fn host(text: &str) -> anyhow::Result<Host> {
    if let Ok(address) = text.parse() {
        return Ok(Host::Address(address));
    }
    if let Some((address, prefix)) = text.split_once('/')
        && let Ok(address) = address.parse()
    {
        return match prefix.parse() {
            Ok(prefix @ 0..=32) => Ok(Host::Range(address, prefix)),
            _ => anyhow::bail!("'{text}': a range is an address and a prefix of 0 to 32 bits, 192.0.2.0/24"),
        };
    }
    let name = text.parse().map_err(|error| {
        anyhow::anyhow!("'{}' is no IPv4 address, range or NetBIOS name: {error}", text::safe(text))
    })?;
    Ok(Host::Name(name))
}

/// How the answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A table of each computer's names.
    Tables,
    /// A line for each computer.
    Lines,
    Objects,
    Lmhosts,
}

pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<Outcome> {
    let hosts = args.hosts.iter().map(|text| host(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let is_range = |host: &Host| matches!(host, Host::Range(..));
    let form = match (args.json, args.lmhosts_lines) {
        (true, _) => Form::Objects,
        (false, true) => Form::Lmhosts,
        (false, false) if hosts.iter().any(is_range) => Form::Lines,
        (false, false) => Form::Tables,
    };
    ask(&args.lan, &hosts, form, args.code_page.code_page)
}

/// The names of the computers at these addresses.
pub(super) fn of_addresses(
    lan: &LanArgs,
    addresses: &[Ipv4Addr],
    json: bool,
    page: CodePage,
) -> anyhow::Result<Outcome> {
    let hosts: Vec<_> = addresses.iter().map(|address| Host::Address(*address)).collect();
    ask(lan, &hosts, if json { Form::Objects } else { Form::Tables }, page)
}

fn ask(lan: &LanArgs, hosts: &[Host], form: Form, page: CodePage) -> anyhow::Result<Outcome> {
    let mut asker = Asker { output: Output::new(true), form, page, answers: 0, missed: false };
    network::with(lan, async |network| asker.ask_all(network, hosts).await)
}

/// One computer that is asked.
#[derive(Debug, Clone, Copy)]
struct Question {
    host: Host,
    /// It was named, not just part of a range: that it is silent is worth a line.
    named: bool,
}

struct Asker {
    output: Output,
    form: Form,
    page: CodePage,
    answers: u64,
    /// A computer that was named did not answer.
    missed: bool,
}

impl Asker {
    async fn ask_all(&mut self, network: &Network, hosts: &[Host]) -> anyhow::Result<Outcome> {
        let mut questions = VecDeque::new();
        let mut in_ranges = 0_u64;
        for host in hosts {
            match *host {
                Host::Range(address, prefix) => {
                    let addresses = range(address, prefix, &network.interfaces().await?)?;
                    in_ranges += addresses.len() as u64;
                    let question = |address| Question { host: Host::Address(address), named: false };
                    questions.extend(addresses.into_iter().map(question));
                }
                host => questions.push_back(Question { host, named: true }),
            }
        }
        let bar = if in_ranges > 0 && std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} asked")?;
            ProgressBar::new(questions.len() as u64).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < AT_A_TIME
                && let Some(question) = questions.pop_front()
            {
                let network = network.clone();
                asked.spawn(async move { (question, status(&network, question.host).await) });
            }
            let Some(done) = asked.join_next().await else { break };
            let (question, result) = done?;
            bar.inc(1);
            bar.suspend(|| self.show(question, result?))?;
        }
        bar.finish_and_clear();
        self.output.flush()?;
        if in_ranges > 0 {
            note(format_args!("{} of {in_ranges} addresses answered", self.answers));
        }
        Ok(if self.missed || self.answers == 0 { Outcome::Failed } else { Outcome::Done })
    }

    fn show(&mut self, question: Question, result: Result<NodeStatus, SendError>) -> anyhow::Result<()> {
        let status = match result {
            Ok(status) => status,
            Err(error) => {
                if question.named {
                    self.missed = true;
                    let host = match question.host {
                        Host::Name(name) => text::name(&name, self.page),
                        Host::Address(address) | Host::Range(address, _) => address.to_string(),
                    };
                    note(format_args!("{host}: {}", text::safe(&why(&error))));
                }
                return Ok(());
            }
        };
        self.answers += 1;
        let page = self.page;
        match self.form {
            Form::Objects => object(&status, &mut Json { out: self.output.line(), page }),
            Form::Tables => table(&status, page, self.output.line()),
            Form::Lines => line(&status, page, self.output.line()),
            Form::Lmhosts => match lmhosts_line(&status) {
                Some(line) => self.output.line().extend_from_slice(line.as_bytes()),
                None => {
                    note(format_args!("{} has no name that LMHOSTS can hold", status.peer.ip()));
                    return Ok(());
                }
            },
        }
        self.output.end_line()
    }
}

async fn status(network: &Network, host: Host) -> Asked<NodeStatus> {
    let address = match host {
        Host::Address(address) | Host::Range(address, _) => address,
        Host::Name(name) => {
            let found = match network.lookup(name, Where::Anywhere(QueryTarget::Default)).await? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            match found.addresses.first() {
                Some(address) => *address,
                None => return Ok(Err(SendError::NameNotFound { name, source: ResolveError::NotFound })),
            }
        }
    };
    network.node_status(address).await
}

/// Why there is no answer, in a few words.
pub(super) fn why(error: &SendError) -> String {
    match error {
        SendError::NameNotFound { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

/// The addresses of a range that is part of a subnet of this computer, without the network's and the broadcast one.
fn range(address: Ipv4Addr, prefix: u8, interfaces: &[Interface]) -> anyhow::Result<Vec<Ipv4Addr>> {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    let first = u32::from(address) & mask;
    let last = first | !mask;
    let inside = |interface: &&Interface| interface.prefix <= prefix && interface.is_on_link(address);
    let Some(interface) = interfaces.iter().find(inside) else {
        let known: Vec<_> = interfaces.iter().map(|interface| interface.to_string()).collect();
        anyhow::bail!(
            "{}/{prefix} is not inside a subnet of this computer ({}); other networks are not searched",
            Ipv4Addr::from(first),
            if known.is_empty() { "no interface is up".to_owned() } else { known.join(", ") }
        );
    };
    anyhow::ensure!(
        last - first < LARGEST,
        "{}/{prefix} has {} addresses; at most {LARGEST} are searched, a range of 20 bits",
        Ipv4Addr::from(first),
        u64::from(last - first) + 1
    );
    let network =
        u32::from(interface.broadcast) & u32::MAX.checked_shl(32 - u32::from(interface.prefix)).unwrap_or(0);
    let is_host = |address: &Ipv4Addr| *address != interface.broadcast && u32::from(*address) != network;
    Ok((first..=last).map(Ipv4Addr::from).filter(is_host).collect())
}

/// The computer's name and its workgroup's.
fn who(status: &NodeStatus) -> (Option<NetbiosName>, Option<NetbiosName>) {
    let find = |group: bool| {
        let wanted = status.names.iter().find(|entry| {
            entry.name.suffix() == Suffix::WORKSTATION && entry.flags.contains(NameFlags::GROUP) == group
        });
        wanted.map(|entry| entry.name)
    };
    (find(false), find(true))
}

fn base(name: Option<NetbiosName>, page: CodePage) -> String {
    name.map_or_else(|| "-".to_owned(), |name| text::name_base(name.base(), page))
}

fn mac(status: &NodeStatus) -> Option<String> {
    let mac = status.unit_id.filter(|mac| *mac != [0; 6])?;
    let digits: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(digits.join(":"))
}

fn flags(flags: NameFlags) -> Vec<&'static str> {
    let known = [
        (NameFlags::ACTIVE, "active"),
        (NameFlags::CONFLICT, "conflict"),
        (NameFlags::DEREGISTER, "releasing"),
        (NameFlags::PERMANENT, "permanent"),
    ];
    known.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, word)| word).collect()
}

const fn kind(flags: NameFlags) -> &'static str {
    if flags.contains(NameFlags::GROUP) { "group" } else { "unique" }
}

fn table(status: &NodeStatus, page: CodePage, out: &mut Vec<u8>) {
    let (computer, workgroup) = who(status);
    let mut table = format!("{} {} in {}", status.peer.ip(), base(computer, page), base(workgroup, page));
    if let Some(mac) = mac(status) {
        table.push_str(&format!(", MAC {mac}"));
    }
    for entry in &status.names {
        let meaning = match (entry.name.suffix(), entry.flags.contains(NameFlags::GROUP)) {
            (Suffix::WORKSTATION, false) => "workstation",
            (Suffix::WORKSTATION, true) => "workgroup",
            (suffix, _) => suffix.meaning().unwrap_or("unknown"),
        };
        table.push_str(&format!(
            "\n  {:<20} {:<6} {:<8} {meaning}",
            text::name(&entry.name, page),
            kind(entry.flags),
            flags(entry.flags).join(" "),
        ));
    }
    if status.partial {
        table.push_str("\n  (it has more names than it told)");
    }
    out.extend_from_slice(table.as_bytes());
}

fn line(status: &NodeStatus, page: CodePage, out: &mut Vec<u8>) {
    let (computer, workgroup) = who(status);
    let server = status.names.iter().any(|entry| entry.name.suffix() == Suffix::SERVER);
    let line = format!(
        "{:<15} {:<15} {:<15} {:<6} {}",
        status.peer.ip().to_string(),
        base(computer, page),
        base(workgroup, page),
        if server { "server" } else { "-" },
        mac(status).unwrap_or_else(|| "-".to_owned()),
    );
    out.extend_from_slice(line.as_bytes());
}

/// `10.0.0.5 PC7 #PRE`, for names of characters that mean nothing else in the file.
fn lmhosts_line(status: &NodeStatus) -> Option<String> {
    let name = who(status).0?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.!$%&'()@^{}~".contains(byte);
    let plain = !name.base().is_empty() && name.base().iter().all(is_plain);
    plain.then(|| format!("{:<15} {} #PRE", status.peer.ip().to_string(), name.base().escape_ascii()))
}

fn object(status: &NodeStatus, json: &mut Json<'_>) {
    let (computer, workgroup) = who(status);
    json.raw("{\"address\":\"");
    json.ip(*status.peer.ip());
    json.raw("\"");
    for (key, name) in [(",\"computer\":", computer), (",\"workgroup\":", workgroup)] {
        if let Some(name) = name {
            json.raw(key);
            json.oem(name.base());
        }
    }
    if let Some(mac) = mac(status) {
        json.raw(",\"mac\":");
        json.string(&mac);
    }
    json.raw(",\"names\":[");
    json.list(status.names.iter(), |json, entry| {
        json.raw("{\"name\":");
        json.scoped_name(&entry.name.into());
        json.raw(",\"kind\":");
        json.word(kind(entry.flags));
        json.raw(",\"flags\":[");
        json.list(flags(entry.flags).into_iter(), |json, flag| json.word(flag));
        json.raw("]}");
    });
    json.raw("]");
    if status.partial {
        json.raw(",\"partial\":true");
    }
    json.raw("}");
}
