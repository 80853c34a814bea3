use super::{NalHeader, kind};
use crate::DecodeError;

/// Takes the control information off a PACI packet (RFC 7798 §4.4.4): the header and the body of
/// the payload inside. The information (temporal scalability) is passed over.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    PayloadHdr (Type=50)       |A|   cType   | PHSsize |F0..2|Y|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Payload Header Extension Structure (PHES)              |
/// |=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=|
/// |                  PACI payload: NAL unit                       |
/// |                   . . .                                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
pub(super) fn unwrap(header: NalHeader, body: &[u8]) -> Result<(NalHeader, &[u8]), DecodeError> {
    let (&[first, second], rest) = body.split_first_chunk().ok_or(DecodeError::Truncated)?;
    let fields = u16::from_be_bytes([first, second]);
    let size = usize::from(fields >> 4 & 0x1F);
    let inner = NalHeader {
        forbidden_zero: first & 0x80 != 0,
        kind: first >> 1 & 0x3F,
        ..header
    };
    if inner.kind == kind::PACI {
        return Err(DecodeError::Value);
    }
    let body = rest.get(size..).ok_or(DecodeError::Truncated)?;
    Ok((inner, body))
}
