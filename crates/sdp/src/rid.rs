//! Restricted streams with a name (RFC 8851 §10).
//!
//! ```text
//! rid-syntax        = "a=rid:" rid-id SP rid-dir [ rid-pt-param-list / rid-param-list ]
//! rid-dir           = "send" / "recv"
//! rid-pt-param-list = SP "pt=" fmt *( "," fmt ) *(";" rid-param)
//! rid-param-list    = SP rid-param *(";" rid-param)
//! ```

use crate::line::{fields, is_token};
use crate::media::Media;
use std::fmt;

/// Which way a restricted stream flows, as the writer of the description sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// The writer sends it.
    Send,
    /// The writer receives it.
    Recv,
}

impl RidDirection {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Recv => "recv",
        }
    }

    /// The same flow, as the reader sees it.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Send => Self::Recv,
            Self::Recv => Self::Send,
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        [Self::Send, Self::Recv]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An `a=rid` line (RFC 8851 §4): a stream, told apart by its name in the packets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rid {
    /// The name: letters, digits, `-`, `_`.
    pub id: String,
    /// Which way it flows.
    pub direction: RidDirection,
    /// `pt=`: the payload types it may have; empty for all of the section.
    pub formats: Vec<String>,
    /// What else restricts it (RFC 8851 §5), in order: `max-width` and `Some("1280")`.
    pub restrictions: Vec<(String, Option<String>)>,
}

impl Rid {
    /// A stream without restrictions.
    #[must_use]
    pub fn new(id: impl Into<String>, direction: RidDirection) -> Self {
        Self {
            id: id.into(),
            direction,
            formats: Vec::new(),
            restrictions: Vec::new(),
        }
    }

    /// The value of a restriction; `None` if it is absent or has no value.
    #[must_use]
    pub fn restriction(&self, name: &str) -> Option<&str> {
        let mut named = self.restrictions.iter().filter(|(key, _)| key == name);
        named.next().and_then(|(_, value)| value.as_deref())
    }

    fn parse(value: &str) -> Option<Self> {
        let mut fields = fields(value);
        let (id, direction) = (fields.next()?, fields.next()?);
        if !is_rid_id(id) {
            return None;
        }
        let mut rid = Self::new(id, RidDirection::named(direction)?);
        // No space belongs into the list, but some writers put one behind a semicolon.
        let list: Vec<&str> = fields.collect();
        let list = list.concat();
        for (index, parameter) in list.split(';').filter(|text| !text.is_empty()).enumerate() {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            };
            match (name, value) {
                // RFC 8851 §4: the payload types come first.
                ("pt", Some(formats)) if index == 0 => {
                    rid.formats = formats.split(',').map(String::from).collect();
                }
                ("pt", _) => return None,
                _ if !is_restriction(name) => return None,
                _ => rid
                    .restrictions
                    .push((name.into(), value.map(String::from))),
            }
        }
        let is_read = rid.formats.iter().all(|format| is_token(format));
        is_read.then_some(rid)
    }
}

/// RFC 8851 §10, `rid-id`.
pub(crate) fn is_rid_id(text: &str) -> bool {
    let of_rid_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(of_rid_id)
}

/// RFC 8851 §10, the name in `rid-param`.
fn is_restriction(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !name.is_empty() && name.bytes().all(of_name)
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        let mut separator = ' ';
        if !self.formats.is_empty() {
            write!(f, "{separator}pt={}", self.formats.join(","))?;
            separator = ';';
        }
        for (name, value) in &self.restrictions {
            write!(f, "{separator}{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
            separator = ';';
        }
        Ok(())
    }
}

impl Media {
    /// The section's `a=rid` lines, in order, after the checks that need only the section
    /// (RFC 8851 §6.2.2, steps 1 to 3): a malformed line is discarded, so are all that share a name,
    /// payload types that are not on the `m=` line, and a line that has none left.
    #[must_use]
    pub fn rids(&self) -> Vec<Rid> {
        let lines: Vec<Rid> = self.attributes("rid").filter_map(Rid::parse).collect();
        let mut ids: Vec<&str> = lines.iter().map(|rid| rid.id.as_str()).collect();
        ids.sort_unstable();
        let stands_once = |rid: &&Rid| {
            let first = ids.partition_point(|id| *id < rid.id.as_str());
            ids.get(first + 1) != Some(&rid.id.as_str())
        };
        let of_section = |mut rid: Rid| {
            let is_restricted = !rid.formats.is_empty();
            rid.formats.retain(|format| self.formats.contains(format));
            (!is_restricted || !rid.formats.is_empty()).then_some(rid)
        };
        let unique = lines.iter().filter(stands_once).cloned();
        unique.filter_map(of_section).collect()
    }
}
