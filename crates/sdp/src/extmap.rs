//! Header extensions (RFC 8285 §5–§8): which identifier in the packets means which extension.
//!
//! ```text
//! extmap-value = mapentry SP extensionname [SP extensionattributes]
//! mapentry     = "extmap:" 1*5DIGIT ["/" direction]
//! ```

use crate::attribute::Attribute;
use crate::description::Description;
use crate::direction::Direction;
use crate::error::{AttributeError, AttributeErrorKind};
use crate::line::attribute_number;
use crate::media::Media;
use std::fmt;

/// An `a=extmap` line (RFC 8285 §8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtMap {
    /// The identifier: 1 to 14 fits the one-byte form, 1 to 255 the two-byte form. 4096 to 4351 are
    /// proposals that the answerer moves to a free one (RFC 8285 §7).
    pub id: u16,
    /// Which way it flows, if that is not what the section says.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: String,
    /// What the extension itself defines, such as the inner URI of an encrypted one (RFC 6904 §4).
    pub attributes: Option<String>,
}

/// The identifiers that a packet can carry; each may be used once (RFC 8285 §7).
const VALID_IDS: std::ops::RangeInclusive<u16> = 1..=255;

impl ExtMap {
    /// An extension that flows as the section does.
    #[must_use]
    pub fn new(id: u16, uri: impl Into<String>) -> Self {
        Self {
            id,
            direction: None,
            uri: uri.into(),
            attributes: None,
        }
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let malformed = AttributeError::malformed("extmap");
        let (entry, rest) = value.split_once(' ').ok_or(malformed)?;
        let (id, direction) = match entry.split_once('/') {
            Some((id, direction)) => (id, Some(Direction::named(direction).ok_or(malformed)?)),
            None => (entry, None),
        };
        let rest = rest.trim_matches(' ');
        let (uri, attributes) = match rest.split_once(' ') {
            Some((uri, attributes)) => (uri, Some(attributes.trim_start_matches(' ').into())),
            None => (rest, None),
        };
        match attribute_number("extmap", id)? {
            0 => Err(AttributeError::new(
                "extmap",
                AttributeErrorKind::OutOfRange,
            )),
            _ if uri.is_empty() => Err(malformed),
            id => Ok(Self {
                id,
                direction,
                uri: uri.into(),
                attributes,
            }),
        }
    }
}

impl fmt::Display for ExtMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(f, "/{direction}")?;
        }
        write!(f, " {}", self.uri)?;
        match &self.attributes {
            Some(attributes) => write!(f, " {attributes}"),
            None => Ok(()),
        }
    }
}

/// RFC 8285 §7: an identifier stands once, unless it is a proposal.
fn of(attributes: &[Attribute]) -> Result<Vec<ExtMap>, AttributeError> {
    let maps: Result<Vec<ExtMap>, _> = crate::attribute::all(attributes, "extmap")
        .map(ExtMap::parse)
        .collect();
    let maps = maps?;
    let mut ids: Vec<u16> = maps.iter().map(|map| map.id).collect();
    ids.sort_unstable();
    let is_repeated = |pair: &[u16]| pair[0] == pair[1] && VALID_IDS.contains(&pair[0]);
    if ids.windows(2).any(is_repeated) {
        return Err(AttributeError::new("extmap", AttributeErrorKind::Duplicate));
    }
    Ok(maps)
}

impl Media {
    /// The section's `a=extmap` lines, in order.
    ///
    /// # Errors
    ///
    /// If one is malformed, has the identifier 0 or one over 65535, or two have the same identifier
    /// below 256.
    pub fn ext_maps(&self) -> Result<Vec<ExtMap>, AttributeError> {
        of(&self.attributes)
    }

    /// `a=extmap-allow-mixed` of the section or of the whole description (RFC 8285 §6): one stream
    /// may have packets of the one-byte and of the two-byte form.
    #[must_use]
    pub fn allows_mixed_ext_maps(&self, description: &Description) -> bool {
        self.has_attribute("extmap-allow-mixed") || description.allows_mixed_ext_maps()
    }
}

impl Description {
    /// The `a=extmap` lines at session level, which are valid for every section (RFC 8285 §5).
    ///
    /// # Errors
    ///
    /// As [`Media::ext_maps`].
    pub fn ext_maps(&self) -> Result<Vec<ExtMap>, AttributeError> {
        of(&self.attributes)
    }

    /// `a=extmap-allow-mixed` at session level (RFC 8285 §6).
    #[must_use]
    pub fn allows_mixed_ext_maps(&self) -> bool {
        self.has_attribute("extmap-allow-mixed")
    }
}
