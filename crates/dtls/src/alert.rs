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

impl Alert {
    /// The session ends well.
    pub(crate) const CLOSE_NOTIFY: Self = Self { description: 0 };
    /// The peer's certificate has none of the signalled fingerprints (RFC 8122 §6.2).
    pub(crate) const BAD_CERTIFICATE: Self = Self { description: 42 };

    /// A warning for `close_notify`, fatal for the rest (RFC 5246 §7.2).
    pub(crate) fn level(self) -> u8 {
        if self == Self::CLOSE_NOTIFY { 1 } else { 2 }
    }

    /// Reads the content of an alert record; `None` unless it is fatal.
    pub(crate) fn parse_fatal(content: &[u8]) -> Option<Self> {
        match *content {
            [2, description] => Some(Self { description }),
            _ => None,
        }
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
}
