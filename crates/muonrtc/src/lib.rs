//! WebRTC for async Rust: the W3C API, and every layer a crate of its own.
//!
//! [`PeerConnection`] is the W3C's object with `async fn`s in the place of promises and typed
//! events in the place of handlers. This crate only re-exports names; the code is in
//! `muonrtc-peerconnection` and the layers below it, each of which is useful alone.
//!
//! ```
//! use muonrtc::{Configuration, PeerConnection};
//!
//! # async fn example() -> Result<(), muonrtc::Error> {
//! let alice = PeerConnection::builder(Configuration::default()).build()?;
//! let bob = PeerConnection::builder(Configuration::default()).build()?;
//! let channel = alice.create_data_channel("greetings", None)?;
//!
//! // Your signalling carries these two descriptions.
//! alice.set_local_description(None).await?;
//! alice.gathering_complete().await;
//! bob.set_remote_description(alice.local_description().unwrap()).await?;
//! bob.set_local_description(None).await?;
//! bob.gathering_complete().await;
//! alice.set_remote_description(bob.local_description().unwrap()).await?;
//!
//! channel.opened().await?;
//! channel.send_text("hello").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Without default features it is data channels alone; the default feature `rtp` adds audio and video.
//! It leaves out what has not come yet: TURN, and ICE over TCP.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example of the project's own README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectReadme;

pub use peerconnection::{
    AnswerOptions, Builder, BundlePolicy, CandidatePairStats, CandidateStats, CertificateStats,
    Configuration, ConnectivityReport, ConnectivityVerdict, DataChannel, DataChannelEvent,
    DataChannelInfo, DataChannelInit, DataChannelMessage, DataChannelPart, DataChannelState,
    DataChannelStats, DataChannelStream, DtlsTransport, DtlsTransportState, Endpoint,
    EndpointConfig, EndpointStats, Error, ErrorKind, Event, HandshakeReport, IceCandidate,
    IceCandidateInit, IceCandidatePair, IceCandidateType, IceComponent, IceConnectionState,
    IceGathererState, IceGatheringState, IceParameters, IceProtocol, IceRole, IceServer,
    IceTcpCandidateType, IceTransport, IceTransportPolicy, IceTransportState, IncomingMessage,
    Layers, LocalSessionDescription, OfferOptions, Payload, PeerConnection, PeerConnectionEvent,
    PeerConnectionState, PeerConnectionStats, PriorityType, RtcpMuxPolicy, SctpTransport,
    SctpTransportState, SdpType, Session, SessionDescription, SessionEvent, ShellRequest,
    SignalingState, Stack, StatsBody, StatsEntry, StatsReport, Timestamp, TransportStats, layer,
    net,
};
#[cfg(feature = "rtp")]
pub use peerconnection::{
    Capabilities, CodecStats, InboundRtpStreamStats, IncomingRtcp, IncomingRtp, MediaKind,
    OutboundRtpStreamStats, ReceivedTrack, ReceiverInfo, RemoteInboundRtpStreamStats, RtpCodec,
    RtpCodecParameters, RtpContributingSource, RtpEncodingParameters, RtpHeaderExtensionCapability,
    RtpHeaderExtensionParameters, RtpReceiveParameters, RtpReceiver, RtpSendParameters, RtpSender,
    RtpTransceiver, RtpTransceiverDirection, RtpTransceiverInit, SenderInfo, TrackEvent,
    TrackLocal, TrackOrKind, TrackRemote, TransceiverInfo, TransceiverKey, interceptor, rtp,
};
