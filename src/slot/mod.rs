//! The slot registry.
