use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// I-FORWARD-TSN (RFC 8260 §2.3.1): do not wait for these any longer, where messages interleave.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 194  | Flags = 0x00  |      Length = Variable        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                       New Cumulative TSN                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |       Stream Identifier       |          Reserved           |U|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                       Message Identifier                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// /                              ...                              /
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IForwardTsn<'a> {
    /// Everything up to here is to be taken as received.
    pub new_cumulative_tsn: u32,
    /// The messages as they are on the wire, eight bytes each.
    pub skipped: &'a [u8],
}

/// The last message of a stream that will not come, of the ordered or the unordered ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedMessage {
    /// The stream.
    pub stream: u16,
    /// The U bit.
    pub unordered: bool,
    /// The message identifier.
    pub mid: u32,
}

impl<'a> IForwardTsn<'a> {
    /// The chunk type.
    pub const KIND: u8 = 194;

    /// Bytes of the chunk without messages.
    pub const FIXED_LEN: usize = 8;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below four bytes of value, [`DecodeError::Length`] if the list is
    /// not made of messages.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        let new_cumulative_tsn = value.u32()?;
        if !value.0.len().is_multiple_of(8) {
            return Err(DecodeError::Length);
        }
        Ok(Self {
            new_cumulative_tsn,
            skipped: value.0,
        })
    }

    /// The messages that will not come.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedMessage> + use<'a> {
        self.skipped
            .as_chunks::<8>()
            .0
            .iter()
            .map(|&[s0, s1, _, flags, m0, m1, m2, m3]| SkippedMessage {
                stream: u16::from_be_bytes([s0, s1]),
                unordered: flags & 1 != 0,
                mid: u32::from_be_bytes([m0, m1, m2, m3]),
            })
    }
}

impl WireChunk for IForwardTsn<'_> {
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
    use crate::packet::encode;

    // sctp-043
    #[test]
    fn the_messages_are_read_and_written() {
        let bytes = [
            194, 0, 0, 24, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 5, 0, 2, 0, 1, 0, 1, 0, 0,
        ];
        let forward = IForwardTsn::parse(Chunk {
            kind: 194,
            flags: 0,
            value: &bytes[4..],
            whole: &bytes,
        })
        .unwrap();
        assert_eq!(forward.new_cumulative_tsn, 9);
        let skipped: Vec<_> = forward.skipped().collect();
        let message = |stream, unordered, mid| SkippedMessage {
            stream,
            unordered,
            mid,
        };
        assert_eq!(skipped, [message(1, false, 5), message(2, true, 65_536)]);
        assert_eq!(encode(&forward), bytes);
    }
}
