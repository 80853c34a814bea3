use crate::{DecodeError, EncodeError};

/// The running number of a picture in VP8 (RFC 7741 §4.2) and VP9 (draft-ietf-payload-vp9 §4.2).
///
/// ```text
///      0 1 2 3 4 5 6 7          0 1 2 3 4 5 6 7
///     +-+-+-+-+-+-+-+-+        +-+-+-+-+-+-+-+-+
///     |0| PictureID   |        |1| PictureID   |
///     +-+-+-+-+-+-+-+-+        +-+-+-+-+-+-+-+-+
///                              |   PictureID   |
///                              +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureId {
    /// 7 bits; the M bit is 0.
    Short(u8),
    /// 15 bits; the M bit is 1.
    Long(u16),
}

impl PictureId {
    /// The number, without the M bit.
    #[must_use]
    pub fn value(self) -> u16 {
        match self {
            Self::Short(id) => u16::from(id & 0x7F),
            Self::Long(id) => id & 0x7FFF,
        }
    }

    /// The number of the picture after this one, of the same width; wraps to 0.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Short(id) => Self::Short(id.wrapping_add(1) & 0x7F),
            Self::Long(id) => Self::Long(id.wrapping_add(1) & 0x7FFF),
        }
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(self) -> usize {
        match self {
            Self::Short(_) => 1,
            Self::Long(_) => 2,
        }
    }

    /// Reads the field, and gives what follows it.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        match bytes {
            [first, rest @ ..] if first & 0x80 == 0 => Ok((Self::Short(*first), rest)),
            [first, second, rest @ ..] => {
                let id = u16::from_be_bytes([first & 0x7F, *second]);
                Ok((Self::Long(id), rest))
            }
            _ => Err(DecodeError::Truncated),
        }
    }

    /// Writes the field and gives what is left of `out`.
    pub(super) fn write(self, out: &mut [u8]) -> Result<&mut [u8], EncodeError> {
        match (self, out) {
            (Self::Short(0x80..) | Self::Long(0x8000..), _) => Err(EncodeError::Value),
            (Self::Short(id), [first, rest @ ..]) => {
                *first = id;
                Ok(rest)
            }
            (Self::Long(id), [first, second, rest @ ..]) => {
                [*first, *second] = (id | 0x8000).to_be_bytes();
                Ok(rest)
            }
            _ => Err(EncodeError::TooSmall),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PictureId;

    #[test]
    fn a_number_wraps_at_its_own_width() {
        assert_eq!(PictureId::Short(0x7E).next(), PictureId::Short(0x7F));
        assert_eq!(PictureId::Short(0x7F).next(), PictureId::Short(0));
        assert_eq!(PictureId::Long(0x7F).next(), PictureId::Long(0x80));
        assert_eq!(PictureId::Long(0x7FFF).next(), PictureId::Long(0));
    }
}
