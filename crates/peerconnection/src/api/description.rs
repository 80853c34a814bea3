use std::fmt;

/// W3C `RTCSdpType` (webrtc-pc §4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum SdpType {
    /// A proposal.
    Offer,
    /// An answer that may still change.
    Pranswer,
    /// The final answer.
    Answer,
    /// Back to the last stable state.
    Rollback,
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        })
    }
}

/// W3C `RTCSessionDescription` (webrtc-pc §4.6.2). With the feature `serde` it has the W3C's JSON
/// shape: `{"type": "offer", "sdp": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionDescription {
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    kind: SdpType,
    #[cfg_attr(feature = "serde", serde(default))]
    sdp: String,
}

impl SessionDescription {
    /// A description as signalled; it is parsed when it is set.
    #[must_use]
    pub fn new(kind: SdpType, sdp: impl Into<String>) -> Self {
        Self {
            kind,
            sdp: sdp.into(),
        }
    }

    /// The W3C `type`.
    #[must_use]
    pub fn kind(&self) -> SdpType {
        self.kind
    }

    /// The SDP text; empty for a rollback.
    #[must_use]
    pub fn sdp(&self) -> &str {
        &self.sdp
    }
}

/// W3C `RTCLocalSessionDescriptionInit` (webrtc-pc §4.6.2): type and text may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalSessionDescription {
    /// The type; `None`: an offer or an answer, as the signalling state asks.
    pub kind: Option<SdpType>,
    /// The text; empty: the one last created, or a new one.
    pub sdp: String,
}

impl LocalSessionDescription {
    /// Only the type, as for a rollback.
    #[must_use]
    pub fn of_kind(kind: SdpType) -> Self {
        Self {
            kind: Some(kind),
            sdp: String::new(),
        }
    }
}

impl From<SessionDescription> for LocalSessionDescription {
    fn from(description: SessionDescription) -> Self {
        Self {
            kind: Some(description.kind),
            sdp: description.sdp,
        }
    }
}
