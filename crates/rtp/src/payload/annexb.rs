use std::ops::Range;

/// What stands before every NAL unit that a depacketizer gives: the long start code, which is
/// right everywhere in the stream.
pub(super) const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The NAL units of a byte stream (ITU-T H.264 and H.265, Annex B), without start codes of three
/// or four bytes and the zeros between them; empty ones are left out. Bytes before the first start
/// code belong to none.
pub(super) fn nal_units(stream: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = after_start_code(stream, 0);
    std::iter::from_fn(move || {
        let start = at?;
        at = after_start_code(stream, start);
        let end = at.map_or(stream.len(), |next| next - 3);
        // A NAL unit does not end with a zero: those behind it are part of a longer start code,
        // or trailing_zero_8bits.
        let zeros = stream[start..end]
            .iter()
            .rev()
            .take_while(|&&byte| byte == 0);
        Some(start..end - zeros.count())
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the bytes behind the first start code at or after `from` begin.
fn after_start_code(stream: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        // The last byte of the three decides how far the next can be.
        match stream.get(at..)?.first_chunk()? {
            [0, 0, 1] => return Some(at + 3),
            [_, _, 0 | 1] => at += 1,
            _ => at += 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::nal_units;

    fn units(stream: &[u8]) -> Vec<&[u8]> {
        nal_units(stream).map(|unit| &stream[unit]).collect()
    }

    #[test]
    fn short_and_long_start_codes_part_the_units() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 0, 2, 0, 0, 0, 1, 0x65, 3,
        ];
        assert_eq!(units(&stream), [&[0x67, 1][..], &[0x68, 0, 2], &[0x65, 3]]);
    }

    #[test]
    fn zeros_around_units_and_empty_units_are_left_out() {
        let stream = [
            9, 0, 0, 0, 0, 1, 0x67, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0, 0,
        ];
        assert_eq!(units(&stream), [&[0x67][..], &[0x65]]);
    }

    #[test]
    fn a_stream_without_start_code_has_no_units() {
        for stream in [&[][..], &[0], &[0, 0], &[0, 0, 1], &[1, 2, 3, 4, 0, 0, 2]] {
            assert!(units(stream).is_empty(), "{stream:?}");
        }
    }
}
