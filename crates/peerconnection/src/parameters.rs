//! The dictionaries of senders and receivers (webrtc-pc §5.2).

use crate::api::state::{MediaKind, RtpTransceiverDirection};
use std::time::SystemTime;

/// A codec (W3C `RTCRtpCodec`, webrtc-pc §5.2.11).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RtpCodec {
    /// `audio/opus`, `video/VP8`: the encoding's name of `a=rtpmap` after the kind of media.
    pub mime_type: String,
    /// Ticks of its timestamps in a second.
    pub clock_rate: u32,
    /// Audio channels; `None` for video.
    pub channels: Option<u16>,
    /// The value of its `a=fmtp` line; empty without one.
    pub sdp_fmtp_line: String,
}

impl RtpCodec {
    /// A codec without format parameters; two channels are said with [`with_channels`](Self::with_channels).
    #[must_use]
    pub fn new(mime_type: impl Into<String>, clock_rate: u32) -> Self {
        let mime_type = mime_type.into();
        let is_audio = mime_type.to_ascii_lowercase().starts_with("audio/");
        Self {
            channels: is_audio.then_some(1),
            mime_type,
            clock_rate,
            sdp_fmtp_line: String::new(),
        }
    }

    /// The codec with so many channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u16) -> Self {
        self.channels = Some(channels);
        self
    }

    /// The codec with these format parameters.
    #[must_use]
    pub fn with_fmtp(mut self, line: impl Into<String>) -> Self {
        self.sdp_fmtp_line = line.into();
        self
    }

    /// The encoding's name: what follows the kind of media.
    #[must_use]
    pub fn encoding_name(&self) -> &str {
        self.mime_type
            .split_once('/')
            .map_or(self.mime_type.as_str(), |(_, name)| name)
    }

    /// The kind of media, if the type names one.
    #[must_use]
    pub fn kind(&self) -> Option<MediaKind> {
        MediaKind::from_name(self.mime_type.split('/').next().unwrap_or_default())
    }

    /// Whether the encoding is called so, in any case.
    pub(crate) fn is(&self, encoding: &str) -> bool {
        self.encoding_name().eq_ignore_ascii_case(encoding)
    }
}

/// A negotiated codec (W3C `RTCRtpCodecParameters`, webrtc-pc §5.2.12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RtpCodecParameters {
    /// The codec.
    pub codec: RtpCodec,
    /// Its payload type, 0 to 127.
    pub payload_type: u8,
    /// The payload type of its retransmissions (RFC 4588); `None` without them.
    pub rtx_payload_type: Option<u8>,
    /// Its feedback: the values of `a=rtcp-fb` without the payload type, `nack pli`.
    pub rtcp_feedback: Vec<String>,
}

impl RtpCodecParameters {
    /// A codec with its payload type.
    #[must_use]
    pub fn new(codec: RtpCodec, payload_type: u8) -> Self {
        Self {
            codec,
            payload_type,
            ..Self::default()
        }
    }

    /// Whether this feedback was negotiated.
    pub(crate) fn has_feedback(&self, wanted: &str) -> bool {
        self.rtcp_feedback.iter().any(|own| own == wanted)
    }
}

/// A negotiated header extension (W3C `RTCRtpHeaderExtensionParameters`, webrtc-pc §5.2.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RtpHeaderExtensionParameters {
    /// What it is.
    pub uri: String,
    /// Its id on the wire, 1 to 255.
    pub id: u8,
}

/// One encoding of a sender (W3C `RTCRtpEncodingParameters`, webrtc-pc §5.2.6).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RtpEncodingParameters {
    /// The name of the layer (RFC 8851); empty where there is one encoding.
    pub rid: String,
    /// Whether packets of it are sent. Default: true.
    pub active: bool,
    /// Its synchronization source; drawn by the connection where 0 (ORTC; read-only in the W3C's).
    pub ssrc: u32,
    /// The most bits per second it should take; told to those who encode.
    pub max_bitrate: Option<u32>,
    /// The most frames per second; told to those who encode.
    pub max_framerate: Option<f64>,
    /// By how much it is smaller than its source, 1.0 or more; told to those who encode.
    pub scale_resolution_down_by: Option<f64>,
}

impl Default for RtpEncodingParameters {
    fn default() -> Self {
        Self {
            rid: String::new(),
            active: true,
            ssrc: 0,
            max_bitrate: None,
            max_framerate: None,
            scale_resolution_down_by: None,
        }
    }
}

impl RtpEncodingParameters {
    /// A layer of a simulcast.
    #[must_use]
    pub fn layer(rid: impl Into<String>) -> Self {
        Self {
            rid: rid.into(),
            ..Self::default()
        }
    }
}

/// What a sender sends (W3C `RTCRtpSendParameters`, webrtc-pc §5.2.4).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RtpSendParameters {
    /// Ties a change to what was read before it.
    pub transaction_id: String,
    /// The name of the section, sent with the first packets; empty for none.
    pub mid: String,
    /// The encodings, in the order they were made with.
    pub encodings: Vec<RtpEncodingParameters>,
    /// The negotiated header extensions.
    pub header_extensions: Vec<RtpHeaderExtensionParameters>,
    /// The negotiated codecs, best first.
    pub codecs: Vec<RtpCodecParameters>,
    /// The canonical name of our end (RFC 3550 §6.5.1).
    pub cname: String,
}

/// What a receiver receives (W3C `RTCRtpReceiveParameters`, webrtc-pc §5.3.1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RtpReceiveParameters {
    /// The name of the section that packets may say; empty for none.
    pub mid: String,
    /// The streams: one, or one for each layer by its rid; with the source where it is known.
    pub encodings: Vec<RtpEncodingParameters>,
    /// The negotiated header extensions.
    pub header_extensions: Vec<RtpHeaderExtensionParameters>,
    /// The negotiated codecs, best first.
    pub codecs: Vec<RtpCodecParameters>,
}

/// A source that was heard lately (W3C `RTCRtpContributingSource` and
/// `RTCRtpSynchronizationSource`, webrtc-pc §5.3.2).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RtpContributingSource {
    /// When its last packet came.
    pub timestamp: SystemTime,
    /// The source: SSRC or CSRC.
    pub source: u32,
    /// How loud it was, 0 for silence to 1, where the packet said it (RFC 6464).
    pub audio_level: Option<f64>,
    /// The media clock of that packet.
    pub rtp_timestamp: u32,
}

/// What a transceiver is made with (W3C `RTCRtpTransceiverInit`, webrtc-pc §5.1.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RtpTransceiverInit {
    /// Which way media should flow. Default: both ways.
    pub direction: RtpTransceiverDirection,
    /// The ids of the streams that our track belongs to (`a=msid`).
    pub streams: Vec<String>,
    /// The layers of a simulcast; empty for one encoding.
    pub send_encodings: Vec<RtpEncodingParameters>,
}

impl Default for RtpTransceiverInit {
    fn default() -> Self {
        Self {
            direction: RtpTransceiverDirection::SendRecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}

impl RtpTransceiverInit {
    /// A transceiver of this direction.
    #[must_use]
    pub fn with_direction(direction: RtpTransceiverDirection) -> Self {
        Self {
            direction,
            ..Self::default()
        }
    }
}
