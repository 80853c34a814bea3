//! A path between two ends on one machine that delays, loses and narrows, for kernels without
//! `netem`.
//!
//! [`Path::bind`] takes two ports that stand for the ends; what comes in on one leaves by the other,
//! to whoever was heard there last, while [`Path::carry`] runs. The program `impair` is this with
//! settings from the environment.
#![expect(clippy::disallowed_methods, reason = "an application reads the clock")]

mod lane;
mod path;

pub use lane::Limits;
pub use path::Path;
