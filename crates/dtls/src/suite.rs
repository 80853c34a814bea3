//! The cipher suites.

use crypto::{Aead, Hash, Hmac, Mask, Provider};
use layer::DtlsVersion;

/// A cipher suite: who signs in 1.2, the AEAD, and the hash that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    /// IANA's number.
    pub(crate) id: u16,
    pub(crate) version: DtlsVersion,
    /// The key in the server's certificate; 1.3 settles that apart.
    pub(crate) authentication: Authentication,
    pub(crate) cipher: Cipher,
}

/// What the server of 1.2 signs its key share with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// In 1.3: the signature algorithms decide.
    Any,
    Ecdsa,
    Rsa,
}

/// The AEADs, each with its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128GcmSha256,
    Aes256GcmSha384,
    ChaCha20Poly1305Sha256,
}

use Authentication::{Any, Ecdsa, Rsa};
use Cipher::{Aes128GcmSha256, Aes256GcmSha384, ChaCha20Poly1305Sha256};
use DtlsVersion::{V1_2, V1_3};

/// Best first. Of 1.2: ECDHE alone, and AEADs alone (RFC 8827 §6.5 obliges to 0xC02B); with RSA
/// only a server signs that is not ours.
pub(crate) const SUITES: [Suite; 9] = [
    suite(0x1301, V1_3, Any, Aes128GcmSha256),
    suite(0x1302, V1_3, Any, Aes256GcmSha384),
    suite(0x1303, V1_3, Any, ChaCha20Poly1305Sha256),
    suite(0xC02B, V1_2, Ecdsa, Aes128GcmSha256),
    suite(0xC02C, V1_2, Ecdsa, Aes256GcmSha384),
    suite(0xCCA9, V1_2, Ecdsa, ChaCha20Poly1305Sha256),
    suite(0xC02F, V1_2, Rsa, Aes128GcmSha256),
    suite(0xC030, V1_2, Rsa, Aes256GcmSha384),
    suite(0xCCA8, V1_2, Rsa, ChaCha20Poly1305Sha256),
];

const fn suite(
    id: u16,
    version: DtlsVersion,
    authentication: Authentication,
    cipher: Cipher,
) -> Suite {
    Suite {
        id,
        version,
        authentication,
        cipher,
    }
}

impl Suite {
    /// The suite of that number, if it is of that version.
    pub(crate) fn find(version: DtlsVersion, id: u16) -> Option<Self> {
        let mut suites = SUITES.into_iter();
        suites.find(|suite| suite.version == version && suite.id == id)
    }
}

impl Cipher {
    pub(crate) fn key_len(self) -> usize {
        match self {
            Aes128GcmSha256 => 16,
            Aes256GcmSha384 | ChaCha20Poly1305Sha256 => 32,
        }
    }

    pub(crate) fn aead(self, provider: &Provider) -> &'static dyn Aead {
        match self {
            Aes128GcmSha256 => provider.aes128_gcm,
            Aes256GcmSha384 => provider.aes256_gcm,
            ChaCha20Poly1305Sha256 => provider.chacha20_poly1305,
        }
    }

    /// What masks record numbers (RFC 9147 §4.2.3).
    pub(crate) fn mask(self, provider: &Provider) -> &'static dyn Mask {
        match self {
            Aes128GcmSha256 => provider.aes128_mask,
            Aes256GcmSha384 => provider.aes256_mask,
            ChaCha20Poly1305Sha256 => provider.chacha20_mask,
        }
    }

    pub(crate) fn hash(self, provider: &Provider) -> &'static dyn Hash {
        match self {
            Aes256GcmSha384 => provider.sha384,
            Aes128GcmSha256 | ChaCha20Poly1305Sha256 => provider.sha256,
        }
    }

    pub(crate) fn hmac(self, provider: &Provider) -> &'static dyn Hmac {
        match self {
            Aes256GcmSha384 => provider.hmac_sha384,
            Aes128GcmSha256 | ChaCha20Poly1305Sha256 => provider.hmac_sha256,
        }
    }

    /// How many records one key protects before it is renewed: RFC 8446 §5.5 allows 2^24.5 of
    /// full size for AES-GCM, and half of a safe number is safe while the peer's acknowledgement
    /// is on its way. ChaCha20 has no such limit below that of the record numbers.
    pub(crate) fn renew_after(self) -> u64 {
        match self {
            Aes128GcmSha256 | Aes256GcmSha384 => 1 << 23,
            ChaCha20Poly1305Sha256 => 1 << 46,
        }
    }
}

/// RFC 9147 §4.5.3: how many records of one key may fail to open, for all three AEADs.
pub(crate) const MAX_FAILURES: u64 = 1 << 36;
