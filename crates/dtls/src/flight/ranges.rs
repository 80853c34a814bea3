use std::ops::Range;

/// Which bytes of a message there are: ranges in order, apart from each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranges(Vec<Range<usize>>);

/// More pieces than a message has at the smallest MTU; what would make another is refused.
const MAX_RANGES: usize = 64;

impl Ranges {
    /// Adds a range; `false` if there are too many pieces.
    pub(crate) fn insert(&mut self, mut new: Range<usize>) -> bool {
        let touching = |old: &Range<usize>| old.start <= new.end && new.start <= old.end;
        let from = self.0.iter().position(touching);
        let Some(from) = from else {
            if self.0.len() == MAX_RANGES {
                return false;
            }
            let at = self.0.partition_point(|old| old.start < new.start);
            self.0.insert(at, new);
            return true;
        };
        let to = from
            + self.0[from..]
                .iter()
                .take_while(|old| touching(old))
                .count();
        new.start = new.start.min(self.0[from].start);
        new.end = new.end.max(self.0[to - 1].end);
        self.0.splice(from..to, [new]);
        true
    }

    /// The first range at or behind `from` and before `len` that is missing.
    pub(crate) fn gap(&self, from: usize, len: usize) -> Option<Range<usize>> {
        let mut start = from;
        for present in &self.0 {
            if present.start > start {
                return Some(start..present.start.min(len)).filter(|gap| !gap.is_empty());
            }
            start = start.max(present.end);
        }
        Some(start..len).filter(|gap| !gap.is_empty())
    }

    /// Whether all of a message is there. A message of no bytes wants its one empty fragment.
    pub(crate) fn covers(&self, len: usize) -> bool {
        self.0
            .first()
            .is_some_and(|all| all.start == 0 && all.end >= len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-019
    #[test]
    fn pieces_in_any_order_with_overlaps_make_a_whole() {
        let mut ranges = Ranges::default();
        for piece in [6..8, 0..2, 3..4, 7..10] {
            assert!(ranges.insert(piece));
            assert!(!ranges.covers(10));
        }
        assert_eq!(ranges.gap(0, 10), Some(2..3));
        assert_eq!(ranges.gap(3, 10), Some(4..6));
        assert_eq!(ranges.gap(6, 10), None);
        assert!(ranges.insert(1..7));
        assert!(ranges.covers(10));
        assert_eq!(ranges.gap(0, 10), None);
    }

    #[test]
    fn an_empty_message_is_whole_with_its_empty_fragment() {
        let mut ranges = Ranges::default();
        assert!(!ranges.covers(0));
        assert!(ranges.insert(0..0));
        assert!(ranges.covers(0));
    }

    // dtls-021
    #[test]
    fn the_pieces_are_bounded() {
        let mut ranges = Ranges::default();
        for piece in 0..MAX_RANGES {
            assert!(ranges.insert(3 * piece..3 * piece + 1));
        }
        assert!(!ranges.insert(1000..1001));
        assert!(ranges.insert(1..2), "joins its neighbour");
    }
}
