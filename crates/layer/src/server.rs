use std::fmt;

/// A STUN or TURN server (W3C `RTCIceServer`, webrtc-pc §4.2.3).
///
/// `Debug` does not show the credential.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// The TURN user name; empty for STUN.
    pub username: String,
    /// The TURN password; empty for STUN.
    pub credential: String,
}

impl IceServer {
    /// A server without credentials.
    #[must_use]
    pub fn new(urls: Vec<String>) -> Self {
        Self {
            urls,
            ..Self::default()
        }
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Which candidates may be used (W3C `RTCIceTransportPolicy`, webrtc-pc §4.2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportPolicy {
    /// Every candidate.
    #[default]
    All,
    /// Relayed candidates only: the addresses of this host stay hidden.
    Relay,
    /// All but host candidates.
    NoHost,
}
