use super::random;
use crate::{Error, SecureRandom, SignatureScheme, Signatures, SigningKey};
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

/// The length of an uncompressed point of P-256.
const P256_POINT_LEN: usize = 65;
/// The length of an uncompressed point of P-384.
const P384_POINT_LEN: usize = 97;

/// The signatures of ring: all verify, ECDSA signs.
#[derive(Debug)]
pub(super) struct RingSignatures;

/// Best first: what is fast to verify before what is not.
const SCHEMES: [SignatureScheme; 9] = [
    SignatureScheme::EcdsaP256Sha256,
    SignatureScheme::EcdsaP384Sha384,
    SignatureScheme::Ed25519,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
];

impl Signatures for RingSignatures {
    fn schemes(&self) -> &[SignatureScheme] {
        &SCHEMES
    }

    fn generate(
        &self,
        scheme: SignatureScheme,
        _random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, Error> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing(scheme)?, &random::system())
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
            let pair =
                EcdsaKeyPair::from_pkcs8(signing(scheme).ok()?, pkcs8, &random::system()).ok()?;
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

fn signing(scheme: SignatureScheme) -> Result<&'static EcdsaSigningAlgorithm, Error> {
    match scheme {
        SignatureScheme::EcdsaP256Sha256 => Ok(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        SignatureScheme::EcdsaP384Sha384 => Ok(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        _ => Err(Error::Unsupported),
    }
}

/// Of ECDSA, the hash is the scheme's and the curve the key's.
fn verification(
    scheme: SignatureScheme,
    public_key: &[u8],
) -> Result<&'static dyn VerificationAlgorithm, Error> {
    use SignatureScheme as S;
    match (scheme, public_key.len()) {
        (S::EcdsaP256Sha256, P256_POINT_LEN) => Ok(&signature::ECDSA_P256_SHA256_ASN1),
        (S::EcdsaP384Sha384, P256_POINT_LEN) => Ok(&signature::ECDSA_P256_SHA384_ASN1),
        (S::EcdsaP256Sha256, P384_POINT_LEN) => Ok(&signature::ECDSA_P384_SHA256_ASN1),
        (S::EcdsaP384Sha384, P384_POINT_LEN) => Ok(&signature::ECDSA_P384_SHA384_ASN1),
        (S::EcdsaP256Sha256 | S::EcdsaP384Sha384, _) => Err(Error::Malformed),
        (S::Ed25519, _) => Ok(&signature::ED25519),
        (S::RsaPssRsaeSha256, _) => Ok(&signature::RSA_PSS_2048_8192_SHA256),
        (S::RsaPssRsaeSha384, _) => Ok(&signature::RSA_PSS_2048_8192_SHA384),
        (S::RsaPssRsaeSha512, _) => Ok(&signature::RSA_PSS_2048_8192_SHA512),
        (S::RsaPkcs1Sha256, _) => Ok(&signature::RSA_PKCS1_2048_8192_SHA256),
        (S::RsaPkcs1Sha384, _) => Ok(&signature::RSA_PKCS1_2048_8192_SHA384),
        (S::RsaPkcs1Sha512, _) => Ok(&signature::RSA_PKCS1_2048_8192_SHA512),
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
            RingSignatures
                .verify(scheme, key, b"sample", &signature)
                .unwrap();
            assert_eq!(
                RingSignatures.verify(scheme, key, b"simple", &signature),
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
            let pkcs8 = RingSignatures
                .generate(scheme, &random::OperatingSystem)
                .unwrap();
            let key = RingSignatures.load(&pkcs8).unwrap();
            assert_eq!(key.scheme(), scheme);
            let signature = key.sign(b"message").unwrap();
            RingSignatures
                .verify(scheme, key.public_key(), b"message", &signature)
                .unwrap();
        }
    }

    /// RFC 8032 §7.1, test 1, over nothing.
    #[test]
    fn the_ed25519_signature_of_rfc_8032_verifies() {
        let key = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signature = hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
             fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        let scheme = SignatureScheme::Ed25519;
        RingSignatures
            .verify(scheme, &key, b"", &signature)
            .unwrap();
        let refused = RingSignatures.verify(scheme, &key, b"x", &signature);
        assert_eq!(refused, Err(Error::Verification));
    }

    /// A key and two signatures of OpenSSL, over "sample".
    #[test]
    fn rsa_signatures_of_either_padding_verify_under_their_own_scheme() {
        let key = hex(
            "3082010a02820101008fd5a4c6fba3c89acb4417bd0ce5103a63b3f33b78d57e\
             cb3cfd23a454a36b26d5c75a17e93eed31236df7c23ff9e38603dc4d416ee2ce\
             48fed596795335cefbf0d80d2be7cb14e48e1f03618436af460199a42b1a2430\
             59fae8fedca3cb5647f8afab9c734a00b57728a9cd1ad0e82fed1bd3357e97a4\
             f57969f9893bb26e84ed72bf4fea985369d40a7ee1f7091828c2d8b703b3f8e9\
             29cb10849f543958ec35f38ca3bff8a4b286df1f4503ebc8eb589c5e43d4f89d\
             2be9c9ae153c2f2c79151017b7822b69e1f4dae822426b8220db3de08430d995\
             7ba8074b5ee05d16e39af5cb1f79af9f08aebbe94c1e1a67a07a6a691ed633a3\
             07c6ca7d7e4c9986f70203010001",
        );
        let pkcs1 = hex(
            "0d5458e7e66e10182c07e33ebe462c649d4811dd16f2d59e02373b495248c232\
             36f3bda66035f147d2f79278180a066156235057d2ef30d97524aa377af35c9d\
             642767932d6ca5353485519942491f85b419361e0156da0a4fec0e3deec28fe3\
             98e2726b7a3cb770068519f9aad2ddf084735c8dd7684cf79ad481a6eb8fd35f\
             cc8109df9cff17aacc349af787b4472688423e13e4c5b427fac32878bab03be5\
             1ae653cc470dc650f5b490c843299c884245f278290a184839513b47cd6c63ca\
             3ef1ae353ebe6dcd40996adf17cdc424c1109ac9b8feb04c2e9e9d147eb36dc3\
             a84cee0076322d752811de93f85b4db9d8efebc446b594a9b8ddb3050d9eef7c",
        );
        let pss = hex(
            "6df0f1f5d5bccefd46484811a9b0c1bc64df7972c50309f15c3be49cc98b76ae\
             de1bc491b92961240568499cd3856c0fade092c9d83e11dac35f64158eacca00\
             104a110699f04cedd9aba6dc4df63b56ee9fcef1aa0600b01ad55431465c5285\
             0c0f21e42d345840c03de6db1a25d5613796334bc3b70b88286f9345d028c64b\
             16b6d683711fa5864e7183c370ac2279631c63f7c36c653b416f98cb73e396a8\
             353eb091fffec45059f5acbf3d51fe96812d630a716a6c5658f8e5e1d523cc69\
             2b8c1bc6259b7f74d477d3ddedffd9389565cd05336a2a0a40cc331c5e3b90a8\
             912a65d96c83daf1512c0bc0e12e334e084b9f4c8e53731d4eb7bf77f2798761",
        );
        let of_pkcs1 = SignatureScheme::RsaPkcs1Sha256;
        let of_pss = SignatureScheme::RsaPssRsaeSha256;
        for (scheme, signature, other) in [(of_pkcs1, &pkcs1, of_pss), (of_pss, &pss, of_pkcs1)] {
            RingSignatures
                .verify(scheme, &key, b"sample", signature)
                .unwrap();
            for (scheme, message) in [(scheme, &b"simple"[..]), (other, b"sample")] {
                let refused = RingSignatures.verify(scheme, &key, message, signature);
                assert_eq!(refused, Err(Error::Verification));
            }
        }
    }

    #[test]
    fn only_ecdsa_makes_keys() {
        for scheme in SCHEMES {
            let generated = RingSignatures.generate(scheme, &random::OperatingSystem);
            let is_ecdsa = matches!(
                scheme,
                SignatureScheme::EcdsaP256Sha256 | SignatureScheme::EcdsaP384Sha384
            );
            assert_eq!(generated.is_ok(), is_ecdsa, "{scheme:?}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        assert_eq!(
            RingSignatures.load(b"not a key").unwrap_err(),
            Error::Malformed
        );
        assert_eq!(
            RingSignatures.verify(SignatureScheme::EcdsaP256Sha256, &[4; 64], b"", b""),
            Err(Error::Malformed)
        );
    }
}
