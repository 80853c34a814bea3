use crate::codec::{DecodeError, Reader, Write};
use crate::extension::{self, Extensions};

/// EncryptedExtensions (RFC 8446 §4.3.1).
///
/// ```text
/// struct {
///     Extension extensions<0..2^16-1>;
/// } EncryptedExtensions;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptedExtensions {
    pub(crate) srtp_profile: Option<u16>,
    pub(crate) protocol: Option<Vec<u8>>,
    /// The server has made use of the name it was called by.
    pub(crate) knows_name: bool,
    /// Some extension that no client of ours asks for.
    pub(crate) has_unknown: bool,
}

impl EncryptedExtensions {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let extensions = Extensions::parse(reader.vec16()?)?;
        reader.end()?;
        let mut found = Self::default();
        for (id, body) in extensions.iter() {
            match id {
                extension::USE_SRTP => {
                    found.srtp_profile = Some(extension::use_srtp::parse_answer(body)?);
                }
                extension::ALPN => found.protocol = Some(extension::alpn::parse_answer(body)?),
                extension::SERVER_NAME => {
                    extension::server_name::parse_answer(body)?;
                    found.knows_name = true;
                }
                // RFC 8446 §4.2.7: what the server would have liked better, for another time.
                extension::SUPPORTED_GROUPS => {}
                _ => found.has_unknown = true,
            }
        }
        Ok(found)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.vec16(|out| {
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
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_extensions_round_trip() {
        let some = EncryptedExtensions {
            srtp_profile: Some(7),
            protocol: Some(b"webrtc".to_vec()),
            ..EncryptedExtensions::default()
        };
        for message in [some, EncryptedExtensions::default()] {
            let body = message.write();
            assert_eq!(EncryptedExtensions::parse(&body), Ok(message));
            assert!(EncryptedExtensions::parse(&body[..body.len() - 1]).is_err());
        }
    }
}
