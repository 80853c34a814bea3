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
