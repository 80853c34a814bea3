use crate::{Aead, AeadKey, Error};
use ring::aead::{self, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};

/// An AEAD of ring.
#[derive(Debug)]
pub(super) struct RingAead(&'static Algorithm);

pub(super) static AES_128_GCM: RingAead = RingAead(&aead::AES_128_GCM);
pub(super) static AES_256_GCM: RingAead = RingAead(&aead::AES_256_GCM);
pub(super) static CHACHA20_POLY1305: RingAead = RingAead(&aead::CHACHA20_POLY1305);

impl Aead for RingAead {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Error> {
        let key = UnboundKey::new(self.0, key).map_err(|_| Error::Length)?;
        Ok(Box::new(Key(LessSafeKey::new(key))))
    }
}

/// ring shows the algorithm of a key, never its bytes.
#[derive(Debug)]
struct Key(LessSafeKey);

impl AeadKey for Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        data: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(associated), data)
            .map_err(|_| Error::Length)?;
        tag.copy_from_slice(sealed.as_ref());
        Ok(())
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        data: &mut [u8],
    ) -> Result<usize, Error> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plaintext = self
            .0
            .open_in_place(nonce, Aad::from(associated), data)
            .map_err(|_| Error::Verification)?;
        Ok(plaintext.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    struct Case {
        aead: &'static RingAead,
        key: &'static str,
        nonce: &'static str,
        associated: &'static str,
        plaintext: &'static str,
        ciphertext: &'static str,
        tag: &'static str,
    }

    const GCM_NONCE: &str = "cafebabefacedbaddecaf888";
    const GCM_ASSOCIATED: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    const GCM_PLAINTEXT: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                                 1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";

    /// The Galois/Counter Mode of Operation (McGrew, Viega), test cases 4 and 16; RFC 8439 §2.8.2.
    const CASES: [Case; 3] = [
        Case {
            aead: &AES_128_GCM,
            key: "feffe9928665731c6d6a8f9467308308",
            nonce: GCM_NONCE,
            associated: GCM_ASSOCIATED,
            plaintext: GCM_PLAINTEXT,
            ciphertext: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            tag: "5bc94fbc3221a5db94fae95ae7121a47",
        },
        Case {
            aead: &AES_256_GCM,
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: GCM_NONCE,
            associated: GCM_ASSOCIATED,
            plaintext: GCM_PLAINTEXT,
            ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            tag: "76fc6ece0f4e1768cddf8853bb2d551b",
        },
        Case {
            aead: &CHACHA20_POLY1305,
            key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
            nonce: "070000004041424344454647",
            associated: "50515253c0c1c2c3c4c5c6c7",
            plaintext: "4c616469657320616e642047656e746c656d656e206f662074686520636c6173\
                        73206f66202739393a204966204920636f756c64206f6666657220796f75206f\
                        6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73\
                        637265656e20776f756c642062652069742e",
            ciphertext: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
                         3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
                         92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
                         3ff4def08e4b7a9de576d26586cec64b6116",
            tag: "1ae10b594f09e26a7e902ecbd0600691",
        },
    ];

    #[test]
    fn sealing_gives_the_published_ciphertexts_and_opening_the_plaintexts() {
        for case in CASES {
            let key = case.aead.key(&hex(case.key)).unwrap();
            let nonce: [u8; 12] = hex(case.nonce).try_into().unwrap();
            let associated = hex(case.associated);
            let mut data = hex(case.plaintext);
            let mut tag = [0; 16];
            key.seal_in_place(&nonce, &associated, &mut data, &mut tag)
                .unwrap();
            assert_eq!(data, hex(case.ciphertext), "{:?}", case.aead);
            assert_eq!(tag.to_vec(), hex(case.tag), "{:?}", case.aead);

            data.extend_from_slice(&tag);
            let len = key.open_in_place(&nonce, &associated, &mut data).unwrap();
            assert_eq!(data[..len], hex(case.plaintext), "{:?}", case.aead);
        }
    }

    #[test]
    fn a_changed_byte_a_missing_tag_and_a_short_key_are_refused() {
        let key = AES_128_GCM.key(&[7; 16]).unwrap();
        let nonce = [1; 12];
        let mut data = *b"data and then room for a tag....";
        let (text, tag) = data.split_at_mut(16);
        key.seal_in_place(&nonce, b"", text, tag.try_into().unwrap())
            .unwrap();
        data[0] ^= 1;
        let refused = key.open_in_place(&nonce, b"", &mut data);
        assert_eq!(refused, Err(Error::Verification));
        let refused = key.open_in_place(&nonce, b"", &mut data[..15]);
        assert_eq!(refused, Err(Error::Verification));
        assert_eq!(AES_128_GCM.key(&[7; 15]).unwrap_err(), Error::Length);
    }
}
