//! The command line of what asks for names: `lookup`, `status`, `names`.

use clap::Args;

use super::CodePageArg;
use crate::lan::LanArgs;

/// Ask who has a NetBIOS name
///
/// A line for each address of each name. If mailslot serve runs, the service asks, from its own table and cache first
/// (-B and -U say otherwise), and as long as it does for itself; else, or with LAN options, the command does, as a
/// computer of its own whose name is not claimed. Neither needs a right.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot lookup PC7                                         PC7<00>, as the LAN options say: broadcast or WINS
  mailslot lookup 'WORKGROUP<1d>' 'WORKGROUP<1b>'             the local and the domain master browser
  mailslot lookup '*'                                         everybody
  mailslot lookup -B 192.0.2.255 PC7                          by broadcast on this subnet only
  mailslot lookup -U 192.0.2.1 PC7                            ask this computer or name server only
  mailslot lookup -A 192.0.2.7                                the other way round: the names of an address

Exit status: 0 every name was found; 1 one was not; 2 wrong use.")]
pub(crate) struct LookupArgs {
    /// The names: NAME for NAME<00>, NAME<1d>, or * for everybody
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Ask only by broadcast to this address, that of one of the interfaces
    #[arg(short = 'B', long, value_name = "ADDR", conflicts_with_all = ["server", "by_address"])]
    pub(crate) broadcast: Option<std::net::Ipv4Addr>,

    /// Ask only the computer or name server at this address
    #[arg(short = 'U', long, value_name = "ADDR", conflicts_with = "by_address")]
    pub(crate) server: Option<std::net::Ipv4Addr>,

    /// The names are addresses: show the names of the computers there, as status does
    #[arg(short = 'A', long)]
    pub(crate) by_address: bool,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

/// Show the names of other computers, of one or of a whole subnet
///
/// A table for each computer; with a range a line for each that answers: address, computer, workgroup, whether it is a
/// file server, MAC address. Ranges must be inside a subnet of this computer and have at most 4096 addresses. If mailslot
/// serve runs, the service asks, and its subnets are meant; else, or with LAN options, the command does itself. Neither
/// needs a right. A silent computer is given 4.5 s.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot status 192.0.2.7 PC8                               two computers, by address and by name
  mailslot status 192.0.2.0/24                                everybody on the subnet
  mailslot status --json 192.0.2.0/24 | jq .computer
  mailslot status --lmhosts-lines 192.0.2.0/24 > lmhosts      for --lmhosts, or for Windows

Exit status: 0 every computer that was named answered, and at least one; 1 otherwise; 2 wrong use.")]
pub(crate) struct StatusArgs {
    /// Computers by address or name, or ranges such as 192.0.2.0/24
    #[arg(required = true, value_name = "HOST")]
    pub(crate) hosts: Vec<String>,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the lines of an LMHOSTS file
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) lmhosts_lines: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}

/// Show this computer's names: the service's, or those that could be had
///
/// If mailslot serve runs, they are the names that it has or claims, as they are now. Else, or with LAN options, the
/// command claims the names of a computer of its own, shows what became of each, and gives them up again; for that it
/// needs the ports.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailslot names                                              what is this computer called?
  mailslot names --name PC7 --workgroup SALES                 could it be PC7 in SALES?
  mailslot names --loopback --json

Exit status: 0 all names are or were had; 1 one was not; 2 wrong use, or ports that are not to be had.")]
pub(crate) struct NamesArgs {
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) code_page: CodePageArg,

    #[command(flatten)]
    pub(crate) lan: LanArgs,
}
