use crate::codec::{h264, h265};
use crate::{Codec, Error};

/// Says where access units begin in a row of units.
#[derive(Clone, Debug)]
pub struct Boundary {
    is_h265: bool,
    /// Whether the access unit under way has a slice.
    has_slice: bool,
}

impl Boundary {
    /// Bytes of a unit that must be known: its header, and where its slice begins.
    pub const LOOKED_AT: usize = 3;

    /// For H.264 or H.265.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] for any other codec.
    pub fn new(codec: Codec) -> Result<Self, Error> {
        match codec {
            Codec::H264 | Codec::H265 => Ok(Self {
                is_h265: codec == Codec::H265,
                has_slice: false,
            }),
            other => Err(Error::Codec(other)),
        }
    }

    /// Whether an access unit begins with this unit, of which the first
    /// [`LOOKED_AT`](Self::LOOKED_AT) bytes are given, or fewer if it is shorter.
    pub fn begins_with(&mut self, unit: &[u8]) -> bool {
        let part = if self.is_h265 {
            Part::of_h265(unit)
        } else {
            Part::of_h264(unit)
        };
        let begins = self.has_slice && matches!(part, Part::First | Part::FirstSlice);
        self.has_slice = match part {
            Part::FirstSlice | Part::Slice => true,
            _ => self.has_slice && !begins,
        };
        begins
    }
}

/// What a unit is in its access unit.
enum Part {
    /// It comes before all slices.
    First,
    /// The slice that begins a picture.
    FirstSlice,
    /// A further slice.
    Slice,
    /// It belongs to what came before it.
    Other,
}

impl Part {
    /// H.264 §7.4.1.2.3 and §7.4.1.2.4. That a slice with `first_mb_in_slice` of 0 begins a picture
    /// holds without arbitrary slice order and redundant pictures, which encoders in use do not make.
    fn of_h264(unit: &[u8]) -> Self {
        match h264::unit_type(unit) {
            // The number 0 is coded as the single bit 1 (§9.1).
            1 | 2 | 5 if unit.get(1).is_some_and(|slice| slice & 0x80 != 0) => Self::FirstSlice,
            1..=5 => Self::Slice,
            6..=9 | 14..=18 => Self::First,
            _ => Self::Other,
        }
    }

    /// H.265 §7.4.2.4.4 and §7.4.2.4.5.
    fn of_h265(unit: &[u8]) -> Self {
        match h265::unit_type(unit) {
            // first_slice_segment_in_pic_flag
            0..=31 if unit.get(2).is_some_and(|slice| slice & 0x80 != 0) => Self::FirstSlice,
            0..=31 => Self::Slice,
            32..=35 | 39 | 41..=44 | 48..=55 => Self::First,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the units begin an access unit.
    fn begins(codec: Codec, units: &[&[u8]]) -> Vec<usize> {
        let mut boundary = Boundary::new(codec).unwrap();
        (0..units.len())
            .filter(|&at| boundary.begins_with(units[at]))
            .collect()
    }

    #[test]
    fn parameter_sets_and_delimiters_belong_to_the_picture_after_them() {
        let (sps, pps, delimiter) = (&[0x67, 1, 2], &[0x68, 1, 2], &[0x09, 0x10]);
        let (idr, slice) = (&[0x65, 0x88, 0], &[0x41, 0x9A, 0]);
        assert_eq!(
            begins(
                Codec::H264,
                &[sps, pps, idr, delimiter, slice, sps, pps, idr, slice]
            ),
            [3, 5, 8]
        );
    }

    #[test]
    fn further_slices_and_filler_stay_with_their_picture() {
        let (first, second, filler) = (&[0x65, 0x88, 0], &[0x65, 0x41, 0], &[0x0C, 0xFF]);
        assert_eq!(
            begins(Codec::H264, &[first, second, filler, first, second]),
            [3]
        );
    }

    #[test]
    fn h265_pictures_begin_with_their_first_slice_segment() {
        let (vps, sps, pps) = (&[0x40, 1, 1], &[0x42, 1, 1], &[0x44, 1, 1]);
        let (idr, more, suffix) = (&[0x26, 1, 0xAF], &[0x26, 1, 0x40], &[0x50, 1, 1]);
        assert_eq!(
            begins(
                Codec::H265,
                &[vps, sps, pps, idr, more, suffix, idr, suffix, vps, idr]
            ),
            [6, 8]
        );
    }
}
