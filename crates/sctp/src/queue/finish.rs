//! Which message goes on when the peer's window gets scarce.
//!
//! Where messages interleave, a peer that takes only whole ones holds what has come of all that
//! have begun. If these fill its window, none of them can be finished, and the window never opens
//! again. So a fragment leaves in its turn only if what has begun can still be finished behind it, one
//! message after the other, each giving back what it held (the banker's algorithm). If it cannot,
//! the message goes on that has the least to come.

use super::{SendQueue, Stream};
use std::collections::BTreeMap;

/// What the peer may count for chunks beyond their user data: a fifth of its window.
const OVERHEAD_SHARE: usize = 5;

/// Room that the peer may not tell of: less than a packet (RFC 9260 §6.2).
const UNTOLD: usize = 3000;

/// How many queued pieces of a message that has not begun are looked at to know how long it is.
const MAX_LOOK: usize = 8;

/// How long a message is whose end is not queued yet.
const UNKNOWN: usize = usize::MAX;

/// What the peer can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// The widest window it ever told.
    pub(crate) widest: usize,
    /// The user data of a full packet.
    pub(crate) segment: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            widest: usize::MAX,
            segment: usize::MAX,
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
        let fragment = piece.data.len().min(self.room.segment);
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

impl Stream {
    /// Bytes of its first message that have not left.
    fn rest(&self) -> usize {
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
