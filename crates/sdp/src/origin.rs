use crate::line::{NumberError, fields, number};

/// The `o=` line (RFC 8866 §5.2): who made the description, and which version of it this is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The user, `-` for none; no spaces.
    pub username: String,
    /// The session's id. An endpoint of WebRTC draws 63 random bits (RFC 9429 §5.2.1).
    pub session_id: u64,
    /// Grows by one with every changed description.
    pub session_version: u64,
    /// Network type, address type and address, as written: `IN IP4 0.0.0.0`.
    pub address: String,
}

impl Origin {
    /// The origin of WebRTC endpoints: no user, no address (RFC 9429 §5.2.1).
    #[must_use]
    pub fn new(session_id: u64, session_version: u64) -> Self {
        Self {
            username: "-".into(),
            session_id,
            session_version,
            address: "IN IP4 0.0.0.0".into(),
        }
    }

    pub(crate) fn parse(value: &str) -> Result<Self, NumberError> {
        let mut fields = fields(value);
        let mut next = || fields.next().ok_or(NumberError::Malformed);
        let (username, id, version) = (next()?, next()?, next()?);
        let address = [next()?, next()?, next()?];
        if fields.next().is_some() {
            return Err(NumberError::Malformed);
        }
        Ok(Self {
            username: username.into(),
            session_id: number(id)?,
            session_version: number(version)?,
            address: address.join(" "),
        })
    }
}

impl Default for Origin {
    /// Id 0, version 0.
    fn default() -> Self {
        Self::new(0, 0)
    }
}
