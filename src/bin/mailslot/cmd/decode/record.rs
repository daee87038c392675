//! What is known of one unit of the capture: a datagram, a packet, a session's message.

use std::borrow::Cow;
use std::net::SocketAddrV4;

use mailslot::wire::DecodeError;
use mailslot::wire::name::NetbiosName;

use super::datagram::Decoded;
use super::name_service::NameService;
use super::session::Session;
use crate::traffic::Place;

/// One unit of the capture.
pub(crate) struct Record<'a> {
    pub(crate) place: Place,
    /// Source and destination; unknown where a header in front of them is damaged.
    pub(crate) ends: Option<(SocketAddrV4, SocketAddrV4)>,
    /// What to add to offsets in the payload: its place in the frame, or 0 where it was put together.
    pub(crate) base: usize,
    pub(crate) body: Body<'a>,
}

/// What the unit is.
pub(crate) enum Body<'a> {
    /// A datagram of the datagram service.
    Datagram(&'a Decoded<'a>),
    /// A packet of the name service.
    NameService(&'a NameService<'a>),
    /// A packet of a session.
    Session(&'a Session<'a>),
    /// A frame whose link, IP or transport header is damaged.
    Damaged(DecodeError),
}

impl<'a> Record<'a> {
    /// What is wrong with it.
    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        match &self.body {
            Body::Datagram(decoded) => decoded.error.as_ref(),
            Body::NameService(decoded) => decoded.error(),
            Body::Session(session) => session.error(),
            Body::Damaged(error) => Some(error),
        }
    }

    /// What is unusual, as words that stay the same from version to version.
    pub(crate) fn notes(&self) -> Vec<&'static str> {
        match &self.body {
            Body::Datagram(decoded) if decoded.has_notes() => decoded.notes().collect(),
            Body::NameService(decoded) => decoded.notes().collect(),
            Body::Session(session) => session.notes().collect(),
            _ => Vec::new(),
        }
    }

    /// The NetBIOS names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = NetbiosName> {
        let (datagram, packet, session) = match &self.body {
            Body::Datagram(decoded) => (Some(decoded), None, None),
            Body::NameService(decoded) => (None, decoded.packet(), None),
            Body::Session(session) => (None, None, session.names()),
            Body::Damaged(_) => (None, None, None),
        };
        let datagram = datagram.map(|decoded| decoded.names()).into_iter().flatten();
        let packet = packet.and_then(|packet| packet.name()).copied();
        datagram.chain(packet).chain(session.into_iter().flatten()).map(|scoped| scoped.name)
    }

    /// The name of what is said: a browser frame's in MS-BRWS, a name service packet's kind,
    /// an SMB command's in MS-CIFS.
    pub(crate) fn command(&self) -> Option<Cow<'static, str>> {
        match &self.body {
            Body::Datagram(decoded) => decoded.message.command(),
            Body::Session(session) => session.command(),
            Body::NameService(decoded) => decoded.packet().map(|packet| packet.kind().name().into()),
            Body::Damaged(_) => None,
        }
    }
}
