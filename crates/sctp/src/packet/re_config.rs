use super::{Chunk, DecodeError, Parameter, ParameterType, Parameters, Reader, WireChunk};
use bytes::BufMut;

/// RE-CONFIG (RFC 6525 §3.1): one or two parameters that ask for a change or answer one.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Type = 130   |  Chunk Flags  |         Chunk Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                  Re-configuration Parameter                   \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \             Re-configuration Parameter (optional)             \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReConfig<'a> {
    /// The parameters as they are on the wire.
    pub parameters: &'a [u8],
}

/// A parameter of RE-CONFIG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReConfigParameter<'a> {
    /// Outgoing SSN Reset Request (RFC 6525 §4.1).
    OutgoingReset(OutgoingReset<'a>),
    /// Re-configuration Response (RFC 6525 §4.4).
    Response(Response),
    /// A request that is answered but never granted: Incoming SSN Reset (§4.2), SSN/TSN Reset
    /// (§4.3), Add Outgoing Streams (§4.5), Add Incoming Streams (§4.6).
    OtherRequest {
        /// Its Re-configuration Request Sequence Number.
        sequence: u32,
    },
    /// Not a parameter of RE-CONFIG.
    Unknown(Parameter<'a>),
}

/// Outgoing SSN Reset Request (RFC 6525 §4.1): these streams of the sender start anew.
///
/// ```text
/// |     Parameter Type = 13       | Parameter Length = 16 + 2 * N |
/// |           Re-configuration Request Sequence Number            |
/// |           Re-configuration Response Sequence Number           |
/// |                Sender's Last Assigned TSN                     |
/// |  Stream Number 1 (optional)   |    Stream Number 2 (optional) |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutgoingReset<'a> {
    /// The number of this request.
    pub sequence: u32,
    /// The number of the request it answers, if it answers one.
    pub response_sequence: u32,
    /// The last TSN assigned before the reset.
    pub last_tsn: u32,
    /// The streams as they are on the wire, two bytes each; none means all.
    pub streams: &'a [u8],
}

/// Re-configuration Response (RFC 6525 §4.4).
///
/// ```text
/// |     Parameter Type = 16       |      Parameter Length         |
/// |         Re-configuration Response Sequence Number             |
/// |                            Result                             |
/// |                   Sender's Next TSN (optional)                |
/// |                  Receiver's Next TSN (optional)               |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The number of the request it answers.
    pub sequence: u32,
    /// One of [`ReConfigResult`].
    pub result: u32,
}

/// The results of RFC 6525 §4.4, Table 3.
#[derive(Clone, Copy, Debug)]
pub struct ReConfigResult;

impl ReConfigResult {
    /// Success: nothing to do.
    pub const NOTHING_TO_DO: u32 = 0;
    /// Success: performed.
    pub const PERFORMED: u32 = 1;
    /// Denied.
    pub const DENIED: u32 = 2;
    /// Error: wrong stream number.
    pub const WRONG_SSN: u32 = 3;
    /// Error: a request is already in progress.
    pub const ALREADY_IN_PROGRESS: u32 = 4;
    /// Error: bad sequence number.
    pub const BAD_SEQUENCE_NUMBER: u32 = 5;
    /// In progress.
    pub const IN_PROGRESS: u32 = 6;
}

impl<'a> ReConfig<'a> {
    /// The chunk type.
    pub const KIND: u8 = 130;

    /// Reads the chunk, which cannot fail: parameters are looked at by
    /// [`parameters`](Self::parameters).
    #[must_use]
    pub fn parse(chunk: Chunk<'a>) -> Self {
        Self {
            parameters: chunk.value,
        }
    }

    /// The parameters, in order.
    pub fn parameters(
        &self,
    ) -> impl Iterator<Item = Result<ReConfigParameter<'a>, DecodeError>> + use<'a> {
        Parameters::new(self.parameters)
            .map(|parameter| parameter.and_then(ReConfigParameter::parse))
    }
}

impl<'a> ReConfigParameter<'a> {
    fn parse(parameter: Parameter<'a>) -> Result<Self, DecodeError> {
        let mut value = Reader(parameter.value);
        Ok(match parameter.kind {
            ParameterType::OUTGOING_RESET => {
                let request = OutgoingReset {
                    sequence: value.u32()?,
                    response_sequence: value.u32()?,
                    last_tsn: value.u32()?,
                    streams: value.0,
                };
                if !request.streams.len().is_multiple_of(2) {
                    return Err(DecodeError::Length);
                }
                Self::OutgoingReset(request)
            }
            ParameterType::RE_CONFIG_RESPONSE => Self::Response(Response {
                sequence: value.u32()?,
                result: value.u32()?,
            }),
            ParameterType::INCOMING_RESET
            | ParameterType::TSN_RESET
            | ParameterType::ADD_OUTGOING_STREAMS
            | ParameterType::ADD_INCOMING_STREAMS => Self::OtherRequest {
                sequence: value.u32()?,
            },
            _ => Self::Unknown(parameter),
        })
    }
}

impl<'a> OutgoingReset<'a> {
    /// The streams; none means all.
    pub fn streams(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.streams
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&stream| u16::from_be_bytes(stream))
    }

    /// Appends the parameter to others.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut value = Vec::with_capacity(12 + self.streams.len());
        value.put_u32(self.sequence);
        value.put_u32(self.response_sequence);
        value.put_u32(self.last_tsn);
        value.put_slice(self.streams);
        super::write_parameter(out, ParameterType::OUTGOING_RESET, &value);
    }
}

impl Response {
    /// Appends the parameter to others.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut value = [0; 8];
        value[..4].copy_from_slice(&self.sequence.to_be_bytes());
        value[4..].copy_from_slice(&self.result.to_be_bytes());
        super::write_parameter(out, ParameterType::RE_CONFIG_RESPONSE, &value);
    }
}

impl WireChunk for ReConfig<'_> {
    fn kind(&self) -> u8 {
        Self::KIND
    }

    fn value_len(&self) -> usize {
        self.parameters.len()
    }

    fn write_value<B: BufMut>(&self, out: &mut B) {
        out.put_slice(self.parameters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tests::{only_chunk, same_bytes};

    /// Captured from aiortc.
    const RESET: &str = "13881388c8e86e6be9e7059182000016000d00128bd80a5be48bec738bd80a5e00010000";
    /// Captured from aiortc.
    const RESPONSE: &str = "13881388b1bf7efd4437a952820000100010000c91531f5400000001";
    /// Captured from aiortc.
    const ADD_OUTGOING: &str = "13881388e90d96fe16b6d3d3820000100011000cca02f63000100000";

    fn parameter(captured: &str) -> Vec<u8> {
        only_chunk(captured).chunk().value.to_vec()
    }

    #[test]
    fn a_captured_reset_is_read_and_written() {
        let value = parameter(RESET);
        let chunk = ReConfig { parameters: &value };
        let Some(Ok(ReConfigParameter::OutgoingReset(reset))) = chunk.parameters().next() else {
            panic!("not an outgoing reset");
        };
        assert_eq!(reset.sequence, 0x8bd8_0a5b);
        assert_eq!(reset.last_tsn, 0x8bd8_0a5e);
        assert_eq!(reset.streams().collect::<Vec<_>>(), [1]);
        let mut written = Vec::new();
        reset.write(&mut written);
        same_bytes(
            RESET,
            &ReConfig {
                parameters: &written,
            },
        );
    }

    #[test]
    fn a_captured_response_is_read_and_written() {
        let value = parameter(RESPONSE);
        let chunk = ReConfig { parameters: &value };
        let Some(Ok(ReConfigParameter::Response(response))) = chunk.parameters().next() else {
            panic!("not a response");
        };
        assert_eq!(response.result, ReConfigResult::PERFORMED);
        let mut written = Vec::new();
        response.write(&mut written);
        same_bytes(
            RESPONSE,
            &ReConfig {
                parameters: &written,
            },
        );
    }

    #[test]
    fn a_request_we_never_grant_is_known_by_its_number() {
        let value = parameter(ADD_OUTGOING);
        let chunk = ReConfig { parameters: &value };
        assert_eq!(
            chunk.parameters().next(),
            Some(Ok(ReConfigParameter::OtherRequest {
                sequence: 0xca02_f630
            }))
        );
    }
}
