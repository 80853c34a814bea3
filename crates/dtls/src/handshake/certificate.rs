use crate::codec::{DecodeError, Reader, Write};
use layer::DtlsVersion;

/// Certificate of both versions: the certificates, the leaf first; possibly none.
///
/// RFC 5246 §7.4.2:
///
/// ```text
/// opaque ASN.1Cert<1..2^24-1>;
/// struct {
///     ASN.1Cert certificate_list<0..2^24-1>;
/// } Certificate;
/// ```
///
/// RFC 8446 §4.4.2:
///
/// ```text
/// struct {
///     opaque cert_data<1..2^24-1>;
///     Extension extensions<0..2^16-1>;
/// } CertificateEntry;
/// struct {
///     opaque certificate_request_context<0..2^8-1>;
///     CertificateEntry certificate_list<0..2^24-1>;
/// } Certificate;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificates(pub(crate) Vec<Vec<u8>>);

/// A chain that is longer is refused: peers have one, servers of the web three or four.
const MAX_CERTIFICATES: usize = 16;

impl Certificates {
    pub(crate) fn parse(version: DtlsVersion, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let is_1_3 = version == DtlsVersion::V1_3;
        // RFC 8446 §4.4.2: in the handshake, the context is empty.
        if is_1_3 && !reader.vec8()?.is_empty() {
            return Err(DecodeError);
        }
        let mut list = reader.vec24()?;
        reader.end()?;
        let mut certificates = Vec::new();
        while !list.is_empty() {
            let certificate = list.vec24()?.rest();
            if is_1_3 {
                list.vec16()?;
            }
            if certificate.is_empty() || certificates.len() == MAX_CERTIFICATES {
                return Err(DecodeError);
            }
            certificates.push(certificate.to_vec());
        }
        Ok(Self(certificates))
    }

    /// Ours: one.
    pub(crate) fn write(version: DtlsVersion, certificate: &[u8]) -> Vec<u8> {
        let is_1_3 = version == DtlsVersion::V1_3;
        let mut out = Vec::with_capacity(certificate.len() + 9);
        if is_1_3 {
            out.vec8(|_| ());
        }
        out.vec24(|out| {
            out.vec24(|out| out.bytes(certificate));
            if is_1_3 {
                out.vec16(|_| ());
            }
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_round_trips_in_either_version() {
        for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
            let body = Certificates::write(version, b"leaf");
            let parsed = Certificates::parse(version, &body).unwrap();
            assert_eq!(parsed.0, [b"leaf".to_vec()]);
            for len in 0..body.len() {
                assert!(Certificates::parse(version, &body[..len]).is_err());
            }
        }
    }

    #[test]
    fn an_empty_list_is_read_and_an_endless_one_refused() {
        let none = Certificates::parse(DtlsVersion::V1_2, &[0, 0, 0]);
        assert_eq!(none, Ok(Certificates(Vec::new())));
        let mut endless = Vec::new();
        endless.vec24(|out| (0..=MAX_CERTIFICATES).for_each(|_| out.bytes(&[0, 0, 1, 9])));
        assert!(Certificates::parse(DtlsVersion::V1_2, &endless).is_err());
    }
}
