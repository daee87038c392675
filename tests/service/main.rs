//! The machines through their public interface, in virtual time: no test sleeps or reads a clock.

#[path = "../support/browsers.rs"]
mod browsers;
#[path = "../support/lan.rs"]
mod lan;
#[path = "../support/session.rs"]
mod session_support;
#[path = "../support/wins.rs"]
mod wins;

mod browser;
mod browser_conformance;
mod browser_crowd;
mod browser_lan;
mod browser_trouble;
mod datagram;
mod names;
mod names_lan;
mod names_lmhosts;
mod names_random;
mod names_resolve;
mod names_security;
mod session;
mod session_conformance;
mod session_security;
