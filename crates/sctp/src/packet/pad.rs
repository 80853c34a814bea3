use super::{Chunk, WireChunk};
use bytes::BufMut;

/// PAD (RFC 4820 §3): makes a packet larger. Who does not know it skips it.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Type = 0x84   |   Flags=0     |             Length            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                         Padding Data                          \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pad {
    /// How many bytes of padding there are, without the chunk's header.
    pub len: usize,
}

impl Pad {
    /// The chunk type.
    pub const KIND: u8 = 0x84;

    /// Reads the chunk; what the padding holds is ignored (RFC 4820 §3).
    #[must_use]
    pub fn parse(chunk: Chunk<'_>) -> Self {
        Self {
            len: chunk.value.len(),
        }
    }
}

impl WireChunk for Pad {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.len
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_bytes(0, self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// After RFC 4820 §3: no stack that was captured sends it.
    const SAMPLE: &str = "1388138800000007d14559e98400000800000000";

    // sctp-048
    #[test]
    fn a_chunk_is_read_and_written() {
        let bytes = only_chunk(SAMPLE);
        assert_eq!(bytes.chunk().kind, Pad::KIND);
        let pad = Pad::parse(bytes.chunk());
        assert_eq!(pad, Pad { len: 4 });
        same_bytes(SAMPLE, &pad);
    }
}
