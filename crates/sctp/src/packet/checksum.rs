use super::HEADER_LEN;

/// The CRC32c of a packet, computed as if its checksum field were 0 (RFC 9260 §6.8, Appendix A).
///
/// It is stored in little-endian order. Fewer bytes than a header are summed as they are.
#[must_use]
pub fn checksum(packet: &[u8]) -> u32 {
    let Some((header, chunks)) = packet.split_first_chunk::<HEADER_LEN>() else {
        return crc32c::crc32c(packet);
    };
    let mut header = *header;
    header[8..].fill(0);
    crc32c::crc32c_append(crc32c::crc32c(&header), chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    // sctp-002
    #[test]
    fn the_published_values_come_out() {
        // RFC 3720 §B.4, whose polynomial is the same.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&[0xff; 32]), 0x62a8_ab43);
        let up: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c::crc32c(&up), 0x46dd_794e);
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn the_field_itself_does_not_count() {
        let mut packet = [7_u8; 40];
        let before = checksum(&packet);
        packet[9] ^= 0xff;
        assert_eq!(checksum(&packet), before);
        packet[12] ^= 1;
        assert_ne!(checksum(&packet), before);
    }
}
