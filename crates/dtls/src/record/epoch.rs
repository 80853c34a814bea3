//! One direction of one epoch: its keys, and which numbers it has used or seen.

use super::header::MAX_SEQUENCE;
use super::protection::Protection;
use super::replay::Window;
use super::{ContentType, RecordNumber};

/// What we write with.
#[derive(Debug)]
pub(crate) struct WriteEpoch {
    pub(crate) epoch: u64,
    pub(crate) protection: Protection,
    next: u64,
}

/// What we read with.
#[derive(Debug)]
pub(crate) struct ReadEpoch {
    pub(crate) epoch: u64,
    pub(crate) protection: Protection,
    pub(crate) window: Window,
    /// Records that did not open.
    pub(crate) failures: u64,
}

impl WriteEpoch {
    pub(crate) fn new(epoch: u64, protection: Protection) -> Self {
        Self {
            epoch,
            protection,
            next: 0,
        }
    }

    /// How many records were sealed.
    pub(crate) fn sealed(&self) -> u64 {
        self.next
    }

    /// Writes a record into `out`; its length and number. `None` if it does not fit, or the
    /// numbers are used up (RFC 6347 §4.1: they never wrap).
    pub(crate) fn seal(
        &mut self,
        content: ContentType,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Option<(usize, RecordNumber)> {
        let number = RecordNumber {
            epoch: self.epoch,
            sequence: self.next,
        };
        if number.sequence > MAX_SEQUENCE {
            return None;
        }
        let len = self
            .protection
            .seal(content, self.epoch, number.sequence, plaintext, out)?;
        self.next += 1;
        Some((len, number))
    }
}

impl ReadEpoch {
    pub(crate) fn new(epoch: u64, protection: Protection) -> Self {
        Self {
            epoch,
            protection,
            window: Window::default(),
            failures: 0,
        }
    }
}
