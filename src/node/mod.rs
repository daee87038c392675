//! The node.

mod wait;

pub use wait::{Clock, ThreadWait, recv};
