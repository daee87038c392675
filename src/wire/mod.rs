//! Codecs: bytes ⇄ typed frames. No I/O, no clock, no state, no randomness.
//!
//! Everything a peer sends is read here and nowhere else. Payloads are borrowed, never copied. Decoding is
//! tolerant (each type's documentation names what it accepts beyond its specification); encoding is exact.
//!
//! Byte order: the NetBIOS services are big-endian, everything from the SMB signature on is little-endian.

mod codec;
mod error;
mod read;

pub use codec::{Decode, Encode};
pub use error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
