use crate::api::state::DataChannelState;

/// W3C `RTCPeerConnectionStats` (webrtc-stats §8.18).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct PeerConnectionStats {
    /// Channels that have been open.
    pub data_channels_opened: u32,
    /// Those that are not any more.
    pub data_channels_closed: u32,
}

/// W3C `RTCDataChannelStats` (webrtc-stats §8.19).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct DataChannelStats {
    /// Its label.
    pub label: String,
    /// Its subprotocol.
    pub protocol: String,
    /// Its stream, once chosen.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub data_channel_identifier: Option<u16>,
    /// Its state.
    pub state: DataChannelState,
    /// Messages handed to the transport.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Messages received whole.
    pub messages_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}
