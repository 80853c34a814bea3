//! Little-endian base 128 (AV1 specification §4.10.5): seven bits in each byte, the lowest first;
//! the top bit says that more follow.

use crate::DecodeError;
use bytes::BufMut;

/// The most bytes that a number may take.
const MAX_LEN: usize = 8;

/// Bytes of a number.
pub(super) fn encoded_len(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    usize::try_from(bits.div_ceil(7).max(1)).unwrap_or(MAX_LEN)
}

/// Writes a number.
pub(super) fn write(mut value: usize, out: &mut impl BufMut) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        out.put_u8(low & 0x7F | u8::from(value != 0) << 7);
        if value == 0 {
            return;
        }
    }
}

/// Reads a number, and gives what follows it. A number does not exceed 32 bits.
pub(super) fn parse(bytes: &[u8]) -> Result<(usize, &[u8]), DecodeError> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(MAX_LEN).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).map_err(|_| DecodeError::Value)?;
            let value = usize::try_from(value).map_err(|_| DecodeError::Value)?;
            return Ok((value, &bytes[index + 1..]));
        }
    }
    match bytes.len() {
        ..MAX_LEN => Err(DecodeError::Truncated),
        _ => Err(DecodeError::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::{encoded_len, parse, write};
    use crate::DecodeError;

    #[test]
    fn numbers_are_read_and_written() {
        for (value, wire) in [
            (0, &[0][..]),
            (127, &[0x7F]),
            (128, &[0x80, 1]),
            (300, &[0xAC, 2]),
            (16_384, &[0x80, 0x80, 1]),
            (
                u32::MAX.try_into().unwrap(),
                &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            ),
        ] {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, wire);
            assert_eq!(encoded_len(value), wire.len());
            out.push(9);
            assert_eq!(parse(&out), Ok((value, &[9][..])));
        }
    }

    #[test]
    fn a_number_may_be_padded_but_neither_too_long_nor_too_large() {
        assert_eq!(parse(&[0x81, 0x80, 0x80, 0]), Ok((1, &[][..])));
        assert_eq!(parse(&[0x80, 0x80]), Err(DecodeError::Truncated));
        assert_eq!(parse(&[0x80; 9]), Err(DecodeError::Value));
        let large = [0xFF, 0xFF, 0xFF, 0xFF, 0x1F];
        assert_eq!(parse(&large), Err(DecodeError::Value));
    }
}
