//! Codecs: bytes ⇄ typed frames. No I/O, no clock, no state, no randomness.
//!
//! Everything a peer sends is read here and nowhere else. Payloads are borrowed, never copied. Decoding is
//! tolerant (each type's documentation names what it accepts beyond its specification); encoding is exact.
//!
//! Byte order: the NetBIOS services are big-endian, everything from the SMB signature on is little-endian.
//!
//! ```
//! use mailslot::wire::browser::BrowserFrame;
//! use mailslot::wire::smb::{HeaderLayout, MailslotWrite};
//! use mailslot::wire::{Decode, Encode};
//!
//! let write = MailslotWrite::new(HeaderLayout::Bowser, br"\MAILSLOT\BROWSE", b"\x0bPC7\0")?;
//! let bytes = write.to_bytes();
//! let read = MailslotWrite::decode(&bytes)?;
//! assert_eq!(read, write);
//! assert!(read.is_slot(b"browse"));
//! let BrowserFrame::BecomeBackup(frame) = BrowserFrame::decode(read.data())? else { panic!() };
//! assert_eq!(frame.name.text(), b"PC7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod browser;
mod codec;
pub mod dissect;
mod error;
pub mod local;
pub mod messenger;
pub mod name;
pub mod nbdgm;
pub mod nbns;
pub mod nbss;
pub mod netlogon;
pub mod oem;
mod read;
pub mod smb;

pub use codec::{Decode, Encode};
pub use error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
