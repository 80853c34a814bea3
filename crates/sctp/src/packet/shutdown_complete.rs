use super::{Chunk, WireChunk};
use bytes::BufMut;

/// SHUTDOWN COMPLETE (RFC 9260 §3.3.13): the association is over.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 14   |  Reserved   |T|          Length = 4           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownComplete {
    /// The T bit: the verification tag is the sender's own, reflected (RFC 9260 §8.5.1).
    pub reflected: bool,
}

impl ShutdownComplete {
    /// The chunk type.
    pub const KIND: u8 = 14;

    /// Reads the chunk, which cannot fail.
    #[must_use]
    pub fn parse(chunk: Chunk<'_>) -> Self {
        Self {
            reflected: chunk.flags & 1 != 0,
        }
    }
}

impl WireChunk for ShutdownComplete {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn flags(&self) -> u8 {
        u8::from(self.reflected)
    }

    fn value_len(&self) -> usize {
        0
    }

    fn write_value<B: BufMut>(&self, _: &mut B) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::encode;

    #[test]
    fn the_t_bit_is_read_and_written() {
        let sample = [14, 1, 0, 4];
        let chunk = Chunk {
            kind: 14,
            flags: 1,
            value: &[],
            whole: &sample,
        };
        let complete = ShutdownComplete::parse(chunk);
        assert!(complete.reflected);
        assert_eq!(encode(&complete), sample);
    }
}
