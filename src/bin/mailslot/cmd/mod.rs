//! The commands, one module each.

pub(crate) mod browse;
pub(crate) mod browser;
pub(crate) mod capture;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod generate;
pub(crate) mod listen;
pub(crate) mod lookup;
pub(crate) mod names;
#[cfg(unix)]
pub(crate) mod node;
pub(crate) mod replay;
pub(crate) mod send;
#[cfg(unix)]
pub(crate) mod serve;
pub(crate) mod slots;
pub(crate) mod status;
