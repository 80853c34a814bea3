use crate::codec::{DecodeError, Reader, Write};
use crate::extension::{self, Extensions};
use layer::DtlsVersion;

/// CertificateRequest of both versions: the signature schemes that will do.
///
/// RFC 5246 §7.4.4:
///
/// ```text
/// struct {
///     ClientCertificateType certificate_types<1..2^8-1>;
///     SignatureAndHashAlgorithm supported_signature_algorithms<2^16-1>;
///     DistinguishedName certificate_authorities<0..2^16-1>;
/// } CertificateRequest;
/// ```
///
/// RFC 8446 §4.3.2:
///
/// ```text
/// struct {
///     opaque certificate_request_context<0..2^8-1>;
///     Extension extensions<2..2^16-1>;
/// } CertificateRequest;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateRequest {
    pub(crate) signature_schemes: Vec<u16>,
}

/// RFC 5246 §7.4.4, RFC 8422 §5.5: `ecdsa_sign` and `rsa_sign`.
const CERTIFICATE_TYPES: [u8; 2] = [64, 1];

impl CertificateRequest {
    pub(crate) fn parse(version: DtlsVersion, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let signature_schemes = match version {
            DtlsVersion::V1_3 => {
                reader.vec8()?;
                let extensions = Extensions::parse(reader.vec16()?)?;
                let schemes = extensions
                    .find(extension::SIGNATURE_ALGORITHMS)
                    .ok_or(DecodeError)?;
                extension::signature_algorithms::parse(schemes)?
            }
            _ => {
                reader.vec8()?;
                let schemes = reader.vec16()?.all_u16()?;
                reader.vec16()?;
                schemes
            }
        };
        reader.end()?;
        Ok(Self { signature_schemes })
    }

    pub(crate) fn write(&self, version: DtlsVersion) -> Vec<u8> {
        let mut out = Vec::new();
        let schemes = &self.signature_schemes;
        if version == DtlsVersion::V1_3 {
            out.vec8(|_| ());
            out.vec16(|out| {
                extension::write(out, extension::SIGNATURE_ALGORITHMS, |out| {
                    extension::signature_algorithms::write(out, schemes);
                });
            });
        } else {
            out.vec8(|out| out.bytes(&CERTIFICATE_TYPES));
            extension::signature_algorithms::write(&mut out, schemes);
            out.vec16(|_| ());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-005
    #[test]
    fn a_request_round_trips_in_either_version() {
        let request = CertificateRequest {
            signature_schemes: vec![0x0403, 0x0804],
        };
        for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
            let body = request.write(version);
            let parsed = CertificateRequest::parse(version, &body);
            assert_eq!(parsed, Ok(request.clone()));
            for len in 0..body.len() {
                assert!(CertificateRequest::parse(version, &body[..len]).is_err());
            }
        }
    }
}
