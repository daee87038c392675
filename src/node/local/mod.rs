//! Slots shared between the processes of one machine.
//!
//! One process is the node and holds the registry; the others have handles. One connection to the node's Unix socket is
//! one handle: it closes with its process, however that ends, and nothing else does. [`crate::wire::local`] is what is
//! spoken there.
//!
//! # Which node
//!
//! The machine's service if it runs, else the user's own, which the first [`Client::create`] starts: a process of its
//! own, so that no listener carries the slots of another, and one that ends a second after its last handle. Two that
//! start one at once end with one ([`Places`]).
//!
//! # Who may
//!
//! The kernel says who connects. A user's node talks to that user and the superuser; the service to whoever its
//! socket's mode lets in, usually a group. Each slot has an owner, who may admit others ([`Admit`]).
//!
//! # The network
//!
//! Whoever may connect to the service may also use its network: send ([`Client::send`]), and ask who has a name, what
//! names a computer has, and what the node itself is called ([`Client::lan`]), without ports or rights of its own.
//!
//! # What is lost, and when
//!
//! A slot holds a bounded queue. A write that finds it full is refused at once, and counted: on Windows `WriteFile` on a
//! mailslot does not wait for the reader either, and waiting would let a reader that has stopped hold its writers up. A
//! message is with the reader's process from the moment the node answers its read, as a Win32 read completes into the
//! reader's memory: what a killed process had been handed and not looked at is lost with it,
//! [`recv`](super::SlotReader::recv) at most the one message that it asked for. What it had not asked for stays in the
//! slot while another handle is open. When the node itself dies, so do its slots and what they hold; calls fail with
//! [`MailslotError::NodeGone`](crate::slot::MailslotError::NodeGone), and creating the slot again starts a new node.
//!
//! # Writing and reading much
//!
//! [`MailslotSender::write`](super::MailslotSender::write), and `WriteFile` of the C library, wait for the node's answer,
//! as Win32 has it: when they return, the message is there for whoever reads next. That takes two processes that wake each
//! other for every message, and a read takes one message. Where that is too slow,
//! [`MailslotSender::post`](super::MailslotSender::post) hands messages over without waiting and
//! [`flush`](super::MailslotSender::flush) says afterwards what was refused, and
//! [`SlotReader::recv_many`](super::SlotReader::recv_many) takes what there is.

mod access;
mod asked;
mod channel;
mod client;
mod connection;
mod convert;
mod error;
mod handle;
mod info;
mod lan;
mod network;
mod pending;
mod place;
mod server;

pub use access::Admit;
pub use client::Client;
pub use error::{AskError, LocalError, RemoteSendError};
pub use handle::Flushed;
pub use info::{LastSender, NodeInfo, SlotInfo};
pub use lan::Lan;
pub use place::{PROGRAM_VARIABLE, Places, READY, SERVICE_SOCKET, SOCKET_VARIABLE, Seat, ServicePlace};
pub use server::{Server, ServerLimits};

pub(super) use asked::adopt;
pub(super) use handle::Remote;
