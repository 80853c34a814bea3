use crate::{Error, StreamCipher, StreamKey};
use aes::Block;
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyInit};
use std::fmt;

/// The length of a block, in bytes.
const BLOCK_LEN: usize = 16;
/// Blocks that are encrypted at once: more than the processor has at work in parallel.
const BATCH: usize = 32;

/// AES-128 of RustCrypto in counter mode.
#[derive(Debug)]
pub(super) struct Aes128Ctr;

impl StreamCipher for Aes128Ctr {
    fn key_len(&self) -> usize {
        16
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, Error> {
        let key = aes::Aes128Enc::new_from_slice(key).map_err(|_| Error::Length)?;
        Ok(Box::new(AesKey(key)))
    }
}

/// AES-256 of RustCrypto in counter mode.
#[derive(Debug)]
pub(super) struct Aes256Ctr;

impl StreamCipher for Aes256Ctr {
    fn key_len(&self) -> usize {
        32
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, Error> {
        let key = aes::Aes256Enc::new_from_slice(key).map_err(|_| Error::Length)?;
        Ok(Box::new(AesKey(key)))
    }
}

/// The key schedule, which every packet borrows.
struct AesKey<C>(C);

impl<C> fmt::Debug for AesKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(..)")
    }
}

impl<C> StreamKey for AesKey<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    fn apply_keystream(&self, iv: &[u8; 16], data: &mut [u8]) {
        let mut counter = u128::from_be_bytes(*iv);
        for batch in data.chunks_mut(BATCH * BLOCK_LEN) {
            let mut keystream = [Block::default(); BATCH];
            let keystream = &mut keystream[..batch.len().div_ceil(BLOCK_LEN)];
            for block in &mut *keystream {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            self.0.encrypt_blocks(keystream);
            for (bytes, block) in batch.chunks_mut(BLOCK_LEN).zip(keystream) {
                for (byte, key) in bytes.iter_mut().zip(&*block) {
                    *byte ^= key;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    fn keystream(cipher: &dyn StreamCipher, key: &str, iv: &str, len: usize) -> Vec<u8> {
        let mut data = vec![0; len];
        let key = cipher.key(&hex(key)).unwrap();
        key.apply_keystream(&hex(iv).try_into().unwrap(), &mut data);
        data
    }

    /// RFC 3711 §B.2 and RFC 6188 §7.1: the first three blocks and those around a carry.
    #[test]
    fn the_keystream_is_that_of_rfc_3711_and_rfc_6188() {
        let start = "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000";
        let carry = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
        let key = "2b7e151628aed2a6abf7158809cf4f3c";
        assert_eq!(
            keystream(&Aes128Ctr, key, start, 48),
            hex("e03ead0935c95e80e166b16dd92b4eb4\
                 d23513162b02d0f72a43a2fe4a5f97ab\
                 41e95b3bb0a2e8dd477901e4fca894c0")
        );
        assert_eq!(
            keystream(&Aes128Ctr, key, carry, 48),
            hex("ec8cdf7398607cb0f2d21675ea9ea1e4\
                 362b7c3c6773516318a077d7fc5073ae\
                 6a2cc3787889374fbeb4c81b17ba6c44")
        );
        let key = "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98";
        assert_eq!(
            keystream(&Aes256Ctr, key, start, 48),
            hex("92bdd28a93c3f52511c677d08b5515a4\
                 9da71b2378a854f67050756ded165bac\
                 63c4868b7096d88421b563b8c94c9a31")
        );
        assert_eq!(
            keystream(&Aes256Ctr, key, carry, 48),
            hex("cea518c90fd91ced9cbb18c078a54711\
                 3dbc4814f4da5f00a08772b63c6a046d\
                 6eb246913062a16891433e97dd01a57f")
        );
    }

    #[test]
    fn a_part_of_a_block_is_the_start_of_its_keystream() {
        let (key, iv) = (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000",
        );
        let whole = keystream(&Aes128Ctr, key, iv, 48);
        for len in 0..48 {
            assert_eq!(keystream(&Aes128Ctr, key, iv, len), whole[..len]);
        }
    }

    /// NIST SP 800-38A §B.1: the counter is one number.
    #[test]
    fn the_counter_carries_into_its_first_byte_and_wraps() {
        let key = "2b7e151628aed2a6abf7158809cf4f3c";
        let two = keystream(&Aes128Ctr, key, &"ff".repeat(16), 32);
        let after = keystream(&Aes128Ctr, key, &"00".repeat(16), 16);
        assert_eq!(two[16..], after);
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        let ciphers: [&dyn StreamCipher; 2] = [&Aes128Ctr, &Aes256Ctr];
        for cipher in ciphers {
            assert_eq!(cipher.key(&[0; 17]).unwrap_err(), Error::Length);
            assert!(cipher.key(&vec![0; cipher.key_len()]).is_ok());
        }
    }
}
