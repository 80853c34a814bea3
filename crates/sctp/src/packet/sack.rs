use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// SACK (RFC 9260 §3.3.4): what arrived, and how much more may come.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 3    |  Chunk Flags  |         Chunk Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Cumulative TSN Ack                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Advertised Receiver Window Credit (a_rwnd)           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Number of Gap Ack Blocks = N  |  Number of Duplicate TSNs = M |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Gap Ack Block #1 Start     |     Gap Ack Block #1 End      |
/// /                              ...                              /
/// |                        Duplicate TSN 1                        |
/// /                              ...                              /
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sack<'a> {
    /// Everything up to here has arrived.
    pub cumulative_tsn: u32,
    /// The receive window that is left, in bytes.
    pub a_rwnd: u32,
    /// The gap ack blocks as they are on the wire, four bytes each.
    pub gap_blocks: &'a [u8],
    /// The duplicate TSNs as they are on the wire, four bytes each.
    pub duplicates: &'a [u8],
}

/// A run of TSNs that arrived above the cumulative one, as offsets from it, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapBlock {
    /// The first.
    pub start: u16,
    /// The last.
    pub end: u16,
}

impl<'a> Sack<'a> {
    /// The chunk type.
    pub const KIND: u8 = 3;

    /// Bytes of the chunk without blocks and duplicates.
    pub const FIXED_LEN: usize = 16;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the counts promise more than is there, [`DecodeError::Value`]
    /// for a block that ends before it starts or starts at 0.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        let cumulative_tsn = value.u32()?;
        let a_rwnd = value.u32()?;
        let blocks = usize::from(value.u16()?);
        let duplicates = usize::from(value.u16()?);
        let sack = Self {
            cumulative_tsn,
            a_rwnd,
            gap_blocks: value.bytes(4 * blocks)?,
            duplicates: value.bytes(4 * duplicates)?,
        };
        if sack
            .gap_blocks()
            .any(|block| block.start == 0 || block.end < block.start)
        {
            return Err(DecodeError::Value);
        }
        Ok(sack)
    }

    /// The gap ack blocks, in order.
    pub fn gap_blocks(&self) -> impl Iterator<Item = GapBlock> + use<'a> {
        self.gap_blocks
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&[s0, s1, e0, e1]| GapBlock {
                start: u16::from_be_bytes([s0, s1]),
                end: u16::from_be_bytes([e0, e1]),
            })
    }

    /// The TSNs that arrived more than once since the last SACK.
    pub fn duplicates(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.duplicates
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&tsn| u32::from_be_bytes(tsn))
    }
}

impl WireChunk for Sack<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        Self::FIXED_LEN - 4 + self.gap_blocks.len() + self.duplicates.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.cumulative_tsn);
        out.put_u32(self.a_rwnd);
        out.put_u16(count(self.gap_blocks));
        out.put_u16(count(self.duplicates));
        out.put_slice(self.gap_blocks);
        out.put_slice(self.duplicates);
    }
}

fn count(entries: &[u8]) -> u16 {
    u16::try_from(entries.len() / 4).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc: two blocks, one duplicate.
    const CAPTURED: &str =
        "13881388f71faf4b4fe61a210300001c847f5b9d0001f4a0000200010002000200040004847f5ba1";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let sack = Sack::parse(bytes.chunk()).unwrap();
        assert_eq!(sack.cumulative_tsn, 0x847f_5b9d);
        assert_eq!(sack.a_rwnd, 128_160);
        let blocks: Vec<_> = sack.gap_blocks().collect();
        assert_eq!(
            blocks,
            [GapBlock { start: 2, end: 2 }, GapBlock { start: 4, end: 4 }]
        );
        assert_eq!(sack.duplicates().collect::<Vec<_>>(), [0x847f_5ba1]);
        same_bytes(CAPTURED, &sack);
    }

    #[test]
    fn counts_beyond_the_chunk_are_refused() {
        let mut bytes = only_chunk(CAPTURED);
        bytes.value_mut()[9] = 9;
        assert_eq!(Sack::parse(bytes.chunk()), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_block_that_ends_before_it_starts_is_refused() {
        let mut bytes = only_chunk(CAPTURED);
        bytes.value_mut()[13] = 7;
        assert_eq!(Sack::parse(bytes.chunk()), Err(DecodeError::Value));
    }
}
