//! Which feedback messages a payload type may have (RFC 4585 §4.2).
//!
//! ```text
//! rtcp-fb-syntax = "a=rtcp-fb:" rtcp-fb-pt SP rtcp-fb-val
//! rtcp-fb-pt     = "*" / fmt
//! ```

use crate::codec::payload_type;
use crate::error::AttributeError;
use crate::media::Media;
use std::fmt;

/// An `a=rtcp-fb` line (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtcpFeedback {
    /// The payload type; `None` for `*`, all of the section.
    pub payload_type: Option<u8>,
    /// `nack`, `nack pli`, `ccm fir`, `transport-cc`, `goog-remb`.
    pub value: String,
}

impl RtcpFeedback {
    /// What one payload type may have.
    #[must_use]
    pub fn new(payload_type: u8, value: impl Into<String>) -> Self {
        Self {
            payload_type: Some(payload_type),
            value: value.into(),
        }
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let malformed = AttributeError::malformed("rtcp-fb");
        let (format, value) = value.split_once(' ').ok_or(malformed)?;
        let value = value.trim_matches(' ');
        if value.is_empty() {
            return Err(malformed);
        }
        let payload_type = match format {
            "*" => None,
            number => Some(payload_type("rtcp-fb", number)?),
        };
        Ok(Self {
            payload_type,
            value: value.into(),
        })
    }
}

impl fmt::Display for RtcpFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(f, "{payload_type} {}", self.value),
            None => write!(f, "* {}", self.value),
        }
    }
}

impl Media {
    /// The section's `a=rtcp-fb` lines, in order. [`rtcp_feedback`](Self::rtcp_feedback) gives those
    /// of one payload type, wildcards included.
    ///
    /// # Errors
    ///
    /// If one is malformed, or its payload type over 127.
    pub fn rtcp_feedback_lines(&self) -> Result<Vec<RtcpFeedback>, AttributeError> {
        self.attributes("rtcp-fb")
            .map(RtcpFeedback::parse)
            .collect()
    }
}
