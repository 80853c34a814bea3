use std::fmt;
use std::str::FromStr;

/// Who opens the DTLS session: the value of `a=setup` (RFC 4145 §4, RFC 8842 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// This end does: it is the DTLS client.
    Active,
    /// The other end does.
    Passive,
    /// Either can; only in offers.
    ActPass,
    /// Nobody for now. Not used in WebRTC (RFC 8842 §5.3).
    HoldConn,
}

impl Setup {
    /// The value, as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }
}

impl FromStr for Setup {
    type Err = UnknownSetup;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn]
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownSetup)
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of the four values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSetup;

impl fmt::Display for UnknownSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a value of the setup attribute")
    }
}

impl std::error::Error for UnknownSetup {}
