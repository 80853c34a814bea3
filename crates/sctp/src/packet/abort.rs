use super::{Causes, Chunk, WireChunk};
use bytes::BufMut;

/// ABORT (RFC 9260 §3.3.7): ends the association at once.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 6    |  Reserved   |T|            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                   zero or more Error Causes                   \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort<'a> {
    /// The T bit: the verification tag is the sender's own, reflected (RFC 9260 §8.5.1).
    pub reflected: bool,
    /// The error causes as they are on the wire.
    pub causes: &'a [u8],
}

impl<'a> Abort<'a> {
    /// The chunk type.
    pub const KIND: u8 = 6;

    /// Reads the chunk, which cannot fail: causes are looked at by [`causes`](Self::causes).
    #[must_use]
    pub fn parse(chunk: Chunk<'a>) -> Self {
        Self {
            reflected: chunk.flags & 1 != 0,
            causes: chunk.value,
        }
    }

    /// The error causes, in order.
    #[must_use]
    pub fn causes(&self) -> Causes<'a> {
        Causes::new(self.causes)
    }
}

impl WireChunk for Abort<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn flags(&self) -> u8 {
        u8::from(self.reflected)
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

    /// Captured from aiortc: a protocol violation with text.
    const CAPTURED: &str = "13881388e05957c2143effc00600003b000d0037457870656374656420422d62697420666f722054534e3d34636531663137662c205349443d303030312c2053534e3d3030303000";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let abort = Abort::parse(bytes.chunk());
        assert!(!abort.reflected);
        let cause = abort.causes().next().unwrap().unwrap();
        assert_eq!(cause.code, CauseCode::PROTOCOL_VIOLATION);
        assert!(cause.info.starts_with(b"Expected B-bit"));
        same_bytes(CAPTURED, &abort);
    }
}
