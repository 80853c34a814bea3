//! RFC 7983 §7, updated by RFC 9443: the first byte of a packet says whose it is.

/// Whose a packet is, after ICE has taken STUN and unwrapped relayed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// DTLS records.
    Dtls,
    /// SRTP or SRTCP.
    Rtp,
    /// ZRTP, QUIC, or nothing that is spoken here.
    Unknown,
}

/// The kind of a packet; an empty one is unknown.
pub(crate) fn kind(packet: &[u8]) -> Kind {
    match packet.first() {
        Some(20..=63) => Kind::Dtls,
        Some(128..=191) => Kind::Rtp,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every first byte, by the table of RFC 7983 §7 (sdp-side ids: dtls-051).
    #[test]
    fn the_first_byte_decides() {
        for first in 0..=255u8 {
            let expected = match first {
                20..=63 => Kind::Dtls,
                128..=191 => Kind::Rtp,
                _ => Kind::Unknown,
            };
            assert_eq!(kind(&[first, 0]), expected, "first byte {first}");
        }
        assert_eq!(kind(&[]), Kind::Unknown);
    }
}
