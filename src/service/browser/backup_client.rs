//! A client that asks the master for its backups (MS-BRWS 3.1.6), without being a browser itself.

use core::time::Duration;

use super::ServerName;
use super::backup::names;
use super::timers::{GET_BACKUP_LIST, GET_BACKUP_LIST_COUNT};
use crate::wire::browser::{BrowserFrame, GetBackupListRequest};
use crate::wire::{Decode, Encode};

/// Asks up to three times, a second apart, and takes the answer with its token.
///
/// Unlike Windows it forces no election when nobody answers.
#[derive(Debug, Clone)]
pub struct BackupListClient {
    token: u32,
    sent: u32,
    due: Duration,
}

impl BackupListClient {
    /// Asks from `now` on. `token` should be hard to guess.
    pub const fn new(now: Duration, token: u32) -> Self {
        Self { token, sent: 0, due: now }
    }

    /// When [`Self::request`] is wanted next; after the last one, when there is no answer to hope for any more.
    pub const fn poll_timeout(&self) -> Duration {
        self.due
    }

    /// Whether it asked often enough, and waited long enough.
    pub fn is_over(&self, now: Duration) -> bool {
        self.sent >= GET_BACKUP_LIST_COUNT && self.due <= now
    }

    /// The message that is due, for the slot `\MAILSLOT\BROWSE` of the master, `WORKGROUP<1d>`.
    pub fn request(&mut self, now: Duration) -> Option<Vec<u8>> {
        if self.due > now || self.sent >= GET_BACKUP_LIST_COUNT {
            return None;
        }
        self.sent += 1;
        self.due = now.saturating_add(GET_BACKUP_LIST);
        // Windows asks for 4.
        Some(BrowserFrame::GetBackupListRequest(GetBackupListRequest::new(4, self.token)).to_bytes())
    }

    /// The names in a message, if it is the answer. The master that sent it may be among them.
    pub fn take(&self, data: &[u8]) -> Option<Vec<ServerName>> {
        let Ok(BrowserFrame::GetBackupListResponse(frame)) = BrowserFrame::decode(data) else { return None };
        if frame.token != self.token {
            return None;
        }
        Some(names(&frame)).filter(|names| !names.is_empty())
    }
}
