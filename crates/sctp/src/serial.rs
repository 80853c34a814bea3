//! Serial number arithmetic (RFC 9260 §1.6, RFC 1982) by unwrapping: a number on the wire is read
//! as the one nearest to a number already known, and from then on lives in 64 bits, where plain
//! comparison is right and nothing wraps.

/// A transmission sequence number: 32 bits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tsn(u64);

impl Tsn {
    /// The first of a sequence. It stands one lap above zero, so that its predecessors exist too.
    pub(crate) fn initial(wire: u32) -> Self {
        Self((1 << 32) | u64::from(wire))
    }

    /// The number whose wire form is `wire` and which is nearest to `self`.
    pub(crate) fn near(self, wire: u32) -> Self {
        let forward = wire.wrapping_sub(self.wire());
        if forward < 1 << 31 {
            Self(self.0 + u64::from(forward))
        } else {
            Self(self.0.saturating_sub(u64::from(forward.wrapping_neg())))
        }
    }

    /// The 32 bits of the wire.
    pub(crate) fn wire(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }

    /// The number after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number before this one.
    pub(crate) fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// The number `count` after this one.
    pub(crate) fn plus(self, count: usize) -> Self {
        Self(self.0 + u64::try_from(count).unwrap_or(u64::MAX >> 1))
    }

    /// How far `self` is behind `later`; 0 if it is not behind.
    pub(crate) fn distance_to(self, later: Self) -> usize {
        usize::try_from(later.0.saturating_sub(self.0)).unwrap_or(usize::MAX)
    }
}

/// A stream sequence number: 16 bits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ssn(u64);

impl Ssn {
    /// Where every stream starts (RFC 9260 §6.5), one lap above zero.
    pub(crate) const FIRST: Self = Self(1 << 16);

    /// The number whose wire form is `wire` and which is nearest to `self`.
    pub(crate) fn near(self, wire: u16) -> Self {
        let forward = wire.wrapping_sub(self.wire());
        if forward < 1 << 15 {
            Self(self.0 + u64::from(forward))
        } else {
            Self(self.0.saturating_sub(u64::from(forward.wrapping_neg())))
        }
    }

    /// The 16 bits of the wire.
    pub(crate) fn wire(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The number after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // sctp-031
    #[test]
    fn a_tsn_after_the_wrap_is_greater() {
        let last = Tsn::initial(u32::MAX);
        let first = last.near(0);
        assert!(first > last);
        assert_eq!(first, last.next());
        assert_eq!(first.near(u32::MAX), last);
        assert_eq!(last.distance_to(first), 1);
        assert_eq!(first.distance_to(last), 0);
    }

    // sctp-031
    #[test]
    fn an_ssn_after_the_wrap_is_greater() {
        let mut ssn = Ssn::FIRST;
        for _ in 0..65_535 {
            ssn = ssn.next();
        }
        assert_eq!(ssn.wire(), 65_535);
        assert!(ssn.near(0) > ssn);
        assert_eq!(ssn.near(0).near(65_535), ssn);
    }

    #[test]
    fn the_nearest_number_is_at_most_half_the_space_away() {
        let tsn = Tsn::initial(10);
        assert!(tsn.near(10 + (1 << 31) - 1) > tsn);
        assert!(tsn.near(10 + (1 << 31) + 1) < tsn);
    }
}
