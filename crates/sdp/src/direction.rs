use crate::description::Description;
use crate::error::{AttributeError, AttributeErrorKind};
use crate::media::Media;
use std::fmt;

/// Which way media flows in a section (RFC 8866 §6.7), as the writer of the description sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways, which is also what no attribute means.
    #[default]
    SendRecv,
    /// The writer sends.
    SendOnly,
    /// The writer receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The same flow, as the reader sees it.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            both => both,
        }
    }

    /// The direction of that key.
    pub(crate) fn named(key: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.as_str() == key)
    }

    fn of(attributes: &[crate::Attribute]) -> Result<Option<Self>, AttributeError> {
        let mut found = attributes
            .iter()
            .filter_map(|attribute| Self::named(&attribute.key));
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(second) => Err(AttributeError::new(
                second.as_str(),
                AttributeErrorKind::Duplicate,
            )),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Media {
    /// The direction of an RTP section: its own, else the description's, else both ways. A data
    /// section's is without meaning (RFC 8841 §9.2).
    ///
    /// # Errors
    ///
    /// [`AttributeErrorKind::Duplicate`] if one level has two.
    pub fn direction(&self, description: &Description) -> Result<Direction, AttributeError> {
        let own = Direction::of(&self.attributes)?;
        let session = Direction::of(&description.attributes)?;
        Ok(own.or(session).unwrap_or_default())
    }
}
