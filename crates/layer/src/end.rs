use std::borrow::Cow;
use std::fmt;

/// Who brought a session to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blame {
    /// We closed it, on the owner's wish.
    Local,
    /// The peer closed it in the protocol's own way.
    Peer,
    /// The peer broke the protocol.
    Protocol,
    /// Nobody answered in time.
    Timeout,
    /// The peer is not who its description said (a certificate without a signalled fingerprint).
    Identity,
}

/// How a session ended: the blame, and what exactly happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// Who ended it.
    pub blame: Blame,
    /// The number the protocol gives: an SCTP cause code (RFC 9260 §3.3.10) or a TLS alert
    /// description (RFC 8446 §6). `None` where there was none.
    pub code: Option<u16>,
    /// What happened, in lower case, for people and logs. Never bytes of the peer as they are.
    pub reason: Cow<'static, str>,
}

impl End {
    /// An end without a protocol code.
    #[must_use]
    pub fn new(blame: Blame, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            blame,
            code: None,
            reason: reason.into(),
        }
    }

    /// The same end with the protocol's code.
    #[must_use]
    pub fn with_code(mut self, code: u16) -> Self {
        self.code = Some(code);
        self
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.blame {
            Blame::Local => "closed by us",
            Blame::Peer => "closed by the peer",
            Blame::Protocol => "the peer broke the protocol",
            Blame::Timeout => "timed out",
            Blame::Identity => "the peer is not who it claimed to be",
        };
        match self.code {
            Some(code) => write!(f, "{who}: {} (code {code})", self.reason),
            None => write!(f, "{who}: {}", self.reason),
        }
    }
}
