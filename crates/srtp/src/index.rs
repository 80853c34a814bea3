use std::fmt;

/// The index of an RTP packet: 2^16 * ROC + SEQ (RFC 3711 §3.3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PacketIndex {
    /// The rollover counter: how often the sequence number has wrapped.
    pub(crate) roc: u32,
    /// The sequence number.
    pub(crate) seq: u16,
}

impl PacketIndex {
    /// The index of a packet with sequence number `seq` whose rollover counter is not known: the
    /// one nearest to `highest`, the highest index so far (RFC 3711 §3.3.1 and appendix A).
    ///
    /// Below index 0 there is nothing: the counter stays 0, rather than wrap to indices far away.
    /// `None` beyond 2^48 - 1, where the key has ended (RFC 3711 §9.2).
    fn nearest(highest: Self, seq: u16) -> Option<Self> {
        const HALF: u16 = 1 << 15;
        let Self { roc, seq: s_l } = highest;
        let roc = if s_l < HALF {
            // A number from before the wrap.
            if seq.saturating_sub(s_l) > HALF {
                roc.saturating_sub(1)
            } else {
                roc
            }
        } else if s_l - HALF > seq {
            // A number from after the wrap.
            roc.checked_add(1)?
        } else {
            roc
        };
        Some(Self { roc, seq })
    }

    /// The index as one number of 48 bits.
    pub(crate) fn number(self) -> u64 {
        u64::from(self.roc) << 16 | u64::from(self.seq)
    }
}

impl fmt::Debug for PacketIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.roc, self.seq)
    }
}

/// How far a source has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    /// There was no packet yet; the first will have this rollover counter.
    Begins {
        /// The counter.
        roc: u32,
    },
    /// The highest index so far: s_l and ROC of RFC 3711 §3.3.1.
    At(PacketIndex),
}

impl Progress {
    /// The rollover counter.
    pub(crate) fn roc(self) -> u32 {
        match self {
            Self::Begins { roc } | Self::At(PacketIndex { roc, .. }) => roc,
        }
    }

    /// The index of a packet with this sequence number; `None` beyond the last index.
    pub(crate) fn index(self, seq: u16) -> Option<PacketIndex> {
        match self {
            Self::Begins { roc } => Some(PacketIndex { roc, seq }),
            Self::At(highest) => PacketIndex::nearest(highest, seq),
        }
    }

    /// There was a packet with this index.
    pub(crate) fn raise(&mut self, index: PacketIndex) {
        match self {
            Self::At(highest) if *highest >= index => {}
            _ => *self = Self::At(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(roc: u32, seq: u16) -> PacketIndex {
        PacketIndex { roc, seq }
    }

    /// srtp-005.
    #[test]
    fn the_nearest_index_is_taken_on_both_sides_of_a_wrap() {
        for (highest, seq, expected) in [
            (at(0, 0), 1, at(0, 1)),
            (at(0, 100), 50, at(0, 50)),
            (at(0, 65_535), 0, at(1, 0)),
            (at(0, 65_535), 32_766, at(1, 32_766)),
            (at(1, 0), 65_535, at(0, 65_535)),
            (at(1, 32_766), 65_535, at(0, 65_535)),
            (at(7, 40_000), 7_231, at(8, 7_231)),
            (at(7, 20_000), 52_769, at(6, 52_769)),
        ] {
            let nearest = PacketIndex::nearest(highest, seq);
            assert_eq!(nearest, Some(expected), "{highest:?}");
        }
    }

    /// Appendix A compares with "greater than": at exactly half the way the counter stays.
    #[test]
    fn half_the_way_round_does_not_change_the_counter() {
        for (highest, seq, expected) in [
            (at(5, 0), 32_768, at(5, 32_768)),
            (at(5, 32_768), 0, at(5, 0)),
            (at(5, 32_769), 0, at(6, 0)),
            (at(5, 0), 32_769, at(4, 32_769)),
        ] {
            let nearest = PacketIndex::nearest(highest, seq);
            assert_eq!(nearest, Some(expected), "{highest:?}");
        }
    }

    #[test]
    fn the_counter_does_not_wrap_at_its_ends() {
        let first = PacketIndex::nearest(at(0, 5), 65_533);
        assert_eq!(first, Some(at(0, 65_533)));
        assert_eq!(PacketIndex::nearest(at(u32::MAX, 65_535), 0), None);
    }

    #[test]
    fn progress_goes_forward_only() {
        let mut progress = Progress::Begins { roc: 3 };
        assert_eq!(progress.index(9), Some(at(3, 9)));
        progress.raise(at(3, 9));
        progress.raise(at(2, 65_535));
        assert_eq!(progress.index(10), Some(at(3, 10)));
        assert_eq!(progress.roc(), 3);
    }
}
