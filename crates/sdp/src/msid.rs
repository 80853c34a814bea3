//! Which media stream and track a section carries (RFC 8830 §2).
//!
//! ```text
//! msid-value = msid-id [ SP msid-appdata ]
//! ```

use crate::error::AttributeError;
use crate::line::fields;
use crate::media::Media;
use std::fmt;

/// An `a=msid` line (RFC 8830 §2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Msid {
    /// The media stream; `-` for none.
    pub stream: String,
    /// The track's name in the description (RFC 9429 §5.2.1 writes none that matters).
    pub track: Option<String>,
}

impl Msid {
    /// What stands for no stream (RFC 8830 §2).
    pub const NO_STREAM: &str = "-";

    /// The stream, unless it is `-`.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        Some(self.stream.as_str()).filter(|stream| *stream != Self::NO_STREAM)
    }

    /// RFC 8830 §2 wants tokens of at most 64 characters; peers put other visible text there.
    pub(crate) fn parse(value: &str) -> Result<Self, AttributeError> {
        let mut fields = fields(value).map(String::from);
        match (fields.next(), fields.next(), fields.next()) {
            (Some(stream), track, None) => Ok(Self { stream, track }),
            _ => Err(AttributeError::malformed("msid")),
        }
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream)?;
        match &self.track {
            Some(track) => write!(f, " {track}"),
            None => Ok(()),
        }
    }
}

impl Media {
    /// The section's streams, in order: one line for each stream of its track.
    ///
    /// Older peers write them for each source instead: [`SsrcAttribute::msid`](crate::SsrcAttribute::msid).
    ///
    /// # Errors
    ///
    /// If a line has no field, or more than two.
    pub fn msids(&self) -> Result<Vec<Msid>, AttributeError> {
        self.attributes("msid").map(Msid::parse).collect()
    }
}
