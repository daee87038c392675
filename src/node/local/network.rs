//! Names, computers and interfaces of the network as values of the protocol, and back.

use core::net::Ipv4Addr;

use super::convert;
use crate::node::{Interface, NodeStatus, OwnName, OwnState, SendError};
use crate::service::names::{NameKind, Origin, Refusal, Resolution, ResolveError};
use crate::wire::local::{
    AnswerOrigin, Body, Failure, FailureCode, ListedInterface, ListedName, ListedNodeName, MAX_TEXT,
    NameState, RefusedBy,
};
use crate::wire::name::NetbiosName;
use crate::wire::nbns::{NameEntry, NameFlags, Rcode};

/// As much of a text as a frame takes.
pub(super) fn cut(text: &str) -> &[u8] {
    // `str::floor_char_boundary` is younger than the oldest compiler that is to do.
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.as_bytes().get(..end).unwrap_or_default()
}

/// Why the network gave no answer; `text` holds the failure's.
pub(super) fn failure<'a>(error: &SendError, text: &'a mut String) -> Failure<'a> {
    let (code, a) = match error {
        SendError::NameNotFound { source, .. } => {
            let how = match source {
                ResolveError::NotFound => 1,
                ResolveError::NoAnswer => 2,
                ResolveError::NoNameServer => 3,
                ResolveError::TooMany => 4,
            };
            (FailureCode::NAME_NOT_FOUND, how)
        }
        SendError::NoSubnet { available, .. } => {
            text.clone_from(available);
            (FailureCode::NO_SUBNET, 0)
        }
        SendError::NoNetwork => (FailureCode::NO_INTERFACE, 0),
        SendError::ShutDown => (FailureCode::ENDING, 0),
        // No question ends so.
        other => {
            *text = other.to_string();
            (FailureCode::SEND, u64::from(other.win32().code()))
        }
    };
    Failure { code, a, b: 0, text: cut(text) }
}

pub(super) const fn resolve_error(how: u64) -> ResolveError {
    match how {
        1 => ResolveError::NotFound,
        3 => ResolveError::NoNameServer,
        4 => ResolveError::TooMany,
        _ => ResolveError::NoAnswer,
    }
}

/// What of a resolution lies outside the frame: the addresses.
pub(super) fn address_list(addresses: &[Ipv4Addr]) -> Vec<u8> {
    addresses.iter().flat_map(Ipv4Addr::octets).collect()
}

pub(super) fn resolved<'a>(found: &Resolution, addresses: &'a [u8]) -> Body<'a> {
    let (origin, by) = match found.origin {
        Origin::Local => (AnswerOrigin::LOCAL, Ipv4Addr::UNSPECIFIED),
        Origin::Cache => (AnswerOrigin::CACHE, Ipv4Addr::UNSPECIFIED),
        Origin::Lmhosts => (AnswerOrigin::LMHOSTS, Ipv4Addr::UNSPECIFIED),
        Origin::Broadcast(by) => (AnswerOrigin::BROADCAST, by),
        Origin::Server(by) => (AnswerOrigin::SERVER, by),
    };
    let (group, name) = (found.kind == NameKind::Group, *found.name.as_bytes());
    Body::Resolved { group, origin, by: by.octets(), name, addresses }
}

pub(super) fn resolution(body: &Body<'_>) -> Option<Resolution> {
    let Body::Resolved { group, origin, by, name, addresses } = *body else { return None };
    let by = Ipv4Addr::from(by);
    let origin = match origin {
        AnswerOrigin::LOCAL => Origin::Local,
        AnswerOrigin::CACHE => Origin::Cache,
        AnswerOrigin::LMHOSTS => Origin::Lmhosts,
        AnswerOrigin::BROADCAST => Origin::Broadcast(by),
        AnswerOrigin::SERVER => Origin::Server(by),
        _ => return None,
    };
    let kind = if group { NameKind::Group } else { NameKind::Unique };
    let addresses = addresses.as_chunks::<4>().0.iter().map(|octets| Ipv4Addr::from(*octets)).collect();
    Some(Resolution { name: NetbiosName::from_bytes(name), kind, addresses, origin })
}

pub(super) fn listed_node_names(status: &NodeStatus) -> Vec<ListedNodeName<'_>> {
    let names = status.names.iter();
    names.map(|entry| ListedNodeName { name: entry.name.as_bytes(), flags: entry.flags.bits() }).collect()
}

pub(super) fn node_status(body: &Body<'_>) -> Option<NodeStatus> {
    let Body::Status { peer, partial, unit_id, names } = body else { return None };
    let entry = |listed: ListedNodeName<'_>| NameEntry {
        name: NetbiosName::from_bytes(*listed.name),
        flags: NameFlags::from_bits_retain(listed.flags),
    };
    Some(NodeStatus {
        peer: convert::address(*peer),
        names: names.iter().map(entry).collect(),
        unit_id: *unit_id,
        partial: *partial,
    })
}

pub(super) fn listed_name(own: &OwnName) -> ListedName<'_> {
    let (refused_by, refuser, rcode) = match own.refusal {
        None => (RefusedBy::NOBODY, Ipv4Addr::UNSPECIFIED, 0),
        Some(Refusal::Owner(address)) => (RefusedBy::OWNER, address, 0),
        Some(Refusal::Rival(address)) => (RefusedBy::RIVAL, address, 0),
        Some(Refusal::Server { server, rcode }) => (RefusedBy::SERVER, server, rcode.0),
    };
    let state = match own.state {
        OwnState::Registering => NameState::REGISTERING,
        OwnState::Active => NameState::ACTIVE,
        OwnState::Conflict => NameState::CONFLICT,
        OwnState::Refused => NameState::REFUSED,
        OwnState::Releasing => NameState::RELEASING,
    };
    ListedName {
        name: own.name.as_bytes(),
        address: own.address.octets(),
        group: own.group,
        state,
        refused_by,
        refuser: refuser.octets(),
        rcode,
    }
}

pub(super) fn own_names(body: &Body<'_>) -> Option<Vec<OwnName>> {
    let Body::Names(list) = body else { return None };
    list.iter().map(|listed| own_name(&listed)).collect()
}

fn own_name(listed: &ListedName<'_>) -> Option<OwnName> {
    let refuser = Ipv4Addr::from(listed.refuser);
    let refusal = match listed.refused_by {
        RefusedBy::NOBODY => None,
        RefusedBy::OWNER => Some(Refusal::Owner(refuser)),
        RefusedBy::RIVAL => Some(Refusal::Rival(refuser)),
        RefusedBy::SERVER => Some(Refusal::Server { server: refuser, rcode: Rcode(listed.rcode) }),
        _ => return None,
    };
    let state = match listed.state {
        NameState::REGISTERING => OwnState::Registering,
        NameState::ACTIVE => OwnState::Active,
        NameState::CONFLICT => OwnState::Conflict,
        NameState::REFUSED => OwnState::Refused,
        NameState::RELEASING => OwnState::Releasing,
        _ => return None,
    };
    let (name, address) = (NetbiosName::from_bytes(*listed.name), Ipv4Addr::from(listed.address));
    Some(OwnName { name, address, group: listed.group, state, refusal })
}

pub(super) fn listed_interface(interface: &Interface) -> ListedInterface<'_> {
    ListedInterface {
        name: cut(&interface.name),
        index: interface.index,
        address: interface.address.octets(),
        prefix: interface.prefix,
        broadcast: interface.broadcast.octets(),
    }
}

pub(super) fn interfaces(body: &Body<'_>) -> Option<Vec<Interface>> {
    let Body::Interfaces(list) = body else { return None };
    let interface = |listed: ListedInterface<'_>| Interface {
        name: String::from_utf8_lossy(listed.name).into_owned(),
        index: listed.index,
        address: listed.address.into(),
        prefix: listed.prefix,
        broadcast: listed.broadcast.into(),
    };
    Some(list.iter().map(interface).collect())
}
