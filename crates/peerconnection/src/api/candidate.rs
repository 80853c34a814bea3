use crate::api::state::{IceCandidateType, IceComponent, IceProtocol, IceTcpCandidateType};
use crate::error::{Error, ErrorKind};
use std::fmt;

/// W3C `RTCIceCandidateInit` (webrtc-pc §4.8.1): a candidate as it is signalled.
///
/// With the feature `serde` it has the W3C's JSON shape, `sdpMid` and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct IceCandidateInit {
    /// The `candidate:` line without its `a=`; empty: the end of candidates.
    #[cfg_attr(feature = "serde", serde(default))]
    pub candidate: String,
    /// The section by its mid.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sdp_mid: Option<String>,
    /// The section by its place.
    #[cfg_attr(feature = "serde", serde(default, rename = "sdpMLineIndex"))]
    pub sdp_mline_index: Option<u16>,
    /// The generation it belongs to.
    #[cfg_attr(feature = "serde", serde(default))]
    pub username_fragment: Option<String>,
}

impl IceCandidateInit {
    /// A candidate of the section with this mid.
    #[must_use]
    pub fn new(candidate: impl Into<String>, sdp_mid: impl Into<String>) -> Self {
        Self {
            candidate: candidate.into(),
            sdp_mid: Some(sdp_mid.into()),
            ..Self::default()
        }
    }
}

/// W3C `RTCIceCandidate` (webrtc-pc §4.8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidate {
    init: IceCandidateInit,
    parsed: Option<sdp::Candidate>,
    url: Option<String>,
}

impl IceCandidate {
    /// Parses a candidate line. An empty line is the end of candidates.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if neither mid nor index is given; [`ErrorKind::Operation`] if the line
    /// is not a candidate.
    pub fn new(init: IceCandidateInit) -> Result<Self, Error> {
        if init.sdp_mid.is_none() && init.sdp_mline_index.is_none() {
            return Err(Error::new(
                ErrorKind::Type,
                "a candidate names its section by mid or index",
            ));
        }
        let parsed = match init.candidate.as_str() {
            "" => None,
            line => Some(line.parse().map_err(|error: sdp::CandidateError| {
                Error::new(ErrorKind::Operation, "the candidate line does not parse")
                    .with_source(error)
            })?),
        };
        Ok(Self {
            init,
            parsed,
            url: None,
        })
    }

    pub(crate) fn local(
        candidate: sdp::Candidate,
        mid: &str,
        index: u16,
        username_fragment: &str,
        url: Option<String>,
    ) -> Self {
        Self {
            init: IceCandidateInit {
                candidate: candidate.to_string(),
                sdp_mid: Some(mid.to_owned()),
                sdp_mline_index: Some(index),
                username_fragment: Some(username_fragment.to_owned()),
            },
            parsed: Some(candidate),
            url,
        }
    }

    pub(crate) fn end(mid: &str, index: u16, username_fragment: &str) -> Self {
        Self {
            init: IceCandidateInit {
                candidate: String::new(),
                sdp_mid: Some(mid.to_owned()),
                sdp_mline_index: Some(index),
                username_fragment: Some(username_fragment.to_owned()),
            },
            parsed: None,
            url: None,
        }
    }

    pub(crate) fn parsed(&self) -> Option<&sdp::Candidate> {
        self.parsed.as_ref()
    }

    /// The generation that the line itself names, as Chromium writes it.
    pub(crate) fn line_username_fragment(&self) -> Option<&str> {
        self.parsed.as_ref().and_then(sdp::Candidate::ufrag)
    }

    /// As it is signalled (W3C `toJSON`).
    #[must_use]
    pub fn to_init(&self) -> IceCandidateInit {
        self.init.clone()
    }

    /// The `candidate:` line; empty for the end of candidates.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.init.candidate
    }

    /// The section by its mid.
    #[must_use]
    pub fn sdp_mid(&self) -> Option<&str> {
        self.init.sdp_mid.as_deref()
    }

    /// The section by its place.
    #[must_use]
    pub fn sdp_mline_index(&self) -> Option<u16> {
        self.init.sdp_mline_index
    }

    /// The generation it belongs to.
    #[must_use]
    pub fn username_fragment(&self) -> Option<&str> {
        self.init.username_fragment.as_deref()
    }

    /// The address or the mDNS name.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.parsed
            .as_ref()
            .map(|candidate| candidate.address.as_str())
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.parsed.as_ref().map(|candidate| candidate.port)
    }

    /// The transport; `None` also for one that has no name in the W3C.
    #[must_use]
    pub fn protocol(&self) -> Option<IceProtocol> {
        IceProtocol::from_name(&self.parsed.as_ref()?.transport)
    }

    /// The component.
    #[must_use]
    pub fn component(&self) -> Option<IceComponent> {
        match self.parsed.as_ref()?.component {
            1 => Some(IceComponent::Rtp),
            2 => Some(IceComponent::Rtcp),
            _ => None,
        }
    }

    /// The direction of a TCP candidate.
    #[must_use]
    pub fn tcp_type(&self) -> Option<IceTcpCandidateType> {
        IceTcpCandidateType::from_name(self.parsed.as_ref()?.tcp_type()?)
    }

    /// The base of a reflexive candidate, the mapped address of a relayed one.
    #[must_use]
    pub fn related_address(&self) -> Option<&str> {
        self.parsed.as_ref()?.related_address.as_deref()
    }

    /// Its port.
    #[must_use]
    pub fn related_port(&self) -> Option<u16> {
        self.parsed.as_ref()?.related_port
    }

    /// The priority.
    #[must_use]
    pub fn priority(&self) -> Option<u32> {
        self.parsed.as_ref().map(|candidate| candidate.priority)
    }

    /// The foundation.
    #[must_use]
    pub fn foundation(&self) -> Option<&str> {
        self.parsed
            .as_ref()
            .map(|candidate| candidate.foundation.as_str())
    }

    /// How it was learned.
    #[must_use]
    pub fn candidate_type(&self) -> Option<IceCandidateType> {
        IceCandidateType::from_name(&self.parsed.as_ref()?.kind)
    }

    /// The server it came from, for reflexive and relayed ones of ours.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl fmt::Display for IceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.init.candidate)
    }
}

/// W3C `RTCIceCandidatePair` (webrtc-pc §5.6.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IceCandidatePair {
    /// Ours.
    pub local: IceCandidate,
    /// The peer's.
    pub remote: IceCandidate,
}

impl fmt::Display for IceCandidatePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |candidate: &IceCandidate| {
            let (address, port) = (candidate.address().unwrap_or("?"), candidate.port());
            let address = match address.contains(':') {
                true => format!("[{address}]"),
                false => address.to_owned(),
            };
            format!(
                "{} {} {address}:{}",
                candidate
                    .candidate_type()
                    .map_or("?", IceCandidateType::as_str),
                candidate.protocol().map_or("?", IceProtocol::as_str),
                port.unwrap_or(0),
            )
        };
        write!(f, "{} <-> {}", side(&self.local), side(&self.remote))
    }
}
