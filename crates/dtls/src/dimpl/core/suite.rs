use super::context::{self, MaskMaker};
use crate::alert::Alert;
use ::dimpl::crypto::{
    Aad, Buf, Cipher, Dtls12CipherSuite, Dtls13CipherSuite, HashAlgorithm, Nonce,
    SupportedDtls12CipherSuite, SupportedDtls13CipherSuite, TmpBuf,
};
use ::dimpl::{CryptoError, CryptoOperation};
use crypto::{Aead, AeadKey};
use std::panic::AssertUnwindSafe;

/// The suites of 1.2, best first. RFC 8827 §6.5 obliges to the first.
pub(super) const V1_2: &[&dyn SupportedDtls12CipherSuite] = &[
    &Suite12(
        Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256,
        Kind::Aes128Gcm,
    ),
    &Suite12(
        Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384,
        Kind::Aes256Gcm,
    ),
    &Suite12(
        Dtls12CipherSuite::ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
        Kind::ChaCha20Poly1305,
    ),
];

/// The suites of 1.3, best first.
pub(super) const V1_3: &[&dyn SupportedDtls13CipherSuite] = &[
    &Suite13(Dtls13CipherSuite::AES_128_GCM_SHA256, Kind::Aes128Gcm),
    &Suite13(Dtls13CipherSuite::AES_256_GCM_SHA384, Kind::Aes256Gcm),
    &Suite13(
        Dtls13CipherSuite::CHACHA20_POLY1305_SHA256,
        Kind::ChaCha20Poly1305,
    ),
];

/// The tag of all three AEADs.
const TAG_LEN: usize = 16;
/// The content type of an alert (RFC 8446 §5.1).
const ALERT: u8 = 21;

/// The AEAD of a suite, with the hash that goes with it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Kind {
    fn hash(self) -> HashAlgorithm {
        match self {
            Self::Aes256Gcm => HashAlgorithm::SHA384,
            Self::Aes128Gcm | Self::ChaCha20Poly1305 => HashAlgorithm::SHA256,
        }
    }

    fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    fn aead(self) -> &'static dyn Aead {
        let provider = context::provider();
        match self {
            Self::Aes128Gcm => provider.aes128_gcm,
            Self::Aes256Gcm => provider.aes256_gcm,
            Self::ChaCha20Poly1305 => provider.chacha20_poly1305,
        }
    }

    /// What masks record numbers (RFC 9147 §4.2.3).
    fn mask(self) -> MaskMaker {
        let provider = context::provider();
        match self {
            Self::Aes128Gcm => MaskMaker::Aes(provider.aes128_ctr),
            Self::Aes256Gcm => MaskMaker::Aes(provider.aes256_ctr),
            Self::ChaCha20Poly1305 => MaskMaker::ChaCha20(provider.chacha20_mask),
        }
    }

    fn cipher(
        self,
        suite: u16,
        key: &[u8],
        layout: Layout,
    ) -> Result<Box<dyn Cipher>, CryptoError> {
        let key = self
            .aead()
            .key(key)
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::CreateCipher))?;
        context::with(|context| context.negotiated.cipher_suite = Some(suite));
        Ok(Box::new(Protection {
            key: AssertUnwindSafe(key),
            layout,
        }))
    }
}

#[derive(Debug)]
struct Suite12(Dtls12CipherSuite, Kind);

impl SupportedDtls12CipherSuite for Suite12 {
    fn suite(&self) -> Dtls12CipherSuite {
        self.0
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.1.hash()
    }

    fn key_lengths(&self) -> (usize, usize, usize) {
        // RFC 5288 §3: four bytes of nonce are derived; RFC 7905 §2: all twelve.
        let derived_nonce = match self.1 {
            Kind::ChaCha20Poly1305 => 12,
            Kind::Aes128Gcm | Kind::Aes256Gcm => 4,
        };
        (0, self.1.key_len(), derived_nonce)
    }

    fn explicit_nonce_len(&self) -> usize {
        match self.1 {
            Kind::ChaCha20Poly1305 => 0,
            Kind::Aes128Gcm | Kind::Aes256Gcm => 8,
        }
    }

    fn tag_len(&self) -> usize {
        TAG_LEN
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        self.1.cipher(self.0.as_u16(), key, Layout::V1_2)
    }
}

#[derive(Debug)]
struct Suite13(Dtls13CipherSuite, Kind);

impl SupportedDtls13CipherSuite for Suite13 {
    fn suite(&self) -> Dtls13CipherSuite {
        self.0
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.1.hash()
    }

    fn key_len(&self) -> usize {
        self.1.key_len()
    }

    fn iv_len(&self) -> usize {
        12
    }

    fn tag_len(&self) -> usize {
        TAG_LEN
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        self.1.cipher(self.0.as_u16(), key, Layout::V1_3)
    }

    fn encrypt_sn(&self, sn_key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        let maker = self.1.mask();
        context::with(|context| context.mask(maker, sn_key, sample))
    }
}

/// Where a record says its content type.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// In the associated data: epoch and sequence, then the type (RFC 5246 §6.2.3.3).
    V1_2,
    /// After the content (RFC 8446 §5.2).
    V1_3,
}

/// A key of one direction.
#[derive(Debug)]
struct Protection {
    key: AssertUnwindSafe<Box<dyn AeadKey>>,
    layout: Layout,
}

impl Protection {
    /// dimpl closes with `close_notify` and knows no other alert to send. An alert is two bytes
    /// whatever it says, so the one that the session wants is put in its place here.
    fn choose_alert(&self, plaintext: &mut [u8], aad: &[u8]) {
        let content = match (self.layout, plaintext, aad.get(8)) {
            (Layout::V1_2, [level, description], Some(&ALERT))
            | (Layout::V1_3, [level, description, ALERT], _) => (level, description),
            _ => return,
        };
        if *content.1 == Alert::CLOSE_NOTIFY.description {
            let alert = context::with(|context| context.alert);
            *content.0 = alert.level();
            *content.1 = alert.description;
        }
    }
}

impl Cipher for Protection {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.choose_alert(plaintext, &aad);
        let mut tag = [0; TAG_LEN];
        self.key
            .seal_in_place(&nonce.0, &aad, plaintext, &mut tag)
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::Encrypt))?;
        plaintext.extend_from_slice(&tag);
        Ok(())
    }

    fn decrypt(
        &mut self,
        ciphertext: &mut TmpBuf,
        aad: Aad,
        nonce: Nonce,
    ) -> Result<(), CryptoError> {
        let len = self
            .key
            .open_in_place(&nonce.0, &aad, ciphertext.as_mut())
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::Decrypt))?;
        ciphertext.truncate(len);
        context::with(|context| context.opened += 1);
        Ok(())
    }
}
