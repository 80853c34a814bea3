use super::ranges::Ranges;
use crate::handshake::Message;
use crate::handshake::header::FragmentHeader;
use std::collections::BTreeMap;

/// The peer's messages, put together and in order (RFC 6347 §4.2.2, §4.2.3).
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// `next_receive_seq`.
    next: u16,
    partial: BTreeMap<u16, Partial>,
    /// The lengths of all that is partial.
    bytes: usize,
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    epoch: u64,
    body: Vec<u8>,
    present: Ranges,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its message has been handled before. `is_last`: it ends the newest message of those.
    Old {
        is_last: bool,
    },
    Kept,
    /// Too large, too far ahead, or in too many pieces.
    Refused,
}

/// A message that is longer is refused: a chain of certificates fits, a flood does not.
const MAX_MESSAGE: usize = 32 * 1024;
/// What waits in all messages together.
const MAX_BYTES: usize = 64 * 1024;
/// How far ahead of the next message one may be: more than the longest flight has.
const MAX_AHEAD: u16 = 10;

impl Reassembly {
    /// Whether a message has not been handled before.
    pub(crate) fn is_new(&self, sequence: u16) -> bool {
        self.ahead(sequence) <= u16::MAX / 2
    }

    /// How far a message is ahead of the next; one that was before is very far ahead.
    fn ahead(&self, sequence: u16) -> u16 {
        sequence.wrapping_sub(self.next)
    }

    /// Takes a fragment.
    pub(crate) fn insert(&mut self, epoch: u64, header: FragmentHeader, fragment: &[u8]) -> Fate {
        let ahead = self.ahead(header.sequence);
        if !self.is_new(header.sequence) {
            let is_newest = ahead == u16::MAX;
            let is_end = header.offset + header.fragment_length == header.length;
            return Fate::Old {
                is_last: is_newest && is_end,
            };
        }
        if ahead > MAX_AHEAD || header.length > MAX_MESSAGE {
            return Fate::Refused;
        }
        if self.contradicts(epoch, header) {
            // In the clear anybody can say anything; the peer says the truth again.
            self.forget(header.sequence);
        }
        if !self.partial.contains_key(&header.sequence) {
            if self.bytes + header.length > MAX_BYTES {
                return Fate::Refused;
            }
            self.bytes += header.length;
        }
        let partial = self
            .partial
            .entry(header.sequence)
            .or_insert_with(|| Partial {
                kind: header.kind,
                epoch,
                body: vec![0; header.length],
                present: Ranges::default(),
            });
        let range = header.offset..header.offset + header.fragment_length;
        if !partial.present.insert(range.clone()) {
            return Fate::Refused;
        }
        partial.body[range].copy_from_slice(fragment);
        Fate::Kept
    }

    fn contradicts(&self, epoch: u64, header: FragmentHeader) -> bool {
        self.partial.get(&header.sequence).is_some_and(|partial| {
            (partial.kind, partial.epoch, partial.body.len()) != (header.kind, epoch, header.length)
        })
    }

    fn forget(&mut self, sequence: u16) {
        if let Some(partial) = self.partial.remove(&sequence) {
            self.bytes -= partial.body.len();
        }
    }

    /// The next message, if all of it has come.
    pub(crate) fn take(&mut self) -> Option<Message> {
        let partial = self.partial.get(&self.next)?;
        if !partial.present.covers(partial.body.len()) {
            return None;
        }
        let partial = self.partial.remove(&self.next)?;
        self.bytes -= partial.body.len();
        if self.partial.is_empty() {
            // A map keeps its last node, and most sessions never need it again.
            self.partial = BTreeMap::new();
        }
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        Some(Message {
            kind: partial.kind,
            sequence,
            epoch: partial.epoch,
            body: partial.body,
        })
    }

    /// The message that was taken last was none: another one may come in its place.
    pub(crate) fn refuse_last(&mut self) {
        self.next = self.next.wrapping_sub(1);
    }

    /// Forgets what is partial and came in the clear.
    pub(crate) fn forget_plaintext(&mut self) {
        self.partial.retain(|_, partial| partial.epoch > 0);
        self.bytes = self
            .partial
            .values()
            .map(|partial| partial.body.len())
            .sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, length: usize, offset: usize, len: usize) -> FragmentHeader {
        FragmentHeader {
            kind: 11,
            length,
            sequence,
            offset,
            fragment_length: len,
        }
    }

    // dtls-019
    #[test]
    fn messages_come_out_whole_and_in_order() {
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.insert(0, header(1, 2, 0, 2), b"cd"), Fate::Kept);
        assert_eq!(reassembly.take(), None);
        assert_eq!(reassembly.insert(0, header(0, 4, 2, 2), b"34"), Fate::Kept);
        assert_eq!(reassembly.insert(0, header(0, 4, 0, 3), b"123"), Fate::Kept);
        assert_eq!(reassembly.take().unwrap().body, b"1234");
        assert_eq!(reassembly.take().unwrap().body, b"cd");
        assert_eq!(reassembly.take(), None);
        let old = |is_last| Fate::Old { is_last };
        assert_eq!(reassembly.insert(0, header(1, 2, 0, 2), b"cd"), old(true));
        assert_eq!(reassembly.insert(0, header(1, 2, 0, 1), b"c"), old(false));
        assert_eq!(reassembly.insert(0, header(0, 2, 0, 2), b"cd"), old(false));
    }

    // dtls-021
    #[test]
    fn size_number_and_sum_are_bounded() {
        let mut reassembly = Reassembly::default();
        let large = header(0, MAX_MESSAGE + 1, 0, 1);
        assert_eq!(reassembly.insert(0, large, b"x"), Fate::Refused);
        let far = header(MAX_AHEAD + 1, 1, 0, 1);
        assert_eq!(reassembly.insert(0, far, b"x"), Fate::Refused);
        for sequence in 0..2 {
            let half = header(sequence, MAX_BYTES / 2, 0, 1);
            assert_eq!(reassembly.insert(0, half, b"x"), Fate::Kept);
        }
        assert_eq!(
            reassembly.insert(0, header(2, 1, 0, 1), b"x"),
            Fate::Refused
        );
    }

    #[test]
    fn a_fragment_that_contradicts_takes_the_place_of_what_was() {
        let mut reassembly = Reassembly::default();
        reassembly.insert(0, header(0, 9, 0, 2), b"xx");
        reassembly.insert(0, header(0, 4, 0, 2), b"12");
        reassembly.insert(0, header(0, 4, 2, 2), b"34");
        assert_eq!(reassembly.take().unwrap().body, b"1234");
        reassembly.refuse_last();
        assert!(reassembly.is_new(0));
    }
}
