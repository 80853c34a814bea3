use std::time::Duration;

/// What a pipeline tells its owner.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The receiver of this outgoing stream wants a key frame (PLI or FIR).
    KeyframeRequested {
        /// The stream.
        ssrc: u32,
    },
    /// Packets of this incoming stream are lost for good, so only a key frame helps its decoder.
    /// Where PLI or FIR was negotiated the pipeline has asked for one already.
    KeyframeNeeded {
        /// The stream.
        ssrc: u32,
    },
    /// The sender of this incoming stream has said goodbye (RFC 3550 §6.6).
    Goodbye {
        /// The stream.
        ssrc: u32,
    },
    /// A report gave a round trip (RFC 3550 §6.4.1).
    RoundTrip(Duration),
    /// The receiver estimates this bandwidth (REMB), in bits per second.
    MaximumBitrate(u64),
}
