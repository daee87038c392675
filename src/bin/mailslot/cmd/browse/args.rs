//! The options of `browse`.

use std::time::Duration;

use clap::Args;
use mailslot::wire::browser::ServerType;

use crate::cli::CodePageArg;
use crate::lan::{self, LanArgs};
use crate::server_type;

/// Show the workgroups and computers of the Network Neighborhood
///
/// Asks as Windows does: the master browser for its backups, one of these for its list, over an anonymous SMB1 session; if
/// none gives it the master itself. If that does not either, what announces itself within 3 s is shown. Standard error,
/// and each JSON object, says where the list came from. No name is claimed.
///
/// With --passive it only listens: to the announcements that computers and masters broadcast, for so many seconds. Nothing
/// is sent, and no connection is made. A computer announces itself every 12 minutes (more often when it has just
/// started), so that a complete list takes that long.
///
/// With --watch it listens in the same way and shows all that lives on the LAN on the whole terminal until q is pressed:
/// workgroups, computers and when they expire, elections, and how many messages come for which mailslots.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot browse                                             the computers of this computer's workgroup
  mailslot browse LABDOM --type printq                        the print servers of LABDOM
  mailslot browse --domains --json                            the workgroups, as JSON objects
  mailslot browse --passive 60                                what announces itself within a minute
  mailslot browse --passive 60 LABDOM                         the computers of one workgroup
  mailslot browse --passive 60 --domains                      only the workgroups, and their masters
  mailslot browse --passive 60 --type printq --type 0x4       only computers with one of these types
  mailslot browse --passive 60 --json | jq .computer          one JSON object per line
  mailslot browse --watch                                     the LAN as it lives, on the whole terminal

Listening needs port 138, for which a right is needed (mailslot listen --help). Asking does without, except that Windows
answers to that port alone; computers that speak no SMB1 give no list.

Exit status: 0 there is a list; 1 there is none, or nothing in it; 2 wrong use, or a port that is not to be had. --watch: 0
when the user ends it.")]
pub(crate) struct BrowseArgs {
    /// Of this workgroup or domain [default: this computer's, with --passive all]
    #[arg(value_name = "WORKGROUP", value_parser = workgroup)]
    pub(crate) of: Option<String>,

    /// Only the workgroups, and the master of each
    #[arg(long)]
    pub(crate) domains: bool,

    /// Only computers with this type: its name in MS-BRWS without SV_TYPE_ (server, nt, printq, domain_ctrl,
    /// master_browser, ...) or a number such as 0x200; given several times, one of them will do
    #[arg(long = "type", value_name = "TYPE", value_parser = server_type, conflicts_with = "domains")]
    types: Vec<ServerType>,

    /// Only listen, this long; end sooner with Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = lan::seconds)]
    pub(crate) passive: Option<Duration>,

    /// Show the LAN as it lives, on the whole terminal; ? there says which keys do what, q ends it
    #[arg(long, conflicts_with_all = ["passive", "domains", "types", "json"])]
    pub(crate) watch: bool,

    /// Say on standard error what is heard as it comes
    #[arg(short, long, requires = "passive")]
    pub(crate) verbose: bool,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

impl BrowseArgs {
    /// The types of which one must be there; all computers fit if it is empty.
    pub(crate) fn types(&self) -> ServerType {
        self.types.iter().copied().collect()
    }

    /// Whether a computer of this type is to be shown.
    pub(crate) fn wants(&self, server_type: ServerType) -> bool {
        let types = self.types();
        types.is_empty() || server_type.intersects(types)
    }
}

/// A name that can be a computer's or a workgroup's.
pub(crate) fn workgroup(text: &str) -> Result<String, String> {
    use mailslot::wire::name::{NetbiosName, Suffix};
    NetbiosName::new(text, Suffix::WORKSTATION).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn server_type(text: &str) -> Result<ServerType, String> {
    let known = || server_type::names(ServerType::all()).to_ascii_lowercase();
    server_type::parse(text).ok_or_else(|| format!("the types are {}, or a number such as 0x200", known()))
}
