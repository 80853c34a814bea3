use crate::codec::{DecodeError, Reader, u24};

/// The header of a fragment of a handshake message (RFC 6347 §4.2.2, RFC 9147 §5.2).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+-----------------------------------------------+
/// |   msg_type    |                   length                      |
/// +---------------+---------------+-------------------------------+
/// |          message_seq          |        fragment_offset        |
/// +---------------+---------------+-------------------------------+
/// |fragment_offset|              fragment_length                  |
/// +---------------+-----------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentHeader {
    pub(crate) kind: u8,
    /// Of the whole message.
    pub(crate) length: usize,
    pub(crate) sequence: u16,
    pub(crate) offset: usize,
    pub(crate) fragment_length: usize,
}

/// The length of a [`FragmentHeader`].
pub(crate) const FRAGMENT_HEADER_LEN: usize = 12;

impl FragmentHeader {
    /// Reads one fragment with its header.
    pub(crate) fn parse<'a>(reader: &mut Reader<'a>) -> Result<(Self, &'a [u8]), DecodeError> {
        let header = Self {
            kind: reader.u8()?,
            length: reader.u24()?,
            sequence: reader.u16()?,
            offset: reader.u24()?,
            fragment_length: reader.u24()?,
        };
        let fragment = reader.take(header.fragment_length)?;
        if header.offset + header.fragment_length > header.length {
            return Err(DecodeError);
        }
        Ok((header, fragment))
    }

    pub(crate) fn to_bytes(self) -> [u8; FRAGMENT_HEADER_LEN] {
        let mut out = [0; FRAGMENT_HEADER_LEN];
        out[0] = self.kind;
        out[1..4].copy_from_slice(&u24(self.length));
        out[4..6].copy_from_slice(&self.sequence.to_be_bytes());
        out[6..9].copy_from_slice(&u24(self.offset));
        out[9..].copy_from_slice(&u24(self.fragment_length));
        out
    }

    /// The header of a message in one piece, as transcripts of 1.2 count it (RFC 6347 §4.2.6).
    pub(crate) fn whole(kind: u8, sequence: u16, length: usize) -> Self {
        Self {
            kind,
            length,
            sequence,
            offset: 0,
            fragment_length: length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-019
    #[test]
    fn a_fragment_round_trips() {
        let bytes = [11, 0, 1, 44, 0, 3, 0, 0, 200, 0, 0, 2, 9, 8];
        let mut reader = Reader::new(&bytes);
        let (header, fragment) = FragmentHeader::parse(&mut reader).unwrap();
        assert_eq!((header.kind, header.length, header.sequence), (11, 300, 3));
        assert_eq!((header.offset, fragment), (200, &[9, 8][..]));
        assert!(reader.is_empty());
        assert_eq!(header.to_bytes(), bytes[..FRAGMENT_HEADER_LEN]);
    }

    #[test]
    fn a_fragment_beyond_its_message_is_refused() {
        let bytes = [11, 0, 0, 2, 0, 3, 0, 0, 1, 0, 0, 2, 9, 8];
        assert!(FragmentHeader::parse(&mut Reader::new(&bytes)).is_err());
        assert!(FragmentHeader::parse(&mut Reader::new(&bytes[..13])).is_err());
    }
}
