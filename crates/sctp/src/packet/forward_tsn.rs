use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// FORWARD TSN (RFC 3758 §3.2): do not wait for these any longer.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Type = 192   |  Flags = 0x00 |        Length = Variable      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      New Cumulative TSN                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Stream-1              |       Stream Sequence-1       |
/// /                              ...                              /
/// |         Stream-N              |       Stream Sequence-N       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardTsn<'a> {
    /// Everything up to here is to be taken as received.
    pub new_cumulative_tsn: u32,
    /// The streams as they are on the wire, four bytes each.
    pub skipped: &'a [u8],
}

/// The highest message of a stream that will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The stream.
    pub stream: u16,
    /// The stream sequence number.
    pub ssn: u16,
}

impl<'a> ForwardTsn<'a> {
    /// The chunk type.
    pub const KIND: u8 = 192;

    /// Bytes of the chunk without streams.
    pub const FIXED_LEN: usize = 8;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below four bytes of value, [`DecodeError::Length`] if the list
    /// is not made of pairs.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        let new_cumulative_tsn = value.u32()?;
        if !value.0.len().is_multiple_of(4) {
            return Err(DecodeError::Length);
        }
        Ok(Self {
            new_cumulative_tsn,
            skipped: value.0,
        })
    }

    /// The streams with ordered messages that will not come.
    pub fn skipped(&self) -> impl Iterator<Item = Skipped> + use<'a> {
        self.skipped
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&[s0, s1, n0, n1]| Skipped {
                stream: u16::from_be_bytes([s0, s1]),
                ssn: u16::from_be_bytes([n0, n1]),
            })
    }
}

impl WireChunk for ForwardTsn<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        Self::FIXED_LEN - 4 + self.skipped.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.new_cumulative_tsn);
        out.put_slice(self.skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc.
    const CAPTURED: &str = "138813880fc0f8a1bf44c9a3c000000c000004d2000c0022";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let forward = ForwardTsn::parse(bytes.chunk()).unwrap();
        assert_eq!(forward.new_cumulative_tsn, 1234);
        let skipped: Vec<_> = forward.skipped().collect();
        assert_eq!(
            skipped,
            [Skipped {
                stream: 12,
                ssn: 34
            }]
        );
        same_bytes(CAPTURED, &forward);
    }
}
