use crate::codec::DecodeError;

/// An alert (RFC 8446 §6).
///
/// ```text
///  0                   1
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     level     |  description  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// IANA's number.
    pub(crate) description: u8,
}

/// The level of [`Alert::CLOSE_NOTIFY`] and [`Alert::NO_RENEGOTIATION`].
const WARNING: u8 = 1;
/// The level of all others.
const FATAL: u8 = 2;

impl Alert {
    /// The session ends well.
    pub(crate) const CLOSE_NOTIFY: Self = Self { description: 0 };
    /// A message that does not belong here.
    pub(crate) const UNEXPECTED_MESSAGE: Self = Self { description: 10 };
    /// More records failed to open than a key may see.
    pub(crate) const BAD_RECORD_MAC: Self = Self { description: 20 };
    /// Nothing in common.
    pub(crate) const HANDSHAKE_FAILURE: Self = Self { description: 40 };
    /// The peer's certificate has none of the signalled fingerprints (RFC 8122 §6.2).
    pub(crate) const BAD_CERTIFICATE: Self = Self { description: 42 };
    /// A certificate whose key we cannot use.
    pub(crate) const UNSUPPORTED_CERTIFICATE: Self = Self { description: 43 };
    /// A field that contradicts another.
    pub(crate) const ILLEGAL_PARAMETER: Self = Self { description: 47 };
    /// A message that does not parse.
    pub(crate) const DECODE_ERROR: Self = Self { description: 50 };
    /// A signature or a Finished that does not verify.
    pub(crate) const DECRYPT_ERROR: Self = Self { description: 51 };
    /// No version in common.
    pub(crate) const PROTOCOL_VERSION: Self = Self { description: 70 };
    /// Our own primitives failed.
    pub(crate) const INTERNAL_ERROR: Self = Self { description: 80 };
    /// RFC 5246 §7.2.2: an answer to HelloRequest.
    pub(crate) const NO_RENEGOTIATION: Self = Self { description: 100 };
    /// A message without an extension that it must have.
    pub(crate) const MISSING_EXTENSION: Self = Self { description: 109 };
    /// An answer to what was not asked.
    pub(crate) const UNSUPPORTED_EXTENSION: Self = Self { description: 110 };
    /// No certificate where one is demanded (1.3).
    pub(crate) const CERTIFICATE_REQUIRED: Self = Self { description: 116 };

    /// A warning, or fatal (RFC 5246 §7.2).
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::CLOSE_NOTIFY | Self::NO_RENEGOTIATION => WARNING,
            _ => FATAL,
        }
    }

    /// The content of its record.
    pub(crate) fn to_bytes(self) -> [u8; 2] {
        [self.level(), self.description]
    }

    /// Reads the content of an alert record; `None` unless it is fatal.
    pub(crate) fn parse_fatal(content: &[u8]) -> Option<Self> {
        match *content {
            [FATAL, description] => Some(Self { description }),
            _ => None,
        }
    }
}

/// Why a handshake cannot go on: what the peer is told, and what our owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) alert: Alert,
    pub(crate) reason: &'static str,
}

impl Failure {
    pub(crate) fn new(alert: Alert, reason: &'static str) -> Self {
        Self { alert, reason }
    }

    /// A primitive of ours failed.
    pub(crate) fn of_crypto(_: crypto::Error) -> Self {
        Self::new(Alert::INTERNAL_ERROR, "a cryptographic primitive failed")
    }
}

impl From<DecodeError> for Failure {
    fn from(_: DecodeError) -> Self {
        Self::new(Alert::DECODE_ERROR, "a message does not parse")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fatal_alerts_are_read() {
        assert_eq!(Alert::parse_fatal(&[2, 42]), Some(Alert::BAD_CERTIFICATE));
        for content in [&[1, 0][..], &[2], &[2, 42, 0], &[]] {
            assert_eq!(Alert::parse_fatal(content), None);
        }
    }

    #[test]
    fn only_goodbye_and_no_renegotiation_are_warnings() {
        assert_eq!(Alert::CLOSE_NOTIFY.to_bytes(), [1, 0]);
        assert_eq!(Alert::NO_RENEGOTIATION.to_bytes(), [1, 100]);
        assert_eq!(Alert::DECRYPT_ERROR.to_bytes(), [2, 51]);
    }
}
