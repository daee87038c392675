//! The machines through their public interface, in virtual time: no test sleeps or reads a clock.

#[path = "../support/browsers.rs"]
mod browsers;
#[path = "../support/lan.rs"]
mod lan;
#[path = "../support/wins.rs"]
mod wins;

mod browser;
mod browser_lan;
mod datagram;
mod names;
mod names_lan;
mod names_lmhosts;
mod names_random;
mod names_resolve;
