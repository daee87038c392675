//! Seeing what a node puts on the wire, and what it hears there.

use core::fmt;
use core::net::SocketAddrV4;
use std::sync::Arc;

use super::Arrived;

/// A UDP payload that a node has sent.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SentFrame<'a> {
    /// Where it was sent from.
    pub source: SocketAddrV4,
    /// Where to.
    pub destination: SocketAddrV4,
    /// Whether it is one of the name service; else it is one of the datagram service.
    pub name_service: bool,
    /// The payload.
    pub bytes: &'a [u8],
}

/// Who is shown each frame.
#[derive(Clone)]
pub(super) struct Tap(Arc<dyn Fn(SentFrame<'_>) + Send + Sync>);

impl Tap {
    pub(super) fn new(see: impl Fn(SentFrame<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(super) fn see(&self, frame: SentFrame<'_>) {
        (self.0)(frame);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap(..)")
    }
}

/// Who is shown each message that arrives, whomever it is for.
#[derive(Clone)]
pub(super) struct Ear(Arc<dyn Fn(&Arrived) + Send + Sync>);

impl Ear {
    pub(super) fn new(hear: impl Fn(&Arrived) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(super) fn hear(&self, arrived: &Arrived) {
        (self.0)(arrived);
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ear(..)")
    }
}
