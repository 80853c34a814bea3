/// The header of protected records of 1.3 (RFC 9147 §4).
///
/// ```text
/// 0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |0|0|1|C|S|L|E E|
/// +-+-+-+-+-+-+-+-+
/// | Connection ID |   Legend:
/// | (if any,      |
/// /  length as    /   C   - Connection ID (CID) present
/// |  negotiated)  |   S   - Sequence number length
/// +-+-+-+-+-+-+-+-+   L   - Length present
/// |  8 or 16 bit  |   E   - Epoch
/// |Sequence Number|
/// +-+-+-+-+-+-+-+-+
/// | 16 bit Length |
/// | (if present)  |
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unified {
    /// The low bits of the epoch.
    pub(crate) epoch: u8,
    /// How many bytes of sequence number there are: 1 or 2. They begin behind the first byte.
    pub(crate) sequence_len: usize,
    /// Of the header.
    pub(crate) header_len: usize,
    /// Of the encrypted record behind it.
    pub(crate) length: usize,
}

/// What we write: no connection id, a sequence number of 16 bits, and a length.
pub(crate) const HEADER_LEN: usize = 5;

const FIXED_MASK: u8 = 0b1110_0000;
const FIXED: u8 = 0b0010_0000;
const CONNECTION_ID: u8 = 0b0001_0000;
const LONG_SEQUENCE: u8 = 0b0000_1000;
const HAS_LENGTH: u8 = 0b0000_0100;
pub(crate) const EPOCH_MASK: u8 = 0b0000_0011;

impl Unified {
    /// Whether a record begins like this.
    pub(crate) fn is_at(first: u8) -> bool {
        first & FIXED_MASK == FIXED
    }

    /// Reads it; `None` if it is not one, is cut short, or has a connection id, which we never
    /// negotiate (RFC 9147 §9).
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        if !Self::is_at(first) || first & CONNECTION_ID != 0 {
            return None;
        }
        let sequence_len = if first & LONG_SEQUENCE != 0 { 2 } else { 1 };
        let behind = bytes.get(1 + sequence_len..)?;
        let (header_len, length) = if first & HAS_LENGTH != 0 {
            let (length, behind) = behind.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length > behind.len() {
                return None;
            }
            (3 + sequence_len, length)
        } else {
            // The last record of a datagram.
            (1 + sequence_len, behind.len())
        };
        Some(Self {
            epoch: first & EPOCH_MASK,
            sequence_len,
            header_len,
            length,
        })
    }

    /// The header of a record of ours, its sequence number still in the clear.
    pub(crate) fn write(epoch: u64, sequence: u64, length: u16) -> [u8; HEADER_LEN] {
        let [.., low] = epoch.to_be_bytes();
        let [.., s0, s1] = sequence.to_be_bytes();
        let [l0, l1] = length.to_be_bytes();
        let first = FIXED | LONG_SEQUENCE | HAS_LENGTH | (low & EPOCH_MASK);
        [first, s0, s1, l0, l1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-032
    #[test]
    fn every_form_of_the_header_is_read() {
        let long = Unified::write(3, 0x1_0203, 2);
        assert_eq!(long, [0b0010_1111, 2, 3, 0, 2]);
        let bytes = [&long[..], &[9, 9, 9]].concat();
        let header = Unified::parse(&bytes).unwrap();
        assert_eq!((header.epoch, header.sequence_len), (3, 2));
        assert_eq!((header.header_len, header.length), (5, 2));

        let short = Unified::parse(&[0b0010_0010, 7, 9, 9, 9]).unwrap();
        assert_eq!((short.epoch, short.sequence_len), (2, 1));
        assert_eq!((short.header_len, short.length), (2, 3));
    }

    #[test]
    fn connection_ids_and_short_records_are_none() {
        let with_id = [0b0011_1111, 0, 1, 0, 1, 9];
        let cut = [0b0010_1111, 0, 1, 0, 2, 9];
        for bytes in [&with_id[..], &cut, &cut[..4], &cut[..1], &[], &[22, 0, 1]] {
            assert_eq!(Unified::parse(bytes), None);
        }
    }
}
