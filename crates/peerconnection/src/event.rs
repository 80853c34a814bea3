use crate::api::candidate::{IceCandidate, IceCandidatePair};
use crate::api::channel::DataChannel;
use crate::api::state::{
    IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState,
};
#[cfg(feature = "rtp")]
use crate::api::{receiver::RtpReceiver, remote_track::TrackRemote, transceiver::RtpTransceiver};
use crate::error::Error;
use crate::message::DataChannelMessage;
use layer::CandidateError;

/// An event with its place among all events of its connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<T> {
    /// Counts all events of a connection and its channels, messages included. Two events of
    /// different objects happened in the order of these numbers.
    pub sequence: u64,
    /// What happened.
    pub kind: T,
}

impl<T> Event<T> {
    pub(crate) fn new(sequence: u64, kind: T) -> Self {
        Self { sequence, kind }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Event<U> {
        Event {
            sequence: self.sequence,
            kind: change(self.kind),
        }
    }
}

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

/// What a [`TrackRemote`] tells (webrtc-pc §9.3).
#[cfg(feature = "rtp")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackEvent {
    /// The peer has stopped sending for now.
    Mute,
    /// Media comes.
    Unmute,
    /// It is over.
    Ended,
}

/// What a [`DataChannel`] tells (webrtc-pc §6.2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DataChannelEvent {
    /// Messages can be sent.
    Open,
    /// A message.
    Message(DataChannelMessage),
    /// The buffered amount has come down to the threshold.
    BufferedAmountLow,
    /// Something went wrong; `Close` follows.
    Error(Error),
    /// A close has begun.
    Closing,
    /// Closed; nothing comes after this.
    Close,
}
