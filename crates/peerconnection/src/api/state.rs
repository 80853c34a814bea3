//! The state enumerations of the W3C; each prints and serialises as the W3C's string.

use std::fmt;

macro_rules! w3c_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// The W3C's string.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value with the W3C's string, in any case.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                [$(Self::$variant,)*].into_iter().find(|value| value.as_str().eq_ignore_ascii_case(name))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

w3c_enum! {
    /// W3C `RTCSignalingState` (webrtc-pc §4.3.1, RFC 9429 §3.2).
    SignalingState {
        /// No exchange is under way.
        Stable = "stable",
        /// Our offer waits for its answer.
        HaveLocalOffer = "have-local-offer",
        /// The peer's offer waits for our answer.
        HaveRemoteOffer = "have-remote-offer",
        /// We answered, and may again.
        HaveLocalPranswer = "have-local-pranswer",
        /// The peer answered, and may again.
        HaveRemotePranswer = "have-remote-pranswer",
        /// Closed.
        Closed = "closed",
    }
}

w3c_enum! {
    /// W3C `RTCIceGatheringState` (webrtc-pc §4.3.2).
    IceGatheringState {
        /// Not started.
        New = "new",
        /// Under way.
        Gathering = "gathering",
        /// Over.
        Complete = "complete",
    }
}

w3c_enum! {
    /// W3C `RTCIceConnectionState` (webrtc-pc §4.3.4).
    IceConnectionState {
        /// Closed.
        Closed = "closed",
        /// No pair works, or consent is lost.
        Failed = "failed",
        /// Nothing has come for a while.
        Disconnected = "disconnected",
        /// Not started.
        New = "new",
        /// Checking pairs.
        Checking = "checking",
        /// A pair is selected and checking is over.
        Completed = "completed",
        /// A pair works.
        Connected = "connected",
    }
}

w3c_enum! {
    /// W3C `RTCPeerConnectionState` (webrtc-pc §4.3.3): ICE and DTLS together.
    PeerConnectionState {
        /// Closed.
        Closed = "closed",
        /// A transport failed.
        Failed = "failed",
        /// A transport hears nothing for a while.
        Disconnected = "disconnected",
        /// No transport has started.
        New = "new",
        /// A transport is on its way.
        Connecting = "connecting",
        /// Every transport is up.
        Connected = "connected",
    }
}

w3c_enum! {
    /// W3C `RTCDataChannelState` (webrtc-pc §6.2.10).
    DataChannelState {
        /// The transport or the peer is not there yet.
        Connecting = "connecting",
        /// Messages flow.
        Open = "open",
        /// A close is under way.
        Closing = "closing",
        /// Closed.
        Closed = "closed",
    }
}

w3c_enum! {
    /// W3C `RTCIceProtocol` (webrtc-pc §4.8.1.3).
    IceProtocol {
        /// Datagrams.
        Udp = "udp",
        /// A stream.
        Tcp = "tcp",
    }
}

w3c_enum! {
    /// W3C `RTCIceCandidateType` (webrtc-pc §4.8.1.5).
    IceCandidateType {
        /// An address of the host.
        Host = "host",
        /// The address a STUN server saw.
        Srflx = "srflx",
        /// The address the peer saw.
        Prflx = "prflx",
        /// An address on a TURN server.
        Relay = "relay",
    }
}

w3c_enum! {
    /// W3C `RTCIceTcpCandidateType` (webrtc-pc §4.8.1.4).
    IceTcpCandidateType {
        /// Opens connections.
        Active = "active",
        /// Accepts connections.
        Passive = "passive",
        /// Does both at once.
        So = "so",
    }
}

w3c_enum! {
    /// W3C `RTCIceComponent` (webrtc-pc §5.6.6).
    IceComponent {
        /// RTP, and everything multiplexed with it.
        Rtp = "rtp",
        /// RTCP.
        Rtcp = "rtcp",
    }
}

w3c_enum! {
    /// W3C `RTCIceTransportState` (webrtc-pc §5.6.3).
    IceTransportState {
        /// Closed.
        Closed = "closed",
        /// No pair works, or consent is lost.
        Failed = "failed",
        /// Nothing has come for a while; it may come back by itself.
        Disconnected = "disconnected",
        /// Waiting for remote candidates.
        New = "new",
        /// Checking; no pair works yet.
        Checking = "checking",
        /// Checking is over, and a pair is selected.
        Completed = "completed",
        /// A pair works.
        Connected = "connected",
    }
}

w3c_enum! {
    /// W3C `RTCIceGathererState` (webrtc-pc §5.6.2).
    IceGathererState {
        /// Not started.
        New = "new",
        /// Under way.
        Gathering = "gathering",
        /// All candidates are there.
        Complete = "complete",
    }
}

w3c_enum! {
    /// W3C `RTCIceRole` (webrtc-pc §5.6.4).
    IceRole {
        /// Not decided.
        Unknown = "unknown",
        /// Selects the pair.
        Controlling = "controlling",
        /// Takes the pair that the peer selects.
        Controlled = "controlled",
    }
}

w3c_enum! {
    /// W3C `RTCDtlsTransportState` (webrtc-pc §5.5.1).
    DtlsTransportState {
        /// Not started.
        New = "new",
        /// Handshaking, or waiting for the peer's fingerprint.
        Connecting = "connecting",
        /// The peer is who it said.
        Connected = "connected",
        /// Closed by either side.
        Closed = "closed",
        /// Ended by an error.
        Failed = "failed",
    }
}

w3c_enum! {
    /// W3C `RTCSctpTransportState` (webrtc-pc §6.1.4).
    SctpTransportState {
        /// Not up yet.
        Connecting = "connecting",
        /// Up.
        Connected = "connected",
        /// Over.
        Closed = "closed",
    }
}

/// What a track carries.
#[cfg(feature = "rtp")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// `audio`.
    Audio,
    /// `video`.
    Video,
}

#[cfg(feature = "rtp")]
impl MediaKind {
    /// The W3C's string, which is also the name of the section.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// The kind with the W3C's string, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Audio, Self::Video]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

#[cfg(feature = "rtp")]
impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(feature = "rtp")]
w3c_enum! {
    /// W3C `RTCRtpTransceiverDirection` (webrtc-pc §5.4.1).
    RtpTransceiverDirection {
        /// Media flows both ways.
        SendRecv = "sendrecv",
        /// We send.
        SendOnly = "sendonly",
        /// We receive.
        RecvOnly = "recvonly",
        /// Neither.
        Inactive = "inactive",
        /// For ever neither; never set, only read.
        Stopped = "stopped",
    }
}

#[cfg(feature = "rtp")]
impl RtpTransceiverDirection {
    /// Whether we send.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether we receive.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The direction that sends and receives as said.
    pub(crate) fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}
