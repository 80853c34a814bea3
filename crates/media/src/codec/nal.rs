//! The byte stream of Annex B, which H.264 and H.265 share.

/// The units of a byte stream, without start codes and trailing zeros (H.264 and H.265 Annex B).
pub(crate) fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(stream).map(|at| &stream[at + 3..]);
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = start_code(unit);
        rest = end.map(|at| &unit[at + 3..]);
        let unit = &unit[..end.unwrap_or(unit.len())];
        let len = unit
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |at| at + 1);
        Some(&unit[..len])
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the next `00 00 01` is.
pub(crate) fn start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    // The third byte says how far the next start code is at least.
    while let Some(&[a, b, c]) = bytes.get(at..at + 3).and_then(|three| three.first_chunk()) {
        match (a, b, c) {
            (0, 0, 1) => return Some(at),
            (_, _, 0) => at += 1,
            (_, _, 1) if b == 0 => at += 1,
            _ => at += 3,
        }
    }
    None
}

/// A unit's payload without the bytes that keep start codes out of it (H.264 §7.3.1,
/// H.265 §7.3.1.1), at most `MAX_PARAMETER_SET` bytes of it.
pub(super) fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let mut payload = Vec::with_capacity(unit.len().min(MAX_PARAMETER_SET));
    for &byte in unit.iter().take(MAX_PARAMETER_SET) {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        payload.push(byte);
    }
    payload
}

/// How much is looked at of a parameter set, in bytes; they are seldom larger than 100.
const MAX_PARAMETER_SET: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_lie_between_start_codes_of_three_and_four_bytes() {
        let stream = [
            0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 0, 1, 0, 0, 0, 1, 0x68, 0, 0, 0,
        ];
        let units: Vec<_> = units(&stream).collect();
        assert_eq!(units, [&[9, 16][..], &[0x67, 0, 1], &[0x68]]);
    }

    #[test]
    fn a_start_code_is_found_at_every_place() {
        for before in 0..8 {
            for filler in [0xFF, 1, 2] {
                let mut stream = vec![filler; before];
                stream.extend([0, 0, 1, 5]);
                assert_eq!(start_code(&stream), Some(before), "{stream:?}");
            }
        }
        assert_eq!(start_code(&[0, 0, 0, 0, 1]), Some(2));
        assert_eq!(start_code(&[0, 0, 2, 0, 0]), None);
        assert_eq!(start_code(&[0, 0]), None);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        assert_eq!(
            unescape(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3]),
            [0, 0, 1, 0, 0, 0, 0]
        );
    }
}
