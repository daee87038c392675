//! NetServerEnum2, NetServerEnum3 and NetShareEnum: the lists in pages, as server and as client (MS-RAP 3.2.5,
//! MS-BRWS 3.3.5.6). Both know only the blocks of the transaction, not the session that carries them.

use core::time::Duration;
use std::collections::BTreeMap;

use super::rates::Sender;
use super::{Browser, Server, ServerName};
use crate::wire::browser::{ServerType, Version};
use crate::wire::oem::FixedName;
use crate::wire::smb::rap::{
    self, Answer, Request, ResponseParameters, ServerEntry, ServerEnum, ShareEntry, ShareEnum, ShareType,
    Status, StringLayout,
};
use crate::wire::{Decode, DecodeError, Encode, Layer};

/// Samba's: strings in the order of the entries, pointers that count from the data's beginning.
const LAYOUT: StringLayout = StringLayout::Forward(0);

fn refuse(status: Status) -> Answer {
    Answer { parameters: ResponseParameters::error(status), data: Vec::new() }
}

impl Browser {
    /// Answers a transaction on `\PIPE\LANMAN` whose parameter block is `request`: NetServerEnum2 and 3 from the lists,
    /// NetShareEnum with IPC$.
    ///
    /// An empty domain, or none, is the workgroup. A browser without a list says ERROR_REQ_NOT_ACCEP.
    pub fn answer(&self, now: Duration, request: &[u8]) -> Answer {
        self.answer_within(now, request, u16::MAX)
    }

    /// The same for `source`, with at most `max_data` bytes of data whatever the request says; `None` if it, or all
    /// together, asked too often: [`Limits::browse_messages_per_source`](crate::service::Limits) and `browse_answers` in
    /// each second. The name may be made up, so that the bound for all is the one that holds.
    pub fn answer_to(
        &mut self,
        now: Duration,
        source: ServerName,
        request: &[u8],
        max_data: u16,
    ) -> Option<Answer> {
        self.tick(now);
        let (now, limits) = (self.now, &self.limits);
        if !self.call_rates.take(now, Sender::Name(source), false, limits)
            || !self.call_rates.answer(now, limits)
        {
            self.stats.calls_limited += 1;
            return None;
        }
        self.stats.calls += 1;
        Some(self.answer_within(now, request, max_data))
    }

    fn answer_within(&self, now: Duration, request: &[u8], max_data: u16) -> Answer {
        match Request::decode(request) {
            Ok(Request::ServerEnum(request)) => self.answer_servers(now.max(self.now), &request, max_data),
            Ok(Request::ShareEnum(request)) => answer_shares(&request, max_data),
            Ok(Request::Unknown(_)) => refuse(Status::INVALID_FUNCTION),
            Err(_) => refuse(Status::INVALID_PARAMETER),
        }
    }

    fn answer_servers(&self, now: Duration, request: &ServerEnum<'_>, max_data: u16) -> Answer {
        if !self.role.keeps_list() {
            return refuse(Status::REQ_NOT_ACCEP);
        }
        if request.level() > 1 {
            return refuse(Status::INVALID_LEVEL);
        }
        let all = request.server_type() == ServerType::all();
        let mut wanted = if all { ServerType::empty() } else { request.server_type() };
        if wanted.contains(ServerType::ALTERNATE_XPORT) {
            return refuse(Status::INVALID_PARAMETER);
        }
        let local_only = wanted.contains(ServerType::LOCAL_LIST_ONLY);
        let domains = wanted.contains(ServerType::DOMAIN_ENUM);
        wanted.remove(ServerType::LOCAL_LIST_ONLY | ServerType::DOMAIN_ENUM);
        if domains && !wanted.is_empty() {
            return refuse(Status::INVALID_FUNCTION);
        }
        let domain = request.domain().and_then(ServerName::from_wire);
        if !domains && domain.is_some_and(|domain| domain != self.config.workgroup()) {
            return refuse(Status::NO_BROWSER_SERVERS);
        }
        let first = request.first_name().and_then(ServerName::from_wire);
        let list = if domains { &self.domains } else { &self.servers };
        let first = first.unwrap_or(ServerName::LEAST);
        let fits = |server: &Server<'_>| {
            (wanted.is_empty() || server.server_type.intersects(wanted))
                && !(local_only && server.source == super::Source::Fetched)
        };
        let entries = list.from(now, first).filter(fits).filter_map(entry);
        let room = request.receive_buffer_size().min(max_data);
        let answer = rap::answer_servers(request.level(), LAYOUT, room, entries);
        answer.unwrap_or_else(|_| refuse(Status::INVALID_LEVEL))
    }
}

fn entry(server: Server<'_>) -> Option<ServerEntry<'_>> {
    let name = FixedName::new(Layer::Rap, "name", server.name.as_bytes()).ok()?;
    Some(ServerEntry::new(name).with_details(server.version, server.server_type, server.comment))
}

fn answer_shares(request: &ShareEnum<'_>, max_data: u16) -> Answer {
    let ipc = ShareEntry::new(b"IPC$").map(|entry| entry.with_details(ShareType::IPC, b"IPC Service"));
    let room = request.receive_buffer_size().min(max_data);
    let answer = rap::answer_shares(request.level(), LAYOUT, room, ipc);
    answer.unwrap_or_else(|_| refuse(Status::INVALID_LEVEL))
}

/// A server of another browser's list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundServer {
    /// The name.
    pub name: ServerName,
    /// The operating system's version.
    pub version: Version,
    /// Roles and services.
    pub server_type: ServerType,
    /// The comment; of a workgroup its master's name.
    pub comment: Vec<u8>,
}

impl FoundServer {
    pub(super) fn server(&self) -> Server<'_> {
        Server::new(self.name, self.version, self.server_type, &self.comment)
    }
}

impl From<Server<'_>> for FoundServer {
    fn from(server: Server<'_>) -> Self {
        let Server { name, version, server_type, comment, .. } = server;
        Self { name, version, server_type, comment: comment.to_vec() }
    }
}

/// Why a list could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnumError {
    /// An answer does not decode.
    #[error(transparent)]
    Damaged(#[from] DecodeError),
    /// The server has no list for us.
    #[error("the server refuses the list: {0}")]
    Status(Status),
    /// A page brings nothing new, and says that there is more.
    #[error("the server sends the same page again")]
    NoProgress,
    /// The list has no end within the limit.
    #[error("the list has more than {max} entries, which is the limit")]
    TooLong {
        /// The limit.
        max: usize,
    },
}

/// What is to be done after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is more or there is not")]
pub enum Page {
    /// The next request is [`ServerEnumClient::request`].
    More,
    /// That was all.
    Last,
}

/// Asks for a list page by page: NetServerEnum2, and while there is more NetServerEnum3 from the last name on.
///
/// An entry that cannot be read is left out and counted in [`Self::damaged`].
#[derive(Debug, Clone)]
pub struct ServerEnumClient {
    server_type: ServerType,
    domain: Option<ServerName>,
    max: usize,
    last: Option<ServerName>,
    found: BTreeMap<ServerName, FoundServer>,
    damaged: usize,
}

/// The largest receive buffer that a request can name.
const RECEIVE_BUFFER: u16 = u16::MAX;

impl ServerEnumClient {
    /// Asks for the servers of `domain`, or of the asked server's own; with [`ServerType::DOMAIN_ENUM`] for workgroups.
    /// `max` entries at most are taken.
    pub const fn new(server_type: ServerType, domain: Option<ServerName>, max: usize) -> Self {
        Self { server_type, domain, max, last: None, found: BTreeMap::new(), damaged: 0 }
    }

    /// The parameter block of the next request.
    pub fn request(&self) -> Vec<u8> {
        let domain = self.domain.as_ref().map(ServerName::as_bytes);
        let request = match &self.last {
            None => ServerEnum::new(1, RECEIVE_BUFFER, self.server_type, domain),
            Some(last) => {
                let domain = domain.unwrap_or_default();
                ServerEnum::page(1, RECEIVE_BUFFER, self.server_type, domain, last.as_bytes())
            }
        };
        // Names of at most 15 bytes without NUL, and level 1, are always right.
        request.map(|request| Request::ServerEnum(request).to_bytes()).unwrap_or_default()
    }

    /// Takes both blocks of the answer.
    ///
    /// # Errors
    /// The list ends here; what came before stays.
    pub fn take(&mut self, parameters: &[u8], data: &[u8]) -> Result<Page, EnumError> {
        let parameters = ResponseParameters::decode(parameters)?;
        if !parameters.status().has_entries() {
            return Err(EnumError::Status(parameters.status()));
        }
        let before = self.found.len();
        for entry in rap::servers(1, &parameters, data)? {
            let Ok(entry) = entry else {
                self.damaged += 1;
                continue;
            };
            let (Some(name), Some(details)) = (ServerName::from_wire(entry.name.text()), entry.details)
            else {
                self.damaged += 1;
                continue;
            };
            self.last = Some(name);
            if self.found.contains_key(&name) {
                continue;
            }
            if self.found.len() >= self.max {
                return Err(EnumError::TooLong { max: self.max });
            }
            let server = Server::new(name, details.version, details.server_type, details.comment);
            self.found.insert(name, server.into());
        }
        match parameters.status() {
            Status::MORE_DATA if self.found.len() == before => Err(EnumError::NoProgress),
            Status::MORE_DATA => Ok(Page::More),
            _ => Ok(Page::Last),
        }
    }

    /// Entries that could not be read.
    pub const fn damaged(&self) -> usize {
        self.damaged
    }

    /// All entries, sorted by name.
    pub fn into_servers(self) -> Vec<FoundServer> {
        self.found.into_values().collect()
    }
}
