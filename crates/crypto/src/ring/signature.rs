use super::random;
use crate::{Error, SecureRandom, SignatureScheme, Signatures, SigningKey};
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair,
    UnparsedPublicKey,
};

/// The length of an uncompressed point of P-256.
const P256_POINT_LEN: usize = 65;
/// The length of an uncompressed point of P-384.
const P384_POINT_LEN: usize = 97;

/// ECDSA of ring.
#[derive(Debug)]
pub(super) struct Ecdsa;

impl Signatures for Ecdsa {
    fn generate(
        &self,
        scheme: SignatureScheme,
        _random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, Error> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing(scheme), &random::system())
            .map_err(|_| Error::Random)?;
        Ok(pkcs8.as_ref().to_vec())
    }

    fn load(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKey>, Error> {
        [
            SignatureScheme::EcdsaP256Sha256,
            SignatureScheme::EcdsaP384Sha384,
        ]
        .into_iter()
        .find_map(|scheme| {
            let pair = EcdsaKeyPair::from_pkcs8(signing(scheme), pkcs8, &random::system()).ok()?;
            Some(Box::new(Key { scheme, pair }) as Box<dyn SigningKey>)
        })
        .ok_or(Error::Malformed)
    }

    fn verify(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        UnparsedPublicKey::new(verification(scheme, public_key)?, public_key)
            .verify(message, signature)
            .map_err(|_| Error::Verification)
    }
}

fn signing(scheme: SignatureScheme) -> &'static EcdsaSigningAlgorithm {
    match scheme {
        SignatureScheme::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        SignatureScheme::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
    }
}

/// The hash is the scheme's, the curve the key's.
fn verification(
    scheme: SignatureScheme,
    public_key: &[u8],
) -> Result<&'static EcdsaVerificationAlgorithm, Error> {
    use SignatureScheme::{EcdsaP256Sha256, EcdsaP384Sha384};
    match (public_key.len(), scheme) {
        (P256_POINT_LEN, EcdsaP256Sha256) => Ok(&signature::ECDSA_P256_SHA256_ASN1),
        (P256_POINT_LEN, EcdsaP384Sha384) => Ok(&signature::ECDSA_P256_SHA384_ASN1),
        (P384_POINT_LEN, EcdsaP256Sha256) => Ok(&signature::ECDSA_P384_SHA256_ASN1),
        (P384_POINT_LEN, EcdsaP384Sha384) => Ok(&signature::ECDSA_P384_SHA384_ASN1),
        _ => Err(Error::Malformed),
    }
}

/// ring shows the public half of a key pair, never the private one.
#[derive(Debug)]
struct Key {
    scheme: SignatureScheme,
    pair: EcdsaKeyPair,
}

impl SigningKey for Key {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self
            .pair
            .sign(&random::system(), message)
            .map_err(|_| Error::Random)?;
        Ok(signature.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    /// A DER signature of two integers whose top bits are set.
    fn der(r: &str, s: &str) -> Vec<u8> {
        let integer = |value: &str| {
            let value = hex(value);
            let mut out = vec![2, u8::try_from(value.len() + 1).unwrap(), 0];
            out.extend(value);
            out
        };
        let body = [integer(r), integer(s)].concat();
        let mut out = vec![0x30, u8::try_from(body.len()).unwrap()];
        out.extend(body);
        out
    }

    /// RFC 6979 §A.2.5 and §A.2.6, message "sample".
    #[test]
    fn the_signatures_of_rfc_6979_verify() {
        let p256 = hex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
             7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        );
        let p384 = hex(
            "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64\
             def8f0ea9055866064a254515480bc138015d9b72d7d57244ea8ef9ac0c62189\
             6708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
        );
        let cases = [
            (
                SignatureScheme::EcdsaP256Sha256,
                &p256,
                der(
                    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                ),
            ),
            (
                SignatureScheme::EcdsaP384Sha384,
                &p384,
                der(
                    "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c\
                     81a648152e44acf96e36dd1e80fabe46",
                    "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f\
                     a329c145786e679e7b82c71a38628ac8",
                ),
            ),
        ];
        for (scheme, key, signature) in cases {
            Ecdsa.verify(scheme, key, b"sample", &signature).unwrap();
            assert_eq!(
                Ecdsa.verify(scheme, key, b"simple", &signature),
                Err(Error::Verification)
            );
        }
    }

    #[test]
    fn a_generated_key_loads_signs_and_verifies() {
        for scheme in [
            SignatureScheme::EcdsaP256Sha256,
            SignatureScheme::EcdsaP384Sha384,
        ] {
            let pkcs8 = Ecdsa.generate(scheme, &random::OperatingSystem).unwrap();
            let key = Ecdsa.load(&pkcs8).unwrap();
            assert_eq!(key.scheme(), scheme);
            let signature = key.sign(b"message").unwrap();
            Ecdsa
                .verify(scheme, key.public_key(), b"message", &signature)
                .unwrap();
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        assert_eq!(Ecdsa.load(b"not a key").unwrap_err(), Error::Malformed);
        assert_eq!(
            Ecdsa.verify(SignatureScheme::EcdsaP256Sha256, &[4; 64], b"", b""),
            Err(Error::Malformed)
        );
    }
}
