//! The parameters of a payload type (RFC 8866 §6.15), in the form that WebRTC's codecs share.
//!
//! ```text
//! a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
//! ```

use crate::codec::payload_type;
use crate::error::AttributeError;
use crate::media::Media;
use std::fmt;

/// An `a=fmtp` line (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FormatParameters {
    /// The payload type.
    pub payload_type: u8,
    /// What the codec defines, as written: mostly `name=value` between semicolons, but
    /// `111/111` for RED (RFC 2198 §5) and `0-15` for telephone events (RFC 4733 §2.4.1).
    pub text: String,
}

impl FormatParameters {
    /// The text of one payload type.
    #[must_use]
    pub fn new(payload_type: u8, text: impl Into<String>) -> Self {
        Self {
            payload_type,
            text: text.into(),
        }
    }

    /// The value of a parameter; its name is compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        format_parameters(&self.text).find_map(|(key, value)| {
            key.eq_ignore_ascii_case(name)
                .then_some(value.unwrap_or(""))
        })
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let (number, text) = value
            .split_once(' ')
            .ok_or(AttributeError::malformed("fmtp"))?;
        Ok(Self::new(
            payload_type("fmtp", number)?,
            text.trim_matches(' '),
        ))
    }
}

impl fmt::Display for FormatParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.payload_type, self.text)
    }
}

/// Splits the text of an `a=fmtp` line into names and values, in order, without the spaces around
/// them: `apt=96` is `("apt", Some("96"))`, `0-15` is `("0-15", None)`.
pub fn format_parameters(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(';')
        .map(str::trim)
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (parameter, None),
        })
}

impl Media {
    /// The section's `a=fmtp` lines, in order.
    ///
    /// # Errors
    ///
    /// If one is malformed, or its payload type over 127.
    pub fn format_parameter_lines(&self) -> Result<Vec<FormatParameters>, AttributeError> {
        self.attributes("fmtp")
            .map(FormatParameters::parse)
            .collect()
    }
}
