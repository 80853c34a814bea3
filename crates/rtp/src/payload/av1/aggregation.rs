use super::leb128;
use crate::DecodeError;

/// The first byte of every payload (AV1 RTP §4.4).
///
/// ```text
///  0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |Z|Y| W |N|-|-|-|
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregationHeader {
    /// Z: the first element goes on with an OBU of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub continued: bool,
    /// W: the number of elements, 1 to 3, of which the last has no size before it; 0 for any
    /// number, all with their size.
    pub count: u8,
    /// N: the packet is the first of a coded video sequence, which begins with a key frame.
    pub new_sequence: bool,
}

impl AggregationHeader {
    /// Reads the header of a payload, and gives what follows it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the payload is empty, [`DecodeError::Value`] if it both begins
    /// a sequence and goes on with an OBU.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (first, rest) = payload.split_first().ok_or(DecodeError::Truncated)?;
        let header = Self {
            continues: first & 0x80 != 0,
            continued: first & 0x40 != 0,
            count: first >> 4 & 0x03,
            new_sequence: first & 0x08 != 0,
        };
        if header.new_sequence && header.continues {
            return Err(DecodeError::Value);
        }
        Ok((header, rest))
    }

    /// The byte; a count that does not fit is left out.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        u8::from(self.continues) << 7
            | u8::from(self.continued) << 6
            | (self.count & 0x03) << 4
            | u8::from(self.new_sequence) << 3
    }
}

/// The elements behind the header, one after the other, or why there are no more (§4.5).
pub(super) fn elements(
    header: AggregationHeader,
    payload: &[u8],
) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    let mut rest = payload;
    let mut left = match header.count {
        0 => None,
        count => Some(count),
    };
    std::iter::from_fn(move || {
        let sized = match &mut left {
            None if rest.is_empty() => return None,
            None => true,
            Some(0) => return None,
            Some(left) => {
                *left -= 1;
                *left != 0
            }
        };
        let element = if sized {
            split_element(&mut rest)
        } else {
            Ok(std::mem::take(&mut rest))
        };
        if element.is_err() {
            (rest, left) = (&[], None);
        }
        Some(element)
    })
}

fn split_element<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let (size, after) = leb128::parse(rest)?;
    let (element, after) = after.split_at_checked(size).ok_or(DecodeError::Truncated)?;
    *rest = after;
    Ok(element)
}
