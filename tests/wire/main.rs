//! Codecs through the public interface: real frames, the laws of `architecture.md`, damage.

#[macro_use]
mod laws;

#[path = "../support/frames.rs"]
mod frames;

mod browser;
mod goldens;
mod mailslot;
mod name;
mod nbdgm;
mod oem;
mod security;
