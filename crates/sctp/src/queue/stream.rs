//! What waits on one stream.

use super::Limit;
use super::finish::Message;
use bytes::Bytes;
use layer::SctpEvent;
use std::collections::VecDeque;

/// How many queued pieces of a message that has not begun are looked at to know how long it is.
const MAX_LOOK: usize = 8;

/// How long a message is whose end is not queued yet.
const UNKNOWN: usize = usize::MAX;

/// A stream and the messages that it has to send.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The numbers of the next ordered and the next unordered message.
    pub(super) next: [u32; 2],
    /// Fragments of the message that has begun.
    pub(super) fragments: u32,
    pub(super) pieces: VecDeque<Piece>,
    /// Bytes in `pieces`.
    pub(super) buffered: usize,
    /// How many of the pieces are last ones.
    pub(super) whole: usize,
    pub(super) low_threshold: usize,
    /// In `turns`, or current.
    pub(super) scheduled: bool,
    /// The last piece that was queued was not the last of its message.
    pub(super) open: bool,
    /// The rest of the open message is thrown away as it comes.
    pub(super) discarding: bool,
    /// The message that has begun.
    pub(super) begun: Option<Head>,
    /// Bytes of it that have left.
    pub(super) sent: usize,
    /// Bytes of it that have not, if its end is queued.
    pub(super) left: Option<usize>,
    /// As what it is known among those that have begun.
    pub(super) noted: Option<Message>,
    pub(super) reset: ResetState,
}

/// What the first fragment decides for the whole message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) number: u32,
    pub(super) protocol: u32,
    pub(super) unordered: bool,
    pub(super) limit: Limit,
}

/// A message, or a fragment of one, as the owner gave it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) head: Head,
    pub(super) last: bool,
    pub(super) data: Bytes,
}

/// Where the outgoing reset of a stream stands (RFC 6525 §5.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ResetState {
    #[default]
    None,
    /// Asked for; what is queued goes first.
    Wanted,
    /// In a request to the peer.
    Requested,
}

impl Stream {
    /// Whether it becomes scheduled now.
    pub(super) fn is_due(&mut self, early_start: usize) -> bool {
        let due = !self.scheduled && self.has_work(early_start);
        self.scheduled |= due;
        due
    }

    /// Whether there is something to send that need not wait for more.
    pub(super) fn has_work(&self, early_start: usize) -> bool {
        let goes_on = self.begun.is_some() && !self.pieces.is_empty();
        self.whole > 0 || self.buffered > early_start || goes_on
    }

    /// The message that has begun, or the next, which begins now; and whether it does.
    pub(super) fn begin(&mut self) -> Option<(Head, bool)> {
        if let Some(head) = self.begun {
            return Some((head, false));
        }
        let mut head = self.pieces.front()?.head;
        let next = &mut self.next[usize::from(head.unordered)];
        head.number = *next;
        *next = next.wrapping_add(1);
        self.fragments = 0;
        self.begun = Some(head);
        self.count_left();
        Some((head, true))
    }

    /// Bytes have left: tells when they bring the buffered amount down to the threshold.
    pub(super) fn drain(&mut self, id: u16, bytes: usize, events: &mut VecDeque<SctpEvent>) {
        let before = self.buffered;
        self.buffered -= bytes;
        if before > self.low_threshold && self.buffered <= self.low_threshold {
            events.push_back(SctpEvent::BufferedAmountLow { stream: id });
        }
    }

    /// Bytes of its first message that have not left.
    pub(super) fn rest(&self) -> usize {
        match self.left {
            Some(left) => left,
            None if self.begun.is_some() || self.whole == 0 => UNKNOWN,
            None => self.queued_length(MAX_LOOK).unwrap_or(UNKNOWN),
        }
    }

    /// Bytes of the first message, if its end is among so many pieces.
    fn queued_length(&self, look: usize) -> Option<usize> {
        let mut len = 0;
        for piece in self.pieces.iter().take(look) {
            len += piece.data.len();
            if piece.last {
                return Some(len);
            }
        }
        None
    }

    /// Counts what is left of the message that has begun, if its end is queued.
    pub(super) fn count_left(&mut self) {
        self.left = if self.begun.is_some() && self.whole > 0 {
            self.queued_length(usize::MAX)
        } else {
            None
        };
    }
}
