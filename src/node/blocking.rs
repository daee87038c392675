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
use super::{Builder, NodeError, NodeStatus, SendError, Sent, ThreadWait};
use crate::service::names::{NameKind, QueryTarget, Resolution};
use crate::slot::{
    CreateOptions, Info, MailslotError, Message, ReadTimeout, SlotPath, Stats, Wait, block_on_read,
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

    /// As [`super::Node::lookup`].
    ///
    /// # Errors
    /// Those of [`super::Node::lookup`].
    pub fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, SendError> {
        self.wait(self.node.lookup(name, target), SendError::ShutDown)
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

/// The reading end of a mailslot, as [`super::SlotReader`].
#[derive(Debug)]
pub struct SlotReader {
    reader: super::SlotReader,
}

impl SlotReader {
    /// The oldest message, waiting as long as the slot's time-out says (Win32 `ReadFile`).
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv(&self) -> Result<Message, MailslotError> {
        self.reader.mailslot().read_message(usize::MAX, &ThreadWait::new(self.reader.clock()))
    }

    /// The oldest message, waiting for `timeout` whatever the slot's own says; it is rounded up to milliseconds.
    ///
    /// # Errors
    /// Those of [`Mailslot::read_message`](crate::slot::Mailslot::read_message).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, MailslotError> {
        let wait = ThreadWait::new(self.reader.clock());
        block_on_read(self.reader.mailslot().start_read_for(wait.now(), usize::MAX, millis(timeout))?, &wait)
    }

    /// The slot's state (Win32 `GetMailslotInfo`).
    pub fn info(&self) -> Info {
        self.reader.info()
    }

    /// Sets how long later reads wait (Win32 `SetMailslotInfo`).
    pub fn set_info(&self, read_timeout: ReadTimeout) {
        self.reader.set_info(read_timeout);
    }

    /// What has happened on this slot.
    pub fn stats(&self) -> Stats {
        self.reader.stats()
    }

    /// The reader, for all calls that do not wait.
    pub const fn reader(&self) -> &super::SlotReader {
        &self.reader
    }
}
