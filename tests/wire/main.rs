//! Codecs through the public interface: real frames, the laws of `architecture.md`, damage.

#[macro_use]
mod laws;

#[path = "../support/frames.rs"]
mod frames;

mod goldens;
mod nbns;
#[cfg(feature = "capture")]
mod nbns_corpora;
