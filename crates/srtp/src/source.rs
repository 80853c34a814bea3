/// The state of each source, found by its SSRC.
///
/// A connection has a handful of sources, or a hundred; they come seldom and never go, as an SSRC
/// must not begin anew under the same key (RFC 7714 §8.4). So the SSRCs lie sorted in one piece of
/// memory, the states beside them, and the source of the last packet is tried first.
#[derive(Debug)]
pub(crate) struct Sources<S> {
    /// SSRCs in their order, and where their states are.
    order: Vec<(u32, usize)>,
    states: Vec<S>,
    /// What was found last.
    last: Option<(u32, usize)>,
    max: usize,
}

impl<S> Sources<S> {
    /// No sources; at most `max` of them, and at least one.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            order: Vec::new(),
            states: Vec::new(),
            last: None,
            max: max.max(1),
        }
    }

    /// The state of a source, if it has one.
    pub(crate) fn get(&self, ssrc: u32) -> Option<&S> {
        let at = self.search(ssrc).ok()?;
        Some(&self.states[self.order[at].1])
    }

    /// The same, faster for the source of the last call.
    pub(crate) fn find(&mut self, ssrc: u32) -> Option<&mut S> {
        let state = match self.last {
            Some((last, state)) if last == ssrc => state,
            _ => {
                let at = self.search(ssrc).ok()?;
                self.last = Some(self.order[at]);
                self.order[at].1
            }
        };
        self.states.get_mut(state)
    }

    /// Whether there is no room for another source.
    pub(crate) fn is_full(&self) -> bool {
        self.states.len() >= self.max
    }

    /// Adds a source that is not known; `None` if there is no room.
    pub(crate) fn add(&mut self, ssrc: u32, state: S) -> Option<&mut S> {
        if self.is_full() {
            return None;
        }
        let place = self.states.len();
        if let Err(at) = self.search(ssrc) {
            self.order.insert(at, (ssrc, place));
            self.states.push(state);
        }
        self.find(ssrc)
    }

    fn search(&self, ssrc: u32) -> Result<usize, usize> {
        self.order.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_keeps_its_state_in_any_order() {
        let mut sources = Sources::new(100);
        let ssrcs: Vec<u32> = (0..100_u32)
            .map(|n| n.wrapping_mul(2_654_435_761))
            .collect();
        for ssrc in &ssrcs {
            assert_eq!(sources.find(*ssrc), None);
            assert_eq!(sources.add(*ssrc, *ssrc), Some(&mut { *ssrc }));
        }
        for ssrc in ssrcs.iter().rev() {
            assert_eq!(sources.find(*ssrc), Some(&mut { *ssrc }));
            assert_eq!(sources.get(*ssrc), Some(ssrc));
        }
    }

    #[test]
    fn there_are_no_more_than_the_bound() {
        let mut sources = Sources::new(2);
        assert!(sources.add(1, ()).is_some() && sources.add(2, ()).is_some());
        assert!(sources.is_full() && sources.add(3, ()).is_none());
        assert!(sources.find(3).is_none() && sources.find(2).is_some());
    }
}
