//! Which message goes on when the peer's window gets scarce.
//!
//! Where messages interleave, a peer that takes only whole ones holds what has come of all that
//! have begun. If these fill its window, none of them can be finished, and the window never opens
//! again. So a fragment leaves in its turn only if what has begun can still be finished behind it, one
//! message after the other, each giving back what it held (the banker's algorithm). If it cannot,
//! the message goes on that has the least to come.

use super::SendQueue;
use std::collections::BTreeMap;

/// What the peer may count for chunks beyond their user data: a fifth of its window.
const OVERHEAD_SHARE: usize = 5;

/// Room that the peer may not tell of: less than a packet (RFC 9260 §6.2).
const UNTOLD: usize = 3000;

/// What the peer can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// The widest window it ever told.
    pub(crate) widest: usize,
    /// The longest fragment.
    pub(crate) fragment: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            widest: usize::MAX,
            fragment: usize::MAX,
        }
    }
}

impl Room {
    fn capacity(self) -> usize {
        let told = self.widest.saturating_sub(UNTOLD);
        told - told / OVERHEAD_SHARE
    }
}

/// The messages that have begun.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// By how many bytes are left, and their streams.
    messages: BTreeMap<(usize, u16), Message>,
    /// Bytes of all of them that have left.
    sent: usize,
}

/// A message that has begun, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Bytes that have left.
    sent: usize,
    /// Bytes that have not.
    rest: usize,
}

impl Message {
    /// Bytes that the peer holds until the message is whole, and those it needs room for then. A
    /// message that the whole window could not hold is taken in parts; nobody knows how large these are.
    fn claim(self, room: Room) -> (usize, usize) {
        if self.sent.saturating_add(self.rest) > room.widest {
            (0, room.capacity() / 2)
        } else {
            (self.sent, self.rest)
        }
    }
}

impl Begun {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Streams from `count` on do not exist.
    pub(super) fn limit(&mut self, count: u16) {
        self.messages.retain(|&(_, stream), _| stream < count);
        self.sent = self.messages.values().map(|message| message.sent).sum();
    }

    fn insert(&mut self, stream: u16, message: Message) {
        self.messages.insert((message.rest, stream), message);
        self.sent += message.sent;
    }

    fn remove(&mut self, stream: u16, message: Message) {
        self.messages.remove(&(message.rest, stream));
        self.sent -= message.sent;
    }

    fn least(&self) -> Option<u16> {
        self.messages.keys().next().map(|&(_, stream)| stream)
    }

    /// Whether all can be finished, if the message of this stream stands where it would.
    fn is_safe(&self, stream: u16, next: Message, room: Room) -> bool {
        // Mostly there is room for any of them.
        let most = self.messages.keys().next_back().map_or(0, |key| key.0);
        let most = most.max(next.rest).saturating_add(self.sent + next.sent);
        if most <= room.capacity() {
            return true;
        }
        let before = self.messages.range(..(next.rest, stream));
        let behind = self.messages.range((next.rest, stream)..);
        let others =
            |(&(_, id), &message): (&(usize, u16), &Message)| (id != stream).then_some(message);
        let claims = before
            .filter_map(others)
            .chain([next])
            .chain(behind.filter_map(others))
            .map(|message| message.claim(room));
        let held = claims.clone().map(|(held, _)| held).sum();
        let Some(mut free) = room.capacity().checked_sub(held) else {
            return false;
        };
        for (held, needed) in claims {
            if needed > free {
                return false;
            }
            free += held;
        }
        true
    }
}

impl SendQueue {
    /// Tells what the peer can hold.
    pub(crate) fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    /// The stream whose message is to go on before others do.
    pub(super) fn finishing(&self) -> Option<u16> {
        if !self.interleaving {
            return None;
        }
        let least = self.begun.least()?;
        let next = self.turns.next().filter(|&next| next != least)?;
        let stream = self.streams.get(&next)?;
        let piece = stream.pieces.front()?;
        let fragment = piece.data.len().min(self.room.fragment);
        // What is whole does not stay.
        if piece.last && fragment == piece.data.len() {
            return None;
        }
        let message = Message {
            sent: stream.sent + fragment,
            rest: stream.rest().saturating_sub(fragment),
        };
        if self.begun.is_safe(next, message, self.room) {
            return None;
        }
        let filled = |id: &u16| {
            let stream = self.streams.get(id);
            stream.is_some_and(|stream| !stream.pieces.is_empty())
        };
        let mut begun = self.begun.messages.keys().map(|&(_, id)| id);
        begun.find(filled)
    }

    /// The message of this stream has begun, gone on or ended.
    pub(super) fn note_rest(&mut self, id: u16) {
        if !self.interleaving {
            return;
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let message = stream.begun.is_some().then(|| Message {
            sent: stream.sent,
            rest: stream.rest(),
        });
        if let Some(before) = std::mem::replace(&mut stream.noted, message) {
            self.begun.remove(id, before);
        }
        if let Some(message) = message {
            self.begun.insert(id, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that can hold 1000 bytes.
    const ROOM: Room = Room {
        widest: 1250 + UNTOLD,
        fragment: 100,
    };

    fn begun(messages: &[(usize, usize)]) -> Begun {
        let mut begun = Begun::default();
        for (stream, &(sent, rest)) in (1..).zip(messages) {
            begun.insert(stream, Message { sent, rest });
        }
        begun
    }

    /// Whether a message of stream 0 may stand there, beside these.
    fn is_safe(messages: &[(usize, usize)], (sent, rest): (usize, usize)) -> bool {
        begun(messages).is_safe(0, Message { sent, rest }, ROOM)
    }

    // sctp-035
    #[test]
    fn messages_that_fit_together_may_all_go_on() {
        assert_eq!(ROOM.capacity(), 1000);
        assert!(is_safe(&[], (100, 900)));
        assert!(is_safe(&[(100, 200), (100, 200)], (100, 300)));
    }

    #[test]
    fn one_after_the_other_may_be_finished_with_what_the_last_gave_back() {
        // 200 are free: the first needs them all and gives 300 back, and so on.
        assert!(is_safe(&[(100, 200), (300, 300)], (400, 600)));
        assert!(!is_safe(&[(100, 201), (300, 300)], (400, 600)));
        assert!(!is_safe(&[(100, 200), (300, 301)], (400, 600)));
        assert!(!is_safe(&[(100, 200), (300, 300)], (400, 601)));
    }

    #[test]
    fn a_short_one_that_can_be_finished_does_not_excuse_two_long_ones() {
        assert!(!is_safe(&[(450, 450), (50, 50)], (450, 450)));
    }

    #[test]
    fn a_message_that_is_taken_in_parts_wants_half_of_the_window() {
        assert!(is_safe(&[(100_000, 900_000)], (300, 200)));
        assert!(!is_safe(&[(100_000, 900_000)], (600, 500)));
        assert!(is_safe(&[], (5, usize::MAX)));
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let message = Message {
            sent: 900,
            rest: 900,
        };
        let mut begun = begun(&[]);
        begun.insert(1, message);
        let next = Message {
            sent: 100,
            rest: 200,
        };
        assert!(!begun.is_safe(0, next, ROOM));
        begun.remove(1, message);
        assert!(begun.is_safe(0, next, ROOM));
        assert_eq!((begun.least(), begun.sent), (None, 0));
    }
}
