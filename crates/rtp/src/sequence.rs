/// Follows 16-bit sequence numbers across their wraps (RFC 3550 A.1), in any order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceUnwrapper {
    highest: Option<u64>,
}

impl SequenceUnwrapper {
    /// The extended number: the one nearest to the highest seen. The first is given as it is, one
    /// cycle up, so that numbers before it exist.
    pub fn unwrap(&mut self, sequence_number: u16) -> u64 {
        let extended = self.peek(sequence_number);
        self.highest = Some(
            self.highest
                .map_or(extended, |highest| highest.max(extended)),
        );
        extended
    }

    /// What [`unwrap`](Self::unwrap) would give, without remembering it.
    #[must_use]
    pub fn peek(&self, sequence_number: u16) -> u64 {
        const CYCLE: u64 = 1 << 16;
        let Some(highest) = self.highest else {
            return CYCLE + u64::from(sequence_number);
        };
        let [.., high, low] = highest.to_be_bytes();
        let ahead = sequence_number.wrapping_sub(u16::from_be_bytes([high, low]));
        if ahead < 1 << 15 {
            highest + u64::from(ahead)
        } else {
            (highest + u64::from(ahead)).saturating_sub(CYCLE)
        }
    }

    /// The highest number seen.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rtp-005, rtp-006
    #[test]
    fn numbers_go_on_across_a_wrap_in_any_order() {
        let mut unwrapper = SequenceUnwrapper::default();
        let numbers = [65_534, 65_535, 1, 0, 65_533, 2];
        let extended = numbers.map(|number| unwrapper.unwrap(number));
        let first = extended[0];
        let steps = extended.map(|number| number.cast_signed() - first.cast_signed());
        assert_eq!(steps, [0, 1, 3, 2, -1, 4]);
        assert_eq!(unwrapper.highest(), Some(first + 4));
    }

    #[test]
    fn a_step_of_half_a_cycle_is_a_step_back() {
        let mut unwrapper = SequenceUnwrapper::default();
        let first = unwrapper.unwrap(40_000);
        assert_eq!(
            unwrapper.peek(40_000_u16.wrapping_add(0x7FFF)),
            first + 0x7FFF
        );
        assert_eq!(
            unwrapper.peek(40_000_u16.wrapping_add(0x8000)),
            first - 0x8000
        );
        assert_eq!(unwrapper.highest(), Some(first));
    }

    #[test]
    fn before_the_first_there_is_room_for_a_cycle() {
        let mut unwrapper = SequenceUnwrapper::default();
        assert_eq!(unwrapper.unwrap(0), 1 << 16);
        assert_eq!(unwrapper.unwrap(65_535), (1 << 16) - 1);
    }
}
