use crate::Ecn;
use quinn_udp::{BATCH_SIZE, RecvMeta};
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::slice;

/// Room for what one slot can get: the largest UDP datagram, or the largest run of datagrams that
/// receive offload joins, which no kernel lets grow beyond this.
const SLOT_SIZE: usize = 65_536;

/// How many slots [`Batch::new`] has.
const DEFAULT_SLOTS: usize = 16;

/// A buffer that many datagrams are received into with one system call.
///
/// It belongs to a thread or a task, never to a connection: its memory is 64 KiB per slot, of which
/// the system backs only the pages that were ever written. Every receive overwrites it; what is to
/// be kept is copied out.
pub struct Batch {
    /// One slot behind the other, each of [`SLOT_SIZE`].
    bytes: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
    /// How many slots the last receive has filled.
    filled: usize,
}

impl Batch {
    /// 16 slots: up to 1 MiB per receive.
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(DEFAULT_SLOTS)
    }

    /// A batch of `slots`, at least one and at most as many as the system receives in one call (32
    /// on Linux, one on some others); other numbers are moved into that range.
    #[must_use]
    pub fn with_slots(slots: usize) -> Self {
        let slots = slots.clamp(1, BATCH_SIZE);
        Self {
            bytes: vec![0; slots * SLOT_SIZE].into_boxed_slice(),
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
        }
    }

    /// The datagrams of the last receive, in the order they came. Empty datagrams are left out.
    pub fn datagrams(&mut self) -> Datagrams<'_> {
        let metas = self.metas.get(..self.filled).unwrap_or_default();
        Datagrams {
            slots: self.bytes.chunks_exact_mut(SLOT_SIZE),
            metas: metas.iter(),
            current: None,
        }
    }

    /// Lets `receive` fill the slots, and counts the datagrams in them.
    pub(crate) fn fill(
        &mut self,
        receive: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.filled = 0;
        let count = self.bytes.len() / SLOT_SIZE;
        let mut chunks = self.bytes.chunks_exact_mut(SLOT_SIZE);
        let mut slots: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        self.filled = receive(&mut slots[..count], &mut self.metas[..count])?;
        Ok(self.metas[..self.filled].iter().map(datagram_count).sum())
    }

    /// Whether the last receive left slots free: there was nothing more.
    pub(crate) fn has_room(&self) -> bool {
        self.filled * SLOT_SIZE < self.bytes.len()
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("slots", &(self.bytes.len() / SLOT_SIZE))
            .field("filled", &self.filled)
            .finish()
    }
}

impl<'a> IntoIterator for &'a mut Batch {
    type Item = Datagram<'a>;
    type IntoIter = Datagrams<'a>;

    fn into_iter(self) -> Datagrams<'a> {
        self.datagrams()
    }
}

/// A slot holds a run of datagrams of `stride` bytes, the last of which may be shorter.
fn datagram_count(meta: &RecvMeta) -> usize {
    meta.len.div_ceil(meta.stride.max(1))
}

/// One datagram in a [`Batch`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Datagram<'a> {
    /// The payload; may be changed in place.
    pub bytes: &'a mut [u8],
    /// Where it came from.
    pub remote: SocketAddr,
    /// The address of ours that it was sent to, where the system tells: what a socket bound to an
    /// unspecified address must answer from.
    pub local_ip: Option<IpAddr>,
    /// Its congestion notification bits.
    pub ecn: Option<Ecn>,
}

/// Iterates over the datagrams of a [`Batch`]; made by [`Batch::datagrams`].
pub struct Datagrams<'a> {
    slots: slice::ChunksExactMut<'a, u8>,
    metas: slice::Iter<'a, RecvMeta>,
    current: Option<(slice::ChunksMut<'a, u8>, &'a RecvMeta)>,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Datagram<'a>;

    fn next(&mut self) -> Option<Datagram<'a>> {
        loop {
            if let Some((run, meta)) = &mut self.current
                && let Some(bytes) = run.next()
            {
                return Some(Datagram {
                    bytes,
                    remote: meta.addr,
                    local_ip: meta.dst_ip,
                    ecn: meta.ecn.map(Ecn::from),
                });
            }
            let meta = self.metas.next()?;
            let slot = self.slots.next()?;
            let len = meta.len.min(slot.len());
            self.current = Some((slot[..len].chunks_mut(meta.stride.max(1)), meta));
        }
    }
}

impl fmt::Debug for Datagrams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagrams").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(len: usize, stride: usize) -> RecvMeta {
        let mut meta = RecvMeta::default();
        meta.len = len;
        meta.stride = stride;
        meta
    }

    fn filled(lengths: &[(usize, usize)]) -> (Batch, usize) {
        let mut batch = Batch::with_slots(4);
        let count = batch.fill(|slots, metas| {
            for (i, &(len, stride)) in lengths.iter().enumerate() {
                let tag = u8::try_from(i).expect("few slots");
                slots[i][..len].fill(tag);
                metas[i] = meta(len, stride);
            }
            Ok(lengths.len())
        });
        (batch, count.expect("filled"))
    }

    #[test]
    fn a_run_is_split_at_its_stride_and_its_tail_is_short() {
        let (mut batch, count) = filled(&[(2500, 1000), (7, 7)]);
        let seen: Vec<_> = batch
            .datagrams()
            .map(|d| (d.bytes.len(), d.bytes[0]))
            .collect();
        assert_eq!(seen, [(1000, 0), (1000, 0), (500, 0), (7, 1)]);
        assert_eq!(count, 4);
    }

    #[test]
    fn empty_datagrams_are_left_out_and_do_not_hide_what_follows() {
        let (mut batch, count) = filled(&[(0, 0), (3, 3), (0, 0)]);
        assert_eq!(batch.datagrams().count(), 1);
        assert_eq!(count, 1);
    }

    #[test]
    fn a_failed_receive_leaves_the_batch_empty() {
        let (mut batch, _) = filled(&[(3, 3)]);
        let failed = batch.fill(|_, _| Err(io::ErrorKind::WouldBlock.into()));
        assert!(failed.is_err());
        assert_eq!(batch.datagrams().count(), 0);
    }

    #[test]
    fn the_number_of_slots_is_kept_in_range() {
        assert_eq!(Batch::with_slots(0).bytes.len(), SLOT_SIZE);
        assert_eq!(
            Batch::with_slots(usize::MAX).bytes.len(),
            BATCH_SIZE * SLOT_SIZE
        );
    }
}
