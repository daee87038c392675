//! Tests of the slot layer through its public interface. No test sleeps or reads a clock: time is an argument.

// Test data is made of the low bytes of numbers.
#![allow(clippy::cast_possible_truncation)]

mod behaviour;
mod model;
mod names;
mod recorded;
mod recorded_cases;
mod route;
mod waiting;
mod world;
