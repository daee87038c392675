//! The Win32 calls on mailslots for C programs, off Windows.
//!
//! The headers in `include/` declare what this library exports. Its slots are those that the `mailslot` program and
//! the Rust library use: they live in the machine's service or in the user's node, which the first `CreateMailslot`
//! starts (`mailslot node`; `MAILSLOT_PROGRAM` names another program than the one in `PATH`).
//!
//! Unsafe code is in [`edge`] and nowhere else: it turns what C gives into values of Rust, and back. Handles are
//! numbers that are looked up, so that a wrong one is an error and no more. No panic leaves a call.

#![cfg(unix)]

pub mod edge;
mod failure;
mod handles;
mod mailslots;
mod overlapped;
mod signal;
mod threads;
