//! Tests of the slot layer through its public interface. No test sleeps or reads a clock: time is an argument.

mod behaviour;
mod model;
mod names;
mod recorded;
mod recorded_cases;
mod route;
mod waiting;
