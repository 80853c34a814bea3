use super::{Chunk, WireChunk};
use bytes::BufMut;

/// COOKIE ECHO (RFC 9260 §3.3.11): returns the State Cookie of an INIT ACK. First in its packet.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 10   |  Chunk Flags  |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                            Cookie                             \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieEcho<'a> {
    /// The cookie, opaque to who echoes it.
    pub cookie: &'a [u8],
}

impl<'a> CookieEcho<'a> {
    /// The chunk type.
    pub const KIND: u8 = 10;

    /// Reads the chunk, which cannot fail.
    #[must_use]
    pub fn parse(chunk: Chunk<'a>) -> Self {
        Self {
            cookie: chunk.value,
        }
    }
}

impl WireChunk for CookieEcho<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.cookie.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_slice(self.cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc.
    const CAPTURED: &str = "138813883df2428dca7547bd0a00000c3132333435363738";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let echo = CookieEcho::parse(bytes.chunk());
        assert_eq!(echo.cookie, b"12345678");
        same_bytes(CAPTURED, &echo);
    }
}
