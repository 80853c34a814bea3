use crate::codec::{DecodeError, Reader, Write};
use crate::extension::{self, Extensions, KeyShare};

/// ClientHello of both versions (RFC 8446 §4.1.2, RFC 9147 §5.3, RFC 6347 §4.2.1).
///
/// ```text
/// struct {
///     ProtocolVersion legacy_version = { 254,253 }; // DTLSv1.2
///     Random random;
///     opaque legacy_session_id<0..32>;
///     opaque legacy_cookie<0..2^8-1>;                  // DTLS
///     CipherSuite cipher_suites<2..2^16-2>;
///     opaque legacy_compression_methods<1..2^8-1>;
///     Extension extensions<8..2^16-1>;
/// } ClientHello;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// The newest version that is not in an extension.
    pub(crate) legacy_version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    /// From a HelloVerifyRequest.
    pub(crate) legacy_cookie: Vec<u8>,
    pub(crate) suites: Vec<u16>,
    /// `supported_versions`; `None` of a peer that knows 1.2 at most.
    pub(crate) versions: Option<Vec<u16>>,
    pub(crate) groups: Vec<u16>,
    /// `None` without the extension.
    pub(crate) shares: Option<Vec<KeyShare>>,
    pub(crate) signature_schemes: Vec<u16>,
    /// The profiles of `use_srtp`; empty without it.
    pub(crate) srtp_profiles: Vec<u16>,
    /// From a HelloRetryRequest.
    pub(crate) cookie: Option<Vec<u8>>,
    /// ALPN.
    pub(crate) protocols: Vec<Vec<u8>>,
    /// SNI.
    pub(crate) server_name: Option<String>,
    pub(crate) extended_master_secret: bool,
    /// `renegotiation_info`, or the suite number that stands for it (RFC 5746 §3.3).
    pub(crate) secure_renegotiation: bool,
}

/// What both versions say as `legacy_version`.
pub(crate) const LEGACY_VERSION: u16 = 0xFEFD;
/// RFC 5746 §3.3: TLS_EMPTY_RENEGOTIATION_INFO_SCSV.
const EMPTY_RENEGOTIATION_INFO: u16 = 0x00FF;
/// No compression (RFC 8827 §6.5 allows no other).
const NULL_COMPRESSION: u8 = 0;

impl ClientHello {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut hello = Self {
            legacy_version: reader.u16()?,
            random: reader.array()?,
            session_id: reader.vec8()?.rest().to_vec(),
            legacy_cookie: reader.vec8()?.rest().to_vec(),
            suites: reader.vec16()?.all_u16()?,
            ..Self::default()
        };
        if !reader.vec8()?.rest().contains(&NULL_COMPRESSION) {
            return Err(DecodeError);
        }
        hello.secure_renegotiation = hello.suites.contains(&EMPTY_RENEGOTIATION_INFO);
        if !reader.is_empty() {
            let extensions = Extensions::parse(reader.vec16()?)?;
            hello.read_extensions(&extensions)?;
        }
        reader.end()?;
        Ok(hello)
    }

    fn read_extensions(&mut self, extensions: &Extensions<'_>) -> Result<(), DecodeError> {
        for (id, body) in extensions.iter() {
            match id {
                extension::SUPPORTED_VERSIONS => {
                    self.versions = Some(extension::supported_versions::parse_offer(body)?);
                }
                extension::SUPPORTED_GROUPS => {
                    self.groups = extension::supported_groups::parse(body)?;
                }
                extension::KEY_SHARE => {
                    self.shares = Some(extension::key_share::parse_offer(body)?);
                }
                extension::SIGNATURE_ALGORITHMS => {
                    self.signature_schemes = extension::signature_algorithms::parse(body)?;
                }
                extension::USE_SRTP => {
                    self.srtp_profiles = extension::use_srtp::parse(body)?;
                }
                extension::COOKIE => {
                    self.cookie = Some(extension::cookie::parse(body)?.to_vec());
                }
                extension::ALPN => self.protocols = extension::alpn::parse(body)?,
                extension::SERVER_NAME => {
                    self.server_name = Some(extension::server_name::parse(body)?);
                }
                extension::EXTENDED_MASTER_SECRET => self.extended_master_secret = true,
                extension::RENEGOTIATION_INFO => {
                    extension::renegotiation_info::parse(body)?;
                    self.secure_renegotiation = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.u16(self.legacy_version);
        out.bytes(&self.random);
        out.vec8(|out| out.bytes(&self.session_id));
        out.vec8(|out| out.bytes(&self.legacy_cookie));
        out.vec16(|out| self.suites.iter().for_each(|id| out.u16(*id)));
        out.vec8(|out| out.u8(NULL_COMPRESSION));
        out.vec16(|out| self.write_extensions(out));
        out
    }

    fn write_extensions(&self, out: &mut Vec<u8>) {
        if let Some(name) = &self.server_name {
            extension::write(out, extension::SERVER_NAME, |out| {
                extension::server_name::write(out, name);
            });
        }
        if let Some(versions) = &self.versions {
            extension::write(out, extension::SUPPORTED_VERSIONS, |out| {
                extension::supported_versions::write_offer(out, versions);
            });
        }
        extension::write(out, extension::SUPPORTED_GROUPS, |out| {
            extension::supported_groups::write(out, &self.groups);
        });
        extension::write(out, extension::SIGNATURE_ALGORITHMS, |out| {
            extension::signature_algorithms::write(out, &self.signature_schemes);
        });
        if !self.srtp_profiles.is_empty() {
            extension::write(out, extension::USE_SRTP, |out| {
                extension::use_srtp::write(out, &self.srtp_profiles);
            });
        }
        if !self.protocols.is_empty() {
            extension::write(out, extension::ALPN, |out| {
                extension::alpn::write(out, &self.protocols);
            });
        }
        if self.extended_master_secret {
            extension::write(out, extension::EXTENDED_MASTER_SECRET, |_| ());
            extension::write(out, extension::EC_POINT_FORMATS, |out| {
                extension::ec_point_formats::write(out);
            });
        }
        if self.secure_renegotiation {
            extension::write(out, extension::RENEGOTIATION_INFO, |out| {
                extension::renegotiation_info::write(out);
            });
        }
        if let Some(cookie) = &self.cookie {
            extension::write(out, extension::COOKIE, |out| {
                extension::cookie::write(out, cookie);
            });
        }
        if let Some(shares) = &self.shares {
            extension::write(out, extension::KEY_SHARE, |out| {
                extension::key_share::write_offer(out, shares);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> ClientHello {
        ClientHello {
            legacy_version: LEGACY_VERSION,
            random: [7; 32],
            session_id: Vec::new(),
            legacy_cookie: b"cookie".to_vec(),
            suites: vec![0x1301, 0xC02B],
            versions: Some(vec![0xFEFC, 0xFEFD]),
            groups: vec![0x001D, 0x0017],
            shares: Some(vec![KeyShare {
                group: 0x001D,
                key: vec![1; 32],
            }]),
            signature_schemes: vec![0x0403],
            srtp_profiles: vec![7, 1],
            cookie: Some(b"retry".to_vec()),
            protocols: vec![b"webrtc".to_vec()],
            server_name: Some("turn.example".to_owned()),
            extended_master_secret: true,
            secure_renegotiation: true,
        }
    }

    #[test]
    fn a_client_hello_round_trips() {
        let hello = hello();
        assert_eq!(ClientHello::parse(&hello.write()), Ok(hello));
    }

    /// The oldest form: no extensions at all (RFC 5246 §7.4.1.2).
    #[test]
    fn a_hello_without_extensions_is_read() {
        let mut body = vec![0xFE, 0xFF];
        body.extend([3; 32]);
        body.extend([0, 0, 0, 4, 0xC0, 0x2B, 0, 0xFF, 1, 0]);
        let hello = ClientHello::parse(&body).unwrap();
        assert_eq!(hello.suites, [0xC02B, 0x00FF]);
        assert!(hello.secure_renegotiation && hello.versions.is_none());
    }

    // dtls-003
    #[test]
    fn compression_alone_and_cut_bodies_are_refused() {
        let body = hello().write();
        let at = 2 + 32 + 1 + 7 + 6 + 1;
        // The extensions as a whole may be missing.
        for len in (0..body.len()).filter(|len| *len != at + 1) {
            assert!(ClientHello::parse(&body[..len]).is_err(), "{len}");
        }
        let mut body = body;
        assert_eq!(body[at - 1..=at], [1, NULL_COMPRESSION]);
        body[at] = 1;
        assert_eq!(ClientHello::parse(&body), Err(DecodeError));
    }
}
