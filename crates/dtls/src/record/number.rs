/// The sequence number nearest to `expected` whose low `bits` (8 or 16) are `low` (RFC 9147 §4.2.2).
///
/// `expected` is one more than the largest number that was opened in the epoch.
pub(crate) fn reconstruct(expected: u64, low: u16, bits: u32) -> u64 {
    let span = 1_u64 << bits;
    let candidate = (expected & !(span - 1)) | u64::from(low);
    let half = span / 2;
    if candidate + half < expected {
        candidate + span
    } else if candidate >= expected + half && candidate >= span {
        candidate - span
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-032
    #[test]
    fn the_nearest_number_is_taken() {
        for (expected, low, bits, number) in [
            (0, 0, 16, 0),
            (0, 0xFFFF, 16, 0xFFFF),
            (0x1_0000, 0xFFFF, 16, 0xFFFF),
            (0xFFFF, 0, 16, 0x1_0000),
            (0x1_0000, 5, 16, 0x1_0005),
            (0x2_8000, 0, 16, 0x2_0000),
            (0x2_8001, 0, 16, 0x3_0000),
            (0x180, 0x10, 8, 0x110),
            (0x1FF, 0x02, 8, 0x202),
            (0x202, 0xFE, 8, 0x1FE),
        ] {
            assert_eq!(reconstruct(expected, low, bits), number, "{expected:#x}");
        }
    }
}
