use super::codec;
use super::extension::ExtensionMap;
use super::heard::HeardSources;
use crate::api::state::MediaKind;
use crate::capability::Capabilities;
use crate::parameters::{RtpCodecParameters, RtpEncodingParameters};

/// Synchronization sources of one receiver that are followed at the same time; the one that was
/// heard of first makes room for another. Three layers with their retransmissions are six.
pub(crate) const MAX_SOURCES: usize = 16;

/// Layers of a simulcast that are told apart; more in a description are ignored.
pub(crate) const MAX_LAYERS: usize = 8;

/// The receiving half of a transceiver (webrtc-pc §5.3).
#[derive(Debug)]
pub(crate) struct Receiver {
    /// The id of the track: what the peer's `a=msid` calls it, or our own.
    pub(crate) track: String,
    /// The streams that the peer puts the track into.
    pub(crate) streams: Vec<String>,
    /// Negotiated, in the numbers of the wire.
    pub(crate) codecs: Vec<RtpCodecParameters>,
    /// From the numbers of the wire to those of the application.
    payload_types: Vec<(u8, u8)>,
    pub(crate) extensions: ExtensionMap,
    /// The layers the peer sends, by name; empty for one stream without a name.
    pub(crate) layers: Vec<String>,
    /// Those that media comes from, in the order they were heard of.
    pub(crate) sources: Vec<Source>,
    pub(crate) heard: HeardSources,
    /// No media has come since the track was told of, or told to be muted.
    pub(crate) muted: bool,
}

/// A stream from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    /// The layer it is of; 0 where there are none.
    pub(crate) layer: u8,
    /// Where its retransmissions come from, once known.
    pub(crate) rtx_ssrc: Option<u32>,
    /// Media has come, and the pipeline knows it.
    pub(crate) bound: bool,
    /// The peer has said goodbye for it (RFC 3550 §6.3.7), and nothing has come since.
    pub(crate) left: bool,
}

impl Receiver {
    /// Notes that a source is gone, or has come back.
    pub(crate) fn set_left(&mut self, ssrc: u32, left: bool) {
        let mut sources = self.sources.iter_mut();
        if let Some(source) = sources.find(|source| source.ssrc == ssrc) {
            source.left = left;
        }
    }

    pub(crate) fn new(track: String) -> Self {
        Self {
            track,
            streams: Vec::new(),
            codecs: Vec::new(),
            payload_types: Vec::new(),
            extensions: ExtensionMap::default(),
            layers: Vec::new(),
            sources: Vec::new(),
            heard: HeardSources::default(),
            muted: true,
        }
    }

    /// Takes what was negotiated.
    pub(crate) fn negotiated(
        &mut self,
        codecs: Vec<RtpCodecParameters>,
        extensions: ExtensionMap,
        capabilities: &Capabilities,
        kind: MediaKind,
    ) {
        self.payload_types = payload_types(&codecs, capabilities.codecs(kind));
        self.codecs = codecs;
        self.extensions = extensions;
    }

    /// The number by which the application knows a payload type of the wire.
    pub(crate) fn payload_type(&self, wire: u8) -> Option<u8> {
        self.payload_types
            .iter()
            .find(|(own, _)| *own == wire)
            .map(|(_, application)| *application)
    }

    /// The codec with this payload type on the wire.
    pub(crate) fn codec(&self, payload_type: u8) -> Option<&RtpCodecParameters> {
        self.codecs
            .iter()
            .find(|own| own.payload_type == payload_type)
    }

    /// The codec whose retransmissions have this payload type.
    pub(crate) fn is_retransmission(&self, payload_type: u8) -> bool {
        self.codecs
            .iter()
            .any(|own| own.rtx_payload_type == Some(payload_type))
    }

    /// The place of a layer by its name.
    pub(crate) fn layer(&self, rid: &str) -> Option<u8> {
        let at = self.layers.iter().position(|own| own == rid)?;
        u8::try_from(at).ok()
    }

    /// How many tracks it has: one for each layer.
    pub(crate) fn track_count(&self) -> usize {
        self.layers.len().max(1)
    }

    /// What is known of the streams: their layers, and the source of each that was heard last.
    pub(crate) fn encodings(&self) -> Vec<RtpEncodingParameters> {
        let layers = u8::try_from(self.track_count()).unwrap_or(u8::MAX);
        (0..layers)
            .map(|layer| {
                let mut sources = self.sources.iter().rev();
                let source = sources.find(|source| source.layer == layer);
                RtpEncodingParameters {
                    ssrc: source.map_or(0, |source| source.ssrc),
                    ..RtpEncodingParameters::layer(
                        self.layers
                            .get(usize::from(layer))
                            .map_or("", String::as_str),
                    )
                }
            })
            .collect()
    }

    pub(crate) fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.ssrc == ssrc)
    }
}

/// Pairs of the numbers of the wire and those the application knows.
fn payload_types(
    negotiated: &[RtpCodecParameters],
    capabilities: &[RtpCodecParameters],
) -> Vec<(u8, u8)> {
    let known = |wire: &RtpCodecParameters| {
        let mut own = capabilities.iter();
        let own = own.find(|own| codec::matches(&own.codec, &wire.codec))?;
        Some((wire.payload_type, own.payload_type))
    };
    negotiated.iter().filter_map(known).collect()
}
