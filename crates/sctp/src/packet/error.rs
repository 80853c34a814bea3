use super::{Causes, Chunk, WireChunk};
use bytes::BufMut;

/// ERROR, the Operation Error (RFC 9260 §3.3.10): something was wrong, but not fatally.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 9    |  Chunk Flags  |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                    one or more Error Causes                   \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationError<'a> {
    /// The error causes as they are on the wire.
    pub causes: &'a [u8],
}

impl<'a> OperationError<'a> {
    /// The chunk type.
    pub const KIND: u8 = 9;

    /// Reads the chunk, which cannot fail: causes are looked at by [`causes`](Self::causes).
    #[must_use]
    pub fn parse(chunk: Chunk<'a>) -> Self {
        Self {
            causes: chunk.value,
        }
    }

    /// The error causes, in order.
    #[must_use]
    pub fn causes(&self) -> Causes<'a> {
        Causes::new(self.causes)
    }
}

impl WireChunk for OperationError<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.causes.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_slice(self.causes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::CauseCode;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc: a stream that does not exist.
    const CAPTURED: &str = "13881388e05957c2fce57e650900000c0001000830390000";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let error = OperationError::parse(bytes.chunk());
        let cause = error.causes().next().unwrap().unwrap();
        assert_eq!(cause.code, CauseCode::INVALID_STREAM_IDENTIFIER);
        assert_eq!(cause.info, [0x30, 0x39, 0, 0]);
        same_bytes(CAPTURED, &error);
    }
}
