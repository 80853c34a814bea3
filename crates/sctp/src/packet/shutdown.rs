use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// SHUTDOWN (RFC 9260 §3.3.8): the sender has nothing more to send.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 7    |  Chunk Flags  |          Length = 8           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Cumulative TSN Ack                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Everything up to here has arrived.
    pub cumulative_tsn: u32,
}

impl Shutdown {
    /// The chunk type.
    pub const KIND: u8 = 7;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below four bytes of value.
    pub fn parse(chunk: Chunk<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            cumulative_tsn: Reader(chunk.value).u32()?,
        })
    }
}

impl WireChunk for Shutdown {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.cumulative_tsn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc.
    const CAPTURED: &str = "13881388ef9c1872ca511f8b07000008a0b834d8";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let shutdown = Shutdown::parse(bytes.chunk()).unwrap();
        assert_eq!(shutdown.cumulative_tsn, 0xa0b8_34d8);
        same_bytes(CAPTURED, &shutdown);
    }
}
