//! Payloads that outlive the receive buffer, without an allocation for each.

use bytes::{Bytes, BytesMut};

/// One slab holds the payloads of about fifty packets.
const SLAB: usize = 64 * 1024;

/// Slabs that are kept for use again, as far as they are needed: the histories of those who send a
/// packet on hold 1024 of them, which are twenty slabs of full packets, and readers hold some more.
/// Beyond it slabs are made anew and freed by their readers.
const MAX_SLABS: usize = 32;

/// Copies payloads into shared slabs, and uses a slab again when nobody holds a part of it.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    current: BytesMut,
    /// Full ones, the oldest first.
    full: Vec<BytesMut>,
}

impl Pool {
    /// A shared copy.
    pub(crate) fn copy(&mut self, payload: &[u8]) -> Bytes {
        if self.current.capacity() < payload.len() {
            self.turn(payload.len());
        }
        self.current.extend_from_slice(payload);
        self.current.split().freeze()
    }

    /// Takes another slab: the oldest that is free, or a new one.
    fn turn(&mut self, least: usize) {
        let size = SLAB.max(least);
        let full = std::mem::take(&mut self.current);
        if full.capacity() > 0 || !self.full.is_empty() {
            self.full.push(full);
        }
        for place in 0..self.full.len() {
            if self.full[place].try_reclaim(size) {
                self.current = self.full.remove(place);
                return;
            }
        }
        if self.full.len() >= MAX_SLABS {
            self.full.remove(0);
        }
        self.current = BytesMut::with_capacity(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slab_that_nobody_holds_is_used_again() {
        let mut pool = Pool::default();
        let payload = [7; 1000];
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..10_000 {
            let copy = pool.copy(&payload);
            assert_eq!(&copy[..], &payload);
            seen.insert(copy.as_ptr() as usize / SLAB);
        }
        assert!(seen.len() <= 4, "{} regions of memory", seen.len());
    }

    #[test]
    fn a_payload_that_is_held_is_never_written_over() {
        let mut pool = Pool::default();
        let mut held = Vec::new();
        for round in 0..500_u32 {
            let payload = round.to_be_bytes().repeat(300);
            held.push((round, pool.copy(&payload)));
        }
        for (round, copy) in held {
            assert_eq!(&copy[..], round.to_be_bytes().repeat(300));
        }
    }
}
