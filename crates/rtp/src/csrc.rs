use std::fmt;
use std::ops::Deref;

/// The contributing sources of a packet, 15 at most (RFC 3550 §5.1). It never allocates.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CsrcList {
    sources: [u32; Self::MAX],
    len: u8,
}

impl CsrcList {
    /// What the four bits of CC can count.
    pub const MAX: usize = 15;

    /// No sources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source; `false` when there are [`MAX`](Self::MAX) already.
    pub fn push(&mut self, source: u32) -> bool {
        let Some(slot) = self.sources.get_mut(usize::from(self.len)) else {
            return false;
        };
        *slot = source;
        self.len += 1;
        true
    }

    /// Removes all sources.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Deref for CsrcList {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.sources[..usize::from(self.len)]
    }
}

impl fmt::Debug for CsrcList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_fifteen_sources() {
        let mut list = CsrcList::new();
        assert!((0..15).all(|source| list.push(source)));
        assert!(!list.push(15));
        assert!(list.iter().copied().eq(0..15));
        list.clear();
        assert!(list.is_empty());
        assert_eq!(list, CsrcList::new());
    }
}
