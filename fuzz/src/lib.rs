//! What the fuzz targets share: how the fuzzer's bytes become a story.
//!
//! A parser is fed the bytes as they are. A machine needs more: it is one end of a pair in virtual
//! time, and the bytes say what happens to the pair. They are read as a tape, from the front, each
//! step taking what it needs; when the tape ends, everything goes well, and the pair runs on for a
//! while so that whatever was broken has time to show.

mod fault;
mod repair;
mod tape;

pub use fault::{Repair, faults, tags, untouched};
pub use repair::{ogg_checksums, sctp_checksum, stun_integrity, stun_integrity_with};
pub use tape::Tape;
