//! A crypto provider that repeats itself.

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use crypto::{
    ActiveAgreement, Agreement, Error, Group, Provider, SecureRandom, SignatureScheme, Signatures,
    SigningKey,
};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use p256::{NonZeroScalar, PublicKey, SecretKey, ecdh};
use std::fmt;

/// The default provider with P-256 alone, whose keys come from the random source that a layer
/// passes and whose signatures are those of RFC 6979.
///
/// Layers take their randomness from [`layer::Start`] when a provider is
/// [`deterministic`](Provider::deterministic), so the same seed, inputs and instants give the same
/// bytes, certificates included. The provider's own source has no state that two connections could
/// share: every call gives the same bytes. **Never use it outside of tests.**
#[must_use]
pub fn provider() -> Provider {
    let mut provider = crypto::ring::provider();
    provider.random = &Constant;
    provider.agreements = &[&P256];
    provider.signatures = &Rfc6979;
    provider.deterministic = true;
    provider
}

/// The start of one fixed stream, whoever asks.
#[derive(Debug)]
struct Constant;

impl SecureRandom for Constant {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        ChaCha12Rng::from_seed([0; 32]).fill_bytes(out);
        Ok(())
    }
}

/// A key made of the next bytes that are one: all but about one in 2^32 are.
fn secret_key(random: &dyn SecureRandom) -> Result<SecretKey, Error> {
    const ATTEMPTS: usize = 4;
    for _ in 0..ATTEMPTS {
        let mut bytes = [0; 32];
        random.fill(&mut bytes)?;
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
    Err(Error::Random)
}

/// The public half as TLS encodes it.
fn uncompressed(key: &SecretKey) -> Vec<u8> {
    key.public_key().to_encoded_point(false).as_bytes().to_vec()
}

/// Key agreement on P-256.
#[derive(Debug)]
struct P256;

impl Agreement for P256 {
    fn group(&self) -> Group {
        Group::Secp256r1
    }

    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn ActiveAgreement>, Error> {
        let key = secret_key(random)?;
        Ok(Box::new(Active {
            public: uncompressed(&key),
            secret: key.to_nonzero_scalar(),
        }))
    }
}

struct Active {
    secret: NonZeroScalar,
    public: Vec<u8>,
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Active(P-256)")
    }
}

impl ActiveAgreement for Active {
    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<Vec<u8>, Error> {
        let peer = PublicKey::from_sec1_bytes(peer_public_key).map_err(|_| Error::Malformed)?;
        let shared = ecdh::diffie_hellman(self.secret, peer.as_affine());
        Ok(shared.raw_secret_bytes().to_vec())
    }
}

/// ECDSA on P-256 with nonces from the message (RFC 6979 §3.2).
#[derive(Debug)]
struct Rfc6979;

impl Signatures for Rfc6979 {
    fn generate(
        &self,
        scheme: SignatureScheme,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, Error> {
        if scheme != SignatureScheme::EcdsaP256Sha256 {
            return Err(Error::Unsupported);
        }
        let key = secret_key(random)?
            .to_pkcs8_der()
            .map_err(|_| Error::Malformed)?;
        Ok(key.as_bytes().to_vec())
    }

    fn load(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKey>, Error> {
        let key = SecretKey::from_pkcs8_der(pkcs8).map_err(|_| Error::Malformed)?;
        Ok(Box::new(Key {
            public: uncompressed(&key),
            signer: key.into(),
        }))
    }

    fn verify(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let ring = crypto::ring::provider().signatures;
        ring.verify(scheme, public_key, message, signature)
    }
}

/// Its `Debug` does not show the private half.
#[derive(Debug)]
struct Key {
    signer: p256::ecdsa::SigningKey,
    public: Vec<u8>,
}

impl SigningKey for Key {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::EcdsaP256Sha256
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature = self.signer.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6979 §A.2.5: the key of the P-256 examples, and k for SHA-256 over "sample" gives this r.
    #[test]
    fn signatures_are_those_of_rfc_6979() {
        let secret = [
            0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1,
            0xd6, 0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b,
            0x12, 0x0f, 0x67, 0x21,
        ];
        let pkcs8 = SecretKey::from_slice(&secret)
            .unwrap()
            .to_pkcs8_der()
            .unwrap();
        let key = Rfc6979.load(pkcs8.as_bytes()).unwrap();
        let signature = key.sign(b"sample").unwrap();
        // SEQUENCE, INTEGER with a leading zero, r.
        assert_eq!(signature[5..9], [0xef, 0xd4, 0x8b, 0x2a]);
        Rfc6979
            .verify(key.scheme(), key.public_key(), b"sample", &signature)
            .unwrap();
    }

    #[test]
    fn a_key_that_it_made_loads_in_ring_too() {
        let pkcs8 = Rfc6979
            .generate(SignatureScheme::EcdsaP256Sha256, &Constant)
            .unwrap();
        let ours = Rfc6979.load(&pkcs8).unwrap();
        let theirs = crypto::ring::provider().signatures.load(&pkcs8).unwrap();
        assert_eq!(ours.public_key(), theirs.public_key());
    }

    #[test]
    fn it_agrees_with_ring() {
        let ring = crypto::ring::provider();
        let p256 = ring
            .agreements
            .iter()
            .find(|agreement| agreement.group() == Group::Secp256r1)
            .unwrap();
        let (ours, theirs) = (
            P256.start(&Constant).unwrap(),
            p256.start(&Constant).unwrap(),
        );
        let (public, peer) = (ours.public_key().to_vec(), theirs.public_key().to_vec());
        assert_eq!(
            ours.complete(&peer).unwrap(),
            theirs.complete(&public).unwrap()
        );
    }
}
