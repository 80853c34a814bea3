use super::{Chunk, DecodeError, Reader, WireChunk};
use bytes::BufMut;

/// Bytes of an I-DATA chunk around its user data.
pub const I_DATA_OVERHEAD: usize = 20;

/// I-DATA (RFC 8260 §2.1): a user message, or a fragment of one between fragments of others.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 64   |  Res  |I|U|B|E|       Length = Variable       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                              TSN                              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Stream Identifier      |           Reserved            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Message Identifier                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Payload Protocol Identifier / Fragment Sequence Number     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                           User Data                           \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IData<'a> {
    /// The I bit: the sender asks for a SACK at once.
    pub immediate: bool,
    /// The U bit: not ordered.
    pub unordered: bool,
    /// The B bit: the first fragment of a message.
    pub beginning: bool,
    /// The E bit: the last fragment of a message.
    pub ending: bool,
    /// The transmission sequence number.
    pub tsn: u32,
    /// The stream.
    pub stream: u16,
    /// The message identifier: counts the ordered messages of a stream, and the unordered ones.
    pub mid: u32,
    /// The payload protocol identifier; only the first fragment has it, others 0.
    pub protocol: u32,
    /// The fragment sequence number; the first fragment has 0.
    pub fsn: u32,
    /// The user data.
    pub payload: &'a [u8],
}

impl<'a> IData<'a> {
    /// The chunk type.
    pub const KIND: u8 = 64;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below 16 bytes of value.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        let beginning = chunk.flags & 0x02 != 0;
        let tsn = value.u32()?;
        let stream = value.u16()?;
        let _reserved = value.u16()?;
        let mid = value.u32()?;
        let last = value.u32()?;
        Ok(Self {
            immediate: chunk.flags & 0x08 != 0,
            unordered: chunk.flags & 0x04 != 0,
            beginning,
            ending: chunk.flags & 0x01 != 0,
            tsn,
            stream,
            mid,
            protocol: if beginning { last } else { 0 },
            fsn: if beginning { 0 } else { last },
            payload: value.0,
        })
    }
}

impl WireChunk for IData<'_> {
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
        I_DATA_OVERHEAD - 4 + self.payload.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.tsn);
        out.put_u16(self.stream);
        out.put_u16(0);
        out.put_u32(self.mid);
        out.put_u32(if self.beginning {
            self.protocol
        } else {
            self.fsn
        });
        out.put_slice(self.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::encode;

    // sctp-044
    #[test]
    fn the_first_fragment_has_the_protocol_and_others_their_number() {
        let first = [
            64, 0x0e, 0, 23, 0, 0, 0, 7, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 53, b'a', b'b', b'c', 0,
        ];
        let later = [
            64, 0x05, 0, 21, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, b'd', 0, 0, 0,
        ];
        let read = |bytes: &'static [u8]| {
            let end = usize::from(bytes[3]);
            IData::parse(Chunk {
                kind: bytes[0],
                flags: bytes[1],
                value: &bytes[4..end],
                whole: bytes,
            })
            .unwrap()
        };
        let begin = read(Box::leak(Box::new(first)));
        assert_eq!((begin.protocol, begin.fsn, begin.mid), (53, 0, 256));
        assert!(begin.beginning && begin.unordered && begin.immediate && !begin.ending);
        assert_eq!(
            (begin.tsn, begin.stream, begin.payload),
            (7, 3, &b"abc"[..])
        );
        let end = read(Box::leak(Box::new(later)));
        assert_eq!((end.protocol, end.fsn, end.payload), (0, 2, &b"d"[..]));
        assert!(end.ending && !end.beginning);
        assert_eq!(encode(&begin), first);
        assert_eq!(encode(&end), later);
    }

    #[test]
    fn a_chunk_shorter_than_its_fixed_part_is_refused() {
        let chunk = Chunk {
            kind: 64,
            flags: 3,
            value: &[0; 15],
            whole: &[],
        };
        assert_eq!(IData::parse(chunk), Err(DecodeError::Truncated));
    }
}
