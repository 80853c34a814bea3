use crate::api::candidate::{IceCandidate, IceCandidatePair};
use crate::api::channel::DataChannel;
use crate::api::state::{
    IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState,
};
#[cfg(feature = "rtp")]
use crate::api::{receiver::RtpReceiver, remote_track::TrackRemote, transceiver::RtpTransceiver};
use layer::CandidateError;

/// What a [`PeerConnection`](crate::PeerConnection) tells (webrtc-pc §4.4.1, §6.1).
///
/// A state in an event is the state at that time; the connection's own attribute may be ahead.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerConnectionEvent {
    /// An offer and answer are needed. Not raised while an operation is under way (webrtc-pc §4.7.3).
    NegotiationNeeded,
    /// A candidate to signal: one whose line is empty ends a generation, `None` says that
    /// gathering is complete.
    IceCandidate(Option<IceCandidate>),
    /// A server gave no candidate.
    IceCandidateError(CandidateError),
    /// Another signalling state.
    SignalingStateChange(SignalingState),
    /// Another state of the checks.
    IceConnectionStateChange(IceConnectionState),
    /// Another state of gathering.
    IceGatheringStateChange(IceGatheringState),
    /// Another state of the connection.
    ConnectionStateChange(PeerConnectionState),
    /// Data takes another pair of candidates (W3C `selectedcandidatepairchange`).
    SelectedCandidatePairChange(Box<IceCandidatePair>),
    /// The peer opened a channel.
    DataChannel(DataChannel),
    /// The peer will send a track (W3C `track`).
    #[cfg(feature = "rtp")]
    Track(Box<ReceivedTrack>),
}

/// W3C `RTCTrackEvent` (webrtc-pc §5.7).
#[cfg(feature = "rtp")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedTrack {
    /// Who receives it.
    pub receiver: RtpReceiver,
    /// The track: where the peer sends a simulcast, one layer of it.
    pub track: TrackRemote,
    /// The streams that the peer puts it into.
    pub streams: Vec<String>,
    /// The transceiver of the receiver.
    pub transceiver: RtpTransceiver,
}
