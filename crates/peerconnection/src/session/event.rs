#[cfg(feature = "rtp")]
use super::media::{MediaEvent, TransceiverKey};
use crate::api::candidate::{IceCandidate, IceCandidatePair};
use crate::api::state::{
    IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState,
};
use crate::error::Error;
use datachannel::ChannelKey;
use layer::{CandidateError, Framing, IceEvent, RequestId, SocketId};
use std::net::{IpAddr, SocketAddr};

/// What a [`Session`](super::Session) tells its owner, in the order it happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The session asks something of the operating system.
    Request(ShellRequest),
    /// W3C `signalingstatechange`.
    SignalingStateChange(SignalingState),
    /// W3C `icegatheringstatechange`.
    IceGatheringStateChange(IceGatheringState),
    /// W3C `iceconnectionstatechange`.
    IceConnectionStateChange(IceConnectionState),
    /// W3C `connectionstatechange`.
    ConnectionStateChange(PeerConnectionState),
    /// W3C `icecandidate`; `None` when gathering is complete.
    IceCandidate(Option<Box<IceCandidate>>),
    /// W3C `icecandidateerror`.
    IceCandidateError(Box<CandidateError>),
    /// W3C `selectedcandidatepairchange` of the ICE transport.
    SelectedCandidatePairChange(Box<IceCandidatePair>),
    /// W3C `negotiationneeded`. The owner raises it when no operation is under way (webrtc-pc §4.7.3).
    NegotiationNeeded,
    /// W3C `datachannel`: the peer opened a channel.
    DataChannel(ChannelKey),
    /// W3C `open` of a channel.
    ChannelOpen(ChannelKey),
    /// W3C `closing` of a channel.
    ChannelClosing(ChannelKey),
    /// W3C `close` of a channel, with what went wrong, if anything did.
    ChannelClose(ChannelKey, Option<Error>),
    /// W3C `bufferedamountlow` of a channel.
    BufferedAmountLow(ChannelKey),
    /// W3C `track`: the peer will send. Where it sends several layers, one event for each, counted
    /// from 0.
    #[cfg(feature = "rtp")]
    Track(TransceiverKey, u8),
    /// W3C `mute` of the tracks of a receiver: the peer has stopped sending for now.
    #[cfg(feature = "rtp")]
    TrackMuted(TransceiverKey),
    /// W3C `unmute` of the tracks of a receiver: media comes.
    #[cfg(feature = "rtp")]
    TrackUnmuted(TransceiverKey),
    /// W3C `ended` of the tracks of a receiver.
    #[cfg(feature = "rtp")]
    TrackEnded(TransceiverKey),
    /// The peer wants a key frame of the sender's encoding, counted from 0.
    #[cfg(feature = "rtp")]
    KeyframeRequested(TransceiverKey, u8),
    /// There is room in the send buffer again.
    Writable,
}

/// What a session needs of the operating system. Each is answered by the verb of
/// [`Session`](super::Session) named with it; until then other things go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellRequest {
    /// The addresses of this host: `interfaces_listed`.
    ListInterfaces {
        /// For the answer.
        request: RequestId,
    },
    /// A UDP socket: `bound`.
    Bind {
        /// For the answer.
        request: RequestId,
        /// The address; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0.
        ports: Option<(u16, u16)>,
    },
    /// A TCP connection: `tcp_connected`, or `connect_failed`.
    ConnectTcp {
        /// For the answer.
        request: RequestId,
        /// From; port 0 for any.
        local: SocketAddr,
        /// To.
        remote: SocketAddr,
        /// How packets lie in the stream.
        framing: Framing,
        /// The name of the server's certificate, where the stream is TLS.
        server_name: Option<String>,
    },
    /// A UDP socket that speaks DTLS with a server, packets on which are plain to the session
    /// ([`layer::IceEvent::ConnectDtls`]): `bound`, or `connect_failed`.
    ConnectDtls {
        /// For the answer.
        request: RequestId,
        /// From; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0.
        ports: Option<(u16, u16)>,
        /// To.
        remote: SocketAddr,
        /// The name of the server's certificate, or an address.
        server_name: String,
    },
    /// A socket that accepts TCP connections: `bound`, and `tcp_connected` for each of them.
    ListenTcp {
        /// For the answers.
        request: RequestId,
        /// The address; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0.
        ports: Option<(u16, u16)>,
    },
    /// The addresses of a name: `resolved`.
    Resolve {
        /// For the answer.
        request: RequestId,
        /// The name; `.local` is multicast DNS.
        host: String,
    },
    /// A `.local` name to be answered for by multicast DNS as long as the session lives; there is no
    /// answer.
    PublishName {
        /// The name.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// A socket that is no longer needed.
    CloseSocket {
        /// Which.
        socket: SocketId,
    },
}

impl ShellRequest {
    /// What the agent asks of the shell; `None` for everything else it tells.
    pub(super) fn of(event: &IceEvent) -> Option<Self> {
        Some(match event.clone() {
            IceEvent::ListInterfaces { request } => Self::ListInterfaces { request },
            IceEvent::Bind {
                request,
                local,
                ports,
            } => Self::Bind {
                request,
                local,
                ports,
            },
            IceEvent::ConnectTcp {
                request,
                local,
                remote,
                framing,
                server_name,
            } => Self::ConnectTcp {
                request,
                local,
                remote,
                framing,
                server_name,
            },
            IceEvent::ConnectDtls {
                request,
                local,
                ports,
                remote,
                server_name,
            } => Self::ConnectDtls {
                request,
                local,
                ports,
                remote,
                server_name,
            },
            IceEvent::ListenTcp {
                request,
                local,
                ports,
            } => Self::ListenTcp {
                request,
                local,
                ports,
            },
            IceEvent::Resolve { request, host } => Self::Resolve { request, host },
            IceEvent::PublishName { host, address } => Self::PublishName { host, address },
            IceEvent::CloseSocket { socket } => Self::CloseSocket { socket },
            _ => return None,
        })
    }
}

#[cfg(feature = "rtp")]
impl From<MediaEvent> for SessionEvent {
    fn from(event: MediaEvent) -> Self {
        match event {
            MediaEvent::Track(key, layer) => Self::Track(key, layer),
            MediaEvent::TrackMuted(key) => Self::TrackMuted(key),
            MediaEvent::TrackUnmuted(key) => Self::TrackUnmuted(key),
            MediaEvent::TrackEnded(key) => Self::TrackEnded(key),
            MediaEvent::KeyframeRequested(key, layer) => Self::KeyframeRequested(key, layer),
        }
    }
}
