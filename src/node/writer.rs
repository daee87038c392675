//! A path that is open for writing.

#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use super::local::{self, Flushed, LocalError, Remote};
use super::{Node, SendError, Sent};
use crate::slot::{Info, MailslotError, MailslotWriter, SlotPath};

/// The writing end of a mailslot.
///
/// It is the same whether the slot's registry is in this process ([`Node::open`], or from a [`MailslotWriter`] of a
/// [`Registry`](crate::slot::Registry) without a node) or another one (`local::Client::open`), and so is a path on the
/// LAN. Of such a path nothing is checked before the first write, as on Windows (KB Q131493); a slot of this machine is
/// open from the beginning, and once it is gone, one that comes later under its name is another. A clone is a duplicate
/// of the handle.
#[derive(Debug, Clone)]
pub struct MailslotSender {
    end: End,
    path: SlotPath,
}

#[derive(Debug, Clone)]
enum End {
    /// A slot of a registry in this process; the node, if it has one, counts what is written.
    Here(MailslotWriter, Option<Node>),
    /// A path on the LAN.
    Lan(Node),
    /// A slot of another process.
    #[cfg(unix)]
    Remote(Arc<Remote>),
}

/// A slot in this process.
impl From<MailslotWriter> for MailslotSender {
    fn from(writer: MailslotWriter) -> Self {
        let path = SlotPath::local(writer.name().clone());
        Self { end: End::Here(writer, None), path }
    }
}

impl MailslotSender {
    /// A path on the LAN of `node`.
    pub(super) const fn on_lan(node: Node, path: SlotPath) -> Self {
        Self { end: End::Lan(node), path }
    }

    /// A slot of `node`.
    pub(super) const fn here(node: Node, writer: MailslotWriter, path: SlotPath) -> Self {
        Self { end: End::Here(writer, Some(node)), path }
    }

    #[cfg(unix)]
    pub(super) fn remote(remote: Remote, path: SlotPath) -> Self {
        Self { end: End::Remote(Arc::new(remote)), path }
    }

    /// The path.
    pub const fn path(&self) -> &SlotPath {
        &self.path
    }

    /// Writes one message and waits until it is where it goes, as [`Node::write`] does.
    ///
    /// # Errors
    /// Those of [`Node::write`]. In all of them the reader never sees the message.
    pub async fn write(&self, data: &[u8]) -> Result<Sent, SendError> {
        match &self.end {
            End::Here(writer, node) => Ok(Sent::local(write_here(writer, node.as_ref(), data)?)),
            End::Lan(node) => node.write(&self.path, data).await,
            #[cfg(unix)]
            End::Remote(remote) => Ok(Sent::local(remote.write(data).await?)),
        }
    }

    /// The slot's state, as Windows 8 and later tell it through a client handle (Win32 `GetMailslotInfo`); `None` of a
    /// path on the LAN.
    ///
    /// # Errors
    /// [`MailslotError::Gone`], [`MailslotError::NodeGone`].
    pub fn info(&self) -> Option<Result<Info, MailslotError>> {
        match &self.end {
            End::Here(writer, _) => Some(writer.info()),
            End::Lan(_) => None,
            #[cfg(unix)]
            End::Remote(remote) => Some(remote.info()),
        }
    }

    /// Whether it is open on a slot of this machine; else it is a path on the LAN.
    pub(super) const fn is_slot(&self) -> bool {
        !matches!(self.end, End::Lan(_))
    }

    /// Writes to a slot of this machine, on this thread.
    pub(super) fn write_blocking(&self, data: &[u8]) -> Result<usize, MailslotError> {
        match &self.end {
            End::Here(writer, node) => write_here(writer, node.as_ref(), data),
            End::Lan(_) => Err(MailslotError::RemoteOpen { path: self.path.to_string() }),
            #[cfg(unix)]
            End::Remote(remote) => remote.write_blocking(data),
        }
    }
}

fn write_here(writer: &MailslotWriter, node: Option<&Node>, data: &[u8]) -> Result<usize, MailslotError> {
    let bytes = writer.write(data)?;
    if let Some(node) = node {
        node.count_local_write();
    }
    Ok(bytes)
}

#[cfg(unix)]
impl MailslotSender {
    /// Hands one message over without waiting for what becomes of it; [`Self::flush`] tells. Waits as long as the node
    /// has no time to take it. Messages of one handle stay in order, however they are written.
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`]. A node in this process has no use for it: those of [`Self::write`].
    pub async fn post(&self, data: &[u8]) -> Result<(), SendError> {
        match &self.end {
            End::Here(..) | End::Lan(_) => self.write(data).await.map(|_| ()),
            End::Remote(remote) => Ok(remote.post(data).await?),
        }
    }

    /// Hands one message to a slot of this machine over, on this thread.
    pub(super) fn post_blocking(&self, data: &[u8]) -> Result<(), MailslotError> {
        match &self.end {
            End::Here(..) | End::Lan(_) => self.write_blocking(data).map(|_| ()),
            End::Remote(remote) => remote.post_blocking(data),
        }
    }

    /// Waits until all that was posted is in the slot or refused, and says what was refused since the last call.
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`].
    pub async fn flush(&self) -> Result<Flushed, MailslotError> {
        match &self.end {
            End::Here(..) | End::Lan(_) => Ok(Flushed::default()),
            End::Remote(remote) => remote.flush().await,
        }
    }

    pub(super) fn flush_blocking(&self) -> Result<Flushed, MailslotError> {
        match &self.end {
            End::Here(..) | End::Lan(_) => Ok(Flushed::default()),
            End::Remote(remote) => remote.flush_blocking(),
        }
    }

    /// The handle's descriptor, to be sent to another process over a Unix socket or left to a child.
    ///
    /// # Errors
    /// The handle itself, if its slot is in this process, it is a path on the LAN, it has clones, or something is under way on it.
    pub fn into_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
        let fd = match &self.end {
            End::Remote(remote) if Arc::strong_count(remote) == 1 => remote.idle_fd(),
            _ => None,
        };
        fd.ok_or(self)
    }

    /// Takes up a handle whose descriptor another process has passed.
    ///
    /// # Errors
    /// What is wrong with the node.
    pub fn from_fd(fd: std::os::fd::OwnedFd) -> Result<Self, LocalError> {
        let remote = local::adopt(fd)?;
        let path = SlotPath::local(remote.name().clone());
        Ok(Self::remote(remote, path))
    }
}
