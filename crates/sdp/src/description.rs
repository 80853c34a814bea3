use crate::attribute::{Attribute, attribute_verbs};
use crate::media::Media;
use crate::origin::Origin;
use crate::timing::Timing;

/// A session description: an offer or an answer (RFC 8866 §5).
///
/// The fields are the lines, in the order in which they stand. Text fields hold the line's value as
/// written; CR, LF and NUL are left out when printed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Description {
    /// `o=`
    pub origin: Origin,
    /// `s=`, `-` in WebRTC.
    pub session_name: String,
    /// `i=`
    pub information: Option<String>,
    /// `u=`
    pub uri: Option<String>,
    /// `e=`
    pub emails: Vec<String>,
    /// `p=`
    pub phones: Vec<String>,
    /// `c=`, for sections that have none of their own.
    pub connection: Option<String>,
    /// `b=`
    pub bandwidths: Vec<String>,
    /// `t=`, `r=` and `z=`; at least one.
    pub timings: Vec<Timing>,
    /// `a=` lines before the first section.
    pub attributes: Vec<Attribute>,
    /// The sections. Their number never shrinks within a session (RFC 3264 §8).
    pub media: Vec<Media>,
}

impl Description {
    /// A description without attributes and sections, as WebRTC begins it: `s=-`, `t=0 0`
    /// (RFC 9429 §5.2.1).
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            session_name: "-".into(),
            information: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: None,
            bandwidths: Vec::new(),
            timings: vec![Timing::default()],
            attributes: Vec::new(),
            media: Vec::new(),
        }
    }

    /// The section with that `a=mid`.
    #[must_use]
    pub fn media_by_mid(&self, mid: &str) -> Option<&Media> {
        self.media.iter().find(|media| media.mid() == Some(mid))
    }
}

impl Default for Description {
    /// A description with the default origin.
    fn default() -> Self {
        Self::new(Origin::default())
    }
}

attribute_verbs!(Description, "session-level");
