//! The node: where services, registry and real time meet.
//!
//! [`Node`] is a computer on the LAN. [`Ingest`] is the part of it that carries a datagram's bytes to a slot, for programs
//! that have the bytes from elsewhere:
//!
//! ```
//! use core::time::Duration;
//! use mailslot::node::{Accepted, Ingest, Ingress, OwnNames};
//! use mailslot::service::Limits;
//! use mailslot::slot::{CreateOptions, Registry, SlotPath};
//! use mailslot::wire::Encode;
//! use mailslot::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
//! use mailslot::wire::smb::{HeaderLayout, MailslotWrite};
//!
//! // What a peer sends ...
//! let smb = MailslotWrite::new(HeaderLayout::Redirector, br"\MAILSLOT\app", b"hello")?.to_bytes();
//! let header = Header {
//!     msg_type: MsgType::DIRECT_UNIQUE,
//!     flags: Flags::FIRST,
//!     dgm_id: 1,
//!     source_ip: [10, 0, 0, 5].into(),
//!     source_port: 138,
//! };
//! let content = Content {
//!     source_name: "PC5<00>".parse::<mailslot::wire::name::NetbiosName>()?.into(),
//!     destination_name: "PC7<00>".parse::<mailslot::wire::name::NetbiosName>()?.into(),
//!     user_data: &smb,
//! };
//! let datagram = Datagram::new(header, Body::Direct { length_form: LengthForm::Exact, content })?;
//!
//! // ... reaches the slot of this computer.
//! let registry = Registry::default();
//! let slot = registry.create(&SlotPath::parse(r"\\.\mailslot\app")?, CreateOptions::default())?;
//! let mut ingest = Ingest::new(registry, OwnNames::Any, Limits::default());
//! let bytes = datagram.to_bytes();
//! let ingress = Ingress::new(Duration::ZERO, "10.0.0.5:138".parse()?, &bytes);
//! let Accepted::Message(arrived) = ingest.accept(ingress)? else { panic!("not fragmented") };
//! ingest.deliver(&arrived)?;
//! assert_eq!(&slot.try_read()?.data[..], b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Win32 codes
//!
#![doc = include_str!("codes.md")]

pub mod blocking;
mod browser;
mod builder;
mod codes;
mod driver;
mod duplicates;
mod enumerate;
mod error;
mod handle;
mod ingest;
mod interface;
mod known;
mod links;
#[cfg(unix)]
pub mod local;
#[cfg(feature = "metrics")]
pub mod metrics;
mod moderation;
mod reader;
mod send;
mod session;
mod shared;
mod stats;
mod tap;
mod udp;
mod wait;
mod writer;

pub use browser::{BrowserStatus, NodeBrowser};
pub use builder::{Builder, LoopbackLan};
pub use driver::{NodeStatus, OwnName, OwnState};
pub use enumerate::{BrowseList, ListHost, ServerEnumError};
pub use error::{NodeError, SendError};
pub use handle::Node;
pub use ingest::{Accepted, Arrived, Ingest, Ingress, IngressDrop, OwnNames};
pub use interface::{Interface, InterfaceChoice};
pub use reader::SlotReader;
pub use send::{Sent, Way};
pub use shared::Changes;
pub use stats::{
    BrowserStats, DatagramStats, GoneStats, InterfaceStats, LocalStats, NameStats, NodeStats, SendStats,
};
pub use tap::SentFrame;
pub use wait::{Clock, ThreadWait, recv};
pub use writer::MailslotSender;

use shared::Shared;
