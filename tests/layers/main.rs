//! Layers beside their neighbours, and every implementation of a layer against its conformance kit.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod agents;
mod conformance;
mod keys;
mod saboteur;
