use bytes::Bytes;
use std::time::Duration;

/// One unit of encoded media: a video frame (an access unit, a temporal unit) or an audio frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// The encoded bytes, in the form of the codec's elementary stream (H.264 and H.265 in
    /// Annex B, AV1 in the low-overhead bitstream format).
    pub data: Bytes,
    /// How long it lasts; what a sender's clock goes forward by.
    pub duration: Duration,
    /// The RTP timestamp it was received with; `None` for a sample that comes from elsewhere.
    pub timestamp: Option<u32>,
    /// Whether a decoder can begin here.
    pub keyframe: bool,
    /// Packets that were lost right before this sample.
    pub lost_before: u16,
}

impl Sample {
    /// A sample to be sent.
    #[must_use]
    pub fn new(data: impl Into<Bytes>, duration: Duration) -> Self {
        Self {
            data: data.into(),
            duration,
            ..Self::default()
        }
    }
}
