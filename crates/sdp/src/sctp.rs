//! What a data section says about its association (RFC 8841).

use crate::base64;
use crate::error::AttributeError;
use crate::line::attribute_number;
use crate::media::Media;

/// What no `a=max-message-size` means, in bytes (RFC 8841 §6.1).
pub const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65536;

impl Media {
    /// A data section: `m=application 9 UDP/DTLS/SCTP webrtc-datachannel` (RFC 8841 §4.3).
    #[must_use]
    pub fn data() -> Self {
        Self::new("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    }

    /// Whether this is a data section for data channels: `UDP/DTLS/SCTP` or `TCP/DTLS/SCTP` with
    /// the one format `webrtc-datachannel` (RFC 8841 §4.3), or the older `DTLS/SCTP` (RFC 9429 §5.1.2),
    /// whose format was a port number.
    #[must_use]
    pub fn is_data(&self) -> bool {
        let [format] = self.formats.as_slice() else {
            return false;
        };
        self.kind == "application"
            && match self.protocol.as_str() {
                "UDP/DTLS/SCTP" | "TCP/DTLS/SCTP" => format == "webrtc-datachannel",
                "DTLS/SCTP" => true,
                _ => false,
            }
    }

    /// `a=sctp-port` (RFC 8841 §5). 0 closes the association.
    ///
    /// In the older form, `m=application 9 DTLS/SCTP 5000` with `a=sctpmap`, the port is the format.
    ///
    /// # Errors
    ///
    /// If it is not a number up to 65535, or stands twice.
    pub fn sctp_port(&self) -> Result<Option<u16>, AttributeError> {
        match (self.single_attribute("sctp-port")?, self.formats.first()) {
            (Some(port), _) => attribute_number("sctp-port", port).map(Some),
            (None, Some(port)) if self.protocol == "DTLS/SCTP" => {
                Ok(attribute_number("sctp-port", port).ok())
            }
            (None, _) => Ok(None),
        }
    }

    /// `a=sctp-init`: the INIT chunk of the sender's association (draft-hancke-tsvwg-snap §4).
    /// Whether the bytes are one is for SCTP to say.
    ///
    /// # Errors
    ///
    /// If it is not base64, or stands twice.
    pub fn sctp_init(&self) -> Result<Option<Vec<u8>>, AttributeError> {
        self.single_attribute("sctp-init")?
            .map(|text| base64::decode(text).ok_or(AttributeError::malformed("sctp-init")))
            .transpose()
    }

    /// Adds `a=sctp-init` with this chunk.
    pub fn push_sctp_init(&mut self, chunk: &[u8]) {
        self.push("sctp-init", base64::encode(chunk));
    }

    /// `a=max-message-size`, in bytes (RFC 8841 §6.1). 0 means any size; `None` that nothing was
    /// said, which means [`DEFAULT_MAX_MESSAGE_SIZE`].
    ///
    /// # Errors
    ///
    /// If it is not a number up to 2^64 - 1, or stands twice.
    pub fn max_message_size(&self) -> Result<Option<u64>, AttributeError> {
        self.single_attribute("max-message-size")?
            .map(|size| attribute_number("max-message-size", size))
            .transpose()
    }
}
