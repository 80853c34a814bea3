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
    /// The largest message to receive, in bytes, which descriptions announce (`a=max-message-size`,
    /// 0 for `usize::MAX`). Beyond 256 KiB only a channel that
    /// [receives in parts](crate::DataChannel::receive_in_parts) takes it; another one is closed by
    /// it. Default: 256 KiB, as in browsers.
    pub max_message_size: usize,
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
            max_message_size: 262_144,
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
    /// The share of the channel among those that send (webrtc-priority §4.2). Default: low.
    pub priority: PriorityType,
}

/// W3C `RTCPriorityType` (webrtc-priority §4.1). Each has twice the share of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PriorityType {
    /// Half of low.
    VeryLow,
    /// What nobody has asked for otherwise.
    #[default]
    Low,
    /// Twice low.
    Medium,
    /// Four times low.
    High,
}

impl PriorityType {
    /// dc-013: the weight of the scheduler (RFC 8831 §6.4).
    pub(crate) fn weight(self) -> u16 {
        match self {
            Self::VeryLow => 128,
            Self::Low => 256,
            Self::Medium => 512,
            Self::High => 1024,
        }
    }

    /// The priority of a weight, which a peer may choose freely (RFC 8832 §5.1).
    pub(crate) fn of(weight: u16) -> Self {
        match weight {
            0..=128 => Self::VeryLow,
            129..=256 => Self::Low,
            257..=512 => Self::Medium,
            _ => Self::High,
        }
    }
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
            priority: PriorityType::default(),
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
