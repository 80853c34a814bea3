use super::{Chunk, DecodeError, Init, ParameterType, Parameters, WireChunk};
use bytes::BufMut;

/// INIT ACK (RFC 9260 §3.3.3): accepts an INIT and hands out the State Cookie.
///
/// The diagram is that of [`Init`] with type 2; among the parameters is the State Cookie
/// (§3.3.3.1.1) and whatever was not recognized (§3.3.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitAck<'a> {
    /// The fields it shares with INIT.
    pub fields: Init<'a>,
}

impl<'a> InitAck<'a> {
    /// The chunk type.
    pub const KIND: u8 = 2;

    /// Reads the fixed part.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below 16 bytes of value.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        Init::parse(chunk).map(|fields| Self { fields })
    }

    /// The parameters, in order.
    #[must_use]
    pub fn parameters(&self) -> Parameters<'a> {
        self.fields.parameters()
    }

    /// The State Cookie, if there is one.
    #[must_use]
    pub fn cookie(&self) -> Option<&'a [u8]> {
        self.parameters()
            .map_while(Result::ok)
            .find(|parameter| parameter.kind == ParameterType::STATE_COOKIE)
            .map(|parameter| parameter.value)
    }
}

impl WireChunk for InitAck<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.fields.value_len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        self.fields.write_value(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Sent by aiortc to Chromium.
    const CAPTURED: &str = "13881388d962b83667e4b9ef0200003c3812062a00100000ffffffff35d095bac000000480080006c08200000007001c6b00ff727053a93e32cba45abe898e782e5cd31f57318aa9";

    #[test]
    fn a_captured_chunk_is_read_and_written() {
        let bytes = only_chunk(CAPTURED);
        let init_ack = InitAck::parse(bytes.chunk()).unwrap();
        assert_eq!(init_ack.fields.initiate_tag, 0x3812_062a);
        assert_eq!(init_ack.cookie().map(<[u8]>::len), Some(24));
        same_bytes(CAPTURED, &init_ack);
    }
}
