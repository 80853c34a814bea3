use crate::derivation::{Derivation, Label};
use crate::index::PacketIndex;
use crate::packet::{IndexWord, RTCP_CLEAR_LEN, RtpHeader};
use crate::suite::{GCM_SALT_LEN, GCM_TAG_LEN, INDEX_WORD_LEN};
use crypto::{Aead, AeadKey, Error};
use zeroize::Zeroizing;

/// What SRTCP adds.
const RTCP_TRAILER_LEN: usize = GCM_TAG_LEN + INDEX_WORD_LEN;

/// AES-GCM (RFC 7714).
#[derive(Debug)]
pub(crate) struct Gcm {
    rtp: Keys,
    rtcp: Keys,
}

#[derive(Debug)]
struct Keys {
    cipher: Box<dyn AeadKey>,
    salt: Salt,
}

struct Salt(Zeroizing<[u8; GCM_SALT_LEN]>);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

impl Keys {
    fn new(
        aead: &'static dyn Aead,
        derivation: &Derivation,
        [encryption, salting]: [Label; 2],
    ) -> Result<Self, Error> {
        let mut key = Zeroizing::new(vec![0; aead.key_len()]);
        let mut salt = Zeroizing::new([0; GCM_SALT_LEN]);
        derivation.derive(encryption, &mut key);
        derivation.derive(salting, &mut *salt);
        Ok(Self {
            cipher: aead.key(&key)?,
            salt: Salt(salt),
        })
    }

    /// The IV of a packet: two bytes of zero, the SSRC and the index in 48 bits, XOR the salt. For
    /// SRTP the index is ROC and SEQ (RFC 7714 §8.1), for SRTCP the 31 bits that are sent (§9.1).
    fn iv(&self, ssrc: u32, index: u64) -> [u8; GCM_SALT_LEN] {
        let mut iv = *self.salt.0;
        let [_, _, index @ ..] = index.to_be_bytes();
        for (byte, other) in iv[2..].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in iv[6..].iter_mut().zip(index) {
            *byte ^= other;
        }
        iv
    }
}

impl Gcm {
    pub(super) fn new(aead: &'static dyn Aead, derivation: &Derivation) -> Result<Self, Error> {
        let keys = |labels| Keys::new(aead, derivation, labels);
        Ok(Self {
            rtp: keys([Label::RtpEncryption, Label::RtpSalt])?,
            rtcp: keys([Label::RtcpEncryption, Label::RtcpSalt])?,
        })
    }

    /// RFC 7714 §8.2: the header with its extensions is associated data, the payload is encrypted.
    pub(super) fn seal_rtp(
        &self,
        header: RtpHeader,
        index: PacketIndex,
        packet: &mut [u8],
    ) -> Result<(), Error> {
        let (clear, body) = packet.split_at_mut(header.len);
        let (payload, room) = body.split_at_mut(body.len() - GCM_TAG_LEN);
        let iv = self.rtp.iv(header.ssrc, index.number());
        let tag = room.first_chunk_mut().ok_or(Error::Length)?;
        self.rtp.cipher.seal_in_place(&iv, clear, payload, tag)
    }

    pub(super) fn open_rtp(
        &self,
        header: RtpHeader,
        index: PacketIndex,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        let (clear, body) = packet.split_at_mut(header.len);
        if body.len() < GCM_TAG_LEN {
            return Err(Error::Length);
        }
        let iv = self.rtp.iv(header.ssrc, index.number());
        let payload = self.rtp.cipher.open_in_place(&iv, clear, body)?;
        Ok(header.len + payload)
    }

    /// RFC 7714 §9.2 and §9.3: the tag stands before the word, which is authenticated like the rest.
    pub(super) fn seal_rtcp(
        &self,
        ssrc: u32,
        word: IndexWord,
        packet: &mut [u8],
    ) -> Result<(), Error> {
        let len = packet.len() - RTCP_TRAILER_LEN;
        let iv = self.rtcp.iv(ssrc, u64::from(word.index));
        let mut tag = [0; GCM_TAG_LEN];
        if word.encrypted {
            let (clear, hidden) = packet[..len].split_at_mut(RTCP_CLEAR_LEN);
            let clear = with_word(clear, word);
            self.rtcp
                .cipher
                .seal_in_place(&iv, &clear, hidden, &mut tag)?;
        } else {
            let clear = lay_word(packet, len, word);
            self.rtcp
                .cipher
                .seal_in_place(&iv, clear, &mut [], &mut tag)?;
        }
        let (room, last) = packet[len..].split_at_mut(GCM_TAG_LEN);
        room.copy_from_slice(&tag);
        last.copy_from_slice(&word.to_bytes());
        Ok(())
    }

    pub(super) fn index_word(packet: &[u8]) -> Option<IndexWord> {
        if packet.len() < RTCP_CLEAR_LEN + RTCP_TRAILER_LEN {
            return None;
        }
        packet.last_chunk().map(|word| IndexWord::from_bytes(*word))
    }

    pub(super) fn open_rtcp(
        &self,
        ssrc: u32,
        word: IndexWord,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        let len = packet.len().checked_sub(RTCP_TRAILER_LEN);
        let len = len
            .filter(|len| *len >= RTCP_CLEAR_LEN)
            .ok_or(Error::Length)?;
        let iv = self.rtcp.iv(ssrc, u64::from(word.index));
        if word.encrypted {
            let (clear, sealed) = packet[..len + GCM_TAG_LEN].split_at_mut(RTCP_CLEAR_LEN);
            let clear = with_word(clear, word);
            self.rtcp.cipher.open_in_place(&iv, &clear, sealed)?;
        } else {
            let mut tag = [0; GCM_TAG_LEN];
            tag.copy_from_slice(&packet[len..len + GCM_TAG_LEN]);
            let clear = lay_word(packet, len, word);
            self.rtcp.cipher.open_in_place(&iv, clear, &mut tag)?;
        }
        Ok(len)
    }
}

/// The associated data of an encrypted packet: what stays in the clear, and the word.
fn with_word(clear: &[u8], word: IndexWord) -> [u8; RTCP_CLEAR_LEN + INDEX_WORD_LEN] {
    let mut associated = [0; RTCP_CLEAR_LEN + INDEX_WORD_LEN];
    associated[..RTCP_CLEAR_LEN].copy_from_slice(clear);
    associated[RTCP_CLEAR_LEN..].copy_from_slice(&word.to_bytes());
    associated
}

/// The associated data of a packet that is not encrypted: all of its `len` bytes, and the word,
/// which is laid where the tag belongs so that they lie in one piece.
fn lay_word(packet: &mut [u8], len: usize, word: IndexWord) -> &[u8] {
    let end = len + INDEX_WORD_LEN;
    packet[len..end].copy_from_slice(&word.to_bytes());
    &packet[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Provider;

    fn hex(text: &str) -> Vec<u8> {
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// The session keys that the examples of RFC 7714 §16 and §17 have in common.
    fn session(aead: &'static dyn Aead) -> Gcm {
        let key: Vec<u8> = (0..32).collect();
        let keys = || Keys {
            cipher: aead.key(&key[..aead.key_len()]).unwrap(),
            salt: Salt(Zeroizing::new(*b"Quid pro quo")),
        };
        Gcm {
            rtp: keys(),
            rtcp: keys(),
        }
    }

    const RTP: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976\
                69736120696e207061727465732074726573";
    const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    /// What SRTCP adds in the examples.
    const INDEX: u32 = 0x5d4;

    fn seals_rtp(aead: &'static dyn Aead, expected: &str) {
        let keys = session(aead);
        let (plain, expected) = (hex(RTP), hex(expected));
        let header = RtpHeader::parse(&plain).unwrap();
        let index = PacketIndex {
            roc: 0,
            seq: header.seq,
        };
        let mut packet = [plain.clone(), vec![0; GCM_TAG_LEN]].concat();
        keys.seal_rtp(header, index, &mut packet).unwrap();
        assert_eq!(packet, expected);
        let len = keys.open_rtp(header, index, &mut packet).unwrap();
        assert_eq!(packet[..len], plain);
    }

    fn seals_rtcp(aead: &'static dyn Aead, encrypted: bool, expected: &str) {
        let keys = session(aead);
        let (plain, expected) = (hex(RTCP), hex(expected));
        let index = INDEX;
        let word = IndexWord { encrypted, index };
        let mut packet = [plain.clone(), vec![0; RTCP_TRAILER_LEN]].concat();
        keys.seal_rtcp(0x4d61_7273, word, &mut packet).unwrap();
        assert_eq!(packet, expected);
        assert_eq!(Gcm::index_word(&packet), Some(word));
        let len = keys.open_rtcp(0x4d61_7273, word, &mut packet).unwrap();
        assert_eq!(packet[..len], plain);
    }

    /// srtp-016: RFC 7714 §16.1.1.
    #[test]
    fn an_rtp_packet_under_aes_128_is_that_of_rfc_7714() {
        seals_rtp(
            Provider::default().aes128_gcm,
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5\
             0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee439\
             0cce",
        );
    }

    /// srtp-016: RFC 7714 §16.2.1.
    #[test]
    fn an_rtp_packet_under_aes_256_is_that_of_rfc_7714() {
        seals_rtp(
            Provider::default().aes256_gcm,
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238\
             9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a7\
             6c13",
        );
    }

    /// srtp-017: RFC 7714 §17.1 and §17.3.
    #[test]
    fn rtcp_packets_under_aes_128_are_those_of_rfc_7714() {
        let aead = Provider::default().aes128_gcm;
        seals_rtcp(
            aead,
            true,
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d\
             c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872\
             45d9eade800005d4",
        );
        seals_rtcp(
            aead,
            false,
            "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
             deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790\
             125f62b3000005d4",
        );
    }

    /// srtp-017: RFC 7714 §17.2 and §17.4.
    #[test]
    fn rtcp_packets_under_aes_256_are_those_of_rfc_7714() {
        let aead = Provider::default().aes256_gcm;
        seals_rtcp(
            aead,
            true,
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50\
             a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c\
             b26ac3be800005d4",
        );
        seals_rtcp(
            aead,
            false,
            "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
             deadbeefdeadbeefdeadbeefdeadbeefdeadbeef91db4afbfeee5a978fab4393\
             ed2615fe000005d4",
        );
    }
}
