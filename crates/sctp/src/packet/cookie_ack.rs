use super::WireChunk;
use bytes::BufMut;

/// COOKIE ACK (RFC 9260 §3.3.12): the association is up.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 11   |  Chunk Flags  |          Length = 4           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieAck;

impl CookieAck {
    /// The chunk type.
    pub const KIND: u8 = 11;
}

impl WireChunk for CookieAck {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        0
    }

    fn write_value<B: BufMut>(&self, _: &mut B) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from Chromium.
    const CAPTURED: &str = "138813883812062aaa4fa9e50b000004";

    #[test]
    fn a_captured_chunk_is_written() {
        assert_eq!(only_chunk(CAPTURED).chunk().kind, CookieAck::KIND);
        same_bytes(CAPTURED, &CookieAck);
    }
}
