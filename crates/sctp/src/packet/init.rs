use super::{Chunk, DecodeError, Parameters, Reader, WireChunk};
use bytes::BufMut;

/// INIT (RFC 9260 §3.3.2): asks for an association.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Type = 1    |  Chunk Flags  |         Chunk Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                         Initiate Tag                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Advertised Receiver Window Credit (a_rwnd)           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Number of Outbound Streams   |   Number of Inbound Streams   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Initial TSN                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \              Optional/Variable-Length Parameters              \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init<'a> {
    /// The tag that every packet to the sender carries from now on.
    pub initiate_tag: u32,
    /// The receive window of the sender, in bytes.
    pub a_rwnd: u32,
    /// How many streams the sender wants to send on.
    pub outbound_streams: u16,
    /// How many streams the sender accepts.
    pub inbound_streams: u16,
    /// The first TSN the sender will use.
    pub initial_tsn: u32,
    /// The parameters as they are on the wire, without the padding of the last one.
    pub parameters: &'a [u8],
}

impl<'a> Init<'a> {
    /// The chunk type.
    pub const KIND: u8 = 1;

    /// Reads the fixed part; parameters are looked at by [`parameters`](Self::parameters).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below 16 bytes of value.
    pub fn parse(chunk: Chunk<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(chunk.value);
        Ok(Self {
            initiate_tag: value.u32()?,
            a_rwnd: value.u32()?,
            outbound_streams: value.u16()?,
            inbound_streams: value.u16()?,
            initial_tsn: value.u32()?,
            parameters: value.0,
        })
    }

    /// The parameters, in order.
    #[must_use]
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters::new(self.parameters)
    }
}

impl WireChunk for Init<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        16 + self.parameters.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_u32(self.initiate_tag);
        out.put_u32(self.a_rwnd);
        out.put_u16(self.outbound_streams);
        out.put_u16(self.inbound_streams);
        out.put_u32(self.initial_tsn);
        out.put_slice(self.parameters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::ParameterType;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// What Chromium sends first.
    const CHROMIUM: &str =
        "1388138800000000ea613cd80100001ed962b83600500000ffffffffbc9695dcc00000048008000682c00000";
    /// What Firefox sends first: it announces I-DATA too.
    const FIREFOX: &str =
        "13881388000000000ab25db001000020bde3225001000000ffffffff649d99f6c00000048008000882c040c2";

    #[test]
    fn an_init_of_chromium_is_read_and_written() {
        let bytes = only_chunk(CHROMIUM);
        let init = Init::parse(bytes.chunk()).unwrap();
        assert_eq!(init.initiate_tag, 0xd962_b836);
        assert_eq!(init.a_rwnd, 5 * 1024 * 1024);
        assert_eq!(
            (init.outbound_streams, init.inbound_streams),
            (65_535, 65_535)
        );
        let parameters: Vec<_> = init.parameters().map(Result::unwrap).collect();
        assert_eq!(parameters[0].kind, ParameterType::FORWARD_TSN_SUPPORTED);
        assert_eq!(parameters[1].kind, ParameterType::SUPPORTED_EXTENSIONS);
        assert_eq!(parameters[1].value, [0x82, 0xc0]);
        same_bytes(CHROMIUM, &init);
    }

    #[test]
    fn an_init_of_firefox_is_read_and_written() {
        let bytes = only_chunk(FIREFOX);
        let init = Init::parse(bytes.chunk()).unwrap();
        assert_eq!(init.a_rwnd, 16 * 1024 * 1024);
        same_bytes(FIREFOX, &init);
    }
}
