//! The commands, one module each.

pub(crate) mod capture;
pub(crate) mod decode;
pub(crate) mod generate;
pub(crate) mod listen;
pub(crate) mod replay;
pub(crate) mod send;
