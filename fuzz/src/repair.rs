use crypto::Provider;

/// Writes the right checksum into an SCTP packet (RFC 9260 §6.8), if it has room for one.
pub fn sctp_checksum(packet: &mut [u8]) {
    if packet.len() < 12 {
        return;
    }
    packet[8..12].fill(0);
    let checksum = crc32c::crc32c(packet).to_le_bytes();
    packet[8..12].copy_from_slice(&checksum);
}

const MESSAGE_INTEGRITY: u16 = 0x0008;
const FINGERPRINT: u16 = 0x8028;
const HEADER_LEN: usize = 20;

/// Takes MESSAGE-INTEGRITY, FINGERPRINT and what follows them off a STUN message, and puts right
/// ones there (RFC 8489 §14.5, §14.7).
pub fn stun_integrity(message: &mut Vec<u8>, password: &str) {
    stun_integrity_with(message, password.as_bytes());
}

/// The same under the key of a long-term credential.
pub fn stun_integrity_with(message: &mut Vec<u8>, key: &[u8]) {
    if message.len() < HEADER_LEN {
        return;
    }
    let end = end_of_attributes(message);
    message.truncate(end);
    message.resize(end.next_multiple_of(4), 0);

    set_len(message, 24);
    let key = Provider::default().hmac_sha1.key(key);
    let mut tag = [0; 20];
    key.sign(&[message], &mut tag);
    message.extend(MESSAGE_INTEGRITY.to_be_bytes());
    message.extend(20_u16.to_be_bytes());
    message.extend(tag);

    set_len(message, 8);
    let checksum = crc32fast::hash(message) ^ 0x5354_554E;
    message.extend(FINGERPRINT.to_be_bytes());
    message.extend(4_u16.to_be_bytes());
    message.extend(checksum.to_be_bytes());
}

/// The length field counts what is there and `more`.
fn set_len(message: &mut [u8], more: usize) {
    let len = u16::try_from(message.len() - HEADER_LEN + more).unwrap_or(u16::MAX);
    message[2..4].copy_from_slice(&len.to_be_bytes());
}

fn end_of_attributes(message: &[u8]) -> usize {
    let mut at = HEADER_LEN;
    while let Some(header) = message.get(at..at + 4) {
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if kind == MESSAGE_INTEGRITY || kind == FINGERPRINT {
            return at;
        }
        at += 4 + len.next_multiple_of(4);
    }
    message.len()
}

/// Puts the right checksum on each page of an Ogg file (RFC 3533 §6).
#[must_use]
pub fn ogg_checksums(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut at = 0;
    while let Some(found) = file[at..].windows(4).position(|window| window == b"OggS") {
        at += found;
        let Some(&count) = file.get(at + 26) else {
            break;
        };
        let body = at + 27 + usize::from(count);
        let Some(segments) = file.get(at + 27..body) else {
            break;
        };
        let end = body + segments.iter().map(|&len| usize::from(len)).sum::<usize>();
        if end > file.len() {
            break;
        }
        file[at + 22..at + 26].fill(0);
        let mut crc = 0_u32;
        for byte in &file[at..end] {
            crc ^= u32::from(*byte) << 24;
            for _ in 0..8 {
                crc = (crc << 1) ^ ((crc >> 31) * 0x04C1_1DB7);
            }
        }
        file[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
        at = end;
    }
    file
}
