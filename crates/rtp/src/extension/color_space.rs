//! The color space of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/color-space>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      ID       |   length=28   |   primaries   |   transfer    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    matrix     |range+chr.sit. |         luminance_max         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         luminance_min         |            mastering_metadata.|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |primary_r.x and .y             |            mastering_metadata.|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |primary_g.x and .y             |            mastering_metadata.|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |primary_b.x and .y             |            mastering_metadata.|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |white.x and .y                 |    max_content_light_level    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | max_frame_average_light_level |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};

/// The colors of a picture, by the numbers of ITU-T H.273. It stands on the last packet of a key
/// frame, and holds until the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColorSpace {
    /// The color primaries.
    pub primaries: u8,
    /// The transfer characteristics.
    pub transfer: u8,
    /// The matrix coefficients.
    pub matrix: u8,
    /// The range: 0 by other means, 1 limited, 2 full, 3 derived; 2 bits.
    pub range: u8,
    /// Where chroma stands between columns: 0 unknown, 1 beside a luma sample, 2 in the middle;
    /// 2 bits.
    pub chroma_siting_horizontal: u8,
    /// Where chroma stands between rows; 2 bits.
    pub chroma_siting_vertical: u8,
    /// How the picture was mastered, for high dynamic range.
    pub hdr: Option<HdrMetadata>,
}

/// How a picture of high dynamic range was mastered (SMPTE ST 2086), and how bright it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HdrMetadata {
    /// The highest luminance of the mastering display, in cd/m².
    pub luminance_max: u16,
    /// The lowest luminance of the mastering display, in 1/10 000 cd/m².
    pub luminance_min: u16,
    /// x and y of the red, green and blue primaries and of the white point, in 1/50 000.
    pub chromaticities: [[u16; 2]; 4],
    /// The brightest pixel, in cd/m².
    pub max_content_light_level: u16,
    /// The brightest average of a frame, in cd/m².
    pub max_frame_average_light_level: u16,
}

impl Extension<'_> for ColorSpace {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/color-space";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let (primaries, transfer, matrix) = (reader.u8()?, reader.u8()?, reader.u8()?);
        let bits = reader.u8()?;
        let hdr = if reader.is_empty() {
            None
        } else {
            Some(HdrMetadata::parse(&mut reader)?)
        };
        Ok(Self {
            primaries,
            transfer,
            matrix,
            range: bits >> 4 & 3,
            chroma_siting_horizontal: bits >> 2 & 3,
            chroma_siting_vertical: bits & 3,
            hdr,
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let (horizontal, vertical) = (self.chroma_siting_horizontal, self.chroma_siting_vertical);
        if self.range > 3 || horizontal > 3 || vertical > 3 {
            return Err(EncodeError::Value);
        }
        let bits = self.range << 4 | horizontal << 2 | vertical;
        let mut value = Value::from_slice(&[self.primaries, self.transfer, self.matrix, bits]);
        if let Some(hdr) = &self.hdr {
            hdr.write(&mut value);
        }
        Ok(value)
    }
}

impl HdrMetadata {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (luminance_max, luminance_min) = (reader.u16()?, reader.u16()?);
        let mut chromaticities = [[0; 2]; 4];
        for coordinate in chromaticities.as_flattened_mut() {
            *coordinate = reader.u16()?;
        }
        Ok(Self {
            luminance_max,
            luminance_min,
            chromaticities,
            max_content_light_level: reader.u16()?,
            max_frame_average_light_level: reader.u16()?,
        })
    }

    fn write(&self, value: &mut Value) {
        let before = [self.luminance_max, self.luminance_min];
        let after = [
            self.max_content_light_level,
            self.max_frame_average_light_level,
        ];
        for list in [&before[..], self.chromaticities.as_flattened(), &after] {
            value.extend(list.iter().flat_map(|field| field.to_be_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;

    #[test]
    fn both_forms_come_back() {
        let mut space = ColorSpace {
            primaries: 9,
            transfer: 16,
            matrix: 9,
            range: 1,
            chroma_siting_horizontal: 2,
            chroma_siting_vertical: 3,
            hdr: None,
        };
        same_bytes(&[9, 16, 9, 0x1B], &space);
        shorter_is_refused::<ColorSpace>(&[9, 16, 9, 0x1B]);
        space.hdr = Some(HdrMetadata {
            luminance_max: 1,
            luminance_min: 2,
            chromaticities: [[3, 4], [5, 6], [7, 8], [9, 10]],
            max_content_light_level: 11,
            max_frame_average_light_level: 12,
        });
        let mut value = vec![9, 16, 9, 0x1B];
        value.extend((1..=12).flat_map(|field| [0, field]));
        assert_eq!(value.len(), 28);
        same_bytes(&value, &space);
        assert!(ColorSpace::parse(&value[..27]).is_err());
        space.range = 4;
        assert!(space.write().is_err());
    }
}
