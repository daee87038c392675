//! Browse lists of other computers: NetServerEnum over the node's sessions (MS-RAP, MS-BRWS 3.1.4).

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};

use super::{Node, SendError};
use crate::service::browser::{EnumError, FoundServer, Page, ServerEnumClient, ServerName, Target, timers};
use crate::service::names::{QueryTarget, ResolveError};
use crate::service::session::{SessionError, any_server};
use crate::wire::browser::ServerType;
use crate::wire::name::{NetbiosName, Suffix};

/// Whom a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListHost {
    /// The computer of this name; its suffix does not matter.
    Name(NetbiosName),
    /// The computer at this address.
    Address(Ipv4Addr),
}

impl fmt::Display for ListHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{}", name.base().escape_ascii()),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A list as another computer gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrowseList {
    /// The servers, or the workgroups with their masters as the comments, sorted by name.
    pub servers: Vec<FoundServer>,
    /// Who gave it.
    pub from: SocketAddrV4,
    /// Entries that could not be read and are left out.
    pub damaged: usize,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerEnumError {
    /// The computer was not found, or the node is on no network.
    #[error(transparent)]
    NotFound(#[from] SendError),
    /// No session with it came about, or the session does not answer.
    #[error("{host} gives no list: {source}")]
    Session {
        /// The computer.
        host: ListHost,
        /// What is wrong.
        source: SessionError,
    },
    /// It answers, but not with a list.
    #[error("{host} gives no list: {source}")]
    List {
        /// The computer.
        host: ListHost,
        /// What it says.
        source: EnumError,
    },
    /// The list was not at its end after [`timers::FETCH`].
    #[error("{host} gives no list: it takes longer than {} s", timers::FETCH.as_secs())]
    Timeout {
        /// The computer.
        host: ListHost,
    },
}

impl Node {
    /// Asks `host` for its list of servers with one of these types ([`ServerType::all`] for all), or with
    /// [`ServerType::DOMAIN_ENUM`] for its list of workgroups: NetServerEnum2, and while there is more NetServerEnum3, on an
    /// anonymous SMB1 session that is kept for further questions. Without `domain`, of the host's own workgroup.
    ///
    /// At most `Limits::browse_entries` entries are taken.
    ///
    /// # Errors
    /// [`ServerEnumError`], with the Win32 code of each.
    pub async fn server_enum(
        &self,
        host: ListHost,
        server_type: ServerType,
        domain: Option<ServerName>,
    ) -> Result<BrowseList, ServerEnumError> {
        let client = ServerEnumClient::new(server_type, domain, self.inner.settings.limits.browse_entries);
        let listed = tokio::time::timeout(timers::FETCH, self.list(host, client));
        listed.await.unwrap_or(Err(ServerEnumError::Timeout { host }))
    }

    async fn list(
        &self,
        host: ListHost,
        mut client: ServerEnumClient,
    ) -> Result<BrowseList, ServerEnumError> {
        let (called, address, driver) = match host {
            ListHost::Name(name) => {
                let called = name.with_suffix(Suffix::SERVER);
                let (driver, found) = self.resolve(called, QueryTarget::Default).await?;
                let not_found = SendError::NameNotFound { name: called, source: ResolveError::NotFound };
                (called, found.addresses.first().copied().ok_or(not_found)?, Some(driver))
            }
            ListHost::Address(address) => (any_server(), address, None),
        };
        let local = self.inner.link_to(address, driver)?.interface.clone();
        loop {
            let config = self.session_config(called, &host.to_string(), address, &local);
            let asked = self.inner.outgoing.call(address, local.address, config, client.request());
            let (target, blocks) = asked.await.map_err(|source| ServerEnumError::Session { host, source })?;
            match client.take(&blocks.parameters, &blocks.data) {
                Ok(Page::More) => {}
                Ok(Page::Last) => {
                    let damaged = client.damaged();
                    return Ok(BrowseList { servers: client.into_servers(), from: target.address, damaged });
                }
                Err(source) => return Err(ServerEnumError::List { host, source }),
            }
        }
    }

    /// The list that the browser service wants.
    pub(super) async fn fetch(
        &self,
        from: Target,
        server_type: ServerType,
    ) -> Result<BrowseList, ServerEnumError> {
        let host = match from {
            Target::Group(name) | Target::Computer(name) => ListHost::Name(name),
            Target::Announced(name, address) => {
                let by_name = self.server_enum(ListHost::Name(name), server_type, None).await;
                match by_name {
                    Err(ServerEnumError::NotFound(SendError::NameNotFound { .. }))
                        if self.inner.is_answered(address) =>
                    {
                        ListHost::Address(address)
                    }
                    found => return found,
                }
            }
            Target::Address(address) => ListHost::Address(address),
            Target::OwnerOf(name) => {
                let found = self.lookup(name, QueryTarget::Default).await?;
                let not_found = SendError::NameNotFound { name, source: ResolveError::NotFound };
                ListHost::Address(found.addresses.first().copied().ok_or(not_found)?)
            }
        };
        self.server_enum(host, server_type, None).await
    }
}
