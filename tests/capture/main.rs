//! Capture files, link layers and IPv4 reassembly, through the public API.

#![cfg(feature = "capture")]

mod build;
mod corpora;
mod damage;
mod fragments;
mod links;
mod live;
mod pcapng;
mod records;
mod tcp;
mod writer;
