//! Codecs through the public interface: real frames, the laws of `architecture.md`, damage.

#[macro_use]
mod laws;

#[path = "../support/frames.rs"]
mod frames;

mod browser;
mod dissect;
mod goldens;
mod local;
mod mailslot;
mod messenger;
mod name;
mod nbdgm;
mod nbns;
#[cfg(feature = "capture")]
mod nbns_corpora;
mod nbss;
mod netlogon;
#[cfg(feature = "capture")]
mod netlogon_corpora;
mod oem;
mod rap;
mod security;
mod smb_session;
#[cfg(feature = "capture")]
mod smb_session_corpora;
