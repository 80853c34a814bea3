//! Attributes of single sources (RFC 5576 §4.1).
//!
//! ```text
//! ssrc-attr = "ssrc:" ssrc-id SP attribute
//! ```

use crate::error::AttributeError;
use crate::line::{attribute_number, is_token};
use crate::media::Media;
use crate::msid::Msid;
use std::fmt;

/// An `a=ssrc` line (RFC 5576 §4.1): one attribute of one source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcAttribute {
    /// The source.
    pub ssrc: u32,
    /// The attribute's name: `cname` (RFC 5576 §6.1), `msid`.
    pub name: String,
    /// The attribute's value; `None` for a flag.
    pub value: Option<String>,
}

impl SsrcAttribute {
    /// `a=ssrc:… cname:…`: the source's canonical name (RFC 5576 §6.1).
    #[must_use]
    pub fn cname(ssrc: u32, cname: impl Into<String>) -> Self {
        Self {
            ssrc,
            name: "cname".into(),
            value: Some(cname.into()),
        }
    }

    /// The stream and track, if this is the line `a=ssrc:… msid:…` with which older peers name them.
    #[must_use]
    pub fn msid(&self) -> Option<Msid> {
        match &self.value {
            Some(value) if self.name == "msid" => Msid::parse(value).ok(),
            _ => None,
        }
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let malformed = AttributeError::malformed("ssrc");
        let (ssrc, attribute) = value.split_once(' ').ok_or(malformed)?;
        let attribute = attribute.trim_start_matches(' ');
        let (name, value) = match attribute.split_once(':') {
            Some((name, value)) => (name, Some(value.into())),
            None => (attribute, None),
        };
        if !is_token(name) {
            return Err(malformed);
        }
        Ok(Self {
            ssrc: attribute_number("ssrc", ssrc)?,
            name: name.into(),
            value,
        })
    }
}

impl fmt::Display for SsrcAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ssrc, self.name)?;
        match &self.value {
            Some(value) => write!(f, ":{value}"),
            None => Ok(()),
        }
    }
}

impl Media {
    /// The section's `a=ssrc` lines, in order; a source may have several.
    ///
    /// # Errors
    ///
    /// If one is malformed, or its source is larger than 2^32 - 1.
    pub fn ssrcs(&self) -> Result<Vec<SsrcAttribute>, AttributeError> {
        self.attributes("ssrc").map(SsrcAttribute::parse).collect()
    }
}
