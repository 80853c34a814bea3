use crate::{Error, Mask, MaskKey};
use ring::aead::quic::{self, HeaderProtectionKey};
use std::fmt;

/// The header protection of QUIC, which is that of DTLS 1.3.
pub(super) struct RingMask(&'static quic::Algorithm);

pub(super) const AES_128: RingMask = RingMask(&quic::AES_128);
pub(super) const AES_256: RingMask = RingMask(&quic::AES_256);
pub(super) const CHACHA20: RingMask = RingMask(&quic::CHACHA20);

impl fmt::Debug for RingMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingMask({:?})", self.0)
    }
}

impl Mask for RingMask {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn MaskKey>, Error> {
        let key = HeaderProtectionKey::new(self.0, key).map_err(|_| Error::Length)?;
        Ok(Box::new(Key(key)))
    }
}

struct Key(HeaderProtectionKey);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl MaskKey for Key {
    fn mask(&self, sample: &[u8; 16]) -> [u8; 5] {
        // It refuses samples of another length alone.
        self.0.new_mask(sample).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    fn mask(algorithm: &dyn Mask, key: &str, sample: &str) -> Vec<u8> {
        let key = algorithm.key(&hex(key)).unwrap();
        key.mask(&hex(sample).try_into().unwrap()).to_vec()
    }

    /// FIPS 197, appendix C.1 and C.3.
    #[test]
    fn aes_gives_the_blocks_of_fips_197() {
        let block = "00112233445566778899aabbccddeeff";
        assert_eq!(
            mask(&AES_128, "000102030405060708090a0b0c0d0e0f", block),
            hex("69c4e0d86a")
        );
        assert_eq!(
            mask(
                &AES_256,
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                block
            ),
            hex("8ea2b7ca51")
        );
    }

    /// RFC 9001 §A.5.
    #[test]
    fn chacha20_gives_the_mask_of_rfc_9001() {
        let mask = mask(
            &CHACHA20,
            "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
            "5e5cd55c41f69080575d7999c25a5bfb",
        );
        assert_eq!(mask, hex("aefefe7d03"));
    }

    /// The sample is the peer's to choose.
    #[test]
    fn chacha20_takes_the_last_counter() {
        let key = CHACHA20.key(&[1; 32]).unwrap();
        assert_ne!(key.mask(&[0xff; 16]), [0; 5]);
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        for algorithm in [&AES_128, &AES_256, &CHACHA20] {
            assert_eq!(algorithm.key(&[0; 17]).unwrap_err(), Error::Length);
            assert!(algorithm.key(&vec![0; algorithm.key_len()]).is_ok());
        }
    }
}
