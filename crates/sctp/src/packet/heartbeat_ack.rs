use super::{Chunk, DecodeError, Parameters, WireChunk};
use bytes::BufMut;

/// HEARTBEAT ACK (RFC 9260 §3.3.6): returns what a HEARTBEAT carried.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 5    |  Chunk Flags  |     Heartbeat Ack Length      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \         Heartbeat Information TLV (Variable Length)           \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatAck<'a> {
    /// The parameters of the HEARTBEAT it answers.
    pub info: &'a [u8],
}

impl<'a> HeartbeatAck<'a> {
    /// The chunk type.
    pub const KIND: u8 = 5;

    /// Reads the chunk.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] without even the header of an information.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        if chunk.value.len() < 4 {
            return Err(DecodeError::Truncated);
        }
        Ok(Self { info: chunk.value })
    }

    /// The value of the first parameter: what our HEARTBEAT put there.
    #[must_use]
    pub fn first_info(&self) -> Option<&'a [u8]> {
        Parameters::new(self.info)
            .next()?
            .ok()
            .map(|parameter| parameter.value)
    }
}

impl WireChunk for HeartbeatAck<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.info.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_slice(self.info);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::encode;

    #[test]
    fn the_information_comes_back() {
        let sample = [5, 0, 0, 10, 0, 1, 0, 6, 0xab, 0xcd];
        let chunk = Chunk {
            kind: 5,
            flags: 0,
            value: &sample[4..],
            whole: &sample,
        };
        let ack = HeartbeatAck::parse(chunk).unwrap();
        assert_eq!(ack.first_info(), Some(&[0xab, 0xcd][..]));
        assert_eq!(encode(&ack)[..10], sample);
    }
}
