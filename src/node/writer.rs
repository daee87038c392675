//! A path that is open for writing.

#[cfg(unix)]
use std::sync::Arc;

use super::{Node, SendError, Sent};
#[cfg(unix)]
use super::{
    Way,
    local::{self, Flushed, LocalError, Remote},
};
use crate::slot::SlotPath;
#[cfg(unix)]
use crate::slot::{Info, MailslotError};

/// The writing end of a mailslot.
///
/// It is the same whether the node is in this process ([`Node::open`]) or another one (`local::Client::open`). Of a
/// remote path nothing is checked before the first write, as on Windows (KB Q131493). A clone is a duplicate of the
/// handle.
#[derive(Debug, Clone)]
pub struct MailslotSender {
    end: End,
    path: SlotPath,
}

#[derive(Debug, Clone)]
enum End {
    Here(Node),
    #[cfg(unix)]
    Remote(Arc<Remote>),
}

impl MailslotSender {
    pub(super) const fn new(node: Node, path: SlotPath) -> Self {
        Self { end: End::Here(node), path }
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
            End::Here(node) => node.write(&self.path, data).await,
            #[cfg(unix)]
            End::Remote(remote) => Ok(local_sent(remote.write(data).await?)),
        }
    }
}

#[cfg(unix)]
impl MailslotSender {
    /// Hands one message over without waiting for what becomes of it; [`Self::flush`] tells. Waits as long as the node
    /// has no time to take it. Messages of one handle stay in order, however they are written.
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`]. A node in this process has no use for it: those of [`Node::write`].
    pub async fn post(&self, data: &[u8]) -> Result<(), SendError> {
        match &self.end {
            End::Here(node) => node.write(&self.path, data).await.map(|_| ()),
            End::Remote(remote) => Ok(remote.post(data).await?),
        }
    }

    /// Waits until all that was posted is in the slot or refused, and says what was refused since the last call.
    ///
    /// # Errors
    /// [`MailslotError::NodeGone`].
    pub async fn flush(&self) -> Result<Flushed, MailslotError> {
        match &self.end {
            End::Here(_) => Ok(Flushed::default()),
            End::Remote(remote) => remote.flush().await,
        }
    }

    pub(super) fn into_remote(self) -> Result<Arc<Remote>, Self> {
        match self.end {
            End::Remote(remote) => Ok(remote),
            end @ End::Here(_) => Err(Self { end, path: self.path }),
        }
    }

    /// The slot's state, as Windows 8 and later tell it through a client handle (Win32 `GetMailslotInfo`); `None` of a
    /// path that is no slot of another process of this machine.
    ///
    /// # Errors
    /// [`MailslotError::Gone`], [`MailslotError::NodeGone`].
    pub fn info(&self) -> Option<Result<Info, MailslotError>> {
        match &self.end {
            End::Here(_) => None,
            End::Remote(remote) => Some(remote.info()),
        }
    }

    /// The handle's descriptor, to be sent to another process over a Unix socket or left to a child.
    ///
    /// # Errors
    /// The handle itself, if the node is in this process, it has clones, or something is under way on it.
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

#[cfg(unix)]
fn local_sent(bytes: usize) -> Sent {
    let (way, destination, addresses) = (Way::Local, None, Vec::new());
    Sent { way, destination, addresses, bytes, truncated: false, local: true }
}
