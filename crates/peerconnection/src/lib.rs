//! The W3C `RTCPeerConnection` in async Rust, over layers that can be swapped.
//!
//! [`PeerConnection`] is the W3C's object with `async fn`s in the place of promises and a stream of
//! typed events in the place of handlers. It runs on tokio: one task, one lock. Underneath is
//! [`Session`], the same connection as a state machine without IO, for those who own their sockets.
//! Which layers serve a connection is a value, [`Stack`].
//!
//! ```
//! use muonrtc_peerconnection::{Configuration, PeerConnection};
//!
//! # async fn example() -> Result<(), muonrtc_peerconnection::Error> {
//! let connection = PeerConnection::builder(Configuration::default()).build()?;
//! let channel = connection.create_data_channel("chat", None)?;
//! connection.set_local_description(None).await?;
//! connection.gathering_complete().await;
//! let offer = connection.local_description(); // hand it to the peer, then:
//! // connection.set_remote_description(answer).await?;
//! # let _ = offer;
//! channel.opened().await?;
//! channel.send_text("hello").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Audio and video are the feature `rtp`: a [`TrackLocal`] is written in packets or encoded samples, a
//! [`TrackRemote`] is read in packets, and one track may feed any number of connections.
//!
//! It leaves out: codecs, which turn samples into pictures and sound, and the browser's own objects
//! that need no network (media streams from devices, `Blob`).

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod api;
#[cfg(feature = "rtp")]
mod capability;
mod config;
mod connectivity;
mod driver;
mod endpoint;
mod error;
mod event;
mod message;
mod owner;
#[cfg(feature = "rtp")]
mod parameters;
mod server;
mod session;
mod shared;
mod stats;

pub use api::builder::Builder;
pub use api::candidate::{IceCandidate, IceCandidateInit, IceCandidatePair};
pub use api::channel::{DataChannel, DataChannelEvent};
pub use api::connection::PeerConnection;
pub use api::description::{LocalSessionDescription, SdpType, SessionDescription};
pub use api::event::PeerConnectionEvent;
#[cfg(feature = "rtp")]
pub use api::event::ReceivedTrack;
pub use api::state::{
    DataChannelState, DtlsTransportState, IceCandidateType, IceComponent, IceConnectionState,
    IceGathererState, IceGatheringState, IceProtocol, IceRole, IceTcpCandidateType,
    IceTransportState, PeerConnectionState, SctpTransportState, SignalingState,
};
#[cfg(feature = "rtp")]
pub use api::state::{MediaKind, RtpTransceiverDirection};
pub use api::stream::DataChannelStream;
pub use api::transport::{DtlsTransport, IceParameters, IceTransport, SctpTransport};
#[cfg(feature = "rtp")]
pub use api::{
    local_track::TrackLocal,
    media::TrackOrKind,
    receiver::RtpReceiver,
    remote_track::{TrackEvent, TrackRemote},
    sender::RtpSender,
    transceiver::RtpTransceiver,
};
#[cfg(feature = "rtp")]
pub use capability::{Capabilities, RtpHeaderExtensionCapability};
pub use config::{
    AnswerOptions, BundlePolicy, Configuration, DataChannelInit, IceTransportPolicy, OfferOptions,
    PriorityType, RtcpMuxPolicy,
};
pub use connectivity::{ConnectivityReport, ConnectivityVerdict, HandshakeReport};
pub use endpoint::{Endpoint, EndpointConfig, EndpointStats};
pub use error::{Error, ErrorKind};
pub use event::Event;
#[cfg(feature = "rtp")]
pub use interceptor;
pub use layer;
pub use layer::IceServer;
pub use message::{DataChannelMessage, DataChannelPart};
pub use net;
#[cfg(feature = "rtp")]
pub use parameters::{
    RtpCodec, RtpCodecParameters, RtpContributingSource, RtpEncodingParameters,
    RtpHeaderExtensionParameters, RtpReceiveParameters, RtpSendParameters, RtpTransceiverInit,
};
#[cfg(feature = "rtp")]
pub use rtp;
pub use session::{
    DataChannelInfo, IncomingMessage, Layers, Payload, Session, SessionEvent, ShellRequest, Stack,
};
#[cfg(feature = "rtp")]
pub use session::{
    IncomingRtcp, IncomingRtp, ReceiverInfo, SenderInfo, TransceiverInfo, TransceiverKey,
};
pub use stats::{
    CandidatePairStats, CandidateStats, CertificateStats, DataChannelStats, PeerConnectionStats,
    StatsBody, StatsEntry, StatsReport, Timestamp, TransportStats,
};
#[cfg(feature = "rtp")]
pub use stats::{
    CodecStats, InboundRtpStreamStats, OutboundRtpStreamStats, RemoteInboundRtpStreamStats,
};
