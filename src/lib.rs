//! The Windows mailslot and Network Neighborhood stack, off Windows.

#![forbid(unsafe_code)]

#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "runtime")]
pub mod node;
pub mod service;
pub mod slot;
pub mod wire;
