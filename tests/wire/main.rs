//! Codecs through the public interface: real frames, the laws of `architecture.md`, damage.

#[macro_use]
mod laws;

mod dissect;
