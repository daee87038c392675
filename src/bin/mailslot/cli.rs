//! The command line.

mod asking;

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueHint};
use mailslot::slot::Profile;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;

pub(crate) use self::asking::{LookupArgs, NamesArgs, StatusArgs};
#[cfg(unix)]
use crate::cmd::serve::BrowserArgs;
use crate::lan::{self, LanArgs};

/// Windows mailslots and the Network Neighborhood, off Windows.
#[derive(Debug, Parser)]
#[command(name = "mailslot", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done, 1 nothing matched, came or was sent, 2 wrong use, unreadable input or no \
    way to start.\n\
    Nothing on these ports is authenticated: whatever is shown is what somebody on the network claims."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Decode(DecodeArgs),
    Capture(CaptureArgs),
    Replay(ReplayArgs),
    /// Show mailslots at work between five computers on a LAN inside this machine
    ///
    /// A vending machine tells everybody how many sodas are left; three workstations read it, and one of them asks where
    /// the file server is, which sends another a price list too long for a datagram. Needs no right, ends by itself
    /// within seconds, and shows the frames that crossed. Exit status: 0 all arrived, 1 something did not.
    Demo,
    Listen(ListenArgs),
    Send(SendArgs),
    Lookup(LookupArgs),
    Status(StatusArgs),
    Names(NamesArgs),
    Browse(crate::cmd::browse::BrowseArgs),
    Browser(crate::cmd::browser::BrowserArgs),
    #[cfg(unix)]
    Ls(LsArgs),
    #[cfg(unix)]
    Info(InfoArgs),
    #[cfg(unix)]
    #[command(hide = true)]
    Node(NodeArgs),
    #[cfg(unix)]
    Serve(ServeArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// The LAN options of a command that has them.
    pub(crate) const fn lan_mut(&mut self) -> Option<&mut LanArgs> {
        match self {
            Self::Listen(args) => Some(&mut args.lan),
            Self::Send(args) => Some(&mut args.lan),
            Self::Lookup(args) => Some(&mut args.lan),
            Self::Status(args) => Some(&mut args.lan),
            Self::Names(args) => Some(&mut args.lan),
            _ => None,
        }
    }
}

/// Show what a capture file holds of names, mailslots, browsing and SMB1 sessions
///
/// UDP 137 (name service) and 138 (datagram service), TCP 139 and 445 (sessions), one line each.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot decode lan.pcapng                                  one line each
  tcpdump -i eth0 -w - port 138 | mailslot decode -           as they come
  mailslot decode --json lan.pcap.gz | jq .browser            one JSON object per line
  mailslot decode --slot 'NET\\*' --name 'PC7<00>' lan.pcap   only these
  mailslot decode --command HostAnnouncement lan.pcap         only announcements
  mailslot decode --name PC7 --write pc7.pcap lan.pcapng      its frames as a capture
  mailslot decode --fields --command NEGOTIATE lan.pcap       every field with its bytes
  mailslot decode --verify lan.pcap                           encode again and compare
  mailslot decode --stats lan.pcap                            totals only")]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) show: ShowArgs,

    /// Encode everything that was decoded again and report what does not come back byte for byte
    #[arg(long)]
    pub(crate) verify: bool,

    /// Print totals by kind, sender and slot instead
    #[arg(long, conflicts_with_all = ["verify", "fields"])]
    pub(crate) stats: bool,
}

/// Show the same as it comes in on an interface
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot capture --list                                     the interfaces
  mailslot capture -i eth0                                    until Ctrl-C
  mailslot capture -i eth0 --write lan.pcapng --count 100     and keep the frames
  mailslot capture -i eth0 --json --command RequestElection   only elections

It needs CAP_NET_RAW and nothing else:
  sudo setcap cap_net_raw+ep $(readlink -f $(command -v mailslot))")]
pub(crate) struct CaptureArgs {
    /// The interface to listen on
    #[arg(short, long, value_name = "INTERFACE", required_unless_present = "list")]
    pub(crate) interface: Option<String>,

    /// Print the interfaces and end
    #[arg(long, conflicts_with_all = ["interface", "count", "seconds"])]
    pub(crate) list: bool,

    /// End after this many lines
    #[arg(short, long, value_name = "NUMBER")]
    pub(crate) count: Option<u64>,

    /// End after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,

    /// Only what is sent to this machine or to everybody
    #[arg(long)]
    pub(crate) no_promiscuous: bool,

    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

/// How to show what is read, and what of it.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Show every field with its offset, bytes and meaning, and where a damaged one is not sound
    #[arg(long)]
    pub(crate) fields: bool,

    /// Only messages to slots that match, with or without \MAILSLOT\; * and ? stand for anything
    #[arg(long, value_name = "GLOB")]
    pub(crate) slot: Vec<String>,

    /// Only what is from, to or about this NetBIOS name: NAME for any suffix, or NAME<1d>
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,

    /// Only this kind: a browser frame (HostAnnouncement, ...), a NETLOGON message (LOGON_PRIMARY_QUERY, ...), a name
    /// service packet (query_request, ...), a RAP function (NetServerEnum2, ...) or an SMB command (NEGOTIATE, ...)
    #[arg(long, value_name = "NAME")]
    pub(crate) command: Vec<String>,

    /// Write the frames of what is shown as a capture: pcap if FILE ends in .pcap or .cap, else pcapng; with -
    /// for standard output, nothing else is printed
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) write: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,
}

/// Deliver a capture file's messages into mailslots and print what each reader gets
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot replay lan.pcap                                    as if this computer owned every name
  mailslot replay --as PC7 --as 'WORKGROUP<1e>' lan.pcap      as if it owned these
  mailslot replay --slot 'app*' --profile win9x --json lan.pcap

The clock is the capture's own, so two runs print the same.")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Create only the slots that match, with or without \MAILSLOT\ [default: every slot seen]
    #[arg(long, value_name = "PATTERN")]
    pub(crate) slot: Vec<String>,

    /// Own only this NetBIOS name: NAME for any suffix, or NAME<1d> [default: every name seen]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Behave like this Windows: nt, nt4 or win9x
    #[arg(long, default_value_t, value_name = "PROFILE")]
    pub(crate) profile: Profile,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,
}

/// Create mailslots and print each message that comes
///
/// A line is the time, the slot, who sent the message from where to which name, its size, and the message itself: text
/// in quotes if it is printable (UTF-8, else the OEM code page), else hex. Messages of the browser, NETLOGON and
/// messenger services are decoded. Standard error says when the computer has its names, and at the end which messages
/// were dropped and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot listen '\\\\.\\mailslot\\soda'                       for the programs of this machine; //./mailslot/soda too
  mailslot listen soda                                        on the LAN; needs ports 137 and 138, or the service
  mailslot listen --loopback soda                             on a LAN inside this machine, without any right
  mailslot listen --json --count 1 --timeout 30 soda news     the first message to either slot, as JSON
  mailslot listen --raw --count 1 backup > backup.bin         its bytes alone
  mailslot listen soda --exec notify-send 'A message'         a program for each message
  mailslot listen --workgroup SALES --name PC7 '\\\\.\\mailslot\\soda'

--exec runs the program itself, without a shell. It gets the message on standard input and, in the environment,
MAILSLOT_MESSAGE_TIME, _SLOT, _FROM, _TO, _SIZE, _WAY and _SOURCE. Each slot runs one program at a time; the
slot's further messages wait in it meanwhile, other slots go on. At the end, running programs are given 5 s.

Where the slots are: a slot that is given by its path is on this machine's own node, for all its programs: the
service's, if mailslot serve runs, else one of this user, which the first listener starts, which needs no right, and
which ends with the last handle. A name alone is on the LAN: by the service, if it runs, else as a computer of its own.
With LAN options on the command line it is always a computer of its own, and paths are slots of that one; those of the
environment make only plain names so.

Ports 137 and 138 need a right, which the program can be given once:
  sudo setcap cap_net_bind_service+ep $(readlink -f $(command -v mailslot))

Exit status: 0 messages came, or Ctrl-C ended it; 1 --timeout passed before a message, or before as many as
--count says; 2 wrong use, a slot that exists (183), a name that is another's, or ports that are not to be had.")]
pub(crate) struct ListenArgs {
    /// The mailslots: soda, '\\.\mailslot\soda' or //./mailslot/soda
    #[arg(required = true, value_name = "SLOT", value_parser = ValueParser::new(lan::local_slot))]
    pub(crate) slots: Vec<lan::OwnSlot>,

    /// Print one JSON object per line
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,

    /// Print the bytes of each message and nothing else
    #[arg(long)]
    pub(crate) raw: bool,

    /// End after this many messages
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// End this many seconds after the computer has got its names; if it gets none, too, but not before 5 s
    #[arg(short, long, value_name = "SECONDS", value_parser = lan::seconds)]
    pub(crate) timeout: Option<std::time::Duration>,

    /// Refuse messages of more bytes
    #[arg(long, value_name = "BYTES", default_value_t = 0, hide_default_value = true)]
    pub(crate) max_message_size: u32,

    /// Run a program for each message; everything up to the end, or up to a ';' of its own, is its arguments
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
    pub(crate) exec: Vec<std::ffi::OsString>,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

/// Write a message into the mailslots of a computer, a domain or everybody
///
/// Standard output says what went where. On the LAN the message goes in this computer's name, which is not claimed:
/// sending needs no right, takes any free ports, and disturbs no other program that has the name or the ports.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["message", "from_file"]))]
#[command(after_help = "Examples:
  mailslot send '\\\\PC7\\mailslot\\soda' '12 left'            to one computer
  mailslot send //PC7/mailslot/soda '12 left'                 the same; slashes need no quotes
  mailslot send //WORKGROUP/mailslot/soda '12 left'           to all computers of a workgroup or domain
  mailslot send '//*/mailslot/soda' '12 left'                 to all of one's own workgroup
  mailslot send //./mailslot/soda '12 left'                   to a program of this machine
  mailslot send --loopback '//*/mailslot/soda' hello          on the LAN inside this machine
  date | mailslot send //PC7/mailslot/clock                   from standard input, as with -
  mailslot send //PC7/mailslot/soda ''                        an empty message, which is one, too
  mailslot send --via session //PC7/mailslot/soda '12 left'   a short one, acknowledged
  mailslot send --repeat 10 --interval 0.5 //PC7/mailslot/soda ping

A path //./mailslot/NAME is a slot of this machine itself (mailslot listen //./mailslot/NAME): nothing goes on a wire, and
no LAN option applies. This machine's own name reaches its slots, too, and * as well. Other paths go by the service, if
mailslot serve runs, else, or with LAN options, in the way of a computer of its own.
Up to 424 bytes (less for long slot names) go in one datagram, which nothing acknowledges: sent means that it is on its
way. Longer ones go by SMB session, to one computer only: first on --session-port, then on --direct-port.

Exit status: 0 all were sent; 1 one was not, with its Win32 code on standard error; 2 wrong use.")]
pub(crate) struct SendArgs {
    /// The mailslot: '\\HOST\mailslot\NAME' or //HOST/mailslot/NAME; HOST may be a computer, its address, a domain,
    /// or * for the own workgroup
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The message; without it, or with -, standard input
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: Option<std::ffi::OsString>,

    /// The message is what this file holds
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from_file: Option<PathBuf>,

    /// Send it so many times
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) repeat: u64,

    /// Wait so many seconds between two of them
    #[arg(long, value_name = "SECONDS", value_parser = lan::seconds, requires = "repeat")]
    pub(crate) interval: Option<std::time::Duration>,

    /// By this way and no other [default: by datagram if it fits one, else by session]
    #[arg(long, value_name = "WAY", value_enum)]
    pub(crate) via: Option<WayArg>,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

/// A way that a message can be told to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WayArg {
    /// One datagram, which nothing acknowledges; to one computer or a group
    Datagram,
    /// An SMB session, at whose other end the message is in its slot or refused; to one computer
    Session,
}

/// Run as a service: names, mailslots and what is done with their messages, a place in the Network Neighborhood
///
/// Each slot's messages are printed as JSON, appended to a file, or given to a program, as the file says. Logs go to
/// standard error. systemd is told when the names are this computer's (Type=notify).
#[cfg(unix)]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot serve --config /etc/mailslot/mailslot.toml
  mailslot serve --config mailslot.toml --check               is the file right?
  mailslot serve --loopback --metrics 127.0.0.1:9137          without slots: it only has its names
  mailslot serve --loopback --socket /tmp/mailslot.sock       MAILSLOT_SOCKET=/tmp/mailslot.sock mailslot ls sees it
  mailslot serve --role preferred-master --workgroup SALES    the master browser of the subnet

The file, with all its keys, is described in packaging/mailslot.toml (/etc/mailslot/mailslot.toml of the Debian
package). Options go before the environment (MAILSLOT_...), that before the file, that before the defaults.

SIGHUP reads the file again: slots are opened, closed and changed; the rest takes a restart. If the file is broken
then, everything stays as it was. SIGTERM and Ctrl-C see to the messages that are there and give the names up.

Exit status: 0 it was told to end; 2 wrong use, a broken file, a name that is another's, or ports that are not to be
had.")]
pub(crate) struct ServeArgs {
    /// Read settings and slots from this file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "MAILSLOT_CONFIG")]
    #[arg(hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Only say whether the file and the options are right
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) browser: BrowserArgs,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

/// What `[service]` of the file may hold, too.
#[cfg(unix)]
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// Serve /metrics (Prometheus) and /health over HTTP on this address and port
    #[arg(long, value_name = "ADDR:PORT", env = "MAILSLOT_METRICS", hide_env_values = true)]
    pub(crate) metrics: Option<std::net::SocketAddr>,

    /// Let programs of this machine share the slots, names and ports through this socket; with a service manager's
    /// socket (LISTEN_FDS), through that instead
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, env = "MAILSLOT_SOCKET")]
    #[arg(hide_env_values = true)]
    pub(crate) socket: Option<PathBuf>,

    /// The mode of the socket, which says who may connect, in octal
    #[arg(long, value_name = "MODE", default_value = "0660", value_parser = mode, env = "MAILSLOT_SOCKET_MODE")]
    #[arg(hide_env_values = true)]
    pub(crate) socket_mode: u32,

    /// What is logged: error, warn, info, debug or trace, or such a level for a part, as in info,mailslot::node=debug
    #[arg(long, value_name = "FILTER", default_value = "info", env = "MAILSLOT_LOG", hide_env_values = true)]
    pub(crate) log: String,

    /// How it is logged
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        env = "MAILSLOT_LOG_FORMAT",
        hide_env_values = true
    )]
    pub(crate) log_format: LogFormat,
}

/// `0660`
#[cfg(unix)]
fn mode(text: &str) -> Result<u32, &'static str> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or("octal digits up to 0777, such as 0660: read and write for the owner and the group")
}

#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    Text,
    /// A JSON object per line
    Json,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct InputArgs {
    /// Capture file: pcap or pcapng, plain or gzip; - for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// The same, as tcpdump and tshark have it
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    read: Option<PathBuf>,
}

impl InputArgs {
    pub(crate) fn path(&self) -> &std::path::Path {
        // clap takes exactly one of them.
        self.file.as_deref().or(self.read.as_deref()).unwrap_or_else(|| "-".as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct CodePageArg {
    /// OEM code page of names and texts
    #[arg(long, value_name = "NUMBER", default_value = "437", value_parser = code_page, env = "MAILSLOT_CODE_PAGE")]
    pub(crate) code_page: CodePage,
}

fn code_page(text: &str) -> Result<CodePage, String> {
    text.parse().ok().and_then(CodePage::new).ok_or_else(|| {
        "the OEM code pages are 437, 720, 737, 775, 850, 852, 855, 857, 858, 860 to 866, 869 and 874"
            .to_owned()
    })
}

/// A NetBIOS name to look for: with a suffix exactly that name, without one any suffix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamePattern {
    name: NetbiosName,
    any_suffix: bool,
}

impl NamePattern {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(Self { name: text.parse()?, any_suffix: !text.ends_with('>') })
    }

    /// The name, and whether its suffix does not matter.
    pub(crate) const fn parts(&self) -> (NetbiosName, bool) {
        (self.name, self.any_suffix)
    }

    pub(crate) fn matches(&self, name: &NetbiosName) -> bool {
        let same_suffix = self.any_suffix || self.name.suffix() == name.suffix();
        same_suffix && self.name.base().eq_ignore_ascii_case(name.base())
    }
}

/// Print a completion script
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual pages
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Directory to write mailslot.1 and one page per command into
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
}

/// Show the mailslots of this machine, with owner, queue and last sender
///
/// Those of the machine's service, if it runs, and of the user's own node.
#[cfg(unix)]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot ls                            one line each
  mailslot ls 'net\\*'                    only these
  mailslot ls --json | jq .dropped       one JSON object per line

Exit status: 0 done, 1 no such mailslot, 2 wrong use or no access.")]
pub(crate) struct LsArgs {
    /// Only mailslots whose name matches this pattern (* and ?, without case)
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: Option<String>,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show all about one mailslot of this machine
#[cfg(unix)]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot info soda
  mailslot info '//./mailslot/soda' --json | jq .message_count

Exit status: 0 done, 1 no such mailslot, 2 wrong use or no access.")]
pub(crate) struct InfoArgs {
    /// The mailslot: its name, or its path '//./mailslot/NAME'
    #[arg(value_name = "SLOT")]
    pub(crate) slot: String,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Hold a user's mailslots until the last handle closes; started by the first listener
#[cfg(unix)]
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Where its socket and locks are
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) directory: PathBuf,

    /// Be the node instead of leaving one behind
    #[arg(long)]
    pub(crate) serve: bool,
}
