use std::fmt;
use std::time::{Instant, SystemTime};

/// What a machine is born with: the time and its randomness.
///
/// The driver draws a fresh seed from the operating system for every connection. Only tests set one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Start {
    /// The instant of creation. Every later `now` is at or after it.
    pub now: Instant,
    /// The wall clock at `now`, for certificates and statistics. It enters here and nowhere else:
    /// a later wall time is `wall + (now' - now)`.
    pub wall: SystemTime,
    /// 32 unguessable bytes. Ids, tags, passwords and cookies come from them.
    pub seed: Seed,
}

impl Start {
    /// All three parts.
    #[must_use]
    pub fn new(now: Instant, wall: SystemTime, seed: Seed) -> Self {
        Self { now, wall, seed }
    }

    /// The wall clock at `now`, following the monotonic clock since the start.
    #[must_use]
    pub fn wall_at(&self, now: Instant) -> SystemTime {
        self.wall + now.saturating_duration_since(self.now)
    }
}

/// The one seed of a connection: 32 bytes that nobody else can guess.
///
/// Every machine of the connection gets the same seed and derives its own generator from it: a
/// ChaCha12 generator keyed with the seed whose stream number is the machine's label, eight ASCII
/// bytes read big-endian (`*b"sctp    "`). Two machines therefore never share output, and a machine
/// adds none of its own entropy: the same seed, inputs and instants give the same decisions.
///
/// `Debug` does not show the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes 32 bytes from a cryptographic source.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to key a generator with.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}
