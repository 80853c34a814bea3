//! Comfort noise (RFC 3389): what silence sounds like, for codecs that cannot say it themselves.
//!
//! The static payload type is 13, at 8 000 Hz; other rates have dynamic ones (§4).

use super::Verbatim;
use crate::{DecodeError, EncodeError};

/// The static payload type, at 8 000 Hz.
pub const PAYLOAD_TYPE: u8 = 13;

/// Both ends of the format: a frame is a [`ComfortNoise`] as it is written. Its packets have no
/// marker bit (§4).
pub const FORMAT: Verbatim = Verbatim::new(|payload| ComfortNoise::parse(payload).map(drop));

/// The payload (RFC 3389 §3).
///
/// ```text
/// Byte        1      2    3    ...   M+1
///          +-----+-----+-----+-----+-----+
///          |level|  N1 |  N2 | ... |  NM |
///          +-----+-----+-----+-----+-----+
///
///  0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |0|   level     |
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComfortNoise<'a> {
    /// The noise level in -dBov: 0 is the loudest there is, 127 the faintest.
    pub level: u8,
    /// The quantized reflection coefficients, as many as the model's order; see
    /// [`reflection`](Self::reflection). May be empty.
    pub coefficients: &'a [u8],
}

impl<'a> ComfortNoise<'a> {
    /// Reads a payload. The first bit, always 0, is ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if the payload is empty.
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let (level, coefficients) = payload.split_first().ok_or(DecodeError::Truncated)?;
        Ok(Self {
            level: level & 0x7F,
            coefficients,
        })
    }

    /// The reflection coefficients, from -1 to 1 (§3.2). The reserved index 255 is left out, and
    /// with it those of higher order.
    pub fn reflection(&self) -> impl Iterator<Item = f32> + use<'a> {
        let known = self.coefficients.iter().take_while(|&&index| index != 255);
        known.map(|&index| 258.0 * (f32::from(index) - 127.0) / 32768.0)
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + self.coefficients.len()
    }

    /// Writes the payload to the beginning of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if the level is over 127.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).ok_or(EncodeError::TooSmall)?;
        if self.level > 127 {
            return Err(EncodeError::Value);
        }
        out[0] = self.level;
        out[1..].copy_from_slice(self.coefficients);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::{ComfortNoise, FORMAT};
    use crate::DecodeError;
    use crate::payload::{Depacketizer, Packetizer};
    use bytes::{Bytes, BytesMut};

    // media-036
    #[test]
    fn level_and_coefficients_are_read_and_written() {
        let wire = [0x3F, 0, 127, 254];
        let noise = ComfortNoise::parse(&wire).unwrap();
        assert_eq!(noise.level, 63);
        let reflection: Vec<f32> = noise.reflection().collect();
        assert!((reflection[0] + 0.999_94).abs() < 1e-4, "{reflection:?}");
        assert!(reflection[1].abs() < 1e-6);
        assert!((reflection[2] - 0.999_94).abs() < 1e-4);
        let mut out = [0; 4];
        assert_eq!(noise.write(&mut out), Ok(4));
        assert_eq!(out, wire);
    }

    #[test]
    fn a_reserved_index_ends_the_coefficients_and_the_top_bit_is_ignored() {
        let noise = ComfortNoise::parse(&[0xC0, 1, 255, 2]).unwrap();
        assert_eq!(noise.level, 64);
        assert_eq!(noise.reflection().count(), 1);
    }

    #[test]
    fn every_packet_is_a_frame() {
        let noise = Bytes::from_static(&[20, 1, 2]);
        let mut sent = Vec::new();
        let mut format = FORMAT;
        format
            .packetize(&noise, 3, &mut |payload, marker| {
                sent.push((payload, marker))
            })
            .unwrap();
        assert_eq!(sent, [(noise.clone(), false)]);
        let mut frame = BytesMut::new();
        format.depacketize(&noise, true, &mut frame).unwrap();
        assert_eq!(frame, noise);
        let refused = format.packetize(&noise, 2, &mut |_, _| panic!("emitted"));
        assert_eq!(refused, Err(DecodeError::Length));
    }
}
