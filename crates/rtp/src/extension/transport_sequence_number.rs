//! The transport-wide sequence number: version 1
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2) and version 2 of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/transport-wide-cc-02>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | L=3   |transport-wide sequence number |T|  seq count  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |seq count cont.|
//! +-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};

/// Counts the packets of all streams of a transport together, wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportSequenceNumber(pub u16);

/// As [`TransportSequenceNumber`], and feedback comes only when it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportSequenceNumber2 {
    /// The number.
    pub sequence_number: u16,
    /// What feedback is wanted at once; `None` for none.
    pub request: Option<FeedbackRequest>,
}

/// The feedback that a packet asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackRequest {
    /// Whether arrival times are wanted, and not only what was received.
    pub with_times: bool,
    /// How many packets it should cover, this one the last; 15 bits, not 0.
    pub count: u16,
}

impl Extension<'_> for TransportSequenceNumber {
    const URI: &'static str =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(value).u16().map(Self)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        Ok(Value::from_slice(&self.0.to_be_bytes()))
    }
}

impl Extension<'_> for TransportSequenceNumber2 {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let sequence_number = reader.u16()?;
        let request = if reader.is_empty() {
            None
        } else {
            FeedbackRequest::from_bits(reader.u16()?)
        };
        Ok(Self {
            sequence_number,
            request,
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let mut value = Value::from_slice(&self.sequence_number.to_be_bytes());
        if let Some(request) = self.request {
            value.extend_from_slice(&request.to_bits()?.to_be_bytes());
        }
        Ok(value)
    }
}

impl FeedbackRequest {
    /// A count of 0 asks for nothing.
    fn from_bits(bits: u16) -> Option<Self> {
        let count = bits & 0x7FFF;
        (count > 0).then_some(Self {
            with_times: bits & 0x8000 != 0,
            count,
        })
    }

    fn to_bits(self) -> Result<u16, EncodeError> {
        match self.count {
            1..=0x7FFF => Ok(u16::from(self.with_times) << 15 | self.count),
            _ => Err(EncodeError::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    // int-014
    #[test]
    fn a_number_comes_back() {
        same_bytes(&[0x01, 0x02], &TransportSequenceNumber(0x0102));
        shorter_is_refused::<TransportSequenceNumber>(&[1, 2]);
    }

    #[test]
    fn a_request_comes_back() {
        let mut number = TransportSequenceNumber2 {
            sequence_number: 0x0102,
            request: None,
        };
        same_bytes(&[1, 2], &number);
        number.request = Some(FeedbackRequest {
            with_times: true,
            count: 3,
        });
        same_bytes(&[1, 2, 0x80, 3], &number);
        assert!(TransportSequenceNumber2::parse(&[1, 2, 3]).is_err());
        let nothing = TransportSequenceNumber2::parse(&[1, 2, 0x80, 0]).unwrap();
        assert_eq!(nothing.request, None);
        number.request = Some(FeedbackRequest::default());
        assert!(number.write().is_err());
    }
}
