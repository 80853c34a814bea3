use super::ContentType;

/// The header of every record of 1.2, and of plaintext records of 1.3 (RFC 6347 §4.1, RFC 9147 §4.1).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+-------------------------------+---------------+
/// |  ContentType  |            version            |     epoch     |
/// +---------------+-------------------------------+---------------+
/// |     epoch     |            sequence number                    |
/// +---------------+-----------------------------------------------+
/// |                sequence number                |    length     |
/// +-----------------------------------------------+---------------+
/// |    length     |  fragment ...
/// +---------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) content: ContentType,
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
    /// Of the fragment.
    pub(crate) length: u16,
}

/// The length of a [`Header`].
pub(crate) const HEADER_LEN: usize = 13;
/// 1.2, which 1.3 says as well (RFC 9147 §4.1).
const VERSION: [u8; 2] = [0xFE, 0xFD];
/// The largest sequence number.
pub(crate) const MAX_SEQUENCE: u64 = (1 << 48) - 1;

impl Header {
    /// Reads it; `None` if this is no such record, or not all of it is there.
    ///
    /// RFC 6347 §4.1: the first records of a peer may say another minor version; the major one is
    /// always 0xFE.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, fragment) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let [kind, major, _, e0, e1, s0, s1, s2, s3, s4, s5, l0, l1] = *header;
        let length = u16::from_be_bytes([l0, l1]);
        if major != VERSION[0] || usize::from(length) > fragment.len() {
            return None;
        }
        Some(Self {
            content: ContentType::of(kind)?,
            epoch: u16::from_be_bytes([e0, e1]),
            sequence: u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]),
            length,
        })
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[0] = self.content as u8;
        out[1..3].copy_from_slice(&VERSION);
        out[3..11].copy_from_slice(&self.number().to_be_bytes());
        out[11..].copy_from_slice(&self.length.to_be_bytes());
        out
    }

    /// Epoch and sequence number as one, as nonces and associated data want them.
    pub(crate) fn number(self) -> u64 {
        u64::from(self.epoch) << 48 | (self.sequence & MAX_SEQUENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-015
    #[test]
    fn the_header_of_a_captured_client_hello_round_trips() {
        // Chromium's first record.
        let bytes = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4];
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.content, ContentType::Handshake);
        assert_eq!((header.epoch, header.sequence, header.length), (0, 1, 4));
        assert_eq!(header.to_bytes(), bytes[..HEADER_LEN]);
    }

    #[test]
    fn a_record_that_is_cut_short_or_foreign_is_none() {
        let bytes = [22, 0xFE, 0xFF, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 2];
        assert!(Header::parse(&bytes).is_some());
        assert_eq!(Header::parse(&bytes[..14]), None);
        assert_eq!(Header::parse(&bytes[..12]), None);
        for (at, value) in [(0, 24), (1, 3), (0, 128)] {
            let mut bytes = bytes;
            bytes[at] = value;
            assert_eq!(Header::parse(&bytes), None);
        }
    }
}
