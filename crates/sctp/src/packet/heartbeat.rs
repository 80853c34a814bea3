use super::{Chunk, DecodeError, WireChunk};
use bytes::BufMut;

/// HEARTBEAT (RFC 9260 §3.3.5): asks whether the peer is there.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 4    |  Chunk Flags  |       Heartbeat Length        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \         Heartbeat Information TLV (Variable Length)           \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The parameters, which the peer returns as they are.
    pub info: &'a [u8],
}

impl<'a> Heartbeat<'a> {
    /// The chunk type.
    pub const KIND: u8 = 4;

    /// Reads the chunk. The information is opaque to who answers it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] without even the header of an information.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        if chunk.value.len() < 4 {
            return Err(DecodeError::Truncated);
        }
        Ok(Self { info: chunk.value })
    }
}

impl WireChunk for Heartbeat<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.info.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_slice(self.info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc.
    const CAPTURED: &str = "13881388b8c77f654bd50d6a0400002c00010028b56faa5a765a060000000000000000007b1000000034eb07461000000000000000000000";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let heartbeat = Heartbeat::parse(bytes.chunk()).unwrap();
        assert_eq!(heartbeat.info.len(), 40);
        same_bytes(CAPTURED, &heartbeat);
    }
}
