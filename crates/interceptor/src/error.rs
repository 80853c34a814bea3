use std::fmt;

/// What a caller asked too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The pipeline has [`MAX_STAGES`](crate::Pipeline::MAX_STAGES) stages.
    TooManyStages,
    /// The pipeline follows [`max_streams`](crate::Config::max_streams) streams. The new one is not
    /// followed: its packets pass untouched.
    TooManyStreams,
    /// An SSRC of the stream belongs to another stream of the same direction.
    SsrcInUse,
    /// [`MAX_QUEUED_RTCP`](crate::Pipeline::MAX_QUEUED_RTCP) packets wait for
    /// [`poll_rtcp`](crate::Pipeline::poll_rtcp).
    TooManyPackets,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyStages => "the pipeline takes no more stages",
            Self::TooManyStreams => "the pipeline follows no more streams",
            Self::SsrcInUse => "the SSRC belongs to another stream",
            Self::TooManyPackets => "too many RTCP packets wait to be sent",
        })
    }
}

impl std::error::Error for Error {}
