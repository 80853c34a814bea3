use crate::{BlockCipher, BlockKey, Error};
use aes::cipher::{BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipherCore};
use chacha20::ChaChaCore;
use chacha20::variants::Ietf;
use std::fmt;
use zeroize::Zeroizing;

/// AES-128 of RustCrypto.
#[derive(Debug)]
pub(super) struct Aes128;

impl BlockCipher for Aes128 {
    fn key_len(&self) -> usize {
        16
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, Error> {
        let key = aes::Aes128Enc::new_from_slice(key).map_err(|_| Error::Length)?;
        Ok(Box::new(AesKey(key)))
    }
}

/// AES-256 of RustCrypto.
#[derive(Debug)]
pub(super) struct Aes256;

impl BlockCipher for Aes256 {
    fn key_len(&self) -> usize {
        32
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, Error> {
        let key = aes::Aes256Enc::new_from_slice(key).map_err(|_| Error::Length)?;
        Ok(Box::new(AesKey(key)))
    }
}

struct AesKey<C>(C);

impl<C> fmt::Debug for AesKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(..)")
    }
}

impl<C> BlockKey for AesKey<C>
where
    C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16> + Send + Sync,
{
    fn encrypt(&self, block: &[u8; 16]) -> [u8; 16] {
        let mut out = (*block).into();
        self.0.encrypt_block(&mut out);
        out.into()
    }
}

/// ChaCha20 of RustCrypto, as the mask of RFC 9147 §4.2.3: the first 4 bytes of the sample are
/// the block counter, little endian, the other 12 the nonce.
#[derive(Debug)]
pub(super) struct ChaCha20;

impl BlockCipher for ChaCha20 {
    fn key_len(&self) -> usize {
        32
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, Error> {
        let key = key.try_into().map_err(|_| Error::Length)?;
        Ok(Box::new(ChaChaKey(Zeroizing::new(key))))
    }
}

struct ChaChaKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for ChaChaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChaChaKey(..)")
    }
}

impl BlockKey for ChaChaKey {
    fn encrypt(&self, sample: &[u8; 16]) -> [u8; 16] {
        let [c0, c1, c2, c3, nonce @ ..] = *sample;
        // The bare core rather than the stream cipher around it: that one refuses the last
        // counter, and the sample is the peer's to choose.
        let mut core = ChaChaCore::<chacha20::R20, Ietf>::new((&*self.0).into(), (&nonce).into());
        core.set_block_pos(u32::from_le_bytes([c0, c1, c2, c3]));
        let mut block = Default::default();
        core.write_keystream_block(&mut block);
        let mut mask = [0; 16];
        mask.copy_from_slice(&block[..16]);
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    fn encrypt(cipher: &dyn BlockCipher, key: &str, block: &str) -> Vec<u8> {
        let key = cipher.key(&hex(key)).unwrap();
        key.encrypt(&hex(block).try_into().unwrap()).to_vec()
    }

    /// FIPS 197, appendix C.1 and C.3.
    #[test]
    fn aes_gives_the_blocks_of_fips_197() {
        let block = "00112233445566778899aabbccddeeff";
        assert_eq!(
            encrypt(&Aes128, "000102030405060708090a0b0c0d0e0f", block),
            hex("69c4e0d86a7b0430d8cdb78070b4c55a")
        );
        assert_eq!(
            encrypt(
                &Aes256,
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                block
            ),
            hex("8ea2b7ca516745bfeafc49904b496089")
        );
    }

    /// RFC 9001 §A.5, the header protection sample; QUIC and DTLS 1.3 make this mask alike.
    #[test]
    fn chacha20_gives_the_mask_of_rfc_9001() {
        let mask = encrypt(
            &ChaCha20,
            "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
            "5e5cd55c41f69080575d7999c25a5bfb",
        );
        assert_eq!(mask[..5], hex("aefefe7d03"));
    }

    #[test]
    fn chacha20_takes_the_last_counter() {
        let key = ChaCha20.key(&[1; 32]).unwrap();
        assert_ne!(key.encrypt(&[0xff; 16]), [0; 16]);
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        let ciphers: [&dyn BlockCipher; 3] = [&Aes128, &Aes256, &ChaCha20];
        for cipher in ciphers {
            assert_eq!(cipher.key(&[0; 17]).unwrap_err(), Error::Length);
        }
    }
}
