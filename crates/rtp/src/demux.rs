/// Whether a packet of a port shared by RTP and RTCP is RTCP: its second byte is 192 to 223
/// (RFC 5761 §4).
///
/// This holds for encrypted packets too. STUN, DTLS and the like are told apart before (RFC 7983).
#[must_use]
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [_, 192..=223, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    // rtp-008
    #[test]
    fn the_second_byte_tells_rtcp_from_rtp() {
        for (second, rtcp) in [
            (0, false),
            (111, false),
            (0x80 | 96, false),
            (191, false),
            (192, true),
            (200, true),
            (207, true),
            (223, true),
            (224, false),
            (255, false),
        ] {
            assert_eq!(is_rtcp(&[0x80, second]), rtcp, "{second}");
        }
        assert!(!is_rtcp(&[0x80]));
    }
}
