use super::context;
use crate::certificate::{KeyKind, PublicKey};
use ::dimpl::crypto::{
    Buf, HashAlgorithm, KeyProvider, NamedGroup, SignatureAlgorithm, SignatureVerifier, SigningKey,
    check_verify_scheme,
};
use ::dimpl::{CryptoError, CryptoOperation};
use crypto::SignatureScheme;
use layer::{Certificate, KeyAlgorithm};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Verifies the peer's signatures with the key in its certificate.
#[derive(Debug)]
pub(super) struct Verifier;

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        cert_der: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let key = PublicKey::of(cert_der).ok_or(CryptoError::CertificateParseFailed)?;
        let group = match key.kind {
            KeyKind::P256 => NamedGroup::Secp256r1,
            KeyKind::P384 => NamedGroup::Secp384r1,
            KeyKind::Rsa | KeyKind::Ed25519 => {
                return Err(CryptoError::UnsupportedPublicKeyAlgorithm);
            }
        };
        check_verify_scheme(algorithm, hash, group)?;
        let scheme = match hash {
            HashAlgorithm::SHA384 => SignatureScheme::EcdsaP384Sha384,
            _ => SignatureScheme::EcdsaP256Sha256,
        };
        context::provider()
            .signatures
            .verify(scheme, &key.bytes, data, signature)
            .map_err(|_| CryptoError::SignatureVerificationFailed {
                signature: algorithm,
                hash,
                group,
            })?;
        context::with(|context| context.negotiated.signature_scheme = Some(scheme as u16));
        Ok(())
    }
}

/// "Loads" the key of the session at work: its certificate signs.
#[derive(Debug)]
pub(super) struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, _key_der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let certificate = context::with(|context| context.certificate.clone())
            .ok_or(CryptoError::NoPrivateKeyConfigured)?;
        let hash = match certificate.key_algorithm() {
            KeyAlgorithm::EcdsaP256 => HashAlgorithm::SHA256,
            KeyAlgorithm::EcdsaP384 => HashAlgorithm::SHA384,
            _ => return Err(CryptoError::UnsupportedPublicKeyAlgorithm),
        };
        Ok(Box::new(Signer {
            certificate: AssertUnwindSafe(certificate),
            hashes: [hash],
        }))
    }
}

#[derive(Debug)]
struct Signer {
    certificate: AssertUnwindSafe<Arc<dyn Certificate>>,
    /// The one hash that [`Certificate::sign`] uses.
    hashes: [HashAlgorithm; 1],
}

impl SigningKey for Signer {
    fn sign(&mut self, data: &[u8], hash: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        if [hash] != self.hashes {
            return Err(CryptoError::SigningKeyHashMismatch {
                key_hash: self.hashes[0],
                requested: hash,
            });
        }
        let signature = self
            .certificate
            .sign(data)
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::Sign))?;
        out.clear();
        out.extend_from_slice(&signature);
        Ok(())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.hashes[0]
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        &self.hashes
    }
}
