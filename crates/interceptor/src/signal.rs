use std::time::Duration;

/// What every stage of a pipeline is told, by the pipeline's owner or by what another stage found
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// The path takes so long there and back.
    RoundTrip(Duration),
    /// The decoder of this incoming stream needs a key frame.
    KeyframeNeeded {
        /// The stream.
        ssrc: u32,
    },
    /// We can receive so many bits per second (REMB); `None` when there is nothing to say any more.
    MaximumBitrate(Option<u64>),
}
