//! Sources that belong together (RFC 5576 §4.2).
//!
//! ```text
//! ssrc-group-attr = "ssrc-group:" semantics *(SP ssrc-id)
//! ```

use crate::error::AttributeError;
use crate::line::{attribute_number, fields, is_token};
use crate::media::Media;
use std::fmt;

/// An `a=ssrc-group` line (RFC 5576 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcGroup {
    /// What the group means: [`FID`](Self::FID), [`SIM`](Self::SIM), [`FEC_FR`](Self::FEC_FR).
    pub semantics: String,
    /// Its sources, in order.
    pub ssrcs: Vec<u32>,
}

impl SsrcGroup {
    /// A source and its retransmissions (RFC 4588 §8.8).
    pub const FID: &str = "FID";
    /// Layers of a simulcast, from before [`Rid`](crate::Rid); lowest first.
    pub const SIM: &str = "SIM";
    /// A source and its repair (RFC 5956 §4.3).
    pub const FEC_FR: &str = "FEC-FR";

    /// A group of that meaning.
    #[must_use]
    pub fn new(semantics: impl Into<String>, ssrcs: impl IntoIterator<Item = u32>) -> Self {
        Self {
            semantics: semantics.into(),
            ssrcs: ssrcs.into_iter().collect(),
        }
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let mut fields = fields(value);
        let semantics = fields.next().filter(|semantics| is_token(semantics));
        let ssrcs: Result<Vec<u32>, _> = fields
            .map(|ssrc| attribute_number("ssrc-group", ssrc))
            .collect();
        Ok(Self {
            semantics: semantics
                .ok_or(AttributeError::malformed("ssrc-group"))?
                .into(),
            ssrcs: ssrcs?,
        })
    }
}

impl fmt::Display for SsrcGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))
    }
}

impl Media {
    /// The section's `a=ssrc-group` lines, in order.
    ///
    /// # Errors
    ///
    /// If one is malformed, or a source is larger than 2^32 - 1.
    pub fn ssrc_groups(&self) -> Result<Vec<SsrcGroup>, AttributeError> {
        self.attributes("ssrc-group")
            .map(SsrcGroup::parse)
            .collect()
    }
}
