//! What the service is in the Network Neighborhood: `[browser]` of the file, and the options of the same names.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use mailslot::node::{Node, NodeBrowser};
use mailslot::service::browser::{Config, Controller, DomainMaster, LanmanAnnounce, Maintain};
use mailslot::wire::browser::{ElectionOs, ServerType, Version};
use mailslot::wire::name::{NetbiosName, Suffix};
use mailslot::wire::oem::CodePage;

use crate::server_type;

/// The server types that follow from the role.
const OF_THE_ROLE: ServerType = ServerType::POTENTIAL_BROWSER
    .union(ServerType::BACKUP_BROWSER)
    .union(ServerType::MASTER_BROWSER)
    .union(ServerType::DOMAIN_MASTER)
    .union(ServerType::DOMAIN_CTRL)
    .union(ServerType::DOMAIN_BAKCTRL)
    .union(ServerType::LOCAL_LIST_ONLY)
    .union(ServerType::DOMAIN_ENUM);

/// What this computer is in the Network Neighborhood.
#[derive(Debug, Args)]
#[command(next_help_heading = "Browser options")]
pub(crate) struct BrowserArgs {
    /// What it does for the browse list
    #[arg(
        long,
        value_name = "ROLE",
        default_value = "non-browser",
        env = "MAILSLOT_ROLE",
        hide_env_values = true
    )]
    pub(super) role: RoleChoice,

    /// The comment beside its name, at most 42 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    #[arg(env = "MAILSLOT_COMMENT", hide_env_values = true)]
    comment: String,

    /// The version of the operating system in announcements; Samba says 6.1 too
    #[arg(long, value_name = "MAJOR.MINOR", default_value = "6.1", value_parser = version)]
    #[arg(env = "MAILSLOT_OS_VERSION", hide_env_values = true)]
    os_version: Version,

    /// What it is and offers, by the names of MS-BRWS or as a number; what follows from the role is added
    #[arg(long, value_name = "TYPE", default_value = "WORKSTATION,SERVER,XENIX,NT", value_delimiter = ',')]
    #[arg(value_parser = server_type, env = "MAILSLOT_SERVER_TYPE", hide_env_values = true)]
    server_type: Vec<ServerType>,

    /// The operating system in elections, 0 to 255, as `os level` of Samba [default: 16, a Windows client; 32, a
    /// Windows server, with the role domain-master]
    #[arg(long, value_name = "NUMBER", env = "MAILSLOT_OS_LEVEL", hide_env_values = true)]
    os_level: Option<u8>,

    /// With whom a local master exchanges lists: none, registered (whoever has WORKGROUP<1b>), a computer's name, or
    /// an address
    #[arg(long, value_name = "WHO", default_value = "none", value_parser = domain_master)]
    #[arg(env = "MAILSLOT_DOMAIN_MASTER", hide_env_values = true)]
    domain_master: DomainMaster,

    /// The longest time between announcements, in seconds, 1 to 3600; they begin closer together
    #[arg(long, value_name = "SECONDS", default_value = "720", env = "MAILSLOT_ANNOUNCE_PERIOD")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=3600), hide_env_values = true)]
    announce_period: u16,

    /// Whether it announces itself to LAN Manager and OS/2 too
    #[arg(
        long,
        value_name = "WHETHER",
        default_value = "auto",
        env = "MAILSLOT_LANMAN",
        hide_env_values = true
    )]
    lanman: LanmanChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleChoice {
    /// Nothing: there is no browser service, and nobody is told of this computer
    None,
    /// It announces itself
    NonBrowser,
    /// It may be elected local master, or be asked to be a backup
    Potential,
    /// It is a backup at least
    Backup,
    /// The same, and it has an election when it starts, which it wins against equals
    PreferredMaster,
    /// The domain master, which announces itself as the primary domain controller
    DomainMaster,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LanmanChoice {
    No,
    /// When it hears one of them
    Auto,
    Yes,
}

impl BrowserArgs {
    /// The settings, if there is to be a browser service. `uses_nbns`: there is a name server.
    pub(super) fn config(
        &self,
        computer: NetbiosName,
        workgroup: NetbiosName,
        page: CodePage,
        uses_nbns: bool,
    ) -> anyhow::Result<Option<Config>> {
        let comment = page.encode(&self.comment).context("--comment")?;
        let mut config = Config::new(&computer, &workgroup);
        config.set_comment(&comment).context("--comment")?;
        config.maintain = match self.role {
            RoleChoice::None => return Ok(None),
            RoleChoice::NonBrowser => Maintain::No,
            RoleChoice::Potential => Maintain::Auto,
            RoleChoice::Backup | RoleChoice::PreferredMaster | RoleChoice::DomainMaster => Maintain::Yes,
        };
        config.preferred = self.role == RoleChoice::PreferredMaster;
        if self.role == RoleChoice::DomainMaster {
            config.controller = Controller::Primary;
        }
        config.os_version = self.os_version;
        config.server_type = self.server_type.iter().copied().collect();
        config.election_os = self.os_level.map(ElectionOs);
        config.uses_nbns = uses_nbns;
        config.domain_master = self.domain_master;
        config.lanman = match self.lanman {
            LanmanChoice::No => LanmanAnnounce::No,
            LanmanChoice::Auto => LanmanAnnounce::Auto,
            LanmanChoice::Yes => LanmanAnnounce::Yes,
        };
        let longest = Duration::from_secs(u64::from(self.announce_period));
        let timers = &mut config.timers;
        let of_servers = timers.host.iter_mut().chain(&mut timers.local_master);
        for period in of_servers.chain([&mut timers.lanman]) {
            *period = longest.min(*period);
        }
        Ok(Some(config))
    }

    /// Starts the browser service on `node`, if there is to be one.
    pub(super) fn start(
        &self,
        node: &Node,
        page: CodePage,
        uses_nbns: bool,
    ) -> anyhow::Result<Option<NodeBrowser>> {
        let config = self.config(node.name(), node.workgroup(), page, uses_nbns)?;
        Ok(config.map(|config| node.start_browser(config)).transpose()?)
    }

    /// Whether there is a browser service, which reads its slots itself.
    pub(super) fn is_there(&self) -> bool {
        self.role != RoleChoice::None
    }

    /// Whether the settings can be.
    pub(super) fn check(&self, page: CodePage) -> anyhow::Result<()> {
        let anybody = NetbiosName::WILDCARD;
        self.config(anybody, anybody, page, false).map(drop)
    }
}

/// `6.1`
fn version(text: &str) -> Result<Version, &'static str> {
    let number = |text: &str| text.parse::<u8>().ok();
    text.split_once('.')
        .and_then(|(major, minor)| Some(Version::new(number(major)?, number(minor)?)))
        .ok_or("two numbers of 0 to 255, such as 6.1")
}

/// `WORKSTATION`, or `0x1803`.
fn server_type(text: &str) -> Result<ServerType, String> {
    let settable = || server_type::names(ServerType::all().difference(OF_THE_ROLE));
    let bits = server_type::parse(text).ok_or_else(|| format!("the types are {}", settable()))?;
    if bits.intersects(OF_THE_ROLE) {
        let names = server_type::names(bits.intersection(OF_THE_ROLE));
        return Err(format!("{names} follows from the role"));
    }
    Ok(bits)
}

fn domain_master(text: &str) -> Result<DomainMaster, String> {
    match text.to_ascii_lowercase().as_str() {
        "none" => return Ok(DomainMaster::None),
        "registered" => return Ok(DomainMaster::Registered),
        _ => {}
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(DomainMaster::Address(address));
    }
    let name = NetbiosName::new(text, Suffix::WORKSTATION).map_err(|error| error.to_string())?;
    Ok(DomainMaster::Name(name))
}
