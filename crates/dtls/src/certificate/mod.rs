//! Certificates: made, imported, read.

mod public_key;
mod x509;

pub(crate) use public_key::{KeyKind, PublicKey};

use crate::fingerprint;
use crypto::{Provider, SecureRandom, SignatureScheme, SigningKey};
use layer::{
    Certificate, CertificateError, CertificateParams, Fingerprint, HashAlgorithm, KeyAlgorithm,
};
use std::fmt;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// Clocks differ: a certificate is valid from a day before it was made, as browsers do it.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// A certificate whose key a [`Provider`] holds.
pub(crate) struct OwnCertificate {
    der: Vec<u8>,
    expires: SystemTime,
    key: Box<dyn SigningKey>,
    pkcs8: Zeroizing<Vec<u8>>,
    fingerprint: Fingerprint,
}

impl OwnCertificate {
    /// Generates a key and signs a certificate for it.
    pub(crate) fn generate(
        provider: &Provider,
        random: &dyn SecureRandom,
        wall: SystemTime,
        params: &CertificateParams,
    ) -> Result<Self, CertificateError> {
        let unsupported = CertificateError::Unsupported(params.key_algorithm);
        let scheme = scheme(params.key_algorithm).ok_or(unsupported.clone())?;
        let pkcs8 = provider
            .signatures
            .generate(scheme, random)
            .map(Zeroizing::new)
            .map_err(|error| match error {
                crypto::Error::Unsupported => unsupported,
                _ => CertificateError::Signer,
            })?;
        let key = provider
            .signatures
            .load(&pkcs8)
            .map_err(|_| CertificateError::Signer)?;
        let mut serial = [0; 16];
        random
            .fill(&mut serial)
            .map_err(|_| CertificateError::Signer)?;
        let subject = x509::Subject {
            serial,
            not_before: wall - BACKDATED,
            not_after: wall + params.lifetime,
        };
        let der = x509::self_sign(&*key, &subject)?;
        Self::new(provider, der, key, pkcs8)
    }

    /// Takes a certificate with its key.
    pub(crate) fn import(
        provider: &Provider,
        der: &[u8],
        pkcs8: &[u8],
    ) -> Result<Self, CertificateError> {
        let key = provider
            .signatures
            .load(pkcs8)
            .map_err(|_| CertificateError::Malformed)?;
        let certified = PublicKey::of(der).ok_or(CertificateError::Malformed)?;
        if certified.bytes != key.public_key() {
            return Err(CertificateError::Malformed);
        }
        Self::new(provider, der.to_vec(), key, Zeroizing::new(pkcs8.to_vec()))
    }

    fn new(
        provider: &Provider,
        der: Vec<u8>,
        key: Box<dyn SigningKey>,
        pkcs8: Zeroizing<Vec<u8>>,
    ) -> Result<Self, CertificateError> {
        let expires = x509::not_after(&der).ok_or(CertificateError::Malformed)?;
        let fingerprint = fingerprint::of(provider, HashAlgorithm::Sha256, &der)
            .ok_or(CertificateError::Malformed)?;
        Ok(Self {
            der,
            expires,
            key,
            pkcs8,
            fingerprint,
        })
    }
}

impl Certificate for OwnCertificate {
    fn der(&self) -> &[u8] {
        &self.der
    }

    fn expires(&self) -> SystemTime {
        self.expires
    }

    fn key_algorithm(&self) -> KeyAlgorithm {
        match self.key.scheme() {
            SignatureScheme::EcdsaP384Sha384 => KeyAlgorithm::EcdsaP384,
            _ => KeyAlgorithm::EcdsaP256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CertificateError> {
        self.key.sign(message).map_err(|_| CertificateError::Signer)
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        vec![self.fingerprint.clone()]
    }

    fn private_key(&self) -> Option<&[u8]> {
        Some(&self.pkcs8)
    }
}

impl fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCertificate")
            .field("key_algorithm", &self.key_algorithm())
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// How a key of that kind signs; `None` for RSA, which no provider makes.
fn scheme(key: KeyAlgorithm) -> Option<SignatureScheme> {
    match key {
        KeyAlgorithm::EcdsaP256 => Some(SignatureScheme::EcdsaP256Sha256),
        KeyAlgorithm::EcdsaP384 => Some(SignatureScheme::EcdsaP384Sha384),
        _ => None,
    }
}
