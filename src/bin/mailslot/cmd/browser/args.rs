//! The options of `browser`.

use clap::{Args, Subcommand};

use crate::cli::CodePageArg;
use crate::lan::LanArgs;

/// Look at the browser service of a workgroup, and move it: the verbs of Windows' browstat
///
/// No name is claimed. Nothing of the browser protocol is authenticated: anybody on the LAN can do what elect and tickle
/// do, and every Windows or Samba machine there obeys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot browser master                                     who is the master browser of this computer's workgroup
  mailslot browser backups LABDOM                             the backups that a client would be told
  mailslot browser status LABDOM --json                       both, and how long the lists are
  mailslot browser elect LABDOM                               have the workgroup elect its master anew
  mailslot browser tickle LABDOM                              have the master step down

Exit status: 0 done; 1 nobody answers, or there is no list; 2 wrong use.")]
pub(crate) struct BrowserArgs {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// The master, its backups, and how many computers and workgroups their lists hold
    Status(VerbArgs),
    /// Name and address of the master browser
    Master(VerbArgs),
    /// The backups that the master tells clients of (GetBackupListRequest); a master without backups names itself
    Backups(VerbArgs),
    /// Have the workgroup elect its master anew: a RequestElection that everybody beats
    Elect(VerbArgs),
    /// Have the master, or another computer, stop being one: a ResetStateRequest
    ///
    /// Samba and Windows obey; another election follows. `mailslot serve` does not obey strangers.
    Tickle(TickleArgs),
}

impl Verb {
    pub(crate) const fn common(&self) -> &VerbArgs {
        match self {
            Self::Status(args) | Self::Master(args) | Self::Backups(args) | Self::Elect(args) => args,
            Self::Tickle(args) => &args.common,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct VerbArgs {
    /// The workgroup or domain [default: this computer's]
    #[arg(value_name = "WORKGROUP", value_parser = crate::cmd::browse::workgroup)]
    pub(crate) of: Option<String>,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TickleArgs {
    #[command(flatten)]
    pub(crate) common: VerbArgs,

    /// This computer, master or not
    #[arg(long, value_name = "NAME", value_parser = crate::cmd::browse::workgroup)]
    pub(crate) host: Option<String>,
}
