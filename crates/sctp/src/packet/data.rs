use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// Bytes of a DATA chunk around its user data.
pub const DATA_OVERHEAD: usize = 16;

/// DATA (RFC 9260 §3.3.1): a user message, or a fragment of one.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 0    |  Res  |I|U|B|E|            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                              TSN                              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      Stream Identifier S      |   Stream Sequence Number n    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                  Payload Protocol Identifier                  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                 User Data (seq n of Stream S)                 \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// The I bit: the sender asks for a SACK at once.
    pub immediate: bool,
    /// The U bit: not ordered, the stream sequence number means nothing.
    pub unordered: bool,
    /// The B bit: the first fragment of a message.
    pub beginning: bool,
    /// The E bit: the last fragment of a message.
    pub ending: bool,
    /// The transmission sequence number.
    pub tsn: u32,
    /// The stream.
    pub stream: u16,
    /// The place of the message in its stream.
    pub ssn: u16,
    /// The payload protocol identifier, opaque to SCTP.
    pub protocol: u32,
    /// The user data. An empty one is reported by the association (RFC 9260 §6.2).
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// The chunk type.
    pub const KIND: u8 = 0;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below 12 bytes of value.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        Ok(Self {
            immediate: chunk.flags & 0x08 != 0,
            unordered: chunk.flags & 0x04 != 0,
            beginning: chunk.flags & 0x02 != 0,
            ending: chunk.flags & 0x01 != 0,
            tsn: value.u32()?,
            stream: value.u16()?,
            ssn: value.u16()?,
            protocol: value.u32()?,
            payload: value.0,
        })
    }
}

impl WireChunk for Data<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn flags(&self) -> u8 {
        u8::from(self.immediate) << 3
            | u8::from(self.unordered) << 2
            | u8::from(self.beginning) << 1
            | u8::from(self.ending)
    }

    fn value_len(&self) -> usize {
        DATA_OVERHEAD - 4 + self.payload.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.tsn);
        out.put_u16(self.stream);
        out.put_u16(self.ssn);
        out.put_u32(self.protocol);
        out.put_slice(self.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    // sctp-003: captured from aiortc, with three bytes of padding.
    const PADDED: &str = "138813880fc0f8a185217dad000300119a0f13fd00010001000000334d000000";

    #[test]
    fn a_captured_chunk_with_padding_is_read_and_written() {
        let bytes = only_chunk(PADDED);
        let data = Data::parse(bytes.chunk()).unwrap();
        assert!(data.beginning && data.ending && !data.unordered && !data.immediate);
        assert_eq!((data.tsn, data.stream, data.ssn), (0x9a0f_13fd, 1, 1));
        assert_eq!((data.protocol, data.payload), (51, &b"M"[..]));
        same_bytes(PADDED, &data);
    }

    #[test]
    fn flags_survive() {
        for flags in 0..16 {
            let value = [0; 13];
            let data = Data::parse(Chunk {
                kind: 0,
                flags,
                value: &value,
                whole: &[],
            })
            .unwrap();
            assert_eq!(data.flags(), flags);
        }
    }

    #[test]
    fn a_chunk_shorter_than_its_fixed_part_is_refused() {
        let value = [0; 11];
        let chunk = Chunk {
            kind: 0,
            flags: 3,
            value: &value,
            whole: &[],
        };
        assert_eq!(Data::parse(chunk), Err(DecodeError::Truncated));
    }
}
