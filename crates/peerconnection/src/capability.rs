use crate::api::state::MediaKind;
use crate::parameters::{RtpCodec, RtpCodecParameters};
use std::sync::{Arc, OnceLock};

/// What a connection can negotiate for audio and video.
///
/// Media is forwarded, not decoded, so the default is everything that browsers speak, in the order
/// of their offers. Remove what should not be negotiated, or reorder: the first that both sides
/// have is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Audio codecs, best first, with the payload types of our offers.
    pub audio: Vec<RtpCodecParameters>,
    /// Video codecs, best first, with the payload types of our offers.
    pub video: Vec<RtpCodecParameters>,
    /// Header extensions.
    pub header_extensions: Vec<RtpHeaderExtensionCapability>,
}

/// A header extension that can be negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RtpHeaderExtensionCapability {
    /// What it is.
    pub uri: String,
    /// Its id in our offers, and always its id in the packets that the application reads and
    /// writes, whatever was negotiated with this peer: so packets go from one connection to
    /// another as they are.
    pub id: u8,
    /// Whether it is for audio.
    pub audio: bool,
    /// Whether it is for video.
    pub video: bool,
}

impl RtpHeaderExtensionCapability {
    /// An extension for both kinds of media.
    #[must_use]
    pub fn new(uri: impl Into<String>, id: u8) -> Self {
        Self {
            uri: uri.into(),
            id,
            audio: true,
            video: true,
        }
    }

    /// Whether it is for this kind.
    #[must_use]
    pub fn is_for(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Audio => self.audio,
            MediaKind::Video => self.video,
        }
    }
}

/// RFC 9143 §15.
pub(crate) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// RFC 8852 §4.
pub(crate) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// RFC 8852 §4.
pub(crate) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
/// RFC 6464.
pub(crate) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// The transport-wide sequence number (dfx-020).
pub(crate) const TRANSPORT_SEQUENCE: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// dfx-019.
pub(crate) const ABSOLUTE_SEND_TIME: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// AV1 RTP Specification §A.4; VP8 and VP9 are sent with it too.
pub(crate) const DEPENDENCY_DESCRIPTOR: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// What is only between the two ends of one connection, and is never handed on.
pub(crate) const HOP_BY_HOP: [&str; 5] = [
    MID,
    RID,
    REPAIRED_RID,
    TRANSPORT_SEQUENCE,
    ABSOLUTE_SEND_TIME,
];

impl Capabilities {
    /// The default, which all connections share that ask for nothing else.
    pub(crate) fn shared() -> Arc<Self> {
        static DEFAULT: OnceLock<Arc<Capabilities>> = OnceLock::new();
        Arc::clone(DEFAULT.get_or_init(Arc::default))
    }

    /// The codecs of this kind, best first.
    #[must_use]
    pub fn codecs(&self, kind: MediaKind) -> &[RtpCodecParameters] {
        match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        }
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            audio: audio(),
            video: video(),
            header_extensions: header_extensions(),
        }
    }
}

/// media-001, media-003: Opus before G.711.
fn audio() -> Vec<RtpCodecParameters> {
    let codec = |name: &str, clock_rate, payload_type| {
        RtpCodecParameters::new(
            RtpCodec::new(format!("audio/{name}"), clock_rate),
            payload_type,
        )
    };
    let mut opus = codec("opus", 48_000, 111);
    opus.codec.channels = Some(2);
    opus.codec.sdp_fmtp_line = "minptime=10;useinbandfec=1".into();
    opus.rtcp_feedback = vec!["transport-cc".into()];
    let mut events = codec("telephone-event", 48_000, 110);
    events.codec.sdp_fmtp_line = "0-15".into();
    let mut slow_events = codec("telephone-event", 8000, 126);
    slow_events.codec.sdp_fmtp_line = "0-15".into();
    vec![
        opus,
        codec("G722", 8000, 9),
        codec("PCMU", 8000, 0),
        codec("PCMA", 8000, 8),
        codec("CN", 8000, 13),
        events,
        slow_events,
    ]
}

/// The combinations that browsers offer (dfx-012), each with retransmission.
fn video() -> Vec<RtpCodecParameters> {
    let h264 = |mode: u8, profile: &str| {
        format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}")
    };
    let listed: [(&str, String, u8, u8); 11] = [
        ("VP8", String::new(), 96, 97),
        ("VP9", "profile-id=0".into(), 98, 99),
        ("VP9", "profile-id=2".into(), 100, 101),
        ("H264", h264(1, "42e01f"), 102, 103),
        ("H264", h264(0, "42e01f"), 104, 105),
        ("H264", h264(1, "42001f"), 106, 107),
        ("H264", h264(0, "42001f"), 108, 109),
        ("H264", h264(1, "4d001f"), 112, 113),
        ("H264", h264(1, "64001f"), 114, 115),
        ("AV1", "level-idx=5;profile=0;tier=0".into(), 45, 46),
        (
            "H265",
            "level-id=156;profile-id=1;tier-flag=0;tx-mode=SRST".into(),
            49,
            50,
        ),
    ];
    let feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"];
    listed
        .into_iter()
        .map(|(name, fmtp, payload_type, rtx)| RtpCodecParameters {
            codec: RtpCodec::new(format!("video/{name}"), 90_000).with_fmtp(fmtp),
            payload_type,
            rtx_payload_type: Some(rtx),
            rtcp_feedback: feedback.map(str::to_owned).to_vec(),
        })
        .collect()
}

fn header_extensions() -> Vec<RtpHeaderExtensionCapability> {
    const GOOGLE: &str = "http://www.webrtc.org/experiments/rtp-hdrext/";
    let both = |uri: &str, id| RtpHeaderExtensionCapability::new(uri, id);
    let audio = |uri: &str, id| RtpHeaderExtensionCapability {
        video: false,
        ..both(uri, id)
    };
    let video = |uri: String, id| RtpHeaderExtensionCapability {
        audio: false,
        ..both(&uri, id)
    };
    vec![
        audio(AUDIO_LEVEL, 1),
        both(ABSOLUTE_SEND_TIME, 2),
        both(TRANSPORT_SEQUENCE, 3),
        both(MID, 4),
        both(RID, 10),
        both(REPAIRED_RID, 11),
        video("urn:3gpp:video-orientation".into(), 13),
        video(format!("{GOOGLE}playout-delay"), 5),
        video(format!("{GOOGLE}video-content-type"), 6),
        video(format!("{GOOGLE}video-timing"), 7),
        video(format!("{GOOGLE}color-space"), 8),
        both(format!("{GOOGLE}abs-capture-time").as_str(), 9),
        video(DEPENDENCY_DESCRIPTOR.into(), 12),
        video(format!("{GOOGLE}video-layers-allocation00"), 14),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// rtp-008, rtp-028: payload types are never those of RTCP and mean one thing each.
    #[test]
    fn payload_types_and_ids_are_unique_and_allowed() {
        let capabilities = Capabilities::default();
        let mut payload_types = BTreeSet::new();
        for codec in capabilities.audio.iter().chain(&capabilities.video) {
            for number in [Some(codec.payload_type), codec.rtx_payload_type] {
                let Some(number) = number else { continue };
                assert!(payload_types.insert(number), "{number} stands twice");
                assert!(!(64..=95).contains(&number) && number <= 127);
            }
        }
        let mut ids = BTreeSet::new();
        for extension in &capabilities.header_extensions {
            assert!(ids.insert(extension.id), "id {} stands twice", extension.id);
            assert!((1..=14).contains(&extension.id), "fits the one-byte form");
        }
    }

    /// dfx-010: feedback is offered for each video codec, and congestion control for Opus too.
    #[test]
    fn every_video_codec_has_the_feedback_of_browsers() {
        let capabilities = Capabilities::default();
        for codec in &capabilities.video {
            for wanted in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
                assert!(codec.rtcp_feedback.iter().any(|own| own == wanted));
            }
        }
        assert_eq!(capabilities.audio[0].rtcp_feedback, ["transport-cc"]);
    }

    /// dfx-065: Opus comes first, with in-band FEC, without DTX, and mono until the peer asks.
    #[test]
    fn opus_is_offered_as_browsers_do() {
        let opus = &Capabilities::default().audio[0].codec;
        assert_eq!(opus.mime_type, "audio/opus");
        assert_eq!(opus.sdp_fmtp_line, "minptime=10;useinbandfec=1");
    }

    /// media-040: whichever codec of audio is sent, events of its clock rate go with it.
    #[test]
    fn events_have_every_clock_rate_of_audio() {
        let audio = Capabilities::default().audio;
        let is_events = |codec: &RtpCodec| codec.is("telephone-event");
        let rates = |of_events| -> BTreeSet<u32> {
            let codecs = audio.iter().map(|own| &own.codec);
            let wanted = codecs.filter(|codec| is_events(codec) == of_events);
            wanted.map(|codec| codec.clock_rate).collect()
        };
        assert_eq!(rates(true), rates(false));
        assert_eq!(rates(true), BTreeSet::from([8000, 48_000]));
    }

    /// dfx-021, dfx-022: what tells of a picture is for video alone.
    #[test]
    fn layers_and_orientation_are_extensions_of_video() {
        let capabilities = Capabilities::default();
        for uri in [
            "urn:3gpp:video-orientation",
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
        ] {
            let mut extensions = capabilities.header_extensions.iter();
            let found = extensions.find(|own| own.uri == uri).unwrap();
            assert!(found.is_for(MediaKind::Video) && !found.is_for(MediaKind::Audio));
        }
    }
}
