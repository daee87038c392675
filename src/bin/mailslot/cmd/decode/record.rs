//! What is known of one unit of the capture: a datagram, a packet, a session's message.

use std::net::SocketAddrV4;

use mailslot::wire::DecodeError;

use super::datagram::Decoded;
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
    /// A frame whose link, IP or transport header is damaged.
    Damaged(DecodeError),
}

impl<'a> Record<'a> {
    /// What is wrong with it.
    pub(crate) const fn error(&self) -> Option<&DecodeError> {
        match &self.body {
            Body::Datagram(decoded) => decoded.error.as_ref(),
            Body::Damaged(error) => Some(error),
        }
    }

    /// The datagram, if it is one.
    pub(crate) const fn datagram(&self) -> Option<&'a Decoded<'a>> {
        match &self.body {
            Body::Datagram(decoded) => Some(decoded),
            Body::Damaged(_) => None,
        }
    }
}
