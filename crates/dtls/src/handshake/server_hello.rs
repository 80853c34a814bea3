use super::client_hello::LEGACY_VERSION;
use crate::codec::{DecodeError, Reader, Write};
use crate::extension::{self, Extensions, KeyShare};

/// ServerHello of both versions, and HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4, RFC 5246 §7.4.1.3).
///
/// ```text
/// struct {
///     ProtocolVersion legacy_version = { 254,253 };  // DTLSv1.2
///     Random random;
///     opaque legacy_session_id_echo<0..32>;
///     CipherSuite cipher_suite;
///     uint8 legacy_compression_method = 0;
///     Extension extensions<6..2^16-1>;
/// } ServerHello;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHello {
    pub(crate) legacy_version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) suite: u16,
    /// `supported_versions`, which 1.2 does not have.
    pub(crate) version: Option<u16>,
    /// The server's share.
    pub(crate) share: Option<KeyShare>,
    /// Of a HelloRetryRequest: the group that it wants a share of.
    pub(crate) retry_group: Option<u16>,
    /// Of a HelloRetryRequest.
    pub(crate) cookie: Option<Vec<u8>>,
    /// Of 1.2.
    pub(crate) extended_master_secret: bool,
    /// Of 1.2.
    pub(crate) secure_renegotiation: bool,
    /// Of 1.2.
    pub(crate) srtp_profile: Option<u16>,
    /// Of 1.2.
    pub(crate) protocol: Option<Vec<u8>>,
    /// It has made use of the name it was called by.
    pub(crate) knows_name: bool,
    /// Some extension that no client of ours asks for.
    pub(crate) has_unknown: bool,
}

/// The random of a HelloRetryRequest: SHA-256 of that name (RFC 8446 §4.1.3).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];
/// RFC 8446 §4.1.3: how the random of a server ends that knows 1.3 and takes 1.2.
pub(crate) const DOWNGRADE: [u8; 8] = *b"DOWNGRD\x01";

impl ServerHello {
    pub(crate) fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut hello = Self {
            legacy_version: reader.u16()?,
            random: reader.array()?,
            session_id: reader.vec8()?.rest().to_vec(),
            suite: reader.u16()?,
            ..Self::default()
        };
        if reader.u8()? != 0 || hello.session_id.len() > 32 {
            return Err(DecodeError);
        }
        if !reader.is_empty() {
            let extensions = Extensions::parse(reader.vec16()?)?;
            hello.read_extensions(&extensions)?;
        }
        reader.end()?;
        Ok(hello)
    }

    fn read_extensions(&mut self, extensions: &Extensions<'_>) -> Result<(), DecodeError> {
        let mut has_groups = false;
        for (id, body) in extensions.iter() {
            match id {
                extension::SUPPORTED_VERSIONS => {
                    self.version = Some(extension::supported_versions::parse_choice(body)?);
                }
                extension::KEY_SHARE if self.is_retry() => {
                    self.retry_group = Some(extension::key_share::parse_retry(body)?);
                }
                extension::KEY_SHARE => {
                    self.share = Some(extension::key_share::parse_answer(body)?);
                }
                extension::COOKIE => {
                    self.cookie = Some(extension::cookie::parse(body)?.to_vec());
                }
                extension::EXTENDED_MASTER_SECRET => self.extended_master_secret = true,
                extension::RENEGOTIATION_INFO => {
                    extension::renegotiation_info::parse(body)?;
                    self.secure_renegotiation = true;
                }
                extension::USE_SRTP => {
                    self.srtp_profile = Some(extension::use_srtp::parse_answer(body)?);
                }
                extension::ALPN => self.protocol = Some(extension::alpn::parse_answer(body)?),
                extension::SERVER_NAME => {
                    extension::server_name::parse_answer(body)?;
                    self.knows_name = true;
                }
                extension::EC_POINT_FORMATS => {}
                extension::SUPPORTED_GROUPS => has_groups = true,
                _ => self.has_unknown = true,
            }
        }
        // RFC 8446 §4.2.7: in 1.2 it is the client's alone, but there are servers that send theirs
        // (webrtc-dtls does), and nothing depends on it.
        self.has_unknown |= has_groups && self.version.is_some();
        Ok(())
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.u16(LEGACY_VERSION);
        out.bytes(&self.random);
        out.vec8(|out| out.bytes(&self.session_id));
        out.u16(self.suite);
        out.u8(0);
        out.vec16(|out| self.write_extensions(out));
        out
    }

    fn write_extensions(&self, out: &mut Vec<u8>) {
        if let Some(version) = self.version {
            extension::write(out, extension::SUPPORTED_VERSIONS, |out| out.u16(version));
        }
        if let Some(share) = &self.share {
            extension::write(out, extension::KEY_SHARE, |out| {
                extension::key_share::write_answer(out, share);
            });
        }
        if let Some(group) = self.retry_group {
            extension::write(out, extension::KEY_SHARE, |out| out.u16(group));
        }
        if let Some(cookie) = &self.cookie {
            extension::write(out, extension::COOKIE, |out| {
                extension::cookie::write(out, cookie);
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
        if let Some(profile) = self.srtp_profile {
            extension::write(out, extension::USE_SRTP, |out| {
                extension::use_srtp::write(out, &[profile]);
            });
        }
        if let Some(protocol) = &self.protocol {
            extension::write(out, extension::ALPN, |out| {
                extension::alpn::write(out, std::slice::from_ref(protocol));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_1_3() -> ServerHello {
        ServerHello {
            legacy_version: LEGACY_VERSION,
            random: [5; 32],
            suite: 0x1301,
            version: Some(0xFEFC),
            share: Some(KeyShare {
                group: 0x0017,
                key: vec![4; 65],
            }),
            ..ServerHello::default()
        }
    }

    #[test]
    fn a_server_hello_of_either_version_round_trips() {
        let of_1_2 = ServerHello {
            legacy_version: LEGACY_VERSION,
            random: [6; 32],
            session_id: vec![1; 32],
            suite: 0xC02B,
            extended_master_secret: true,
            secure_renegotiation: true,
            srtp_profile: Some(7),
            protocol: Some(b"webrtc".to_vec()),
            ..ServerHello::default()
        };
        for hello in [of_1_3(), of_1_2] {
            assert_eq!(ServerHello::parse(&hello.write()), Ok(hello));
        }
    }

    #[test]
    fn groups_of_a_server_are_overlooked_in_1_2_alone() {
        let of_1_2 = ServerHello {
            version: None,
            share: None,
            ..of_1_3()
        };
        for (hello, has_unknown) in [(of_1_2, false), (of_1_3(), true)] {
            let mut body = hello.write();
            body.extend([0, 10, 0, 4, 0, 2, 0, 0x17]);
            let at = 2 + 32 + 1 + 2 + 1;
            let len = u16::try_from(body.len() - at - 2).unwrap();
            body[at..at + 2].copy_from_slice(&len.to_be_bytes());
            assert_eq!(ServerHello::parse(&body).unwrap().has_unknown, has_unknown);
        }
    }

    // dtls-038
    #[test]
    fn a_hello_retry_request_round_trips() {
        let retry = ServerHello {
            random: RETRY_RANDOM,
            share: None,
            retry_group: Some(0x0017),
            cookie: Some(b"cookie".to_vec()),
            ..of_1_3()
        };
        assert!(retry.is_retry() && !of_1_3().is_retry());
        assert_eq!(ServerHello::parse(&retry.write()), Ok(retry));
    }

    #[test]
    fn cut_bodies_are_refused() {
        let body = of_1_3().write();
        // The extensions as a whole may be missing.
        let without = 2 + 32 + 1 + 2 + 1;
        for len in (0..body.len()).filter(|len| *len != without) {
            assert!(ServerHello::parse(&body[..len]).is_err(), "{len}");
        }
    }
}
