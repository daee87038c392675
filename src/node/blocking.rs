//! A node for programs without tokio: every call waits on its thread.
//!
//! ```
//! use core::time::Duration;
//! use mailslot::node::{LoopbackLan, Node, blocking};
//! use mailslot::slot::{CreateOptions, SlotPath};
//!
//! let builder = Node::builder().name("ALONE").loopback(LoopbackLan::of_this_process());
//! let node = blocking::Node::start(builder)?;
//! node.ready()?;
//! let slot = node.create(&SlotPath::parse(r"\\.\mailslot\notes")?, CreateOptions::default())?;
//! node.write(&SlotPath::parse(r"\\ALONE\mailslot\notes")?, b"to myself")?;
//! assert_eq!(&slot.recv_timeout(Duration::from_secs(10))?.data[..], b"to myself");
//! node.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::net::Ipv4Addr;
use core::time::Duration;

use tokio::runtime::Runtime;

use super::reader::millis;
use super::{Builder, NodeError, NodeStatus, SendError, Sent};
use crate::service::names::{NameKind, QueryTarget, Resolution};
use crate::slot::{
    CreateOptions, Info, MailslotError, MailslotWriter, Message, ReadTimeout, SlotPath, Stats, Via,
};
use crate::wire::name::NetbiosName;

/// A node with a runtime of its own, on one thread. Must not be used inside another runtime.
///
/// Dropping it ends the node without giving its names up; use [`Self::shutdown`].
#[derive(Debug)]
pub struct Node {
    runtime: Option<Runtime>,
    node: super::Node,
}

impl Node {
    /// Starts a node, as [`Builder::start`] does.
    ///
    /// # Errors
    /// Those of [`Builder::start`], and [`NodeError::Runtime`].
    pub fn start(builder: Builder) -> Result<Self, NodeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mailslot-node")
            .enable_all()
            .build()
            .map_err(|source| NodeError::Runtime { source })?;
        let node = runtime.block_on(builder.start())?;
        Ok(Self { runtime: Some(runtime), node })
    }

    /// The node, for all calls that do not wait.
    pub const fn node(&self) -> &super::Node {
        &self.node
    }

    fn wait<T, E>(&self, future: impl Future<Output = Result<T, E>>, gone: E) -> Result<T, E> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(future),
            None => Err(gone),
        }
    }

    /// As [`super::Node::ready`].
    ///
    /// # Errors
    /// Those of [`super::Node::ready`].
    pub fn ready(&self) -> Result<(), NodeError> {
        self.wait(self.node.ready(), NodeError::ShutDown)
    }

    /// As [`super::Node::create`].
    ///
    /// # Errors
    /// Those of [`super::Node::create`].
    pub fn create(&self, path: &SlotPath, options: CreateOptions) -> Result<SlotReader, MailslotError> {
        self.node.create(path, options).map(|reader| SlotReader { reader })
    }

    /// As [`super::Node::write`].
    ///
    /// # Errors
    /// Those of [`super::Node::write`].
    pub fn write(&self, path: &SlotPath, data: &[u8]) -> Result<Sent, SendError> {
        self.wait(self.node.write(path, data), SendError::ShutDown)
    }

    /// As [`super::Node::write_via`].
    ///
    /// # Errors
    /// Those of [`super::Node::write_via`].
    pub fn write_via(&self, path: &SlotPath, data: &[u8], via: Via) -> Result<Sent, SendError> {
        self.wait(self.node.write_via(path, data, via), SendError::ShutDown)
    }

    /// As [`super::Node::lookup`].
    ///
    /// # Errors
    /// Those of [`super::Node::lookup`].
    pub fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, SendError> {
        self.wait(self.node.lookup(name, target), SendError::ShutDown)
    }

    /// As [`super::Node::lookup_on_subnet`].
    ///
    /// # Errors
    /// Those of [`super::Node::lookup_on_subnet`].
    pub fn lookup_on_subnet(&self, name: NetbiosName, broadcast: Ipv4Addr) -> Result<Resolution, SendError> {
        self.wait(self.node.lookup_on_subnet(name, broadcast), SendError::ShutDown)
    }

    /// As [`super::Node::node_status`].
    ///
    /// # Errors
    /// Those of [`super::Node::node_status`].
    pub fn node_status(&self, address: Ipv4Addr) -> Result<NodeStatus, SendError> {
        self.wait(self.node.node_status(address), SendError::ShutDown)
    }

    /// As [`super::Node::register`].
    ///
    /// # Errors
    /// Those of [`super::Node::register`].
    pub fn register(&self, name: NetbiosName, kind: NameKind) -> Result<(), NodeError> {
        self.wait(self.node.register(name, kind), NodeError::ShutDown)
    }

    /// As [`super::Node::shutdown`].
    ///
    /// # Errors
    /// Those of [`super::Node::shutdown`].
    pub fn shutdown(self) -> Result<(), NodeError> {
        self.wait(self.node.shutdown(), NodeError::ShutDown)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting here would panic inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// The reading end of a mailslot, as [`super::SlotReader`]. Needs no runtime.
#[derive(Debug)]
pub struct SlotReader {
    reader: super::SlotReader,
}

impl From<super::SlotReader> for SlotReader {
    fn from(reader: super::SlotReader) -> Self {
        Self { reader }
    }
}

impl SlotReader {
    /// The oldest message, waiting as long as the slot's time-out says (Win32 `ReadFile`).
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv(&self) -> Result<Message, MailslotError> {
        self.reader.recv_blocking(None, usize::MAX)
    }

    /// As [`Self::recv`], a message of at most `capacity` bytes; a longer one stays.
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv_up_to(&self, capacity: usize) -> Result<Message, MailslotError> {
        self.reader.recv_blocking(None, capacity)
    }

    /// The oldest message, waiting for `timeout` whatever the slot's own says; it is rounded up to milliseconds.
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, MailslotError> {
        self.reader.recv_blocking(Some(millis(timeout)), usize::MAX)
    }

    /// As [`super::SlotReader::recv_many`].
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv_many(&self, count: usize) -> Result<Vec<Message>, MailslotError> {
        self.reader.recv_many_blocking(count)
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    ///
    /// # Errors
    /// Those of [`super::SlotReader::info`].
    pub fn info(&self) -> Result<Info, MailslotError> {
        self.reader.info()
    }

    /// Sets how long later reads wait (Win32 `SetMailslotInfo`).
    ///
    /// # Errors
    /// Those of [`super::SlotReader::set_info`].
    pub fn set_info(&self, read_timeout: ReadTimeout) -> Result<(), MailslotError> {
        self.reader.set_info(read_timeout)
    }

    /// What has happened on this slot.
    ///
    /// # Errors
    /// Those of [`super::SlotReader::stats`].
    pub fn stats(&self) -> Result<Stats, MailslotError> {
        self.reader.stats()
    }

    /// The reader, for all calls that do not wait.
    pub const fn reader(&self) -> &super::SlotReader {
        &self.reader
    }

    /// The reader itself.
    pub fn into_reader(self) -> super::SlotReader {
        self.reader
    }
}

/// The writing end of a mailslot of this machine, as [`super::MailslotSender`], whether it is in this process or another
/// one. Needs no runtime, and so there is none of a path on the LAN: [`Node::write`] writes there.
#[derive(Debug, Clone)]
pub struct MailslotSender {
    sender: super::MailslotSender,
}

impl MailslotSender {
    /// Writes one message; gives its size in bytes (Win32 `WriteFile`).
    ///
    /// # Errors
    /// Those of [`MailslotWriter::write`], and [`MailslotError::NodeGone`] in another process.
    pub fn write(&self, data: &[u8]) -> Result<usize, MailslotError> {
        self.sender.write_blocking(data)
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    ///
    /// # Errors
    /// [`MailslotError::Gone`], [`MailslotError::NodeGone`].
    pub fn info(&self) -> Result<Info, MailslotError> {
        let elsewhere = || MailslotError::RemoteOpen { path: self.sender.path().to_string() };
        self.sender.info().ok_or_else(elsewhere)?
    }

    /// The sender, for all calls that do not wait.
    pub const fn sender(&self) -> &super::MailslotSender {
        &self.sender
    }

    /// The sender itself.
    pub fn into_sender(self) -> super::MailslotSender {
        self.sender
    }
}

#[cfg(unix)]
impl MailslotSender {
    /// As [`super::MailslotSender::post`].
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`]; of a slot in this process those of [`Self::write`].
    pub fn post(&self, data: &[u8]) -> Result<(), MailslotError> {
        self.sender.post_blocking(data)
    }

    /// As [`super::MailslotSender::flush`].
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`].
    pub fn flush(&self) -> Result<super::local::Flushed, MailslotError> {
        self.sender.flush_blocking()
    }
}

/// # Errors
/// The sender itself, if it is a path on the LAN: [`Node::write`] is its blocking form.
impl TryFrom<super::MailslotSender> for MailslotSender {
    type Error = super::MailslotSender;

    fn try_from(sender: super::MailslotSender) -> Result<Self, Self::Error> {
        if sender.is_slot() { Ok(Self { sender }) } else { Err(sender) }
    }
}

/// A slot in this process.
impl From<MailslotWriter> for MailslotSender {
    fn from(writer: MailslotWriter) -> Self {
        Self { sender: writer.into() }
    }
}
