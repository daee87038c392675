//! Mailslots as Win32 has them: paths, the registry of one machine's slots, the two ends, and the size split.
//!
//! Nothing in here waits, reads a clock or knows a runtime. A call that depends on time takes `now`, the time
//! since an origin of the caller's choosing; a read that cannot end at once is a [`PendingRead`], which is a
//! plain [`Future`] that any executor, or a thread with a [`Wait`], can drive.
//!
//! ```
//! use mailslot::slot::{CreateOptions, OpenOptions, Registry, SlotPath};
//!
//! let registry = Registry::default();
//! let path = SlotPath::parse(r"\\.\mailslot\taxes\bobs_comments")?;
//! let server = registry.create(&path, CreateOptions::default())?;
//! let writer = registry.open(&path, OpenOptions::default())?;
//! writer.write(b"This is a test")?;
//! assert_eq!(server.info().next_size, Some(14));
//! assert_eq!(&server.try_read()?.data[..], b"This is a test");
//! # Ok::<(), mailslot::slot::MailslotError>(())
//! ```

mod account;
mod casing;
mod error;
mod message;
pub mod path;
mod profile;
mod read;
mod registry;
pub mod route;
mod server;
mod state;
pub mod win32;
mod writer;

pub use account::{Account, MESSAGE_COST};
pub use error::MailslotError;
pub use message::{Delivered, DropCounts, DropReason, Incoming, Message, Origin, RawName, Stats};
pub use path::{SlotName, SlotPath, Target};
pub use profile::{Profile, UnknownProfile, WIN9X_SLOT_CEILING};
pub use read::{PendingRead, ReadStart, Wait, block_on_read};
pub use registry::{Limits, Overview, Registry, RegistryConfig};
pub use route::{Route, Via};
pub use server::{CreateOptions, Info, Mailslot, ReadTimeout};
pub use win32::Win32Error;
pub use writer::{Access, Disposition, MailslotWriter, OpenOptions, ShareMode, ShareRules};
