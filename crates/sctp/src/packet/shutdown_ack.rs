use super::WireChunk;
use bytes::BufMut;

/// SHUTDOWN ACK (RFC 9260 §3.3.9): neither side has anything more to send.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 8    |  Chunk Flags  |          Length = 4           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownAck;

impl ShutdownAck {
    /// The chunk type.
    pub const KIND: u8 = 8;
}

impl WireChunk for ShutdownAck {
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

    /// Captured from aiortc.
    const CAPTURED: &str = "1388138800000000b9a6d45b08000004";

    #[test]
    fn a_captured_chunk_is_written() {
        assert_eq!(only_chunk(CAPTURED).chunk().kind, ShutdownAck::KIND);
        same_bytes(CAPTURED, &ShutdownAck);
    }
}
