//! The video layers allocation of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/video-layers-allocation00>).
//!
//! ```text
//!                           +-+-+-+-+-+-+-+-+
//!                           |RID| NS| sl_bm |
//!                           +-+-+-+-+-+-+-+-+
//! Spatial layer bitmask     |sl0_bm |sl1_bm |
//!   up to 2 bytes           +-+-+-+-+-+-+-+-+
//!   when sl_bm == 0         |sl2_bm |sl3_bm |
//!                           +-+-+-+-+-+-+-+-+
//! Number of temporal layers |#tl|#tl|#tl|#tl|
//! per spatial layer, less 1 +-+-+-+-+-+-+-+-+
//!  Target bitrate in kbit/s |               |
//!   per temporal layer      :      ...      :
//!    leb128 encoded         +-+-+-+-+-+-+-+-+
//! Resolution and framerate  |   width - 1   |  16 bits
//!   per spatial layer       +---------------+
//!   (optional)              |   height - 1  |  16 bits
//!                           +---------------+
//!                           | max framerate |  8 bits
//!                           +-+-+-+-+-+-+-+-+
//! ```

use super::bits::{BitReader, BitWriter};
use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use smallvec::SmallVec;

/// Streams that two bits can count.
const MAX_STREAMS: usize = 4;

/// Spatial layers of a stream that four bits can mark.
const MAX_SPATIAL_LAYERS: u8 = 4;

/// Temporal layers of a spatial layer that two bits can count.
const MAX_TEMPORAL_LAYERS: usize = 4;

/// Which layers a sender sends now, and how large they are: what a server needs to choose one for
/// each receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoLayersAllocation {
    /// Which of the streams this packet is of.
    pub stream_index: u8,
    /// How many simulcast streams there are, 4 at most; 0 with no layers says that nothing is sent.
    pub stream_count: u8,
    /// The layers that are sent, ordered by stream and spatial layer.
    pub layers: SmallVec<[SpatialLayer; 3]>,
}

/// A spatial layer that is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpatialLayer {
    /// The stream it is in.
    pub stream_index: u8,
    /// Its spatial id in that stream, 0 to 3.
    pub spatial_id: u8,
    /// The target rate of each temporal layer with all below it, in kbit/s; 1 to 4 of them.
    pub bitrates: SmallVec<[u32; MAX_TEMPORAL_LAYERS]>,
    /// How large its pictures are. Either all layers say it, or none.
    pub resolution: Option<LayerResolution>,
}

/// How large the pictures of a layer are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerResolution {
    /// The width in pixels, 1 to 65 536.
    pub width: u32,
    /// The height in pixels, 1 to 65 536.
    pub height: u32,
    /// The highest frame rate, in frames per second.
    pub max_frame_rate: u8,
}

impl Extension<'_> for VideoLayersAllocation {
    const URI: &'static str =
        "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        if value == [0] {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(value);
        let first = reader.u8()?;
        let mut allocation = Self {
            stream_index: first >> 6,
            stream_count: (first >> 4 & 3) + 1,
            layers: SmallVec::new(),
        };
        allocation.parse_masks(first & 0xF, &mut reader)?;
        allocation.parse_bitrates(&mut reader)?;
        if !reader.is_empty() {
            for layer in &mut allocation.layers {
                layer.resolution = Some(LayerResolution::parse(&mut reader)?);
            }
        }
        Ok(allocation)
    }

    fn write(&self) -> Result<Value, EncodeError> {
        if *self == Self::default() {
            return Ok(Value::from_slice(&[0]));
        }
        let mut value = self.write_masks()?;
        value.extend_from_slice(&self.write_temporal_layers()?);
        for layer in &self.layers {
            layer
                .bitrates
                .iter()
                .for_each(|rate| put_leb128(&mut value, *rate));
        }
        let with_resolution = self.layers.iter().filter_map(|layer| layer.resolution);
        match with_resolution.clone().count() {
            0 => {}
            all if all == self.layers.len() => {
                for resolution in with_resolution {
                    resolution.write(&mut value)?;
                }
            }
            _ => return Err(EncodeError::Value),
        }
        Ok(value)
    }
}

impl VideoLayersAllocation {
    /// Reads which layers there are.
    fn parse_masks(&mut self, common: u8, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let bytes = match common {
            0 => reader.take(usize::from(self.stream_count).div_ceil(2))?,
            _ => &[],
        };
        let mut masks = BitReader::new(bytes);
        for stream_index in 0..self.stream_count {
            let mask = if common == 0 { masks.u8(4)? } else { common };
            for spatial_id in (0..MAX_SPATIAL_LAYERS).filter(|id| mask & 1 << id != 0) {
                self.layers.push(SpatialLayer {
                    stream_index,
                    spatial_id,
                    ..SpatialLayer::default()
                });
            }
        }
        Ok(())
    }

    fn parse_bitrates(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut counts = BitReader::new(reader.take(self.layers.len().div_ceil(4))?);
        for layer in &mut self.layers {
            let count = counts.u8(2)? + 1;
            layer.bitrates = (0..count)
                .map(|_| leb128(reader))
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn write_masks(&self) -> Result<Value, EncodeError> {
        let masks = self.masks()?;
        let masks = &masks[..usize::from(self.stream_count)];
        let first = *masks.first().ok_or(EncodeError::Value)?;
        let common = if masks.iter().all(|mask| *mask == first) {
            first
        } else {
            0
        };
        let mut bits = BitWriter::default();
        bits.put(2, self.stream_index)?;
        bits.put(2, self.stream_count - 1)?;
        bits.put(4, common)?;
        if common == 0 {
            masks.iter().try_for_each(|mask| bits.put(4, *mask))?;
        }
        Ok(bits.finish())
    }

    /// The layers of each stream as bits. They must be in order, each once.
    fn masks(&self) -> Result<[u8; MAX_STREAMS], EncodeError> {
        let mut masks = [0; MAX_STREAMS];
        if usize::from(self.stream_count) > MAX_STREAMS {
            return Err(EncodeError::Value);
        }
        let mut next = (0, 0);
        for layer in &self.layers {
            let place = (layer.stream_index, layer.spatial_id);
            let known = layer.stream_index < self.stream_count;
            if place < next || !known || layer.spatial_id >= MAX_SPATIAL_LAYERS {
                return Err(EncodeError::Value);
            }
            masks[usize::from(layer.stream_index)] |= 1 << layer.spatial_id;
            next = (layer.stream_index, layer.spatial_id + 1);
        }
        Ok(masks)
    }

    fn write_temporal_layers(&self) -> Result<Value, EncodeError> {
        let mut bits = BitWriter::default();
        for layer in &self.layers {
            let count = u8::try_from(layer.bitrates.len()).map_err(|_| EncodeError::Value)?;
            bits.put(2, count.checked_sub(1).ok_or(EncodeError::Value)?)?;
        }
        Ok(bits.finish())
    }
}

impl LayerResolution {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            width: u32::from(reader.u16()?) + 1,
            height: u32::from(reader.u16()?) + 1,
            max_frame_rate: reader.u8()?,
        })
    }

    fn write(self, value: &mut Value) -> Result<(), EncodeError> {
        for size in [self.width, self.height] {
            let less = size.checked_sub(1).map(u16::try_from);
            match less {
                Some(Ok(less)) => value.extend_from_slice(&less.to_be_bytes()),
                _ => return Err(EncodeError::Value),
            }
        }
        value.push(self.max_frame_rate);
        Ok(())
    }
}

/// Reads seven bits of each byte, the low ones first, until a byte below 128.
fn leb128(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = reader.u8()?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return u32::try_from(number).map_err(|_| DecodeError::Value);
        }
    }
    Err(DecodeError::Value)
}

fn put_leb128(value: &mut Value, mut number: u32) {
    loop {
        let [.., low] = number.to_be_bytes();
        number >>= 7;
        if number == 0 {
            value.push(low & 0x7F);
            return;
        }
        value.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{same_bytes, shorter_is_refused};
    use super::*;
    use smallvec::smallvec;

    fn layer(stream_index: u8, spatial_id: u8, bitrates: &[u32]) -> SpatialLayer {
        SpatialLayer {
            stream_index,
            spatial_id,
            bitrates: bitrates.into(),
            resolution: None,
        }
    }

    #[test]
    fn a_layer_with_its_resolution_comes_back() {
        let value = [0x01, 0x00, 0xF4, 0x03, 0x02, 0x7F, 0x01, 0x67, 0x1E];
        let mut only = layer(0, 0, &[500]);
        only.resolution = Some(LayerResolution {
            width: 640,
            height: 360,
            max_frame_rate: 30,
        });
        let allocation = VideoLayersAllocation {
            stream_index: 0,
            stream_count: 1,
            layers: smallvec![only],
        };
        same_bytes(&value, &allocation);
        shorter_is_refused::<VideoLayersAllocation>(&value[..4]);
        assert!(VideoLayersAllocation::parse(&value[..8]).is_err());
    }

    #[test]
    fn three_streams_of_different_layers_come_back() {
        let allocation = VideoLayersAllocation {
            stream_index: 2,
            stream_count: 3,
            layers: smallvec![
                layer(0, 0, &[100]),
                layer(2, 1, &[200, 300]),
                layer(2, 3, &[1, 2, 3, u32::MAX]),
            ],
        };
        let value = [
            0xA0, 0x10, 0xA0, 0x1C, 100, 0xC8, 1, 0xAC, 2, 1, 2, 3, 255, 255, 255, 255, 15,
        ];
        same_bytes(&value, &allocation);
        shorter_is_refused::<VideoLayersAllocation>(&value);
    }

    #[test]
    fn nothing_sent_is_one_byte() {
        same_bytes(&[0], &VideoLayersAllocation::default());
    }

    #[test]
    fn what_the_format_cannot_say_is_not_written() {
        let with = |layers| VideoLayersAllocation {
            stream_index: 0,
            stream_count: 2,
            layers,
        };
        for layers in [
            smallvec![layer(0, 0, &[])],
            smallvec![layer(0, 0, &[1, 2, 3, 4, 5])],
            smallvec![layer(0, 4, &[1])],
            smallvec![layer(2, 0, &[1])],
            smallvec![layer(1, 0, &[1]), layer(0, 0, &[1])],
            smallvec![layer(0, 0, &[1]), layer(0, 0, &[1])],
        ] {
            assert!(with(layers).write().is_err());
        }
        let mut half = with(smallvec![layer(0, 0, &[1]), layer(1, 0, &[1])]);
        half.layers[0].resolution = Some(LayerResolution::default());
        assert!(half.write().is_err());
        half.stream_count = 5;
        assert!(half.write().is_err());
    }

    #[test]
    fn a_rate_without_end_is_refused() {
        let endless = [0x01, 0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert!(VideoLayersAllocation::parse(&endless).is_err());
    }
}
