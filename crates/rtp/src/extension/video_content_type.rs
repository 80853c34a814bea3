//! The video content type of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/video-content-type>).
//!
//! ```text
//!  0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=0 | Content type  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::{DecodeError, EncodeError};
use smallvec::smallvec;

/// What a picture shows. It stands on the last packet of a key frame, and holds until the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoContentType {
    /// What a camera sees, or something unknown.
    #[default]
    Unspecified,
    /// A screen.
    Screenshare,
}

impl Extension<'_> for VideoContentType {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let &bits = value.first().ok_or(DecodeError::Truncated)?;
        // The bits above the lowest once told of experiments.
        Ok(if bits & 1 == 0 {
            Self::Unspecified
        } else {
            Self::Screenshare
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        Ok(smallvec![match self {
            Self::Unspecified => 0,
            Self::Screenshare => 1,
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn both_types_come_back() {
        same_bytes(&[0], &VideoContentType::Unspecified);
        same_bytes(&[1], &VideoContentType::Screenshare);
        shorter_is_refused::<VideoContentType>(&[0]);
    }
}
