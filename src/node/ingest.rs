//! From a datagram's bytes to a slot: the joint of the datagram service, the codecs and the registry.

use core::net::SocketAddrV4;
use core::time::Duration;

use bytes::Bytes;

use crate::service::datagram::{Event, Input, Reassembled, Reassembler};
use crate::service::{Limits, Machine};
use crate::slot::{Delivered, DropReason, Incoming, Origin, Registry, SlotName};
use crate::wire::name::{NetbiosName, Scope};
use crate::wire::nbdgm::{Body, Content, Datagram};
use crate::wire::smb::{Class, MailslotWrite};
use crate::wire::{Decode, DecodeError, DecodeErrorKind};

/// A UDP payload of the datagram service as it arrived.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Ingress<'a> {
    /// When, since the caller's origin of time.
    pub at: Duration,
    /// The UDP source.
    pub peer: SocketAddrV4,
    /// The payload.
    pub bytes: &'a [u8],
}

impl<'a> Ingress<'a> {
    /// A payload that arrived at `at` from `peer`.
    pub const fn new(at: Duration, peer: SocketAddrV4, bytes: &'a [u8]) -> Self {
        Self { at, peer, bytes }
    }
}

/// The names whose datagrams are taken in. `*` is always for us.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum OwnNames {
    /// Any name: what a listener on the wire sees.
    #[default]
    Any,
    /// These names, with any suffix where the flag is set.
    Only(Vec<(NetbiosName, bool)>),
}

impl OwnNames {
    fn contains(&self, name: &NetbiosName) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => {
                name.is_wildcard()
                    || names
                        .iter()
                        .any(|(own, any_suffix)| own == name || (*any_suffix && own.base() == name.base()))
            }
        }
    }
}

/// A message that is ready for its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrived {
    /// The slot.
    pub slot: SlotName,
    /// Who sent it.
    pub source: NetbiosName,
    /// The name it was sent to.
    pub destination: NetbiosName,
    /// The class its sender wrote. A datagram may say class 1; Windows takes it all the same.
    pub class: Class,
    /// The message.
    pub data: Bytes,
    /// When its last byte arrived.
    pub at: Duration,
    /// The UDP source of its last byte.
    pub peer: SocketAddrV4,
    /// DGM_ID, by which a copy of a datagram is known.
    pub dgm_id: u16,
}

/// Why a datagram brought no message to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngressDrop {
    /// The bytes are wrong.
    #[error(transparent)]
    Damaged(#[from] DecodeError),
    /// The names are of another scope.
    #[error("sent in another scope")]
    OtherScope,
    /// The destination is none of our names.
    #[error("sent to a name that is not ours")]
    NotOurs,
    /// An error packet, or a query to a distribution server: it carries no message.
    #[error("carries no user data")]
    NoUserData,
    /// The user data is no SMB.
    #[error("the user data is no SMB")]
    NotSmb,
    /// A transaction whose name is not below `\MAILSLOT\`.
    #[error("a transaction that is no mailslot write")]
    NotAMailslot,
    /// A datagram in fragments was given up.
    #[error("given up in fragments: {}", .0.name())]
    Fragments(crate::service::datagram::DropReason),
    /// The registry did not keep the message.
    #[error(transparent)]
    Slot(#[from] DropReason),
}

impl IngressDrop {
    /// The reason in snake_case, as reports print it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::OtherScope => "other_scope",
            Self::NotOurs => "not_ours",
            Self::NoUserData => "no_user_data",
            Self::NotSmb => "not_smb",
            Self::NotAMailslot => "not_a_mailslot",
            Self::Fragments(reason) => reason.name(),
            Self::Slot(reason) => reason.name(),
        }
    }
}

/// What came of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// A message.
    Message(Arrived),
    /// A fragment; others are missing still.
    Held,
}

/// Takes datagrams in and puts their messages into slots.
///
/// The two steps are apart, so that a program can make a slot when the first message for it arrives.
#[derive(Debug)]
pub struct Ingest {
    registry: Registry,
    names: OwnNames,
    /// Labels; `None` takes any scope.
    scope: Option<Vec<u8>>,
    reassembler: Reassembler,
    given_up: Vec<IngressDrop>,
}

impl Ingest {
    /// An ingest for `registry` that takes what is sent to `names`.
    pub const fn new(registry: Registry, names: OwnNames, limits: Limits) -> Self {
        Self { registry, names, scope: None, reassembler: Reassembler::new(limits), given_up: Vec::new() }
    }

    /// Takes from now on what is sent to `names`.
    pub fn set_names(&mut self, names: OwnNames) {
        self.names = names;
    }

    /// Takes from now on only what is sent in `scope`; at first any scope will do.
    pub fn set_scope(&mut self, scope: Scope<'_>) {
        self.scope = Some(scope.as_labels().to_vec());
    }

    /// First step: bytes → datagram → message.
    ///
    /// # Errors
    /// Why the datagram brings no message.
    pub fn accept(&mut self, ingress: Ingress<'_>) -> Result<Accepted, IngressDrop> {
        let datagram = Datagram::decode(ingress.bytes)?;
        match datagram.body() {
            Body::Error(_) | Body::Query(_) => Err(IngressDrop::NoUserData),
            Body::Direct { content, .. } if !datagram.is_fragment() => {
                self.read(ingress, datagram.header().dgm_id, content)
            }
            _ => match self.reassemble(ingress, datagram) {
                Some(whole) => match whole.content() {
                    Some(content) => self.read(ingress, whole.header().dgm_id, &content),
                    None => Ok(Accepted::Held),
                },
                None => Ok(Accepted::Held),
            },
        }
    }

    /// Second step: message → slot.
    ///
    /// # Errors
    /// Why the registry did not keep it.
    pub fn deliver(&self, arrived: &Arrived) -> Result<Delivered, IngressDrop> {
        let origin = Origin::Datagram {
            source: *arrived.source.as_bytes(),
            destination: *arrived.destination.as_bytes(),
        };
        let incoming =
            Incoming { data: arrived.data.clone(), origin, at: arrived.at, peer: Some(arrived.peer) };
        Ok(self.registry.deliver(&arrived.slot, incoming)?)
    }

    /// Datagrams in fragments that were given up since the last call.
    pub fn given_up(&mut self) -> impl Iterator<Item = IngressDrop> {
        self.given_up.drain(..)
    }

    /// When [`Self::handle_timeout`] is wanted next; `None`: not until a fragment comes in.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.reassembler.poll_timeout()
    }

    /// Gives up all datagrams in fragments whose time is over.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.reassembler.handle_timeout(now);
        self.collect();
    }

    fn reassemble(&mut self, ingress: Ingress<'_>, datagram: Datagram<'_>) -> Option<Reassembled> {
        self.reassembler.handle_input(ingress.at, Input { peer: *ingress.peer.ip(), datagram });
        self.collect()
    }

    fn collect(&mut self) -> Option<Reassembled> {
        let mut complete = None;
        while let Some(event) = self.reassembler.poll_event() {
            match event {
                Event::Complete(whole) => complete = Some(whole),
                Event::Dropped { reason, .. } => self.given_up.push(IngressDrop::Fragments(reason)),
            }
        }
        complete
    }

    fn read(
        &self,
        ingress: Ingress<'_>,
        dgm_id: u16,
        content: &Content<'_>,
    ) -> Result<Accepted, IngressDrop> {
        let (source, destination) = (content.source_name.name, content.destination_name.name);
        if let Some(own) = &self.scope
            && !Scope::from_labels(own).unwrap_or_default().matches(content.destination_name.scope)
        {
            return Err(IngressDrop::OtherScope);
        }
        if !self.names.contains(&destination) {
            return Err(IngressDrop::NotOurs);
        }
        if !content.user_data.starts_with(b"\xffSMB") {
            return Err(IngressDrop::NotSmb);
        }
        let base = content.names_len();
        let write = MailslotWrite::decode(content.user_data).map_err(|error| match error.kind {
            DecodeErrorKind::NotAMailslot => IngressDrop::NotAMailslot,
            _ => IngressDrop::Damaged(error.at(base)),
        })?;
        // The prefix and one character more were checked by the codec; what else a name needs is the registry's.
        let slot = SlotName::from_wire(write.name()).map_err(|_| IngressDrop::NotAMailslot)?;
        let data = Bytes::copy_from_slice(write.data());
        let class = write.class();
        let Ingress { at, peer, .. } = ingress;
        Ok(Accepted::Message(Arrived { slot, source, destination, class, data, at, peer, dgm_id }))
    }
}
