//! Asking for lists as Windows does: the backups of the master, then one of them, then the master itself.

use core::net::Ipv4Addr;
use std::time::Duration;

use mailslot::node::{BrowseList, ListHost, Node, NodeError, ServerEnumError};
use mailslot::service::browser::{BackupListClient, ServerName, Slot};
use mailslot::service::names::QueryTarget;
use mailslot::slot::{SlotPath, Win32Error};
use mailslot::wire::Encode;
use mailslot::wire::browser::{AnnouncementRequest, BrowserFrame, ServerType};
use mailslot::wire::name::{NetbiosName, Suffix};
use mailslot::wire::nbns::NameFlags;
use mailslot::wire::oem::CodePage;
use tokio::time::timeout;

use super::list::{Origin, Source};
use super::passive::Ears;
use crate::lan::{LanArgs, Role};
use crate::output::note;
use crate::text;

/// Backups that are asked, at most (MS-BRWS 3.1.4 <29>).
const BACKUPS: usize = 3;

/// How long announcements that were asked for are waited for, where no list is to be had. A master answers at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// A master, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Master {
    pub(crate) name: Option<ServerName>,
    pub(crate) address: Ipv4Addr,
}

/// A master's answer to GetBackupListRequest.
#[derive(Debug, Clone)]
pub(crate) struct Backups {
    pub(crate) master: Master,
    pub(crate) names: Vec<ServerName>,
}

/// A list, and who gave it.
pub(crate) struct Listed {
    pub(crate) list: BrowseList,
    pub(crate) origin: Origin,
}

/// A client of the browser service.
pub(crate) struct Query {
    pub(crate) node: Node,
    pub(crate) ears: Ears,
    pub(crate) workgroup: ServerName,
    pub(crate) page: CodePage,
    /// The code of what went wrong last.
    pub(crate) failed: Win32Error,
}

impl Query {
    /// A node that claims nothing. It is at the usual port if that is to be had, since Windows answers there and
    /// nowhere else; Samba answers where it was asked from.
    pub(crate) async fn start(lan: &LanArgs, workgroup: &str, page: CodePage) -> anyhow::Result<Self> {
        let [a, b, ..] =
            getrandom::u64().map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?.to_le_bytes();
        // Not the name of a service of this machine, which would take it for its own voice.
        let name = lan.name.clone().unwrap_or_else(|| format!("BROWSE-{a:02X}{b:02X}"));
        let node = match lan.builder(Role::Listener)?.name(&name).start().await {
            Err(NodeError::Bind { .. }) => {
                lan.builder(Role::Guest)?.name(&name).hear_all(true).start().await?
            }
            result => result?,
        };
        let ears = Ears::new(&node)?;
        let workgroup = ServerName::from(&NetbiosName::new(workgroup, Suffix::WORKSTATION)?);
        let failed = Win32Error::ERROR_NO_BROWSER_SERVERS_FOUND;
        Ok(Self { node, ears, workgroup, page, failed })
    }

    /// A name for people.
    pub(crate) fn show(&self, name: ServerName) -> String {
        text::oem(name.as_bytes(), self.page)
    }

    /// Writes a browser message to a name of the workgroup.
    pub(crate) async fn write(&self, suffix: Suffix, frame: &[u8]) -> anyhow::Result<()> {
        self.node.write_to_group(&browse_slot()?, self.workgroup.netbios(suffix), frame).await?;
        Ok(())
    }

    /// Asks the master for its backups; `None` if nobody answers.
    pub(crate) async fn backups(&mut self) -> anyhow::Result<Option<Backups>> {
        let [a, b, c, d, ..] =
            getrandom::u64().map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?.to_le_bytes();
        let mut client = BackupListClient::new(self.ears.now(), u32::from_le_bytes([a, b, c, d]));
        while !client.is_over(self.ears.now()) {
            if let Some(frame) = client.request(self.ears.now()) {
                self.write(Suffix::LOCAL_MASTER_BROWSER, &frame).await?;
            }
            let wait = client.poll_timeout().saturating_sub(self.ears.now());
            let Ok(heard) = timeout(wait, self.ears.hear()).await else { continue };
            let (_, message, _) = heard?;
            if let (Some(names), Some(peer)) = (client.take(&message.data), message.peer) {
                let name = message.origin.source().map(|source| ServerName::from(&source));
                return Ok(Some(Backups { master: Master { name, address: *peer.ip() }, names }));
            }
        }
        Ok(None)
    }

    /// Whoever has the name `WORKGROUP<1d>`.
    pub(crate) async fn owner_of_master_name(&self) -> Option<Master> {
        let name = self.workgroup.netbios(Suffix::LOCAL_MASTER_BROWSER);
        let found = self.node.lookup(name, QueryTarget::Default).await.ok()?;
        let address = *found.addresses.first()?;
        let status = self.node.node_status(address).await.ok();
        let own = status.and_then(|status| {
            let is_own = |suffix| {
                status
                    .names
                    .iter()
                    .find(|entry| entry.name.suffix() == suffix && !entry.flags.contains(NameFlags::GROUP))
            };
            is_own(Suffix::SERVER)
                .or_else(|| is_own(Suffix::WORKSTATION))
                .map(|entry| ServerName::from(&entry.name))
        });
        Some(Master { name: own, address })
    }

    /// The master: as it answers for its backups, else as the name service finds it.
    pub(crate) async fn master(&mut self) -> anyhow::Result<Option<Master>> {
        match self.backups().await? {
            Some(backups) => Ok(Some(backups.master)),
            None => Ok(self.owner_of_master_name().await),
        }
    }

    /// The list of one of the backups, else of the master. What goes wrong with each is said.
    pub(crate) async fn list(
        &mut self,
        backups: Option<&Backups>,
        server_type: ServerType,
        domain: Option<ServerName>,
    ) -> Option<Listed> {
        let master = match backups {
            Some(backups) => Some(backups.master),
            None => self.owner_of_master_name().await,
        };
        let mut names: Vec<ServerName> = backups.map(|backups| backups.names.clone()).unwrap_or_default();
        names.retain(|name| master.is_none_or(|master| master.name != Some(*name)));
        shuffle(&mut names);
        for name in names.into_iter().take(BACKUPS) {
            let host = ListHost::Name(name.netbios(Suffix::SERVER));
            match self.node.server_enum(host, server_type, domain).await {
                Ok(list) => {
                    let origin =
                        Origin { source: Source::Backup, name: Some(name), address: Some(*list.from.ip()) };
                    return Some(Listed { list, origin });
                }
                Err(error) => self.say(&format!("the backup browser {}", self.show(name)), &error),
            }
        }
        let Some(Master { name, address }) = master else {
            self.failed = Win32Error::ERROR_NO_BROWSER_SERVERS_FOUND;
            note(format_args!("nobody answers as the master browser of {}", self.show(self.workgroup)));
            return None;
        };
        match self.node.server_enum(ListHost::Address(address), server_type, domain).await {
            Ok(list) => {
                let origin = Origin { source: Source::Master, name, address: Some(address) };
                Some(Listed { list, origin })
            }
            Err(error) => {
                let shown = name.map(|name| format!(" {}", self.show(name))).unwrap_or_default();
                self.say(&format!("the master browser{shown}"), &error);
                None
            }
        }
    }

    fn say(&mut self, who: &str, error: &ServerEnumError) {
        self.failed = error.win32();
        note(format_args!("{who}: {}: {}", error.win32(), text::lines(&error.to_string())));
    }

    /// Asks all to announce themselves, and listens for a while.
    pub(crate) async fn listen(&mut self) -> anyhow::Result<()> {
        let name = self.node.name();
        let frame = BrowserFrame::AnnouncementRequest(AnnouncementRequest::new(name.base())?).to_bytes();
        for suffix in [Suffix::LOCAL_MASTER_BROWSER, Suffix::WORKSTATION] {
            self.write(suffix, &frame).await?;
        }
        let all = async {
            loop {
                self.ears.hear().await?;
            }
        };
        timeout(PATIENCE, all).await.unwrap_or(Ok(()))
    }
}

pub(crate) fn browse_slot() -> anyhow::Result<SlotPath> {
    Ok(SlotPath::parse(Slot::Browse.path())?)
}

/// Puts names in any order, so that not all clients ask the same backup.
fn shuffle(names: &mut [ServerName]) {
    // Without random numbers the order of the master will do.
    let mut random = getrandom::u64().unwrap_or(0);
    for last in (1..names.len()).rev() {
        let place = random % (last as u64 + 1);
        random = random.rotate_left(11) ^ place;
        names.swap(last, usize::try_from(place).unwrap_or(0));
    }
}
