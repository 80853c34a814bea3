#[cfg(feature = "rtp")]
use crate::capability::Capabilities;
use layer::{Certificate, IceServer, TransportPolicy};
use std::sync::Arc;

/// What a connection is made with (W3C `RTCConfiguration`, webrtc-pc §4.2.1).
///
/// Settings of single layers are not here: they are fields of the layers' factories in
/// [`Stack`](crate::Stack).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Configuration {
    /// STUN and TURN servers to gather candidates from.
    pub ice_servers: Vec<IceServer>,
    /// Which candidates may be used. Default: all.
    pub ice_transport_policy: IceTransportPolicy,
    /// How sections share a transport when the peer cannot bundle. Default: balanced.
    pub bundle_policy: BundlePolicy,
    /// RTCP always shares the transport of its RTP (RFC 8834 §4.5).
    pub rtcp_mux_policy: RtcpMuxPolicy,
    /// What we present. Empty: a fresh ECDSA P-256 certificate for this connection
    /// (RFC 8827 §6.5). The first one is used.
    pub certificates: Vec<Arc<dyn Certificate>>,
    /// The codecs and header extensions that can be negotiated; connections share them. To change
    /// some: `Arc::make_mut(&mut configuration.capabilities)`.
    #[cfg(feature = "rtp")]
    pub capabilities: Arc<Capabilities>,
    /// How many transports gather before they are needed. Default: 0.
    pub ice_candidate_pool_size: u8,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            ice_transport_policy: IceTransportPolicy::default(),
            bundle_policy: BundlePolicy::default(),
            rtcp_mux_policy: RtcpMuxPolicy::default(),
            certificates: Vec::new(),
            #[cfg(feature = "rtp")]
            capabilities: Capabilities::shared(),
            ice_candidate_pool_size: 0,
        }
    }
}

/// W3C `RTCIceTransportPolicy` (webrtc-pc §4.2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IceTransportPolicy {
    /// Relayed candidates only.
    Relay,
    /// All candidates.
    #[default]
    All,
}

impl From<IceTransportPolicy> for TransportPolicy {
    fn from(policy: IceTransportPolicy) -> Self {
        match policy {
            IceTransportPolicy::Relay => Self::Relay,
            IceTransportPolicy::All => Self::All,
        }
    }
}

/// W3C `RTCBundlePolicy` (webrtc-pc §4.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BundlePolicy {
    /// One transport per kind of media.
    #[default]
    Balanced,
    /// One transport per section.
    MaxCompat,
    /// One transport (JSEP's `must-bundle`).
    MaxBundle,
}

/// W3C `RTCRtcpMuxPolicy` (webrtc-pc §4.2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RtcpMuxPolicy {
    /// The only one.
    #[default]
    Require,
}

/// What a data channel is made with (W3C `RTCDataChannelInit`, webrtc-pc §6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataChannelInit {
    /// Whether messages arrive in the order they were sent. Default: true.
    pub ordered: bool,
    /// Milliseconds after which a message is given up; excludes `max_retransmits`.
    pub max_packet_life_time: Option<u16>,
    /// Retransmissions after which a message is given up, 0 for none.
    pub max_retransmits: Option<u16>,
    /// The subprotocol, at most 65 535 bytes.
    pub protocol: String,
    /// Whether both sides make the channel themselves, with the same `id`.
    pub negotiated: bool,
    /// The stream, 0 to 65 534; required for a negotiated channel, chosen otherwise.
    pub id: Option<u16>,
}

impl Default for DataChannelInit {
    fn default() -> Self {
        Self {
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            protocol: String::new(),
            negotiated: false,
            id: None,
        }
    }
}

/// W3C `RTCOfferOptions` (webrtc-pc §4.2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferOptions {
    /// New ICE credentials, and so a new generation of candidates.
    pub ice_restart: bool,
}

impl OfferOptions {
    /// An offer that restarts ICE.
    #[must_use]
    pub fn ice_restart() -> Self {
        Self { ice_restart: true }
    }
}

/// W3C `RTCAnswerOptions` (webrtc-pc §4.2.10): nothing yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerOptions {}
