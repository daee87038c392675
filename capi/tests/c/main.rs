//! C against the headers and the library.

#![cfg(unix)]

mod calls;
mod probes;
mod programs;
mod support;
