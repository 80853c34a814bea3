/// A rate as `mantissa << exponent` with the smallest exponent that makes the mantissa fit
/// `bits` bits; what is shifted out is lost.
pub(super) fn split(rate: u64, bits: u32) -> (u32, u32) {
    let used = u64::BITS - rate.leading_zeros();
    let exponent = used.saturating_sub(bits);
    let mantissa = u32::try_from(rate >> exponent).unwrap_or(u32::MAX);
    (mantissa, exponent)
}

/// The rate of a mantissa and an exponent below 64, saturating.
pub(super) fn join(mantissa: u32, exponent: u32) -> u64 {
    let rate = u128::from(mantissa) << exponent;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_loses_only_what_does_not_fit() {
        assert_eq!(split(0, 18), (0, 0));
        assert_eq!(split(0x3_FFFF, 18), (0x3_FFFF, 0));
        assert_eq!(split(0x4_0001, 18), (0x2_0000, 1));
        assert_eq!(join(0x2_0000, 1), 0x4_0000);
        let (mantissa, exponent) = split(u64::MAX, 17);
        assert_eq!(join(mantissa, exponent) >> 47, u64::MAX >> 47);
    }

    #[test]
    fn a_rate_beyond_64_bits_saturates() {
        assert_eq!(join(0x3_FFFF, 63), u64::MAX);
    }
}
