//! Coordination of video orientation, CVO (3GPP TS 26.114 §7.4.5, RFC 7742 §4).
//!
//! ```text
//!  0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=0 |0 0 0 0 C F R R|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::{DecodeError, EncodeError};
use smallvec::smallvec;

/// How a picture is to be turned to stand upright. It holds until the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoOrientation {
    /// Whether the camera looks away from who holds it.
    pub back_facing: bool,
    /// Whether left and right are exchanged.
    pub flipped: bool,
    /// How far a receiver has to turn it.
    pub rotation: Rotation,
}

/// A turn, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It stands upright.
    #[default]
    None,
    /// A quarter.
    By90,
    /// A half.
    By180,
    /// Three quarters.
    By270,
}

impl Extension<'_> for VideoOrientation {
    const URI: &'static str = "urn:3gpp:video-orientation";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let &bits = value.first().ok_or(DecodeError::Truncated)?;
        Ok(Self {
            back_facing: bits & 8 != 0,
            flipped: bits & 4 != 0,
            rotation: match bits & 3 {
                0 => Rotation::None,
                1 => Rotation::By90,
                2 => Rotation::By180,
                _ => Rotation::By270,
            },
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let rotation = match self.rotation {
            Rotation::None => 0,
            Rotation::By90 => 1,
            Rotation::By180 => 2,
            Rotation::By270 => 3,
        };
        let bits = u8::from(self.back_facing) << 3 | u8::from(self.flipped) << 2 | rotation;
        Ok(smallvec![bits])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    // rtp-023
    #[test]
    fn every_orientation_comes_back() {
        for bits in 0..16 {
            let orientation = VideoOrientation::parse(&[bits]).unwrap();
            assert_eq!(orientation.write().as_deref(), Ok(&[bits][..]));
        }
        let orientation = VideoOrientation {
            back_facing: true,
            flipped: false,
            rotation: Rotation::By270,
        };
        same_bytes(&[0x0B], &orientation);
        shorter_is_refused::<VideoOrientation>(&[0]);
    }
}
