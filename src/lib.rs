//! The Windows mailslot and Network Neighborhood stack, off Windows.
//!
//! A mailslot is a mailbox that a program makes on its own machine (`\\.\mailslot\soda`) and that any machine of the
//! LAN can put messages into: one machine, a whole domain, or everybody (`\\*\mailslot\soda`). The browser service
//! (Network Neighborhood), the domain controller locator and the messenger are built on it. This crate speaks it.
//!
//! # The street
//!
//! Data flows one way, and every arrow is one named type:
//!
//! ```text
//! IN    UDP 138, TCP 139 and 445, capture file           OUT   writer
//!       │ node::Ingress { at, peer, bytes }                    │ SlotPath + data
//!       ▼ wire::nbdgm | wire::nbss                             ▼ slot::route::plan      the size split, pure
//!       Datagram | NBSS packet                    frame        Route::{Local, Datagram, Session}, or an error
//!       ▼ service::datagram | service::session::Server         │                        with its Win32 code
//!       │   (fragments)     |   (transactions in pieces)       ▼ wire::smb
//!       user data           | a write of class 1               MailslotWrite | TransactionRequest
//!       ▼ wire::smb::MailslotWrite                             ▼ service::datagram::Sender | service::session::Client
//!       message                                   message      datagram | NBSS packet
//!       ▼ slot::Registry::deliver                              ▼ node: UDP 138 | TCP 139, 445
//!       slot queue                                slot         bytes
//!       ▼ slot::Mailslot::try_read, node::recv
//!       reader
//! ```
//!
//! # The layers
//!
//! | module | what it is | feature |
//! |---|---|---|
//! | [`wire`] | codecs: bytes ⇄ typed frames, borrowed, without allocation | |
//! | [`slot`] | the slot registry with the Win32 semantics; the size split | |
//! | [`service`] | the NetBIOS services as machines without I/O: time and bytes go in, results come out | |
#![cfg_attr(
    feature = "capture",
    doc = "| [`capture`] | pcap and pcapng files, link layers, IPv4 fragments, TCP streams | `capture` |"
)]
#![cfg_attr(
    feature = "runtime",
    doc = "| [`node`] | where services, registry and real time meet | `runtime` |"
)]
//!
//! `wire`, `slot` and `service` know no socket, no clock, no randomness and no runtime. Everything that comes from
//! the network is bounded by [`service::Limits`] and [`slot::Limits`], and whatever is dropped has a counter and a
//! reason.
//!
//! # A message, from bytes to its reader
//!
//! ```
//! use mailslot::slot::{CreateOptions, Incoming, Origin, Registry, SlotName, SlotPath};
//! use mailslot::wire::smb::{HeaderLayout, MailslotWrite};
//! use mailslot::wire::{Decode, Encode};
//!
//! // What the redirector of a Windows machine writes for WriteFile on `\\PC7\mailslot\soda` ...
//! let bytes = MailslotWrite::new(HeaderLayout::Redirector, br"\MAILSLOT\soda", b"12 left")?.to_bytes();
//!
//! // ... is decoded without a copy: slot names have no case, offsets are the sender's.
//! let write = MailslotWrite::decode(&bytes)?;
//! assert_eq!((write.slot(), write.data()), (&b"soda"[..], &b"12 left"[..]));
//!
//! // The slot belongs to whoever created it; a message is kept until it is read.
//! let registry = Registry::default();
//! let soda = registry.create(&SlotPath::parse(r"\\.\mailslot\Soda")?, CreateOptions::default())?;
//! let origin = Origin::Datagram { source: *b"VENDING        \0", destination: *b"PC7            \0" };
//! let at = core::time::Duration::ZERO;
//! let data = write.data().to_vec().into();
//! let peer = Some("10.0.0.5:138".parse()?);
//! registry.deliver(&SlotName::from_wire(write.name())?, Incoming { data, origin, at, peer })?;
//! assert_eq!(&soda.try_read()?.data[..], b"12 left");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "runtime")]
pub mod node;
pub mod service;
pub mod slot;
pub mod wire;
