//! What the messages hold, so that every byte of every one can be checked at the speed of a
//! comparison.

use bytes::Bytes;

/// Messages start at this many different places, a prime, so that no power of two repeats early.
const PLACES: u64 = 65_521;
/// The longest message.
const LONGEST: usize = 16 * 1024;

/// A stretch of pseudo-random bytes, each message a window of it.
///
/// The message with number *n* starts at byte *n* modulo [`PLACES`]: a byte that changed, a
/// message that is missing, doubled, cut or early differs from what its number says. Sending
/// copies nothing, and the whole stretch stays in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Bytes);

impl Pattern {
    pub(crate) fn new() -> Self {
        let len = usize::try_from(PLACES).unwrap_or(LONGEST) + LONGEST;
        let mut state = 0x6d75_6f6e_u64;
        let bytes = std::iter::repeat_with(|| {
            // SplitMix64: any generator does whose bytes repeat nowhere within the stretch.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed.to_be_bytes()[0]
        });
        Self(bytes.take(len).collect())
    }

    /// The message with this number. `len` is at most 16 KiB.
    pub(crate) fn message(&self, number: u64, len: usize) -> Bytes {
        let start = usize::try_from(number % PLACES).unwrap_or(0);
        self.0.slice(start..start + len)
    }

    /// Whether these bytes are, from the first to the last, the message with this number.
    pub(crate) fn is_message(&self, number: u64, len: usize, bytes: &[u8]) -> bool {
        bytes == self.message(number, len)
    }
}
