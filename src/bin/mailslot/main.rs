//! The `mailslot` program.

#![forbid(unsafe_code)]

fn main() {}
