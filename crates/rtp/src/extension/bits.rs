use super::Value;
use crate::{DecodeError, EncodeError};

/// Takes fields of bits from the front of bytes, high bits first.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken already.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn flag(&mut self) -> Result<bool, DecodeError> {
        let byte = self.bytes.get(self.at / 8).ok_or(DecodeError::Truncated)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit != 0)
    }

    /// A number of up to 32 bits.
    pub(super) fn u32(&mut self, bits: u32) -> Result<u32, DecodeError> {
        let mut number = 0;
        for _ in 0..bits {
            number = number << 1 | u32::from(self.flag()?);
        }
        Ok(number)
    }

    /// A number of up to 16 bits.
    pub(super) fn u16(&mut self, bits: u32) -> Result<u16, DecodeError> {
        u16::try_from(self.u32(bits)?).map_err(|_| DecodeError::Value)
    }

    /// A number of up to 8 bits.
    pub(super) fn u8(&mut self, bits: u32) -> Result<u8, DecodeError> {
        u8::try_from(self.u32(bits)?).map_err(|_| DecodeError::Value)
    }

    /// A number below `values`, with one bit less for the lower ones: `ns(n)` of the AV1 RTP
    /// specification, A.8.2.
    pub(super) fn non_symmetric(&mut self, values: u8) -> Result<u8, DecodeError> {
        let (width, short) = non_symmetric(values);
        let high = self.u8(width - 1)?;
        if high < short {
            return Ok(high);
        }
        Ok((high << 1) - short + u8::from(self.flag()?))
    }
}

/// How many bits the longer numbers of `ns(values)` have, and how many numbers have one less.
/// `values` is 1 to 127.
fn non_symmetric(values: u8) -> (u32, u8) {
    let width = u8::BITS - values.leading_zeros();
    (width, (1 << width) - values)
}

/// Puts fields of bits behind each other, high bits first; the last byte is filled with zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    bytes: Value,
    at: usize,
}

impl BitWriter {
    pub(super) fn flag(&mut self, flag: bool) {
        let bit = self.at % 8;
        if bit == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(flag) << (7 - bit);
        }
        self.at += 1;
    }

    /// The low bits of a number that must fit them.
    pub(super) fn put(&mut self, bits: u32, number: impl Into<u32>) -> Result<(), EncodeError> {
        let number = number.into();
        if bits < 32 && number >> bits != 0 {
            return Err(EncodeError::Value);
        }
        for shift in (0..bits).rev() {
            self.flag(number >> shift & 1 != 0);
        }
        Ok(())
    }

    /// As [`BitReader::non_symmetric`].
    pub(super) fn put_non_symmetric(&mut self, values: u8, number: u8) -> Result<(), EncodeError> {
        if number >= values {
            return Err(EncodeError::Value);
        }
        let (width, short) = non_symmetric(values);
        if number < short {
            self.put(width - 1, number)
        } else {
            self.put(width, number + short)
        }
    }

    pub(super) fn finish(self) -> Value {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_specification_comes_out() {
        // A.8.2: n = 5.
        for (number, bits, width) in [(0, 0b00, 2), (1, 0b01, 2), (2, 0b10, 2), (3, 0b110, 3)] {
            let mut writer = BitWriter::default();
            writer.put_non_symmetric(5, number).unwrap();
            assert_eq!(writer.at, width);
            assert_eq!(writer.finish()[0], bits << (8 - width));
        }
    }

    #[test]
    fn non_symmetric_numbers_come_back() {
        for values in 1..=33 {
            let mut writer = BitWriter::default();
            for number in 0..values {
                writer.put_non_symmetric(values, number).unwrap();
            }
            assert!(writer.put_non_symmetric(values, values).is_err());
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for number in 0..values {
                assert_eq!(reader.non_symmetric(values), Ok(number));
            }
        }
    }

    #[test]
    fn bits_beyond_the_end_are_refused() {
        let mut reader = BitReader::new(&[0xA5]);
        assert_eq!(reader.u8(3), Ok(0b101));
        assert_eq!(reader.u8(5), Ok(0b00101));
        assert_eq!(reader.u32(0), Ok(0));
        assert_eq!(reader.flag(), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_number_that_does_not_fit_is_not_written() {
        let mut writer = BitWriter::default();
        assert_eq!(writer.put(3, 8_u8), Err(EncodeError::Value));
        assert_eq!(writer.put(32, u32::MAX), Ok(()));
    }
}
