/// Which of the last indices were seen (RFC 3711 §3.3.2): a bitmap that moves with the highest.
///
/// It takes memory with the first index. A check changes nothing; an index is recorded only when
/// its packet is authentic.
#[derive(Debug)]
pub(crate) struct ReplayWindow {
    /// How far below the highest an index may lie, a multiple of 64.
    size: u64,
    highest: Option<u64>,
    /// One bit per index, in a ring of a power of two of words, one more at least than the window
    /// needs: then the word of the highest index never holds the end of the window.
    words: Vec<u64>,
}

const WORD: u64 = u64::BITS as u64;
/// RFC 3711 §3.3.2: at least 64.
const MIN_SIZE: usize = 64;
/// A packet that is further behind would be taken for one that is ahead.
const MAX_SIZE: usize = 1 << 15;

impl ReplayWindow {
    /// A window of `size` indices, rounded up to a multiple of 64, from 64 to 2^15.
    pub(crate) fn new(size: usize) -> Self {
        let size = size.clamp(MIN_SIZE, MAX_SIZE) as u64;
        Self {
            size: size.next_multiple_of(WORD),
            highest: None,
            words: Vec::new(),
        }
    }

    /// Whether the index is within the window or ahead of it, and was not recorded.
    pub(crate) fn admits(&self, index: u64) -> bool {
        let Some(highest) = self.highest else {
            return true;
        };
        if index > highest {
            return true;
        }
        let (word, bit) = self.place(index);
        highest - index < self.size && self.words[word] & bit == 0
    }

    /// Records an index that [`admits`](Self::admits) has let pass.
    pub(crate) fn record(&mut self, index: u64) {
        match self.highest {
            None => {
                let len = usize::try_from(self.size / WORD + 1).unwrap_or(usize::MAX);
                self.words = vec![0; len.next_power_of_two()];
                self.highest = Some(index);
            }
            Some(highest) if index > highest => {
                // The words between hold what has left the window long ago.
                let ahead = (index / WORD - highest / WORD).min(self.words.len() as u64);
                for step in 1..=ahead {
                    let (word, _) = self.place(highest + step * WORD);
                    self.words[word] = 0;
                }
                self.highest = Some(index);
            }
            Some(_) => {}
        }
        let (word, bit) = self.place(index);
        self.words[word] |= bit;
    }

    /// The word and the bit of an index.
    fn place(&self, index: u64) -> (usize, u64) {
        let mask = self.words.len() as u64 - 1;
        let word = usize::try_from((index / WORD) & mask).unwrap_or(0);
        (word, 1 << (index % WORD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_index_is_admitted_once_and_not_below_the_window() {
        let mut window = ReplayWindow::new(64);
        assert!(window.admits(1000));
        window.record(1000);
        assert!(!window.admits(1000));
        assert!(window.admits(937) && !window.admits(936));
        window.record(937);
        assert!(!window.admits(937));
        window.record(1063);
        assert!(!window.admits(999) && !window.admits(1000) && window.admits(1001));
    }

    /// srtp-007: at least 64.
    #[test]
    fn sizes_are_rounded_up_and_kept_within_bounds() {
        for (asked, size) in [(0, 64), (65, 128), (1024, 1024), (1 << 20, 1 << 15)] {
            assert_eq!(ReplayWindow::new(asked).size, size);
        }
    }

    proptest! {
        /// A set of all indices is the model.
        #[test]
        fn it_behaves_like_a_list_of_all_indices(
            size in 64_usize..300,
            steps in prop::collection::vec((0_u64..500, any::<bool>()), 1..300),
        ) {
            let mut window = ReplayWindow::new(size);
            let mut seen = BTreeSet::new();
            let mut now = 10_000;
            for (step, forward) in steps {
                let index = if forward { now + step / 3 } else { now - step };
                let too_old = seen.last().is_some_and(|highest| index + window.size <= *highest);
                let expected = !too_old && !seen.contains(&index);
                prop_assert_eq!(window.admits(index), expected);
                if expected {
                    window.record(index);
                    seen.insert(index);
                }
                now = now.max(index);
            }
        }
    }
}
