use crate::codec::{DecodeError, Reader, Write};

/// CertificateVerify, the same in both versions (RFC 8446 §4.4.3, RFC 5246 §7.4.8).
///
/// ```text
/// struct {
///     SignatureScheme algorithm;
///     opaque signature<0..2^16-1>;
/// } CertificateVerify;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateVerify {
    pub(crate) scheme: u16,
    pub(crate) signature: Vec<u8>,
}

/// Who signs, which 1.3 writes into what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Client,
    Server,
}

impl CertificateVerify {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let scheme = reader.u16()?;
        let signature = reader.vec16()?.rest().to_vec();
        reader.end()?;
        Ok(Self { scheme, signature })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.signature.len() + 4);
        out.u16(self.scheme);
        out.vec16(|out| out.bytes(&self.signature));
        out
    }
}

/// What a CertificateVerify of 1.3 signs (RFC 8446 §4.4.3): 64 spaces, who signs, a zero, and the
/// hash of the transcript.
pub(crate) fn signed_content(signer: Signer, transcript_hash: &[u8]) -> Vec<u8> {
    let mut out = vec![0x20; 64];
    out.bytes(match signer {
        Signer::Client => b"TLS 1.3, client CertificateVerify\0",
        Signer::Server => b"TLS 1.3, server CertificateVerify\0",
    });
    out.bytes(transcript_hash);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_verify_round_trips() {
        let verify = CertificateVerify {
            scheme: 0x0403,
            signature: vec![1; 70],
        };
        let body = verify.write();
        assert_eq!(CertificateVerify::parse(&body), Ok(verify));
        assert!(CertificateVerify::parse(&body[..body.len() - 1]).is_err());
    }

    /// The example of RFC 8446 §4.4.3.
    #[test]
    fn what_is_signed_is_that_of_the_example() {
        let content = signed_content(Signer::Server, &[1; 32]);
        assert_eq!(content.len(), 64 + 33 + 1 + 32);
        assert_eq!(content[63..66], [0x20, 0x54, 0x4C]);
        assert_eq!(content[96..99], [0x79, 0, 1]);
    }
}
