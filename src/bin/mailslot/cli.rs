//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use mailslot::slot::Profile;
use mailslot::wire::name::NetbiosName;
use mailslot::wire::oem::CodePage;

/// Windows mailslots and the Network Neighborhood, off Windows.
#[derive(Debug, Parser)]
#[command(name = "mailslot", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 done, 1 nothing matched, 2 wrong use or unreadable input.\n\
    Nothing on these ports is authenticated: whatever is shown is what somebody on the network claims.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Decode(DecodeArgs),
    Capture(CaptureArgs),
    Replay(ReplayArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
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
    /// OEM code page of the names and texts in the capture
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
