//! What is known of one unit of the capture: a datagram, a packet, a session's message.

use std::borrow::Cow;
use std::net::SocketAddrV4;

use mailslot::wire::DecodeError;
use mailslot::wire::name::NetbiosName;

use super::datagram::Decoded;
use super::name_service::NameService;
use crate::traffic::Place;

/// One unit of the capture.
pub(crate) struct Record<'a> {
    pub(crate) place: Place,
    /// Source and destination; unknown where a header in front of them is damaged.
    pub(crate) ends: Option<(SocketAddrV4, SocketAddrV4)>,
    pub(crate) body: Body<'a>,
}

/// What the unit is.
pub(crate) enum Body<'a> {
    /// A datagram of the datagram service.
    Datagram(&'a Decoded<'a>),
    /// A packet of the name service.
    NameService(&'a NameService<'a>),
    /// A frame whose link, IP or transport header is damaged.
    Damaged(DecodeError),
}

impl<'a> Record<'a> {
    /// What is wrong with it.
    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        match &self.body {
            Body::Datagram(decoded) => decoded.error.as_ref(),
            Body::NameService(decoded) => decoded.error(),
            Body::Damaged(error) => Some(error),
        }
    }

    /// The datagram, if it is one.
    pub(crate) const fn datagram(&self) -> Option<&'a Decoded<'a>> {
        match &self.body {
            Body::Datagram(decoded) => Some(decoded),
            Body::NameService(_) | Body::Damaged(_) => None,
        }
    }

    /// What is unusual, as words that stay the same from version to version.
    pub(crate) fn notes(&self) -> Vec<&'static str> {
        match &self.body {
            Body::Datagram(decoded) if decoded.has_notes() => decoded.notes().collect(),
            Body::NameService(decoded) => decoded.notes().collect(),
            _ => Vec::new(),
        }
    }

    /// The NetBIOS names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = NetbiosName> {
        let (datagram, packet) = match &self.body {
            Body::Datagram(decoded) => (Some(decoded), None),
            Body::NameService(decoded) => (None, decoded.packet()),
            Body::Damaged(_) => (None, None),
        };
        let names = datagram.map(|decoded| decoded.names()).into_iter().flatten();
        names.chain(packet.and_then(|packet| packet.name()).copied()).map(|scoped| scoped.name)
    }

    /// The name of what is said: a browser frame's in MS-BRWS, a name service packet's kind.
    pub(crate) fn command(&self) -> Option<Cow<'static, str>> {
        match &self.body {
            Body::Datagram(decoded) => decoded.command(),
            Body::NameService(decoded) => decoded.packet().map(|packet| packet.kind().name().into()),
            Body::Damaged(_) => None,
        }
    }
}
