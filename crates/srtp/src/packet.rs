//! Where things lie in SRTP and SRTCP packets. Nothing of the header is judged but what says how
//! long it is: the rest is for those who use the packet.

use crate::suite::INDEX_WORD_LEN;

/// The fixed part of an RTP header (RFC 3550 §5.1).
const FIXED_LEN: usize = 12;
/// The head of a header extension: a profile and a length (RFC 3550 §5.3.1).
const EXTENSION_HEAD_LEN: usize = 4;
/// The version, in the first two bits.
const VERSION: u8 = 2;

/// What protection needs of an RTP header (RFC 3711 §3.1).
///
/// ```text
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+<+
///  |V=2|P|X|  CC   |M|     PT      |       sequence number         | |
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
///  |                           timestamp                           | |
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
///  |           synchronization source (SSRC) identifier            | |
///  +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+ |
///  |            contributing source (CSRC) identifiers             | |
///  |                               ....                            | |
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
///  |                   RTP extension (OPTIONAL)                    | |
/// +>+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
/// | |                          payload  ...                         | |
/// | |                               +-------------------------------+ |
/// | |                               | RTP padding   | RTP pad count | |
/// +>+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+<+
/// | ~                     SRTP MKI (OPTIONAL)                       ~ |
/// | +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
/// | :                 authentication tag (RECOMMENDED)              : |
/// | +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
/// +- Encrypted Portion                      Authenticated Portion ---+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    /// The sequence number.
    pub(crate) seq: u16,
    /// The source.
    pub(crate) ssrc: u32,
    /// With CSRCs and extension, in bytes.
    pub(crate) len: usize,
}

impl RtpHeader {
    /// Reads what a packet begins with; `None` if that is not an RTP header, or not all of it.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED_LEN] = packet.first_chunk()?;
        let [first, _, s0, s1, _, _, _, _, ssrc @ ..] = *fixed;
        if first >> 6 != VERSION {
            return None;
        }
        let mut len = FIXED_LEN + 4 * usize::from(first & 0x0F);
        if first & 0x10 != 0 {
            let [_, _, w0, w1] = *packet.get(len..)?.first_chunk::<EXTENSION_HEAD_LEN>()?;
            len += EXTENSION_HEAD_LEN + 4 * usize::from(u16::from_be_bytes([w0, w1]));
        }
        (len <= packet.len()).then_some(Self {
            seq: u16::from_be_bytes([s0, s1]),
            ssrc: u32::from_be_bytes(ssrc),
            len,
        })
    }
}

/// What stays in the clear of an RTCP packet: its first header and SSRC (RFC 3711 §3.4).
pub(crate) const RTCP_CLEAR_LEN: usize = 8;

/// The SSRC of the first packet of a compound; `None` if that is not RTCP.
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let [first, _, _, _, ssrc @ ..] = *packet.first_chunk::<RTCP_CLEAR_LEN>()?;
    (first >> 6 == VERSION).then_some(u32::from_be_bytes(ssrc))
}

/// The word that SRTCP adds behind the packet (RFC 3711 §3.4): before the tag in counter mode,
/// behind it in GCM (RFC 7714 §9.2).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |E|                         SRTCP index                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexWord {
    /// Whether the packet is encrypted.
    pub(crate) encrypted: bool,
    /// Counts the packets of a source, 31 bits.
    pub(crate) index: u32,
}

impl IndexWord {
    const E_FLAG: u32 = 1 << 31;
    /// The largest index.
    pub(crate) const MAX_INDEX: u32 = Self::E_FLAG - 1;

    pub(crate) fn from_bytes(bytes: [u8; INDEX_WORD_LEN]) -> Self {
        let word = u32::from_be_bytes(bytes);
        Self {
            encrypted: word & Self::E_FLAG != 0,
            index: word & Self::MAX_INDEX,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; INDEX_WORD_LEN] {
        let flag = if self.encrypted { Self::E_FLAG } else { 0 };
        (flag | self.index).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_ends_behind_sources_and_extension() {
        let mut packet = [0_u8; 40];
        packet[0] = 0x80;
        packet[2..4].copy_from_slice(&[0x12, 0x34]);
        packet[8..12].copy_from_slice(&[0xca, 0xfe, 0xba, 0xbe]);
        let header = RtpHeader::parse(&packet).unwrap();
        assert_eq!(
            (header.seq, header.ssrc, header.len),
            (0x1234, 0xcafe_babe, 12)
        );

        packet[0] = 0x92;
        packet[20..24].copy_from_slice(&[0xbe, 0xde, 0, 1]);
        assert_eq!(RtpHeader::parse(&packet).unwrap().len, 28);
    }

    #[test]
    fn what_is_not_a_whole_header_is_refused() {
        assert_eq!(RtpHeader::parse(&[0x80; 11]), None);
        assert_eq!(RtpHeader::parse(&[0x40; 12]), None);
        assert_eq!(RtpHeader::parse(&[0x81; 15]), None);
        assert_eq!(RtpHeader::parse(&[0x90; 15]), None);
        assert_eq!(RtpHeader::parse(&[0x90; 40]), None);
        assert_eq!(rtcp_ssrc(&[0x80; 7]), None);
        assert_eq!(rtcp_ssrc(&[0x40; 8]), None);
    }

    /// RFC 7714 §17.1: index 0x5d4, encrypted.
    #[test]
    fn the_index_word_is_written_as_it_is_read() {
        for (bytes, encrypted, index) in [
            ([0x80, 0x00, 0x05, 0xd4], true, 0x5d4),
            ([0x7f, 0xff, 0xff, 0xff], false, IndexWord::MAX_INDEX),
        ] {
            let word = IndexWord::from_bytes(bytes);
            assert_eq!((word.encrypted, word.index), (encrypted, index));
            assert_eq!(word.to_bytes(), bytes);
        }
    }
}
