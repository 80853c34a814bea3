use der::Decode;
use der::oid::ObjectIdentifier;
use x509_cert::Certificate;

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
pub(super) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1` (RFC 5480 §2.1.1.1).
pub(super) const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `secp384r1`.
pub(super) const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// `rsaEncryption` (RFC 3279 §2.3.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-Ed25519` (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The key in a certificate.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    pub(crate) kind: KeyKind,
    /// An uncompressed point, an `RSAPublicKey` (DER), or the 32 bytes of Ed25519.
    pub(crate) bytes: Vec<u8>,
}

/// The keys that verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Rsa,
    Ed25519,
}

impl PublicKey {
    /// Reads it; `None` if this is not a certificate, or not with such a key.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let kind = match info.algorithm.oid {
            EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters.as_ref()?.decode_as().ok()?;
                match curve {
                    SECP256R1 => KeyKind::P256,
                    SECP384R1 => KeyKind::P384,
                    _ => return None,
                }
            }
            RSA_ENCRYPTION => KeyKind::Rsa,
            ED25519 => KeyKind::Ed25519,
            _ => return None,
        };
        Some(Self {
            kind,
            bytes: info.subject_public_key.as_bytes()?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-signed certificate of OpenSSL, RSA with 2048 bits.
    const RSA: &str = "30820303308201eba003020102021408e57b1267437e338a5c24ba9e65a8b68f\
        d6366d300d06092a864886f70d01010b05003011310f300d06035504030c0657\
        6562525443301e170d3236313132313136303430315a170d3236313232313136\
        303430315a3011310f300d06035504030c0657656252544330820122300d0609\
        2a864886f70d01010105000382010f003082010a02820101008fd5a4c6fba3c8\
        9acb4417bd0ce5103a63b3f33b78d57ecb3cfd23a454a36b26d5c75a17e93eed\
        31236df7c23ff9e38603dc4d416ee2ce48fed596795335cefbf0d80d2be7cb14\
        e48e1f03618436af460199a42b1a243059fae8fedca3cb5647f8afab9c734a00\
        b57728a9cd1ad0e82fed1bd3357e97a4f57969f9893bb26e84ed72bf4fea9853\
        69d40a7ee1f7091828c2d8b703b3f8e929cb10849f543958ec35f38ca3bff8a4\
        b286df1f4503ebc8eb589c5e43d4f89d2be9c9ae153c2f2c79151017b7822b69\
        e1f4dae822426b8220db3de08430d9957ba8074b5ee05d16e39af5cb1f79af9f\
        08aebbe94c1e1a67a07a6a691ed633a307c6ca7d7e4c9986f70203010001a353\
        3051301d0603551d0e041604140bbeac932f8970a960ffae5ce9ecb0949804f6\
        55301f0603551d230418301680140bbeac932f8970a960ffae5ce9ecb0949804\
        f655300f0603551d130101ff040530030101ff300d06092a864886f70d01010b\
        050003820101003a3f8bbec8c7d4109b833a68b01aba53404b4faaf168b1b962\
        de134fe8013393470b8086ede1dcb2700c886dcbe74804d3c54a93306668ba18\
        f9674a272f25d8c0ddbcea8a9696c492322cbf57f494dd04d7a1e57ec32d060b\
        ad3b40baffb120afa844bf05737cf0a2e24e9c75021b95e513f55c52acc5282a\
        61e3e64aeef40bc26740054464ee18c48c136b9d57bc67321c1c1b410be3cb98\
        6f99827cf8aed5f759878f7e2c4fec3e4685be610dbb0b982461710570189cfb\
        609c54bea4adbe0570b61360bd6e672ff20cc02e452a325bdded0e1765002de0\
        f5ecc11a60ad0987fd3e576798f4d2bcb93be147d572cd32400ce64042bc3280\
        81913fcdef11b5";

    #[test]
    fn the_key_of_an_rsa_certificate_is_read() {
        let der: Vec<u8> = RSA
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let key = PublicKey::of(&der).unwrap();
        assert_eq!(key.kind, KeyKind::Rsa);
        // RSAPublicKey: a sequence that begins with the modulus.
        assert_eq!(key.bytes[..2], [0x30, 0x82]);
        assert_eq!(key.bytes.len(), 270);
        assert!(PublicKey::of(&der[1..]).is_none());
    }
}
